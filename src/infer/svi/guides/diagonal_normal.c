/* diagonal_normal.c - independent normals as one joint normal of u: u = loc + exp(rho) eps; parameters (loc, rho). The
 * family is that of `normal`; scales are exponentials, which move by factors, and the joint density is taken as a whole,
 * as with NumPyro's AutoDiagonalNormal, so that no divergence of a single site is known in closed form. */
#include "graph/graph.h"
#include "infer/svi/guide.h"

#include <math.h>

static int64_t params(const crdi_guide_part *part)
{
    return 2 * part->dim;
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
        out[part->dim + i] = log(init_scale);
    }
}

static int values(const crdi_guide_part *part, crd_node p, crd_node *value)
{
    value[0] = crd_slice(p, 0, 0, part->dim, 1);
    value[1] = crd_slice(p, 0, part->dim, part->dim, 1);
    return 2;
}

static crdi_guide_draw draw(const crdi_guide_part *part, const crd_node *value, crd_node eps)
{
    return (crdi_guide_draw){.u = crd_add(value[0], crd_mul(crd_exp(value[1]), eps)),
                             .log_q = crdi_guide_log_noise(eps, part->dim, crd_sum(value[1])),
                             .loc = crdi_nothing,
                             .scale = crdi_nothing,
                             .log_q_element = crdi_nothing};
}

const crdi_guide_type crdi_guide_diagonal_normal = {
    .name = "diagonal_normal", .params = params, .noise = noise, .start = start, .values = values, .draw = draw};
