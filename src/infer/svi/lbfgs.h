/* lbfgs.h - minimises a smooth function whose value and gradient are exact (full batches, MAP): L-BFGS. */
#ifndef CRDI_LBFGS_H
#define CRDI_LBFGS_H

#include "base/base.h"

/* Value and gradient at x. A value or gradient that is not finite rejects the point: the search comes back from it. A
 * status other than CRD_OK ends the minimisation, which returns it. */
typedef crd_status (*crdi_objective_fn)(void *user, const double *x, double *value, double *gradient);

/* Called at the start (iteration 0) and after each iteration, with the point that was reached. As above, a status other
 * than CRD_OK ends the minimisation; positive ones (CRD_INTERRUPTED) do so with a result. */
typedef crd_status (*crdi_lbfgs_visit_fn)(void *user, int64_t iteration, const double *x, double value,
                                          const double *gradient);

/* A field that is 0 has its default. */
typedef struct crdi_lbfgs_options {
    int memory; /* pairs of steps that are remembered; 10 */
    int64_t max_iterations; /* 1000 */
    double gradient_tolerance; /* stops when no |element| of the gradient is larger; 1e-6 */
    double
        value_tolerance; /* stops when the value changes by less than this share of max(|value|, 1); default: never */
    crdi_lbfgs_visit_fn visit; /* NULL: none */
    void *visit_user;
} crdi_lbfgs_options;

typedef enum crdi_lbfgs_reason {
    CRDI_LBFGS_GRADIENT, /* the gradient is within its tolerance */
    CRDI_LBFGS_VALUE, /* the value changes less than its tolerance */
    CRDI_LBFGS_ITERATIONS, /* as many iterations as allowed */
    CRDI_LBFGS_STALLED, /* no lower point was found even along the gradient: rounding, or a wrong gradient */
    CRDI_LBFGS_STOPPED /* by the objective or by visit */
} crdi_lbfgs_reason;

typedef struct crdi_lbfgs_result {
    crdi_lbfgs_reason reason;
    double value; /* at x */
    double gradient; /* the largest |element| of the gradient at x */
    int64_t iterations, evaluations;
} crdi_lbfgs_result;

/* Minimises from x (dim), which becomes the last point reached, also when a status of the objective ended the search.
 * options NULL: all defaults. Values never rise from one iteration to the next by more than rounding.
 * CRD_OK whatever the reason for the end; CRD_EINVAL: an option below 0, dim < 1; CRD_ESTART: value or gradient at the
 * start is not finite; CRD_ENOMEM; what objective or visit returned (result is then written only if it is positive).
 * Memory: (2 memory + 4) dim doubles. The order of evaluations, and so the bits, depend on nothing but the input. */
crd_status crdi_lbfgs_minimise(crd_context *ctx, crdi_objective_fn fn, void *user, int64_t dim, double *x,
                               const crdi_lbfgs_options *options, crdi_lbfgs_result *out);

/* The text of a reason, for messages. */
const char *crdi_lbfgs_reason_text(crdi_lbfgs_reason reason);

#endif
