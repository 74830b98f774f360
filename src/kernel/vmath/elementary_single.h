/* elementary_single.h - exp, expm1, tanh, sigmoid, log, log1p, softplus and erf of floats: the formulas of exponential.h,
 * logarithm.h and error_function.h, where they are explained, with shorter polynomials.
 *
 * The errors are the largest over all floats, against the functions of doubles. */
#ifndef CRDI_VMATH_ELEMENTARY_SINGLE_H
#define CRDI_VMATH_ELEMENTARY_SINGLE_H

#include "kernel/vmath/arithmetic_single.h"
#include "kernel/vmath/polynomials_single.h"

/* For |x| < 170. */
VM_INLINE float vf_exp_bounded(float x)
{
    float k = fmaf(x, VF_LOG2E, VF_ROUND) - VF_ROUND;
    float exact = fmaf(-k, VF_LN2_HIGH, x), rest = k * -VF_LN2_LOW, r = exact + rest;
    float e = 1 + (exact + fmaf(r * r, vf_p_exp(r), rest));
    float first = fmaf(k, 0.5f, VF_ROUND) - VF_ROUND;
    return e * vf_power_of_two(first) * vf_power_of_two(k - first);
}

VM_INLINE float vf_exp(float x)
{
    float e = vf_exp_bounded(x);
    e = x > 100 ? INFINITY : e;
    return x < -110 ? 0 : e;
}

VM_INLINE float vf_exp_decay(float x)
{
    float y = fabsf(x), e = vf_exp_bounded(-y);
    return y > 110 ? 0 : e;
}

VM_INLINE float vf_expm1(float x)
{
    float k = fmaf(x, VF_LOG2E, VF_ROUND) - VF_ROUND;
    float r = fmaf(-k, VF_LN2_LOW, fmaf(-k, VF_LN2_HIGH, x)), s = vf_power_of_two(k - 1);
    float e = 2 * fmaf(s * (r * r), vf_p_exp(r), fmaf(s, r, s - 0.5f));
    e = x > 88.73f ? INFINITY : e;
    e = x < -25 ? -1 : e;
    return fabsf(x) < 0x1p-25f ? x : e;
}

/* From 9.5 on the result rounds to 1. */
VM_INLINE float vf_tanh(float x)
{
    float y = fabsf(x);
    float shifted = fmaf(y, 2 * VF_LOG2E, -0.2375f) + (VF_ROUND + 127), k = shifted - (VF_ROUND + 127);
    float r = fmaf(-k, VF_LN2_LOW / 2, fmaf(-k, VF_LN2_HIGH / 2, y));
    float s = vf_from_bits(vf_bits(shifted) << 23);
    float h = fmaf(s, fmaf(r * r, vf_p_tanh(r), r), fmaf(s, 0.5f, -0.5f)), t = h / (h + 1), small = fmaf(-h, t, h);
    t = y > 9.5f ? 1 : t;
    t = y < 0.2f ? small : t;
    return copysignf(t, x);
}

VM_INLINE float vf_sigmoid(float x)
{
    float e = vf_exp_decay(x), t = (x < 0 ? e : 1) / (1 + e), small = fmaf(-e, t, e);
    return x < -1.4f ? small : t;
}

#define VF_SQRT_HALF_BITS 0x3f3504f3u
#define VF_ONE_BITS 0x3f800000u
#define VF_FRACTION_BITS 0x007fffffu

VM_INLINE float vf_split(float x, uint32_t *exponent)
{
    uint32_t bits = vf_bits(x) + (VF_ONE_BITS - VF_SQRT_HALF_BITS);
    *exponent = bits >> 23;
    return vf_from_bits((bits & VF_FRACTION_BITS) + VF_SQRT_HALF_BITS);
}

VM_INLINE float vf_from_integer(uint32_t i)
{
    return vf_from_bits(i | vf_bits(0x1p23f)) - 0x1p23f;
}

VM_INLINE float vf_log_sum(float k, float f, float low)
{
    float s = f / (2 + f), z = s * s, half = 0.5f * f * f;
    float rest = fmaf(s, fmaf(z, vf_p_log(z), half), fmaf(k, VF_LN2_LOW, low));
    return fmaf(k, VF_LN2_HIGH, f - (half - rest));
}

VM_INLINE float vf_log(float x)
{
    uint32_t exponent;
    float scale = x < 0x1p-126f ? 0x1p24f : 1, bias = x < 0x1p-126f ? 127 + 24 : 127;
    float m = vf_split(x * scale, &exponent), k = vf_from_integer(exponent) - bias;
    float y = vf_log_sum(k, m - 1, 0);
    y = x < INFINITY ? y : x;
    float edge = x == 0 ? -INFINITY : NAN;
    return x > 0 ? y : edge;
}

VM_INLINE float vf_log1p(float x)
{
    uint32_t exponent;
    float u = 1 + x, back = u - 1, c = (1 - (u - back)) + (x - back);
    float f = vf_split(u, &exponent) - 1, k = vf_from_integer(exponent) - 127;
    float inverse = fmaf(f, fmaf(f, 0.875f, -1), 1);
    float low = c * inverse * 0.5f * vf_from_bits((255 - (exponent & 255)) << 23);
    float y = vf_log_sum(k, k == 0 ? x : f, k == 0 ? 0 : low);
    y = x < INFINITY ? y : x;
    float edge = x == -1 ? -INFINITY : NAN;
    return copysignf(x > -1 ? y : edge, x);
}

VM_INLINE float vf_softplus(float x)
{
    float f = vf_exp_decay(x), s = f / (2 + f), z = s * s, half = 0.5f * f * f;
    float l = f - fmaf(-s, fmaf(z, vf_p_log_wide(z), half), half);
    return (x > 0 ? x : 0) + l;
}

/* From 3.93 on the result rounds to 1. */
VM_INLINE float vf_erf(float x)
{
    float y = fabsf(x), z = x * x;
    float low = fmaf(y, vf_p_erf(z), y);
    float high = 1 - vf_exp_bounded(-vf_p_erfc(y - 1.5f));
    high = y > 3.93f ? 1 : high;
    return copysignf(y < 1 ? low : high, x);
}

#endif
