/* run_states.c - see run_states.h. */
#include "store/run_states.h"

static crd_status read_lane(crd_run *run, int lane, crdi_run_states *s)
{
    crdi_mcmc_saved *saved = &s->saved[lane];
    bool clear = crd_error_status(s->ctx) == CRD_OK;
    crd_status status = crdi_run_read_state(run, lane, &s->iteration[lane], &saved->bytes, &saved->size);
    if (status != CRD_EMISSING)
        return status;
    if (clear)
        crd_error_clear(s->ctx);
    *saved = (crdi_mcmc_saved){0};
    return CRD_OK;
}

crd_status crdi_run_states_read(crd_context *ctx, crd_run *run, crdi_run_states *out)
{
    int chains = crd_run_chains(run), lanes;
    *out = (crdi_run_states){.ctx = ctx};
    CRD_TRY(crdi_run_count_states(run, &lanes));
    out->lanes = lanes > chains ? lanes : chains;
    out->saved = crdi_alloc_array(ctx, out->lanes, sizeof *out->saved);
    out->iteration = crdi_alloc_array(ctx, out->lanes, sizeof *out->iteration);
    if (!out->saved || !out->iteration)
        return CRD_ENOMEM;
    for (int lane = 0; lane < out->lanes; lane++)
        CRD_TRY(read_lane(run, lane, out));
    return CRD_OK;
}

void crdi_run_states_clear(crdi_run_states *s)
{
    for (int lane = 0; s->saved && lane < s->lanes; lane++)
        crdi_free(s->ctx, s->saved[lane].bytes);
    if (s->ctx) {
        crdi_free(s->ctx, s->saved);
        crdi_free(s->ctx, s->iteration);
    }
    *s = (crdi_run_states){0};
}

static crd_status read_number(crd_run *run, const char *key, double *out)
{
    *out = 0;
    return crdi_run_has(run, key) ? crdi_run_get_number(run, key, out) : CRD_OK;
}

crd_status crdi_run_cost_read(crd_run *run, crdi_mcmc_report *out)
{
    double gradients;
    *out = (crdi_mcmc_report){0};
    CRD_TRY(read_number(run, "warmup_seconds", &out->warmup_seconds));
    CRD_TRY(read_number(run, "sampling_seconds", &out->sampling_seconds));
    CRD_TRY(read_number(run, "gradient_seconds", &out->gradient_seconds));
    CRD_TRY(read_number(run, "gradient_evaluations", &gradients));
    out->gradient_evaluations = gradients >= 0 && gradients < 9e15 ? (int64_t)gradients : 0;
    return CRD_OK;
}

crd_status crdi_run_cost_write(crdi_run *run, const crdi_mcmc_report *report)
{
    CRD_TRY(crdi_run_flush(run));
    CRD_TRY(crdi_run_set_number(run, "warmup_seconds", report->warmup_seconds));
    CRD_TRY(crdi_run_set_number(run, "sampling_seconds", report->sampling_seconds));
    CRD_TRY(crdi_run_set_number(run, "gradient_evaluations", (double)report->gradient_evaluations));
    return crdi_run_set_number(run, "gradient_seconds", report->gradient_seconds);
}
