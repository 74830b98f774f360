/* counts.c - whole numbers from 0: without a bound, up to `high`, and vectors whose sum is `high`. No bijection. */
#include "dist/constraint.h"

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

const crdi_constraint crdi_constraint_count = {.holds = count_holds};
const crdi_constraint crdi_constraint_count_up_to = {.holds = up_to_holds};
const crdi_constraint crdi_constraint_counts = {.event_ndim = 1, .holds = up_to_holds, .totals = sum_is_total};
