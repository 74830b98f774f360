/* network_linear.h - see network_linear.c. */
#ifndef CRDI_NETWORK_LINEAR_H
#define CRDI_NETWORK_LINEAR_H

#include <credence/nn.h>

/* The outputs (rows, outputs) of the network with `layers` dense layers, linear about net->linear_about in the parameters that the
 * trace has recorded. x must be known. */
crd_node crdi_network_linear(crd_trace *trace, const crd_network *net, int layers, crd_node x);

#endif
