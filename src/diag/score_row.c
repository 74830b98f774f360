/* score_row.c - scores and uncertainties of one row from its draws. */
#include "diag/diag.h"

#include <credence/scores.h>

static const double HALF_LOG_2PI = 0.91893853320467274178;

double crd_log_mean_exp(const double *x, const double *weight, int64_t n)
{
    double most = -INFINITY, sum = 0;
    for (int64_t d = 0; d < n; d++) {
        if (isnan(x[d]))
            return NAN;
        if ((!weight || weight[d] > 0) && x[d] > most)
            most = x[d];
    }
    if (n < 1)
        return NAN;
    if (isinf(most))
        return most;
    for (int64_t d = 0; d < n; d++)
        sum += (weight ? weight[d] : 1) * exp(x[d] - most);
    return most + log(weight ? sum : sum / (double)n);
}

double crd_normal_log_density(double y, double mean, double variance)
{
    double distance = y - mean;
    if (variance == 0)
        return distance == 0 ? INFINITY : isnan(distance) ? NAN : -INFINITY;
    return -0.5 * (distance * distance / variance + log(variance)) - HALF_LOG_2PI;
}

double crd_brier(const double *probability, int64_t classes, int64_t y)
{
    double sum = 0;
    for (int64_t k = 0; k < classes; k++) {
        double distance = probability[k] - (k == y ? 1 : 0);
        sum += distance * distance;
    }
    return classes == 2 ? 0.5 * sum : sum;
}

/* ---- where the uncertainty comes from ------------------------------------------------------------------------- */

static double entropy_term(double p)
{
    return p > 0 ? -p * log(p) : p == 0 ? 0 : NAN;
}

crd_uncertainty crd_uncertainty_of_classes(const double *probability, const double *weight, int64_t draws,
                                           int64_t classes, double *mean)
{
    crd_uncertainty out = {0};
    for (int64_t k = 0; k < classes; k++) {
        double sum = 0;
        for (int64_t d = 0; d < draws; d++)
            sum += (weight ? weight[d] : 1) * probability[d * classes + k];
        mean[k] = weight ? sum : sum / (double)draws;
        out.total += entropy_term(mean[k]);
    }
    for (int64_t d = 0; d < draws; d++) {
        double entropy = 0, divergence = 0;
        for (int64_t k = 0; k < classes; k++) {
            double p = probability[d * classes + k];
            entropy += entropy_term(p);
            divergence += p > 0 ? p * log(p / mean[k]) : p == 0 ? 0 : NAN;
        }
        out.aleatoric += (weight ? weight[d] : 1 / (double)draws) * entropy;
        out.epistemic += (weight ? weight[d] : 1 / (double)draws) * divergence;
    }
    /* draws that agree leave a rounding error, which may be below 0 */
    out.epistemic = out.epistemic < 0 ? 0 : out.epistemic;
    return out;
}

crd_uncertainty crd_uncertainty_of_numbers(const double *mean, const double *variance, const double *weight,
                                           int64_t draws, double *middle)
{
    crd_uncertainty out = {0};
    double sum = 0;
    for (int64_t d = 0; d < draws; d++) {
        double w = weight ? weight[d] : 1 / (double)draws;
        sum += w * mean[d];
        out.aleatoric += w > 0 ? w * variance[d] : 0;
    }
    for (int64_t d = 0; d < draws; d++)
        out.epistemic += (weight ? weight[d] : 1 / (double)draws) * (mean[d] - sum) * (mean[d] - sum);
    out.total = draws > 0 ? out.aleatoric + out.epistemic : NAN;
    if (middle)
        *middle = draws > 0 ? sum : NAN;
    return out;
}
