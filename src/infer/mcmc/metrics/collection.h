/* collection.h - draws of a warm-up, and gradients there, as means and (co)variances. */
#ifndef CRDI_COLLECTION_H
#define CRDI_COLLECTION_H

#include "base/archive.h"
#include "infer/mcmc/adapt.h"

/* [0] what is learned from; [1], of an overlapping one, what came since the last `forget`. Those without a context are not there. */
typedef struct crdi_collection {
    crdi_welford draws[2], slopes[2];
} crdi_collection;

crd_status crdi_collection_create(crdi_collection *c, crd_context *ctx, int64_t dim, bool dense, bool slopes,
                                  bool overlapping);
void crdi_collection_destroy(crdi_collection *c);
void crdi_collection_add(crdi_collection *c, const double *q, const double *grad);
void crdi_collection_forget(crdi_collection *c);
void crdi_collection_state(crdi_collection *c, crdi_archive *archive);

#endif
