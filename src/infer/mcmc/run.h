/* run.h - a run of several chains, as the files share it that make it: columns.c, draws.c (one chain), monitor.c, points.c. */
#ifndef CRDI_MCMC_RUN_H
#define CRDI_MCMC_RUN_H

#include "infer/mcmc/chain.h"
#include "infer/mcmc/turns.h"

#include <stdatomic.h>

enum { CRDI_MCMC_STATISTICS = 7, CRDI_MCMC_MOST_KEPT = 64 };

/* What a chain tells the monitor. */
typedef struct crdi_mcmc_news {
    atomic_llong iteration, gradients, warmup_gradients, divergences;
    atomic_llong before; /* iterations, of a chain that goes on */
    _Atomic double step_size, started;
} crdi_mcmc_news;

/* A start that was trained, and what it took. */
typedef struct crdi_mcmc_trained {
    crd_trained_start start;
    int64_t gradients;
    double seconds, cpu_seconds;
} crdi_mcmc_trained;

typedef struct crdi_mcmc_run_state {
    crd_context *ctx;
    const crd_model *model;
    crd_nuts_options options;
    crd_key key;
    const crdi_mcmc_before *before;
    const crdi_sink *sink;
    crdi_batches batches; /* of kernels that take rows in batches */
    crd_program *values; /* (u) -> sites in the model's order, then the kept ones */
    crdi_starter starter;
    crdi_scale_sites scales; /* sites in blocks */
    double *point; /* (chains, dim) where chains start; NULL: the starter says */
    int64_t point_gradients; /* what it took to find them, if not for each */
    crdi_mcmc_trained *trained; /* (chains); NULL: starts are not trained */
    crdi_mcmc_columns columns;
    int64_t *column_offset; /* where a site column's value begins in the output of `values` */
    crdi_mcmc_news *news; /* one a chain */
    double *warmup_seconds, *sampling_seconds, *cpu_seconds;
    crdi_turns *turns; /* NULL: every chain runs to its end */
    atomic_bool stopped;
} crdi_mcmc_run_state;

/* Where each site's value is in the output of the values program: fills column_offset. */
void crdi_mcmc_find_offsets(crdi_mcmc_run_state *run);
/* Seconds of this thread's processor. */
double crdi_thread_seconds(void);
/* Whether to end now: somebody has said so, or says so now. */
bool crdi_mcmc_must_stop(crdi_mcmc_run_state *run);
/* Chain `number` from its start, or from where it was, to its end; `run` is a crdi_mcmc_run_state. */
crd_status crdi_mcmc_run_chain(void *run, int64_t number);
/* Start points are draws of Pathfinder, different ones where there are enough; point belongs to the arena. */
crd_status crdi_mcmc_find_points(crdi_mcmc_run_state *run, crdi_arena *arena);

/* A thread that reads the news ten times a second and calls options.progress. */
typedef struct crdi_mcmc_monitor crdi_mcmc_monitor;
crd_status crdi_mcmc_monitor_start(crdi_mcmc_run_state *run, crdi_mcmc_monitor **out);
/* Calls progress once more: the end, however short the run was. */
void crdi_mcmc_monitor_end(crdi_mcmc_monitor **monitor);

#endif
