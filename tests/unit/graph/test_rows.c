/* test_rows.c - graphs cut along their rows: the same numbers as all rows at once but for the order of additions, the same
 * bits whatever the threads, and left whole where an operation needs all rows. */
#include "graph/graph.h"
#include "graph/program.h"
#include "testing.h"

#include <math.h>
#include <string.h>

enum { ROWS = 16001, MOST = 4096, GROUPS = 7, UNITS = 12 };

/* A graph that is being made: data, and an input of 200 numbers to take parameters from. */
struct builder {
    crd_graph *g;
    crd_node theta;
    int64_t taken;
};

static crd_node data(struct builder *b, uint32_t seed, crd_shape shape)
{
    static double element[ROWS * 16];
    int64_t size = crd_shape_size(shape);
    assert_true(size <= (int64_t)(sizeof element / sizeof *element));
    crd_random_normal(crd_key_make(seed), size, element);
    crd_array array = crd_array_borrow(element, shape);
    return crd_constant(b->g, &array);
}

/* Whole numbers 0 .. below - 1, one a row. */
static crd_node index_data(struct builder *b, int64_t below)
{
    static double element[ROWS];
    for (int64_t i = 0; i < ROWS; i++)
        element[i] = (double)((i * 7919) % below);
    crd_array array = crd_array_borrow(element, crd_shape_1(ROWS));
    return crd_constant(b->g, &array);
}

static crd_node take(struct builder *b, crd_shape shape)
{
    int64_t size = crd_shape_size(shape);
    crd_node part = crd_slice(b->theta, 0, b->taken, size, 1);
    b->taken += size;
    return crd_reshape(part, shape);
}

/* ---- what is summed over rows -------------------------------------------------------------------------------- */

/* A network as crd_network_model builds it: rows are columns. */
static crd_node dense(struct builder *b)
{
    crd_node x = data(b, 1, crd_shape_2(3, ROWS)), y = data(b, 2, crd_shape_1(ROWS)),
             s = crd_exp(take(b, crd_shape_0()));
    crd_node h = crd_tanh(crd_affine(take(b, crd_shape_2(3, UNITS)), x, take(b, crd_shape_1(UNITS))));
    crd_node f = crd_affine(take(b, crd_shape_2(UNITS, 1)), h, take(b, crd_shape_1(1)));
    crd_node miss = crd_div(crd_sub(y, crd_reshape(f, crd_shape_1(ROWS))), s);
    return crd_sub(crd_mul(crd_num(-0.5), crd_sum(crd_square(miss))), crd_mul(crd_num(ROWS), crd_log(s)));
}

/* Rows first, products with a transposed matrix, a softmax over classes, columns picked and put together again. */
static crd_node classes(struct builder *b)
{
    crd_node x = data(b, 3, crd_shape_2(ROWS, 2)), kind = index_data(b, 3);
    crd_node h = crd_matmul(x, take(b, crd_shape_2(2, 4)));
    crd_node two[] = {crd_slice(h, 1, 2, 2, 1), crd_sin(crd_slice(h, 1, 0, 2, 1))};
    crd_node f = crd_add(crd_matmul(crd_concat(two, 2, 1), take(b, crd_shape_2(4, 3))), take(b, crd_shape_1(3)));
    crd_node log_p = crd_sub(f, crd_reshape(crd_logsumexp(f, 1), crd_shape_2(ROWS, 1))), terms = crd_num(0);
    for (int k = 0; k < 3; k++) {
        crd_node hit = crd_equal(kind, crd_num(k));
        terms = crd_add(terms, crd_select(hit, crd_take(log_p, 1, k), crd_num(0)));
    }
    return crd_sum(terms);
}

/* Effects of groups, picked by an index; several parameters and branches by row; a sum over one axis of two. */
static crd_node effects(struct builder *b)
{
    crd_node group = index_data(b, GROUPS), y = data(b, 4, crd_shape_2(ROWS, 2));
    crd_node effect = crd_gather(take(b, crd_shape_2(GROUPS, 2)), group), slope = take(b, crd_shape_1(2));
    crd_node x = data(b, 5, crd_shape_2(ROWS, 1)), mean = crd_add(effect, crd_mul(slope, crd_sigmoid(x)));
    crd_node miss = crd_sub(y, mean), size = crd_abs(miss);
    crd_node huber =
        crd_select(crd_less(size, crd_num(1)), crd_mul(crd_num(0.5), crd_square(miss)), crd_sub(size, crd_num(0.5)));
    crd_node columns = crd_sum_axis(huber, 0), lines = crd_sum_axis(huber, 1);
    return crd_add(crd_dot(columns, crd_exp(slope)), crd_sum(crd_log1p(crd_square(lines))));
}

/* Parts that do not meet: columns as rows of an array, flat arrays, a running sum along the short axis, special functions. */
static crd_node odd(struct builder *b)
{
    crd_node x = data(b, 6, crd_shape_2(ROWS, 4)), w = take(b, crd_shape_1(4));
    crd_node scaled = crd_mul(x, w), running = crd_cumsum(scaled, 1), columns = crd_transpose(running);
    crd_node flat = crd_reshape(running, crd_shape_1(4 * ROWS)), largest = crd_max_axis(columns, 0);
    crd_node parts[] = {crd_take(columns, 0, 1), crd_take(columns, 0, 3), largest};
    crd_node joined = crd_concat(parts, 3, 0); /* (3 ROWS): one after the other */
    crd_node bent = crd_add(crd_square(joined), crd_num(0.5));
    return crd_add(crd_sum(crd_log_normal_cdf(crd_mul(crd_num(0.1), flat))), crd_sum(crd_sqrt(bent)));
}

/* Pictures: windows over each row of the data. */
static crd_node windows(struct builder *b)
{
    crd_node x = data(b, 7, (crd_shape){3, {ROWS, 6, 2}}), kernel = take(b, (crd_shape){3, {3, 2, 4}});
    crd_window window = {.axes = 1, .padding = CRD_PADDING_SAME};
    crd_node h = crd_relu(crd_convolve(x, kernel, &window)); /* (ROWS, 6, 4) */
    crd_node again = crd_convolve(h, take(b, (crd_shape){3, {2, 4, 1}}), &window);
    return crd_sum(crd_square(again));
}

/* Each row's matrix product with the same matrix, and a triangular solve with rows as columns. */
static crd_node batches(struct builder *b)
{
    crd_node x = data(b, 8, (crd_shape){3, {ROWS, 2, 3}}), w = take(b, crd_shape_2(3, 2));
    crd_node l[] = {crd_reshape(crd_exp(take(b, crd_shape_0())), crd_shape_1(1)), take(b, crd_shape_1(1))};
    crd_node zero = crd_reshape(crd_mul(crd_num(0), l[0]), crd_shape_1(1)), one = crd_add(zero, crd_num(1));
    crd_node factor = crd_reshape(crd_concat((crd_node[]){l[0], zero, l[1], one}, 4, 0), crd_shape_2(2, 2));
    crd_node y = crd_solve_triangular(factor, data(b, 9, crd_shape_2(2, ROWS)), 0);
    return crd_add(crd_sum(crd_tanh(crd_matmul(x, w))), crd_sum(crd_square(y)));
}

/* ---- what cannot be cut -------------------------------------------------------------------------------------- */

static crd_node running_over_rows(struct builder *b)
{
    crd_node x = data(b, 1, crd_shape_2(ROWS, 8));
    return crd_sum(crd_tanh(crd_cumsum(crd_mul(x, take(b, crd_shape_1(8))), 0)));
}

/* Rows less their mean: the sum is needed to go on. */
static crd_node centred(struct builder *b)
{
    crd_node x = crd_tanh(crd_mul(data(b, 1, crd_shape_2(ROWS, 8)), take(b, crd_shape_1(8))));
    return crd_sum(crd_square(crd_sub(x, crd_div(crd_sum_axis(x, 0), crd_num(ROWS)))));
}

static crd_node softmax_of_rows(struct builder *b)
{
    crd_node f = crd_matmul(data(b, 1, crd_shape_2(ROWS, 8)), take(b, crd_shape_2(8, 4)));
    return crd_sum(crd_logsumexp(f, 0));
}

static crd_node some_rows(struct builder *b)
{
    crd_node x = crd_tanh(crd_mul(data(b, 1, crd_shape_2(ROWS, 8)), take(b, crd_shape_1(8))));
    return crd_sum(crd_square(crd_slice(x, 0, 5, ROWS - 5, 1)));
}

/* As many as there are rows, but not each row's. */
static crd_node shifted_rows(struct builder *b)
{
    crd_node x = crd_tanh(crd_mul(data(b, 1, crd_shape_2(8, ROWS)), take(b, crd_shape_2(8, 1))));
    return crd_sum(crd_square(crd_slice(crd_reshape(x, crd_shape_1(8 * ROWS)), 0, 5, ROWS, 1)));
}

/* ---- comparing ----------------------------------------------------------------------------------------------- */

typedef crd_node (*build_fn)(struct builder *b);

/* Two strands' values and gradients; with `strands` below 2 there is one and no strand. */
static crd_program *compile_in(crd_context *ctx, crd_precision precision, build_fn build, bool uncut, int strands,
                               int groups)
{
    struct builder b = {0};
    crd_program *program;
    crd_node out[8];
    int count = 0;
    assert_ok(ctx, crd_graph_create(&b.g, ctx));
    b.g->uncut = uncut;
    b.g->groups = groups;
    crd_graph_set_precision(b.g, precision);
    crd_node all = crd_input(b.g, "theta", crd_shape_2(strands > 1 ? strands : 1, 200)), total = crd_num(0);
    for (int s = 0; s < (strands > 1 ? strands : 1); s++) {
        crdi_graph_set_strand(b.g, strands > 1 ? s + 1 : 0);
        b.theta = crd_take(all, 0, s);
        b.taken = 0;
        crd_node value = build(&b);
        out[count++] = value;
        crd_gradient(value, &b.theta, 1, &out[count++]);
        crdi_graph_set_strand(b.g, 0);
        total = crd_add(total, crd_exp(crd_mul(crd_num(-1e-6), value)));
    }
    out[count++] = total;
    assert_ok(ctx, crd_compile(b.g, NULL, 0, out, count, &program));
    assert_int_equal(b.g->groups, groups);
    crd_graph_destroy(&b.g);
    assert_true(crd_program_output_size(program) <= MOST);
    return program;
}

static crd_program *compile(crd_context *ctx, build_fn build, bool uncut, int strands, int groups)
{
    return compile_in(ctx, CRD_DOUBLE, build, uncut, strands, groups);
}

static int lanes_of(const crd_program *program)
{
    int lanes = 0;
    for (int64_t i = 0; i < program->count; i++)
        lanes += strcmp(program->planned[i].label, "rows") == 0;
    return lanes;
}

static void run(crd_context *ctx, const crd_program *program, crdi_team *team, double *out)
{
    crd_exec *exec;
    assert_ok(ctx, crd_exec_create(&exec, program));
    crdi_exec_set_team(exec, team);
    for (int k = 0; k < 3; k++) {
        crd_random_normal(crd_key_make((uint32_t)(11 + k)), crd_program_input_size(program), crd_exec_input(exec));
        crd_exec_run(exec);
    }
    memcpy(out, crd_exec_output(exec), sizeof(double) * (size_t)crd_program_output_size(program));
    crd_exec_destroy(&exec);
}

static void compare(crd_context *ctx, const char *name, build_fn build, int strands)
{
    static double expected[MOST], got[MOST], again[MOST];
    static const int threads[] = {2, 3, 8};
    crd_program *whole = compile(ctx, build, true, strands, 0), *cut = compile(ctx, build, false, strands, strands);
    size_t bytes = sizeof(double) * (size_t)crd_program_output_size(cut);
    double scale = 0;
    assert_int_equal(lanes_of(whole), 0);
    int lanes = lanes_of(cut);
    if (strands > 1 ? lanes != strands : lanes < 4 || cut->groups != lanes)
        fail_msg("%s, %d strands: %d lanes, %d groups", name, strands, lanes, cut->groups);
    run(ctx, whole, NULL, expected);
    run(ctx, cut, NULL, got);
    for (int64_t i = 0; i < crd_program_output_size(cut); i++)
        scale = fabs(expected[i]) > scale ? fabs(expected[i]) : scale;
    for (int64_t i = 0; i < crd_program_output_size(cut); i++)
        if (!(fabs(got[i] - expected[i]) <= 1e-11 * fabs(expected[i]) + 1e-13 * scale))
            fail_msg("%s: element %lld is %.17g, not %.17g", name, (long long)i, got[i], expected[i]);
    for (int k = 0; k < 3; k++) {
        crdi_team *team;
        assert_ok(ctx, crdi_team_create(ctx, threads[k], &team));
        run(ctx, cut, team, again);
        assert_memory_equal(again, got, bytes);
        crdi_team_destroy(&team);
    }
    crd_program_destroy(&whole);
    crd_program_destroy(&cut);
}

static const struct {
    const char *name;
    build_fn build;
} models[] = {{"dense", dense}, {"classes", classes}, {"effects", effects},
              {"odd", odd},     {"windows", windows}, {"batches", batches}};

static void blocks_give_what_all_rows_give(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    for (int k = 0; k < CRDI_COUNT(models); k++)
        compare(ctx, models[k].name, models[k].build, 1);
    testing_context_destroy(&ctx);
}

static void compare_single(crd_context *ctx, const char *name, build_fn build, int strands)
{
    static double expected[MOST], got[MOST], again[MOST];
    crd_program *whole = compile(ctx, build, true, strands, 0);
    crd_program *cut = compile_in(ctx, CRD_SINGLE, build, false, strands, strands);
    int64_t count = crd_program_output_size(cut);
    double scale = 0, error = 0;
    crdi_team *team;
    assert_int_equal(count, crd_program_output_size(whole));
    assert_true(lanes_of(cut) >= strands);
    run(ctx, whole, NULL, expected);
    run(ctx, cut, NULL, got);
    for (int64_t i = 0; i < count; i++)
        scale = fmax(scale, fabs(expected[i]));
    for (int64_t i = 0; i < count; i++) {
        error = fmax(error, fabs(got[i] - expected[i]));
        if (!(fabs(got[i] - expected[i]) <= 1e-5 * fabs(expected[i]) + 1e-7 * scale))
            fail_msg("%s in single: element %lld is %.9g, not %.9g", name, (long long)i, got[i], expected[i]);
    }
    assert_true(error > 1e-12 * scale);
    assert_ok(ctx, crdi_team_create(ctx, 3, &team));
    run(ctx, cut, team, again);
    assert_memory_equal(again, got, sizeof *got * (size_t)count);
    crdi_team_destroy(&team);
    crd_program_destroy(&whole);
    crd_program_destroy(&cut);
}

/* Against all rows in double precision; threads change no bit. */
static void blocks_in_single_precision(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    for (int k = 0; k < CRDI_COUNT(models); k++)
        for (int strands = 1; strands <= 3; strands += 2)
            compare_single(ctx, models[k].name, models[k].build, strands);
    testing_context_destroy(&ctx);
}

static void strands_have_a_lane_each(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    for (int k = 0; k < CRDI_COUNT(models); k++)
        compare(ctx, models[k].name, models[k].build, 3);
    testing_context_destroy(&ctx);
}

static void what_needs_all_rows_stays_whole(void **state)
{
    (void)state;
    static const build_fn whole[] = {running_over_rows, centred, softmax_of_rows, some_rows, shifted_rows};
    crd_context *ctx = testing_context();
    for (int k = 0; k < CRDI_COUNT(whole); k++) {
        crd_program *program = compile(ctx, whole[k], false, 1, 0);
        assert_int_equal(lanes_of(program), 0);
        crd_program_destroy(&program);
    }
    testing_context_destroy(&ctx);
}

/* A batch of rows that an input names, of data with more of them: the rows are those of the batch. */
static void a_batch_is_cut_too(void **state)
{
    (void)state;
    enum { BATCH = 8200 };
    static double out[2][16];
    crd_context *ctx = testing_context();
    for (int uncut = 0; uncut < 2; uncut++) {
        struct builder b = {0};
        crd_program *program;
        crd_exec *exec;
        assert_ok(ctx, crd_graph_create(&b.g, ctx));
        b.g->uncut = uncut != 0;
        b.theta = crd_input(b.g, "theta", crd_shape_1(8));
        crd_node rows = crd_input(b.g, "rows", crd_shape_1(BATCH)), x = data(&b, 1, crd_shape_2(ROWS, 8));
        crd_node seen = crd_gather(x, rows), value = crd_sum(crd_tanh(crd_mul(seen, b.theta))), output[2] = {value};
        crd_gradient(value, &b.theta, 1, &output[1]);
        assert_ok(ctx, crd_compile(b.g, NULL, 0, output, 2, &program));
        crd_graph_destroy(&b.g);
        assert_int_equal(lanes_of(program) > 0, !uncut);
        assert_ok(ctx, crd_exec_create(&exec, program));
        double *in = crd_exec_input(exec);
        crd_random_normal(crd_key_make(4), 8, in);
        for (int i = 0; i < BATCH; i++)
            in[8 + i] = (double)((i * 31) % ROWS);
        crd_exec_run(exec);
        memcpy(out[uncut], crd_exec_output(exec), sizeof(double) * 9);
        crd_exec_destroy(&exec);
        crd_program_destroy(&program);
    }
    for (int i = 0; i < 9; i++)
        assert_close(out[0][i], out[1][i], 1e-11, 1e-9);
    testing_context_destroy(&ctx);
}

/* Wherever memory runs out, nothing is left over. */
static void no_memory_is_an_error(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    struct builder b = {0};
    int failures = 0;
    assert_ok(ctx, crd_graph_create(&b.g, ctx));
    b.theta = crd_input(b.g, "theta", crd_shape_1(200));
    crd_node value = dense(&b), output[2] = {value};
    crd_gradient(value, &b.theta, 1, &output[1]);
    for (int64_t k = 1;; k += 1 + k / 16, failures++) {
        crd_program *program = NULL;
        crd_exec *exec = NULL;
        testing_fail_allocation(k);
        crd_status status = crd_compile(b.g, NULL, 0, output, 2, &program);
        if (status == CRD_OK)
            status = crd_exec_create(&exec, program);
        testing_fail_allocation(0);
        crd_exec_destroy(&exec);
        crd_program_destroy(&program);
        if (status == CRD_OK)
            break;
        assert_int_equal(status, CRD_ENOMEM);
        crd_error_clear(ctx);
        b.g->status = CRD_OK;
    }
    assert_true(failures > 20);
    crd_graph_destroy(&b.g);
    testing_context_destroy(&ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_give_what_all_rows_give),  cmocka_unit_test(strands_have_a_lane_each),
        cmocka_unit_test(what_needs_all_rows_stays_whole), cmocka_unit_test(a_batch_is_cut_too),
        cmocka_unit_test(no_memory_is_an_error),           cmocka_unit_test(blocks_in_single_precision),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
