/* real.h - what the loops are written over: doubles, or floats where CRDI_SINGLE is 1 (isa/NAME_single.c).
 *
 *     real             the element; REAL_FMA its fused multiply-add
 *     vr, vr_load, ..  LANES of them: v8 or v16 (simd.h)
 *     OUT, IN, MORE    the members of a call that hold them
 *     VM(f)            the elementary function: vm_f or vf_f
 *
 * wide_sum_of and wide_dot_of (reduce.h) are sums in double precision of either. */
#ifndef CRDI_REAL_H
#define CRDI_REAL_H

#include "kernel/impl/simd.h"

#if CRDI_SINGLE
#include "kernel/vmath_single.h"
typedef float real;
typedef v16 vr;
enum { LANES = CRDI_LANES_SINGLE };
#define REAL_FMA fmaf
#define OUT out_single
#define IN in_single
#define MORE more_single
#define VM(name) vf_##name
#define vr_load v16_load
#define vr_store v16_store
#define vr_load_n v16_load_n
#define vr_store_n v16_store_n
#define vr_set v16_set
#define vr_add v16_add
#define vr_sub v16_sub
#define vr_mul v16_mul
#define vr_fma v16_fma
#define vr_fnma v16_fnma
#define vr_if_positive v16_if_positive
#define vr_relu v16_relu
#define vr_first v16_first
#define vr_sum v16_sum
#define vr_sum4 v16_sum4
#else
#include "kernel/vmath.h"
typedef double real;
typedef v8 vr;
enum { LANES = CRDI_LANES };
#define REAL_FMA fma
#define OUT out
#define IN in
#define MORE more
#define VM(name) vm_##name
#define vr_load v8_load
#define vr_store v8_store
#define vr_load_n v8_load_n
#define vr_store_n v8_store_n
#define vr_set v8_set
#define vr_add v8_add
#define vr_sub v8_sub
#define vr_mul v8_mul
#define vr_fma v8_fma
#define vr_fnma v8_fnma
#define vr_if_positive v8_if_positive
#define vr_relu v8_relu
#define vr_first v8_first
#define vr_sum v8_sum
#define vr_sum4 v8_sum4
#endif

#endif
