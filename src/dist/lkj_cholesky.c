/* lkj_cholesky.c - LKJCholesky(dimension n, concentration c): the Cholesky factor L of a correlation matrix R whose density
 * is proportional to det(R)^(c - 1) (Lewandowski, Kurowicka and Joe 2009, J. Multivariate Anal. 100, 1989).
 *   log p(L) = sum over k = 2 .. n of (n - k + 2 c - 2) log(L_kk) - log Z
 *   log Z = (n - 1) log(pi) / 2 + log G_{n-1}(a - 1/2) - (n - 1) log G(a),  a = c + (n - 1) / 2, G_m the multivariate gamma
 *   draw: the onion, row by row: row k + 1 (k from 1) has a direction uniform on the sphere and a squared length from
 *   Beta(k / 2, c + (n - 1 - k) / 2). */
#include "dist/dist.h"

static const double HALF_LOG_PI = 0.57236494292470008707;

static crd_shape event_shape(const crd_dist *d)
{
    int64_t n = crdi_known_count(d->param[0]);
    return crd_shape_2(n, n);
}

static crd_support support(const crd_dist *d)
{
    (void)d;
    return (crd_support){CRD_CORR_CHOLESKY, crd_num(-1), crd_num(1)};
}

static crd_node log_normaliser(const crd_dist *d)
{
    double m = (double)crdi_known_count(d->param[0]) - 1;
    crd_node a = crd_add(d->param[1], crd_num(0.5 * m));
    crd_node sum = crd_num(m * HALF_LOG_PI + 0.5 * m * (m - 1) * HALF_LOG_PI);
    for (int j = 1; j <= m; j++)
        sum = crd_add(sum, crd_lgamma(crd_sub(a, crd_num(0.5 * j))));
    return crd_sub(sum, crd_mul(crd_num(m), crd_lgamma(a)));
}

static crd_node log_prob(const crd_dist *d, crd_node x)
{
    int64_t n = crdi_known_count(d->param[0]);
    crd_node twice = crd_sub(crd_mul(crd_num(2), d->param[1]), crd_num(2)), sum = crd_neg(log_normaliser(d));
    for (int64_t k = 2; k <= n; k++) {
        crd_node diagonal = crd_take(crd_take(x, -1, k - 1), -1, k - 1);
        sum = crd_add(sum, crd_mul(crd_add(twice, crd_num((double)(n - k))), crd_log(diagonal)));
    }
    return crdi_repeat(sum, crd_take(crd_take(x, -1, 0), -1, 0));
}

/* Row k of n as (.., 1, n); `shape` is that of the batch with one axis more, of length 1. */
static crd_node draw_row(const crd_dist *d, int64_t k, crd_node key, crd_shape shape)
{
    int64_t n = crdi_known_count(d->param[0]), last = shape.ndim - 1;
    crd_shape own = shape, rest = shape;
    own.dim[last] = k;
    rest.dim[last] = n - 1 - k;
    crd_node zero = crd_mul(crd_num(0), crd_random_uniform_node(key, shape)), parts[3];
    int count = 0;
    crd_node diagonal = crd_add(crd_num(1), zero);
    if (k > 0) {
        crd_node other = crd_num(0.5 * (double)(n - 1 - k));
        crd_dist beta = crd_beta(crd_num(0.5 * (double)k), crd_add(d->param[1], other));
        crd_node length2 = crdi_dist_beta.draw(&beta, crd_key_fold_in_node(key, 0), shape);
        crd_node z = crd_random_normal_node(crd_key_fold_in_node(key, 1), own);
        crd_node norm2 = crd_reshape(crd_sum_axis(crd_square(z), -1), shape);
        parts[count++] = crd_mul(z, crd_sqrt(crd_div(length2, norm2)));
        diagonal = crd_sqrt(crd_sub(crd_num(1), length2));
    }
    parts[count++] = diagonal;
    if (k < n - 1)
        parts[count++] = crd_broadcast_to(zero, rest);
    crd_shape row = shape;
    row.dim[row.ndim++] = n;
    return crd_reshape(crd_concat(parts, count, -1), row);
}

static crd_node draw(const crd_dist *d, crd_node key, crd_shape shape)
{
    int64_t n = crdi_known_count(d->param[0]);
    shape.dim[--shape.ndim] = 0;
    shape.dim[shape.ndim - 1] = 1;
    crd_node matrix = draw_row(d, 0, key, shape);
    for (int64_t k = 1; k < n; k++) {
        crd_node parts[2] = {matrix, draw_row(d, k, crd_key_fold_in_node(key, (uint32_t)k), shape)};
        matrix = crd_concat(parts, 2, -2);
    }
    return matrix;
}

const crd_dist_type crdi_dist_lkj_cholesky = {
    .name = "lkj_cholesky",
    .param_count = 2,
    .param = {{"dimension", CRD_EXTENT, 0}, {"concentration", CRD_POSITIVE, 0}},
    .event_shape = event_shape,
    .support = support,
    .log_prob = log_prob,
    .draw = draw,
    .tested = 1u << 1,
};
