/* svi_state.c - a fit as bytes, and on from there: one that has ended, to which steps are added; one restart in the middle of its
 * steps; and the one that is at work while steps are added. */
#include "infer/svi/svi.h"

#include <math.h>
#include <string.h>

enum { ENDED_VERSION = 102, RUN_VERSION = 201, GOING_VERSION = 221 };

const char *crdi_svi_end_text(crdi_svi_end end)
{
    static const char *const texts[] = {"goes on",
                                        "all steps made",
                                        "the loss has stopped falling",
                                        "the loss of the rows held out has stopped falling",
                                        "stopped",
                                        "as many as a run file has room for"};
    return texts[end];
}

/* What a fit cannot go on from; NULL: it can. */
static const char *obstacle(const crd_svi *svi)
{
    if (svi->guide->part_count == 1 && (svi->fitted || svi->guide->part[0].type->fitted))
        return "guide laplace";
    if (svi->watch)
        return "rows held out";
    if (svi->options.members > 1)
        return "an ensemble";
    return crdi_svi_is_lbfgs(&svi->options) ? "optimizer lbfgs" : NULL;
}

crd_status crdi_svi_can_continue(const crd_svi *svi)
{
    const char *what = obstacle(svi);
    if (!what)
        return CRD_OK;
    return crdi_raise(svi->ctx, CRD_EUNSUPPORTED, "%s: a finished fit of it cannot go on; fit again with more steps",
                      what);
}

bool crdi_svi_has_state(const crd_svi *svi)
{
    return !obstacle(svi) && svi->run[svi->best].optimiser;
}

/* ---- a fit that has ended ----------------------------------------------------------------------------------- */

/* Counts and numbers, but for the steps: of those the losses stand elsewhere. */
static void counters(crdi_svi_run *run, crdi_archive *a)
{
    crdi_archive_integer(a, &run->skipped);
    crdi_archive_integer(a, &run->bad);
    crdi_archive_real(a, &run->baseline);
    crdi_archive_real(a, &run->final_loss);
}

void crdi_svi_state_save(const crd_svi *svi, crdi_archive *out)
{
    crdi_svi_run run = svi->run[svi->best];
    int64_t restart = svi->best, all_steps = svi->all_steps;
    crdi_archive_same(out, ENDED_VERSION, "version of credence");
    crdi_archive_same(out, svi->guide->params, "guide");
    crdi_archive_same(out, svi->options.restarts, "number of restarts");
    crdi_archive_integer(out, &restart);
    crdi_archive_integer(out, &run.steps);
    crdi_archive_integer(out, &all_steps);
    counters(&run, out);
    crdi_archive_reals(out, run.params, svi->guide->params);
    crdi_optimiser_archive(run.optimiser, out);
}

static crd_status damaged(const crd_svi *svi, const char *why)
{
    return crdi_raise(svi->ctx, CRD_EDAMAGED, "the state of the fit: %s", why);
}

static crd_status copy_history(const crd_svi *svi, crdi_svi_run *run, const crdi_svi_saved *saved)
{
    const double *from[] = {saved->loss, saved->divergence, saved->likelihood};
    double **to[] = {&run->loss, &run->divergence, &run->likelihood};
    for (int k = 0; k < 3; k++) {
        *to[k] = crdi_alloc_array(svi->ctx, saved->steps, sizeof(double));
        if (!*to[k])
            return CRD_ENOMEM;
        memcpy(*to[k], from[k], sizeof(double) * (size_t)saved->steps);
    }
    run->steps = run->capacity = saved->steps;
    return CRD_OK;
}

/* What comes before the parameters: it says which restart they are of. */
static crd_status load_head(crd_svi *svi, const crdi_svi_saved *saved, crdi_archive *a, crdi_svi_run *run,
                            int64_t *restart)
{
    crdi_archive_read(a, svi->ctx, saved->bytes, saved->size);
    crdi_archive_same(a, ENDED_VERSION,
                      "version of credence, or of a fit that was stopped: 'credence resume' first; it");
    crdi_archive_same(a, svi->guide->params, "guide");
    crdi_archive_same(a, svi->options.restarts, "number of restarts");
    crdi_archive_integer(a, restart);
    crdi_archive_integer(a, &run->steps);
    crdi_archive_integer(a, &svi->all_steps);
    counters(run, a);
    CRD_TRY(a->status);
    if (run->steps != saved->steps || run->steps < 1)
        return damaged(svi, "it has another number of steps than the losses");
    if (svi->options.restarts != saved->restarts || *restart < 0 || *restart >= saved->restarts)
        return damaged(svi, "it has another number of restarts than the losses");
    return CRD_OK;
}

static crd_status load_rest(crd_svi *svi, const crdi_svi_saved *saved, crdi_archive *a, int64_t restart)
{
    crdi_svi_run *run = &svi->run[restart];
    CRD_TRY(crdi_svi_run_open(svi, restart));
    crdi_archive_reals(a, run->params, svi->guide->params);
    if (!saved->new_optimiser) {
        crdi_optimiser_archive(run->optimiser, a);
        CRD_TRY(crdi_archive_end(a));
    }
    return a->status;
}

/* The one restart that is at work from now on. */
static void go_on_with(crd_svi *svi, int64_t restart, double seconds)
{
    crdi_svi_run *run = &svi->run[restart];
    run->seconds = svi->all_seconds = seconds;
    svi->begun = run->steps;
    svi->best = svi->member[0] = restart;
    svi->members = 1;
}

crd_status crdi_svi_state_load(crd_svi *svi, const crdi_svi_saved *saved)
{
    crdi_archive archive;
    crdi_svi_run head = {0};
    int64_t restart;
    CRD_TRY(crdi_svi_can_continue(svi));
    CRD_TRY(load_head(svi, saved, &archive, &head, &restart));
    CRD_TRY(load_rest(svi, saved, &archive, restart));
    crdi_svi_run *run = &svi->run[restart];
    CRD_TRY(copy_history(svi, run, saved));
    memcpy(svi->final_loss, saved->final_loss, sizeof(double) * (size_t)saved->restarts);
    run->skipped = head.skipped;
    run->bad = head.bad;
    run->baseline = head.baseline;
    run->final_loss = head.final_loss;
    go_on_with(svi, restart, saved->seconds);
    return CRD_OK;
}

/* ---- a restart in the middle -------------------------------------------------------------------------------- */

/* Loading, an array is made for what is read. */
static void history(crd_svi *svi, crdi_archive *a, double **values, int64_t count)
{
    if (a->loading && a->status == CRD_OK) {
        crdi_free(svi->ctx, *values);
        *values = crdi_alloc_array(svi->ctx, count, sizeof **values);
        if (!*values) {
            a->status = CRD_ENOMEM;
            return;
        }
    }
    crdi_archive_reals(a, *values, count);
}

void crdi_svi_run_state(crd_svi *svi, crdi_svi_run *run, crdi_archive *a)
{
    int64_t ended = run->ended == CRDI_SVI_STOPPED ? CRDI_SVI_GOES_ON : run->ended; /* stopped is not ended */
    crdi_archive_same(a, RUN_VERSION, "version of credence");
    crdi_archive_same(a, svi->guide->params, "guide");
    crdi_archive_same(a, run->watch != NULL, "choice of rows held out");
    counters(run, a);
    crdi_archive_integer(a, &ended);
    crdi_archive_count(a, &run->steps, 3 * sizeof(double));
    history(svi, a, &run->loss, run->steps);
    history(svi, a, &run->divergence, run->steps);
    history(svi, a, &run->likelihood, run->steps);
    crdi_archive_reals(a, run->params, svi->guide->params);
    crdi_optimiser_archive(run->optimiser, a);
    if (run->watch) {
        crdi_archive_count(a, &run->watches, sizeof(double));
        history(svi, a, &run->watched, run->watches);
        crdi_archive_integer(a, &run->best_step);
        crdi_archive_real(a, &run->held_out);
        crdi_archive_reals(a, run->best, svi->guide->params);
    }
    if (!a->loading || crdi_archive_end(a) < 0)
        return;
    if (ended < CRDI_SVI_GOES_ON || ended > CRDI_SVI_FULL || ended == CRDI_SVI_STOPPED) {
        a->status = damaged(svi, "it has ended for no reason");
        return;
    }
    run->ended = ended;
    run->end = crdi_svi_end_text((crdi_svi_end)ended);
    run->capacity = run->steps;
    run->watch_capacity = run->watches;
}

static bool is_of(unsigned char version, const void *bytes, size_t size)
{
    const unsigned char first[8] = {version};
    return size >= sizeof first && memcmp(bytes, first, sizeof first) == 0;
}

bool crdi_svi_is_run_state(const void *bytes, size_t size)
{
    return is_of(RUN_VERSION, bytes, size);
}

/* ---- a fit that goes on, in the middle of the steps that are added ------------------------------------------- */

bool crdi_svi_is_going_state(const void *bytes, size_t size)
{
    return is_of(GOING_VERSION, bytes, size);
}

int64_t crdi_svi_all_steps(const crd_svi *svi)
{
    return svi->all_steps + svi->run[svi->best].steps - svi->begun;
}

/* What stands around the restart that is at work. */
static void around(crd_svi *svi, crdi_archive *a, int64_t *restart, int64_t *all_steps)
{
    crdi_archive_same(a, GOING_VERSION, "version of credence");
    crdi_archive_same(a, svi->options.restarts, "number of restarts");
    crdi_archive_integer(a, restart);
    crdi_archive_integer(a, all_steps);
    crdi_archive_reals(a, svi->final_loss, svi->options.restarts);
}

void crdi_svi_going_state(crd_svi *svi, crdi_archive *out)
{
    crdi_svi_run *run = &svi->run[svi->best];
    int64_t restart = svi->best, all_steps = crdi_svi_all_steps(svi);
    around(svi, out, &restart, &all_steps);
    crdi_svi_run_state(svi, run, out);
}

crd_status crdi_svi_going_load(crd_svi *svi, const void *bytes, size_t size, double seconds)
{
    crdi_archive archive;
    int64_t restart, all_steps;
    CRD_TRY(crdi_svi_can_continue(svi));
    crdi_archive_read(&archive, svi->ctx, bytes, size);
    around(svi, &archive, &restart, &all_steps);
    CRD_TRY(archive.status);
    if (restart < 0 || restart >= svi->options.restarts)
        return damaged(svi, "there is no such restart");
    CRD_TRY(crdi_svi_run_open(svi, restart));
    crdi_svi_run_state(svi, &svi->run[restart], &archive);
    CRD_TRY(archive.status);
    if (svi->run[restart].steps < 1)
        return damaged(svi, "it has made no step");
    svi->all_steps = all_steps;
    go_on_with(svi, restart, seconds);
    return CRD_OK;
}
