/* horseshoe.c - the horseshoe (Carvalho, Polson & Scott 2010, Biometrika 97, eq. 2 and section 1.2): most weights near
 * zero, few left alone. */
#include "nn/nn.h"

static crd_node draw(const crdi_prior_term *term, crdi_prior_request *request)
{
    crd_node global = crdi_prior_sample(request, "global", crd_half_cauchy(crd_num(term->number[0])));
    crd_node local = crdi_prior_sample(request, "local", crd_dist_expand(crd_half_cauchy(crd_num(1)), request->shape));
    return crdi_prior_normal(request, crd_mul(global, local));
}

const crdi_prior_form crdi_prior_horseshoe = {.name = "horseshoe", .scales = true, .numbers = 1, .draw = draw};
