/* beta_quantile.c - the inverse of the distribution function of Beta(a, b), for the error of a quantile.
 *
 * The function itself by the continued fraction DLMF 8.17.22, which converges fast on that side of the mode on which it
 * is used here (elsewhere by I_x(a, b) = 1 - I_{1-x}(b, a)); the inverse by Newton's method inside a bracket that
 * shrinks, which cannot run away. a and b are effective sample sizes, from 1 to millions. */
#include "diag/diag.h"
#include "kernel/vmath.h"

enum { TERMS_MAX = 100000, STEPS_MAX = 200 };

/* The continued fraction by Lentz's method as Thompson & Barnett 1986 (J. Comput. Phys. 64, 490) change it. */
static double fraction(double x, double a, double b)
{
    const double tiny = 1e-300;
    double c = 1, d = 1 - (a + b) * x / (a + 1);
    d = 1 / (fabs(d) < tiny ? tiny : d);
    double f = d;
    for (int m = 1; m < TERMS_MAX; m++) {
        double before = f;
        for (int odd = 0; odd < 2; odd++) {
            double k = a + 2 * m;
            double term = odd ? -(a + m) * (a + b + m) * x / (k * (k + 1)) : m * (b - m) * x / ((k - 1) * k);
            d = 1 + term * d;
            c = 1 + term / c;
            d = 1 / (fabs(d) < tiny ? tiny : d);
            c = fabs(c) < tiny ? tiny : c;
            f *= c * d;
        }
        if (fabs(f - before) <= 1e-15 * fabs(f))
            break;
    }
    return f;
}

/* log of x^a (1 - x)^b / B(a, b) */
static double log_front(double x, double a, double b)
{
    return a * vm_log(x) + b * vm_log1p(-x) + vm_lgamma(a + b) - vm_lgamma(a) - vm_lgamma(b);
}

static double distribution(double x, double a, double b)
{
    if (x <= 0 || x >= 1)
        return x <= 0 ? 0 : 1;
    double front = vm_exp(log_front(x, a, b));
    if (x * (a + b + 2) < a + 1)
        return front * fraction(x, a, b) / a;
    return 1 - front * fraction(1 - x, b, a) / b;
}

double crdi_diag_beta_quantile(double p, double a, double b)
{
    double low = 0, high = 1, x = a / (a + b);
    if (p <= 0 || p >= 1)
        return p <= 0 ? 0 : 1;
    for (int step = 0; step < STEPS_MAX; step++) {
        double error = distribution(x, a, b) - p;
        if (error > 0)
            high = x;
        else
            low = x;
        double density = vm_exp(log_front(x, a, b)) / (x * (1 - x));
        double next = x - error / density;
        if (!(next > low && next < high))
            next = (low + high) / 2;
        if (fabs(next - x) <= 1e-14 * x)
            return next;
        x = next;
    }
    return x;
}
