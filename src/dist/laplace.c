/* laplace.c - Laplace(loc, scale).
 *   log p(x) = -|z| - log(2 scale),  z = (x - loc) / scale
 *   draw: loc + scale sign(v) log(1 - |v|), v uniform on (-1, 1). */
#include "dist/dist.h"

static const double LOG_2 = 0.69314718055994530942;

static crd_node log_prob(const crd_dist *d, crd_node x)
{
    crd_node z = crdi_standardise(x, d->param[0], d->param[1]);
    return crd_sub(crd_neg(crd_abs(z)), crd_add(crd_log(d->param[1]), crd_num(LOG_2)));
}

static crd_node draw(const crd_dist *d, crd_node key, crd_shape shape)
{
    crd_node v = crd_sub(crd_mul(crd_num(2), crd_random_uniform_node(key, shape)), crd_num(1));
    v = crd_max(v, crd_num(-1 + DBL_EPSILON)); /* log 0 otherwise */
    crd_node z = crd_mul(crd_sign(v), crd_log1p(crd_neg(crd_abs(v))));
    return crd_add(d->param[0], crd_mul(d->param[1], z));
}

static crd_node mean(const crd_dist *d)
{
    return d->param[0];
}

static crd_node variance(const crd_dist *d)
{
    return crd_mul(crd_num(2), crd_square(d->param[1]));
}

static crd_node cdf(const crd_dist *d, crd_node x)
{
    crd_node z = crdi_standardise(x, d->param[0], d->param[1]);
    crd_node half = crd_mul(crd_num(-0.5), crd_mul(crd_sign(z), crd_expm1(crd_neg(crd_abs(z)))));
    return crd_add(crd_num(0.5), half);
}

static crd_node entropy(const crd_dist *d)
{
    return crd_add(crd_log(d->param[1]), crd_num(1.69314718055994530942)); /* 1 + log 2 */
}

static crd_node quantile(const crd_dist *d, crd_node p)
{
    crd_node left = crd_log(crd_mul(crd_num(2), p)),
             right = crd_neg(crd_log(crd_mul(crd_num(2), crd_sub(crd_num(1), p))));
    return crd_add(d->param[0], crd_mul(d->param[1], crd_select(crd_less(p, crd_num(0.5)), left, right)));
}

const crd_dist_type crdi_dist_laplace = {
    .name = "laplace",
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
