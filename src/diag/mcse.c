/* mcse.c - Monte Carlo standard errors of the mean, the standard deviation and quantiles. */
#include "diag/diag.h"

crd_status crd_diag_mcse_mean(crd_context *ctx, const double *x, int64_t chains, int64_t draws, double *out)
{
    double ess;
    CRD_TRY(crd_diag_ess_mean(ctx, x, chains, draws, &ess));
    *out = crd_diag_sd(x, chains * draws) / sqrt(ess);
    return CRD_OK;
}

crd_status crd_diag_mcse_sd(crd_context *ctx, const double *x, int64_t chains, int64_t draws, double *out)
{
    double ess, second = 0, fourth = 0;
    CRD_TRY(crd_diag_ess_sd(ctx, x, chains, draws, &ess));
    double mean = crd_diag_mean(x, chains * draws);
    for (int64_t i = 0; i < chains * draws; i++) {
        double y = (x[i] - mean) * (x[i] - mean);
        second += y;
        fourth += y * y;
    }
    second /= (double)(chains * draws);
    fourth /= (double)(chains * draws);
    *out = sqrt((fourth - second * second) / (4 * ess * second)); /* 0 / 0 for constant draws */
    return CRD_OK;
}

crd_status crd_diag_mcse_quantile(crd_context *ctx, const double *x, int64_t chains, int64_t draws, double prob,
                                  double *out)
{
    /* one standard deviation to either side, to the digits that ArviZ takes */
    const double below = 0.1586553, above = 0.8413447;
    double ess;
    CRD_TRY(crd_diag_ess_quantile(ctx, x, chains, draws, prob, &ess));
    if (isnan(ess)) {
        *out = NAN;
        return CRD_OK;
    }
    int64_t n = chains * draws;
    double *sorted = crdi_diag_sorted(ctx, x, n);
    if (!sorted)
        return CRD_ENOMEM;
    double a = ess * prob + 1, b = ess * (1 - prob) + 1;
    double low = crdi_diag_beta_quantile(below, a, b) * (double)n - 1;
    double high = crdi_diag_beta_quantile(above, a, b) * (double)n - 1;
    int64_t first = (int64_t)floor(fmax(low, 0)), last = (int64_t)ceil(fmin(high, (double)(n - 1)));
    *out = (sorted[last] - sorted[first]) / 2;
    crdi_free(ctx, sorted);
    return CRD_OK;
}
