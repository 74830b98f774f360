/* scores.h - how good are predictions: scores of single rows, their means over rows with standard errors, calibration.
 *
 * Pure functions of arrays, like diag.h: scratch memory comes from the context, `out` is written only on success, and
 * functions that have one return CRD_OK, CRD_ENOMEM, or CRD_EINVAL for a count that is negative. A question that the numbers
 * cannot answer is no error: the answer is NaN, and so is every score of numbers that are NaN.
 * `weight` [n] are the draws' weights, 0 or more and with sum 1; NULL: all draws weigh the same.
 * Parallel: all functions may be called from several threads on the same arrays. */
#ifndef CREDENCE_SCORES_H
#define CREDENCE_SCORES_H

#include <credence/context.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- one row: densities --------------------------------------------------------------------------------------- */

/** log sum_d w_d exp(x_d): the log predictive density of a row whose log density under draw d is x_d (the mixture over
 *  draws). -infinity for a row that all draws hold for impossible.
 *  @param x  [n], log densities. @param weight  [n], of the draws; NULL: equal. @param n  how many. */
CRD_API double crd_log_mean_exp(const double *x, const double *weight, int64_t n);

/** The log density of a normal distribution at y. With the mean and the variance of the predictions this is the
 *  moment-matched Gaussian score. A variance of 0: -infinity, or infinity at the mean itself.
 *  @param y  what happened. @param mean, variance  of the distribution. */
CRD_API double crd_normal_log_density(double y, double mean, double variance);

/** The squared distance of probabilities from what happened: sum_k (p_k - [k = y])^2, and half of that for two classes, as
 *  scikit-learn's brier_score_loss has it: for one of two classes it is (p - [it happened])^2.
 *  @param classes  how many.
 *  @param probability  [classes], sum 1. @param y  the class, from 0.
 *  Source: Brier 1950, doi:10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2. */
CRD_API double crd_brier(const double *probability, int64_t classes, int64_t y);

/* ---- one row: the continuous ranked probability score, integral of (F(x) - [x >= y])^2 dx ---------------------
 * In the units of y; for a point it is |y - point|. Smaller is better.
 * Source: Gneiting & Raftery 2007, doi:10.1198/016214506000001437, sec. 4.2. */

/** Of a normal distribution. Source: ibid., eq. 21. sd 0: the distance.
 *  @param mean, sd  of the distribution. @param y  what happened. */
CRD_API double crd_crps_normal(double mean, double sd, double y);

/** Of n draws of y, that is of their empirical distribution: sum_d w_d |x_d - y| - sum_de w_d w_e |x_d - x_e| / 2.
 *  properscoring's crps_ensemble; the estimators that call themselves fair or unbiased divide by n (n - 1) instead.
 *  @param weight  [n], of the draws; NULL: equal. @param n  how many. @param y  what happened.
 *  @param sorted  [n], ascending; weight in the same order. Cost: n. */
CRD_API double crd_crps_sorted(const double *sorted, const double *weight, int64_t n, double y);
/** The same of draws in any order.
 *  @param ctx  for scratch memory and messages. @param x  [n], draws of y.
 *  @param weight  [n], of the draws; NULL: equal. @param n  how many. @param y  what happened.
 *  @param out  returns the score. @return CRD_OK; CRD_ENOMEM; CRD_EINVAL. */
CRD_API CRD_MUST_CHECK crd_status crd_crps_ensemble(crd_context *ctx, const double *x, const double *weight, int64_t n,
                                                    double y, double *out);

/** Of a mixture of n normal distributions: what predictions by draws of a network with normal noise are.
 *  sum_d w_d A(y - m_d, s_d^2) - sum_de w_d w_e A(m_d - m_e, s_d^2 + s_e^2) / 2, A(m, v) the mean of |X|, X ~ N(m, v).
 *  The second sum is the integral of F (1 - F), which the trapezoidal rule with steps of 0.55 of the least sd has to 1e-12 of itself;
 *  where that takes more steps than there are draws, the pairs are added up.
 *  @param mean  [n], of the components. @param weight  [n], of the draws; NULL: equal. @param n  how many.
 *  @param y  what happened.
 *  @param sd  [n], 0 or more. Cost: n times the smaller of n and the number of steps, error functions.
 *  Source: Grimit, Gneiting, Berrocal & Johnson 2006, doi:10.1256/qj.05.235, eq. 5. */
CRD_API double crd_crps_normal_mixture(const double *mean, const double *sd, const double *weight, int64_t n, double y);

/** The distribution function of such a mixture, and the x where it is p. Quantiles are found to 1e-12 of the mixture's
 *  spread; 0 and 1 give infinities, NaN outside. Cost: n error functions; about ten times that.
 *  @param mean, sd  [n], of the components. @param weight  [n], of the draws; NULL: equal. @param n  how many.
 *  @param x  where. */
CRD_API double crd_normal_mixture_cdf(const double *mean, const double *sd, const double *weight, int64_t n, double x);
/** The x where the distribution function of such a mixture is p.
 *  @param mean, sd  [n], of the components. @param weight  [n], of the draws; NULL: equal. @param n  how many.
 *  @param p  from 0 to 1. */
CRD_API double crd_normal_mixture_quantile(const double *mean, const double *sd, const double *weight, int64_t n,
                                           double p);

/** The quantile of sorted draws: without weights crd_diag_quantile_sorted, with weights the least x whose draws up to it
 *  weigh p. @param weight  in the order of the draws.
 *  @param sorted  [n], ascending, borrowed. @param n  how many. @param p  from 0 to 1. */
CRD_API double crd_weighted_quantile_sorted(const double *sorted, const double *weight, int64_t n, double p);

/* ---- one row: where its uncertainty comes from ------------------------------------------------------------------ */

/** total = aleatoric + epistemic, each computed by a formula of its own. */
typedef struct crd_uncertainty {
    double total; /**< classes: entropy of the mean probabilities, in nats; numbers: variance of the predictions */
    double aleatoric; /**< classes: mean of the draws' entropies; numbers: mean of their variances (the noise) */
    double epistemic; /**< classes: mutual information of class and draw, the mean divergence of the draws'
                           probabilities from the mean ones; numbers: variance of the draws' means (over n) */
} crd_uncertainty;

/** Of classes. @param probability  (draws, classes). @param mean  [classes], returns the mean probabilities.
 *  @param weight  [draws]; NULL: equal. @param draws, classes  how many.
 *  Source: Depeweg et al. 2018 (PMLR 80), eq. 5; Houlsby et al. 2011, arXiv:1112.5745. */
CRD_API crd_uncertainty crd_uncertainty_of_classes(const double *probability, const double *weight, int64_t draws,
                                                   int64_t classes, double *mean);

/** Of numbers. @param mean, variance  [draws] of y under each draw; variance may be infinite.
 *  @param weight  [draws]; NULL: equal. @param draws  how many.
 *  @param middle  returns the mean of the means; may be NULL. */
CRD_API crd_uncertainty crd_uncertainty_of_numbers(const double *mean, const double *variance, const double *weight,
                                                   int64_t draws, double *middle);

/* ---- over rows -------------------------------------------------------------------------------------------------
 * A score over rows and its standard error: how much it would differ for other rows of the same kind, rows taken as
 * independent and the predictions as given. It comes from the influence of each row, the derivative of the score with
 * respect to the row's share in the data (the delta method; Efron 1982, sec. 6.3), scaled for small n:
 * se = sqrt(sum_i influence_i^2) / n.
 * `influence` [n] returns them; NULL: not wanted. Two predictions of the same rows are compared by the difference of theirs. */

/** A score and its standard error. */
typedef struct crd_score {
    double value; /**< the score */
    double se; /**< se is NaN for a single row */
} crd_score;

/** The mean of a score of rows; se is their sd / sqrt(n).
 *  @param x  [n], the rows' scores. @param n  how many. @param influence  [n], returns each row's; NULL: not wanted. */
CRD_API crd_score crd_score_mean(const double *x, int64_t n, double *influence);

/** sqrt(mean of squared errors); se of the mean divided by twice the root.
 *  @param squared_error  [n], of the rows. @param n  how many.
 *  @param influence  [n], returns each row's; NULL: not wanted. */
CRD_API crd_score crd_score_rmse(const double *squared_error, int64_t n, double *influence);

/** a - b for two predictions of the same n rows. se is that of the difference: rows that are hard for both cancel.
 *  @param a, b  the scores. @param influence_a, influence_b  [n], of the same rows in the same order.
 *  @param n  how many. */
CRD_API crd_score crd_score_difference(crd_score a, const double *influence_a, crd_score b, const double *influence_b,
                                       int64_t n);

/** The probability that a row of one kind scores higher than one of the other, equal ones counted half: the area under
 *  the receiver operating characteristic. NaN without rows of both kinds.
 *  @param ctx  for scratch memory and messages. @param n  rows.
 *  @param influence  [n], returns each row's; NULL: not wanted. @param out  returns the score.
 *  @return CRD_OK; CRD_ENOMEM; CRD_EINVAL.
 *  @param score  [n]. @param positive  [n], not 0 where the row is of the kind that should score high.
 *  se: DeLong, DeLong & Clarke-Pearson 1988, doi:10.2307/2531595. Cost: a sort. */
CRD_API CRD_MUST_CHECK crd_status crd_score_auroc(crd_context *ctx, const double *score, const double *positive,
                                                  int64_t n, double *influence, crd_score *out);

/* ---- calibration ------------------------------------------------------------------------------------------------ */

/** How confidences are put into bins. */
typedef enum crd_binning {
    CRD_BINS_EQUAL_WIDTH = 0, /**< edges i / bins */
    CRD_BINS_EQUAL_COUNT = 1 /**< edges are the quantiles i / bins of the confidences (scikit-learn's "quantile") */
} crd_binning;

/** One bin: confidences c with low < c <= high; the first bin has its low end too. */
typedef struct crd_reliability_bin {
    double low; /**< of its confidences */
    double high; /**< of its confidences */
    int64_t count; /**< rows in it */
    double confidence; /**< mean of the confidences; NaN in an empty bin, as the following */
    double frequency; /**< how often it was right */
    double se; /**< of confidence - frequency: sd of the rows' differences / sqrt(count); NaN for fewer than 2 */
} crd_reliability_bin;

/** The reliability table: rows binned by confidence as scikit-learn's calibration_curve does it. For classes the
 *  confidence is the probability of the likeliest class and `right` whether it was that (Guo et al. 2017).
 *  @param ctx  for scratch memory and messages. @param confidence  [n], probabilities. @param n  rows.
 *  @param binning  how edges are chosen. @param bins  how many.
 *  @param right  [n], 0 or 1. @param out  [bins].
 *  @return CRD_OK; CRD_EINVAL for bins < 1; CRD_ENOMEM. */
CRD_API CRD_MUST_CHECK crd_status crd_reliability(crd_context *ctx, const double *confidence, const double *right,
                                                  int64_t n, crd_binning binning, int bins, crd_reliability_bin *out);

/** The expected calibration error sum_b count_b / n |frequency_b - confidence_b|, and the maximum one, max_b of the same
 *  over bins that are not empty. netcal's ECE and MCE, but that a confidence on an edge is in the bin below it.
 *  se: the delta method with bins and signs as they are; too small where bins hardly differ from the diagonal.
 *  @param bins  how many. @param confidence, right  [n], as given to crd_reliability. @param n  how many.
 *  @param influence  [n], returns each row's; NULL: not wanted.
 *  @param bin  [bins] of crd_reliability for the same rows. */
CRD_API crd_score crd_score_ece(const crd_reliability_bin *bin, int bins, const double *confidence, const double *right,
                                int64_t n, double *influence);
/** The maximum calibration error: the largest gap between frequency and confidence over bins that are not empty.
 *  @param bin  [bins] of crd_reliability for the same rows. @param bins  how many.
 *  @param confidence, right  [n], as given to it. @param n  how many.
 *  @param influence  [n], returns each row's; NULL: not wanted. */
CRD_API crd_score crd_score_mce(const crd_reliability_bin *bin, int bins, const double *confidence, const double *right,
                                int64_t n, double *influence);

/** The same for numbers, whose predictions are calibrated if F(y) is uniform: the mean and the greatest of
 *  |share of rows with F(y) <= p - p| over the levels p = 1 / levels, ..., 1 - 1 / levels.
 *  @param n, levels  how many. @param influence  [n], returns each row's; NULL: not wanted.
 *  @param pit  [n], F(y). @param frequency  [levels - 1], returns the shares; may be NULL. levels: 2 to 1000, else NaN.
 *  Source: Kuleshov, Fenner & Ermon 2018, arXiv:1807.00263, sec. 3.5 with absolute in place of squared errors. */
CRD_API crd_score crd_score_pit(const double *pit, int64_t n, int levels, double *frequency, double *influence);
/** The greatest of them in place of the mean.
 *  @param pit  [n], F(y). @param n, levels  how many. @param influence  [n], returns each row's; NULL: not wanted. */
CRD_API crd_score crd_score_pit_max(const double *pit, int64_t n, int levels, double *influence);

/* ---- split conformal prediction ----------------------------------------------------------------------------------
 * From scores of rows that the fit did not see (calibration rows): how far a new row's score may go. If calibration and
 * new rows are exchangeable, a new row is covered with probability at least `coverage`, whatever the model is worth.
 * Source: Angelopoulos & Bates 2023, doi:10.1561/2200000101, sec. 1 and 3.2. */

/** The ceil((n + 1) coverage)-th smallest of n sorted scores; infinity if there are not as many. NaN for a coverage outside
 *  (0, 1).
 *  @param sorted  [n], ascending, borrowed. @param n  how many. @param coverage  asked for, in (0, 1). */
CRD_API double crd_conformal_limit(const double *sorted, int64_t n, double coverage);

/** What share of m new rows is covered, over calibration sets and rows, if scores have no ties: m times it is
 *  beta-binomial with a = ceil((n + 1) coverage) and b = n + 1 - a.
 *  @param coverage  asked for, in (0, 1).
 *  @param calibration, rows  n and m. @param mean, sd  return those of the share.
 *  Source: Vovk 2012 (PMLR 25), prop. 2a; Angelopoulos & Bates 2023, sec. 3.2. */
CRD_API void crd_conformal_law(int64_t calibration, int64_t rows, double coverage, double *mean, double *sd);

/** How unlike its prediction class k is: a set holds the classes whose score is at most the limit.
 *  adaptive 0: 1 - p_k (Sadinle, Lei & Wasserman 2019, doi:10.1080/01621459.2017.1395341); 1: the probability of all
 *  classes that are likelier than k, and of k (Romano, Sesia & Candes 2020, arXiv:2006.02544, without its random part: sets
 *  cover more than asked for).
 *  Of equally likely classes the one before counts as likelier.
 *  @param probability  [classes], sum 1. @param classes  how many. @param k  the class, from 0.
 *  @param adaptive  which score. */
CRD_API double crd_conformal_class_score(const double *probability, int64_t classes, int64_t k, int adaptive);

#ifdef __cplusplus
}
#endif
#endif
