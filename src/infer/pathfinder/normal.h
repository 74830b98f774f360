/* normal.h - the normal at a point of L-BFGS whose covariance is the inverse Hessian's estimate, in factors.
 *
 * With steps s and changes of the gradient z of minus the log density (columns of S and Z, the oldest first) and a diagonal
 * alpha, the estimate is (Byrd, Nocedal & Schnabel 1994; Zhang et al. 2022, algorithm 2)
 *     H = diag(alpha) + beta gamma beta',  beta = (diag(alpha) Z, S),
 *     gamma = ( 0, -R^-1; -R^-T, R^-T (E + Z' diag(alpha) Z) R^-1 ),  R = triu(S' Z), E = diag(R),
 * the same as BFGS started from diag(alpha). With the thin decomposition diag(alpha)^-1/2 beta = Q T and the Cholesky factor
 * L L' = I + T gamma T' it is A A' with A = diag(alpha)^1/2 (I + Q (L - I) Q'), which is all that is kept. */
#ifndef CRDI_PATHFINDER_NORMAL_H
#define CRDI_PATHFINDER_NORMAL_H

#include "base/base.h"
#include "kernel/vector.h"

/* What L-BFGS has learned of the curvature. */
typedef struct crdi_curvature {
    int64_t dim;
    int history, kept, newest; /* the ring: kept pairs, the last at `newest` */
    double *alpha; /* (dim) diagonal of the inverse Hessian */
    double *s, *z; /* (history, dim) */
} crdi_curvature;

typedef struct crdi_path_normal {
    int64_t dim;
    int columns; /* of Q: twice the pairs */
    double *mean; /* (dim) */
    double *root; /* (dim) square roots of alpha */
    double *q; /* (columns, dim): Q', orthonormal rows or zeros */
    double *factor; /* (columns, columns) L */
    double log_det; /* log |A| */
} crdi_path_normal;

crd_status crdi_curvature_create(crd_context *ctx, crdi_arena *arena, int64_t dim, int history, crdi_curvature *out);
/* Learns from the step s to a new point and the change z of the gradient over it, unless its curvature is lost in rounding
 * or not positive (Zhang et al. 2022, algorithm 3 and its condition). Returns whether. */
bool crdi_curvature_add(crdi_curvature *c, const double *s, const double *z);

crd_status crdi_path_normal_create(crdi_arena *arena, int64_t dim, int history, crdi_path_normal *out);
/* At x, with the gradient of minus the log density there: mean x - H g. `work` has room for
 * crdi_path_normal_work doubles. False if H is not positive definite in rounding. */
bool crdi_path_normal_set(crdi_path_normal *normal, const crdi_curvature *c, const double *x, const double *gradient,
                          double *work);
int64_t crdi_path_normal_work(int64_t dim, int history);
/* Makes standard normals u (dim) a draw, in place; returns its log density (Zhang et al. 2022, algorithm 4). `work`:
 * (2 columns). */
double crdi_path_normal_draw(const crdi_path_normal *normal, double *u, double *work);
void crdi_path_normal_copy(crdi_path_normal *to, const crdi_path_normal *from);

#endif
