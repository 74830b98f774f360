/* test_single.c - programs in single precision: what is computed in floats and what is not, inputs and outputs in any order,
 * and the same bits on every instruction set. Values over all layers, likelihoods and guides: tests/conformance/test_single.c. */
#include "graph/graph.h"
#include "graph/program.h"
#include "testing.h"

#include <math.h>
#include <string.h>
#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

enum { ROWS = 100, MOST = 64 };

/* Compiles outputs of the graph as it is, and runs the program on `input`. */
static void run(crd_context *ctx, crd_graph *g, const crd_node *inputs, int input_count, const crd_node *outputs,
                int output_count, const double *input, double *out)
{
    crd_program *program;
    crd_exec *exec;
    crd_graph_set_precision(g, CRD_SINGLE);
    assert_ok(ctx, crd_compile(g, inputs, input_count, outputs, output_count, &program));
    assert_int_equal(crd_program_precision(program), CRD_SINGLE);
    assert_ok(ctx, crd_exec_create(&exec, program));
    memcpy(crd_exec_input(exec), input, sizeof *input * (size_t)crd_program_input_size(program));
    crd_exec_run(exec);
    memcpy(out, crd_exec_output(exec), sizeof *out * (size_t)crd_program_output_size(program));
    crd_exec_destroy(&exec);
    crd_program_destroy(&program);
}

static crd_node node(crd_context *ctx, crd_graph *g, const char *name, int64_t size)
{
    (void)ctx;
    return crd_input(g, name, crd_shape_1(size));
}

/* Arrays are floats; sums over them, single numbers and what is made of these are doubles. */
static void arrays_are_floats_and_totals_doubles(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_graph *g;
    double in[ROWS + 1], out[ROWS + 4], sum = 0, squares = 0;
    assert_ok(ctx, crd_graph_create(&g, ctx));
    crd_node x = node(ctx, g, "x", ROWS), u = crd_input(g, "u", crd_shape_0());
    crd_node z = crd_abs(crd_add(crd_mul(x, x), crd_num(1))); /* sums look through all but the abs */
    crd_node output[] = {crd_sum(crd_square(x)), z, crd_sum(z), crd_exp(u), crd_add(crd_exp(u), crd_sum(z))};
    crd_random_normal(crd_key_make(1), ROWS + 1, in);
    run(ctx, g, NULL, 0, output, 5, in, out);
    for (int i = 0; i < ROWS; i++) {
        float a = (float)in[i], one = a * a + 1; /* two roundings, as there: contraction is off */
        assert_true(out[1 + i] == (double)one);
        sum += (double)one;
        squares += in[i] * in[i];
    }
    assert_true(fabs(out[0] - squares) <= 1e-13 * squares); /* of the inputs, which are doubles */
    assert_true(fabs(out[ROWS + 1] - sum) <= 1e-13 * sum); /* of floats, in doubles */
    assert_true(fabs(out[ROWS + 2] - exp(in[ROWS])) <= 1e-15 * exp(in[ROWS]));
    assert_true(out[ROWS + 3] == out[ROWS + 2] + out[ROWS + 1]);
    crd_graph_destroy(&g);
    testing_context_destroy(&ctx);
}

/* An index between two rows, and so near to the upper one that as a float it would be that one. */
static void keys_and_indices_stay_doubles(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_graph *g;
    crd_key key = crd_key_fold_in(crd_key_make(77), 5);
    double in[5] = {key.word[0], key.word[1], 1 - 0x1p-40, 10, 20}, out[8], draws[3], noise[4];
    assert_ok(ctx, crd_graph_create(&g, ctx));
    crd_node k = node(ctx, g, "key", 2), index = node(ctx, g, "index", 1), table = node(ctx, g, "table", 2);
    crd_node folded = crd_key_fold_in_node(k, 3);
    crd_node output[] = {crd_gather(table, index), crd_random_normal_node(folded, crd_shape_1(3)),
                         crd_mul(crd_num(2), crd_random_uniform_node(folded, crd_shape_1(4)))};
    run(ctx, g, NULL, 0, output, 3, in, out);
    assert_true(out[0] == 10);
    crd_random_normal(crd_key_fold_in(key, 3), 3, draws);
    crd_random_uniform(crd_key_fold_in(key, 3), 4, noise);
    for (int i = 0; i < 3; i++)
        assert_true(fabs(out[1 + i] - draws[i]) <= 0x1p-23 * fabs(draws[i]));
    for (int i = 0; i < 4; i++)
        assert_true(out[4 + i] == 2 * noise[i]); /* from doubles alone: still one */
    crd_graph_destroy(&g);
    testing_context_destroy(&ctx);
}

/* Inputs in another order than they were added, one that nothing reads; outputs that are inputs, parts of them, known, the
 * same twice, and single numbers between arrays. */
static void inputs_and_outputs_of_all_kinds(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_graph *g;
    double in[10], out[MOST];
    assert_ok(ctx, crd_graph_create(&g, ctx));
    crd_node a = node(ctx, g, "a", 3), b = node(ctx, g, "b", 3), c = node(ctx, g, "c", 4);
    crd_node input[] = {c, b, a}, sum = crd_add(a, b);
    crd_node known = crdi_constant_fill(g, 0.1, crd_shape_1(2)), total = crd_sum(sum);
    crd_node output[] = {sum,
                         sum,
                         crd_neg(b),
                         total,
                         b,
                         crd_slice(a, 0, 1, 2, 1),
                         known,
                         crd_slice(sum, 0, 2, 1, 1),
                         crd_slice(a, 0, 2, 3, -1)};
    for (int i = 0; i < 10; i++)
        in[i] = 0.1 * (i + 1);
    run(ctx, g, input, 3, output, 9, in, out);
    const double *pb = in + 4, *pa = in + 7;
    for (int i = 0; i < 3; i++) {
        double s = (double)((float)pa[i] + (float)pb[i]);
        assert_true(out[i] == s && out[3 + i] == s && out[6 + i] == -(double)(float)pb[i]);
        assert_true(out[10 + i] == pb[i]); /* no rounding on the way */
        assert_true(out[18 + i] == (double)(float)pa[2 - i]); /* moved: a float */
    }
    assert_true(fabs(out[9] - (out[0] + out[1] + out[2])) <= 1e-15);
    assert_true(out[13] == pa[1] && out[14] == pa[2] && out[15] == 0.1 && out[16] == 0.1 && out[17] == out[2]);
    crd_graph_destroy(&g);
    testing_context_destroy(&ctx);
}

static void inputs_that_are_missing_are_named(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_graph *g;
    crd_program *program = NULL;
    assert_ok(ctx, crd_graph_create(&g, ctx));
    crd_node a = node(ctx, g, "first", 3), b = node(ctx, g, "second", 3), sum = crd_add(a, b);
    crd_graph_set_precision(g, CRD_SINGLE);
    assert_int_equal(crd_compile(g, &a, 1, &sum, 1, &program), CRD_EINVAL);
    assert_non_null(strstr(crd_error_message(ctx), "'second'"));
    crd_error_clear(ctx);
    assert_int_equal(crd_compile(g, &sum, 1, &sum, 1, &program), CRD_EINVAL);
    crd_error_clear(ctx);
    assert_int_equal(crd_compile(g, (crd_node[]){a, a, b}, 3, &sum, 1, &program), CRD_EINVAL);
    assert_non_null(strstr(crd_error_message(ctx), "'first'"));
    crd_error_clear(ctx);
    assert_null(program);
    crd_graph_destroy(&g);
    testing_context_destroy(&ctx);
}

/* Valgrind takes no notice of the bit that an x86-64 has for this. The library's own way to it is not asked. */
static bool machine_flushes(void)
{
#if defined(__x86_64__)
    volatile float small = 0x1p-126f, half; /* volatile: no compiler moves them over the bit */
    unsigned before = _mm_getcsr();
    _mm_setcsr(before | _MM_FLUSH_ZERO_ON);
    half = small * 0.5f;
    _mm_setcsr(before);
    return half == 0;
#else
    return true;
#endif
}

/* Results below the normal floats are zero, on threads too, and the caller's arithmetic is afterwards what it was. */
static void tiny_results_are_zero(void **state)
{
    (void)state;
    enum { STRANDS = 3, MANY = 5000, RUNS = 300 }; /* so many that threads wake up and take part */
    crd_context *ctx = testing_context();
    crd_graph *g;
    crd_program *program;
    crd_exec *exec;
    crdi_team *team;
    crd_node output[STRANDS];
    volatile float small = 0x1p-126f;
    volatile double smaller = 0x1p-1022;
    if (!machine_flushes()) {
        print_message("this machine, or what stands for one, computes with numbers below the normal ones\n");
        testing_context_destroy(&ctx);
        skip();
    }
    assert_ok(ctx, crd_graph_create(&g, ctx));
    crd_node x = node(ctx, g, "x", MANY);
    for (int s = 0; s < STRANDS; s++) {
        crdi_graph_set_strand(g, s + 1);
        output[s] = crd_exp(crd_add(x, crd_num(-0.01 * s)));
    }
    crdi_graph_set_strand(g, 0);
    g->groups = STRANDS;
    for (int k = 0; k < 4; k++) {
        bool single = k > 0, threads = k > 1;
        crd_graph_set_precision(g, single ? CRD_SINGLE : CRD_DOUBLE);
        assert_ok(ctx, crd_compile(g, NULL, 0, output, STRANDS, &program));
        assert_ok(ctx, crd_exec_create(&exec, program));
        assert_ok(ctx, crdi_team_create(ctx, STRANDS, &team));
        crdi_exec_set_team(exec, threads ? team : NULL);
        for (int i = 0; i < MANY; i++)
            crd_exec_input(exec)[i] = i ? -80 : -95; /* exp: 1.8e-35, 5.5e-42 */
        for (int r = 0; r < (threads ? RUNS : 1); r++) {
            crd_exec_run(exec);
            for (int s = 0; s < STRANDS; s++) {
                const double *y = crd_exec_output(exec) + MANY * s;
                assert_true(single ? y[0] == 0 : y[0] > 0 && y[0] < 1e-41);
                assert_true(y[1] > 1e-35);
            }
        }
        assert_true(small * 0.5f > 0 && smaller * 0.5 > 0);
        crd_exec_destroy(&exec);
        crdi_team_destroy(&team);
        crd_program_destroy(&program);
    }
    crd_graph_destroy(&g);
    testing_context_destroy(&ctx);
}

/* What has no kernel of floats is computed in doubles between them: here everything of that kind. */
static void what_knows_no_floats_runs_on_doubles(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_graph *g;
    enum { N = 5 };
    double in[N * N], out[2][MOST];
    assert_ok(ctx, crd_graph_create(&g, ctx));
    crd_node a = crd_input(g, "a", crd_shape_2(N, N)), half = crd_mul(crd_num(0.5), a);
    crd_node spd = crd_matmul(half, crd_transpose(half));
    for (int i = 0; i < N * N; i++)
        in[i] = (i % (N + 1) == 0 ? 3 : 0) + 0.1 * (i % 7);
    crd_node l = crd_cholesky(spd), s = crd_sum(crd_lgamma(crd_add(crd_abs(l), crd_num(1))));
    crd_node output[3] = {s, crd_cumsum(crd_reshape(a, crd_shape_1(N * N)), 0), crdi_nothing};
    crd_gradient(s, &a, 1, &output[2]);
    for (int k = 0; k < 2; k++) {
        crd_program *program;
        crd_exec *exec;
        crd_graph_set_precision(g, k ? CRD_SINGLE : CRD_DOUBLE);
        assert_ok(ctx, crd_compile(g, NULL, 0, output, 3, &program));
        assert_ok(ctx, crd_exec_create(&exec, program));
        memcpy(crd_exec_input(exec), in, sizeof in);
        crd_exec_run(exec);
        memcpy(out[k], crd_exec_output(exec), sizeof *out[k] * (1 + 2 * N * N));
        crd_exec_destroy(&exec);
        crd_program_destroy(&program);
    }
    for (int i = 0; i < 1 + 2 * N * N; i++)
        if (!(fabs(out[1][i] - out[0][i]) <= 3e-6 * (1 + fabs(out[0][i]))))
            fail_msg("output %d is %.9g in single, %.9g in double precision", i, out[1][i], out[0][i]);
    crd_graph_destroy(&g);
    testing_context_destroy(&ctx);
}

/* A layer, its loss and gradient: equal bits on every instruction set. */
static void bits_do_not_depend_on_the_instruction_set(void **state)
{
    (void)state;
    enum { UNITS = 7, SIZE = 2 * UNITS + UNITS + 1 };
    static double data[2 * ROWS], in[SIZE], first[1 + SIZE], out[1 + SIZE];
    bool any = false;
    crd_random_normal(crd_key_make(2), 2 * ROWS, data);
    crd_random_normal(crd_key_make(3), SIZE, in);
    for (int t = 0; t < crdi_kernels_count(); t++) {
        crd_context *ctx;
        crd_graph *g;
        if (!crdi_kernels_usable(crdi_kernels_get(t)))
            continue;
        assert_int_equal(crd_context_create(&ctx, &(crd_context_options){.kernels = crdi_kernels_get(t)->name}),
                         CRD_OK);
        assert_ok(ctx, crd_graph_create(&g, ctx));
        crd_array x = crd_array_borrow(data, crd_shape_2(2, ROWS));
        crd_node k = crd_input(g, "k", crd_shape_2(2, UNITS)), b = node(ctx, g, "b", UNITS);
        crd_node u = crd_input(g, "u", crd_shape_0()), h = crd_affine(k, crd_constant(g, &x), b);
        crd_node f = crd_mul(crd_softplus(h), crd_sigmoid(crd_log1p(crd_square(h))));
        crd_node output[4] = {
            crd_add(crd_sum(crd_div(crd_tanh(f), crd_exp(u))), crd_sum(crd_log(crd_add(f, crd_num(2)))))};
        crd_gradient(output[0], (crd_node[]){k, b, u}, 3, output + 1);
        run(ctx, g, NULL, 0, output, 4, in, out);
        if (!any)
            memcpy(first, out, sizeof out);
        any = true;
        assert_memory_equal(out, first, sizeof out);
        crd_graph_destroy(&g);
        crd_context_destroy(&ctx);
    }
    assert_true(any);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arrays_are_floats_and_totals_doubles),
        cmocka_unit_test(keys_and_indices_stay_doubles),
        cmocka_unit_test(inputs_and_outputs_of_all_kinds),
        cmocka_unit_test(inputs_that_are_missing_are_named),
        cmocka_unit_test(tiny_results_are_zero),
        cmocka_unit_test(what_knows_no_floats_runs_on_doubles),
        cmocka_unit_test(bits_do_not_depend_on_the_instruction_set),
    };
    return cmocka_run_group_tests_name("single", tests, NULL, NULL);
}
