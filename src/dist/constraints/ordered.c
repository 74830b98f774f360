/* ordered.c - ascending vectors along the last axis (Stan reference manual, "ordered vector" and "positive ordered vector";
 * NumPyro's OrderedTransform): the first element is u_1, or exp(u_1), and each step up is exp(u_k).
 *   log |dx/du| = sum of the u that are in an exp. */
#include "dist/constraint.h"

#include <math.h>

static bool finite_holds(double x, double low, double high)
{
    (void)low;
    (void)high;
    return isfinite(x);
}

static bool positive_holds(double x, double low, double high)
{
    (void)low;
    (void)high;
    return x > 0 && isfinite(x);
}

static bool ascends(const double *event, int64_t rows, int64_t columns)
{
    (void)rows;
    for (int64_t i = 1; i < columns; i++)
        if (!(event[i - 1] < event[i]))
            return false;
    return true;
}

static crd_node first(crd_node x)
{
    return crd_slice(x, -1, 0, 1, 1);
}

static crd_node behind_first(crd_node x)
{
    return crd_slice(x, -1, 1, crdi_extent(x, -1) - 1, 1);
}

static crd_node forward(crd_support support, crd_node u)
{
    (void)support;
    if (crdi_extent(u, -1) < 2)
        return u;
    crd_node steps[2] = {first(u), crd_exp(behind_first(u))};
    return crd_cumsum(crd_concat(steps, 2, -1), -1);
}

static crd_node log_jacobian(crd_support support, crd_node u)
{
    (void)support;
    return crdi_extent(u, -1) < 2 ? crd_num(0) : crd_sum(behind_first(u));
}

/* log of the step up to each element but the first */
static crd_node log_steps(crd_node x)
{
    return crd_log(crd_sub(behind_first(x), crd_slice(x, -1, 0, crdi_extent(x, -1) - 1, 1)));
}

static crd_node inverse(crd_support support, crd_node x)
{
    (void)support;
    if (crdi_extent(x, -1) < 2)
        return x;
    crd_node parts[2] = {first(x), log_steps(x)};
    return crd_concat(parts, 2, -1);
}

static crd_node positive_forward(crd_support support, crd_node u)
{
    (void)support;
    return crd_cumsum(crd_exp(u), -1);
}

static crd_node positive_jacobian(crd_support support, crd_node u)
{
    (void)support;
    return crd_sum(u);
}

static crd_node positive_inverse(crd_support support, crd_node x)
{
    (void)support;
    if (crdi_extent(x, -1) < 2)
        return crd_log(x);
    crd_node parts[2] = {crd_log(first(x)), log_steps(x)};
    return crd_concat(parts, 2, -1);
}

static crd_node inside(crd_support support, crd_node x)
{
    (void)support;
    int64_t n = crdi_extent(x, -1);
    if (n < 2)
        return crdi_all(crd_equal(x, x));
    return crdi_all(crd_less(crd_slice(x, -1, 0, n - 1, 1), behind_first(x)));
}

static crd_node positive_inside(crd_support support, crd_node x)
{
    return crdi_both(inside(support, x), crd_less(crd_num(0), crd_take(x, -1, 0)));
}

static const crdi_bijection bijection = {NULL, forward, log_jacobian, inverse};
static const crdi_bijection positive_bijection = {NULL, positive_forward, positive_jacobian, positive_inverse};
const crdi_constraint crdi_constraint_ordered = {
    .event_ndim = 1, .holds = finite_holds, .inside = inside, .whole = ascends, .bijection = &bijection};
const crdi_constraint crdi_constraint_positive_ordered = {.event_ndim = 1,
                                                          .holds = positive_holds,
                                                          .inside = positive_inside,
                                                          .whole = ascends,
                                                          .bijection = &positive_bijection};
