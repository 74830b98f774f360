/* low_rank_multivariate_normal.c - u = loc + s (eps + W eta), s = softplus(rho), eps and eta standard normal of dim and
 * rank numbers: a normal with covariance s (I + W W') s. Parameters: loc, rho, W (dim, rank). The rank is the argument;
 * 0 stands for the square root of dim, rounded, as in NumPyro's AutoLowRankMultivariateNormal.
 *   log q: with v = (u - loc) / s, -[v' v - t' t + log|C| + dim log 2 pi] / 2 - sum of log s, where C = I + W' W = L L'
 *   and t = L^-1 W' v (the matrix inversion and determinant lemmas). */
#include "graph/graph.h"
#include "infer/svi/guide.h"

#include <math.h>

static const double LOG_2PI = 1.8378770664093454836;

static int64_t rank_of(const crdi_guide_part *part)
{
    int64_t rank = part->argument > 0 ? part->argument : (int64_t)lround(sqrt((double)part->dim));
    return rank < part->dim ? rank : part->dim;
}

static int64_t params(const crdi_guide_part *part)
{
    return part->dim * (2 + rank_of(part));
}

static int64_t noise(const crdi_guide_part *part)
{
    return part->dim + rank_of(part);
}

/* W starts small and different in each column, because equal columns would stay equal. */
static void start(const crdi_guide_part *part, const double *u, double init_scale, crd_key key, double *out)
{
    int64_t rank = rank_of(part);
    (void)key;
    for (int64_t i = 0; i < part->dim; i++) {
        out[i] = u[i];
        out[part->dim + i] = crdi_softplus_inverse(init_scale);
        for (int64_t k = 0; k < rank; k++)
            out[2 * part->dim + i * rank + k] = i % rank == k ? 0.1 : 0;
    }
}

static int values(const crdi_guide_part *part, crd_node p, crd_node *value)
{
    int64_t n = part->dim, r = rank_of(part);
    crd_node w = crd_reshape(crd_slice(p, 0, 2 * n, n * r, 1), crd_shape_2(n, r));
    value[0] = crd_slice(p, 0, 0, n, 1);
    value[1] = crd_softplus(crd_slice(p, 0, n, n, 1));
    value[2] = w;
    value[3] = crd_cholesky(crd_add(crdi_guide_identity(p.graph, r), crd_matmul(crd_transpose(w), w)));
    return 4;
}

static crdi_guide_draw draw(const crdi_guide_part *part, const crd_node *value, crd_node noise)
{
    int64_t n = part->dim, r = rank_of(part);
    crd_node w = value[2], factor = value[3];
    crd_node eps = crd_reshape(crd_slice(noise, 0, 0, n, 1), crd_shape_2(n, 1));
    crd_node eta = crd_reshape(crd_slice(noise, 0, n, r, 1), crd_shape_2(r, 1));
    crd_node v = crd_add(eps, crd_matmul(w, eta)); /* (n, 1) */
    crd_node t = crd_solve_triangular(factor, crd_matmul(crd_transpose(w), v), 0);
    crd_node square = crd_sub(crd_sum(crd_square(v)), crd_sum(crd_square(t)));
    crd_node log_q = crd_sub(crd_mul(crd_num(-0.5), crd_add(square, crd_num((double)n * LOG_2PI))),
                             crd_add(crd_sum(crd_log(crd_diagonal(factor))), crd_sum(crd_log(value[1]))));
    return (crdi_guide_draw){.u = crd_add(value[0], crd_mul(value[1], crd_reshape(v, crd_shape_1(n)))),
                             .log_q = log_q,
                             .loc = crdi_nothing,
                             .scale = crdi_nothing,
                             .log_q_element = crdi_nothing};
}

const crdi_guide_type crdi_guide_low_rank_multivariate_normal = {.name = "low_rank_multivariate_normal",
                                                                 .argument = "rank",
                                                                 .standard = 0,
                                                                 .most = 10000,
                                                                 .params = params,
                                                                 .noise = noise,
                                                                 .start = start,
                                                                 .values = values,
                                                                 .draw = draw};
