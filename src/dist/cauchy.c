/* cauchy.c - Cauchy(loc, scale).
 *   log p(x) = -log(pi scale) - log(1 + z^2),  z = (x - loc) / scale
 *   draw: loc + scale tan(pi (u - 1/2)), u uniform on [epsilon, 1) as crd_random_cauchy has it. Mean and variance do not
 *   exist. z^2 overflows, and log p becomes -infinity, where |z| > 1e154. */
#include "dist/dist.h"

static const double PI = 3.14159265358979323846;
static const double LOG_PI = 1.14472988584940017414;

static crd_node log_prob(const crd_dist *d, crd_node x)
{
    crd_node z = crdi_standardise(x, d->param[0], d->param[1]);
    return crd_sub(crd_sub(crd_num(-LOG_PI), crd_log(d->param[1])), crd_log1p(crd_square(z)));
}

static crd_node draw(const crd_dist *d, crd_node key, crd_shape shape)
{
    crd_node u = crd_mul(crd_random_uniform_node(key, shape), crd_num(1 - DBL_EPSILON));
    crd_node angle = crd_mul(crd_num(PI), crd_sub(crd_add(u, crd_num(DBL_EPSILON)), crd_num(0.5)));
    return crd_add(d->param[0], crd_mul(d->param[1], crd_div(crd_sin(angle), crd_cos(angle))));
}

static crd_node cdf(const crd_dist *d, crd_node x)
{
    crd_node angle = crd_atan(crdi_standardise(x, d->param[0], d->param[1]));
    return crd_add(crd_num(0.5), crd_mul(crd_num(1 / PI), angle));
}

static crd_node entropy(const crd_dist *d)
{
    return crd_add(crd_log(d->param[1]), crd_num(2.53102424696929079309)); /* log(4 pi) */
}

static crd_node quantile(const crd_dist *d, crd_node p)
{
    crd_node angle = crd_mul(crd_num(3.14159265358979323846), crd_sub(p, crd_num(0.5)));
    crd_node tangent = crd_div(crd_sin(angle), crd_cos(angle));
    return crd_add(d->param[0], crd_mul(d->param[1], tangent));
}

const crd_dist_type crdi_dist_cauchy = {
    .name = "cauchy",
    .param_count = 2,
    .param = {{"loc", CRD_REAL, 0}, {"scale", CRD_POSITIVE, 0}},
    .support = crdi_support_real,
    .log_prob = log_prob,
    .draw = draw,
    .cdf = cdf,
    .entropy = entropy,
    .quantile = quantile,
};
