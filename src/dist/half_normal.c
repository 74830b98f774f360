/* half_normal.c - HalfNormal(scale): |x| for x from Normal(0, scale).
 *   log p(x) = -(x / scale)^2 / 2 - log(scale) + log(2 / pi) / 2,  x > 0
 *   draw: scale |z|, z standard normal. */
#include "dist/dist.h"

static const double HALF_LOG_2_OVER_PI = -0.22579135264472743236;
static const double SQRT_2_OVER_PI = 0.79788456080286535588;
static const double ONE_LESS_2_OVER_PI = 0.36338022763241865692;
static const double SQRT_2 = 1.41421356237309504880;

static crd_node log_prob(const crd_dist *d, crd_node x)
{
    crd_node constant = crd_sub(crd_num(HALF_LOG_2_OVER_PI), crd_log(d->param[0]));
    return crd_add(crd_mul(crd_num(-0.5), crd_square(crd_div(x, d->param[0]))), constant);
}

static crd_node draw(const crd_dist *d, crd_node key, crd_shape shape)
{
    return crd_mul(d->param[0], crd_abs(crd_random_normal_node(key, shape)));
}

static crd_node mean(const crd_dist *d)
{
    return crd_mul(crd_num(SQRT_2_OVER_PI), d->param[0]);
}

static crd_node variance(const crd_dist *d)
{
    return crd_mul(crd_num(ONE_LESS_2_OVER_PI), crd_square(d->param[0]));
}

static crd_node cdf(const crd_dist *d, crd_node x)
{
    return crd_erf(crd_div(x, crd_mul(crd_num(SQRT_2), d->param[0])));
}

static crd_node entropy(const crd_dist *d)
{
    return crd_sub(crd_log(d->param[0]), crd_num(HALF_LOG_2_OVER_PI - 0.5));
}

static crd_node quantile(const crd_dist *d, crd_node p)
{
    /* (1 + p) / 2 of the whole normal, its upper tail (1 - p) / 2 */
    crd_node log_upper = crd_sub(crd_log1p(crd_neg(p)), crd_num(0.69314718055994530942));
    return crd_neg(crd_mul(d->param[0], crd_normal_quantile(log_upper)));
}

const crd_dist_type crdi_dist_half_normal = {
    .name = "half_normal",
    .param_count = 1,
    .param = {{"scale", CRD_POSITIVE, 0}},
    .support = crdi_support_positive,
    .log_prob = log_prob,
    .draw = draw,
    .mean = mean,
    .variance = variance,
    .cdf = cdf,
    .entropy = entropy,
    .quantile = quantile,
};
