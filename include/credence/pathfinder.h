/* pathfinder.h - a normal approximation along the path of an optimiser: quick draws, and starts for MCMC. */
#ifndef CREDENCE_PATHFINDER_H
#define CREDENCE_PATHFINDER_H

#include <credence/model.h>
#include <credence/posterior.h>
#include <credence/random.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Settings. 0 or NULL means the default, which src/infer/pathfinder_options.def names with its source. */
typedef struct crd_pathfinder_options {
    int64_t paths; /**< 4: optimisations from so many starts */
    int64_t draws; /**< 1000: kept in the end */
    int64_t path_draws; /**< 1000: drawn from each path's normal; `draws` are resampled among all of them */
    int64_t history; /**< 6: pairs of steps that the inverse Hessian remembers */
    int64_t elbo_draws; /**< 25: that judge each normal along a path */
    int64_t max_iterations; /**< 1000: of L-BFGS */
    const char *start; /**< "uniform", "prior", "median", "value", "point" as in MCMC */
    const double *start_values; /**< for "value" and "point", as in crd_start */
    double init_radius; /**< 2 */
    int64_t threads; /**< over paths; results do not depend on it */
    int plain; /**< 1: no importance resampling: the draws of the paths in turn */
    int (*stop)(void *user); /**< polled before every iteration; not 0: CRD_INTERRUPTED, without a result */
    void *stop_user; /**< passed to stop */
} crd_pathfinder_options;

/** What crd_pathfinder_run has found. */
typedef struct crd_pathfinder crd_pathfinder;

/** How one path went. */
typedef struct crd_pathfinder_path {
    crd_status status; /**< CRD_OK, or why it has no normal: it is left out */
    double elbo; /**< of the normal that was chosen, from elbo_draws draws; -infinity if there is none */
    int64_t iterations; /**< of L-BFGS */
    int64_t chosen; /**< the iteration whose normal was chosen */
    int64_t evaluations; /**< of density and gradient */
} crd_pathfinder_path;

/** Runs L-BFGS from several starts up to the log density, at each of its points forms the normal that its curvature
 *  estimates say, keeps the one of highest evidence lower bound a path, and resamples draws of all by Pareto smoothed
 *  importance weights.
 *
 *  @param model    borrowed as long as the result lives. @param options  NULL: all defaults; borrowed during the call.
 *  @param key      path i draws from crd_key_fold_in(key, i): its start from sub-key 0, the draws that judge iteration l
 *                  from sub-key l of sub-key 1, its draw d from sub-key d of sub-key 2. Resampling takes key 2^32 - 1.
 *  @param out      owned: crd_pathfinder_destroy.
 *  @return CRD_OK, also when some paths failed; CRD_ESTART or CRD_EDOMAIN if all did, with the first one's reason;
 *          CRD_ENAME for an unknown start; CRD_EINVAL for an option out of range; CRD_INTERRUPTED; CRD_ENOMEM.
 *  Cost: per path a gradient an evaluation of L-BFGS, elbo_draws densities an iteration, path_draws densities; memory about
 *  (6 history + 10) dim doubles.
 *  Source: Zhang, Carpenter, Gelman & Vehtari 2022, "Pathfinder: parallel quasi-Newton variational inference", JMLR
 *  23(306), algorithms 1 to 5; defaults of Stan's. */
CRD_API CRD_MUST_CHECK crd_status crd_pathfinder_run(const crd_model *model, const crd_pathfinder_options *options,
                                                     crd_key key, crd_pathfinder **out);
/** Destroys a result and nulls the pointer; NULL is accepted.
 *  @param pathfinder  the pointer to set to NULL. */
CRD_API void crd_pathfinder_destroy(crd_pathfinder **pathfinder);

/** How path i went; NULL behind the last. Borrowed.
 *  @param pathfinder  borrowed. @param i  from 0. */
CRD_API const crd_pathfinder_path *crd_pathfinder_path_of(const crd_pathfinder *pathfinder, int64_t i);
/** Pareto k of the importance weights of all paths' draws: up to crd_psis_good_k the resampled draws can be trusted.
 *  @param pathfinder  borrowed. */
CRD_API double crd_pathfinder_k_hat(const crd_pathfinder *pathfinder);
/** The i-th draw on the unconstrained scale. @param u  (dim). @param log_density, log_normal  at it; NULL: not wanted.
 *  @param pathfinder  borrowed. @param i  from 0. */
CRD_API void crd_pathfinder_point(const crd_pathfinder *pathfinder, int64_t i, double *u, double *log_density,
                                  double *log_normal);
/** All draws: latent sites and kept deterministic ones, one chain. Statistics: log_density, and log_guide, that of the normal
 *  of its path. @param keep  names of deterministic sites. @param out  owned.
 *  @param pathfinder  borrowed. @param keep_count  of keep.
 *  @return CRD_OK; CRD_ENAME for a name that is no deterministic site; CRD_ENOMEM. */
CRD_API CRD_MUST_CHECK crd_status crd_pathfinder_draw(const crd_pathfinder *pathfinder, const char *const *keep,
                                                      int keep_count, crd_posterior **out);

#ifdef __cplusplus
}
#endif
#endif
