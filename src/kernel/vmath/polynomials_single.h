/* polynomials_single.h - made by tools/vmath_coefficients.py single: do not edit. As polynomials.h, of floats. */
#ifndef CRDI_VMATH_POLYNOMIALS_SINGLE_H
#define CRDI_VMATH_POLYNOMIALS_SINGLE_H

#include "kernel/vmath/arithmetic.h"

/* (expm1(r) - r) / r^2,
 * r in [-0.346608, 0.346608]; degree 4, relative to expm1: error 2^-25.82. */
VM_INLINE float vf_p_exp(float r)
{
    float r2 = r * r, even = 0x1.6beb78p-10f;
    even = fmaf(even, r2, 0x1.555674p-5f);
    even = fmaf(even, r2, 0x1.fffffep-2f);
    float odd = 0x1.122772p-7f;
    odd = fmaf(odd, r2, 0x1.5554b0p-3f);
    return fmaf(odd, r, even);
}

/* (expm1(2 r) / 2 - r) / r^2,
 * r in [-0.09125, 0.25605]; degree 4, relative to expm1: error 2^-26.07. */
VM_INLINE float vf_p_tanh(float r)
{
    float r2 = r * r, even = 0x1.a12bfap-5f;
    even = fmaf(even, r2, 0x1.554790p-2f);
    even = fmaf(even, r2, 0x1.000002p+0f);
    float odd = 0x1.0fafccp-3f;
    odd = fmaf(odd, r2, 0x1.55562cp-1f);
    return fmaf(odd, r, even);
}

/* (log((1 + s) / (1 - s)) / s - 2) / z, z = s^2,
 * z in [0.0, 0.0294402]; degree 2, relative to the logarithm: error 2^-30.09. */
VM_INLINE float vf_p_log(float z)
{
    float p = 0x1.31e338p-2f;
    p = fmaf(p, z, 0x1.995eb8p-2f);
    return fmaf(p, z, 0x1.55557ap-1f);
}

/* the same, for log1p of an argument in [0, 1],
 * z in [0.0, 0.111111]; degree 3, relative to the logarithm: error 2^-27.59. */
VM_INLINE float vf_p_log_wide(float z)
{
    float p = 0x1.1ef7acp-2f;
    p = fmaf(p, z, 0x1.1eb638p-2f);
    p = fmaf(p, z, 0x1.99d27ap-2f);
    return fmaf(p, z, 0x1.555500p-1f);
}

/* erf(x) / x - 1, z = x^2,
 * z in [0.0, 1.0]; degree 5, relative error 2^-24.39. */
VM_INLINE float vf_p_erf(float z)
{
    float p = -0x1.28c14cp-11f;
    p = fmaf(p, z, 0x1.42c03ap-8f);
    p = fmaf(p, z, -0x1.b5be2cp-6f);
    p = fmaf(p, z, 0x1.ce0bb0p-4f);
    p = fmaf(p, z, -0x1.812688p-2f);
    return fmaf(p, z, 0x1.06eba2p-3f);
}

/* -log(erfc(x)), t = x - 1.5,
 * t in [-0.5, 2.5]; degree 8, in erfc, absolute error 2^-26.03. */
VM_INLINE float vf_p_erfc(float t)
{
    float p = -0x1.0e3d62p-22f;
    p = fmaf(p, t, 0x1.762002p-16f);
    p = fmaf(p, t, -0x1.c067a6p-13f);
    p = fmaf(p, t, 0x1.497e12p-10f);
    p = fmaf(p, t, -0x1.89b180p-8f);
    p = fmaf(p, t, 0x1.a71a6ep-6f);
    p = fmaf(p, t, 0x1.c90828p-1f);
    p = fmaf(p, t, 0x1.c12062p+1f);
    return fmaf(p, t, 0x1.b1370ap+1f);
}

#endif
