/* line_search.h - a step along a direction that satisfies the strong Wolfe conditions (Nocedal & Wright 2006, 3.7). */
#ifndef CRDI_LINE_SEARCH_H
#define CRDI_LINE_SEARCH_H

#include "infer/svi/lbfgs.h"
#include "kernel/kernel.h"

typedef struct crdi_line_search {
    crdi_objective_fn fn;
    void *user;
    const crdi_vector_ops *v;
    int64_t dim;
    const double *x, *direction; /* where it starts, and where to; the slope there is below 0 */
    double value, slope; /* at x, along the direction */
    double *next_x, *next_gradient; /* (dim) the point evaluated last */
    int64_t evaluations; /* counts up */
} crdi_line_search;

/* Looks for a step, starting with `first`. *found: next_x, next_gradient and *value are of the step taken. It satisfies
 * both conditions, or only that of sufficient decrease if none with both was found in time. Statuses of fn. */
crd_status crdi_line_search_run(crdi_line_search *s, double first, bool *found, double *value);

#endif
