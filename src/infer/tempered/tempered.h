/* tempered.h - models between prior and posterior: what runs over temperatures share. See <credence/evidence.h>. */
#ifndef CRDI_TEMPERED_H
#define CRDI_TEMPERED_H

#include <credence/evidence.h>
#include "base/archive.h"
#include "base/options.h"
#include "infer/mcmc.h"
#include "infer/mcmc/gibbs.h"
#include "infer/mcmc/hamiltonian.h"
#include "model/start.h"

#include <stdatomic.h>

/* The rows of tempered_options.def over crd_tempered_options. */
extern const crdi_option_table crdi_tempered_option_table;

/* The options with their defaults, checked. */
crd_status crdi_tempered_complete(crd_context *ctx, const crd_tempered_options *given, crd_tempered_options *out);

/* What all particles of all runs share. */
typedef struct crdi_tempered {
    crd_context *ctx;
    const crd_model *model;
    crd_tempered_options options; /* complete */
    crd_program *density; /* crdi_model_compile_tempered */
    crdi_starter prior; /* draws from it */
    crdi_scale_sites scales; /* drawn before moves; none without options.blocks */
    int64_t dim;
    atomic_bool stopped;
    atomic_llong gradients, nanoseconds; /* of threads, in moves */
    const crdi_sink *sink; /* has the states of lanes; NULL, or one without `state`: they are not kept */
    const crdi_mcmc_before *before; /* states to go on from: those of the runs, and behind them the pilot run's; NULL */
    double begun; /* when all this did: crdi_seconds */
} crdi_tempered;

/* Zeroed before; crdi_tempered_destroy also after a failure. */
crd_status crdi_tempered_create(crdi_tempered *t, const crd_model *model, const crd_tempered_options *options);
void crdi_tempered_destroy(crdi_tempered *t);
/* Whether to end now: somebody has said so, or says so now. */
bool crdi_tempered_stopped(crdi_tempered *t);

/* What leaves states, and goes on from one: a run, or the pilot run, whose number is behind theirs. */
typedef struct crdi_lane {
    crdi_tempered *t;
    int64_t number;
    void (*state)(void *user, crdi_archive *a); /* all of it, to and fro */
    void *user;
    crdi_archive archive; /* its room is kept from one state to the next */
} crdi_lane;

/* Whether anybody keeps states. */
bool crdi_lane_is_kept(const crdi_lane *lane);
/* Leaves the state with what it has cost: counts are of the lane; those seconds that the clock shows are added. */
crd_status crdi_lane_keep(crdi_lane *lane, crdi_sampler_state cost);
/* Goes on from the state that it left, if it left one. CRD_EDAMAGED. */
crd_status crdi_lane_load(crdi_lane *lane, bool *found);
void crdi_lane_clear(crdi_lane *lane);

/* Where a particle is. */
typedef struct crdi_particle {
    double *u; /* (dim) */
    double log_prior, log_likelihood;
} crdi_particle;

/* How particles are moved at a temperature. */
typedef struct crdi_move {
    double beta, step;
    int64_t moves; /* of each */
    double *variance; /* (dim) */
} crdi_move;

/* What moves particles, one at a time: an exec and a momentum. */
typedef struct crdi_walker {
    crdi_tempered *t;
    crdi_hamiltonian h;
    crdi_gibbs *gibbs; /* NULL: without blocks */
    crd_exec *prior;
    double seconds; /* of its thread, in moves */
    double *back; /* (2 dim) the point to go back to, and its gradient */
} crdi_walker;

crd_status crdi_walker_create(crdi_walker *w, crdi_tempered *t);
void crdi_walker_destroy(crdi_walker *w);
/* A draw from the prior. A likelihood that is not a number counts as 0. */
void crdi_walker_draw(crdi_walker *w, crd_key key, crdi_particle *out);
/* Moves a particle `count` times by Hamiltonian Monte Carlo: trajectories of a length uniform in (0, pi), in units of the metric,
 * which is set, with a step size within a tenth of move->step; before each, scales in blocks are drawn. Move j
 * draws from sub-key first + j of the key. Returns the mean acceptance probability. */
double crdi_walker_move(crdi_walker *w, const crdi_move *move, crd_key key, int64_t first, int64_t count,
                        crdi_particle *particle);

/* ---- evidence (evidence.c) ---------------------------------------------------------------------------------- */

/* log mean exp of `count` log estimates, and the standard error of that by the delta method; NaN of one. */
void crdi_evidence_combine(const double *log_estimate, int64_t count, double *log_evidence, double *error);
/* The same into an evidence, with the interval. */
void crdi_evidence_conclude(crd_evidence *e, const double *log_estimate, int64_t count);
/* The lag of an evidence, and its error, from those of its runs. */
void crdi_evidence_lag(crd_evidence *e, const double *lag);
/* Half the width of a 95 % interval of Student's t, in standard errors. */
double crdi_student_95(int64_t freedom);
/* (sum w)^2 / (count sum w^2). */
double crdi_evidence_effective(const double *log_weight, int64_t count);
/* An evidence with arrays of these sizes. */
crd_status crdi_evidence_create(crd_evidence *out, crd_context *ctx, int64_t runs, int64_t temperatures);

/* ---- draws (tempered_draws.c) ------------------------------------------------------------------------------- */

/* Columns of draws: latent sites, kept ones, log_density and log_likelihood; names in the arena. `values`, if it is wanted,
 * computes the sites, in the order of their columns. */
crd_status crdi_tempered_columns(const crd_model *model, const char *const *keep, int keep_count, crdi_arena *arena,
                                 crdi_mcmc_columns *out, crd_program **values);
/* Hands `count` particles to a sink as the draws of a chain. */
crd_status crdi_tempered_hand_over(const crdi_tempered *t, const crd_program *values, const crdi_mcmc_columns *columns,
                                   int chain, int64_t count, const double *u, const double *log_prior,
                                   const double *log_likelihood, const crdi_sink *sink);
/* A run that goes into a sink, into memory. */
typedef crd_status (*crdi_tempered_fn)(const crd_model *model, const crd_tempered_options *options, crd_key key,
                                       const crdi_mcmc_before *before, const crdi_sink *sink, crdi_mcmc_report *report,
                                       crd_evidence *evidence);
crd_status crdi_tempered_into_memory(crdi_tempered_fn run, const crd_model *model, const crd_tempered_options *options,
                                     crd_key key, int chains, int64_t draws, crd_posterior **out,
                                     crd_evidence *evidence);

/* crd_smc_run into a sink that was begun with crdi_tempered_columns. Sink and evidence may be NULL. The sink gets states of chains + 1
 * lanes, and before->chain has as many, to go on from; `before` may be NULL. A run gives its draws when all of it is done,
 * and gives them again when it is taken up behind that. */
crd_status crdi_smc_run(const crd_model *model, const crd_tempered_options *options, crd_key key,
                        const crdi_mcmc_before *before, const crdi_sink *sink, crdi_mcmc_report *report,
                        crd_evidence *evidence);
/* The same for crd_ais_run. */
crd_status crdi_ais_run(const crd_model *model, const crd_tempered_options *options, crd_key key,
                        const crdi_mcmc_before *before, const crdi_sink *sink, crdi_mcmc_report *report,
                        crd_evidence *evidence);

#endif
