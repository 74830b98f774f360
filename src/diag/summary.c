/* summary.c - one row of a summary table. */
#include "diag/diag.h"

crd_status crd_diag_summarise(crd_context *ctx, const double *x, int64_t chains, int64_t draws, double prob,
                              crd_diag_summary *out)
{
    double n_eff, interval[2];
    CRD_TRY(crdi_diag_check_mass(ctx, prob));
    CRD_TRY(crd_diag_n_eff(ctx, x, chains, draws, &n_eff));
    int64_t n = chains * draws;
    double *sorted = crdi_diag_sorted(ctx, x, n);
    if (!sorted)
        return CRD_ENOMEM;
    crd_diag_hpdi_sorted(sorted, n, prob, interval);
    *out = (crd_diag_summary){.mean = crd_diag_mean(x, n),
                              .sd = crd_diag_sd(x, n),
                              .median = crd_diag_quantile_sorted(sorted, n, 0.5),
                              .low = interval[0],
                              .high = interval[1],
                              .n_eff = n_eff,
                              .r_hat = crd_diag_split_gelman_rubin(x, chains, draws)};
    crdi_free(ctx, sorted);
    return CRD_OK;
}
