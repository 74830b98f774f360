/* test_dist.c - distributions from text, and the checks of their parameters: every message in full. */
#include "dist/dist.h"
#include "testing.h"

#include <math.h>
#include <string.h>

static void good_texts_are_read(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_dist d;
    assert_ok(ctx, crd_dist_parse(ctx, "normal:0.5,2e-1", &d));
    assert_string_equal(d.type->name, "normal");
    assert_true(d.param[0].number == 0.5 && d.param[1].number == 0.2 && !d.param[0].graph && d.batch.ndim == 0);
    assert_ok(ctx, crd_dist_parse(ctx, "half_cauchy: 0.5 ", &d));
    assert_true(d.type == crd_dist_type_find("half_cauchy") && d.param[0].number == 0.5);
    assert_ok(ctx, crd_dist_parse(ctx, "student_t:3,-1,2", &d));
    assert_true(d.param[0].number == 3 && d.param[1].number == -1 && d.param[2].number == 2);
    assert_ok(ctx, crd_dist_parse(ctx, "bernoulli:1", &d));
    assert_ok(ctx, crd_dist_parse(ctx, "uniform:-1,1", &d));
    assert_string_equal(crd_error_message(ctx), "");
    testing_context_destroy(&ctx);
}

static void bad_texts_say_what_is_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        crd_status status;
        const char *message;
    } cases[] = {
        {"nromal:0,1", CRD_ENAME, "unknown distribution 'nromal'; did you mean 'normal'?"},
        {"halfcauchy:1", CRD_ENAME, "unknown distribution 'halfcauchy'; did you mean 'half_cauchy'?"},
        {"normal", CRD_EINVAL, "distribution 'normal': normal takes 2 numbers, as in 'normal:loc,scale'"},
        {"normal:", CRD_EINVAL, "distribution 'normal:': normal takes 2 numbers, as in 'normal:loc,scale'"},
        {"normal:1", CRD_EINVAL, "distribution 'normal:1': normal takes 2 numbers, as in 'normal:loc,scale'"},
        {"normal:0,1,", CRD_EINVAL, "distribution 'normal:0,1,': normal takes 2 numbers, as in 'normal:loc,scale'"},
        {"normal:0,1,2", CRD_EINVAL, "distribution 'normal:0,1,2': normal takes 2 numbers, as in 'normal:loc,scale'"},
        {"normal:0,x", CRD_EINVAL, "distribution 'normal:0,x': normal takes 2 numbers, as in 'normal:loc,scale'"},
        {"normal:,1", CRD_EINVAL, "distribution 'normal:,1': normal takes 2 numbers, as in 'normal:loc,scale'"},
        {"exponential:1;2", CRD_EINVAL,
         "distribution 'exponential:1;2': exponential takes 1 number, as in 'exponential:rate'"},
        {"normal:0,-1", CRD_EDOMAIN, "distribution 'normal:0,-1': scale of normal is -1, it must be positive"},
        {"normal:0,0", CRD_EDOMAIN, "distribution 'normal:0,0': scale of normal is 0, it must be positive"},
        {"normal:nan,1", CRD_EDOMAIN, "distribution 'normal:nan,1': loc of normal is nan, it must be finite"},
        {"normal:0,inf", CRD_EDOMAIN,
         "distribution 'normal:0,inf': scale of normal is inf, it must be positive and finite"},
        {"bernoulli:1.5", CRD_EDOMAIN,
         "distribution 'bernoulli:1.5': probs of bernoulli is 1.5, it must be from 0 to 1"},
        {"uniform:1,1", CRD_EDOMAIN,
         "distribution 'uniform:1,1': high of uniform is 1, it must be finite and larger than the parameter before it"},
        {"uniform:0,inf", CRD_EDOMAIN,
         "distribution 'uniform:0,inf': high of uniform is inf, it must be finite and larger than the parameter "
         "before it"},
        {"categorical:0.5", CRD_ESHAPE,
         "distribution 'categorical:0.5': probs of categorical is an array, which a text cannot give"},
    };
    for (int i = 0; i < CRDI_COUNT(cases); i++) {
        crd_context *ctx = testing_context();
        crd_dist d = {.param = {crd_num(17)}};
        assert_int_equal(crd_dist_parse(ctx, cases[i].text, &d), cases[i].status);
        assert_string_equal(crd_error_message(ctx), cases[i].message);
        assert_true(!d.type && d.param[0].number == 17); /* untouched */
        testing_context_destroy(&ctx);
    }
}

static void far_names_and_long_texts(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_dist d;
    char text[400];
    assert_int_equal(crd_dist_parse(ctx, "qqqqqqqq:1", &d), CRD_ENAME);
    assert_ptr_equal(strstr(crd_error_message(ctx), "unknown distribution 'qqqqqqqq'; there are: normal, half_normal,"),
                     crd_error_message(ctx));
    crd_error_clear(ctx);
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = 0;
    assert_int_equal(crd_dist_parse(ctx, text, &d), CRD_EINVAL);
    assert_string_equal(crd_error_message(ctx), "distribution 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...': too long");
    crd_error_clear(ctx);
    /* The longest text that is looked at, with a parameter that is wrong: the message holds all of it. */
    memset(text, ' ', 255);
    memcpy(text, "normal:0,", 9);
    strcpy(text + 253, "-1");
    assert_int_equal(crd_dist_parse(ctx, text, &d), CRD_EDOMAIN);
    assert_non_null(strstr(crd_error_message(ctx), "scale of normal is -1"));
    testing_context_destroy(&ctx);
}

static crd_node array_node(crd_graph *g, double *values, crd_shape shape)
{
    crd_array array = crd_array_borrow(values, shape);
    return crd_constant(g, &array);
}

static void expect(crd_context *ctx, crd_dist dist, crd_status status, const char *message)
{
    assert_int_equal(crd_dist_check(ctx, &dist, "site s"), status);
    assert_string_equal(crd_error_message(ctx), message);
    crd_error_clear(ctx);
}

static void known_parameters_are_checked(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_graph *g;
    assert_ok(ctx, crd_graph_create(&g, ctx));
    double scales[] = {1, 2, -3}, rows[] = {0.5, 0.5, 0.3, 0.6}, negative[] = {1.5, -0.5};
    double lows[] = {0, 1}, highs[] = {2, 1};
    crd_node free_node = crd_input(g, "z", crd_shape_0()), low = array_node(g, lows, crd_shape_1(2));
    expect(ctx, crd_normal(crd_num(0), array_node(g, scales, crd_shape_1(3))), CRD_EDOMAIN,
           "site s: scale of normal is -3, it must be positive");
    expect(ctx, crd_normal(crd_num(0), free_node), CRD_OK, "");
    expect(ctx, crd_categorical(array_node(g, rows, crd_shape_2(2, 2))), CRD_EDOMAIN,
           "site s: row 1 of probs of categorical must be from 0 to 1, with a sum of 1 along the last axis");
    expect(ctx, crd_categorical(array_node(g, negative, crd_shape_1(2))), CRD_EDOMAIN,
           "site s: probs of categorical is 1.5, it must be from 0 to 1, with a sum of 1 along the last axis");
    expect(ctx, crd_categorical(array_node(g, rows, crd_shape_1(2))), CRD_OK, "");
    expect(
        ctx, crd_categorical_logits(crd_num(0)), CRD_ESHAPE,
        "site s: logits of categorical_logits is a number, it must be an array with the classes along its last axis");
    expect(ctx, crd_uniform(low, array_node(g, highs, crd_shape_1(2))), CRD_EDOMAIN,
           "site s: high of uniform is 1, it must be finite and larger than the parameter before it");
    expect(ctx, crd_uniform(low, crd_num(0.5)), CRD_EDOMAIN,
           "site s: high of uniform is 0.5, it must be finite and larger than the parameter before it");
    expect(ctx, crd_uniform(low, crd_num(1.5)), CRD_OK, "");
    expect(ctx, crd_uniform(free_node, crd_num(-1)), CRD_OK, "");
    crd_graph_destroy(&g);
    testing_context_destroy(&ctx);
}

static void sets_hold_what_they_should(void **state)
{
    (void)state;
    static const double x[] = {-1, 0, 0.5, 1, 2, INFINITY, NAN};
    static const struct {
        crd_constraint kind;
        const char *holds; /* for each x, with low 0 and high 2 */
    } cases[] = {{CRD_REAL, "yyyyy--"},        {CRD_POSITIVE, "--yyy--"},    {CRD_UNIT_INTERVAL, "--y----"},
                 {CRD_INTERVAL, "-yyyy--"},    {CRD_BOOLEAN, "-y-y---"},     {CRD_CATEGORY, "-y-y---"},
                 {CRD_PROBABILITY, "-yyy---"}, {CRD_SIMPLEX, "-yyy---"},     {CRD_ABOVE, "--yyy--"},
                 {CRD_COUNT, "-y-yy--"},       {CRD_COUNT_UP_TO, "-y-yy--"}, {CRD_COUNTS, "-y-yy--"}};
    for (int i = 0; i < CRDI_COUNT(cases); i++)
        for (int k = 0; k < CRDI_COUNT(x); k++)
            if (crd_constraint_holds(cases[i].kind, x[k], 0, 2) != (cases[i].holds[k] == 'y'))
                fail_msg("%g: %s", x[k], crd_constraint_text(cases[i].kind));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_texts_are_read),        cmocka_unit_test(bad_texts_say_what_is_wrong),
        cmocka_unit_test(far_names_and_long_texts),   cmocka_unit_test(known_parameters_are_checked),
        cmocka_unit_test(sets_hold_what_they_should),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
