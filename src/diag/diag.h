/* diag.h - what the files of this room share. Nothing here checks its arguments. */
#ifndef CRDI_DIAG_H
#define CRDI_DIAG_H

#include <credence/diag.h>
#include "base/base.h"

#include <math.h>

/* Every diagnostic that splits or correlates needs this many draws a chain. */
enum { CRDI_DIAG_MIN_DRAWS = 4 };

/* ---- moments.c ---- */
bool crdi_diag_finite(const double *x, int64_t n); /* false for n < 1 too */
/* crd_diag_mean and the square of crd_diag_sd, in as few passes as they take. */
void crdi_diag_moments(const double *x, int64_t n, double *mean, double *variance);
double crdi_diag_variance(const double *x, int64_t n); /* over n - 1 */
/* W: the mean of the chains' variances; B: the variance of the chains' means (0 for one chain). With `split`, of the
 * first and the last half of each chain. */
void crdi_diag_within_between(const double *x, int64_t chains, int64_t draws, bool split, double *within,
                              double *between);
double crdi_diag_scale_reduction(const double *x, int64_t chains, int64_t draws, bool split); /* r_hat from them */
/* Raises CRD_EINVAL for a negative extent or when the number of draws overflows. */
crd_status crdi_diag_check(crd_context *ctx, int64_t chains, int64_t draws);

/* ---- autocovariance.c: the mean over chains of the biased autocovariance at the lags 0 .. draws-1; draws >= 1 ---- */
crd_status crdi_diag_mean_autocovariance(crd_context *ctx, const double *x, int64_t chains, int64_t draws, double *out);
/* The same at the lags 0 .. lags - 1, in memory for 16 (lags + 1) numbers or so, however many draws there are. */
crd_status crdi_diag_mean_autocovariance_lags(crd_context *ctx, const double *x, int64_t chains, int64_t draws,
                                              int64_t lags, double *out);
/* How many lags to begin with: all of a short chain. Effective sample sizes look at the first lags, until a pair of them is
 * negative; whoever finds none asks for more. */
int64_t crdi_diag_first_lags(int64_t draws);

/* ---- order.c: the ascending order of x: `order[i]` is where the i-th smallest stands. Either may be NULL ---- */
crd_status crdi_diag_order(crd_context *ctx, const double *x, int64_t n, double *sorted, int64_t *order);

/* Between two neighbours in order, `part` (0 to 1) of the way: how quantiles are read off. */
double crdi_diag_between(double low, double high, double part);
/* ---- select.c: quantiles as of crd_diag_quantile, whose checks it leaves to the caller ---- */
crd_status crdi_diag_quantiles(crd_context *ctx, const double *x, int64_t n, const double *prob, int64_t count,
                               double *out);

/* A sorted copy that the caller frees; NULL: CRD_ENOMEM raised. */
double *crdi_diag_sorted(crd_context *ctx, const double *x, int64_t n);
crd_status crdi_diag_check_prob(crd_context *ctx, double prob); /* CRD_EINVAL outside [0, 1] */
crd_status crdi_diag_check_mass(crd_context *ctx, double prob); /* CRD_EINVAL outside (0, 1] */

/* ---- rank.c ---- */
/* (2 chains, draws / 2): first halves and last halves in turn. */
void crdi_diag_split(const double *x, int64_t chains, int64_t draws, double *out);
/* Replaces n numbers by the normal quantiles of their ranks. */
crd_status crdi_diag_rank_normalise(crd_context *ctx, double *x, int64_t n);

/* ---- loo.c: the standard error of a sum of n independent terms, sqrt(n times their variance over n); 0 for one ---- */
#define CRDI_DIAG_WAIC_VARIANCE 0.4 /* above it WAIC is off (Vehtari, Gelman & Gabry 2017, sec. 2.2) */
double crdi_diag_error_of_sum(const double *x, int64_t n);

/* ---- normal_quantile.c, beta_quantile.c ---- */
double crdi_diag_normal_quantile(double p); /* NaN outside [0, 1] */
double crdi_diag_beta_quantile(double p, double a, double b); /* a, b >= 1; p in [0, 1] */

#endif
