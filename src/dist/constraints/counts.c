/* counts.c - whole numbers from 0: without a bound, up to `high`, and vectors whose sum is `high`. No bijection. */
#include "dist/constraint.h"
#include "dist/counts.h"

#include <math.h>

static bool count_holds(double x, double low, double high)
{
    (void)low;
    (void)high;
    return x >= 0 && isfinite(x) && floor(x) == x;
}

static bool up_to_holds(double x, double low, double high)
{
    (void)low;
    return x >= 0 && x <= high && isfinite(x) && floor(x) == x;
}

static bool sum_is_total(const double *event, int64_t rows, int64_t columns, double high)
{
    double sum = 0;
    (void)rows;
    for (int64_t i = 0; i < columns; i++)
        sum += event[i];
    return sum == high || high == INFINITY; /* INFINITY: not known yet */
}

static crd_node count_inside(crd_support support, crd_node x)
{
    (void)support;
    crd_node finite = crdi_both(crd_less_equal(crd_num(0), x), crd_less(x, crd_num(INFINITY)));
    return crdi_both(crdi_is_whole(x), finite);
}

static crd_node up_to_inside(crd_support support, crd_node x)
{
    return crdi_both(crdi_is_whole(x), crdi_both(crd_less_equal(crd_num(0), x), crd_less_equal(x, support.high)));
}

/* The total has an axis of length one where the classes are. */
static crd_node counts_inside(crd_support support, crd_node x)
{
    crd_node sum = crdi_column(crd_sum_axis(x, -1));
    return crdi_all(crdi_both(up_to_inside(support, x), crd_equal(sum, support.high)));
}

const crdi_constraint crdi_constraint_count = {.holds = count_holds, .inside = count_inside};
const crdi_constraint crdi_constraint_count_up_to = {.holds = up_to_holds, .inside = up_to_inside};
const crdi_constraint crdi_constraint_counts = {
    .event_ndim = 1, .holds = up_to_holds, .inside = counts_inside, .totals = sum_is_total};
