/* noncentered.c - the non-centred parametrisation (Papaspiliopoulos, Roberts & Skoeld 2007): standard normals are drawn
 * and multiplied by the scales, so that a narrow scale does not make a funnel. */
#include "nn/nn.h"

static crd_node draw(const crdi_prior_term *term, crdi_prior_request *request)
{
    request->noncentered = true;
    return crdi_prior_draw(term->inner, request);
}

const crdi_prior_form crdi_prior_noncentered = {.name = "noncentered", .nested = true, .draw = draw};
