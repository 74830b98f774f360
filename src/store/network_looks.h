/* network_looks.h - states of chains behind draws that a rule has still to look at, in the run's entries "look_states/CHAIN". The chains'
 * own states may be further, and where the rule turns out to hold before them these are the ones to go on from. An entry is written before
 * the draws that follow it, so that a kill at any moment leaves it. */
#ifndef CRDI_NETWORK_LOOKS_H
#define CRDI_NETWORK_LOOKS_H

#include "infer/mcmc.h"
#include "infer/sink.h"
#include "store/run.h"

typedef struct crdi_look_state {
    int64_t chain, draws;
    crdi_sampler_state state; /* iteration, what it took, and bytes, borrowed */
} crdi_look_state;

/* Those of one chain; from its thread. count 0: none are kept any more. */
crd_status crdi_run_looks_write(crd_context *ctx, crdi_run *run, int chain, const crdi_look_state *states,
                                int64_t count);

/* What the entry of a chain holds; bytes NULL: there is none. Owned. */
crd_status crdi_run_looks_read(crd_run *run, int chain, crdi_mcmc_saved *out);

/* Called for each that was written, in that order; the bytes are lent for the call. */
typedef crd_status (*crdi_look_state_fn)(void *user, const crdi_look_state *state);
/* From what the entry holds. CRD_EDAMAGED. */
crd_status crdi_run_looks_each(crd_context *ctx, const void *bytes, size_t size, crdi_look_state_fn take, void *user);

#endif
