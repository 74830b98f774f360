/* bench_gradient.c - the log density and its gradient. */
#include "cli/bench.h"

#include <stdio.h>

static crd_status time_gradient(const crdi_bench *bench, const crd_model *model)
{
    crd_exec *exec;
    CRD_TRY(crd_exec_create(&exec, crd_model_density(model)));
    crd_random_normal(crd_key_make(1), crd_model_dim(model), crd_exec_input(exec));
    for (int64_t r = -1; r < bench->options->repeat; r++) { /* the first is to get warm */
        double seconds = crdi_bench_run(exec);
        if (r >= 0)
            bench->times[r] = seconds;
    }
    crd_exec_destroy(&exec);
    return CRD_OK;
}

static void print_line(void *user, const char *line)
{
    (void)user;
    printf("  %s\n", line);
}

crd_status crdi_bench_gradient(const crdi_bench *bench)
{
    crd_model *model;
    CRD_TRY(crd_model_create(&model, bench->ctx, crd_network_model, bench->network));
    const crd_program *program = crd_model_density(model);
    if (!crdi_bench_json(bench))
        printf("gradient: %lld kernel calls, %lld doubles of workspace\n", (long long)crd_program_calls(program),
               (long long)crd_program_workspace(program));
    if (bench->options->show_plan)
        crd_program_print(program, print_line, NULL);
    crd_status status = time_gradient(bench, model);
    if (status == CRD_OK)
        crdi_bench_print(bench, "log density and gradient");
    crd_model_destroy(&model);
    return status;
}
