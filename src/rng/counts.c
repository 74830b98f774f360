/* counts.c - exact draws of counts: Poisson, binomial, multinomial.
 *
 * Means below SMALL by inversion: one uniform u, and the first k whose cumulated probability exceeds it. Larger ones by
 * transformed rejection with squeeze: PTRS (Hormann 1993, "The transformed rejection method for generating Poisson random
 * variables", doi:10.1016/0167-6687(93)90997-4) and BTRS (Hormann 1993, "The generation of binomial random variates",
 * doi:10.1080/00949659308811496). Both compare with the log probability, which is written by deviances as in Loader
 * 2000, "Fast and accurate computation of binomial probabilities": the textbook formula with log factorials loses all
 * its digits for means above 1e14.
 *
 * Each element of an array has a stream of its own, under the sub-key of its number: what one element needs does not move
 * the others. */
#include "rng/counts.h"

#include "kernel/vmath.h"

#include <math.h>

static const double SMALL = 10, HALF_LOG_2PI = 0.91893853320467274178;

/* log k! - ((k + 1/2) log k - k + log(2 pi) / 2), for k >= 1: Stirling's series, good to 1e-16 from 16 on. */
static double stirling_error(double k)
{
    if (k < 16)
        return vm_lgamma(k + 1) - ((k + 0.5) * vm_log(k) - k + HALF_LOG_2PI);
    double z = 1 / (k * k);
    return (1.0 / 12 - z * (1.0 / 360 - z * (1.0 / 1260 - z * (1.0 / 1680 - z / 1188)))) / k;
}

/* k log(k / mean) + mean - k >= 0, without the cancellation near the mean. */
static double deviance(double k, double mean)
{
    double t = (k - mean) / mean;
    return mean * ((1 + t) * vm_log1p(t) - t);
}

static double log_poisson(double k, double rate)
{
    if (k == 0)
        return -rate;
    return -deviance(k, rate) - stirling_error(k) - 0.5 * vm_log(k) - HALF_LOG_2PI;
}

static double log_binomial(double k, double n, double p)
{
    double q = 1 - p;
    if (k == 0)
        return n * vm_log1p(-p);
    if (k == n)
        return n * vm_log(p);
    double error = stirling_error(n) - stirling_error(k) - stirling_error(n - k);
    return error - deviance(k, n * p) - deviance(n - k, n * q) + 0.5 * vm_log(n / k / (n - k)) - HALF_LOG_2PI;
}

static double poisson_by_inversion(crdi_stream *s, double rate)
{
    for (;;) {
        double u = crdi_stream_uniform(s), p = vm_exp(-rate);
        for (double k = 0; k < 100; k++) { /* P(k >= 100) < 1e-60: only rounding of the sum gets there */
            if (u < p)
                return k;
            u -= p;
            p *= rate / (k + 1);
        }
    }
}

/* PTRS, for a mean of 10 and more; the constants are Hormann's. */
static double poisson_by_rejection(crdi_stream *s, double rate)
{
    double b = 0.931 + 2.53 * sqrt(rate), a = -0.059 + 0.02483 * b;
    double inverse_alpha = 1.1239 + 1.1328 / (b - 3.4), quick = 0.9277 - 3.6224 / (b - 2);
    for (;;) {
        double u = crdi_stream_uniform(s) - 0.5, v = crdi_stream_uniform(s), edge = 0.5 - fabs(u);
        double k = floor((2 * a / edge + b) * u + rate + 0.43);
        if (edge >= 0.07 && v <= quick)
            return k;
        if (!(edge > 0) || k < 0 || (edge < 0.013 && v > edge))
            continue;
        if (vm_log(v * inverse_alpha / (a / (edge * edge) + b)) <= log_poisson(k, rate))
            return k;
    }
}

double crdi_poisson_raw(crdi_stream *s, double rate)
{
    if (!(rate >= 0))
        return NAN;
    if (rate == INFINITY)
        return INFINITY;
    return rate < SMALL ? poisson_by_inversion(s, rate) : poisson_by_rejection(s, rate);
}

/* For n p below 10 and p up to 1/2. */
static double binomial_by_inversion(crdi_stream *s, double n, double p)
{
    double none = vm_exp(n * vm_log1p(-p)), odds = p / (1 - p);
    for (;;) {
        double u = crdi_stream_uniform(s), mass = none;
        for (double k = 0; k <= n && k < 150; k++) { /* P(k >= 150) < 1e-100, as above */
            if (u < mass)
                return k;
            u -= mass;
            mass *= odds * (n - k) / (k + 1);
        }
    }
}

/* BTRS, for n p of 10 and more and p up to 1/2; the constants are Hormann's. */
static double binomial_by_rejection(crdi_stream *s, double n, double p)
{
    double spread = sqrt(n * p * (1 - p)), b = 1.15 + 2.53 * spread, a = -0.0873 + 0.0248 * b + 0.01 * p;
    double quick = 0.92 - 4.2 / b, alpha = (2.83 + 5.1 / b) * spread;
    double log_top = log_binomial(floor((n + 1) * p), n, p);
    for (;;) {
        double u = crdi_stream_uniform(s) - 0.5, v = crdi_stream_uniform(s), edge = 0.5 - fabs(u);
        double k = floor((2 * a / edge + b) * u + n * p + 0.5);
        if (!(edge > 0) || k < 0 || k > n)
            continue;
        if (edge >= 0.07 && v <= quick)
            return k;
        if (vm_log(v * alpha / (a / (edge * edge) + b)) <= log_binomial(k, n, p) - log_top)
            return k;
    }
}

double crdi_binomial_raw(crdi_stream *s, double total, double probs)
{
    if (!(total >= 0) || floor(total) != total || total == INFINITY || !(probs >= 0) || probs > 1)
        return NAN;
    double p = probs > 0.5 ? 1 - probs : probs;
    double k = total * p < SMALL ? binomial_by_inversion(s, total, p) : binomial_by_rejection(s, total, p);
    return probs > 0.5 ? total - k : k;
}

static void stream_of(crdi_stream *s, crd_key key, int64_t i)
{
    crdi_stream_init(s, crd_key_fold_in(key, (uint32_t)i));
}

void crd_random_poisson(crd_key key, const double *rate, int64_t n, double *out)
{
    crdi_stream s;
    for (int64_t i = 0; i < n; i++) {
        stream_of(&s, key, i);
        out[i] = crdi_poisson_raw(&s, rate[i]);
    }
}

void crd_random_binomial(crd_key key, const double *total, const double *probs, int64_t n, double *out)
{
    crdi_stream s;
    for (int64_t i = 0; i < n; i++) {
        stream_of(&s, key, i);
        out[i] = crdi_binomial_raw(&s, total[i], probs[i]);
    }
}

/* Class by class: binomial among what is left, with the class's share of the probability that is left. */
void crd_random_multinomial(crd_key key, const double *total, const double *probs, int64_t k, int64_t n, double *out)
{
    crdi_stream s;
    for (int64_t i = 0; i < n; i++) {
        const double *p = probs + i * k;
        double left = total[i], mass = 0;
        stream_of(&s, key, i);
        for (int64_t j = 0; j < k; j++)
            mass += p[j];
        for (int64_t j = 0; j < k; j++) {
            double share = mass > 0 ? fmin(p[j] / mass, 1) : 0;
            out[i * k + j] = j == k - 1 && share >= 0 ? left : crdi_binomial_raw(&s, left, share);
            left -= out[i * k + j];
            mass = fmax(mass - p[j], 0);
        }
    }
}
