/* score_crps.c - the continuous ranked probability score of draws and of mixtures of normal distributions. */
#include "diag/diag.h"

#include <credence/scores.h>

static const double SQRT_HALF = 0.70710678118654752440, SQRT_2_OVER_PI = 0.79788456080286535588;

/* The mean of |X|, X normal. */
static double mean_distance(double mean, double sd)
{
    if (sd == 0)
        return fabs(mean);
    double z = mean / sd;
    return mean * erf(SQRT_HALF * z) + sd * SQRT_2_OVER_PI * exp(-0.5 * z * z);
}

double crd_crps_normal(double mean, double sd, double y)
{
    static const double one_over_sqrt_pi = 0.56418958354775628695;
    return mean_distance(y - mean, sd) - sd * one_over_sqrt_pi;
}

/* ---- draws ---------------------------------------------------------------------------------------------------- */

double crd_crps_sorted(const double *sorted, const double *weight, int64_t n, double y)
{
    double distance = 0, spread = 0, below = 0;
    if (n < 1)
        return NAN;
    for (int64_t d = 0; d < n; d++) {
        double w = weight ? weight[d] : 1 / (double)n;
        distance += w * fabs(sorted[d] - y);
        below = weight ? below + w : (double)(d + 1) / (double)n;
        if (d + 1 < n) /* half the mean distance of two draws is the integral of F (1 - F) */
            spread += (sorted[d + 1] - sorted[d]) * below * (1 - below);
    }
    return distance - spread;
}

crd_status crd_crps_ensemble(crd_context *ctx, const double *x, const double *weight, int64_t n, double y, double *out)
{
    CRD_TRY(crdi_diag_check(ctx, 1, n));
    double *sorted = crdi_alloc_array(ctx, 2 * n, sizeof *sorted);
    int64_t *order = crdi_alloc_array(ctx, n, sizeof *order);
    crd_status status = sorted && order ? crdi_diag_order(ctx, x, n, sorted, order) : CRD_ENOMEM;
    if (status == CRD_OK) {
        for (int64_t d = 0; weight && d < n; d++)
            sorted[n + d] = weight[order[d]];
        *out = crd_crps_sorted(sorted, weight ? sorted + n : NULL, n, y);
    }
    crdi_free(ctx, sorted);
    crdi_free(ctx, order);
    return status;
}

double crd_weighted_quantile_sorted(const double *sorted, const double *weight, int64_t n, double p)
{
    const double rounding = 1e-12;
    double below = 0;
    if (!weight)
        return crd_diag_quantile_sorted(sorted, n, p);
    if (n < 1 || !(p >= 0 && p <= 1))
        return NAN;
    for (int64_t d = 0; d < n; d++) {
        below += weight[d];
        if (weight[d] > 0 && below >= p - rounding)
            return sorted[d];
    }
    return sorted[n - 1];
}

/* ---- mixtures of normals -------------------------------------------------------------------------------------- */

struct mixture {
    const double *mean, *sd, *weight;
    int64_t n;
};

static double weight_of(const struct mixture *m, int64_t d)
{
    return m->weight ? m->weight[d] : 1 / (double)m->n;
}

static double cdf(const struct mixture *m, double x)
{
    double sum = 0;
    for (int64_t d = 0; d < m->n; d++) {
        double z = m->sd[d] > 0 ? (x - m->mean[d]) / m->sd[d] : x >= m->mean[d] ? INFINITY : -INFINITY;
        sum += (m->weight ? m->weight[d] : 1) * 0.5 * erfc(-SQRT_HALF * z);
    }
    return m->weight ? sum : sum / (double)m->n;
}

/* The distribution function, the density and its slope. */
struct local {
    double cdf, density, slope;
};

static struct local look_at(const struct mixture *m, double x)
{
    struct local at = {.cdf = cdf(m, x)};
    for (int64_t d = 0; d < m->n; d++) {
        if (!(m->sd[d] > 0))
            continue;
        double z = (x - m->mean[d]) / m->sd[d], one = weight_of(m, d) * exp(-0.5 * z * z) / m->sd[d];
        at.density += one;
        at.slope -= one * z / m->sd[d];
    }
    at.density *= 0.5 * SQRT_2_OVER_PI;
    at.slope *= 0.5 * SQRT_2_OVER_PI;
    return at;
}

/* Half the mean distance of two independent draws, by pairs. */
static double spread_by_pairs(const struct mixture *m)
{
    double sum = 0;
    for (int64_t d = 0; d < m->n; d++) {
        sum += 0.5 * weight_of(m, d) * weight_of(m, d) * mean_distance(0, m->sd[d] / SQRT_HALF);
        for (int64_t e = 0; e < d; e++)
            sum += weight_of(m, d) * weight_of(m, e) *
                   mean_distance(m->mean[d] - m->mean[e], sqrt(m->sd[d] * m->sd[d] + m->sd[e] * m->sd[e]));
    }
    return sum;
}

/* The same as the integral of F (1 - F). The transform of that function falls like exp(-(s w)^2 / 4), s the least sd, so
 * that the trapezoidal rule with steps of 0.55 s is off by exp(-(pi / 0.55)^2) = 7e-15; outside of 7.5 sd it is below 1e-13. */
static double spread(const struct mixture *m)
{
    const double far = 7.5, step = 0.55;
    double low = INFINITY, high = -INFINITY, least = INFINITY, sum = 0;
    for (int64_t d = 0; d < m->n; d++) {
        low = fmin(low, m->mean[d] - far * m->sd[d]);
        high = fmax(high, m->mean[d] + far * m->sd[d]);
        least = fmin(least, m->sd[d]);
    }
    double steps = ceil((high - low) / (step * least));
    if (!(steps < (double)m->n))
        return spread_by_pairs(m);
    for (int64_t i = 0; i <= (int64_t)steps; i++) {
        double f = cdf(m, low + (high - low) * (double)i / steps);
        sum += f * (1 - f);
    }
    return sum * (high - low) / steps;
}

double crd_crps_normal_mixture(const double *mean, const double *sd, const double *weight, int64_t n, double y)
{
    struct mixture m = {mean, sd, weight, n};
    double distance = 0;
    if (n < 1)
        return NAN;
    for (int64_t d = 0; d < n; d++)
        distance += weight_of(&m, d) * mean_distance(y - mean[d], sd[d]);
    return distance - spread(&m);
}

double crd_normal_mixture_cdf(const double *mean, const double *sd, const double *weight, int64_t n, double x)
{
    struct mixture m = {mean, sd, weight, n};
    return n < 1 ? NAN : cdf(&m, x);
}

/* Halley's method inside a bracket that shrinks: the quantile lies between the least and the greatest of the parts'. The error is the
 * cube of the last step, in units of the spread, but for a constant. */
static double find_quantile(const struct mixture *m, double p, double low, double high, double start, double spread)
{
    enum { MOST_STEPS = 200 };
    double x = start, enough = 1e-6 * spread, least = 1e-14 * (fabs(low) + fabs(high));
    for (int i = 0; i < MOST_STEPS && high - low > least; i++) {
        struct local at = look_at(m, x);
        double off = at.cdf - p, newton = off / at.density;
        if (off < 0)
            low = x;
        else
            high = x;
        double bend = 1 - 0.5 * newton * at.slope / at.density; /* far off, in a tail, it would make steps too short */
        double next = x - newton / fmin(fmax(bend, 0.5), 1.5);
        bool inside = next > low && next < high;
        next = inside ? next : low + 0.5 * (high - low);
        if (inside && fabs(next - x) <= enough)
            return next;
        x = next;
    }
    return x;
}

double crd_normal_mixture_quantile(const double *mean, const double *sd, const double *weight, int64_t n, double p)
{
    struct mixture m = {mean, sd, weight, n};
    double z = crdi_diag_normal_quantile(p), low = INFINITY, high = -INFINITY, middle = 0, square = 0;
    if (n < 1 || isnan(z))
        return NAN;
    if (isinf(z))
        return z;
    for (int64_t d = 0; d < n; d++) {
        double w = weight_of(&m, d);
        if (!(w > 0))
            continue;
        if (isnan(mean[d]) || isnan(sd[d]))
            return NAN;
        low = fmin(low, mean[d] + z * sd[d]);
        high = fmax(high, mean[d] + z * sd[d]);
        middle += w * mean[d];
        square += w * (sd[d] * sd[d] + mean[d] * mean[d]);
    }
    double spread = sqrt(fmax(square - middle * middle, 0)), start = middle + z * spread;
    start = start > low && start < high ? start : 0.5 * (low + high);
    return high > low ? find_quantile(&m, p, low, high, start, spread) : low;
}
