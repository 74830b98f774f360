/* mcmc.h - MCMC from the inside: draws leave through a sink, so that memory does not grow with them. */
#ifndef CRDI_MCMC_H
#define CRDI_MCMC_H

#include <credence/mcmc.h>
#include "base/options.h"
#include "infer/sink.h"

/* The rows of mcmc_options.def over crd_nuts_options. */
extern const crdi_option_table crdi_mcmc_option_table;

/* What the run will hand to its sink: latent and kept deterministic sites in alphabetical order, then statistics. The
 * columns' names belong to the arena. */
typedef struct crdi_mcmc_columns {
    crd_column *column;
    int count;
} crdi_mcmc_columns;
crd_status crdi_mcmc_columns_of(const crd_model *model, const crd_nuts_options *options, crdi_arena *arena,
                                crdi_mcmc_columns *out);

/* What a run cost. */
typedef struct crdi_mcmc_report {
    double warmup_seconds, sampling_seconds; /* wall time, of the slowest chain each */
    int64_t gradient_evaluations; /* of all chains, start and warm-up included */
    double gradient_seconds; /* time of all chains in transitions, summed */
    int64_t divergences; /* after warm-up */
} crdi_mcmc_report;

/* crd_nuts_run into a sink that was begun with crdi_mcmc_columns_of. CRD_INTERRUPTED when stopped: every draw made so far
 * has gone to the sink. */
crd_status crdi_mcmc_run(const crd_model *model, const crd_nuts_options *options, crd_key key, const crdi_sink *sink,
                         crdi_mcmc_report *report);

#endif
