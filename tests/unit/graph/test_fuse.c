/* test_fuse.c - what is joined and moved when a program is compiled changes no bit: networks of many sizes compiled as
 * they are and joined, on every instruction set and in either precision, at ordinary points and where numbers are infinite or none. */
#include "graph/graph.h"
#include "testing.h"

#include <math.h>
#include <string.h>

enum { MOST = 4096 };

struct shape {
    int64_t rows, inputs, hidden[2], outs;
    bool forwards;
};

/* A loss of a network with one or two hidden layers, with terms on single numbers round it, and its gradient; forwards: its
 * outputs alone. */
static crd_program *compile(crd_context *ctx, const struct shape *s, const char *activation, crd_precision precision,
                            bool plain)
{
    crd_graph *g;
    crd_program *program;
    crd_node (*act)(crd_node, crd_where) = strcmp(activation, "tanh") == 0      ? crd_tanh_at
                                           : strcmp(activation, "sigmoid") == 0 ? crd_sigmoid_at
                                                                                : crd_relu_at;
    static double x[MOST];
    assert_ok(ctx, crd_graph_create(&g, ctx));
    g->plain = plain;
    crd_graph_set_precision(g, precision);
    crd_random_normal(crd_key_make(3), s->inputs * s->rows, x);
    crd_array data = crd_array_borrow(x, crd_shape_2(s->inputs, s->rows));
    crd_node input[8], output[9], h = crd_constant(g, &data), loss = crd_num(0);
    int layers = s->hidden[1] ? 3 : 2, n = 0;
    int64_t from = s->inputs;
    for (int l = 0; l < layers; l++) {
        int64_t to = l + 1 < layers ? s->hidden[l] : s->outs;
        input[n] = crd_input(g, "kernel", crd_shape_2(from, to));
        input[n + 1] = crd_input(g, "bias", crd_shape_1(to));
        h = crd_affine(input[n], h, input[n + 1]);
        h = l + 1 < layers ? act(h, CRD_HERE) : h;
        loss = crd_add(loss, crd_mul(crd_num(0.5), crd_sum(crd_square(input[n]))));
        n += 2;
        from = to;
    }
    input[n++] = crd_input(g, "u", crd_shape_0());
    crd_node scale = crd_exp(input[n - 1]);
    loss = crd_add(loss, crd_sum(crd_square(crd_div(h, scale))));
    loss = crd_add(loss, crd_select(crd_less(scale, crd_num(1)), crd_log1p(crd_square(scale)), scale));
    output[0] = loss;
    if (s->forwards)
        output[0] = h;
    else
        crd_gradient(loss, input, n, output + 1);
    assert_ok(ctx, crd_compile(g, NULL, 0, output, s->forwards ? 1 : n + 1, &program));
    crd_graph_destroy(&g);
    return program;
}

static bool same(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0 || (isnan(a) && isnan(b));
}

static void compare(crd_context *ctx, const struct shape *s, const char *activation, crd_precision precision)
{
    static const double odd[] = {INFINITY, -INFINITY, NAN, 1e200, -0.0};
    crd_program *program[2];
    crd_exec *exec[2];
    for (int k = 0; k < 2; k++) {
        program[k] = compile(ctx, s, activation, precision, k == 0);
        assert_ok(ctx, crd_exec_create(&exec[k], program[k]));
    }
    assert_true(s->forwards || crd_program_calls(program[1]) < crd_program_calls(program[0]));
    int64_t inputs = crd_program_input_size(program[0]), outputs = crd_program_output_size(program[0]);
    for (int point = 0; point < 12; point++) {
        crd_random_normal(crd_key_make((uint64_t)point), inputs, crd_exec_input(exec[0]));
        if (point >= 2)
            crd_exec_input(exec[0])[(point * 7919) % inputs] = odd[point % 5];
        memcpy(crd_exec_input(exec[1]), crd_exec_input(exec[0]), sizeof(double) * (size_t)inputs);
        for (int k = 0; k < 2; k++)
            crd_exec_run(exec[k]);
        for (int64_t i = 0; i < outputs; i++)
            if (!same(crd_exec_output(exec[0])[i], crd_exec_output(exec[1])[i]))
                fail_msg("%s, %lld rows, %lld-%lld-%lld-%lld: result %lld is %a joined, %a as it is", activation,
                         (long long)s->rows, (long long)s->inputs, (long long)s->hidden[0], (long long)s->hidden[1],
                         (long long)s->outs, (long long)i, crd_exec_output(exec[1])[i], crd_exec_output(exec[0])[i]);
    }
    for (int k = 0; k < 2; k++) {
        crd_exec_destroy(&exec[k]);
        crd_program_destroy(&program[k]);
    }
}

static void joining_changes_no_bit(void **state)
{
    (void)state;
    static const struct shape shapes[] = {
        {40, 1, {10, 0}, 1, false}, {37, 2, {10, 0}, 3, false}, {8, 3, {1, 0}, 2, false},  {1, 4, {3, 0}, 4, false},
        {50, 5, {7, 0}, 1, false},  {9, 17, {4, 0}, 2, false},  {33, 2, {6, 5}, 1, false}, {16, 9, {3, 8}, 4, false},
        {21, 1, {2, 3}, 5, false},  {13, 70, {5, 0}, 1, false}, {40, 1, {10, 0}, 1, true}, {131, 2, {10, 0}, 3, true},
        {7, 16, {1, 0}, 2, true},   {77, 5, {6, 5}, 1, true},   {33, 17, {4, 0}, 1, true}, {20, 3, {4, 0}, 4, true}};
    static const char *const activations[] = {"tanh", "sigmoid", "relu"};
    for (int i = 0; i < crdi_kernels_count(); i++) {
        const crdi_kernel_table *table = crdi_kernels_get(i);
        if (!crdi_kernels_usable(table))
            continue;
        crd_context *ctx;
        assert_int_equal(crd_context_create(&ctx, &(crd_context_options){.kernels = table->name}), CRD_OK);
        for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
            for (int a = 0; a < 3; a++) {
                compare(ctx, &shapes[s], activations[a], CRD_DOUBLE);
                compare(ctx, &shapes[s], activations[a], CRD_SINGLE);
            }
        crd_context_destroy(&ctx);
    }
}

/* How many calls of a label a program has. */
struct count {
    const char *label;
    int found;
};

static void count_line(void *user, const char *line)
{
    struct count *c = user;
    c->found += strstr(line, c->label) != NULL;
}

static int calls_of(const crd_program *program, const char *label)
{
    struct count c = {label, 0};
    crd_program_print(program, count_line, &c);
    return c.found;
}

static void gradients_of_layers_are_one_call_each(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_program *one = compile(ctx, &(struct shape){40, 1, {10, 0}, 1, false}, "tanh", CRD_DOUBLE, false);
    crd_program *two = compile(ctx, &(struct shape){40, 1, {10, 4}, 2, false}, "relu", CRD_DOUBLE, false);
    crd_program *single = compile(ctx, &(struct shape){40, 1, {10, 0}, 1, false}, "tanh", CRD_SINGLE, false);
    crd_program *plain = compile(ctx, &(struct shape){40, 1, {10, 0}, 1, false}, "tanh", CRD_DOUBLE, true);
    assert_int_equal(calls_of(one, "dense_back_tanh"), 1);
    assert_int_equal(calls_of(one, "matmul"), 0);
    assert_int_equal(calls_of(single, "dense_back_tanh"), 1);
    assert_int_equal(calls_of(single, "matmul"), 0);
    int scalars =
        calls_of(one, " scalars "); /* those of the scale and of the sums; compilers differ in what comes first */
    assert_true(scalars == 1 || scalars == 2);
    assert_int_equal(calls_of(two, "dense_back_relu"), 2);
    assert_int_equal(calls_of(two, "matmul"), 0);
    assert_int_equal(calls_of(plain, "dense_back"), 0);
    assert_int_equal(calls_of(plain, " scalars "), 0);
    crd_program_destroy(&one);
    crd_program_destroy(&single);
    crd_program_destroy(&two);
    crd_program_destroy(&plain);
    testing_context_destroy(&ctx);
}

static void layers_forwards_are_one_call(void **state)
{
    (void)state;
    static const struct {
        struct shape shape;
        const char *activation;
        int calls;
    } cases[] = {{{40, 1, {10, 0}, 1, true}, "tanh", 1},  {{40, 16, {10, 0}, 3, true}, "sigmoid", 1},
                 {{40, 2, {8, 6}, 1, true}, "tanh", 1},   {{40, 17, {10, 0}, 1, true}, "tanh", 0},
                 {{40, 1, {10, 0}, 4, true}, "tanh", 0},  {{40, 1, {10, 0}, 1, true}, "relu", 0},
                 {{40, 1, {10, 0}, 1, false}, "tanh", 0}, {{40, 2, {8, 6}, 1, false}, "tanh", 0}};
    crd_context *ctx = testing_context();
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++)
        for (int single = 0; single < 2; single++) {
            crd_program *program =
                compile(ctx, &cases[k].shape, cases[k].activation, single ? CRD_SINGLE : CRD_DOUBLE, false);
            assert_int_equal(calls_of(program, "layers_"), cases[k].calls);
            crd_program_destroy(&program);
        }
    testing_context_destroy(&ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(joining_changes_no_bit),
        cmocka_unit_test(gradients_of_layers_are_one_call_each),
        cmocka_unit_test(layers_forwards_are_one_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
