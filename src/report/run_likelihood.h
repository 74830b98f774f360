/* run_likelihood.h - the log likelihood of the rows that a network was fitted to, under every draw. */
#ifndef CRDI_REPORT_RUN_LIKELIHOOD_H
#define CRDI_REPORT_RUN_LIKELIHOOD_H

#include "store/network_run.h"

/* Gets log p(y_i | draw) of one row, of all its targets together, for all draws of crdi_run_part_find, chains one after the other, which it may
 * overwrite. Called from several threads. */
typedef crd_status (*crdi_likelihood_row_fn)(void *user, int64_t row, int64_t draws, double *log_likelihood);

/* Rows first .. first + rows - 1; first as in crdi_by_row. In the target's own units: the density of a scaled target is
 * divided by its sd. CRD_EMISSING: no draws; CRD_EUNSUPPORTED: a model written in C. */
crd_status crdi_run_log_likelihood(const crdi_network_run *net, int threads, int64_t first, int64_t rows,
                                   crdi_likelihood_row_fn row, void *user);
/* The same for draws of the target, as they would have been observed, (draws, targets): the noise is that of
 * crdi_prediction_make. */
crd_status crdi_run_replications(const crdi_network_run *net, int threads, crd_key key, int64_t first, int64_t rows,
                                 crdi_likelihood_row_fn row, void *user);

/* The relative efficiency that ArviZ's loo takes: ess_mean over draws, mean over the elements of all latent and kept
 * deterministic sites; 1 for a single chain. CRD_EMISSING: too few draws for it. */
crd_status crdi_run_relative_efficiency(crd_context *ctx, crd_run *run, const crdi_run_part *part, double *out);

#endif
