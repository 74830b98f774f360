/* network_starts.c - see network_starts.h. */
#include "store/network_starts.h"

#include <string.h>

enum { COLUMNS = 5 };

static bool are_trained(const crdi_network_fit *fit)
{
    return fit->mcmc.start && strcmp(fit->mcmc.start, "ensemble") == 0;
}

static crd_status write(void *user, const crd_trained_start *starts, int count)
{
    const crdi_network_fit *fit = user;
    double *row = crdi_alloc_array(fit->ctx, (int64_t)count * COLUMNS, sizeof *row);
    if (!row)
        return CRD_ENOMEM;
    for (int c = 0; c < count; c++) {
        const crd_trained_start *s = &starts[c];
        const double of[COLUMNS] = {(double)s->steps, (double)s->best_step, s->first_loss, s->loss, s->last_loss};
        memcpy(row + c * COLUMNS, of, sizeof of);
    }
    crd_array array = crd_array_borrow(row, crd_shape_2(count, COLUMNS));
    crd_status status = crdi_run_put_array(fit->run, "trained_starts", &array);
    crdi_free(fit->ctx, row);
    return status < 0 ? status : crdi_run_set_integer(fit->run, "starts_held_out", starts->held_out_rows);
}

crd_status crdi_network_starts_prepare(crdi_network_fit *fit)
{
    if (!are_trained(fit))
        return CRD_OK;
    CRD_TRY(crdi_network_start_create(fit->ctx, &fit->network, &fit->start));
    fit->mcmc.start_fn = crdi_network_start_run;
    fit->mcmc.start_user = &fit->start;
    fit->mcmc.trained = write;
    fit->mcmc.trained_user = fit;
    return CRD_OK;
}

void crdi_network_starts_plan(const crdi_network_fit *fit, crdi_string *out)
{
    if (!are_trained(fit))
        return;
    crdi_string_append(out, ", starts trained by at most %lld steps of Adam", (long long)fit->mcmc.start_steps);
    if (fit->mcmc.start_validation > 0)
        crdi_string_append(out, " with %g %% of the rows held out", 100 * fit->mcmc.start_validation);
}

crd_status crdi_run_starts_read(crd_context *ctx, crd_run *run, crdi_run_starts *out)
{
    crd_array array;
    *out = (crdi_run_starts){.ctx = ctx};
    int64_t held;
    if (!crdi_run_has(run, "starts_held_out"))
        return crdi_run_failure_of(run);
    CRD_TRY(crdi_run_get_integer(run, "starts_held_out", &held));
    CRD_TRY(crdi_run_get_array(run, "trained_starts", &array));
    bool fits = array.shape.ndim == 2 && array.shape.dim[1] == COLUMNS;
    crd_status status = fits ? CRD_OK : crdi_raise(ctx, CRD_EDAMAGED, "trained_starts: it has another shape");
    if (fits && !(out->start = crdi_alloc_array(ctx, array.shape.dim[0], sizeof *out->start)))
        status = CRD_ENOMEM;
    out->count = status == CRD_OK ? array.shape.dim[0] : 0;
    for (int64_t c = 0; c < out->count; c++) {
        const double *row = array.data + c * COLUMNS;
        out->start[c] = (crd_trained_start){.held_out_rows = held,
                                            .steps = (int64_t)row[0],
                                            .best_step = (int64_t)row[1],
                                            .first_loss = row[2],
                                            .loss = row[3],
                                            .last_loss = row[4]};
    }
    crd_array_clear(&array);
    return status;
}

void crdi_run_starts_clear(crdi_run_starts *starts)
{
    if (starts->ctx)
        crdi_free(starts->ctx, starts->start);
    *starts = (crdi_run_starts){0};
}
