/* special.c - the normal distribution function in logarithms, Bessel functions, the von Mises distribution function, and what the incomplete functions share. */
#include "kernel/special.h"
#include "kernel/vmath.h"

enum { NEWTON_STEPS = 200 };

double crdi_log1p_defect(double t)
{
    if (!(fabs(t) < 0.5))
        return t - vm_log1p(t);
    /* log(1 + t) = 2 atanh(r), r = t / (2 + t); t - 2 r = t r. */
    double r = t / (2 + t), r2 = r * r, sum = 0;
    for (int k = 37; k >= 3; k -= 2)
        sum = fma(sum, r2, 1.0 / k);
    return fma(-2 * r * r2, sum, t * r);
}

double crdi_stirling_rest(double a)
{
    return vm_p_stirling(1 / a / a) / a;
}

double crdi_rising_root(crdi_rising_fn f, const void *problem, double low, double high, double start)
{
    double u = start > low && start < high ? start : 0.5 * (low + high);
    for (int step = 0; step < NEWTON_STEPS; step++) {
        double slope, value = f(problem, u, &slope);
        if (value != value)
            return value;
        if (value > 0)
            high = u;
        else
            low = u;
        double next = u - value / slope;
        if (!(next >= low && next <= high))
            next = 0.5 * (low + high);
        if (fabs(next - u) <= 1e-16 * fmax(1, fabs(u)))
            return next;
        u = next;
    }
    return u;
}

/* ---- the normal ---------------------------------------------------------------------------------------------- */

/* Phi(-t) / phi(t) for t >= 2.5 by its continued fraction (DLMF 7.9.3), from the back: 80 terms leave 1e-17 there. */
static double mills_ratio(double t)
{
    double f = t;
    for (int k = 80; k >= 1; k--)
        f = t + k / f;
    return 1 / f;
}

double crdi_log_normal_cdf(double z)
{
    if (z < -2.5)
        return vm_log(mills_ratio(-z)) - (0.5 * z * z + VM_HALF_LOG_TWO_PI);
    if (z > 2.5)
        return vm_log1p(-mills_ratio(z) * vm_exp(-(0.5 * z * z + VM_HALF_LOG_TWO_PI)));
    return vm_log(0.5 + 0.5 * vm_erf(z * 0.70710678118654752440));
}

static double normal_difference(const void *problem, double z, double *slope)
{
    double log_cdf = crdi_log_normal_cdf(z);
    *slope = vm_exp(-(0.5 * z * z + VM_HALF_LOG_TWO_PI) - log_cdf);
    return log_cdf - *(const double *)problem;
}

double crdi_normal_quantile_of_log(double log_p)
{
    if (!(log_p <= 0))
        return NAN;
    if (log_p == 0 || log_p == -INFINITY)
        return log_p == 0 ? INFINITY : -INFINITY;
    /* log Phi(z) is about -z^2 / 2 in the lower tail. The function is concave: Newton's method comes from the left. */
    double start = log_p < -1 ? -sqrt(-2 * log_p) : 0;
    return crdi_rising_root(normal_difference, &log_p, start - 3, 39, start);
}

/* ---- Bessel functions ---------------------------------------------------------------------------------------- */

static const double BESSEL_LARGE = 25;

/* Asymptotic series DLMF 10.40.1 of I_n(k) sqrt(2 pi k) / exp(k), four_n2 = 4 n^2; its terms fall to 1e-20 at 25. */
static double bessel_tail(double k, double four_n2)
{
    double sum = 1, term = 1;
    for (int j = 1; j <= 30; j++) {
        term *= -(four_n2 - (2 * j - 1) * (2 * j - 1)) / (8 * k * j);
        sum += term;
    }
    return sum;
}

double crdi_log_bessel_i0(double k)
{
    if (!(k >= 0) || k == INFINITY)
        return k == INFINITY ? k : NAN;
    if (k >= BESSEL_LARGE)
        return k - 0.5 * vm_log(k) - VM_HALF_LOG_TWO_PI + vm_log(bessel_tail(k, 0));
    double quarter = 0.25 * k * k, sum = 0, term = 1;
    for (int j = 1; j < 100 && term > 1e-18 * sum; j++) {
        term *= quarter / ((double)j * j);
        sum += term;
    }
    return vm_log1p(sum);
}

double crdi_bessel_ratio(double k)
{
    if (!(k >= 0) || k == INFINITY)
        return k == INFINITY ? 1 : NAN;
    if (k >= BESSEL_LARGE)
        return bessel_tail(k, 4) / bessel_tail(k, 0);
    /* Continued fraction DLMF 10.33.1 from the back. */
    double f = 0;
    for (int j = 80; j >= 1; j--)
        f = k / (2 * j + k * f);
    return f;
}

/* ---- von Mises ------------------------------------------------------------------------------------------------- */

/* k up to here: the Fourier series of the density, from the back (Hill 1977, ACM Trans. Math. Softw. 3, 279); 60 terms leave
 * I_61(k) / I_0(k) < 1e-20. */
static const double VON_MISES_FOURIER = 30, SQRT_PI = 1.77245385090551602730;

static double von_mises_fourier(double k, double x)
{
    double ratio = 0, sum = 0;
    for (int n = 60; n >= 1; n--) {
        ratio = 1 / (2 * n / k + ratio); /* I_n / I_(n - 1) */
        sum = ratio * (vm_sin(n * x) / n + sum);
    }
    return 0.5 + (0.5 * x + sum) / VM_PI;
}

/* With s = sin(x / 2) the density in s is exp(-2 k s^2) / sqrt(1 - s^2); the binomial series of the root leaves, up to a
 * factor, the sum over m of c_m (2 k)^-m g(m + 1/2, 2 k s^2), c_m = (2 m)! / (2^m m!)^2, g the lower incomplete gamma
 * function, by its recurrence. Beyond k = 30 the terms fall to 1e-17 in 20. */
static double von_mises_half(double k, double y)
{
    double g = SQRT_PI * vm_erf(sqrt(y)), power = sqrt(y) * vm_exp(-y), c = 1, scale = 1, sum = g;
    for (int m = 1; m <= 24; m++) {
        g = (m - 0.5) * g - power; /* g(a + 1, y) = a g(a, y) - y^a exp(-y) */
        power *= y;
        c *= (2 * m - 1) / (2.0 * m);
        scale /= 2 * k;
        sum += c * scale * g;
    }
    return sum;
}

double crdi_von_mises_cdf(double k, double x)
{
    if (!(k >= 0) || x != x)
        return NAN;
    if (x <= -VM_PI || x >= VM_PI)
        return x > 0;
    if (k <= VON_MISES_FOURIER)
        return von_mises_fourier(k, x);
    double s = vm_sin(0.5 * x), y = fmin(2 * k * s * s, 800); /* at 800 all is below it */
    double half = 0.5 * von_mises_half(k, y) / von_mises_half(k, fmin(2 * k, 800));
    return x < 0 ? 0.5 - half : 0.5 + half;
}
