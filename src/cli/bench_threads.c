/* bench_threads.c - what a second core is worth: two chains by one thread and by two. Draws do not depend on threads, so
 * both do the same work; wall time, by turns. */
#include "cli/bench.h"

#include <credence/mcmc.h>

enum { WARMUP = 200, DRAWS = 300 };

static crd_status time_run(const crd_model *model, int threads, double *seconds)
{
    crd_posterior *posterior;
    crd_nuts_options options = {.chains = 2, .warmup = WARMUP, .draws = DRAWS, .threads = threads};
    double start = crdi_seconds();
    CRD_TRY(crd_nuts_run(model, &options, crd_key_make(1234), &posterior));
    *seconds = crdi_seconds() - start;
    crd_posterior_destroy(&posterior);
    return CRD_OK;
}

static crd_status take_turns(const crdi_bench *bench, const crd_model *model, double *two, double *ratio)
{
    int64_t repeat = bench->options->repeat;
    for (int64_t r = -1; r < repeat; r++) { /* the first is to get warm */
        double one_thread, two_threads;
        CRD_TRY(time_run(model, 1, &one_thread));
        CRD_TRY(time_run(model, 2, &two_threads));
        if (r < 0)
            continue;
        bench->times[r] = 1e3 * one_thread;
        two[r] = 1e3 * two_threads;
        ratio[r] = one_thread / two_threads;
    }
    crdi_bench_values(bench, "two chains, one thread", "ms", bench->times, repeat);
    crdi_bench_values(bench, "two chains, two threads", "ms", two, repeat);
    crdi_bench_values(bench, "... times as fast", "x", ratio, repeat);
    return CRD_OK;
}

crd_status crdi_bench_threads(const crdi_bench *bench)
{
    crd_model *model;
    int64_t repeat = bench->options->repeat;
    double *room = crdi_alloc_array(bench->ctx, 2 * repeat, sizeof *room);
    if (!room)
        return CRD_ENOMEM;
    crd_status status = crd_model_create(&model, bench->ctx, crd_network_model, bench->network);
    if (status == CRD_OK) {
        status = take_turns(bench, model, room, room + repeat);
        crd_model_destroy(&model);
    }
    crdi_free(bench->ctx, room);
    return status;
}
