/* logarithm.h - log, log1p, softplus.
 *
 * x = 2^k m with m in [sqrt(1/2), sqrt(2)); with f = m - 1 and s = f / (2 + f), log m = 2 atanh(s), arranged as
 * f - (f^2/2 - s (f^2/2 + s^2 P(s^2))) as in fdlibm's e_log.c (Sun 1993), which keeps the large term f exact. */
#ifndef CRDI_VMATH_LOGARITHM_H
#define CRDI_VMATH_LOGARITHM_H

#include "kernel/vmath/arithmetic.h"
#include "kernel/vmath/exponential.h"
#include "kernel/vmath/polynomials.h"

#define VM_SQRT_HALF_BITS 0x3fe6a09e667f3bcdu
#define VM_ONE_BITS 0x3ff0000000000000u
#define VM_FRACTION_BITS 0x000fffffffffffffu

/* The exponent k + 1023 and the fraction m of a positive normal x = 2^k m. */
VM_INLINE double vm_split(double x, uint64_t *exponent)
{
    uint64_t bits = vm_bits(x) + (VM_ONE_BITS - VM_SQRT_HALF_BITS);
    *exponent = bits >> 52;
    return vm_from_bits((bits & VM_FRACTION_BITS) + VM_SQRT_HALF_BITS);
}

/* An integer below 2^52 as a double, with instructions that every set has. */
VM_INLINE double vm_from_integer(uint64_t i)
{
    return vm_from_bits(i | vm_bits(0x1p52)) - 0x1p52;
}

/* k log 2 + log(1 + f) + low. */
VM_INLINE double vm_log_sum(double k, double f, double low)
{
    double s = f / (2 + f), z = s * s, half = 0.5 * f * f;
    double rest = fma(s, fma(z, vm_p_log(z), half), fma(k, VM_LN2_LOW, low));
    return fma(k, VM_LN2_HIGH, f - (half - rest));
}

/* Error at most 0.83 ulp: 150 000 points over all positive doubles, on [0.5, 2] and near 1. */
VM_INLINE double vm_log(double x)
{
    uint64_t exponent;
    double scale = x < 0x1p-1022 ? 0x1p54 : 1, bias = x < 0x1p-1022 ? 1023 + 54 : 1023;
    double m = vm_split(x * scale, &exponent), k = vm_from_integer(exponent) - bias;
    double y = vm_log_sum(k, m - 1, 0);
    y = x < INFINITY ? y : x;
    double edge = x == 0 ? -INFINITY : NAN;
    return x > 0 ? y : edge;
}

/* As log of u = 1 + x with what the addition lost, c, brought back as c / u. Where k is 0, f is x itself. Elsewhere c is
 * below an ulp of u, and 1/m is needed to a per cent only: a parabola, within 5 per cent.
 * Error at most 0.74 ulp: 250 000 points over all x > -1, on [-1, 4], near -1 and tiny. */
VM_INLINE double vm_log1p(double x)
{
    uint64_t exponent;
    double u = 1 + x, back = u - 1, c = (1 - (u - back)) + (x - back);
    double f = vm_split(u, &exponent) - 1, k = vm_from_integer(exponent) - 1023;
    double inverse = fma(f, fma(f, 0.875, -1), 1);
    double low = c * inverse * 0.5 * vm_from_bits((2047 - (exponent & 2047)) << 52);
    double y = vm_log_sum(k, k == 0 ? x : f, k == 0 ? 0 : low);
    y = x < INFINITY ? y : x;
    double edge = x == -1 ? -INFINITY : NAN;
    return copysign(x > -1 ? y : edge, x);
}

/* max(x, 0) + log1p(exp(-|x|)); the logarithm as above, its argument in [0, 1] needs no reduction.
 * Error at most 1.78 ulp: 200 000 points on [-745, 100], [-40, 40], [-5, 5] and tiny. */
VM_INLINE double vm_softplus(double x)
{
    double f = vm_exp_decay(x), s = f / (2 + f), z = s * s, half = 0.5 * f * f;
    double l = f - fma(-s, fma(z, vm_p_log_wide(z), half), half);
    return (x > 0 ? x : 0) + l;
}

#endif
