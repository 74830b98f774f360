/* score_rows.c - scores over rows, with the influence of each row on them: means, RMSE, AUROC, differences. */
#include "diag/diag.h"

#include <credence/scores.h>

/* The influence functions of finite data are scaled by this, so that their squares add up to the unbiased variance. */
static double unbiased(int64_t n)
{
    return n > 1 ? sqrt((double)n / (double)(n - 1)) : NAN;
}

/* A mean whose terms are slope * (x - middle). */
static crd_score score_of(double value, const double *x, double middle, double slope, int64_t n, double *influence)
{
    double sum = 0, scale = slope * unbiased(n);
    for (int64_t i = 0; i < n; i++) {
        double term = scale * (x[i] - middle);
        sum += term * term;
        if (influence)
            influence[i] = term;
    }
    return (crd_score){value, sqrt(sum) / (double)n};
}

crd_score crd_score_mean(const double *x, int64_t n, double *influence)
{
    double mean = crd_diag_mean(x, n);
    return score_of(mean, x, mean, 1, n, influence);
}

crd_score crd_score_rmse(const double *squared_error, int64_t n, double *influence)
{
    double mean = crd_diag_mean(squared_error, n), root = sqrt(mean);
    return score_of(root, squared_error, mean, root > 0 ? 0.5 / root : 0, n, influence);
}

crd_score crd_score_difference(crd_score a, const double *influence_a, crd_score b, const double *influence_b,
                               int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += (influence_a[i] - influence_b[i]) * (influence_a[i] - influence_b[i]);
    return (crd_score){a.value - b.value, sqrt(sum) / (double)n};
}

/* ---- AUROC ---------------------------------------------------------------------------------------------------- */

/* Rows of one score. */
struct tied {
    int64_t first, end; /* in the order */
    double positive, negative; /* how many of them */
};

static struct tied next_tied(const double *sorted, const int64_t *order, const double *positive, int64_t n,
                             int64_t first)
{
    struct tied t = {.first = first, .end = first};
    for (; t.end < n && sorted[t.end] == sorted[first]; t.end++)
        *(positive[order[t.end]] != 0 ? &t.positive : &t.negative) += 1;
    return t;
}

/* Each row's share: of the other kind, how many are on the right side of it (DeLong's V10 and V01). */
static double shares(const double *sorted, const int64_t *order, const double *positive, int64_t n, double positives,
                     double *share)
{
    double negatives = (double)n - positives, sum = 0, below[2] = {0};
    for (int64_t i = 0; i < n;) {
        struct tied t = next_tied(sorted, order, positive, n, i);
        for (; i < t.end; i++) {
            bool is = positive[order[i]] != 0;
            share[order[i]] =
                is ? (below[0] + 0.5 * t.negative) / negatives : (positives - below[1] - 0.5 * t.positive) / positives;
            sum += is ? share[order[i]] : 0;
        }
        below[0] += t.negative;
        below[1] += t.positive;
    }
    return sum / positives;
}

static crd_score area(const double *sorted, const int64_t *order, const double *positive, int64_t n, double *share)
{
    double positives = 0, sum = 0;
    for (int64_t i = 0; i < n; i++)
        positives += positive[i] != 0;
    double negatives = (double)n - positives, value = shares(sorted, order, positive, n, positives, share);
    for (int64_t i = 0; i < n; i++) {
        double of = positive[i] != 0 ? positives : negatives;
        share[i] = (double)n / of * unbiased((int64_t)of) * (share[i] - value);
        sum += share[i] * share[i];
    }
    return (crd_score){value, sqrt(sum) / (double)n};
}

crd_status crd_score_auroc(crd_context *ctx, const double *score, const double *positive, int64_t n, double *influence,
                           crd_score *out)
{
    CRD_TRY(crdi_diag_check(ctx, 1, n));
    double *sorted = crdi_alloc_array(ctx, 2 * n, sizeof *sorted);
    int64_t *order = crdi_alloc_array(ctx, n, sizeof *order);
    crd_status status = sorted && order ? crdi_diag_order(ctx, score, n, sorted, order) : CRD_ENOMEM;
    if (status == CRD_OK) {
        bool bad = n < 1 || isnan(sorted[n - 1]) || isnan(sorted[0]); /* they come last, negative ones first */
        *out = bad ? (crd_score){NAN, NAN} : area(sorted, order, positive, n, influence ? influence : sorted + n);
        for (int64_t i = 0; bad && influence && i < n; i++)
            influence[i] = NAN;
    }
    crdi_free(ctx, sorted);
    crdi_free(ctx, order);
    return status;
}
