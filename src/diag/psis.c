/* psis.c - Pareto smoothed importance sampling (Vehtari, Simpson, Gelman, Yao & Gabry 2024, JMLR 25(72)).
 *
 * Weights are kept as logarithms with the largest at 0: what underflows then is negligible beside the largest. Which
 * draws are the tail and how it is fitted follows ArviZ 0.23 to the digit. */
#include "diag/diag.h"

#include <credence/loo.h>
#include <float.h>
#include <string.h>

enum {
    LEAST_TAIL = 5, /* draws that a fit needs */
    GRID = 30, /* points of the fit's grid, and sqrt(n) more (Zhang & Stephens 2009, sec. 3) */
    PRIOR_SCALE = 3, /* the grid's prior: its scale in first quartiles (ibid.) */
    PRIOR_WEIGHT = 10 /* draws that the prior on k, centred at 1/2, counts for (Vehtari et al. 2024, appendix G) */
};

/* ---- the generalised Pareto distribution ---------------------------------------------------------------------- */

/* mean of log(1 - b x): minus sigma's exponent, and the maximum-likelihood shape given b = -k / sigma. */
static double shape_given(const double *x, int64_t n, double b)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += log1p(-b * x[i]);
    return sum / (double)n;
}

/* The posterior mean of b over the grid, from the profile log likelihoods; points of negligible weight do not count. */
static double mean_on_grid(const double *b, const double *log_likelihood, int64_t points)
{
    double sum = 0, total = 0;
    for (int64_t i = 0; i < points; i++) {
        double inverse = 0;
        for (int64_t j = 0; j < points; j++)
            inverse += exp(log_likelihood[j] - log_likelihood[i]);
        double weight = 1 / inverse;
        if (!(weight >= 10 * DBL_EPSILON))
            continue;
        total += weight;
        sum += weight * b[i];
    }
    return sum / total;
}

/* Needs n >= LEAST_TAIL and room for 2 (GRID + sqrt n) numbers. */
static crd_generalised_pareto fit_raw(const double *x, int64_t n, int64_t points, double *work)
{
    double *grid = work, *log_likelihood = work + points;
    double quartile = x[(n + 2) / 4 - 1], m = (double)points, count = (double)n;
    for (int64_t j = 0; j < points; j++) {
        double spread = 1 - sqrt(m / ((double)j + 0.5)); /* from far below 0 to just below 0 */
        grid[j] = 1 / x[n - 1] + spread / (PRIOR_SCALE * quartile);
        double k = shape_given(x, n, grid[j]);
        log_likelihood[j] = count * (log(-grid[j] / k) - k - 1);
    }
    double b = mean_on_grid(grid, log_likelihood, points), k = shape_given(x, n, b);
    return (crd_generalised_pareto){.k = (count * k + PRIOR_WEIGHT * 0.5) / (count + PRIOR_WEIGHT), .sigma = -k / b};
}

crd_status crd_pareto_fit(crd_context *ctx, const double *sorted, int64_t n, crd_generalised_pareto *out)
{
    crd_generalised_pareto fitted = {NAN, NAN};
    CRD_TRY(crdi_diag_check(ctx, 1, n));
    if (n >= LEAST_TAIL && isfinite(sorted[n - 1]) && sorted[0] >= 0 && sorted[(n + 2) / 4 - 1] > 0) {
        int64_t points = GRID + (int64_t)sqrt((double)n);
        double *work = crdi_alloc_array(ctx, 2 * points, sizeof *work);
        if (!work)
            return CRD_ENOMEM;
        fitted = fit_raw(sorted, n, points, work);
        crdi_free(ctx, work);
        if (!isfinite(fitted.k) || !(fitted.sigma > 0))
            fitted = (crd_generalised_pareto){NAN, NAN};
    }
    *out = fitted;
    return CRD_OK;
}

/* The quantile at p in (0, 1). */
static double pareto_quantile(crd_generalised_pareto d, double p)
{
    double power = -log1p(-p);
    return d.sigma * (fabs(d.k) < DBL_EPSILON ? power : expm1(d.k * power) / d.k);
}

/* ---- smoothing ------------------------------------------------------------------------------------------------ */

/* The largest; NaN if any is NaN. */
static double largest(const double *x, int64_t n)
{
    double most = n > 0 ? x[0] : NAN;
    for (int64_t i = 1; i < n && !isnan(most); i++)
        most = x[i] > most || isnan(x[i]) ? x[i] : most;
    return most;
}

static bool all_equal(const double *x, int64_t n)
{
    for (int64_t i = 1; i < n; i++)
        if (x[i] != x[0])
            return false;
    return true;
}

/* How many of the n sorted log weights are the tail: those above the (M + 1)-th largest, whose weight is the threshold;
 * fewer than M where others tie with that one. Weights that are no normal numbers never belong to it. */
static int64_t tail_length(const double *sorted, int64_t n, double reff, double *threshold)
{
    double size = (double)n, most = ceil(fmin(size / 5, 3 * sqrt(size / reff)));
    int64_t cut = n - 1 - (int64_t)most, length = 0;
    double least = cut >= 0 ? fmax(sorted[cut], log(DBL_MIN)) : log(DBL_MIN);
    while (length < n && sorted[n - 1 - length] > least)
        length++;
    *threshold = exp(least);
    return length;
}

/* Replaces the `length` largest of the sorted log weights by the fit's quantiles and returns k_hat; `work` holds
 * `length` numbers. */
static crd_status smooth_tail(crd_context *ctx, double *tail, int64_t length, double threshold, double *work,
                              double *k_hat)
{
    crd_generalised_pareto fitted;
    for (int64_t i = 0; i < length; i++)
        work[i] = exp(tail[i]) - threshold;
    CRD_TRY(crd_pareto_fit(ctx, work, length, &fitted));
    *k_hat = isnan(fitted.k) ? INFINITY : fitted.k;
    for (int64_t i = 0; i < length && !isnan(fitted.k); i++) {
        double weight = pareto_quantile(fitted, ((double)i + 0.5) / (double)length) + threshold;
        tail[i] = fmin(log(weight), 0);
    }
    return CRD_OK;
}

static void normalise(double *x, int64_t n)
{
    double sum = 0, most = largest(x, n);
    for (int64_t i = 0; i < n; i++)
        sum += exp(x[i] - most);
    for (int64_t i = 0; i < n; i++)
        x[i] -= most + log(sum);
}

/* n log weights of which the largest is 0, and room to sort them and to fit their tail. */
struct weights {
    int64_t n;
    double *x, *sorted, *tail;
    int64_t *order;
};

static crd_status smooth(crd_context *ctx, struct weights w, double reff, double *k_hat)
{
    double threshold;
    *k_hat = INFINITY;
    CRD_TRY(crdi_diag_order(ctx, w.x, w.n, w.sorted, w.order));
    int64_t length = tail_length(w.sorted, w.n, reff, &threshold), first = w.n - length;
    if (length < LEAST_TAIL)
        return CRD_OK;
    CRD_TRY(smooth_tail(ctx, w.sorted + first, length, threshold, w.tail, k_hat));
    for (int64_t i = first; i < w.n; i++)
        w.x[w.order[i]] = w.sorted[i];
    return CRD_OK;
}

/* Ratios that are finite or -infinity, the largest of them finite. */
static crd_status psis(crd_context *ctx, const double *ratio, double most, int64_t n, double reff, double *out,
                       double *k_hat)
{
    double *x = crdi_alloc_array(ctx, 3 * n, sizeof *x), k = -INFINITY;
    int64_t *order = x ? crdi_alloc_array(ctx, n, sizeof *order) : NULL;
    crd_status status = order ? CRD_OK : CRD_ENOMEM;
    for (int64_t i = 0; i < n && status == CRD_OK; i++)
        x[i] = ratio[i] - most;
    if (status == CRD_OK && !all_equal(ratio, n))
        status = smooth(ctx, (struct weights){n, x, x + n, x + 2 * n, order}, reff, &k);
    if (status == CRD_OK && out) {
        normalise(x, n);
        memcpy(out, x, (size_t)n * sizeof *out);
    }
    if (status == CRD_OK)
        *k_hat = k;
    crdi_free(ctx, order);
    crdi_free(ctx, x);
    return status;
}

crd_status crd_psis(crd_context *ctx, const double *log_ratio, int64_t n, double reff, double *log_weight,
                    double *k_hat)
{
    CRD_TRY(crdi_diag_check(ctx, 1, n));
    if (!(reff > 0 && isfinite(reff)))
        return crdi_raise(ctx, CRD_EINVAL, "a relative efficiency of %g: it must be above 0", reff);
    double most = largest(log_ratio, n);
    if (isfinite(most))
        return psis(ctx, log_ratio, most, n, reff, log_weight, k_hat);
    for (int64_t i = 0; i < n && log_weight; i++)
        log_weight[i] = NAN;
    *k_hat = NAN;
    return CRD_OK;
}

double crd_psis_good_k(int64_t n)
{
    return fmin(1 - 1 / log10((double)n), 0.7);
}
