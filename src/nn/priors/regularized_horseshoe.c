/* regularized_horseshoe.c - the horseshoe with a slab (Piironen & Vehtari 2017, Electronic Journal of Statistics 11, eq.
 * 2.8 and section 3.1): local scales shrink to c l / sqrt(c^2 + t^2 l^2), c^2 ~ InverseGamma(D / 2, D S^2 / 2). */
#include "nn/nn.h"

static crd_node draw(const crdi_prior_term *term, crdi_prior_request *request)
{
    double t = term->number[0], s = term->number[1], d = term->number[2];
    crd_node global = crdi_prior_sample(request, "global", crd_half_cauchy(crd_num(t)));
    crd_node local = crdi_prior_sample(request, "local", crd_dist_expand(crd_half_cauchy(crd_num(1)), request->shape));
    crd_node slab = crdi_prior_sample(request, "slab", crd_inverse_gamma(crd_num(d / 2), crd_num(d * s * s / 2)));
    crd_node wide = crd_square(crd_mul(global, local));
    return crdi_prior_normal(request, crd_sqrt(crd_div(crd_mul(slab, wide), crd_add(slab, wide))));
}

const crdi_prior_form crdi_prior_regularized_horseshoe = {
    .name = "regularized_horseshoe", .scales = true, .numbers = 3, .draw = draw};
