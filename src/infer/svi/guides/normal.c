/* normal.c - the mean-field normal: u_i ~ Normal(loc_i, softplus(rho_i)); parameters (loc, rho). As NumPyro's
 * AutoNormal. */
#include "graph/graph.h"
#include "infer/svi/guide.h"

static int64_t params(const crdi_guide *guide)
{
    return 2 * guide->dim;
}

static void start(const crdi_guide *guide, const double *u, double init_scale, double *out)
{
    for (int64_t i = 0; i < guide->dim; i++) {
        out[i] = u[i];
        out[guide->dim + i] = crdi_softplus_inverse(init_scale);
    }
}

static crdi_guide_draw draw(const crdi_guide *guide, crd_node p, crd_node key)
{
    int64_t dim = guide->dim;
    return crdi_guide_independent(crd_slice(p, 0, 0, dim, 1), crd_softplus(crd_slice(p, 0, dim, dim, 1)), key, dim);
}

const crdi_guide_type crdi_guide_normal = {.name = "normal", .params = params, .start = start, .draw = draw};
