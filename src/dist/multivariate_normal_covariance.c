/* multivariate_normal_covariance.c - MultivariateNormal(loc, covariance), by its Cholesky factor as in
 * multivariate_normal.c. A computed matrix that is not positive definite gives NaN: the point is rejected. */
#include "dist/vector.h"

static crd_node log_prob(const crd_dist *d, crd_node x)
{
    return crdi_factor_log_prob(d->param[0], crd_cholesky(d->param[1]), x);
}

static crd_node draw(const crd_dist *d, crd_node key, crd_shape shape)
{
    return crdi_factor_draw(d->param[0], crd_cholesky(d->param[1]), key, shape);
}

static crd_node mean(const crd_dist *d)
{
    return d->param[0];
}

static crd_node variance(const crd_dist *d)
{
    return crd_diagonal(d->param[1]);
}

static crd_node entropy(const crd_dist *d)
{
    return crdi_factor_entropy(crd_cholesky(d->param[1]));
}

const crd_dist_type crdi_dist_multivariate_normal_covariance = {
    .name = "multivariate_normal_covariance",
    .param_count = 2,
    .param = {{"loc", CRD_REAL, 1}, {"covariance", CRD_POSITIVE_DEFINITE, 2}},
    .event_shape = crdi_vector_shape,
    .support = crdi_support_real,
    .log_prob = log_prob,
    .draw = draw,
    .mean = mean,
    .variance = variance,
    .entropy = entropy,
};
