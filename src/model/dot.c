/* dot.c - a trace as a graph in the DOT language (Gansner, Koutsofios & North, drawing graphs with dot).
 *
 * A site depends on those whose values its formulas are made of: the vertices of its parameters (of its value, if it is
 * computed) are followed backwards until the values of other sites. Plates are clusters, one for each stack of plates. */
#include "model/model.h"

#include <string.h>

struct picture {
    const crd_trace *t;
    crd_log_fn print;
    void *user;
    crdi_string line;
    int32_t *owner; /* of each vertex: the number of the site whose value it is; -1: none */
    int64_t *seen; /* of each vertex: 1 + the site that came by last */
    int32_t *stack; /* of the walk */
    bool *done; /* sites whose node is drawn */
    int clusters;
};

static void print_line(struct picture *p)
{
    p->print(p->user, crdi_string_text(&p->line));
    crdi_string_clear(&p->line);
    crdi_string_init(&p->line, p->t->ctx);
}

static void add_quoted(struct picture *p, const char *text)
{
    crdi_string_append(&p->line, "\"");
    for (; *text; text++)
        crdi_string_append(&p->line, *text == '"' || *text == '\\' ? "\\%c" : "%c", *text);
    crdi_string_append(&p->line, "\"");
}

/* ---- nodes -------------------------------------------------------------------------------------------------- */

static void print_node(struct picture *p, int64_t i, int depth)
{
    const crd_message *m = p->t->site[i];
    const char *style = "";
    if (m->kind == CRD_MESSAGE_SAMPLE)
        style = m->observed ? " [style=filled, fillcolor=gray]" : "";
    else if (m->kind == CRD_MESSAGE_DETERMINISTIC)
        style = " [style=dashed]";
    else
        style = m->kind == CRD_MESSAGE_FACTOR ? " [shape=square]" : " [shape=plain]";
    crdi_string_append(&p->line, "%*s", 4 * (depth + 1), "");
    add_quoted(p, m->name);
    crdi_string_append(&p->line, "%s;", style);
    print_line(p);
    p->done[i] = true;
}

/* Whether two sites have the same `depth` outermost plates. */
static bool same_plates(const crd_message *a, const crd_message *b, int depth)
{
    if (a->plate_count < depth || b->plate_count < depth)
        return false;
    for (int i = 0; i < depth; i++)
        if (a->plate[i] != b->plate[i])
            return false;
    return true;
}

/* The sites inside of the `depth` outermost plates of site `first`, and the clusters in there. */
static void print_inside(struct picture *p, int64_t first, int depth)
{
    const crd_trace *t = p->t;
    for (int64_t i = first; i < t->site_count; i++) {
        const crd_message *m = t->site[i];
        if (p->done[i] || !same_plates(m, t->site[first], depth))
            continue;
        if (m->plate_count == depth || depth == CRD_MAX_DIMS) {
            print_node(p, i, depth);
            continue;
        }
        int indent = 4 * (depth + 1);
        crdi_string_append(&p->line, "%*ssubgraph cluster_%d {", indent, "", p->clusters++);
        print_line(p);
        crdi_string_append(&p->line, "%*slabel=", indent + 4, "");
        add_quoted(p, m->plate[depth]->name);
        crdi_string_append(&p->line, "; labeljust=r; labelloc=b;");
        print_line(p);
        print_inside(p, i, depth + 1);
        crdi_string_append(&p->line, "%*s}", indent, "");
        print_line(p);
    }
}

/* ---- arrows ------------------------------------------------------------------------------------------------- */

static void push(struct picture *p, int64_t site, crd_node node, int64_t *count)
{
    if (node.graph != p->t->graph || node.id < 0 || p->seen[node.id] == site + 1)
        return;
    p->seen[node.id] = site + 1;
    p->stack[(*count)++] = node.id;
}

static void print_arrows_to(struct picture *p, int64_t site)
{
    const crd_message *m = p->t->site[site];
    int64_t count = 0;
    if (m->kind == CRD_MESSAGE_SAMPLE)
        for (int i = m->dist.type->param_count - 1; i >= 0; i--) /* the last pushed comes first */
            push(p, site, m->dist.param[i], &count);
    if (m->kind == CRD_MESSAGE_DETERMINISTIC || m->kind == CRD_MESSAGE_FACTOR || m->observed)
        push(p, site, m->value, &count);
    while (count > 0) {
        int32_t id = p->stack[--count];
        const crdi_vertex *v = p->t->graph->vertex[id];
        if (p->owner[id] >= 0 && p->owner[id] < site) {
            crdi_string_append(&p->line, "    ");
            add_quoted(p, p->t->site[p->owner[id]]->name);
            crdi_string_append(&p->line, " -> ");
            add_quoted(p, m->name);
            crdi_string_append(&p->line, ";");
            print_line(p);
            continue;
        }
        for (int a = v->arg_count - 1; a >= 0; a--)
            push(p, site, (crd_node){p->t->graph, v->arg[a], 0}, &count);
    }
}

/* A vertex is the value of the last site that has it, but for sites before that: a deterministic site that only names
 * another's value stands between that one and what comes after. */
static void print_arrows(struct picture *p)
{
    for (int64_t i = 0; i < p->t->graph->count; i++)
        p->owner[i] = -1;
    for (int64_t s = 0; s < p->t->site_count; s++) {
        const crd_message *m = p->t->site[s];
        print_arrows_to(p, s);
        if (m->kind != CRD_MESSAGE_FACTOR && m->value.graph == p->t->graph && !crd_node_known(m->value, NULL))
            p->owner[m->value.id] = (int32_t)s;
    }
}

crd_status crd_trace_print_dot(const crd_trace *t, crd_log_fn print, void *user)
{
    struct picture p = {.t = t, .print = print, .user = user};
    int64_t vertices = t->graph->count + 1;
    p.owner = crdi_alloc_array(t->ctx, vertices, sizeof *p.owner);
    p.seen = crdi_alloc_array(t->ctx, vertices, sizeof *p.seen);
    p.stack = crdi_alloc_array(t->ctx, vertices, sizeof *p.stack);
    p.done = crdi_alloc_array(t->ctx, t->site_count + 1, sizeof *p.done);
    crd_status status = p.owner && p.seen && p.stack && p.done ? CRD_OK : CRD_ENOMEM;
    if (status == CRD_OK) {
        crdi_string_init(&p.line, t->ctx);
        print(user, "digraph model {");
        if (t->site_count > 0)
            print_inside(&p, 0, 0);
        print_arrows(&p);
        print(user, "}");
        status = p.line.status;
        crdi_string_clear(&p.line);
    }
    crdi_free(t->ctx, p.owner);
    crdi_free(t->ctx, p.seen);
    crdi_free(t->ctx, p.stack);
    crdi_free(t->ctx, p.done);
    return status;
}
