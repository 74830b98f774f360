/* bench_samplers.c - what a gradient is worth to each sampler: the smallest effective sample size of the network's function
 * for a million gradients, start and warm-up counted.
 *
 * The size is that of the mean (crd_diag_ess_mean), the least over 200 inputs from -1.5 to 1.5, of 4 chains. A sampler that is
 * not exact shows its bias: the mean of s stands beside. Chains are as long as makes warm-up a tenth or so of the cost. */
#include "cli/bench.h"
#include "cli/demo.h"

#include <credence/diag.h>
#include <credence/mcmc.h>
#include <math.h>
#include <stdlib.h>

enum { INPUTS = CRDI_DEMO_GRID, CHAINS = 4 };

static const struct way {
    const char *what;
    crd_nuts_options options;
} ways[] = {
    {"nuts", {.kernel = "nuts", .warmup = 500, .draws = 1500}},
    {"nuts, metric fisher", {.kernel = "nuts", .metric = "fisher", .warmup = 500, .draws = 1500}},
    {"hmc, path 2 pi", {.kernel = "hmc", .warmup = 300, .draws = 1500}},
    {"mams", {.kernel = "mams", .warmup = 500, .draws = 2000}},
    {"mclmc", {.kernel = "mclmc", .warmup = 500, .draws = 8000}},
    {"mclmc, metric fisher", {.kernel = "mclmc", .metric = "fisher", .warmup = 500, .draws = 8000}},
    {"mclmc, fisher, leapfrog, energy variance 0.02",
     {.kernel = "mclmc",
      .metric = "fisher",
      .integrator = "leapfrog",
      .energy_variance = 2e-2,
      .warmup = 500,
      .draws = 8000}},
    {"mclmc, energy variance 0.01", {.kernel = "mclmc", .energy_variance = 1e-2, .warmup = 500, .draws = 8000}},
};

/* The smallest size over inputs; f is (chains, draws, INPUTS). */
static crd_status smallest_size(crd_context *ctx, const crd_array *f, double *out)
{
    int64_t draws = f->shape.dim[1], count = CHAINS * draws;
    double *series = crdi_alloc_array(ctx, count, sizeof *series);
    crd_status status = series ? CRD_OK : CRD_ENOMEM;
    *out = INFINITY;
    for (int i = 0; i < INPUTS && status == CRD_OK; i++) {
        double size;
        for (int64_t d = 0; d < count; d++)
            series[d] = f->data[d * INPUTS + i];
        status = crd_diag_ess_mean(ctx, series, CHAINS, draws, &size);
        *out = fmin(*out, size);
    }
    crdi_free(ctx, series);
    return status;
}

static void print(const crdi_bench *bench, const struct way *way, const crd_posterior *p, double size)
{
    const crd_column *s = crd_posterior_find(p, "s");
    int64_t count = CHAINS * p->draws;
    double gradients = 1e-6 * (double)p->gradient_evaluations, mean = crd_diag_mean(s->draws, count);
    if (crdi_bench_json(bench))
        printf(
            "{\"bench\": \"%s\", \"what\": \"%s\", \"unit\": \"effective draws of f a million gradients\", "
            "\"median\": %.6g, \"per_second\": %.6g, \"gradients\": %lld, \"mean_s\": %.6g, \"divergences\": %lld}\n",
            bench->name, way->what, size / gradients, size / p->gradient_seconds, (long long)p->gradient_evaluations,
            mean, (long long)crd_posterior_divergences(p));
    else
        printf("%-48s %10.0f %12.0f %12.2f %10.4f %12lld\n", way->what, size / gradients, size / p->gradient_seconds,
               gradients, mean, (long long)crd_posterior_divergences(p));
    fflush(stdout);
}

static crd_status run_way(const crdi_bench *bench, const crd_model *model, const crd_network *test,
                          const struct way *way)
{
    crd_nuts_options options = way->options;
    crd_posterior *posterior = NULL;
    crd_network at = *test;
    crd_array f = {0};
    double size = 0;
    options.chains = CHAINS;
    crd_status status = crd_nuts_run(model, &options, crd_key_make(1234), &posterior);
    if (status == CRD_OK)
        status = crd_predict(model, posterior, &at, "f", crd_key_make(1), &f);
    if (status == CRD_OK)
        status = smallest_size(bench->ctx, &f, &size);
    if (status == CRD_OK)
        print(bench, way, posterior, size);
    crd_array_clear(&f);
    crd_posterior_destroy(&posterior);
    return status;
}

crd_status crdi_bench_samplers(const crdi_bench *bench)
{
    double x[INPUTS];
    crd_network test = *bench->network;
    crd_model *model;
    for (int i = 0; i < INPUTS; i++)
        x[i] = crdi_demo_grid(i);
    test.x = crd_array_borrow(x, crd_shape_2(INPUTS, 1));
    test.y = NULL;
    CRD_TRY(crd_model_create(&model, bench->ctx, crd_network_model, bench->network));
    if (!crdi_bench_json(bench))
        printf(
            "smallest effective size of f at %d inputs, %d chains, warm-up counted\n%-48s %10s %12s %12s %10s %12s\n",
            INPUTS, CHAINS, "", "/ million", "/ second", "million", "mean of s", "divergences");
    crd_status status = CRD_OK;
    for (int i = 0; i < CRDI_COUNT(ways) && status == CRD_OK; i++)
        status = run_way(bench, model, &test, &ways[i]);
    crd_model_destroy(&model);
    return status;
}
