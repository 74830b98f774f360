/* mcmc.h - MCMC from the inside: draws leave through a sink, so that memory does not grow with them. */
#ifndef CRDI_MCMC_H
#define CRDI_MCMC_H

#include <credence/mcmc.h>
#include "base/options.h"
#include "infer/sink.h"
#include "model/scale_sites.h"

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

/* A chain as a run left it: what a sink was given as its state. NULL: it begins. */
typedef struct crdi_mcmc_saved {
    void *bytes;
    size_t size;
} crdi_mcmc_saved;

/* What came before a run. */
typedef struct crdi_mcmc_before {
    const crdi_mcmc_saved *chain; /* (chains) it goes on from these, bit for bit; NULL: all begin */
    const crdi_mcmc_saved
        *warm; /* (warm_count) chains of another run of as many parameters, by the same metric: chain c begins
                                    with the metric and the step size of number c modulo warm_count */
    int64_t warm_count;
    const double *points; /* (chains, dim) where chains begin that go on from no state; NULL: as the options say */
    double warmup_seconds, sampling_seconds, gradient_seconds; /* it took */
    void *shared; /* of the kernel, where it needs that (tempering); NULL */
} crdi_mcmc_before;

/* crd_nuts_run into a sink that was begun with crdi_mcmc_columns_of. CRD_INTERRUPTED when stopped: every draw made so far
 * has gone to the sink, and the state of every chain that has begun. `before` may be NULL. CRD_EDAMAGED: a state is not of this model
 * and these options. */
crd_status crdi_mcmc_run(const crd_model *model, const crd_nuts_options *options, crd_key key,
                         const crdi_mcmc_before *before, const crdi_sink *sink, crdi_mcmc_report *report);
/* A run of chains that goes into a sink, into memory, as crd_nuts_run. */
typedef crd_status (*crdi_mcmc_run_fn)(void *user, const crd_model *model, const crd_nuts_options *options, crd_key key,
                                       const crdi_sink *sink, crdi_mcmc_report *report);
crd_status crdi_mcmc_into_memory(crdi_mcmc_run_fn run, void *user, const crd_model *model,
                                 const crd_nuts_options *options, crd_key key, crd_posterior **out);
/* The options with their defaults, checked: as a table gives them, warmup 0 means none. */
crd_status crdi_mcmc_complete(crd_context *ctx, const crd_nuts_options *given, crd_nuts_options *out);
/* What biases the draws of a kernel of batches, by how much it would change the variances of a normal whose scales are the
 * metric's (infer/mcmc/noise.h). ratio: of the variance of the gradients' noise to that of the noise injected, statistic `energy`;
 * batches: an epoch; 0: not known, as if they were independent. False: the kernel is none of these. */
typedef struct crdi_mcmc_bias {
    double noise, step; /* shares: 0.05 is 5 % */
    bool corrected; /* that of the noise was taken off what is injected */
} crdi_mcmc_bias;
bool crdi_mcmc_bias_of(const char *kernel, double step_size, double ratio, double friction, int64_t batches,
                       crdi_mcmc_bias *out);
/* Whether the statistic `energy` of a kernel is a Hamiltonian's, and whether its draws are biased by what it is. Of NULL and a name that is none
 * of the table: yes, and no. */
bool crdi_mcmc_has_energy(const char *kernel);
bool crdi_mcmc_is_biased(const char *kernel);
/* What max_depth does: trees grow no further, which is their end; trajectories with a length of their own are cut, each, or in the mean
 * of their random numbers of steps. Of NULL and a name that is none of the table: nothing is cut. */
typedef enum crdi_mcmc_cut { CRDI_CUTS_NOTHING, CRDI_CUTS_EACH, CRDI_CUTS_MEAN } crdi_mcmc_cut;
crdi_mcmc_cut crdi_mcmc_cuts(const char *kernel);
/* Start points that a kernel cannot have: CRD_EINVAL. */
crd_status crdi_mcmc_check_start(crd_context *ctx, const crd_nuts_options *options);
/* The sites of option blocks that a kernel draws; none of "none". CRD_EINVAL: they cannot be had by it, or the model has none. */
crd_status crdi_mcmc_find_blocks(const crd_model *model, const char *kernel, const char *blocks, crdi_scale_sites *out);
/* Whether a run of `dim` parameters can begin with what a chain of another has learned. CRD_EINVAL says what differs. */
crd_status crdi_mcmc_check_warm(crd_context *ctx, const crdi_mcmc_saved *warm, const crd_nuts_options *options,
                                int64_t dim);
/* How many bytes at the beginning of a chain's state say what its warm-up has learned, which another run may begin with: the same
 * bytes behind whatever draw. */
crd_status crdi_mcmc_learned_size(const crd_model *model, const crd_nuts_options *options, const crdi_mcmc_saved *state,
                                  size_t *out);
/* Draws that a chain has behind it after so many iterations. */
int64_t crdi_mcmc_draws_of(const crd_nuts_options *options, int64_t iteration);

#endif
