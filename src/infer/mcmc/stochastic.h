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
 * Cycles (Zhang, Li, Zhang, Chen & Wilson 2020, eq. 1): the squared step goes down as 1 + cos(pi r) over a cycle, r from 0 to 1.
 * Its first four fifths explore, and make no draws: all of them are part of the iteration whose draw is the cycle's first. The
 * last fifth begins with the step that was tuned. Here noise is injected all the time, in the exploration of a temperature that
 * goes down to 1 (theirs is 0: noise of batches alone).
 *
 * Metric: M_i = rows / population times the mean square of batches' gradients, shrunk to 1. Near a mode of a model that fits, that
 * is the diagonal of the information: a batch's gradient has covariance population / rows times it (Ahn, Korattikara & Welling
 * 2012 use the same with the whole matrix). */
#ifndef CRDI_STOCHASTIC_H
#define CRDI_STOCHASTIC_H

#include "infer/mcmc/chain.h"
#include "infer/mcmc/whole.h"

typedef struct crdi_stochastic crdi_stochastic;

/* What is a kernel's own. */
typedef struct crdi_stochastic_moves {
    /* The step size for a mean noisiness and a largest curvature, both in the metric's units. */
    double (*step_for)(const crdi_chain *chain, double noisiness, double curvature);
    /* The variance of the gradient's noise over that of the noise injected. */
    double (*ratio)(const crdi_chain *chain, double noisiness);
    /* A step from q by grad and h.step_size; the noise injected has `temperature` times its variance. */
    void (*move)(crdi_chain *chain, crd_key key, double temperature);
    /* Behind it: the gradient of the next batch is there; or it is not finite, and q is what it was. May be NULL. */
    void (*settle)(crdi_chain *chain, bool followed);
} crdi_stochastic_moves;

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
    /* Cycles (crd_nuts_options.cyclical): */
    double base; /* the step size that was tuned, or given */
    int64_t cycle; /* iterations of one; 0: there are none */
    crdi_stochastic_moves moves;
};

/* kernel_state of these kernels begins with a crdi_stochastic; so these serve them as they are. */
void crdi_stochastic_transition(crdi_chain *chain, crd_key key, crdi_transition *out);
void crdi_stochastic_start(crdi_chain *chain);
/* True: metric and step size are new. */
bool crdi_stochastic_learn(crdi_chain *chain, const crdi_transition *transition);
void crdi_stochastic_state(crdi_chain *chain, crdi_archive *archive);
crd_status crdi_stochastic_create(crdi_stochastic *s, crdi_chain *chain, crdi_stochastic_moves moves);
void crdi_stochastic_destroy(crdi_stochastic *s, crdi_chain *chain);

/* Parts, for tests. To be called when q has moved from the point that crdi_stochastic_keep has kept: the next batch becomes pending
 * and is evaluated. False: it is not finite there; the point is the old one again. */
void crdi_stochastic_keep(crdi_stochastic *s, const crdi_chain *chain);
bool crdi_stochastic_follow(crdi_stochastic *s, crdi_chain *chain);
/* Compares two batches at the current point, and leaves the pending one. The mean over parameters of the variance of the noise times
 * M^-1; 0 where a batch is all rows. One gradient more, two with control variates. */
double crdi_stochastic_probe(crdi_stochastic *s, crdi_chain *chain);
/* Where step i of an iteration stands in its cycle, from 0 to 1; the first iteration of a cycle has its exploration before it. */
double crdi_stochastic_place(const crdi_stochastic *s, const crdi_chain *chain, int64_t i);

#endif
