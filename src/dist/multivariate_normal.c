/* multivariate_normal.c - MultivariateNormal(loc, scale_tril L): a normal vector with covariance L L'.
 *   log p(x) = -|L^-1 (x - loc)|^2 / 2 - sum of log(L_kk) - n log(2 pi) / 2
 *   draw: loc + L z, z standard normal. */
#include "dist/vector.h"

static crd_node log_prob(const crd_dist *d, crd_node x)
{
    return crdi_factor_log_prob(d->param[0], d->param[1], x);
}

static crd_node draw(const crd_dist *d, crd_node key, crd_shape shape)
{
    return crdi_factor_draw(d->param[0], d->param[1], key, shape);
}

static crd_node mean(const crd_dist *d)
{
    return d->param[0];
}

static crd_node variance(const crd_dist *d)
{
    return crd_sum_axis(crd_square(d->param[1]), -1);
}

static crd_node entropy(const crd_dist *d)
{
    return crdi_factor_entropy(d->param[1]);
}

const crd_dist_type crdi_dist_multivariate_normal = {
    .name = "multivariate_normal",
    .param_count = 2,
    .param = {{"loc", CRD_REAL, 1}, {"scale_tril", CRD_LOWER_CHOLESKY, 2}},
    .event_shape = crdi_vector_shape,
    .support = crdi_support_real,
    .log_prob = log_prob,
    .draw = draw,
    .mean = mean,
    .variance = variance,
    .entropy = entropy,
};
