/* network_start.h - where the training of the command line's network starts. */
#ifndef CRDI_NETWORK_START_H
#define CRDI_NETWORK_START_H

#include <credence/nn.h>

/* The module's parameters and how each gets its first value. */
typedef struct crdi_network_start {
    crd_context *ctx;
    crd_module_params *params;
} crdi_network_start;

crd_status crdi_network_start_create(crd_context *ctx, const crd_network *network, crdi_network_start *out);
void crdi_network_start_clear(crdi_network_start *start);

/* Writes an unconstrained point of a model of the network: net/PARAMETER, or net/PARAMETER.raw where it is drawn so, has the
 * value that the module's initialiser draws (parameter i from crd_key_fold_in(key, i)), all other sites 0: scales of 1.
 * `start` is a crdi_network_start. For crd_svi_options.start_fn. */
crd_status crdi_network_start_run(void *start, const crd_model *model, crd_key key, double *u);

#endif
