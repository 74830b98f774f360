/* rank.c - rank-normalised split r_hat and the effective sample sizes of Vehtari et al. 2021, as ArviZ has them. */
#include "diag/diag.h"

#include <string.h>

void crdi_diag_split(const double *x, int64_t chains, int64_t draws, double *out)
{
    int64_t half = draws / 2;
    for (int64_t c = 0; c < chains; c++) {
        memcpy(out + 2 * c * half, x + c * draws, (size_t)half * sizeof *out);
        memcpy(out + (2 * c + 1) * half, x + (c + 1) * draws - half, (size_t)half * sizeof *out);
    }
}

crd_status crdi_diag_rank_normalise(crd_context *ctx, double *x, int64_t n)
{
    int64_t *order = crdi_alloc_array(ctx, n, sizeof *order);
    crd_status status = order ? crdi_diag_order(ctx, x, n, NULL, order) : CRD_ENOMEM;
    for (int64_t i = 0, next; status == CRD_OK && i < n; i = next) {
        for (next = i + 1; next < n && x[order[next]] == x[order[i]];)
            next++;
        double rank = (double)(i + 1 + next) / 2; /* the mean of i + 1 .. next */
        double z = crdi_diag_normal_quantile((rank - 0.375) / ((double)n + 0.25)); /* eq. 14, Blom's 3/8 */
        for (int64_t j = i; j < next; j++)
            x[order[j]] = z;
    }
    crdi_free(ctx, order);
    return status;
}

/* Allocates the split chains and fills them. NULL, with the status, also if the draws give no answer. */
static double *split_copy(crd_context *ctx, const double *x, int64_t chains, int64_t draws, crd_status *status)
{
    *status = crdi_diag_check(ctx, chains, draws);
    if (*status != CRD_OK || draws < CRDI_DIAG_MIN_DRAWS || !crdi_diag_finite(x, chains * draws))
        return NULL;
    double *split = crdi_alloc_array(ctx, 2 * chains * (draws / 2), sizeof *split);
    if (split)
        crdi_diag_split(x, chains, draws, split);
    else
        *status = CRD_ENOMEM;
    return split;
}

/* ---- r_hat -------------------------------------------------------------------------------------------------- */

static crd_status r_hat_bulk(crd_context *ctx, double *split, int64_t chains, int64_t draws, double *out)
{
    CRD_TRY(crdi_diag_rank_normalise(ctx, split, chains * draws));
    *out = crdi_diag_scale_reduction(split, chains, draws, false);
    return CRD_OK;
}

static crd_status r_hat_folded(crd_context *ctx, double *split, int64_t chains, int64_t draws, double *out)
{
    double median;
    CRD_TRY(crd_diag_median(ctx, split, chains * draws, &median));
    for (int64_t i = 0; i < chains * draws; i++)
        split[i] = fabs(split[i] - median);
    return r_hat_bulk(ctx, split, chains, draws, out);
}

crd_status crd_diag_r_hat_folded(crd_context *ctx, const double *x, int64_t chains, int64_t draws, double *out)
{
    crd_status status;
    double *split = split_copy(ctx, x, chains, draws, &status), folded = NAN;
    if (split && chains > 1)
        status = r_hat_folded(ctx, split, 2 * chains, draws / 2, &folded);
    crdi_free(ctx, split);
    if (status == CRD_OK)
        *out = folded;
    return status;
}

crd_status crd_diag_r_hat_rank(crd_context *ctx, const double *x, int64_t chains, int64_t draws, double *out)
{
    crd_status status;
    double *split = split_copy(ctx, x, chains, draws, &status), bulk = NAN, folded = NAN;
    if (split && chains > 1)
        status = r_hat_bulk(ctx, split, 2 * chains, draws / 2, &bulk);
    crdi_free(ctx, split);
    CRD_TRY(status);
    CRD_TRY(crd_diag_r_hat_folded(ctx, x, chains, draws, &folded));
    *out = folded > bulk ? folded : bulk; /* distances from the median may be constant where the draws are not */
    return CRD_OK;
}

/* ---- effective sample sizes --------------------------------------------------------------------------------- */

static bool constant(const double *x, int64_t n)
{
    double low = x[0], high = x[0];
    for (int64_t i = 1; i < n; i++) {
        low = x[i] < low ? x[i] : low;
        high = x[i] > high ? x[i] : high;
    }
    return high - low <= 1e-15 * fmax(fabs(low), fabs(high));
}

/* tau from the autocorrelation, which replaces the autocovariance in `rho` lag by lag: Geyer's initial positive, then
 * initial monotone sequence. The last even lag before the sequence ends counts once (the improvement for
 * antithetic chains that Stan and ArviZ make). NaN: it takes more lags than there are. */
static double autocorrelation_time(double *rho, int64_t lags, int64_t draws, double within, double total)
{
    double even = 1, odd = 1 - (within - rho[1]) / total, sum = 0;
    int64_t t = 1;
    rho[0] = even;
    rho[1] = odd;
    for (; t < lags - 3 && even + odd > 0; t += 2) {
        even = 1 - (within - rho[t + 1]) / total;
        odd = 1 - (within - rho[t + 2]) / total;
        rho[t + 1] = even + odd >= 0 ? even : 0;
        rho[t + 2] = even + odd >= 0 ? odd : 0;
    }
    if (even + odd > 0 && lags < draws)
        return NAN;
    int64_t last = t - 1;
    if (even > 0)
        rho[last] = even;
    for (t = 1; t + 2 < last; t += 2)
        if (rho[t + 1] + rho[t + 2] > rho[t - 1] + rho[t])
            rho[t + 1] = rho[t + 2] = (rho[t - 1] + rho[t]) / 2;
    for (t = 0; t < last; t++)
        sum += rho[t];
    return -1 + 2 * sum + rho[last];
}

/* The effective sample size of chains that are split already. */
static crd_status ess_of(crd_context *ctx, const double *x, int64_t chains, int64_t draws, double *out)
{
    double within, between, size = (double)(chains * draws), n = (double)draws;
    if (constant(x, chains * draws)) {
        *out = size;
        return CRD_OK;
    }
    crdi_diag_within_between(x, chains, draws, false, &within, &between);
    for (int64_t lags = crdi_diag_first_lags(draws);; lags = 4 * lags < draws ? 4 * lags : draws) {
        double tau = NAN, *covariance = crdi_alloc_array(ctx, lags, sizeof *covariance);
        if (!covariance)
            return CRD_ENOMEM;
        crd_status status = crdi_diag_mean_autocovariance_lags(ctx, x, chains, draws, lags, covariance);
        if (status == CRD_OK)
            tau = autocorrelation_time(covariance, lags, draws, within, within * (n - 1) / n + between);
        crdi_free(ctx, covariance);
        if (status < 0)
            return status;
        *out = size / fmax(tau, 1 / log10(size));
        if (lags == draws || !isnan(tau))
            return CRD_OK;
    }
}

/* Ends what begins with split_copy: the effective sample size of `split`, which is freed; NaN where there is none. */
static crd_status ess_and_free(crd_context *ctx, double *split, int64_t chains, int64_t draws, crd_status status,
                               double *out)
{
    double ess = NAN;
    if (split && status == CRD_OK)
        status = ess_of(ctx, split, 2 * chains, draws / 2, &ess);
    crdi_free(ctx, split);
    if (status == CRD_OK)
        *out = ess;
    return status;
}

crd_status crd_diag_ess_mean(crd_context *ctx, const double *x, int64_t chains, int64_t draws, double *out)
{
    crd_status status;
    double *split = split_copy(ctx, x, chains, draws, &status);
    return ess_and_free(ctx, split, chains, draws, status, out);
}

crd_status crd_diag_ess_sd(crd_context *ctx, const double *x, int64_t chains, int64_t draws, double *out)
{
    crd_status status;
    double *split = split_copy(ctx, x, chains, draws, &status);
    double mean = split ? crd_diag_mean(x, chains * draws) : 0;
    for (int64_t i = 0; split && i < 2 * chains * (draws / 2); i++)
        split[i] = (split[i] - mean) * (split[i] - mean);
    return ess_and_free(ctx, split, chains, draws, status, out);
}

crd_status crd_diag_ess_bulk(crd_context *ctx, const double *x, int64_t chains, int64_t draws, double *out)
{
    crd_status status;
    double *split = split_copy(ctx, x, chains, draws, &status);
    if (split)
        status = crdi_diag_rank_normalise(ctx, split, 2 * chains * (draws / 2));
    return ess_and_free(ctx, split, chains, draws, status, out);
}

static crd_status ess_below(crd_context *ctx, const double *x, int64_t chains, int64_t draws, double bound, double *out)
{
    crd_status status;
    double *split = split_copy(ctx, x, chains, draws, &status);
    for (int64_t i = 0; split && i < 2 * chains * (draws / 2); i++)
        split[i] = split[i] <= bound;
    return ess_and_free(ctx, split, chains, draws, status, out);
}

crd_status crd_diag_ess_quantile(crd_context *ctx, const double *x, int64_t chains, int64_t draws, double prob,
                                 double *out)
{
    double bound;
    CRD_TRY(crdi_diag_check(ctx, chains, draws));
    CRD_TRY(crd_diag_quantile(ctx, x, chains * draws, &prob, 1, &bound));
    return ess_below(ctx, x, chains, draws, bound, out);
}

crd_status crd_diag_ess_tail(crd_context *ctx, const double *x, int64_t chains, int64_t draws, double *out)
{
    const double prob[2] = {0.05, 0.95};
    double bound[2], low, high;
    CRD_TRY(crdi_diag_check(ctx, chains, draws));
    CRD_TRY(crd_diag_quantile(ctx, x, chains * draws, prob, 2, bound));
    CRD_TRY(ess_below(ctx, x, chains, draws, bound[0], &low));
    CRD_TRY(ess_below(ctx, x, chains, draws, bound[1], &high));
    *out = low < high ? low : high;
    return CRD_OK;
}
