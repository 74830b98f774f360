/* prediction.h - predictions of a network's run at new inputs: what all draws together say of f and of y. */
#ifndef CRDI_REPORT_PREDICTION_H
#define CRDI_REPORT_PREDICTION_H

#include "nn/likelihood.h"
#include "store/network_run.h"

/* What is asked for. */
typedef struct crdi_prediction_request {
    const crd_array *x; /* (rows, features), prepared by the run's recipe */
    const double *prob; /* (prob_count), each in 0 to 1 */
    int prob_count;
    crd_key key; /* of the noise */
    int64_t draws; /* to use, of all chains together; 0: all */
    int64_t samples; /* draws of y to keep, evenly spaced among those used */
    const int64_t
        *pick; /* (samples) which draws of y to keep, from 0, chains one after the other; NULL: evenly spaced */
    bool
        probit; /* of classes, in a run that is linear in its weights: probabilities in closed form (report/linearised.h) */
    int threads; /* 0: as many as processors */
    size_t
        memory; /* bytes for draws and predictions at a time; 0: 32 MiB and 16 more a thread. Results do not depend on it */
} crdi_prediction_request;

/* In the target's own units. What f means depends on y: its middle (numbers), its mean exp(f) (counts), the probability of each
 * class (classes); y has the noise of the model on top. Below, (parts) are the classes, or the targets: numbers may be several. */
typedef struct crdi_prediction {
    crd_context *ctx;
    crdi_outcome outcome;
    int64_t rows, classes, targets; /* classes: 1 for numbers and counts; targets: 1 for classes and counts */
    int prob_count;
    double *mean, *sd; /* (rows, parts) of f */
    double *f; /* (rows, parts, prob_count) quantiles */
    double *y; /* (rows, targets, prob_count) quantiles; not for classes */
    double *aleatoric,
        *epistemic; /* (rows, targets) mean of the draws' variances of y, variance of their means; not for classes */
    double *entropy,
        *expected_entropy; /* (rows) for classes, natural logarithm: of the mean probabilities, and the mean of
                                           the draws' entropies. Their difference is the mutual information */
    int64_t samples;
    double *sample; /* (rows, targets, samples) */
    double *low, *high; /* (rows, targets) conformal intervals; NULL: none (prediction_calibrated.h) */
    bool *in_set; /* (rows, classes) conformal sets; NULL: none */
} crdi_prediction;

/* A run of a Laplace approximation whose network is linear in its weights (store/network_run.h) has its numbers in closed form, but
 * for samples. Others, and classes:
 *
 * Predicts from the draws of crdi_run_part_find. Quantiles of y are of one draw of y for each draw; fewer than
 * CRDI_OUTLOOK_SAMPLES say too little (a point estimate is one): then they are of the mixture of normals where the noise is
 * normal, else of several draws of y each. The noise of draw d (chains one after the other) at rows
 * 128 b to 128 b + 127 comes from crd_key_fold_in(crd_key_fold_in(key, b), d), so that results depend neither on threads
 * nor on memory. The points of `fit --method map` and ensemble are too few for samples of y: each is used
 * several times with other noise. CRD_EMISSING: no draws; CRD_EUNSUPPORTED: a model written in C; CRD_EINVAL: a probability
 * outside 0 to 1, more draws or samples than there are, a draw picked that is not there. */
crd_status crdi_prediction_make(const crdi_network_run *net, const crdi_prediction_request *request,
                                crdi_prediction **out);
void crdi_prediction_destroy(crdi_prediction **prediction);

/* The class of greatest mean probability of a row; the first of equal ones. */
int64_t crdi_prediction_mode(const crdi_prediction *prediction, int64_t row);

#endif
