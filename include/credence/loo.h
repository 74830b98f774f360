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
typedef struct crd_pareto {
    double k; /**< shape: moments of order below 1/k exist; k <= 0 has a bounded or an exponential tail */
    double sigma; /**< scale, above 0 */
} crd_pareto;

/** Fits a generalised Pareto distribution to n sorted excesses over a threshold.
 *  The profile likelihood's posterior mean on a grid of 30 + sqrt(n) points; the shape then is drawn a little towards
 *  1/2, as ten more draws with that shape would do.
 *  @param sorted  [n], ascending, 0 or more, not all 0.
 *  @param out     k and sigma; both NaN for n < 5, for what is not finite, and where a quarter of the excesses are 0.
 *  Cost: O(n (30 + sqrt n)) logarithms.
 *  Source: Zhang & Stephens 2009, doi:10.1198/tech.2009.08017; the weak prior: Vehtari et al. 2024, appendix G. */
CRD_API CRD_MUST_CHECK crd_status crd_pareto_fit(crd_context *ctx, const double *sorted, int64_t n, crd_pareto *out);

/** Smooths importance weights and says how far they can be trusted.
 *  The largest M = min(n / 5, 3 sqrt(n / reff)) weights are replaced by the quantiles at (i - 1/2) / M of a generalised
 *  Pareto distribution fitted to them, in their order and never above the largest raw weight; then all are normalised.
 *  Its shape is k_hat: below min(1 - 1 / log10(n), 0.7) estimates with these weights are good (crd_psis_good_k), above
 *  it they are not, and no number of draws that one can afford mends it above 1. Fewer than 5 draws in the tail cannot
 *  be judged: k_hat is infinity and nothing is smoothed. If all ratios are equal, the two distributions are the same:
 *  k_hat is -infinity (ArviZ: infinity).
 *  @param log_ratio  [n], log of target over proposal, up to a constant; -infinity is a weight of 0.
 *  @param reff       effective over actual number of draws; 1 for independent ones.
 *  @param log_weight [n], normalised: the exponentials sum to 1. May be log_ratio. NULL: k_hat alone is wanted.
 *  @param k_hat      NaN, as all weights, for n = 0, a ratio that is NaN or infinity, or no ratio above -infinity.
 *  Cost: one sort, M (30 + sqrt M) logarithms.
 *  Source: Vehtari, Simpson, Gelman, Yao & Gabry 2024, JMLR 25(72), alg. 1. ArviZ's psislw. */
CRD_API CRD_MUST_CHECK crd_status crd_psis(crd_context *ctx, const double *log_ratio, int64_t n, double reff,
                                           double *log_weight, double *k_hat);

/** The k_hat up to which n smoothed weights can be trusted: min(1 - 1 / log10(n), 0.7). */
CRD_API double crd_psis_good_k(int64_t n);

#ifdef __cplusplus
}
#endif
#endif
