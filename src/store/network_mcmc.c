/* network_mcmc.c - draws of a network by Markov chains. */
#include "store/network_fit.h"

static crd_status prepare(crdi_network_fit *fit)
{
    fit->mcmc.kernel = fit->method;
    CRD_TRY(crd_model_create(&fit->model, fit->ctx, crd_network_model, &fit->network));
    fit->dim = crd_model_dim(fit->model);
    fit->chains = (int)fit->mcmc.chains;
    return crdi_mcmc_columns_of(fit->model, &fit->mcmc, fit->arena, &fit->columns);
}

static crd_status draw(crdi_network_fit *fit, const crdi_sink *sink, crdi_mcmc_report *report)
{
    crd_nuts_options options = fit->mcmc;
    options.warmup = options.warmup > 0 ? options.warmup : -1; /* there 0 stands for the default */
    return crdi_mcmc_run(fit->model, &options, crd_key_make((uint64_t)fit->seed), sink, report);
}

static void clear(crdi_network_fit *fit)
{
    crd_model_destroy(&fit->model);
}

static void plan(const crdi_network_fit *fit, crdi_string *out)
{
    const crd_nuts_options *m = &fit->mcmc;
    crdi_string_append(out, "%lld chain%s, %lld + %lld", (long long)m->chains, m->chains == 1 ? "" : "s",
                       (long long)m->warmup, (long long)m->draws);
}

const crdi_network_method crdi_network_mcmc = {.prepare = prepare, .draw = draw, .clear = clear, .plan = plan};
