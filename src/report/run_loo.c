/* run_loo.c - leave-one-out and WAIC of a network's run, row by row so that its size does not matter. */
#include "report/run_loo.h"
#include "report/run_likelihood.h"
#include "store/dataset.h"
#include "store/network_svi.h"

#include "diag/diag.h"

static crd_status one_row(void *user, int64_t row, int64_t draws, double *log_likelihood)
{
    crdi_run_loo *l = user;
    crd_elpd loo, waic;
    CRD_TRY(crd_waic(l->ctx, log_likelihood, draws, 1, NULL, &waic));
    CRD_TRY(crd_loo(l->ctx, log_likelihood, draws, 1, l->reff, NULL, &l->k_hat[row], &loo));
    l->elpd[row] = loo.elpd;
    l->p[row] = loo.p;
    l->waic_elpd[row] = waic.elpd;
    return CRD_OK;
}

/* p of both: what the rows' density when seen exceeds it by, which is elpd + p of the row. */
static void add_up(crdi_run_loo *l)
{
    double good = crd_psis_good_k(l->draws);
    l->loo.se = crdi_diag_error_of_sum(l->elpd, l->rows);
    l->waic.se = crdi_diag_error_of_sum(l->waic_elpd, l->rows);
    for (int64_t i = 0; i < l->rows; i++) {
        double waic_p = l->elpd[i] + l->p[i] - l->waic_elpd[i];
        l->loo.elpd += l->elpd[i];
        l->loo.p += l->p[i];
        l->loo.bad += !(l->k_hat[i] <= good);
        l->waic.elpd += l->waic_elpd[i];
        l->waic.p += waic_p;
        l->waic.bad += !(waic_p <= CRDI_DIAG_WAIC_VARIANCE);
    }
}

static crd_status prepare(crdi_run_loo *l, const crdi_network_run *net)
{
    l->path = crdi_strdup(l->ctx, net->path);
    const crd_recipe *recipe = net->recipe;
    l->target = crdi_alloc_array(l->ctx, recipe->target_count, sizeof *l->target);
    for (; l->target && l->targets < recipe->target_count; l->targets++)
        if (!(l->target[l->targets] = crdi_strdup(l->ctx, recipe->targets[l->targets].name)))
            return CRD_ENOMEM;
    l->rows = net->y.shape.dim[0];
    l->y = crdi_alloc_array(l->ctx, l->rows * l->targets, sizeof *l->y);
    double **array[] = {&l->elpd, &l->p, &l->k_hat, &l->waic_elpd};
    for (int i = 0; i < CRDI_COUNT(array); i++)
        if (!(*array[i] = crdi_alloc_array(l->ctx, l->rows, sizeof **array[i])))
            return CRD_ENOMEM;
    if (!l->path || !l->target || !l->y)
        return CRD_ENOMEM;
    for (int64_t i = 0; i < l->rows * l->targets; i++)
        l->y[i] = crdi_recipe_own_units(recipe, i, net->y.data[i]);
    return CRD_OK;
}

static crd_status find_draws(crdi_run_loo *l, const crdi_network_run *net, double reff)
{
    crdi_run_part part;
    CRD_TRY(crdi_run_part_find(l->ctx, net->run, &part));
    crd_status status = CRD_OK;
    l->chains = part.chains;
    l->draws = part.chains * part.draws;
    l->reff = reff;
    if (l->draws == 0)
        status = crdi_raise(l->ctx, CRD_EMISSING, "%s: holds no draws", net->path);
    else if (reff == 0)
        status = crdi_run_relative_efficiency(l->ctx, net->run, &part, &l->reff);
    crdi_run_part_clear(l->ctx, &part);
    return status;
}

static crd_status make(crdi_run_loo *l, const crdi_network_run *net, double reff, int threads)
{
    CRD_TRY(prepare(l, net));
    CRD_TRY(find_draws(l, net, reff));
    CRD_TRY(crdi_run_log_likelihood(net, threads, 0, l->rows, one_row, l));
    add_up(l);
    return CRD_OK;
}

crd_status crdi_run_loo_make(const crdi_network_run *net, double reff, int threads, crdi_run_loo **out)
{
    CRD_TRY(crdi_network_run_need(net, "log likelihoods"));
    if (crdi_run_is_point(net->run))
        return crdi_raise(net->ctx, CRD_EUNSUPPORTED,
                          "%s: leaving rows out needs draws of a posterior, and it holds the points of --method map or "
                          "ensemble; rows that the fit did not see tell how well those predict",
                          net->path);
    crdi_run_loo *l = crdi_alloc(net->ctx, sizeof *l);
    if (!l)
        return CRD_ENOMEM;
    l->ctx = net->ctx;
    crd_status status = make(l, net, reff, threads);
    if (status < 0)
        crdi_run_loo_destroy(&l);
    else
        *out = l;
    return status;
}

void crdi_run_loo_destroy(crdi_run_loo **address)
{
    if (!address || !*address)
        return;
    crdi_run_loo *l = *address;
    crdi_free(l->ctx, l->path);
    crdi_names_free(l->ctx, l->target, l->targets);
    crdi_free(l->ctx, l->y);
    crdi_free(l->ctx, l->elpd);
    crdi_free(l->ctx, l->p);
    crdi_free(l->ctx, l->k_hat);
    crdi_free(l->ctx, l->waic_elpd);
    crdi_free(l->ctx, l);
    *address = NULL;
}
