/* place.h - a model traced at given values: for losses that need each site's terms apart. */
#ifndef CRDI_PLACE_H
#define CRDI_PLACE_H

#include "model/model.h"

typedef struct crdi_place_request {
    crd_graph *graph; /* borrowed, as all here */
    crd_model_fn fn;
    void *user;
    const crd_model *layout; /* of u: sites that take their values from there; NULL: none does */
    crd_node u; /* (dim of the layout) */
    const crd_trace *recorded; /* other sites have their values from here; NULL: none has */
    crd_lookup_fn params; /* values of crd_param statements; NULL: their initial ones */
    void *params_user;
    crd_node key; /* subsampled plates and random statements draw from it; crdi_nothing: none */
} crdi_place_request;

typedef struct crdi_placed {
    crd_trace *trace; /* owned */
    crd_node *log_jacobian; /* by site of the layout: log |dx/du|, a scalar */
    const crd_message **message; /* by site of the layout */
} crdi_placed;

crd_status crdi_place(crd_context *ctx, const crdi_place_request *request, crdi_placed *out);
void crdi_placed_clear(crdi_placed *placed);

#endif
