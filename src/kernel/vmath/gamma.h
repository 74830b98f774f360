/* gamma.h - log |Gamma|, digamma, trigamma. These branch: loops over them are not vectorised.
 *
 * From 8 on: the asymptotic series in 1/x^2, as a minimax polynomial. Below, the recurrences lead there (digamma,
 * trigamma) or to [1.5, 2.5] (lgamma). Negative arguments by reflection (DLMF 5.5.3, 5.5.4). */
#ifndef CRDI_VMATH_GAMMA_H
#define CRDI_VMATH_GAMMA_H

#include "kernel/vmath/logarithm.h"
#include "kernel/vmath/polynomials.h"
#include "kernel/vmath/trigonometry.h"

#define VM_PI 0x1.921fb54442d18p+1
#define VM_HALF_LOG_TWO_PI 0x1.d67f1c864beb5p-1
#define VM_EULER 0x1.2788cfc6fb619p-1

/* sin(pi x) and cos(pi x) up to a common sign; the argument is reduced exactly. */
static inline double vm_sin_pi(double x)
{
    return vm_sin(VM_PI * (x - rint(x)));
}

static inline double vm_cos_pi(double x)
{
    return vm_cos(VM_PI * (x - rint(x)));
}

/* For x > 0. */
static inline double vm_lgamma_positive(double x)
{
    if (x >= 8)
        return x < INFINITY ? fma(x - 0.5, vm_log(x) - 1, vm_p_stirling(1 / x / x) / x + (VM_HALF_LOG_TWO_PI - 0.5))
                            : x;
    if (x < 0.5)
        return fma(x, vm_p_lgamma(x), -vm_log1p(x)) - vm_log(x);
    if (x < 1.5)
        return fma(x - 1, vm_p_lgamma(x - 1), -vm_log1p(x - 1));
    double product = 1;
    for (; x >= 2.5; product *= x)
        x -= 1;
    return fma(x - 2, vm_p_lgamma(x - 2), vm_log(product));
}

/* log |Gamma(x)|; +inf at 0 and the negative integers. Error at most 7.6e-16 max(1, |result|): 60 000 points, -20 to
 * 1000 and down to 1e-300. */
static inline double vm_lgamma(double x)
{
    double y = -x;
    if (x > 0 || x != x)
        return x != x ? x : vm_lgamma_positive(x);
    if (y == floor(y))
        return INFINITY;
    if (y < 0x1p-60)
        return -vm_log(y);
    return vm_log(VM_PI / (y * fabs(vm_sin_pi(y)))) - vm_lgamma_positive(y);
}

/* For x > 0. */
static inline double vm_digamma_positive(double x)
{
    double below = 0;
    for (; x < 8; x += 1)
        below += 1 / x;
    double inverse = 1 / x, z = inverse * inverse;
    return vm_log(x) - (fma(z, vm_p_digamma(z), 0.5 * inverse) + below);
}

/* d log Gamma / dx; -inf at +0, +inf at -0, NaN at the negative integers. Error at most 1.6e-15
 * max(1, |result|) at such points. */
static inline double vm_digamma(double x)
{
    double y = -x;
    if (x == 0 || x != x)
        return -1 / x;
    if (fabs(x) < 0x1p-60)
        return -1 / x - VM_EULER;
    if (x > 0)
        return x < INFINITY ? vm_digamma_positive(x) : x;
    if (y == floor(y))
        return NAN;
    return vm_digamma_positive(1 + y) + VM_PI * vm_cos_pi(y) / vm_sin_pi(y);
}

/* For x > 0. */
static inline double vm_trigamma_positive(double x)
{
    double below = 0;
    for (; x < 8; x += 1)
        below += 1 / (x * x);
    double inverse = 1 / x, z = inverse * inverse;
    return fma(inverse * z, vm_p_trigamma(z), fma(0.5, z, inverse)) + below;
}

/* d digamma / dx; +inf at 0 and the negative integers. Relative error at most 6.5e-16 at such points. */
static inline double vm_trigamma(double x)
{
    double y = -x, s;
    if (x > 0 || x != x)
        return x != x ? x : vm_trigamma_positive(x);
    if (y == INFINITY)
        return NAN;
    if (y == floor(y))
        return INFINITY;
    s = VM_PI / vm_sin_pi(y);
    return s * s - vm_trigamma_positive(1 + y);
}

#endif
