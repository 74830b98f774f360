/* prediction.h - predictions of a network's run at new inputs: means, standard deviations and quantiles over all draws. */
#ifndef CRDI_REPORT_PREDICTION_H
#define CRDI_REPORT_PREDICTION_H

#include "store/network_run.h"

/* What is asked for. */
typedef struct crdi_prediction_request {
    const crd_array *x; /* (rows, features), prepared by the run's recipe */
    const double *prob; /* (prob_count), each in 0 to 1 */
    int prob_count;
    crd_key key; /* of the noise */
    int64_t draws; /* to use, of all chains together; 0: all */
    int threads; /* 0: as many as processors */
    size_t memory; /* bytes for draws and predictions at a time; 0: 192 MiB. Results do not depend on it */
} crdi_prediction_request;

/* All in the target's own units. f is the network's output, y has the noise of the model on top. */
typedef struct crdi_prediction {
    crd_context *ctx;
    int64_t rows;
    int prob_count;
    double *mean, *sd; /* (rows) of f */
    double *f, *y; /* (rows, prob_count) quantiles */
} crdi_prediction;

/* Predicts from the draws of crdi_run_part_find. The noise of draw d (chains one after the other) at rows
 * 128 b to 128 b + 127 comes from crd_key_fold_in(crd_key_fold_in(key, b), d), so that results depend neither on threads
 * nor on memory. CRD_EMISSING: no draws; CRD_EUNSUPPORTED: a model written in C; CRD_EINVAL: a probability outside 0 to 1. */
crd_status crdi_prediction_make(const crdi_network_run *net, const crdi_prediction_request *request,
                                crdi_prediction **out);
void crdi_prediction_destroy(crdi_prediction **prediction);

#endif
