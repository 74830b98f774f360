/* run_states.h - where the chains of a run stand, and what they have taken: read by all who take a run up again. */
#ifndef CRDI_RUN_STATES_H
#define CRDI_RUN_STATES_H

#include "infer/mcmc.h"
#include "store/run.h"

typedef struct crdi_run_states {
    crd_context *ctx;
    int lanes; /* chains, or more that have left states */
    crdi_mcmc_saved *saved; /* (lanes), owned; bytes NULL: it left none */
    int64_t *iteration; /* (lanes) of the states, owned */
} crdi_run_states;

/* The last state of every lane. The caller clears, after a failure too. */
crd_status crdi_run_states_read(crd_context *ctx, crd_run *run, crdi_run_states *out);
void crdi_run_states_clear(crdi_run_states *states);

/* The entries that say what a run has taken; 0 where there is none. Writing: behind all states that wait, for they say so too. */
crd_status crdi_run_cost_read(crd_run *run, crdi_mcmc_report *out);
crd_status crdi_run_cost_write(crdi_run *run, const crdi_mcmc_report *report);

#endif
