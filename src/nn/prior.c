/* prior.c - priors on parameters by path, and the module whose parameters are drawn from them. */
#include "nn/prior_form.h"

#include <stdio.h>
#include <string.h>

enum { MAX_RULES = 64, MAX_PATHS = 256, PATH = 256 };

struct rule {
    const char *pattern;
    crdi_prior_term term;
};

struct crd_prior {
    struct rule rule[MAX_RULES];
    int count;
};

static bool parse_rule(crd_trace *trace, struct crd_prior *prior, char *text, crd_where where)
{
    struct rule *rule = &prior->rule[prior->count++];
    char *equals = strchr(text, '=');
    rule->pattern = "*";
    if (equals) {
        *equals = 0;
        rule->pattern = text;
    }
    return crdi_prior_read(trace, equals ? equals + 1 : text, where, &rule->term);
}

const crd_prior *crd_prior_parse_at(crd_trace *trace, const char *text, crd_where where)
{
    crd_prior *prior = crdi_arena_alloc(trace->arena, sizeof *prior);
    char *copy = crdi_arena_strdup(trace->arena, text);
    if (!prior || !copy) {
        trace->status = CRD_ENOMEM;
        return NULL;
    }
    for (char *piece = copy, *next; piece; piece = next) {
        next = strchr(piece, ';');
        if (next)
            *next++ = 0;
        if (prior->count == MAX_RULES) {
            crd_trace_fail(trace, CRD_EPRIOR, where, "more than %d prior rules", MAX_RULES);
            return NULL;
        }
        if (!parse_rule(trace, prior, piece, where))
            return NULL;
    }
    return prior;
}

bool crdi_prior_names(const crd_prior *prior, const char *name)
{
    for (int i = 0; prior && i < prior->count; i++)
        if (strcmp(prior->rule[i].pattern, name) == 0)
            return true;
    return false;
}

/* ---- the random module -------------------------------------------------------------------------------------- */

struct random_module {
    const char *name;
    const crd_prior *prior;
    int used[MAX_RULES]; /* parameters that matched each rule */
    const char *path[MAX_PATHS]; /* of the parameters, for messages */
    int paths;
    const char *missing; /* the first that no rule matches; NULL: none */
};

/* A group's scale has one prior, whatever the number of rules that name it. */
static bool check_group(crd_scope *scope, const struct random_module *m, const crdi_prior_term *term)
{
    for (; term && !term->name; term = term->inner)
        ;
    for (int i = 0; term && i < m->prior->count; i++) {
        const crdi_prior_term *other = &m->prior->rule[i].term;
        for (; other && !other->name; other = other->inner)
            ;
        bool same = !other || strcmp(other->name, term->name) != 0 || other->dist.type == term->dist.type;
        for (int k = 0; same && other && strcmp(other->name, term->name) == 0 && k < term->dist.type->param_count; k++)
            same = other->dist.param[k].number == term->dist.param[k].number;
        if (same)
            continue;
        crd_trace_fail(scope->trace, CRD_EPRIOR, scope->where, "group %s has two priors: '%s' and '%s'", term->name,
                       other->text, term->text);
        return false;
    }
    return true;
}

static crd_node draw(crd_scope *scope, const struct random_module *m, const crdi_prior_term *term, const char *path,
                     const crd_param_spec *spec)
{
    crdi_prior_request request = {.trace = scope->trace,
                                  .where = scope->where,
                                  .module = m->name,
                                  .path = path,
                                  .shape = spec->shape,
                                  .fan_in = spec->fan_in,
                                  .factor = 1};
    return check_group(scope, m, term) ? crdi_prior_draw(term, &request) : crdi_bad(scope);
}

static crd_node random_param(crd_scope *scope, const crd_param_spec *spec)
{
    struct random_module *m = scope->user;
    crd_trace *trace = scope->trace;
    int match = -1, second = -1;
    char path[PATH];
    snprintf(path, sizeof path, "%s/%s", m->name, spec->name);
    if (m->paths < MAX_PATHS) {
        if (!(m->path[m->paths] = crdi_arena_strdup(trace->arena, path))) {
            trace->status = CRD_ENOMEM;
            return crdi_bad(scope);
        }
        m->paths++;
    }
    for (int i = 0; i < m->prior->count; i++) {
        if (!crdi_match(m->prior->rule[i].pattern, path))
            continue;
        m->used[i]++;
        if (match < 0)
            match = i;
        else if (second < 0)
            second = i;
    }
    if (match < 0) { /* check_rules says so, once all parameters are known: a rule may have a wrong name */
        if (!m->missing && !(m->missing = crdi_arena_strdup(trace->arena, path)))
            trace->status = CRD_ENOMEM;
        return crd_broadcast_to(crdi_constant_scalar(trace->graph, 0), spec->shape);
    }
    if (second >= 0) {
        crd_trace_fail(trace, CRD_EPRIOR, scope->where,
                       "parameter %s has two priors: the rules of '%s' and '%s' both match it ('*' is a rule without a "
                       "pattern), and there must be exactly one; patterns as '*.bias' keep them apart",
                       path, m->prior->rule[match].pattern, m->prior->rule[second].pattern);
        return crdi_bad(scope);
    }
    return draw(scope, m, &m->prior->rule[match].term, path, spec);
}

/* With the parameters that there are, or the first of many. */
static void raise_useless(crd_trace *trace, const struct random_module *m, const char *pattern, crd_where where)
{
    enum { SHOWN = 6 };
    crdi_string names;
    crdi_string_init(&names, trace->ctx);
    for (int i = 0; i < m->paths && i < SHOWN; i++)
        crdi_string_append(&names, "%s%s", i ? ", " : "", m->path[i]);
    crd_trace_fail(trace, CRD_EPRIOR, where, "prior rule '%s' matches no parameter; there are: %s%s", pattern,
                   crdi_string_text(&names), m->paths > SHOWN ? ", ..." : "");
    crdi_string_clear(&names);
}

static void check_rules(crd_trace *trace, const struct random_module *m, crd_where where)
{
    for (int i = 0; i < m->prior->count; i++) {
        if (m->used[i])
            continue;
        const char *pattern = m->prior->rule[i].pattern, *near = crdi_nearest_of(pattern, m->path, m->paths);
        if (near)
            crd_trace_fail(trace, CRD_EPRIOR, where, "prior rule '%s' matches no parameter; did you mean '%s'?",
                           pattern, near);
        else
            raise_useless(trace, m, pattern, where);
    }
    if (m->missing)
        crd_trace_fail(trace, CRD_EPRIOR, where,
                       "parameter %s has no prior: no rule matches it, and each parameter needs exactly one; "
                       "'%s=normal:0,1' would, and one rule without a pattern stands for all",
                       m->missing, m->missing);
}

crd_node crd_random_module_at(crd_trace *trace, const char *name, const crd_module *module, crd_node x,
                              const crd_prior *prior, crd_where where)
{
    if (!module || !prior || !crd_node_ok(x))
        return (crd_node){trace->graph, -1, 0};
    struct random_module m = {.name = name, .prior = prior};
    crd_scope scope = {.trace = trace, .where = where, .param = random_param, .user = &m};
    crd_node y = module->apply(module, &scope, x);
    if (m.paths > 0)
        check_rules(trace, &m, where);
    return y;
}
