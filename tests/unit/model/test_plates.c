/* test_plates.c - plates: their axes, their subsamples, and what goes wrong in them. */
#include "dist/dist.h"
#include "testing.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static double normal_log_prob(double x, double loc, double scale)
{
    return -0.5 * (x - loc) * (x - loc) / (scale * scale) - log(scale) - CRDI_HALF_LOG_2PI;
}

static crd_dist standard(void)
{
    return crd_normal(crd_num(0), crd_num(1));
}

/* ---- axes --------------------------------------------------------------------------------------------------- */

static crd_node chosen_axes(crd_trace *t, void *user)
{
    (void)user;
    crd_plate last = crd_plate_enter_with(t, "last", 5, &(crd_plate_options){.dim = -1});
    crd_plate second = crd_plate_enter_with(t, "second", 4, &(crd_plate_options){.dim = -2});
    crd_sample(t, "both", standard());
    crd_plate third = crd_plate_enter(t, "third", 3); /* -3: the others are taken */
    crd_sample(t, "three", standard());
    crd_plate_leave(third);
    crd_plate_leave(second);
    crd_sample(t, "one", standard());
    crd_plate_leave(last);
    crd_plate outer = crd_plate_enter(t, "outer", 7);
    crd_plate far = crd_plate_enter_with(t, "far", 2, &(crd_plate_options){.dim = -3});
    crd_sample(t, "gap", standard());
    crd_plate_leave(far);
    crd_plate_leave(outer);
    return crd_num(0);
}

static void plates_stand_at_chosen_axes(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        crd_shape shape;
    } sites[] = {{"both", {2, {4, 5}}}, {"gap", {3, {2, 1, 7}}}, {"one", {1, {5}}}, {"three", {3, {3, 4, 5}}}};
    crd_context *ctx = testing_context();
    crd_model *model;
    assert_ok(ctx, crd_model_create(&model, ctx, chosen_axes, NULL));
    for (int i = 0; i < 4; i++) {
        assert_string_equal(crd_model_site(model, i)->name, sites[i].name);
        assert_true(crdi_shape_equal(crd_model_site(model, i)->shape, sites[i].shape));
    }
    crd_model_destroy(&model);
    testing_context_destroy(&ctx);
}

/* ---- subsamples --------------------------------------------------------------------------------------------- */

enum { ROWS = 5, COLUMNS = 4 };

struct table {
    double y[ROWS * COLUMNS];
    int64_t rows, columns; /* taken; 0: all */
};

/* y[r][c] ~ N(0, 1) with a site a row, and a factor a column. */
static crd_node table_model(crd_trace *t, void *user)
{
    struct table *d = user;
    crd_array y = crd_array_borrow(d->y, crd_shape_2(ROWS, COLUMNS));
    crd_node data = crd_data(t, "y", &y);
    crd_plate rows = crd_plate_enter_with(t, "rows", ROWS, &(crd_plate_options){.subsample_size = d->rows});
    data = crd_subsample(rows, data, 0);
    crd_observe_value(t, "row", standard(), crd_take(data, 1, 2));
    crd_plate columns = crd_plate_enter_with(t, "columns", COLUMNS, &(crd_plate_options){.subsample_size = d->columns});
    data = crd_subsample(columns, data, -1);
    crd_observe_value(t, "cell", standard(), data);
    crd_plate_leave(columns);
    crd_plate_leave(rows);
    columns = crd_plate_enter_with(t, "columns", COLUMNS, &(crd_plate_options){.subsample_size = d->columns});
    crd_factor(t, "f", crd_num(0.25));
    crd_deterministic(t, "columns again", crd_plate_indices(columns));
    crd_plate_leave(columns);
    return data;
}

static void fill(struct table *d)
{
    crd_random_normal(crd_key_make(17), ROWS * COLUMNS, d->y);
}

/* The log density of the table model as a program of the key. */
static crd_status table_program(crd_context *ctx, struct table *d, crd_program **out)
{
    crd_trace *t;
    crd_seed_handler seed;
    CRD_TRY(crd_trace_create(&t, ctx));
    crd_node key = crd_input(crd_trace_graph(t), "key", crd_shape_1(2)), outputs[3];
    crd_seed_init(&seed, key);
    crd_trace_push(t, &seed.handler);
    crd_status status = crd_trace_run(t, table_model, d);
    if (status == CRD_OK) {
        outputs[0] = crd_trace_log_density(t);
        outputs[1] = crd_trace_plate(t, 0)->indices;
        outputs[2] = crd_trace_find(t, "columns again")->value;
        assert_int_equal(crd_trace_plate_count(t), 2);
        status = crd_compile(crd_trace_graph(t), &key, 1, outputs, 3, out);
    }
    crd_trace_destroy(&t);
    return status;
}

static double full_density(const struct table *d)
{
    double sum = 0.25 * COLUMNS;
    for (int r = 0; r < ROWS; r++) {
        sum += normal_log_prob(d->y[r * COLUMNS + 2], 0, 1);
        for (int c = 0; c < COLUMNS; c++)
            sum += normal_log_prob(d->y[r * COLUMNS + c], 0, 1);
    }
    return sum;
}

/* The expectation over subsamples is the full density: all are drawn, and those that differ are averaged. */
static void the_mean_over_subsamples_is_the_full_density(void **state)
{
    (void)state;
    enum { DRAWS = 4000 };
    crd_context *ctx = testing_context();
    struct table d = {.rows = 2, .columns = 3};
    crd_program *program;
    crd_exec *exec;
    double sum[ROWS][ROWS][COLUMNS] = {{{0}}};
    int count[ROWS][ROWS][COLUMNS] = {{{0}}}, drawn = 0;
    fill(&d);
    assert_ok(ctx, table_program(ctx, &d, &program));
    assert_ok(ctx, crd_exec_create(&exec, program));
    for (uint32_t i = 0; i < DRAWS; i++) {
        crd_key key = crd_key_fold_in(crd_key_make(5), i);
        crd_exec_input(exec)[0] = key.word[0];
        crd_exec_input(exec)[1] = key.word[1];
        crd_exec_run(exec);
        const double *out = crd_exec_output(exec);
        int a = (int)out[1], b = (int)out[2], missing = 0 + 1 + 2 + 3 - (int)(out[3] + out[4] + out[5]);
        assert_true(a >= 0 && a < ROWS && b >= 0 && b < ROWS && a != b);
        assert_true(missing >= 0 && missing < COLUMNS && out[3] != out[4] && out[4] != out[5] && out[3] != out[5]);
        double expected = 0.25 * COLUMNS;
        for (int k = 0; k < 2; k++) {
            int r = k ? b : a;
            expected += 2.5 * normal_log_prob(d.y[r * COLUMNS + 2], 0, 1);
            for (int c = 0; c < COLUMNS; c++)
                expected += c == missing ? 0 : 2.5 * (4.0 / 3) * normal_log_prob(d.y[r * COLUMNS + c], 0, 1);
        }
        assert_close(out[0], expected, 1e-13, 0);
        sum[a < b ? a : b][a < b ? b : a][missing] = out[0];
        count[a < b ? a : b][a < b ? b : a][missing]++;
    }
    double mean = 0, chi2 = 0;
    for (int a = 0; a < ROWS; a++)
        for (int b = a + 1; b < ROWS; b++)
            for (int m = 0; m < COLUMNS; m++) {
                assert_true(count[a][b][m] > 0);
                mean += sum[a][b][m] / 40;
                chi2 += pow(count[a][b][m] - DRAWS / 40.0, 2) / (DRAWS / 40.0);
                drawn++;
            }
    assert_int_equal(drawn, 40);
    assert_close(mean, full_density(&d), 1e-13, 0);
    assert_true(chi2 < 81); /* 39 degrees of freedom: P(chi2 > 81) = 1e-4 */
    crd_exec_destroy(&exec);
    crd_program_destroy(&program);
    testing_context_destroy(&ctx);
}

/* Rows by a handler's choice; none: the first ones. */
static void rows_are_given_or_the_first_ones(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    struct table d = {.rows = 2};
    double picked[] = {4, 1};
    const double *row;
    crd_array pick = crd_array_borrow(picked, crd_shape_1(2));
    fill(&d);
    for (int given = 0; given < 3; given++) {
        crd_trace *t, *again;
        crd_substitute_handler substitute;
        crd_replay_handler replay;
        picked[0] = given == 2 ? 5 : 4;
        assert_ok(ctx, crd_trace_create(&t, ctx));
        crd_value values[] = {{"rows", crd_constant(crd_trace_graph(t), &pick), 0}, {0}};
        crd_substitute_init(&substitute, crd_lookup_values, values);
        if (given)
            crd_trace_push(t, &substitute.handler);
        crd_status status = crd_trace_run(t, table_model, &d);
        if (given == 2) {
            assert_int_equal(status, CRD_EDOMAIN);
            assert_non_null(strstr(crd_error_message(ctx), "plate rows: row 5 is to be taken, there are 0 to 4"));
            crd_trace_destroy(&t);
            break;
        }
        assert_ok(ctx, status);
        assert_true(crd_node_known(crd_trace_find(t, "row")->value, &row));
        for (int i = 0; i < 2; i++)
            assert_true(row[i] == d.y[COLUMNS * (given ? (int)picked[i] : i) + 2]);
        assert_ok(ctx, crd_trace_create(&again, ctx)); /* a replay takes the same rows */
        crd_replay_init(&replay, t);
        crd_trace_push(again, &replay.handler);
        assert_ok(ctx, crd_trace_run(again, table_model, &d));
        const double *p, *q;
        assert_true(crd_node_known(crd_trace_log_density(t), &p));
        assert_true(crd_node_known(crd_trace_log_density(again), &q));
        assert_true(*p == *q);
        crd_trace_destroy(&again);
        crd_trace_destroy(&t);
    }
    testing_context_destroy(&ctx);
}

static void a_plate_of_all_rows_leaves_arrays_alone(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    struct table d = {.rows = 0};
    crd_trace *t;
    const double *density, *index;
    fill(&d);
    assert_ok(ctx, crd_trace_create(&t, ctx));
    assert_ok(ctx, crd_trace_run(t, table_model, &d));
    assert_true(crd_node_known(crd_trace_log_density(t), &density));
    assert_close(*density, full_density(&d), 1e-13, 0);
    assert_true(crd_node_known(crd_trace_find(t, "columns again")->value, &index));
    for (int i = 0; i < COLUMNS; i++)
        assert_true(index[i] == i);
    crd_trace_destroy(&t);
    testing_context_destroy(&ctx);
}

/* ---- a middle axis ------------------------------------------------------------------------------------------ */

static crd_node middle(crd_trace *t, void *user)
{
    crd_array cube = crd_array_borrow(user, (crd_shape){3, {2, 5, 3}});
    crd_plate rows = crd_plate_enter_with(t, "rows", 5, &(crd_plate_options){.subsample_size = 2});
    crd_node taken = crd_subsample(rows, crd_data(t, "cube", &cube), 1);
    crd_deterministic(t, "index", crd_plate_indices(rows));
    crd_plate_leave(rows);
    return crd_deterministic(t, "taken", taken);
}

static void rows_are_taken_along_any_axis(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    double cube[30];
    const double *taken, *index;
    crd_trace *t;
    crd_seed_handler seed;
    for (int i = 0; i < 30; i++)
        cube[i] = i;
    assert_ok(ctx, crd_trace_create(&t, ctx));
    crd_seed_init(&seed, crd_key_node(crd_trace_graph(t), crd_key_make(8)));
    crd_trace_push(t, &seed.handler);
    assert_ok(ctx, crd_trace_run(t, middle, cube));
    assert_true(crdi_shape_equal(crd_trace_find(t, "taken")->shape, (crd_shape){3, {2, 2, 3}}));
    assert_true(crd_node_known(crd_trace_find(t, "taken")->value, &taken));
    assert_true(crd_node_known(crd_trace_find(t, "index")->value, &index));
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 2; j++)
            for (int k = 0; k < 3; k++)
                assert_true(taken[(i * 2 + j) * 3 + k] == (i * 5 + index[j]) * 3 + k);
    crd_trace_destroy(&t);
    testing_context_destroy(&ctx);
}

/* ---- mistakes ----------------------------------------------------------------------------------------------- */

enum mistake {
    SAME_DIM,
    POSITIVE_DIM,
    TOO_MANY,
    ALL_OBSERVED,
    WRONG_SHAPE,
    NESTED,
    COLUMN,
    TOO_DEEP,
    NAN_DATA,
    MISTAKES
};

static crd_node mistaken(crd_trace *t, void *user)
{
    double values[] = {1, 2, 3, 4, 5, 6};
    crd_array four = crd_array_borrow(values, crd_shape_1(4)), three = crd_array_borrow(values, crd_shape_1(3)),
              six = crd_array_borrow(values, crd_shape_2(2, 3)), column = crd_array_borrow(values, crd_shape_2(3, 1));
    enum mistake mistake = *(enum mistake *)user;
    int64_t part = mistake == ALL_OBSERVED ? 2 : mistake == TOO_MANY ? 5 : 0;
    crd_plate_options options = {.dim = mistake == POSITIVE_DIM ? 1
                                        : mistake == TOO_DEEP   ? -6
                                                                : -1,
                                 .subsample_size = part};
    crd_node m = crd_sample(t, "m", standard());
    crd_plate rows = crd_plate_enter_with(t, "rows", mistake == COLUMN ? 3 : 4, &options);
    if (mistake == SAME_DIM)
        crd_plate_enter_with(t, "others", 4, &options);
    else if (mistake == ALL_OBSERVED)
        crd_observe(t, "y", crd_normal(m, crd_num(1)), &four);
    else if (mistake == WRONG_SHAPE)
        crd_subsample(rows, crd_data(t, "x", &three), 0);
    else if (mistake == TOO_DEEP)
        crd_sample(t, "z", crd_dist_to_event(crd_dist_expand(standard(), crd_shape_1(2)), 1));
    else if (mistake == COLUMN) /* (3, 1) parameters in a plate of 3: (3, 3), not what was meant */
        crd_observe(t, "y", crd_normal(crd_data(t, "x", &column), crd_num(1)), &three);
    else if (mistake == NAN_DATA) {
        values[3] = NAN;
        crd_observe(t, "y", crd_normal(m, crd_num(1)), &four);
    } else if (mistake == NESTED) {
        crd_plate inner = crd_plate_enter_with(t, "inner", 2, &(crd_plate_options){.dim = -2});
        crd_observe(t, "y", crd_normal(m, crd_num(1)), &six);
        crd_plate_leave(inner);
    }
    crd_plate_leave(rows);
    return m;
}

static void mistakes_are_named_when_the_model_is_traced(void **state)
{
    (void)state;
    static const struct {
        crd_status status;
        const char *message;
    } expected[MISTAKES] = {
        [SAME_DIM] = {CRD_EINVAL, "plate others: dim -1 is that of plate rows around it"},
        [POSITIVE_DIM] = {CRD_EINVAL, "plate rows: its dim is 1, it must be from -6 (the first of 6 axes) to -1"},
        [TOO_MANY] = {CRD_EINVAL, "plate rows: a subsample of 5 rows is to be taken from 4"},
        [ALL_OBSERVED] = {CRD_ESHAPE, "site y: plate rows takes 2 of its 4 rows, value has all (crd_subsample takes "
                                      "the same)"},
        [WRONG_SHAPE] = {CRD_ESHAPE, "plate rows: it has 4 rows, an array of shape (3,) has not along axis 0"},
        [NESTED] = {CRD_ESHAPE, "site y: plate rows has 4 rows, value has 3"},
        [COLUMN] = {CRD_ESHAPE, "site y: its shape is (3, 3), that of the observed value (3,)"},
        [TOO_DEEP] = {CRD_ESHAPE, "site z: more than 6 axes"},
        [NAN_DATA] = {CRD_EDOMAIN, "site y: observed value 3 is nan, normal needs one that is finite"},
    };
    for (enum mistake mistake = 0; mistake < MISTAKES; mistake++) {
        crd_context *ctx = testing_context();
        crd_model *model;
        assert_int_equal(crd_model_create(&model, ctx, mistaken, &mistake), expected[mistake].status);
        assert_memory_equal(crd_error_message(ctx), expected[mistake].message, strlen(expected[mistake].message));
        assert_non_null(strstr(crd_error_message(ctx), "(test_plates.c:"));
        testing_context_destroy(&ctx);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plates_stand_at_chosen_axes),
        cmocka_unit_test(the_mean_over_subsamples_is_the_full_density),
        cmocka_unit_test(rows_are_given_or_the_first_ones),
        cmocka_unit_test(a_plate_of_all_rows_leaves_arrays_alone),
        cmocka_unit_test(rows_are_taken_along_any_axis),
        cmocka_unit_test(mistakes_are_named_when_the_model_is_traced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
