/* low_rank_fit.h - what the low-rank metric holds, and how it is made of draws and gradients. */
#ifndef CRDI_LOW_RANK_FIT_H
#define CRDI_LOW_RANK_FIT_H

#include "infer/mcmc/metric.h"

enum { CRDI_LOW_RANK_WHOLE = 256 }; /* dimensions up to which the space need not be found, and of the space else */

struct low_rank {
    /* draws and gradients: when the room is full every second is let go, and from then on only every `stride`-th is taken */
    int64_t room, count, stride, seen;
    int64_t mark; /* overlapping: those before are forgotten next; else count */
    bool overlapping;
    double *draws, *slopes; /* (room, dim) */
    /* the metric */
    int64_t width, rank; /* dimensions of the space; rows of V */
    double *vector, *value; /* (width, dim), (width) */
    double *less, *root_less, *inverse_root_less; /* (width) L - 1, sqrt(L) - 1, 1 / sqrt(L) - 1 */
    double *coefficient; /* (width) scratch of products */
    /* scratch of the fit */
    double *diagonal, *mean, *slope_mean, *row; /* (dim) */
    double *basis; /* (width, dim) orthonormal rows */
    double *sums; /* (width or room, dim) draws plus gradients */
    double *matrix[4], *part; /* (width, width); (width) */
};

/* The metric from what was collected; false: the old one stays. */
bool crdi_low_rank_fit(crdi_metric *m);
/* What products use, from `inverse_mass`, `value` and `rank`. */
void crdi_low_rank_factors(crdi_metric *m);
/* x += V' less V x. */
void crdi_low_rank_correct(const crdi_metric *m, const double *less, double *x);

#endif
