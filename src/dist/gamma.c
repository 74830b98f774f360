/* gamma.c - Gamma(concentration a, rate b).
 *   log p(x) = a log(b) - log G(a) + (a - 1) log(x) - b x,  x > 0, G the gamma function
 *   draw: exp of crd_random_log_gamma_node, over b: by rejection, with implicit gradients
 *   distribution function P(a, b x), the regularised incomplete gamma function
 *   entropy a - log b + log G(a) + (1 - a) digamma(a). */
#include "dist/dist.h"

crd_node crdi_draw_gamma(crd_node concentration, crd_node key, crd_shape shape)
{
    return crd_max(crd_exp(crd_random_log_gamma_node(key, concentration, shape)), crd_num(DBL_MIN));
}

crd_node crdi_gamma_entropy(crd_node a)
{
    crd_node rest = crd_mul(crd_sub(crd_num(1), a), crd_digamma(a));
    return crd_add(crd_add(a, crd_lgamma(a)), rest);
}

static crd_node log_prob(const crd_dist *d, crd_node x)
{
    crd_node a = d->param[0], b = d->param[1];
    crd_node constant = crd_sub(crd_mul(a, crd_log(b)), crd_lgamma(a));
    return crd_sub(crd_add(constant, crd_mul(crd_sub(a, crd_num(1)), crd_log(x))), crd_mul(b, x));
}

static crd_node draw(const crd_dist *d, crd_node key, crd_shape shape)
{
    return crd_div(crdi_draw_gamma(d->param[0], key, shape), d->param[1]);
}

static crd_node mean(const crd_dist *d)
{
    return crd_div(d->param[0], d->param[1]);
}

static crd_node variance(const crd_dist *d)
{
    return crd_div(d->param[0], crd_square(d->param[1]));
}

static crd_node cdf(const crd_dist *d, crd_node x)
{
    return crd_gamma_p(d->param[0], crd_mul(d->param[1], x));
}

static crd_node entropy(const crd_dist *d)
{
    return crd_sub(crdi_gamma_entropy(d->param[0]), crd_log(d->param[1]));
}

static crd_node quantile(const crd_dist *d, crd_node p)
{
    return crd_div(crd_gamma_quantile(d->param[0], p), d->param[1]);
}

const crd_dist_type crdi_dist_gamma = {
    .name = "gamma",
    .param_count = 2,
    .param = {{"concentration", CRD_POSITIVE, 0}, {"rate", CRD_POSITIVE, 0}},
    .support = crdi_support_positive,
    .log_prob = log_prob,
    .draw = draw,
    .mean = mean,
    .variance = variance,
    .cdf = cdf,
    .entropy = entropy,
    .quantile = quantile,
    .tested = 1u << 0,
};
