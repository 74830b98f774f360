/* test_options.c - one table of options: defaults, text to value, ranges, JSON, structs that C callers fill. */
#include "base/options.h"
#include "testing.h"

#include <math.h>
#include <string.h>

typedef struct example {
#define OPT CRDI_OPTION_FIELD
#include "options_example.def"
#undef OPT
} example;

static const crdi_option rows[] = {
#define OPT(...) CRDI_OPTION_ROW(example, __VA_ARGS__)
#include "options_example.def"
#undef OPT
};
static const crdi_option_table table = CRDI_OPTION_TABLE("example", example, rows);

/* A struct as a public header has it: written by hand, with an int. */
typedef struct by_hand {
    int chains;
    double step;
    const char *method;
    bool dense;
} by_hand;

static const crdi_option by_hand_rows[] = {
    CRDI_OPTION_ROW(by_hand, integer, chains, 4, 1, 10000, "chains", "")
        CRDI_OPTION_ROW(by_hand, real, step, 0.1, > 0, , "step", "")
            CRDI_OPTION_ROW(by_hand, choice, method, "nuts", "nuts|hmc", , "method", "")
                CRDI_OPTION_ROW(by_hand, flag, dense, false, , , "dense", "")};
static const crdi_option_table by_hand_table = CRDI_OPTION_TABLE("by_hand", by_hand, by_hand_rows);

static void expect_error(crd_context *ctx, crdi_options *o, const char *name, const char *text, crd_status status,
                         const char *message)
{
    crd_error_clear(ctx);
    assert_int_equal(crdi_options_set(o, name, text), status);
    assert_string_equal(crd_error_message(ctx), message);
    crd_error_clear(ctx);
}

static void a_row_is_a_field_with_its_default(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    example e;
    crdi_options o;
    assert_ok(ctx, crdi_options_init(&o, ctx, &table, &e));
    assert_true(e.chains == 4 && e.max_depth == 10 && e.seed == 0 && e.target_accept == 0.8 && e.scale == 1);
    assert_null(e.out);
    assert_string_equal(e.activation, "tanh");
    assert_string_equal(e.format, "text");
    assert_true(e.drop.count == 0 && !e.force);
    for (int i = 0; i < table.count; i++)
        assert_false(crdi_options_given(&o, table.option[i].name));
    crdi_options_clear(&o);
    testing_context_destroy(&ctx);
}

static void values_come_from_text_and_are_marked(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    example e;
    crdi_options o;
    assert_ok(ctx, crdi_options_init(&o, ctx, &table, &e));
    char text[] = "run.crd";
    assert_ok(ctx, crdi_options_set(&o, "max-depth", "7"));
    assert_ok(ctx, crdi_options_set(&o, "seed", "9223372036854775807"));
    assert_ok(ctx, crdi_options_set(&o, "target_accept", "0.95"));
    assert_ok(ctx, crdi_options_set(&o, "out", text));
    assert_ok(ctx, crdi_options_set(&o, "drop", "a"));
    assert_ok(ctx, crdi_options_set(&o, "drop", "b"));
    assert_ok(ctx, crdi_options_set(&o, "format", "json"));
    assert_ok(ctx, crdi_options_set(&o, "force", "true"));
    memset(text, 'x', sizeof text - 1);
    assert_true(e.max_depth == 7 && e.seed == INT64_MAX && e.target_accept == 0.95 && e.force);
    assert_string_equal(e.out, "run.crd");
    assert_int_equal(e.drop.count, 2);
    assert_string_equal(e.drop.item[0], "a");
    assert_string_equal(e.drop.item[1], "b");
    assert_string_equal(e.format, "json");
    assert_true(crdi_options_given(&o, "max-depth") && crdi_options_given(&o, "drop"));
    assert_false(crdi_options_given(&o, "chains"));
    crdi_options_clear(&o);
    testing_context_destroy(&ctx);
}

static void what_is_wrong_is_said_in_one_line(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    example e;
    crdi_options o;
    assert_ok(ctx, crdi_options_init(&o, ctx, &table, &e));
    expect_error(ctx, &o, "chains", "0", CRD_EINVAL, "option --chains: 0 is out of range, at least 1 is needed");
    expect_error(ctx, &o, "chains", "10001", CRD_EINVAL,
                 "option --chains: 10001 is out of range, at most 10000 is needed");
    expect_error(ctx, &o, "chains", "2.5", CRD_EINVAL, "option --chains: '2.5' is not a whole number");
    expect_error(ctx, &o, "target_accept", "0", CRD_EINVAL,
                 "option --target-accept: 0 is out of range, more than 0 is needed");
    expect_error(ctx, &o, "target_accept", "1", CRD_EINVAL,
                 "option --target-accept: 1 is out of range, less than 1 is needed");
    expect_error(ctx, &o, "target_accept", "nan", CRD_EINVAL, "option --target-accept: 'nan' is not a number");
    expect_error(ctx, &o, "scale", "", CRD_EINVAL, "option --scale: '' is not a number");
    expect_error(ctx, &o, "force", "perhaps", CRD_EINVAL, "option --force: 'perhaps' is neither yes nor no");
    expect_error(ctx, &o, "format", "jsn", CRD_ENAME, "unknown --format 'jsn'; did you mean 'json'?");
    expect_error(ctx, &o, "format", "text|csv", CRD_ENAME, "unknown --format 'text|csv'; there are: text, csv, json");
    expect_error(ctx, &o, "chans", "4", CRD_ENAME, "unknown option '--chans'; did you mean '--chains'?");
    assert_true(e.chains == 4 && e.target_accept == 0.8 && e.scale == 1 && !e.force);
    assert_string_equal(e.format, "text");
    assert_false(crdi_options_given(&o, "chains"));
    crdi_options_clear(&o);
    testing_context_destroy(&ctx);
}

static void json_says_every_value_and_is_read_back(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    example e, back;
    crdi_options o, again;
    assert_ok(ctx, crdi_options_init(&o, ctx, &table, &e));
    assert_ok(ctx, crdi_options_set(&o, "target_accept", "0.1"));
    assert_ok(ctx, crdi_options_set(&o, "scale", "inf"));
    assert_ok(ctx, crdi_options_set(&o, "out", "a \"b\"\\\n\t\xc3\xa9"));
    assert_ok(ctx, crdi_options_set(&o, "drop", "x, y"));
    assert_ok(ctx, crdi_options_set(&o, "drop", "z"));
    assert_ok(ctx, crdi_options_set(&o, "force", "yes"));
    crdi_string text;
    crdi_string_init(&text, ctx);
    crdi_options_json(&o, 1, &text);
    assert_int_equal(text.status, CRD_OK);
    json_error_t error;
    json_t *json = json_loads(crdi_string_text(&text), JSON_REJECT_DUPLICATES, &error);
    if (!json)
        fail_msg("%s in %s", error.text, crdi_string_text(&text));
    assert_int_equal(json_object_size(json), table.count);

    assert_ok(ctx, crdi_options_init(&again, ctx, &table, &back));
    const char *name;
    json_t *value;
    json_object_foreach(json, name, value)
    {
        char number[32];
        if (json_is_array(value)) {
            for (size_t i = 0; i < json_array_size(value); i++)
                assert_ok(ctx, crdi_options_set(&again, name, json_string_value(json_array_get(value, i))));
        } else if (json_is_boolean(value)) {
            assert_ok(ctx, crdi_options_set(&again, name, json_is_true(value) ? "true" : "false"));
        } else if (json_is_number(value)) {
            crdi_format_double(number, json_number_value(value));
            assert_ok(ctx, crdi_options_set(&again, name, number));
        } else if (json_is_string(value)) {
            assert_ok(ctx, crdi_options_set(&again, name, json_string_value(value)));
        }
    }
    assert_true(back.target_accept == 0.1 && isinf(back.scale) && back.force && back.chains == e.chains);
    assert_string_equal(back.out, e.out);
    assert_int_equal(back.drop.count, 2);
    assert_string_equal(back.drop.item[0], "x, y");
    json_decref(json);
    crdi_string_clear(&text);
    crdi_options_clear(&again);
    crdi_options_clear(&o);
    testing_context_destroy(&ctx);
}

static void two_tables_make_one_object(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    by_hand values[2];
    crdi_options sets[2];
    for (int i = 0; i < 2; i++)
        assert_ok(ctx, crdi_options_init(&sets[i], ctx, &by_hand_table, &values[i]));
    crdi_string text;
    crdi_string_init(&text, ctx);
    crdi_options_json(sets, 2, &text);
    assert_string_equal(crdi_string_text(&text),
                        "{\"chains\": 4, \"step\": 0.1, \"method\": \"nuts\", \"dense\": false, "
                        "\"chains\": 4, \"step\": 0.1, \"method\": \"nuts\", \"dense\": false}");
    crdi_string_clear(&text);
    for (int i = 0; i < 2; i++)
        crdi_options_clear(&sets[i]);
    testing_context_destroy(&ctx);
}

static void zero_means_the_default_in_a_struct_of_a_caller(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    by_hand options = {.step = 0.5};
    int64_t before = testing_allocations();
    assert_ok(ctx, crdi_options_complete(ctx, &by_hand_table, &options));
    assert_int_equal(testing_allocations(), before);
    assert_true(options.chains == 4 && options.step == 0.5 && !options.dense);
    assert_string_equal(options.method, "nuts");
    options.chains = -1;
    assert_int_equal(crdi_options_complete(ctx, &by_hand_table, &options), CRD_EINVAL);
    assert_string_equal(crd_error_message(ctx), "option --chains: -1 is out of range, at least 1 is needed");
    crd_error_clear(ctx);
    options = (by_hand){.method = "nutz"};
    assert_int_equal(crdi_options_complete(ctx, &by_hand_table, &options), CRD_ENAME);
    crd_error_clear(ctx);
    options = (by_hand){.step = NAN};
    assert_int_equal(crdi_options_complete(ctx, &by_hand_table, &options), CRD_EINVAL);
    crd_error_clear(ctx);

    crdi_options o;
    assert_ok(ctx, crdi_options_init(&o, ctx, &by_hand_table, &options));
    assert_ok(ctx, crdi_options_set(&o, "chains", "17"));
    assert_int_equal(options.chains, 17);
    assert_true(options.step == 0.1);
    crdi_options_clear(&o);
    testing_context_destroy(&ctx);
}

static void help_shows_default_and_range(void **state)
{
    (void)state;
    static const char *const expected[] = {
        "--chains N [4; 1 to 10000]",
        "--max-depth N [10; 1 to 30]",
        "--seed N [0]",
        "--target-accept X [0.8; above 0, below 1]",
        "--scale X [1; above 0]",
        "--out FILE ",
        "--activation TEXT [tanh]",
        "--drop COL [repeatable]",
        "--format text|csv|json [text]",
        "--force ",
    };
    crd_context *ctx = testing_context();
    assert_int_equal(CRDI_COUNT(expected), table.count);
    for (int i = 0; i < table.count; i++) {
        crdi_string text;
        crdi_string_init(&text, ctx);
        crdi_option_synopsis(&table.option[i], &text);
        crdi_string_append(&text, " ");
        crdi_option_notes(&table.option[i], &text);
        assert_string_equal(crdi_string_text(&text), expected[i]);
        crdi_string_clear(&text);
    }
    testing_context_destroy(&ctx);
}

static void running_out_of_memory_leaves_nothing_behind(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    bool finished = false;
    int k = 0;
    while (!finished) {
        example e;
        crdi_options o;
        testing_fail_allocation(++k);
        crd_status status = crdi_options_init(&o, ctx, &table, &e);
        if (status >= 0) {
            status = crdi_options_set(&o, "drop", "a");
            if (status >= 0)
                status = crdi_options_set(&o, "drop", "b");
            crdi_options_clear(&o);
        }
        finished = status >= 0;
        if (!finished)
            assert_int_equal(status, CRD_ENOMEM);
        crd_error_clear(ctx);
        assert_true(k < 100);
    }
    testing_fail_allocation(0);
    assert_true(k > 1);
    testing_context_destroy(&ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_is_a_field_with_its_default),
        cmocka_unit_test(values_come_from_text_and_are_marked),
        cmocka_unit_test(what_is_wrong_is_said_in_one_line),
        cmocka_unit_test(json_says_every_value_and_is_read_back),
        cmocka_unit_test(two_tables_make_one_object),
        cmocka_unit_test(zero_means_the_default_in_a_struct_of_a_caller),
        cmocka_unit_test(help_shows_default_and_range),
        cmocka_unit_test(running_out_of_memory_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
