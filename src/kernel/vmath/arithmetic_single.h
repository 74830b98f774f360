/* arithmetic_single.h - the tools of the functions in single precision, and those that are one or two IEEE operations. */
#ifndef CRDI_VMATH_ARITHMETIC_SINGLE_H
#define CRDI_VMATH_ARITHMETIC_SINGLE_H

#include "kernel/vmath/arithmetic.h"

/* As in arithmetic.h, for numbers below 2^22. */
#define VF_ROUND 0x1.8p23f
#define VF_LOG2E 0x1.715476p+0f
#define VF_LN2_HIGH 0x1.62e430p-1f
#define VF_LN2_LOW -0x1.05c610p-29f

VM_INLINE uint32_t vf_bits(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

VM_INLINE float vf_from_bits(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* 2^k for an integer k from -126 to 127. */
VM_INLINE float vf_power_of_two(float k)
{
    return vf_from_bits(vf_bits(k + (VF_ROUND + 127)) << 23);
}

#define VM_REAL float
#define VM_NAME(name) vf_##name
#define VM_C(name) name##f
#include "kernel/vmath/simple.h"

#endif
