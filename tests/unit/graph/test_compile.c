/* test_compile.c - programs: what may be an output, which inputs, memory that is used again, threads, failures. */
#include "graph/graph.h"
#include "testing.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
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

/* ---- inputs and outputs ----------------------------------------------------------------------------------------- */

static void anything_may_be_an_output_also_twice(void **state)
{
    (void)state;
    crd_context *ctx;
    crd_graph *g = graph_in(&ctx);
    crd_program *program;
    crd_exec *exec;
    double k[] = {7, 8};
    crd_node x = crd_input(g, "x", crd_shape_2(1, 2)), y = crd_input(g, "y", crd_shape_0());
    crd_node c = array_of(g, k, crd_shape_1(2)), flat = crd_reshape(x, crd_shape_1(2)), e = crd_exp(x);
    crd_node outputs[] = {x,
                          c,
                          flat,
                          e,
                          crd_reshape(e, crd_shape_1(2)),
                          y,
                          e,
                          crd_reshape(c, crd_shape_2(2, 1)),
                          crd_stop_gradient(crd_neg(x)),
                          crd_sum(e),
                          x};
    assert_ok(ctx, crd_compile(g, NULL, 0, outputs, 11, &program));
    crd_graph_destroy(&g); /* the program outlives the graph */
    assert_int_equal(crd_program_input_size(program), 3);
    assert_int_equal(crd_program_output_size(program), 20);
    assert_ok(ctx, crd_exec_create(&exec, program));
    for (int run = 0; run < 3; run++) {
        double in[] = {0.5 + run, -1.5, 3.25}, a = in[0], b = in[1];
        double expected[] = {a,     b,      7,      8, a, b,  exp(a), exp(b),          exp(a), exp(b),
                             in[2], exp(a), exp(b), 7, 8, -a, -b,     exp(a) + exp(b), a,      b};
        memcpy(crd_exec_input(exec), in, sizeof in);
        crd_exec_run(exec);
        for (int i = 0; i < 20; i++)
            assert_close(crd_exec_output(exec)[i], expected[i], 1e-15, 0);
        assert_memory_equal(crd_exec_input(exec), in, sizeof in); /* a run leaves its input alone */
    }
    crd_exec_destroy(&exec);
    crd_program_destroy(&program);
    testing_context_destroy(&ctx);
}

static void inputs_stand_in_the_order_asked_for(void **state)
{
    (void)state;
    crd_context *ctx;
    crd_graph *g = graph_in(&ctx);
    crd_program *program;
    crd_exec *exec;
    crd_node a = crd_input(g, "a", crd_shape_1(2)), b = crd_input(g, "b", crd_shape_0());
    crd_node unused = crd_input(g, "unused", crd_shape_1(3)), out = crd_sub(a, crd_mul(crd_num(10), b));
    assert_ok(ctx, crd_compile(g, (crd_node[]){unused, b, a}, 3, &out, 1, &program));
    assert_ok(ctx, crd_exec_create(&exec, program));
    memcpy(crd_exec_input(exec), (double[]){9, 9, 9, 2, 5, 6}, 6 * sizeof(double));
    crd_exec_run(exec);
    assert_true(crd_exec_output(exec)[0] == -15 && crd_exec_output(exec)[1] == -14);
    crd_exec_destroy(&exec);
    crd_program_destroy(&program);
    /* What is not needed may be left out. */
    assert_ok(ctx, crd_compile(g, (crd_node[]){a, b}, 2, &out, 1, &program));
    assert_int_equal(crd_program_input_size(program), 3);
    crd_program_destroy(&program);
    close_graph(&ctx, &g);
}

static void wrong_inputs_are_refused(void **state)
{
    (void)state;
    crd_context *ctx;
    crd_graph *g = graph_in(&ctx), *other;
    crd_program *program = NULL;
    assert_ok(ctx, crd_graph_create(&other, ctx));
    crd_node a = crd_input(g, "a", crd_shape_1(2)), b = crd_input(g, "b", crd_shape_0()), out = crd_mul(a, b);
    const struct {
        crd_node inputs[3];
        int count;
        const char *text;
    } wrong[] = {
        {{a}, 1, "the outputs need input 'b', which is not in the input vector"},
        {{a, b, a}, 3, "input 'a' is listed twice"},
        {{a, out, b}, 3, "input 1 is not an input of this graph"},
        {{crd_num(1), a, b}, 3, "input 0 is not an input of this graph"},
        {{a, b, crd_input(other, "c", crd_shape_0())}, 3, "input 2 is not an input of this graph"},
        {{(crd_node){g, -1, 0}, a, b}, 3, "input 0 is not an input of this graph"},
        {{a, b, crd_constant(g, &(crd_array){.data = (double[]){1}})}, 3, "input 2 is not an input of this graph"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(crd_compile(g, wrong[i].inputs, wrong[i].count, &out, 1, &program), CRD_EINVAL);
        assert_null(program);
        assert_non_null(strstr(crd_error_message(ctx), wrong[i].text));
        crd_error_clear(ctx);
    }
    crd_node number = crd_num(3);
    assert_int_equal(crd_compile(g, NULL, 0, &number, 1, &program), CRD_EINVAL);
    crd_graph_destroy(&other);
    close_graph(&ctx, &g);
}

static void count_line(void *user, const char *line)
{
    int *lines = user;
    bool call = strstr(line, " n = "), link = strstr(line, " <- ");
    assert_true(call || link);
    ++*lines;
}

static void the_plan_can_be_printed_and_reuses_memory(void **state)
{
    (void)state;
    crd_context *ctx;
    crd_graph *g = graph_in(&ctx);
    crd_program *program;
    crd_node x = crd_input(g, "x", crd_shape_1(64)), y = x;
    for (int i = 0; i < 50; i++)
        y = crd_sin(crd_add(y, crd_num(i)));
    assert_ok(ctx, crd_compile(g, NULL, 0, &y, 1, &program));
    int lines = 0;
    crd_program_print(program, count_line, &lines);
    assert_int_equal(crd_program_calls(program), 3); /* chains of 48 links at most */
    assert_int_equal(lines, 3 + 99); /* y + 0 is y */
    assert_true(crd_program_workspace(program) <=
                3 * 64); /* a hundred results in one place; some from chain to chain */
    crd_program_destroy(&program);
    close_graph(&ctx, &g);
}

static void empty_programs_run(void **state)
{
    (void)state;
    crd_context *ctx;
    crd_graph *g = graph_in(&ctx);
    crd_program *program;
    crd_exec *exec;
    assert_ok(ctx, crd_compile(g, NULL, 0, NULL, 0, &program));
    assert_ok(ctx, crd_exec_create(&exec, program));
    crd_exec_run(exec);
    assert_int_equal(crd_program_output_size(program), 0);
    crd_exec_destroy(&exec);
    crd_program_destroy(&program);
    crd_exec_destroy(&exec);
    crd_program_destroy(&program);
    close_graph(&ctx, &g);
}

/* ---- random graphs ---------------------------------------------------------------------------------------------- */

/* A small generator of our own, so that a failing graph can be made again from its seed. */
static uint64_t next(uint64_t *s)
{
    *s ^= *s << 13;
    *s ^= *s >> 7;
    *s ^= *s << 17;
    return *s;
}

static int below(uint64_t *s, int n)
{
    return (int)(next(s) % (uint64_t)n);
}

enum { LEAVES = 4, NODES = 40, SIDE = 4 };

/* All nodes are (4, 4), (4, 1), (4,) or scalars, so that nearly every operation fits. */
static crd_node shaped(crd_node x, int kind)
{
    crd_shape s = crd_node_shape(x);
    if (kind == 0 && s.ndim == 2 && s.dim[1] == 1)
        return crd_broadcast_to(x, crd_shape_2(SIDE, SIDE));
    return x;
}

static crd_node square_of(crd_node x)
{
    return crd_broadcast_to(shaped(x, 0), crd_shape_2(SIDE, SIDE));
}

static crd_node random_node(uint64_t *s, const crd_node *nodes, int count)
{
    crd_node a = nodes[below(s, count)], b = nodes[below(s, count)], m = square_of(a);
    switch (below(s, 22)) {
    case 0:
        return crd_add(a, b);
    case 1:
        return crd_sub(a, b);
    case 2:
        return crd_mul(crd_tanh(a), b);
    case 3:
        return crd_div(a, crd_add(crd_square(b), crd_num(1)));
    case 4:
        return crd_max(a, b);
    case 5:
        return crd_sin(a);
    case 6:
        return crd_neg(a);
    case 7:
        return crd_select(crd_less(a, b), a, crd_cos(b));
    case 8:
        return crd_matmul(crd_sin(m), crd_cos(square_of(b)));
    case 9:
        return crd_transpose(m);
    case 10:
        return crd_slice(m, below(s, 2), SIDE - 1, SIDE, -1);
    case 11:
        return crd_reshape(crd_sum_axis(m, 1), crd_shape_2(SIDE, 1));
    case 12:
        return crd_logsumexp(m, below(s, 2));
    case 13:
        return crd_cumsum(m, below(s, 2));
    case 14:
        return crd_diagonal(m);
    case 15: {
        crd_node parts[] = {crd_slice(m, 1, 2, 2, 1), crd_slice(square_of(b), 1, 0, 1, 1), crd_take(m, 1, 0)};
        parts[2] = crd_reshape(parts[2], crd_shape_2(SIDE, 1));
        return crd_concat(parts, 3, 1);
    }
    case 16:
        return crd_sum(crd_mul(crd_sin(a), crd_num(0.25)));
    case 17:
        return crd_take(m, below(s, 2), below(s, SIDE));
    case 18:
        return crd_affine(crd_sin(m), crd_tanh(square_of(b)), crd_take(m, 0, 1));
    case 19: /* the square of both, through one buffer seen in two ways */
        return crd_mul(m, crd_reshape(crd_reshape(m, crd_shape_1(SIDE * SIDE)), crd_shape_2(SIDE, SIDE)));
    case 20:
        return crd_cholesky(crd_add(
            crd_matmul(crd_tanh(m), crd_transpose(crd_tanh(m))),
            array_of(m.graph, (double[]){2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 2}, crd_shape_2(SIDE, SIDE))));
    default:
        return crd_gather(m, crd_floor(crd_add(crd_num(2), crd_sin(crd_diagonal(square_of(b))))));
    }
}

/* Keeps numbers in range, so that a difference is not hidden in an infinity. */
static crd_node tamed(crd_node x)
{
    return crd_mul(crd_num(2), crd_sin(x));
}

static void run_into(crd_context *ctx, crd_graph *g, const crd_node *outputs, int count, const double *input,
                     double *out)
{
    crd_program *program;
    crd_exec *exec;
    assert_ok(ctx, crd_compile(g, NULL, 0, outputs, count, &program));
    assert_ok(ctx, crd_exec_create(&exec, program));
    memcpy(crd_exec_input(exec), input, sizeof *input * (size_t)crd_program_input_size(program));
    crd_exec_run(exec);
    crd_exec_run(exec); /* from what the first run left */
    memcpy(out, crd_exec_output(exec), sizeof *out * (size_t)crd_program_output_size(program));
    crd_exec_destroy(&exec);
    crd_program_destroy(&program);
}

/* The node's value from the values of its arguments alone: a graph of one operation, its arguments as inputs. */
static void evaluate_alone(crd_context *ctx, const crd_graph *g, const crdi_vertex *v, double *const *values,
                           double *out)
{
    crd_graph *one;
    crd_node args[8];
    double input[8 * SIDE * SIDE * 2], *at = input;
    assert_ok(ctx, crd_graph_create(&one, ctx));
    for (int i = 0; i < v->arg_count; i++) {
        const crdi_vertex *a = g->vertex[v->arg[i]];
        args[i] = crd_input(one, "argument", a->shape);
        memcpy(at, values[v->arg[i]], sizeof *at * (size_t)a->size);
        at += a->size;
    }
    crd_node node = crdi_make(one, v->op, args, v->arg_count, v->shape, &v->attribute, CRD_HERE);
    run_into(ctx, one, &node, 1, input, out);
    crd_graph_destroy(&one);
}

/* Compiled as a whole, memory shared and results computed in place, a graph gives for some outputs the bits that its
 * nodes give one at a time. */
static void check_random_graph(uint64_t seed)
{
    crd_context *ctx;
    crd_graph *g = graph_in(&ctx);
    uint64_t s = seed * 0x9e3779b97f4a7c15u + 1;
    crd_node nodes[NODES] = {crd_input(g, "a", crd_shape_2(SIDE, SIDE)), crd_input(g, "b", crd_shape_2(SIDE, 1)),
                             crd_input(g, "c", crd_shape_1(SIDE)), crd_input(g, "d", crd_shape_0())};
    double input[SIDE * SIDE + 2 * SIDE + 1];
    for (size_t i = 0; i < sizeof input / sizeof input[0]; i++)
        input[i] = (double)(next(&s) >> 11) / (double)(UINT64_C(1) << 53) * 4 - 2;
    for (int k = LEAVES; k < NODES; k++)
        nodes[k] = below(&s, 3) ? tamed(random_node(&s, nodes, k)) : random_node(&s, nodes, k);
    assert_ok(ctx, crd_graph_status(g));
    double **values = crdi_alloc_array(ctx, g->count, sizeof *values);
    const double *leaf = input;
    for (int64_t id = 0; id < g->count; id++) {
        const crdi_vertex *v = g->vertex[id];
        values[id] = crdi_alloc_array(ctx, v->size + 1, sizeof(double));
        if (v->known)
            memcpy(values[id], v->known, sizeof(double) * (size_t)v->size);
        else if (v->op == &crdi_op_input) {
            memcpy(values[id], leaf, sizeof(double) * (size_t)v->size);
            leaf += v->size;
        } else {
            evaluate_alone(ctx, g, v, values, values[id]);
        }
    }
    crd_node outputs[6];
    double out[6 * SIDE * SIDE], *at = out;
    for (int k = 0; k < 6; k++)
        outputs[k] = nodes[k < 3 ? NODES - 1 - k : below(&s, NODES)];
    run_into(ctx, g, outputs, 6, input, out);
    for (int k = 0; k < 6; k++) {
        int64_t size = crd_shape_size(crd_node_shape(outputs[k]));
        for (int64_t i = 0; i < size; i++)
            if (memcmp(&at[i], &values[outputs[k].id][i], sizeof *at) != 0 &&
                !(isnan(at[i]) && isnan(values[outputs[k].id][i])))
                fail_msg("graph %d, output %d, element %d: %.17g, alone %.17g", (int)seed, k, (int)i, at[i],
                         values[outputs[k].id][i]);
        at += size;
    }
    for (int64_t id = 0; id < g->count; id++)
        crdi_free(ctx, values[id]);
    crdi_free(ctx, values);
    close_graph(&ctx, &g);
}

static void random_graphs_equal_their_nodes_one_by_one(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 120; seed++)
        check_random_graph(seed);
}

/* ---- a model-like program ---------------------------------------------------------------------------------------- */

/* The log density of a small network's weights and its gradient. */
static crd_status compile_network(crd_context *ctx, crd_program **out)
{
    crd_graph *g;
    CRD_TRY(crd_graph_create(&g, ctx));
    double data[20];
    for (int i = 0; i < 20; i++)
        data[i] = sin(0.7 * i);
    crd_node x = array_of(g, data, crd_shape_2(2, 10)), y = array_of(g, data + 5, crd_shape_1(10)), d[4];
    crd_node w1 = crd_input(g, "w1", crd_shape_2(2, 5)), b1 = crd_input(g, "b1", crd_shape_1(5));
    crd_node w2 = crd_input(g, "w2", crd_shape_2(5, 1)), s = crd_input(g, "s", crd_shape_0()), all[4] = {w1, b1, w2, s};
    crd_node f = crd_take(crd_affine(w2, crd_tanh(crd_affine(w1, x, b1)), crd_reshape(s, crd_shape_1(1))), 0, 0);
    crd_node loss = crd_sum(crd_sub(crd_mul(crd_num(-0.5), crd_square(crd_div(crd_sub(y, f), crd_exp(s)))), s));
    loss = crd_sub(loss, crd_mul(crd_num(0.5), crd_add(crd_sum(crd_square(w1)), crd_sum(crd_square(w2)))));
    loss = crd_add(loss, crd_sum(crd_logsumexp(crd_concat((crd_node[]){w1, w1}, 2, 0), 0)));
    crd_gradient(loss, all, 4, d);
    crd_node outputs[] = {loss, d[0], d[1], d[2], d[3]};
    crd_status status = crd_compile(g, NULL, 0, outputs, 5, out);
    crd_graph_destroy(&g);
    return status;
}

static void running_allocates_nothing(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_program *program;
    crd_exec *exec;
    assert_ok(ctx, compile_network(ctx, &program));
    assert_ok(ctx, crd_exec_create(&exec, program));
    int64_t before = testing_allocations();
    for (int k = 0; k < 100; k++)
        crd_exec_run(exec);
    assert_int_equal(testing_allocations(), before);
    crd_exec_destroy(&exec);
    crd_program_destroy(&program);
    testing_context_destroy(&ctx);
}

enum { SIZE = 21 };

struct task {
    const crd_program *program;
    int first;
    double out[40][SIZE + 1];
};

static void *run_task(void *user)
{
    struct task *task = user;
    crd_exec *exec;
    if (crd_exec_create(&exec, task->program) < 0)
        return NULL;
    for (int k = 0; k < 40; k++) {
        int job = (k + task->first) % 40;
        for (int i = 0; i < SIZE; i++)
            crd_exec_input(exec)[i] = cos(0.3 * i + job);
        crd_exec_run(exec);
        memcpy(task->out[job], crd_exec_output(exec), sizeof task->out[job]);
    }
    crd_exec_destroy(&exec);
    return task;
}

static void threads_share_a_program(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_program *program;
    assert_ok(ctx, compile_network(ctx, &program));
    assert_int_equal(crd_program_input_size(program), SIZE);
    static struct task task[4];
    pthread_t thread[4];
    for (int i = 0; i < 4; i++) {
        task[i].program = program;
        task[i].first = 11 * i;
        assert_int_equal(pthread_create(&thread[i], NULL, run_task, &task[i]), 0);
    }
    for (int i = 0; i < 4; i++) {
        void *done;
        pthread_join(thread[i], &done);
        assert_non_null(done);
        assert_memory_equal(task[i].out, task[0].out, sizeof task[0].out);
    }
    crd_program_destroy(&program);
    testing_context_destroy(&ctx);
}

static void any_allocation_may_fail(void **state)
{
    (void)state;
    for (int64_t k = 1;; k++) {
        crd_context *ctx = testing_context();
        crd_program *program = NULL;
        crd_exec *exec = NULL;
        testing_fail_allocation(k);
        crd_status status = compile_network(ctx, &program);
        if (status == CRD_OK)
            status = crd_exec_create(&exec, program);
        testing_fail_allocation(0);
        assert_true(status == CRD_OK || status == CRD_ENOMEM);
        assert_true(status == CRD_OK || (!exec && crd_error_status(ctx) == CRD_ENOMEM));
        crd_exec_destroy(&exec);
        crd_program_destroy(&program);
        testing_context_destroy(&ctx);
        if (status == CRD_OK)
            break;
    }
}

/* An element that is read for all others must not be overwritten by the first result, though the array is needed no more. */
static void a_part_is_not_overwritten_beside_its_whole(void **state)
{
    (void)state;
    enum { N = 5 };
    crd_context *ctx;
    crd_graph *g = graph_in(&ctx);
    crd_program *program;
    crd_exec *exec;
    crd_node x = crd_input(g, "x", crd_shape_1(N)), h = crd_exp(x), part = crd_slice(h, 0, 1, 1, 1);
    crd_node k = crd_exp(crd_neg(x)), one = crd_slice(k, 0, 0, 1, 1);
    crd_node outputs[] = {
        crd_neg(crd_mul(h, part)),
        crd_square(crd_add(one, crd_constant(g, &(crd_array){crd_shape_1(N), (double[]){1, 2, 3, 4, 5}, NULL})))};
    assert_ok(ctx, crd_compile(g, NULL, 0, outputs, 2, &program));
    assert_ok(ctx, crd_exec_create(&exec, program));
    for (int i = 0; i < N; i++)
        crd_exec_input(exec)[i] = 0.1 * i - 0.3;
    crd_exec_run(exec);
    for (int i = 0; i < N; i++) {
        assert_close(crd_exec_output(exec)[i], -exp(0.1 * i - 0.3) * exp(0.1 - 0.3), 1e-14, 0);
        assert_close(crd_exec_output(exec)[N + i], pow(exp(0.3) + i + 1, 2), 1e-14, 0);
    }
    crd_exec_destroy(&exec);
    crd_program_destroy(&program);
    close_graph(&ctx, &g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(anything_may_be_an_output_also_twice),
        cmocka_unit_test(inputs_stand_in_the_order_asked_for),
        cmocka_unit_test(wrong_inputs_are_refused),
        cmocka_unit_test(the_plan_can_be_printed_and_reuses_memory),
        cmocka_unit_test(empty_programs_run),
        cmocka_unit_test(random_graphs_equal_their_nodes_one_by_one),
        cmocka_unit_test(a_part_is_not_overwritten_beside_its_whole),
        cmocka_unit_test(running_allocates_nothing),
        cmocka_unit_test(threads_share_a_program),
        cmocka_unit_test(any_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
