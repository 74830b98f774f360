/* elementwise.h - out[i] = f(a[i], b[i], ...): plain loops that the compiler vectorises. */

/* Unary: n[0] elements. */
#define UNARY(name)                                                                                                    \
    static void k_##name(const crdi_call *call)                                                                        \
    {                                                                                                                  \
        const real *a = call->IN[0];                                                                                   \
        real *out = call->OUT;                                                                                         \
        _Pragma("omp simd")                                                                                            \
        for (int64_t i = 0; i < call->n[0]; i++)                                                                       \
            out[i] = VM(name)(a[i]);                                                                                   \
    }

/* Binary: n[1] rows of n[0] elements; row r of a starts at a + r s[0], of b at b + r s[1]; out is contiguous. */
#define BINARY_FORM(name, form, left, right)                                                                           \
    static void k_##name##_##form(const crdi_call *call)                                                               \
    {                                                                                                                  \
        int64_t n = call->n[0];                                                                                        \
        for (int64_t r = 0; r < call->n[1]; r++) {                                                                     \
            const real *a = call->IN[0] + r * call->s[0], *b = call->IN[1] + r * call->s[1];                           \
            real *out = call->OUT + r * n;                                                                             \
            _Pragma("omp simd")                                                                                        \
            for (int64_t i = 0; i < n; i++)                                                                            \
                out[i] = VM(name)(left, right);                                                                        \
        }                                                                                                              \
    }
#define BINARY(name)                                                                                                   \
    BINARY_FORM(name, vv, a[i], b[i])                                                                                  \
    BINARY_FORM(name, vs, a[i], b[0])                                                                                  \
    BINARY_FORM(name, sv, a[0], b[i])
#define OTHER(name)
#define FUSED(name)
#include "kernel/kernels.def"

/* out[i] = in[0][i] != 0 ? in[1][i] : in[2][i], n[0] elements. */
static void k_select(const crdi_call *call)
{
    const real *c = call->IN[0], *a = call->IN[1], *b = call->IN[2];
    real *out = call->OUT;
    _Pragma("omp simd")
    for (int64_t i = 0; i < call->n[0]; i++)
        out[i] = c[i] != 0 ? a[i] : b[i];
}

/* out[i] = number[0], n[0] elements. */
static void k_fill(const crdi_call *call)
{
    for (int64_t i = 0; i < call->n[0]; i++)
        call->OUT[i] = (real)call->number[0];
}

/* out[i] = a[i], n[0] elements. */
static void k_copy(const crdi_call *call)
{
    memcpy(call->OUT, call->IN[0], (size_t)call->n[0] * sizeof(real));
}

/* out[i] = fma(number[0], a[i], b[i]), n[0] elements; out may be b. */
static void k_axpy(const crdi_call *call)
{
    const real *a = call->IN[0], *b = call->IN[1], c = (real)call->number[0];
    real *out = call->OUT;
    _Pragma("omp simd")
    for (int64_t i = 0; i < call->n[0]; i++)
        out[i] = REAL_FMA(c, a[i], b[i]);
}
