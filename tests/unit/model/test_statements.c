/* test_statements.c - what a model says: all errors of statements with their place, and the shapes of sites. */
#include "dist/dist.h"
#include "testing.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* What the models below are given. They set `line` to that of the statement to blame. */
struct data {
    crd_array *y;
    int64_t n;
    int line;
};

static crd_array vector(double *values, int64_t n)
{
    return crd_array_borrow(values, crd_shape_1(n));
}

/* ---- errors of statements ----------------------------------------------------------------------------------- */

/* Runs a model that must fail, and compares the whole message: `format` has %d where the line stands. */
static void expect_error(crd_model_fn fn, struct data *data, crd_status status, const char *format)
{
    crd_context *ctx = testing_context();
    crd_model *model = NULL;
    char message[512];
    assert_int_equal(crd_model_create(&model, ctx, fn, data), status);
    snprintf(message, sizeof message, format, data->line);
    assert_string_equal(crd_error_message(ctx), message);
    assert_null(model);
    testing_context_destroy(&ctx);
}

#define BLAME(data) ((data)->line = __LINE__)

static crd_node observed_in_a_plate(crd_trace *t, void *user)
{
    struct data *d = user;
    crd_node m = crd_sample(t, "m", crd_normal(crd_num(0), crd_num(1)));
    crd_plate plate = crd_plate_enter(t, "data", d->n);
    crd_observe(t, "y", crd_normal(m, crd_num(1)), d->y), BLAME(d);
    crd_plate_leave(plate);
    return m;
}

static crd_node half_normal_data(crd_trace *t, void *user)
{
    struct data *d = user;
    crd_node m = crd_sample(t, "m", crd_half_normal(crd_num(1)));
    crd_observe(t, "y", crd_half_normal(m), d->y), BLAME(d);
    return m;
}

static crd_node uniform_data(crd_trace *t, void *user)
{
    struct data *d = user;
    double lows[] = {0, 1};
    crd_array low = vector(lows, 2);
    crd_node m = crd_sample(t, "m", crd_half_normal(crd_num(1)));
    crd_observe(t, "y", crd_uniform(crd_data(t, "low", &low), crd_num(2)), d->y), BLAME(d);
    return m;
}

static void observed_values_must_fit(void **state)
{
    (void)state;
    double values[] = {1, 2, NAN, -4}, middle[] = {0.5, 0.5};
    crd_array y = vector(values, 2);
    struct data d = {&y, 3, 0};
    expect_error(observed_in_a_plate, &d, CRD_ESHAPE,
                 "site y: plate data has 3 rows, value has 2 (test_statements.c:%d)");
    y = crd_array_borrow(values, crd_shape_2(2, 1));
    expect_error(observed_in_a_plate, &d, CRD_ESHAPE,
                 "site y: its shape is (3,), that of the observed value (2, 1) (test_statements.c:%d)");
    y = vector(values, 3);
    expect_error(observed_in_a_plate, &d, CRD_EDOMAIN,
                 "site y: observed value 2 is nan, normal needs one that is finite (test_statements.c:%d)");
    y = crd_array_borrow(values + 3, crd_shape_0());
    expect_error(half_normal_data, &d, CRD_EDOMAIN,
                 "site y: observed value 0 is -4, half_normal needs one that is positive (test_statements.c:%d)");
    y = vector(middle, 2);
    expect_error(
        uniform_data, &d, CRD_EDOMAIN,
        "site y: observed value 1 is 0.5, uniform needs one that is between its bounds (test_statements.c:%d)");
}

static crd_node twice(crd_trace *t, void *user)
{
    struct data *d = user;
    crd_sample(t, "m", crd_normal(crd_num(0), crd_num(1)));
    return crd_deterministic(t, "m", crd_num(1)), BLAME(d), crd_num(0);
}

static crd_node plate_not_left(crd_trace *t, void *user)
{
    struct data *d = user;
    crd_plate_enter(t, "rows", 4), BLAME(d);
    return crd_sample(t, "m", crd_normal(crd_num(0), crd_num(1)));
}

static crd_node plate_of_another_size(crd_trace *t, void *user)
{
    struct data *d = user;
    double values[] = {1, 2, 3};
    crd_array array = vector(values, 3);
    crd_plate plate = crd_plate_enter(t, "rows", 4);
    crd_node m = crd_sample(t, "m", crd_normal(crd_data(t, "x", &array), crd_num(1)));
    BLAME(d), d->line--;
    crd_plate_leave(plate);
    return m;
}

static crd_node negative_plate(crd_trace *t, void *user)
{
    struct data *d = user;
    crd_plate plate = crd_plate_enter(t, "rows", -4);
    BLAME(d), d->line--;
    crd_plate_leave(plate);
    return crd_num(0);
}

static crd_node seven_plates(crd_trace *t, void *user)
{
    struct data *d = user;
    for (int i = 0; i < 7; i++)
        crd_plate_enter(t, "rows", 2), BLAME(d);
    return crd_num(0);
}

static crd_node discrete_latent(crd_trace *t, void *user)
{
    struct data *d = user;
    return crd_sample(t, "coin", crd_bernoulli(crd_num(0.5))), BLAME(d), crd_num(0);
}

static crd_node negative_scale(crd_trace *t, void *user)
{
    struct data *d = user;
    return crd_sample(t, "m", crd_normal(crd_num(0), crd_num(-2))), BLAME(d), crd_num(0);
}

static crd_node parameters_that_do_not_broadcast(crd_trace *t, void *user)
{
    struct data *d = user;
    double values[] = {1, 2, 3, 4, 5};
    crd_array two = vector(values, 2), three = vector(values, 3);
    crd_node a = crd_data(t, "a", &two), b = crd_data(t, "b", &three);
    return crd_sample(t, "m", crd_normal(a, b)), BLAME(d), crd_num(0);
}

static crd_node bad_expression(crd_trace *t, void *user)
{
    struct data *d = user;
    double values[] = {1, 2, 3, 4, 5};
    crd_array two = vector(values, 2), three = vector(values, 3);
    crd_node m = crd_sample(t, "m", crd_normal(crd_num(0), crd_num(1)));
    crd_node sum = crd_add(crd_data(t, "a", &two), crd_data(t, "b", &three));
    BLAME(d), d->line--;
    crd_sample(t, "n", crd_normal(sum, crd_num(-1))); /* a later mistake is not what is reported */
    crd_factor(t, "f", sum);
    return crd_deterministic(t, "g", crd_mul(m, sum));
}

static crd_node mistake_before_a_bad_expression(crd_trace *t, void *user)
{
    struct data *d = user;
    double values[] = {1, 2, 3, 4, 5};
    crd_array two = vector(values, 2), three = vector(values, 3);
    crd_sample(t, "m", crd_normal(crd_num(0), crd_num(-2))), BLAME(d);
    return crd_add(crd_data(t, "a", &two), crd_data(t, "b", &three));
}

static crd_node data_that_are_infinite(crd_trace *t, void *user)
{
    struct data *d = user;
    return crd_data(t, "x", d->y), BLAME(d), crd_num(0);
}

static crd_node own_failure(crd_trace *t, void *user)
{
    struct data *d = user;
    crd_trace_fail(t, CRD_EINVAL, CRD_HERE, "%d units are too few", 0), BLAME(d);
    crd_trace_fail(t, CRD_ESHAPE, CRD_HERE, "second");
    return crd_num(0);
}

static crd_node no_distribution(crd_trace *t, void *user)
{
    struct data *d = user;
    return crd_sample(t, "m", (crd_dist){0}), BLAME(d), crd_num(0);
}

static crd_node nothing_latent(crd_trace *t, void *user)
{
    (void)user;
    return crd_deterministic(t, "m", crd_num(1));
}

static void statements_say_what_is_wrong_and_where(void **state)
{
    (void)state;
    double infinite[] = {0, -INFINITY};
    crd_array x = vector(infinite, 2);
    struct data d = {&x, 0, 0};
    expect_error(twice, &d, CRD_ENAME, "site m: there is a site of this name already (test_statements.c:%d)");
    expect_error(plate_not_left, &d, CRD_EINVAL, "plate rows: entered, but not left (test_statements.c:%d)");
    expect_error(plate_of_another_size, &d, CRD_ESHAPE,
                 "site m: plate rows has 4 rows, the distribution has 3 (test_statements.c:%d)");
    expect_error(negative_plate, &d, CRD_EINVAL, "plate rows: its size is -4 (test_statements.c:%d)");
    expect_error(seven_plates, &d, CRD_EUNSUPPORTED,
                 "plate rows: more than 6 plates are nested (test_statements.c:%d)");
    expect_error(
        discrete_latent, &d, CRD_EUNSUPPORTED,
        "site coin: bernoulli is discrete; a latent site must be continuous, or be observed (test_statements.c:%d)");
    expect_error(negative_scale, &d, CRD_EDOMAIN,
                 "site m: scale of normal is -2, it must be positive (test_statements.c:%d)");
    expect_error(parameters_that_do_not_broadcast, &d, CRD_ESHAPE,
                 "site m: the parameters of normal do not broadcast (test_statements.c:%d)");
    expect_error(bad_expression, &d, CRD_ESHAPE, "add: shapes (2,) and (3,) do not broadcast (test_statements.c:%d)");
    expect_error(mistake_before_a_bad_expression, &d, CRD_EDOMAIN,
                 "site m: scale of normal is -2, it must be positive (test_statements.c:%d)");
    expect_error(data_that_are_infinite, &d, CRD_EDOMAIN, "data x: element 1 is -inf (test_statements.c:%d)");
    expect_error(own_failure, &d, CRD_EINVAL, "0 units are too few (test_statements.c:%d)");
    expect_error(no_distribution, &d, CRD_EINVAL, "site m: no distribution (test_statements.c:%d)");
    expect_error(nothing_latent, &d, CRD_EINVAL, "the model has no latent site");
}

/* ---- shapes ------------------------------------------------------------------------------------------------- */

static crd_node plated(crd_trace *t, void *user)
{
    (void)user;
    double values[] = {1, 2, 3, 4};
    crd_array four = vector(values, 4);
    crd_dist dist = crd_normal(crd_num(0), crd_num(1));
    crd_sample(t, "none", dist);
    crd_plate outer = crd_plate_enter(t, "outer", 3);
    crd_sample(t, "one", dist);
    crd_plate inner = crd_plate_enter(t, "inner", 4);
    crd_sample(t, "two", dist);
    crd_sample(t, "batch", crd_normal(crd_data(t, "x", &four), crd_num(1)));
    crd_sample(t, "wide", crd_dist_expand(dist, (crd_shape){3, {5, 1, 4}}));
    crd_plate_leave(inner);
    crd_sample(t, "expanded", crd_dist_expand(dist, crd_shape_2(2, 3)));
    crd_plate_leave(outer);
    return crd_sample(t, "after", dist);
}

static void plates_and_batches_give_shapes(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        crd_shape shape;
    } sites[] = {{"after", {0, {0}}}, {"batch", {2, {3, 4}}}, {"expanded", {2, {2, 3}}}, {"none", {0, {0}}},
                 {"one", {1, {3}}},   {"two", {2, {3, 4}}},   {"wide", {3, {5, 3, 4}}}};
    crd_context *ctx = testing_context();
    crd_model *model;
    int64_t offset = 0;
    assert_ok(ctx, crd_model_create(&model, ctx, plated, NULL));
    assert_int_equal(crd_model_site_count(model), CRDI_COUNT(sites));
    for (int i = 0; i < CRDI_COUNT(sites); i++) { /* in alphabetical order */
        const crd_site *site = crd_model_site(model, i);
        assert_string_equal(site->name, sites[i].name);
        assert_true(crdi_shape_equal(site->shape, sites[i].shape));
        assert_int_equal(site->size, crd_shape_size(sites[i].shape));
        assert_int_equal(site->offset, offset);
        assert_string_equal(site->dist, "normal");
        assert_string_equal(site->support, "finite");
        offset += site->size;
    }
    assert_int_equal(crd_model_dim(model), offset);
    assert_ptr_equal(crd_model_context(model), ctx);
    crd_model_destroy(&model);
    testing_context_destroy(&ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(observed_values_must_fit),
        cmocka_unit_test(statements_say_what_is_wrong_and_where),
        cmocka_unit_test(plates_and_batches_give_shapes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
