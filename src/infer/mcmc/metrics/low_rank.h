/* low_rank.h - a low-rank metric from outside. */
#ifndef CRDI_LOW_RANK_METRIC_H
#define CRDI_LOW_RANK_METRIC_H

#include "infer/mcmc/metric.h"

/* M^-1 = S (I + V' (L - I) V) S: S the roots of `diagonal` (dim), the rows of `vectors` (rank, dim) orthonormal, L their `values`. rank is
 * at most min(dim, 256). */
void crdi_low_rank_metric_set(crdi_metric *m, const double *diagonal, int64_t rank, const double *values,
                              const double *vectors);
/* How many directions are corrected. */
int64_t crdi_low_rank_metric_rank(const crdi_metric *m);

#endif
