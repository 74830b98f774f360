/* exponential.h - exp, expm1, tanh, sigmoid.
 *
 * All reduce x = k log 2 + r, |r| <= log(2) / 2, by two fused multiply-adds (Cody & Waite 1980), and take
 * expm1(r) = r + r^2 P(r), P of degree 9. */
#ifndef CRDI_VMATH_EXPONENTIAL_H
#define CRDI_VMATH_EXPONENTIAL_H

#include "kernel/vmath/arithmetic.h"
#include "kernel/vmath/polynomials.h"

/* expm1 of a reduced argument. */
static inline double vm_expm1_reduced(double r)
{
    return fma(r * r, vm_p_exp(r), r);
}

/* s expm1(r) + shift: the large terms first, which saves half an ulp where they cancel. */
static inline double vm_expm1_scaled(double r, double s, double shift)
{
    return fma(s * (r * r), vm_p_exp(r), fma(s, r, shift));
}

/* exp(x + low) for |x| < 1100 and a low below an ulp of x. 2^k is put on in two steps, so that a subnormal result is
 * rounded once and a large one overflows by itself. */
static inline double vm_exp_bounded(double x, double low)
{
    double k = fma(x, VM_LOG2E, VM_ROUND) - VM_ROUND;
    double r = fma(-k, VM_LN2_LOW, fma(-k, VM_LN2_HIGH, x)) + low;
    double e = 1 + vm_expm1_reduced(r);
    double first = fma(k, 0.5, VM_ROUND) - VM_ROUND;
    return e * vm_power_of_two(first) * vm_power_of_two(k - first);
}

static inline double vm_exp(double x)
{
    x = x > 710 ? 710 : x;
    x = x < -746 ? -746 : x;
    return vm_exp_bounded(x, 0);
}

/* 2^k expm1(r) + (2^k - 1); the sign is that of x, which also saves the zero's. */
static inline double vm_expm1(double x)
{
    double y = x > 710 ? 710 : x;
    y = y < -50 ? -50 : y;
    double k = fma(y, VM_LOG2E, VM_ROUND) - VM_ROUND;
    double r = fma(-k, VM_LN2_LOW, fma(-k, VM_LN2_HIGH, y));
    double last = k > 1023 ? 2 : 1, one = k > 1023 ? 0.5 : 1, s = vm_power_of_two(k > 1023 ? k - 1 : k);
    return copysign(vm_expm1_scaled(r, s, s - one) * last, x);
}

/* expm1(2 |x|) / (expm1(2 |x|) + 2): one division and no second range. From 20 on the result rounds to 1. */
static inline double vm_tanh(double x)
{
    double y = fabs(x);
    y = y > 20 ? 20 : y;
    double shifted = fma(y, 2 * VM_LOG2E, VM_ROUND + 1023), k = shifted - (VM_ROUND + 1023);
    double r = fma(-k, VM_LN2_LOW, fma(-k, VM_LN2_HIGH, y + y));
    double s = vm_from_bits(vm_bits(shifted) << 52);
    double e = vm_expm1_scaled(r, s, s - 1);
    return copysign(e / (e + 2), x);
}

/* 1 / (1 + exp(-|x|)), or exp(-|x|) over the same. */
static inline double vm_sigmoid(double x)
{
    double y = fabs(x);
    y = y > 746 ? 746 : y;
    double e = vm_exp_bounded(-y, 0);
    return (x < 0 ? e : 1) / (1 + e);
}

#endif
