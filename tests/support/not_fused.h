/* not_fused.h - multiplies and adds in two roundings where the sources ask for one. Put before every file of the preset valgrind_cases:
 * valgrind calls a function for each number of a fused instruction, by which a chain takes 450 times as long; without them it
 * takes 70 times. Numbers have other last digits in such a build; it is asked what it does with memory. */
#ifndef CRD_TESTING_NOT_FUSED_H
#define CRD_TESTING_NOT_FUSED_H

#include <math.h>
#ifdef __FMA__
#include <immintrin.h>
#define _mm256_fmadd_pd(a, b, c) _mm256_add_pd(_mm256_mul_pd(a, b), c)
#define _mm256_fmadd_ps(a, b, c) _mm256_add_ps(_mm256_mul_ps(a, b), c)
#define _mm256_fnmadd_pd(a, b, c) _mm256_sub_pd(c, _mm256_mul_pd(a, b))
#define _mm256_fnmadd_ps(a, b, c) _mm256_sub_ps(c, _mm256_mul_ps(a, b))
#endif
#define fma(a, b, c) ((a) * (b) + (c))
#define fmaf(a, b, c) ((a) * (b) + (c))

#endif
