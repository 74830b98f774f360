/* network_starts.h - starts of Markov chains that are trained (--start ensemble): where training begins, and what a run file says of it;
 * listed in docs/dev/run_file.md. */
#ifndef CRDI_NETWORK_STARTS_H
#define CRDI_NETWORK_STARTS_H

#include "store/network_fit.h"

typedef struct crdi_run_starts {
    crd_context *ctx;
    int64_t count; /* chains; 0: the run's starts were not trained */
    crd_trained_start *start; /* (count) owned */
} crdi_run_starts;

/* For a fit whose options say so: training begins where the layers' initialisers say, and what it came to goes into the run. To be
 * called by prepare; crdi_network_clear frees what it makes. */
crd_status crdi_network_starts_prepare(crdi_network_fit *fit);
/* For the line of what will be done. */
void crdi_network_starts_plan(const crdi_network_fit *fit, crdi_string *out);

crd_status crdi_run_starts_read(crd_context *ctx, crd_run *run, crdi_run_starts *out);
void crdi_run_starts_clear(crdi_run_starts *starts);

#endif
