/* draws.c - the draws of one chain on their way to the sink.
 *
 * A chain writes its draws into a block of its own and hands it to the sink when it is full, when half a second has
 * passed, or when the run is stopped. Its state goes there behind the draws that came before it. */
#include "infer/mcmc/run.h"

#include <string.h>
#include <time.h>

enum { BLOCK = 64 };
static const double PAUSE = 0.5; /* seconds */
/* A state that is large, of a dense metric, is taken less often: at most one part in so many of the time goes into it. */
static const double STATE_SHARE = 50;

/* The draws of a chain that the sink has not got yet. */
struct block {
    double **values; /* by column: (BLOCK, size) */
    int64_t first, count;
    double flushed; /* when */
    double state_due; /* when the next state is to be kept */
    crdi_archive archive;
    double begun, warm, cpu; /* when the chain began, and its warm-up ended; its thread's time then */
};

static double pause_of(const crdi_mcmc_run_state *run)
{
    return run->sink->pause > 0 ? run->sink->pause : PAUSE;
}

static crd_status block_create(const crdi_mcmc_run_state *run, crdi_arena *arena, struct block *block)
{
    block->values = crdi_arena_alloc(arena, sizeof *block->values * (size_t)run->columns.count);
    for (int c = 0; block->values && c < run->columns.count; c++)
        if (!(block->values[c] = crdi_arena_alloc(arena, sizeof(double) * BLOCK * (size_t)run->columns.column[c].size)))
            return CRD_ENOMEM;
    block->flushed = crdi_seconds();
    block->state_due = block->flushed + pause_of(run);
    return block->values ? CRD_OK : CRD_ENOMEM;
}

static crd_status flush(const crdi_mcmc_run_state *run, int chain, struct block *block)
{
    if (block->count > 0)
        CRD_TRY(
            run->sink->draws(run->sink->user, chain, block->first, block->count, (const double *const *)block->values));
    block->first += block->count;
    block->count = 0;
    block->flushed = crdi_seconds();
    return CRD_OK;
}

static void put(const crdi_mcmc_run_state *run, struct block *block, crd_exec *values, const crdi_chain *chain,
                const crdi_transition *t)
{
    const crdi_hamiltonian *h = &chain->h;
    const double statistic[CRDI_MCMC_STATISTICS] = {t->accept_prob,     t->diverging, t->energy,    *h->log_density,
                                                    (double)t->n_steps, h->step_size, t->tree_depth};
    int sites = run->columns.count - CRDI_MCMC_STATISTICS;
    memcpy(crd_exec_input(values), h->q, sizeof(double) * (size_t)h->dim);
    crd_exec_run(values);
    for (int c = 0; c < sites; c++) {
        int64_t size = run->columns.column[c].size;
        memcpy(block->values[c] + block->count * size, crd_exec_output(values) + run->column_offset[c],
               sizeof(double) * (size_t)size);
    }
    for (int s = 0; s < CRDI_MCMC_STATISTICS; s++)
        block->values[sites + s][block->count] = statistic[s];
    block->count++;
}

static void tell(crdi_mcmc_news *news, const crdi_chain *chain)
{
    atomic_store_explicit(&news->iteration, chain->iteration, memory_order_relaxed);
    atomic_store_explicit(&news->gradients, chain->h.gradients, memory_order_relaxed);
    atomic_store_explicit(&news->step_size, chain->h.step_size, memory_order_relaxed);
    atomic_store_explicit(&news->warmup_gradients, chain->warmup_gradients, memory_order_relaxed);
    atomic_store_explicit(&news->divergences, chain->divergences, memory_order_relaxed);
}

bool crdi_mcmc_must_stop(crdi_mcmc_run_state *run)
{
    if (run->options.stop && run->options.stop(run->options.stop_user))
        atomic_store(&run->stopped, true);
    return atomic_load_explicit(&run->stopped, memory_order_relaxed);
}

double crdi_thread_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void note_times(const crdi_mcmc_run_state *run, int number, const struct block *block)
{
    const crdi_mcmc_before *before = run->before;
    run->warmup_seconds[number] = block->warm - block->begun + (before ? before->warmup_seconds : 0);
    run->sampling_seconds[number] = crdi_seconds() - block->warm + (before ? before->sampling_seconds : 0);
    run->cpu_seconds[number] = crdi_thread_seconds() - block->cpu;
}

/* Behind the draws that came before it. */
static crd_status keep_state(const crdi_mcmc_run_state *run, int number, crdi_chain *chain, struct block *block)
{
    if (!run->sink->state)
        return CRD_OK;
    CRD_TRY(flush(run, number, block));
    double start = crdi_seconds(), share = run->before ? run->before->gradient_seconds : 0;
    crdi_archive_write(&block->archive, run->ctx);
    crdi_chain_state(chain, &block->archive);
    CRD_TRY(block->archive.status);
    note_times(run, number, block);
    CRD_TRY(run->sink->state(
        run->sink->user, number,
        &(crdi_sampler_state){.iteration = chain->iteration,
                              .bytes = block->archive.bytes,
                              .size = block->archive.size,
                              .warmup_seconds = run->warmup_seconds[number],
                              .sampling_seconds = run->sampling_seconds[number],
                              .gradient_seconds = run->cpu_seconds[number] + share / (double)run->options.chains,
                              .gradient_evaluations = chain->h.gradients}));
    double end = crdi_seconds(), pause = STATE_SHARE * (end - start);
    block->state_due = end + (pause > pause_of(run) ? pause : pause_of(run));
    return CRD_OK;
}

/* The values of all sites at an iteration of the warm-up. */
static crd_status hand_over_warmup(const crdi_mcmc_run_state *run, int number, const crdi_chain *chain,
                                   crd_exec *values, struct block *block, const crdi_transition *t)
{
    put(run, block, values, chain, t);
    block->count = 0; /* it was empty, until sampling begins */
    return run->sink->warmup(run->sink->user, number, chain->iteration - 1, (const double *const *)block->values);
}

/* A draw behind the warm-up. */
static crd_status take_draw(const crdi_mcmc_run_state *run, int number, crdi_chain *chain, crd_exec *values,
                            struct block *block, const crdi_transition *t, double now)
{
    const crdi_sink *sink = run->sink;
    put(run, block, values, chain, t);
    if (sink->wants_state && sink->wants_state(sink->user, number, block->first + block->count))
        return keep_state(run, number, chain, block);
    return block->count == BLOCK || now - block->flushed > pause_of(run) ? flush(run, number, block) : CRD_OK;
}

static crd_status draw_all(crdi_mcmc_run_state *run, int number, crdi_chain *chain, crd_exec *values,
                           struct block *block)
{
    crdi_transition t;
    const crd_nuts_options *o = &run->options;
    int64_t total = o->warmup + o->draws * o->thin;
    block->first = crdi_mcmc_draws_of(o, chain->iteration);
    while (chain->iteration < total && !crdi_mcmc_must_stop(run)) {
        crdi_chain_advance(chain, &t);
        tell(&run->news[number], chain);
        double now = crdi_seconds();
        if (chain->iteration <= o->warmup) {
            block->warm = now;
            if (run->sink->warmup)
                CRD_TRY(hand_over_warmup(run, number, chain, values, block, &t));
        } else if ((chain->iteration - o->warmup) % o->thin == 0) {
            CRD_TRY(take_draw(run, number, chain, values, block, &t, now));
        }
        if (now > block->state_due)
            CRD_TRY(keep_state(run, number, chain, block));
        crdi_turns_pass(run->turns, number, chain->iteration, now);
    }
    CRD_TRY(flush(run, number, block));
    return keep_state(run, number, chain, block);
}

static bool is_saved(const crdi_mcmc_run_state *run, int64_t number)
{
    return run->before && run->before->chain && run->before->chain[number].bytes;
}

/* Training is a part of its warm-up. */
static void count_training(const crdi_mcmc_run_state *run, int64_t number, struct block *block)
{
    if (!run->trained || is_saved(run, number))
        return;
    block->begun -= run->trained[number].seconds;
    block->cpu -= run->trained[number].cpu_seconds;
}

/* From its start, or from where it was. */
static crd_status begin_chain(const crdi_mcmc_run_state *run, int number, crdi_chain *chain)
{
    const crdi_mcmc_before *before = run->before;
    if (is_saved(run, number)) {
        crdi_archive archive;
        crdi_archive_read(&archive, run->ctx, before->chain[number].bytes, before->chain[number].size);
        crdi_chain_state(chain, &archive);
        if (archive.status < 0)
            return crdi_error_prefix(run->ctx, archive.status, "chain %d", number);
        atomic_store(&run->news[number].before, chain->iteration);
        tell(&run->news[number], chain);
        return crdi_chain_check(chain, number);
    }
    chain->starter = run->starter.program ? &run->starter : NULL;
    chain->point = run->point ? run->point + number * crd_model_dim(run->model) : NULL;
    if (before && before->points)
        chain->point = before->points + number * crd_model_dim(run->model);
    chain->h.gradients = run->trained ? run->trained[number].gradients : number == 0 ? run->point_gradients : 0;
    if (before && before->warm_count > 0)
        CRD_TRY(crdi_chain_warm(chain, &before->warm[number % before->warm_count]));
    return crdi_chain_start(chain, number);
}

static crd_status create_chain(crdi_mcmc_run_state *run, int64_t number, crdi_chain *chain)
{
    crd_key key = crd_key_fold_in(run->key, (uint32_t)number);
    if (run->batches.program)
        return crdi_chain_create_batched(chain, run->ctx, &run->batches, &run->options, key);
    return crdi_chain_create_shared(chain, run->ctx, crd_model_density(run->model), &run->options, key,
                                    run->before ? run->before->shared : NULL, (int)number);
}

crd_status crdi_mcmc_run_chain(void *user, int64_t number)
{
    crdi_mcmc_run_state *run = user;
    crdi_arena *arena = NULL;
    crdi_chain chain = {0};
    crd_exec *values = NULL;
    crdi_turns_enter(run->turns, number);
    struct block block = {.cpu = crdi_thread_seconds(), .begun = crdi_seconds()};
    block.warm = block.begun;
    count_training(run, number, &block);
    atomic_store(&run->news[number].started, block.begun);
    crd_status status = crdi_arena_create(&arena, run->ctx);
    if (status == CRD_OK)
        status = block_create(run, arena, &block);
    if (status == CRD_OK)
        status = crd_exec_create(&values, run->values);
    if (status == CRD_OK)
        status = create_chain(run, number, &chain);
    if (status == CRD_OK)
        status = crdi_exec_share_threads(chain.h.exec, run->options.threads, run->options.chains);
    if (status == CRD_OK)
        status = crdi_chain_add_blocks(&chain, &run->scales);
    if (status == CRD_OK)
        status = begin_chain(run, (int)number, &chain);
    if (status == CRD_OK)
        status = draw_all(run, (int)number, &chain, values, &block);
    if (status < 0)
        atomic_store(&run->stopped, true);
    note_times(run, (int)number, &block);
    crdi_archive_clear(&block.archive);
    crdi_chain_destroy(&chain);
    crd_exec_destroy(&values);
    crdi_arena_destroy(&arena);
    crdi_turns_leave(run->turns);
    return status;
}

int64_t crdi_mcmc_draws_of(const crd_nuts_options *options, int64_t iteration)
{
    int64_t thin = options->thin > 0 ? options->thin : 1;
    return iteration > options->warmup ? (iteration - options->warmup) / thin : 0;
}
