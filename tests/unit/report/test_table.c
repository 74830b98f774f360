/* test_table.c - tables as text, CSV and JSON; the summary and its folding. */
#include "report/table.h"
#include "report/text.h"
#include "testing.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void assert_text(crdi_string *s, const char *expected)
{
    assert_int_equal(s->status, CRD_OK);
    assert_string_equal(crdi_string_text(s), expected);
    crdi_string_clear(s);
}

static void columns_align_whatever_the_script(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crdi_string s;
    crdi_string_init(&s, ctx);
    const char *const header[] = {"name", "n", "what"};
    const crdi_align align[] = {CRDI_RIGHT, CRDI_RIGHT, CRDI_LEFT};
    const char *const cell[] = {"gr\u00f6\u00dfe", "1",   "a", "\u6e29\u5ea6", "10", "bb",
                                "e\u0301",         "100", "",  "plain_name",   NULL, NULL};
    crdi_table table = {.columns = 3, .header = header, .align = align, .rows = 4, .cell = cell};
    assert_ok(ctx, crdi_table_text(&s, &table));
    assert_text(&s, "      name   n what\n"
                    "     gr\u00f6\u00dfe   1 a\n"
                    "      \u6e29\u5ea6  10 bb\n"
                    "         e\u0301 100\n"
                    "plain_name\n");
    assert_int_equal(crdi_text_width("\u6e29\u5ea6e\u0301x"), 6);
    assert_int_equal(crdi_text_fit("a\u6e29\u5ea6", 4), 4);
    testing_context_destroy(&ctx);
}

static void a_terminal_cannot_be_commanded(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crdi_string s;
    crdi_string_init(&s, ctx);
    crdi_text_printable(&s, "a\x1b[2J\r\nb\x7f\xc2\x9b"
                            "31m\xff\xc0\xaf\xed\xa0\x80\u202e\\ok \u00e9\t");
    assert_text(&s, "a\\x1b[2J\\x0d\\nb\\x7f\\u009b31m\\xff\\xc0\\xaf\\xed\\xa0\\x80\\u202e\\ok \u00e9\\t");
    const char *const cell[] = {"x\x1b]0;title\x07", "\n"};
    assert_ok(ctx, crdi_table_text(&s, &(crdi_table){.columns = 2, .rows = 1, .cell = cell}));
    assert_text(&s, "x\\x1b]0;title\\x07 \\n\n");
    crdi_summary_row row = {"\x1b", "\x1b,\"", 1, 1, 1, 1, 1, 1, 1};
    assert_ok(ctx, crdi_summary_csv(&s, &row, 1, 0.9));
    assert_text(&s, "name,mean,std,median,low,high,n_eff,r_hat,prob\n\"\\x1b,\"\"\",1,1,1,1,1,1,1,0.9\n");
    testing_context_destroy(&ctx);
}

static void a_summary_looks_like_numpyros(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crdi_string s;
    crdi_string_init(&s, ctx);
    const crdi_summary_row rows[] = {
        {"net.bias", "net.bias[0]", -0.7351, 0.8049, -0.7702, -2.0433, 0.5768, 2345.678, 1.0012},
        {"net.bias", "net.bias[1]", 12.3, 3.456, 12, 6, 18, 1234567.9, 1.5},
        {"s", "s", 0.0912, 0.01234, 0.0905, 0.0712, 0.1134, 812.3, 1},
        {"tiny", "tiny", 1e-9, 2.5e-10, 0, -3e-9, 1e-10, NAN, NAN},
        {"fixed", "fixed", 0.001, 0, 0.001, 0.001, 0.001, NAN, INFINITY},
    };
    assert_ok(ctx, crdi_summary_text(&s, rows, CRDI_COUNT(rows), 0.9, false));
    assert_text(&s, "                 mean       std    median      5.0%     95.0%     n_eff     r_hat\n"
                    "net.bias[0]     -0.74      0.80     -0.77     -2.04      0.58   2345.68      1.00\n"
                    "net.bias[1]     12.30      3.46     12.00      6.00     18.00  1.23e+06      1.50\n"
                    "          s    0.0912    0.0123    0.0905    0.0712    0.1134    812.30      1.00\n"
                    "       tiny  1.00e-09  2.50e-10      0.00 -3.00e-09  1.00e-10         -         -\n"
                    "      fixed  1.00e-03      0.00  1.00e-03  1.00e-03  1.00e-03         -       inf\n");
    assert_int_equal(crdi_summary_text(&s, rows, 1, 1, false), CRD_EINVAL);
    testing_context_destroy(&ctx);
}

static void numbers_keep_all_digits_in_csv_and_json(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crdi_string s;
    crdi_string_init(&s, ctx);
    const crdi_summary_row rows[] = {{"a\"b", "a\"b[0]", 1.0 / 3, 0.1, -1e-300, NAN, INFINITY, 100, 1.5},
                                     {"\xff\n", "\xff\n", 0, 0, 0, 0, 0, 0, 0}};
    assert_ok(ctx, crdi_summary_csv(&s, rows, 1, 0.95));
    assert_text(&s, "name,mean,std,median,low,high,n_eff,r_hat,prob\n"
                    "\"a\"\"b[0]\",0.3333333333333333,0.1,-1e-300,nan,inf,100,1.5,0.95\n");
    assert_ok(ctx, crdi_summary_json(&s, rows, 2, 0.95));
    assert_non_null(strstr(crdi_string_text(&s), "},\n{\"site\":")); /* a row a line */
    json_error_t error;
    json_t *json = json_loads(crdi_string_text(&s), 0, &error);
    assert_non_null(json);
    json_t *row = json_array_get(json_object_get(json, "rows"), 0),
           *other = json_array_get(json_object_get(json, "rows"), 1);
    assert_string_equal(json_string_value(json_object_get(row, "name")), "a\"b[0]");
    assert_true(json_number_value(json_object_get(row, "mean")) == 1.0 / 3);
    assert_true(json_is_null(json_object_get(row, "low")) && json_is_null(json_object_get(row, "high")));
    assert_string_equal(json_string_value(json_object_get(other, "site")), "\ufffd\n");
    json_decref(json);
    crdi_string_clear(&s);
    assert_ok(ctx, crdi_summary_json(&s, rows, 0, 0.5));
    assert_text(&s, "{\"prob\":0.5,\"rows\":[]}\n");
    testing_context_destroy(&ctx);
}

enum { MANY = 60 };

/* "bias" 0 to 3, "kernel" 0 to 54, "s": n_eff and r_hat are worst at kernel[40]. */
static void make_many(crdi_summary_row rows[MANY], char label[MANY][32])
{
    for (int i = 0; i < MANY; i++) {
        const char *site = i < 4 ? "bias" : i < MANY - 1 ? "kernel" : "s";
        snprintf(label[i], 32, i < MANY - 1 ? "%s[%d]" : "%s", site, i < 4 ? i : i - 4);
        rows[i] = (crdi_summary_row){site, label[i], i, 1, i, i - 2.0, i + 2.0, i == 44 ? 7 : 900, i == 44 ? 1.75 : 1};
    }
}

static void long_tables_fold_by_site(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crdi_string s;
    crdi_string_init(&s, ctx);
    crdi_summary_row rows[MANY];
    char label[MANY][32];
    make_many(rows, label);
    assert_ok(ctx, crdi_summary_text(&s, rows, MANY, 0.9, false));
    assert_text(&s, "                           mean       std    median      5.0%     95.0%     n_eff     r_hat\n"
                    "              bias[0]      0.00      1.00      0.00     -2.00      2.00    900.00      1.00\n"
                    "              bias[1]      1.00      1.00      1.00     -1.00      3.00    900.00      1.00\n"
                    "              bias[2]      2.00      1.00      2.00      0.00      4.00    900.00      1.00\n"
                    "              bias[3]      3.00      1.00      3.00      1.00      5.00    900.00      1.00\n"
                    "            kernel[0]      4.00      1.00      4.00      2.00      6.00    900.00      1.00\n"
                    "            kernel[1]      5.00      1.00      5.00      3.00      7.00    900.00      1.00\n"
                    "            kernel[2]      6.00      1.00      6.00      4.00      8.00    900.00      1.00\n"
                    "... 52 more of kernel                                    5.00     60.00      7.00      1.75\n"
                    "                    s     59.00      1.00     59.00     57.00     61.00    900.00      1.00\n"
                    "\n'... more' stands for rows not shown: lowest, highest, least n_eff, greatest r_hat; "
                    "--full shows all\n");
    rows[50].r_hat = NAN; /* what is not known is not good */
    assert_ok(ctx, crdi_summary_text(&s, rows, MANY, 0.9, false));
    assert_non_null(strstr(crdi_string_text(&s), "60.00      7.00         -\n"));
    crdi_string_clear(&s);
    assert_ok(ctx, crdi_summary_text(&s, rows, MANY, 0.9, true));
    assert_non_null(strstr(crdi_string_text(&s), "kernel[54]"));
    assert_null(strstr(crdi_string_text(&s), "more"));
    crdi_string_clear(&s);
    assert_ok(ctx, crdi_summary_text(&s, rows, CRDI_FOLD_FROM, 0.9, false));
    assert_null(strstr(crdi_string_text(&s), "more"));
    crdi_string_clear(&s);
    testing_context_destroy(&ctx);
}

static void tables_with_the_columns_of_arviz(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crdi_string s;
    crdi_string_init(&s, ctx);
    crdi_diagnostic_row rows[MANY];
    char label[MANY][32];
    for (int i = 0; i < MANY; i++) {
        snprintf(label[i], 32, "w[%d]", i);
        rows[i] = (crdi_diagnostic_row){"w", label[i], i, 1, i - 2.0, i + 2.0, 0.0123456, 0.2, 900.4, 850.6, 1};
    }
    rows[9].mcse_mean = 0.0234;
    rows[10].ess_bulk = 17;
    rows[11].ess_tail = 16;
    rows[12].r_hat = 1.0126;
    assert_ok(ctx, crdi_diagnostic_text(&s, rows, MANY, 0.94, false));
    assert_text(
        &s,
        "                      mean        sd    hdi_3%   hdi_97% mcse_mean   mcse_sd  ess_bulk  ess_tail     r_hat\n"
        "            w[0]      0.00      1.00     -2.00      2.00    0.0123      0.20       900       851     1.000\n"
        "            w[1]      1.00      1.00     -1.00      3.00    0.0123      0.20       900       851     1.000\n"
        "            w[2]      2.00      1.00      0.00      4.00    0.0123      0.20       900       851     1.000\n"
        "... 57 more of w                          1.00     61.00    0.0234      0.20        17        16     1.013\n"
        "\n'... more' stands for rows not shown: lowest, highest, least ess, greatest mcse, greatest r_hat; "
        "--full shows all\n");
    assert_ok(ctx, crdi_diagnostic_csv(&s, rows, 1, 0.94));
    assert_text(&s, "name,mean,sd,low,high,mcse_mean,mcse_sd,ess_bulk,ess_tail,r_hat,prob\n"
                    "w[0],0,1,-2,2,0.0123456,0.2,900.4,850.6,1,0.94\n");
    rows[0].ess_tail = NAN;
    crdi_json_writer w = {.out = &s};
    crdi_json_open(&w, NULL, '{');
    crdi_diagnostic_json_rows(&w, rows, 1);
    crdi_json_close(&w, '}');
    assert_text(&s, "{\"rows\":[\n{\"site\":\"w\",\"name\":\"w[0]\",\"mean\":0.0,\"sd\":1.0,\"low\":-2.0,\"high\":2.0,"
                    "\"mcse_mean\":0.0123456,\"mcse_sd\":0.2,\"ess_bulk\":900.4,\"ess_tail\":null,\"r_hat\":1.0}]}");
    assert_int_equal(crdi_diagnostic_text(&s, rows, 1, 0, false), CRD_EINVAL);
    crdi_string_clear(&s);
    testing_context_destroy(&ctx);
}

static void a_decimal_comma_does_no_harm(void **state)
{
    (void)state;
    if (!testing_decimal_comma(true))
        testing_skip("no locale with a decimal comma is installed\n");
    crd_context *ctx = testing_context();
    crdi_string s;
    crdi_string_init(&s, ctx);
    crdi_summary_row row = {"a", "a", 1.5, 1, 1, 1, 1, 1, 1};
    assert_ok(ctx, crdi_summary_csv(&s, &row, 1, 0.9));
    testing_decimal_comma(false);
    assert_text(&s, "name,mean,std,median,low,high,n_eff,r_hat,prob\na,1.5,1,1,1,1,1,1,0.9\n");
    testing_context_destroy(&ctx);
}

static void running_out_of_memory_is_said_and_leaks_nothing(void **state)
{
    (void)state;
    crdi_summary_row rows[MANY];
    char label[MANY][32];
    make_many(rows, label);
    for (int64_t k = 1;; k++) {
        crd_context *ctx = testing_context();
        crdi_string s;
        crdi_string_init(&s, ctx);
        testing_fail_allocation(k);
        crd_status text = crdi_summary_text(&s, rows, MANY, 0.9, false);
        crd_status json = crdi_summary_json(&s, rows, 2, 0.9), csv = crdi_summary_csv(&s, rows, 2, 0.9);
        testing_fail_allocation(0);
        crdi_string_clear(&s);
        bool failed = text < 0 || json < 0 || csv < 0;
        assert_int_equal(crd_error_status(ctx), failed ? CRD_ENOMEM : CRD_OK);
        testing_context_destroy(&ctx);
        if (!failed)
            break;
        assert_true(k < 1000);
    }
}

/* A message must not say "1.05, above 1.05". */
static void as_many_digits_as_tell_a_number_from_its_bound(void **state)
{
    (void)state;
    const struct {
        double value, bound;
        int digits;
    } cases[] = {{1.06, 1.05, 2},    {1.0549, 1.05, 3},   {1.0504, 1.05, 4}, {1.04999, 1.05, 5},
                 {0.668, 0.6667, 3}, {2.53, 0.6667, 2},   {1.05, 1.05, 2},   {-3, 0.3, 2},
                 {NAN, 1.05, 2},     {INFINITY, 1.05, 2}, {0.29996, 0.3, 5}};
    for (int i = 0; i < CRDI_COUNT(cases); i++) {
        char value[64], bound[64];
        int digits = crdi_text_digits(cases[i].value, cases[i].bound);
        assert_int_equal(digits, cases[i].digits);
        snprintf(value, sizeof value, "%.*f", digits, cases[i].value);
        snprintf(bound, sizeof bound, "%.*f", digits, cases[i].bound);
        if (cases[i].value != cases[i].bound)
            assert_string_not_equal(value, bound);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_align_whatever_the_script),
        cmocka_unit_test(as_many_digits_as_tell_a_number_from_its_bound),
        cmocka_unit_test(a_terminal_cannot_be_commanded),
        cmocka_unit_test(a_summary_looks_like_numpyros),
        cmocka_unit_test(numbers_keep_all_digits_in_csv_and_json),
        cmocka_unit_test(long_tables_fold_by_site),
        cmocka_unit_test(tables_with_the_columns_of_arviz),
        cmocka_unit_test(a_decimal_comma_does_no_harm),
        cmocka_unit_test(running_out_of_memory_is_said_and_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
