/* test_batches.c - densities of rows in batches: their sum is that of all rows, and what cannot be is refused. */
#include "model/batches.h"
#include "testing.h"

#include <math.h>
#include <string.h>

enum { ROWS = 23 };

/* A regression with a positive scale and a per-row weight; plates as the test wants them. */
struct model {
    double x[ROWS], y[ROWS];
    int64_t subsample; /* 0: all rows */
    bool two, forgets; /* a second plate; data that do not go through crd_subsample */
};

static void init(struct model *m)
{
    *m = (struct model){.subsample = 0};
    for (int i = 0; i < ROWS; i++) {
        m->x[i] = cos(1.7 * i);
        m->y[i] = sin(0.3 * i) + 0.1 * i;
    }
}

static crd_node line(crd_trace *t, void *user)
{
    struct model *m = user;
    crd_array x = crd_array_borrow(m->x, crd_shape_1(ROWS)), y = crd_array_borrow(m->y, crd_shape_1(ROWS));
    crd_node b = crd_sample(t, "b", crd_normal(crd_num(0), crd_num(2)));
    crd_node a = crd_sample(t, "a", crd_normal(crd_num(1), crd_num(3)));
    crd_node s = crd_sample(t, "s", crd_half_cauchy(crd_num(1)));
    if (m->two) {
        crd_plate other = crd_plate_enter(t, "other", 2);
        crd_sample(t, "z", crd_normal(crd_num(0), crd_num(1)));
        crd_plate_leave(other);
    }
    crd_plate data = crd_plate_enter_with(t, "data", ROWS, &(crd_plate_options){.subsample_size = m->subsample});
    crd_node xs = crd_data(t, "x", &x), ys = crd_data(t, "y", &y);
    if (!m->forgets) {
        xs = crd_subsample(data, xs, 0);
        ys = crd_subsample(data, ys, 0);
    }
    crd_observe_value(t, "obs", crd_normal(crd_add(a, crd_mul(b, xs)), s), ys);
    crd_plate_leave(data);
    return a;
}

/* The log density of some rows by hand, each counting `times`. */
static double by_hand(const struct model *m, const double *u, const double *row, int64_t rows, double times)
{
    double a = u[0], b = u[1], s = exp(u[2]), half_log = 0.91893853320467274178, sum;
    sum = -half_log - log(3) - 0.5 * (a - 1) * (a - 1) / 9 - half_log - log(2) - 0.125 * b * b;
    sum += log(2 / 3.14159265358979323846) - log1p(s * s) + u[2];
    for (int64_t k = 0; k < rows; k++) {
        int i = (int)row[k];
        double z = (m->y[i] - a - b * m->x[i]) / s;
        sum += times * (-half_log - u[2] - 0.5 * z * z);
    }
    return sum;
}

static void a_batch_stands_for_all(void **state)
{
    (void)state;
    static const double u[3] = {0.3, -0.8, 0.2}, row[5] = {22, 0, 7, 13, 4};
    struct model m;
    crd_context *ctx = testing_context();
    crd_model *model;
    crdi_batches b;
    crd_exec *exec;
    init(&m);
    assert_ok(ctx, crd_model_create(&model, ctx, line, &m));
    assert_ok(ctx, crdi_batches_create(model, NULL, 5, &b));
    assert_true(b.dim == 3 && b.rows == 5 && b.population == ROWS && b.left == 3);
    assert_int_equal(crd_program_input_size(b.program), 8);
    assert_int_equal(crd_program_input_size(b.last), 6);
    assert_ok(ctx, crd_exec_create(&exec, b.program));
    memcpy(crd_exec_input(exec), u, sizeof u);
    memcpy(crd_exec_input(exec) + 3, row, sizeof row);
    crd_exec_run(exec);
    assert_close(crd_exec_output(exec)[0], by_hand(&m, u, row, 5, ROWS / 5.0), 1e-13, 0);
    for (int i = 0; i < 3; i++) {
        double v[3], change;
        memcpy(v, u, sizeof u);
        v[i] += 1e-5;
        change = by_hand(&m, v, row, 5, ROWS / 5.0);
        v[i] -= 2e-5;
        change -= by_hand(&m, v, row, 5, ROWS / 5.0);
        assert_close(crd_exec_output(exec)[1 + i], change / 2e-5, 1e-7, 1e-7);
    }
    crd_exec_destroy(&exec);
    crdi_batches_clear(&b);
    crd_model_destroy(&model);
    testing_context_destroy(&ctx);
}

/* Any cut into batches: weighted by their rows they make the model's own density and gradient. */
static void disjoint_batches_make_the_whole(void **state)
{
    (void)state;
    static const double u[3] = {-0.7, 0.4, -0.3};
    static const int64_t counts[] = {1, 2, 4, 5, 23};
    struct model m;
    crd_context *ctx = testing_context();
    crd_model *model;
    double density, gradient[3];
    init(&m);
    assert_ok(ctx, crd_model_create(&model, ctx, line, &m));
    assert_ok(ctx, crd_model_log_density(model, u, &density, gradient));
    for (int c = 0; c < CRDI_COUNT(counts); c++) {
        crdi_batches b;
        double sum[4] = {0};
        assert_ok(ctx, crdi_batches_create_count(model, "data", counts[c], &b));
        assert_int_equal(b.rows, (ROWS + counts[c] - 1) / counts[c]);
        for (int64_t from = 0; from < ROWS; from += b.rows) {
            crd_exec *exec;
            int64_t rows = from + b.rows > ROWS ? b.left : b.rows;
            assert_ok(ctx, crd_exec_create(&exec, rows == b.rows ? b.program : b.last));
            memcpy(crd_exec_input(exec), u, sizeof u);
            for (int64_t k = 0; k < rows && rows < ROWS; k++)
                crd_exec_input(exec)[3 + k] = (double)(from + k);
            crd_exec_run(exec);
            for (int i = 0; i < 4; i++)
                sum[i] += crd_exec_output(exec)[i] * (double)rows / ROWS;
            crd_exec_destroy(&exec);
        }
        assert_close(sum[0], density, 1e-13, 0);
        for (int i = 0; i < 3; i++)
            assert_close(sum[1 + i], gradient[i], 1e-12, 1e-12);
        crdi_batches_clear(&b);
    }
    crd_model_destroy(&model);
    testing_context_destroy(&ctx);
}

static crd_status create(crd_context *ctx, struct model *m, const char *plate, int64_t rows, int64_t count,
                         crdi_batches *b)
{
    crd_model *model;
    assert_ok(ctx, crd_model_create(&model, ctx, line, m));
    crd_status status =
        count ? crdi_batches_create_count(model, plate, count, b) : crdi_batches_create(model, plate, rows, b);
    crd_model_destroy(&model);
    return status;
}

static void the_model_says_how_many_if_nobody_else_does(void **state)
{
    (void)state;
    struct model m;
    crd_context *ctx = testing_context();
    crdi_batches b;
    init(&m);
    m.two = true; /* the other plate takes all of its rows */
    m.subsample = 4;
    assert_ok(ctx, create(ctx, &m, NULL, 0, 0, &b));
    assert_true(b.rows == 4 && b.left == 3);
    crdi_batches_clear(&b);
    m.two = false;
    m.subsample = 0;
    assert_ok(ctx, create(ctx, &m, NULL, 0, 0, &b));
    assert_true(b.rows == ROWS && b.left == 0 && !b.last);
    assert_int_equal(crd_program_input_size(b.program), 3);
    crdi_batches_clear(&b);
    testing_context_destroy(&ctx);
}

/* Which has no plate can be split no further; a batch of it there is none. */
static crd_node bare(crd_trace *t, void *user)
{
    (void)user;
    return crd_sample(t, "a", crd_normal(crd_num(0), crd_num(1)));
}

static void a_model_without_plates_is_one_batch(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_model *model;
    crdi_batches b;
    assert_ok(ctx, crd_model_create(&model, ctx, bare, NULL));
    assert_ok(ctx, crdi_batches_create_count(model, NULL, 4, &b));
    assert_true(b.rows == 1 && b.population == 1 && b.left == 0 && crd_program_input_size(b.program) == 1);
    crdi_batches_clear(&b);
    assert_int_equal(crdi_batches_create(model, NULL, 4, &b), CRD_ENAME);
    assert_non_null(strstr(crd_error_message(ctx), "has no plate"));
    crdi_batches_clear(&b);
    crd_model_destroy(&model);
    testing_context_destroy(&ctx);
}

static void what_cannot_be_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *plate;
        int64_t rows, count;
        bool two, forgets;
        crd_status status;
        const char *says;
    } cases[] = {
        {NULL, 24, 0, false, false, CRD_EINVAL, "batch: 24 rows, and plate data has 23"},
        {NULL, 0, 24, false, false, CRD_EINVAL, "batches: 24 are asked for, and plate data has 23 rows"},
        {"dat", 5, 0, false, false, CRD_ENAME, "unknown plate 'dat'"},
        {NULL, 5, 0, true, false, CRD_ENAME, "the model has 2 plates"},
        {NULL, 5, 0, false, true, CRD_ESHAPE, "plate data"},
    };
    for (int c = 0; c < CRDI_COUNT(cases); c++) {
        struct model m;
        crd_context *ctx = testing_context();
        crdi_batches b;
        init(&m);
        m.two = cases[c].two;
        m.forgets = cases[c].forgets;
        assert_int_equal(create(ctx, &m, cases[c].plate, cases[c].rows, cases[c].count, &b), cases[c].status);
        assert_non_null(strstr(crd_error_message(ctx), cases[c].says));
        crdi_batches_clear(&b);
        testing_context_destroy(&ctx);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_batch_stands_for_all),
        cmocka_unit_test(disjoint_batches_make_the_whole),
        cmocka_unit_test(the_model_says_how_many_if_nobody_else_does),
        cmocka_unit_test(a_model_without_plates_is_one_batch),
        cmocka_unit_test(what_cannot_be_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
