/* cmd_bench.c - credence bench [NAME]: how long the inner loops of the tutorial's model take here. */
#include "cli/bench.h"
#include "nn/tutorial.h"

#include <stdlib.h>
#include <string.h>

static const crdi_option rows[] = {
#define OPT(...) CRDI_OPTION_ROW(crdi_bench_options, __VA_ARGS__)
#include "cli/bench.def"
#undef OPT
};

static const crdi_option_table table = CRDI_OPTION_TABLE("bench", crdi_bench_options, rows);

static const struct {
    const char *name;
    crdi_bench_fn run;
} benches[] = {
#define BENCH(name, help) {#name, crdi_bench_##name},
#include "cli/benches.def"
#undef BENCH
};

static const char *bench_name(const void *list, int64_t i)
{
    (void)list;
    return benches[i].name;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void crdi_bench_print(const crdi_bench *bench, const char *what)
{
    double *times = bench->times;
    int64_t count = bench->options->repeat;
    qsort(times, (size_t)count, sizeof *times, ascending);
    printf("%-44s %8.3f us   (%.3f to %.3f)\n", what, 1e6 * times[count / 2], 1e6 * times[0], 1e6 * times[count - 1]);
}

static bool is_named(const crdi_cli_call *call, const char *name)
{
    for (int k = 0; k < call->argument_count; k++)
        if (strcmp(name, crdi_cli_argument(call, k)) == 0)
            return true;
    return false;
}

static crd_status check_names(crdi_cli *cli, const crdi_cli_call *call)
{
    for (int k = 0; k < call->argument_count; k++) {
        bool found = false;
        for (int i = 0; i < CRDI_COUNT(benches); i++)
            found = found || strcmp(benches[i].name, crdi_cli_argument(call, k)) == 0;
        if (!found)
            return crdi_raise_unknown(cli->ctx, "bench", crdi_cli_argument(call, k), bench_name, NULL,
                                      CRDI_COUNT(benches));
    }
    return CRD_OK;
}

static crd_status run(crdi_cli *cli, crdi_cli_call *call)
{
    const crdi_bench_options *o = crdi_cli_values(call, &table);
    double x[CRDI_TUTORIAL_ROWS], y[CRDI_TUTORIAL_ROWS];
    CRD_TRY(check_names(cli, call));
    crdi_tutorial_regression(x, y);
    crd_array observed = crd_array_borrow(y, crd_shape_1(CRDI_TUTORIAL_ROWS));
    crd_network network = {.hidden = o->hidden,
                           .activation = o->activation,
                           .prior = "normal:0,1",
                           .noise = "half_cauchy:0.5",
                           .x = crd_array_borrow(x, crd_shape_2(CRDI_TUTORIAL_ROWS, 1)),
                           .y = &observed};
    crdi_bench bench = {.ctx = cli->ctx, .options = o, .network = &network};
    bench.times = crdi_alloc_array(cli->ctx, o->repeat, sizeof *bench.times);
    printf("1-%s-1 %s, %d rows, kernels %s, one core; medians of %lld\n", o->hidden, o->activation, CRDI_TUTORIAL_ROWS,
           crd_context_kernels(cli->ctx), (long long)o->repeat);
    crd_status status = bench.times ? CRD_OK : CRD_ENOMEM;
    for (int i = 0; i < CRDI_COUNT(benches) && status == CRD_OK; i++)
        if (call->argument_count == 0 || is_named(call, benches[i].name))
            status = benches[i].run(&bench);
    crdi_free(cli->ctx, bench.times);
    return status;
}

const crdi_command_body crdi_command_bench = {
    .positional = {{"NAME", "what to time; all if none is named", CRDI_MANY}},
    .table = {&table},
    .more = "Benches:\n"
#define BENCH(name, help) "  " #name ": " help "\n"
#include "cli/benches.def"
#undef BENCH
    ,
    .run = run,
};
