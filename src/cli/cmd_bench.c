/* cmd_bench.c - credence bench: how long a gradient and a leapfrog step of the tutorial's model take here. */
#include "cli/command.h"
#include "infer/mcmc/chain.h"
#include "nn/tutorial.h"

#include <credence/nn.h>
#include <stdlib.h>
#include <string.h>

typedef struct bench_options {
#define OPT CRDI_OPTION_FIELD
#include "cli/bench.def"
#undef OPT
} bench_options;

static const crdi_option rows[] = {
#define OPT(...) CRDI_OPTION_ROW(bench_options, __VA_ARGS__)
#include "cli/bench.def"
#undef OPT
};

static const crdi_option_table table = CRDI_OPTION_TABLE("bench", bench_options, rows);

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Prints the median and the range of some times in microseconds. */
static void print_times(const char *what, double *times, int64_t count)
{
    qsort(times, (size_t)count, sizeof *times, ascending);
    printf("%-44s %8.3f us   (%.3f to %.3f)\n", what, 1e6 * times[count / 2], 1e6 * times[0], 1e6 * times[count - 1]);
}

static crd_status time_gradient(const crd_model *model, double *times, int64_t count)
{
    enum { BATCH = 20000 };
    crd_exec *exec;
    CRD_TRY(crd_exec_create(&exec, crd_model_density(model)));
    crd_random_normal(crd_key_make(1), crd_model_dim(model), crd_exec_input(exec));
    for (int64_t r = -1; r < count; r++) { /* the first is to get warm */
        double start = crdi_seconds();
        for (int i = 0; i < BATCH; i++)
            crd_exec_run(exec);
        if (r >= 0)
            times[r] = (crdi_seconds() - start) / BATCH;
    }
    crd_exec_destroy(&exec);
    return CRD_OK;
}

/* Leapfrog steps as the sampler makes them: everything in a transition counted, after warm-up. */
static crd_status time_steps(const crd_model *model, double *times, int64_t count)
{
    enum { WARMUP = 200, DRAWS = 100 };
    crdi_chain chain;
    crdi_transition t;
    crd_nuts_options options = {.warmup = WARMUP,
                                .draws = 1,
                                .kernel = "nuts",
                                .metric = "diagonal",
                                .target_accept = 0.8,
                                .max_depth = 10,
                                .max_energy_change = 1000,
                                .init_radius = 2};
    crd_status status =
        crdi_chain_create(&chain, crd_model_context(model), crd_model_density(model), &options, crd_key_make(1234));
    if (status == CRD_OK)
        status = crdi_chain_start(&chain, 0);
    for (int i = 0; status == CRD_OK && i < WARMUP; i++)
        crdi_chain_advance(&chain, &t);
    for (int64_t r = 0; status == CRD_OK && r < count; r++) {
        int64_t before = chain.h.gradients;
        double start = crdi_seconds();
        for (int i = 0; i < DRAWS; i++)
            crdi_chain_advance(&chain, &t);
        times[r] = (crdi_seconds() - start) / (double)(chain.h.gradients - before);
    }
    crdi_chain_destroy(&chain);
    return status;
}

static void print_line(void *user, const char *line)
{
    (void)user;
    printf("  %s\n", line);
}

static crd_status run(crdi_cli *cli, crdi_cli_call *call)
{
    const bench_options *o = crdi_cli_values(call, &table);
    double x[CRDI_TUTORIAL_ROWS], y[CRDI_TUTORIAL_ROWS];
    crdi_tutorial_regression(x, y);
    crd_array observed = crd_array_borrow(y, crd_shape_1(CRDI_TUTORIAL_ROWS));
    crd_network network = {.hidden = o->hidden,
                           .activation = o->activation,
                           .prior = "normal:0,1",
                           .noise = "half_cauchy:0.5",
                           .x = crd_array_borrow(x, crd_shape_2(CRDI_TUTORIAL_ROWS, 1)),
                           .y = &observed};
    crd_model *model;
    CRD_TRY(crd_model_create(&model, cli->ctx, crd_network_model, &network));
    const crd_program *program = crd_model_density(model);
    printf("1-%s-1 %s, %d rows, %lld parameters, kernels %s, one core\n", o->hidden, o->activation, CRDI_TUTORIAL_ROWS,
           (long long)crd_model_dim(model), crd_context_kernels(cli->ctx));
    printf("gradient: %lld kernel calls, %lld doubles of workspace\n", (long long)crd_program_calls(program),
           (long long)crd_program_workspace(program));
    if (o->show_plan)
        crd_program_print(program, print_line, NULL);
    double *times = crdi_alloc_array(cli->ctx, o->repeat, sizeof *times);
    crd_status status = times ? time_gradient(model, times, o->repeat) : CRD_ENOMEM;
    if (status == CRD_OK) {
        print_times("log density and gradient", times, o->repeat);
        status = time_steps(model, times, o->repeat);
    }
    if (status == CRD_OK)
        print_times("leapfrog step of NUTS, everything counted", times, o->repeat);
    crdi_free(cli->ctx, times);
    crd_model_destroy(&model);
    return status;
}

const crdi_command_body crdi_command_bench = {.table = {&table}, .run = run};
