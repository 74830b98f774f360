/* half_cauchy.c - HalfCauchy(scale): |x| for x from Cauchy(0, scale).
 *   log p(x) = log(2 / pi) - log(scale) - log(1 + (x / scale)^2),  x > 0
 *   draw: scale tan(pi u / 2) by the ratio of two normals' absolute values, whose quotient is half-Cauchy. Mean and
 *   variance do not exist. */
#include "dist/dist.h"

static const double LOG_2_OVER_PI = -0.45158270528945486473;
static const double TWO_OVER_PI = 0.63661977236758134308;

static crd_node log_prob(const crd_dist *d, crd_node x)
{
    crd_node constant = crd_sub(crd_num(LOG_2_OVER_PI), crd_log(d->param[0]));
    return crd_sub(constant, crd_log1p(crd_square(crd_div(x, d->param[0]))));
}

static crd_node draw(const crd_dist *d, crd_node key, crd_shape shape)
{
    crd_node a = crd_random_normal_node(crd_key_fold_in_node(key, 0), shape);
    crd_node b = crd_random_normal_node(crd_key_fold_in_node(key, 1), shape);
    return crd_mul(d->param[0], crd_abs(crd_div(a, b)));
}

static crd_node cdf(const crd_dist *d, crd_node x)
{
    return crd_mul(crd_num(TWO_OVER_PI), crd_atan(crd_div(x, d->param[0])));
}

static crd_node entropy(const crd_dist *d)
{
    return crd_add(crd_log(d->param[0]), crd_num(1.83787706640934548356)); /* log(2 pi) */
}

static crd_node quantile(const crd_dist *d, crd_node p)
{
    crd_node angle = crd_mul(crd_num(3.14159265358979323846), crd_mul(crd_num(0.5), p));
    crd_node tangent = crd_div(crd_sin(angle), crd_cos(angle));
    return crd_mul(d->param[0], tangent);
}

const crd_dist_type crdi_dist_half_cauchy = {
    .name = "half_cauchy",
    .param_count = 1,
    .param = {{"scale", CRD_POSITIVE, 0}},
    .support = crdi_support_positive,
    .log_prob = log_prob,
    .draw = draw,
    .cdf = cdf,
    .entropy = entropy,
    .quantile = quantile,
};
