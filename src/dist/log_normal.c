/* log_normal.c - LogNormal(loc, scale): exp(x) for x from Normal(loc, scale).
 *   log p(x) = -z^2 / 2 - log(scale) - log(x) - log(2 pi) / 2,  z = (log x - loc) / scale,  x > 0
 *   draw: exp(loc + scale z), z standard normal. */
#include "dist/dist.h"

static const double SQRT_2 = 1.41421356237309504880;

static crd_node log_prob(const crd_dist *d, crd_node x)
{
    crd_node log_x = crd_log(x), z = crdi_standardise(log_x, d->param[0], d->param[1]);
    crd_node constant = crd_add(crd_log(d->param[1]), crd_num(CRDI_HALF_LOG_2PI));
    return crd_sub(crd_sub(crd_mul(crd_num(-0.5), crd_square(z)), log_x), constant);
}

static crd_node draw(const crd_dist *d, crd_node key, crd_shape shape)
{
    return crd_exp(crd_add(d->param[0], crd_mul(d->param[1], crd_random_normal_node(key, shape))));
}

static crd_node mean(const crd_dist *d)
{
    return crd_exp(crd_add(d->param[0], crd_mul(crd_num(0.5), crd_square(d->param[1]))));
}

static crd_node variance(const crd_dist *d)
{
    return crd_mul(crd_expm1(crd_square(d->param[1])), crd_square(mean(d)));
}

static crd_node cdf(const crd_dist *d, crd_node x)
{
    crd_node z = crdi_standardise(crd_log(x), d->param[0], crd_mul(crd_num(SQRT_2), d->param[1]));
    return crd_mul(crd_num(0.5), crd_add(crd_num(1), crd_erf(z)));
}

static crd_node entropy(const crd_dist *d)
{
    return crd_add(d->param[0], crd_add(crd_log(d->param[1]), crd_num(CRDI_HALF_LOG_2PI + 0.5)));
}

static crd_node quantile(const crd_dist *d, crd_node p)
{
    return crd_exp(crd_add(d->param[0], crd_mul(d->param[1], crdi_normal_quantile(p))));
}

const crd_dist_type crdi_dist_log_normal = {
    .name = "log_normal",
    .param_count = 2,
    .param = {{"loc", CRD_REAL, 0}, {"scale", CRD_POSITIVE, 0}},
    .support = crdi_support_positive,
    .log_prob = log_prob,
    .draw = draw,
    .mean = mean,
    .variance = variance,
    .cdf = cdf,
    .entropy = entropy,
    .quantile = quantile,
};
