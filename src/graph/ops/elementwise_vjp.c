/* elementwise_vjp.c - the gradient of each operation of ops.def, next to its formula.
 *
 * In each: x, a, b are the arguments, y the value, g = d loss / d y. A gradient of a broadcast argument is summed back to
 * its shape. Everything is built from operations again, so that gradients can be differentiated too. */
#include "graph/ops/vjp.h"

#include <math.h>

#define UNARY(name, gradient)                                                                                          \
    void crdi_vjp_##name(crd_node y, const crdi_vertex *v, crd_node g, crd_node *grad)                                 \
    {                                                                                                                  \
        crd_node x = crdi_arg(y, 0);                                                                                   \
        (void)v;                                                                                                       \
        (void)x;                                                                                                       \
        crdi_accumulate(&grad[0], gradient);                                                                           \
    }

#define BINARY(name, gradient_a, gradient_b)                                                                           \
    void crdi_vjp_##name(crd_node y, const crdi_vertex *v, crd_node g, crd_node *grad)                                 \
    {                                                                                                                  \
        crd_node a = crdi_arg(y, 0), b = crdi_arg(y, 1);                                                               \
        (void)v;                                                                                                       \
        if (!crd_node_known(a, NULL))                                                                                  \
            crdi_accumulate(&grad[0], crdi_unbroadcast(gradient_a, crd_node_shape(a)));                                \
        if (!crd_node_known(b, NULL))                                                                                  \
            crdi_accumulate(&grad[1], crdi_unbroadcast(gradient_b, crd_node_shape(b)));                                \
    }

/* Piecewise constant: no gradient, as in JAX. */
#define FLAT(name)                                                                                                     \
    void crdi_vjp_##name(crd_node y, const crdi_vertex *v, crd_node g, crd_node *grad)                                 \
    {                                                                                                                  \
        (void)y;                                                                                                       \
        (void)v;                                                                                                       \
        (void)g;                                                                                                       \
        (void)grad;                                                                                                    \
    }

static const double TWO_OVER_SQRT_PI = 1.1283791670955126;
static const double SQRT_PI_OVER_TWO = 0.88622692545275801;

UNARY(neg, crd_neg(g))
UNARY(abs, crd_mul(g, crd_sign(x)))
UNARY(square, crd_mul(g, crd_mul(crd_num(2), x)))
UNARY(sqrt, crd_div(crd_mul(crd_num(0.5), g), y))
UNARY(reciprocal, crd_neg(crd_mul(g, crd_square(y))))
UNARY(exp, crd_mul(g, y))
UNARY(expm1, crd_mul(g, crd_add(y, crd_num(1))))
UNARY(log, crd_div(g, x))
UNARY(log1p, crd_div(g, crd_add(x, crd_num(1))))
UNARY(tanh, crd_tanh_vjp(g, y))
UNARY(sigmoid, crd_sigmoid_vjp(g, y))
UNARY(softplus, crd_mul(g, crd_sigmoid(x)))
UNARY(relu, crd_relu_vjp(g, y)) /* y > 0 where x is, and x need not be kept */
UNARY(erf, crd_mul(g, crd_mul(crd_num(TWO_OVER_SQRT_PI), crd_exp(crd_neg(crd_square(x))))))
UNARY(erfinv, crd_mul(g, crd_mul(crd_num(SQRT_PI_OVER_TWO), crd_exp(crd_square(y)))))
UNARY(sin, crd_mul(g, crd_cos(x)))
UNARY(cos, crd_neg(crd_mul(g, crd_sin(x))))
UNARY(atan, crd_div(g, crd_add(crd_square(x), crd_num(1))))
UNARY(lgamma, crd_mul(g, crd_digamma(x)))
UNARY(digamma, crd_mul(g, crd_trigamma(x)))
FLAT(sign)
FLAT(floor)
FLAT(heaviside)
FLAT(less)
FLAT(less_equal)
FLAT(equal)

void crdi_vjp_trigamma(crd_node y, const crdi_vertex *v, crd_node g, crd_node *grad)
{
    (void)g;
    (void)grad;
    crdi_fail(y.graph, CRD_EUNSUPPORTED, v->where, "trigamma: its derivative is not available");
}

BINARY(add, g, g)
BINARY(sub, g, crd_neg(g))
BINARY(mul, crd_mul(g, b), crd_mul(g, a))
BINARY(div, crd_div(g, b), crd_neg(crd_div(crd_mul(g, y), b)))
/* d/da a^b = b a^(b - 1); at b = 0 it is 0, and a^-1 must not make it NaN where a = 0. d/db a^b = a^b log a; at a = 0
 * the limit is 0 for b > 0, and log 0 must not make it NaN. */
BINARY(pow,
       crd_mul(g, crd_mul(b, crd_pow(a, crd_select(crd_equal(b, crd_num(0)), crd_num(1), crd_sub(b, crd_num(1)))))),
       crd_mul(g, crd_select(crd_equal(a, crd_num(0)), crd_num(0),
                             crd_mul(y, crd_log(crd_select(crd_equal(a, crd_num(0)), crd_num(1), a))))))
/* Ties give each side a half, as in JAX. */
#define WHERE_LARGER(p, q) crd_add(crd_less(q, p), crd_mul(crd_num(0.5), crd_equal(p, q)))
BINARY(max, crd_mul(g, WHERE_LARGER(a, b)), crd_mul(g, WHERE_LARGER(b, a)))
BINARY(min, crd_mul(g, WHERE_LARGER(b, a)), crd_mul(g, WHERE_LARGER(a, b)))
/* a (1 - b^2), a b (1 - b), a [b > 0] */
BINARY(tanh_vjp, crd_tanh_vjp(g, b), crd_mul(crd_num(-2), crd_mul(g, crd_mul(a, b))))
BINARY(sigmoid_vjp, crd_sigmoid_vjp(g, b), crd_mul(g, crd_mul(a, crd_sub(crd_num(1), crd_mul(crd_num(2), b)))))

void crdi_vjp_relu_vjp(crd_node y, const crdi_vertex *v, crd_node g, crd_node *grad)
{
    crd_node a = crdi_arg(y, 0), b = crdi_arg(y, 1); /* flat in b */
    (void)v;
    crdi_accumulate(&grad[0], crdi_unbroadcast(crd_relu_vjp(g, b), crd_node_shape(a)));
}
