/* vmath_single.h - elementary functions of floats, vf_NAME for every UNARY and BINARY row of kernels.def: either written for
 * floats, or the function of doubles, rounded. What vmath.h says about choices, the C library and bits holds here too. */
#ifndef CRDI_VMATH_SINGLE_H
#define CRDI_VMATH_SINGLE_H

#include "kernel/vmath.h"
#include "kernel/vmath/elementary_single.h"

#define VF_UNARY_OF_DOUBLES(name)                                                                                      \
    VM_INLINE float vf_##name(float x)                                                                                 \
    {                                                                                                                  \
        return (float)vm_##name((double)x);                                                                            \
    }
VF_UNARY_OF_DOUBLES(erfinv)
VF_UNARY_OF_DOUBLES(sin)
VF_UNARY_OF_DOUBLES(cos)
VF_UNARY_OF_DOUBLES(atan)
VF_UNARY_OF_DOUBLES(lgamma)
VF_UNARY_OF_DOUBLES(digamma)
VF_UNARY_OF_DOUBLES(trigamma)
#undef VF_UNARY_OF_DOUBLES

VM_INLINE float vf_pow(float a, float b)
{
    return (float)vm_pow((double)a, (double)b);
}

#endif
