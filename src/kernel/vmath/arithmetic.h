/* arithmetic.h - functions that are one or two IEEE operations, and the tools of the others. */
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

VM_INLINE double vm_neg(double x)
{
    return -x;
}

VM_INLINE double vm_abs(double x)
{
    return fabs(x);
}

VM_INLINE double vm_sign(double x)
{
    double s = x < 0 ? -1 : x;
    return x > 0 ? 1 : s;
}

VM_INLINE double vm_floor(double x)
{
    return floor(x);
}

/* 0 at 0: the derivative of relu that vm_relu_vjp uses. */
VM_INLINE double vm_heaviside(double x)
{
    double h = x <= 0 ? 0 : x;
    return x > 0 ? 1 : h;
}

VM_INLINE double vm_square(double x)
{
    return x * x;
}

VM_INLINE double vm_sqrt(double x)
{
    return sqrt(x);
}

VM_INLINE double vm_reciprocal(double x)
{
    return 1 / x;
}

VM_INLINE double vm_relu(double x)
{
    return x <= 0 ? 0 : x;
}

VM_INLINE double vm_add(double a, double b)
{
    return a + b;
}

VM_INLINE double vm_sub(double a, double b)
{
    return a - b;
}

VM_INLINE double vm_mul(double a, double b)
{
    return a * b;
}

VM_INLINE double vm_div(double a, double b)
{
    return a / b;
}

/* A NaN on either side gives NaN; of two zeros, b. */
VM_INLINE double vm_max(double a, double b)
{
    double larger = a > b ? a : b;
    return a != a ? a : larger;
}

VM_INLINE double vm_min(double a, double b)
{
    double smaller = a < b ? a : b;
    return a != a ? a : smaller;
}

VM_INLINE double vm_less(double a, double b)
{
    return a < b ? 1 : 0;
}

VM_INLINE double vm_less_equal(double a, double b)
{
    return a <= b ? 1 : 0;
}

VM_INLINE double vm_equal(double a, double b)
{
    return a == b ? 1 : 0;
}

/* Gradients g into f(x), from the value h = tanh(x), s = sigmoid(x) or from x itself. */
VM_INLINE double vm_tanh_vjp(double g, double h)
{
    return g * fma(-h, h, 1);
}

VM_INLINE double vm_sigmoid_vjp(double g, double s)
{
    return g * (s * (1 - s));
}

VM_INLINE double vm_relu_vjp(double g, double x)
{
    return x > 0 ? g : 0;
}

#endif
