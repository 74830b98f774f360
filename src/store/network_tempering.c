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
    if (!(fit->tempering = crdi_alloc(fit->ctx, sizeof *fit->tempering)))
        return CRD_ENOMEM;
    return crdi_tempering_draw(fit->tempering, fit->model, &options, &fit->tempered, crd_key_make((uint64_t)fit->seed),
                               &before, sink, report);
}

/* The evidence, of the draws that are left. */
static crd_status conclude(crdi_network_fit *fit, int64_t held, const crdi_mcmc_saved *state)
{
    crd_nuts_options options = crdi_network_chains_options(fit);
    crd_evidence evidence = {0};
    if (!fit->tempering->sums && held == 0) /* it was stopped before there were temperatures */
        return CRD_OK;
    if (held > 0)
        CRD_TRY(crdi_tempering_go_back(fit->tempering, fit->model, &options, &fit->tempered, held,
                                       crd_key_make((uint64_t)fit->seed), state));
    crd_status status = crdi_tempering_conclude(fit->tempering, &evidence);
    if (status == CRD_OK && evidence.runs > 0)
        status = crdi_run_evidence_write(fit->run, &evidence);
    crd_evidence_clear(&evidence);
    return status;
}

static void clear(crdi_network_fit *fit)
{
    if (!fit->tempering)
        return;
    crdi_tempering_destroy(fit->tempering);
    crdi_free(fit->ctx, fit->tempering);
    fit->tempering = NULL;
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
                                                    .conclude = conclude,
                                                    .clear = clear,
                                                    .plan = plan,
                                                    .place = crdi_network_chains_place,
                                                    .draws_behind = crdi_network_chains_behind,
                                                    .doubles = true};
