/* diag.h - did the chains mix, and what do the draws say: r_hat, effective sample sizes, intervals, errors, densities.
 *
 * Pure functions of arrays. Draws come as (chains, draws), row-major; "pooled" means all n = chains * draws of them.
 * Functions that need scratch memory take a context, write `out` only on success and return
 *     CRD_OK; CRD_ENOMEM; CRD_EINVAL for a negative extent or a probability outside its range.
 * The others return the number. A question that the draws cannot answer is no error: the answer is NaN. It is NaN
 * everywhere when a draw is not finite or when there are none; ess_..., mcse_..., r_hat_..., n_eff, gelman_rubin
 * split_gelman_rubin and take_apart need 4 draws a chain. What constant draws give is said at each function.
 * Parallel: all functions may be called from several threads on the same draws. */
#ifndef CREDENCE_DIAG_H
#define CREDENCE_DIAG_H

#include <credence/context.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- moments ------------------------------------------------------------------------------------------------ */

/** The mean of n numbers. Of constant draws it is exactly that constant.
 *  @param x  the draws, borrowed. @param n  how many. */
CRD_API double crd_diag_mean(const double *x, int64_t n);

/** The standard deviation, sqrt(sum (x - mean)^2 / (n - 1)), as numpyro.diagnostics.summary has it.
 *  0 for constant draws; NaN for n < 2.
 *  @param x  the draws, borrowed. @param n  how many. */
CRD_API double crd_diag_sd(const double *x, int64_t n);

/* ---- order: quantiles and intervals ------------------------------------------------------------------------- */

/** Sorts n numbers into out (which may be x). Not-a-numbers come last (negative ones first), -0 becomes 0.
 *  @param ctx  for scratch memory and messages. @param x  the draws, borrowed. @param n  how many.
 *  @param out  [n], ascending. @return CRD_OK; CRD_ENOMEM; CRD_EINVAL.
 *  Cost: O(n), by radix; 32 n bytes. */
CRD_API CRD_MUST_CHECK crd_status crd_diag_sort(crd_context *ctx, const double *x, int64_t n, double *out);

/** The quantile of n sorted numbers: with h = prob (n - 1), between the elements floor(h) and floor(h) + 1 by linear
 *  interpolation. NumPy's default; type 7 of Hyndman & Fan 1996 (doi:10.1080/00031305.1996.10473566).
 *  NaN for a prob outside [0, 1].
 *  @param sorted  [n], ascending, borrowed. @param n  how many. @param prob  from 0 to 1. */
CRD_API double crd_diag_quantile_sorted(const double *sorted, int64_t n, double prob);

/** The quantiles of n numbers at `count` probabilities; see crd_diag_quantile_sorted. Sorts once.
 *  @param ctx  for scratch memory and messages. @param x  the draws, borrowed. @param n  how many.
 *  @param prob  [count], each from 0 to 1. @param count  how many probabilities.
 *  @return CRD_OK; CRD_ENOMEM; CRD_EINVAL.
 *  @param out   [count] */
CRD_API CRD_MUST_CHECK crd_status crd_diag_quantile(crd_context *ctx, const double *x, int64_t n, const double *prob,
                                                    int64_t count, double *out);

/** The median: the quantile at 1/2.
 *  @param ctx  for scratch memory and messages. @param x  the draws, borrowed. @param n  how many.
 *  @param out  returns the answer. @return CRD_OK; CRD_ENOMEM; CRD_EINVAL. */
CRD_API CRD_MUST_CHECK crd_status crd_diag_median(crd_context *ctx, const double *x, int64_t n, double *out);

/** The narrowest interval from one of n sorted numbers to the floor(prob n)-th after it; the lowest of equally narrow
 *  ones. Holds `prob` of the draws. For a density with several separate modes it is too wide, being one interval.
 *  NumPyro's hpdi and ArviZ's hdi. prob in (0, 1]; at 1 (where NumPyro fails) it is from the smallest to the largest.
 *  NaN for a prob outside that. Both ends are the constant if the draws are.
 *  @param sorted  [n], ascending, borrowed. @param n  how many. @param prob  in (0, 1].
 *  @param out   [2], low and high
 *  Source: Chen & Shao 1999, doi:10.1080/10618600.1999.10474802. */
CRD_API void crd_diag_hpdi_sorted(const double *sorted, int64_t n, double prob, double *out);

/** The same for numbers in any order: give the pooled draws. @param out [2], low and high
 *  @param ctx  for scratch memory and messages. @param x  the draws, borrowed. @param n  how many.
 *  @param prob  in (0, 1]. @return CRD_OK; CRD_ENOMEM; CRD_EINVAL. */
CRD_API CRD_MUST_CHECK crd_status crd_diag_hpdi(crd_context *ctx, const double *x, int64_t n, double prob, double *out);

/* ---- autocorrelation ---------------------------------------------------------------------------------------- */

/** The autocovariance of one chain at the lags 0 .. n-1: c_k = sum_t (x_t - mean)(x_{t+k} - mean) / n.
 *  Biased (division by n, not by n - k), as NumPyro and ArviZ have it: what Geyer's sequences ask for, and tame at
 *  long lags. Zeros for constant draws.
 *  @param ctx  for scratch memory and messages. @param x  [n], one chain, borrowed. @param n  how many.
 *  @return CRD_OK; CRD_ENOMEM; CRD_EINVAL.
 *  @param out   [n]; may not be x
 *  Cost: O(n log n) by fast Fourier transform; about 80 to 160 n bytes. */
CRD_API CRD_MUST_CHECK crd_status crd_diag_autocovariance(crd_context *ctx, const double *x, int64_t n, double *out);

/** The autocorrelation c_k / c_0; NaN at all lags for constant draws. Otherwise as crd_diag_autocovariance.
 *  @param ctx  for scratch memory and messages. @param x  [n], one chain, borrowed. @param n  how many.
 *  @param out  [n]; may not be x. @return CRD_OK; CRD_ENOMEM; CRD_EINVAL. */
CRD_API CRD_MUST_CHECK crd_status crd_diag_autocorrelation(crd_context *ctx, const double *x, int64_t n, double *out);

/* ---- as NumPyro has them ------------------------------------------------------------------------------------ */

/** The potential scale reduction of m >= 2 chains of n draws: sqrt(V / W), W the mean of the chains' variances,
 *  V = W (n - 1) / n + the variance of the chains' means. Near 1 when the chains agree.
 *  NaN for one chain and for constant draws; infinity for chains that each stand still at a different place.
 *  @param x  (chains, draws), borrowed. @param chains  how many. @param draws  how many a chain.
 *  Source: Gelman & Rubin 1992, doi:10.1214/ss/1177011136, without its factor of degrees of freedom. */
CRD_API double crd_diag_gelman_rubin(const double *x, int64_t chains, int64_t draws);

/** The same over the first and the last half of each chain (a middle draw is left out), so that a chain that drifts is
 *  seen too. One chain will do.
 *  @param x  the draws, borrowed. @param chains  how many. @param draws  how many a chain.
 *  Source: Gelman et al. 2013, Bayesian Data Analysis, sec. 11.4. */
CRD_API double crd_diag_split_gelman_rubin(const double *x, int64_t chains, int64_t draws);

/** The effective sample size m n / tau as NumPyro's effective_sample_size: the n_eff of its summaries.
 *  rho_k = 1 - (W - c_k) / V with W and V as in crd_diag_gelman_rubin (both W (n - 1) / n for one chain) and c_k the
 *  autocovariance, mean over chains; rho_0 = 1; P_j = rho_2j + rho_2j+1, from P_1 on cut at 0 and made to fall;
 *  tau = -1 + 2 sum P_j. Can exceed m n, and is not limited. NaN for constant draws.
 *  Where NumPyro and ArviZ differ, this is the older one: prefer crd_diag_ess_bulk and _tail to judge a run.
 *  @param ctx  for scratch memory and messages. @param x  the draws, borrowed. @param chains  how many.
 *  @param draws  how many a chain. @param out  returns the answer. @return CRD_OK; CRD_ENOMEM; CRD_EINVAL.
 *  Source: Geyer 1992, doi:10.1214/ss/1177011137, sec. 3.3; Gelman et al. 2013, sec. 11.5. Cost: as autocovariance. */
CRD_API CRD_MUST_CHECK crd_status crd_diag_n_eff(crd_context *ctx, const double *x, int64_t chains, int64_t draws,
                                                 double *out);

/** One row of NumPyro's print_summary. */
typedef struct crd_diag_summary {
    double mean; /**< of the pooled draws */
    double sd; /**< of the pooled draws */
    double median; /**< of the pooled draws */
    double low; /**< the low end of the narrowest interval that holds `prob` of the draws */
    double high; /**< the narrowest interval that holds `prob` of the draws */
    double n_eff; /**< crd_diag_n_eff */
    double r_hat; /**< crd_diag_split_gelman_rubin */
} crd_diag_summary;

/** Summarises the draws of one scalar. prob in (0, 1], 0.9 in NumPyro. Constant draws: n_eff and r_hat are NaN.
 *  @param ctx  for scratch memory and messages. @param x  the draws, borrowed. @param chains  how many.
 *  @param draws  how many a chain. @param prob  of the interval, in (0, 1]. @param out  returns the answer.
 *  @return CRD_OK; CRD_ENOMEM; CRD_EINVAL. */
CRD_API CRD_MUST_CHECK crd_status crd_diag_summarise(crd_context *ctx, const double *x, int64_t chains, int64_t draws,
                                                     double prob, crd_diag_summary *out);

/* ---- rank-normalised, as ArviZ 0.23 has them ------------------------------------------------------------------
 * Source of all: Vehtari, Gelman, Simpson, Carpenter & Bürkner 2021, doi:10.1214/20-BA1221.
 * "Split": first and last half of each chain are chains of their own. "Rank-normalised": each draw becomes the normal
 * quantile of (r - 3/8) / (n + 1/4), r its rank among all (ties share their mean rank). */

/** crd_diag_split_gelman_rubin, but NaN for one chain. ArviZ's rhat(method="split").
 *  @param x  the draws, borrowed. @param chains  how many. @param draws  how many a chain. */
CRD_API double crd_diag_r_hat_split(const double *x, int64_t chains, int64_t draws);

/** The larger of the split r_hat of the rank-normalised draws (which sees a shift) and of the rank-normalised distances
 *  from the median (which sees a difference in scale). Below 1.01 is good by the paper. Works without
 *  moments (Cauchy). NaN for one chain and for constant draws. ArviZ's rhat(method="rank").
 *  @param ctx  for scratch memory and messages. @param x  the draws, borrowed. @param chains  how many.
 *  @param draws  how many a chain. @param out  returns the answer. @return CRD_OK; CRD_ENOMEM; CRD_EINVAL. */
CRD_API CRD_MUST_CHECK crd_status crd_diag_r_hat_rank(crd_context *ctx, const double *x, int64_t chains, int64_t draws,
                                                      double *out);

/** The second of the two only. ArviZ's rhat(method="folded").
 *  @param ctx  for scratch memory and messages. @param x  the draws, borrowed. @param chains  how many.
 *  @param draws  how many a chain. @param out  returns the answer. @return CRD_OK; CRD_ENOMEM; CRD_EINVAL. */
CRD_API CRD_MUST_CHECK crd_status crd_diag_r_hat_folded(crd_context *ctx, const double *x, int64_t chains,
                                                        int64_t draws, double *out);

/** The effective sample size of the split chains, for estimating the mean: N / tau, N = 2 m floor(n / 2);
 *  rho_k as in crd_diag_n_eff; tau = -1 + 2 sum rho over Geyer's initial monotone sequence, its last even lag once,
 *  at least 1 / log10(N). Constant draws (all equal to within 1e-15 of the largest; ArviZ: to within 1e-15) count as N.
 *  ArviZ's ess(method="mean"). Cost: as autocovariance.
 *  @param ctx  for scratch memory and messages. @param x  the draws, borrowed. @param chains  how many.
 *  @param draws  how many a chain. @param out  returns the answer. @return CRD_OK; CRD_ENOMEM; CRD_EINVAL. */
CRD_API CRD_MUST_CHECK crd_status crd_diag_ess_mean(crd_context *ctx, const double *x, int64_t chains, int64_t draws,
                                                    double *out);

/** The same of (x - mean)^2: for estimating the standard deviation. ArviZ's ess(method="sd").
 *  @param ctx  for scratch memory and messages. @param x  the draws, borrowed. @param chains  how many.
 *  @param draws  how many a chain. @param out  returns the answer. @return CRD_OK; CRD_ENOMEM; CRD_EINVAL. */
CRD_API CRD_MUST_CHECK crd_status crd_diag_ess_sd(crd_context *ctx, const double *x, int64_t chains, int64_t draws,
                                                  double *out);

/** The same of the rank-normalised draws: how well the bulk is known. ArviZ's ess(method="bulk").
 *  @param ctx  for scratch memory and messages. @param x  the draws, borrowed. @param chains  how many.
 *  @param draws  how many a chain. @param out  returns the answer. @return CRD_OK; CRD_ENOMEM; CRD_EINVAL. */
CRD_API CRD_MUST_CHECK crd_status crd_diag_ess_bulk(crd_context *ctx, const double *x, int64_t chains, int64_t draws,
                                                    double *out);

/** The same of the indicator x <= quantile(prob). prob in [0, 1]; N where that indicator is constant.
 *  ArviZ's ess(method="quantile"). Where prob (n - 1) is whole, ArviZ's quantile may fall a rounding error below that
 *  draw and its size differ by what one draw makes; ours does not.
 *  @param ctx  for scratch memory and messages. @param x  the draws, borrowed. @param chains  how many.
 *  @param draws  how many a chain. @param prob  a probability. @param out  returns the answer.
 *  @return CRD_OK; CRD_ENOMEM; CRD_EINVAL. */
CRD_API CRD_MUST_CHECK crd_status crd_diag_ess_quantile(crd_context *ctx, const double *x, int64_t chains,
                                                        int64_t draws, double prob, double *out);

/** The smaller of the quantile sizes at 0.05 and 0.95: how well the tails are known. ArviZ's ess(method="tail").
 *  @param ctx  for scratch memory and messages. @param x  the draws, borrowed. @param chains  how many.
 *  @param draws  how many a chain. @param out  returns the answer. @return CRD_OK; CRD_ENOMEM; CRD_EINVAL. */
CRD_API CRD_MUST_CHECK crd_status crd_diag_ess_tail(crd_context *ctx, const double *x, int64_t chains, int64_t draws,
                                                    double *out);

/** The Monte Carlo standard error of the mean: sd / sqrt(ess_mean). 0 for constant draws.
 *  ArviZ's mcse(method="mean").
 *  @param ctx  for scratch memory and messages. @param x  the draws, borrowed. @param chains  how many.
 *  @param draws  how many a chain. @param out  returns the answer. @return CRD_OK; CRD_ENOMEM; CRD_EINVAL. */
CRD_API CRD_MUST_CHECK crd_status crd_diag_mcse_mean(crd_context *ctx, const double *x, int64_t chains, int64_t draws,
                                                     double *out);

/** The Monte Carlo standard error of the standard deviation, by the delta method without normality: with
 *  y = (x - mean)^2, sqrt((mean(y^2) - mean(y)^2) / (4 ess_sd mean(y))). NaN for constant draws.
 *  ArviZ's mcse(method="sd"). Source: Kenney & Keeping 1951, Mathematics of Statistics, part 2, p. 141.
 *  @param ctx  for scratch memory and messages. @param x  the draws, borrowed. @param chains  how many.
 *  @param draws  how many a chain. @param out  returns the answer. @return CRD_OK; CRD_ENOMEM; CRD_EINVAL. */
CRD_API CRD_MUST_CHECK crd_status crd_diag_mcse_sd(crd_context *ctx, const double *x, int64_t chains, int64_t draws,
                                                   double *out);

/** The Monte Carlo standard error of the quantile at prob: half the distance between the order statistics at the
 *  quantiles 0.1586553 and 0.8413447 of Beta(e prob + 1, e (1 - prob) + 1), e = ess_quantile(prob). prob in [0, 1].
 *  0 for constant draws. ArviZ's mcse(method="quantile").
 *  @param ctx  for scratch memory and messages. @param x  the draws, borrowed. @param chains  how many.
 *  @param draws  how many a chain. @param prob  a probability. @param out  returns the answer.
 *  @return CRD_OK; CRD_ENOMEM; CRD_EINVAL. */
CRD_API CRD_MUST_CHECK crd_status crd_diag_mcse_quantile(crd_context *ctx, const double *x, int64_t chains,
                                                         int64_t draws, double prob, double *out);

/* ---- of the sampler ------------------------------------------------------------------------------------------- */

/** The estimated Bayesian fraction of missing information of one chain: the mean of (E_t - E_{t-1})^2 over the
 *  variance of E (with n - 1). Below 0.3, momentum resampling hardly moves the energy. NaN for n < 2 and constant
 *  energies. ArviZ's bfmi; Source: Betancourt 2016, arXiv:1604.00695, which divides both sums by n.
 *  @param energy  [n], of one chain's draws in order, borrowed. @param n  how many. */
CRD_API double crd_diag_ebfmi(const double *energy, int64_t n);

/* ---- disagreement and drift ------------------------------------------------------------------------------------ */

/** The variance of the draws of one number, taken apart. With m chains of two halves of h draws (a middle draw is left
 *  out), x the mean of all N = 2 m h, x_c that of chain c, x_ck that of its half k, the sum of squares is exactly
 *      sum (x_ckt - x)^2  =  2 h sum_c (x_c - x)^2  +  h sum_ck (x_ck - x_c)^2  +  sum (x_ckt - x_ck)^2. */
typedef struct crd_diag_spread {
    double variance; /**< the left side over N */
    double
        between; /**< the first term's share: chains that are in different places, as in different modes; 0 for one */
    double drift; /**< the second term's share: chains that have not stayed in place */
} crd_diag_spread;

/** Takes the variance apart. Of chains that all sample the same, `between` is about (m - 1) / ess and `drift` about m / ess,
 *  ess the effective size of all draws together: much more than that is no noise. NaN for constant draws.
 *  @param x  the draws, borrowed. @param chains  how many. @param draws  how many a chain.
 *  Source: the nested analysis of variance (Searle, Casella & McCulloch 1992, Variance Components, sec. 4.2), behind
 *  the between-chain and split variances of Gelman et al. 2013, sec. 11.4. */
CRD_API crd_diag_spread crd_diag_take_apart(const double *x, int64_t chains, int64_t draws);

/* ---- densities ------------------------------------------------------------------------------------------------ */

/** How wide a kernel is: a factor times the standard deviation of the draws. */
typedef enum crd_bandwidth {
    CRD_BANDWIDTH_SCOTT = 0, /**< n^(-1/5) (Scott 1992, eq. 6.42) */
    CRD_BANDWIDTH_SILVERMAN = 1, /**< (3 n / 4)^(-1/5) (Silverman 1986, eq. 3.28, with the sd alone) */
    CRD_BANDWIDTH_FACTOR = 2 /**< the caller's number: scipy's gaussian_kde(bw_method=factor) */
} crd_bandwidth;

/** The standard deviation of the kernel. `factor` counts for CRD_BANDWIDTH_FACTOR only. 0 for constant draws.
 *  @param x  [n], borrowed. @param n  how many. @param rule  the factor's rule.
 *  @param factor  for CRD_BANDWIDTH_FACTOR. */
CRD_API double crd_diag_bandwidth(const double *x, int64_t n, crd_bandwidth rule, double factor);

/** Estimates a density from n draws with Gaussian kernels of standard deviation `width`:
 *  out_j = sum_i exp(-((grid_j - x_i) / width)^2 / 2) / (n width sqrt(2 pi)). Nothing is binned.
 *  NaN for a width that is not above 0 (constant draws).
 *  @param x  [n], borrowed. @param n  how many.
 *  @param width  standard deviation of the kernel, from crd_diag_bandwidth. @param points  of the grid.
 *  @param grid  [points], any order
 *  @param out   [points]
 *  Cost: O(n points), a few ns each. */
CRD_API void crd_diag_kde(const double *x, int64_t n, double width, const double *grid, int64_t points, double *out);

#ifdef __cplusplus
}
#endif
#endif
