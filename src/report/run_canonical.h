/* run_canonical.h - the draws of a network's run in canonical form (nn/canonical.h). */
#ifndef CRDI_REPORT_RUN_CANONICAL_H
#define CRDI_REPORT_RUN_CANONICAL_H

#include "store/network_run.h"

/* Every later reading of the run has weights and biases of all draws in canonical form; what priors have for each unit (scales of
 * inputs, local scales) moves with its unit. The file is not changed, and f stays the same but for rounding. A network
 * without hidden layers has nothing to bring into form. CRD_EUNSUPPORTED: a model written in C; a network that predicts by its expansion
 * about a point; weights that are not in the file because their prior is non-centred. Memory: all draws of the weights. */
crd_status crdi_run_make_canonical(crdi_network_run *net, int threads);

#endif
