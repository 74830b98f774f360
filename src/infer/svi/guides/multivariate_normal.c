/* multivariate_normal.c - u = loc + s (I + L) eps, s = softplus(rho), L strictly lower triangular: a normal with
 * covariance s (I + L)(I + L)' s. Parameters: loc, rho, and a (dim, dim) array of which the part below the diagonal is
 * used. The scale stays apart from the shape, as in NumPyro's AutoMultivariateNormal (scaled unit lower Cholesky).
 *   log q = sum of log Normal(eps; 0, 1) - sum of log s, because |I + L| = 1. */
#include "graph/graph.h"
#include "infer/svi/guide.h"

static int64_t params(const crdi_guide_part *part)
{
    return part->dim * (2 + part->dim);
}

static int64_t noise(const crdi_guide_part *part)
{
    return part->dim;
}

static void start(const crdi_guide_part *part, const double *u, double init_scale, crd_key key, double *out)
{
    (void)key;
    for (int64_t i = 0; i < part->dim; i++) {
        out[i] = u[i];
        out[part->dim + i] = crdi_softplus_inverse(init_scale);
    }
    for (int64_t i = 0; i < part->dim * part->dim; i++)
        out[2 * part->dim + i] = 0;
}

static int values(const crdi_guide_part *part, crd_node p, crd_node *value)
{
    int64_t n = part->dim;
    crd_node square = crd_reshape(crd_slice(p, 0, 2 * n, n * n, 1), crd_shape_2(n, n));
    value[0] = crd_slice(p, 0, 0, n, 1);
    value[1] = crd_softplus(crd_slice(p, 0, n, n, 1));
    value[2] = crd_mul(crdi_guide_strictly_lower(p.graph, n), square);
    return 3;
}

static crdi_guide_draw draw(const crdi_guide_part *part, const crd_node *value, crd_node eps)
{
    int64_t n = part->dim;
    crd_node turned = crd_reshape(crd_matmul(value[2], crd_reshape(eps, crd_shape_2(n, 1))), crd_shape_1(n));
    return (crdi_guide_draw){.u = crd_add(value[0], crd_mul(value[1], crd_add(eps, turned))),
                             .log_q = crdi_guide_log_noise(eps, n, crd_sum(crd_log(value[1]))),
                             .loc = crdi_nothing,
                             .scale = crdi_nothing,
                             .log_q_element = crdi_nothing};
}

const crdi_guide_type crdi_guide_multivariate_normal = {
    .name = "multivariate_normal", .params = params, .noise = noise, .start = start, .values = values, .draw = draw};
