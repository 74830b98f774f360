/* test_run_map.c - what the map of a run holds, against predictions at inputs that are worked out here. */
#include "report/prediction.h"
#include "report/run_figure.h"
#include "store/dataset.h"
#include "fitted.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROWS = 41, CHAINS = 2, DRAWS = 15, CELLS = 7 };

static double input_a(int row)
{
    return 3 + 2 * cos(5.0 * row);
}

static double input_b(int row)
{
    return 10 * row - 200;
}

static const char *const colours[] = {"red", "blue", "red"};

/* Inputs a, b and colour; the targets are a class and a number. */
static crd_dataset *make_dataset(crd_context *ctx, const char *target, bool one_input)
{
    static const char *const drop[] = {"class", "number", "b", "colour"}, *const categorical[] = {"colour"};
    const char *dropped[4];
    int64_t count = 0;
    crdi_string text;
    for (int i = 0; i < (one_input ? 4 : 2); i++)
        if (strcmp(drop[i], target) != 0)
            dropped[count++] = drop[i];
    crdi_string_init(&text, ctx);
    crdi_string_append(&text, "a,b,colour,class,number\n");
    for (int i = 0; i < ROWS; i++)
        crdi_string_append(&text, "%.17g,%.17g,%s,%s,%.17g\n", input_a(i), input_b(i), colours[i % 3],
                           i % 4 == 0 ? "oak"
                           : i > 20   ? "elm"
                                      : "ash",
                           sin(0.1 * i) + cos(3.0 * i));
    return fitted_dataset(ctx, &text,
                          &(crd_dataset_options){.target = target,
                                                 .drop = dropped,
                                                 .drop_count = count,
                                                 .categorical = one_input ? NULL : categorical,
                                                 .categorical_count = !one_input,
                                                 .scale = CRD_SCALE_STANDARD});
}

static crdi_network_run *make_run(crd_context *ctx, const char *target, const char *likelihood, bool one_input)
{
    crd_network network = {.hidden = "3", .likelihood = likelihood};
    crdi_network_fit fit = fitted_settings(ctx, &network, CHAINS, 30, DRAWS);
    fit.mcmc.keep_count = 0;
    fit.seed = 7;
    return fitted_run(&fit, make_dataset(ctx, target, one_input));
}

/* Predictions at a grid, through a table and the recipe, as `credence predict` makes them. */
static crdi_prediction *predict(crd_context *ctx, const crdi_network_run *net, const char *csv,
                                const crdi_prediction_request *wanted)
{
    crdi_prediction *p;
    crd_table *table;
    crd_inputs *inputs;
    crdi_prediction_request request = *wanted;
    assert_ok(ctx, crd_csv_parse(ctx, "grid", csv, strlen(csv), NULL, &table));
    assert_ok(ctx, crd_dataset_apply(ctx, net->recipe, table, NULL, &inputs));
    request.x = &inputs->x;
    assert_ok(ctx, crdi_prediction_make(net, &request, &p));
    crd_inputs_destroy(&inputs);
    crd_table_destroy(&table);
    return p;
}

/* b along x from -100 to 40, a along y from 1 to 8; colour is its most frequent level. */
static crdi_string grid_of_numbers(crd_context *ctx)
{
    crdi_string text;
    crdi_string_init(&text, ctx);
    crdi_string_append(&text, "a,b,colour\n");
    for (int i = 0; i < CELLS; i++)
        for (int j = 0; j < CELLS; j++)
            crdi_string_append(&text, "%.17g,%.17g,red\n", 1 + 7.0 * (2 * i + 1) / (2 * CELLS),
                               -100 + 140.0 * (2 * j + 1) / (2 * CELLS));
    return text;
}

/* Inputs of a cell are the same numbers but for rounding. */
static void assert_cells(const crdi_layer *image, const double *expected)
{
    assert_int_equal(image->kind, CRDI_IMAGE);
    assert_int_equal(image->count, CELLS * CELLS);
    assert_int_equal(image->columns, CELLS);
    for (int i = 0; i < CELLS * CELLS; i++)
        assert_close(image->value[i], expected[i], 1e-9, 1e-12);
}

static void the_maps_of_classes_are_its_predictions(void **state)
{
    (void)state;
    static const char *const show[] = {"mode,total", "aleatoric", "epistemic,p_elm"}, *const inputs[] = {"b,a"};
    static const double range[] = {-100, 40, 1, 8};
    static const int64_t pick[] = {2, 0}; /* of the first chain: the noise has the same keys */
    crd_context *ctx = testing_context();
    crdi_network_run *net = make_run(ctx, "class", "categorical", false);
    crdi_string grid = grid_of_numbers(ctx);
    crdi_prediction *p = predict(ctx, net, crdi_string_text(&grid),
                                 &(crdi_prediction_request){.samples = 2, .pick = pick, .key = crd_key_make(3)});
    crdi_figure *f;
    crdi_run_figure_options options = {.inputs = inputs,
                                       .input_count = 1,
                                       .range = range,
                                       .range_count = 4,
                                       .resolution = CELLS,
                                       .show = show,
                                       .show_count = 3,
                                       .pick = pick,
                                       .pick_count = 2,
                                       .key = crd_key_make(3)};
    double expected[CELLS * CELLS], most = 0;
    assert_ok(ctx, crdi_run_figure_make(net, "map", &options, &f));
    assert_true(f->rows == 3 && f->columns == 3);
    assert_string_equal(f->panel[0].title, "predictive draw 2");
    assert_string_equal(f->panel[0].x_label, "b");
    assert_string_equal(f->panel[0].y_label, "a");
    assert_non_null(strstr(f->footnote, "colour = red"));
    for (int d = 0; d < 2; d++) {
        for (int i = 0; i < CELLS * CELLS; i++)
            expected[i] = p->sample[2 * i + d];
        assert_cells(&f->panel[d].layer[0], expected);
        assert_int_equal(f->panel[d].layer[0].role, CRDI_ROLE_CLASS);
    }
    for (int i = 0; i < CELLS * CELLS; i++)
        expected[i] = (double)crdi_prediction_mode(p, i);
    assert_cells(&f->panel[2].layer[0], expected);
    assert_cells(&f->panel[3].layer[0], p->entropy);
    assert_true(f->panel[3].scale[0] == 0 && f->panel[3].scale[1] == log(3));
    assert_cells(&f->panel[4].layer[0], p->expected_entropy);
    for (int i = 0; i < CELLS * CELLS; i++) {
        expected[i] = p->entropy[i] - p->expected_entropy[i];
        most = fmax(most, expected[i]);
    }
    assert_cells(&f->panel[5].layer[0], expected);
    assert_close(f->panel[5].scale[1], most, 1e-9, 0);
    for (int i = 0; i < CELLS * CELLS; i++)
        expected[i] = p->mean[3 * i + 1]; /* ash, elm, oak */
    assert_cells(&f->panel[6].layer[0], expected);
    assert_string_equal(f->panel[6].title, "P(class = elm)");
    const crdi_layer *elm = &f->panel[2].layer[f->panel[2].layer_count - 2];
    assert_string_equal(elm->label, "elm");
    assert_close(elm->x[0], input_b(21), 1e-9, 0);
    assert_close(elm->y[0], input_a(21), 1e-9, 0);
    crdi_figure_destroy(&f);
    crdi_prediction_destroy(&p);
    crdi_string_clear(&grid);
    crdi_network_run_close(&net);
    testing_context_destroy(&ctx);
}

/* The first draw of the second chain takes one draw of each chain. */
static void draws_are_counted_chain_after_chain(void **state)
{
    (void)state;
    static const char *const inputs[] = {"b,a"};
    static const double range[] = {-100, 40, 1, 8};
    static const int64_t pick[] = {DRAWS}, second[] = {1};
    crd_context *ctx = testing_context();
    crdi_network_run *net = make_run(ctx, "number", "normal", false);
    crdi_string grid = grid_of_numbers(ctx);
    crdi_prediction *p =
        predict(ctx, net, crdi_string_text(&grid),
                &(crdi_prediction_request){.draws = CHAINS, .samples = 1, .pick = second, .key = crd_key_make(3)});
    crdi_figure *f;
    crdi_run_figure_options options = {.inputs = inputs,
                                       .input_count = 1,
                                       .range = range,
                                       .range_count = 4,
                                       .resolution = CELLS,
                                       .pick = pick,
                                       .pick_count = 1,
                                       .key = crd_key_make(3)};
    assert_ok(ctx, crdi_run_figure_make(net, "map", &options, &f));
    assert_true(f->rows == 1 && f->columns == 1);
    assert_string_equal(f->panel[0].title, "predictive draw 15");
    assert_cells(&f->panel[0].layer[0], p->sample);
    crdi_figure_destroy(&f);
    crdi_prediction_destroy(&p);
    crdi_string_clear(&grid);
    crdi_network_run_close(&net);
    testing_context_destroy(&ctx);
}

static void levels_are_cells_of_their_own(void **state)
{
    (void)state;
    static const char *const inputs[] = {"b", "colour"};
    crd_context *ctx = testing_context();
    crdi_network_run *net = make_run(ctx, "number", "normal", false);
    crdi_string text;
    crdi_figure *f;
    double middle = 0, low = input_b(0), high = input_b(ROWS - 1), margin = 0.08 * (high - low);
    crdi_string_init(&text, ctx);
    crdi_string_append(&text, "a,b,colour\n");
    for (int i = 0; i < ROWS && middle == 0; i++) { /* the median of a */
        int below = 0;
        for (int j = 0; j < ROWS; j++)
            below += input_a(j) < input_a(i);
        middle = below == ROWS / 2 ? input_a(i) : 0;
    }
    for (int level = 0; level < 2; level++)
        for (int j = 0; j < CELLS; j++)
            crdi_string_append(&text, "%.17g,%.17g,%s\n", middle,
                               low - margin + (high - low + 2 * margin) * (2 * j + 1) / (2 * CELLS),
                               level ? "red" : "blue");
    crdi_prediction *p = predict(ctx, net, crdi_string_text(&text), &(crdi_prediction_request){.draws = 10});
    assert_ok(ctx, crdi_run_figure_make(
                       net, "map",
                       &(crdi_run_figure_options){.inputs = inputs, .input_count = 2, .resolution = CELLS, .draws = 10},
                       &f));
    assert_true(f->rows == 1 && f->columns == 2);
    const crdi_layer *mean = &f->panel[0].layer[0], *sd = &f->panel[1].layer[0];
    assert_true(mean->columns == CELLS && mean->count == 2 * CELLS);
    for (int i = 0; i < 2 * CELLS; i++) {
        assert_close(mean->value[i], p->mean[i], 1e-9, 1e-12);
        assert_close(sd->value[i], p->sd[i], 1e-9, 1e-12);
    }
    assert_int_equal(f->panel[0].y_name_count, 2);
    assert_string_equal(f->panel[0].y_name[1], "red");
    assert_true(f->panel[0].y_range[0] == -0.5 && f->panel[0].y_range[1] == 1.5);
    assert_true(f->panel[1].scale[0] == 0);
    crdi_figure_destroy(&f);
    crdi_prediction_destroy(&p);
    crdi_string_clear(&text);
    crdi_network_run_close(&net);
    testing_context_destroy(&ctx);
}

/* Noise: the root of the mean of s^2 over the draws, everywhere the same; the squares of both parts add up. */
static void the_spread_of_numbers_has_two_parts(void **state)
{
    (void)state;
    static const char *const show[] = {"total,aleatoric,epistemic"};
    crd_context *ctx = testing_context();
    crdi_network_run *net = make_run(ctx, "number", "normal", false);
    crd_posterior *posterior;
    crdi_figure *f;
    double mean_square = 0;
    const int n = CHAINS * DRAWS;
    assert_ok(ctx, crd_run_posterior(net->run, &posterior));
    const double *s = crd_posterior_find(posterior, "s")->draws;
    for (int d = 0; d < n; d++)
        mean_square += s[d] * s[d] / n;
    double noise = sqrt(mean_square) * net->recipe->target_sd;
    assert_ok(ctx, crdi_run_figure_make(
                       net, "map", &(crdi_run_figure_options){.resolution = CELLS, .show = show, .show_count = 1}, &f));
    const double *total = f->panel[0].layer[0].value, *aleatoric = f->panel[1].layer[0].value;
    const double *epistemic = f->panel[2].layer[0].value;
    assert_string_equal(f->panel[0].title, "number: sd of a new value (total)");
    for (int i = 0; i < CELLS * CELLS; i++) {
        assert_close(aleatoric[i], noise, 1e-9, 0);
        /* The sd of the draws' means divides by n - 1, the parts by n. */
        assert_close(total[i] * total[i], noise * noise + epistemic[i] * epistemic[i] * (n - 1) / n, 1e-9, 0);
    }
    crdi_figure_destroy(&f);
    crd_posterior_destroy(&posterior);
    crdi_network_run_close(&net);
    testing_context_destroy(&ctx);
}

static void assert_refused(crd_context *ctx, crdi_network_run *net, const crdi_run_figure_options *options,
                           crd_status status, const char *words)
{
    crdi_figure *f = NULL;
    assert_int_equal(crdi_run_figure_make(net, "map", options, &f), status);
    assert_null(f);
    if (!strstr(crd_error_message(ctx), words))
        fail_msg("'%s' does not say '%s'", crd_error_message(ctx), words);
    crd_error_clear(ctx);
}

static void what_cannot_be_drawn_is_refused(void **state)
{
    (void)state;
    static const char *const inputs[] = {"a", "colur", "a,b,colour", "b,b"}, *const show[] = {"mode", "entrpy",
                                                                                              "p_fir"};
    static const int64_t pick[] = {CHAINS * DRAWS};
    crd_context *ctx = testing_context();
    crdi_network_run *net = make_run(ctx, "class", "categorical", false);
    assert_refused(ctx, net, &(crdi_run_figure_options){.inputs = inputs, .input_count = 1}, CRD_EINVAL, "needs two");
    assert_refused(ctx, net, &(crdi_run_figure_options){.inputs = inputs, .input_count = 2}, CRD_ENAME, "'colour'");
    assert_refused(ctx, net, &(crdi_run_figure_options){.inputs = inputs + 2, .input_count = 1}, CRD_EINVAL,
                   "more than 2");
    assert_refused(ctx, net, &(crdi_run_figure_options){.inputs = inputs + 3, .input_count = 1}, CRD_EINVAL, "twice");
    assert_refused(ctx, net, &(crdi_run_figure_options){.show = show + 1, .show_count = 1}, CRD_ENAME, "'entropy'");
    assert_refused(ctx, net, &(crdi_run_figure_options){.show = show + 2, .show_count = 1}, CRD_ENAME, "p_fir");
    assert_refused(ctx, net, &(crdi_run_figure_options){.pick = pick, .pick_count = 1}, CRD_EINVAL,
                   "draw 30 is asked for, of draws 0 to 29");
    crdi_network_run_close(&net);
    net = make_run(ctx, "number", "normal", false);
    assert_refused(ctx, net, &(crdi_run_figure_options){.show = show, .show_count = 1}, CRD_ENAME, "mean, sd");
    crdi_network_run_close(&net);
    net = make_run(ctx, "number", "normal", true);
    assert_refused(ctx, net, &(crdi_run_figure_options){0}, CRD_EUNSUPPORTED, "needs two inputs, and the run has one");
    crdi_network_run_close(&net);
    testing_context_destroy(&ctx);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fitted_begin, fitted_end)

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(the_maps_of_classes_are_its_predictions),
                                       TEST(draws_are_counted_chain_after_chain), TEST(levels_are_cells_of_their_own),
                                       TEST(the_spread_of_numbers_has_two_parts),
                                       TEST(what_cannot_be_drawn_is_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
