/* likelihood.h - what the network of the command line says about y. */
#ifndef CRDI_LIKELIHOOD_H
#define CRDI_LIKELIHOOD_H

#include <credence/nn.h>
#include <stdbool.h>

typedef struct crdi_likelihood {
    const char *name, *dist, *what;
    bool predicted; /* the command line's predictions and summaries know it */
    bool noisy; /* y has a standard deviation or scale s */
    /* The distribution of y for the network's outputs f and, where it has noise, s. Samples what else it needs. */
    crd_dist (*make)(crd_trace *trace, const crd_network *network, const crd_dist_type *type, crd_node f, crd_node s);
} crdi_likelihood;

/* By name; NULL means normal. NULL with CRD_ENAME raised for an unknown one. */
const crdi_likelihood *crdi_likelihood_find(crd_context *ctx, const char *name);
/* Whether the network has a second output, the noise. */
bool crdi_network_heteroscedastic(const crd_network *network);

#endif
