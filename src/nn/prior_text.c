/* prior_text.c - the prior of a site as it is typed. */
#include "nn/nn.h"

enum { MOST_NAMES = 8 };

struct sources {
    const crd_trace *trace;
    const char *name[MOST_NAMES];
    int count;
};

static const crd_message *site_of(const crd_trace *trace, int32_t id)
{
    for (int i = 0; i < crd_trace_count(trace); i++) {
        const crd_message *m = crd_trace_site(trace, i);
        if (m->kind == CRD_MESSAGE_SAMPLE && !m->observed && m->value.graph && m->value.id == id)
            return m;
    }
    return NULL;
}

/* Finds the sites whose values a node is computed from, not looking through them. Formulas of priors are small. */
static void find_sources(struct sources *s, crd_node node, int depth)
{
    enum { DEPTH = 16 };
    const crd_message *site = site_of(s->trace, node.id);
    if (site) {
        for (int i = 0; i < s->count; i++)
            if (s->name[i] == site->name)
                return;
        if (s->count < MOST_NAMES)
            s->name[s->count++] = site->name;
        return;
    }
    for (int i = 0; depth < DEPTH && i < crdi_vertex_of(node)->arg_count; i++)
        find_sources(s, crdi_arg(node, i), depth + 1);
}

static void add_param(const crd_trace *trace, crd_node param, crdi_string *out)
{
    char number[32];
    double value;
    struct sources s = {.trace = trace};
    if (crdi_is_number(param, &value)) {
        crdi_string_append(out, "%s", crdi_format_double(number, value));
        return;
    }
    find_sources(&s, param, 0);
    crdi_string_append(out, "f(");
    for (int i = 0; i < s.count; i++)
        crdi_string_append(out, "%s%s", i ? "," : "", s.name[i]);
    crdi_string_append(out, ")");
}

void crdi_prior_text(const crd_trace *trace, const crd_message *site, crdi_string *out)
{
    crdi_string_append(out, "%s", site->dist.type->name);
    for (int i = 0; i < site->dist.type->param_count; i++) {
        crdi_string_append(out, "%s", i ? "," : ":");
        add_param(trace, site->dist.param[i], out);
    }
}
