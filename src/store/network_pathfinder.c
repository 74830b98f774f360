/* network_pathfinder.c - draws of a network by Pathfinder, and how its paths went. */
#include "infer/pathfinder/pathfinder.h"
#include "store/network_fit.h"

static crd_status prepare(crdi_network_fit *fit)
{
    crd_pathfinder_options *o = &fit->pathfinder;
    o->draws = fit->mcmc.draws;
    o->start = fit->mcmc.start;
    o->init_radius = fit->mcmc.init_radius;
    o->threads = fit->mcmc.threads;
    CRD_TRY(crd_model_create(&fit->model, fit->ctx, crd_network_model, &fit->network));
    fit->dim = crd_model_dim(fit->model);
    fit->chains = 1;
    return crdi_pathfinder_columns(fit->model, fit->mcmc.keep, fit->mcmc.keep_count, fit->arena, &fit->columns.column,
                                   &fit->columns.count, NULL);
}

static void plan(const crdi_network_fit *fit, crdi_string *out)
{
    const crd_pathfinder_options *o = &fit->pathfinder;
    crdi_string_append(out, "%lld path%s of %lld draws, %lld kept", (long long)o->paths, o->paths == 1 ? "" : "s",
                       (long long)o->path_draws, (long long)fit->mcmc.draws);
}

static crd_status put_array(crdi_run *run, const char *name, double *values, int64_t count)
{
    crd_array array = crd_array_borrow(values, crd_shape_1(count));
    return crdi_run_put_array(run, name, &array);
}

struct described {
    crdi_network_fit *fit;
    const crd_pathfinder *pf;
    int64_t evaluations; /* found on the way */
};

static crd_status describe(void *user)
{
    struct described *d = user;
    crdi_network_fit *fit = d->fit;
    const crd_pathfinder *pf = d->pf;
    int64_t paths = fit->pathfinder.paths;
    double *elbo = crdi_alloc_array(fit->ctx, 2 * paths, sizeof *elbo), *iterations = elbo ? elbo + paths : NULL;
    if (!elbo)
        return CRD_ENOMEM;
    for (int64_t i = 0; i < paths; i++) {
        const crd_pathfinder_path *path = crd_pathfinder_path_of(pf, i);
        elbo[i] = path->elbo;
        iterations[i] = (double)path->iterations;
        d->evaluations += path->evaluations;
    }
    crd_status status = crdi_run_set_number(fit->run, "pathfinder_k_hat", crd_pathfinder_k_hat(pf));
    if (status == CRD_OK)
        status = crdi_run_set_integer(fit->run, "pathfinder_path_draws", fit->pathfinder.path_draws);
    if (status == CRD_OK)
        status = put_array(fit->run, "pathfinder_elbo", elbo, paths);
    if (status == CRD_OK)
        status = put_array(fit->run, "pathfinder_iterations", iterations, paths);
    crdi_free(fit->ctx, elbo);
    return status;
}

static crd_status hand_over(crdi_network_fit *fit, const crdi_sink *sink, const crd_pathfinder *pf)
{
    crd_posterior *posterior;
    CRD_TRY(crd_pathfinder_draw(pf, fit->mcmc.keep, fit->mcmc.keep_count, &posterior));
    const double **values = crdi_alloc_array(fit->ctx, posterior->column_count, sizeof *values);
    for (int c = 0; values && c < posterior->column_count; c++)
        values[c] = posterior->column[c].draws;
    crd_status status = values ? sink->draws(sink->user, 0, 0, posterior->draws, values) : CRD_ENOMEM;
    crdi_free(fit->ctx, values);
    crd_posterior_destroy(&posterior);
    return status;
}

static crd_status draw(crdi_network_fit *fit, const crdi_sink *sink, crdi_mcmc_report *report)
{
    crd_pathfinder *pf;
    double started = crdi_seconds();
    fit->pathfinder.stop = fit->mcmc.stop;
    fit->pathfinder.stop_user = fit->mcmc.stop_user;
    crd_status status = crd_pathfinder_run(fit->model, &fit->pathfinder, crd_key_make((uint64_t)fit->seed), &pf);
    if (status != CRD_OK)
        return status;
    double seconds = crdi_seconds() - started;
    struct described described = {fit, pf, 0};
    status = crdi_run_together(fit->run, describe, &described);
    *report = (crdi_mcmc_report){
        .sampling_seconds = seconds, .gradient_evaluations = described.evaluations, .gradient_seconds = seconds};
    if (status == CRD_OK)
        status = hand_over(fit, sink, pf);
    crd_pathfinder_destroy(&pf);
    return status;
}

const crdi_network_method crdi_network_pathfinder = {.prepare = prepare, .draw = draw, .plan = plan, .doubles = true};
