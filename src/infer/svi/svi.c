/* svi.c - a fit: what is checked before any step, all restarts, the best of them. See <credence/svi.h>. */
#include "infer/svi/svi.h"

#include <math.h>
#include <string.h>

static const crdi_option rows[] = {
#define OPT(...) CRDI_OPTION_ROW(crd_svi_options, __VA_ARGS__)
#include "infer/svi_options.def"
#undef OPT
};
const crdi_option_table crdi_svi_option_table = CRDI_OPTION_TABLE("svi", crd_svi_options, rows);

static const struct start_name {
    const char *name;
    crd_start_kind kind;
} starts[] = {{"uniform", CRD_START_UNIFORM}, {"prior", CRD_START_PRIOR}, {"median", CRD_START_MEDIAN},
              {"value", CRD_START_VALUE},     {"point", CRD_START_POINT}, {"map", CRD_START_UNIFORM},
              {"init", CRD_START_UNIFORM}};

static const char *start_name(const void *list, int64_t i)
{
    (void)list;
    return starts[i].name;
}

bool crdi_svi_is_lbfgs(const crd_svi_options *options)
{
    return strcmp(options->optimizer, "lbfgs") == 0;
}

const double *crdi_svi_params(const crd_svi *svi, int64_t draw)
{
    return svi->fitted ? svi->fitted : svi->run[svi->member[draw % svi->members]].params;
}

/* ---- options ------------------------------------------------------------------------------------------------ */

static crd_status check_start(const crd_svi *svi)
{
    for (int i = 0; i < CRDI_COUNT(starts); i++)
        if (strcmp(starts[i].name, svi->options.start) == 0)
            return strcmp(starts[i].name, "init") != 0 || svi->options.start_fn
                       ? CRD_OK
                       : crdi_raise(svi->ctx, CRD_EMISSING, "start init: no start_fn says where that is");
    return crdi_raise_unknown(svi->ctx, "start", svi->options.start, start_name, NULL, CRDI_COUNT(starts));
}

static crd_status complete(crd_svi *svi, const crd_svi_options *given)
{
    crd_svi_options *o = &svi->options;
    if (given)
        *o = *given;
    if (!o->start)
        o->start = "uniform";
    svi->hand_alone = o->guide_fn && !o->guide;
    CRD_TRY(crdi_options_complete(svi->ctx, &crdi_svi_option_table, o));
    if (!(o->init_radius >= 0) || o->init_radius > 1e100)
        return crdi_raise(svi->ctx, CRD_EINVAL, "init_radius: %g; it must be above 0", o->init_radius);
    CRD_TRY(check_start(svi));
    o->members = o->members > 1 ? o->members : 1;
    o->epoch = o->epoch > 1 ? o->epoch : 1;
    if (o->members > 1 && o->restarts > 1)
        return crdi_raise(svi->ctx, CRD_EINVAL, "members and restarts: an ensemble keeps all its fits");
    svi->runs = o->members > 1 ? o->members : o->restarts;
    const char **text[] = {&o->guide, &o->loss, &o->optimizer, &o->start};
    for (int i = 0; i < CRDI_COUNT(text); i++)
        if (!(*text[i] = crdi_arena_strdup(svi->arena, *text[i])))
            return CRD_ENOMEM;
    CRD_TRY(crdi_loss_parse(svi->ctx, o->loss, &svi->loss));
    return crdi_svi_is_lbfgs(o) ? CRD_OK : crdi_optimiser_check(svi->ctx, o->optimizer);
}

static crd_status make_starter(crd_svi *svi)
{
    crd_start start = {.values = svi->options.start_values, .radius = svi->options.init_radius};
    for (int i = 0; i < CRDI_COUNT(starts); i++)
        if (strcmp(starts[i].name, svi->options.start) == 0)
            start.kind = starts[i].kind;
    return svi->guide->model ? crdi_starter_create(&svi->starter, svi->guide->model, &start) : CRD_OK;
}

/* Laplace's curvature is that of all sites together, on all data; what it would leave out is refused. */
static crd_status check_laplace(const crd_svi *svi)
{
    const crdi_guide *g = svi->guide;
    const char *other = g->part_count > 1 ? "other sites have another guide"
                        : g->hand         ? "other sites have a guide written by hand"
                        : g->param_count  ? "the model has parameters (crd_param)"
                        : g->subsampled   ? "the model takes a subsample of its rows"
                                          : NULL;
    for (int k = 0; other && k < g->part_count; k++)
        if (g->part[k].type->fitted)
            return crdi_raise(svi->ctx, CRD_EUNSUPPORTED,
                              "guide %s takes the curvature in all sites on all data, and %s; delta fits a point",
                              g->part[k].type->name, other);
    return CRD_OK;
}

static crd_status check_guide(const crd_svi *svi)
{
    if (crdi_svi_is_lbfgs(&svi->options) && svi->guide->subsampled)
        return crdi_raise(svi->ctx, CRD_EUNSUPPORTED,
                          "optimizer lbfgs needs a loss without noise, and the model takes a subsample of its rows; "
                          "take all, or adam:0.01");
    if (crdi_svi_is_lbfgs(&svi->options) && !crdi_guide_is_point(svi->guide))
        return crdi_raise(svi->ctx, CRD_EUNSUPPORTED,
                          "optimizer lbfgs needs a loss without noise: guide delta or laplace; for %s take adam:0.01",
                          svi->guide->hand ? "one written by hand" : svi->options.guide);
    return check_laplace(svi);
}

/* Draws that the rows held out are looked at with: those of a step may be few for a loss that others are compared with. */
static int64_t watch_particles(const crd_svi *svi)
{
    enum { LEAST = 10 };
    bool point = svi->guide->hand == NULL;
    for (int k = 0; k < svi->guide->part_count; k++)
        point = point && svi->guide->part[k].type->point;
    return point ? 1 : svi->options.particles > LEAST ? svi->options.particles : LEAST;
}

static crd_status make_runs(crd_svi *svi, crd_key key)
{
    size_t runs = (size_t)svi->runs;
    svi->run = crdi_arena_alloc(svi->arena, sizeof *svi->run * runs);
    svi->member = crdi_arena_alloc(svi->arena, sizeof *svi->member * runs);
    svi->final_loss = crdi_arena_alloc(svi->arena, sizeof *svi->final_loss * runs);
    svi->held_out = crdi_arena_alloc(svi->arena, sizeof *svi->held_out * runs);
    svi->best_step = crdi_arena_alloc(svi->arena, sizeof *svi->best_step * runs);
    svi->progress = crdi_arena_alloc(svi->arena, sizeof *svi->progress * runs);
    if (!svi->run || !svi->member || !svi->final_loss || !svi->held_out || !svi->best_step || !svi->progress)
        return CRD_ENOMEM;
    for (int64_t r = 0; r < svi->runs; r++) {
        svi->run[r].key = crd_key_fold_in(key, (uint32_t)r);
        svi->progress[r] = (crd_svi_progress){
            .total = svi->options.steps, .loss = NAN, .divergence = NAN, .likelihood = NAN, .held_out = NAN};
    }
    return CRD_OK;
}

static crd_status prepare(crd_svi *svi, crd_model_fn model, void *user, const crd_svi_options *options, crd_key key)
{
    CRD_TRY(complete(svi, options));
    const crd_svi_options *o = &svi->options;
    CRD_TRY(crdi_guide_create(svi->ctx,
                              &(crdi_guide_request){.fn = model,
                                                    .user = user,
                                                    .text = svi->hand_alone ? NULL : o->guide,
                                                    .hand = o->guide_fn,
                                                    .hand_user = o->guide_user},
                              &svi->guide));
    CRD_TRY(check_guide(svi));
    int threads = o->threads < 1 ? crdi_processors() : (int)o->threads;
    svi->team_size = svi->runs < threads ? threads / (int)svi->runs : 1;
    CRD_TRY(crdi_elbo_create(svi->guide, &svi->loss, o->particles, svi->team_size, o->shuffle, &svi->elbo));
    if (o->held_out)
        CRD_TRY(crdi_elbo_compile_watch(svi->guide, o->held_out, watch_particles(svi), &svi->watch));
    CRD_TRY(make_starter(svi));
    return make_runs(svi, key);
}

/* ---- restarts ----------------------------------------------------------------------------------------------- */

/* What restarts are chosen by: the loss of rows held out, else that at the end. NaN is the worst. */
static double score(const crd_svi *svi, int64_t r)
{
    const crdi_svi_run *run = &svi->run[r];
    return svi->watch && isfinite(run->final_loss) ? run->held_out : run->final_loss;
}

/* An order without ties, so that which one is kept does not depend on which ended first. */
static bool is_better(const crd_svi *svi, int64_t a, int64_t b)
{
    double x = score(svi, a), y = score(svi, b);
    if (isnan(x) || isnan(y))
        return isnan(x) == isnan(y) ? a < b : isnan(y);
    return x == y ? a < b : x < y;
}

/* Of many restarts only the best so far keeps its arrays: losses of all steps are much memory. */
static void shed(crd_svi *svi, int64_t restart)
{
    pthread_mutex_lock(&svi->lock);
    int64_t worse = restart;
    if (!svi->any_ended || is_better(svi, restart, svi->best)) {
        worse = svi->any_ended ? svi->best : -1;
        svi->best = restart;
        svi->any_ended = true;
    }
    if (worse >= 0)
        crdi_svi_run_shed(svi->ctx, &svi->run[worse]);
    pthread_mutex_unlock(&svi->lock);
}

static crd_status begin_or_go_on(crd_svi *svi, int64_t restart)
{
    crdi_archive archive;
    if (!svi->from || !svi->from[restart].bytes)
        return crdi_svi_run_begin(svi, restart);
    CRD_TRY(crdi_svi_run_open(svi, restart));
    crdi_archive_read(&archive, svi->ctx, svi->from[restart].bytes, svi->from[restart].size);
    crdi_svi_run_state(svi, &svi->run[restart], &archive);
    return archive.status;
}

static crd_status fit_one(void *user, int64_t restart)
{
    crd_svi *svi = user;
    CRD_TRY(begin_or_go_on(svi, restart));
    CRD_TRY(crdi_svi_run_steps(svi, restart, svi->options.steps));
    if (svi->options.members == 1)
        shed(svi, restart);
    return CRD_OK;
}

/* Step by step the mean over members of one of their histories; those that ended earlier are left out. `at` finds it and
 * its length. */
static const double *history_of(const crdi_svi_run *run, int which, int64_t *length)
{
    const double *const array[] = {run->loss, run->divergence, run->likelihood, run->watched};
    *length = which == 3 ? run->watches : run->steps;
    return array[which];
}

static crd_status mean_history(crd_svi *svi, int which, int64_t *longest)
{
    int64_t length;
    *longest = 0;
    for (int64_t m = 0; m < svi->members; m++) {
        history_of(&svi->run[svi->member[m]], which, &length);
        *longest = length > *longest ? length : *longest;
    }
    double *mean = svi->mean[which] = crdi_alloc_array(svi->ctx, *longest + 1, sizeof *mean);
    if (!mean)
        return CRD_ENOMEM;
    for (int64_t i = 0; i < *longest; i++) {
        double sum = 0;
        int64_t n = 0;
        for (int64_t m = 0; m < svi->members; m++) {
            const double *x = history_of(&svi->run[svi->member[m]], which, &length);
            if (i < length && !isnan(x[i])) {
                sum += x[i];
                n++;
            }
        }
        mean[i] = n > 0 ? sum / (double)n : NAN;
    }
    return CRD_OK;
}

static crd_status write_history(crd_svi *svi)
{
    const crdi_svi_run *run = &svi->run[svi->best];
    crd_svi_history *h = &svi->history;
    *h = (crd_svi_history){.steps = run->steps,
                           .loss = run->loss,
                           .divergence = run->divergence,
                           .likelihood = run->likelihood,
                           .watched = run->watched,
                           .watches = run->watches,
                           .restart = svi->best,
                           .restarts = svi->runs,
                           .final_loss = svi->final_loss,
                           .members = svi->members,
                           .member = svi->member,
                           .held_out = svi->held_out,
                           .best_step = svi->best_step,
                           .end = run->end};
    for (int64_t m = 0; m < svi->members; m++) {
        const crdi_svi_run *member = &svi->run[svi->member[m]];
        h->skipped += member->skipped;
        h->seconds = fmax(h->seconds, member->seconds);
    }
    if (svi->members < 2)
        return CRD_OK;
    for (int k = 0; k < 4; k++)
        CRD_TRY(mean_history(svi, k, k < 3 ? &h->steps : &h->watches));
    h->loss = svi->mean[0];
    h->divergence = svi->mean[1];
    h->likelihood = svi->mean[2];
    h->watched = svi->mean[3];
    return CRD_OK;
}

/* All but the best have shed their arrays. If all failed, the first one's error is the error of the fit. */
static crd_status keep_best(crd_svi *svi)
{
    svi->member[0] = svi->best;
    svi->members = 1;
    return svi->run[svi->best].status;
}

/* Keeps all members; one that failed fails the ensemble. Of one that was stopped those are left that have begun. */
static crd_status keep_all(crd_svi *svi)
{
    for (int64_t r = 0; r < svi->runs; r++) {
        if (svi->run[r].status < 0)
            return crdi_error_prefix(svi->ctx, svi->run[r].status, "member %lld", (long long)r + 1);
        if (svi->run[r].steps > 0 || !atomic_load(&svi->stopped))
            svi->member[svi->members++] = r;
    }
    if (svi->members == 0)
        svi->member[svi->members++] = 0;
    svi->best = svi->member[0];
    return CRD_OK;
}

static crd_status choose(crd_svi *svi)
{
    for (int64_t r = 0; r < svi->runs; r++) {
        bool begun = svi->run[r].steps > 0 || !atomic_load(&svi->stopped);
        svi->final_loss[r] = begun ? svi->run[r].final_loss : NAN; /* what failed has an infinite one */
        svi->held_out[r] = svi->watch ? svi->run[r].held_out : NAN;
        svi->best_step[r] = svi->run[r].best_step;
        svi->all_steps += svi->run[r].steps;
        svi->all_seconds += svi->run[r].seconds;
    }
    CRD_TRY(svi->options.members > 1 ? keep_all(svi) : keep_best(svi));
    return write_history(svi);
}

static crd_status finish(crd_svi *svi)
{
    if (atomic_load(&svi->stopped))
        return CRD_INTERRUPTED;
    if (svi->guide->part_count == 1 && svi->guide->part[0].type->fitted)
        return crdi_svi_finish_laplace(svi);
    return CRD_OK;
}

static crd_status fit(crd_svi *svi)
{
    bool clear = crd_error_status(svi->ctx) == CRD_OK;
    double started = crdi_seconds();
    CRD_TRY(crdi_parallel(svi->ctx, (int)svi->options.threads, svi->runs, fit_one, svi));
    CRD_TRY(choose(svi));
    if (svi->options.members > 1) /* more than threads, perhaps */
        svi->history.seconds = crdi_seconds() - started;
    if (clear)
        crd_error_clear(svi->ctx); /* what failed restarts have said: the one that was kept did not fail */
    return finish(svi);
}

crd_status crdi_svi_create(crd_context *ctx, crd_model_fn model, void *user, const crd_svi_options *options,
                           crd_key key, crd_svi **out)
{
    crd_svi *svi = crdi_alloc(ctx, sizeof *svi);
    if (!svi)
        return CRD_ENOMEM;
    *svi = (crd_svi){.ctx = ctx, .log_evidence = NAN};
    pthread_mutex_init(&svi->lock, NULL);
    crd_status status = crdi_arena_create(&svi->arena, ctx);
    if (status == CRD_OK)
        status = prepare(svi, model, user, options, key);
    if (status < 0) {
        crd_svi_destroy(&svi);
        return status;
    }
    *out = svi;
    return CRD_OK;
}

crd_status crdi_svi_make(crd_svi *svi)
{
    crd_status status = fit(svi);
    svi->options.progress = NULL;
    svi->options.stop = NULL;
    return status;
}

crd_status crd_svi_fit(crd_context *ctx, crd_model_fn model, void *user, const crd_svi_options *options, crd_key key,
                       crd_svi **out)
{
    crd_svi *svi;
    CRD_TRY(crdi_svi_create(ctx, model, user, options, key, &svi));
    crd_status status = crdi_svi_make(svi);
    if (status < 0)
        crd_svi_destroy(&svi);
    else
        *out = svi;
    return status;
}

crd_status crd_svi_continue(crd_svi *svi, int64_t steps)
{
    crdi_svi_run *run = &svi->run[svi->best];
    if (steps < 1)
        return crdi_raise(svi->ctx, CRD_EINVAL, "steps: %lld; at least 1", (long long)steps);
    CRD_TRY(crdi_svi_can_continue(svi));
    atomic_store(&svi->stopped, false); /* a fit that was stopped goes on */
    run->ended = CRDI_SVI_GOES_ON;
    return crdi_svi_continue_to(svi, run->steps + steps);
}

crd_status crdi_svi_continue_to(crd_svi *svi, int64_t total)
{
    crdi_svi_run *run = &svi->run[svi->best];
    double seconds_before = run->seconds;
    svi->going_on = true;
    svi->begun = run->steps;
    crd_status status = crdi_svi_run_steps(svi, svi->best, total);
    svi->options.progress = NULL;
    svi->options.stop = NULL;
    CRD_TRY(status);
    svi->all_steps += run->steps - svi->begun;
    svi->all_seconds += run->seconds - seconds_before;
    svi->begun = run->steps;
    svi->final_loss[svi->best] = run->final_loss;
    CRD_TRY(write_history(svi));
    CRD_TRY(run->status);
    return finish(svi);
}

void crd_svi_destroy(crd_svi **svi)
{
    if (!svi || !*svi)
        return;
    crd_svi *s = *svi;
    for (int64_t r = 0; s->run && r < s->runs; r++)
        crdi_svi_run_clear(s->ctx, &s->run[r]);
    for (int k = 0; k < 4; k++)
        crdi_free(s->ctx, s->mean[k]);
    crdi_free(s->ctx, s->fitted);
    crd_program_destroy(&s->watch);
    crdi_starter_destroy(&s->starter);
    crdi_elbo_clear(&s->elbo);
    crdi_guide_destroy(&s->guide);
    crdi_arena_destroy(&s->arena);
    pthread_mutex_destroy(&s->lock);
    crdi_free(s->ctx, s);
    *svi = NULL;
}

const crd_svi_history *crd_svi_history_of(const crd_svi *svi)
{
    return &svi->history;
}
