/* vmath.h - elementary functions, vm_NAME for every UNARY and BINARY row of kernels.def.
 *
 * Plain scalar C without branches or tables: a choice is a select between two finished values, so that the compiler
 * vectorises the loops in impl/elementwise.h; the exceptions are lgamma, digamma and trigamma. Nothing here calls the C
 * library except for operations that IEEE 754 defines to the bit (fma, sqrt, floor, rint, copysign, fabs), so every
 * instruction set, compiler and loop tail gives the same bits; only which NaN a NaN is is left open.
 *
 * Polynomials are minimax fits (vmath/polynomials.h, made by tools/vmath_coefficients.py). The error in the comment of
 * each function was measured against mpmath at 50 digits; tests/unit/kernel/test_vmath.c asserts it on a stored table,
 * docs/dev/kernels.md lists all. An ulp is that of the exact result. */
#ifndef CRDI_VMATH_H
#define CRDI_VMATH_H

#include "kernel/vmath/arithmetic.h"
#include "kernel/vmath/exponential.h"
#include "kernel/vmath/logarithm.h"
#include "kernel/vmath/error_function.h"
#include "kernel/vmath/trigonometry.h"
#include "kernel/vmath/power.h"
#include "kernel/vmath/gamma.h"

#endif
