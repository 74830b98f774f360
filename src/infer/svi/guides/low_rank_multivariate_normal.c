/* low_rank_multivariate_normal.c - u = loc + s (eps + W eta), s = softplus(rho), eps and eta standard normal of dim and
 * rank numbers: a normal with covariance s (I + W W') s. Parameters: loc, rho, W (dim, rank).
 *   log q: with v = (u - loc) / s, -[v' v - t' t + log|C| + dim log 2 pi] / 2 - sum of log s, where C = I + W' W = L L'
 *   and t = L^-1 W' v (the matrix inversion and determinant lemmas). */
#include "graph/graph.h"
#include "infer/svi/guide.h"

static const double LOG_2PI = 1.8378770664093454836;

static int64_t params(const crdi_guide *guide)
{
    return guide->dim * (2 + guide->rank);
}

/* W starts small and different in each column, because equal columns would stay equal. */
static void start(const crdi_guide *guide, const double *u, double init_scale, double *out)
{
    for (int64_t i = 0; i < guide->dim; i++) {
        out[i] = u[i];
        out[guide->dim + i] = crdi_softplus_inverse(init_scale);
        for (int64_t k = 0; k < guide->rank; k++)
            out[2 * guide->dim + i * guide->rank + k] = i % guide->rank == k ? 0.1 : 0;
    }
}

static crd_node identity(crd_graph *g, int64_t n)
{
    crd_array eye;
    if (crd_array_init(crd_graph_context(g), &eye, crd_shape_2(n, n)) < 0)
        return (crd_node){g, -1, 0};
    for (int64_t r = 0; r < n; r++)
        eye.data[r * n + r] = 1;
    crd_node node = crd_constant(g, &eye);
    crd_array_clear(&eye);
    return node;
}

static crdi_guide_draw draw(const crdi_guide *guide, crd_node p, crd_node key)
{
    int64_t n = guide->dim, r = guide->rank;
    crd_node loc = crd_slice(p, 0, 0, n, 1), scale = crd_softplus(crd_slice(p, 0, n, n, 1));
    crd_node w = crd_reshape(crd_slice(p, 0, 2 * n, n * r, 1), crd_shape_2(n, r)), wt = crd_transpose(w);
    crd_node eps = crd_random_normal_node(crd_key_fold_in_node(key, 0), crd_shape_2(n, 1));
    crd_node eta = crd_random_normal_node(crd_key_fold_in_node(key, 1), crd_shape_2(r, 1));
    crd_node v = crd_add(eps, crd_matmul(w, eta)); /* (n, 1) */
    crd_node factor = crd_cholesky(crd_add(identity(p.graph, r), crd_matmul(wt, w)));
    crd_node t = crd_solve_triangular(factor, crd_matmul(wt, v), 0);
    crd_node half_log_det = crd_sum(crd_log(crd_diagonal(factor)));
    crd_node square = crd_sub(crd_sum(crd_square(v)), crd_sum(crd_square(t)));
    crd_node log_q = crd_sub(crd_mul(crd_num(-0.5), crd_add(square, crd_num((double)n * LOG_2PI))),
                             crd_add(half_log_det, crd_sum(crd_log(scale))));
    return (crdi_guide_draw){.u = crd_add(loc, crd_mul(scale, crd_reshape(v, crd_shape_1(n)))),
                             .log_q = log_q,
                             .loc = crdi_nothing,
                             .scale = crdi_nothing,
                             .log_q_element = crdi_nothing};
}

const crdi_guide_type crdi_guide_low_rank_multivariate_normal = {
    .name = "low_rank_multivariate_normal", .params = params, .start = start, .draw = draw};
