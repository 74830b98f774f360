/* network_laplace.h - what a run file says of a Laplace approximation beyond its draws (docs/dev/run_file.md), and the
 * approximation itself, made again from it. */
#ifndef CRDI_NETWORK_LAPLACE_H
#define CRDI_NETWORK_LAPLACE_H

#include "infer/laplace/laplace.h"
#include "store/network_run.h"

typedef struct crdi_laplace_record {
    char *hessian, *tune, *precisions; /* owned; hessian NULL: the run is another one */
    int64_t weights, random; /* in all; those that are not held at their most probable values */
    int64_t starts, failed_starts, best_start;
    int64_t rounds; /* of tuning */
    bool finished, converged; /* the search for the weights; tuning */
    double noise; /* s; NaN where there is none */
    double log_evidence, log_likelihood, log_density, gradient, effective;
    crd_array factors; /* by group of weights: what the precision of the prior was multiplied by */
} crdi_laplace_record;

bool crdi_run_is_laplace(crd_run *run);
crd_status crdi_laplace_record_read(crd_context *ctx, crd_run *run, crdi_laplace_record *out);
void crdi_laplace_record_clear(crd_context *ctx, crdi_laplace_record *record);

/* The Gauss-Newton matrix at the point in the file, computed again from its data. *out belongs to the caller and borrows from net. */
crd_status crdi_network_run_laplace(const crdi_network_run *net, crdi_laplace **out);

#endif
