/* simd.h - eight doubles at a time, for loops whose order of summation is part of the contract.
 *
 * A v8 is CRDI_LANES virtual lanes whatever the registers are: one of AVX-512, two of AVX2, four of SSE2 or NEON; the
 * compiler splits it. Only the fused multiply-add needs to be told how. */
#ifndef CRDI_SIMD_H
#define CRDI_SIMD_H

#include "kernel/kernel.h"

#include <math.h>
#include <string.h>
#if defined(__AVX2__)
#include <immintrin.h>
#endif

typedef double v8 __attribute__((vector_size(64), aligned(8)));

static inline v8 v8_load(const double *p)
{
    v8 r;
    memcpy(&r, p, sizeof r);
    return r;
}

static inline void v8_store(double *p, v8 x)
{
    memcpy(p, &x, sizeof x);
}

/* The first n (0 to 8) elements, zeros behind them. */
static inline v8 v8_load_n(const double *p, int64_t n)
{
#if defined(__AVX512F__)
    return (v8)_mm512_maskz_loadu_pd((__mmask8)((1u << n) - 1), p);
#else
    double r[CRDI_LANES] = {0};
    for (int64_t i = 0; i < n; i++)
        r[i] = p[i];
    return v8_load(r);
#endif
}

static inline void v8_store_n(double *p, v8 x, int64_t n)
{
#if defined(__AVX512F__)
    _mm512_mask_storeu_pd(p, (__mmask8)((1u << n) - 1), (__m512d)x);
#else
    double r[CRDI_LANES];
    v8_store(r, x);
    for (int64_t i = 0; i < n; i++)
        p[i] = r[i];
#endif
}

static inline v8 v8_set(double x)
{
    return (v8){x, x, x, x, x, x, x, x};
}

/* a b + c, rounded once. */
static inline v8 v8_fma(v8 a, v8 b, v8 c)
{
#if defined(__AVX512F__)
    return (v8)_mm512_fmadd_pd((__m512d)a, (__m512d)b, (__m512d)c);
#elif defined(__AVX2__) && defined(__FMA__)
    union {
        v8 v;
        __m256d half[2];
    } x = {a}, y = {b}, z = {c};
    z.half[0] = _mm256_fmadd_pd(x.half[0], y.half[0], z.half[0]);
    z.half[1] = _mm256_fmadd_pd(x.half[1], y.half[1], z.half[1]);
    return z.v;
#else
    v8 r;
    for (int i = 0; i < CRDI_LANES; i++)
        r[i] = fma(a[i], b[i], c[i]);
    return r;
#endif
}

/* The one tree in which lanes are added: (0+4)+(2+6), (1+5)+(3+7), then the two. */
static inline double v8_sum(v8 x)
{
    return ((x[0] + x[4]) + (x[2] + x[6])) + ((x[1] + x[5]) + (x[3] + x[7]));
}

#endif
