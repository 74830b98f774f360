/* test_model.c - compiled models against formulas worked out by hand, and without memory. */
#include "dist/dist.h"
#include "testing.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const double HALF_LOG_2PI = 0.91893853320467274;

static double normal_log_prob(double x, double loc, double scale)
{
    return -0.5 * (x - loc) * (x - loc) / (scale * scale) - log(scale) - HALF_LOG_2PI;
}

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

#define BLAME(data) ((data)->line = __LINE__)

/* ---- compiled models ---------------------------------------------------------------------------------------- */

/* mean ~ N(1, 2), y ~ N(mean, 0.5): conjugate. */
static crd_node conjugate(crd_trace *t, void *user)
{
    struct data *d = user;
    crd_node mean = crd_sample(t, "mean", crd_normal(crd_num(1), crd_num(2)));
    crd_deterministic(t, "twice", crd_mul(crd_num(2), mean));
    crd_deterministic(t, "fixed", crd_num(7));
    crd_plate plate = crd_plate_enter(t, "data", d->n);
    crd_observe(t, "y", crd_normal(mean, crd_num(0.5)), d->y);
    crd_plate_leave(plate);
    return mean;
}

static void a_conjugate_model_is_its_closed_form(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_model *model;
    double values[] = {0.3, 1.1, 2.0, -0.4, 0.9}, sum = 0, square = 0;
    crd_array y = vector(values, 5);
    struct data d = {&y, 5, 0};
    assert_ok(ctx, crd_model_create(&model, ctx, conjugate, &d));
    for (int i = 0; i < 5; i++) {
        sum += values[i];
        square += (values[i] - 1) * (values[i] - 1);
    }
    /* posterior precision and mean, and the evidence: y ~ N(1, 0.25 I + 4 1 1'), by Sherman and Morrison */
    double precision = 1 / 4.0 + 5 / 0.25, centre = (1 / 4.0 + sum / 0.25) / precision;
    double log_determinant = 5 * log(0.25) + log(1 + 4 * 5 / 0.25);
    double form = (square - 4 / (0.25 + 4 * 5) * (sum - 5) * (sum - 5)) / 0.25;
    double evidence = -0.5 * (form + log_determinant) - 5 * HALF_LOG_2PI;
    for (double u = -2; u <= 3; u += 0.5) {
        double value, slope;
        assert_ok(ctx, crd_model_log_density(model, &u, &value, &slope));
        assert_close(value, normal_log_prob(u, centre, 1 / sqrt(precision)) + evidence, 1e-12, 0);
        assert_close(slope, -precision * (u - centre), 1e-12, 1e-13);
    }
    assert_int_equal(crd_program_output_size(crd_model_density(model)), 2);
    crd_model_destroy(&model);
    assert_null(model);
    testing_context_destroy(&ctx);
}

static crd_node constrained(crd_trace *t, void *user)
{
    (void)user;
    crd_node s = crd_sample(t, "s", crd_half_cauchy(crd_num(0.5)));
    crd_node low = crd_neg(s);
    crd_plate plate = crd_plate_enter(t, "two", 2);
    crd_node w = crd_sample(t, "w", crd_uniform(low, crd_num(2)));
    crd_plate_leave(plate);
    crd_deterministic(t, "edge", low);
    return crd_sample(t, "z", crd_normal(crd_sum(w), s));
}

static double log_sigmoid(double u)
{
    return -log1p(exp(-u));
}

/* Positive sites and intervals whose bound is another site: value and numeric derivative of the density. */
static void jacobians_are_part_of_the_density(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_model *model;
    assert_ok(ctx, crd_model_create(&model, ctx, constrained, NULL));
    assert_int_equal(crd_model_dim(model), 4);
    assert_string_equal(crd_model_site(model, 0)->support, "positive");
    assert_string_equal(crd_model_site(model, 1)->support, "between its bounds");
    double u[4] = {-0.4, 0.7, -1.3, 0.6}, value, slope[4], unused[4];
    assert_ok(ctx, crd_model_log_density(model, u, &value, slope));
    double s = exp(u[0]), w[2], expected = log(2 / 3.14159265358979323846 / 0.5) - log1p(s * s / 0.25) + u[0];
    for (int i = 0; i < 2; i++) { /* the uniform's -log(high - low) and the Jacobian's log(high - low) cancel */
        w[i] = -s + (2 + s) / (1 + exp(-u[1 + i]));
        expected += log_sigmoid(u[1 + i]) + log_sigmoid(-u[1 + i]);
    }
    expected += normal_log_prob(u[3], w[0] + w[1], s);
    assert_close(value, expected, 1e-13, 0);
    for (int i = 0; i < 4; i++) {
        double at = u[i], up, down;
        u[i] = at + 1e-6;
        assert_ok(ctx, crd_model_log_density(model, u, &up, unused));
        u[i] = at - 1e-6;
        assert_ok(ctx, crd_model_log_density(model, u, &down, NULL));
        u[i] = at;
        assert_close(slope[i], (up - down) / 2e-6, 1e-7, 1e-8);
    }
    crd_model_destroy(&model);
    testing_context_destroy(&ctx);
}

static void values_are_those_of_the_sites(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_model *model;
    crd_program *program = NULL;
    crd_exec *exec;
    crd_shape shape = crd_shape_1(9);
    const char *edge = "edge", *wrong = "egde", *latent = "w";
    assert_ok(ctx, crd_model_create(&model, ctx, constrained, NULL));
    assert_ok(ctx, crd_model_compile_values(model, &edge, 1, &shape, &program));
    assert_int_equal(shape.ndim, 0);
    assert_int_equal(crd_program_output_size(program), 5);
    assert_ok(ctx, crd_exec_create(&exec, program));
    const double u[4] = {-0.4, 0.7, -1.3, 0.6};
    memcpy(crd_exec_input(exec), u, sizeof u);
    crd_exec_run(exec);
    const double *out = crd_exec_output(exec);
    double s = exp(-0.4);
    assert_close(out[0], s, 1e-15, 0);
    assert_close(out[1], -s + (2 + s) / (1 + exp(-0.7)), 1e-15, 0);
    assert_close(out[2], -s + (2 + s) / (1 + exp(1.3)), 1e-14, 0);
    assert_close(out[3], 0.6, 0, 0);
    assert_close(out[4], -s, 1e-15, 0);
    crd_exec_destroy(&exec);
    crd_program_destroy(&program);
    assert_int_equal(crd_model_compile_values(model, &wrong, 1, &shape, &program), CRD_ENAME);
    assert_string_equal(crd_error_message(ctx), "unknown site 'egde'; did you mean 'edge'?");
    crd_error_clear(ctx);
    assert_int_equal(crd_model_compile_values(model, &latent, 1, &shape, &program), CRD_ENAME);
    assert_string_equal(crd_error_message(ctx), "site w is no deterministic site");
    assert_null(program);
    crd_model_destroy(&model);
    testing_context_destroy(&ctx);
}

static void run_with_key(crd_exec *exec, crd_key key)
{
    crd_exec_input(exec)[0] = key.word[0];
    crd_exec_input(exec)[1] = key.word[1];
    crd_exec_run(exec);
}

static void priors_are_drawn_with_the_data_forgotten(void **state)
{
    (void)state;
    enum { DRAWS = 2000 };
    crd_context *ctx = testing_context();
    crd_model *model;
    crd_program *program;
    crd_exec *exec;
    double values[] = {100, 100}, mean = 0, square = 0, within = 0;
    crd_array y = vector(values, 2);
    struct data d = {&y, 2, 0};
    const char *const names[] = {"y", "fixed", "twice"};
    assert_ok(ctx, crd_model_create(&model, ctx, conjugate, &d));
    assert_ok(ctx, crd_model_compile_prior(model, names, 3, &program));
    assert_int_equal(crd_program_output_size(program), 5);
    assert_ok(ctx, crd_exec_create(&exec, program));
    for (uint32_t i = 0; i < DRAWS; i++) {
        run_with_key(exec, crd_key_fold_in(crd_key_make(4), i));
        const double *out = crd_exec_output(exec);
        assert_true(out[3] == 7);
        assert_close(out[4], 2 * out[0], 0, 0);
        mean += out[0] / DRAWS;
        square += (out[0] - 1) * (out[0] - 1) / DRAWS;
        within += ((out[1] - out[0]) * (out[1] - out[0]) + (out[2] - out[0]) * (out[2] - out[0])) / (2 * DRAWS);
    }
    /* 3.891 standard errors, 1e-4: of a mean sd / sqrt(n), of a variance sd^2 sqrt(2 / n) */
    assert_close(mean, 1, 0, 3.891 * 2 / sqrt(DRAWS));
    assert_close(square, 4, 0, 3.891 * 4 * sqrt(2.0 / DRAWS));
    assert_close(within, 0.25, 0, 3.891 * 0.25 * sqrt(2.0 / (2 * DRAWS)));
    crd_exec_destroy(&exec);
    crd_program_destroy(&program);
    const char *wrong = "twise";
    assert_int_equal(crd_model_compile_prior(model, &wrong, 1, &program), CRD_ENAME);
    assert_string_equal(crd_error_message(ctx), "unknown site 'twise'; did you mean 'twice'?");
    crd_model_destroy(&model);
    testing_context_destroy(&ctx);
}

static void predictions_take_other_data(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_model *model;
    crd_program *program;
    crd_exec *exec;
    double values[] = {1, 2};
    crd_array y = vector(values, 2);
    struct data d = {&y, 2, 0}, other = {NULL, 7, 0};
    const char *const names[] = {"twice", "y"};
    crd_shape shapes[2];
    assert_ok(ctx, crd_model_create(&model, ctx, conjugate, &d));
    assert_ok(ctx, crd_model_compile_predictive(model, &other, names, 2, shapes, &program));
    assert_true(crdi_shape_equal(shapes[0], crd_shape_0()) && crdi_shape_equal(shapes[1], crd_shape_1(7)));
    assert_int_equal(crd_program_input_size(program), 3);
    assert_int_equal(crd_program_output_size(program), 8);
    assert_ok(ctx, crd_exec_create(&exec, program));
    double first[8];
    crd_exec_input(exec)[2] = 40;
    run_with_key(exec, crd_key_make(1));
    memcpy(first, crd_exec_output(exec), sizeof first);
    assert_true(first[0] == 80);
    for (int i = 1; i < 8; i++)
        assert_true(fabs(first[i] - 40) < 3 && first[i] != first[i % 7 + 1]); /* six standard deviations */
    crd_exec_input(exec)[2] = 41;
    run_with_key(exec, crd_key_make(1));
    for (int i = 1; i < 8; i++) /* the same noise around the other mean */
        assert_close(crd_exec_output(exec)[i] - 41, first[i] - 40, 0, 1e-13);
    crd_exec_destroy(&exec);
    crd_program_destroy(&program);
    crd_model_destroy(&model);
    testing_context_destroy(&ctx);
}

/* A latent site as long as the data: predictions for other data cannot be made. */
static crd_node latent_rows(crd_trace *t, void *user)
{
    struct data *d = user;
    crd_plate plate = crd_plate_enter(t, "rows", d->n);
    crd_node m = crd_sample(t, "m", crd_normal(crd_num(0), crd_num(1)));
    BLAME(d), d->line--;
    crd_plate_leave(plate);
    return m;
}

static void predictions_need_latent_sites_of_the_same_shape(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_model *model;
    crd_program *program;
    struct data d = {NULL, 2, 0}, other = {NULL, 3, 0};
    const char *name = "m";
    crd_shape shape;
    char message[256];
    assert_ok(ctx, crd_model_create(&model, ctx, latent_rows, &d));
    assert_int_equal(crd_model_compile_predictive(model, &other, &name, 1, &shape, &program), CRD_ESHAPE);
    snprintf(message, sizeof message, "site m: its shape is (3,), that of the value given to it (2,) (test_model.c:%d)",
             other.line);
    assert_string_equal(crd_error_message(ctx), message);
    crd_model_destroy(&model);
    testing_context_destroy(&ctx);
}

/* Observed values whose parameters hang on a latent bound: outside the density is 0. */
static crd_node bounded_data(crd_trace *t, void *user)
{
    struct data *d = user;
    crd_node high = crd_sample(t, "high", crd_half_normal(crd_num(10)));
    return crd_observe(t, "y", crd_uniform(crd_num(0), high), d->y);
}

static void observed_values_beyond_a_latent_bound_are_impossible(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_model *model;
    double y_value = 3, u = log(2.9), value;
    crd_array y = crd_array_borrow(&y_value, crd_shape_0());
    struct data d = {&y, 0, 0};
    assert_ok(ctx, crd_model_create(&model, ctx, bounded_data, &d));
    assert_ok(ctx, crd_model_log_density(model, &u, &value, NULL));
    assert_true(value == -INFINITY);
    u = log(3.1);
    assert_ok(ctx, crd_model_log_density(model, &u, &value, NULL));
    assert_close(value, normal_log_prob(3.1, 0, 10) + log(2) - log(3.1) + u, 1e-13, 0);
    crd_model_destroy(&model);
    testing_context_destroy(&ctx);
}

/* A distribution of numbers alone in a plate: its log density does not depend on the value. */
static crd_node flat_plate(crd_trace *t, void *user)
{
    (void)user;
    crd_plate plate = crd_plate_enter(t, "rows", 3);
    crd_node w = crd_sample(t, "w", crd_uniform(crd_num(-1), crd_num(3)));
    crd_plate_leave(plate);
    return w;
}

static void a_density_without_the_value_counts_every_row(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_model *model;
    double u[3] = {0, 0, 0}, value;
    assert_ok(ctx, crd_model_create(&model, ctx, flat_plate, NULL));
    assert_ok(ctx, crd_model_log_density(model, u, &value, NULL));
    assert_close(value, 3 * 2 * log(0.5), 1e-14, 0);
    crd_model_destroy(&model);
    testing_context_destroy(&ctx);
}

/* ---- memory ------------------------------------------------------------------------------------------------- */

static crd_node everything(crd_trace *t, void *user)
{
    struct data *d = user;
    double logits[] = {0.1, 0.2, 0.3}, class_number = 1;
    crd_array array = vector(logits, 3), taken = crd_array_borrow(&class_number, crd_shape_0());
    crd_node s = constrained(t, NULL);
    crd_observe(t, "k", crd_categorical_logits(crd_mul(s, crd_data(t, "l", &array))), &taken);
    return conjugate(t, d);
}

static void no_memory_is_a_clean_error(void **state)
{
    (void)state;
    double values[] = {1, 2};
    crd_array y = vector(values, 2);
    struct data d = {&y, 2, 0};
    const char *const names[] = {"twice", "k"};
    int failures = 0;
    for (int64_t k = 1;; k++) {
        crd_context *ctx = testing_context();
        crd_model *model = NULL;
        crd_program *program = NULL;
        crd_shape shapes[2];
        testing_fail_allocation(k);
        crd_status status = crd_model_create(&model, ctx, everything, &d);
        assert_true((status == CRD_OK) == (model != NULL));
        if (status == CRD_OK)
            status = crd_model_compile_values(model, names, 1, shapes, &program);
        if (status == CRD_OK) {
            crd_program_destroy(&program);
            status = crd_model_compile_prior(model, names, 2, &program);
        }
        if (status == CRD_OK) {
            crd_program_destroy(&program);
            status = crd_model_compile_predictive(model, &d, names, 2, shapes, &program);
        }
        testing_fail_allocation(0);
        assert_true((status == CRD_OK) == (program != NULL));
        if (status != CRD_OK) {
            failures++;
            assert_int_equal(status, CRD_ENOMEM);
            assert_int_equal(crd_error_status(ctx), CRD_ENOMEM);
        }
        crd_program_destroy(&program);
        crd_model_destroy(&model);
        testing_context_destroy(&ctx); /* fails the test if anything is left */
        if (status == CRD_OK)
            break;
    }
    assert_true(failures > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_conjugate_model_is_its_closed_form),
        cmocka_unit_test(jacobians_are_part_of_the_density),
        cmocka_unit_test(values_are_those_of_the_sites),
        cmocka_unit_test(priors_are_drawn_with_the_data_forgotten),
        cmocka_unit_test(predictions_take_other_data),
        cmocka_unit_test(predictions_need_latent_sites_of_the_same_shape),
        cmocka_unit_test(observed_values_beyond_a_latent_bound_are_impossible),
        cmocka_unit_test(a_density_without_the_value_counts_every_row),
        cmocka_unit_test(no_memory_is_a_clean_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
