/* loo.c - the expected log predictive density of unseen rows: PSIS-LOO and WAIC, as ArviZ 0.23 has them. */
#include "diag/diag.h"

#include <credence/loo.h>

/* log sum exp(x) of n >= 1 finite numbers. */
static double log_sum_exp(const double *x, int64_t n)
{
    double most = x[0], sum = 0;
    for (int64_t i = 1; i < n; i++)
        most = x[i] > most ? x[i] : most;
    for (int64_t i = 0; i < n; i++)
        sum += exp(x[i] - most);
    return most + log(sum);
}

static void take_row(const double *log_likelihood, int64_t draws, int64_t rows, int64_t row, double *out)
{
    for (int64_t s = 0; s < draws; s++)
        out[s] = log_likelihood[s * rows + row];
}

/* What one row adds. */
struct term {
    double elpd, lppd; /* log densities of the row left out, and of the row as it was seen */
    double judge; /* k_hat, or the variance of its log likelihood */
};

/* The same arrays through both methods; pointwise and judge may be NULL. */
struct wanted {
    double reff, limit; /* of judge: above it a row is bad */
    double *pointwise, *judge;
};

typedef crd_status (*term_fn)(crd_context *ctx, const double *row, int64_t draws, double reff, double *work,
                              struct term *out);

static crd_status loo_term(crd_context *ctx, const double *row, int64_t draws, double reff, double *work,
                           struct term *out)
{
    for (int64_t s = 0; s < draws; s++)
        work[s] = -row[s];
    CRD_TRY(crd_psis(ctx, work, draws, reff, work, &out->judge));
    for (int64_t s = 0; s < draws; s++)
        work[s] += row[s];
    out->elpd = log_sum_exp(work, draws);
    return CRD_OK;
}

static crd_status waic_term(crd_context *ctx, const double *row, int64_t draws, double reff, double *work,
                            struct term *out)
{
    (void)ctx;
    (void)reff;
    (void)work;
    double n = (double)draws;
    out->judge = draws > 1 ? crdi_diag_variance(row, draws) * (n - 1) / n : 0;
    out->elpd = out->lppd - out->judge;
    return CRD_OK;
}

double crdi_diag_error_of_sum(const double *x, int64_t n)
{
    return n > 1 ? sqrt(crdi_diag_variance(x, n) * (double)(n - 1)) : 0;
}

static crd_elpd total(const double *elpd, int64_t rows, double lppd, int64_t bad)
{
    double sum = 0;
    for (int64_t i = 0; i < rows; i++)
        sum += elpd[i];
    return (crd_elpd){.elpd = sum, .se = crdi_diag_error_of_sum(elpd, rows), .p = lppd - sum, .bad = bad};
}

/* `work` holds 2 draws + 2 rows numbers: a row, scratch, the rows' elpd, their judges. */
static crd_status over_rows(crd_context *ctx, term_fn method, const double *log_likelihood, int64_t draws, int64_t rows,
                            struct wanted wanted, double *work, crd_elpd *out)
{
    double *row = work, *scratch = work + draws, *elpd = scratch + draws, *judge = elpd + rows, lppd = 0;
    int64_t bad = 0;
    for (int64_t i = 0; i < rows; i++) {
        struct term term = {NAN, NAN, NAN};
        take_row(log_likelihood, draws, rows, i, row);
        if (crdi_diag_finite(row, draws)) {
            term.lppd = log_sum_exp(row, draws) - log((double)draws);
            CRD_TRY(method(ctx, row, draws, wanted.reff, scratch, &term));
        }
        elpd[i] = term.elpd;
        judge[i] = term.judge;
        lppd += term.lppd;
        bad += !(term.judge <= wanted.limit);
    }
    for (int64_t i = 0; i < rows; i++) {
        if (wanted.pointwise)
            wanted.pointwise[i] = elpd[i];
        if (wanted.judge)
            wanted.judge[i] = judge[i];
    }
    *out = total(elpd, rows, lppd, bad);
    return CRD_OK;
}

static crd_status elpd_of(crd_context *ctx, term_fn method, const double *log_likelihood, int64_t draws, int64_t rows,
                          struct wanted wanted, crd_elpd *out)
{
    CRD_TRY(crdi_diag_check(ctx, draws, rows));
    if (!(wanted.reff > 0 && isfinite(wanted.reff)))
        return crdi_raise(ctx, CRD_EINVAL, "a relative efficiency of %g: it must be above 0", wanted.reff);
    double *work = crdi_alloc_array(ctx, 2 * draws + 2 * rows, sizeof *work);
    if (!work)
        return CRD_ENOMEM;
    crd_status status = over_rows(ctx, method, log_likelihood, draws, rows, wanted, work, out);
    crdi_free(ctx, work);
    return status;
}

crd_status crd_loo(crd_context *ctx, const double *log_likelihood, int64_t draws, int64_t rows, double reff,
                   double *pointwise, double *k_hat, crd_elpd *out)
{
    struct wanted wanted = {reff, crd_psis_good_k(draws), pointwise, k_hat};
    return elpd_of(ctx, loo_term, log_likelihood, draws, rows, wanted, out);
}

crd_status crd_waic(crd_context *ctx, const double *log_likelihood, int64_t draws, int64_t rows, double *pointwise,
                    crd_elpd *out)
{
    struct wanted wanted = {1, CRDI_DIAG_WAIC_VARIANCE, pointwise, NULL};
    return elpd_of(ctx, waic_term, log_likelihood, draws, rows, wanted, out);
}
