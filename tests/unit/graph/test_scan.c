/* test_scan.c - recurrences: values and gradients against the same formula unrolled, at every kind of edge. */
#include "graph/graph.h"
#include "testing.h"

#include <math.h>
#include <pthread.h>
#include <string.h>

enum { T = 9 };

/* ---- cases: each builds a scalar of the inputs twice, as a scan and unrolled ------------------------------------ */

/* What a case is built from: inputs in one graph. */
struct parts {
    crd_graph *g;
    crd_node x, w, a, b, c; /* x (T), w (T, 2), a, b scalars, c (2) */
};

static crd_node at(crd_node x, int64_t t)
{
    return crd_take(x, 0, t);
}

static crd_node join(const crd_node *rows, int count)
{
    crd_node flat[T];
    for (int i = 0; i < count; i++) {
        crd_shape row = crd_node_shape(rows[i]), one = {row.ndim + 1, {1}};
        memcpy(one.dim + 1, row.dim, sizeof row.dim[0] * 4);
        flat[i] = crd_reshape(rows[i], one);
    }
    return crd_concat(flat, count, 0);
}

static crd_node weighted(crd_node x, double first)
{
    double w[64];
    for (int i = 0; i < 64; i++)
        w[i] = first + 0.13 * i - 0.004 * i * i;
    crd_array array = crd_array_borrow(w, crd_node_shape(x));
    return crd_sum(crd_mul(x, crd_constant(x.graph, &array)));
}

/* carry = a carry + x: linear; all carries come out as ys. */
static void linear_body(crd_scan_step *s, void *user)
{
    (void)user;
    s->carry_next[0] = crd_add(crd_mul(s->constant[0], s->carry[0]), s->x[0]);
    s->y[0] = s->carry_next[0];
}

static crd_node linear_loss(crd_node final, crd_node ys)
{
    return crd_add(weighted(crd_tanh(ys), 0.4), crd_square(final));
}

static crd_node linear_scan_in(struct parts p, int reverse)
{
    crd_node final, ys;
    crd_scan(p.g,
             &(crd_scan_options){.body = linear_body,
                                 .init = &p.b,
                                 .carry_count = 1,
                                 .xs = &p.x,
                                 .x_count = 1,
                                 .constants = &p.a,
                                 .constant_count = 1,
                                 .y_count = 1,
                                 .length = T,
                                 .reverse = reverse},
             &final, &ys);
    return linear_loss(final, ys);
}

static crd_node linear_unrolled_in(struct parts p, int reverse)
{
    crd_node ys[T], carry = p.b;
    for (int k = 0; k < T; k++) {
        int t = reverse ? T - 1 - k : k;
        ys[t] = carry = crd_add(crd_mul(p.a, carry), at(p.x, t));
    }
    return linear_loss(carry, join(ys, T));
}

static crd_node linear_scan(struct parts p)
{
    return linear_scan_in(p, 0);
}

static crd_node linear_unrolled(struct parts p)
{
    return linear_unrolled_in(p, 0);
}

static crd_node reverse_scan(struct parts p)
{
    return linear_scan_in(p, 1);
}

static crd_node reverse_unrolled(struct parts p)
{
    return linear_unrolled_in(p, 1);
}

/* The log density of an AR(1): x_t ~ normal(a + b x_{t-1}, exp(c_0)), summed in a carry. */
static crd_node ar1_term(crd_node x, crd_node before, crd_node a, crd_node b, crd_node c)
{
    crd_node mean = crd_add(a, crd_mul(b, before)), scale = crd_exp(at(c, 0));
    return crd_sub(crd_mul(crd_num(-0.5), crd_square(crd_div(crd_sub(x, mean), scale))), at(c, 0));
}

static void ar1_body(crd_scan_step *s, void *user)
{
    (void)user;
    s->carry_next[0] = s->x[0];
    s->carry_next[1] =
        crd_add(s->carry[1], ar1_term(s->x[0], s->carry[0], s->constant[0], s->constant[1], s->constant[2]));
}

static crd_node ar1_scan(struct parts p)
{
    crd_node init[2] = {crd_num(0.3), crd_num(0)}, constants[3] = {p.a, p.b, p.c}, out[2];
    crd_scan(p.g,
             &(crd_scan_options){.body = ar1_body,
                                 .init = init,
                                 .carry_count = 2,
                                 .xs = &p.x,
                                 .x_count = 1,
                                 .constants = constants,
                                 .constant_count = 3,
                                 .length = T},
             out, NULL);
    return out[1];
}

static crd_node ar1_unrolled(struct parts p)
{
    crd_node sum = crd_num(0), before = crd_num(0.3);
    for (int t = 0; t < T; t++) {
        sum = crd_add(sum, ar1_term(at(p.x, t), before, p.a, p.b, p.c));
        before = at(p.x, t);
    }
    return sum;
}

/* GARCH(1, 1): the variance is a recurrence in itself and the squares of x; two carries of different shapes; an x with
 * two columns; ys of two shapes. */
static void garch_step(crd_node x, crd_node w, const crd_node *p, const crd_node *carry, crd_node *next, crd_node *y)
{
    crd_node a = crd_sigmoid(p[0]), b = crd_sigmoid(p[1]);
    next[0] = crd_add(crd_num(0.1), crd_add(crd_mul(a, crd_square(x)), crd_mul(b, carry[0])));
    next[1] = crd_mul(crd_tanh(crd_add(carry[1], crd_mul(w, carry[0]))), p[2]);
    y[0] = crd_add(crd_log(next[0]), crd_div(crd_square(x), next[0]));
    y[1] = crd_sub(crd_mul(next[1], w), carry[1]);
}

static void garch_body(crd_scan_step *s, void *user)
{
    (void)user;
    garch_step(s->x[0], s->x[1], s->constant, s->carry, s->carry_next, s->y);
}

static crd_node garch_loss(const crd_node *carry, crd_node y0, crd_node y1)
{
    return crd_add(crd_add(weighted(y0, 0.2), weighted(y1, -0.3)), crd_add(carry[0], weighted(carry[1], 1.1)));
}

static crd_node garch_scan(struct parts p)
{
    crd_node init[2] = {crd_num(0.8), p.c}, xs[2] = {p.x, p.w}, constants[3] = {p.a, p.b, p.c}, carry[2], ys[2];
    crd_scan(p.g,
             &(crd_scan_options){.body = garch_body,
                                 .init = init,
                                 .carry_count = 2,
                                 .xs = xs,
                                 .x_count = 2,
                                 .constants = constants,
                                 .constant_count = 3,
                                 .y_count = 2,
                                 .length = T},
             carry, ys);
    return garch_loss(carry, ys[0], ys[1]);
}

static crd_node garch_unrolled(struct parts p)
{
    crd_node carry[2] = {crd_num(0.8), p.c}, constants[3] = {p.a, p.b, p.c}, y0[T], y1[T];
    for (int t = 0; t < T; t++) {
        crd_node next[2], y[2];
        garch_step(at(p.x, t), at(p.w, t), constants, carry, next, y);
        memcpy(carry, next, sizeof carry);
        y0[t] = y[0];
        y1[t] = y[1];
    }
    return garch_loss(carry, join(y0, T), join(y1, T));
}

/* No xs at all; a carry that is exchanged with another; a y that does not depend on anything. */
static void logistic_body(crd_scan_step *s, void *user)
{
    (void)user;
    crd_node rate = crd_add(crd_num(2), crd_sigmoid(s->constant[0]));
    s->carry_next[0] = s->carry[1];
    s->carry_next[1] = crd_mul(rate, crd_mul(s->carry[0], crd_sub(crd_num(1), s->carry[0])));
    s->y[0] = crd_num(2.5);
    s->y[1] = s->carry[0];
}

static crd_node logistic_scan(struct parts p)
{
    crd_node init[2] = {crd_sigmoid(p.b), crd_num(0.4)}, carry[2], ys[2];
    crd_scan(p.g,
             &(crd_scan_options){.body = logistic_body,
                                 .init = init,
                                 .carry_count = 2,
                                 .constants = &p.a,
                                 .constant_count = 1,
                                 .y_count = 2,
                                 .length = 5},
             carry, ys);
    return crd_add(crd_mul(carry[0], carry[1]), crd_add(crd_sum(ys[0]), weighted(ys[1], 0.7)));
}

static crd_node logistic_unrolled(struct parts p)
{
    crd_node u = crd_sigmoid(p.b), v = crd_num(0.4), ys[5], rate = crd_add(crd_num(2), crd_sigmoid(p.a));
    v = crd_add(v, crd_mul(crd_num(0), p.a)); /* in the graph, so that join can take it */
    for (int t = 0; t < 5; t++) {
        ys[t] = u;
        crd_node next = crd_mul(rate, crd_mul(u, crd_sub(crd_num(1), u)));
        u = v;
        v = next;
    }
    return crd_add(crd_mul(u, v), crd_add(crd_num(12.5), weighted(join(ys, 5), 0.7)));
}

/* A scan in the body of a scan: over the two elements of a row, starting from the outer carry. */
static void inner_body(crd_scan_step *s, void *user)
{
    (void)user;
    s->carry_next[0] = crd_sin(crd_add(crd_mul(s->carry[0], s->constant[0]), s->x[0]));
}

static void outer_body(crd_scan_step *s, void *user)
{
    (void)user;
    crd_scan(s->graph,
             &(crd_scan_options){.body = inner_body,
                                 .init = s->carry,
                                 .carry_count = 1,
                                 .xs = s->x,
                                 .x_count = 1,
                                 .constants = s->constant,
                                 .constant_count = 1,
                                 .length = 2},
             s->carry_next, NULL);
    s->y[0] = crd_mul(s->carry_next[0], s->carry[0]);
}

static crd_node nested_scan(struct parts p)
{
    crd_node final, ys;
    crd_scan(p.g,
             &(crd_scan_options){.body = outer_body,
                                 .init = &p.b,
                                 .carry_count = 1,
                                 .xs = &p.w,
                                 .x_count = 1,
                                 .constants = &p.a,
                                 .constant_count = 1,
                                 .y_count = 1,
                                 .length = T},
             &final, &ys);
    return crd_add(crd_square(final), weighted(ys, 0.9));
}

static crd_node nested_unrolled(struct parts p)
{
    crd_node carry = p.b, ys[T];
    for (int t = 0; t < T; t++) {
        crd_node before = carry;
        for (int i = 0; i < 2; i++)
            carry = crd_sin(crd_add(crd_mul(carry, p.a), at(at(p.w, t), i)));
        ys[t] = crd_mul(carry, before);
    }
    return crd_add(crd_square(carry), weighted(join(ys, T), 0.9));
}

/* Seven arguments, more than a call has operands: two carries, two xs, three constants; backwards. */
static void many_body(crd_scan_step *s, void *user)
{
    (void)user;
    const crd_node *k = s->constant;
    s->carry_next[0] =
        crd_tanh(crd_add(crd_mul(k[0], s->carry[0]), crd_mul(k[1], crd_mul(s->x[0], at(s->carry[1], 0)))));
    s->carry_next[1] = crd_add(crd_mul(crd_num(0.5), s->carry[1]), crd_mul(crd_mul(s->x[1], k[2]), s->carry[0]));
}

static crd_node many_scan(struct parts p)
{
    crd_node init[2] = {p.a, p.c}, xs[2] = {p.x, p.w}, constants[3] = {p.a, p.b, p.c}, carry[2];
    crd_scan(p.g,
             &(crd_scan_options){.body = many_body,
                                 .init = init,
                                 .carry_count = 2,
                                 .xs = xs,
                                 .x_count = 2,
                                 .constants = constants,
                                 .constant_count = 3,
                                 .length = T,
                                 .reverse = 1},
             carry, NULL);
    return crd_add(carry[0], weighted(carry[1], 0.6));
}

static crd_node many_unrolled(struct parts p)
{
    crd_node carry[2] = {p.a, p.c}, constants[3] = {p.a, p.b, p.c}, x[2], next[2];
    for (int t = T - 1; t >= 0; t--) {
        x[0] = at(p.x, t);
        x[1] = at(p.w, t);
        many_body(&(crd_scan_step){p.g, carry, x, constants, next, NULL}, NULL);
        memcpy(carry, next, sizeof carry);
    }
    return crd_add(carry[0], weighted(carry[1], 0.6));
}

/* Lengths one and none. */
static crd_node short_scan_of(struct parts p, int64_t length)
{
    crd_node final, ys, x = crd_slice(p.x, 0, 0, length, 1);
    crd_scan(p.g,
             &(crd_scan_options){.body = linear_body,
                                 .init = &p.b,
                                 .carry_count = 1,
                                 .xs = &x,
                                 .x_count = 1,
                                 .constants = &p.a,
                                 .constant_count = 1,
                                 .y_count = 1,
                                 .length = length},
             &final, &ys);
    return crd_add(crd_square(final), crd_sum(crd_sin(ys)));
}

static crd_node one_scan(struct parts p)
{
    return short_scan_of(p, 1);
}

static crd_node one_unrolled(struct parts p)
{
    crd_node y = crd_add(crd_mul(p.a, p.b), at(p.x, 0));
    return crd_add(crd_square(y), crd_sin(y));
}

static crd_node none_scan(struct parts p)
{
    return short_scan_of(p, 0);
}

static crd_node none_unrolled(struct parts p)
{
    return crd_square(p.b);
}

static const struct {
    const char *name;
    crd_node (*scan)(struct parts p);
    crd_node (*unrolled)(struct parts p);
} cases[] = {
    {"linear", linear_scan, linear_unrolled},
    {"reverse", reverse_scan, reverse_unrolled},
    {"ar1", ar1_scan, ar1_unrolled},
    {"garch", garch_scan, garch_unrolled},
    {"logistic", logistic_scan, logistic_unrolled},
    {"nested", nested_scan, nested_unrolled},
    {"many", many_scan, many_unrolled},
    {"one", one_scan, one_unrolled},
    {"none", none_scan, none_unrolled},
};

/* ---- comparing -------------------------------------------------------------------------------------------------- */

enum { INPUTS = T + 2 * T + 1 + 1 + 2, ORDERS = 3, RESULTS = 1 + ORDERS * INPUTS };

static struct parts parts_of(crd_graph *g)
{
    crd_node all = crd_input(g, "all", crd_shape_1(INPUTS));
    return (struct parts){g,
                          crd_slice(all, 0, 0, T, 1),
                          crd_reshape(crd_slice(all, 0, T, 2 * T, 1), crd_shape_2(T, 2)),
                          crd_take(all, 0, 3 * T),
                          crd_take(all, 0, 3 * T + 1),
                          crd_slice(all, 0, 3 * T + 2, 2, 1)};
}

static void fill(double *input)
{
    for (int i = 0; i < INPUTS; i++)
        input[i] = 0.9 * sin(1.7 * i + 0.3) + 0.05;
}

/* The value, the gradient, the gradient of a weighted sum of the gradient, and once more. */
static crd_status compile_case(crd_context *ctx, crd_node (*build)(struct parts p), crd_program **out)
{
    crd_graph *g;
    CRD_TRY(crd_graph_create(&g, ctx));
    struct parts p = parts_of(g);
    crd_node all = {g, 0, 0}, outputs[ORDERS + 1] = {build(p)};
    for (int k = 1; k <= ORDERS; k++) {
        crd_node y = outputs[k - 1];
        crd_gradient(k > 1 && crd_node_ok(y) ? weighted(y, 0.5) : y, &all, 1, &outputs[k]);
    }
    crd_status status = crd_compile(g, NULL, 0, outputs, ORDERS + 1, out);
    crd_graph_destroy(&g);
    return status;
}

static void run_case(crd_context *ctx, crd_node (*build)(struct parts p), double *out)
{
    crd_program *program;
    crd_exec *exec;
    assert_ok(ctx, compile_case(ctx, build, &program));
    assert_ok(ctx, crd_exec_create(&exec, program));
    fill(crd_exec_input(exec));
    crd_exec_run(exec);
    crd_exec_run(exec); /* what a run leaves behind must not matter */
    memcpy(out, crd_exec_output(exec), sizeof *out * (RESULTS));
    crd_exec_destroy(&exec);
    crd_program_destroy(&program);
}

static void scans_equal_their_unrolled_twins(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        crd_context *ctx = testing_context();
        double scan[RESULTS], unrolled[RESULTS];
        run_case(ctx, cases[i].scan, scan);
        run_case(ctx, cases[i].unrolled, unrolled);
        for (int k = 0; k < RESULTS; k++)
            if (!(fabs(scan[k] - unrolled[k]) <= 1e-12 * fmax(1, fabs(unrolled[k]))))
                fail_msg("%s: result %d, of order %d, is %.17g, unrolled %.17g", cases[i].name, k,
                         (k + INPUTS - 1) / INPUTS, scan[k], unrolled[k]);
        testing_context_destroy(&ctx);
    }
}

/* ---- known at once ---------------------------------------------------------------------------------------------- */

static void a_scan_of_numbers_is_a_number(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_graph *g;
    assert_ok(ctx, crd_graph_create(&g, ctx));
    double three[] = {1, 2, 3};
    crd_array array = crd_array_borrow(three, crd_shape_1(3));
    crd_node x = crd_constant(g, &array), init = crd_num(10), half = crd_num(0.5), final, ys;
    crd_scan(g,
             &(crd_scan_options){.body = linear_body,
                                 .init = &init,
                                 .carry_count = 1,
                                 .xs = &x,
                                 .x_count = 1,
                                 .constants = &half,
                                 .constant_count = 1,
                                 .y_count = 1,
                                 .length = 3},
             &final, &ys);
    const double *value;
    assert_true(crd_node_known(ys, &value));
    assert_true(value[0] == 6 && value[1] == 5 && value[2] == 5.5);
    assert_true(crd_node_known(final, &value));
    assert_true(value[0] == 5.5);
    crd_graph_destroy(&g);
    testing_context_destroy(&ctx);
}

/* ---- errors ----------------------------------------------------------------------------------------------------- */

struct wrong {
    int kind;
    crd_node outside;
};

static void wrong_body(crd_scan_step *s, void *user)
{
    struct wrong *w = user;
    s->carry_next[0] = s->carry[0];
    s->carry_next[1] = s->carry[1];
    s->y[0] = s->carry[0];
    if (w->kind == 0)
        s->carry_next[1] = crd_sum(s->carry[1]);
    if (w->kind == 1)
        s->carry_next[0] = crd_add(s->carry[0], w->outside);
    if (w->kind == 2)
        s->y[0] = w->outside;
    if (w->kind == 3)
        s->carry_next[0] = crd_input(s->graph, "own", crd_shape_0());
    if (w->kind == 4)
        s->y[0] = crd_matmul(s->carry[1], s->carry[1]);
    if (w->kind == 5)
        s->y[0] = (crd_node){NULL, -1, 0};
}

static void errors_name_what_is_wrong(void **state)
{
    (void)state;
    static const struct {
        crd_status status;
        const char *text;
        int64_t length;
    } expected[] = {
        {CRD_ESHAPE, "carry 1 comes in with shape (2,) and leaves with shape ()", 3},
        {CRD_EINVAL, "argument 1 belongs to another graph (test_scan.c:", 3},
        {CRD_EINVAL, "scan: y 0 belongs to another graph than the body's", 3},
        {CRD_EINVAL, "scan: the body has an input of its own", 3},
        {CRD_ESHAPE, "matmul: two axes are needed, there are shapes (2,) and (2,) (test_scan.c:", 3},
        {CRD_EINVAL, "scan: the body did not set y 0", 3},
        {CRD_ESHAPE, "scan: x 0 has shape (3,), 4 rows are needed (test_scan.c:", 4},
        {CRD_EINVAL, "scan: counts are 0 to 64, the length is not negative", -1},
    };
    for (int i = 0; i < (int)(sizeof expected / sizeof expected[0]); i++) {
        crd_context *ctx = testing_context();
        crd_graph *g;
        crd_program *program = NULL;
        assert_ok(ctx, crd_graph_create(&g, ctx));
        crd_node init[2] = {crd_input(g, "a", crd_shape_0()), crd_input(g, "c", crd_shape_1(2))}, carry[2], y;
        crd_node x = crd_input(g, "x", crd_shape_1(3));
        struct wrong wrong = {i, init[0]};
        crd_scan(g,
                 &(crd_scan_options){.body = wrong_body,
                                     .user = &wrong,
                                     .init = init,
                                     .carry_count = 2,
                                     .xs = &x,
                                     .x_count = 1,
                                     .y_count = 1,
                                     .length = expected[i].length},
                 carry, &y);
        assert_false(crd_node_ok(y) || crd_node_ok(carry[0]) || crd_node_ok(carry[1]));
        assert_int_equal(crd_compile(g, NULL, 0, &y, 1, &program), expected[i].status);
        assert_null(program);
        if (!strstr(crd_error_message(ctx), expected[i].text))
            fail_msg("case %d: '%s' is not in '%s'", i, expected[i].text, crd_error_message(ctx));
        crd_graph_destroy(&g);
        testing_context_destroy(&ctx);
    }
}

/* ---- running ---------------------------------------------------------------------------------------------------- */

struct task {
    const crd_program *program;
    double shift, out[RESULTS];
};

static void *run_task(void *user)
{
    struct task *task = user;
    crd_exec *exec;
    if (crd_exec_create(&exec, task->program) < 0)
        return NULL;
    for (int k = 0; k < 50; k++) {
        fill(crd_exec_input(exec));
        for (int i = 0; i < INPUTS; i++)
            crd_exec_input(exec)[i] += k < 49 ? task->shift * k : 0; /* the last run is the same in all threads */
        crd_exec_run(exec);
    }
    memcpy(task->out, crd_exec_output(exec), sizeof task->out);
    crd_exec_destroy(&exec);
    return task;
}

static void threads_have_execs_of_their_own(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_program *program;
    assert_ok(ctx, compile_case(ctx, nested_scan, &program));
    struct task task[3] = {
        {.program = program, .shift = 0.01}, {.program = program, .shift = -0.02}, {.program = program}};
    pthread_t thread[3];
    void *done;
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, run_task, &task[i]), 0);
    for (int i = 0; i < 3; i++) {
        pthread_join(thread[i], &done);
        assert_ptr_equal(done, &task[i]);
    }
    assert_memory_equal(task[0].out, task[2].out, sizeof task[0].out);
    assert_memory_equal(task[1].out, task[2].out, sizeof task[0].out);
    crd_program_destroy(&program);
    testing_context_destroy(&ctx);
}

static void running_allocates_nothing(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_program *program;
    crd_exec *exec;
    assert_ok(ctx, compile_case(ctx, nested_scan, &program));
    assert_ok(ctx, crd_exec_create(&exec, program));
    fill(crd_exec_input(exec));
    int64_t before = testing_allocations();
    for (int k = 0; k < 10; k++)
        crd_exec_run(exec);
    assert_int_equal(testing_allocations(), before);
    crd_exec_destroy(&exec);
    crd_program_destroy(&program);
    testing_context_destroy(&ctx);
}

/* The value and the gradient of a loss need one run of the scan forwards and one backwards. */
static void the_gradient_shares_the_forward_scan(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_graph *g;
    assert_ok(ctx, crd_graph_create(&g, ctx));
    struct parts p = parts_of(g);
    crd_node loss = garch_scan(p), d[2][2], wrt[2] = {p.a, p.c};
    crd_gradient(loss, wrt, 2, d[0]);
    int64_t nodes = g->count;
    crd_gradient(loss, wrt, 2, d[1]);
    assert_int_equal(d[0][0].id, d[1][0].id); /* asking twice makes nothing new */
    assert_int_equal(d[0][1].id, d[1][1].id);
    assert_int_equal(g->count, nodes);
    int scans = 0;
    for (int64_t id = 0; id < g->count; id++)
        scans += strcmp(g->vertex[id]->op->name, "scan") == 0;
    assert_int_equal(scans, 2);
    crd_graph_destroy(&g);
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
        crd_status status = compile_case(ctx, nested_scan, &program);
        if (status == CRD_OK)
            status = crd_exec_create(&exec, program);
        testing_fail_allocation(0);
        assert_true(status == CRD_OK || status == CRD_ENOMEM);
        assert_true(status == CRD_OK || crd_error_status(ctx) == CRD_ENOMEM);
        crd_exec_destroy(&exec);
        crd_program_destroy(&program);
        testing_context_destroy(&ctx);
        if (status == CRD_OK)
            break;
        k += k > 200 ? 12 : 0; /* the later ones repeat themselves */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scans_equal_their_unrolled_twins), cmocka_unit_test(a_scan_of_numbers_is_a_number),
        cmocka_unit_test(errors_name_what_is_wrong),        cmocka_unit_test(threads_have_execs_of_their_own),
        cmocka_unit_test(running_allocates_nothing),        cmocka_unit_test(the_gradient_shares_the_forward_scan),
        cmocka_unit_test(any_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
