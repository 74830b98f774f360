/* special_gamma.c - the regularised incomplete gamma functions, their inverse and the implicit derivative of a draw.
 *
 * P by its power series below x = a + 1 (DLMF 8.7.1), Q by its continued fraction above (DLMF 8.9.2) with the method of
 * Lentz as Thompson and Barnett 1986 (J. Comput. Phys. 64, 490) change it; both take some sqrt(a) terms. For a > 1e6 the
 * uniform expansion of Temme 1979 (SIAM J. Math. Anal. 10, 757; DLMF 8.12.3 and 8.12.7). */
#include "kernel/special.h"
#include "kernel/vmath.h"

enum { TERMS_MAX = 200000 };
static const double UNIFORM_FROM = 1e6, CORNISH_FISHER_FROM = 1e4;

/* log of x^a exp(-x) / G(a + 1) */
static double log_front(double a, double x, double log_x)
{
    if (a < 10)
        return fma(a, log_x, -x) - vm_lgamma(a + 1);
    return -a * crdi_log1p_defect((x - a) / a) - 0.5 * vm_log(a) - VM_HALF_LOG_TWO_PI - crdi_stirling_rest(a);
}

/* sum of x^n / ((a + 1) .. (a + n)) from n = 0, and its derivative in a. */
static double lower_series(double a, double x, double *slope)
{
    double sum = 1, term = 1, harmonic = 0;
    *slope = 0;
    for (int n = 1; n < TERMS_MAX; n++) {
        term *= x / (a + n);
        harmonic += 1 / (a + n);
        sum += term;
        *slope -= term * harmonic;
        if (term <= 1e-17 * sum && term * harmonic <= 1e-17 * fabs(*slope))
            break;
    }
    return sum;
}

/* h = 1 / (x + 1 - a - 1 (1 - a) / (x + 3 - a - ...)), Q = x^a exp(-x) / G(a) h, and its derivative in a: every quantity
 * of the recurrence beside its derivative. A whole a ends the fraction, but not its derivative: both must have settled. */
static double upper_fraction(double a, double x, double *slope)
{
    double b = x + 1 - a, c = 1e300, d = 1 / b, h = d;
    double c_slope = 0, d_slope = d * d, h_slope = d_slope;
    for (int i = 1; i < TERMS_MAX; i++) {
        double term = -i * (i - a);
        b += 2;
        d_slope = i * d + term * d_slope - 1;
        d = 1 / (term * d + b);
        d_slope *= -d * d;
        c_slope = -1 + i / c - term * (c_slope / c) / c;
        c = b + term / c;
        double factor = c * d, factor_slope = c_slope * d + c * d_slope;
        h_slope = h_slope * factor + h * factor_slope;
        h *= factor;
        if (fabs(factor - 1) <= 1e-16 && fabs(h * factor_slope) <= 1e-16 * fabs(h_slope))
            break;
    }
    *slope = h_slope;
    return h;
}

/* P for sign -1, Q for sign 1, for large a. Where the exponential is not 0, eta is below 0.04: five terms of c_0 and
 * two of c_1 leave less than 1e-13. */
static double uniform_tail(double a, double x, int sign)
{
    double mu = (x - a) / a, half = crdi_log1p_defect(mu), eta = copysign(sqrt(2 * half), mu);
    double c0 = fma(eta, fma(eta, fma(eta, fma(eta, 1.0 / 2835, 1.0 / 864), -2.0 / 135), 1.0 / 12), -1.0 / 3);
    double rest = vm_exp(-a * half - 0.5 * vm_log(a) - VM_HALF_LOG_TWO_PI) * (c0 - (1.0 / 540 + eta / 288) / a);
    return vm_exp(crdi_log_normal_cdf(-sign * eta * sqrt(a))) + sign * (half * a < 800 ? rest : 0);
}

/* The smaller work of P and Q; *upper says which came out. */
static double one_tail(double a, double x, double log_x, int *upper)
{
    double slope;
    *upper = x > a + 1;
    if (a > UNIFORM_FROM)
        return uniform_tail(a, x, *upper ? 1 : -1);
    double front = vm_exp(log_front(a, x, log_x));
    return *upper ? front * a * upper_fraction(a, x, &slope) : front * lower_series(a, x, &slope);
}

static double tail(double a, double x, int wanted)
{
    int upper;
    if (!(a > 0 && x >= 0) || a == INFINITY)
        return NAN;
    if (x == 0 || x == INFINITY)
        return (x == 0) == wanted;
    double found = one_tail(a, x, vm_log(x), &upper);
    return upper == wanted ? found : 1 - found;
}

double crdi_gamma_p(double a, double x)
{
    return tail(a, x, 0);
}

double crdi_gamma_q(double a, double x)
{
    return tail(a, x, 1);
}

/* ---- the inverse --------------------------------------------------------------------------------------------- */

struct problem {
    double a, p;
};

/* In u = log x: log P - log p in the lower half, log(1 - p) - log Q in the upper. */
static double difference(const void *data, double u, double *slope)
{
    const struct problem *problem = data;
    int upper, wanted = problem->p > 0.5;
    double a = problem->a, x = vm_exp(u), found = one_tail(a, x, u, &upper);
    if (upper != wanted)
        found = 1 - found;
    found = vm_max(found, 1e-300);
    *slope = a * vm_exp(log_front(a, x, u)) / found;
    return wanted ? vm_log1p(-problem->p) - vm_log(found) : vm_log(found) - vm_log(problem->p);
}

double crdi_gamma_quantile(double a, double p)
{
    struct problem problem = {a, p};
    if (!(a > 0 && p >= 0 && p <= 1) || a == INFINITY)
        return NAN;
    if (p == 0 || p == 1)
        return p == 0 ? 0 : INFINITY;
    /* Near 0 P is x^a / G(a + 1). */
    double start = (vm_log(p) + vm_lgamma(a + 1)) / a;
    if (start < -40)
        return vm_exp(start);
    double high = vm_log(a + 60 * sqrt(a) + 900);
    return vm_exp(crdi_rising_root(difference, &problem, vm_min(start, high) - 1, high, a > 1 ? vm_log(a) : start));
}

/* ---- the implicit derivative --------------------------------------------------------------------------------- */

/* dx/da for fixed z = Phi^-1(P) from the expansion of Cornish and Fisher (Abramowitz and Stegun 26.2.49 for the gamma),
 * x = a + z sqrt(a) + (z^2 - 1) / 3 + (z^3 - 7 z) / (36 sqrt(a)) + O(1/a). The rest is below 1e-8 for a >= 1e4. */
static double cornish_fisher_slope(double a, double x)
{
    double root = sqrt(a), z = (x - a) / root;
    for (int step = 0; step < 6; step++) {
        double error = a + root * z + (z * z - 1) / 3 + z * (z * z - 7) / (36 * root) - x;
        z -= error / (root + 2 * z / 3 + (3 * z * z - 7) / (36 * root));
    }
    return 1 + z / (2 * root) - z * (z * z - 7) / (72 * a * root);
}

double crdi_log_gamma_slope(double a, double log_x)
{
    double x = vm_exp(log_x), slope;
    if (!(a > 0) || log_x != log_x)
        return NAN;
    if (a > CORNISH_FISHER_FROM)
        return cornish_fisher_slope(a, x) / x;
    /* -(dP/da) / (x p(x)), x p(x) = x^a exp(-x) / G(a), as the front cancels. */
    if (x <= a + 1) {
        double sum = lower_series(a, x, &slope);
        return -(sum * (log_x - vm_digamma(a + 1)) + slope) / a;
    }
    double h = upper_fraction(a, x, &slope);
    return h * (log_x - vm_digamma(a)) + slope;
}
