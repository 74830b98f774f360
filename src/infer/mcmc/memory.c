/* memory.c - a run into memory: crd_nuts_run. */
#include "infer/mcmc.h"

#include <string.h>

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

crd_status crdi_mcmc_into_memory(crdi_mcmc_run_fn run, void *user, const crd_model *model,
                                 const crd_nuts_options *options, crd_key key, crd_posterior **out)
{
    crd_context *ctx = crd_model_context(model);
    crd_nuts_options full;
    crdi_mcmc_columns columns;
    crdi_mcmc_report report = {0};
    crd_posterior *posterior = NULL;
    crdi_arena *arena;
    CRD_TRY(crdi_mcmc_complete(ctx, options, &full));
    CRD_TRY(crdi_arena_create(&arena, ctx));
    crd_status status = crdi_mcmc_columns_of(model, &full, arena, &columns);
    if (status == CRD_OK)
        status = crd_posterior_create(&posterior, ctx, (int)full.chains, full.draws, columns.column, columns.count);
    if (status == CRD_OK) {
        crdi_sink sink = crdi_sink_to_posterior(posterior);
        status = run(user, model, options, key, &sink, &report);
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

static crd_status run_chains(void *user, const crd_model *model, const crd_nuts_options *options, crd_key key,
                             const crdi_sink *sink, crdi_mcmc_report *report)
{
    (void)user;
    return crdi_mcmc_run(model, options, key, NULL, sink, report);
}

crd_status crd_nuts_run(const crd_model *model, const crd_nuts_options *options, crd_key key, crd_posterior **out)
{
    return crdi_mcmc_into_memory(run_chains, NULL, model, options, key, out);
}
