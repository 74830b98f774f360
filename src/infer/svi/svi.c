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
              {"value", CRD_START_VALUE},     {"point", CRD_START_POINT}, {"map", CRD_START_UNIFORM}};

static const char *start_name(const void *list, int64_t i)
{
    (void)list;
    return starts[i].name;
}

bool crdi_svi_is_lbfgs(const crd_svi_options *options)
{
    return strcmp(options->optimizer, "lbfgs") == 0;
}

const double *crdi_svi_params(const crd_svi *svi)
{
    return svi->fitted ? svi->fitted : svi->run[svi->best].params;
}

/* ---- options ------------------------------------------------------------------------------------------------ */

static crd_status check_start(const crd_svi *svi)
{
    for (int i = 0; i < CRDI_COUNT(starts); i++)
        if (strcmp(starts[i].name, svi->options.start) == 0)
            return CRD_OK;
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
    svi->team_size = o->restarts < threads ? threads / (int)o->restarts : 1;
    CRD_TRY(crdi_elbo_create(svi->guide, &svi->loss, o->particles, svi->team_size, &svi->elbo));
    CRD_TRY(make_starter(svi));
    svi->run = crdi_arena_alloc(svi->arena, sizeof *svi->run * (size_t)o->restarts);
    svi->final_loss = crdi_arena_alloc(svi->arena, sizeof *svi->final_loss * (size_t)o->restarts);
    svi->progress = crdi_arena_alloc(svi->arena, sizeof *svi->progress * (size_t)o->restarts);
    if (!svi->run || !svi->final_loss || !svi->progress)
        return CRD_ENOMEM;
    for (int64_t r = 0; r < o->restarts; r++) {
        svi->run[r].key = crd_key_fold_in(key, (uint32_t)r);
        svi->progress[r] = (crd_svi_progress){.total = o->steps, .loss = NAN, .divergence = NAN, .likelihood = NAN};
    }
    return CRD_OK;
}

/* ---- restarts ----------------------------------------------------------------------------------------------- */

static crd_status fit_one(void *user, int64_t restart)
{
    crd_svi *svi = user;
    CRD_TRY(crdi_svi_run_begin(svi, restart));
    return crdi_svi_run_steps(svi, restart, svi->options.steps);
}

static void write_history(crd_svi *svi)
{
    const crdi_svi_run *run = &svi->run[svi->best];
    svi->history = (crd_svi_history){.steps = run->steps,
                                     .loss = run->loss,
                                     .divergence = run->divergence,
                                     .likelihood = run->likelihood,
                                     .skipped = run->skipped,
                                     .restart = svi->best,
                                     .restarts = svi->options.restarts,
                                     .final_loss = svi->final_loss,
                                     .end = run->end,
                                     .seconds = run->seconds};
}

/* Keeps the restart with the smallest loss. If all failed, the first one's error is the error of the fit. */
static crd_status choose(crd_svi *svi)
{
    for (int64_t r = 0; r < svi->options.restarts; r++) {
        svi->final_loss[r] = svi->run[r].final_loss;
        svi->all_steps += svi->run[r].steps;
        svi->all_seconds += svi->run[r].seconds;
        if (svi->final_loss[r] < svi->final_loss[svi->best])
            svi->best = r;
    }
    for (int64_t r = 0; r < svi->options.restarts; r++)
        if (r != svi->best)
            crdi_svi_run_clear(svi->ctx, &svi->run[r]);
    write_history(svi);
    return svi->run[svi->best].status;
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
    CRD_TRY(crdi_parallel(svi->ctx, (int)svi->options.threads, svi->options.restarts, fit_one, svi));
    CRD_TRY(choose(svi));
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
    int64_t steps_before = run->steps;
    double seconds_before = run->seconds;
    svi->going_on = true;
    svi->begun = run->steps;
    crd_status status = crdi_svi_run_steps(svi, svi->best, run->steps + steps);
    svi->options.progress = NULL;
    svi->options.stop = NULL;
    CRD_TRY(status);
    svi->all_steps += run->steps - steps_before;
    svi->all_seconds += run->seconds - seconds_before;
    svi->final_loss[svi->best] = run->final_loss;
    write_history(svi);
    CRD_TRY(run->status);
    return finish(svi);
}

void crd_svi_destroy(crd_svi **svi)
{
    if (!svi || !*svi)
        return;
    crd_svi *s = *svi;
    for (int64_t r = 0; s->run && r < s->options.restarts; r++)
        crdi_svi_run_clear(s->ctx, &s->run[r]);
    crdi_free(s->ctx, s->fitted);
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
