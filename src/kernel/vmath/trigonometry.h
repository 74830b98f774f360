/* trigonometry.h - sin, cos, atan. */
#ifndef CRDI_VMATH_TRIGONOMETRY_H
#define CRDI_VMATH_TRIGONOMETRY_H

#include "kernel/vmath/arithmetic.h"
#include "kernel/vmath/polynomials.h"

/* Half of pi to 160 bits. */
#define VM_HALF_PI_HIGH 0x1.921fb54442d18p+0
#define VM_HALF_PI_MIDDLE 0x1.1a62633145c07p-54
#define VM_HALF_PI_LOW -0x1.f1976b7ed8fbcp-110
#define VM_TWO_OVER_PI 0x1.45f306dc9c883p-1
#define VM_SIN_LIMIT 0x1p40

/* sin(x + quarters pi/2), by x = k pi/2 + r in three fused steps (Cody & Waite 1980): the first is exact, the others
 * round relative to r. From VM_SIN_LIMIT (1e12) on, where neighbouring doubles are 1e-4 apart and k outgrows the steps,
 * the answer is NaN. */
VM_INLINE double vm_sin_quarters(double x, uint64_t quarters)
{
    double shifted = fma(x, VM_TWO_OVER_PI, VM_ROUND), k = shifted - VM_ROUND;
    uint64_t q = vm_bits(shifted) + quarters;
    double r = fma(-k, VM_HALF_PI_LOW, fma(-k, VM_HALF_PI_MIDDLE, fma(-k, VM_HALF_PI_HIGH, x)));
    double z = r * r;
    double s = fma(r * z, vm_p_sin(z), r), c = fma(z * z, vm_p_cos(z), fma(z, -0.5, 1));
    double y = (q & 1) != 0 ? c : s;
    y = vm_from_bits(vm_bits(y) ^ ((q & 2) << 62));
    return fabs(x) < VM_SIN_LIMIT ? y : NAN;
}

/* Both: error at most 1.52 ulp: 400 000 points up to 1e5, 10 and 1e12, and the doubles next to 5 000 multiples of pi/2. */
VM_INLINE double vm_sin(double x)
{
    double y = vm_sin_quarters(x, 0);
    return x == 0 ? x : y;
}

VM_INLINE double vm_cos(double x)
{
    return vm_sin_quarters(x, 1);
}

/* atan(x) = base + atan(t), |t| <= tan(pi/8): t = x, (x - 1) / (x + 1) or -1 / x.
 * Error at most 1.40 ulp: 150 000 points up to 1e300, on [-5, 5] and [-0.5, 0.5]. */
VM_INLINE double vm_atan(double x)
{
    double y = fabs(x);
    int middle = y > 0x1.a827999fcef32p-2, large = y > 0x1.3504f333f9de6p+1;
    double above = middle ? y - 1 : y, below = middle ? y + 1 : 1;
    double t = (large ? -1 : above) / (large ? y : below), z = t * t;
    double base = middle ? VM_HALF_PI_HIGH / 2 : 0, rest = middle ? VM_HALF_PI_MIDDLE / 2 : 0;
    base = large ? VM_HALF_PI_HIGH : base;
    rest = large ? VM_HALF_PI_MIDDLE : rest;
    return copysign(base + (t + fma(t * z, vm_p_atan(z), rest)), x);
}

#endif
