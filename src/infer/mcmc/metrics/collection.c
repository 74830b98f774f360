/* collection.c - see collection.h. */
#include "infer/mcmc/metrics/collection.h"

crd_status crdi_collection_create(crdi_collection *c, crd_context *ctx, int64_t dim, bool dense, bool slopes,
                                  bool overlapping)
{
    for (int k = 0; k < (overlapping ? 2 : 1); k++) {
        CRD_TRY(crdi_welford_create(&c->draws[k], ctx, dim, dense));
        if (slopes)
            CRD_TRY(crdi_welford_create(&c->slopes[k], ctx, dim, dense));
    }
    return CRD_OK;
}

void crdi_collection_destroy(crdi_collection *c)
{
    for (int k = 0; k < 2; k++) {
        if (c->draws[k].ctx)
            crdi_welford_destroy(&c->draws[k]);
        if (c->slopes[k].ctx)
            crdi_welford_destroy(&c->slopes[k]);
    }
}

void crdi_collection_add(crdi_collection *c, const double *q, const double *grad)
{
    for (int k = 0; k < 2; k++) {
        if (c->draws[k].ctx)
            crdi_welford_add(&c->draws[k], q);
        if (c->slopes[k].ctx)
            crdi_welford_add(&c->slopes[k], grad);
    }
}

static void forget(crdi_welford *w)
{
    if (w[1].ctx) {
        crdi_welford before = w[0];
        w[0] = w[1];
        w[1] = before;
    }
    if (w[0].ctx)
        crdi_welford_restart(w[1].ctx ? &w[1] : &w[0]);
}

void crdi_collection_forget(crdi_collection *c)
{
    forget(c->draws);
    forget(c->slopes);
}

void crdi_collection_state(crdi_collection *c, crdi_archive *a)
{
    for (int k = 0; k < 4; k++) {
        crdi_welford *w = k % 2 ? &c->slopes[k / 2] : &c->draws[k / 2];
        if (!w->ctx)
            continue;
        crdi_archive_integer(a, &w->count);
        crdi_archive_reals(a, w->mean, w->dim);
        crdi_archive_reals(a, w->m2, w->dense ? w->dim * w->dim : w->dim);
    }
}
