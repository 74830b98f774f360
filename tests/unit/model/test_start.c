/* test_start.c - programs that run a model forwards, points to start from, pictures of a trace. */
#include "dist/dist.h"
#include "testing.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct data {
    double y[6]; /* (2, 3) */
    bool without; /* no observations */
};

/* Observations in two plates, one of them subsampled in no trace; a mask; latent sites of three kinds. */
static crd_node model_of(crd_trace *t, void *user)
{
    struct data *d = user;
    double keep[] = {1, 1, 0};
    crd_array y = crd_array_borrow(d->y, crd_shape_2(2, 3)), mask = crd_array_borrow(keep, crd_shape_1(3));
    crd_mask_handler some;
    crd_scale_handler twice;
    crd_node rate = crd_sample(t, "rate", crd_exponential(crd_num(1)));
    crd_plate rows = crd_plate_enter(t, "rows", 2);
    crd_node m = crd_sample(t, "m", crd_normal(crd_num(3), crd_num(2)));
    crd_plate_leave(rows);
    crd_node p = crd_sample(t, "p", crd_uniform(crd_num(0), crd_add(crd_num(1), rate)));
    crd_node mean = crd_deterministic(t, "mean", crd_add(crd_reshape(m, crd_shape_2(2, 1)), p));
    rows = crd_plate_enter(t, "rows", 2);
    crd_plate columns = crd_plate_enter(t, "columns", 3);
    crd_mask_init(&some, crd_data(t, "mask", &mask));
    crd_scale_init(&twice, 2);
    crd_trace_push(t, &some.handler);
    crd_trace_push(t, &twice.handler);
    crd_observe(t, "y", crd_normal(mean, rate), d->without ? NULL : &y);
    crd_trace_pop(t, &twice.handler);
    crd_trace_pop(t, &some.handler);
    crd_plate_leave(columns);
    crd_plate_leave(rows);
    return mean;
}

static struct data example(void)
{
    return (struct data){{3, 2, 50, 1, -1, 2}, false};
}

static double normal_log_prob(double x, double loc, double scale)
{
    return -0.5 * (x - loc) * (x - loc) / (scale * scale) - log(scale) - CRDI_HALF_LOG_2PI;
}

/* ---- forwards ----------------------------------------------------------------------------------------------- */

static void log_likelihoods_are_those_of_each_observation(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    struct data d = example(), none = {.without = true};
    crd_model *model;
    crd_program *program;
    crd_exec *exec;
    crd_shape shape;
    const char *y = "y", *mean = "mean", *typo = "z";
    const double values[] = {3, 1, 0.5, 2}; /* m, p, rate */
    assert_ok(ctx, crd_model_create(&model, ctx, model_of, &d));
    assert_int_equal(crd_model_observed_count(model), 1);
    assert_string_equal(crd_model_observed(model, 0)->name, "y");
    assert_int_equal(crd_model_observed(model, 0)->size, 6);
    assert_ok(ctx, crd_model_compile_log_likelihood(model, &d, &y, 1, &shape, &program));
    assert_true(crdi_shape_equal(shape, crd_shape_2(2, 3)));
    assert_ok(ctx, crd_exec_create(&exec, program));
    memcpy(crd_exec_input(exec), values, sizeof values);
    crd_exec_run(exec);
    for (int r = 0; r < 2; r++)
        for (int c = 0; c < 3; c++)
            assert_close(crd_exec_output(exec)[r * 3 + c],
                         c == 2 ? 0 : normal_log_prob(d.y[r * 3 + c], values[r] + 0.5, 2), 1e-14, 0);
    crd_exec_destroy(&exec);
    crd_program_destroy(&program);
    assert_int_equal(crd_model_compile_log_likelihood(model, &d, &mean, 1, &shape, &program), CRD_ENAME);
    assert_string_equal(crd_error_message(ctx), "site mean is not observed");
    crd_error_clear(ctx);
    assert_int_equal(crd_model_compile_log_likelihood(model, &d, &typo, 1, &shape, &program), CRD_ENAME);
    crd_error_clear(ctx);
    assert_int_equal(crd_model_compile_log_likelihood(model, &none, &y, 1, &shape, &program), CRD_EINVAL);
    assert_non_null(strstr(crd_error_message(ctx), "site y: nothing gives it a value"));
    crd_model_destroy(&model);
    testing_context_destroy(&ctx);
}

static void observed_sites_in_plates_are_drawn_and_predicted(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    struct data d = example(), none = {.without = true};
    crd_model *model;
    crd_program *prior, *predictive;
    crd_exec *exec;
    crd_shape shape;
    const char *y = "y";
    assert_ok(ctx, crd_model_create(&model, ctx, model_of, &d));
    assert_ok(ctx, crd_model_compile_prior(model, &y, 1, &prior));
    assert_int_equal(crd_program_output_size(prior), 4 + 6);
    assert_ok(ctx, crd_exec_create(&exec, prior));
    crd_exec_input(exec)[0] = 3;
    crd_exec_run(exec);
    const double *out = crd_exec_output(exec);
    for (int i = 0; i < 6; i++) {
        assert_true(out[4 + i] != d.y[i]);
        assert_true(fabs(out[4 + i] - out[i / 3] - out[2]) < 6 * out[3]); /* six standard deviations */
    }
    crd_exec_destroy(&exec);
    assert_ok(ctx, crd_model_compile_predictive(model, &none, &y, 1, &shape, &predictive));
    assert_true(crdi_shape_equal(shape, crd_shape_2(2, 3)));
    const double input[] = {0, 3, 100, -100, 7, 0.5};
    assert_ok(ctx, crd_exec_create(&exec, predictive));
    memcpy(crd_exec_input(exec), input, sizeof input);
    crd_exec_run(exec);
    for (int i = 0; i < 6; i++)
        assert_close(crd_exec_output(exec)[i], i < 3 ? 107 : -93, 0, 3);
    crd_exec_destroy(&exec);
    crd_program_destroy(&prior);
    crd_program_destroy(&predictive);
    crd_model_destroy(&model);
    testing_context_destroy(&ctx);
}

/* ---- start points -------------------------------------------------------------------------------------------- */

static int by_size(const void *a, const void *b)
{
    double p = *(const double *)a, q = *(const double *)b;
    return (p > q) - (p < q);
}

static void start_points_are_what_they_are_called(void **state)
{
    (void)state;
    enum { MANY = 300 };
    crd_context *ctx = testing_context();
    struct data d = example();
    crd_model *model;
    double u[4], again[4], prior[MANY], median[MANY], mean = 0, spread[2] = {0, 0};
    assert_ok(ctx, crd_model_create(&model, ctx, model_of, &d));
    for (uint32_t i = 0; i < MANY; i++) {
        crd_key key = crd_key_fold_in(crd_key_make(2), i);
        assert_ok(ctx, crd_model_start(model, &(crd_start){.radius = 0.5}, key, u));
        for (int k = 0; k < 4; k++) {
            assert_true(fabs(u[k]) < 0.5);
            spread[0] = fmin(spread[0], u[k]);
            spread[1] = fmax(spread[1], u[k]);
        }
        if (i >= 60)
            continue; /* a program is compiled for each */
        assert_ok(ctx, crd_model_start(model, &(crd_start){.kind = CRD_START_PRIOR}, key, u));
        assert_ok(ctx, crd_model_start(model, &(crd_start){.kind = CRD_START_PRIOR}, key, again));
        assert_memory_equal(u, again, sizeof u);
        prior[i] = u[0];
        assert_ok(ctx, crd_model_start(model, &(crd_start){.kind = CRD_START_MEDIAN}, key, u));
        median[i] = u[0];
        mean += exp(u[3]) / 60;
    }
    assert_true(spread[0] < -0.49 && spread[1] > 0.49);
    qsort(prior, 60, sizeof *prior, by_size);
    qsort(median, 60, sizeof *median, by_size);
    /* m ~ N(3, 2): quartiles 1.35 sd apart; those of medians of 15 are 1.25 / sqrt(15) = 0.32 of that */
    assert_close((prior[15] + prior[45]) / 2, 3, 0, 1.2);
    assert_close((median[15] + median[45]) / 2, 3, 0, 0.4);
    assert_close(prior[45] - prior[15], 2.7, 0.4, 0);
    assert_close(median[45] - median[15], 2.7 * 0.32, 0.4, 0);
    assert_close(mean, log(2), 0.15, 0); /* the median of the rate */
    crd_model_destroy(&model);
    testing_context_destroy(&ctx);
}

static void given_points_are_taken(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    struct data d = example();
    crd_model *model;
    double values[] = {3, -1, 0.5, 2}, point[] = {1, 2, 3, 4}, u[4];
    crd_key key = crd_key_make(2);
    assert_ok(ctx, crd_model_create(&model, ctx, model_of, &d));
    crd_start value = {.kind = CRD_START_VALUE, .values = values}, fitted = {.kind = CRD_START_POINT, .values = point};
    assert_ok(ctx, crd_model_start(model, &value, key, u));
    assert_true(u[0] == 3 && u[1] == -1);
    assert_close(u[2], log((0.5 / 3) / (1 - 0.5 / 3)), 1e-14, 0);
    assert_close(u[3], log(2), 1e-15, 0);
    values[3] = NAN; /* drawn, and the bound of p with it */
    assert_ok(ctx, crd_model_start(model, &value, key, u));
    assert_true(u[0] == 3 && fabs(u[3]) < 2 && u[3] != log(2));
    assert_close((1 + exp(u[3])) / (1 + exp(-u[2])), 0.5, 1e-14, 0);
    values[3] = -2;
    assert_int_equal(crd_model_start(model, &value, key, u), CRD_EDOMAIN);
    assert_non_null(
        strstr(crd_error_message(ctx), "site rate: element 0 of its start value is -2, it must be positive"));
    crd_error_clear(ctx);
    assert_ok(ctx, crd_model_start(model, &fitted, key, u));
    assert_memory_equal(u, point, sizeof u);
    assert_int_equal(crd_model_start(model, &(crd_start){.kind = CRD_START_VALUE}, key, u), CRD_EINVAL);
    crd_model_destroy(&model);
    testing_context_destroy(&ctx);
}

static void chains_start_where_they_are_told(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    struct data d = example();
    crd_model *model;
    crd_posterior *posterior;
    double values[] = {3, -1, 0.5, 2}, infinite[] = {3, -1, 0.5, 1e-320};
    /* With a tiny step the first draw stays at the start point. */
    crd_nuts_options options = {.chains = 2, .warmup = -1, .draws = 1, .step_size = 1e-9, .max_depth = 1};
    options.start = "value";
    options.start_values = values;
    assert_ok(ctx, crd_model_create(&model, ctx, model_of, &d));
    assert_ok(ctx, crd_nuts_run(model, &options, crd_key_make(1), &posterior));
    for (int c = 0; c < 2; c++) {
        assert_close(crd_posterior_find(posterior, "m")->draws[2 * c + 1], -1, 1e-6, 0);
        assert_close(crd_posterior_find(posterior, "rate")->draws[c], 2, 1e-6, 0);
    }
    crd_posterior_destroy(&posterior);
    const char *const others[] = {"prior", "median"};
    for (int i = 0; i < 2; i++) {
        options.start = others[i];
        assert_ok(ctx, crd_nuts_run(model, &options, crd_key_make(1), &posterior));
        const double *m = crd_posterior_find(posterior, "m")->draws;
        assert_true(m[0] != m[2] && fabs(m[0] - 3) < 8);
        crd_posterior_destroy(&posterior);
    }
    options.start = "value";
    options.start_values = infinite;
    assert_int_equal(crd_nuts_run(model, &options, crd_key_make(1), &posterior), CRD_ESTART);
    assert_non_null(strstr(crd_error_message(ctx), "is not finite at the given start point"));
    crd_error_clear(ctx);
    options.start_values = NULL;
    assert_int_equal(crd_nuts_run(model, &options, crd_key_make(1), &posterior), CRD_EINVAL);
    crd_error_clear(ctx);
    options.start = "middle";
    assert_int_equal(crd_nuts_run(model, &options, crd_key_make(1), &posterior), CRD_ENAME);
    crd_model_destroy(&model);
    testing_context_destroy(&ctx);
}

/* ---- pictures ------------------------------------------------------------------------------------------------ */

struct text {
    char line[4096];
};

static void add_line(void *user, const char *line)
{
    struct text *text = user;
    strncat(text->line, line, sizeof text->line - strlen(text->line) - 2);
    strcat(text->line, "\n");
}

static void traces_are_printed_and_drawn(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    struct data d = example();
    crd_trace *t;
    crd_handler inputs;
    struct text shapes = {""}, dot = {""};
    crd_input_init(&inputs);
    assert_ok(ctx, crd_trace_create(&t, ctx));
    crd_trace_push(t, &inputs);
    assert_ok(ctx, crd_trace_run(t, model_of, &d));
    crd_trace_print_shapes(t, add_line, &shapes);
    assert_string_equal(shapes.line,
                        "plate rows: 2 rows\n"
                        "plate columns: 3 rows\n"
                        "site  kind           distribution  batch   event  support             plates\n"
                        "rate  sample         exponential   ()      ()     positive\n"
                        "m     sample         normal        (2,)    ()     finite              rows\n"
                        "p     sample         uniform       ()      ()     between its bounds\n"
                        "mean  deterministic                (2, 1)\n"
                        "y     observed       normal        (2, 3)  ()     finite              rows columns\n");
    assert_ok(ctx, crd_trace_print_dot(t, add_line, &dot));
    assert_string_equal(dot.line, "digraph model {\n"
                                  "    \"rate\";\n"
                                  "    subgraph cluster_0 {\n"
                                  "        label=\"rows\"; labeljust=r; labelloc=b;\n"
                                  "        \"m\";\n"
                                  "        subgraph cluster_1 {\n"
                                  "            label=\"columns\"; labeljust=r; labelloc=b;\n"
                                  "            \"y\" [style=filled, fillcolor=gray];\n"
                                  "        }\n"
                                  "    }\n"
                                  "    \"p\";\n"
                                  "    \"mean\" [style=dashed];\n"
                                  "    \"rate\" -> \"p\";\n"
                                  "    \"m\" -> \"mean\";\n"
                                  "    \"p\" -> \"mean\";\n"
                                  "    \"mean\" -> \"y\";\n"
                                  "    \"rate\" -> \"y\";\n"
                                  "}\n");
    crd_trace_destroy(&t);
    testing_context_destroy(&ctx);
}

/* ---- memory -------------------------------------------------------------------------------------------------- */

static crd_status everything(crd_context *ctx, struct data *d, crd_model **model, crd_program **program, double *u)
{
    const char *y = "y";
    crd_shape shape;
    struct text text = {""};
    crd_trace *t;
    crd_handler inputs;
    CRD_TRY(crd_model_create(model, ctx, model_of, d));
    CRD_TRY(crd_model_start(*model, &(crd_start){.kind = CRD_START_MEDIAN}, crd_key_make(1), u));
    CRD_TRY(
        crd_model_start(*model, &(crd_start){.kind = CRD_START_POINT, .values = (double[4]){0}}, crd_key_make(1), u));
    CRD_TRY(crd_model_compile_unconstrained(*model, program));
    crd_program_destroy(program);
    CRD_TRY(crd_model_compile_log_likelihood(*model, d, &y, 1, &shape, program));
    CRD_TRY(crd_trace_create(&t, ctx));
    crd_input_init(&inputs);
    crd_trace_push(t, &inputs);
    crd_status status = crd_trace_run(t, model_of, d);
    if (status == CRD_OK)
        status = crd_trace_print_dot(t, add_line, &text);
    crd_trace_destroy(&t);
    return status;
}

static void no_memory_is_a_clean_error(void **state)
{
    (void)state;
    struct data d = example();
    int failures = 0;
    for (int64_t k = 1;; k += 1 + k / 40) {
        crd_context *ctx = testing_context();
        crd_model *model = NULL;
        crd_program *program = NULL;
        double u[4];
        testing_fail_allocation(k);
        crd_status status = everything(ctx, &d, &model, &program, u);
        testing_fail_allocation(0);
        if (status != CRD_OK) {
            failures++;
            assert_int_equal(status, CRD_ENOMEM);
            assert_int_equal(crd_error_status(ctx), CRD_ENOMEM);
        }
        crd_program_destroy(&program);
        crd_model_destroy(&model);
        testing_context_destroy(&ctx);
        if (status == CRD_OK)
            break;
    }
    assert_true(failures > 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(log_likelihoods_are_those_of_each_observation),
        cmocka_unit_test(observed_sites_in_plates_are_drawn_and_predicted),
        cmocka_unit_test(start_points_are_what_they_are_called),
        cmocka_unit_test(given_points_are_taken),
        cmocka_unit_test(chains_start_where_they_are_told),
        cmocka_unit_test(traces_are_printed_and_drawn),
        cmocka_unit_test(no_memory_is_a_clean_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
