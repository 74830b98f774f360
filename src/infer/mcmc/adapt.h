/* adapt.h - what warm-up learns: the step size by dual averaging, the metric by variances over growing windows. */
#ifndef CRDI_ADAPT_H
#define CRDI_ADAPT_H

#include "base/base.h"

/* Dual averaging of log step size (Hoffman & Gelman 2014, eq. 6 and alg. 5; constants as in Stan). */
typedef struct crdi_dual_averaging {
    double target; /* delta: the acceptance probability wanted */
    double mu; /* where log step size is drawn to: log(10 first step size) */
    double s_bar, x_bar;
    double count;
} crdi_dual_averaging;

void crdi_dual_averaging_restart(crdi_dual_averaging *d, double step_size);
/* Takes one acceptance statistic; returns the step size to go on with. */
double crdi_dual_averaging_learn(crdi_dual_averaging *d, double accept);
/* The average that sampling uses. */
double crdi_dual_averaging_final(const crdi_dual_averaging *d);

/* Running mean and (co)variance (Welford 1962), one pass, stable. */
typedef struct crdi_welford {
    crd_context *ctx;
    int64_t dim, count;
    bool dense;
    double *mean; /* (dim) */
    double *m2; /* (dim) or (dim, dim): sums of products of deviations */
    double *delta; /* (dim) scratch */
} crdi_welford;

crd_status crdi_welford_create(crdi_welford *w, crd_context *ctx, int64_t dim, bool dense);
void crdi_welford_destroy(crdi_welford *w);
void crdi_welford_restart(crdi_welford *w);
void crdi_welford_add(crdi_welford *w, const double *x);
/* The regularised estimate: n / (n + 5) times the sample (co)variance plus 1e-3 5 / (n + 5) on the diagonal (Stan). */
void crdi_welford_estimate(const crdi_welford *w, double *out);
/* The diagonal metric under which draws and gradients of the log density spread alike, sqrt(var(draws) / var(gradients)): of all
 * diagonal ones it makes the Fisher divergence from a standard normal least (Seyboldt, Carlson & Carpenter 2026). (dim); a
 * coordinate whose gradient did not vary has its variance. */
void crdi_welford_fisher(const crdi_welford *draws, const crdi_welford *gradients, double *out);

/* Which iterations of warm-up the metric learns from, and when it is renewed.
 *
 * In turn: a first stretch for the step size alone, windows of doubling length, a last stretch for the step size (Stan reference
 * manual, "HMC algorithm parameters").
 *
 * Overlapping (nutpie's idea; Seyboldt, Carlson & Carpenter 2026): from the first draw on, over windows that end after 10, 30, 90, ...
 * iterations, of which the one before is remembered too, so that the metric knows two thirds or more of what has been, and not the
 * way from the start; it is renewed five times in each. The last tenth is for the step size. */
typedef struct crdi_windows {
    int64_t warmup;
    bool overlapping;
    int64_t first, last; /* lengths of the outer stretches; in turn, 75 and 50 if warm-up is long enough */
    int64_t size, next; /* of the window at hand; its last iteration */
    int64_t iteration;
} crdi_windows;

typedef struct crdi_window_step {
    bool learn; /* the metric learns from this iteration */
    bool renew; /* it is renewed after it */
    bool forget; /* and what was collected before the window is forgotten; in turn, all */
} crdi_window_step;

/* `last` iterations are left for the step size; below 0: as many as usual. */
void crdi_windows_start(crdi_windows *w, int64_t warmup, bool overlapping, int64_t last);
/* For each iteration in turn. */
crdi_window_step crdi_windows_step(crdi_windows *w);

#endif
