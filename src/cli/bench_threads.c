/* bench_threads.c - what a second core is worth: two chains by one thread and by two, and one gradient over many rows.
 * Results do not depend on threads, so both do the same work; wall time, by turns. */
#include "cli/bench.h"
#include "graph/graph.h"

#include <credence/mcmc.h>
#include <math.h>

enum { WARMUP = 200, DRAWS = 300, ROWS = 100000, GRADIENTS = 30 };

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

static crd_status chains_in_turns(const crdi_bench *bench, const crd_model *model, double *two, double *ratio)
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

/* ---- one gradient -------------------------------------------------------------------------------------------- */

static double time_gradients(crd_exec *exec)
{
    double start = crdi_seconds();
    for (int i = 0; i < GRADIENTS; i++)
        crd_exec_run(exec);
    return (crdi_seconds() - start) / GRADIENTS;
}

static crd_status gradients_in_turns(const crdi_bench *bench, crd_exec *one, crd_exec *both, double *two, double *ratio)
{
    int64_t repeat = bench->options->repeat;
    for (int64_t r = -1; r < repeat; r++) {
        double one_thread = time_gradients(one), two_threads = time_gradients(both);
        if (r < 0)
            continue;
        bench->times[r] = 1e6 * one_thread;
        two[r] = 1e6 * two_threads;
        ratio[r] = one_thread / two_threads;
    }
    crdi_bench_values(bench, "gradient over 100 000 rows, one thread", "us", bench->times, repeat);
    crdi_bench_values(bench, "gradient over 100 000 rows, two threads", "us", two, repeat);
    crdi_bench_values(bench, "... times as fast", "x", ratio, repeat);
    return CRD_OK;
}

static crd_status time_one_gradient(const crdi_bench *bench, const crd_model *model, double *room)
{
    crd_exec *exec[2] = {NULL};
    crd_status status = CRD_OK;
    for (int k = 0; k < 2 && status == CRD_OK; k++) {
        status = crd_exec_create(&exec[k], crd_model_density(model));
        if (status == CRD_OK)
            status = crdi_exec_share_threads(exec[k], k + 1, 1);
        if (status == CRD_OK)
            crd_random_normal(crd_key_make(1), crd_model_dim(model), crd_exec_input(exec[k]));
    }
    if (status == CRD_OK)
        status = gradients_in_turns(bench, exec[0], exec[1], room, room + bench->options->repeat);
    crd_exec_destroy(&exec[0]);
    crd_exec_destroy(&exec[1]);
    return status;
}

/* The tutorial's curve at more places. */
static void fill(double *x, double *y)
{
    for (int i = 0; i < ROWS; i++) {
        x[i] = 2 * (i + 0.5) / ROWS - 1;
        y[i] = x[i] * sin(5 * x[i]) + 0.1 * sin(1e3 * i);
    }
}

static crd_status bench_gradient(const crdi_bench *bench, double *room)
{
    crd_model *model;
    crd_network network = *bench->network;
    double *data = crdi_alloc_array(bench->ctx, 2 * (int64_t)ROWS, sizeof *data);
    if (!data)
        return CRD_ENOMEM;
    fill(data, data + ROWS);
    crd_array y = crd_array_borrow(data + ROWS, crd_shape_1(ROWS));
    network.x = crd_array_borrow(data, crd_shape_2(ROWS, 1));
    network.y = &y;
    crd_status status = crd_model_create(&model, bench->ctx, crd_network_model, &network);
    if (status == CRD_OK) {
        status = time_one_gradient(bench, model, room);
        crd_model_destroy(&model);
    }
    crdi_free(bench->ctx, data);
    return status;
}

/* ---- all ----------------------------------------------------------------------------------------------------- */

static crd_status bench_chains(const crdi_bench *bench, double *room)
{
    crd_model *model;
    CRD_TRY(crd_model_create(&model, bench->ctx, crd_network_model, bench->network));
    crd_status status = chains_in_turns(bench, model, room, room + bench->options->repeat);
    crd_model_destroy(&model);
    return status;
}

crd_status crdi_bench_threads(const crdi_bench *bench)
{
    double *room = crdi_alloc_array(bench->ctx, 2 * bench->options->repeat, sizeof *room);
    if (!room)
        return CRD_ENOMEM;
    crd_status status = bench_chains(bench, room);
    if (status == CRD_OK)
        status = bench_gradient(bench, room);
    crdi_free(bench->ctx, room);
    return status;
}
