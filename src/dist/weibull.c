/* weibull.c - Weibull(scale s, concentration k).
 *   log p(x) = log(k / s) + (k - 1) l - exp(k l),  l = log(x / s),  x > 0
 *   draw: s (-log(1 - u))^(1 / k), u uniform. */
#include "dist/dist.h"

static crd_node log_ratio(const crd_dist *d, crd_node x)
{
    return crd_sub(crd_log(x), crd_log(d->param[0]));
}

static crd_node log_prob(const crd_dist *d, crd_node x)
{
    crd_node k = d->param[1], l = log_ratio(d, x);
    crd_node constant = crd_sub(crd_log(k), crd_log(d->param[0]));
    return crd_sub(crd_add(constant, crd_mul(crd_sub(k, crd_num(1)), l)), crd_exp(crd_mul(k, l)));
}

static crd_node draw(const crd_dist *d, crd_node key, crd_shape shape)
{
    crd_node waiting = crd_neg(crd_log1p(crd_neg(crdi_uniform_positive(key, shape))));
    return crd_mul(d->param[0], crd_exp(crd_div(crd_log(waiting), d->param[1])));
}

/* G(1 + n / k), G the gamma function. */
static crd_node moment(const crd_dist *d, double n)
{
    return crd_exp(crd_lgamma(crd_add(crd_num(1), crd_div(crd_num(n), d->param[1]))));
}

static crd_node mean(const crd_dist *d)
{
    return crd_mul(d->param[0], moment(d, 1));
}

static crd_node variance(const crd_dist *d)
{
    return crd_mul(crd_square(d->param[0]), crd_sub(moment(d, 2), crd_square(moment(d, 1))));
}

static crd_node cdf(const crd_dist *d, crd_node x)
{
    return crd_neg(crd_expm1(crd_neg(crd_exp(crd_mul(d->param[1], log_ratio(d, x))))));
}

static crd_node entropy(const crd_dist *d)
{
    /* Euler's constant (1 - 1 / k) + log(s / k) + 1 */
    crd_node k = d->param[1], bend = crd_mul(crd_num(0.57721566490153286061), crd_sub(crd_num(1), crd_reciprocal(k)));
    return crd_add(crd_add(bend, crd_sub(crd_log(d->param[0]), crd_log(k))), crd_num(1));
}

static crd_node quantile(const crd_dist *d, crd_node p)
{
    crd_node waiting = crd_neg(crd_log1p(crd_neg(p)));
    return crd_mul(d->param[0], crd_exp(crd_div(crd_log(waiting), d->param[1])));
}

const crd_dist_type crdi_dist_weibull = {
    .name = "weibull",
    .param_count = 2,
    .param = {{"scale", CRD_POSITIVE, 0}, {"concentration", CRD_POSITIVE, 0}},
    .support = crdi_support_positive,
    .log_prob = log_prob,
    .draw = draw,
    .mean = mean,
    .variance = variance,
    .cdf = cdf,
    .entropy = entropy,
    .quantile = quantile,
};
