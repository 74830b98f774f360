/* test_random_counts.c - counts as operations: the numbers of the rng room, shapes, no gradient, errors. */
#include "graph/graph.h"
#include "testing.h"

#include <string.h>

static void a_program_draws_what_the_rng_room_draws(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_graph *g;
    crd_program *program;
    crd_exec *exec;
    crd_key key = crd_key_make(21);
    double rate[4] = {0.5, 3, 20, 1000}, total[4] = {9, 9, 100, 100}, share[4] = {0.1, 0.2, 0.3, 0.4};
    double rates[12], totals[12], shares[12], expected[12], rows[3] = {50, 50, 50};
    assert_ok(ctx, crd_graph_create(&g, ctx));
    crd_node r = crd_input(g, "rate", crd_shape_1(4)), n = crd_input(g, "total", crd_shape_1(4));
    crd_node p = crd_input(g, "probs", crd_shape_1(4)), k = crd_key_node(g, key), outputs[4];
    crd_shape shape = crd_shape_2(3, 4);
    outputs[0] = crd_random_poisson_node(k, r, shape);
    outputs[1] = crd_random_binomial_node(k, n, p, shape);
    outputs[2] = crd_random_multinomial_node(k, crd_num(50), p, shape);
    crd_gradient(crd_sum(crd_add(crd_add(outputs[0], outputs[1]), outputs[2])), &r, 1, &outputs[3]);
    assert_ok(ctx, crd_compile(g, NULL, 0, outputs, 4, &program));
    assert_ok(ctx, crd_exec_create(&exec, program));
    for (int i = 0; i < 12; i++) {
        rates[i] = crd_exec_input(exec)[i % 4] = rate[i % 4];
        totals[i] = crd_exec_input(exec)[4 + i % 4] = total[i % 4];
        shares[i] = crd_exec_input(exec)[8 + i % 4] = share[i % 4];
    }
    crd_exec_run(exec);
    const double *out = crd_exec_output(exec);
    crd_random_poisson(key, rates, 12, expected);
    assert_memory_equal(out, expected, sizeof expected);
    crd_random_binomial(key, totals, shares, 12, expected);
    assert_memory_equal(out + 12, expected, sizeof expected);
    crd_random_multinomial(key, rows, shares, 4, 3, expected);
    assert_memory_equal(out + 24, expected, sizeof expected);
    for (int i = 36; i < 40; i++)
        assert_true(out[i] == 0);
    crd_exec_destroy(&exec);
    crd_program_destroy(&program);
    crd_graph_destroy(&g);
    testing_context_destroy(&ctx);
}

static void expect_failure(int which, crd_status status, const char *message)
{
    crd_context *ctx = testing_context();
    crd_graph *g;
    assert_ok(ctx, crd_graph_create(&g, ctx));
    crd_node three = crd_input(g, "x", crd_shape_1(3)), key = crd_key_node(g, crd_key_make(1)), node = three;
    if (which == 0)
        node = crd_random_poisson_node(three, crd_num(1), crd_shape_1(2));
    if (which == 1)
        node = crd_random_poisson_node(key, three, crd_shape_1(2));
    if (which == 2)
        node = crd_random_multinomial_node(key, crd_num(1), three, crd_shape_0());
    assert_false(crd_node_ok(node));
    assert_int_equal(crd_graph_status(g), status);
    assert_ptr_equal(strstr(crd_error_message(ctx), message), crd_error_message(ctx));
    crd_graph_destroy(&g);
    testing_context_destroy(&ctx);
}

static void wrong_shapes_are_errors(void **state)
{
    (void)state;
    expect_failure(0, CRD_ESHAPE, "random_poisson: a key has two words");
    expect_failure(1, CRD_ESHAPE, "broadcast_to: (3,) does not broadcast to (2,)");
    expect_failure(2, CRD_ESHAPE, "random_multinomial: no axis of classes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_program_draws_what_the_rng_room_draws),
        cmocka_unit_test(wrong_shapes_are_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
