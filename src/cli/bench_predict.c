/* bench_predict.c - predictions of many draws at many rows, beside the limit that the vector tanh sets.
 *
 * The limit: a row of a draw needs one tanh a hidden unit; the vector tanh alone is timed on an array that stays in the
 * first-level cache, in the same run. Both are in processor time of one thread. */
#include "cli/bench.h"
#include "base/context_impl.h"
#include "kernel/kernel.h"
#include "report/by_row.h"
#include "report/prediction.h"

#include <math.h>

enum { ROWS = 10000, DRAWS = 4000, UNITS = 10, TANHS = 1280 };

struct work {
    const crdi_bench *bench;
    crdi_network_run *net;
    crd_array x; /* (ROWS, 1) */
    double sum;
};

static crd_status compile_f(void *user, const crd_model *model, int64_t first, int64_t rows, crd_program **out)
{
    static const char *const names[] = {"f"};
    const struct work *w = user;
    crd_shape shape;
    crd_network network = w->net->network;
    network.x = crd_array_borrow(w->x.data + first, crd_shape_2(rows, 1));
    network.y = NULL;
    return crd_model_compile_predictive(model, &network, names, 1, &shape, out);
}

/* Something is done with each row, as little as there can be. */
static crd_status take_row(void *user, int64_t row, int64_t draws, double *const *values)
{
    struct work *w = user;
    w->sum += values[0][(row * 7919) % draws];
    return CRD_OK;
}

static crd_status predict_f(struct work *w)
{
    return crdi_by_row_run(&(crdi_by_row){.net = w->net,
                                          .what = "predictions",
                                          .rows = ROWS,
                                          .outputs = 1,
                                          .keyed = true,
                                          .key = crd_key_make(1),
                                          .threads = 1,
                                          .compile = compile_f,
                                          .row = take_row,
                                          .user = w});
}

static crd_status predict_all(struct work *w)
{
    static const double prob[] = {0.05, 0.5, 0.95};
    crdi_prediction *prediction;
    CRD_TRY(crdi_prediction_make(
        w->net,
        &(crdi_prediction_request){
            .x = &w->x, .prob = prob, .prob_count = CRDI_COUNT(prob), .key = crd_key_make(1), .threads = 1},
        &prediction));
    crdi_prediction_destroy(&prediction);
    return CRD_OK;
}

/* Seconds for the tanh of all draws at all rows. */
static double time_tanh(const struct work *w)
{
    enum { CALLS = 4000 };
    static double in[TANHS], out[TANHS];
    static float in_single[TANHS], out_single[TANHS];
    const crdi_kernel_table *table = w->bench->ctx->kernels;
    bool single = w->net->network.precision == CRD_SINGLE;
    crdi_kernel_fn tanh_of = single ? table->single[CRDI_K_tanh] : table->kernel[CRDI_K_tanh];
    crdi_call call = {.out = out, .in = {in}, .n = {TANHS, 1}};
    for (int i = 0; i < TANHS; i++) {
        in[i] = sin(i);
        in_single[i] = (float)in[i];
    }
    if (single)
        call = (crdi_call){.out_single = out_single, .in_single = {in_single}, .n = {TANHS, 1}};
    double start = crdi_bench_clock();
    for (int i = 0; i < CALLS; i++)
        tanh_of(&call);
    return (crdi_bench_clock() - start) / CALLS / TANHS * ROWS * DRAWS * UNITS;
}

/* By turns, so that both meet the same noise. */
static crd_status time_turns(struct work *w, crd_status (*predict)(struct work *), const char *what, const char *share)
{
    int64_t repeat = w->bench->options->repeat;
    double *ratio = crdi_alloc_array(w->bench->ctx, repeat, sizeof *ratio);
    crd_status status = ratio ? CRD_OK : CRD_ENOMEM;
    crdi_bench_peak_reset();
    for (int64_t r = 0; r < repeat && status == CRD_OK; r++) {
        double limit = time_tanh(w), start = crdi_bench_clock();
        status = predict(w);
        double seconds = crdi_bench_clock() - start;
        ratio[r] = 100 * limit / seconds;
        w->bench->times[r] = 1e-6 * ROWS * DRAWS / seconds;
    }
    if (status == CRD_OK) {
        crdi_bench_values(w->bench, what, "million/s", w->bench->times, repeat);
        crdi_bench_values(w->bench, share, "%", ratio, repeat);
        crdi_bench_number(w->bench, "... peak memory", "MB", crdi_bench_peak(0));
    }
    crdi_free(w->bench->ctx, ratio);
    return status;
}

static crd_status measure(struct work *w, const crdi_bench_folder *folder)
{
    char path[128], line[256];
    snprintf(line, sizeof line,
             "fit @/regression.csv --target y --scale none --hidden 10 --method svi --steps 100 --draws 4000 --seed 1 "
             "--quiet --precision %s --out @/run.crd",
             w->bench->options->precision);
    CRD_TRY(crdi_bench_type(w->bench, folder, line));
    snprintf(path, sizeof path, "%s/run.crd", folder->path);
    CRD_TRY(crd_array_init(w->bench->ctx, &w->x, crd_shape_2(ROWS, 1)));
    for (int i = 0; i < ROWS; i++)
        w->x.data[i] = -1.5 + 3.0 * i / (ROWS - 1);
    CRD_TRY(crdi_network_run_open(w->bench->ctx, path, &w->net));
    for (int64_t r = 0; r < w->bench->options->repeat; r++)
        w->bench->times[r] = 1e-6 * ROWS * DRAWS / time_tanh(w);
    crdi_bench_values(w->bench, "rows x draws, the vector tanh alone", "million/s", w->bench->times,
                      w->bench->options->repeat);
    CRD_TRY(time_turns(w, predict_f, "rows x draws of f", "... of the limit"));
    return time_turns(w, predict_all, "rows x draws of f and y, with quantiles", "... of the limit");
}

crd_status crdi_bench_predict(const crdi_bench *bench)
{
    crdi_bench_folder folder;
    struct work w = {.bench = bench};
    CRD_TRY(crdi_bench_folder_make(bench, &folder));
    crd_status status = measure(&w, &folder);
    crdi_network_run_close(&w.net);
    crd_array_clear(&w.x);
    crdi_bench_folder_remove(&folder);
    return status;
}
