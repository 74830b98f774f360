/* run.c - all chains of a run: threads, blocks of draws on their way to the sink, progress.
 *
 * A chain writes its draws into a block of its own and hands it to the sink when it is full, when half a second has
 * passed, or when the run is stopped. Progress is a set of atomics that a monitor thread reads ten times a second. */
#include "infer/mcmc/chain.h"
#include "infer/mcmc/turns.h"
#include "infer/pathfinder/pathfinder.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BLOCK = 64, MOST_KEPT = 64 };
static const double PAUSE = 0.5; /* seconds */
/* A state that is large, of a dense metric, is taken less often: at most one part in so many of the time goes into it. */
static const double STATE_SHARE = 50;

static const crdi_option rows[] = {
#define OPT(...) CRDI_OPTION_ROW(crd_nuts_options, __VA_ARGS__)
#include "infer/mcmc_options.def"
#undef OPT
};
const crdi_option_table crdi_mcmc_option_table = CRDI_OPTION_TABLE("mcmc", crd_nuts_options, rows);

/* The statistics of a draw, in the order in which their columns follow the sites. */
static const char *const statistics[] = {"accept_prob", "diverging", "energy",    "log_density",
                                         "n_steps",     "step_size", "tree_depth"};
enum { STATISTICS = CRDI_COUNT(statistics) };

/* What a chain tells the monitor. */
struct news {
    atomic_llong iteration, gradients, warmup_gradients, divergences;
    _Atomic double step_size, started;
};

struct run {
    crd_context *ctx;
    const crd_model *model;
    crd_nuts_options options;
    crd_key key;
    const crdi_mcmc_before *before;
    const crdi_sink *sink;
    crd_program *values; /* (u) -> sites in the model's order, then the kept ones */
    crdi_starter starter;
    double *point; /* (chains, dim) where chains start; NULL: the starter says */
    int64_t point_gradients; /* what it took to find them */
    crdi_mcmc_columns columns;
    int64_t *column_offset; /* where a site column's value begins in the output of `values` */
    struct news *news; /* one a chain */
    double *warmup_seconds, *sampling_seconds, *cpu_seconds;
    crdi_turns *turns; /* NULL: every chain runs to its end */
    atomic_bool stopped;
};

/* ---- columns ------------------------------------------------------------------------------------------------ */

static int by_name(const void *a, const void *b)
{
    return strcmp(((const crd_column *)a)->name, ((const crd_column *)b)->name);
}

static crd_status check_keep(crd_context *ctx, const crd_nuts_options *options)
{
    if (options->keep_count < 0 || options->keep_count > MOST_KEPT)
        return crdi_raise(ctx, CRD_EINVAL, "keep: %d sites; 0 to %d can be kept", options->keep_count, MOST_KEPT);
    if (options->keep_count > 0 && !options->keep)
        return crdi_raise(ctx, CRD_EINVAL, "keep: %d sites, but no names", options->keep_count);
    return CRD_OK;
}

/* Names tell columns apart: none may come twice (`column` is sorted by name), nor be one of the statistics. */
static crd_status check_names(crd_context *ctx, const crd_column *column, int count)
{
    for (int i = 0; i < count; i++) {
        if (i > 0 && strcmp(column[i].name, column[i - 1].name) == 0)
            return crdi_raise(ctx, CRD_EINVAL, "keep: site %s is named twice", column[i].name);
        for (int k = 0; k < STATISTICS; k++)
            if (strcmp(column[i].name, statistics[k]) == 0)
                return crdi_raise(ctx, CRD_ENAME, "site %s: a statistic of the sampler has this name; rename the site",
                                  column[i].name);
    }
    return CRD_OK;
}

crd_status crdi_mcmc_columns_of(const crd_model *model, const crd_nuts_options *options, crdi_arena *arena,
                                crdi_mcmc_columns *out)
{
    int sites = crd_model_site_count(model), kept = options->keep_count, count = 0;
    crd_shape shapes[MOST_KEPT];
    crd_program *values;
    crd_context *ctx = crd_model_context(model);
    CRD_TRY(check_keep(ctx, options));
    CRD_TRY(crd_model_compile_values(model, options->keep, kept, shapes, &values));
    crd_program_destroy(&values);
    crd_column *column = crdi_arena_alloc(arena, sizeof *column * (size_t)(sites + kept + STATISTICS));
    if (!column)
        return CRD_ENOMEM;
    for (int i = 0; i < sites; i++, count++) {
        column[count].name = crdi_arena_strdup(arena, crd_model_site(model, i)->name);
        column[count].shape = crd_model_site(model, i)->shape;
    }
    for (int i = 0; i < kept; i++, count++) {
        column[count].name = crdi_arena_strdup(arena, options->keep[i]);
        column[count].shape = shapes[i];
        column[count].kind = CRD_COLUMN_DETERMINISTIC;
    }
    for (int i = 0; i < STATISTICS; i++) {
        column[count + i].name = crdi_arena_strdup(arena, statistics[i]);
        column[count + i].kind = CRD_COLUMN_STATISTIC;
    }
    for (int i = 0; i < count + STATISTICS; i++) {
        column[i].size = crd_shape_size(column[i].shape);
        if (!column[i].name)
            return CRD_ENOMEM;
    }
    qsort(column, (size_t)count, sizeof *column, by_name);
    CRD_TRY(check_names(ctx, column, count));
    count += STATISTICS;
    *out = (crdi_mcmc_columns){column, count};
    return CRD_OK;
}

/* Where each site's value is in the output of the values program. */
static void find_offsets(struct run *run)
{
    for (int c = 0; c < run->columns.count - STATISTICS; c++) {
        int64_t at = 0;
        for (int i = 0; i < crd_model_site_count(run->model); i++) {
            const crd_site *site = crd_model_site(run->model, i);
            if (strcmp(site->name, run->columns.column[c].name) == 0)
                run->column_offset[c] = at;
            at += site->size;
        }
        for (int i = 0; i < run->options.keep_count; i++) {
            int k = 0;
            while (strcmp(run->columns.column[k].name, run->options.keep[i]) != 0)
                k++;
            if (k == c)
                run->column_offset[c] = at;
            at += run->columns.column[k].size;
        }
    }
}

/* ---- one chain ---------------------------------------------------------------------------------------------- */

/* The draws of a chain that the sink has not got yet. */
struct block {
    double **values; /* by column: (BLOCK, size) */
    int64_t first, count;
    double flushed; /* when */
    double state_due; /* when the next state is to be kept */
    crdi_archive archive;
    double begun, warm, cpu; /* when the chain began, and its warm-up ended; its thread's time then */
};

static double pause_of(const struct run *run)
{
    return run->sink->pause > 0 ? run->sink->pause : PAUSE;
}

static crd_status block_create(const struct run *run, crdi_arena *arena, struct block *block)
{
    block->values = crdi_arena_alloc(arena, sizeof *block->values * (size_t)run->columns.count);
    for (int c = 0; block->values && c < run->columns.count; c++)
        if (!(block->values[c] = crdi_arena_alloc(arena, sizeof(double) * BLOCK * (size_t)run->columns.column[c].size)))
            return CRD_ENOMEM;
    block->flushed = crdi_seconds();
    block->state_due = block->flushed + pause_of(run);
    return block->values ? CRD_OK : CRD_ENOMEM;
}

static crd_status flush(const struct run *run, int chain, struct block *block)
{
    if (block->count > 0)
        CRD_TRY(
            run->sink->draws(run->sink->user, chain, block->first, block->count, (const double *const *)block->values));
    block->first += block->count;
    block->count = 0;
    block->flushed = crdi_seconds();
    return CRD_OK;
}

static void put(const struct run *run, struct block *block, crd_exec *values, const crdi_chain *chain,
                const crdi_transition *t)
{
    const crdi_hamiltonian *h = &chain->h;
    const double statistic[STATISTICS] = {t->accept_prob,     t->diverging, t->energy,    *h->log_density,
                                          (double)t->n_steps, h->step_size, t->tree_depth};
    int sites = run->columns.count - STATISTICS;
    memcpy(crd_exec_input(values), h->q, sizeof(double) * (size_t)h->dim);
    crd_exec_run(values);
    for (int c = 0; c < sites; c++) {
        int64_t size = run->columns.column[c].size;
        memcpy(block->values[c] + block->count * size, crd_exec_output(values) + run->column_offset[c],
               sizeof(double) * (size_t)size);
    }
    for (int s = 0; s < STATISTICS; s++)
        block->values[sites + s][block->count] = statistic[s];
    block->count++;
}

static void tell(struct news *news, const crdi_chain *chain)
{
    atomic_store_explicit(&news->iteration, chain->iteration, memory_order_relaxed);
    atomic_store_explicit(&news->gradients, chain->h.gradients, memory_order_relaxed);
    atomic_store_explicit(&news->step_size, chain->h.step_size, memory_order_relaxed);
    atomic_store_explicit(&news->warmup_gradients, chain->warmup_gradients, memory_order_relaxed);
    atomic_store_explicit(&news->divergences, chain->divergences, memory_order_relaxed);
}

static bool must_stop(struct run *run)
{
    if (run->options.stop && run->options.stop(run->options.stop_user))
        atomic_store(&run->stopped, true);
    return atomic_load_explicit(&run->stopped, memory_order_relaxed);
}

static double thread_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void note_times(const struct run *run, int number, const struct block *block)
{
    const crdi_mcmc_before *before = run->before;
    run->warmup_seconds[number] = block->warm - block->begun + (before ? before->warmup_seconds : 0);
    run->sampling_seconds[number] = crdi_seconds() - block->warm + (before ? before->sampling_seconds : 0);
    run->cpu_seconds[number] = thread_seconds() - block->cpu;
}

/* Behind the draws that came before it. */
static crd_status keep_state(const struct run *run, int number, crdi_chain *chain, struct block *block)
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
static crd_status hand_over_warmup(const struct run *run, int number, const crdi_chain *chain, crd_exec *values,
                                   struct block *block, const crdi_transition *t)
{
    put(run, block, values, chain, t);
    block->count = 0; /* it was empty, until sampling begins */
    return run->sink->warmup(run->sink->user, number, chain->iteration - 1, (const double *const *)block->values);
}

/* A draw behind the warm-up. */
static crd_status take_draw(const struct run *run, int number, crdi_chain *chain, crd_exec *values, struct block *block,
                            const crdi_transition *t, double now)
{
    const crdi_sink *sink = run->sink;
    put(run, block, values, chain, t);
    if (sink->wants_state && sink->wants_state(sink->user, number, block->first + block->count))
        return keep_state(run, number, chain, block);
    return block->count == BLOCK || now - block->flushed > pause_of(run) ? flush(run, number, block) : CRD_OK;
}

static crd_status draw_all(struct run *run, int number, crdi_chain *chain, crd_exec *values, struct block *block)
{
    crdi_transition t;
    const crd_nuts_options *o = &run->options;
    int64_t total = o->warmup + o->draws * o->thin;
    block->first = crdi_mcmc_draws_of(o, chain->iteration);
    while (chain->iteration < total && !must_stop(run)) {
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

/* From its start, or from where it was. */
static crd_status begin_chain(const struct run *run, int number, crdi_chain *chain)
{
    const crdi_mcmc_before *before = run->before;
    if (before && before->chain && before->chain[number].bytes) {
        crdi_archive archive;
        crdi_archive_read(&archive, run->ctx, before->chain[number].bytes, before->chain[number].size);
        crdi_chain_state(chain, &archive);
        if (archive.status < 0)
            return crdi_error_prefix(run->ctx, archive.status, "chain %d", number);
        tell(&run->news[number], chain);
        return crdi_chain_check(chain, number);
    }
    chain->starter = run->starter.program ? &run->starter : NULL;
    chain->point = run->point ? run->point + number * crd_model_dim(run->model) : NULL;
    chain->h.gradients = number == 0 ? run->point_gradients : 0;
    if (before && before->warm_count > 0)
        CRD_TRY(crdi_chain_warm(chain, &before->warm[number % before->warm_count]));
    return crdi_chain_start(chain, number);
}

static crd_status run_chain(void *user, int64_t number)
{
    struct run *run = user;
    crdi_arena *arena = NULL;
    crdi_chain chain = {0};
    crd_exec *values = NULL;
    crdi_turns_enter(run->turns, number);
    struct block block = {.cpu = thread_seconds(), .begun = crdi_seconds()};
    block.warm = block.begun;
    atomic_store(&run->news[number].started, block.begun);
    crd_status status = crdi_arena_create(&arena, run->ctx);
    if (status == CRD_OK)
        status = block_create(run, arena, &block);
    if (status == CRD_OK)
        status = crd_exec_create(&values, run->values);
    if (status == CRD_OK)
        status = crdi_chain_create(&chain, run->ctx, crd_model_density(run->model), &run->options,
                                   crd_key_fold_in(run->key, (uint32_t)number));
    if (status == CRD_OK)
        status = crdi_exec_share_threads(chain.h.exec, run->options.threads, run->options.chains);
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

/* ---- progress ----------------------------------------------------------------------------------------------- */

struct monitor {
    struct run *run;
    crd_chain_progress *progress;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool started, ended;
};

static void report_progress(struct monitor *m)
{
    struct run *run = m->run;
    for (int64_t c = 0; c < run->options.chains; c++) {
        struct news *news = &run->news[c];
        double started = atomic_load(&news->started);
        int64_t gradients = atomic_load(&news->gradients);
        m->progress[c] = (crd_chain_progress){.iteration = atomic_load(&news->iteration),
                                              .warmup = run->options.warmup,
                                              .total = run->options.warmup + run->options.draws * run->options.thin,
                                              .step_size = atomic_load(&news->step_size),
                                              .gradients = gradients,
                                              .sampling_gradients = gradients - atomic_load(&news->warmup_gradients),
                                              .divergences = atomic_load(&news->divergences),
                                              .seconds = started > 0 ? crdi_seconds() - started : 0};
    }
    run->options.progress(run->options.progress_user, m->progress, (int)run->options.chains);
}

static void *watch(void *argument)
{
    struct monitor *m = argument;
    pthread_mutex_lock(&m->lock);
    while (!m->ended) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += 100000000;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        pthread_cond_timedwait(&m->wake, &m->lock, &until);
        if (!m->ended)
            report_progress(m);
    }
    pthread_mutex_unlock(&m->lock);
    return NULL;
}

static crd_status monitor_start(struct monitor *m, struct run *run)
{
    *m = (struct monitor){.run = run};
    if (!run->options.progress)
        return CRD_OK;
    m->progress = crdi_alloc_array(run->ctx, run->options.chains, sizeof *m->progress);
    if (!m->progress)
        return CRD_ENOMEM;
    pthread_mutex_init(&m->lock, NULL);
    pthread_cond_init(&m->wake, NULL);
    m->started = pthread_create(&m->thread, NULL, watch, m) == 0;
    return CRD_OK;
}

static void monitor_end(struct monitor *m)
{
    if (m->started) {
        pthread_mutex_lock(&m->lock);
        m->ended = true;
        pthread_cond_signal(&m->wake);
        pthread_mutex_unlock(&m->lock);
        pthread_join(m->thread, NULL);
    }
    if (m->progress) {
        report_progress(m); /* the end, however short the run was */
        pthread_cond_destroy(&m->wake);
        pthread_mutex_destroy(&m->lock);
    }
    crdi_free(m->run->ctx, m->progress);
}

/* ---- all chains --------------------------------------------------------------------------------------------- */

crd_status crdi_mcmc_complete(crd_context *ctx, const crd_nuts_options *given, crd_nuts_options *out)
{
    static const crd_nuts_options none = {0};
    *out = given ? *given : none;
    bool no_warmup = out->warmup == -1; /* 0 stands for the default */
    if (no_warmup)
        out->warmup = 0;
    CRD_TRY(crdi_options_complete(ctx, &crdi_mcmc_option_table, out));
    if (no_warmup)
        out->warmup = 0;
    if (!out->kernel)
        out->kernel = "nuts";
    if (!crdi_mcmc_kernel_find(out->kernel))
        return crdi_raise_unknown_kernel(ctx, out->kernel);
    return CRD_OK;
}

static void write_report(const struct run *run, crdi_mcmc_report *report)
{
    *report = (crdi_mcmc_report){.gradient_seconds = run->before ? run->before->gradient_seconds : 0};
    for (int64_t c = 0; c < run->options.chains; c++) {
        if (run->warmup_seconds[c] > report->warmup_seconds)
            report->warmup_seconds = run->warmup_seconds[c];
        if (run->sampling_seconds[c] > report->sampling_seconds)
            report->sampling_seconds = run->sampling_seconds[c];
        report->gradient_seconds += run->cpu_seconds[c];
        report->gradient_evaluations += atomic_load(&run->news[c].gradients);
        report->divergences += atomic_load(&run->news[c].divergences);
    }
}

/* Whether all chains go on from a state. */
static bool all_saved(const struct run *run)
{
    for (int64_t c = 0; c < run->options.chains; c++)
        if (!run->before || !run->before->chain || !run->before->chain[c].bytes)
            return false;
    return true;
}

/* Start points are draws of Pathfinder, different ones where there are enough. */
static crd_status find_points(struct run *run, crdi_arena *arena)
{
    static const uint32_t KEY_POINTS = 0xfffffffe; /* no chain has this number */
    const crd_nuts_options *o = &run->options;
    int64_t dim = crd_model_dim(run->model), paths = o->chains > 4 ? o->chains : 4;
    crd_pathfinder_options options = {.paths = paths,
                                      .path_draws = 100,
                                      .init_radius = o->init_radius,
                                      .threads = o->threads,
                                      .stop = o->stop,
                                      .stop_user = o->stop_user};
    crd_pathfinder *pf;
    run->point = crdi_arena_alloc(arena, sizeof *run->point * (size_t)(o->chains * dim));
    if (!run->point)
        return CRD_ENOMEM;
    crd_status status = crd_pathfinder_run(run->model, &options, crd_key_fold_in(run->key, KEY_POINTS), &pf);
    if (status != CRD_OK)
        return status;
    int64_t found = crdi_pathfinder_distinct(pf, o->chains, run->point);
    for (int64_t c = found; c < o->chains; c++)
        memcpy(run->point + c * dim, run->point + c % found * dim, sizeof *run->point * (size_t)dim);
    for (int64_t i = 0; i < paths; i++)
        run->point_gradients += crd_pathfinder_path_of(pf, i)->evaluations;
    crd_pathfinder_destroy(&pf);
    return CRD_OK;
}

/* All chains, at most `threads` at a time. */
static crd_status run_chains(struct run *run)
{
    int threads = run->options.threads > 0 ? (int)run->options.threads : crdi_processors();
    bool turns = run->sink->together && threads < run->options.chains;
    if (turns)
        CRD_TRY(crdi_turns_create(run->ctx, threads, run->options.chains, &run->turns));
    crd_status status =
        crdi_parallel(run->ctx, turns ? (int)run->options.chains : threads, run->options.chains, run_chain, run);
    crdi_turns_destroy(&run->turns);
    return status;
}

static crd_status run_all(struct run *run, crdi_arena *arena, crdi_mcmc_report *report)
{
    struct monitor monitor;
    size_t chains = (size_t)run->options.chains;
    CRD_TRY(crdi_mcmc_columns_of(run->model, &run->options, arena, &run->columns));
    CRD_TRY(crd_model_compile_values(run->model, run->options.keep, run->options.keep_count, NULL, &run->values));
    run->column_offset = crdi_arena_alloc(arena, sizeof *run->column_offset * (size_t)run->columns.count);
    run->news = crdi_arena_alloc(arena, sizeof *run->news * chains);
    run->warmup_seconds = crdi_arena_alloc(arena, sizeof(double) * chains);
    run->sampling_seconds = crdi_arena_alloc(arena, sizeof(double) * chains);
    run->cpu_seconds = crdi_arena_alloc(arena, sizeof(double) * chains);
    if (!run->column_offset || !run->news || !run->warmup_seconds || !run->sampling_seconds || !run->cpu_seconds)
        return CRD_ENOMEM;
    find_offsets(run);
    CRD_TRY(crdi_chain_starter(run->model, &run->options, &run->starter));
    if (strcmp(run->options.start, "pathfinder") == 0 && !all_saved(run)) {
        crd_status found = find_points(run, arena);
        if (found != CRD_OK)
            return found;
    }
    CRD_TRY(monitor_start(&monitor, run));
    crd_status status = run_chains(run);
    monitor_end(&monitor);
    if (report)
        write_report(run, report);
    return status == CRD_OK && atomic_load(&run->stopped) ? CRD_INTERRUPTED : status;
}

int64_t crdi_mcmc_draws_of(const crd_nuts_options *options, int64_t iteration)
{
    int64_t thin = options->thin > 0 ? options->thin : 1;
    return iteration > options->warmup ? (iteration - options->warmup) / thin : 0;
}

crd_status crdi_mcmc_run(const crd_model *model, const crd_nuts_options *options, crd_key key,
                         const crdi_mcmc_before *before, const crdi_sink *sink, crdi_mcmc_report *report)
{
    crd_context *ctx = crd_model_context(model);
    struct run run = {.ctx = ctx, .model = model, .key = key, .before = before, .sink = sink};
    crdi_arena *arena;
    CRD_TRY(crdi_mcmc_complete(ctx, options, &run.options));
    CRD_TRY(crdi_arena_create(&arena, ctx));
    crd_status status = run_all(&run, arena, report);
    crd_program_destroy(&run.values);
    crdi_starter_destroy(&run.starter);
    crdi_arena_destroy(&arena);
    return status;
}

/* ---- into memory -------------------------------------------------------------------------------------------- */

/* How many draws every chain has: those that took a step. */
static int64_t common_draws(const crd_posterior *p)
{
    const crd_column *steps = crd_posterior_find(p, "n_steps");
    int64_t least = p->draws;
    for (int c = 0; c < p->chains; c++) {
        int64_t d = 0;
        while (d < least && steps->draws[c * p->draws + d] != 0)
            d++;
        least = d;
    }
    return least;
}

/* Cuts every chain to `draws`. */
static void cut(crd_posterior *p, int64_t draws)
{
    for (int c = 0; c < p->column_count; c++)
        for (int chain = 1; chain < p->chains; chain++)
            memmove(p->column[c].draws + chain * draws * p->column[c].size,
                    p->column[c].draws + chain * p->draws * p->column[c].size,
                    sizeof(double) * (size_t)(draws * p->column[c].size));
    p->draws = draws;
}

crd_status crd_nuts_run(const crd_model *model, const crd_nuts_options *options, crd_key key, crd_posterior **out)
{
    crd_context *ctx = crd_model_context(model);
    crd_nuts_options full;
    crdi_mcmc_columns columns;
    crdi_mcmc_report report;
    crd_posterior *posterior = NULL;
    crdi_arena *arena;
    CRD_TRY(crdi_mcmc_complete(ctx, options, &full));
    CRD_TRY(crdi_arena_create(&arena, ctx));
    crd_status status = crdi_mcmc_columns_of(model, &full, arena, &columns);
    if (status == CRD_OK)
        status = crd_posterior_create(&posterior, ctx, (int)full.chains, full.draws, columns.column, columns.count);
    if (status == CRD_OK) {
        crdi_sink sink = crdi_sink_to_posterior(posterior);
        status = crdi_mcmc_run(model, options, key, NULL, &sink, &report);
    }
    crdi_arena_destroy(&arena);
    if (status < 0) {
        crd_posterior_destroy(&posterior);
        return status;
    }
    if (status == CRD_INTERRUPTED)
        cut(posterior, common_draws(posterior));
    posterior->warmup = full.warmup;
    posterior->warmup_seconds = report.warmup_seconds;
    posterior->sampling_seconds = report.sampling_seconds;
    posterior->gradient_evaluations = report.gradient_evaluations;
    posterior->gradient_seconds = report.gradient_seconds;
    *out = posterior;
    return status;
}
