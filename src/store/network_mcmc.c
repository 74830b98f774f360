/* network_mcmc.c - draws of a network by Markov chains. */
#include "store/network_fit.h"

#include <math.h>
#include <string.h>

static crd_status prepare(crdi_network_fit *fit)
{
    fit->mcmc.kernel = fit->method;
    CRD_TRY(crd_model_create(&fit->model, fit->ctx, crd_network_model, &fit->network));
    fit->dim = crd_model_dim(fit->model);
    fit->chains = (int)fit->mcmc.chains;
    return crdi_mcmc_columns_of(fit->model, &fit->mcmc, fit->arena, &fit->columns);
}

static crd_status sample(crdi_network_fit *fit, const crdi_sink *sink, crdi_mcmc_report *report)
{
    crd_nuts_options options = fit->mcmc;
    options.warmup = options.warmup > 0 ? options.warmup : -1; /* there 0 stands for the default */
    return crdi_mcmc_run(fit->model, &options, crd_key_make((uint64_t)fit->seed), sink, report);
}

/* ---- the warm-up ------------------------------------------------------------------------------------------------ */

/* Passes all on and keeps the iterations of the warm-up. */
struct keeper {
    const crdi_network_fit *fit;
    const crdi_sink *to;
    double **values; /* by column: (chains, warmup, size) */
};

static crd_status pass_draws(void *user, int chain, int64_t first, int64_t count, const double *const *values)
{
    const struct keeper *k = user;
    return k->to->draws(k->to->user, chain, first, count, values);
}

static crd_status pass_state(void *user, int chain, int64_t iteration, const void *bytes, size_t size)
{
    const struct keeper *k = user;
    return k->to->state ? k->to->state(k->to->user, chain, iteration, bytes, size) : CRD_OK;
}

static crd_status keep(void *user, int chain, int64_t iteration, const double *const *values)
{
    const struct keeper *k = user;
    for (int c = 0; c < k->fit->columns.count; c++) {
        int64_t size = k->fit->columns.column[c].size;
        memcpy(k->values[c] + (chain * k->fit->mcmc.warmup + iteration) * size, values[c],
               (size_t)size * sizeof(double));
    }
    return CRD_OK;
}

static crd_status write_kept(crdi_network_fit *fit, const struct keeper *k)
{
    for (int c = 0; c < fit->columns.count; c++) {
        const crd_column *column = &fit->columns.column[c];
        char *name = crdi_arena_printf(fit->arena, "warmup/%s", column->name);
        crd_shape shape = crd_shape_2(fit->chains, fit->mcmc.warmup);
        if (!name)
            return CRD_ENOMEM;
        for (int i = 0; i < column->shape.ndim; i++)
            shape.dim[shape.ndim++] = column->shape.dim[i];
        crd_array array = crd_array_borrow(k->values[c], shape);
        CRD_TRY(crdi_run_put_array(fit->run, name, &array));
    }
    return CRD_OK;
}

/* A run that was stopped in its warm-up has none to show. */
static crd_status sample_and_keep(crdi_network_fit *fit, const crdi_sink *sink, crdi_mcmc_report *report)
{
    struct keeper k = {.fit = fit, .to = sink};
    k.values = crdi_arena_alloc(fit->arena, (size_t)fit->columns.count * sizeof *k.values);
    if (!k.values)
        return CRD_ENOMEM;
    for (int c = 0; c < fit->columns.count; c++) {
        int64_t count = fit->chains * fit->mcmc.warmup * fit->columns.column[c].size;
        k.values[c] = crdi_arena_alloc(fit->arena, (size_t)count * sizeof **k.values);
        if (!k.values[c])
            return CRD_ENOMEM;
        for (int64_t i = 0; i < count; i++)
            k.values[c][i] = NAN;
    }
    crdi_sink keeper = {.user = &k, .draws = pass_draws, .state = pass_state, .warmup = keep};
    crd_status status = sample(fit, &keeper, report);
    return status < 0 ? status : write_kept(fit, &k) < 0 ? crd_error_status(fit->ctx) : status;
}

static crd_status draw(crdi_network_fit *fit, const crdi_sink *sink, crdi_mcmc_report *report)
{
    return fit->save_warmup && fit->mcmc.warmup > 0 ? sample_and_keep(fit, sink, report) : sample(fit, sink, report);
}

static void clear(crdi_network_fit *fit)
{
    crd_model_destroy(&fit->model);
}

static void plan(const crdi_network_fit *fit, crdi_string *out)
{
    const crd_nuts_options *m = &fit->mcmc;
    crdi_string_append(out, "%lld chain%s, %lld + %lld", (long long)m->chains, m->chains == 1 ? "" : "s",
                       (long long)m->warmup, (long long)m->draws);
}

const crdi_network_method crdi_network_mcmc = {.prepare = prepare, .draw = draw, .clear = clear, .plan = plan};
