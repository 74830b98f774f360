/* auto.c - see auto.h. */
#include "cli/auto.h"

#include <string.h>

void crdi_auto_init(crdi_auto *a, crdi_cli *cli, crdi_cli_call *call, crdi_network_fit *net, crdi_stop_rule *rule)
{
    *a = (crdi_auto){.cli = cli, .call = call, .net = net, .rule = rule};
    crdi_string_init(&a->line, cli->ctx);
}

/* Whether an option of Markov chains was given that says more than how many chains there are and where they begin. */
static bool says_how(const crdi_auto *a, bool also_chains)
{
    static const char *const any[] = {"threads", "init_radius", "start", "chains"};
    const crdi_options *mcmc = crdi_cli_options(a->call, &crdi_mcmc_option_table);
    for (int i = 0; i < crdi_mcmc_option_table.count; i++) {
        const char *name = crdi_mcmc_option_table.option[i].name;
        bool says = crdi_options_given(mcmc, name);
        for (int k = 0; k < CRDI_COUNT(any) - also_chains; k++)
            says = says && strcmp(name, any[k]) != 0;
        if (says)
            return true;
    }
    return false;
}

static bool wants_chains(const crdi_auto *a)
{
    return a->chains || a->net->rule || says_how(a, true);
}

/* Unless the user gave it. */
static crd_status fill(crdi_options *set, const char *name, const char *text)
{
    return text && !crdi_options_given(set, name) ? crdi_options_set(set, name, text) : CRD_OK;
}

static crd_status fill_number(crdi_options *set, const char *name, int64_t value)
{
    char text[32];
    crdi_format(text, sizeof text, "%lld", (long long)value);
    return value > 0 ? fill(set, name, text) : CRD_OK;
}

static crd_status fill_options(crdi_auto *a)
{
    crdi_options *mcmc = crdi_cli_options(a->call, &crdi_mcmc_option_table);
    crd_nuts_options *o = &a->net->mcmc;
    double ess = a->net->rule ? a->net->rule->ess : 0;
    a->fixed = crdi_options_given(mcmc, "draws") && !a->net->rule;
    CRD_TRY(fill(mcmc, "metric", a->plan->metric));
    CRD_TRY(fill(mcmc, "start", a->plan->start));
    if (!a->fixed) {
        CRD_TRY(fill_number(mcmc, "warmup", a->plan->warmup));
        CRD_TRY(fill_number(mcmc, "draws",
                            a->plan->draws ? crdi_plan_draws(a->plan->draws, ess, a->facts.parameters, o->chains) : 0));
    }
    crdi_options *train = crdi_cli_options(a->call, &crdi_train_option_table);
    CRD_TRY(fill_number(train, "batch", a->plan->batch));
    a->net->train.batch = ((const crdi_train_options *)train->values)->batch;
    const crd_nuts_options *filled = mcmc->values;
    o->metric = filled->metric;
    o->start = filled->start;
    o->warmup = filled->warmup;
    o->draws = filled->draws;
    return CRD_OK;
}

static crd_status fill_rule(crdi_auto *a)
{
    crdi_options *stop = crdi_cli_options(a->call, &crdi_stop_table);
    if (a->fixed || a->net->rule || a->plan->draws == 0)
        return CRD_OK;
    CRD_TRY(crdi_options_set(stop, "until", crdi_plan_until));
    const crdi_stop_options *filled = stop->values;
    return crdi_stop_set(a->cli, filled, filled->until, a->net, a->rule);
}

crd_status crdi_auto_settle(crdi_auto *a)
{
    CRD_TRY(crdi_plan_facts_of(a->cli->ctx, &a->net->network, a->dataset, wants_chains(a), &a->facts));
    a->plan = crdi_plan_find(&a->facts);
    bool told = a->keeps_kernel || says_how(a, false); /* before the plan's own are set */
    a->net->method = a->plan->method;
    CRD_TRY(fill_options(a));
    CRD_TRY(fill_rule(a));
    crdi_string_append(&a->line, "%s: ", a->net->method);
    crdi_plan_why(&a->line, a->plan, &a->facts);
    a->net->plan = crdi_string_text(&a->line);
    a->net->plan_rule = a->plan->name;
    a->net->may_change = a->net->rule && a->rule->function && !told; /* single weights have many names */
    return a->line.status;
}

void crdi_auto_lines(crdi_string *out, const crdi_auto *a)
{
    const crd_nuts_options *o = &a->net->mcmc;
    if (!a->plan)
        return;
    if (a->plan->metric)
        crdi_string_append(out, "plan:   start %s, metric %s%s%s\n", o->start, o->metric,
                           a->net->rule ? ", until " : "", a->net->rule ? a->net->rule->text : "");
    crdi_string_append(out, "why:    ");
    crdi_plan_why(out, a->plan, &a->facts);
    crdi_string_append(out, "\n");
    if (a->plan->bias)
        crdi_string_append(out, "bias:   %s\n", a->plan->bias);
}

void crdi_auto_clear(crdi_auto *a)
{
    crdi_string_clear(&a->line);
}
