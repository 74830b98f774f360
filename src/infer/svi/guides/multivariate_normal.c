/* multivariate_normal.c - u = loc + s (I + L) eps, s = softplus(rho), L strictly lower triangular: a normal with
 * covariance s (I + L)(I + L)' s. Parameters: loc, rho, and a (dim, dim) array of which the part below the diagonal is
 * used. The scale stays apart from the shape, as in NumPyro's AutoMultivariateNormal (scaled unit lower Cholesky).
 *   log q = sum of log Normal(eps; 0, 1) - sum of log s, because |I + L| = 1. */
#include "graph/graph.h"
#include "infer/svi/guide.h"

static int64_t params(const crdi_guide *guide)
{
    return guide->dim * (2 + guide->dim);
}

static void start(const crdi_guide *guide, const double *u, double init_scale, double *out)
{
    for (int64_t i = 0; i < guide->dim; i++) {
        out[i] = u[i];
        out[guide->dim + i] = crdi_softplus_inverse(init_scale);
    }
    for (int64_t i = 0; i < guide->dim * guide->dim; i++)
        out[2 * guide->dim + i] = 0;
}

static crd_node strictly_lower(crd_graph *g, int64_t n)
{
    crd_array mask;
    if (crd_array_init(crd_graph_context(g), &mask, crd_shape_2(n, n)) < 0)
        return (crd_node){g, -1, 0};
    for (int64_t r = 0; r < n; r++)
        for (int64_t c = 0; c < r; c++)
            mask.data[r * n + c] = 1;
    crd_node node = crd_constant(g, &mask);
    crd_array_clear(&mask);
    return node;
}

static crdi_guide_draw draw(const crdi_guide *guide, crd_node p, crd_node key)
{
    int64_t n = guide->dim;
    crd_node loc = crd_slice(p, 0, 0, n, 1), scale = crd_softplus(crd_slice(p, 0, n, n, 1));
    crd_node l = crd_mul(strictly_lower(p.graph, n), crd_reshape(crd_slice(p, 0, 2 * n, n * n, 1), crd_shape_2(n, n)));
    crdi_guide_draw eps = crdi_guide_independent(crd_num(0), crd_num(1), key, n);
    crd_node turned = crd_reshape(crd_matmul(l, crd_reshape(eps.u, crd_shape_2(n, 1))), crd_shape_1(n));
    return (crdi_guide_draw){.u = crd_add(loc, crd_mul(scale, crd_add(eps.u, turned))),
                             .log_q = crd_sub(eps.log_q, crd_sum(crd_log(scale))),
                             .loc = crdi_nothing,
                             .scale = crdi_nothing,
                             .log_q_element = crdi_nothing};
}

const crdi_guide_type crdi_guide_multivariate_normal = {
    .name = "multivariate_normal", .params = params, .start = start, .draw = draw};
