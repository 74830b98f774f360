/* soft_laplace.c - SoftLaplace(loc, scale): a hyperbolic secant, which is a Laplace density with a smooth peak.
 *   log p(x) = log(2 / pi) - log(scale) - log(exp(z) + exp(-z)),  z = (x - loc) / scale
 *   draw: loc + scale log(tan(pi u / 2)), u uniform. */
#include "dist/dist.h"

static const double PI = 3.14159265358979323846, LOG_2_OVER_PI = -0.45158270528945486473;

static crd_node quantile(const crd_dist *d, crd_node p);

static crd_node log_prob(const crd_dist *d, crd_node x)
{
    /* log(exp(z) + exp(-z)) = softplus(2 z) - z */
    crd_node z = crdi_standardise(x, d->param[0], d->param[1]);
    crd_node peak = crd_sub(crd_softplus(crd_mul(crd_num(2), crd_abs(z))), crd_abs(z));
    return crd_sub(crd_num(LOG_2_OVER_PI), crd_add(crd_log(d->param[1]), peak));
}

static crd_node draw(const crd_dist *d, crd_node key, crd_shape shape)
{
    return quantile(d, crdi_uniform_positive(key, shape));
}

static crd_node mean(const crd_dist *d)
{
    return d->param[0];
}

static crd_node variance(const crd_dist *d)
{
    return crd_square(crd_mul(crd_num(PI / 2), d->param[1]));
}

static crd_node cdf(const crd_dist *d, crd_node x)
{
    crd_node z = crdi_standardise(x, d->param[0], d->param[1]);
    return crd_mul(crd_num(2 / PI), crd_atan(crd_exp(z)));
}

static crd_node entropy(const crd_dist *d)
{
    return crd_add(crd_log(d->param[1]), crd_num(1.83787706640934548356)); /* log(2 pi) */
}

static crd_node quantile(const crd_dist *d, crd_node p)
{
    crd_node angle = crd_mul(crd_num(PI / 2), p);
    crd_node z = crd_sub(crd_log(crd_sin(angle)), crd_log(crd_cos(angle)));
    return crd_add(d->param[0], crd_mul(d->param[1], z));
}

const crd_dist_type crdi_dist_soft_laplace = {
    .name = "soft_laplace",
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
