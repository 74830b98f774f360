/* trained.c - see trained.h.
 *
 * Each chain's network is trained as a member of a deep ensemble is (Sommer et al. 2024, 2025): from a point of its own, by Adam up the
 * log density of the rows that it sees, the rate going down to nothing; a share of the rows, drawn for each chain anew, is held out,
 * and the chain starts at the parameters with the least minus log likelihood there. `start_patience` steps behind them training ends.
 *
 * The rows that are seen count for all, so that the prior has the weight that it has in the posterior, which the chain then draws from: of
 * all rows. Kernels that take rows in batches train on such batches.
 *
 * Rows held out come first in a permutation, and the batches of an epoch are cut from another. Keys: crdi_chain_stream. */
#include "infer/mcmc/trained.h"
#include "infer/svi/optim.h"
#include "rng/threefry.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* What all chains share. */
struct school {
    crdi_mcmc_run_state *run;
    const crd_program *density; /* (u, rows) -> log density, gradient; without rows if a step sees all */
    crd_program *part, *likelihood; /* owned: `density`, if it is no other's; (u, rows) -> log likelihood of a chunk */
    int64_t dim;
    int64_t population; /* rows of the plate; 0: there is none that could be divided */
    int64_t held, chunk; /* rows held out, a multiple of those that are evaluated together */
    int64_t batch, epoch; /* rows of a step, steps of an epoch */
    int64_t check; /* steps from one look at the rows held out to the next */
};

/* One of them. */
struct pupil {
    const struct school *school;
    crd_key key;
    int number;
    crd_exec *exec, *held_exec;
    int64_t *order; /* (population) rows held out, then the others */
    uint64_t *scratch; /* (population) */
    int64_t *turn; /* (population) the current epoch's permutation */
    int64_t turn_of; /* that epoch; -1: none yet */
    crdi_optimiser *optimiser;
    double *slope, *best; /* (dim) of minus the mean log density; the parameters */
    double best_density; /* where no rows are held out */
    crdi_mcmc_trained *out;
};

/* ---- what is held out ----------------------------------------------------------------------------------------- */

/* Rows are held out and taken as the kernel takes them: all that are left, or in batches. A look at those held out costs no more than
 * the steps before it. */
static void divide(struct school *s)
{
    enum { MOST_BETWEEN = 100 };
    const crdi_mcmc_run_state *run = s->run;
    bool batches = run->batches.program && run->batches.rows < s->population;
    int64_t most = batches ? run->batches.rows : s->population, n = s->population;
    double share = run->options.start_validation;
    int64_t held = share > 0 && n > 1 ? (int64_t)round(share * (double)n) : 0;
    if (share > 0 && n > 1 && held < 1)
        held = 1;
    if (held > n - 1)
        held = n - 1;
    if (batches && held > MOST_BETWEEN * most)
        held = MOST_BETWEEN * most;
    s->chunk = held < most ? held : most;
    s->held = s->chunk > 0 ? held / s->chunk * s->chunk : 0;
    s->batch = batches && most < n - s->held ? most : n - s->held;
    s->epoch = s->batch > 0 ? (n - s->held) / s->batch : 1;
    s->check = s->epoch < MOST_BETWEEN ? s->epoch : MOST_BETWEEN;
}

static crd_status compile(struct school *s)
{
    const crdi_mcmc_run_state *run = s->run;
    const char *plate = run->options.plate;
    CRD_TRY(crdi_batches_population(run->model, plate, &s->population));
    divide(s);
    if (s->held > 0)
        CRD_TRY(crdi_batches_compile_likelihood(run->model, plate, s->chunk, &s->likelihood));
    if (s->batch < s->population)
        CRD_TRY(crdi_batches_compile(run->model, plate, s->batch, &s->part));
    if (s->part)
        s->density = s->part;
    return CRD_OK;
}

/* A model whose rows cannot be divided, because it has no plate or its data do not go through one, sees them all. */
static crd_status prepare(struct school *s)
{
    crd_context *ctx = s->run->ctx;
    bool clear = crd_error_status(ctx) == CRD_OK;
    s->density = crd_model_density(s->run->model);
    crd_status status = compile(s);
    if ((status != CRD_ENAME && status != CRD_ESHAPE) || s->run->options.plate)
        return status;
    if (clear)
        crd_error_clear(ctx);
    crd_program_destroy(&s->part);
    crd_program_destroy(&s->likelihood);
    *s = (struct school){
        .run = s->run, .density = crd_model_density(s->run->model), .dim = s->dim, .epoch = 1, .check = 1};
    return CRD_OK;
}

/* ---- training ------------------------------------------------------------------------------------------------- */

/* Minus the mean log likelihood of the rows held out; NaN without any. */
static double held_out_loss(struct pupil *p)
{
    const struct school *s = p->school;
    double sum = 0;
    if (!p->held_exec)
        return NAN;
    double *input = crd_exec_input(p->held_exec);
    memcpy(input, crd_exec_input(p->exec), sizeof *input * (size_t)s->dim);
    for (int64_t first = 0; first < s->held; first += s->chunk) {
        for (int64_t k = 0; k < s->chunk; k++)
            input[s->dim + k] = (double)p->order[first + k];
        crd_exec_run(p->held_exec);
        sum += *crd_exec_output(p->held_exec);
    }
    return -sum / (double)s->held;
}

static void put_rows(struct pupil *p, int64_t step)
{
    const struct school *s = p->school;
    int64_t left = s->population - s->held, epoch = step / s->epoch, first = step % s->epoch * s->batch;
    if (s->batch >= s->population)
        return;
    double *row = crd_exec_input(p->exec) + s->dim;
    if (s->batch < left && epoch != p->turn_of)
        crdi_permutation_raw(crd_key_fold_in(crdi_chain_stream_key(p->key, CRDI_STREAM_ORDER), (uint32_t)epoch), left,
                             p->scratch, p->turn);
    if (s->batch < left || p->turn_of < 0)
        for (int64_t k = 0; k < s->batch; k++)
            row[k] = (double)p->order[s->held + (s->batch < left ? p->turn[first + k] : k)];
    p->turn_of = epoch;
}

static void evaluate(struct pupil *p)
{
    crd_exec_run(p->exec);
    p->out->gradients++;
    atomic_store_explicit(&p->school->run->news[p->number].gradients, p->out->gradients, memory_order_relaxed);
}

static bool is_finite(const struct pupil *p)
{
    const double *output = crd_exec_output(p->exec);
    double sum = 0;
    for (int64_t i = 0; i <= p->school->dim; i++)
        sum += 0 * output[i];
    return sum == 0;
}

static void keep(struct pupil *p, int64_t step)
{
    memcpy(p->best, crd_exec_input(p->exec), sizeof *p->best * (size_t)p->school->dim);
    p->best_density = *crd_exec_output(p->exec);
    p->out->start.best_step = step;
}

/* The point behind `step` steps, evaluated: is it the best so far? */
static void judge(struct pupil *p, int64_t step)
{
    const struct school *s = p->school;
    crd_trained_start *t = &p->out->start;
    t->last_loss = held_out_loss(p);
    if (step == 0)
        t->first_loss = t->last_loss;
    bool better = s->held > 0                ? t->last_loss < t->loss
                  : s->batch < s->population ? true /* densities of other batches are no measure */
                                             : *crd_exec_output(p->exec) > p->best_density;
    if (step > 0 && !better)
        return;
    t->loss = t->last_loss;
    keep(p, step);
}

static void make_steps(struct pupil *p)
{
    const struct school *s = p->school;
    const crd_nuts_options *o = &s->run->options;
    crd_trained_start *t = &p->out->start;
    double scale = 1.0 / (double)(s->population > 0 ? s->population : 1), *u = crd_exec_input(p->exec);
    judge(p, 0);
    while (t->steps < o->start_steps && is_finite(p) && !crdi_mcmc_must_stop(s->run)) {
        for (int64_t i = 0; i < s->dim; i++)
            p->slope[i] = -scale * crd_exec_output(p->exec)[1 + i];
        crdi_optimiser_update(p->optimiser, p->slope, u, NAN);
        t->steps++;
        put_rows(p, t->steps);
        evaluate(p);
        if ((t->steps % s->check == 0 || t->steps == o->start_steps) && is_finite(p))
            judge(p, t->steps);
        if (s->held > 0 && t->steps - t->best_step >= o->start_patience)
            break;
    }
}

/* ---- one chain ------------------------------------------------------------------------------------------------ */

static crd_status find_beginning(struct pupil *p)
{
    enum { ATTEMPTS = 100 };
    const crdi_mcmc_run_state *run = p->school->run;
    const crd_nuts_options *o = &run->options;
    double *u = crd_exec_input(p->exec);
    put_rows(p, 0);
    for (uint32_t attempt = 0; attempt < ATTEMPTS; attempt++) {
        crd_key key = crd_key_fold_in(crdi_chain_stream_key(p->key, CRDI_STREAM_START), attempt);
        if (o->start_fn)
            CRD_TRY(o->start_fn(o->start_user, run->model, key, u));
        else
            crd_random_uniform_between(key, -o->init_radius, o->init_radius, p->school->dim, u);
        evaluate(p);
        if (is_finite(p))
            return CRD_OK;
    }
    return crdi_raise(run->ctx, CRD_ESTART,
                      "chain %d: log density or gradient is not finite at %d points where training could begin; "
                      "a look at the priors and the data's scale may help",
                      p->number, ATTEMPTS);
}

static crd_status make_room(struct pupil *p)
{
    const struct school *s = p->school;
    crd_context *ctx = s->run->ctx;
    const crd_nuts_options *o = &s->run->options;
    char text[80];
    CRD_TRY(crd_exec_create(&p->exec, s->density));
    CRD_TRY(crdi_exec_share_threads(p->exec, o->threads, o->chains));
    if (s->likelihood)
        CRD_TRY(crd_exec_create(&p->held_exec, s->likelihood));
    p->slope = crdi_alloc_array(ctx, s->dim, sizeof *p->slope);
    p->best = crdi_alloc_array(ctx, s->dim, sizeof *p->best);
    p->order = crdi_alloc_array(ctx, s->population, sizeof *p->order);
    p->turn = crdi_alloc_array(ctx, s->population, sizeof *p->turn);
    p->scratch = crdi_alloc_array(ctx, s->population, sizeof *p->scratch);
    if (!p->slope || !p->best || !p->order || !p->turn || !p->scratch)
        return CRD_ENOMEM;
    snprintf(text, sizeof text, "clip_by_global_norm:10,adam:linear(0.02,%lld)", (long long)o->start_steps);
    return crdi_optimiser_create(ctx, text, s->dim, NULL, 0, &p->optimiser);
}

/* Both parts keep the order of the data. */
static void choose_rows(struct pupil *p)
{
    int64_t n = p->school->population, held = p->school->held, seen = 0, other = held;
    if (n < 1)
        return;
    crdi_permutation_raw(crdi_chain_stream_key(p->key, CRDI_STREAM_HELD), n, p->scratch, p->turn);
    for (int64_t i = 0; i < n; i++)
        p->scratch[i] = 0;
    for (int64_t i = 0; i < held; i++)
        p->scratch[p->turn[i]] = 1;
    for (int64_t i = 0; i < n; i++)
        p->order[p->scratch[i] ? seen++ : other++] = i;
}

static void clear(struct pupil *p)
{
    crd_context *ctx = p->school->run->ctx;
    crd_exec_destroy(&p->exec);
    crd_exec_destroy(&p->held_exec);
    crdi_optimiser_destroy(&p->optimiser);
    crdi_free(ctx, p->slope);
    crdi_free(ctx, p->best);
    crdi_free(ctx, p->order);
    crdi_free(ctx, p->turn);
    crdi_free(ctx, p->scratch);
}

static crd_status train(void *user, int64_t number)
{
    struct school *s = user;
    crdi_mcmc_run_state *run = s->run;
    struct pupil p = {.school = s,
                      .key = crd_key_fold_in(run->key, (uint32_t)number),
                      .number = (int)number,
                      .turn_of = -1,
                      .out = &run->trained[number]};
    double begun = crdi_seconds(), cpu = crdi_thread_seconds();
    atomic_store(&run->news[number].started, begun);
    crd_status status = make_room(&p);
    if (status == CRD_OK) {
        choose_rows(&p);
        status = find_beginning(&p);
    }
    if (status == CRD_OK) {
        p.out->start.held_out_rows = s->held;
        make_steps(&p);
        memcpy(run->point + number * s->dim, p.best, sizeof *p.best * (size_t)s->dim);
    }
    if (status < 0)
        atomic_store(&run->stopped, true);
    p.out->seconds = crdi_seconds() - begun;
    p.out->cpu_seconds = crdi_thread_seconds() - cpu;
    clear(&p);
    return status;
}

/* ---- all chains ----------------------------------------------------------------------------------------------- */

static crd_status tell(const crdi_mcmc_run_state *run)
{
    const crd_nuts_options *o = &run->options;
    if (!o->trained)
        return CRD_OK;
    crd_trained_start *start = crdi_alloc_array(run->ctx, o->chains, sizeof *start);
    if (!start)
        return CRD_ENOMEM;
    for (int64_t c = 0; c < o->chains; c++)
        start[c] = run->trained[c].start;
    crd_status status = o->trained(o->trained_user, start, (int)o->chains);
    crdi_free(run->ctx, start);
    return status;
}

crd_status crdi_mcmc_train_points(crdi_mcmc_run_state *run, crdi_arena *arena)
{
    const crd_nuts_options *o = &run->options;
    struct school school = {.run = run, .dim = crd_model_dim(run->model), .epoch = 1, .check = 1};
    int threads = o->threads > 0 ? (int)o->threads : crdi_processors();
    run->point = crdi_arena_alloc(arena, sizeof *run->point * (size_t)(o->chains * school.dim));
    run->trained = crdi_arena_alloc(arena, sizeof *run->trained * (size_t)o->chains);
    if (!run->point || !run->trained)
        return CRD_ENOMEM;
    memset(run->trained, 0, sizeof *run->trained * (size_t)o->chains);
    crd_status status = prepare(&school);
    if (status == CRD_OK)
        status = crdi_parallel(run->ctx, threads, o->chains, train, &school);
    crd_program_destroy(&school.part);
    crd_program_destroy(&school.likelihood);
    CRD_TRY(status);
    return atomic_load(&run->stopped) ? CRD_INTERRUPTED : tell(run);
}
