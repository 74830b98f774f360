/* trained.h - start points of chains that training finds, with rows held out (option start "ensemble"). */
#ifndef CRDI_TRAINED_H
#define CRDI_TRAINED_H

#include "infer/mcmc/run.h"

/* Trains a start for each chain (trained.c says how), by as many threads as the run has: point (chains, dim) and trained (chains) of the run,
 * which belong to the arena. What they did goes to options.trained. CRD_INTERRUPTED; CRD_ESTART: no finite density where
 * training begins. */
crd_status crdi_mcmc_train_points(crdi_mcmc_run_state *run, crdi_arena *arena);

#endif
