/* test_pictures.c - gnuplot draws every figure without complaint, in all three formats, and says what is wrong.
 *
 * CREDENCE_PICTURES=FOLDER keeps the pictures there, to be looked at. Skipped where gnuplot is not installed. */
#include "report/figures.h"
#include "testing.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MANY = 60000 /* points: more than a socket holds */ };
enum { GRID = 120, CELLS = 30, DATA = 40, CHAINS = 2, DRAWS = 2000, SERIES = 5 };

/* Made-up numbers that look random: a multiplicative sequence is enough for a picture. */
static double noise(uint64_t *state)
{
    double sum = 0;
    for (int i = 0; i < 12; i++) {
        *state = *state * 6364136223846793005u + 1442695040888963407u;
        sum += (double)(*state >> 11) * 0x1p-53;
    }
    return sum - 6;
}

static struct {
    double x[GRID], median[6][GRID], low[6][GRID], high[6][GRID], inner[2][GRID];
    double data_x[DATA], data_y[DATA], fit[3][DATA];
    double series[SERIES][CHAINS * DRAWS];
    crdi_bands bands[6];
    struct crdi_band level[6][2];
    crdi_named input[3], named[100], target;
    double cell[2][CELLS * CELLS], class_of[DATA];
    crdi_map map[2];
    struct crdi_fit observed;
} made;

static double curve(double x)
{
    return 0.4 * cos(7 * x) - 0.9 * x * x;
}

static void make_bands(uint64_t *seed)
{
    static const char *const title[6] = {"NUTS, 10 tanh units, prior sd 1",
                                         "NUTS, prior sd 0.1",
                                         "NUTS, prior sd 10",
                                         "NUTS, 2 units",
                                         "NUTS, 100 units",
                                         "NUTS, 10 relu units"};
    static const double width[6] = {0.5, 0.1, 40, 0.8, 1, 0.6};
    for (int i = 0; i < DATA; i++) {
        made.data_x[i] = (i < 20 ? -1 : 0.1) + 0.045 * (i % 20);
        made.data_y[i] = curve(made.data_x[i]) + 0.08 * noise(seed);
        made.fit[0][i] = curve(made.data_x[i]);
        made.fit[1][i] = made.fit[0][i] - 0.15;
        made.fit[2][i] = made.fit[0][i] + 0.15;
    }
    for (int k = 0; k < 6; k++) {
        for (int i = 0; i < GRID; i++) {
            double x = made.x[i] = -1.5 + 3.0 * i / (GRID - 1), out = fmax(0, fabs(x) - 0.9);
            made.median[k][i] = k == 1 ? 0.02 * x : curve(x);
            made.low[k][i] = made.median[k][i] - 0.07 - width[k] * out;
            made.high[k][i] = made.median[k][i] + 0.07 + width[k] * out;
        }
        made.level[k][0] = (struct crdi_band){0.95, made.low[k], made.high[k]};
        made.bands[k] = (crdi_bands){.title = title[k],
                                     .count = GRID,
                                     .x = made.x,
                                     .median = made.median[k],
                                     .level_count = 1,
                                     .level = made.level[k],
                                     .data_count = DATA,
                                     .data_x = made.data_x,
                                     .data_y = made.data_y};
    }
    for (int i = 0; i < GRID; i++) {
        made.inner[0][i] = made.median[0][i] - 0.4 * (made.median[0][i] - made.low[0][i]);
        made.inner[1][i] = made.median[0][i] + 0.4 * (made.high[0][i] - made.median[0][i]);
    }
}

static char first_class[] = "a class", second_class[] = "\u00e9l\u00e8ve 'b'";
static char *const class_names[] = {first_class, second_class};

static crdi_maps make_maps(void)
{
    for (int i = 0; i < CELLS * CELLS; i++) {
        double x = -1.2 + 2.4 * (i % CELLS + 0.5) / CELLS, y = -2 + 3.0 * (i / CELLS + 0.5) / CELLS;
        made.cell[0][i] = y > curve(x);
        made.cell[1][i] = exp(-fabs(y - curve(x)));
    }
    for (int i = 0; i < DATA; i++)
        made.class_of[i] = made.data_y[i] > curve(made.data_x[i]);
    made.map[0] = (crdi_map){.title = "mode", .classes = true, .value = made.cell[0]};
    made.map[1] = (crdi_map){.title = "entropy", .value = made.cell[1], .scale = {0, NAN}, .scale_label = "nats"};
    return (crdi_maps){.count = 2,
                       .map = made.map,
                       .columns = CELLS,
                       .rows = CELLS,
                       .x = {-1.2, 1.2},
                       .y = {-2, 1},
                       .x_label = "x0",
                       .y_label = "x1",
                       .data_count = DATA,
                       .data_x = made.data_x,
                       .data_y = made.data_y,
                       .data_target = made.class_of,
                       .footnote = "The others are held still."};
}

static crdi_figure_source make_source(void)
{
    static const char *const name[SERIES] = {"Output bias", "First output weight", "First hidden weight",
                                             "First hidden bias", "Likelihood std"};
    uint64_t seed = 17;
    make_bands(&seed);
    for (int s = 0; s < SERIES; s++) {
        double at = 0;
        for (int i = 0; i < CHAINS * DRAWS; i++) {
            at = 0.9 * at + 0.44 * noise(&seed);
            made.series[s][i] = s == 0   ? noise(&seed)
                                : s == 4 ? 0.09 * exp(0.15 * noise(&seed))
                                         : at + (at > 0 ? 1 : -1);
        }
    }
    for (int i = 0; i < 100; i++)
        made.named[i] = (crdi_named){name[i % SERIES], made.series[i % SERIES]};
    made.input[0] = (crdi_named){"x", made.data_x};
    made.input[1] = (crdi_named){"fit 'a\\b' {c}_d^e @f $g `h`\n\"i\"", made.fit[0]};
    made.input[2] = (crdi_named){"\u6e29\u5ea6 \u00b0C", made.fit[1]};
    made.target = (crdi_named){"y", made.data_y};
    made.observed = (struct crdi_fit){NULL, DATA, made.data_y, made.fit[0], made.fit[1], made.fit[2], 0.95};
    static const crd_reliability_bin bin[] = {
        {0.4, 0.6, 40, 0.5, 0.55, 0.1}, {0.6, 0.8, 0, NAN, NAN, NAN}, {0.8, 1, 60, 0.9, 0.8, 0.02}};
    static const crdi_reliability reliability = {"y: expected calibration error 0.08", false, 3, bin};
    return (crdi_figure_source){.reliability_count = 1,
                                .reliability = &reliability,
                                .rows = DATA,
                                .input_count = 1,
                                .input = made.input,
                                .target_count = 1,
                                .target = &made.target,
                                .chains = CHAINS,
                                .draws = DRAWS,
                                .series_count = SERIES,
                                .series = made.named,
                                .band_count = 6,
                                .bands = made.bands,
                                .fit_count = 1,
                                .fit = &made.observed,
                                .maps = make_maps(),
                                .class_name = class_names};
}

/* ---- */

static char folder[256];
static bool kept;

static const char *file(const char *name)
{
    static char path[600];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static bool installed(void)
{
    const char *path = getenv("PATH");
    char copy[8192], *rest = copy;
    snprintf(copy, sizeof copy, "%s", path ? path : "");
    for (char *one; (one = strsep(&rest, ":")) != NULL;) {
        char program[8300];
        snprintf(program, sizeof program, "%s/gnuplot", one);
        if (access(program, X_OK) == 0)
            return true;
    }
    return false;
}

static void assert_picture(const char *path)
{
    static const struct {
        const char *suffix, *start;
    } formats[] = {{".png", "\x89PNG"}, {".svg", "<?xml"}, {".pdf", "%PDF"}};
    char start[6] = "";
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    assert_int_equal(fread(start, 1, 5, f), 5);
    fclose(f);
    for (int i = 0; i < CRDI_COUNT(formats); i++)
        if (strstr(path, formats[i].suffix))
            assert_int_equal(strncmp(start, formats[i].start, strlen(formats[i].start)), 0);
}

static void draw(crd_context *ctx, const char *type_name, const crdi_figure_source *source, const char *name)
{
    const crdi_figure_type *type = NULL;
    crdi_figure *figure = NULL;
    assert_ok(ctx, crdi_figure_type_find(ctx, type_name, &type));
    assert_ok(ctx, type->build(&figure, ctx, source));
    assert_ok(ctx, crdi_figure_save(figure, file(name), true));
    assert_picture(file(name));
    crdi_figure_destroy(&figure);
    if (!kept)
        unlink(file(name));
}

static void every_figure_is_drawn_in_every_format(void **state)
{
    (void)state;
    if (!installed())
        testing_skip("gnuplot is not installed: no pictures\n");
    crd_context *ctx = testing_context();
    crdi_figure_source source = make_source(), one = source;
    one.band_count = 1;
    one.fit_count = 0;
    made.level[0][1] = (struct crdi_band){0.5, made.inner[0], made.inner[1]};
    draw(ctx, "effects", &source, "effects.png");
    draw(ctx, "trace", &source, "trace.png");
    draw(ctx, "data", &source, "data.png");
    draw(ctx, "reliability", &source, "reliability.png");
    draw(ctx, "bands", &one, "bands.png");
    draw(ctx, "bands", &one, "bands.svg");
    draw(ctx, "bands", &one, "bands.pdf");
    one.class_count = 2;
    draw(ctx, "map", &one, "map.png");
    draw(ctx, "map", &one, "map.svg");
    draw(ctx, "map", &one, "map.pdf");
    made.bands[0].level_count = 2;
    made.bands[0].x_label = made.input[1].name;
    made.bands[0].y_label = made.input[2].name;
    source.band_count = 2;
    draw(ctx, "bands", &source, "bands_fit.png");
    source.input_count = 3;
    draw(ctx, "data", &source, "data_3.png");
    if (kept) { /* slow ones, for the eye only */
        source.series_count = 100;
        source.band_count = 6;
        draw(ctx, "effects", &source, "effects.svg");
        draw(ctx, "effects", &source, "effects.pdf");
        draw(ctx, "trace", &source, "trace_100.png");
    }
    testing_context_destroy(&ctx);
}

static crdi_figure *line_figure(crd_context *ctx, int count)
{
    static double x[MANY];
    crdi_figure *f = NULL;
    for (int i = 0; i < count; i++)
        x[i] = i + 1e-9;
    assert_ok(ctx, crdi_figure_create(&f, ctx, 1, 1));
    crdi_panel_add(f, f->panel, &(crdi_layer){.kind = CRDI_POINTS, .count = count, .x = x, .y = x});
    return f;
}

static void every_kind_of_layer_is_drawn(void **state)
{
    (void)state;
    if (!installed())
        testing_skip("gnuplot is not installed: no pictures\n");
    static const double x[4] = {1, 2, 3, 4}, edge[4] = {2, 3, 4, 5}, y[4] = {3, NAN, 2, 40},
                        high[4] = {4, 5, INFINITY, 60};
    static const double far[4] = {1e6, 1e6 + 1e-3, 1e6 + 2e-3, 1e6 + 3e-3}, tiny[4] = {1e-300, 1e-200, 1e-100, 1};
    crd_context *ctx = testing_context();
    crdi_figure *f = NULL;
    assert_ok(ctx, crdi_figure_create(&f, ctx, 2, 2));
    for (int kind = CRDI_POINTS; kind <= CRDI_NOTE; kind++) {
        crdi_panel *p = &f->panel[kind == CRDI_BARS || kind == CRDI_RULE_X || kind == CRDI_RULE_Y];
        crdi_panel_add(f, p,
                       &(crdi_layer){.kind = (crdi_layer_kind)kind,
                                     .role = (crdi_role)(kind % 5),
                                     .label = "a kind",
                                     .count = 4,
                                     .x = x,
                                     .y = y,
                                     .high = kind == CRDI_BARS ? edge : high});
    }
    crdi_panel_add(f, &f->panel[2], &(crdi_layer){.kind = CRDI_LINE, .count = 4, .x = far, .y = tiny, .label = "log"});
    f->panel[2].log_y = true;
    crdi_panel_add(f, &f->panel[3],
                   &(crdi_layer){.kind = CRDI_POINTS, .count = 1, .x = y + 1, .y = y, .label = "none"});
    crdi_panel_texts(f, &f->panel[3],
                     "Nothing that can be drawn, and a title that is much longer than the panel is wide", "x", "y");
    crdi_figure_footnote(f, "A note below.");
    assert_ok(ctx, crdi_figure_save(f, file("kinds.png"), true));
    assert_picture(file("kinds.png"));
    if (!kept)
        unlink(file("kinds.png"));
    crdi_figure_destroy(&f);
    testing_context_destroy(&ctx);
}

static int files_in_folder(void)
{
    int count = -2;
    DIR *d = opendir(folder);
    assert_non_null(d);
    while (readdir(d))
        count++;
    closedir(d);
    return count;
}

/* Saving must fail with this status and these words, and leave no file behind. */
static void assert_refused(crd_context *ctx, const char *path, bool force, crd_status expected, const char *words)
{
    crdi_figure *f = line_figure(ctx, MANY);
    int before = files_in_folder();
    assert_int_equal(crdi_figure_save(f, path, force), expected);
    assert_int_equal(crd_error_status(ctx), expected);
    if (!strstr(crd_error_message(ctx), words))
        fail_msg("'%s' does not say '%s'", crd_error_message(ctx), words);
    crd_error_clear(ctx);
    assert_int_equal(files_in_folder(), before);
    crdi_figure_destroy(&f);
}

static void names_that_are_no_pictures_are_refused(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    assert_refused(ctx, file("a.jpg"), true, CRD_EINVAL, ".png, .svg or .pdf");
    assert_refused(ctx, file("png"), true, CRD_EINVAL, ".png, .svg or .pdf");
    assert_refused(ctx, file(".png"), true, CRD_EINVAL, ".png, .svg or .pdf");
    assert_refused(ctx, file("a.png/b"), true, CRD_EINVAL, ".png, .svg or .pdf");
    assert_refused(ctx, file("missing/a.png"), true, CRD_EMISSING, "missing: no such folder");
    assert_int_equal(mkdir(file("folder.png"), 0700), 0);
    assert_refused(ctx, file("folder.png"), true, CRD_EINVAL, "not a file");
    rmdir(file("folder.png"));
    assert_ok(ctx, crdi_figure_check(ctx, file("a.PDF"), false));
    testing_context_destroy(&ctx);
}

static void write_text(const char *path, const char *text, mode_t mode)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    fclose(f);
    assert_int_equal(chmod(path, mode), 0);
}

static void an_existing_file_stays_unless_forced(void **state)
{
    (void)state;
    if (!installed())
        testing_skip("gnuplot is not installed: no pictures\n");
    crd_context *ctx = testing_context();
    write_text(file("old.svg"), "old", 0600);
    assert_int_equal(crdi_figure_check(ctx, file("old.svg"), false), CRD_EEXISTS);
    crd_error_clear(ctx);
    assert_ok(ctx, crdi_figure_check(ctx, file("old.svg"), true));
    assert_refused(ctx, file("old.svg"), false, CRD_EEXISTS, "old.svg: exists; --force replaces it");
    crdi_figure *f = line_figure(ctx, 3);
    assert_ok(ctx, crdi_figure_save(f, file("old.svg"), true));
    assert_picture(file("old.svg"));
    unlink(file("old.svg"));
    assert_ok(ctx, crdi_figure_save(f, file("it's `new`.svg"), false));
    assert_picture(file("it's `new`.svg"));
    unlink(file("it's `new`.svg"));
    crdi_figure_destroy(&f);
    if (!kept)
        assert_int_equal(files_in_folder(), 0);
    testing_context_destroy(&ctx);
}

/* Runs with the test's folder as the only place where programs are found. */
static void refused_with_own_path(crd_context *ctx, const char *words)
{
    char before[8192];
    snprintf(before, sizeof before, "%s", getenv("PATH") ? getenv("PATH") : "");
    setenv("PATH", folder, 1);
    assert_refused(ctx, file("a.png"), false, CRD_ETOOL, words);
    setenv("PATH", before, 1);
}

static void a_missing_gnuplot_is_named(void **state)
{
    (void)state;
    if (testing_under_valgrind())
        testing_skip("a program that is not there starts and fails under valgrind\n");
    crd_context *ctx = testing_context();
    refused_with_own_path(ctx, "apt install gnuplot-nox");
    testing_context_destroy(&ctx);
}

static void a_failing_gnuplot_is_quoted_and_does_not_kill_us(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    /* Ends at once: the rest of the script cannot be sent, which must not raise SIGPIPE. */
    write_text(file("gnuplot"), "#!/bin/sh\nexec <&-\nprintf 'plot x\\n     ^\\nline 0: b\\033ad' >&2\nexit 1\n", 0700);
    refused_with_own_path(ctx, "gnuplot failed: line 0: b\\x1bad");
    write_text(file("gnuplot"), "#!/bin/sh\nexit 0\n", 0700); /* success that draws nothing is none */
    refused_with_own_path(ctx, "gnuplot failed");
    unlink(file("gnuplot"));
    testing_context_destroy(&ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_figure_is_drawn_in_every_format),
        cmocka_unit_test(every_kind_of_layer_is_drawn),
        cmocka_unit_test(names_that_are_no_pictures_are_refused),
        cmocka_unit_test(an_existing_file_stays_unless_forced),
        cmocka_unit_test(a_missing_gnuplot_is_named),
        cmocka_unit_test(a_failing_gnuplot_is_quoted_and_does_not_kill_us),
    };
    const char *wanted = getenv("CREDENCE_PICTURES");
    kept = wanted && *wanted;
    snprintf(folder, sizeof folder, "%s", kept ? wanted : "/tmp/credence_pictures_XXXXXX");
    if (!kept && !mkdtemp(folder))
        return 1;
    int failures = cmocka_run_group_tests(tests, NULL, NULL);
    if (!kept)
        rmdir(folder);
    return failures;
}
