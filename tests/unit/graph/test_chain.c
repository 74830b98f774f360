/* test_chain.c - chains of element-wise operations and sums: the bits of the operations one by one, for random formulas of
 * every length round that of a tile, on every instruction set and in either precision; what goes together and what waits. */
#include "graph/graph.h"
#include "testing.h"

#include <math.h>
#include <string.h>

static uint64_t next(uint64_t *s)
{
    *s = *s * 6364136223846793005u + 1442695040888963407u;
    return *s >> 33;
}

enum { MOST_NODES = 64, INPUTS = 3 };

static crd_node element(uint64_t *seed, const crd_node *node, int count)
{
    crd_node a = node[next(seed) % (uint64_t)count], b = node[next(seed) % (uint64_t)count];
    switch (next(seed) % 11) {
    case 0:
        return crd_add(a, b);
    case 1:
        return crd_sub(a, b);
    case 2:
        return crd_mul(a, b);
    case 3:
        return crd_div(a, b);
    case 4:
        return crd_neg(a);
    case 5:
        return crd_square(a);
    case 6:
        return crd_log1p(crd_square(a));
    case 7:
        return crd_tanh(a);
    case 8:
        return crd_select(crd_less(a, b), a, b);
    case 9:
        return crd_exp(crd_neg(crd_square(b)));
    default:
        return crd_add(a, crd_num(0.25));
    }
}

/* A number that sums make of arrays, or of other numbers. */
static crd_node total(uint64_t *seed, const crd_node *node, int count)
{
    crd_node a = node[next(seed) % (uint64_t)count], b = node[next(seed) % (uint64_t)count];
    switch (next(seed) % 3) {
    case 0:
        return crd_sum(a);
    case 1:
        return crd_sum(crd_square(crd_sub(a, b)));
    default:
        return crd_dot(a, b);
    }
}

/* Arrays of n numbers, sums of them, and arrays that need such a sum; the loss is the sum of all sums, and goes with its
 * gradient. */
static crd_program *compile(crd_context *ctx, uint64_t seed, int64_t n, crd_precision precision, bool plain)
{
    crd_graph *g;
    crd_program *program;
    crd_node node[MOST_NODES], input[INPUTS], output[INPUTS + 2], loss = crd_num(0);
    assert_ok(ctx, crd_graph_create(&g, ctx));
    g->plain = plain;
    crd_graph_set_precision(g, precision);
    for (int i = 0; i < INPUTS; i++)
        node[i] = input[i] = crd_input(g, "x", crd_shape_1(n));
    int count = INPUTS, nodes = INPUTS + 3 + (int)(next(&seed) % 20);
    while (count < nodes) {
        node[count] = element(&seed, node, count);
        count++;
        if (next(&seed) % 3 != 0)
            continue;
        crd_node sum = total(&seed, node, count);
        loss = crd_add(loss, sum);
        if (next(&seed) % 3 == 0) {
            node[count] = crd_mul(node[count - 1], crd_tanh(sum));
            count++;
        }
    }
    output[0] = loss = crd_add(loss, crd_sum(node[count - 1]));
    output[1] = node[count - 1];
    crd_gradient(loss, input, INPUTS, output + 2);
    assert_ok(ctx, crd_compile(g, NULL, 0, output, INPUTS + 2, &program));
    crd_graph_destroy(&g);
    return program;
}

static bool same(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0 || (isnan(a) && isnan(b));
}

/* How many calls fewer. */
static int64_t compare(crd_context *ctx, uint64_t seed, int64_t n, crd_precision precision)
{
    crd_program *program[2];
    crd_exec *exec[2];
    for (int k = 0; k < 2; k++) {
        program[k] = compile(ctx, seed, n, precision, k == 0);
        assert_ok(ctx, crd_exec_create(&exec[k], program[k]));
    }
    int64_t inputs = crd_program_input_size(program[0]), fewer = 0;
    for (int point = 0; point < 3; point++) {
        crd_random_normal(crd_key_make(seed + (uint64_t)point), inputs, crd_exec_input(exec[0]));
        if (point == 2)
            crd_exec_input(exec[0])[next(&seed) % (uint64_t)inputs] = INFINITY;
        memcpy(crd_exec_input(exec[1]), crd_exec_input(exec[0]), sizeof(double) * (size_t)inputs);
        for (int k = 0; k < 2; k++)
            crd_exec_run(exec[k]);
        for (int64_t i = 0; i < crd_program_output_size(program[0]); i++)
            if (!same(crd_exec_output(exec[0])[i], crd_exec_output(exec[1])[i]))
                fail_msg("formula %llu, %lld elements: result %lld is %a in chains, %a as it is",
                         (unsigned long long)seed, (long long)n, (long long)i, crd_exec_output(exec[1])[i],
                         crd_exec_output(exec[0])[i]);
    }
    fewer = crd_program_calls(program[0]) - crd_program_calls(program[1]);
    for (int k = 0; k < 2; k++) {
        crd_exec_destroy(&exec[k]);
        crd_program_destroy(&program[k]);
    }
    return fewer;
}

static void chains_change_no_bit(void **state)
{
    (void)state;
    static const int64_t sizes[] = {2,
                                    7,
                                    8,
                                    16,
                                    40,
                                    CRDI_CHAIN_TILE - 1,
                                    CRDI_CHAIN_TILE,
                                    CRDI_CHAIN_TILE + 1,
                                    2 * CRDI_CHAIN_TILE,
                                    3 * CRDI_CHAIN_TILE + 5};
    int64_t fewer = 0;
    for (int i = 0; i < crdi_kernels_count(); i++) {
        const crdi_kernel_table *table = crdi_kernels_get(i);
        if (!crdi_kernels_usable(table))
            continue;
        crd_context *ctx;
        assert_int_equal(crd_context_create(&ctx, &(crd_context_options){.kernels = table->name}), CRD_OK);
        for (uint64_t seed = 1; seed <= 100; seed++) {
            int64_t n = sizes[seed % CRDI_COUNT(sizes)];
            fewer += compare(ctx, seed, n, CRD_DOUBLE);
            fewer += compare(ctx, seed, n, CRD_SINGLE);
        }
        crd_context_destroy(&ctx);
    }
    assert_true(fewer > 2000); /* there were chains */
}

/* ---- what goes together ------------------------------------------------------------------------------------------ */

/* Links of each chain of a program, in order. */
struct plan {
    int chains, calls, links[8];
};

static void read_line(void *user, const char *line)
{
    struct plan *plan = user;
    const char *chain = strstr(line, "chain ");
    plan->calls += strncmp(line, "     ", 5) != 0;
    if (chain) {
        int n = 0, links = 0;
        assert_int_equal(sscanf(strstr(chain, "n = "), "n = %d x %d", &n, &links), 2);
        assert_true(plan->chains < CRDI_COUNT(plan->links));
        plan->links[plan->chains++] = links;
    }
}

static struct plan plan_of(crd_graph *g, const crd_node *output, int count)
{
    struct plan plan = {0};
    crd_program *program;
    assert_ok(g->ctx, crd_compile(g, NULL, 0, output, count, &program));
    crd_program_print(program, read_line, &plan);
    crd_program_destroy(&program);
    return plan;
}

static void a_log_density_over_rows_is_one_call(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_graph *g;
    assert_ok(ctx, crd_graph_create(&g, ctx));
    crd_node y = crd_input(g, "y", crd_shape_1(40)), f = crd_input(g, "f", crd_shape_1(40)),
             df = crd_input(g, "df", crd_shape_0());
    crd_node r = crd_sub(y, f), output[2];
    output[0] = crd_neg(crd_mul(crd_add(df, crd_num(1)), crd_sum(crd_log1p(crd_div(crd_square(r), df)))));
    crd_gradient(output[0], &f, 1, output + 1);
    struct plan plan = plan_of(g, output, 2);
    assert_int_equal(plan.chains, 1);
    assert_true(plan.links[0] >= 8);
    assert_true(plan.calls <= 3); /* single numbers before it, and behind it */
    crd_graph_destroy(&g);
    testing_context_destroy(&ctx);
}

static void what_needs_a_sum_waits_for_it(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_graph *g;
    assert_ok(ctx, crd_graph_create(&g, ctx));
    crd_node x = crd_input(g, "x", crd_shape_1(40)), e = crd_exp(crd_neg(x)), output[2];
    output[0] = crd_square(crd_div(e, crd_sum(e)));
    output[1] = crd_square(crd_tanh(x)); /* needs none */
    struct plan plan = plan_of(g, output, 2);
    assert_int_equal(plan.chains, 2);
    assert_int_equal(plan.links[0], 5); /* neg, exp, sum; tanh, square */
    assert_int_equal(plan.links[1], 2);
    crd_graph_destroy(&g);
    testing_context_destroy(&ctx);
}

static void sums_of_other_formulas_go_along(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_graph *g;
    crd_node loss = crd_num(0);
    assert_ok(ctx, crd_graph_create(&g, ctx));
    for (int i = 0; i < CRDI_CHAIN_SUMS + 2; i++)
        loss = crd_add(loss, crd_sum(crd_square(crd_input(g, "w", crd_shape_1(10)))));
    struct plan plan = plan_of(g, &loss, 1);
    assert_int_equal(plan.chains, 2); /* as many sums as one takes, and the two that are left */
    assert_int_equal(plan.links[0], CRDI_CHAIN_SUMS);
    assert_int_equal(plan.links[1], 2);
    crd_graph_destroy(&g);
    testing_context_destroy(&ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chains_change_no_bit),
        cmocka_unit_test(a_log_density_over_rows_is_one_call),
        cmocka_unit_test(what_needs_a_sum_waits_for_it),
        cmocka_unit_test(sums_of_other_formulas_go_along),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
