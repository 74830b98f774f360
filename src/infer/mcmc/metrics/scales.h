/* scales.h - what diagonal metrics share: a scale for each coordinate, and draws collected by coordinate. */
#ifndef CRDI_SCALES_H
#define CRDI_SCALES_H

#include "infer/mcmc/metric.h"
#include "infer/mcmc/metrics/collection.h"

/* Scales of 1; the types' state is a crdi_collection. */
crd_status crdi_scales_create(crdi_metric *m);
/* The scales alone, whatever the state is; and with a state that is a collection, or none. */
void crdi_scales_free(crdi_metric *m);
void crdi_scales_destroy(crdi_metric *m);
void crdi_scales_sharpen(const crdi_metric *m, const double *p, double *out);
void crdi_scales_root(const crdi_metric *m, const double *u, double *out);
void crdi_scales_momentum(const crdi_metric *m, double *p);
void crdi_scales_learned(crdi_metric *m, crdi_archive *archive);
/* Scales of the variances in inverse_mass. */
void crdi_scales_set(crdi_metric *m);

/* Of those that have a collection. */
crd_status crdi_scales_collection(crdi_metric *m, bool slopes, bool overlapping);
void crdi_scales_collect(crdi_metric *m, const double *q, const double *grad);
void crdi_scales_forget(crdi_metric *m);
void crdi_scales_collected(crdi_metric *m, crdi_archive *archive);
/* extent, after inverse_mass was set from the collection. */
void crdi_scales_measure(crdi_metric *m);

/* A diagonal metric of a name, with create and renew of its own. */
#define CRDI_SCALES_TYPE(NAME)                                                                                         \
    .name = NAME, .form = 1, .diagonal = true, .destroy = crdi_scales_destroy, .sharpen = crdi_scales_sharpen,         \
    .root = crdi_scales_root, .root_transposed = crdi_scales_root, .momentum = crdi_scales_momentum,                   \
    .collect = crdi_scales_collect, .forget = crdi_scales_forget, .learned = crdi_scales_learned,                      \
    .collected = crdi_scales_collected

#endif
