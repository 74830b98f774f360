/* mcmc.h - Markov chain Monte Carlo: NUTS and static Hamiltonian Monte Carlo. */
#ifndef CREDENCE_MCMC_H
#define CREDENCE_MCMC_H

#include <credence/model.h>
#include <credence/posterior.h>

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What a chain is doing, for displays. */
typedef struct crd_chain_progress {
    int64_t iteration; /**< done so far, warm-up counted */
    int64_t warmup; /**< iterations of warm-up */
    int64_t total; /**< iterations of warm-up, of all */
    double step_size; /**< of the last transition */
    int64_t gradients; /**< evaluated so far */
    int64_t sampling_gradients; /**< of those, after warm-up */
    int64_t divergences; /**< after warm-up */
    double seconds; /**< since the chain started, or went on; 0 before */
    int64_t before; /**< iterations of those that it had done when it went on; 0: it began */
} crd_chain_progress;

/** What training made of a chain's start (start "ensemble"). Losses are minus log likelihoods, means over the rows held out; NaN where
 *  none are. */
typedef struct crd_trained_start {
    int64_t held_out_rows; /**< of the model's rows; 0: they could not be divided, or were not to be */
    int64_t steps; /**< of Adam, made */
    int64_t best_step; /**< of those, after how many the chain's start was there */
    double first_loss; /**< where training began */
    double loss; /**< at the chain's start: the least */
    double last_loss; /**< behind the last step */
} crd_trained_start;

/** Settings. 0 or NULL means the default, which src/infer/mcmc_options.def names with its source. */
typedef struct crd_nuts_options {
    int64_t chains; /**< 4 */
    int64_t warmup; /**< 1000; -1: none */
    int64_t draws; /**< 1000, a chain */
    int64_t thin; /**< 1: of so many iterations one is kept; draws * thin iterations follow the warm-up */
    int64_t threads; /**< as many as there are processors; the draws do not depend on it */
    const char *kernel; /**< "nuts"; or "hmc": a fixed path length; "mclmc", "mams": microcanonical, without and
                             with an acceptance step; "sgld", "sghmc": gradients of batches of rows, without one;
                             "split_hmc": hmc whose log density is split over batches */
    double target_accept; /**< 0: 0.8, of mams 0.9 */
    int64_t max_depth; /**< 10: at most 2^10 - 1 leapfrog steps a transition */
    double max_energy_change; /**< 1000: above it a transition diverges */
    const char
        *metric; /**< "diagonal"; "fisher": diagonal, sqrt(var(draws) / var(gradients)); "low_rank": that, corrected in
                             the directions it does not fit; "dense"; "unit" */
    const char *
        adaptation; /**< "auto": "overlapping" windows, from the first draw on, with metric low_rank; else "windows", which double
                                 in length */
    double step_size; /**< the first one; 0: found by doubling and halving */
    double path_length; /**< of hmc: 2 pi; the number of steps is path_length / step size */
    int64_t window; /**< of hmc: 1; states at either end of a trajectory among which, and between which, is chosen */
    double persistence; /**< of hmc: 0; the share a of the momentum that is kept, a p + sqrt(1 - a^2) n */
    double temper; /**< of hmc: 1; the factor of the momentum in the middle of a trajectory, by its end taken back */
    const char *integrator; /**< of mclmc and mams: "auto", "minimal_norm" (what auto means), "leapfrog" */
    double
        decoherence; /**< of mclmc: length after which a direction is forgotten; of mams: mean length of a trajectory; 0:
                           learned from autocorrelations */
    double energy_variance; /**< of mclmc: 5e-4, the mean square of a step's energy error for each parameter */
    const char *trajectory; /**< of mams: "random", "fixed" */
    /** Of sgld, sghmc, split_hmc, and start "ensemble": whose rows are taken in batches; NULL: the plate that is subsampled, or the only one. */
    const char *plate;
    int64_t batch; /**< of sgld, sghmc: rows of a batch; 0: as many as the model's plate takes */
    int64_t batches; /**< of split_hmc: 4, parts into which the rows are divided */
    int64_t batch_steps; /**< of sgld, sghmc: 20, steps of an iteration, each of a batch */
    double bias; /**< of sgld, sghmc: 0.1, the share by which the noise of batches and the step may inflate variances:
                      the step size is tuned to it */
    double friction; /**< of sghmc: 1, in the metric's units */
    int64_t cyclical; /**< of sgld, sghmc: cycles (Zhang et al. 2020); 0: none */
    double cycle_heat; /**< 10: the temperature at which a cycle begins */
    /** Of sgld, sghmc: a batch tells only how its gradient has changed from a mode, where that of all rows is known (Baker et
     *  al. 2019). */
    bool control_variates;
    /** "none"; "scales": sites that are scales of normal priors are also drawn from their conditional distributions, before each
     *  transition; "all": also those of observed normal sites, with nuts, hmc, mclmc and mams. */
    const char *blocks;
    double
        init_radius; /**< 2: start points are uniform in (-radius, radius), unconstrained; where the density is too steep
                             there for any step, the chain goes up first */
    const char *start; /**< "uniform"; "prior", "median", "value", "point": crd_start_kind; "map": at a most
                              probable point; "pathfinder": at draws of crd_pathfinder_run; "ensemble": where Adam leads, another point for
                              each chain, with rows held out (Sommer et al. 2024) */
    int64_t start_steps; /**< of "ensemble": 2000, most steps for each start */
    /** Of "ensemble": 0.1, the share of the rows of `plate` that is held out from the training of a start, another for each; the
     *  parameters with the least loss there are the start, and chains see all rows. -1: none. All rows are seen by training also where there
     *  is no plate, or the data do not go through crd_subsample, and `plate` is not given. */
    double start_validation;
    int64_t start_patience; /**< of "ensemble": 200, steps behind the best parameters after which training ends */
    /** Of "ensemble": writes u (dim), where training begins; NULL: uniform, as init_radius says. From several threads. */
    crd_status (*start_fn)(void *user, const crd_model *model, crd_key key, double *u);
    void *start_user; /**< passed to start_fn */
    /** Of "ensemble": called once, from the caller's thread, when all starts are trained and before any chain moves; a failure
     *  ends the run. NULL: none. */
    crd_status (*trained)(void *user, const crd_trained_start *starts, int count);
    void *trained_user; /**< passed to trained */
    const double *start_values; /**< for "value" and "point", as in crd_start; the same for all chains */
    const char *const *keep; /**< deterministic sites to keep with the draws; NULL: none */
    int keep_count; /**< of keep */
    /** Called about ten times a second from a thread of its own, and once at the end from the caller's. NULL: none. */
    void (*progress)(void *user, const crd_chain_progress *chains, int count);
    void *progress_user; /**< passed to progress */
    /** Polled before every transition, from the chains' threads; non-zero stops the run with CRD_INTERRUPTED. */
    int (*stop)(void *user);
    void *stop_user; /**< passed to stop */
} crd_nuts_options;

/** Draws from the posterior of a model.
 *
 *  NUTS as Stan has it today: multinomial sampling from trajectories that double until the generalised U-turn criterion,
 *  with the additional checks across subtrees (Hoffman & Gelman 2014; Betancourt 2017, appendix A; Stan 2.21 ff.), step
 *  size by dual averaging, metric by windowed Welford variances, shrunk as in Stan.
 *
 *  @param model  borrowed.
 *  @param options  borrowed; NULL means the defaults.
 *  @param key      chain c uses crd_key_fold_in(key, c), so that the draws of a chain do not depend on the others.
 *  @param out      returns owned: latent sites on their own scale, kept deterministic sites, and the statistics
 *                  accept_prob, diverging, energy, log_density, n_steps, step_size, tree_depth (of kernels without
 *                  trees: max_depth where it cut a trajectory, else 0).
 *  @return CRD_OK; CRD_INTERRUPTED (out then holds what all chains have); CRD_EINVAL for an option out of range, for blocks in a model without scales, or a
 *          site to keep that is named twice; CRD_ENAME for one that is no deterministic site, for a site that is named
 *          like a statistic, and for an unknown kernel or metric;
 *          CRD_ESTART if 100 start points of a chain all have a density or gradient that is not finite; CRD_ENOMEM.
 *  Cost: 2^depth gradients a transition. Parallel: one chain a thread; nothing is allocated or locked in a transition. */
CRD_API CRD_MUST_CHECK crd_status crd_nuts_run(const crd_model *model, const crd_nuts_options *options, crd_key key,
                                               crd_posterior **out);

/** Predicts: the values of a site for every draw of a posterior, by tracing the model with other data.
 *  @param model  borrowed. @param posterior  borrowed; of this model. @param key  for observed sites that are drawn.
 *  @param user   what the model function gets: the new data. @param name  a deterministic or observed site; an observed
 *                one without data is drawn anew (draw d of chain c from crd_key_fold_in(key, c * draws + d)).
 *  @param out    (chains, draws, *shape of the site), owned; written on success.
 *  @return CRD_OK; CRD_ENAME; CRD_ESHAPE; CRD_EMISSING if the posterior lacks a latent site; CRD_ENOMEM. */
CRD_API CRD_MUST_CHECK crd_status crd_predict(const crd_model *model, const crd_posterior *posterior, void *user,
                                              const char *name, crd_key key, crd_array *out);

/** The log likelihood of each observation for every draw of a posterior: what crd_loo and crd_waic take.
 *  @param model  borrowed. @param posterior  borrowed; of this model.
 *  @param user  what the model function gets. @param name  an observed site.
 *  @param out   (chains, draws, *batch shape of the site, plates included), owned; written on success. Masked, not scaled.
 *  @return CRD_OK; CRD_ENAME; CRD_ESHAPE; CRD_EMISSING if the posterior lacks a latent site; CRD_ENOMEM. */
CRD_API CRD_MUST_CHECK crd_status crd_log_likelihood(const crd_model *model, const crd_posterior *posterior, void *user,
                                                     const char *name, crd_array *out);

/** Draws from the prior: the values of a site when all that is random in the model is drawn, what was observed too. It
 *  serves models that have no density for a sampler, as those with discrete latent sites.
 *  @param ctx  borrowed. @param model  the model function. @param user  what it gets. @param key  for all draws.
 *  @param name   any site. @param draws  how many; draw d is from crd_key_fold_in(key, d).
 *  @param out    (draws, *shape of the site), owned; written on success.
 *  @return CRD_OK; what tracing says; CRD_ENAME; CRD_EUNSUPPORTED for a site that cannot be drawn (an improper prior);
 *          CRD_EINVAL for no draws; CRD_ENOMEM. */
CRD_API CRD_MUST_CHECK crd_status crd_prior_predict(crd_context *ctx, crd_model_fn model, void *user, const char *name,
                                                    int64_t draws, crd_key key, crd_array *out);

#ifdef __cplusplus
}
#endif
#endif
