/* score_calibration.c - reliability tables, calibration errors, and what split conformal prediction needs. */
#include "diag/diag.h"

#include <credence/scores.h>

/* ---- bins ----------------------------------------------------------------------------------------------------- */

/* The number of inner edges below a confidence, as searchsorted counts them. */
static int bin_of(const crd_reliability_bin *bin, int bins, double confidence)
{
    int low = 0, high = bins - 1;
    while (low < high) {
        int middle = (low + high) / 2;
        if (bin[middle].high < confidence)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static crd_status set_edges(crd_context *ctx, const double *confidence, int64_t n, crd_binning binning, int bins,
                            crd_reliability_bin *out)
{
    double *sorted = NULL;
    if (binning == CRD_BINS_EQUAL_COUNT && !(sorted = crdi_diag_sorted(ctx, confidence, n)))
        return CRD_ENOMEM;
    for (int b = 0; b < bins; b++) {
        double low = (double)b / bins, high = (double)(b + 1) / bins;
        out[b] = (crd_reliability_bin){.low = sorted ? crd_diag_quantile_sorted(sorted, n, low) : low,
                                       .high = sorted ? crd_diag_quantile_sorted(sorted, n, high) : high};
    }
    crdi_free(ctx, sorted);
    return CRD_OK;
}

crd_status crd_reliability(crd_context *ctx, const double *confidence, const double *right, int64_t n,
                           crd_binning binning, int bins, crd_reliability_bin *out)
{
    CRD_TRY(crdi_diag_check(ctx, 1, n));
    if (bins < 1)
        return crdi_raise(ctx, CRD_EINVAL, "%d bins: at least 1 is needed", bins);
    CRD_TRY(set_edges(ctx, confidence, n, binning, bins, out));
    for (int64_t i = 0; i < n; i++) {
        crd_reliability_bin *b = &out[bin_of(out, bins, confidence[i])];
        b->count++;
        b->confidence += confidence[i];
        b->frequency += right[i];
    }
    for (int b = 0; b < bins; b++) {
        out[b].confidence /= (double)out[b].count;
        out[b].frequency /= (double)out[b].count;
    }
    for (int64_t i = 0; i < n; i++) {
        crd_reliability_bin *b = &out[bin_of(out, bins, confidence[i])];
        double off = confidence[i] - right[i] - (b->confidence - b->frequency);
        b->se += off * off;
    }
    for (int b = 0; b < bins; b++) {
        double count = (double)out[b].count;
        out[b].se = count > 1 ? sqrt(out[b].se / (count - 1) / count) : NAN;
    }
    return CRD_OK;
}

static double gap(const crd_reliability_bin *b)
{
    return fabs(b->frequency - b->confidence);
}

/* A row's part of the gap of its bin. */
static double signed_part(const crd_reliability_bin *b, double confidence, double right)
{
    return b->frequency >= b->confidence ? right - confidence : confidence - right;
}

static bool has_nan(const crd_reliability_bin *bin, int bins)
{
    bool bad = false;
    for (int b = 0; b < bins; b++)
        bad = bad || (bin[b].count > 0 && isnan(gap(&bin[b])));
    return bad;
}

crd_score crd_score_ece(const crd_reliability_bin *bin, int bins, const double *confidence, const double *right,
                        int64_t n, double *influence)
{
    double value = n > 0 ? 0 : NAN, sum = 0, scale = n > 1 ? sqrt((double)n / (double)(n - 1)) : NAN;
    for (int b = 0; b < bins; b++)
        value += bin[b].count > 0 ? (double)bin[b].count / (double)n * gap(&bin[b]) : 0;
    for (int64_t i = 0; i < n; i++) {
        double part = signed_part(&bin[bin_of(bin, bins, confidence[i])], confidence[i], right[i]);
        double term = scale * (part - value);
        sum += term * term;
        if (influence)
            influence[i] = term;
    }
    return (crd_score){value, sqrt(sum) / (double)n};
}

crd_score crd_score_mce(const crd_reliability_bin *bin, int bins, const double *confidence, const double *right,
                        int64_t n, double *influence)
{
    int worst = -1;
    for (int b = 0; b < bins; b++)
        if (bin[b].count > 0 && (worst < 0 || gap(&bin[b]) > gap(&bin[worst])))
            worst = b;
    double value = worst < 0 || has_nan(bin, bins) ? NAN : gap(&bin[worst]), sum = 0;
    double count = worst < 0 ? 0 : (double)bin[worst].count;
    double scale = (double)n / count * (count > 1 ? sqrt(count / (count - 1)) : NAN);
    for (int64_t i = 0; i < n; i++) {
        bool in = bin_of(bin, bins, confidence[i]) == worst;
        double term = in ? scale * (signed_part(&bin[worst], confidence[i], right[i]) - value) : 0;
        sum += term * term;
        if (influence)
            influence[i] = term;
    }
    return (crd_score){value, sqrt(sum) / (double)n};
}

/* ---- numbers: the distribution function at what happened -------------------------------------------------------- */

enum { MOST_LEVELS = 1000 };

/* off[j]: share of rows up to level j + 1 minus that level. */
static bool off_levels(const double *pit, int64_t n, int levels, double *off)
{
    if (levels < 2 || levels > MOST_LEVELS || !crdi_diag_finite(pit, n))
        return false;
    for (int j = 0; j + 1 < levels; j++) {
        double level = (double)(j + 1) / levels;
        int64_t count = 0;
        for (int64_t i = 0; i < n; i++)
            count += pit[i] <= level;
        off[j] = (double)count / (double)n - level;
    }
    return true;
}

/* The mean over levels first .. end - 1 of |off|, and its influence. */
static crd_score levels_score(const double *pit, int64_t n, int levels, const double *off, int first, int end,
                              double *influence)
{
    double value = 0, sum = 0, scale = n > 1 ? sqrt((double)n / (double)(n - 1)) : NAN, count = end - first;
    for (int j = first; j < end; j++)
        value += fabs(off[j]) / count;
    for (int64_t i = 0; i < n; i++) {
        double part = 0;
        for (int j = first; j < end; j++) {
            double level = (double)(j + 1) / levels, one = (pit[i] <= level ? 1 : 0) - level;
            part += (off[j] >= 0 ? one : -one) / count;
        }
        double term = scale * (part - value);
        sum += term * term;
        if (influence)
            influence[i] = term;
    }
    return (crd_score){value, sqrt(sum) / (double)n};
}

static crd_score no_score(int64_t n, double *influence)
{
    for (int64_t i = 0; influence && i < n; i++)
        influence[i] = NAN;
    return (crd_score){NAN, NAN};
}

crd_score crd_score_pit(const double *pit, int64_t n, int levels, double *frequency, double *influence)
{
    double off[MOST_LEVELS];
    bool good = off_levels(pit, n, levels, off);
    for (int j = 0; frequency && j + 1 < levels; j++)
        frequency[j] = good ? off[j] + (double)(j + 1) / levels : NAN;
    return good ? levels_score(pit, n, levels, off, 0, levels - 1, influence) : no_score(n, influence);
}

crd_score crd_score_pit_max(const double *pit, int64_t n, int levels, double *influence)
{
    double off[MOST_LEVELS];
    int worst = 0;
    if (!off_levels(pit, n, levels, off))
        return no_score(n, influence);
    for (int j = 1; j + 1 < levels; j++)
        worst = fabs(off[j]) > fabs(off[worst]) ? j : worst;
    return levels_score(pit, n, levels, off, worst, worst + 1, influence);
}

/* ---- split conformal prediction --------------------------------------------------------------------------------- */

/* Which of the sorted scores is the limit, from 1. */
static double place_of(int64_t n, double coverage)
{
    const double rounding = 1e-9; /* 0.9 * 10 must not be above 9 */
    return fmax(ceil((double)(n + 1) * coverage - rounding), 1);
}

double crd_conformal_limit(const double *sorted, int64_t n, double coverage)
{
    if (!(coverage > 0 && coverage < 1) || n < 0)
        return NAN;
    double place = place_of(n, coverage);
    return place > (double)n ? INFINITY : sorted[(int64_t)place - 1];
}

void crd_conformal_law(int64_t calibration, int64_t rows, double coverage, double *mean, double *sd)
{
    double a = place_of(calibration, coverage), b = (double)calibration + 1 - a, sum = a + b, m = (double)rows;
    *mean = a / sum;
    *sd = sqrt(a * b * (sum + m) / (sum * sum * (sum + 1) * m));
}

double crd_conformal_class_score(const double *probability, int64_t classes, int64_t k, int adaptive)
{
    double sum = 0;
    if (!adaptive)
        return 1 - probability[k];
    for (int64_t j = 0; j < classes; j++)
        if (probability[j] > probability[k] || (probability[j] == probability[k] && j <= k))
            sum += probability[j];
    return sum;
}
