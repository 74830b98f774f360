/* special_beta.c - the regularised incomplete beta function and its inverse; Student's t by way of it.
 *
 * The continued fraction DLMF 8.17.22 on that side of the mode on which it converges fast, elsewhere
 * I_x(a, b) = 1 - I_{1-x}(b, a). x and 1 - x go side by side, so that neither is rounded away. */
#include "kernel/special.h"
#include "kernel/vmath.h"

enum { TERMS_MAX = 200000 };

struct point {
    double a, b, x, y; /* y = 1 - x */
};

/* log G(a + s) - log G(a); for large a by Stirling's formula, so that nothing large cancels. */
static double log_gamma_step(double a, double s)
{
    if (a < 10)
        return vm_lgamma(a + s) - vm_lgamma(a);
    double rest = crdi_stirling_rest(a + s) - crdi_stirling_rest(a);
    return (a + s - 0.5) * vm_log1p(s / a) + (s * vm_log(a) - s) + rest;
}

/* log of x^a (1 - x)^b / B(a, b). For large a and b about the mode x0 = a / (a + b), where
 * a log(x / x0) + b log(y / y0) = -a d(x / x0 - 1) - b d(y / y0 - 1), d(t) = t - log(1 + t): nothing large cancels. */
static double log_front(const struct point *p)
{
    double a = p->a, b = p->b, sum = a + b;
    if (a < 10 || b < 10) {
        double log_x = p->x > 0.5 ? vm_log1p(-p->y) : vm_log(p->x), log_y = p->y > 0.5 ? vm_log1p(-p->x) : vm_log(p->y);
        return a * log_x + b * log_y + log_gamma_step(vm_max(a, b), vm_min(a, b)) - vm_lgamma(vm_min(a, b));
    }
    double off = p->x < p->y ? p->x - a / sum : b / sum - p->y;
    double power = a * crdi_log1p_defect(off * sum / a) + b * crdi_log1p_defect(-off * sum / b);
    double rest = crdi_stirling_rest(sum) - crdi_stirling_rest(a) - crdi_stirling_rest(b);
    return 0.5 * vm_log(a / sum * b) - VM_HALF_LOG_TWO_PI + rest - power;
}

/* By Lentz's method as Thompson and Barnett 1986 (J. Comput. Phys. 64, 490) change it. */
static double fraction(double a, double b, double x)
{
    const double tiny = 1e-300;
    double c = 1, d = 1 - (a + b) * x / (a + 1);
    d = 1 / (fabs(d) < tiny ? tiny : d);
    double f = d;
    for (int m = 1; m < TERMS_MAX; m++) {
        double before = f, k = a + 2.0 * m;
        const double terms[2] = {m * (b - m) * x / ((k - 1) * k), -(a + m) * (a + b + m) * x / (k * (k + 1))};
        for (int i = 0; i < 2; i++) {
            d = 1 + terms[i] * d;
            d = 1 / (fabs(d) < tiny ? tiny : d);
            c = 1 + terms[i] / c;
            c = fabs(c) < tiny ? tiny : c;
            f *= c * d;
        }
        if (fabs(f - before) <= 1e-16 * fabs(f))
            break;
    }
    return f;
}

/* I_x(a, b), or its complement; front = exp(log_front). */
static double tail(const struct point *p, double front, int wanted_upper)
{
    int upper = p->x * (p->a + p->b + 2) >= p->a + 1;
    double found = upper ? front * fraction(p->b, p->a, p->y) / p->b : front * fraction(p->a, p->b, p->x) / p->a;
    return upper == wanted_upper ? found : 1 - found;
}

static double cdf_at(double a, double b, double x, double y)
{
    struct point p = {a, b, x, y};
    if (!(a > 0 && b > 0 && x >= 0 && y >= 0))
        return NAN;
    if (x == 0 || y == 0)
        return y == 0;
    return tail(&p, vm_exp(log_front(&p)), 0);
}

double crdi_beta_cdf(double a, double b, double x)
{
    return cdf_at(a, b, x, 1 - x);
}

/* ---- the inverse --------------------------------------------------------------------------------------------- */

struct problem {
    double a, b, p;
};

/* In u = log(x / (1 - x)): log F - log p in the lower half, log(1 - p) - log(1 - F) in the upper. */
static double difference(const void *data, double u, double *slope)
{
    const struct problem *problem = data;
    int upper = problem->p > 0.5;
    struct point p = {problem->a, problem->b, vm_sigmoid(u), vm_sigmoid(-u)};
    double front = vm_exp(log_front(&p)), found = vm_max(tail(&p, front, upper), 1e-300);
    *slope = front / found;
    return upper ? vm_log1p(-problem->p) - vm_log(found) : vm_log(found) - vm_log(problem->p);
}

/* The logit of the quantile. */
static double logit_quantile(double a, double b, double p)
{
    struct problem problem = {a, b, p};
    double log_beta = vm_lgamma(a) + vm_lgamma(b) - vm_lgamma(a + b), middle = vm_log(a / b);
    /* Near 0 F is x^a / (a B), near 1 its complement is y^b / (b B). */
    double left = (vm_log(p) + vm_log(a) + log_beta) / a, right = -(vm_log1p(-p) + vm_log(b) + log_beta) / b;
    double start = left < -3 && left < middle ? left : right > 3 && right > middle ? right : middle;
    return crdi_rising_root(difference, &problem, -740, 740, start);
}

double crdi_beta_quantile(double a, double b, double p)
{
    if (!(a > 0 && b > 0 && p >= 0 && p <= 1))
        return NAN;
    if (p == 0 || p == 1)
        return p;
    return vm_sigmoid(logit_quantile(a, b, p));
}

/* ---- Student's t --------------------------------------------------------------------------------------------- */

double crdi_student_t_cdf(double df, double t)
{
    if (!(df > 0) || t != t)
        return NAN;
    double t2 = t * t, share = t2 == INFINITY ? 0 : df / (df + t2), other = t2 == INFINITY ? 1 : t2 / (df + t2);
    double lower = 0.5 * cdf_at(0.5 * df, 0.5, share, other);
    return t < 0 ? lower : 1 - lower;
}

/* t^2 / df = (1 - x) / x for x with I_x(df / 2, 1/2) = 2 min(p, 1 - p): exp of minus the logit of x. */
double crdi_student_t_quantile(double df, double p)
{
    if (!(df > 0 && p >= 0 && p <= 1))
        return NAN;
    if (p == 0 || p == 1)
        return p == 0 ? -INFINITY : INFINITY;
    if (p == 0.5)
        return 0;
    double u = logit_quantile(0.5 * df, 0.5, 2 * vm_min(p, 1 - p));
    return copysign(sqrt(df) * vm_exp(-0.5 * u), p - 0.5);
}
