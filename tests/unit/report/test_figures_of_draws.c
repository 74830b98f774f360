/* test_figures_of_draws.c - what the figures of draws, checks, leave-one-out and networks hold. */
#include "report/check_panels.h"
#include "report/series.h"
#include "testing.h"

#include <credence/diag.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CHAINS = 2, DRAWS = 300, TOTAL = CHAINS * DRAWS };

static double a[TOTAL], b[TOTAL], diverging[TOTAL], energy[TOTAL];

/* Draws without noise: `a` is a saw, `b` another, chain 1 of `b` is higher. */
static crdi_figure_source make_source(crdi_named series[2])
{
    for (int i = 0; i < TOTAL; i++) {
        a[i] = (i * 37 % 101) / 101.;
        b[i] = (i * 53 % 97) / 97. + (i >= DRAWS ? 3 : 0);
        diverging[i] = i % 100 == 7;
        energy[i] = 5 + sin(0.3 * i);
    }
    series[0] = (crdi_named){"a", a};
    series[1] = (crdi_named){"b", b};
    return (crdi_figure_source){.chains = CHAINS,
                                .draws = DRAWS,
                                .series_count = 2,
                                .series = series,
                                .diverging = diverging,
                                .energy = energy};
}

static const crdi_layer *layer_of(const crdi_panel *p, crdi_layer_kind kind, int number)
{
    for (int64_t i = 0; i < p->layer_count; i++)
        if (p->layer[i].kind == kind && number-- == 0)
            return &p->layer[i];
    return NULL;
}

static int count_layers(const crdi_panel *p, crdi_layer_kind kind)
{
    int count = 0;
    for (int64_t i = 0; i < p->layer_count; i++)
        count += p->layer[i].kind == kind;
    return count;
}

/* ---- ranks --------------------------------------------------------------------------------------------------------- */

static void ranks_are_counted_with_ties_in_the_middle(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    double x[12] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}; /* chain 0 below, chain 1 above */
    int64_t counts[2 * 4];
    assert_ok(ctx, crdi_rank_counts(ctx, x, 2, 6, 4, counts));
    static const int64_t apart[] = {3, 3, 0, 0, 0, 0, 3, 3};
    assert_memory_equal(counts, apart, sizeof apart);
    for (int i = 0; i < 12; i++)
        x[i] = i % 6 < 3 ? 1 : 2;
    assert_ok(ctx, crdi_rank_counts(ctx, x, 2, 6, 4, counts)); /* mean ranks 2.5 and 8.5 of 12 */
    static const int64_t tied[] = {3, 0, 3, 0, 3, 0, 3, 0};
    assert_memory_equal(counts, tied, sizeof tied);
    assert_int_equal(crdi_rank_bins(10), 5);
    assert_int_equal(crdi_rank_bins(300), 10);
    assert_int_equal(crdi_rank_bins(100000), 20);
    testing_context_destroy(&ctx);
}

static void rank_bars_are_as_high_as_their_counts(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crdi_named series[2];
    crdi_figure_source source = make_source(series);
    crdi_figure *f;
    int64_t counts[CHAINS * 10];
    assert_ok(ctx, crdi_figure_rank(&f, ctx, &source));
    assert_int_equal(f->rows, 2);
    assert_ok(ctx, crdi_rank_counts(ctx, b, CHAINS, DRAWS, 10, counts));
    const crdi_panel *p = crdi_figure_panel(f, 1, 0);
    assert_int_equal(count_layers(p, CRDI_BAND), CHAINS);
    assert_int_equal(count_layers(p, CRDI_LINE), 2 * CHAINS);
    for (int c = 0; c < CHAINS; c++)
        for (int k = 0; k < 10; k++) {
            const crdi_layer *bars = layer_of(p, CRDI_BAND, c);
            double height = bars->high[2 * k] - bars->y[2 * k];
            assert_close(height, fmin(0.95, 0.4 * (double)counts[c * 10 + k] / (DRAWS / 10.)), 1e-12, 1e-12);
            assert_close(bars->y[2 * k], c, 0, 0);
        }
    assert_int_equal(p->y_name_count, CHAINS);
    assert_string_equal(p->y_name[1], "chain 1");
    crdi_figure_destroy(&f);
    source.ranks = true;
    assert_ok(ctx, crdi_figure_trace(&f, ctx, &source));
    assert_int_equal(f->columns, 3);
    assert_int_equal(count_layers(crdi_figure_panel(f, 0, 2), CRDI_BAND), CHAINS);
    crdi_figure_destroy(&f);
    source.chains = 1; /* nothing to compare with */
    assert_ok(ctx, crdi_figure_trace(&f, ctx, &source));
    assert_int_equal(f->columns, 2);
    crdi_figure_destroy(&f);
    testing_context_destroy(&ctx);
}

/* ---- autocorrelation, energy ------------------------------------------------------------------------------------------ */

static void autocorrelations_are_those_of_the_chain(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crdi_named series[2];
    crdi_figure_source source = make_source(series);
    crdi_figure *f;
    double expected[DRAWS];
    assert_ok(ctx, crdi_figure_autocorrelation(&f, ctx, &source));
    const crdi_panel *p = crdi_figure_panel(f, 0, 1);
    assert_string_equal(p->title, "b");
    for (int c = 0; c < CHAINS; c++) {
        const crdi_layer *line = layer_of(p, CRDI_LINE, c);
        assert_ok(ctx, crd_diag_autocorrelation(ctx, b + c * DRAWS, DRAWS, expected));
        assert_int_equal(line->count, 101);
        assert_int_equal(line->shade, c);
        for (int k = 0; k <= 100; k++)
            assert_true(line->x[k] == k && line->y[k] == expected[k]);
    }
    assert_close(layer_of(p, CRDI_BAND, 0)->high[0], 1.959964 / sqrt(DRAWS), 1e-9, 0);
    crdi_figure_destroy(&f);
    testing_context_destroy(&ctx);
}

static void energies_and_steps_have_densities(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crdi_named series[2];
    crdi_figure_source source = make_source(series);
    crdi_figure *f;
    char title[64];
    assert_ok(ctx, crdi_figure_energy(&f, ctx, &source));
    assert_int_equal(f->columns, CHAINS);
    const crdi_panel *p = crdi_figure_panel(f, 0, 1);
    snprintf(title, sizeof title, "chain 1: E-BFMI %.2f", crd_diag_ebfmi(energy + DRAWS, DRAWS));
    assert_string_equal(p->title, title);
    for (int k = 0; k < 2; k++) {
        const crdi_layer *l = layer_of(p, k ? CRDI_LINE : CRDI_AREA, 0);
        double sum = 0, mean = 0;
        for (int64_t i = 1; i < l->count; i++) {
            double part = (l->x[i] - l->x[i - 1]) * (l->y[i] + l->y[i - 1]) / 2;
            sum += part;
            mean += part * (l->x[i] + l->x[i - 1]) / 2;
        }
        assert_close(sum, 1, 0.02, 0);
        assert_close(mean, 0, 0, 0.05);
    }
    crdi_figure_destroy(&f);
    for (int i = 0; i < DRAWS; i++)
        energy[i] = 2;
    assert_ok(ctx, crdi_figure_energy(&f, ctx, &source));
    assert_non_null(layer_of(crdi_figure_panel(f, 0, 0), CRDI_NOTE, 0));
    crdi_figure_destroy(&f);
    testing_context_destroy(&ctx);
}

/* ---- pairs, forest ------------------------------------------------------------------------------------------------------ */

static void pairs_show_what_diverged_on_top(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crdi_named series[2];
    crdi_figure_source source = make_source(series);
    crdi_figure *f;
    assert_ok(ctx, crdi_figure_pairs(&f, ctx, &source));
    assert_int_equal(f->rows, 2);
    assert_int_equal(crdi_figure_panel(f, 0, 1)->layer_count, 0); /* above the diagonal */
    const crdi_panel *p = crdi_figure_panel(f, 1, 0);
    const crdi_layer *plain = layer_of(p, CRDI_POINTS, 0), *apart = layer_of(p, CRDI_POINTS, 1);
    assert_int_equal(plain->count, TOTAL - 6);
    assert_int_equal(apart->count, 6);
    assert_int_equal(apart->role, CRDI_ROLE_ACCENT);
    for (int i = 0; i < 6; i++)
        assert_true(apart->x[i] == a[100 * i + 7] && apart->y[i] == b[100 * i + 7]);
    assert_int_equal(count_layers(crdi_figure_panel(f, 0, 0), CRDI_AREA), 1);
    crdi_figure_destroy(&f);
    source.diverging = NULL;
    assert_ok(ctx, crdi_figure_pairs(&f, ctx, &source));
    assert_int_equal(layer_of(crdi_figure_panel(f, 1, 0), CRDI_POINTS, 0)->count, TOTAL);
    crdi_figure_destroy(&f);
    source.series_count = 1;
    assert_int_equal(crdi_figure_pairs(&f, ctx, &source), CRD_EMISSING);
    crd_error_clear(ctx);
    testing_context_destroy(&ctx);
}

static void a_forest_has_quantiles_and_r_hat(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crdi_named series[2];
    crdi_figure_source source = make_source(series);
    crdi_figure *f;
    static const double prob[] = {0.03, 0.25, 0.5, 0.75, 0.97};
    double q[5], r_hat, median;
    assert_ok(ctx, crdi_figure_forest(&f, ctx, &source));
    const crdi_panel *p = crdi_figure_panel(f, 0, 0), *beside = crdi_figure_panel(f, 0, 1);
    assert_string_equal(p->y_name[1], "a"); /* the first on top */
    assert_string_equal(p->y_name[0], "b");
    assert_ok(ctx, crd_diag_quantile(ctx, b, TOTAL, prob, 5, q));
    const crdi_layer *wide = layer_of(p, CRDI_LINE, 0), *narrow = layer_of(p, CRDI_LINE, 1);
    assert_true(wide->x[3] == q[0] && wide->x[4] == q[4] && isnan(wide->x[5]) && wide->y[3] == 0);
    assert_true(narrow->x[3] == q[1] && narrow->x[4] == q[3] && narrow->size > wide->size);
    assert_true(layer_of(p, CRDI_POINTS, 0)->x[1] == q[2]);
    assert_ok(ctx, crd_diag_median(ctx, b + DRAWS, DRAWS, &median));
    assert_true(layer_of(p, CRDI_POINTS, 1)->x[CHAINS + 1] == median);
    assert_ok(ctx, crd_diag_r_hat_rank(ctx, b, CHAINS, DRAWS, &r_hat));
    assert_true(layer_of(beside, CRDI_POINTS, 0)->x[1] == r_hat && r_hat > 1.5);
    crdi_figure_destroy(&f);
    source.independent = true; /* draws of a fit: r_hat says nothing */
    assert_ok(ctx, crdi_figure_forest(&f, ctx, &source));
    assert_int_equal(f->rows * f->columns, 1);
    assert_true(layer_of(crdi_figure_panel(f, 0, 0), CRDI_LINE, 0)->x[3] == q[0]);
    crdi_figure_destroy(&f);
    testing_context_destroy(&ctx);
}

/* ---- leave-one-out ------------------------------------------------------------------------------------------------------ */

static void rows_with_a_large_k_are_apart_and_named(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    double k[20];
    crdi_figure *f;
    for (int i = 0; i < 20; i++)
        k[i] = 0.02 * i;
    k[4] = 1.2;
    k[9] = 0.75;
    k[13] = NAN;
    assert_ok(ctx, crdi_figure_k_hat(&f, ctx, &(crdi_figure_source){.rows = 20, .k_hat = k, .good_k = 0.7}));
    const crdi_panel *p = f->panel;
    assert_int_equal(layer_of(p, CRDI_POINTS, 0)->count, 17);
    const crdi_layer *bad = layer_of(p, CRDI_POINTS, 1);
    assert_true(bad->count == 2 && bad->x[0] == 4 && bad->y[0] == 1.2 && bad->x[1] == 9);
    assert_int_equal(count_layers(p, CRDI_TEXT), 2);
    assert_string_equal(layer_of(p, CRDI_TEXT, 1)->label, " 9");
    assert_true(layer_of(p, CRDI_RULE_Y, 0)->y[0] == 0.7);
    assert_string_equal(f->footnote, "3 of 20 rows above 0.70; 1 of them have no finite k and are not drawn.");
    crdi_figure_destroy(&f);
    testing_context_destroy(&ctx);
}

/* ---- predictive checks ---------------------------------------------------------------------------------------------------- */

static void checks_of_numbers(void **state)
{
    enum { ROWS = 50, REPLICATIONS = 60 };
    (void)state;
    crd_context *ctx = testing_context();
    static double observed[ROWS], replicated[REPLICATIONS * ROWS];
    crdi_figure *f;
    double bars = 0;
    for (int i = 0; i < ROWS; i++)
        observed[i] = i / 10.;
    for (int k = 0; k < REPLICATIONS; k++)
        for (int i = 0; i < ROWS; i++) /* means: a quarter of them above the data's; sds twice as large */
            replicated[k * ROWS + i] = 2 * (observed[i] - 2.45) + 2.45 + (k % 4 == 0 ? 1 : -1 - k / 100.);
    crdi_check check = {"y", CRDI_CHECK_NUMBERS, ROWS, observed, REPLICATIONS, replicated, 0, NULL};
    assert_close(crdi_check_share(&check, 0), 0.25, 1e-12, 0);
    assert_close(crdi_check_share(&check, 1), 1, 0, 0);
    crdi_figure_source source = {.check_count = 1, .checks = &check};
    assert_ok(ctx, crdi_figure_posterior_check(&f, ctx, &source));
    assert_int_equal(f->columns, 3);
    const crdi_panel *p = crdi_figure_panel(f, 0, 0), *mean = crdi_figure_panel(f, 0, 1);
    assert_int_equal(count_layers(p, CRDI_LINE), REPLICATIONS / 2 + 1); /* every second one, then the data */
    assert_int_equal(p->layer[p->layer_count - 1].role, CRDI_ROLE_DATA);
    const crdi_layer *histogram = layer_of(mean, CRDI_BARS, 0);
    for (int64_t i = 0; i < histogram->count; i++)
        bars += histogram->y[i];
    assert_close(bars, REPLICATIONS, 0, 0);
    assert_close(layer_of(mean, CRDI_RULE_X, 0)->x[0], 2.45, 1e-12, 0);
    assert_string_equal(mean->title, "mean: 25 % are above the data's");
    crdi_figure_destroy(&f);
    assert_ok(ctx, crdi_figure_prior_check(&f, ctx, &source));
    assert_int_equal(f->columns, 1);
    crdi_figure_destroy(&f);
    testing_context_destroy(&ctx);
}

static void checks_of_classes_and_counts(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    static const double classes[] = {0, 1, 1, 2}, other[] = {0, 0, 1, 1, 2, 2, 2, 2}, counts[] = {0, 0, 3, 1};
    char *names[] = {(char[]){"p"}, (char[]){"q"}, (char[]){"r"}};
    crdi_figure *f;
    crdi_check check = {"y", CRDI_CHECK_CLASSES, 4, classes, 2, other, 3, names};
    assert_ok(ctx, crdi_figure_posterior_check(&f, ctx, &(crdi_figure_source){.check_count = 1, .checks = &check}));
    const crdi_layer *spans = layer_of(f->panel, CRDI_INTERVALS, 0), *data = layer_of(f->panel, CRDI_POINTS, 1);
    assert_int_equal(spans->count, 3);
    assert_true(data->y[0] == 0.25 && data->y[1] == 0.5 && data->y[2] == 0.25);
    assert_close(spans->y[2], 0.025, 1e-12, 0); /* shares 0 and 1: quantiles between */
    assert_close(spans->high[2], 0.975, 1e-12, 0);
    assert_string_equal(f->panel->x_name[2], "r");
    crdi_figure_destroy(&f);
    check = (crdi_check){"y", CRDI_CHECK_COUNTS, 4, counts, 2, other, 0, NULL};
    assert_ok(ctx, crdi_figure_prior_check(&f, ctx, &(crdi_figure_source){.check_count = 1, .checks = &check}));
    data = layer_of(f->panel, CRDI_POINTS, 1);
    assert_int_equal(data->count, 5); /* 0 to 3, and 4 or more */
    assert_true(data->y[0] == 0.5 && data->y[3] == 0.25 && data->y[4] == 0);
    crdi_figure_destroy(&f);
    testing_context_destroy(&ctx);
}

/* ---- the network ----------------------------------------------------------------------------------------------------------- */

static void a_network_has_its_weights_as_lines(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    static const double kernel0[] = {4, -1, 0.5, 2, 0.1, -0.1}, sd0[] = {1, 1, 1, 1.5, 0.01, 1}, kernel1[] = {1, 1, -4},
                        sd1[] = {10, 0.1, 0.1}, bias0[] = {1, 2, 3}, bias1[] = {-1};
    static const int64_t width[] = {2, 3, 1};
    const double *mean[] = {kernel0, kernel1}, *sd[] = {sd0, sd1}, *bias[] = {bias0, bias1};
    const char *in[] = {"x1", "x2"}, *out_name[] = {"y"};
    const crdi_network_picture net = {2, width, in, out_name, mean, sd, bias, true};
    crdi_figure *f;
    int64_t lines = 0;
    assert_ok(ctx, crdi_figure_network(&f, ctx, &(crdi_figure_source){.network = &net}));
    const crdi_panel *p = f->panel;
    const crdi_layer *widest = NULL;
    for (int64_t i = 0; i < p->layer_count; i++) {
        const crdi_layer *l = &p->layer[i];
        if (l->kind != CRDI_LINE)
            continue;
        lines += l->count / 3;
        if (l->role == CRDI_ROLE_ACCENT && (!widest || l->size > widest->size))
            widest = l;
    }
    assert_int_equal(lines, 9);
    assert_true(widest->count == 3 && widest->x[0] == 1 && widest->x[1] == 2 && widest->alpha == 0.9); /* the -4 */
    assert_int_equal(count_layers(p, CRDI_POINTS), 6);
    assert_int_equal(count_layers(p, CRDI_TEXT), 3);
    assert_string_equal(layer_of(p, CRDI_TEXT, 1)->label, "x2");
    assert_string_equal(p->x_name[1], "3 hidden units");
    assert_non_null(strstr(p->title, "canonical"));
    crdi_figure_destroy(&f);
    testing_context_destroy(&ctx);
}

/* ---- bands ------------------------------------------------------------------------------------------------------------------ */

static void bands_have_levels_and_functions(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    static const double x[] = {2, 1, 3}, middle[] = {2, 1, 3}, low[] = {1, 0, 2}, high[] = {3, 2, 4},
                        functions[] = {20, 10, 30, 21, 11, 31};
    const struct crdi_band level[] = {{0.5, low, high}, {0.9, low, high}};
    const crdi_bands bands = {.count = 3,
                              .x = x,
                              .median = middle,
                              .level_count = 2,
                              .level = level,
                              .function_count = 2,
                              .function = functions};
    crdi_figure *f;
    assert_ok(ctx, crdi_figure_bands(&f, ctx, &(crdi_figure_source){.band_count = 1, .bands = &bands}));
    const crdi_layer *first = layer_of(f->panel, CRDI_LINE, 0), *second = layer_of(f->panel, CRDI_LINE, 1);
    assert_true(first->y[0] == 10 && first->y[1] == 20 && first->y[2] == 30); /* in the order of x */
    assert_true(second->y[0] == 11 && first->role == CRDI_ROLE_GUIDE);
    assert_string_equal(layer_of(f->panel, CRDI_BAND, 0)->label, "90% CI"); /* the widest first */
    assert_string_equal(layer_of(f->panel, CRDI_LINE, 2)->label, "Median");
    crdi_figure_destroy(&f);
    testing_context_destroy(&ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranks_are_counted_with_ties_in_the_middle),
        cmocka_unit_test(rank_bars_are_as_high_as_their_counts),
        cmocka_unit_test(autocorrelations_are_those_of_the_chain),
        cmocka_unit_test(energies_and_steps_have_densities),
        cmocka_unit_test(pairs_show_what_diverged_on_top),
        cmocka_unit_test(a_forest_has_quantiles_and_r_hat),
        cmocka_unit_test(rows_with_a_large_k_are_apart_and_named),
        cmocka_unit_test(checks_of_numbers),
        cmocka_unit_test(checks_of_classes_and_counts),
        cmocka_unit_test(a_network_has_its_weights_as_lines),
        cmocka_unit_test(bands_have_levels_and_functions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
