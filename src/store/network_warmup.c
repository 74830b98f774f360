/* network_warmup.c - the warm-up of Markov chains, kept: arrays "warmup/CHAIN/COLUMN" (iterations, *shape) in the run.
 *
 * A chain's warm-up is gathered in memory and written when it ends, before any state behind it: a run that is taken up again has
 * a chain's warm-up whole, or makes it again. */
#include "store/network_warmup.h"

#include <string.h>

static crd_status name_of(crdi_string *name, crd_context *ctx, int chain, const crd_column *column)
{
    crdi_string_init(name, ctx);
    crdi_string_append(name, "warmup/%d/%s", chain, column->name);
    return name->status;
}

/* ---- writing ------------------------------------------------------------------------------------------------ */

static crd_status pass_draws(void *user, int chain, int64_t first, int64_t count, const double *const *values)
{
    const crdi_network_warmup *k = user;
    return k->to->draws(k->to->user, chain, first, count, values);
}

static crd_status pass_state(void *user, int chain, const crdi_sampler_state *state)
{
    const crdi_network_warmup *k = user;
    return k->to->state(k->to->user, chain, state);
}

static bool pass_wish(void *user, int chain, int64_t draws)
{
    const crdi_network_warmup *k = user;
    return k->to->wants_state(k->to->user, chain, draws);
}

static crd_status write_chain(const crdi_network_warmup *k, int chain)
{
    for (int c = 0; c < k->columns->count; c++) {
        const crd_column *column = &k->columns->column[c];
        crdi_string name;
        crd_shape shape = crd_shape_1(k->warmup);
        for (int i = 0; i < column->shape.ndim; i++)
            shape.dim[shape.ndim++] = column->shape.dim[i];
        crd_array array = crd_array_borrow(k->values[chain * k->columns->count + c], shape);
        crd_status status = name_of(&name, k->ctx, chain, column);
        if (status == CRD_OK)
            status = crdi_run_put_array(k->run, crdi_string_text(&name), &array);
        crdi_string_clear(&name);
        CRD_TRY(status);
    }
    return CRD_OK;
}

static void free_chain(crdi_network_warmup *k, int chain)
{
    for (int c = 0; c < k->columns->count; c++) {
        double **values = &k->values[chain * k->columns->count + c];
        crdi_free(k->ctx, *values);
        *values = NULL;
    }
}

static crd_status make_room(crdi_network_warmup *k, int chain)
{
    for (int c = 0; c < k->columns->count; c++) {
        double **values = &k->values[chain * k->columns->count + c];
        if (!(*values = crdi_alloc_array(k->ctx, k->warmup * k->columns->column[c].size + 1, sizeof **values)))
            return CRD_ENOMEM;
    }
    return CRD_OK;
}

static crd_status keep(void *user, int chain, int64_t iteration, const double *const *values)
{
    crdi_network_warmup *k = user;
    if (iteration == 0)
        CRD_TRY(make_room(k, chain));
    for (int c = 0; c < k->columns->count; c++) {
        int64_t size = k->columns->column[c].size;
        memcpy(k->values[chain * k->columns->count + c] + iteration * size, values[c], (size_t)size * sizeof(double));
    }
    if (iteration + 1 < k->warmup)
        return CRD_OK;
    crd_status status = write_chain(k, chain);
    free_chain(k, chain);
    return status;
}

crd_status crdi_network_warmup_begin(crdi_network_warmup *k, crd_context *ctx, crdi_run *run,
                                     const crdi_mcmc_columns *columns, int chains, int64_t warmup, const crdi_sink *to,
                                     crdi_sink *out)
{
    *k =
        (crdi_network_warmup){.ctx = ctx, .run = run, .columns = columns, .chains = chains, .warmup = warmup, .to = to};
    if (!(k->values = crdi_alloc_array(ctx, (int64_t)chains * columns->count, sizeof *k->values)))
        return CRD_ENOMEM;
    *out = *to;
    out->user = k;
    out->draws = pass_draws;
    out->state = to->state ? pass_state : NULL;
    out->warmup = keep;
    out->wants_state = to->wants_state ? pass_wish : NULL;
    return CRD_OK;
}

void crdi_network_warmup_end(crdi_network_warmup *k)
{
    for (int chain = 0; k->values && chain < k->chains; chain++)
        free_chain(k, chain);
    crdi_free(k->ctx, k->values);
    *k = (crdi_network_warmup){0};
}

/* ---- reading ------------------------------------------------------------------------------------------------ */

bool crdi_network_warmup_has_chain(crd_context *ctx, crd_run *run, int chain, int64_t *iterations)
{
    crdi_string name;
    crd_array array = {0};
    bool clear = crd_error_status(ctx) == CRD_OK;
    crd_status status = name_of(&name, ctx, chain, crd_run_column(run, crd_run_column_count(run) - 1));
    if (status == CRD_OK)
        status = crdi_run_get_array(run, crdi_string_text(&name), &array); /* the last one that was written */
    crdi_string_clear(&name);
    if (clear)
        crd_error_clear(ctx);
    *iterations = status == CRD_OK && array.shape.ndim > 0 ? array.shape.dim[0] : 0;
    crd_array_clear(&array);
    return *iterations > 0;
}

bool crdi_network_warmup_has(crd_context *ctx, crd_run *run, int64_t *iterations)
{
    for (int chain = 0; chain < crd_run_chains(run); chain++)
        if (!crdi_network_warmup_has_chain(ctx, run, chain, iterations))
            return false;
    return crd_run_chains(run) > 0;
}

crd_status crdi_network_warmup_read(crd_context *ctx, crd_run *run, const crd_column *column, int64_t iterations,
                                    double *out)
{
    for (int chain = 0; chain < crd_run_chains(run); chain++) {
        crdi_string name;
        crd_array array = {0};
        int64_t size = iterations * crd_shape_size(column->shape);
        crd_status status = name_of(&name, ctx, chain, column);
        if (status == CRD_OK)
            status = crdi_run_get_array(run, crdi_string_text(&name), &array);
        if (status == CRD_OK && crd_shape_size(array.shape) != size)
            status = crdi_raise(ctx, CRD_EDAMAGED, "the array %s does not fit its draws", crdi_string_text(&name));
        if (status == CRD_OK)
            memcpy(out + chain * size, array.data, (size_t)size * sizeof(double));
        crdi_string_clear(&name);
        crd_array_clear(&array);
        CRD_TRY(status);
    }
    return CRD_OK;
}
