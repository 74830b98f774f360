/* cmd_bench.c - credence bench [NAME]: how long the inner loops of the tutorial's model take here. */
#include "cli/bench.h"
#include "nn/tutorial.h"

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
    bool standard; /* runs if none is named */
} benches[] = {
#define BENCH(name, help) {#name, crdi_bench_##name, true},
#define LONG_BENCH(name, help) {#name, crdi_bench_##name, false},
#include "cli/benches.def"
#undef BENCH
#undef LONG_BENCH
};

static const char *bench_name(const void *list, int64_t i)
{
    (void)list;
    return benches[i].name;
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
                           .y = &observed,
                           .precision = strcmp(o->precision, "single") == 0 ? CRD_SINGLE : CRD_DOUBLE};
    crdi_bench bench = {.cli = cli, .ctx = cli->ctx, .options = o, .network = &network};
    bench.times = crdi_alloc_array(cli->ctx, o->repeat, sizeof *bench.times);
    if (!crdi_bench_json(&bench))
        printf("1-%s-1 %s, %d rows, kernels %s, %s precision; medians of %lld\n", o->hidden, o->activation,
               CRDI_TUTORIAL_ROWS, crd_context_kernels(cli->ctx), o->precision, (long long)o->repeat);
    crd_status status = bench.times ? CRD_OK : CRD_ENOMEM;
    for (int i = 0; i < CRDI_COUNT(benches) && status == CRD_OK; i++)
        if (call->argument_count == 0 ? benches[i].standard : is_named(call, benches[i].name)) {
            bench.name = benches[i].name;
            status = benches[i].run(&bench);
        }
    crdi_free(cli->ctx, bench.times);
    return status;
}

const crdi_command_body crdi_command_bench = {
    .positional = {{"NAME", "what to time; a short set if none is named", CRDI_MANY}},
    .table = {&table},
    .more = "Benches:\n"
#define BENCH(name, help) "  " #name ": " help "\n"
#define LONG_BENCH(name, help) "  " #name ": " help "; only if named\n"
#include "cli/benches.def"
#undef BENCH
#undef LONG_BENCH
            "Times of one thread are processor time; of start, threads, and two threads elsewhere, wall time.\n",
    .run = run,
};
