/* fan_in.c - a prior of the parameter times sqrt(fan in): then the variance of a layer's output does not grow with its
 * inputs (Neal 1996, Bayesian Learning for Neural Networks, section 2.1). */
#include "nn/nn.h"

#include <math.h>

static crd_node draw(const crdi_prior_term *term, crdi_prior_request *request)
{
    request->factor /= sqrt((double)request->fan_in);
    return crdi_prior_draw(term->inner, request);
}

const crdi_prior_form crdi_prior_fan_in = {.name = "fan_in", .nested = true, .draw = draw};
