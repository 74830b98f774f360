/* bench_classification.c - the tutorial's classifier of the spiral, 2-100-3 relu: a step of its variational fit, and one of
 * its deterministic twin. */
#include "cli/bench.h"
#include "nn/tutorial.h"

#include <credence/svi.h>
#include <stdio.h>

enum { POINTS = 100, ROWS = POINTS * CRDI_TUTORIAL_CLASSES };

/* Everything in a step counted, after some to get warm: of one thread its processor time, else the time that passes. */
static crd_status time_steps(const crdi_bench *bench, crd_network *network, const crd_svi_options *options,
                             const char *what)
{
    crd_svi *svi;
    bool one = options->threads == 1;
    CRD_TRY(crd_svi_fit(bench->ctx, crd_network_model, network, options, crd_key_make(1234), &svi));
    crd_status status = CRD_OK;
    for (int64_t r = 0; r < bench->options->repeat && status == CRD_OK; r++) {
        double before = one ? crdi_bench_clock() : crdi_seconds();
        status = crd_svi_continue(svi, options->steps);
        bench->times[r] = ((one ? crdi_bench_clock() : crdi_seconds()) - before) / (double)options->steps;
    }
    if (status == CRD_OK)
        crdi_bench_print(bench, what);
    crd_svi_destroy(&svi);
    return status;
}

static crd_status time_guide(const crdi_bench *bench, crd_network *network, int threads)
{
    char what[64];
    crd_svi_options options = {.guide = "normal",
                               .loss = "trace_mean_field",
                               .optimizer = "clip_by_global_norm:10,adam,scale:-1e-2",
                               .init_scale = 1e-2,
                               .particles = bench->options->particles,
                               .steps = 200,
                               .threads = threads};
    network->prior = "normal:0,10";
    network->training = 0;
    snprintf(what, sizeof what, "spiral: SVI, %lld particle%s, %d thread%s", (long long)options.particles,
             options.particles == 1 ? "" : "s", threads, threads == 1 ? "" : "s");
    return time_steps(bench, network, &options, what);
}

static crd_status time_twin(const crdi_bench *bench, crd_network *network)
{
    crd_svi_options options = {.guide = "delta",
                               .optimizer = "clip_by_global_norm:10,adam,scale:-1e-2",
                               .steps = 2000,
                               .init_radius = 0.5,
                               .threads = 1};
    network->prior = "none";
    network->training = 1;
    return time_steps(bench, network, &options, "spiral: deterministic twin, 1 thread");
}

crd_status crdi_bench_classification(const crdi_bench *bench)
{
    double x[2 * ROWS], y[ROWS];
    crdi_tutorial_spiral(crd_key_make(0), POINTS, x, y);
    crd_array classes = crd_array_borrow(y, crd_shape_1(ROWS));
    crd_network network = {.hidden = "100",
                           .activation = "relu",
                           .likelihood = "categorical",
                           .classes = CRDI_TUTORIAL_CLASSES,
                           .x = crd_array_borrow(x, crd_shape_2(ROWS, 2)),
                           .y = &classes,
                           .precision = bench->network->precision};
    CRD_TRY(time_guide(bench, &network, 2));
    CRD_TRY(time_guide(bench, &network, 1));
    return time_twin(bench, &network);
}
