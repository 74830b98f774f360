/* normal.c - the mean-field normal: u_i ~ Normal(loc_i, softplus(rho_i)); parameters (loc, rho). As NumPyro's
 * AutoNormal. */
#include "infer/svi/guide.h"

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
        out[part->dim + i] = crdi_softplus_inverse(init_scale);
    }
}

static int values(const crdi_guide_part *part, crd_node p, crd_node *value)
{
    value[0] = crd_slice(p, 0, 0, part->dim, 1);
    value[1] = crd_softplus(crd_slice(p, 0, part->dim, part->dim, 1));
    return 2;
}

static crdi_guide_draw draw(const crdi_guide_part *part, const crd_node *value, crd_node eps)
{
    (void)part;
    return crdi_guide_independent(value[0], value[1], eps);
}

const crdi_guide_type crdi_guide_normal = {
    .name = "normal", .params = params, .noise = noise, .start = start, .values = values, .draw = draw};
