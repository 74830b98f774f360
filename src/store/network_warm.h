/* network_warm.h - what another run has learned, to begin with. */
#ifndef CRDI_NETWORK_WARM_H
#define CRDI_NETWORK_WARM_H

#include "infer/mcmc.h"
#include "store/run.h"

typedef struct crdi_network_warm {
    crd_context *ctx;
    crdi_mcmc_saved
        *state; /* (count) owned: states of the other run's chains, of which the sampler takes step size and metric */
    int64_t count;
    double *points; /* (count, dim) owned: where chains begin; NULL: as the options say */
    size_t points_size; /* bytes */
} crdi_network_warm;

/* From the run at a path. CRD_EUNSUPPORTED: it is no run of Markov chains; CRD_EMISSING: it left no state. */
crd_status crdi_network_warm_read(crdi_network_warm *w, crd_context *ctx, const char *path);
/* For `most` states and no points. */
crd_status crdi_network_warm_room(crdi_network_warm *w, crd_context *ctx, int64_t most);
/* Into the run that begins with them, and from there, when that is taken up again (count 0: there are none). */
crd_status crdi_network_warm_write(const crdi_network_warm *w, crdi_run *run);
crd_status crdi_network_warm_again(crdi_network_warm *w, crd_context *ctx, crd_run *run);
void crdi_network_warm_clear(crdi_network_warm *w);

#endif
