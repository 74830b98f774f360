/* network_tempered.c - draws of a network over temperatures, the log evidence, and how it was come to. */
#include "store/network_tempered.h"
#include "infer/tempered/tempered.h"
#include "store/network_fit.h"

#include <math.h>
#include <string.h>

static crd_status prepare(crdi_network_fit *fit)
{
    crd_tempered_options *o = &fit->tempered, full;
    o->chains = fit->mcmc.chains;
    o->threads = fit->mcmc.threads;
    o->target_accept = fit->mcmc.target_accept;
    o->blocks = fit->mcmc.blocks;
    o->particles = fit->svi.particles > 1 ? fit->svi.particles : 0; /* 1 is what the table says for another method */
    o->keep = fit->mcmc.keep;
    o->keep_count = fit->mcmc.keep_count;
    CRD_TRY(crdi_tempered_complete(fit->ctx, o, &full));
    fit->mcmc.draws = full.particles;
    CRD_TRY(crd_model_create(&fit->model, fit->ctx, crd_network_model, &fit->network));
    fit->dim = crd_model_dim(fit->model);
    fit->chains = (int)full.chains;
    fit->lanes = fit->chains + 1; /* the last is the pilot run's */
    return crdi_tempered_columns(fit->model, o->keep, o->keep_count, fit->arena, &fit->columns, NULL);
}

static void plan(const crdi_network_fit *fit, crdi_string *out)
{
    crdi_string_append(out, "%d run%s of %lld particles from the prior to the posterior, behind a pilot run of %lld",
                       fit->chains, fit->chains == 1 ? "" : "s", (long long)fit->mcmc.draws,
                       (long long)fit->tempered.pilot);
}

/* ---- what the file says ------------------------------------------------------------------------------------- */

static crd_status put_array(crdi_run *run, const char *name, double *values, int64_t count)
{
    crd_array array = crd_array_borrow(values, crd_shape_1(count));
    return crdi_run_put_array(run, name, &array);
}

struct written {
    crdi_run *run;
    const crd_evidence *evidence;
};

static crd_status write_all(void *user)
{
    const struct written *w = user;
    crdi_run *run = w->run;
    const crd_evidence *e = w->evidence;
    CRD_TRY(crdi_run_set_number(run, "evidence_log", e->log_evidence));
    CRD_TRY(crdi_run_set_number(run, "evidence_error", e->error));
    CRD_TRY(crdi_run_set_number(run, "evidence_low", e->low));
    CRD_TRY(crdi_run_set_number(run, "evidence_high", e->high));
    CRD_TRY(crdi_run_set_number(run, "evidence_effective", e->effective));
    CRD_TRY(crdi_run_set_number(run, "evidence_lag", e->lag));
    CRD_TRY(crdi_run_set_number(run, "evidence_lag_error", e->lag_error));
    CRD_TRY(put_array(run, "evidence_runs", e->run, e->runs));
    CRD_TRY(put_array(run, "evidence_beta", e->beta, e->temperatures));
    return put_array(run, "evidence_accept", e->accept, e->temperatures);
}

crd_status crdi_run_evidence_write(crdi_run *run, const crd_evidence *evidence)
{
    return crdi_run_together(run, write_all, &(struct written){run, evidence});
}

bool crdi_run_has_evidence(crd_run *run)
{
    return crdi_run_has(run, "evidence_log");
}

/* An array of the file as one of ours; `count` -1: as long as it is. */
static crd_status take_array(crd_context *ctx, crd_run *run, const char *name, int64_t *count, double **out)
{
    crd_array array;
    CRD_TRY(crdi_run_get_array(run, name, &array));
    int64_t size = crd_shape_size(array.shape);
    crd_status status = CRD_OK;
    if (*count >= 0 && size != *count)
        status = crdi_raise(ctx, CRD_EDAMAGED, "array %s has %lld numbers, not %lld", name, (long long)size,
                            (long long)*count);
    if (status == CRD_OK && !(*out = crdi_alloc_array(ctx, size, sizeof **out)))
        status = CRD_ENOMEM;
    if (status == CRD_OK) {
        memcpy(*out, array.data, sizeof **out * (size_t)size);
        *count = size;
    }
    crd_array_clear(&array);
    return status;
}

static crd_status read_all(crd_context *ctx, crd_run *run, crd_evidence *e)
{
    CRD_TRY(crdi_run_get_number(run, "evidence_log", &e->log_evidence));
    CRD_TRY(crdi_run_get_number(run, "evidence_error", &e->error));
    CRD_TRY(crdi_run_get_number(run, "evidence_low", &e->low));
    CRD_TRY(crdi_run_get_number(run, "evidence_high", &e->high));
    CRD_TRY(crdi_run_get_number(run, "evidence_effective", &e->effective));
    e->lag = e->lag_error = NAN; /* older runs do not say */
    if (crdi_run_has(run, "evidence_lag")) {
        CRD_TRY(crdi_run_get_number(run, "evidence_lag", &e->lag));
        CRD_TRY(crdi_run_get_number(run, "evidence_lag_error", &e->lag_error));
    }
    CRD_TRY(take_array(ctx, run, "evidence_runs", &e->runs, &e->run));
    CRD_TRY(take_array(ctx, run, "evidence_beta", &e->temperatures, &e->beta));
    return take_array(ctx, run, "evidence_accept", &e->temperatures, &e->accept);
}

crd_status crdi_run_evidence_read(crd_context *ctx, crd_run *run, crd_evidence *out)
{
    *out = (crd_evidence){.ctx = ctx, .runs = -1, .temperatures = -1};
    crd_status status = read_all(ctx, run, out);
    if (status < 0)
        crd_evidence_clear(out);
    return status;
}

/* ---- the draws ---------------------------------------------------------------------------------------------- */

/* The states of all lanes that there may be. */
static crd_status find_states(const crdi_network_fit *fit, crdi_mcmc_before *out)
{
    const crdi_network_resume *r = fit->resume;
    if (!r)
        return CRD_OK;
    crdi_mcmc_saved *saved = crdi_arena_alloc(fit->arena, sizeof *saved * (size_t)fit->lanes);
    if (!saved)
        return CRD_ENOMEM;
    for (int lane = 0; lane < fit->lanes && lane < r->states.lanes; lane++)
        saved[lane] = r->states.saved[lane];
    out->chain = saved;
    out->warmup_seconds = r->cost.warmup_seconds;
    out->sampling_seconds = r->cost.sampling_seconds;
    return CRD_OK;
}

static crd_status draw(crdi_network_fit *fit, const crdi_sink *sink, crdi_mcmc_report *report)
{
    crd_evidence evidence = {0};
    crdi_mcmc_before before = {0};
    crd_tempered_options o = fit->tempered;
    o.progress = fit->mcmc.progress;
    o.progress_user = fit->mcmc.progress_user;
    o.stop = fit->mcmc.stop;
    o.stop_user = fit->mcmc.stop_user;
    bool anneals = strcmp(fit->method, "ais") == 0;
    CRD_TRY(find_states(fit, &before));
    crd_status status = (anneals ? crdi_ais_run : crdi_smc_run)(fit->model, &o, crd_key_make((uint64_t)fit->seed),
                                                                &before, sink, report, &evidence);
    if (status == CRD_OK)
        status = crdi_run_evidence_write(fit->run, &evidence);
    if (status == CRD_OK)
        status = crdi_run_set_last_state(fit->run, 0, NULL, 0);
    crd_evidence_clear(&evidence);
    return status;
}

static void place(const crdi_network_fit *fit, crdi_string *out)
{
    const crdi_run_states *s = &fit->resume->states;
    int pilot = fit->chains;
    int64_t temperatures = pilot < s->lanes && s->saved[pilot].bytes ? s->iteration[pilot] : 0;
    if (pilot < s->lanes && s->saved[pilot].bytes && temperatures == 0)
        crdi_string_append(out, "\nthe pilot run goes on");
    for (int c = 0; temperatures > 0 && c < fit->chains; c++)
        crdi_string_append(out, "\nrun %d: %s%lld of %lld temperatures", c,
                           s->saved[c].bytes ? "goes on after " : "begins: ", (long long)s->iteration[c],
                           (long long)temperatures);
}

const crdi_network_method crdi_network_tempered = {
    .prepare = prepare, .draw = draw, .plan = plan, .place = place, .doubles = true, .particles = true};
