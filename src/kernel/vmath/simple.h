/* simple.h - functions that are one or two IEEE operations, for either precision: VM_REAL, VM_NAME(f) for the name of
 * function f, VM_C(f) for that of the C library, are defined before this is included, and undefined behind it. */

VM_INLINE VM_REAL VM_NAME(neg)(VM_REAL x)
{
    return -x;
}

VM_INLINE VM_REAL VM_NAME(abs)(VM_REAL x)
{
    return VM_C(fabs)(x);
}

VM_INLINE VM_REAL VM_NAME(sign)(VM_REAL x)
{
    VM_REAL s = x < 0 ? -1 : x;
    return x > 0 ? 1 : s;
}

VM_INLINE VM_REAL VM_NAME(floor)(VM_REAL x)
{
    return VM_C(floor)(x);
}

/* 0 at 0: the derivative of relu that vm_relu_vjp uses. */
VM_INLINE VM_REAL VM_NAME(heaviside)(VM_REAL x)
{
    VM_REAL h = x <= 0 ? 0 : x;
    return x > 0 ? 1 : h;
}

VM_INLINE VM_REAL VM_NAME(square)(VM_REAL x)
{
    return x * x;
}

VM_INLINE VM_REAL VM_NAME(sqrt)(VM_REAL x)
{
    return VM_C(sqrt)(x);
}

VM_INLINE VM_REAL VM_NAME(reciprocal)(VM_REAL x)
{
    return 1 / x;
}

VM_INLINE VM_REAL VM_NAME(relu)(VM_REAL x)
{
    return x <= 0 ? 0 : x;
}

VM_INLINE VM_REAL VM_NAME(add)(VM_REAL a, VM_REAL b)
{
    return a + b;
}

VM_INLINE VM_REAL VM_NAME(sub)(VM_REAL a, VM_REAL b)
{
    return a - b;
}

VM_INLINE VM_REAL VM_NAME(mul)(VM_REAL a, VM_REAL b)
{
    return a * b;
}

VM_INLINE VM_REAL VM_NAME(div)(VM_REAL a, VM_REAL b)
{
    return a / b;
}

/* A NaN on either side gives NaN; of two zeros, b. */
VM_INLINE VM_REAL VM_NAME(max)(VM_REAL a, VM_REAL b)
{
    VM_REAL larger = a > b ? a : b;
    return a != a ? a : larger;
}

VM_INLINE VM_REAL VM_NAME(min)(VM_REAL a, VM_REAL b)
{
    VM_REAL smaller = a < b ? a : b;
    return a != a ? a : smaller;
}

VM_INLINE VM_REAL VM_NAME(less)(VM_REAL a, VM_REAL b)
{
    return a < b ? 1 : 0;
}

VM_INLINE VM_REAL VM_NAME(less_equal)(VM_REAL a, VM_REAL b)
{
    return a <= b ? 1 : 0;
}

VM_INLINE VM_REAL VM_NAME(equal)(VM_REAL a, VM_REAL b)
{
    return a == b ? 1 : 0;
}

/* Gradients g into f(x), from the value h = tanh(x), s = sigmoid(x) or from x itself. */
VM_INLINE VM_REAL VM_NAME(tanh_vjp)(VM_REAL g, VM_REAL h)
{
    return g * VM_C(fma)(-h, h, 1);
}

VM_INLINE VM_REAL VM_NAME(sigmoid_vjp)(VM_REAL g, VM_REAL s)
{
    return g * (s * (1 - s));
}

VM_INLINE VM_REAL VM_NAME(relu_vjp)(VM_REAL g, VM_REAL x)
{
    return x > 0 ? g : 0;
}

#undef VM_REAL
#undef VM_NAME
#undef VM_C
