/* beta.c - Beta(concentration1 a, concentration0 b).
 *   log p(x) = (a - 1) log(x) + (b - 1) log(1 - x) - log B(a, b),  0 < x < 1
 *   draw: sigmoid(log g - log h), g and h from Gamma(a, 1) and Gamma(b, 1), with their implicit gradients
 *   distribution function I_x(a, b), the regularised incomplete beta function. */
#include "dist/dist.h"

static crd_support unit(const crd_dist *d)
{
    (void)d;
    return (crd_support){CRD_UNIT_INTERVAL, crd_num(0), crd_num(1)};
}

/* log B(a, b) */
static crd_node log_beta(crd_node a, crd_node b)
{
    return crd_sub(crd_add(crd_lgamma(a), crd_lgamma(b)), crd_lgamma(crd_add(a, b)));
}

static crd_node log_prob(const crd_dist *d, crd_node x)
{
    crd_node a = d->param[0], b = d->param[1];
    crd_node left = crd_mul(crd_sub(a, crd_num(1)), crd_log(x));
    crd_node right = crd_mul(crd_sub(b, crd_num(1)), crd_log1p(crd_neg(x)));
    return crd_sub(crd_add(left, right), log_beta(a, b));
}

static crd_node draw(const crd_dist *d, crd_node key, crd_shape shape)
{
    crd_node g = crd_random_log_gamma_node(crd_key_fold_in_node(key, 0), d->param[0], shape);
    crd_node h = crd_random_log_gamma_node(crd_key_fold_in_node(key, 1), d->param[1], shape);
    return crdi_inside_unit(crd_sigmoid(crd_sub(g, h)));
}

static crd_node mean(const crd_dist *d)
{
    return crd_div(d->param[0], crd_add(d->param[0], d->param[1]));
}

static crd_node variance(const crd_dist *d)
{
    crd_node sum = crd_add(d->param[0], d->param[1]), p = crd_div(d->param[0], sum), q = crd_div(d->param[1], sum);
    return crd_div(crd_mul(p, q), crd_add(sum, crd_num(1)));
}

static crd_node cdf(const crd_dist *d, crd_node x)
{
    return crd_beta_cdf(d->param[0], d->param[1], x);
}

static crd_node entropy(const crd_dist *d)
{
    crd_node a = d->param[0], b = d->param[1], sum = crd_add(a, b), one = crd_num(1);
    crd_node own = crd_add(crd_mul(crd_sub(a, one), crd_digamma(a)), crd_mul(crd_sub(b, one), crd_digamma(b)));
    crd_node both = crd_mul(crd_sub(sum, crd_num(2)), crd_digamma(sum));
    return crd_add(log_beta(a, b), crd_sub(both, own));
}

static crd_node quantile(const crd_dist *d, crd_node p)
{
    return crd_beta_quantile(d->param[0], d->param[1], p);
}

const crd_dist_type crdi_dist_beta = {
    .name = "beta",
    .param_count = 2,
    .param = {{"concentration1", CRD_POSITIVE, 0}, {"concentration0", CRD_POSITIVE, 0}},
    .support = unit,
    .log_prob = log_prob,
    .draw = draw,
    .mean = mean,
    .variance = variance,
    .cdf = cdf,
    .entropy = entropy,
    .quantile = quantile,
    .tested = 1u << 0 | 1u << 1,
};
