/* poisson.c - Poisson(rate): x = 0, 1, 2, ...
 *   log p(x) = x log(rate) - rate - log x!
 *   draw: random_poisson (src/rng/counts.c), without a gradient. */
#include "dist/counts.h"

static crd_node log_prob(const crd_dist *d, crd_node x)
{
    crd_node rate = d->param[0];
    return crd_sub(crd_sub(crd_mul(x, crd_log(rate)), rate), crd_lgamma(crd_add(x, crd_num(1))));
}

static crd_node draw(const crd_dist *d, crd_node key, crd_shape shape)
{
    return crd_random_poisson_node(key, d->param[0], shape);
}

static crd_node mean(const crd_dist *d)
{
    return d->param[0];
}

static crd_node quantile(const crd_dist *d, crd_node p)
{
    return crdi_count_quantile(d, crd_poisson_quantile(d->param[0], p), p);
}

const crd_dist_type crdi_dist_poisson = {
    .name = "poisson",
    .param_count = 1,
    .param = {{"rate", CRD_POSITIVE, 0}},
    .discrete = 1,
    .support = crdi_support_count,
    .log_prob = log_prob,
    .draw = draw,
    .mean = mean,
    .variance = mean,
    .cdf = crdi_count_cdf,
    .quantile = quantile,
};
