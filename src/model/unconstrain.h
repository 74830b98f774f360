/* unconstrain.h - see unconstrain.c. */
#ifndef CRDI_UNCONSTRAIN_H
#define CRDI_UNCONSTRAIN_H

#include "model/model.h"

typedef struct crdi_unconstrain {
    crd_handler handler;
    crd_node log_jacobian; /* sum over the sites so far */
    crd_node *input; /* of each latent site, in the order of the statements; the owner frees it */
    int64_t count, capacity;
} crdi_unconstrain;

void crdi_unconstrain_init(crdi_unconstrain *handler);

/* A trace in which the latent sites are functions of inputs. */
typedef struct crdi_unconstrained {
    crd_trace *trace;
    crdi_unconstrain handler;
} crdi_unconstrained;

/* batch: rows that a plate takes, its `row` made once the graph is there; NULL: plates are as the model says. The caller clears,
 * after a failure too. */
crd_status crdi_unconstrained_trace(crd_context *ctx, crd_model_fn fn, void *user, crdi_plate_batch *batch,
                                    crdi_unconstrained *out);
void crdi_unconstrained_clear(crd_context *ctx, crdi_unconstrained *u);
/* The inputs in the order of the model's sites. */
crd_status crdi_unconstrained_inputs(const crd_model *model, const crdi_unconstrained *u, crd_node *out);

#endif
