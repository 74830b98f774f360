/* test_graph.c - building: sticky errors and their places, numbers, folding, equal nodes, simplifications. */
#include "graph/graph.h"
#include "testing.h"

#include <math.h>
#include <string.h>

static crd_graph *graph_in(crd_context **ctx)
{
    crd_graph *g;
    *ctx = testing_context();
    assert_ok(*ctx, crd_graph_create(&g, *ctx));
    return g;
}

static void close_graph(crd_context **ctx, crd_graph **g)
{
    crd_graph_destroy(g);
    testing_context_destroy(ctx);
}

static crd_node array_of(crd_graph *g, const double *elements, crd_shape shape)
{
    crd_array array = {shape, (double *)(uintptr_t)elements, NULL};
    return crd_constant(g, &array);
}

static bool same(crd_node a, crd_node b)
{
    return crd_node_ok(a) && a.graph == b.graph && a.id == b.id;
}

/* ---- errors ----------------------------------------------------------------------------------------------------- */

static void the_first_failure_is_kept_with_its_line(void **state)
{
    (void)state;
    crd_context *ctx;
    crd_graph *g = graph_in(&ctx);
    crd_program *program = NULL;
    crd_node x = crd_input(g, "x", crd_shape_2(2, 3)), y = crd_input(g, "y", crd_shape_1(4));
    char expected[160];
    crd_node bad = crd_add(x, y);
    snprintf(expected, sizeof expected, "add: shapes (2, 3) and (4,) do not broadcast (test_graph.c:%d)", __LINE__ - 1);
    assert_false(crd_node_ok(bad));
    crd_node later = crd_matmul(crd_tanh(bad), crd_sum(x)); /* wrong too, but later */
    assert_false(crd_node_ok(later));
    assert_false(crd_node_ok(crd_exp(x))); /* a graph that failed makes nothing more */
    assert_false(crd_node_ok(crd_concat(&x, 513, 0))); /* CRD_EINVAL, had it come first */
    assert_int_equal(crd_graph_status(g), CRD_ESHAPE);
    assert_int_equal(crd_compile(g, NULL, 0, &later, 1, &program), CRD_ESHAPE);
    assert_null(program);
    assert_string_equal(crd_error_message(ctx), expected);
    close_graph(&ctx, &g);
}

#define WRONG(name, expression)                                                                                        \
    static crd_node wrong_##name(crd_graph *g, crd_node x, crd_node m)                                                 \
    {                                                                                                                  \
        (void)g;                                                                                                       \
        (void)x;                                                                                                       \
        (void)m;                                                                                                       \
        return expression;                                                                                             \
    }
/* x (3), m (2, 3) */
WRONG(select, crd_select(x, m, crd_input(g, "four", crd_shape_1(4))))
WRONG(sum_axis, crd_sum_axis(m, 2))
WRONG(max_axis, crd_max_axis(m, -3))
WRONG(max_none, crd_max_axis(crd_slice(m, 0, 0, 0, 1), 0))
WRONG(logsumexp, crd_logsumexp(crd_sum(x), -1))
WRONG(dot, crd_dot(x, m))
WRONG(matmul, crd_matmul(m, m))
WRONG(matmul_axes, crd_matmul(x, m))
WRONG(matmul_batch,
      crd_matmul(crd_input(g, "p", (crd_shape){3, {2, 3, 3}}), crd_input(g, "q", (crd_shape){3, {3, 3, 3}})))
WRONG(matmul_left,
      crd_matmul(crd_input(g, "p", (crd_shape){4, {2, 1, 3, 3}}), crd_input(g, "q", (crd_shape){4, {2, 4, 3, 3}})))
WRONG(matmul_right,
      crd_matmul(crd_input(g, "p", (crd_shape){4, {2, 4, 3, 3}}), crd_input(g, "q", (crd_shape){4, {2, 1, 3, 3}})))
WRONG(affine, crd_affine(m, x, x))
WRONG(reshape, crd_reshape(m, crd_shape_1(5)))
WRONG(reshape_negative, crd_reshape(m, crd_shape_2(-2, -3)))
WRONG(transpose, crd_transpose(x))
WRONG(broadcast, crd_broadcast_to(m, crd_shape_1(3)))
WRONG(broadcast_negative, crd_broadcast_to(crd_sum(x), crd_shape_1(-3)))
WRONG(slice, crd_slice(x, 0, 1, 3, 1))
WRONG(slice_before, crd_slice(x, 0, 1, 3, -1))
WRONG(slice_step, crd_slice(x, 0, 0, 2, 0))
WRONG(slice_far, crd_slice(x, 0, 0, 3, INT64_MAX / 2 + 1))
WRONG(slice_count, crd_slice(x, 0, 0, -1, 1))
WRONG(slice_axis, crd_slice(x, 1, 0, 1, 1))
WRONG(take, crd_take(m, 0, 2))
WRONG(concat, crd_concat(((crd_node[]){m, x}), 2, 0))
WRONG(concat_axis, crd_concat(((crd_node[]){m, m}), 2, 2))
WRONG(concat_none, crd_concat(((crd_node[]){m}), 513, 2))
WRONG(gather, crd_gather(x, m))
WRONG(cumsum, crd_cumsum(x, 1))
WRONG(cholesky, crd_cholesky(m))
WRONG(solve, crd_solve_triangular(m, m, 0))
WRONG(diagonal, crd_diagonal(m))
WRONG(input, crd_input(g, "negative", crd_shape_1(-1)))
WRONG(input_dims, crd_input(g, "seven", (crd_shape){7, {1}}))
WRONG(huge,
      crd_add(crd_input(g, "p", crd_shape_2(INT64_C(1) << 40, 1)), crd_input(g, "q", crd_shape_1(INT64_C(1) << 40))))
WRONG(key, crd_random_normal_node(x, crd_shape_1(2)))
WRONG(key_order, crd_key_node(g, crd_key_with_order(crd_key_make(1), CRD_ORDER_ORIGINAL)))

static crd_node wrong_gradient(crd_graph *g, crd_node x, crd_node m)
{
    crd_node d;
    (void)g;
    (void)x;
    crd_gradient(m, &x, 1, &d);
    return d;
}

static crd_node wrong_gradient_of_number(crd_graph *g, crd_node x, crd_node m)
{
    crd_node d, number = crd_num(1);
    (void)g;
    (void)m;
    crd_gradient(crd_sum(x), &number, 1, &d);
    return d;
}

static crd_node wrong_trigamma(crd_graph *g, crd_node x, crd_node m)
{
    crd_node d;
    (void)g;
    (void)m;
    crd_gradient(crd_sum(crd_trigamma(x)), &x, 1, &d);
    return d;
}

static const struct {
    crd_node (*build)(crd_graph *g, crd_node x, crd_node m);
    crd_status status;
    const char *text;
} wrongs[] = {
    {wrong_select, CRD_ESHAPE, "select: "},
    {wrong_sum_axis, CRD_ESHAPE, "sum_axis: no such axis among 2 (test_graph.c:"},
    {wrong_max_axis, CRD_ESHAPE, "max_axis: no such axis among 2 (test_graph.c:"},
    {wrong_max_none, CRD_ESHAPE, "no largest of no elements"},
    {wrong_logsumexp, CRD_ESHAPE, "no such axis among 0 (test_graph.c:"},
    {wrong_dot, CRD_ESHAPE, "dot: "},
    {wrong_matmul, CRD_ESHAPE, "matmul: (2, 3) and (2, 3) do not fit (test_graph.c:"},
    {wrong_matmul_axes, CRD_ESHAPE, "matmul: two axes are needed, there are shapes (3,) and (2, 3) (test_graph.c:"},
    {wrong_matmul_batch, CRD_ESHAPE, "matmul: (2, 3, 3) and (3, 3, 3) do not fit (test_graph.c:"},
    {wrong_matmul_left, CRD_ESHAPE, "matmul: (2, 1, 3, 3) and (2, 4, 3, 3) do not fit"},
    {wrong_matmul_right, CRD_ESHAPE, "matmul: (2, 4, 3, 3) and (2, 1, 3, 3) do not fit"},
    {wrong_affine, CRD_ESHAPE, "affine: kernel (2, 3), x (3,) and bias (3,) do not fit"},
    {wrong_reshape, CRD_ESHAPE, "reshape: (2, 3) has another number of elements than (5,) (test_graph.c:"},
    {wrong_reshape_negative, CRD_ESHAPE, "reshape: extents cannot be negative"},
    {wrong_transpose, CRD_ESHAPE, "transpose: two axes are needed, there are 1 (test_graph.c:"},
    {wrong_broadcast, CRD_ESHAPE, "broadcast_to: (2, 3) does not broadcast to (3,) (test_graph.c:"},
    {wrong_broadcast_negative, CRD_ESHAPE, "broadcast_to: extents cannot be negative"},
    {wrong_slice, CRD_ESHAPE, "slice: 3 elements from 1 in steps of 1 leave axis 0 of 3 (test_graph.c:"},
    {wrong_slice_before, CRD_ESHAPE, "slice: 3 elements from 1 in steps of -1 leave axis 0 of 3"},
    {wrong_slice_step, CRD_ESHAPE, "slice: "},
    {wrong_slice_far, CRD_ESHAPE, "slice: "},
    {wrong_slice_count, CRD_ESHAPE, "slice: "},
    {wrong_slice_axis, CRD_ESHAPE, "slice: shape (3,) has no axis 1 (test_graph.c:"},
    {wrong_take, CRD_ESHAPE, "slice: 1 elements from 2"},
    {wrong_concat, CRD_ESHAPE, "concat: part 1 differs from part 0 outside axis 0 (test_graph.c:"},
    {wrong_concat_axis, CRD_ESHAPE, "concat: shape (2, 3) has no axis 2 (test_graph.c:"},
    {wrong_concat_none, CRD_EINVAL, "concat: 1 to 512 parts, not 513 (test_graph.c:"},
    {wrong_gather, CRD_ESHAPE, "gather: "},
    {wrong_cumsum, CRD_ESHAPE, "cumsum: no such axis among 1 (test_graph.c:"},
    {wrong_cholesky, CRD_ESHAPE, "cholesky: a square matrix is needed, not (2, 3) (test_graph.c:"},
    {wrong_solve, CRD_ESHAPE, "solve_triangular: a factor (n, n) and a matrix (n, m), not (2, 3) and (2, 3)"},
    {wrong_diagonal, CRD_ESHAPE, "diagonal: "},
    {wrong_input, CRD_ESHAPE, "input 'negative': extents cannot be negative"},
    {wrong_input_dims, CRD_ESHAPE, "input 'seven': "},
    {wrong_huge, CRD_ESHAPE, "add: the result is too large to be counted (test_graph.c:"},
    {wrong_key, CRD_ESHAPE, "random_normal: a key has two words"},
    {wrong_key_order, CRD_EUNSUPPORTED, "key: "},
    {wrong_gradient, CRD_ESHAPE, "gradient: a scalar is needed, not shape (2, 3) (test_graph.c:"},
    {wrong_gradient_of_number, CRD_EINVAL, "gradient: argument 0 is not a node of this graph (test_graph.c:"},
    {wrong_trigamma, CRD_EUNSUPPORTED, "trigamma: its derivative is not available (test_graph.c:"},
};

static void every_misuse_is_a_status_and_a_message(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof wrongs / sizeof wrongs[0]; i++) {
        crd_context *ctx;
        crd_graph *g = graph_in(&ctx);
        crd_program *program = NULL;
        crd_node x = crd_input(g, "x", crd_shape_1(3)), m = crd_input(g, "m", crd_shape_2(2, 3));
        crd_node bad = wrongs[i].build(g, x, m);
        if (crd_node_ok(bad) || !strstr(crd_error_message(ctx), wrongs[i].text))
            fail_msg("'%s' is not in '%s'", wrongs[i].text, crd_error_message(ctx));
        assert_int_equal(crd_compile(g, NULL, 0, &bad, 1, &program), wrongs[i].status);
        close_graph(&ctx, &g);
    }
}

static void nodes_of_two_graphs_do_not_mix(void **state)
{
    (void)state;
    crd_context *ctx;
    crd_graph *g = graph_in(&ctx), *other;
    crd_program *program = NULL;
    assert_ok(ctx, crd_graph_create(&other, ctx));
    crd_node x = crd_input(g, "x", crd_shape_0()), y = crd_input(other, "y", crd_shape_0());
    assert_false(crd_node_ok(crd_mul(x, y)));
    assert_int_equal(crd_graph_status(g), CRD_EINVAL);
    assert_int_equal(crd_graph_status(other), CRD_OK);
    assert_non_null(strstr(crd_error_message(ctx), "argument 1 belongs to another graph (test_graph.c:"));
    crd_error_clear(ctx);
    assert_int_equal(crd_compile(other, NULL, 0, &x, 1, &program), CRD_EINVAL);
    assert_non_null(strstr(crd_error_message(ctx), "output 0 is not a node of this graph"));
    crd_graph_destroy(&other);
    close_graph(&ctx, &g);
}

/* ---- numbers ---------------------------------------------------------------------------------------------------- */

static void numbers_are_computed_without_a_graph(void **state)
{
    (void)state;
    crd_node n = crd_add(crd_mul(crd_num(3), crd_num(4)), crd_neg(crd_num(2)));
    assert_null(n.graph);
    assert_true(n.number == 10);
    assert_true(crd_sum(crd_num(7)).number == 7);
    assert_true(crd_dot(crd_num(7), crd_num(2)).number == 14);
    assert_true(crd_select(crd_num(0), crd_num(7), crd_num(2)).number == 2);
    assert_true(crd_stop_gradient(crd_num(7)).number == 7);
    /* What needs an axis is not a number, and there is no graph to say so. */
    crd_node wrong[] = {
        crd_sum_axis(crd_num(1), 0), crd_logsumexp(crd_num(1), -1),      crd_logsumexp(crd_num(1), 7),
        crd_transpose(crd_num(1)),   crd_slice(crd_num(1), 0, 0, 1, 1),  crd_take(crd_num(1), 0, 0),
        crd_cumsum(crd_num(1), 0),   crd_matmul(crd_num(1), crd_num(2)), crd_reshape(crd_num(1), crd_shape_1(1))};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_true(!wrong[i].graph && isnan(wrong[i].number));
}

static void folding_gives_the_bits_that_a_run_gives(void **state)
{
    (void)state;
    static const double points[] = {-1e300, -745.2, -3.7, -1,  -0.3, -1e-9, -0.0,  0.0,      5e-324,
                                    1e-5,   0.25,   1,    2.5, 88.1, 1e10,  1e300, INFINITY, -INFINITY};
    enum { N = sizeof points / sizeof points[0] };
    if (testing_under_valgrind())
        testing_skip("fma of libm is not exact under valgrind\n");
    crd_context *ctx;
    crd_graph *g = graph_in(&ctx);
    crd_node constant = array_of(g, points, crd_shape_1(N)), back = crd_slice(constant, 0, N - 1, N, -1);
    crd_node x = crd_input(g, "x", crd_shape_1(N)), y = crd_slice(x, 0, N - 1, N, -1);
    enum { MOST = 64 };
    crd_node known[MOST], run[MOST];
    const char *name[MOST];
    int count = 0;
#define CALL_1(op, a, b) crd_##op(a)
#define CALL_2(op, a, b) crd_##op(a, b)
#define OP(op, arity, what)                                                                                            \
    name[count] = #op;                                                                                                 \
    known[count] = CALL_##arity(op, constant, back);                                                                   \
    run[count++] = CALL_##arity(op, x, y);
#include "graph/ops.def"
#undef OP
    crd_program *program;
    crd_exec *exec;
    assert_ok(ctx, crd_compile(g, NULL, 0, run, count, &program));
    assert_ok(ctx, crd_exec_create(&exec, program));
    memcpy(crd_exec_input(exec), points, sizeof points);
    crd_exec_run(exec);
    for (int k = 0; k < count; k++) {
        const double *value;
        assert_true(crd_node_known(known[k], &value));
        for (int i = 0; i < N; i++) {
            double ran = crd_exec_output(exec)[k * N + i];
            if (memcmp(&value[i], &ran, sizeof ran) != 0 && !(isnan(ran) && isnan(value[i])))
                fail_msg("%s of %g: folded %.17g, run %.17g", name[k], points[i], value[i], ran);
        }
    }
    /* And numbers without a graph. */
    count = 0;
#define OP(op, arity, what)                                                                                            \
    for (int i = 0; i < N; i++) {                                                                                      \
        crd_node n = CALL_##arity(op, crd_num(points[i]), crd_num(points[N - 1 - i]));                                 \
        double ran = crd_exec_output(exec)[count * N + i];                                                             \
        assert_true(!n.graph && (memcmp(&n.number, &ran, sizeof ran) == 0 || (isnan(ran) && isnan(n.number))));        \
    }                                                                                                                  \
    count++;
#include "graph/ops.def"
#undef OP
    crd_exec_destroy(&exec);
    crd_program_destroy(&program);
    close_graph(&ctx, &g);
}

/* ---- equal nodes ------------------------------------------------------------------------------------------------ */

static void equal_formulas_are_one_node(void **state)
{
    (void)state;
    crd_context *ctx;
    crd_graph *g = graph_in(&ctx);
    double two[] = {1, 2}, other[] = {1, 3};
    crd_node x = crd_input(g, "x", crd_shape_2(2, 3)), y = crd_input(g, "x", crd_shape_2(2, 3));
    assert_false(same(x, y)); /* inputs are each their own, whatever they are called */
    assert_true(same(crd_tanh(crd_add(x, y)), crd_tanh(crd_add(x, y))));
    assert_false(same(crd_sub(x, y), crd_sub(y, x)));
    assert_true(same(crd_slice(x, 1, 2, 2, -1), crd_slice(x, -1, 2, 2, -1)));
    assert_false(same(crd_slice(x, 1, 2, 2, -1), crd_slice(x, 1, 1, 2, -1)));
    assert_true(same(crd_slice(x, 1, 2, 1, 1), crd_slice(x, 1, 2, 1, -5)));
    assert_false(same(crd_sum_axis(x, 0), crd_sum_axis(x, 1)));
    assert_true(same(array_of(g, two, crd_shape_1(2)), array_of(g, two, crd_shape_1(2))));
    assert_false(same(array_of(g, two, crd_shape_1(2)), array_of(g, two, crd_shape_2(2, 1))));
    assert_false(same(array_of(g, two, crd_shape_1(2)), array_of(g, other, crd_shape_1(2))));
    assert_false(same(crd_mul(x, crd_num(0.0)), crd_mul(x, crd_num(-0.0))));
    double big[200] = {0};
    crd_node first = array_of(g, big, crd_shape_1(200));
    big[150] = 1; /* beyond what is hashed */
    assert_false(same(first, array_of(g, big, crd_shape_1(200))));
    for (int i = 0; i < 2000; i++) /* the table grows */
        assert_true(crd_node_ok(crd_add(x, crd_num(i + 0.5))));
    assert_true(same(crd_add(x, crd_num(7.5)), crd_add(x, crd_num(7.5))));
    close_graph(&ctx, &g);
}

/* ---- simplifications -------------------------------------------------------------------------------------------- */

enum { POINTS = 10 };
static const double points[POINTS] = {-INFINITY, -1e308, -2.5, -1e-300, 0, 3e-9, 0.7, 1e308, INFINITY, NAN};

#define SIMPLE(name, expression, value)                                                                                \
    static crd_node simple_##name(crd_graph *g, crd_node x, crd_node y)                                                \
    {                                                                                                                  \
        (void)g;                                                                                                       \
        (void)y;                                                                                                       \
        return expression;                                                                                             \
    }                                                                                                                  \
    static double value_##name(double x, double y)                                                                     \
    {                                                                                                                  \
        (void)y;                                                                                                       \
        return value;                                                                                                  \
    }
SIMPLE(add_zero, crd_add(x, crd_num(0)), x)
SIMPLE(zero_add, crd_add(crd_num(0), x), x)
SIMPLE(sub_zero, crd_sub(x, crd_num(0)), x)
SIMPLE(zero_sub, crd_sub(crd_num(0), x), -x)
SIMPLE(mul_one, crd_mul(x, crd_num(1)), x)
SIMPLE(mul_minus_one, crd_mul(crd_num(-1), x), -x)
SIMPLE(mul_zero, crd_mul(crd_num(0), x), 0 * x)
SIMPLE(twice, crd_mul(crd_num(2), crd_mul(x, crd_num(3))), 2 * (x * 3))
SIMPLE(twice_large, crd_mul(crd_num(1e200), crd_mul(crd_num(1e200), x)), 1e200 * (1e200 * x))
SIMPLE(twice_small, crd_mul(crd_num(1e-200), crd_mul(crd_num(1e-200), x)), 1e-200 * (1e-200 * x))
SIMPLE(twice_infinite, crd_mul(crd_num(0), crd_mul(crd_num(INFINITY), x)), 0 * (INFINITY * x))
SIMPLE(times_negative, crd_mul(crd_num(3), crd_neg(x)), 3 * -x)
SIMPLE(negatives, crd_mul(crd_neg(x), crd_neg(y)), x *y)
SIMPLE(negative_twice, crd_neg(crd_neg(x)), x)
SIMPLE(negative_difference, crd_neg(crd_sub(x, y)), -(x - y))
SIMPLE(square_of_negative, crd_square(crd_neg(x)), x *x)
SIMPLE(itself_times, crd_mul(x, x), x *x)
SIMPLE(itself_less, crd_sub(x, x), x - x)
SIMPLE(itself_over, crd_div(x, x), x / x)
SIMPLE(plus_negative, crd_add(x, crd_neg(y)), x - y)
SIMPLE(negative_plus, crd_add(crd_neg(x), y), y - x)
SIMPLE(less_negative, crd_sub(x, crd_neg(y)), x + y)
SIMPLE(div_one, crd_div(x, crd_num(1)), x)
SIMPLE(one_div, crd_div(crd_num(1), x), 1 / x)
SIMPLE(half, crd_div(x, crd_num(2)), x / 2)
SIMPLE(log_exp, crd_log(crd_exp(x)), x)
SIMPLE(exp_log, crd_exp(crd_log(x)), x)
SIMPLE(through_broadcast, crd_mul(crd_broadcast_to(x, crd_shape_1(POINTS)), y), x *y)
/* Sums: the loop adds in order, so compare where order does not matter. */

static const struct {
    const char *name;
    crd_node (*build)(crd_graph *g, crd_node x, crd_node y);
    double (*value)(double x, double y);
} simples[] = {
#define ROW(name)                                                                                                      \
    {                                                                                                                  \
#name, simple_##name, value_##name                                                                             \
    }
    ROW(add_zero),
    ROW(zero_add),
    ROW(sub_zero),
    ROW(zero_sub),
    ROW(mul_one),
    ROW(mul_minus_one),
    ROW(mul_zero),
    ROW(twice),
    ROW(twice_large),
    ROW(twice_small),
    ROW(twice_infinite),
    ROW(times_negative),
    ROW(negatives),
    ROW(negative_twice),
    ROW(negative_difference),
    ROW(square_of_negative),
    ROW(itself_times),
    ROW(itself_less),
    ROW(itself_over),
    ROW(plus_negative),
    ROW(negative_plus),
    ROW(less_negative),
    ROW(div_one),
    ROW(one_div),
    ROW(half),
    ROW(log_exp),
    ROW(exp_log),
    ROW(through_broadcast),
};

static void run_once(crd_context *ctx, crd_graph *g, crd_node out, const double *input, double *output)
{
    crd_program *program;
    crd_exec *exec;
    assert_ok(ctx, crd_compile(g, NULL, 0, &out, 1, &program));
    assert_ok(ctx, crd_exec_create(&exec, program));
    memcpy(crd_exec_input(exec), input, sizeof *input * (size_t)crd_program_input_size(program));
    crd_exec_run(exec);
    memcpy(output, crd_exec_output(exec), sizeof *output * (size_t)crd_program_output_size(program));
    crd_exec_destroy(&exec);
    crd_program_destroy(&program);
}

static void simplifications_keep_values(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof simples / sizeof simples[0]; i++) {
        crd_context *ctx;
        crd_graph *g = graph_in(&ctx);
        double input[2 * POINTS], output[POINTS];
        crd_node x = crd_input(g, "x", crd_shape_1(POINTS)), y = crd_input(g, "y", crd_shape_1(POINTS));
        crd_node out = simples[i].build(g, x, y);
        for (int shift = 0; shift < POINTS; shift++) {
            for (int k = 0; k < POINTS; k++) {
                input[k] = points[k];
                input[POINTS + k] = points[(k + shift) % POINTS];
            }
            run_once(ctx, g, out, input, output);
            for (int k = 0; k < POINTS; k++) {
                double expected = simples[i].value(input[k], input[POINTS + k]);
                if (!(isnan(expected) && isnan(output[k])) && output[k] != expected &&
                    !(fabs(output[k] - expected) <= 3e-16 * fabs(expected)))
                    fail_msg("%s: x = %g, y = %g gives %.17g, not %.17g", simples[i].name, input[k], input[POINTS + k],
                             output[k], expected);
            }
        }
        close_graph(&ctx, &g);
    }
}

static void simplifications_happen(void **state)
{
    (void)state;
    crd_context *ctx;
    crd_graph *g = graph_in(&ctx);
    crd_node x = crd_input(g, "x", crd_shape_1(3)), m = crd_input(g, "m", (crd_shape){3, {4, 1, 1}});
    assert_true(same(crd_add(x, crd_num(0)), x));
    assert_true(same(crd_mul(crd_num(1), x), x));
    assert_true(same(crd_log(crd_exp(x)), x));
    assert_true(same(crd_neg(crd_neg(x)), x));
    assert_true(same(crd_mul(crd_num(2), crd_mul(crd_num(3), x)), crd_mul(crd_num(6), x)));
    assert_true(same(crd_reshape(crd_reshape(m, crd_shape_2(2, 2)), crd_node_shape(m)), m));
    crd_node n = crd_input(g, "n", (crd_shape){3, {2, 3, 5}});
    assert_true(same(crd_transpose(crd_transpose(n)), n));
    /* A slice of an array with two axes of one looks like a transpose in its last axes. */
    crd_shape halved = crd_node_shape(crd_transpose(crd_slice(m, 0, 0, 2, 2)));
    assert_true(halved.ndim == 3 && halved.dim[0] == 2 && halved.dim[1] == 1 && halved.dim[2] == 1);
    /* Products of numbers in the graph, which are no crd_num. */
    crd_node two = crd_sum(array_of(g, (double[]){1, 1}, crd_shape_1(2)));
    const double *value;
    assert_true(crd_node_known(crd_mul(two, crd_add(two, crd_num(3))), &value));
    assert_true(value[0] == 10);
    close_graph(&ctx, &g);
}

/* Simplified shapes: the other argument still takes part in broadcasting. */
static void neutral_arrays_still_broadcast(void **state)
{
    (void)state;
    crd_context *ctx;
    crd_graph *g = graph_in(&ctx);
    crd_node x = crd_input(g, "x", crd_shape_1(3)), one = array_of(g, (double[]){1}, crd_shape_2(1, 1));
    crd_node zero = array_of(g, (double[]){0}, crd_shape_2(1, 1)), two = crd_add(one, crd_num(1));
    crd_node all[] = {crd_mul(x, one),  crd_mul(one, x), crd_add(zero, x),
                      crd_sub(x, zero), crd_div(x, one), crd_mul(two, crd_mul(crd_num(3), x)),
                      crd_div(one, x),  crd_sub(zero, x)};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        crd_shape shape = crd_node_shape(all[i]);
        assert_true(shape.ndim == 2 && shape.dim[0] == 1 && shape.dim[1] == 3);
    }
    close_graph(&ctx, &g);
}

/* Sums of formulas, against a loop, for every way a sum looks through what it sums. */
static void sums_of_formulas_are_sums(void **state)
{
    (void)state;
    crd_context *ctx;
    crd_graph *g = graph_in(&ctx);
    double input[12], out;
    for (int i = 0; i < 12; i++)
        input[i] = 0.37 * i - 1.9 + (i % 3) * 0.21;
    crd_node x = crd_input(g, "x", crd_shape_2(3, 2)), y = crd_input(g, "y", crd_shape_1(6)), s = crd_take(y, 0, 5);
    crd_node column = crd_reshape(crd_slice(y, 0, 0, 3, 1), crd_shape_2(3, 1)),
             row = crd_reshape(crd_slice(y, 0, 0, 3, 1), crd_shape_2(1, 3));
    crd_node flat = crd_reshape(x, crd_shape_1(6)), s1 = crd_reshape(s, crd_shape_2(1, 1));
    double expected[12] = {0}, c = input[11];
    for (int i = 0; i < 6; i++) {
        double a = input[i], b = input[6 + i];
        expected[0] += a * c;
        expected[1] += a / c;
        expected[2] += (a / c) * (a / c);
        expected[3] += (c * a) * (c * a);
        expected[4] += a - c;
        expected[5] += c - a;
        expected[6] += a * b;
        expected[7] += a - b;
        expected[8] += -a;
        expected[9] += c;
    }
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++)
            expected[10] += input[6 + i] * input[6 + j];
    expected[11] = input[6] * input[6] + input[7] * input[7] + input[8] * input[8];
    crd_node nodes[12] = {crd_sum(crd_mul(x, s1)),
                          crd_sum(crd_div(x, s)),
                          crd_sum(crd_square(crd_div(x, s1))),
                          crd_sum(crd_square(crd_mul(s, x))),
                          crd_sum(crd_sub(x, s)),
                          crd_sum(crd_sub(s1, x)),
                          crd_sum(crd_mul(flat, y)),
                          crd_sum(crd_sub(flat, y)),
                          crd_sum(crd_neg(x)),
                          crd_sum(crd_broadcast_to(s1, crd_shape_2(3, 2))),
                          crd_sum(crd_mul(column, row)),
                          crd_sum(crd_mul(row, crd_slice(y, 0, 0, 3, 1)))};
    for (int i = 0; i < 12; i++) {
        run_once(ctx, g, nodes[i], input, &out);
        assert_close(out, expected[i], 1e-14, 1e-14);
    }
    close_graph(&ctx, &g);
}

static void sums_of_nothing_are_zero(void **state)
{
    (void)state;
    crd_context *ctx;
    crd_graph *g = graph_in(&ctx);
    double infinite = INFINITY, out;
    crd_node s = crd_input(g, "s", crd_shape_0()), none = crd_slice(crd_reshape(s, crd_shape_1(1)), 0, 0, 0, 1);
    crd_node sums[] = {crd_sum(crd_mul(s, none)), crd_sum(crd_add(s, none)), crd_sum(crd_square(crd_div(none, s))),
                       crd_sum(crd_broadcast_to(s, crd_shape_1(0))), crd_dot(crd_mul(s, none), crd_mul(s, none))};
    for (size_t i = 0; i < sizeof sums / sizeof sums[0]; i++) {
        run_once(ctx, g, sums[i], &infinite, &out);
        assert_true(out == 0);
    }
    close_graph(&ctx, &g);
}

/* Gradients at corners: 0^b for b = 0, 1, 2 with respect to a. */
static void powers_of_zero_have_gradients(void **state)
{
    (void)state;
    crd_context *ctx;
    crd_graph *g = graph_in(&ctx);
    double input[6] = {0, 0, 0, 0, 1, 2}, out[3];
    crd_node a = crd_input(g, "a", crd_shape_1(3)), b = crd_input(g, "b", crd_shape_1(3)), d;
    crd_gradient(crd_sum(crd_pow(a, b)), &a, 1, &d);
    run_once(ctx, g, d, input, out);
    assert_true(out[0] == 0 && out[1] == 1 && out[2] == 0);
    close_graph(&ctx, &g);
}

static void random_nodes_are_the_random_functions(void **state)
{
    (void)state;
    crd_context *ctx;
    crd_graph *g = graph_in(&ctx);
    double words[2], out[7], expected[7];
    crd_key key = crd_key_make(77);
    words[0] = key.word[0];
    words[1] = key.word[1];
    crd_node k = crd_input(g, "key", crd_shape_1(2));
    run_once(ctx, g, crd_random_normal_node(crd_key_fold_in_node(k, 4000000000u), crd_shape_1(7)), words, out);
    crd_random_normal(crd_key_fold_in(key, 4000000000u), 7, expected);
    assert_memory_equal(out, expected, sizeof out);
    run_once(ctx, g, crd_random_uniform_node(k, crd_shape_1(7)), words, out);
    crd_random_uniform(key, 7, expected);
    assert_memory_equal(out, expected, sizeof out);
    const double *value;
    assert_true(crd_node_known(crd_random_uniform_node(crd_key_node(g, key), crd_shape_1(7)), &value));
    assert_memory_equal(value, expected, sizeof expected);
    close_graph(&ctx, &g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_failure_is_kept_with_its_line),
        cmocka_unit_test(every_misuse_is_a_status_and_a_message),
        cmocka_unit_test(nodes_of_two_graphs_do_not_mix),
        cmocka_unit_test(numbers_are_computed_without_a_graph),
        cmocka_unit_test(folding_gives_the_bits_that_a_run_gives),
        cmocka_unit_test(equal_formulas_are_one_node),
        cmocka_unit_test(simplifications_keep_values),
        cmocka_unit_test(simplifications_happen),
        cmocka_unit_test(neutral_arrays_still_broadcast),
        cmocka_unit_test(sums_of_formulas_are_sums),
        cmocka_unit_test(sums_of_nothing_are_zero),
        cmocka_unit_test(powers_of_zero_have_gradients),
        cmocka_unit_test(random_nodes_are_the_random_functions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
