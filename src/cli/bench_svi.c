/* bench_svi.c - steps of variational inference, in the tutorial's setting but for what the options change; processor time of
 * one thread. */
#include "cli/bench.h"

#include <credence/svi.h>
#include <stdio.h>

crd_status crdi_bench_svi(const crdi_bench *bench)
{
    enum { STEPS = 1000 };
    char what[64];
    crd_svi *svi;
    crd_network network = *bench->network;
    crd_svi_options options = {.guide = "normal",
                               .loss = "trace_mean_field",
                               .optimizer = "clip_by_global_norm:10,adam,scale:-1e-2",
                               .init_scale = 1e-3,
                               .particles = bench->options->particles,
                               .steps = STEPS,
                               .threads = 1};
    network.prior = "normal:0,10";
    CRD_TRY(crd_svi_fit(bench->ctx, crd_network_model, &network, &options, crd_key_make(1234), &svi));
    crd_status status = CRD_OK;
    for (int64_t r = 0; r < bench->options->repeat && status == CRD_OK; r++) {
        double before = crdi_bench_clock();
        status = crd_svi_continue(svi, STEPS);
        bench->times[r] = (crdi_bench_clock() - before) / STEPS;
    }
    if (status == CRD_OK) {
        snprintf(what, sizeof what, "step of SVI, %lld particle%s", (long long)options.particles,
                 options.particles == 1 ? "" : "s");
        crdi_bench_print(bench, what);
    }
    crd_svi_destroy(&svi);
    return status;
}
