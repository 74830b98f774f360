/* uniform.c - Uniform(low, high).
 *   log p(x) = -log(high - low),  low <= x <= high
 *   draw: low + (high - low) u, u uniform on [0, 1).
 * Bounds that are random themselves may leave an observed value outside: the density is 0 there, and the formula says so.
 * With known bounds observed values are checked once and latent ones stay inside by their bijection: no test is paid. */
#include "dist/dist.h"

#include <math.h>

static crd_support support(const crd_dist *d)
{
    return (crd_support){CRD_INTERVAL, d->param[0], d->param[1]};
}

static crd_node log_prob(const crd_dist *d, crd_node x)
{
    crd_node low = d->param[0], high = d->param[1];
    crd_node density = crd_neg(crd_log(crd_sub(high, low)));
    if (crdi_known(low) && crdi_known(high))
        return crdi_repeat(density, x);
    crd_node inside = crd_mul(crd_less_equal(low, x), crd_less_equal(x, high));
    return crd_select(inside, density, crd_num(-INFINITY));
}

static crd_node draw(const crd_dist *d, crd_node key, crd_shape shape)
{
    crd_node width = crd_sub(d->param[1], d->param[0]);
    return crd_add(d->param[0], crd_mul(width, crd_random_uniform_node(key, shape)));
}

static crd_node mean(const crd_dist *d)
{
    return crd_mul(crd_num(0.5), crd_add(d->param[0], d->param[1]));
}

static crd_node variance(const crd_dist *d)
{
    return crd_div(crd_square(crd_sub(d->param[1], d->param[0])), crd_num(12));
}

static crd_node cdf(const crd_dist *d, crd_node x)
{
    crd_node share = crd_div(crd_sub(x, d->param[0]), crd_sub(d->param[1], d->param[0]));
    return crd_min(crd_max(share, crd_num(0)), crd_num(1));
}

static crd_node entropy(const crd_dist *d)
{
    return crd_log(crd_sub(d->param[1], d->param[0]));
}

static crd_node quantile(const crd_dist *d, crd_node p)
{
    return crd_add(d->param[0], crd_mul(p, crd_sub(d->param[1], d->param[0])));
}

const crd_dist_type crdi_dist_uniform = {
    .name = "uniform",
    .param_count = 2,
    .param = {{"low", CRD_REAL, 0}, {"high", CRD_ABOVE, 0}},
    .support = support,
    .log_prob = log_prob,
    .draw = draw,
    .mean = mean,
    .variance = variance,
    .cdf = cdf,
    .entropy = entropy,
    .quantile = quantile,
};
