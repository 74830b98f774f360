/* metric.h - the metric of a Hamiltonian: a matrix M^-1 in whose units the posterior is as round as it can be made, what a
 * warm-up learns it from, and what samplers do with it.
 *
 * Every metric is given by a root T: M^-1 = T T'. Motion in z = T^-1 q with unit masses is motion in q by M; a gradient with respect
 * to z is T' times one with respect to q. A new metric is a file in metrics/ and a row in metrics.def. */
#ifndef CRDI_METRIC_H
#define CRDI_METRIC_H

#include "base/archive.h"
#include "base/base.h"
#include "kernel/kernel.h"

typedef struct crdi_metric crdi_metric;

typedef struct crdi_metric_type {
    const char *name;
    int form; /* of what was learned: a run can begin with what another of this form has learned */
    bool diagonal; /* M^-1 is `inverse_mass`: steps can be fused */
    /* The identity, which has learned nothing. Overlapping: see forget. What it allocates destroy frees, after a failure too. */
    crd_status (*create)(crdi_metric *m, bool overlapping);
    void (*destroy)(crdi_metric *m);
    void (*sharpen)(const crdi_metric *m, const double *p, double *out); /* out = M^-1 p */
    void (*root)(const crdi_metric *m, const double *u, double *out); /* out = T u; out is not u */
    void (*root_transposed)(const crdi_metric *m, const double *g, double *out); /* out = T' g; out is not g */
    void (*momentum)(const crdi_metric *m, double *p); /* p = T^-T p: of standard normals, a draw from Normal(0, M) */
    /* A draw of warm-up and the gradient there. NULL, as the two that follow: nothing is learned. */
    void (*collect)(crdi_metric *m, const double *q, const double *grad);
    /* Takes the metric from what was collected; false: the old one stays, because what came out is no metric. */
    bool (*renew)(crdi_metric *m);
    /* Forgets what was collected; of an overlapping one, what was collected before the last call of this. */
    void (*forget)(crdi_metric *m);
    /* As states: what was learned (M^-1), what was collected. */
    void (*learned)(crdi_metric *m, crdi_archive *archive);
    void (*collected)(crdi_metric *m, crdi_archive *archive);
} crdi_metric_type;

struct crdi_metric {
    const crdi_metric_type *type;
    crd_context *ctx;
    const crdi_kernel_table *kernels;
    int64_t dim;
    double *
        inverse_mass; /* diagonal: (dim) M^-1; dense: (dim, dim) M^-1; low rank: (dim) the diagonal that is corrected */
    double *scale; /* square roots of that; dense: (dim, dim) T, lower triangular */
    double *inverse_scale; /* 1 / scale; dense: none */
    double extent; /* root of the sum of variances of what it was learned from, in its units; 0: not known */
    void *state; /* the type's own */
};

const crdi_metric_type *crdi_metric_find(const char *name);
/* The first one of that form, for messages; NULL: there is none. */
const crdi_metric_type *crdi_metric_of_form(int64_t form);
crd_status crdi_metric_create(crdi_metric *m, crd_context *ctx, const crdi_metric_type *type, int64_t dim,
                              bool overlapping);
void crdi_metric_destroy(crdi_metric *m);

#endif
