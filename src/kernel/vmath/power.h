/* power.h - pow, as exp(b log a) with the logarithm in double-double. */
#ifndef CRDI_VMATH_POWER_H
#define CRDI_VMATH_POWER_H

#include "kernel/vmath/exponential.h"
#include "kernel/vmath/logarithm.h"
#include "kernel/vmath/polynomials.h"

/* A sum of two doubles that do not overlap: high + low. */
typedef struct vm_pair {
    double high, low;
} vm_pair;

/* a + b exactly (Knuth 1969), and where |a| >= |b| (Dekker 1971). */
VM_INLINE vm_pair vm_two_sum(double a, double b)
{
    double s = a + b, t = s - a;
    vm_pair r = {s, (a - (s - t)) + (b - t)};
    return r;
}

VM_INLINE vm_pair vm_fast_two_sum(double a, double b)
{
    double s = a + b;
    vm_pair r = {s, b - (s - a)};
    return r;
}

VM_INLINE vm_pair vm_pair_mul(vm_pair a, vm_pair b)
{
    double p = a.high * b.high;
    return vm_fast_two_sum(p, fma(a.high, b.low, fma(a.low, b.high, fma(a.high, b.high, -p))));
}

/* log x for finite x > 0, to about 2^-66: 2 s + s^3 (2/3 + s^2 P(s^2)), s = f / (2 + f), all but P in pairs. */
VM_INLINE vm_pair vm_log_pair(double x)
{
    uint64_t exponent;
    int small = x < 0x1p-1022;
    double f = vm_split(small ? x * 0x1p54 : x, &exponent) - 1;
    double k = vm_from_integer(exponent) - (small ? 1023 + 54 : 1023);
    vm_pair d = vm_fast_two_sum(2, f), s;
    s.high = f / d.high;
    s.low = (fma(-s.high, d.high, f) - s.high * d.low) / d.high;
    vm_pair z = vm_pair_mul(s, s);
    vm_pair c = vm_fast_two_sum(0x1.5555555555555p-1, fma(z.high, vm_p_log_next(z.high), 0x1.5555555555555p-55));
    vm_pair t = vm_pair_mul(vm_pair_mul(s, z), c);
    double whole = k * VM_LN2_HIGH, part = fma(k, VM_LN2_LOW, fma(k, VM_LN2_HIGH, -whole));
    vm_pair a = vm_two_sum(whole, 2 * s.high), b = vm_two_sum(a.high, t.high);
    return vm_fast_two_sum(b.high, a.low + b.low + (2 * s.low + t.low + part));
}

/* The special cases are those of C17 annex F.10.4.4.
 * Error at most 0.92 ulp: 250 000 pairs over all results, bases near 1 and integer exponents. */
VM_INLINE double vm_pow(double a, double b)
{
    double size = fabs(a);
    vm_pair l = vm_log_pair(size);
    double high = b * l.high, low = fma(b, l.high, -high) + b * l.low;
    int far = fabs(high) > 1000;
    double y = vm_exp_bounded(far ? copysign(1000, high) : high, far ? 0 : low);
    double at_zero = b < 0 ? INFINITY : 0, at_infinity = b < 0 ? 0 : INFINITY;
    y = size == 0 ? at_zero : y;
    y = size == INFINITY ? at_infinity : y;
    y = size == 1 ? 1 : y;
    double whole = floor(b), half = 0.5 * b, odd = whole == b ? 1 : 0;
    odd = floor(half) == half ? 0 : odd;
    double other = whole == b ? y : NAN; /* of a negative a */
    other = size == INFINITY ? y : other;
    y = a < 0 ? other : y;
    y = odd != 0 ? copysign(y, a) : y;
    y = a != a ? a : y;
    y = b != b ? b : y;
    y = b == 0 ? 1 : y;
    return a == 1 ? 1 : y;
}

#endif
