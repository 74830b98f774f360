/* loo.h - importance sampling with a check on itself, and what a model would predict about data it has not seen.
 *
 * Pure functions of arrays, like diag.h: scratch memory comes from the context, `out` is written only on success, and
 * functions return
 *     CRD_OK; CRD_ENOMEM; CRD_EINVAL for a negative extent or a relative efficiency that is not above 0.
 * A question that the numbers cannot answer is no error: the answer is NaN.
 * Parallel: all functions may be called from several threads on the same arrays. */
#ifndef CREDENCE_LOO_H
#define CREDENCE_LOO_H

#include <credence/context.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Pareto smoothed importance sampling ---------------------------------------------------------------------- */

/** The generalised Pareto distribution P(X > x) = (1 + k x / sigma)^(-1/k), x >= 0. */
typedef struct crd_generalised_pareto {
    double k; /**< shape: moments of order below 1/k exist; k <= 0 has a bounded or an exponential tail */
    double sigma; /**< scale, above 0 */
} crd_generalised_pareto;

/** Fits a generalised Pareto distribution to n sorted excesses over a threshold.
 *  The profile likelihood's posterior mean on a grid of 30 + sqrt(n) points; the shape then is drawn a little towards
 *  1/2, as ten more draws with that shape would do.
 *  @param ctx  for scratch memory and messages. @param n  how many. @return CRD_OK; CRD_ENOMEM; CRD_EINVAL.
 *  @param sorted  [n], ascending, 0 or more, not all 0.
 *  @param out     k and sigma; both NaN for n < 5, for what is not finite, and where a quarter of the excesses are 0.
 *  Cost: O(n (30 + sqrt n)) logarithms.
 *  Source: Zhang & Stephens 2009, doi:10.1198/tech.2009.08017; the weak prior: Vehtari et al. 2024, appendix G. */
CRD_API CRD_MUST_CHECK crd_status crd_pareto_fit(crd_context *ctx, const double *sorted, int64_t n,
                                                 crd_generalised_pareto *out);

/** Smooths importance weights and says how far they can be trusted.
 *  The largest M = min(n / 5, 3 sqrt(n / reff)) weights are replaced by the quantiles at (i - 1/2) / M of a generalised
 *  Pareto distribution fitted to them, in their order and never above the largest raw weight; then all are normalised.
 *  Its shape is k_hat: below min(1 - 1 / log10(n), 0.7) estimates with these weights are good (crd_psis_good_k), above
 *  it they are not, and no number of draws that one can afford mends it above 1. Fewer than 5 draws in the tail cannot
 *  be judged: k_hat is infinity and nothing is smoothed. If all ratios are equal, the two distributions are the same:
 *  k_hat is -infinity (ArviZ: infinity).
 *  @param ctx  for scratch memory and messages. @param n  how many. @return CRD_OK; CRD_ENOMEM; CRD_EINVAL.
 *  @param log_ratio  [n], log of target over proposal, up to a constant; -infinity is a weight of 0.
 *  @param reff       effective over actual number of draws; 1 for independent ones.
 *  @param log_weight [n], normalised: the exponentials sum to 1. May be log_ratio. NULL: k_hat alone is wanted.
 *  @param k_hat      NaN, as all weights, for n = 0, a ratio that is NaN or infinity, or no ratio above -infinity.
 *  Cost: one sort, M (30 + sqrt M) logarithms.
 *  Source: Vehtari, Simpson, Gelman, Yao & Gabry 2024, JMLR 25(72), alg. 1. ArviZ's psislw. */
CRD_API CRD_MUST_CHECK crd_status crd_psis(crd_context *ctx, const double *log_ratio, int64_t n, double reff,
                                           double *log_weight, double *k_hat);

/** The k_hat up to which n smoothed weights can be trusted: min(1 - 1 / log10(n), 0.7).
 *  @param n  draws. */
CRD_API double crd_psis_good_k(int64_t n);

/* ---- predictive accuracy ------------------------------------------------------------------------------------- */

/** How well a model predicts rows that it has not seen: the expected log pointwise predictive density. */
typedef struct crd_elpd {
    double elpd; /**< the sum over rows; times -2 it is looic or waic */
    double se; /**< its standard error: sqrt(rows times the variance of the rows' terms), the variance over n */
    double p; /**< effective number of parameters: what the density of the same rows, seen, exceeds it by */
    int64_t bad; /**< rows that cannot be trusted: crd_loo: k_hat above crd_psis_good_k; crd_waic: variance above 0.4 */
} crd_elpd;

/** Leave-one-out cross-validation from the draws of one fit, each row left out by importance weights 1 / p(y_i | draw).
 *  @param ctx  for scratch memory and messages. @param draws  how many, of all chains. @param rows  how many.
 *  @return CRD_OK; CRD_ENOMEM; CRD_EINVAL.
 *  @param log_likelihood  (draws, rows), row-major: log p(y_i | draw), the chains' draws one after another.
 *  @param reff      effective over actual number of draws, as in crd_psis. ArviZ takes the mean over parameters of
 *                   ess_mean / draws.
 *  @param pointwise [rows], each row's elpd; NULL: not wanted.
 *  @param k_hat     [rows]; NULL: not wanted. Rows above crd_psis_good_k(draws) should be fitted without.
 *  @param out       A row with a log likelihood that is not finite (-infinity: a draw holds it for impossible) has NaN
 *                   for elpd and k_hat, is bad, and makes the sums NaN. So does having no draws.
 *  Cost: rows times that of crd_psis.
 *  Source: Vehtari, Gelman & Gabry 2017, doi:10.1007/s11222-016-9696-4. ArviZ's loo. */
CRD_API CRD_MUST_CHECK crd_status crd_loo(crd_context *ctx, const double *log_likelihood, int64_t draws, int64_t rows,
                                          double reff, double *pointwise, double *k_hat, crd_elpd *out);

/** The widely applicable information criterion: log mean p(y_i | draw) minus the variance of log p(y_i | draw), over n.
 *  Equal to crd_loo for many rows, less robust with few; crd_loo knows when it fails.
 *  @param ctx  for scratch memory and messages. @param draws  how many, of all chains. @param rows  how many.
 *  @return CRD_OK; CRD_ENOMEM; CRD_EINVAL.
 *  @param log_likelihood, pointwise, out  as in crd_loo.
 *  Source: Watanabe 2010, JMLR 11; Gelman, Hwang & Vehtari 2014, doi:10.1007/s11222-013-9416-2, eq. 12. ArviZ's waic. */
CRD_API CRD_MUST_CHECK crd_status crd_waic(crd_context *ctx, const double *log_likelihood, int64_t draws, int64_t rows,
                                           double *pointwise, crd_elpd *out);

/** A model beside the best one for the same rows. */
typedef struct crd_comparison {
    int model; /**< which of them, from 0 */
    double elpd; /**< as in crd_elpd */
    double se; /**< as in crd_elpd */
    double difference; /**< the best model's elpd minus this one's: 0 or more */
    double difference_se; /**< of that difference, from its rows; below 2 of these apart says nothing much */
    double weight; /**< of crd_stacking */
} crd_comparison;

/** Compares models by the rows' elpd: which one predicts best, and is the difference more than noise.
 *  The standard error treats rows as independent; with few rows or small differences (below 4) it is too small (Sivula
 *  et al. 2020, arXiv:2008.10296).
 *  @param ctx  for scratch memory and messages. @param models, rows  how many.
 *  @return CRD_OK; CRD_ENOMEM; CRD_EINVAL.
 *  @param pointwise  (models, rows), from crd_loo or crd_waic of the same rows. models >= 1.
 *  @param out        [models], best first; equal ones in their order.
 *  ArviZ's compare. */
CRD_API CRD_MUST_CHECK crd_status crd_elpd_compare(crd_context *ctx, const double *pointwise, int models, int64_t rows,
                                                   crd_comparison *out);

/** The weights with which to mix the models' predictions: they maximise sum_i log sum_k w_k exp(elpd_ik).
 *  Unlike weights from the differences they do not split between equal models at random, and give 0 to a model that adds
 *  nothing. Solved until no change could gain more than 1e-10 a row.
 *  @param ctx  for scratch memory and messages. @param models, rows  how many.
 *  @return CRD_OK; CRD_ENOMEM; CRD_EINVAL.
 *  @param pointwise  as in crd_elpd_compare. Rows that are impossible under all models do not count.
 *  @param out        [models], 0 or more, with sum 1; NaN where an elpd is NaN or infinity, or no row counts.
 *  Source: Yao, Vehtari, Simpson & Gelman 2018, doi:10.1214/17-BA1091, eq. 4. */
CRD_API CRD_MUST_CHECK crd_status crd_stacking(crd_context *ctx, const double *pointwise, int models, int64_t rows,
                                               double *out);

#ifdef __cplusplus
}
#endif
#endif
