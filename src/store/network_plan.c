/* network_plan.c - see network_plan.h. */
#include "store/network_plan.h"
#include "nn/likelihood.h"

#include <credence/handler.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define gradient crdi_plan_gradient
#define RULE(name, condition, ...)                                                                                     \
    static bool holds_##name(const crdi_plan_facts *f)                                                                 \
    {                                                                                                                  \
        (void)f;                                                                                                       \
        return condition;                                                                                              \
    }
#include "store/network_plan.def"
#undef RULE
#undef gradient

static const crdi_plan_rule rules[] = {
#define RULE(name, condition, ...) {#name, holds_##name, __VA_ARGS__},
#include "store/network_plan.def"
#undef RULE
};

#define CHANGE(name, condition, ...)                                                                                   \
    static bool change_##name(const crdi_plan_progress *p)                                                             \
    {                                                                                                                  \
        return condition;                                                                                              \
    }
#include "store/network_change.def"
#undef CHANGE

static const crdi_plan_change changes[] = {
#define CHANGE(name, condition, ...) {#name, change_##name, __VA_ARGS__},
#include "store/network_change.def"
#undef CHANGE
};

const char crdi_plan_until[] = "ess=400,rhat=1.01,of=f";

/* ---- facts -------------------------------------------------------------------------------------------------- */

/* The model is traced over one row, whatever the table has. */
static crd_status count_parameters(crd_context *ctx, const crd_network *network, const crd_dataset *dataset,
                                   int64_t *out)
{
    crd_trace *trace;
    crd_handler open;
    crd_network one = *network;
    one.x = crd_array_borrow(dataset->x.data, crd_shape_2(1, dataset->x.shape.dim[1]));
    one.y = NULL;
    one.classes = dataset->recipe->class_count;
    one.targets = dataset->recipe->target_count;
    CRD_TRY(crd_trace_create(&trace, ctx));
    crd_input_init(&open);
    crd_status status = crd_trace_push(trace, &open);
    if (status == CRD_OK)
        status = crd_trace_run(trace, crd_network_model, &one);
    *out = 0;
    for (int i = 0; status == CRD_OK && i < crd_trace_count(trace); i++) {
        const crd_message *m = crd_trace_site(trace, i);
        if (m->kind == CRD_MESSAGE_SAMPLE && strcmp(m->name, "y") != 0)
            *out += crd_shape_size(m->shape);
    }
    crd_trace_destroy(&trace);
    return status;
}

crd_status crdi_plan_facts_of(crd_context *ctx, const crd_network *network, const crd_dataset *dataset, bool chains,
                              crdi_plan_facts *out)
{
    enum { MOST_LAYERS = 64 };
    int64_t width[MOST_LAYERS];
    crdi_plan_facts facts = {.rows = dataset->x.shape.dim[0], .plain = crdi_network_plain(network), .chains = chains};
    int layers = crd_widths_parse(ctx, network->hidden, width, MOST_LAYERS);
    if (layers < 0)
        return crd_error_status(ctx);
    facts.layers = layers;
    if (!facts.plain)
        CRD_TRY(count_parameters(ctx, network, dataset, &facts.parameters));
    *out = facts;
    return CRD_OK;
}

/* Measured from 1240 to a thousand million of rows times parameters, one core with AVX-512: within a factor of two. Two hidden layers or
 * more are products of matrices, of which a number costs less. */
double crdi_plan_gradient(const crdi_plan_facts *f)
{
    static const double CALL = 0.25e-6, EACH = 0.3e-9, DEEP = 0.12e-9;
    return CALL + (f->layers > 1 ? DEEP : EACH) * (double)f->rows * (double)f->parameters;
}

/* ---- rules -------------------------------------------------------------------------------------------------- */

const crdi_plan_rule *crdi_plan_rule_get(int i)
{
    return i >= 0 && i < CRDI_COUNT(rules) ? &rules[i] : NULL;
}

const crdi_plan_rule *crdi_plan_find(const crdi_plan_facts *facts)
{
    const crdi_plan_rule *rule = rules;
    while (!rule->holds(facts))
        rule++;
    return rule;
}

int64_t crdi_plan_draws(int64_t draws, double ess, int64_t parameters, int64_t chains)
{
    static const double ROOM = 2e9; /* bytes */
    static const int64_t LEAST = 1000;
    double wanted = (double)draws * fmax(1, ess / CRDI_PLAN_ESS);
    double room = ROOM / (sizeof(double) * (double)chains * (double)(parameters + 1));
    return (int64_t)fmax((double)LEAST, floor(fmin(wanted, room)));
}

void crdi_plan_why(crdi_string *out, const crdi_plan_rule *rule, const crdi_plan_facts *f)
{
    double seconds = crdi_plan_gradient(f);
    if (!f->plain)
        crdi_string_append(out, "%lld rows and %lld parameters, about %.3g %s a gradient: ", (long long)f->rows,
                           (long long)f->parameters, seconds < 1e-3 ? 1e6 * seconds : 1e3 * seconds,
                           seconds < 1e-3 ? "microseconds" : "ms");
    crdi_string_append(out, "%s", rule->reason);
}

/* ---- changes ------------------------------------------------------------------------------------------------ */

double crdi_plan_needed(int64_t draws, double ess, double r_hat, double wanted_ess, double wanted_r_hat)
{
    double factor = 1;
    if (wanted_ess > 0)
        factor = ess > 0 ? fmax(factor, wanted_ess / ess) : INFINITY; /* not a number neither */
    if (wanted_r_hat > 1)
        factor = r_hat > 0 ? fmax(factor, (r_hat - 1) / (wanted_r_hat - 1)) : INFINITY;
    return factor * (double)draws;
}

const crdi_plan_change *crdi_plan_change_get(int i)
{
    return i >= 0 && i < CRDI_COUNT(changes) ? &changes[i] : NULL;
}

const crdi_plan_change *crdi_plan_change_find(const crdi_plan_progress *progress)
{
    for (int i = 0; i < CRDI_COUNT(changes); i++)
        if (changes[i].holds(progress))
            return &changes[i];
    return NULL;
}
