/* arithmetic.h - the tools of the functions in double precision, and those that are one or two IEEE operations. */
#ifndef CRDI_VMATH_ARITHMETIC_H
#define CRDI_VMATH_ARITHMETIC_H

#include <math.h>
#include <stdint.h>
#include <string.h>

/* Without this gcc leaves the larger functions out of line, and then the loop around them is not vectorised. */
#define VM_INLINE static inline __attribute__((always_inline))

/* Added to a number below 2^51 this rounds it to an integer (to even), which then stands in the low bits. */
#define VM_ROUND 0x1.8p52
#define VM_LOG2E 0x1.71547652b82fep+0
/* log 2 to 107 bits: with fma, x - k VM_LN2_HIGH is exact wherever exp needs it. */
#define VM_LN2_HIGH 0x1.62e42fefa39efp-1
#define VM_LN2_LOW 0x1.abc9e3b39803fp-56

VM_INLINE uint64_t vm_bits(double x)
{
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

VM_INLINE double vm_from_bits(uint64_t bits)
{
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* 2^k for an integer k from -1022 to 1023. */
VM_INLINE double vm_power_of_two(double k)
{
    return vm_from_bits(vm_bits(k + (VM_ROUND + 1023)) << 52);
}

#define VM_REAL double
#define VM_NAME(name) vm_##name
#define VM_C(name) name
#include "kernel/vmath/simple.h"

#endif
