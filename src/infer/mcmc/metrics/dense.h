/* dense.h - a dense metric from outside. */
#ifndef CRDI_DENSE_METRIC_H
#define CRDI_DENSE_METRIC_H

#include "infer/mcmc/metric.h"

/* Takes a new M^-1 (dim, dim). One that is not positive definite is left aside: false. */
bool crdi_dense_metric_set(crdi_metric *m, const double *inverse_mass);

#endif
