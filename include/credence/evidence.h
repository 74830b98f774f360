/* evidence.h - from the prior to the posterior over temperatures: draws, and the log evidence with its error.
 *
 * All here goes through densities p(u) p(y | u)^beta, beta from 0 (the prior) to 1 (the posterior). Prior are the densities of
 * latent sites, likelihood those of observed sites and all factors. The log evidence is log of the integral of their product:
 * what two models of the same data are compared by, provided that their priors are meant. */
#ifndef CREDENCE_EVIDENCE_H
#define CREDENCE_EVIDENCE_H

#include <credence/mcmc.h>
#include <credence/model.h>
#include <credence/posterior.h>
#include <credence/random.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Settings. 0 or NULL means the default, which src/infer/tempered_options.def names with its source. */
typedef struct crd_tempered_options {
    int64_t chains; /**< 4: independent runs; the error of the evidence comes from their spread */
    int64_t particles; /**< 250: of each run */
    int64_t pilot; /**< 200: particles of the run before them that chooses temperatures, step sizes and metrics */
    double
        cess; /**< 0.9: conditional effective share of particles from one temperature to the next, in the pilot run */
    int64_t max_moves; /**< 20: most moves of a particle of the pilot run at a temperature */
    double anneal; /**< 4: moves of a particle, each at a temperature of its own, for each one of the pilot run */
    int64_t
        temperatures; /**< of tempering: replicas, the prior's and the posterior's among them; 0: half as many as the pilot run
                               goes through */
    int64_t max_steps; /**< 256: most leapfrog steps of a move */
    double target_accept; /**< 0.8: of the moves */
    const char *
        blocks; /**< of crd_smc_run and crd_ais_run: "none"; "scales": sites that are scales of normal priors are also drawn
                             from their conditional distributions, before each move. */
    int64_t threads; /**< as many as there are processors; nothing depends on it */
    const char *const *keep; /**< deterministic sites to keep with the draws; NULL: none */
    int keep_count; /**< of keep */
    /** Called whenever a run has come to its next temperature, from the threads that run, one at a time: a count of moves of all
     *  particles. NULL: none. */
    void (*progress)(void *user, const crd_chain_progress *chains, int count);
    void *progress_user; /**< passed to progress */
    int (*stop)(void *user); /**< polled before every move; not 0: CRD_INTERRUPTED, without a result */
    void *stop_user; /**< passed to stop */
} crd_tempered_options;

/** A log evidence and how it was come to. Open for reading; crd_evidence_clear frees what it owns. */
typedef struct crd_evidence {
    crd_context *ctx; /**< it was made in */
    double log_evidence; /**< log of the mean of the runs' estimates of the evidence */
    double error; /**< its standard error; NaN where there is one run only */
    double low; /**< 95 % interval by Student's t: log_evidence - t error */
    double high; /**< log_evidence + t error */
    double effective; /**< smallest effective share of particles at any temperature of any run, 0 to 1 */
    /** Of particles, and the mean over runs: sum over temperatures of beta (mean log likelihood behind the moves at beta, less before them).
     *  Moves keep the distribution at beta, so that it is 0 but for chance where particles are of it. Where it is more, they come
     *  late to what the posterior is made of, and the estimate is mostly too small. NaN of tempering. */
    double lag;
    double lag_error; /**< standard error of lag, by the spread of the runs; NaN where there is one run only */
    int64_t runs; /**< independent estimates */
    double *run; /**< (runs) the log evidence of each */
    int64_t temperatures; /**< that were gone through, the prior not counted */
    double *beta; /**< (temperatures) the last is 1 */
    double *accept; /**< (temperatures) mean acceptance probability of moves there */
    int64_t gradient_evaluations; /**< in all */
} crd_evidence;

/** Frees what an evidence owns, and sets it to zero.
 *  @param evidence  may be zero. */
CRD_API void crd_evidence_clear(crd_evidence *evidence);

/** Tempered sequential Monte Carlo: particles drawn from the prior are weighted, resampled and moved from one temperature to the
 *  next until they are draws from the posterior.
 *
 *  A pilot run of few particles chooses temperatures (each so far from the last that the conditional effective share is
 *  `cess`), and for each of them a diagonal metric (the particles' variances), a step size (by their acceptance), and how many moves
 *  by Hamiltonian Monte Carlo it takes until they have forgotten where they were. A ladder is made of that: `anneal` times as
 *  many moves, each at a temperature of its own, evenly between those of the pilot run. With all this held, `chains` runs are made,
 *  which resample where the effective share is below a half: each one's estimate Z of the evidence is then unbiased (Del Moral,
 *  Doucet & Jasra 2006, sec. 3.2), and so is their mean.
 *      log evidence = log mean Z_r,  error = sqrt(sum_r (Z_r / mean Z - 1)^2 / (R (R - 1)))
 *  which has R - 1 degrees of freedom. Where particles come late to what the posterior is made of, Z is mostly too small and rarely
 *  far too large: its error is then too small too. A larger `anneal` that changes the evidence shows it.
 *
 *  @param model  borrowed. @param options  NULL: all defaults; borrowed during the call.
 *  @param key  the pilot run draws from crd_key_fold_in(key, 2^32 - 1), run r from crd_key_fold_in(key, r): in each, what
 *              particle i of n starts from is of sub-key i of sub-key 0, resampling at temperature k of sub-key k of sub-key 1, its
 *              moves of sub-key i of sub-key k of sub-key 2.
 *  @param out  returns owned: one chain a run, its particles as draws of equal weight: latent sites, kept deterministic ones, and
 *              the statistics log_density (unconstrained, of the posterior) and log_likelihood. Neighbours have common ancestors.
 *              NULL: not wanted.
 *  @param evidence  written on success; crd_evidence_clear frees it. NULL: not wanted.
 *  @return CRD_OK; CRD_EUNSUPPORTED for a latent site whose prior cannot be drawn from; CRD_ESTART if no draw from the prior has a
 *          finite likelihood; CRD_EINVAL for an option out of range; CRD_ENAME for a kept name that is no deterministic site, or unknown blocks;
 *          CRD_INTERRUPTED; CRD_ENOMEM.
 *  Cost: particles x leapfrog steps gradients a temperature and run; memory 2 particles x dim doubles for each run at work,
 *  and particles x dim for each.
 *  Source: Del Moral, Doucet & Jasra 2006, JRSS B 68(3); Chopin 2002, Biometrika 89(3); Zhou, Johansen & Aston 2016, JCGS 25(3),
 *  eq. (3.16): the conditional effective sample size; Buchholz, Chopin & Jacob 2021, Bayesian Analysis 16(3): tuning the moves. */
CRD_API CRD_MUST_CHECK crd_status crd_smc_run(const crd_model *model, const crd_tempered_options *options, crd_key key,
                                              crd_posterior **out, crd_evidence *evidence);

/** Annealed importance sampling: crd_smc_run without resampling, so that every particle goes its own way from the prior to the
 *  posterior and its weight is an estimate of the evidence for itself.
 *      Z = mean w_i,  error = sqrt(sum_i (w_i / Z - 1)^2 / (n (n - 1)))
 *  over the particles of all runs, `run` the means of each, `effective` (sum w)^2 / (n sum w^2). The error is that of a mean of
 *  independent numbers; it needs some dozens of effective particles to be true.
 *
 *  @param model, options  as for crd_smc_run. @param key  the same keys as there, for the same purposes.
 *  @param out  returns owned: one chain a run, its particles resampled by their weights and moved once: the same ones come
 *              more than once, with what `effective` says of how many there are. NULL: not wanted.
 *  @param evidence  written on success; crd_evidence_clear frees it. NULL: not wanted.
 *  @return as crd_smc_run.
 *  Cost: as crd_smc_run.
 *  Source: Neal 2001, "Annealed importance sampling", Statistics and Computing 11, sec. 2. */
CRD_API CRD_MUST_CHECK crd_status crd_ais_run(const crd_model *model, const crd_tempered_options *options, crd_key key,
                                              crd_posterior **out, crd_evidence *evidence);

/** Parallel tempering: each chain is a row of replicas at temperatures from the prior to the posterior, which are moved by NUTS and
 *  swap their places, so that a chain comes to modes that are far from each other. The first replica is a draw from the prior every
 *  time; even and odd neighbours swap in turn (a persistent way over the temperatures); in the first 45 % of warm-up the temperatures
 *  are put where rejections are evenly spread.
 *
 *  The log evidence is the sum over neighbours of log E_k[L^(d/2)] - log E_(k+1)[L^(-d/2)], d the difference of their betas (the
 *  geometric mean of their densities as a bridge), of each chain; the mean over chains. `error` is the larger of two: by the jackknife
 *  over 20 to 40 batches of each chain (the last may be shorter), and by the spread of the chains. `accept` are swaps between replica
 *  k and k + 1 (behind the last: 0), `beta` means over the chains, `effective` is NaN.
 *
 *  @param model  borrowed. @param options  as for crd_nuts_run, of every replica; the kernel and the start are tempering's own, and
 *              blocks is not "all": the conditional of a noise is another at each temperature. NULL: all defaults.
 *  @param tempered  temperatures (0, or 2 and more), and for the pilot run pilot, cess, max_moves, max_steps; others do not count. NULL: all defaults.
 *  @param key  the pilot run draws from crd_key_fold_in(key, 2^32 - 1), chain c from crd_key_fold_in(key, c).
 *  @param out  returns owned: the draws of the last replicas, with the statistics of crd_nuts_run.
 *  @param evidence  written on success; crd_evidence_clear frees it. NULL: not wanted.
 *  @return as crd_nuts_run; CRD_EUNSUPPORTED for a latent site whose prior cannot be drawn from.
 *  Cost: that of crd_nuts_run for each temperature, and some gradients a swap.
 *  Source: Syed, Bouchard-Cote, Deligiannidis & Doucet 2022, "Non-reversible parallel tempering", JRSS B 84(2); Meng & Wong 1996,
 *  "Simulating ratios of normalizing constants via a simple identity", Statistica Sinica 6, sec. 4. */
CRD_API CRD_MUST_CHECK crd_status crd_tempering_run(const crd_model *model, const crd_nuts_options *options,
                                                    const crd_tempered_options *tempered, crd_key key,
                                                    crd_posterior **out, crd_evidence *evidence);

#ifdef __cplusplus
}
#endif
#endif
