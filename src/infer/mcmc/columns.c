/* columns.c - what a run of chains hands to its sink: sites, kept deterministic sites, statistics of the sampler. */
#include "infer/mcmc/run.h"

#include <stdlib.h>
#include <string.h>

/* The statistics of a draw, in the order in which their columns follow the sites. */
static const char *const statistics[CRDI_MCMC_STATISTICS] = {"accept_prob", "diverging", "energy",    "log_density",
                                                             "n_steps",     "step_size", "tree_depth"};

static int by_name(const void *a, const void *b)
{
    return strcmp(((const crd_column *)a)->name, ((const crd_column *)b)->name);
}

static crd_status check_keep(crd_context *ctx, const crd_nuts_options *options)
{
    if (options->keep_count < 0 || options->keep_count > CRDI_MCMC_MOST_KEPT)
        return crdi_raise(ctx, CRD_EINVAL, "keep: %d sites; 0 to %d can be kept", options->keep_count,
                          CRDI_MCMC_MOST_KEPT);
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
        for (int k = 0; k < CRDI_MCMC_STATISTICS; k++)
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
    crd_shape shapes[CRDI_MCMC_MOST_KEPT];
    crd_program *values;
    crd_context *ctx = crd_model_context(model);
    CRD_TRY(check_keep(ctx, options));
    CRD_TRY(crd_model_compile_values(model, options->keep, kept, shapes, &values));
    crd_program_destroy(&values);
    crd_column *column = crdi_arena_alloc(arena, sizeof *column * (size_t)(sites + kept + CRDI_MCMC_STATISTICS));
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
    for (int i = 0; i < CRDI_MCMC_STATISTICS; i++) {
        column[count + i].name = crdi_arena_strdup(arena, statistics[i]);
        column[count + i].kind = CRD_COLUMN_STATISTIC;
    }
    for (int i = 0; i < count + CRDI_MCMC_STATISTICS; i++) {
        column[i].size = crd_shape_size(column[i].shape);
        if (!column[i].name)
            return CRD_ENOMEM;
    }
    qsort(column, (size_t)count, sizeof *column, by_name);
    CRD_TRY(check_names(ctx, column, count));
    count += CRDI_MCMC_STATISTICS;
    *out = (crdi_mcmc_columns){column, count};
    return CRD_OK;
}

void crdi_mcmc_find_offsets(crdi_mcmc_run_state *run)
{
    for (int c = 0; c < run->columns.count - CRDI_MCMC_STATISTICS; c++) {
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
