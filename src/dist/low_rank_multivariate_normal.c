/* low_rank_multivariate_normal.c - a normal vector with covariance W W' + D, W (n, r) of few columns, D diagonal.
 *   Woodbury: with C = I + W' D^-1 W of r rows and its Cholesky factor L,
 *   log p(x) = -(y' D^-1 y - |L^-1 W' D^-1 y|^2) / 2 - sum of log(D) / 2 - sum of log(L_kk) - n log(2 pi) / 2,  y = x - loc
 *   draw: loc + W z + sqrt(D) e, z and e standard normal. */
#include "dist/vector.h"

/* D^-1 W */
static crd_node weighted(const crd_dist *d)
{
    crd_node diag = d->param[2];
    return crd_div(d->param[1], crd_reshape(diag, crd_shape_2(crdi_extent(diag, -1), 1)));
}

/* L of r rows. */
static crd_node capacitance(const crd_dist *d)
{
    crd_node inner = crd_matmul(crd_transpose(d->param[1]), weighted(d));
    int64_t r = crdi_extent(inner, -1);
    crd_array identity;
    if (!inner.graph || crd_array_init(crd_graph_context(inner.graph), &identity, crd_shape_2(r, r)) < 0)
        return (crd_node){inner.graph, -1, 0};
    for (int64_t i = 0; i < r * r; i++)
        identity.data[i] = i % (r + 1) == 0;
    crd_node factor = crd_cholesky(crd_add(inner, crd_constant(inner.graph, &identity)));
    crd_array_clear(&identity);
    return factor;
}

static crd_node half_log_det(const crd_dist *d, crd_node factor)
{
    crd_node own = crd_mul(crd_num(0.5), crd_sum(crd_log(d->param[2])));
    return crd_add(own, crd_sum(crd_log(crd_diagonal(factor))));
}

static crd_node log_prob(const crd_dist *d, crd_node x)
{
    crd_node off = crd_sub(x, d->param[0]), rows = crdi_as_rows(off), factor = capacitance(d);
    crd_node z = crd_solve_triangular(factor, crd_transpose(crd_matmul(rows, weighted(d))), 0);
    crd_node whole = crd_sum_axis(crd_div(crd_square(rows), d->param[2]), -1);
    crd_node square = crd_mul(crd_num(-0.5), crd_sub(whole, crd_sum_axis(crd_square(z), 0)));
    crd_node constant = crd_num((double)crdi_extent(off, -1) * CRDI_HALF_LOG_2PI);
    return crd_sub(crdi_of_rows(square, off), crd_add(constant, half_log_det(d, factor)));
}

static crd_node draw(const crd_dist *d, crd_node key, crd_shape shape)
{
    crd_shape few = shape;
    few.dim[few.ndim - 1] = crdi_extent(d->param[1], -1);
    crd_node z = crdi_as_rows(crd_random_normal_node(crd_key_fold_in_node(key, 0), few));
    crd_node e = crd_random_normal_node(crd_key_fold_in_node(key, 1), shape);
    crd_node common = crd_reshape(crd_matmul(z, crd_transpose(d->param[1])), shape);
    return crd_add(d->param[0], crd_add(common, crd_mul(crd_sqrt(d->param[2]), e)));
}

static crd_node mean(const crd_dist *d)
{
    return d->param[0];
}

static crd_node variance(const crd_dist *d)
{
    return crd_add(d->param[2], crd_sum_axis(crd_square(d->param[1]), -1));
}

static crd_node entropy(const crd_dist *d)
{
    crd_node constant = crd_num((double)crdi_extent(d->param[0], -1) * (CRDI_HALF_LOG_2PI + 0.5));
    return crd_add(constant, half_log_det(d, capacitance(d)));
}

const crd_dist_type crdi_dist_low_rank_multivariate_normal = {
    .name = "low_rank_multivariate_normal",
    .param_count = 3,
    .param = {{"loc", CRD_REAL, 1}, {"cov_factor", CRD_REAL, 2}, {"cov_diag", CRD_POSITIVE, 1}},
    .event_shape = crdi_vector_shape,
    .support = crdi_support_real,
    .log_prob = log_prob,
    .draw = draw,
    .mean = mean,
    .variance = variance,
    .entropy = entropy,
};
