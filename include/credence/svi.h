/* svi.h - variational inference: an approximate posterior that maximises a lower bound of the log evidence. */
#ifndef CREDENCE_SVI_H
#define CREDENCE_SVI_H

#include <credence/model.h>
#include <credence/posterior.h>
#include <credence/random.h>

#ifdef __cplusplus
extern "C" {
#endif

/** How far one restart is, for displays. */
typedef struct crd_svi_progress {
    int64_t step; /**< done */
    int64_t total; /**< done, to be done */
    double loss; /**< mean of the last steps; NaN before the first */
    double divergence; /**< log q - log prior, mean of the last steps */
    double likelihood; /**< its two parts, in the same way */
    double held_out; /**< the last loss of the rows held out; NaN: there are none */
    int64_t skipped; /**< steps whose loss or gradient was not finite */
    int ended; /**< of itself: its steps are made, or more would not help */
    double seconds; /**< since it started; 0 before */
} crd_svi_progress;

/** Settings. 0 or NULL means the default, which src/infer/svi_options.def names with its source. */
typedef struct crd_svi_options {
    const char
        *guide; /**< "normal"; a family for all sites or rules PATTERN=FAMILY with ';' between, the first that fits
                            counts. Families: src/infer/svi/guides.def */
    crd_model_fn guide_fn; /**< a guide written by hand: it draws sites of the model from distributions of its crd_param
                                statements. Sites that it does not have go to `guide`, which must then be given. NULL: none */
    void *guide_user; /**< passed to guide_fn */
    const char *loss; /**< "trace"; "trace_mean_field", "renyi:ALPHA", "importance_weighted" */
    int64_t particles; /**< 1: draws that estimate the loss of a step */
    const char
        *optimizer; /**< "adam:0.01"; a chain as in 'clip_by_global_norm:10,adam,scale:-1e-2' (docs/variational.md);
                                "lbfgs" where the loss has no noise */
    int64_t steps; /**< 10000 */
    double init_scale; /**< 0.1: standard deviations at the start, unconstrained */
    const char *start; /**< "uniform", "prior", "median", "value", "point" as in MCMC; "map": the most probable point;
                            "init": what start_fn says */
    crd_status (*start_fn)(void *user, const crd_model *model, crd_key key,
                           double *u); /**< writes an unconstrained point */
    void *start_user; /**< passed to start_fn */
    const double *start_values; /**< for "value" and "point", as in crd_start */
    double init_radius; /**< 2 */
    int64_t restarts; /**< 1: fits from this many keys; the one with the smallest loss at the end is kept */
    int64_t
        members; /**< 1: an ensemble of fits from this many keys, all of which are kept: draws take turns among them.
                          Not with restarts */
    int64_t
        patience; /**< stops once the mean loss of this many steps is not below that of the ones before; with rows held
                           out once the loss there was not below its least for this many; 0: never */
    const char
        *shuffle; /**< a subsampled plate whose rows, reshuffled an epoch, are taken in order; NULL: each step draws its
                              rows afresh. The permutations stand one after the other and are cut into batches: none is
                              smaller, and the rows that an epoch has over begin the next one's first batch */
    void
        *whole; /**< the model's user data with which draws, bounds and weights are computed after the fit, where `user`
                      takes batches; NULL: user */
    void *held_out; /**< the model's user data with rows held out: their minus log likelihood is watched once an epoch
                         (every `epoch` steps) with a key that stays the same (of `particles` draws, at least 10), and the parameters with the least are those
                         of the fit; NULL: none */
    int64_t epoch; /**< 1 */
    int64_t threads; /**< for restarts; results do not depend on it */
    /** Called about ten times a second from the threads that fit (one at a time), and once at the end. NULL: none. */
    void (*progress)(void *user, const crd_svi_progress *restarts, int count);
    void *progress_user; /**< passed to progress */
    int (*stop)(void *user); /**< polled before every step; not 0: the fit ends with what it has */
    void *stop_user; /**< passed to stop */
} crd_svi_options;

/** A fitted guide. */
typedef struct crd_svi crd_svi;

/** How a fit went; borrowed from the fit. Of an ensemble the steps are those of its longest member, and losses are means
 *  over the members that made the step. */
typedef struct crd_svi_history {
    int64_t steps; /**< made by the restart that was kept */
    const double *loss; /**< (steps); NaN where a step was skipped */
    const double *divergence; /**< (steps) log q - log prior */
    const double *likelihood; /**< the loss's parts: log q - log prior, and minus the log likelihood */
    int64_t watches; /**< how often rows held out were looked at: after each `epoch` steps */
    const double *watched; /**< (watches) their loss */
    int64_t skipped; /**< of all members */
    int64_t restart; /**< which was kept, counted from 0 */
    int64_t restarts; /**< of an ensemble: its members */
    const double *final_loss; /**< (restarts) mean of the last 500 steps of each, with lbfgs the least; infinity if
                                it failed */
    const double
        *held_out; /**< (restarts) least loss of the rows held out; NaN: there are none. Restarts are chosen by it */
    const int64_t *best_step; /**< (restarts) after how many steps it was so small; 0: nothing is held out */
    int64_t members; /**< kept: 1, or those of an ensemble (all, unless it was stopped early) */
    const int64_t *member; /**< (members) their numbers among the restarts */
    const char *end; /**< why it ended: "all steps made", "the loss has stopped falling", ... */
    double seconds; /**< wall time of all steps; of an ensemble that of the whole */
} crd_svi_history;

/** Fits a guide to the posterior of a model by stochastic optimisation of a bound of the log evidence.
 *
 *  Every step draws `particles` times from the guide, on the unconstrained scale, and moves the guide's parameters along
 *  the optimiser's update of the loss's gradient: that of reparameterised draws where the site has them (Kingma & Welling
 *  2014), the score function with a baseline for discrete sites (Mnih & Gregor 2014; Kool et al. 2019). A step whose
 *  loss or gradient is not finite is skipped; 100 in a row end the fit.
 *
 *  @param ctx  borrowed: it must outlive the fit. @param out  returns owned, written only when there is a fit.
 *  @param model, user  the model function and its data; borrowed as long as the fit lives.
 *  @param options      borrowed during the call; NULL means the defaults.
 *  @param key          restart r draws from crd_key_fold_in(key, r), its start from sub-key 0 and its step t from sub-key
 *                      t of sub-key 1 of that, whatever the number of threads.
 *  @return CRD_OK; CRD_INTERRUPTED when stopped (the fit is what it was then). Before any step: CRD_ENAME for an unknown
 *          family, loss, optimiser or schedule, a pattern without a site, a site of the guide that the model has not;
 *          CRD_EMISSING for a site without a guide; CRD_EDOMAIN, CRD_ESHAPE for a guide's site that does not match;
 *          CRD_EUNSUPPORTED for a loss that is not defined for the guide; CRD_EINVAL for an option out of range;
 *          CRD_ESTART if no start with a finite density is found in 100 tries; CRD_EDOMAIN when 100 steps in a row are
 *          not finite, or when Laplace's curvature is no covariance; CRD_ENOMEM.
 *  Cost: particles gradients of the model a step; nothing is allocated in one, but for the history, whose room doubles. */
CRD_API CRD_MUST_CHECK crd_status crd_svi_fit(crd_context *ctx, crd_model_fn model, void *user,
                                              const crd_svi_options *options, crd_key key, crd_svi **out);
/** Makes `steps` more, with the optimiser where it was and the keys that follow: as if they had been asked for at once.
 *  @param svi  borrowed. @param steps  1 or more.
 *  @return as crd_svi_fit; CRD_EUNSUPPORTED for a Laplace approximation, for lbfgs, for ensembles and with rows held out. */
CRD_API CRD_MUST_CHECK crd_status crd_svi_continue(crd_svi *svi, int64_t steps);
/** Destroys a fit and nulls the pointer; NULL is accepted.
 *  @param svi  the pointer to set to NULL. */
CRD_API void crd_svi_destroy(crd_svi **svi);
/** How the fit went: losses by step, restarts, what was held out. Borrowed from the fit; continuing it changes it.
 *  @param svi  borrowed. */
CRD_API const crd_svi_history *crd_svi_history_of(const crd_svi *svi);

/** The value of a crd_param statement after the fit, on its own scale. @param values  (its size), or NULL.
 *  @param svi  borrowed. @param name  of a crd_param statement.
 *  @return its size; -1 if there is no such parameter. */
CRD_API int64_t crd_svi_param(const crd_svi *svi, const char *name, double *values);

/** Draws from the fitted guide: latent sites on their own scale and kept deterministic ones, one chain. Statistics:
 *  log_density (log p(x, y) + log |dx/du|) and log_guide (log q(u)), whose difference is the log importance weight.
 *  @param svi  borrowed. @param draws  1 or more. @param keep_count  of keep.
 *  @param keep  names of deterministic sites. @param key  draw d uses crd_key_fold_in(key, d). @param out  owned.
 *  @return CRD_OK; CRD_ENAME for a name that is no deterministic site; CRD_EINVAL for draws below 1; CRD_ENOMEM. */
CRD_API CRD_MUST_CHECK crd_status crd_svi_draw(const crd_svi *svi, int64_t draws, const char *const *keep,
                                               int keep_count, crd_key key, crd_posterior **out);

/** Predicts: the values of a site for every draw, by tracing the model with other data and its crd_param statements at
 *  their fitted values. It serves models that crd_predict cannot: with discrete sites, or with parameters.
 *  @param svi  borrowed. @param key  for observed sites that are drawn.
 *  @param draws  from crd_svi_draw. @param user  what the model function gets: the new data. @param name  any site; observed
 *                ones are drawn anew (draw d from crd_key_fold_in(key, d)).
 *  @param out    (1, draws, *shape of the site), owned; written on success. Without parameters the same numbers as
 *                crd_predict's.
 *  @return CRD_OK; CRD_ENAME; CRD_ESHAPE; CRD_EMISSING if the draws lack a latent site; CRD_ENOMEM. */
CRD_API CRD_MUST_CHECK crd_status crd_svi_predict(const crd_svi *svi, const crd_posterior *draws, void *user,
                                                  const char *name, crd_key key, crd_array *out);

/** The evidence lower bound, -loss of "trace", estimated from `draws` draws: mean and its standard error.
 *  @param svi  borrowed. @param draws  2 or more. @param key  for them.
 *  @param mean, standard_error  return the estimate.
 *  @return CRD_OK; CRD_EUNSUPPORTED for a guide that is a point; CRD_EINVAL; CRD_ENOMEM. */
CRD_API CRD_MUST_CHECK crd_status crd_svi_elbo(const crd_svi *svi, int64_t draws, crd_key key, double *mean,
                                               double *standard_error);
/** Laplace's log evidence, log p(u, y) at the maximum + dim/2 log 2 pi - log|precision|/2 (MacKay 1992).
 *  @param svi  borrowed. @param out  returns it.
 *  @return CRD_OK; CRD_EUNSUPPORTED for other guides. */
CRD_API CRD_MUST_CHECK crd_status crd_svi_log_evidence(const crd_svi *svi, double *out);

#ifdef __cplusplus
}
#endif
#endif
