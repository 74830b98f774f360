/* special_counts.c - quantiles of counts: the first k whose distribution function reaches p. See special.h.
 *
 * From a start near it steps of growing width bracket it, then the bracket is halved: some 60 distribution functions at
 * most, of the incomplete gamma and beta functions; a beta binomial has none of these and is summed. */
#include "kernel/special.h"
#include "kernel/vmath.h"

#include <math.h>
#include <stdbool.h>

struct counts {
    double a, b, p, most;
    double (*cdf)(const struct counts *counts, double k);
};

static bool reaches(const struct counts *c, double k)
{
    return k >= c->most || c->cdf(c, k) >= c->p;
}

static double first_count(const struct counts *c, double start)
{
    double high = floor(vm_min(vm_max(start, 0), c->most)), low = high, step = 1;
    if (reaches(c, high)) {
        do {
            low = vm_max(low - step, -1);
            high = low >= 0 && reaches(c, low) ? low : high;
            step *= 2;
        } while (high == low);
    } else {
        do {
            low = high;
            high = vm_min(high + step, c->most);
            step *= 2;
        } while (!reaches(c, high));
    }
    /* cdf(low) is below p (or low is -1), cdf(high) is not */
    for (double middle; (middle = floor((low + high) / 2)) > low && middle < high;)
        if (reaches(c, middle))
            high = middle;
        else
            low = middle;
    return high;
}

/* Where a normal of this mean and standard deviation has its quantile, roughly. */
static double near_normal(double mean, double sd, double p)
{
    double z = p < 0.5 ? crdi_normal_quantile_of_log(vm_log(p)) : -crdi_normal_quantile_of_log(vm_log1p(-p));
    return mean + sd * z;
}

static double poisson_cdf(const struct counts *c, double k)
{
    return crdi_gamma_q(k + 1, c->a);
}

double crdi_poisson_quantile(double rate, double p)
{
    struct counts c = {.a = rate, .p = p, .most = INFINITY, .cdf = poisson_cdf};
    if (!(rate >= 0 && rate < INFINITY && p >= 0 && p <= 1))
        return NAN;
    if (p == 0 || rate == 0 || p == 1)
        return p == 1 && rate > 0 ? INFINITY : 0;
    return first_count(&c, near_normal(rate, sqrt(rate), p));
}

static double binomial_cdf(const struct counts *c, double k)
{
    return crdi_beta_cdf(c->most - k, k + 1, 1 - c->a);
}

double crdi_binomial_quantile(double n, double probability, double p)
{
    struct counts c = {.a = probability, .p = p, .most = n, .cdf = binomial_cdf};
    if (!(n >= 0 && n < INFINITY && probability >= 0 && probability <= 1 && p >= 0 && p <= 1))
        return NAN;
    if (p == 0 || probability == 0)
        return 0;
    if (p == 1 || probability == 1)
        return n;
    return first_count(&c, near_normal(n * probability, sqrt(n * probability * (1 - probability)), p));
}

static double negative_binomial_cdf(const struct counts *c, double k)
{
    return crdi_beta_cdf(c->b, k + 1, c->b / (c->b + c->a));
}

double crdi_negative_binomial_quantile(double mean, double concentration, double p)
{
    struct counts c = {.a = mean, .b = concentration, .p = p, .most = INFINITY, .cdf = negative_binomial_cdf};
    if (!(mean >= 0 && mean < INFINITY && concentration > 0 && concentration < INFINITY && p >= 0 && p <= 1))
        return NAN;
    if (p == 0 || mean == 0 || p == 1)
        return p == 1 && mean > 0 ? INFINITY : 0;
    return first_count(&c, near_normal(mean, sqrt(mean + mean * mean / concentration), p));
}

/* p(k + 1) / p(k) = (n - k) (k + a) / ((k + 1) (n - k - 1 + b)), in logarithms: p(0) may underflow. */
double crdi_beta_binomial_quantile(double n, double a, double b, double p)
{
    if (!(n >= 0 && n < INFINITY && a > 0 && b > 0 && a < INFINITY && b < INFINITY && p >= 0 && p <= 1))
        return NAN;
    if (p == 1)
        return n;
    double log_p = vm_lgamma(n + b) - vm_lgamma(b) + vm_lgamma(a + b) - vm_lgamma(n + a + b), sum = vm_exp(log_p),
           k = 0;
    for (; sum < p && k < n; k++) {
        log_p += vm_log((n - k) * (k + a) / ((k + 1) * (n - k - 1 + b)));
        sum += vm_exp(log_p);
    }
    return k;
}
