/* logistic.c - Logistic(loc, scale).
 *   log p(x) = -z - 2 log(1 + exp(-z)) - log(scale),  z = (x - loc) / scale
 *   draw: loc + scale log(u / (1 - u)), u uniform. */
#include "dist/dist.h"

static const double PI_SQUARED_OVER_3 = 3.28986813369645287294;

static crd_node log_prob(const crd_dist *d, crd_node x)
{
    crd_node z = crdi_standardise(x, d->param[0], d->param[1]);
    crd_node tails = crd_add(crd_softplus(z), crd_softplus(crd_neg(z))); /* = z + 2 softplus(-z), and even in z */
    return crd_neg(crd_add(tails, crd_log(d->param[1])));
}

static crd_node draw(const crd_dist *d, crd_node key, crd_shape shape)
{
    crd_node u = crdi_uniform_positive(key, shape);
    crd_node z = crd_sub(crd_log(u), crd_log1p(crd_neg(u)));
    return crd_add(d->param[0], crd_mul(d->param[1], z));
}

static crd_node mean(const crd_dist *d)
{
    return d->param[0];
}

static crd_node variance(const crd_dist *d)
{
    return crd_mul(crd_num(PI_SQUARED_OVER_3), crd_square(d->param[1]));
}

static crd_node cdf(const crd_dist *d, crd_node x)
{
    return crd_sigmoid(crdi_standardise(x, d->param[0], d->param[1]));
}

static crd_node entropy(const crd_dist *d)
{
    return crd_add(crd_log(d->param[1]), crd_num(2));
}

static crd_node quantile(const crd_dist *d, crd_node p)
{
    return crd_add(d->param[0], crd_mul(d->param[1], crdi_logit(p)));
}

const crd_dist_type crdi_dist_logistic = {
    .name = "logistic",
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
