/* ard.c - automatic relevance determination: one scale for each input, so that the posterior can turn inputs off (Neal
 * 1996, Bayesian Learning for Neural Networks, section 1.2.3 and 4.3). */
#include "nn/nn.h"

static crd_node draw(const crdi_prior_term *term, crdi_prior_request *request)
{
    crd_shape shape = request->shape;
    char text[96];
    if (shape.ndim < 2) {
        crd_trace_fail(request->trace, CRD_EPRIOR, request->where,
                       "prior '%s' of parameter %s: it has a scale for each input, and shape %s has no axis of inputs",
                       term->text, request->path, crdi_shape_text(shape, text, sizeof text));
        return (crd_node){request->trace->graph, -1, 0};
    }
    int64_t inputs = shape.dim[shape.ndim - 2];
    crd_node scale = crdi_prior_sample(request, "scale", crd_dist_expand(term->dist, crd_shape_1(inputs)));
    return crdi_prior_normal(request, crd_node_ok(scale) ? crd_reshape(scale, crd_shape_2(inputs, 1)) : scale);
}

const crdi_prior_form crdi_prior_ard = {.name = "ard", .scales = true, .draw = draw};
