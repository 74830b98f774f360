/* simd.h - eight doubles or sixteen floats at a time, for loops whose order of summation is part of the contract.
 *
 * A v8 is CRDI_LANES virtual lanes whatever the registers are: one of AVX-512, two of AVX2, four of SSE2 or NEON. It is
 * a struct of registers by name: gcc 12 keeps a 64-byte vector_size type in memory where no register is that wide,
 * which made AVX2 products ten times slower. */
#ifndef CRDI_SIMD_H
#define CRDI_SIMD_H

#include "kernel/kernel.h"

#include <math.h>
#include <string.h>

/* v16 is the same of CRDI_LANES_SINGLE floats, for kernels of single precision, with v16_low and v16_high: lanes 0 to 7 and 8
 * to 15 as a v8. Its tree of sums: (i + (i + 8)), and so on by halves.
 *
 * Each of these gives: v8_load, v8_store; v8_load_n, v8_store_n for the first n (0 to 8) elements, zeros behind them;
 * v8_set (one number in all lanes), v8_add, v8_sub, v8_mul, v8_fma (a b + c, rounded once), v8_fnma (c - a b, the same),
 * v8_if_positive (b where a > 0, else 0), v8_relu (0 where a <= 0, else a), v8_first (a, zeros from lane n on), and v8_sum, the one tree in which lanes are
 * added: (0+4)+(2+6), (1+5)+(3+7), then the two; v8_sum4, four such sums at once. */
#if defined(__AVX512F__)
#include "kernel/impl/simd_avx512.h"
#if CRDI_SINGLE
#include "kernel/impl/simd16_avx512.h"
#endif
#elif defined(__AVX2__) && defined(__FMA__)
#include "kernel/impl/simd_avx2.h"
#if CRDI_SINGLE
#include "kernel/impl/simd16_avx2.h"
#endif
#else
#include "kernel/impl/simd_portable.h"
#if CRDI_SINGLE
#include "kernel/impl/simd16_portable.h"
#endif
#endif

#endif
