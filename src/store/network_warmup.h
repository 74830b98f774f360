/* network_warmup.h - the warm-up of Markov chains, written beside their draws and read again. */
#ifndef CRDI_NETWORK_WARMUP_H
#define CRDI_NETWORK_WARMUP_H

#include "infer/mcmc.h"
#include "store/run.h"

/* A sink before the run's: it passes everything on and keeps the iterations of the warm-up. */
typedef struct crdi_network_warmup {
    crd_context *ctx;
    crdi_run *run;
    const crdi_mcmc_columns *columns;
    const crdi_sink *to;
    int chains;
    int64_t warmup;
    double **values; /* (chains, columns) of chains that are in their warm-up */
} crdi_network_warmup;

/* All is borrowed until end. out: the sink to sample into. */
crd_status crdi_network_warmup_begin(crdi_network_warmup *k, crd_context *ctx, crdi_run *run,
                                     const crdi_mcmc_columns *columns, int chains, int64_t warmup, const crdi_sink *to,
                                     crdi_sink *out);
void crdi_network_warmup_end(crdi_network_warmup *k);

/* Whether the file has the warm-up of all chains, and how many iterations. */
bool crdi_network_warmup_has(crd_context *ctx, crd_run *run, int64_t *iterations);
bool crdi_network_warmup_has_chain(crd_context *ctx, crd_run *run, int chain, int64_t *iterations);
/* (chains, iterations, *shape) of a column. */
crd_status crdi_network_warmup_read(crd_context *ctx, crd_run *run, const crd_column *column, int64_t iterations,
                                    double *out);

#endif
