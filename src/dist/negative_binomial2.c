/* negative_binomial2.c - NegativeBinomial2(mean m, concentration c): a Poisson whose rate is Gamma(c, c / m).
 *   log p(x) = log G(x + c) - log G(c) - log x! - c log(1 + m / c) + x log(m / (c + m)), G the gamma function
 * For c to infinity it becomes Poisson(m); the ratio of gamma functions does not cancel there.
 *   draw: as it is defined, without a gradient. */
#include "dist/counts.h"

static crd_node log_prob(const crd_dist *d, crd_node x)
{
    crd_node m = d->param[0], c = d->param[1];
    crd_node ways = crd_sub(crdi_lgamma_ratio(c, x), crd_lgamma(crd_add(x, crd_num(1))));
    crd_node share = crd_sub(crd_log(m), crd_log(crd_add(c, m)));
    return crd_add(crd_sub(ways, crd_mul(c, crd_log1p(crd_div(m, c)))), crd_mul(x, share));
}

static crd_node draw(const crd_dist *d, crd_node key, crd_shape shape)
{
    crd_node m = d->param[0], c = d->param[1];
    crd_node gamma = crdi_draw_gamma(c, crd_key_fold_in_node(key, 0), shape);
    return crd_random_poisson_node(crd_key_fold_in_node(key, 1), crd_mul(gamma, crd_div(m, c)), shape);
}

static crd_node mean(const crd_dist *d)
{
    return d->param[0];
}

static crd_node variance(const crd_dist *d)
{
    return crd_add(d->param[0], crd_div(crd_square(d->param[0]), d->param[1]));
}

static crd_node quantile(const crd_dist *d, crd_node p)
{
    return crdi_count_quantile(d, crd_negative_binomial_quantile(d->param[0], d->param[1], p), p);
}

const crd_dist_type crdi_dist_negative_binomial2 = {
    .name = "negative_binomial2",
    .param_count = 2,
    .param = {{"mean", CRD_POSITIVE, 0}, {"concentration", CRD_POSITIVE, 0}},
    .discrete = 1,
    .support = crdi_support_count,
    .log_prob = log_prob,
    .draw = draw,
    .mean = mean,
    .variance = variance,
    .cdf = crdi_count_cdf,
    .quantile = quantile,
};
