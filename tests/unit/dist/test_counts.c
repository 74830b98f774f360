/* test_counts.c - the functions that the distributions of counts share, against long double and where others would cancel. */
#include "dist/counts.h"
#include "testing.h"

#include <math.h>
#include <string.h>

static crd_node node(crd_graph *g, double x)
{
    crd_array array = crd_array_borrow(&x, crd_shape_1(1));
    return crd_constant(g, &array);
}

static double number_of(crd_node x)
{
    const double *known = NULL;
    assert_true(crd_node_known(x, &known));
    return known[0];
}

static void ratios_of_gamma_functions_do_not_cancel(void **state)
{
    (void)state;
    static const double a[] = {1e-3, 0.7, 3, 15.999, 16.001, 17.5, 40, 300, 1e4}, x[] = {0, 1, 3, 50, 4000};
    if (testing_under_valgrind())
        testing_skip("long doubles have no more digits than doubles under valgrind\n");
    crd_context *ctx = testing_context();
    crd_graph *g;
    assert_ok(ctx, crd_graph_create(&g, ctx));
    for (int i = 0; i < CRDI_COUNT(a); i++)
        for (int k = 0; k < CRDI_COUNT(x); k++) {
            double ours = number_of(crdi_lgamma_ratio(node(g, a[i]), crd_num(x[k])));
            assert_close(ours, (double)(lgammal((long double)a[i] + x[k]) - lgammal(a[i])), 2e-15, 2e-14);
        }
    /* x log a + x (x - 1) / (2 a) for large a */
    assert_close(number_of(crdi_lgamma_ratio(node(g, 1e15), crd_num(3))), 3 * log(1e15) + 3e-15, 1e-15, 0);
    assert_close(number_of(crdi_log_choose(node(g, 1e15), crd_num(2))), 2 * log(1e15) - log(2), 1e-14, 0);
    assert_close(number_of(crdi_log_choose(node(g, 1e15), crd_num(1e15 - 2))), 2 * log(1e15) - log(2), 1e-14, 0);
    assert_close(number_of(crdi_log_choose(node(g, 10), crd_num(3))), log(120), 1e-14, 0);
    assert_true(number_of(crdi_log_choose(node(g, 3), crd_num(4))) == -INFINITY);
    crd_graph_destroy(&g);
    testing_context_destroy(&ctx);
}

/* Value and slope in y at x = 0, where y is a pole of the logarithm, and in x where it is not. */
static void zero_times_the_logarithm_of_zero_is_zero(void **state)
{
    (void)state;
    static const double at[] = {0, 0, 3, 0.25}; /* x and y, twice */
    for (int form = 0; form < 2; form++)
        for (int i = 0; i < 2; i++) {
            crd_context *ctx = testing_context();
            crd_graph *g;
            crd_program *program;
            crd_exec *exec;
            assert_ok(ctx, crd_graph_create(&g, ctx));
            crd_node in[2] = {crd_input(g, "x", crd_shape_0()), crd_input(g, "y", crd_shape_0())}, out[3];
            out[0] = form ? crdi_xlog1py(in[0], in[1]) : crdi_xlogy(in[0], in[1]);
            crd_gradient(out[0], in, 2, out + 1);
            assert_ok(ctx, crd_compile(g, NULL, 0, out, 3, &program));
            assert_ok(ctx, crd_exec_create(&exec, program));
            crd_exec_input(exec)[0] = at[2 * i];
            crd_exec_input(exec)[1] = at[2 * i + 1] - form;
            crd_exec_run(exec);
            const double *y = crd_exec_output(exec);
            assert_close(y[0], i ? 3 * log(0.25) : 0, 1e-15, 0);
            assert_close(y[1], i ? log(0.25) : 0, 1e-15, 0);
            assert_close(y[2], i ? 12 : 0, 1e-15, 0);
            crd_exec_destroy(&exec);
            crd_program_destroy(&program);
            crd_graph_destroy(&g);
            testing_context_destroy(&ctx);
        }
}

/* Known counts are looked up by value, where they are few values: the same numbers and slopes as one by one, and for shapes
 * with more axes. Of many values there is no table. */
static void counts_that_repeat_are_looked_up(void **state)
{
    (void)state;
    enum { ROWS = 60, COLUMNS = 2, N = ROWS * COLUMNS };
    static const int64_t values[] = {1, 7, N / 5, N / 2, N}; /* different ones */
    double x[N];
    crd_context *ctx = testing_context();
    for (int k = 0; k < CRDI_COUNT(values); k++) {
        crd_graph *g;
        crd_program *program;
        crd_exec *exec;
        assert_ok(ctx, crd_graph_create(&g, ctx));
        for (int64_t i = 0; i < N; i++)
            x[i] = 2 * (double)((i * 37) % values[k]);
        crd_array array = crd_array_borrow(x, crd_shape_2(ROWS, COLUMNS));
        crd_node a = crd_input(g, "a", crd_shape_0()), out[4], weight = crd_add(crd_constant(g, &array), crd_num(1));
        out[0] = crdi_lgamma_ratio(a, crd_constant(g, &array));
        assert_true(crd_node_shape(out[0]).ndim == 2 && crd_node_shape(out[0]).dim[1] == COLUMNS);
        crd_gradient(crd_dot(out[0], weight), &a, 1, &out[1]);
        crd_node one_by_one = crd_num(0), sum;
        for (int64_t i = 0; i < N; i++)
            one_by_one = crd_add(one_by_one, crd_mul(crd_num(x[i] + 1), crdi_lgamma_ratio(a, crd_num(x[i]))));
        crd_gradient(one_by_one, &a, 1, &sum);
        out[2] = sum;
        out[3] = one_by_one;
        assert_ok(ctx, crd_compile(g, NULL, 0, out, 4, &program));
        assert_ok(ctx, crd_exec_create(&exec, program));
        crd_exec_input(exec)[0] = 2.5;
        crd_exec_run(exec);
        const double *y = crd_exec_output(exec);
        double total = 0;
        for (int64_t i = 0; i < N; i++) {
            assert_close(y[i], lgamma(2.5 + x[i]) - lgamma(2.5), 1e-13, 1e-13);
            total += (x[i] + 1) * y[i];
        }
        assert_close(total, y[N + 2], 1e-12, 1e-12);
        assert_close(y[N], y[N + 1], 1e-12, 1e-12);
        crd_exec_destroy(&exec);
        crd_program_destroy(&program);
        crd_graph_destroy(&g);
    }
    testing_context_destroy(&ctx);
}

static void count_lookups(void *user, const char *line)
{
    *(int *)user += strstr(line, "gather") != NULL;
}

static void few_values_are_a_table(void **state)
{
    (void)state;
    double x[100];
    crd_context *ctx = testing_context();
    for (int few = 0; few < 2; few++) {
        crd_graph *g;
        crd_program *program;
        int found = 0;
        assert_ok(ctx, crd_graph_create(&g, ctx));
        for (int i = 0; i < 100; i++)
            x[i] = few ? i % 20 : i;
        crd_array array = crd_array_borrow(x, crd_shape_1(100));
        crd_node out = crdi_lgamma_ratio(crd_input(g, "a", crd_shape_0()), crd_constant(g, &array));
        assert_ok(ctx, crd_compile(g, NULL, 0, &out, 1, &program));
        crd_program_print(program, count_lookups, &found);
        assert_int_equal(found, few);
        crd_program_destroy(&program);
        crd_graph_destroy(&g);
    }
    testing_context_destroy(&ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ratios_of_gamma_functions_do_not_cancel),
        cmocka_unit_test(zero_times_the_logarithm_of_zero_is_zero),
        cmocka_unit_test(counts_that_repeat_are_looked_up),
        cmocka_unit_test(few_values_are_a_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
