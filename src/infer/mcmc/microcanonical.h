/* microcanonical.h - what the two microcanonical kernels share: motion, the point to go back to, and how warm-up finds the
 * metric and the length over which the direction is forgotten.
 *
 * Warm-up of W iterations: the metric over the windows of the first 0.6 W, as other kernels; then W / 5 in which
 * autocorrelations are measured, and from them the length; what is left settles the step size for that length. */
#ifndef CRDI_MICROCANONICAL_H
#define CRDI_MICROCANONICAL_H

#include "infer/mcmc/chain.h"
#include "infer/mcmc/isokinetic.h"

/* The autocorrelation time of every coordinate by batch means: batch * variance of the means / variance, in iterations. */
typedef struct crdi_batch_means {
    int64_t batch, filled; /* iterations a batch; in the one at hand */
    double *sum; /* (dim) of the batch at hand */
    crdi_welford single, mean; /* of iterations, of batches */
} crdi_batch_means;

typedef struct crdi_microcanonical {
    crdi_isokinetic motion;
    double *q, *grad, *u; /* (dim) a point to go back to, and its direction */
    double log_density;
    crdi_batch_means batches;
    double steps; /* of the transitions that the batches saw */
} crdi_microcanonical;

/* The chain's kernel_state: `size` bytes, zeroed but for the crdi_microcanonical that stands first. CRD_EUNSUPPORTED: one parameter,
 * whose direction could not turn. */
crd_status crdi_microcanonical_create(crdi_chain *chain, size_t size);
void crdi_microcanonical_destroy(crdi_chain *chain);
void crdi_microcanonical_keep(crdi_microcanonical *m);
void crdi_microcanonical_go_back(crdi_microcanonical *m);
/* At the start: length and step size, where neither another run nor the user gave them. */
void crdi_microcanonical_start(crdi_chain *chain);
/* The length that is learned in the end, from the mean number of iterations after which draws are independent. */
typedef enum crdi_learned { CRDI_LEARNED_NOTHING, CRDI_LEARNED_METRIC, CRDI_LEARNED_LENGTH } crdi_learned;
/* Metric and length, after an iteration of warm-up was counted; `steps` is what the transition took. `share` of the distance that
 * is travelled between independent draws becomes the length. Says what is new. */
crdi_learned crdi_microcanonical_learn(crdi_microcanonical *m, crdi_chain *chain, double steps, double share);
void crdi_microcanonical_state(crdi_chain *chain, crdi_archive *archive);
/* Whole steps of the step size in a distance: crdi_chain_limit_steps. */
int64_t crdi_microcanonical_steps(const crdi_chain *chain, double distance, bool *cut);

#endif
