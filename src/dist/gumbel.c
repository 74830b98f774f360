/* gumbel.c - Gumbel(loc, scale).
 *   log p(x) = -z - exp(-z) - log(scale),  z = (x - loc) / scale
 *   draw: loc - scale log(-log u), u uniform. */
#include "dist/dist.h"

static const double EULER = 0.57721566490153286061;
static const double PI_SQUARED_OVER_6 = 1.64493406684822643647;

static crd_node log_prob(const crd_dist *d, crd_node x)
{
    crd_node z = crdi_standardise(x, d->param[0], d->param[1]);
    return crd_neg(crd_add(crd_add(z, crd_exp(crd_neg(z))), crd_log(d->param[1])));
}

static crd_node draw(const crd_dist *d, crd_node key, crd_shape shape)
{
    crd_node waiting = crd_neg(crd_log(crdi_uniform_positive(key, shape)));
    return crd_sub(d->param[0], crd_mul(d->param[1], crd_log(waiting)));
}

static crd_node mean(const crd_dist *d)
{
    return crd_add(d->param[0], crd_mul(crd_num(EULER), d->param[1]));
}

static crd_node variance(const crd_dist *d)
{
    return crd_mul(crd_num(PI_SQUARED_OVER_6), crd_square(d->param[1]));
}

static crd_node cdf(const crd_dist *d, crd_node x)
{
    return crd_exp(crd_neg(crd_exp(crd_neg(crdi_standardise(x, d->param[0], d->param[1])))));
}

static crd_node entropy(const crd_dist *d)
{
    return crd_add(crd_log(d->param[1]), crd_num(1.57721566490153286061)); /* 1 + Euler's constant */
}

static crd_node quantile(const crd_dist *d, crd_node p)
{
    return crd_sub(d->param[0], crd_mul(d->param[1], crd_log(crd_neg(crd_log(p)))));
}

const crd_dist_type crdi_dist_gumbel = {
    .name = "gumbel",
    .param_count = 2,
    .param = {{"loc", CRD_REAL, 0}, {"scale", CRD_POSITIVE, 0}},
    .support = crdi_support_real,
    .log_prob = log_prob,
    .draw = draw,
    .mean = mean,
    .variance = variance,
    .cdf = cdf,
    .entropy = entropy,
    .quantile = quantile,
};
