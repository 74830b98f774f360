/* stochastic.h - what the kernels share whose gradients are of batches of rows (sgld, sghmc): the batches in their order, the
 * noise that these make, and the warm-up.
 *
 * Batches go through the rows epoch by epoch: a permutation of all rows each, cut into population / rows batches (rows that
 * are left over wait for the next permutation). h.grad is always of the current point and of the batch that is in the exec's
 * input, the pending one: a step moves by it and then takes the next.
 *
 * Warm-up of W iterations:
 *   0.4 W   Adam on batches, the rate going down to nothing: to a mode. Control variates are centred there.
 *   0.3 W   the kernel itself, with a metric and a step from what is seen at the mode. It sees squares of gradients and the
 *           noise between batches.
 *   0.3 W   with the metric and the step from these, which sampling keeps.
 *
 * Metric: M_i = rows / population times the mean square of batches' gradients, shrunk to 1. Near a mode of a model that fits, that
 * is the diagonal of the information: a batch's gradient has covariance population / rows times it (Ahn, Korattikara & Welling
 * 2012, section 4, use the same with the whole matrix). */
#ifndef CRDI_STOCHASTIC_H
#define CRDI_STOCHASTIC_H

#include "infer/mcmc/chain.h"
#include "infer/mcmc/whole.h"

typedef struct crdi_stochastic crdi_stochastic;

struct crdi_stochastic {
    const crdi_batches *batches; /* borrowed */
    int64_t an_epoch; /* batches */
    int64_t taken; /* from the stream so far: the pending one is number taken - 1 */
    int64_t *order; /* (population) the permutation of `epoch` */
    uint64_t *scratch;
    int64_t epoch; /* -1: none yet */
    /* What gradients look like. */
    double *sizes; /* (dim) sums of squares of the gradients of batches */
    double *
        noise; /* (dim) sums of squared differences between two batches at one point, halved, corrected for the epoch */
    double *noisiness; /* (dim) variance of the noise times M^-1, as the last tuning found it */
    double count; /* of what is summed */
    double curvature; /* the largest one, in the metric's units */
    int64_t tunings;
    double *mean, *square; /* (dim) of Adam */
    int64_t climbed; /* steps of Adam */
    /* Control variates: nothing of it without. */
    crdi_whole whole;
    double *centre, *centre_whole; /* (dim), (1 + dim) where, and log density and gradient of all rows there */
    bool centred;
    double *q, *grad, *other; /* (dim) scratch: a point and its gradient to go back to, another gradient */
    /* The step size for a mean noisiness and a largest curvature, both in the metric's units. */
    double (*step_for)(const crdi_chain *chain, double noisiness, double curvature);
};

crd_status crdi_stochastic_create(crdi_stochastic *s, crdi_chain *chain);
void crdi_stochastic_destroy(crdi_stochastic *s, crdi_chain *chain);

/* Whether a transition belongs to the first part of warm-up; if so it was made. */
bool crdi_stochastic_climb(crdi_stochastic *s, crdi_chain *chain, crdi_transition *out);
/* To be called when q has moved from the point that crdi_stochastic_keep has kept: the next batch becomes pending and is evaluated.
 * False: it is not finite there; the point is the old one again. */
void crdi_stochastic_keep(crdi_stochastic *s, const crdi_chain *chain);
bool crdi_stochastic_follow(crdi_stochastic *s, crdi_chain *chain);
/* Compares two batches at the current point, and leaves the pending one. The mean over parameters of the variance of the noise times
 * M^-1; 0 where a batch is all rows. One gradient more. */
double crdi_stochastic_probe(crdi_stochastic *s, crdi_chain *chain);

/* As the kernels' own. */
void crdi_stochastic_start(crdi_stochastic *s, crdi_chain *chain);
void crdi_stochastic_learn(crdi_stochastic *s, crdi_chain *chain);
void crdi_stochastic_state(crdi_stochastic *s, crdi_chain *chain, crdi_archive *archive);

#endif
