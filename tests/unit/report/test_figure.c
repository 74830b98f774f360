/* test_figure.c - what figures hold, where their axes end, and what gnuplot is told. */
#include "report/figures.h"
#include "report/text.h"
#include "testing.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { N = 5, STEPS = 1000, SKIPPED = 700 };
static const double up[N] = {1, 2, 3, 4, 5}, down[N] = {5, 4, 3, 2, 1};
static const double gap[N] = {1, NAN, 3, INFINITY, 5};

static crdi_figure *one_panel(crd_context *ctx)
{
    crdi_figure *f = NULL;
    assert_ok(ctx, crdi_figure_create(&f, ctx, 1, 1));
    return f;
}

static void a_figure_keeps_copies(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crdi_figure *f = one_panel(ctx);
    double x[N], y[N];
    char label[] = "label";
    memcpy(x, up, sizeof x);
    memcpy(y, down, sizeof y);
    crdi_panel_add(f, f->panel,
                   &(crdi_layer){.kind = CRDI_LINE, .label = label, .count = N, .x = x, .y = y, .high = y});
    memset(x, 0, sizeof x);
    memset(y, 0, sizeof y);
    label[0] = 'x';
    assert_ok(ctx, crdi_figure_status(f));
    assert_int_equal(f->panel->layer_count, 1);
    assert_memory_equal(f->panel->layer[0].x, up, sizeof up);
    assert_memory_equal(f->panel->layer[0].y, down, sizeof down);
    assert_null(f->panel->layer[0].high); /* a line has none */
    assert_string_equal(f->panel->layer[0].label, "label");
    crdi_figure_destroy(&f);
    assert_null(f);
    assert_int_equal(crdi_figure_create(&f, ctx, 0, 1), CRD_EINVAL);
    testing_context_destroy(&ctx);
}

static void assert_ranges(const crdi_panel *p, double x0, double x1, double y0, double y1)
{
    double x[2], y[2];
    crdi_panel_ranges(p, x, y);
    assert_close(x[0], x0, 1e-12, 1e-12);
    assert_close(x[1], x1, 1e-12, 1e-12);
    assert_close(y[0], y0, 1e-12, 1e-12);
    assert_close(y[1], y1, 1e-12, 1e-12);
}

static void ranges_are_those_of_the_finite_data(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crdi_figure *f = one_panel(ctx);
    crdi_panel *p = f->panel;
    assert_ranges(p, 0, 1, 0, 1);
    crdi_panel_add(f, p, &(crdi_layer){.kind = CRDI_LINE, .count = N, .x = up, .y = gap});
    assert_ranges(p, 0.8, 5.2, 0.8, 5.2);
    crdi_panel_add(f, p, &(crdi_layer){.kind = CRDI_AREA, .count = 3, .x = up, .y = down});
    assert_ranges(p, 0.8, 5.2, 0, 5.25);
    p->log_y = true;
    assert_ranges(p, 0.8, 5.2, pow(10, -0.05 * log10(5)), pow(10, 1.05 * log10(5)));
    p->layer_count = 0;
    p->log_y = false;
    crdi_panel_add(f, p, &(crdi_layer){.kind = CRDI_BAND, .count = 1, .x = up, .y = (const double[]){-8}, .high = up});
    assert_ranges(p, 0.95, 1.05, -8.45, 1.45);
    p->layer_count = 0;
    crdi_panel_add(f, p, &(crdi_layer){.kind = CRDI_POINTS, .count = 1, .x = (const double[]){1e308}, .y = gap + 1});
    assert_ranges(p, 0, 1, 0, 1);
    crdi_figure_destroy(&f);
    testing_context_destroy(&ctx);
}

static void assert_ticks(double low, double high, bool log_axis, int wanted, const char *expected)
{
    char text[1024] = "";
    crdi_ticks t = crdi_ticks_make(low, high, log_axis, wanted);
    for (int i = 0; i < t.count; i++) {
        double value;
        assert_true(crdi_parse_double(t.label[i], &value));
        assert_close(value, t.at[i], 1e-9, 0);
        strcat(strcat(text, i ? " " : ""), t.label[i]);
    }
    assert_string_equal(text, expected);
}

static void ticks_are_round_and_tell_neighbours_apart(void **state)
{
    (void)state;
    assert_ticks(-1.65, 1.65, false, 8, "-1.5 -1.0 -0.5 0.0 0.5 1.0 1.5");
    assert_ticks(-0.1, 1.05, false, 5, "0.00 0.25 0.50 0.75 1.00");
    assert_ticks(-80, 4080, false, 6, "0 1000 2000 3000 4000");
    assert_ticks(1e6, 1e6 + 1, false, 4, "1.00000000e6 1.00000025e6 1.00000050e6 1.00000075e6 1.00000100e6");
    assert_ticks(-2e-9, 2e-9, false, 4, "-2e-9 -1e-9 0 1e-9 2e-9");
    assert_ticks(0, 3e7, false, 3, "0 1e7 2e7 3e7");
    assert_ticks(0.5, 2e4, true, 6, "1 10 100 1000 10000");
    assert_ticks(1e-9, 1e9, true, 4, "1e-5 1 100000");
    assert_ticks(0.9, 60, true, 6, "1 2 5 10 20 50");
    assert_ticks(3.1, 4.2, true, 4, "3.25 3.50 3.75 4.00");
}

static void the_legend_hides_nothing(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crdi_figure *f = one_panel(ctx);
    crdi_panel *p = f->panel;
    crdi_layer rising = {.kind = CRDI_POINTS, .label = "a", .count = N, .x = up, .y = up};
    crdi_layer falling = {.kind = CRDI_POINTS, .label = "a", .count = N, .x = up, .y = down};
    crdi_panel_add(f, p, &(crdi_layer){.kind = CRDI_LINE, .count = N, .x = up, .y = up});
    assert_int_equal(crdi_panel_legend(p), CRDI_LEGEND_NONE); /* no label */
    crdi_panel_add(f, p, &rising);
    assert_int_equal(crdi_panel_legend(p), CRDI_LEGEND_BOTTOM_RIGHT);
    p->layer_count = 0;
    crdi_panel_add(f, p, &falling);
    assert_int_equal(crdi_panel_legend(p), CRDI_LEGEND_TOP_RIGHT);
    p->legend = CRDI_LEGEND_TOP_LEFT;
    assert_int_equal(crdi_panel_legend(p), CRDI_LEGEND_TOP_LEFT);
    p->legend = CRDI_LEGEND_AUTO;
    crdi_panel_add(f, p, &rising); /* a cross: something in every corner */
    assert_int_equal(crdi_panel_legend(p), CRDI_LEGEND_OUTSIDE);

    /* A band that opens to the right hides the corners there with its inside: neither edge is in one. */
    static const double low[] = {4, 1, -1, -30, -40}, high[] = {5, 9, 11, 30, 40};
    crdi_layer band = {.kind = CRDI_BAND, .label = "b", .count = N, .x = up, .y = low, .high = high};
    p->layer_count = 0;
    crdi_panel_add(f, p, &band);
    p->y_range[0] = -20;
    p->y_range[1] = 20;
    p->has_y_range = true;
    assert_int_equal(crdi_panel_legend(p), CRDI_LEGEND_TOP_LEFT);
    band.x = down; /* and one that opens to the left */
    p->layer_count = 0;
    crdi_panel_add(f, p, &band);
    assert_int_equal(crdi_panel_legend(p), CRDI_LEGEND_BOTTOM_RIGHT);
    p->has_y_range = false;

    /* The upper edge alone fills the last corner. */
    static const double corner_x[] = {1, 1, 5}, corner_y[] = {5, 1, 1}, middle[] = {3, 3, 3, 3, 3},
                        rise[] = {3, 3, 3, 5, 5};
    p->layer_count = 0;
    crdi_panel_add(f, p, &(crdi_layer){.kind = CRDI_POINTS, .label = "a", .count = 3, .x = corner_x, .y = corner_y});
    assert_int_equal(crdi_panel_legend(p), CRDI_LEGEND_TOP_RIGHT);
    crdi_panel_add(f, p, &(crdi_layer){.kind = CRDI_BAND, .count = N, .x = up, .y = middle, .high = rise});
    assert_int_equal(crdi_panel_legend(p), CRDI_LEGEND_OUTSIDE);

    /* Bars and areas are filled down to zero. */
    p->layer_count = 0;
    crdi_panel_add(f, p, &(crdi_layer){.kind = CRDI_AREA, .label = "c", .count = N, .x = up, .y = up});
    assert_int_equal(crdi_panel_legend(p), CRDI_LEGEND_TOP_LEFT);
    crdi_figure_destroy(&f);
    testing_context_destroy(&ctx);
}

/* A string as it stands in a script: signs that may mean something are numbers. Owned. */
static char *spelled(const char *text)
{
    char *out = malloc(4 * strlen(text) + 3), *at = out;
    assert_non_null(out);
    *at++ = '"';
    for (; *text; text++)
        at += isalpha((unsigned char)*text) || *text == ' ' ? sprintf(at, "%c", *text)
                                                            : sprintf(at, "\\%03o", (unsigned)(unsigned char)*text);
    strcpy(at, "\"");
    return out;
}

static void assert_says(const char *script, const char *text)
{
    char *there = spelled(text);
    if (!strstr(script, there))
        fail_msg("the script has no %s", there);
    free(there);
}

/* The end of a string of a text from outside, which holds nothing but letters, spaces and numbers of signs. */
static const char *end_of_string(const char *c)
{
    while (isalpha((unsigned char)*c) || *c == ' ' || *c == '\\') {
        if (*c == '\\')
            assert_int_equal(strspn(c + 1, "01234567") >= 3, 1);
        c += *c == '\\' ? 4 : 1;
    }
    assert_int_equal(*c, '"');
    return c;
}

/* Every line of a script that is not data begins with one of our own commands, and quotes are balanced. */
static void assert_only_our_commands(char *script)
{
    static const char *const commands[] = {"set ", "unset ", "plot ", "  $d"};
    bool data = false;
    char *rest = script;
    for (char *line; (line = strsep(&rest, "\n")) != NULL;) {
        if (data) {
            assert_int_equal(strspn(line, "0123456789.+-e ") == strlen(line) || strcmp(line, "CRD_END") == 0, 1);
            data = strcmp(line, "CRD_END") != 0;
            continue;
        }
        bool known = *line == 0;
        for (int i = 0; i < CRDI_COUNT(commands); i++)
            known = known || strncmp(line, commands[i], strlen(commands[i])) == 0;
        data = strncmp(line, "$d", 2) == 0 && strstr(line, " << CRD_END");
        if (!known && !data)
            fail_msg("not a command of ours: %s", line);
        bool quoted = false;
        for (const char *c = line; *c; c++) {
            quoted = quoted != (*c == '\'');
            if (*c == '"' && !quoted)
                c = end_of_string(c + 1);
            assert_true(quoted || !strchr("`@!{", *c));
        }
        assert_false(quoted);
    }
}

static void no_text_can_inject_commands(void **state)
{
    (void)state;
    static const char *const hostile[] = {"'; system('touch x') #",
                                          "\n!touch x\n",
                                          "`touch x`",
                                          "@x $x {/Symbol a} ^_ \"q\" \\",
                                          "\r\nCRD_END\nplot 1",
                                          "''",
                                          "'",
                                          "\xff\xfe",
                                          "%s%n%d",
                                          "\x1b[2J"};
    crd_context *ctx = testing_context();
    for (int i = 0; i < CRDI_COUNT(hostile); i++) {
        crdi_figure *f = one_panel(ctx);
        crdi_string script, plain;
        crdi_string_init(&script, ctx);
        crdi_string_init(&plain, ctx);
        crdi_panel_texts(f, f->panel, hostile[i], hostile[i], hostile[i]);
        crdi_figure_footnote(f, "%s", hostile[i]);
        crdi_panel_add(f, f->panel,
                       &(crdi_layer){.kind = CRDI_POINTS, .label = hostile[i], .count = N, .x = up, .y = gap});
        crdi_panel_add(f, f->panel, &(crdi_layer){.kind = CRDI_NOTE, .label = hostile[i]});
        assert_ok(ctx, crdi_figure_script(f, "png", &script));
        crdi_text_printable(&plain, hostile[i]);
        assert_says(crdi_string_text(&script), crdi_string_text(&plain));
        assert_non_null(strstr(crdi_string_text(&script), "noenhanced"));
        assert_only_our_commands(script.text);
        crdi_string_clear(&script);
        crdi_string_clear(&plain);
        crdi_figure_destroy(&f);
    }
    testing_context_destroy(&ctx);
}

static void only_finite_data_are_sent(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crdi_figure *f = one_panel(ctx);
    crdi_string script;
    crdi_string_init(&script, ctx);
    crdi_panel_add(f, f->panel, &(crdi_layer){.kind = CRDI_LINE, .count = N, .x = up, .y = gap});
    crdi_panel_add(f, f->panel,
                   &(crdi_layer){.kind = CRDI_BAND, .count = N, .x = up, .y = up, .high = gap, .label = "b"});
    crdi_panel_add(f, f->panel, &(crdi_layer){.kind = CRDI_POINTS, .count = 1, .x = up, .y = gap + 1});
    assert_ok(ctx, crdi_figure_script(f, "svg", &script));
    assert_non_null(strstr(crdi_string_text(&script), "$d0 << CRD_END\n1 1\n\n3 3\n\n5 5\nCRD_END\n"));
    assert_non_null(strstr(crdi_string_text(&script), "$d1 << CRD_END\n1 1 1\n\n3 3 3\n\n5 5 5\nCRD_END\n"));
    assert_non_null(strstr(crdi_string_text(&script), "#b2000000")); /* alpha 0.3 */
    assert_null(strstr(crdi_string_text(&script), "$d2")); /* nothing to draw */
    assert_null(strstr(crdi_string_text(&script), "nan"));
    assert_null(strstr(crdi_string_text(&script), "inf "));
    crdi_string_clear(&script);
    crdi_figure_destroy(&f);
    testing_context_destroy(&ctx);
}

/* ---- the builders ------------------------------------------------------------------------------------------- */

enum { CHAINS = 2, DRAWS = 3 };
static const double series[CHAINS * DRAWS] = {1, 3, 2, -1, NAN, 0};
static const double equal[CHAINS * DRAWS] = {7, 7, 7, 7, 7, 7};

/* 1e4, falling to 2 + the step's last digit; one step was skipped. */
static const double *losses(void)
{
    static double loss[STEPS];
    for (int i = 0; i < STEPS; i++)
        loss[i] = 1e4 / (1 + i) + 2 + i % 10;
    loss[SKIPPED] = NAN;
    return loss;
}

/* A grid of 3 x 2 cells over (0, 6) x (0, 2). */
enum { COLUMNS = 3, ROWS = 2, CELLS = ROWS * COLUMNS };
static const double classes[CELLS] = {0, 0, 1, 0, 1, 1}, entropies[CELLS] = {0, 0.2, 0.4, 0.6, NAN, 1};
static const double class_of[N] = {0, 1, 1, 0, 1}, heights[N] = {-1, 0, 1, 2, 3};
static char no[] = "no", yes[] = "yes";
static char *const class_names[] = {no, yes};

static const crdi_map *make_maps(void)
{
    static const crdi_map maps[] = {{.title = "mode", .classes = true, .value = classes},
                                    {.title = "entropy", .value = entropies, .scale = {0, 2}, .scale_label = "nats"},
                                    {.title = "draw", .classes = true, .value = classes},
                                    {.title = "mean",
                                     .value = entropies,
                                     .scale = {NAN, NAN},
                                     .palette = CRDI_PALETTE_VALUE,
                                     .like_target = heights}};
    return maps;
}

/* What a figure is drawn from: something for every kind. */
struct drawn {
    crdi_named named[4];
    crdi_bands bands;
    struct crdi_band level[2];
    crdi_figure_source source;
};

static void make_source(struct drawn *d)
{
    crdi_named *named = d->named;
    crdi_bands *bands = &d->bands;
    struct crdi_band *level = d->level;
    static const crdi_named target = {"y", up};
    static const struct crdi_fit fit = {NULL, N, up, down, up, down, 0.9};
    named[0] = (crdi_named){"a", series};
    named[1] = (crdi_named){"b", equal};
    named[2] = (crdi_named){"x1", up};
    named[3] = (crdi_named){"x2", down};
    level[0] = (struct crdi_band){0.5, down, up};
    level[1] = (struct crdi_band){0.95, up, down};
    *bands = (crdi_bands){.title = "t",
                          .count = N,
                          .x = down,
                          .median = up,
                          .level_count = 2,
                          .level = level,
                          .data_count = 2,
                          .data_x = up,
                          .data_y = down};
    static const crd_reliability_bin bin[] = {
        {0, 0.5, 4, 0.4, 0.5, 0.2}, {0.5, 1, 0, NAN, NAN, NAN}, {0.8, 1, 2, 0.9, 1, 0}};
    static const crdi_reliability reliability[] = {{"c", false, 3, bin}, {"n", true, 1, bin}};
    static const crdi_check check = {"y", CRDI_CHECK_NUMBERS, N, up, 1, down, 0, NULL};
    static const int64_t width[] = {1, 2, 1};
    static const char *const input_name[] = {"x1"}, *const output_name[] = {"y"};
    static const double *const weights[] = {up, down};
    static const crdi_network_picture network = {2, width, input_name, output_name, weights, weights, weights, false};
    d->source = (crdi_figure_source){.energy = series,
                                     .k_hat = up,
                                     .good_k = 3.5,
                                     .check_count = 1,
                                     .checks = &check,
                                     .network = &network,
                                     .ranks = true,
                                     .reliability_count = 2,
                                     .reliability = reliability,
                                     .rows = N,
                                     .input_count = 2,
                                     .input = named + 2,
                                     .target_count = 1,
                                     .target = &target,
                                     .chains = CHAINS,
                                     .draws = DRAWS,
                                     .series_count = 2,
                                     .series = named,
                                     .band_count = 1,
                                     .bands = bands,
                                     .fit_count = 1,
                                     .fit = &fit,
                                     .maps = {.count = 4,
                                              .map = make_maps(),
                                              .columns = COLUMNS,
                                              .rows = ROWS,
                                              .x = {0, 6},
                                              .y = {0, 2},
                                              .x_label = "a",
                                              .y_label = "b",
                                              .data_count = N,
                                              .data_x = up,
                                              .data_y = down,
                                              .data_target = class_of,
                                              .footnote = "c = 1"},
                                     .step_count = STEPS,
                                     .loss = losses()};
}

static void trace_has_chains_one_after_another(crdi_figure *f)
{
    assert_int_equal(f->rows, 2);
    assert_true(f->column_weight[0] == 2 * f->column_weight[1]);
    const crdi_panel *p = crdi_figure_panel(f, 0, 0);
    assert_string_equal(p->y_label, "a");
    assert_int_equal(p->layer_count, CHAINS);
    for (int i = 0; i < CHAINS * DRAWS; i++) {
        const crdi_layer *l = &p->layer[i / DRAWS];
        assert_int_equal(l->shade, i / DRAWS);
        assert_true(l->x[i % DRAWS] == i);
        assert_close(l->y[i % DRAWS], series[i], 0, 0);
    }
    /* The estimate at -1, as Python computes the sum of the five kernels with h = 0.1 sd. */
    const crdi_layer *l = &crdi_figure_panel(f, 0, 1)->layer[0];
    double sum = 0;
    assert_int_equal(l->kind, CRDI_AREA);
    for (int64_t i = 0; i + 1 < l->count; i++)
        sum += (l->x[i + 1] - l->x[i]) * (l->y[i] + l->y[i + 1]) / 2;
    assert_close(sum, 0.8, 0, 1e-3); /* the halves of the two outermost kernels are not drawn */
    assert_close(l->y[0], 0.5046265054441448, 1e-12, 0);
    assert_int_equal(crdi_figure_panel(f, 1, 1)->layer[0].kind, CRDI_RULE_X); /* all equal: no density */
}

static void make_huge(struct drawn *d)
{
    static const double huge[CHAINS * DRAWS] = {1e299, 3e299, 2e299, -1e299, NAN, 0};
    d->named[0].values = huge;
    d->source.series_count = 1;
}

static void density_does_not_overflow(crdi_figure *f)
{
    const crdi_layer *l = &crdi_figure_panel(f, 0, 1)->layer[0];
    assert_int_equal(l->kind, CRDI_AREA);
    assert_close(l->x[0], -1e299, 1e-12, 0);
    assert_close(l->x[l->count - 1], 3e299, 1e-12, 0);
    assert_close(l->y[0], 0.5046265054441448e-299, 1e-12, 0); /* as of draws a 1e299th of these */
}

enum { LONG = 50000 };

static void make_long(struct drawn *d)
{
    static double v[LONG];
    for (int i = 0; i < LONG; i++)
        v[i] = sin(i);
    v[31234] = 9;
    v[44444] = -9;
    d->named[0].values = v;
    d->source.series_count = d->source.chains = 1;
    d->source.draws = LONG;
}

static void trace_is_thinned_to_its_extremes(crdi_figure *f)
{
    const crdi_layer *l = &f->panel[0].layer[0];
    int found = 0;
    assert_in_range(l->count, 1000, 10000);
    for (int64_t i = 0; i < l->count; i++) {
        int64_t step = (int64_t)l->x[i];
        assert_true(i == 0 || l->x[i] > l->x[i - 1]);
        assert_true(l->y[i] == (step == 31234 ? 9 : step == 44444 ? -9 : sin((int)step)));
        found += fabs(l->y[i]) == 9;
    }
    assert_int_equal(found, 2);
}

static void make_many(struct drawn *d)
{
    static crdi_named many[100];
    for (int i = 0; i < 100; i++)
        many[i] = (crdi_named){"a", series};
    d->source.series = many;
    d->source.series_count = 100;
}

static void series_are_cut_and_that_is_said(crdi_figure *f)
{
    assert_int_equal(f->rows, 20);
    assert_string_equal(f->footnote, "The first 20 of 100 series are shown.");
}

static void bands_are_sorted_and_the_widest_lies_below(crdi_figure *f)
{
    assert_int_equal(f->columns, 2);
    const crdi_layer *l = f->panel[0].layer;
    assert_int_equal(f->panel[0].layer_count, 4);
    assert_string_equal(l[0].label, "95% CI");
    assert_string_equal(l[1].label, "50% CI");
    assert_string_equal(l[2].label, "Median");
    assert_string_equal(l[3].label, "Train data");
    assert_close(l[0].alpha, 0.3, 0, 0);
    assert_memory_equal(l[2].x, up, sizeof up); /* was given falling */
    assert_memory_equal(l[2].y, down, sizeof down);
    assert_memory_equal(l[0].y, down, sizeof down); /* low of 95% */
    assert_memory_equal(l[0].high, up, sizeof up);
    const crdi_panel *fit = &f->panel[1];
    assert_int_equal(fit->layer[0].kind, CRDI_DIAGONAL);
    assert_int_equal(fit->layer[1].kind, CRDI_INTERVALS);
    assert_memory_equal(fit->layer[2].y, down, sizeof down);
    assert_ranges(fit, 0.8, 5.2, 0.8, 5.2);
    assert_true(fit->has_x_range && fit->has_y_range);
}

static void add_y(struct drawn *d)
{
    d->bands.y_probability = 0.9;
    d->bands.y_low = down; /* of x falling: reordered it rises */
    d->bands.y_high = up;
}

static void band_of_y_lies_below_with_dashed_edges(crdi_figure *f)
{
    const crdi_layer *l = f->panel[0].layer;
    assert_int_equal(f->panel[0].layer_count, 7);
    assert_int_equal(l[0].kind, CRDI_BAND);
    assert_string_equal(l[0].label, "90% of y");
    assert_memory_equal(l[0].x, up, sizeof up);
    assert_memory_equal(l[0].y, up, sizeof up);
    assert_memory_equal(l[0].high, down, sizeof down);
    assert_true(l[0].alpha < l[3].alpha);
    for (int edge = 1; edge < 3; edge++)
        assert_true(l[edge].kind == CRDI_LINE && l[edge].dashed && !l[edge].label);
    assert_memory_equal(l[1].y, l[0].y, sizeof up);
    assert_memory_equal(l[2].y, l[0].high, sizeof up);
    assert_string_equal(l[3].label, "95% CI");
}

static void add_y_apart(struct drawn *d)
{
    add_y(d);
    d->bands.apart = true;
}

static void band_of_y_is_intervals_at_levels(crdi_figure *f)
{
    assert_int_equal(f->panel[0].layer_count, 5); /* without edges */
    assert_int_equal(f->panel[0].layer[0].kind, CRDI_INTERVALS);
}

/* Bins that are empty are no points; Wilson's interval of 2 of 4: 0.15 to 0.85. Levels: rows between one and the next. */
static void reliability_leaves_empty_bins_out(crdi_figure *f)
{
    assert_true(f->rows == 2 && f->columns == 2);
    const crdi_panel *p = crdi_figure_panel(f, 0, 0);
    const crdi_layer *l = &p->layer[1];
    assert_int_equal(p->layer[0].kind, CRDI_DIAGONAL);
    assert_int_equal(l->kind, CRDI_INTERVALS);
    assert_int_equal(l->count, 2);
    assert_close(l->x[1], 0.9, 1e-15, 0);
    assert_close(l->y[0], 0.1500389891, 1e-8, 0);
    assert_close(l->high[0], 0.8499610109, 1e-8, 0);
    assert_close(l->high[1], 1, 1e-12, 0);
    assert_true(l->y[1] > 0.3 && l->y[1] < 0.4);
    l = &crdi_figure_panel(f, 0, 1)->layer[0];
    assert_true(l->count == 3 && l->y[0] == 4 && l->y[1] == 0 && l->y[2] == 2);
    l = &crdi_figure_panel(f, 1, 1)->layer[0]; /* half of 4 rows up to the only level */
    assert_true(l->count == 2 && l->y[0] == 2 && l->y[1] == 2 && l->high[1] == 1);
}

static void loss_has_its_mean_and_its_second_half(crdi_figure *f)
{
    const crdi_panel *all = crdi_figure_panel(f, 0, 0), *half = crdi_figure_panel(f, 0, 1);
    assert_true(all->log_y && !half->log_y);
    assert_int_equal(all->layer[0].count, STEPS);
    assert_int_equal(half->layer[1].count, STEPS / 2);
    assert_true(half->layer[0].x[0] == STEPS / 2 + 1);
    /* The mean of the last STEPS / 200 of the second half, computed by hand: the skipped step is not among them. */
    double sum = 0;
    for (int i = STEPS - STEPS / 200; i < STEPS; i++)
        sum += losses()[i];
    assert_close(half->layer[1].y[STEPS / 2 - 1], sum / (STEPS / 200), 1e-12, 0);
    assert_true(isnan(all->layer[0].y[SKIPPED]) && isfinite(all->layer[1].y[SKIPPED]));
    /* Where the loss falls fast the mean is of the last tenth of the way: of steps 19, 20, 21 at the 21st, of which step 1
     * with its 10 002 is none. */
    assert_close(all->layer[1].y[20], (losses()[18] + losses()[19] + losses()[20]) / 3, 1e-12, 0);
}

static void make_negative(struct drawn *d)
{
    static const double negative[] = {5, -1};
    d->source.step_count = 2;
    d->source.loss = negative;
}

static void loss_below_zero_has_no_logarithm(crdi_figure *f)
{
    assert_true(f->columns == 1 && !f->panel->log_y);
}

enum { EPOCH = 10 };

static const double *held_out(void)
{
    static double loss[STEPS / EPOCH];
    for (int i = 0; i < STEPS / EPOCH; i++)
        loss[i] = 3 + 100.0 / (1 + i);
    return loss;
}

static void hold_out(struct drawn *d)
{
    d->source.held_out = held_out();
    d->source.held_out_count = STEPS / EPOCH;
    d->source.epoch = EPOCH;
}

static void loss_has_that_of_rows_held_out(crdi_figure *f)
{
    const crdi_layer *all = &crdi_figure_panel(f, 0, 0)->layer[2], *half = &crdi_figure_panel(f, 0, 1)->layer[2];
    assert_string_equal(all->label, "rows held out");
    assert_int_equal(all->count, STEPS / EPOCH);
    assert_int_equal(half->count, STEPS / EPOCH / 2);
    for (int i = 0; i < STEPS / EPOCH / 2; i++) { /* looked at after steps 10, 20, ... */
        assert_close(all->x[i], (i + 1) * EPOCH, 0, 0);
        assert_close(all->y[i], held_out()[i], 0, 0);
        assert_close(half->x[i], STEPS / 2 + (i + 1) * EPOCH, 0, 0);
        assert_close(half->y[i], held_out()[STEPS / EPOCH / 2 + i], 0, 0);
    }
}

static void make_classes(struct drawn *d)
{
    d->source.class_count = 2;
    d->source.class_name = class_names;
}

/* What is drawn of classes: the image, lines where cells differ, and each class's points. */
static void map_of_classes_has_borders_and_the_data_by_class(crdi_figure *f)
{
    assert_true(f->rows == 2 && f->columns == 3);
    assert_string_equal(f->footnote, "c = 1");
    const crdi_panel *p = crdi_figure_panel(f, 0, 0);
    assert_int_equal(p->layer_count, 4);
    assert_ranges(p, 0, 6, 0, 2);
    assert_false(p->has_scale);
    const crdi_layer *image = &p->layer[0], *border = &p->layer[1], *no_points = &p->layer[2], *points = &p->layer[3];
    assert_true(image->kind == CRDI_IMAGE && image->role == CRDI_ROLE_CLASS && image->columns == COLUMNS);
    assert_memory_equal(image->value, classes, sizeof classes);
    assert_true(image->x[0] == 0 && image->x[1] == 6 && image->y[0] == 0 && image->y[1] == 2);
    /* Cells 2 wide and 1 high: 0 | 1 at x = 4 below, at x = 2 above, and between the rows from 2 to 4. */
    static const double x[] = {4, 4, NAN, 2, 4, NAN, 2, 2, NAN}, y[] = {0, 1, NAN, 1, 1, NAN, 1, 2, NAN};
    assert_int_equal(border->kind, CRDI_LINE);
    assert_int_equal(border->count, 9);
    for (int i = 0; i < 9; i++) {
        assert_close(border->x[i], x[i], 1e-12, 0);
        assert_close(border->y[i], y[i], 1e-12, 0);
    }
    assert_true(no_points->count == 2 && points->count == 3 && points->shade == 1);
    assert_string_equal(points->label, "yes");
    assert_true(points->x[0] == 2 && points->y[0] == 4 && points->x[2] == 5 && points->y[2] == 1);
    /* The classes are explained beside the last panel that has them, and only there. */
    assert_int_equal(crdi_panel_legend(p), CRDI_LEGEND_NONE);
    assert_int_equal(crdi_panel_legend(crdi_figure_panel(f, 0, 2)), CRDI_LEGEND_OUTSIDE);
}

static void make_heights(struct drawn *d)
{
    d->source.maps.data_target = heights;
}

static void map_of_numbers_has_a_scale(crdi_figure *f)
{
    const crdi_panel *entropy = crdi_figure_panel(f, 0, 1), *mean = crdi_figure_panel(f, 1, 0);
    assert_int_equal(entropy->layer_count, 2);
    assert_true(entropy->has_scale && entropy->scale[0] == 0 && entropy->scale[1] == 2);
    assert_string_equal(entropy->scale_label, "nats");
    assert_memory_equal(entropy->layer[0].value, entropies, sizeof entropies);
    assert_null(entropy->layer[1].value);
    assert_memory_equal(entropy->layer[1].x, up, sizeof up);
    /* From the least to the greatest of cells and data; the data have their colours. */
    assert_true(mean->scale[0] == -1 && mean->scale[1] == 3);
    assert_memory_equal(mean->layer[1].value, heights, sizeof heights);
}

/* One panel an input, with its name; the target against it. */
static void data_of_a_number_are_the_target_against_each_input(crdi_figure *f)
{
    static const double *const input[] = {up, down};
    static const char *const name[] = {"x1", "x2"};
    assert_true(f->rows == 1 && f->columns == 2);
    for (int k = 0; k < 2; k++) {
        const crdi_layer *l = f->panel[k].layer;
        assert_int_equal(f->panel[k].layer_count, 1);
        assert_string_equal(f->panel[k].x_label, name[k]);
        assert_true(l->kind == CRDI_POINTS && l->role == CRDI_ROLE_DATA && l->count == N);
        assert_memory_equal(l->x, input[k], sizeof up);
        assert_memory_equal(l->y, up, sizeof up);
    }
    assert_string_equal(f->panel[0].y_label, "y");
}

static void make_levels(struct drawn *d)
{
    static const char *const name[] = {"red", "green", "blue"};
    static const crdi_axis_levels level[] = {{0, NULL, NULL}, {3, name, "colour"}};
    d->source.level = level;
}

static void data_over_levels_have_them_by_name(crdi_figure *f)
{
    assert_int_equal(f->panel[0].x_name_count, 0);
    assert_string_equal(f->panel[0].x_label, "x1");
    assert_int_equal(f->panel[1].x_name_count, 3);
    assert_string_equal(f->panel[1].x_name[2], "blue");
    assert_string_equal(f->panel[1].x_label, "colour");
}

static void make_three_inputs(struct drawn *d)
{
    static const crdi_named input[] = {{"a", up}, {"b", down}, {"c", heights}}, target = {"y", class_of};
    make_classes(d);
    d->source.input_count = 3;
    d->source.input = input;
    d->source.target = &target;
}

static void data_of_classes_are_pairs_of_inputs(crdi_figure *f)
{
    static const char *const pairs[][2] = {{"a", "b"}, {"a", "c"}, {"b", "c"}};
    assert_true(f->rows == 1 && f->columns == 3);
    for (int k = 0; k < 3; k++) {
        assert_string_equal(f->panel[k].x_label, pairs[k][0]);
        assert_string_equal(f->panel[k].y_label, pairs[k][1]);
    }
    const crdi_layer *l = &f->panel[2].layer[1];
    assert_true(l->count == 3 && l->x[0] == down[1] && l->y[2] == heights[4]);
}

static void make_one_input(struct drawn *d)
{
    make_three_inputs(d);
    d->source.input_count = 1;
}

static void data_of_classes_over_one_input_have_the_classes_by_name(crdi_figure *f)
{
    assert_int_equal(f->panel[0].y_name_count, 2);
    assert_string_equal(f->panel[0].y_name[1], "yes");
    assert_int_equal(crdi_panel_legend(f->panel), CRDI_LEGEND_NONE);
}

/* Several runs side by side: a panel each, with its own title, curves and data. */
static void make_two_runs(struct drawn *d)
{
    static crdi_bands runs[2];
    runs[0] = runs[1] = d->bands;
    runs[1].title = "u";
    runs[1].median = down;
    d->source.bands = runs;
    d->source.band_count = 2;
}

static void effects_have_a_panel_a_run(crdi_figure *f)
{
    static const double *const median[] = {down, up}; /* in the order of x, which was given falling */
    static const char *const title[] = {"t", "u"};
    assert_int_equal(f->rows * f->columns, 2);
    for (int k = 0; k < 2; k++) {
        const crdi_layer *l = f->panel[k].layer;
        assert_string_equal(f->panel[k].title, title[k]);
        assert_int_equal(f->panel[k].layer_count, 4);
        assert_string_equal(l[0].label, "95% CI");
        assert_memory_equal(l[2].x, up, sizeof up);
        assert_memory_equal(l[2].y, median[k], sizeof up);
        assert_true(l[3].kind == CRDI_POINTS && l[3].count == 2);
    }
    assert_int_not_equal(crdi_panel_legend(&f->panel[0]), CRDI_LEGEND_NONE); /* which explains the other one, too */
    assert_int_equal(crdi_panel_legend(&f->panel[1]), CRDI_LEGEND_NONE);
}

/* ---- the table of what each kind draws -------------------------------------------------------------------------- */

static const struct drawing {
    const char *name;
    crdi_figure_fn build;
    void (*change)(struct drawn *drawn); /* of what it is drawn from; NULL: as it is */
    void (*check)(crdi_figure *figure);
} drawings[] = {
    {"data: numbers", crdi_figure_data, NULL, data_of_a_number_are_the_target_against_each_input},
    {"data: levels", crdi_figure_data, make_levels, data_over_levels_have_them_by_name},
    {"data: classes", crdi_figure_data, make_three_inputs, data_of_classes_are_pairs_of_inputs},
    {"data: classes over one input", crdi_figure_data, make_one_input,
     data_of_classes_over_one_input_have_the_classes_by_name},
    {"trace", crdi_figure_trace, NULL, trace_has_chains_one_after_another},
    {"trace: huge draws", crdi_figure_trace, make_huge, density_does_not_overflow},
    {"trace: many draws", crdi_figure_trace, make_long, trace_is_thinned_to_its_extremes},
    {"trace: many series", crdi_figure_trace, make_many, series_are_cut_and_that_is_said},
    {"bands", crdi_figure_bands, NULL, bands_are_sorted_and_the_widest_lies_below},
    {"bands: y", crdi_figure_bands, add_y, band_of_y_lies_below_with_dashed_edges},
    {"bands: y at levels", crdi_figure_bands, add_y_apart, band_of_y_is_intervals_at_levels},
    {"effects", crdi_figure_effects, make_two_runs, effects_have_a_panel_a_run},
    {"reliability", crdi_figure_reliability, NULL, reliability_leaves_empty_bins_out},
    {"loss", crdi_figure_loss, NULL, loss_has_its_mean_and_its_second_half},
    {"loss: below zero", crdi_figure_loss, make_negative, loss_below_zero_has_no_logarithm},
    {"loss: rows held out", crdi_figure_loss, hold_out, loss_has_that_of_rows_held_out},
    {"map: classes", crdi_figure_map, make_classes, map_of_classes_has_borders_and_the_data_by_class},
    {"map: numbers", crdi_figure_map, make_heights, map_of_numbers_has_a_scale},
    /* rank, autocorrelation, energy, pairs, forest, k_hat, prior_check, posterior_check, network: test_figures_of_draws.c */
};

static void a_figure_draws_this(void **state)
{
    const struct drawing *drawing = *state;
    crd_context *ctx = testing_context();
    struct drawn drawn;
    crdi_figure *f = NULL;
    make_source(&drawn);
    if (drawing->change)
        drawing->change(&drawn);
    assert_ok(ctx, drawing->build(&f, ctx, &drawn.source));
    drawing->check(f);
    crdi_figure_destroy(&f);
    testing_context_destroy(&ctx);
}

static void every_figure_is_in_the_table_and_says_what_it_lacks(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    int count;
    const crdi_figure_type *types = crdi_figure_types(&count), *found = NULL;
    assert_true(count >= 4);
    for (int i = 0; i < count; i++) {
        crdi_figure *f = NULL;
        assert_ok(ctx, crdi_figure_type_find(ctx, types[i].name, &found));
        assert_ptr_equal(found, &types[i]);
        assert_true(types[i].needs != 0 && *types[i].help);
        assert_int_equal(types[i].build(&f, ctx, &(crdi_figure_source){0}), CRD_EMISSING);
        assert_non_null(strstr(crd_error_message(ctx), types[i].name));
        assert_null(f);
        crd_error_clear(ctx);
    }
    assert_int_equal(crdi_figure_type_find(ctx, "tracee", &found), CRD_ENAME);
    assert_non_null(strstr(crd_error_message(ctx), "'trace'"));
    testing_context_destroy(&ctx);
}

static double lightness(unsigned colour)
{
    return 0.2126 * (colour >> 16) + 0.7152 * (colour >> 8 & 255) + 0.0722 * (colour & 255);
}

static void colours_darken_along_the_scale(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crdi_figure *f = one_panel(ctx);
    for (int palette = CRDI_PALETTE_AMOUNT; palette <= CRDI_PALETTE_VALUE; palette++) {
        double before = 256;
        crdi_panel_scale(f, f->panel, -1, 3, (crdi_palette)palette, NULL);
        for (int i = 0; i <= 40; i++) {
            double now = lightness(crdi_panel_colour(f->panel, -1 + 0.1 * i));
            assert_true(now < before);
            before = now;
        }
        assert_int_equal(crdi_panel_colour(f->panel, 99), crdi_panel_colour(f->panel, 3));
        assert_int_equal(crdi_panel_colour(f->panel, NAN), 0xb0b0b0);
    }
    crdi_panel_scale(f, f->panel, 0, 3, CRDI_PALETTE_AMOUNT, NULL);
    assert_int_equal(crdi_panel_colour(f->panel, 0), 0xffffff);
    crdi_panel_scale(f, f->panel, 2, 2, CRDI_PALETTE_VALUE, NULL);
    assert_true(f->panel->scale[0] < 2 && f->panel->scale[1] > 2);
    crdi_panel_scale(f, f->panel, NAN, 2, CRDI_PALETTE_VALUE, NULL);
    assert_true(f->panel->scale[0] == 0 && f->panel->scale[1] == 1);
    crdi_figure_destroy(&f);
    testing_context_destroy(&ctx);
}

/* What gnuplot is told of an image: a cell a line, its centre and colour. */
static void an_image_is_sent_cell_by_cell(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crdi_figure *f = one_panel(ctx);
    crdi_string script;
    crdi_string_init(&script, ctx);
    const double x[] = {0, 6}, y[] = {0, 2}, value[CELLS] = {0, 1, 2, 0, 0, NAN};
    crdi_panel_scale(f, f->panel, 0, 1, CRDI_PALETTE_AMOUNT, "it's");
    crdi_panel_add(
        f, f->panel,
        &(crdi_layer){.kind = CRDI_IMAGE, .count = CELLS, .columns = COLUMNS, .x = x, .y = y, .value = value});
    assert_ok(ctx, crdi_figure_script(f, "png", &script));
    assert_non_null(strstr(crdi_string_text(&script), "1 0.5 255 255 255\n3 0.5 8 40 95\n5 0.5 8 40 95\n"
                                                      "1 1.5 255 255 255\n3 1.5 255 255 255\n5 1.5 176 176 176\n"));
    assert_says(crdi_string_text(&script), "it's");
    assert_only_our_commands(script.text);
    crdi_string_clear(&script);
    crdi_figure_destroy(&f);
    testing_context_destroy(&ctx);
}

/* Shapes differ, so that classes can be told apart in grey. */
static void classes_have_shapes_of_their_own(void **state)
{
    (void)state;
    enum { CLASSES = 10 };
    crd_context *ctx = testing_context();
    crdi_figure *f = one_panel(ctx);
    crdi_string script;
    bool used[20] = {false};
    crdi_string_init(&script, ctx);
    for (int k = 0; k < CLASSES; k++)
        crdi_panel_add(
            f, f->panel,
            &(crdi_layer){.kind = CRDI_POINTS, .role = CRDI_ROLE_CLASS, .shade = k, .count = N, .x = up, .y = down});
    assert_ok(ctx, crdi_figure_script(f, "png", &script));
    const char *at = crdi_string_text(&script);
    for (int k = 0; k < CLASSES; k++) {
        at = strstr(at, "with points pt ");
        assert_non_null(at);
        at += strlen("with points pt ");
        int shape = atoi(at);
        assert_in_range(shape, 1, 19);
        assert_false(used[shape]);
        used[shape] = true;
    }
    crdi_string_clear(&script);
    crdi_figure_destroy(&f);
    testing_context_destroy(&ctx);
}

static void running_out_of_memory_is_said_and_leaks_nothing(void **state)
{
    (void)state;
    int count;
    const crdi_figure_type *types = crdi_figure_types(&count);
    struct drawn drawn;
    make_source(&drawn);
    drawn.source.input_count = 1;
    for (int i = 0; i < count; i++)
        for (int64_t k = 1;; k++) {
            crd_context *ctx = testing_context();
            crdi_figure *f = NULL;
            crdi_string script;
            crdi_string_init(&script, ctx);
            testing_fail_allocation(k);
            crd_status status = types[i].build(&f, ctx, &drawn.source);
            if (status == CRD_OK)
                status = crdi_figure_script(f, "pdf", &script);
            testing_fail_allocation(0);
            crdi_string_clear(&script);
            crdi_figure_destroy(&f);
            assert_int_equal(crd_error_status(ctx), status);
            testing_context_destroy(&ctx);
            if (status == CRD_OK)
                break;
            assert_int_equal(status, CRD_ENOMEM);
            assert_true(k < 2000);
        }
}

int main(void)
{
    static const struct CMUnitTest others[] = {
        cmocka_unit_test(a_figure_keeps_copies),
        cmocka_unit_test(ranges_are_those_of_the_finite_data),
        cmocka_unit_test(ticks_are_round_and_tell_neighbours_apart),
        cmocka_unit_test(the_legend_hides_nothing),
        cmocka_unit_test(no_text_can_inject_commands),
        cmocka_unit_test(only_finite_data_are_sent),
        cmocka_unit_test(every_figure_is_in_the_table_and_says_what_it_lacks),
        cmocka_unit_test(colours_darken_along_the_scale),
        cmocka_unit_test(an_image_is_sent_cell_by_cell),
        cmocka_unit_test(classes_have_shapes_of_their_own),
        cmocka_unit_test(running_out_of_memory_is_said_and_leaks_nothing),
    };
    struct CMUnitTest tests[CRDI_COUNT(others) + CRDI_COUNT(drawings)];
    memcpy(tests, others, sizeof others);
    for (int i = 0; i < CRDI_COUNT(drawings); i++)
        tests[CRDI_COUNT(others) + i] = (struct CMUnitTest){
            .name = drawings[i].name, .test_func = a_figure_draws_this, .initial_state = (void *)&drawings[i]};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
