/* scalar.c - sets of single numbers, with the bijections of Stan's reference manual (constraint transforms) and of
 * NumPyro's biject_to:
 *   positive: x = exp(u), log |dx/du| = u
 *   unit interval: x = sigmoid(u), log |dx/du| = -softplus(u) - softplus(-u)
 *   interval: x = low + (high - low) sigmoid(u), that plus log(high - low)
 *   above: x = low + exp(u); below: x = high - exp(u) */
#include "dist/constraint.h"

#include <math.h>

/* ---- all reals ---------------------------------------------------------------------------------------------- */

static bool real_holds(double x, double low, double high)
{
    (void)low;
    (void)high;
    return isfinite(x);
}

static crd_node same(crd_support support, crd_node x)
{
    (void)support;
    return x;
}

static crd_node no_jacobian(crd_support support, crd_node u)
{
    (void)support;
    (void)u;
    return crd_num(0);
}

static const crdi_bijection real_bijection = {.forward = same, .log_jacobian = no_jacobian, .inverse = same};
const crdi_constraint crdi_constraint_real = {.holds = real_holds, .bijection = &real_bijection};

/* ---- positive, above a bound -------------------------------------------------------------------------------- */

static bool positive_holds(double x, double low, double high)
{
    (void)low;
    (void)high;
    return x > 0 && isfinite(x);
}

static crd_node positive_forward(crd_support support, crd_node u)
{
    (void)support;
    return crd_exp(u);
}

static crd_node positive_jacobian(crd_support support, crd_node u)
{
    (void)support;
    return crd_sum(u);
}

static crd_node positive_inverse(crd_support support, crd_node x)
{
    (void)support;
    return crd_log(x);
}

static crd_node positive_inside(crd_support support, crd_node x)
{
    (void)support;
    return crdi_both(crd_less(crd_num(0), x), crd_less(x, crd_num(INFINITY)));
}

static bool above_holds(double x, double low, double high)
{
    (void)high;
    return x > low && isfinite(x);
}

static crd_node above_forward(crd_support support, crd_node u)
{
    return crd_add(support.low, crd_exp(u));
}

static crd_node above_inverse(crd_support support, crd_node x)
{
    return crd_log(crd_sub(x, support.low));
}

static bool below_holds(double x, double low, double high)
{
    (void)low;
    return x < high && isfinite(x);
}

static crd_node below_forward(crd_support support, crd_node u)
{
    return crd_sub(support.high, crd_exp(u));
}

static crd_node below_inverse(crd_support support, crd_node x)
{
    return crd_log(crd_sub(support.high, x));
}

static crd_node above_inside(crd_support support, crd_node x)
{
    return crdi_both(crd_less(support.low, x), crd_less(x, crd_num(INFINITY)));
}

static crd_node below_inside(crd_support support, crd_node x)
{
    return crdi_both(crd_less(x, support.high), crd_less(crd_num(-INFINITY), x));
}

static bool lower_bound_holds(double x, double low, double high)
{
    (void)low;
    (void)high;
    return x < INFINITY;
}

static bool upper_bound_holds(double x, double low, double high)
{
    (void)high;
    return x > low;
}

static const crdi_bijection below_bijection = {
    .forward = below_forward, .log_jacobian = positive_jacobian, .inverse = below_inverse};
const crdi_constraint crdi_constraint_below = {
    .holds = below_holds, .inside = below_inside, .bijection = &below_bijection};
const crdi_constraint crdi_constraint_lower_bound = {.holds = lower_bound_holds};
const crdi_constraint crdi_constraint_upper_bound = {.holds = upper_bound_holds};
static const crdi_bijection positive_bijection = {
    .forward = positive_forward, .log_jacobian = positive_jacobian, .inverse = positive_inverse};
static const crdi_bijection above_bijection = {
    .forward = above_forward, .log_jacobian = positive_jacobian, .inverse = above_inverse};
const crdi_constraint crdi_constraint_positive = {
    .holds = positive_holds, .inside = positive_inside, .bijection = &positive_bijection};
const crdi_constraint crdi_constraint_above = {
    .holds = above_holds, .inside = above_inside, .bijection = &above_bijection};

/* ---- intervals ---------------------------------------------------------------------------------------------- */

static crd_node logit(crd_node share)
{
    return crd_sub(crd_log(share), crd_log1p(crd_neg(share)));
}

/* Elements of log |d sigmoid(u) / du|. */
static crd_node steepness(crd_node u)
{
    return crd_neg(crd_add(crd_softplus(u), crd_softplus(crd_neg(u))));
}

static bool unit_holds(double x, double low, double high)
{
    (void)low;
    (void)high;
    return x > 0 && x < 1;
}

static crd_node unit_forward(crd_support support, crd_node u)
{
    (void)support;
    return crd_sigmoid(u);
}

static crd_node unit_jacobian(crd_support support, crd_node u)
{
    (void)support;
    return crd_sum(steepness(u));
}

static crd_node unit_inverse(crd_support support, crd_node x)
{
    (void)support;
    return logit(x);
}

static crd_node unit_inside(crd_support support, crd_node x)
{
    (void)support;
    return crdi_both(crd_less(crd_num(0), x), crd_less(x, crd_num(1)));
}

static bool interval_holds(double x, double low, double high)
{
    return x >= low && x <= high;
}

static crd_node interval_forward(crd_support support, crd_node u)
{
    return crd_add(support.low, crd_mul(crd_sub(support.high, support.low), crd_sigmoid(u)));
}

static crd_node interval_jacobian(crd_support support, crd_node u)
{
    return crd_sum(crd_add(steepness(u), crd_log(crd_sub(support.high, support.low))));
}

static crd_node interval_inverse(crd_support support, crd_node x)
{
    return logit(crd_div(crd_sub(x, support.low), crd_sub(support.high, support.low)));
}

static crd_node interval_inside(crd_support support, crd_node x)
{
    return crdi_both(crd_less_equal(support.low, x), crd_less_equal(x, support.high));
}

static bool probability_holds(double x, double low, double high)
{
    (void)low;
    (void)high;
    return x >= 0 && x <= 1;
}

static crd_node probability_inside(crd_support support, crd_node x)
{
    (void)support;
    return crdi_both(crd_less_equal(crd_num(0), x), crd_less_equal(x, crd_num(1)));
}

static const crdi_bijection unit_bijection = {
    .forward = unit_forward, .log_jacobian = unit_jacobian, .inverse = unit_inverse};
static const crdi_bijection interval_bijection = {
    .forward = interval_forward, .log_jacobian = interval_jacobian, .inverse = interval_inverse};
const crdi_constraint crdi_constraint_unit_interval = {
    .holds = unit_holds, .inside = unit_inside, .bijection = &unit_bijection};
const crdi_constraint crdi_constraint_interval = {
    .holds = interval_holds, .inside = interval_inside, .bijection = &interval_bijection};
const crdi_constraint crdi_constraint_probability = {
    .holds = probability_holds, .inside = probability_inside, .bijection = &unit_bijection};

/* ---- whole numbers: no bijection ---------------------------------------------------------------------------- */

static bool boolean_holds(double x, double low, double high)
{
    (void)low;
    (void)high;
    return x == 0 || x == 1;
}

static bool category_holds(double x, double low, double high)
{
    (void)low;
    return x >= 0 && x < high && floor(x) == x;
}

static crd_node boolean_inside(crd_support support, crd_node x)
{
    (void)support;
    return crd_add(crd_equal(x, crd_num(0)), crd_equal(x, crd_num(1)));
}

static crd_node category_inside(crd_support support, crd_node x)
{
    return crdi_both(crdi_is_whole(x), crdi_both(crd_less_equal(crd_num(0), x), crd_less(x, support.high)));
}

const crdi_constraint crdi_constraint_boolean = {.holds = boolean_holds, .inside = boolean_inside};
const crdi_constraint crdi_constraint_category = {.holds = category_holds, .inside = category_inside};

/* ---- points and extents: no bijection ------------------------------------------------------------------------ */

static bool point_holds(double x, double low, double high)
{
    (void)high;
    return x == low || low == -INFINITY; /* the bound of a point that is not known yet */
}

static bool extent_holds(double x, double low, double high)
{
    (void)low;
    (void)high;
    return x >= 1 && x < 1e9 && floor(x) == x;
}

const crdi_constraint crdi_constraint_point = {.holds = point_holds};
const crdi_constraint crdi_constraint_extent = {.holds = extent_holds};
