/* test_run_report.c - reports of runs that are written here: models of a program, whose names may hold anything. */
#include "report/run_report.h"
#include "report/run_summary.h"
#include "testing.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CHAINS = 3, DRAWS = 60, WIDE = 12 };

static char folder[64], path[96];

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "%s", "/tmp/credence-report-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/<r\"&'un.crd", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

/* ---- runs ------------------------------------------------------------------------------------------------------ */

static char hostile[] = "</script><b>", plain[] = "wide";

struct shape {
    int64_t draws[CHAINS]; /* of each chain */
    crd_status outcome;
    bool odd; /* the scalar is constant in one chain and not finite in another */
};

/* A scalar with a hostile name, and a vector of which element k has its chains k / 5 apart. */
static void write_run(crd_context *ctx, const struct shape *shape)
{
    const crd_column columns[] = {
        {.name = hostile, .kind = CRD_COLUMN_LATENT, .shape = {.ndim = 0}, .size = 1},
        {.name = plain, .kind = CRD_COLUMN_LATENT, .shape = {.ndim = 1, .dim = {WIDE}}, .size = WIDE},
    };
    static double scalar[DRAWS], wide[DRAWS * WIDE];
    uint64_t seed = 3;
    crdi_run *run;
    assert_ok(ctx, crdi_run_create(ctx, path, true, &run));
    assert_ok(ctx, crdi_run_set_text(run, "model", "a <i>model</i>"));
    assert_ok(ctx, crdi_run_set_text(run, "method", "nuts"));
    assert_ok(ctx, crdi_run_begin(run, columns, CRDI_COUNT(columns), CHAINS));
    for (int c = 0; c < CHAINS; c++) {
        for (int64_t i = 0; i < DRAWS; i++) {
            for (int k = 0; k <= WIDE; k++) {
                double sum = 0;
                for (int j = 0; j < 12; j++) {
                    seed = seed * 6364136223846793005u + 1442695040888963407u;
                    sum += (double)(seed >> 11) * 0x1p-53;
                }
                if (k < WIDE)
                    wide[i * WIDE + k] = sum - 6 + 0.2 * k * c;
                else
                    scalar[i] = shape->odd && c == 0 ? 2 : shape->odd && c == 1 && i == 5 ? INFINITY : sum;
            }
        }
        const double *values[] = {scalar, wide};
        crdi_sink sink = crdi_run_sink(run);
        if (shape->draws[c] > 0)
            assert_ok(ctx, sink.draws(sink.user, c, 0, shape->draws[c], values));
    }
    crdi_run_close(&run, shape->outcome);
}

static crdi_run_report *report(crd_context *ctx, const struct shape *shape, int64_t parameters)
{
    crdi_network_run *net;
    crdi_run_report *out;
    write_run(ctx, shape);
    assert_ok(ctx, crdi_network_run_open(ctx, path, &net));
    assert_ok(ctx, crdi_run_report_make(net, &(crdi_run_report_options){.prob = 0.9, .parameters = parameters}, &out));
    crdi_network_run_close(&net);
    return out;
}

static const char *page_of(const crdi_run_report *report)
{
    return crdi_string_text(&report->page);
}

/* The JSON of the page. */
static json_t *data_of(const crdi_run_report *report)
{
    static const char begin[] = "id=\"data\">";
    const char *from = strstr(page_of(report), begin);
    assert_non_null(from);
    from += strlen(begin);
    json_t *read = json_loadb(from, (size_t)(strstr(from, "</script>") - from), 0, NULL);
    assert_non_null(read);
    return read;
}

static const json_t *table_of(const json_t *data, const char *caption)
{
    size_t i;
    const json_t *table;
    json_array_foreach((json_t *)(uintptr_t)json_object_get(data, "tables"), i, table)
    {
        if (strcmp(json_string_value(json_object_get(table, "caption")), caption) == 0)
            return table;
    }
    return NULL;
}

static const json_t *column_of(const json_t *table, const char *name)
{
    const json_t *columns = json_object_get(table, "columns");
    for (size_t i = 0; i < json_array_size(columns); i++)
        if (strcmp(json_string_value(json_object_get(json_array_get(columns, i), "name")), name) == 0)
            return json_array_get(columns, i);
    return NULL;
}

/* ---- tests ------------------------------------------------------------------------------------------------------ */

static const struct shape whole = {.draws = {DRAWS, DRAWS, DRAWS}};

static void a_model_in_c_is_reported(void **state)
{
    crd_context *ctx = testing_context();
    crdi_run_report *r = report(ctx, &whole, 0);
    const char *page = page_of(r);
    (void)state;
    assert_non_null(strstr(page, "<h1>&lt;r&quot;&amp;&#39;un.crd</h1>"));
    assert_non_null(strstr(page, "<dd>a &lt;i&gt;model&lt;/i&gt;</dd>"));
    assert_null(strstr(page, "id=\"predictions\""));
    assert_null(strstr(page, "class=\"banner\"><strong>"));
    assert_non_null(r->sentence);
    const char *verdict = strstr(page, "id=\"verdict\""), *sentence = strstr(page, r->sentence);
    assert_true(verdict && sentence && verdict < sentence && sentence < strstr(page, "id=\"run\""));
    json_t *data = data_of(r);
    const json_t *table = table_of(data, "Summary of the parameters");
    assert_int_equal(json_integer_value(json_object_get(table, "rows")), 1 + WIDE);
    const json_t *names = json_object_get(column_of(table, "parameter"), "text");
    const json_t *r_hat = json_object_get(column_of(table, "r_hat"), "value");
    assert_string_equal(json_string_value(json_array_get(names, 0)), hostile);
    assert_string_equal(json_string_value(json_array_get(names, WIDE)), "wide[11]");
    assert_true(json_number_value(json_array_get(r_hat, 0)) < 1.1);
    assert_true(json_number_value(json_array_get(r_hat, WIDE)) > 2);
    assert_non_null(table_of(data, "Sites of the model"));
    assert_int_equal(json_integer_value(json_object_get(table_of(data, "Chains"), "rows")), CHAINS);
    json_decref(data);
    crdi_run_report_destroy(&r);
    testing_context_destroy(&ctx);
}

static void the_numbers_are_those_of_summary(void **state)
{
    crd_context *ctx = testing_context();
    crdi_run_report *r = report(ctx, &whole, 0);
    crdi_network_run *net;
    crdi_run_summary *s;
    (void)state;
    assert_ok(ctx, crdi_network_run_open(ctx, path, &net));
    assert_ok(ctx, crdi_run_diagnostics_make(net, NULL, 0.9, &s));
    json_t *data = data_of(r);
    const json_t *table = table_of(data, "Summary of the parameters");
    for (int64_t i = 0; i < s->count; i++) {
        const crdi_diagnostic_row *d = &s->diagnostic[i];
        const struct {
            const char *name;
            double value;
        } cells[] = {
            {"mean", d->mean},  {"sd", d->sd},          {"median", s->row[i].median}, {"90 % from", d->low},
            {"to", d->high},    {"mcse", d->mcse_mean}, {"ess bulk", d->ess_bulk},    {"ess tail", d->ess_tail},
            {"r_hat", d->r_hat}};
        for (int c = 0; c < CRDI_COUNT(cells); c++)
            assert_close(
                json_number_value(json_array_get(json_object_get(column_of(table, cells[c].name), "value"), (size_t)i)),
                cells[c].value, 1e-5, 0);
    }
    json_decref(data);
    crdi_run_summary_destroy(&s);
    crdi_network_run_close(&net);
    crdi_run_report_destroy(&r);
    testing_context_destroy(&ctx);
}

static void long_tables_keep_what_mixed_worst(void **state)
{
    crd_context *ctx = testing_context();
    crdi_run_report *r = report(ctx, &whole, 3);
    crdi_network_run *net;
    crdi_run_summary *s;
    json_t *data = data_of(r);
    (void)state;
    const json_t *table = table_of(data, "Summary of the parameters");
    const json_t *names = json_object_get(column_of(table, "parameter"), "text");
    assert_int_equal(json_array_size(names), 3);
    assert_ok(ctx, crdi_network_run_open(ctx, path, &net));
    assert_ok(ctx, crdi_run_diagnostics_make(net, NULL, 0.9, &s));
    for (int k = 0; k < 3; k++) { /* at most two rows are above each */
        int above = 0;
        for (int64_t i = 0; i < s->count; i++) {
            const char *name = json_string_value(json_array_get(names, (size_t)k));
            for (int64_t j = 0; strcmp(s->row[i].label, name) == 0 && j < s->count; j++)
                above += s->diagnostic[j].r_hat > s->diagnostic[i].r_hat;
        }
        assert_in_range(above, 0, 2);
    }
    crdi_run_summary_destroy(&s);
    crdi_network_run_close(&net);
    assert_non_null(strstr(page_of(r), "has the 3 with the largest r_hat, of 13"));
    json_decref(data);
    crdi_run_report_destroy(&r);
    testing_context_destroy(&ctx);
}

static void a_run_that_was_stopped_says_so(void **state)
{
    crd_context *ctx = testing_context();
    crdi_run_report *r = report(ctx, &(struct shape){.draws = {DRAWS, 40, 0}, .outcome = CRD_INTERRUPTED}, 0);
    (void)state;
    assert_non_null(strstr(page_of(r), "This run was stopped.</strong> 0 to 60 draws of each chain so far."));
    json_t *data = data_of(r);
    const json_t *chains = table_of(data, "Chains");
    assert_int_equal(json_integer_value(json_object_get(chains, "rows")), 2);
    const json_t *draws = json_object_get(column_of(chains, "draws"), "value");
    assert_int_equal(json_number_value(json_array_get(draws, 0)), DRAWS); /* all, of which the first 40 are shown */
    assert_int_equal(json_number_value(json_array_get(draws, 1)), 40);
    json_decref(data);
    crdi_run_report_destroy(&r);
    testing_context_destroy(&ctx);
}

static void a_run_without_draws_is_reported(void **state)
{
    crd_context *ctx = testing_context();
    crdi_run *run;
    crdi_network_run *net;
    crdi_run_report *r;
    const crd_column column = {.name = hostile, .kind = CRD_COLUMN_LATENT, .shape = {.ndim = 0}, .size = 1};
    (void)state;
    unlink(path);
    assert_ok(ctx, crdi_run_create(ctx, path, false, &run));
    assert_ok(ctx, crdi_run_begin(run, &column, 1, 2));
    assert_ok(ctx, crdi_network_run_open(ctx, path, &net)); /* while it is being written */
    assert_ok(ctx, crdi_run_report_make(net, &(crdi_run_report_options){.prob = 0.9}, &r));
    assert_null(r->sentence);
    assert_non_null(strstr(page_of(r), "<p class=\"status running\">running</p>"));
    assert_non_null(strstr(page_of(r), "There are no draws yet"));
    assert_non_null(strstr(page_of(r), "<strong>This run is still going.</strong>"));
    assert_null(strstr(page_of(r), "id=\"parameters\""));
    crdi_run_report_destroy(&r);
    crdi_network_run_close(&net);
    assert_ok(ctx, crdi_run_close(&run, CRD_OK));
    testing_context_destroy(&ctx);
}

/* Numbers that are none are null, and figures leave them out. */
static void odd_draws_do_no_harm(void **state)
{
    crd_context *ctx = testing_context();
    crdi_run_report *r = report(ctx, &(struct shape){.draws = {DRAWS, DRAWS, DRAWS}, .odd = true}, 0);
    json_t *data = data_of(r);
    (void)state;
    const json_t *table = table_of(data, "Summary of the parameters");
    assert_true(json_is_null(json_array_get(json_object_get(column_of(table, "mean"), "value"), 0)));
    assert_null(strstr(page_of(r), ":nan"));
    assert_null(strstr(page_of(r), ",inf"));
    json_decref(data);
    crdi_run_report_destroy(&r);
    testing_context_destroy(&ctx);
}

static void the_same_run_gives_the_same_page(void **state)
{
    crd_context *ctx = testing_context();
    crdi_run_report *a = report(ctx, &whole, 0);
    crdi_network_run *net;
    crdi_run_report *b;
    (void)state;
    assert_ok(ctx, crdi_network_run_open(ctx, path, &net));
    assert_ok(ctx, crdi_run_report_make(net, &(crdi_run_report_options){.prob = 0.9}, &b));
    assert_int_equal(a->page.length, b->page.length);
    assert_memory_equal(page_of(a), page_of(b), a->page.length);
    crdi_network_run_close(&net);
    crdi_run_report_destroy(&a);
    crdi_run_report_destroy(&b);
    testing_context_destroy(&ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_model_in_c_is_reported),          cmocka_unit_test(the_numbers_are_those_of_summary),
        cmocka_unit_test(long_tables_keep_what_mixed_worst), cmocka_unit_test(a_run_that_was_stopped_says_so),
        cmocka_unit_test(a_run_without_draws_is_reported),   cmocka_unit_test(odd_draws_do_no_harm),
        cmocka_unit_test(the_same_run_gives_the_same_page)};
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
