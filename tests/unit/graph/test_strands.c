/* test_strands.c - parts of a program that threads share: the same bits as one after the other, whatever the groups, with
 * parts that all strands need, parts that need all of them, and pieces of one array computed by several. */
#include "graph/graph.h"
#include "graph/program.h"
#include "testing.h"

#include <math.h>
#include <string.h>

enum { STRANDS = 7, ROWS = 60, UNITS = 12, MOST = 8192 };

/* Sums, differences and a joined array over strands that share a scale, and each of which uses its own row of z. */
static crd_program *compile(crd_context *ctx, crd_precision precision, int groups)
{
    crd_graph *g;
    crd_program *program;
    static double x[ROWS];
    assert_ok(ctx, crd_graph_create(&g, ctx));
    g->groups = groups;
    crd_graph_set_precision(g, precision);
    crd_random_normal(crd_key_make(5), ROWS, x);
    crd_array data = crd_array_borrow(x, crd_shape_2(1, ROWS));
    crd_node z = crd_input(g, "z", crd_shape_2(STRANDS, 3 * UNITS)), u = crd_input(g, "u", crd_shape_0());
    crd_node total = crd_num(0), piece[STRANDS], gradient[STRANDS], input = crd_constant(g, &data), loss[STRANDS];
    for (int s = 0; s < STRANDS; s++) {
        crdi_graph_set_strand(g, s + 1);
        crd_node row = crd_take(z, 0, s), scale = crd_exp(u); /* the same node for all: before them */
        crd_node kernel = crd_reshape(crd_slice(row, 0, 0, UNITS, 1), crd_shape_2(1, UNITS));
        crd_node last = crd_reshape(crd_slice(row, 0, 2 * UNITS, UNITS, 1), crd_shape_2(UNITS, 1));
        crd_node h = crd_tanh(crd_affine(kernel, input, crd_slice(row, 0, UNITS, UNITS, 1)));
        crd_node f = crd_affine(last, h, crd_reshape(scale, crd_shape_1(1)));
        loss[s] = crd_sum(crd_square(crd_div(f, scale)));
        crd_gradient(loss[s], &row, 1, &gradient[s]);
        piece[s] = crd_mul(scale, gradient[s]);
        crdi_graph_set_strand(g, 0);
        total = crd_add(total, loss[s]);
    }
    crdi_graph_set_strand(g, 3); /* needs another strand: that is made before all */
    crd_node mixed = crd_mul(loss[0], loss[2]);
    crdi_graph_set_strand(g, 0);
    crd_node output[] = {total, crd_concat(piece, STRANDS, 0), mixed, gradient[1], crd_log(total)};
    assert_ok(ctx, crd_compile(g, NULL, 0, output, 5, &program));
    crd_graph_destroy(&g);
    return program;
}

static void run(crd_context *ctx, const crd_program *program, crdi_team *team, double *out)
{
    crd_exec *exec;
    assert_ok(ctx, crd_exec_create(&exec, program));
    crdi_exec_set_team(exec, team);
    for (int k = 0; k < 20; k++) { /* more than once: memory is used again */
        crd_random_normal(crd_key_make(9), crd_program_input_size(program), crd_exec_input(exec));
        crd_exec_run(exec);
    }
    memcpy(out, crd_exec_output(exec), sizeof(double) * (size_t)crd_program_output_size(program));
    crd_exec_destroy(&exec);
}

static void check_groups(crd_precision precision)
{
    static double expected[MOST], got[MOST];
    crd_context *ctx = testing_context();
    crdi_team *team;
    crd_program *one = compile(ctx, precision, 0);
    size_t bytes = sizeof(double) * (size_t)crd_program_output_size(one);
    assert_true(bytes <= sizeof expected);
    run(ctx, one, NULL, expected);
    for (int64_t i = 0; i < crd_program_output_size(one); i++)
        assert_true(isfinite(expected[i]));
    assert_ok(ctx, crdi_team_create(ctx, 3, &team));
    for (int groups = 1; groups <= STRANDS + 2; groups++) {
        crd_program *program = compile(ctx, precision, groups);
        assert_int_equal(program->groups, groups < 2 ? 0 : groups < STRANDS ? groups : STRANDS);
        run(ctx, program, NULL, got);
        assert_memory_equal(got, expected, bytes);
        run(ctx, program, team, got);
        assert_memory_equal(got, expected, bytes);
        crd_program_destroy(&program);
    }
    crdi_team_destroy(&team);
    crd_program_destroy(&one);
    testing_context_destroy(&ctx);
}

static void groups_and_threads_change_no_bit(void **state)
{
    (void)state;
    check_groups(CRD_DOUBLE);
    check_groups(CRD_SINGLE);
}

/* What strands have in common is not computed by each, and little is left for one thread alone. */
static void most_calls_are_in_the_groups(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_program *program = compile(ctx, CRD_DOUBLE, 2);
    int64_t before = program->segment[1], behind = program->count - program->segment[3];
    print_message("%lld calls before, %lld and %lld in groups, %lld behind\n", (long long)before,
                  (long long)(program->segment[2] - program->segment[1]),
                  (long long)(program->segment[3] - program->segment[2]), (long long)behind);
    assert_true(before >= 1 && before <= 8 && behind >= 1 && behind <= 12);
    assert_true(program->segment[2] - program->segment[1] >= 3 * 4);
    crd_program_destroy(&program);
    testing_context_destroy(&ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(groups_and_threads_change_no_bit),
        cmocka_unit_test(most_calls_are_in_the_groups),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
