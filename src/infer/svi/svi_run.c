/* svi_run.c - one restart of a fit: where it starts, its steps, and why it ends. */
#include "infer/map.h"
#include "infer/svi/lbfgs.h"
#include "infer/svi/svi.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const double TELL_SECONDS = 0.1, BASELINE_DECAY = 0.9, STATE_SECONDS = 0.5;
/* Histories grow, and states with them: at most one part in so many of the time goes into keeping them. */
static const double STATE_SHARE = 50;
enum { START_TRIES = 100, SHOWN = 100 };
/* Elements below which a step is over before other threads have heard of it. */
enum { WORK_FOR_A_TEAM = 200000 };

/* ---- start -------------------------------------------------------------------------------------------------- */

struct density {
    crd_exec *exec;
    int64_t dim;
};

/* A point with a finite density and gradient. */
static crd_status find_point(const crd_svi *svi, crd_key key, struct density *d, double *u)
{
    bool init = strcmp(svi->options.start, "init") == 0;
    for (int i = 0; i < START_TRIES; i++) {
        crd_key try = crd_key_fold_in(key, (uint32_t)i);
        CRD_TRY(init ? svi->options.start_fn(svi->options.start_user, svi->guide->model, try, u)
                     : crdi_starter_run(&svi->starter, try, u));
        memcpy(crd_exec_input(d->exec), u, sizeof *u * (size_t)d->dim);
        crd_exec_run(d->exec);
        double value = 0;
        for (int64_t k = 0; k <= d->dim; k++)
            value += 0 * crd_exec_output(d->exec)[k];
        if (isfinite(value))
            return CRD_OK;
        if (!init && !svi->starter.random)
            break;
    }
    return crdi_raise(svi->ctx, CRD_ESTART, "no start point with a finite density and gradient in %d tries",
                      init || svi->starter.random ? START_TRIES : 1);
}

static crd_status start_point(const crd_svi *svi, crd_key key, double *u)
{
    struct density d = {.dim = crd_model_dim(svi->guide->model)};
    crd_status status = crd_exec_create(&d.exec, crd_model_density(svi->guide->model));
    if (status == CRD_OK)
        status = find_point(svi, key, &d, u);
    if (status == CRD_OK && strcmp(svi->options.start, "map") == 0)
        status = crdi_find_map(svi->ctx, d.exec, d.dim, u, NULL);
    crd_exec_destroy(&d.exec);
    return status;
}

static crd_status make_optimiser(crd_svi *svi, crdi_svi_run *run)
{
    const crdi_guide *g = svi->guide;
    int64_t *block = crdi_alloc_array(svi->ctx, g->part_count + g->param_count, sizeof *block), blocks = 0;
    if (!block)
        return CRD_ENOMEM;
    for (int k = 0; k < g->part_count; k++)
        block[blocks++] = g->part[k].type->params(&g->part[k]);
    for (int i = 0; i < g->param_count; i++)
        block[blocks++] = g->param[i].size;
    crd_status status =
        crdi_optimiser_create(svi->ctx, svi->options.optimizer, g->params, block, blocks, &run->optimiser);
    crdi_free(svi->ctx, block);
    return status;
}

/* Room for the rows of a shuffled plate and for the best parameters. */
static crd_status make_extras(crd_svi *svi, crdi_svi_run *run)
{
    run->held_out = NAN;
    for (int k = 0; k < 2 && svi->elbo.rows > 0; k++) {
        run->epoch[k] = -1;
        if (!(run->order[k] = crdi_alloc_array(svi->ctx, svi->elbo.population, sizeof *run->order[k])))
            return CRD_ENOMEM;
    }
    if (!svi->watch)
        return CRD_OK;
    run->best = crdi_alloc_array(svi->ctx, svi->guide->params, sizeof *run->best);
    return run->best ? crd_exec_create(&run->watch, svi->watch) : CRD_ENOMEM;
}

crd_status crdi_svi_run_open(crd_svi *svi, int64_t restart)
{
    crdi_svi_run *run = &svi->run[restart];
    run->params = crdi_alloc_array(svi->ctx, svi->guide->params, sizeof *run->params);
    if (!run->params)
        return CRD_ENOMEM;
    CRD_TRY(crd_exec_create(&run->exec, svi->elbo.program));
    if (svi->team_size > 1 && crdi_program_work(svi->elbo.program) > WORK_FOR_A_TEAM) {
        CRD_TRY(crdi_team_create(svi->ctx, svi->team_size, &run->team));
        crdi_exec_set_team(run->exec, run->team);
    }
    if (!crdi_svi_is_lbfgs(&svi->options))
        CRD_TRY(make_optimiser(svi, run));
    return make_extras(svi, run);
}

crd_status crdi_svi_run_begin(crd_svi *svi, int64_t restart)
{
    crdi_svi_run *run = &svi->run[restart];
    int64_t dim = svi->guide->model ? crd_model_dim(svi->guide->model) : 0;
    CRD_TRY(crdi_svi_run_open(svi, restart));
    crd_key start = crd_key_fold_in(run->key, 0);
    double *u = crdi_alloc_array(svi->ctx, dim + 1, sizeof *u);
    crd_status status = u ? CRD_OK : CRD_ENOMEM;
    if (status == CRD_OK && dim > 0)
        status = start_point(svi, start, u);
    if (status == CRD_OK)
        crdi_guide_start(svi->guide, u, svi->options.init_scale, start, svi->run[restart].params);
    crdi_free(svi->ctx, u);
    return status;
}

void crdi_svi_run_clear(crd_context *ctx, crdi_svi_run *run)
{
    crdi_optimiser_destroy(&run->optimiser);
    crd_exec_destroy(&run->exec);
    crdi_team_destroy(&run->team);
    crdi_free(ctx, run->params);
    crdi_free(ctx, run->loss);
    crdi_free(ctx, run->divergence);
    crdi_free(ctx, run->likelihood);
    crdi_free(ctx, run->order[0]);
    crdi_free(ctx, run->order[1]);
    crd_exec_destroy(&run->watch);
    crdi_free(ctx, run->watched);
    crdi_free(ctx, run->best);
    crdi_archive_clear(&run->archive);
    *run = (crdi_svi_run){0};
}

void crdi_svi_run_shed(crd_context *ctx, crdi_svi_run *run)
{
    crdi_svi_run before = *run;
    crdi_svi_run_clear(ctx, run);
    *run = (crdi_svi_run){.key = before.key,
                          .steps = before.steps,
                          .skipped = before.skipped,
                          .final_loss = before.final_loss,
                          .held_out = before.held_out,
                          .best_step = before.best_step,
                          .seconds = before.seconds,
                          .end = before.end,
                          .status = before.status};
}

/* ---- steps -------------------------------------------------------------------------------------------------- */

double crdi_svi_mean_of_last(const double *x, int64_t count, int64_t last)
{
    double sum = 0;
    int64_t n = 0;
    for (int64_t i = count > last ? count - last : 0; i < count; i++)
        if (!isnan(x[i])) {
            sum += x[i];
            n++;
        }
    return n > 0 ? sum / (double)n : NAN;
}

static void tell(crd_svi *svi, int64_t restart, int64_t total, double started, bool last)
{
    const crdi_svi_run *run = &svi->run[restart];
    pthread_mutex_lock(&svi->lock);
    double now = crdi_seconds();
    svi->progress[restart] = (crd_svi_progress){.step = run->steps - svi->begun,
                                                .total = total - svi->begun,
                                                .loss = crdi_svi_mean_of_last(run->loss, run->steps, SHOWN),
                                                .divergence = crdi_svi_mean_of_last(run->divergence, run->steps, SHOWN),
                                                .likelihood = crdi_svi_mean_of_last(run->likelihood, run->steps, SHOWN),
                                                .held_out = run->watches > 0 ? run->watched[run->watches - 1] : NAN,
                                                .skipped = run->skipped,
                                                .ended = last && !atomic_load(&svi->stopped),
                                                .seconds = now - started};
    if (svi->options.progress && (last || now - svi->told > TELL_SECONDS)) {
        svi->told = now;
        svi->options.progress(svi->options.progress_user, svi->progress + (svi->going_on ? restart : 0),
                              svi->going_on ? 1 : (int)svi->runs);
    }
    pthread_mutex_unlock(&svi->lock);
}

/* Room for one more step; it doubles, up to what a fit was asked for. */
static crd_status make_room(crd_svi *svi, crdi_svi_run *run, int64_t total)
{
    enum { LEAST = 16384 };
    double **array[] = {&run->loss, &run->divergence, &run->likelihood};
    int64_t capacity = 2 * run->capacity > LEAST ? 2 * run->capacity : LEAST;
    if (run->steps < run->capacity)
        return CRD_OK;
    capacity = capacity < total ? capacity : total;
    CRDI_ASSERT(capacity >= run->steps);
    for (int k = 0; k < 3; k++) {
        double *larger = crdi_alloc_array(svi->ctx, capacity, sizeof *larger);
        if (!larger)
            return CRD_ENOMEM;
        if (run->steps > 0)
            memcpy(larger, *array[k], sizeof *larger * (size_t)run->steps);
        crdi_free(svi->ctx, *array[k]);
        *array[k] = larger;
    }
    run->capacity = capacity;
    return CRD_OK;
}

static bool must_stop(crd_svi *svi)
{
    if (svi->options.stop && svi->options.stop(svi->options.stop_user))
        atomic_store(&svi->stopped, true);
    return atomic_load_explicit(&svi->stopped, memory_order_relaxed);
}

/* The permutation of an epoch. */
static crd_status load_order(const crd_svi *svi, crdi_svi_run *run, int64_t epoch, const int64_t **out)
{
    int k = (int)(epoch % 2);
    crd_key key = crd_key_fold_in(crd_key_fold_in(run->key, 2), (uint32_t)epoch);
    if (run->epoch[k] != epoch)
        CRD_TRY(crd_random_permutation(svi->ctx, key, svi->elbo.population, run->order[k]));
    run->epoch[k] = epoch;
    *out = run->order[k];
    return CRD_OK;
}

crd_status crdi_svi_rows(const crd_svi *svi, crdi_svi_run *run, int64_t step, double *out)
{
    const int64_t *order;
    int64_t n = svi->elbo.population, at = step * svi->elbo.rows, epoch = at / n, left = svi->elbo.rows;
    for (int64_t i = at % n; left > 0; i = 0, epoch++) {
        CRD_TRY(load_order(svi, run, epoch, &order));
        for (; i < n && left > 0; i++, left--)
            *out++ = (double)order[i];
    }
    return CRD_OK;
}

/* Evaluates the loss at params with a step's key. Returns whether all of it is finite. */
static bool evaluate(const crd_svi *svi, const crdi_svi_run *run, const double *params, int64_t step)
{
    int64_t n = svi->elbo.params;
    crd_key key = crd_key_fold_in(crd_key_fold_in(run->key, 1), (uint32_t)step);
    double *input = crd_exec_input(run->exec);
    memcpy(input, params, sizeof *params * (size_t)n);
    input[n] = key.word[0];
    input[n + 1] = key.word[1];
    input[n + 2] = run->baseline;
    crd_exec_run(run->exec);
    const double *out = crd_exec_output(run->exec);
    double sum =
        0; /* NaN or infinite as soon as one is; a sum of finite ones that overflows is no gradient to follow */
    for (int64_t i = 0; i < n; i++)
        sum += out[CRDI_ELBO_GRADIENT + i] * 0;
    return isfinite(out[CRDI_ELBO_LOSS]) && sum == 0;
}

static void note(crdi_svi_run *run, bool finite, const double *out)
{
    run->loss[run->steps] = finite ? out[CRDI_ELBO_LOSS] : NAN;
    run->divergence[run->steps] = finite ? out[CRDI_ELBO_DIVERGENCE] : NAN;
    run->likelihood[run->steps] = finite ? out[CRDI_ELBO_LIKELIHOOD] : NAN;
    run->steps++;
}

static crd_status step(crd_svi *svi, crdi_svi_run *run)
{
    if (svi->elbo.rows > 0)
        CRD_TRY(crdi_svi_rows(svi, run, run->steps, crd_exec_input(run->exec) + svi->elbo.params + 3));
    bool finite = evaluate(svi, run, run->params, run->steps);
    const double *out = crd_exec_output(run->exec);
    note(run, finite, out);
    if (!finite) {
        run->skipped++;
        run->bad++;
        return CRD_OK;
    }
    run->bad = 0;
    run->baseline =
        run->steps - run->skipped == 1 ? out[0] : BASELINE_DECAY * run->baseline + (1 - BASELINE_DECAY) * out[0];
    crdi_optimiser_update(run->optimiser, out + CRDI_ELBO_GRADIENT, run->params, out[CRDI_ELBO_LOSS]);
    return CRD_OK;
}

/* After a step: once an epoch the rows held out are looked at, always with the same key, so that losses compare. */
static crd_status watch(crd_svi *svi, crdi_svi_run *run, const double *params)
{
    int64_t n = svi->guide->params;
    crd_key key = crd_key_fold_in(run->key, 3);
    if (!run->watch || run->steps % svi->options.epoch != 0)
        return CRD_OK;
    memcpy(crd_exec_input(run->watch), params, sizeof *params * (size_t)n);
    crd_exec_input(run->watch)[n] = key.word[0];
    crd_exec_input(run->watch)[n + 1] = key.word[1];
    crd_exec_run(run->watch);
    double loss = crd_exec_output(run->watch)[0];
    CRD_TRY(crdi_grow(svi->ctx, &run->watched, &run->watch_capacity, run->watches, sizeof *run->watched));
    run->watched[run->watches++] = loss;
    if (!isfinite(loss) || (loss >= run->held_out && run->best_step > 0))
        return CRD_OK;
    run->held_out = loss;
    run->best_step = run->steps;
    memcpy(run->best, params, sizeof *params * (size_t)n);
    return CRD_OK;
}

/* Whether the loss of the rows held out has not been below its least for `patience` steps. */
static bool has_turned(const crd_svi *svi, const crdi_svi_run *run)
{
    return run->watch && svi->options.patience > 0 && run->steps - run->best_step >= svi->options.patience;
}

static bool has_stalled(const crdi_svi_run *run, int64_t patience)
{
    if (patience == 0 || run->steps % patience != 0 || run->steps < 2 * patience)
        return false;
    double before = crdi_svi_mean_of_last(run->loss, run->steps - patience, patience);
    return !(crdi_svi_mean_of_last(run->loss, run->steps, patience) < before);
}

static crd_status raise_not_finite(const crd_svi *svi, const crdi_svi_run *run)
{
    double last = crdi_svi_mean_of_last(run->loss, run->steps, run->steps);
    for (int64_t i = run->steps - 1; i >= 0; i--)
        if (!isnan(run->loss[i])) {
            last = run->loss[i];
            break;
        }
    char text[64] = "no step had a finite one";
    if (!isnan(last))
        snprintf(text, sizeof text, "the last finite one was %.6g", last);
    return crdi_raise(
        svi->ctx, CRD_EDOMAIN,
        "the loss or its gradient was not finite in %d steps in a row, up to step %lld (%s); a smaller rate, a "
        "smaller init_scale or clip_by_global_norm:10 before the optimiser may help",
        (int)run->bad, (long long)run->steps, text);
}

/* ---- L-BFGS ------------------------------------------------------------------------------------------------- */

struct objective {
    crd_svi *svi;
    crdi_svi_run *run;
    int64_t restart, total;
    double started;
};

static crd_status exact_loss(void *user, const double *params, double *value, double *gradient)
{
    struct objective *o = user;
    evaluate(o->svi, o->run, params, 0);
    const double *out = crd_exec_output(o->run->exec);
    *value = out[CRDI_ELBO_LOSS];
    memcpy(gradient, out + CRDI_ELBO_GRADIENT, sizeof *gradient * (size_t)o->svi->elbo.params);
    return CRD_OK;
}

static crd_status visit(void *user, int64_t iteration, const double *x, double value, const double *gradient)
{
    struct objective *o = user;
    (void)value;
    (void)gradient;
    if (iteration == 0)
        return CRD_OK;
    CRD_TRY(make_room(o->svi, o->run, o->total));
    bool finite = evaluate(o->svi, o->run, x, 0); /* its parts: the search may have looked further on */
    note(o->run, finite, crd_exec_output(o->run->exec));
    CRD_TRY(watch(o->svi, o->run, x));
    tell(o->svi, o->restart, o->total, o->started, false);
    return must_stop(o->svi) || has_turned(o->svi, o->run) ? CRD_INTERRUPTED : CRD_OK;
}

static crd_status minimise(crd_svi *svi, int64_t restart, int64_t total, double started)
{
    crdi_svi_run *run = &svi->run[restart];
    struct objective o = {svi, run, restart, total, started};
    crdi_lbfgs_result result;
    crd_status status =
        crdi_lbfgs_minimise(svi->ctx, exact_loss, &o, svi->elbo.params, run->params,
                            &(crdi_lbfgs_options){.max_iterations = total, .visit = visit, .visit_user = &o}, &result);
    if (status >= 0) {
        run->final_loss = result.value;
        run->end = status != CRD_INTERRUPTED ? crdi_lbfgs_reason_text(result.reason)
                   : has_turned(svi, run)    ? crdi_svi_end_text(CRDI_SVI_TURNED)
                                             : "stopped";
    }
    return status == CRD_INTERRUPTED ? CRD_OK : status;
}

/* ---- one restart -------------------------------------------------------------------------------------------- */

static double keep_pause(const crd_svi *svi)
{
    return svi->keep_pause > 0 ? svi->keep_pause : STATE_SECONDS;
}

static crd_status write_state(crd_svi *svi, crdi_svi_run *run)
{
    crdi_archive_write(&run->archive, svi->ctx);
    if (svi->going_on)
        crdi_svi_going_state(svi, &run->archive);
    else
        crdi_svi_run_state(svi, run, &run->archive);
    return run->archive.status;
}

/* The same number wherever it was stopped, for of a state only the histories grow: by three losses a step, and at most one of rows
 * held out. */
static crd_status find_most(crd_svi *svi, crdi_svi_run *run)
{
    run->most = INT64_MAX;
    if (!svi->keep || svi->keep_most == 0)
        return CRD_OK;
    CRD_TRY(write_state(svi, run));
    int64_t histories = (3 * run->steps + run->watches) * (int64_t)sizeof(double);
    int64_t step = (run->watch ? 4 : 3) * (int64_t)sizeof(double);
    run->most = (svi->keep_most - ((int64_t)run->archive.size - histories)) / step;
    return run->most > 0 ? CRD_OK
                         : crdi_raise(svi->ctx, CRD_EUNSUPPORTED,
                                      "the state of a fit of %lld parameters has %.3g GB; a run file takes %.3g GB",
                                      (long long)svi->guide->params, (double)run->archive.size / 1e9,
                                      (double)svi->keep_most / 1e9);
}

static crd_status keep_state(crd_svi *svi, int64_t restart)
{
    crdi_svi_run *run = &svi->run[restart];
    double start = crdi_seconds();
    CRD_TRY(write_state(svi, run));
    CRD_TRY(svi->keep(svi->keep_user, restart, &run->archive));
    double end = crdi_seconds(), pause = STATE_SHARE * (end - start);
    run->state_due = end + (pause > keep_pause(svi) ? pause : keep_pause(svi));
    return CRD_OK;
}

static crdi_svi_end look_for_end(crd_svi *svi, const crdi_svi_run *run, int64_t total)
{
    if (run->steps > 0 && run->watch && has_turned(svi, run))
        return CRDI_SVI_TURNED;
    if (run->steps > 0 && !run->watch && has_stalled(run, svi->options.patience))
        return CRDI_SVI_STALLED;
    if (run->steps >= total)
        return CRDI_SVI_ALL;
    return run->steps >= run->most ? CRDI_SVI_FULL : must_stop(svi) ? CRDI_SVI_STOPPED : CRDI_SVI_GOES_ON;
}

static crd_status all_steps(crd_svi *svi, int64_t restart, int64_t total, double started)
{
    crdi_svi_run *run = &svi->run[restart];
    run->state_due = started + keep_pause(svi);
    CRD_TRY(find_most(svi, run));
    if (!run->ended && run->steps >= run->most)
        run->ended = CRDI_SVI_FULL;
    while (!run->ended) {
        CRD_TRY(make_room(svi, run, total < run->most ? total : run->most));
        CRD_TRY(step(svi, run));
        CRD_TRY(watch(svi, run, run->params));
        if (run->bad >= CRDI_SVI_BAD)
            return raise_not_finite(svi, run);
        run->ended = look_for_end(svi, run, total);
        if (run->steps % 32 == 0)
            tell(svi, restart, total, started, false);
        if (svi->keep && !run->ended && crdi_seconds() > run->state_due)
            CRD_TRY(keep_state(svi, restart));
    }
    run->end = crdi_svi_end_text((crdi_svi_end)run->ended);
    return svi->keep ? keep_state(svi, restart) : CRD_OK;
}

crd_status crdi_svi_run_steps(crd_svi *svi, int64_t restart, int64_t total)
{
    crdi_svi_run *run = &svi->run[restart];
    double started = crdi_seconds();
    CRD_TRY(make_room(svi, run, total));
    if (run->ended == CRDI_SVI_GOES_ON && run->optimiser)
        run->ended = run->steps >= total ? CRDI_SVI_ALL : must_stop(svi) ? CRDI_SVI_STOPPED : CRDI_SVI_GOES_ON;
    run->final_loss = run->steps == 0 ? INFINITY : run->final_loss;
    crd_status status =
        run->optimiser ? all_steps(svi, restart, total, started) : minimise(svi, restart, total, started);
    run->seconds += crdi_seconds() - started;
    tell(svi, restart, total, started, true);
    if (status >= 0 && run->optimiser && run->steps > 0)
        run->final_loss = crdi_svi_mean_of_last(run->loss, run->steps, CRDI_SVI_LAST);
    if (status >= 0 && isnan(run->final_loss)) /* few steps, and none was finite */
        status = raise_not_finite(svi, run);
    if (status >= 0 && run->best_step > 0)
        memcpy(run->params, run->best, sizeof *run->params * (size_t)svi->guide->params);
    if (status < 0)
        run->final_loss = INFINITY;
    run->status = status;
    return status == CRD_ENOMEM ? status : CRD_OK;
}
