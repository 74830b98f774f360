/* scale.c - one scale for a parameter, with a prior of its own. */
#include "nn/nn.h"

static crd_node draw(const crdi_prior_term *term, crdi_prior_request *request)
{
    return crdi_prior_normal(request, crdi_prior_sample(request, "scale", term->dist));
}

const crdi_prior_form crdi_prior_scale = {.name = "scale", .scales = true, .draw = draw};
