/* pareto.c - Pareto(scale m, alpha a): P(X > x) = (m / x)^a for x > m.
 *   log p(x) = log(a) + a log(m) - (a + 1) log(x),  x > m
 *   draw: m (1 - u)^(-1 / a), u uniform.
 * A scale that is random itself may leave an observed value below: the density is 0 there, and the formula says so. */
#include "dist/dist.h"

#include <math.h>

static crd_support support(const crd_dist *d)
{
    return (crd_support){CRD_ABOVE, d->param[0], crd_num(INFINITY)};
}

static crd_node log_prob(const crd_dist *d, crd_node x)
{
    crd_node m = d->param[0], a = d->param[1], ratio = crd_sub(crd_log(m), crd_log(x));
    crd_node density = crd_sub(crd_add(crd_log(a), crd_mul(a, ratio)), crd_log(x));
    return crdi_known(m) ? density : crd_select(crd_less_equal(m, x), density, crd_num(-INFINITY));
}

static crd_node draw(const crd_dist *d, crd_node key, crd_shape shape)
{
    crd_node waiting = crd_neg(crd_log1p(crd_neg(crdi_uniform_positive(key, shape))));
    crd_node x = crd_mul(d->param[0], crd_exp(crd_div(waiting, d->param[1])));
    return crd_max(x, crd_mul(d->param[0], crd_num(1 + DBL_EPSILON)));
}

static crd_node mean(const crd_dist *d)
{
    crd_node excess = crd_sub(d->param[1], crd_num(1));
    crd_node finite = crd_div(crd_mul(d->param[1], d->param[0]), excess);
    return crd_select(crd_less(crd_num(0), excess), finite, crd_num(INFINITY));
}

static crd_node variance(const crd_dist *d)
{
    crd_node a = d->param[1], less_one = crd_sub(a, crd_num(1)), less_two = crd_sub(a, crd_num(2));
    crd_node finite = crd_div(crd_mul(crd_square(crd_div(d->param[0], less_one)), a), less_two);
    return crd_select(crd_less(crd_num(0), less_two), finite, crd_num(INFINITY));
}

static crd_node cdf(const crd_dist *d, crd_node x)
{
    crd_node ratio = crd_min(crd_sub(crd_log(d->param[0]), crd_log(x)), crd_num(0));
    return crd_neg(crd_expm1(crd_mul(d->param[1], ratio)));
}

static crd_node entropy(const crd_dist *d)
{
    /* log(m / a) + 1 + 1 / a */
    crd_node a = d->param[1];
    return crd_add(crd_sub(crd_log(d->param[0]), crd_log(a)), crd_add(crd_num(1), crd_reciprocal(a)));
}

static crd_node quantile(const crd_dist *d, crd_node p)
{
    return crd_mul(d->param[0], crd_exp(crd_neg(crd_div(crd_log1p(crd_neg(p)), d->param[1]))));
}

const crd_dist_type crdi_dist_pareto = {
    .name = "pareto",
    .param_count = 2,
    .param = {{"scale", CRD_POSITIVE, 0}, {"alpha", CRD_POSITIVE, 0}},
    .support = support,
    .log_prob = log_prob,
    .draw = draw,
    .mean = mean,
    .variance = variance,
    .cdf = cdf,
    .entropy = entropy,
    .quantile = quantile,
};
