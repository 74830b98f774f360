/* erfinv.c - the inverse error function of blocks, built for each instruction set: without fused multiply-add in hardware
 * the logarithm in it calls the C library for each. The bits are the same everywhere. */
#include "rng/erfinv.h"

/* The middle's polynomial for all in a loop that the compiler vectorises, the tails (a thousandth of uniform arguments)
 * one by one. Inlined into one function for each instruction set below. */
static inline __attribute__((always_inline)) void erfinv_lanes(double *x, int count)
{
    double w[CRDI_ERFINV_BLOCK], middle[CRDI_ERFINV_BLOCK];
#pragma omp simd
    for (int i = 0; i < count; i++)
        w[i] = crdi_erfinv_w(x[i]);
#pragma omp simd
    for (int i = 0; i < count; i++)
        middle[i] = crdi_erfinv_middle(x[i], w[i]);
    for (int i = 0; i < count; i++)
        x[i] = w[i] < 6.25 ? middle[i] : crdi_erfinv_tail(x[i], w[i]);
}

static void erfinv_portable(double *x, int count)
{
    erfinv_lanes(x, count);
}

#if defined(__x86_64__)
#if defined(__clang__)
#define WIDE ""
#else
#define WIDE ",prefer-vector-width=512" /* gcc takes half a register otherwise */
#endif
__attribute__((target("avx512f,avx512dq,avx512vl,fma" WIDE))) static void erfinv_avx512(double *x, int count)
{
    erfinv_lanes(x, count);
}

__attribute__((target("avx2,fma"))) static void erfinv_avx2(double *x, int count)
{
    erfinv_lanes(x, count);
}
#endif

crdi_erfinv_fn crdi_erfinv_lanes(int i)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("fma") &&
        i-- == 0)
        return erfinv_avx512;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && i-- == 0)
        return erfinv_avx2;
#endif
    return i == 0 ? erfinv_portable : NULL;
}

void crdi_erfinv_block(double *x, int64_t count)
{
    crdi_erfinv_fn fn = crdi_erfinv_lanes(0);
    for (int64_t first = 0; first < count; first += CRDI_ERFINV_BLOCK)
        fn(x + first, (int)(count - first < CRDI_ERFINV_BLOCK ? count - first : CRDI_ERFINV_BLOCK));
}
