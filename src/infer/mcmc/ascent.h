/* ascent.h - steps of Adam up a log density (Kingma & Ba 2015, algorithm 1), for points where chains start.
 *
 * Gradients that are longer than a bound are shortened to it (Pascanu, Mikolov & Bengio 2013, algorithm 1). Without that, where a density
 * falls off by 10^20, Adam's running mean of squares would remember the first gradients for thousands of steps, and none would move. */
#ifndef CRDI_ASCENT_H
#define CRDI_ASCENT_H

#include "base/base.h"

typedef struct crdi_ascent {
    crd_context *ctx;
    int64_t dim, steps; /* made */
    double bound; /* on the gradient's length */
    double *mean, *square; /* (dim) running means of the gradient and of its square */
} crdi_ascent;

/* The caller destroys, after a failure too. */
crd_status crdi_ascent_create(crdi_ascent *a, crd_context *ctx, int64_t dim, double bound);
void crdi_ascent_destroy(crdi_ascent *a);
/* Moves q (dim) by a step of about `rate` in each coordinate; gradient (dim): at q, finite, of which the step sees `scale` times. */
void crdi_ascent_step(crdi_ascent *a, const double *gradient, double scale, double rate, double *q);

/* The length of a vector. */
double crdi_ascent_length(const double *x, int64_t dim);

#endif
