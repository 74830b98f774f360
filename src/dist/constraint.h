/* constraint.h - a set that parameters and values lie in, and the bijection from all reals to it.
 *
 * A set of vectors (a simplex) or matrices has event axes: the last event_ndim of a value belong together. */
#ifndef CRDI_CONSTRAINT_H
#define CRDI_CONSTRAINT_H

#include "dist/dist.h"

/* x(u) and back. Support as the distribution gives it: its bounds may be nodes, which broadcast against elements. */
typedef struct crdi_bijection {
    crd_shape (*shape)(crd_shape value); /* of u, from that of x; NULL: the same */
    crd_node (*forward)(crd_support support, crd_node u);
    crd_node (*log_jacobian)(crd_support support, crd_node u); /* sum over all values of log |dx/du| */
    crd_node (*inverse)(crd_support support, crd_node x);
} crdi_bijection;

typedef struct crdi_constraint {
    int event_ndim;
    /* Whether a number can be an element of a value. */
    bool (*holds)(double x, double low, double high);
    /* Whether elements that each can be are one value together: a vector of `columns`, or a matrix. NULL: always. */
    bool (*whole)(const double *event, int64_t rows, int64_t columns);
    const crdi_bijection *bijection; /* NULL: there is none */
    /* Like whole, for values that the bound `high` of a support decides on; INFINITY if that is not known. NULL: always. */
    bool (*totals)(const double *event, int64_t rows, int64_t columns, double high);
    /* 1 where a value is in the set, else 0, with one number an event: for values that are computed. The bounds of the
     * support may be nodes. Sums are good to 1e-4, so that single precision passes. NULL: all finite numbers are. */
    crd_node (*inside)(crd_support support, crd_node x);
} crdi_constraint;

#define CONSTRAINT(constant, name, text) extern const crdi_constraint crdi_constraint_##name;
#include "dist/constraints.def"
#undef CONSTRAINT

/* Whether a and b are both 1; whether all along the last axis are; whether x is a whole number. */
crd_node crdi_both(crd_node a, crd_node b);
crd_node crdi_all(crd_node x);
crd_node crdi_is_whole(crd_node x);

const crdi_constraint *crdi_constraint_of(crd_constraint kind);

#endif
