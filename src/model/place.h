/* place.h - a model traced at one unconstrained vector: for losses that need each site's terms apart. */
#ifndef CRDI_PLACE_H
#define CRDI_PLACE_H

#include "model/model.h"

/* What a trace says of a latent site. */
typedef struct crdi_placed_site {
    const crd_message *message; /* value, distribution, log density */
    crd_node log_jacobian; /* log |dx/du|, a scalar */
} crdi_placed_site;

typedef struct crdi_placed {
    crd_trace *trace; /* owned */
    crdi_placed_site *site; /* by the model's sites; in the trace's arena */
    crd_node log_likelihood; /* observed sites and factors, a scalar */
} crdi_placed;

/* Traces `model` in a graph that is there with its latent sites at x(u), u of shape (dim). Subsampled plates and random
 * statements draw from `key`, a key node; crdi_nothing: none. */
crd_status crdi_model_place(const crd_model *model, crd_graph *graph, crd_node u, crd_node key, crdi_placed *out);
void crdi_placed_clear(crdi_placed *placed);

#endif
