/* test_html.c - a page's texts stay texts, and its data say what the figure and the table hold. */
#include "report/figures.h"
#include "report/html.h"
#include "testing.h"

#include <math.h>
#include <string.h>

/* What others may write into a name. */
static const char *const hostile[] = {"</script><script>alert(1)</script>",
                                      "<!--",
                                      "a\"b",
                                      "it's",
                                      "&lt;",
                                      "back\\slash",
                                      "a\nb",
                                      "\x1b[31m",
                                      "\xff\xfe",
                                      ("\xe2\x80\xae"
                                       "abc"), /* apart, or the letters would be read as digits */
                                      "$",
                                      "\xe2\x80\xa8"};
/* The same as people should see them. */
static const char *const seen[] = {"</script><script>alert(1)</script>",
                                   "<!--",
                                   "a\"b",
                                   "it's",
                                   "&lt;",
                                   "back\\slash",
                                   "a\\nb",
                                   "\\x1b[31m",
                                   "\\xff\\xfe",
                                   "\\u202eabc",
                                   "$",
                                   "\\u2028"};

/* The inverse of crdi_html_text, for what browsers know. */
static void unescape(const char *html, char *out)
{
    static const char *const name[] = {"&lt;", "&gt;", "&amp;", "&quot;", "&#39;"};
    for (; *html; out++) {
        int k = 0;
        while (k < 5 && strncmp(html, name[k], strlen(name[k])) != 0)
            k++;
        *out = k < 5 ? "<>&\"'"[k] : *html;
        html += k < 5 ? strlen(name[k]) : 1;
    }
    *out = 0;
}

static void texts_stay_texts(void **state)
{
    crd_context *ctx = testing_context();
    (void)state;
    for (int i = 0; i < CRDI_COUNT(hostile); i++) {
        crdi_string html, json;
        char back[256];
        crdi_string_init(&html, ctx);
        crdi_string_init(&json, ctx);
        crdi_html_text(&html, hostile[i]);
        assert_null(strpbrk(crdi_string_text(&html), "<>\"'\n\x1b"));
        unescape(crdi_string_text(&html), back);
        assert_string_equal(back, seen[i]);
        crdi_html_json_text(&json, hostile[i]);
        assert_null(strpbrk(crdi_string_text(&json), "<>&\n\x1b"));
        json_t *read = json_loads(crdi_string_text(&json), JSON_DECODE_ANY, NULL);
        assert_non_null(read);
        assert_string_equal(json_string_value(read), seen[i]);
        json_decref(read);
        assert_int_equal(html.status, CRD_OK);
        assert_int_equal(json.status, CRD_OK);
        crdi_string_clear(&html);
        crdi_string_clear(&json);
    }
    testing_context_destroy(&ctx);
}

static void formats_escape_what_they_take(void **state)
{
    crd_context *ctx = testing_context();
    crdi_string out;
    (void)state;
    crdi_string_init(&out, ctx);
    crdi_html_add(&out, "<p title=\"$\">$</p>", "\"><b>", "$", NULL);
    assert_string_equal(crdi_string_text(&out), "<p title=\"&quot;&gt;&lt;b&gt;\">$</p>");
    crdi_string_clear(&out);
    testing_context_destroy(&ctx);
}

/* ---- numbers --------------------------------------------------------------------------------------------------- */

static json_t *numbers(crd_context *ctx, const double *values, int64_t count)
{
    crdi_string out;
    crdi_string_init(&out, ctx);
    crdi_html_json_numbers(&out, values, count);
    json_t *read = json_loads(crdi_string_text(&out), 0, NULL);
    assert_non_null(read);
    crdi_string_clear(&out);
    return read;
}

static void numbers_keep_a_ten_thousandth_of_their_range(void **state)
{
    crd_context *ctx = testing_context();
    /* far from zero; of all sizes; not numbers; equal; none */
    const double far[] = {1e9 + 0.123, 1e9 + 0.456, 1e9 + 0.001, 1e9 + 0.9}, sizes[] = {1e-12, -3.25, 2e-5, 0},
                 gaps[] = {1, NAN, INFINITY, 2.5, -INFINITY}, equal[] = {-2.5, -2.5};
    const struct {
        const double *values;
        int64_t count;
        double range;
    } cases[] = {{far, 4, 0.9}, {sizes, 4, 3.25}, {gaps, 5, 1.5}, {equal, 2, 1}, {far, 0, 1}};
    (void)state;
    for (int k = 0; k < CRDI_COUNT(cases); k++) {
        json_t *read = numbers(ctx, cases[k].values, cases[k].count);
        assert_int_equal(json_array_size(read), cases[k].count);
        for (int64_t i = 0; i < cases[k].count; i++) {
            const json_t *one = json_array_get(read, (size_t)i);
            if (isfinite(cases[k].values[i]))
                assert_close(json_number_value(one), cases[k].values[i], 0, 1e-4 * cases[k].range);
            else
                assert_true(json_is_null(one));
        }
        json_decref(read);
    }
    testing_context_destroy(&ctx);
}

static void even_steps_are_told_by_their_ends(void **state)
{
    crd_context *ctx = testing_context();
    double x[200];
    (void)state;
    for (int i = 0; i < 200; i++)
        x[i] = -1.5 + 3.0 * i / 199;
    json_t *read = numbers(ctx, x, 200);
    assert_int_equal(json_integer_value(json_object_get(read, "count")), 200);
    assert_close(json_number_value(json_object_get(read, "from")), -1.5, 1e-11, 0);
    assert_close(json_number_value(json_object_get(read, "from")) +
                     199 * json_number_value(json_object_get(read, "step")),
                 1.5, 1e-9, 0);
    json_decref(read);
    x[70] += 1e-6;
    read = numbers(ctx, x, 200);
    assert_int_equal(json_array_size(read), 200);
    json_decref(read);
    testing_context_destroy(&ctx);
}

static void numbers_have_points_in_every_locale(void **state)
{
    crd_context *ctx = testing_context();
    (void)state;
    if (!testing_decimal_comma(true)) {
        testing_context_destroy(&ctx);
        testing_skip("no locale with a decimal comma is installed\n");
    }
    json_t *read = numbers(ctx, (const double[]){0.5, 2.25, 7}, 3);
    testing_decimal_comma(false);
    assert_close(json_number_value(json_array_get(read, 1)), 2.25, 1e-12, 0);
    json_decref(read);
    testing_context_destroy(&ctx);
}

/* ---- what the page holds ------------------------------------------------------------------------------------------ */

/* The JSON between the page's tags, as a browser cuts it out: up to the first </script>. */
static json_t *data_of(const char *page)
{
    static const char begin[] = "<script type=\"application/json\" id=\"data\">";
    const char *from = strstr(page, begin);
    assert_non_null(from);
    from += strlen(begin);
    const char *to = strstr(from, "</script>");
    assert_non_null(to);
    json_t *read = json_loadb(from, (size_t)(to - from), 0, NULL);
    assert_non_null(read);
    return read;
}

static const json_t *layer_of(const json_t *data, int figure, int panel, int layer)
{
    const json_t *f = json_array_get(json_object_get(data, "figures"), (size_t)figure);
    const json_t *p = json_array_get(json_object_get(f, "panels"), (size_t)panel);
    return json_array_get(json_object_get(p, "layers"), (size_t)layer);
}

static void tables_and_figures_are_in_the_data(void **state)
{
    crd_context *ctx = testing_context();
    crdi_html html;
    crdi_string page;
    crdi_figure *figure;
    const double x[] = {0, 1, 3}, y[] = {2, NAN, 5}, high[] = {3, 4, 6}, value[] = {0.25, INFINITY, -7};
    (void)state;
    assert_ok(ctx, crdi_figure_create(&figure, ctx, 1, 1));
    crdi_panel *p = crdi_figure_panel(figure, 0, 0);
    crdi_panel_texts(figure, p, "</script>", "x", NULL);
    crdi_panel_add(
        figure, p,
        &(crdi_layer){
            .kind = CRDI_BAND, .role = CRDI_ROLE_MODEL, .label = "<b>", .count = 3, .x = x, .y = y, .high = high});
    crdi_html_init(&html, ctx);
    crdi_html_figure_add(&html, figure, "A <figure>", "how & why");
    const crdi_html_column columns[] = {{.name = "<i>", .text = hostile},
                                        {.name = "v", .value = value, .decimals = 2, .worst = '<'}};
    const char *const group[] = {"g&", "g&", "h"};
    crdi_html_table_add(&html,
                        &(crdi_html_table){.caption = "T", .columns = 2, .column = columns, .rows = 3, .group = group});
    crdi_html_table_add(&html, &(crdi_html_table){.caption = "empty", .columns = 2, .column = columns});
    crdi_string_init(&page, ctx);
    assert_ok(ctx, crdi_html_page(&html, "a<b", &page));
    const char *text = crdi_string_text(&page);
    assert_non_null(strstr(text, "<title>a&lt;b</title>"));
    assert_non_null(strstr(text, "<h3>A &lt;figure&gt;</h3><p>how &amp; why</p>"));
    json_t *data = data_of(text);
    const json_t *band = layer_of(data, 0, 0, 0);
    assert_string_equal(json_string_value(json_object_get(band, "kind")), "band");
    assert_string_equal(json_string_value(json_object_get(band, "role")), "model");
    assert_string_equal(json_string_value(json_object_get(band, "label")), "<b>");
    assert_true(json_is_null(json_array_get(json_object_get(band, "y"), 1)));
    assert_close(json_number_value(json_array_get(json_object_get(band, "high"), 2)), 6, 1e-12, 0);
    const json_t *tables = json_object_get(data, "tables"), *table = json_array_get(tables, 0);
    assert_int_equal(json_array_size(tables), 1);
    const json_t *first = json_array_get(json_object_get(table, "columns"), 0),
                 *second = json_array_get(json_object_get(table, "columns"), 1);
    assert_string_equal(json_string_value(json_array_get(json_object_get(first, "text"), 0)), hostile[0]);
    assert_true(json_is_null(json_array_get(json_object_get(second, "value"), 1)));
    assert_string_equal(json_string_value(json_object_get(second, "worst")), "least");
    const json_t *groups = json_object_get(table, "groups");
    assert_int_equal(json_array_size(groups), 2);
    assert_int_equal(json_integer_value(json_array_get(json_array_get(groups, 0), 1)), 2);
    json_decref(data);
    crdi_string_clear(&page);
    crdi_html_clear(&html);
    crdi_figure_destroy(&figure);
    testing_context_destroy(&ctx);
}

static void long_lines_keep_their_peaks(void **state)
{
    enum { MANY = 50000 };
    static double x[MANY], y[MANY];
    crd_context *ctx = testing_context();
    crdi_html html;
    crdi_string page;
    crdi_figure *figure;
    (void)state;
    for (int i = 0; i < MANY; i++) {
        x[i] = i + 0.1 * (i % 3);
        y[i] = sin(i);
    }
    y[12345] = 9;
    y[31234] = -9;
    assert_ok(ctx, crdi_figure_create(&figure, ctx, 1, 1));
    crdi_panel_add(figure, crdi_figure_panel(figure, 0, 0),
                   &(crdi_layer){.kind = CRDI_LINE, .count = MANY, .x = x, .y = y});
    crdi_panel_add(figure, crdi_figure_panel(figure, 0, 0),
                   &(crdi_layer){.kind = CRDI_POINTS, .count = MANY, .x = x, .y = y});
    crdi_html_init(&html, ctx);
    crdi_html_figure_add(&html, figure, "long", NULL);
    crdi_string_init(&page, ctx);
    assert_ok(ctx, crdi_html_page(&html, "t", &page));
    json_t *data = data_of(crdi_string_text(&page));
    for (int l = 0; l < 2; l++) {
        const json_t *layer = layer_of(data, 0, 0, l), *kept = json_object_get(layer, "y"),
                     *at = json_object_get(layer, "x");
        double least = 0, greatest = 0, before = -1;
        size_t i;
        const json_t *one;
        assert_in_range(json_array_size(kept), CRDI_HTML_POINTS / 2, CRDI_HTML_POINTS);
        assert_int_equal(json_array_size(at), json_array_size(kept));
        assert_int_equal(json_integer_value(json_object_get(layer, "of")), MANY);
        for (i = 0; i < json_array_size(kept); i++) {
            one = json_array_get(kept, i);
            least = fmin(least, json_number_value(one));
            greatest = fmax(greatest, json_number_value(one));
            assert_true(json_number_value(json_array_get(at, i)) > before);
            before = json_number_value(json_array_get(at, i));
        }
        if (l == 0) {
            assert_close(greatest, 9, 1e-9, 0);
            assert_close(least, -9, 1e-9, 0);
        }
    }
    assert_true(html.points_left_out >= 2 * (MANY - CRDI_HTML_POINTS));
    json_decref(data);
    crdi_string_clear(&page);
    crdi_html_clear(&html);
    crdi_figure_destroy(&figure);
    testing_context_destroy(&ctx);
}

/* That its hashes are right the browser tells: tests/interop/report.sh. */
static void the_policy_comes_first(void **state)
{
    crd_context *ctx = testing_context();
    crdi_html html;
    crdi_string page;
    (void)state;
    crdi_html_init(&html, ctx);
    crdi_string_init(&page, ctx);
    assert_ok(ctx, crdi_html_page(&html, "t", &page));
    const char *text = crdi_string_text(&page), *policy = strstr(text, "http-equiv=\"Content-Security-Policy\"");
    assert_non_null(policy);
    assert_true(policy < strstr(text, "<style>") && policy < strstr(text, "<script"));
    assert_non_null(strstr(policy, "default-src 'none'"));
    assert_null(strstr(policy, "unsafe"));
    assert_null(strstr(crdi_html_script, "</"));
    assert_null(strstr(crdi_html_script, "innerHTML"));
    assert_null(strstr(crdi_html_style, "</"));
    assert_null(strstr(crdi_html_style, "url("));
    assert_null(strstr(text, "href=\"http"));
    assert_null(strstr(text, "src=\"http"));
    crdi_string_clear(&page);
    crdi_html_clear(&html);
    testing_context_destroy(&ctx);
}

static crd_status small_page(crd_context *ctx)
{
    static const double value[] = {1, 2};
    static const char *const text[] = {"a", "b"};
    const crdi_html_column columns[] = {{.name = "n", .text = text}, {.name = "v", .value = value}};
    crdi_html html;
    crdi_string page;
    crdi_html_init(&html, ctx);
    crdi_string_init(&page, ctx);
    crdi_html_table_add(&html, &(crdi_html_table){.caption = "T", .columns = 2, .column = columns, .rows = 2});
    crdi_html_add(&html.body, "<p>$</p>", "x", NULL);
    crd_status status = crdi_html_page(&html, "t", &page);
    crdi_string_clear(&page);
    crdi_html_clear(&html);
    return status;
}

static void every_lack_of_memory_is_told(void **state)
{
    crd_context *ctx = testing_context();
    (void)state;
    int64_t before = testing_allocations();
    assert_ok(ctx, small_page(ctx));
    int64_t all = testing_allocations() - before;
    assert_in_range(all, 8, 1000);
    for (int64_t k = 1; k <= all; k++) {
        testing_fail_allocation(k);
        assert_int_equal(small_page(ctx), CRD_ENOMEM);
        testing_fail_allocation(0);
        crd_error_clear(ctx);
    }
    testing_context_destroy(&ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(texts_stay_texts),
                                       cmocka_unit_test(formats_escape_what_they_take),
                                       cmocka_unit_test(numbers_keep_a_ten_thousandth_of_their_range),
                                       cmocka_unit_test(even_steps_are_told_by_their_ends),
                                       cmocka_unit_test(numbers_have_points_in_every_locale),
                                       cmocka_unit_test(tables_and_figures_are_in_the_data),
                                       cmocka_unit_test(long_lines_keep_their_peaks),
                                       cmocka_unit_test(the_policy_comes_first),
                                       cmocka_unit_test(every_lack_of_memory_is_told)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
