/* exponential.c - Exponential(rate).
 *   log p(x) = log(rate) - rate x,  x > 0
 *   draw: -log(1 - u) / rate, u uniform. */
#include "dist/dist.h"

static crd_node log_prob(const crd_dist *d, crd_node x)
{
    return crd_sub(crd_log(d->param[0]), crd_mul(d->param[0], x));
}

static crd_node draw(const crd_dist *d, crd_node key, crd_shape shape)
{
    return crd_div(crd_neg(crd_log1p(crd_neg(crdi_uniform_positive(key, shape)))), d->param[0]);
}

static crd_node mean(const crd_dist *d)
{
    return crd_reciprocal(d->param[0]);
}

static crd_node variance(const crd_dist *d)
{
    return crd_square(crd_reciprocal(d->param[0]));
}

static crd_node cdf(const crd_dist *d, crd_node x)
{
    return crd_neg(crd_expm1(crd_neg(crd_mul(d->param[0], x))));
}

static crd_node entropy(const crd_dist *d)
{
    return crd_sub(crd_num(1), crd_log(d->param[0]));
}

static crd_node quantile(const crd_dist *d, crd_node p)
{
    return crd_neg(crd_div(crd_log1p(crd_neg(p)), d->param[0]));
}

const crd_dist_type crdi_dist_exponential = {
    .name = "exponential",
    .param_count = 1,
    .param = {{"rate", CRD_POSITIVE, 0}},
    .support = crdi_support_positive,
    .log_prob = log_prob,
    .draw = draw,
    .mean = mean,
    .variance = variance,
    .cdf = cdf,
    .entropy = entropy,
    .quantile = quantile,
};
