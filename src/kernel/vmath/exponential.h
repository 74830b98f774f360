/* exponential.h - exp, expm1, tanh, sigmoid.
 *
 * All reduce x = k log 2 + r, |r| <= log(2) / 2, by two fused multiply-adds (Cody & Waite 1980), and take
 * expm1(r) = r + r^2 P(r), P of degree 9. */
#ifndef CRDI_VMATH_EXPONENTIAL_H
#define CRDI_VMATH_EXPONENTIAL_H

#include "kernel/vmath/arithmetic.h"
#include "kernel/vmath/polynomials.h"

/* exp(x + low) for |x| < 1100 and a low below an ulp of x; any number beyond. 2^k is put on in two steps, so that a
 * subnormal result is rounded once and a large one overflows by itself. */
VM_INLINE double vm_exp_bounded(double x, double low)
{
    double k = fma(x, VM_LOG2E, VM_ROUND) - VM_ROUND;
    double exact = fma(-k, VM_LN2_HIGH, x), rest = fma(k, -VM_LN2_LOW, low), r = exact + rest;
    double e = 1 + (exact + fma(r * r, vm_p_exp(r), rest));
    double first = fma(k, 0.5, VM_ROUND) - VM_ROUND;
    return e * vm_power_of_two(first) * vm_power_of_two(k - first);
}

/* Error at most 0.93 ulp: 200 000 points on [-745, 709.8], [-1, 1] and where the result is subnormal. */
VM_INLINE double vm_exp(double x)
{
    double e = vm_exp_bounded(x, 0);
    e = x > 1000 ? INFINITY : e;
    return x < -1000 ? 0 : e;
}

/* exp(-|x|), a factor of sigmoid and softplus. */
VM_INLINE double vm_exp_decay(double x)
{
    double y = fabs(x), e = vm_exp_bounded(-y, 0);
    return y > 1000 ? 0 : e;
}

/* 2^k expm1(r) + (2^k - 1), in halves because 2^1024 is no number; the large terms first, which saves half an ulp where
 * they cancel. A tiny x is its own answer, and would lose bits in a half.
 * Error at most 1.65 ulp: 150 000 points on [-40, 709.8], [-1.1, 1.1] and tiny. */
VM_INLINE double vm_expm1(double x)
{
    double k = fma(x, VM_LOG2E, VM_ROUND) - VM_ROUND;
    double r = fma(-k, VM_LN2_LOW, fma(-k, VM_LN2_HIGH, x)), s = vm_power_of_two(k - 1);
    double e = 2 * fma(s * (r * r), vm_p_exp(r), fma(s, r, s - 0.5));
    e = x > 709.79 ? INFINITY : e;
    e = x < -50 ? -1 : e;
    return fabs(x) < 0x1p-54 ? x : e;
}

/* h / (h + 1), h = expm1(2 |x|) / 2: one division. |x| = k log(2) / 2 + r, and k is rounded such that r lies in
 * [-0.091, 0.256], not symmetrically: the range k = 1, where the two terms of h cancel, then starts where tanh passes 1/4
 * and an ulp doubles. For small x, h - h (h / (h + 1)) takes back the rounding of h + 1; without it the error reaches
 * 2.4 ulp (and the loop takes 0.58 ns instead of 0.65). From 20 on the result rounds to 1.
 * Error at most 1.88 ulp: 200 000 points on [-20, 20], [-3, 3], [-0.6, 0.6] and tiny. */
VM_INLINE double vm_tanh(double x)
{
    double y = fabs(x);
    double shifted = fma(y, 2 * VM_LOG2E, -0.2375) + (VM_ROUND + 1023), k = shifted - (VM_ROUND + 1023);
    double r = fma(-k, VM_LN2_LOW / 2, fma(-k, VM_LN2_HIGH / 2, y));
    double s = vm_from_bits(vm_bits(shifted) << 52);
    double h = fma(s, fma(r * r, vm_p_tanh(r), r), fma(s, 0.5, -0.5)), t = h / (h + 1), small = fma(-h, t, h);
    t = y > 20 ? 1 : t;
    t = y < 0.2 ? small : t;
    return copysign(t, x);
}

/* 1 / (1 + e), e = exp(-|x|), or e over the same; far below 0 corrected as in tanh.
 * Error at most 1.86 ulp: 200 000 points on [-745, 40], [-40, 40], [-5, 5] and tiny. */
VM_INLINE double vm_sigmoid(double x)
{
    double e = vm_exp_decay(x), t = (x < 0 ? e : 1) / (1 + e), small = fma(-e, t, e);
    return x < -1.4 ? small : t;
}

#endif
