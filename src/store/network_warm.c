/* network_warm.c - the step sizes and metrics of another run, to begin with: read from that run's states, and kept in the new run
 * as entries "warm/N", so that it needs the other file no more. */
#include "store/network_warm.h"
#include "store/network_fit.h"

#include <stdio.h>

crd_status crdi_network_warm_room(crdi_network_warm *w, crd_context *ctx, int64_t most)
{
    *w = (crdi_network_warm){.ctx = ctx};
    w->state = crdi_alloc_array(ctx, most + 1, sizeof *w->state);
    return w->state ? CRD_OK : CRD_ENOMEM;
}

static crd_status read_states(crdi_network_warm *w, crd_run *run, const char *path)
{
    int lanes;
    char *method;
    CRD_TRY(crdi_run_get_text(run, "method", &method));
    const crdi_network_method *type;
    bool clear = crd_error_status(w->ctx) == CRD_OK;
    bool chains = crdi_network_method_find(w->ctx, method, &type) == CRD_OK && type->draws_behind;
    if (clear)
        crd_error_clear(w->ctx);
    crd_status status =
        chains
            ? CRD_OK
            : crdi_raise(w->ctx, CRD_EUNSUPPORTED,
                         "option --warm-from: %s is a run of %s, and only Markov chains have a metric", path, method);
    crdi_free(w->ctx, method);
    CRD_TRY(status);
    CRD_TRY(crdi_run_count_states(run, &lanes));
    CRD_TRY(crdi_network_warm_room(w, w->ctx, lanes));
    for (int lane = 0; lane < lanes; lane++) {
        int64_t iteration;
        void *bytes;
        size_t size;
        CRD_TRY(crdi_run_read_state(run, lane, &iteration, &bytes, &size));
        w->state[w->count++] = (crdi_mcmc_saved){bytes, size};
    }
    return lanes > 0
               ? CRD_OK
               : crdi_raise(w->ctx, CRD_EMISSING,
                            "option --warm-from: %s holds no state of a sampler: it was made before credence kept one",
                            path);
}

crd_status crdi_network_warm_read(crdi_network_warm *w, crd_context *ctx, const char *path)
{
    crd_run *run;
    *w = (crdi_network_warm){.ctx = ctx};
    CRD_TRY(crd_run_open(ctx, path, &run));
    crd_status status = read_states(w, run, path);
    crd_run_close(&run);
    return status;
}

crd_status crdi_network_warm_write(const crdi_network_warm *w, crdi_run *run)
{
    char key[32];
    for (int64_t i = 0; i < w->count; i++) {
        snprintf(key, sizeof key, "warm/%lld", (long long)i);
        CRD_TRY(crdi_run_set_blob(run, key, w->state[i].bytes, w->state[i].size));
    }
    return w->points ? crdi_run_set_blob(run, "warm_points", w->points, w->points_size) : CRD_OK;
}

crd_status crdi_network_warm_again(crdi_network_warm *w, crd_context *ctx, crd_run *run)
{
    char key[32];
    int64_t count = 0;
    *w = (crdi_network_warm){.ctx = ctx};
    while (snprintf(key, sizeof key, "warm/%lld", (long long)count), crdi_run_has(run, key))
        count++;
    if (count == 0)
        return CRD_OK;
    CRD_TRY(crdi_network_warm_room(w, ctx, count));
    for (int64_t i = 0; i < count; i++) {
        void *bytes;
        size_t size;
        snprintf(key, sizeof key, "warm/%lld", (long long)i);
        CRD_TRY(crdi_run_get_blob(run, key, &bytes, &size));
        w->state[w->count++] = (crdi_mcmc_saved){bytes, size};
    }
    if (!crdi_run_has(run, "warm_points"))
        return CRD_OK;
    void *points;
    CRD_TRY(crdi_run_get_blob(run, "warm_points", &points, &w->points_size));
    w->points = points;
    return CRD_OK;
}

void crdi_network_warm_clear(crdi_network_warm *w)
{
    for (int64_t i = 0; i < w->count; i++)
        crdi_free(w->ctx, w->state[i].bytes);
    if (w->ctx) {
        crdi_free(w->ctx, w->state);
        crdi_free(w->ctx, w->points);
    }
    *w = (crdi_network_warm){0};
}
