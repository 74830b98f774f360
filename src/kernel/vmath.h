/* vmath.h - PLACEHOLDER until the real one is in. */
#ifndef CRDI_VMATH_H
#define CRDI_VMATH_H
#include <math.h>
static inline double vm_neg(double x) { return -x; }
static inline double vm_abs(double x) { return fabs(x); }
static inline double vm_sign(double x) { return x > 0 ? 1 : x < 0 ? -1 : x; }
static inline double vm_floor(double x) { return floor(x); }
static inline double vm_heaviside(double x) { return x > 0 ? 1 : 0; }
static inline double vm_square(double x) { return x * x; }
static inline double vm_sqrt(double x) { return sqrt(x); }
static inline double vm_reciprocal(double x) { return 1 / x; }
static inline double vm_exp(double x) { return exp(x); }
static inline double vm_expm1(double x) { return expm1(x); }
static inline double vm_log(double x) { return log(x); }
static inline double vm_log1p(double x) { return log1p(x); }
static inline double vm_tanh(double x) { return tanh(x); }
static inline double vm_sigmoid(double x) { return 1 / (1 + exp(-x)); }
static inline double vm_softplus(double x) { return (x > 0 ? x : 0) + log1p(exp(-fabs(x))); }
static inline double vm_relu(double x) { return x > 0 ? x : 0; }
static inline double vm_erf(double x) { return erf(x); }
static inline double vm_erfinv(double x) { return x; }
static inline double vm_sin(double x) { return sin(x); }
static inline double vm_cos(double x) { return cos(x); }
static inline double vm_atan(double x) { return atan(x); }
static inline double vm_lgamma(double x) { return lgamma(x); }
static inline double vm_digamma(double x) { return x; }
static inline double vm_trigamma(double x) { return x; }
static inline double vm_add(double a, double b) { return a + b; }
static inline double vm_sub(double a, double b) { return a - b; }
static inline double vm_mul(double a, double b) { return a * b; }
static inline double vm_div(double a, double b) { return a / b; }
static inline double vm_pow(double a, double b) { return pow(a, b); }
static inline double vm_max(double a, double b) { return a > b || a != a ? a : b; }
static inline double vm_min(double a, double b) { return a < b || a != a ? a : b; }
static inline double vm_less(double a, double b) { return a < b; }
static inline double vm_less_equal(double a, double b) { return a <= b; }
static inline double vm_equal(double a, double b) { return a == b; }
static inline double vm_tanh_vjp(double g, double h) { return g * fma(-h, h, 1); }
static inline double vm_sigmoid_vjp(double g, double s) { return g * (s * (1 - s)); }
static inline double vm_relu_vjp(double g, double x) { return x > 0 ? g : 0; }
#endif
