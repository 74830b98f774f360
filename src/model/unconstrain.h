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

#endif
