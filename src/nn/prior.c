/* prior.c - priors on parameters by path, and the module whose parameters are drawn from them. */
#include "model/model.h"

#include <credence/nn.h>
#include <stdio.h>
#include <string.h>

enum { MAX_RULES = 64, MAX_PATHS = 256, PATH = 256 };

struct rule {
    const char *pattern;
    const char *text; /* the distribution as written */
    crd_dist dist;
};

struct crd_prior {
    struct rule rule[MAX_RULES];
    int count;
};

static bool parse_rule(crd_trace *trace, struct crd_prior *prior, char *text, crd_where where)
{
    struct rule *rule = &prior->rule[prior->count];
    char *equals = strchr(text, '=');
    rule->pattern = "*";
    rule->text = text;
    if (equals) {
        *equals = 0;
        rule->pattern = text;
        rule->text = equals + 1;
    }
    crd_status status = crd_dist_parse(trace->ctx, rule->text, &rule->dist);
    if (status == CRD_OK && rule->dist.type->discrete) {
        crd_trace_fail(trace, CRD_EPRIOR, where, "prior '%s': %s is discrete", rule->text, rule->dist.type->name);
        return false;
    }
    if (status < 0)
        trace->status = crdi_error_prefix(trace->ctx, status, "prior");
    prior->count++;
    return status == CRD_OK;
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

/* ---- the random module -------------------------------------------------------------------------------------- */

struct random_module {
    const char *name;
    const crd_prior *prior;
    int used[MAX_RULES]; /* parameters that matched each rule */
    const char *path[MAX_PATHS]; /* of the parameters, for messages */
    int paths;
};

static crd_node random_param(crd_scope *scope, const char *name, crd_shape shape)
{
    struct random_module *m = scope->user;
    crd_trace *trace = scope->trace;
    int match = -1, second = -1;
    char path[PATH];
    snprintf(path, sizeof path, "%s/%s", m->name, name);
    if (m->paths < MAX_PATHS)
        m->path[m->paths++] = crdi_arena_strdup(trace->arena, path);
    for (int i = 0; i < m->prior->count; i++) {
        if (!crdi_match(m->prior->rule[i].pattern, path))
            continue;
        m->used[i]++;
        if (match < 0)
            match = i;
        else if (second < 0)
            second = i;
    }
    if (match < 0)
        crd_trace_fail(trace, CRD_EPRIOR, scope->where, "parameter %s has no prior: no rule matches it", path);
    else if (second >= 0)
        crd_trace_fail(trace, CRD_EPRIOR, scope->where, "parameter %s has two priors: '%s' and '%s' both match it",
                       path, m->prior->rule[match].pattern, m->prior->rule[second].pattern);
    if (match < 0 || second >= 0)
        return (crd_node){trace->graph, -1, 0};
    return crd_sample_at(trace, path, crd_dist_expand(m->prior->rule[match].dist, shape), scope->where);
}

static void check_rules(crd_trace *trace, const struct random_module *m, crd_where where)
{
    for (int i = 0; i < m->prior->count; i++) {
        if (m->used[i])
            continue;
        const char *pattern = m->prior->rule[i].pattern, *near = crdi_nearest_of(pattern, m->path, m->paths);
        crd_trace_fail(trace, CRD_EPRIOR, where, "prior rule '%s' matches no parameter; %s%s%s", pattern,
                       near ? "did you mean '" : "the parameters begin with '", near ? near : m->path[0], "'?");
    }
}

crd_node crd_scope_param(crd_scope *scope, const char *name, crd_shape shape)
{
    return scope->param(scope, name, shape);
}

crd_node crd_random_module_at(crd_trace *trace, const char *name, const crd_module *module, crd_node x,
                              const crd_prior *prior, crd_where where)
{
    if (!module || !prior || !crd_node_ok(x))
        return (crd_node){trace->graph, -1, 0};
    struct random_module m = {.name = name, .prior = prior};
    crd_scope scope = {trace, where, random_param, &m};
    crd_node y = module->apply(module, &scope, x);
    if (m.paths > 0)
        check_rules(trace, &m, where);
    return y;
}
