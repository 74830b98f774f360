/* tempered_draws.c - particles as draws of a model's sites. */
#include "infer/tempered/tempered.h"

#include <string.h>

static const char *const statistics[] = {"log_density", "log_likelihood"};
enum { STATISTICS = CRDI_COUNT(statistics), BLOCK = 64 };

static crd_status check_names(crd_context *ctx, const crd_column *column, int sites)
{
    for (int c = 0; c < sites; c++) {
        for (int k = 0; k < STATISTICS; k++)
            if (strcmp(column[c].name, statistics[k]) == 0)
                return crdi_raise(ctx, CRD_ENAME, "site %s: a statistic of the draws has this name; rename the site",
                                  column[c].name);
        for (int k = 0; k < c; k++)
            if (strcmp(column[c].name, column[k].name) == 0)
                return crdi_raise(ctx, CRD_EINVAL, "keep: site %s is named twice", column[c].name);
    }
    return CRD_OK;
}

crd_status crdi_tempered_columns(const crd_model *model, const char *const *keep, int keep_count, crdi_arena *arena,
                                 crdi_mcmc_columns *out, crd_program **values)
{
    int sites = crd_model_site_count(model), count = sites + keep_count + STATISTICS;
    crd_program *program;
    crd_shape *shape = crdi_arena_alloc(arena, sizeof *shape * (size_t)(keep_count + 1));
    crd_column *column = crdi_arena_alloc(arena, sizeof *column * (size_t)count);
    bool whole = true;
    if (!shape || !column)
        return CRD_ENOMEM;
    CRD_TRY(crd_model_compile_values(model, keep, keep_count, shape, &program));
    for (int c = 0; c < count; c++) {
        const crd_site *site = c < sites ? crd_model_site(model, c) : NULL;
        int k = c - sites, s = k - keep_count;
        column[c].kind = site ? CRD_COLUMN_LATENT : s < 0 ? CRD_COLUMN_DETERMINISTIC : CRD_COLUMN_STATISTIC;
        column[c].name = crdi_arena_strdup(arena, site ? site->name : s < 0 ? keep[k] : statistics[s]);
        column[c].shape = site ? site->shape : s < 0 ? shape[k] : crd_shape_0();
        column[c].size = crd_shape_size(column[c].shape);
        whole = whole && column[c].name;
    }
    crd_status status = whole ? check_names(crd_model_context(model), column, sites + keep_count) : CRD_ENOMEM;
    if (status == CRD_OK && values) {
        *values = program;
        program = NULL;
    }
    crd_program_destroy(&program);
    *out = (crdi_mcmc_columns){column, count};
    return status;
}

/* ---- to a sink ---------------------------------------------------------------------------------------------- */

static crd_status create_block(crdi_arena *arena, const crdi_mcmc_columns *columns, double ***out)
{
    double **block = crdi_arena_alloc(arena, sizeof *block * (size_t)columns->count);
    for (int c = 0; block && c < columns->count; c++)
        if (!(block[c] = crdi_arena_alloc(arena, sizeof(double) * BLOCK * (size_t)columns->column[c].size)))
            return CRD_ENOMEM;
    *out = block;
    return block ? CRD_OK : CRD_ENOMEM;
}

static void put(const crdi_mcmc_columns *columns, double *const *block, int64_t row, const double *value)
{
    for (int c = 0; c < columns->count - STATISTICS; c++) {
        int64_t size = columns->column[c].size;
        memcpy(block[c] + row * size, value, sizeof *value * (size_t)size);
        value += size;
    }
}

crd_status crdi_tempered_hand_over(const crdi_tempered *t, const crd_program *values, const crdi_mcmc_columns *columns,
                                   int chain, int64_t count, const double *u, const double *log_prior,
                                   const double *log_likelihood, const crdi_sink *sink)
{
    crdi_arena *arena;
    crd_exec *exec = NULL;
    double **block = NULL;
    int first_statistic = columns->count - STATISTICS;
    CRD_TRY(crdi_arena_create(&arena, t->ctx));
    crd_status status = create_block(arena, columns, &block);
    if (status == CRD_OK)
        status = crd_exec_create(&exec, values);
    for (int64_t first = 0, rows; first < count && status == CRD_OK; first += rows) {
        rows = count - first < BLOCK ? count - first : BLOCK;
        for (int64_t row = 0; row < rows; row++) {
            int64_t i = first + row;
            memcpy(crd_exec_input(exec), u + i * t->dim, sizeof *u * (size_t)t->dim);
            crd_exec_run(exec);
            put(columns, block, row, crd_exec_output(exec));
            block[first_statistic][row] = log_prior[i] + log_likelihood[i];
            block[first_statistic + 1][row] = log_likelihood[i];
        }
        status = sink->draws(sink->user, chain, first, rows, (const double *const *)block);
    }
    crd_exec_destroy(&exec);
    crdi_arena_destroy(&arena);
    return status;
}

/* ---- to memory ---------------------------------------------------------------------------------------------- */

static crd_status run_into(crdi_tempered_fn run, const crd_model *model, const crd_tempered_options *o, crd_key key,
                           int chains, int64_t draws, crd_posterior **posterior, crd_evidence *evidence)
{
    crdi_arena *arena;
    crdi_mcmc_columns columns;
    crdi_mcmc_report report = {0};
    crd_context *ctx = crd_model_context(model);
    CRD_TRY(crdi_arena_create(&arena, ctx));
    crd_status status = crdi_tempered_columns(model, o->keep, o->keep_count, arena, &columns, NULL);
    if (status == CRD_OK)
        status = crd_posterior_create(posterior, ctx, chains, draws, columns.column, columns.count);
    if (status == CRD_OK) {
        crdi_sink sink = crdi_sink_to_posterior(*posterior);
        status = run(model, o, key, NULL, &sink, &report, evidence);
    }
    crdi_arena_destroy(&arena);
    if (status != CRD_OK)
        return status;
    (*posterior)->warmup_seconds = report.warmup_seconds;
    (*posterior)->sampling_seconds = report.sampling_seconds;
    (*posterior)->gradient_evaluations = report.gradient_evaluations;
    (*posterior)->gradient_seconds = report.gradient_seconds;
    return CRD_OK;
}

crd_status crdi_tempered_into_memory(crdi_tempered_fn run, const crd_model *model, const crd_tempered_options *options,
                                     crd_key key, int chains, int64_t draws, crd_posterior **out,
                                     crd_evidence *evidence)
{
    crd_posterior *posterior = NULL;
    crdi_mcmc_report report = {0};
    if (!out)
        return run(model, options, key, NULL, NULL, &report, evidence);
    crd_status status = run_into(run, model, options, key, chains, draws, &posterior, evidence);
    if (status == CRD_OK)
        *out = posterior;
    else
        crd_posterior_destroy(&posterior);
    return status;
}
