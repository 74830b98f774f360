/* test_ops.c - every operation: value against a naive formula or a law, gradient against finite differences.
 *
 * A case is a function from an input vector to a scalar; its gradient graph is compiled and compared, coordinate by
 * coordinate, with a central difference of step h = 6e-6 max(1, |z|) (error about h^2 |f'''| + eps |f| / h: 1e-6 suffices
 * for these functions). Each case weights its elements differently, so that a gradient that lands on the wrong element is
 * seen. */
#include "testing.h"

#include <math.h>
#include <string.h>

typedef crd_node (*builder)(crd_graph *g, crd_node z);

/* Inputs are 12 numbers; most cases shape them as they need. */
enum { N = 12 };
static const double point[N] = {0.31, -0.77, 1.43, 2.385, -1.9, 0.052, 0.61, -0.34, 1.11, 0.89, -2.2, 0.45};

static crd_node weights(crd_graph *g, crd_shape shape)
{
    double w[64];
    for (int i = 0; i < 64; i++)
        w[i] = 0.3 + 0.17 * i - 0.011 * i * i;
    crd_array array = crd_array_borrow(w, shape);
    return crd_constant(g, &array);
}

static crd_node weigh(crd_graph *g, crd_node x)
{
    return crd_sum(crd_mul(x, weights(g, crd_node_shape(x))));
}

static crd_node square_of(crd_node x, int64_t n)
{
    return crd_reshape(crd_slice(x, 0, 0, n * n, 1), crd_shape_2(n, n));
}

/* Maps anything into (0.2, 2.2): for functions of positive numbers. */
static crd_node positive(crd_node z)
{
    return crd_add(crd_num(0.2), crd_mul(crd_num(2), crd_sigmoid(z)));
}

#define CASE(name, ...)                                                                                                \
    static crd_node build_##name(crd_graph *g, crd_node z)                                                             \
    {                                                                                                                  \
        (void)g;                                                                                                       \
        (void)z;                                                                                                       \
        return __VA_ARGS__;                                                                                            \
    }
CASE(neg, weigh(g, crd_neg(z)))
CASE(abs, weigh(g, crd_abs(z)))
CASE(sign, weigh(g, crd_mul(z, crd_sign(z))))
CASE(floor, weigh(g, crd_mul(z, crd_floor(z))))
CASE(heaviside, weigh(g, crd_mul(z, crd_heaviside(z))))
CASE(square, weigh(g, crd_square(z)))
CASE(sqrt, weigh(g, crd_sqrt(positive(z))))
CASE(reciprocal, weigh(g, crd_reciprocal(positive(z))))
CASE(exp, weigh(g, crd_exp(z)))
CASE(expm1, weigh(g, crd_expm1(z)))
CASE(log, weigh(g, crd_log(positive(z))))
CASE(log1p, weigh(g, crd_log1p(positive(z))))
CASE(tanh, weigh(g, crd_tanh(z)))
CASE(sigmoid, weigh(g, crd_sigmoid(z)))
CASE(softplus, weigh(g, crd_softplus(z)))
CASE(relu, weigh(g, crd_relu(z)))
CASE(erf, weigh(g, crd_erf(z)))
CASE(erfinv, weigh(g, crd_erfinv(crd_mul(crd_num(0.4), z))))
CASE(sin, weigh(g, crd_sin(z)))
CASE(cos, weigh(g, crd_cos(z)))
CASE(atan, weigh(g, crd_atan(z)))
CASE(lgamma, weigh(g, crd_lgamma(positive(z))))
CASE(digamma, weigh(g, crd_digamma(positive(z))))
CASE(trigamma, weigh(g, crd_trigamma(weights(g, crd_shape_1(N)))))
#define HALVES(op) weigh(g, op(crd_slice(z, 0, 0, 6, 1), crd_slice(z, 0, 6, 6, 1)))
CASE(add, HALVES(crd_add))
CASE(sub, HALVES(crd_sub))
CASE(mul, HALVES(crd_mul))
CASE(div, weigh(g, crd_div(crd_slice(z, 0, 0, 6, 1), positive(crd_slice(z, 0, 6, 6, 1)))))
CASE(pow, weigh(g, crd_pow(positive(crd_slice(z, 0, 0, 6, 1)), crd_slice(z, 0, 6, 6, 1))))
CASE(max, HALVES(crd_max))
CASE(min, HALVES(crd_min))
CASE(less, weigh(g, crd_mul(z, crd_less(z, crd_num(0.4)))))
CASE(less_equal, weigh(g, crd_mul(z, crd_less_equal(z, crd_num(0.4)))))
CASE(equal, weigh(g, crd_mul(z, crd_equal(z, z))))
CASE(tanh_vjp, HALVES(crd_tanh_vjp))
CASE(sigmoid_vjp, HALVES(crd_sigmoid_vjp))
CASE(relu_vjp, HALVES(crd_relu_vjp))
CASE(select, weigh(g, crd_select(crd_less(z, crd_num(0.2)), crd_square(z), crd_mul(crd_num(3), z))))
CASE(sum, crd_square(crd_sum(crd_tanh(z))))
CASE(sumsq, crd_sum(crd_square(crd_tanh(z))))
CASE(sum_scaled, crd_sum(crd_div(crd_square(crd_sub(z, crd_num(0.3))), crd_exp(crd_take(z, 0, 1)))))
CASE(sum_terms,
     crd_sum(crd_sub(crd_mul(crd_num(-0.5), crd_square(crd_div(z, crd_exp(crd_take(z, 0, 2))))), crd_take(z, 0, 2))))
CASE(dot, crd_dot(crd_slice(z, 0, 0, 6, 1), crd_tanh(crd_slice(z, 0, 6, 6, 1))))
#define GRID(r, c) crd_reshape(z, crd_shape_2(r, c))
CASE(sum_axis_0, weigh(g, crd_square(crd_sum_axis(GRID(3, 4), 0))))
CASE(sum_axis_1, weigh(g, crd_square(crd_sum_axis(GRID(3, 4), 1))))
CASE(sum_axis_mid, weigh(g, crd_square(crd_sum_axis(crd_reshape(z, (crd_shape){3, {2, 3, 2}}), 1))))
CASE(max_axis_0, weigh(g, crd_max_axis(GRID(3, 4), 0)))
CASE(max_axis_1, weigh(g, crd_max_axis(GRID(3, 4), 1)))
CASE(logsumexp_0, weigh(g, crd_logsumexp(GRID(3, 4), 0)))
CASE(logsumexp_1, weigh(g, crd_logsumexp(GRID(3, 4), 1)))
CASE(broadcast_column, weigh(g, crd_mul(GRID(3, 4), crd_reshape(crd_slice(z, 0, 2, 3, 1), crd_shape_2(3, 1)))))
CASE(broadcast_row, weigh(g, crd_div(GRID(3, 4), positive(crd_slice(z, 0, 2, 4, 1)))))
CASE(broadcast_outer,
     weigh(g, crd_sub(crd_reshape(crd_slice(z, 0, 0, 3, 1), crd_shape_2(3, 1)), crd_slice(z, 0, 3, 4, 1))))
CASE(broadcast_cube, weigh(g, crd_mul(crd_reshape(z, (crd_shape){3, {2, 3, 2}}),
                                      crd_reshape(crd_slice(z, 0, 1, 3, 1), (crd_shape){3, {1, 3, 1}}))))
CASE(broadcast_to, weigh(g, crd_square(crd_broadcast_to(crd_reshape(crd_slice(z, 0, 0, 3, 1), crd_shape_2(3, 1)),
                                                        crd_shape_2(3, 4)))))
CASE(matmul, weigh(g, crd_matmul(GRID(3, 4), crd_reshape(crd_tanh(z), crd_shape_2(4, 3)))))
CASE(matmul_twice,
     weigh(g,
           crd_matmul(crd_transpose(crd_matmul(GRID(3, 4), crd_reshape(crd_sin(z), crd_shape_2(4, 3)))), GRID(3, 4))))
CASE(matmul_batch, weigh(g, crd_matmul(crd_reshape(z, (crd_shape){3, {2, 2, 3}}),
                                       crd_reshape(crd_sin(z), (crd_shape){3, {2, 3, 2}}))))
CASE(matmul_shared, weigh(g, crd_matmul(crd_reshape(z, (crd_shape){3, {2, 2, 3}}),
                                        crd_reshape(crd_slice(crd_sin(z), 0, 0, 6, 1), crd_shape_2(3, 2)))))
CASE(affine, weigh(g, crd_affine(crd_reshape(crd_slice(z, 0, 0, 6, 1), crd_shape_2(2, 3)),
                                 crd_reshape(crd_slice(z, 0, 4, 8, 1), crd_shape_2(2, 4)), crd_slice(z, 0, 7, 3, 1))))
CASE(reshape, weigh(g, crd_square(GRID(2, 6))))
CASE(transpose, weigh(g, crd_square(crd_transpose(GRID(2, 6)))))
CASE(slice, weigh(g, crd_square(crd_slice(GRID(3, 4), 1, 3, 2, -2))))
CASE(take, weigh(g, crd_square(crd_take(GRID(3, 4), 1, 2))))
CASE(diagonal, weigh(g, crd_square(crd_diagonal(square_of(z, 3)))))
static crd_node build_concat(crd_graph *g, crd_node z)
{
    crd_node parts[] = {crd_square(GRID(3, 4)), crd_reshape(crd_slice(z, 0, 2, 3, 1), crd_shape_2(3, 1)), GRID(3, 4)};
    return weigh(g, crd_mul(crd_concat(parts, 3, 1), crd_num(0.7)));
}
static crd_node build_gather(crd_graph *g, crd_node z)
{
    double rows[] = {2, 0, 2, 1, 2};
    crd_array index = crd_array_borrow(rows, crd_shape_1(5));
    return weigh(g, crd_square(crd_gather(GRID(3, 4), crd_constant(g, &index))));
}
CASE(cumsum_0, weigh(g, crd_square(crd_cumsum(GRID(3, 4), 0))))
CASE(cumsum_1, weigh(g, crd_square(crd_cumsum(GRID(3, 4), 1))))
/* A positive definite matrix out of nine numbers: M M' + I. */
static crd_node definite(crd_graph *g, crd_node z)
{
    double eye[] = {1, 0, 0, 0, 1, 0, 0, 0, 1};
    crd_array identity = crd_array_borrow(eye, crd_shape_2(3, 3));
    crd_node m = square_of(z, 3);
    return crd_add(crd_matmul(m, crd_transpose(m)), crd_constant(g, &identity));
}
CASE(cholesky, weigh(g, crd_cholesky(definite(g, z))))
CASE(solve, weigh(g, crd_solve_triangular(crd_cholesky(definite(g, z)),
                                          crd_reshape(crd_slice(z, 0, 3, 6, 1), crd_shape_2(3, 2)), 0)))
CASE(solve_transposed, weigh(g, crd_solve_triangular(crd_cholesky(definite(g, z)),
                                                     crd_reshape(crd_slice(z, 0, 3, 6, 1), crd_shape_2(3, 2)), 1)))

static const struct {
    const char *name;
    builder build;
} cases[] = {
#define ROW(name)                                                                                                      \
    {                                                                                                                  \
#name, build_##name                                                                                            \
    }
#define OP(name, arity, what) ROW(name),
#include "graph/ops.def"
#undef OP
    ROW(select),
    ROW(sum),
    ROW(sumsq),
    ROW(sum_scaled),
    ROW(sum_terms),
    ROW(dot),
    ROW(sum_axis_0),
    ROW(sum_axis_1),
    ROW(sum_axis_mid),
    ROW(max_axis_0),
    ROW(max_axis_1),
    ROW(logsumexp_0),
    ROW(logsumexp_1),
    ROW(broadcast_column),
    ROW(broadcast_row),
    ROW(broadcast_outer),
    ROW(broadcast_cube),
    ROW(broadcast_to),
    ROW(matmul),
    ROW(matmul_twice),
    ROW(matmul_batch),
    ROW(matmul_shared),
    ROW(affine),
    ROW(reshape),
    ROW(transpose),
    ROW(slice),
    ROW(take),
    ROW(diagonal),
    ROW(concat),
    ROW(gather),
    ROW(cumsum_0),
    ROW(cumsum_1),
    ROW(cholesky),
    ROW(solve),
    ROW(solve_transposed),
};

/* A program that gives the value and, if `gradient`, the gradient of a case. */
static crd_exec *compile_case(crd_context *ctx, builder build, int order, crd_program **program)
{
    crd_graph *g;
    crd_exec *exec;
    assert_ok(ctx, crd_graph_create(&g, ctx));
    crd_node z = crd_input(g, "z", crd_shape_1(N)), outputs[2];
    outputs[0] = build(g, z);
    crd_gradient(outputs[0], &z, 1, &outputs[1]);
    if (order == 2) { /* the gradient of a weighted sum of the gradient */
        outputs[0] = weigh(g, outputs[1]);
        crd_gradient(outputs[0], &z, 1, &outputs[1]);
    }
    assert_ok(ctx, crd_compile(g, NULL, 0, outputs, 2, program));
    crd_graph_destroy(&g);
    assert_ok(ctx, crd_exec_create(&exec, *program));
    return exec;
}

static double value_at(crd_exec *exec, const double *z)
{
    memcpy(crd_exec_input(exec), z, N * sizeof *z);
    crd_exec_run(exec);
    return crd_exec_output(exec)[0];
}

static void check_gradient(const char *name, crd_exec *exec)
{
    double z[N], gradient[N];
    memcpy(z, point, sizeof z);
    value_at(exec, z);
    memcpy(gradient, crd_exec_output(exec) + 1, sizeof gradient);
    for (int i = 0; i < N; i++) {
        double h = 6e-6 * fmax(1, fabs(point[i]));
        z[i] = point[i] + h;
        double up = value_at(exec, z);
        z[i] = point[i] - h;
        double down = value_at(exec, z);
        z[i] = point[i];
        double expected = (up - down) / (2 * h);
        if (fabs(gradient[i] - expected) > 1e-6 * fmax(1, fabs(expected)))
            fail_msg("%s: derivative %d is %.12g, the difference quotient %.12g", name, i, gradient[i], expected);
    }
}

static void gradients_agree_with_finite_differences(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        crd_context *ctx = testing_context();
        crd_program *program;
        crd_exec *exec = compile_case(ctx, cases[i].build, 1, &program);
        check_gradient(cases[i].name, exec);
        crd_exec_destroy(&exec);
        crd_program_destroy(&program);
        testing_context_destroy(&ctx);
    }
}

static void gradients_can_be_differentiated(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (strcmp(cases[i].name, "digamma") == 0) /* the derivative of trigamma is not offered */
            continue;
        crd_context *ctx = testing_context();
        crd_program *program;
        crd_exec *exec = compile_case(ctx, cases[i].build, 2, &program);
        check_gradient(cases[i].name, exec);
        crd_exec_destroy(&exec);
        crd_program_destroy(&program);
        testing_context_destroy(&ctx);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_agree_with_finite_differences),
        cmocka_unit_test(gradients_can_be_differentiated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
