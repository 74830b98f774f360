/* strands.c - parts of a program that threads can run side by side.
 *
 * Whoever builds a graph may say which strand new nodes belong to (crdi_graph_set_strand): particles of a loss, blocks of
 * rows. A program then has three stretches: what the strands share, the strands, and what needs their results. Strands are
 * dealt out to groups, each of which has memory of its own; what a number is computed from, and in which order, does not
 * depend on any of this, so neither does the result. */
#include "graph/graph.h"

#include <string.h>

struct strands {
    const crdi_emitter *e;
    int32_t *segment; /* by vertex: 0, a strand, or BEHIND */
    bool *shared; /* by vertex: of several strands */
};

enum { BEHIND = INT32_MAX };

/* A node that two strands use is made before both, and so is all that it needs. */
static void mark_shared(struct strands *s)
{
    const crd_graph *g = s->e->graph;
    for (int64_t id = g->count - 1; id >= 0; id--) {
        const crdi_vertex *v = g->vertex[id];
        for (int i = 0; i < v->arg_count; i++) {
            int32_t strand = g->vertex[v->arg[i]]->strand;
            if (s->shared[id] || (v->strand && strand && strand != v->strand))
                s->shared[v->arg[i]] = true;
        }
    }
}

static void find_segments(struct strands *s)
{
    const crd_graph *g = s->e->graph;
    for (int64_t id = 0; id < g->count; id++) {
        const crdi_vertex *v = g->vertex[id];
        int32_t own = s->shared[id] ? 0 : v->strand, segment = own;
        for (int i = 0; i < v->arg_count; i++) {
            int32_t other = g->vertex[v->arg[i]]->known ? 0 : s->segment[v->arg[i]];
            if (other != 0 && other != own)
                segment = BEHIND;
        }
        s->segment[id] = segment;
    }
}

/* Numbers of the groups, from 1 on, in place of those of the strands, which are dealt out in stretches. */
static int deal_out(const struct strands *s, int groups)
{
    const crd_graph *g = s->e->graph;
    int32_t strands = g->strands;
    groups = groups < strands ? groups : (int)strands;
    for (int64_t id = 0; id < g->count; id++)
        if (s->segment[id] == BEHIND)
            s->segment[id] = groups + 1;
        else if (s->segment[id] > 0)
            s->segment[id] = (int32_t)((int64_t)(s->segment[id] - 1) * groups / strands) + 1;
    return groups;
}

static crd_status sort_steps(crdi_emitter *e, int groups)
{
    crd_context *ctx = e->graph->ctx;
    crdi_step *sorted = crdi_alloc_array(ctx, e->count + 1, sizeof *sorted);
    if (!sorted)
        return CRD_ENOMEM;
    int64_t n = 0;
    for (int32_t segment = 0; segment <= groups + 1; segment++)
        for (int64_t i = 0; i < e->count; i++)
            if (e->step[i].segment == segment)
                sorted[n++] = e->step[i];
    CRDI_ASSERT(n == e->count);
    if (n > 0)
        memcpy(e->step, sorted, sizeof *sorted * (size_t)n);
    crdi_free(ctx, sorted);
    return CRD_OK;
}

crd_status crdi_find_strands(crdi_emitter *e)
{
    const crd_graph *g = e->graph;
    struct strands s = {.e = e};
    if (g->groups < 2 || g->strands < 2 || g->plain)
        return CRD_OK;
    s.segment = crdi_alloc_array(g->ctx, g->count + 1, sizeof *s.segment);
    s.shared = crdi_alloc_array(g->ctx, g->count + 1, sizeof *s.shared);
    crd_status status = s.segment && s.shared ? CRD_OK : CRD_ENOMEM;
    if (status == CRD_OK) {
        mark_shared(&s);
        find_segments(&s);
        e->groups = deal_out(&s, g->groups);
        for (int64_t i = 0; i < e->count; i++) /* copies to the output, which no vertex has, come last */
            e->step[i].segment = e->step[i].out == INT32_MIN ? e->groups + 1 : s.segment[e->step[i].vertex];
        status = sort_steps(e, e->groups);
    }
    crdi_free(g->ctx, s.segment);
    crdi_free(g->ctx, s.shared);
    return status;
}

void crdi_graph_set_strand(crd_graph *graph, int32_t strand)
{
    graph->strand = strand;
    graph->strands = strand > graph->strands ? strand : graph->strands;
}
