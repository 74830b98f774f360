/* tempering.h - parallel tempering: what the chains of a run share. The kernel: infer/mcmc/tempering.c. */
#ifndef CRDI_TEMPERING_H
#define CRDI_TEMPERING_H

#include "infer/tempered/tempered.h"

/* At most; when they are full neighbours are made one, so that there are at least half as many, whatever the run's length. */
enum { CRDI_TEMPERING_BATCHES = 40 };

/* What a chain has seen behind its warm-up. Written by the chain's thread alone. */
typedef struct crdi_tempering_sums {
    double *beta, *accept; /* (levels), (levels - 1): of swaps */
    int64_t seen; /* iterations */
    /* Between neighbours, by batches of iterations, (batches, levels - 1): log sums of L^(d / 2) at the lower temperature's state and of
     * L^(-d / 2) at the higher one's, d the difference of their betas. */
    double *up, *down;
} crdi_tempering_sums;

typedef struct crdi_tempering {
    crdi_tempered t;
    crdi_arena *arena;
    int64_t levels; /* the prior is number 0, the posterior the last */
    double *beta; /* (levels) to begin with */
    int64_t chains;
    crdi_tempering_sums *sums; /* (chains) */
} crdi_tempering;

/* Zeroed before; crdi_tempering_destroy also after a failure. The pilot run finds the first temperatures. CRD_INTERRUPTED. */
crd_status crdi_tempering_create(crdi_tempering *t, const crd_model *model, const crd_tempered_options *options,
                                 crd_key key);
void crdi_tempering_destroy(crdi_tempering *t);
/* Adds an iteration behind the warm-up: log likelihoods of the replicas, (levels), and what swaps of neighbours were accepted with,
 * (levels - 1). Batches follow from the number of iterations so far, so that a run can be made longer. */
void crdi_tempering_see(crdi_tempering_sums *s, int64_t levels, const double *log_likelihood, const double *accept);
/* Makes them, zeroed before, and draws. crdi_tempering_destroy also after a failure. */
crd_status crdi_tempering_draw(crdi_tempering *t, const crd_model *model, const crd_nuts_options *options,
                               const crd_tempered_options *tempered, crd_key key, const crdi_mcmc_before *before,
                               const crdi_sink *sink, crdi_mcmc_report *report);
/* What the chains had seen behind their first `draws` draws, where they left these states, (chains); one without bytes begins again.
 * The options are those that they drew by. */
crd_status crdi_tempering_go_back(crdi_tempering *t, const crd_model *model, const crd_nuts_options *options,
                                  const crd_tempered_options *tempered, int64_t draws, crd_key key,
                                  const crdi_mcmc_saved *state);
/* What the chains have seen, as an evidence. */
crd_status crdi_tempering_conclude(const crdi_tempering *t, crd_evidence *out);

/* crd_tempering_run into a sink that was begun with crdi_mcmc_columns_of. */
crd_status crdi_tempering_run(const crd_model *model, const crd_nuts_options *options,
                              const crd_tempered_options *tempered, crd_key key, const crdi_mcmc_before *before,
                              const crdi_sink *sink, crdi_mcmc_report *report, crd_evidence *evidence);

#endif
