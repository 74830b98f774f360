/* run_figure_check.c - predictive checks of a run, and the k_hat of its rows. */
#include "nn/likelihood.h"
#include "report/run_figure_impl.h"
#include "report/run_likelihood.h"
#include "report/run_loo.h"
#include "store/dataset.h"

#include <string.h>

enum { REPLICATIONS = 200, MOST_ROWS = 5000 };

struct gather {
    crdi_check *checks; /* by target */
    double **replicated; /* by target: (replications, rows) */
    int64_t targets, rows, replications;
};

/* One check a target, with room for what the model makes up. */
static crd_status prepare(const crdi_network_run *net, crdi_arena *arena, struct gather *g)
{
    const crdi_likelihood *likelihood = crdi_likelihood_find(net->ctx, net->network.likelihood);
    const crd_recipe *r = net->recipe;
    if (!likelihood)
        return CRD_ENAME;
    g->targets = r->target_count;
    g->rows = net->x.shape.dim[0] < MOST_ROWS ? net->x.shape.dim[0] : MOST_ROWS;
    g->checks = crdi_arena_alloc(arena, (size_t)g->targets * sizeof *g->checks);
    g->replicated = crdi_arena_alloc(arena, (size_t)g->targets * sizeof *g->replicated);
    if (!g->checks || !g->replicated)
        return CRD_ENOMEM;
    for (int64_t j = 0; j < g->targets; j++) {
        double *observed = crdi_arena_alloc(arena, (size_t)g->rows * sizeof *observed);
        g->replicated[j] = crdi_arena_alloc(arena, (size_t)(g->rows * g->replications) * sizeof(double));
        if (!observed || !g->replicated[j])
            return CRD_ENOMEM;
        for (int64_t i = 0; i < g->rows; i++)
            observed[i] = crdi_recipe_own_units(r, i * g->targets + j, net->y.data[i * g->targets + j]);
        g->checks[j] = (crdi_check){.target = r->targets[j].name,
                                    .kind = likelihood->outcome == CRDI_OUTCOME_CLASS   ? CRDI_CHECK_CLASSES
                                            : likelihood->outcome == CRDI_OUTCOME_COUNT ? CRDI_CHECK_COUNTS
                                                                                        : CRDI_CHECK_NUMBERS,
                                    .rows = g->rows,
                                    .observed = observed,
                                    .replications = g->replications,
                                    .replicated = g->replicated[j],
                                    .class_count = r->class_count,
                                    .class_name = r->class_name};
    }
    return CRD_OK;
}

static crd_status keep_row(void *user, int64_t row, int64_t draws, double *y)
{
    const struct gather *g = user;
    for (int64_t k = 0; k < g->replications; k++)
        for (int64_t j = 0; j < g->targets; j++)
            g->replicated[j][k * g->rows + row] = y[k * draws / g->replications * g->targets + j];
    return CRD_OK;
}

crd_status crdi_run_figure_posterior_check(crdi_network_run *net, crdi_arena *arena,
                                           const crdi_run_figure_options *options, crdi_figure **out)
{
    struct gather g = {0};
    crdi_run_part part;
    CRD_TRY(crdi_network_run_need(net, "predictive checks"));
    CRD_TRY(crdi_run_part_find(net->ctx, net->run, &part));
    int64_t total = part.chains * part.draws;
    crdi_run_part_clear(net->ctx, &part);
    g.replications = total < REPLICATIONS ? total : REPLICATIONS;
    CRD_TRY(prepare(net, arena, &g));
    CRD_TRY(crdi_run_replications(net, 0, options->key, 0, g.rows, keep_row, &g));
    return crdi_figure_posterior_check(out, net->ctx,
                                       &(crdi_figure_source){.check_count = (int)g.targets, .checks = g.checks});
}

/* ---- the prior -------------------------------------------------------------------------------------------------- */

static crd_status draw_prior(crdi_network_run *net, crd_key key, struct gather *g)
{
    static const char *const names[] = {"y"};
    crd_model *model = NULL;
    crd_program *program = NULL;
    crd_exec *exec = NULL;
    crd_status status = crdi_network_run_model(net, &model);
    if (status == CRD_OK)
        status = crd_model_compile_prior(model, names, 1, &program);
    if (status == CRD_OK)
        status = crd_exec_create(&exec, program);
    int64_t skip = 0;
    for (int i = 0; status == CRD_OK && i < crd_model_site_count(model); i++)
        skip += crd_model_site(model, i)->size;
    for (int64_t k = 0; status == CRD_OK && k < g->replications; k++) {
        crd_key own = crd_key_fold_in(key, (uint32_t)k);
        crd_exec_input(exec)[0] = own.word[0];
        crd_exec_input(exec)[1] = own.word[1];
        crd_exec_run(exec);
        const double *y = crd_exec_output(exec) + skip;
        for (int64_t i = 0; i < g->rows * g->targets; i++)
            g->replicated[i % g->targets][k * g->rows + i / g->targets] = crdi_recipe_own_units(net->recipe, i, y[i]);
    }
    crd_exec_destroy(&exec);
    crd_program_destroy(&program);
    crd_model_destroy(&model);
    return status;
}

crd_status crdi_run_figure_prior_check(crdi_network_run *net, crdi_arena *arena, const crdi_run_figure_options *options,
                                       crdi_figure **out)
{
    struct gather g = {.replications = REPLICATIONS};
    CRD_TRY(crdi_network_run_need(net, "predictive checks"));
    CRD_TRY(prepare(net, arena, &g));
    CRD_TRY(draw_prior(net, options->key, &g));
    return crdi_figure_prior_check(out, net->ctx,
                                   &(crdi_figure_source){.check_count = (int)g.targets, .checks = g.checks});
}

/* ---- leave-one-out ---------------------------------------------------------------------------------------------- */

crd_status crdi_run_figure_k_hat(crdi_network_run *net, crdi_arena *arena, const crdi_run_figure_options *options,
                                 crdi_figure **out)
{
    crdi_run_loo *loo;
    (void)arena;
    (void)options;
    CRD_TRY(crdi_run_loo_make(net, 0, 0, &loo));
    crd_status status = crdi_figure_k_hat(
        out, net->ctx,
        &(crdi_figure_source){.rows = loo->rows, .k_hat = loo->k_hat, .good_k = crd_psis_good_k(loo->draws)});
    crdi_run_loo_destroy(&loo);
    return status;
}
