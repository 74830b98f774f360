/* map.h - the most probable point near another. */
#ifndef CRDI_MAP_H
#define CRDI_MAP_H

#include "base/base.h"

#include <credence/graph.h>

/* Moves u (dim) up a log density, an exec of a program (u) -> (value, gradient), by L-BFGS until the gradient is small.
 * evaluations, if given, grows by those that it took. CRD_ESTART: the density or its gradient at u is not finite. */
crd_status crdi_find_map(crd_context *ctx, crd_exec *density, int64_t dim, double *u, int64_t *evaluations);

#endif
