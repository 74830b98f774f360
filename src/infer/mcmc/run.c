/* run.c - all chains of a run: options, threads, what it cost. One chain: draws.c. */
#include "infer/mcmc/trained.h"

#include <string.h>

static const crdi_option rows[] = {
#define OPT(...) CRDI_OPTION_ROW(crd_nuts_options, __VA_ARGS__)
#include "infer/mcmc_options.def"
#undef OPT
};
const crdi_option_table crdi_mcmc_option_table = CRDI_OPTION_TABLE("mcmc", crd_nuts_options, rows);

crd_status crdi_mcmc_complete(crd_context *ctx, const crd_nuts_options *given, crd_nuts_options *out)
{
    static const crd_nuts_options none = {0};
    *out = given ? *given : none;
    bool no_warmup = out->warmup == -1, no_validation = out->start_validation == -1; /* 0 stands for the default */
    if (no_warmup)
        out->warmup = 0;
    if (no_validation)
        out->start_validation = 0;
    CRD_TRY(crdi_options_complete(ctx, &crdi_mcmc_option_table, out));
    if (no_warmup)
        out->warmup = 0;
    if (no_validation)
        out->start_validation = 0;
    if (!out->kernel)
        out->kernel = "nuts";
    if (!crdi_mcmc_kernel_find(out->kernel))
        return crdi_raise_unknown_kernel(ctx, out->kernel);
    return CRD_OK;
}

crd_status crdi_mcmc_check_start(crd_context *ctx, const crd_nuts_options *options)
{
    static const char *const whole[] = {"map", "pathfinder"};
    const crdi_mcmc_kernel *kernel = crdi_mcmc_kernel_find(options->kernel);
    for (int i = 0; i < CRDI_COUNT(whole) && kernel->rows != CRDI_ROWS_ALL && options->start; i++)
        if (strcmp(options->start, whole[i]) == 0)
            return crdi_raise(ctx, CRD_EINVAL,
                              "option start: '%s' takes gradients of all rows at once, which method %s does not; "
                              "uniform, prior, ensemble and median go with it",
                              whole[i], options->kernel);
    return CRD_OK;
}

static void write_report(const crdi_mcmc_run_state *run, crdi_mcmc_report *report)
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
static bool all_saved(const crdi_mcmc_run_state *run)
{
    for (int64_t c = 0; c < run->options.chains; c++)
        if (!run->before || !run->before->chain || !run->before->chain[c].bytes)
            return false;
    return true;
}

/* All chains, at most `threads` at a time. */
static crd_status run_chains(crdi_mcmc_run_state *run)
{
    int threads = run->options.threads > 0 ? (int)run->options.threads : crdi_processors();
    bool turns = run->sink->together && threads < run->options.chains;
    if (turns)
        CRD_TRY(crdi_turns_create(run->ctx, threads, run->options.chains, &run->turns));
    crd_status status = crdi_parallel(run->ctx, turns ? (int)run->options.chains : threads, run->options.chains,
                                      crdi_mcmc_run_chain, run);
    crdi_turns_destroy(&run->turns);
    return status;
}

/* What goes with batches of rows, and what only with them. */
static crd_status check_batches(crd_context *ctx, const crd_nuts_options *o)
{
    crdi_kernel_rows kind = crdi_mcmc_kernel_find(o->kernel)->rows;
    if (kind != CRDI_ROWS_SAMPLED && o->batch != 0)
        return crdi_raise(ctx, CRD_EINVAL, "option batch goes with kernel sgld and sghmc, not %s", o->kernel);
    if (kind == CRDI_ROWS_ALL && o->plate && strcmp(o->start, "ensemble") != 0)
        return crdi_raise(ctx, CRD_EINVAL,
                          "option plate goes with kernel sgld, sghmc and split_hmc, and start ensemble, not %s",
                          o->kernel);
    if (o->batch < 0)
        return crdi_raise(ctx, CRD_EINVAL, "option batch: %lld rows; 0 means as many as the model's plate takes",
                          (long long)o->batch);
    if (kind == CRDI_ROWS_SAMPLED && o->cyclical > o->draws * o->thin)
        return crdi_raise(ctx, CRD_EINVAL, "option cyclical: %lld cycles, and there are %lld iterations to draw in",
                          (long long)o->cyclical, (long long)(o->draws * o->thin));
    return crdi_mcmc_check_start(ctx, o);
}

static crd_status make_batches(crdi_mcmc_run_state *run)
{
    const crd_nuts_options *o = &run->options;
    crdi_kernel_rows kind = crdi_mcmc_kernel_find(o->kernel)->rows;
    CRD_TRY(check_batches(run->ctx, o));
    if (kind == CRDI_ROWS_ALL)
        return CRD_OK;
    if (kind == CRDI_ROWS_SPLIT)
        return crdi_batches_create_count(run->model, o->plate, o->batches, &run->batches);
    return crdi_batches_create(run->model, o->plate, o->batch, &run->batches);
}

crd_status crdi_mcmc_find_blocks(const crd_model *model, const char *method, const char *blocks, crdi_scale_sites *out)
{
    const crdi_mcmc_kernel *kernel = crdi_mcmc_kernel_find(method);
    if (!blocks || strcmp(blocks, "none") == 0)
        return CRD_OK;
    if (strcmp(blocks, "all") == 0 && (kernel->rows != CRDI_ROWS_ALL || kernel->add_blocks))
        return crdi_raise(crd_model_context(model), CRD_EINVAL,
                          "blocks all: the conditional distribution of a noise is of all rows%s; blocks scales goes "
                          "with method %s",
                          kernel->add_blocks ? " at temperature 1" : " at once", kernel->name);
    return crdi_scale_sites_need(model, blocks, out);
}

/* Points that are found before chains begin; none if the starter draws them, or they are given, or all chains go on. */
static crd_status find_starts(crdi_mcmc_run_state *run, crdi_arena *arena)
{
    if (all_saved(run) || (run->before && run->before->points))
        return CRD_OK;
    if (strcmp(run->options.start, "pathfinder") == 0)
        return crdi_mcmc_find_points(run, arena);
    return strcmp(run->options.start, "ensemble") == 0 ? crdi_mcmc_train_points(run, arena) : CRD_OK;
}

static crd_status run_all(crdi_mcmc_run_state *run, crdi_arena *arena, crdi_mcmc_report *report)
{
    crdi_mcmc_monitor *monitor;
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
    crdi_mcmc_find_offsets(run);
    CRD_TRY(make_batches(run));
    CRD_TRY(crdi_mcmc_find_blocks(run->model, run->options.kernel, run->options.blocks, &run->scales));
    CRD_TRY(crdi_chain_starter(run->model, &run->options, &run->starter));
    CRD_TRY(crdi_mcmc_monitor_start(run, &monitor));
    crd_status status = find_starts(run, arena);
    bool found = status == CRD_OK;
    if (found)
        status = run_chains(run);
    crdi_mcmc_monitor_end(&monitor);
    if (!found)
        return status;
    if (report)
        write_report(run, report);
    return status == CRD_OK && atomic_load(&run->stopped) ? CRD_INTERRUPTED : status;
}

crd_status crdi_mcmc_run(const crd_model *model, const crd_nuts_options *options, crd_key key,
                         const crdi_mcmc_before *before, const crdi_sink *sink, crdi_mcmc_report *report)
{
    crd_context *ctx = crd_model_context(model);
    crdi_mcmc_run_state run = {.ctx = ctx, .model = model, .key = key, .before = before, .sink = sink};
    crdi_arena *arena;
    CRD_TRY(crdi_mcmc_complete(ctx, options, &run.options));
    CRD_TRY(crdi_arena_create(&arena, ctx));
    crd_status status = run_all(&run, arena, report);
    crd_program_destroy(&run.values);
    crdi_batches_clear(&run.batches);
    crdi_starter_destroy(&run.starter);
    crdi_scale_sites_destroy(&run.scales);
    crdi_arena_destroy(&arena);
    return status;
}
