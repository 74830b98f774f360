/* moments.c - means, variances and what is made of them alone: r_hat without ranks, E-BFMI.
 *
 * Sums run in the order of the draws. The mean is corrected by the mean of the residuals: the error no longer grows
 * with n, and constant draws give exactly their constant and a variance of exactly 0, on which NaN for them rests. */
#include "diag/diag.h"

bool crdi_diag_finite(const double *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (!isfinite(x[i]))
            return false;
    return n > 0;
}

crd_status crdi_diag_check(crd_context *ctx, int64_t chains, int64_t draws)
{
    if (chains < 0 || draws < 0)
        return crdi_raise(ctx, CRD_EINVAL, "%lld chains of %lld draws: neither may be negative", (long long)chains,
                          (long long)draws);
    if (chains && draws > INT64_MAX / 64 / chains)
        return crdi_raise(ctx, CRD_EINVAL, "%lld chains of %lld draws are too many", (long long)chains,
                          (long long)draws);
    return CRD_OK;
}

/* The mean of n >= 1 finite numbers. */
static double mean_of(const double *x, int64_t n)
{
    double sum = 0, rest = 0;
    for (int64_t i = 0; i < n; i++)
        sum += x[i];
    double mean = sum / (double)n;
    for (int64_t i = 0; i < n; i++)
        rest += x[i] - mean;
    return mean + rest / (double)n;
}

void crdi_diag_moments(const double *x, int64_t n, double *mean, double *variance)
{
    double sum = 0;
    *mean = *variance = NAN;
    if (!crdi_diag_finite(x, n))
        return;
    *mean = mean_of(x, n);
    for (int64_t i = 0; i < n; i++)
        sum += (x[i] - *mean) * (x[i] - *mean);
    *variance = n < 2 ? NAN : sum / (double)(n - 1);
}

double crdi_diag_variance(const double *x, int64_t n)
{
    double mean = mean_of(x, n), sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += (x[i] - mean) * (x[i] - mean);
    return n < 2 ? NAN : sum / (double)(n - 1);
}

double crd_diag_mean(const double *x, int64_t n)
{
    return crdi_diag_finite(x, n) ? mean_of(x, n) : NAN;
}

double crd_diag_sd(const double *x, int64_t n)
{
    return crdi_diag_finite(x, n) ? sqrt(crdi_diag_variance(x, n)) : NAN;
}

/* Chain c of the draws as they are, or half c of the split ones: first and last halves in turn. */
static const double *chain_start(const double *x, int64_t draws, bool split, int64_t c)
{
    return split ? x + c / 2 * draws + (c % 2 ? draws - draws / 2 : 0) : x + c * draws;
}

void crdi_diag_within_between(const double *x, int64_t chains, int64_t draws, bool split, double *within,
                              double *between)
{
    int64_t count = split ? 2 * chains : chains, length = split ? draws / 2 : draws;
    /* Means are taken from that of the first chain: the differences of equal means are exactly 0. */
    double first = mean_of(x, length), sum = 0, shift = 0, squares = 0;
    for (int64_t c = 0; c < count; c++) {
        const double *chain = chain_start(x, draws, split, c);
        double distance = mean_of(chain, length) - first;
        sum += crdi_diag_variance(chain, length);
        shift += distance;
        squares += distance * distance;
    }
    double spread = squares - shift * shift / (double)count;
    *within = sum / (double)count;
    *between = count > 1 && spread > 0 ? spread / (double)(count - 1) : 0;
}

/* sqrt(V / W); 0 / 0 is NaN and something over 0 infinity, as said in the header. */
double crdi_diag_scale_reduction(const double *x, int64_t chains, int64_t draws, bool split)
{
    double within, between, n = (double)(split ? draws / 2 : draws);
    crdi_diag_within_between(x, chains, draws, split, &within, &between);
    if (!(within > 0))
        return between > 0 ? INFINITY : NAN;
    return sqrt((within * (n - 1) / n + between) / within);
}

double crd_diag_gelman_rubin(const double *x, int64_t chains, int64_t draws)
{
    if (chains < 2 || draws < CRDI_DIAG_MIN_DRAWS || !crdi_diag_finite(x, chains * draws))
        return NAN;
    return crdi_diag_scale_reduction(x, chains, draws, false);
}

double crd_diag_split_gelman_rubin(const double *x, int64_t chains, int64_t draws)
{
    if (chains < 1 || draws < CRDI_DIAG_MIN_DRAWS || !crdi_diag_finite(x, chains * draws))
        return NAN;
    return crdi_diag_scale_reduction(x, chains, draws, true);
}

double crd_diag_r_hat_split(const double *x, int64_t chains, int64_t draws)
{
    return chains < 2 ? NAN : crd_diag_split_gelman_rubin(x, chains, draws);
}

crd_diag_spread crd_diag_take_apart(const double *x, int64_t chains, int64_t draws)
{
    crd_diag_spread none = {NAN, NAN, NAN};
    if (chains < 1 || draws < CRDI_DIAG_MIN_DRAWS || !crdi_diag_finite(x, chains * draws))
        return none;
    int64_t half = draws / 2;
    double start = mean_of(x, half), mean = 0, within = 0, between = 0, drift = 0;
    for (int64_t c = 0; c < 2 * chains; c++) /* from the first half's mean, so that equal means give exactly 0 */
        mean += (mean_of(chain_start(x, draws, true, c), half) - start) / (double)(2 * chains);
    for (int64_t c = 0; c < chains; c++) {
        const double *first = chain_start(x, draws, true, 2 * c), *last = chain_start(x, draws, true, 2 * c + 1);
        double a = mean_of(first, half) - start, b = mean_of(last, half) - start, middle = a + (b - a) / 2 - mean;
        between += 2 * middle * middle;
        drift += (b - a) * (b - a) / 2;
        within +=
            (crdi_diag_variance(first, half) + crdi_diag_variance(last, half)) * (double)(half - 1) / (double)half;
    }
    double total = between + drift + within;
    if (!(total > 0 && isfinite(total)))
        return none;
    return (crd_diag_spread){total / (double)(2 * chains), between / total, drift / total};
}

double crd_diag_ebfmi(const double *energy, int64_t n)
{
    if (n < 2 || !crdi_diag_finite(energy, n))
        return NAN;
    double sum = 0;
    for (int64_t t = 1; t < n; t++)
        sum += (energy[t] - energy[t - 1]) * (energy[t] - energy[t - 1]);
    return sum / (double)(n - 1) / crdi_diag_variance(energy, n); /* 0 / 0 for constant energies */
}
