/* network_tempering.c - draws of a network by parallel tempering, and the log evidence. */
#include "infer/tempered/tempering.h"
#include "store/network_starts.h"
#include "store/network_tempered.h"

static crd_status prepare(crdi_network_fit *fit)
{
    fit->mcmc.kernel = "tempering";
    CRD_TRY(crd_model_create(&fit->model, fit->ctx, crd_network_model, &fit->network));
    CRD_TRY(crdi_network_starts_prepare(fit));
    fit->dim = crd_model_dim(fit->model);
    fit->chains = (int)fit->mcmc.chains;
    return crdi_mcmc_columns_of(fit->model, &fit->mcmc, fit->arena, &fit->columns);
}

static crd_status draw(crdi_network_fit *fit, const crdi_sink *sink, crdi_mcmc_report *report)
{
    crd_nuts_options options = crdi_network_chains_options(fit);
    crdi_mcmc_before before = crdi_network_chains_before(fit);
    crd_evidence evidence = {0};
    crd_status status = crdi_tempering_run(fit->model, &options, &fit->tempered, crd_key_make((uint64_t)fit->seed),
                                           &before, sink, report, &evidence);
    if (status >= 0 && evidence.runs > 0) {
        crd_status written = crdi_run_evidence_write(fit->run, &evidence);
        status = written < 0 ? written : status;
    }
    crd_evidence_clear(&evidence);
    return status;
}

static void plan(const crdi_network_fit *fit, crdi_string *out)
{
    crdi_network_chains_lengths(fit, out);
    crdi_string_append(out, ", each over ");
    if (fit->tempered.temperatures > 1)
        crdi_string_append(out, "%lld temperatures", (long long)fit->tempered.temperatures);
    else
        crdi_string_append(out, "temperatures that a pilot run of %lld particles finds",
                           (long long)fit->tempered.pilot);
    crdi_network_starts_plan(fit, out);
}

const crdi_network_method crdi_network_tempering = {.prepare = prepare,
                                                    .draw = draw,
                                                    .plan = plan,
                                                    .place = crdi_network_chains_place,
                                                    .draws_behind = crdi_network_chains_behind,
                                                    .doubles = true};
