/* test_run.c - a network fitted into a run file, and what comes out of the file again: the description, the summary,
 * predictions, figures, tables. What is expected is computed from the draws in another way. */
#include "report/prediction.h"
#include "report/run_csv.h"
#include "report/run_figure.h"
#include "report/run_summary.h"
#include "store/dataset.h"
#include "store/json.h"
#include "store/network_fit.h"
#include "testing.h"

#include <credence/diag.h>
#include <credence/mcmc.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROWS = 300, CHAINS = 3, DRAWS = 20 };

static char folder[64], path[96], table_path[96];

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "%s", "/tmp/credence-run-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/run.crd", folder);
    snprintf(table_path, sizeof table_path, "%s/table.csv", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(path);
    unlink(table_path);
    return rmdir(folder);
}

/* Two numbers and a category; the target far from 0 and 1, so that forgotten units show. */
static crd_table *make_table(crd_context *ctx)
{
    crdi_string text;
    crd_table *table;
    crdi_string_init(&text, ctx);
    crdi_string_append(&text, "a,kind,b,y\n");
    for (int i = 0; i < ROWS; i++)
        crdi_string_append(&text, "%.17g,%s,%.17g,%.17g\n", 0.01 * i, i % 3 ? "red" : "blue", cos(7.0 * i),
                           500 + 90 * sin(0.02 * i) + 4 * cos(11.0 * i));
    assert_ok(ctx, crd_csv_parse(ctx, "table", crdi_string_text(&text), text.length, NULL, &table));
    crdi_string_clear(&text);
    return table;
}

static crd_dataset *make_dataset(crd_context *ctx)
{
    static const char *const levels[] = {"kind"};
    crd_dataset *dataset;
    crd_table *table = make_table(ctx);
    assert_ok(ctx, crd_dataset_make(
                       ctx, table,
                       &(crd_dataset_options){
                           .target = "y", .categorical = levels, .categorical_count = 1, .scale = CRD_SCALE_STANDARD},
                       &dataset));
    crd_table_destroy(&table);
    return dataset;
}

static const char *const kept[] = {"f"};

static crdi_network_fit fit_of(crd_context *ctx, const crd_dataset *dataset)
{
    return (crdi_network_fit){.ctx = ctx,
                              .method = "nuts",
                              .dataset = dataset,
                              .network = {.hidden = "3",
                                          .activation = "tanh",
                                          .prior = "*.bias=normal:0,2;*.kernel=normal:0,1",
                                          .noise = "half_cauchy:0.5"},
                              .mcmc = {.chains = CHAINS,
                                       .warmup = 20,
                                       .draws = DRAWS,
                                       .kernel = "nuts",
                                       .max_depth = 5,
                                       .keep = kept,
                                       .keep_count = 1},
                              .data_name = "table",
                              .options = "{}",
                              .path = path,
                              .seed = 77};
}

static void write_run(crd_context *ctx, crd_dataset *dataset)
{
    crdi_mcmc_report report;
    crdi_network_fit fit = fit_of(ctx, dataset);
    assert_ok(ctx, crdi_network_fit_prepare(&fit));
    assert_int_equal(access(path, F_OK), -1); /* nothing stands there before the draws */
    assert_ok(ctx, crdi_network_fit_run(&fit, &report));
    assert_true(report.gradient_evaluations > 0);
    crdi_network_fit_clear(&fit);
}

static crdi_network_run *open_run(crd_context *ctx)
{
    crdi_network_run *net;
    crd_dataset *dataset = make_dataset(ctx);
    write_run(ctx, dataset);
    crd_dataset_destroy(&dataset);
    assert_ok(ctx, crdi_network_run_open(ctx, path, &net));
    return net;
}

/* ---- the description ------------------------------------------------------------------------------------------ */

static void check_text(crd_context *ctx, crdi_network_run *net, const char *key, const char *expected)
{
    char *text;
    assert_ok(ctx, crdi_run_get_text(net->run, key, &text));
    assert_string_equal(text, expected);
    crdi_free(ctx, text);
}

static void what_was_described_comes_back(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crdi_network_run *net = open_run(ctx);
    crd_dataset *dataset = make_dataset(ctx);
    crd_model *model;
    int64_t seed;
    assert_true(net->is_network);
    assert_string_equal(net->model, "network");
    assert_string_equal(net->network.hidden, "3");
    assert_string_equal(net->network.activation, "tanh");
    assert_string_equal(net->network.prior, "*.bias=normal:0,2;*.kernel=normal:0,1");
    assert_string_equal(net->network.noise, "half_cauchy:0.5");
    assert_int_equal(net->recipe->feature_count, 4);
    assert_true(net->recipe->target_mean == dataset->recipe->target_mean);
    assert_memory_equal(net->network.x.data, dataset->x.data, ROWS * 4 * sizeof(double));
    assert_memory_equal(net->network.y->data, dataset->y.data, ROWS * sizeof(double));
    check_text(ctx, net, "data_sha256", dataset->sha256);
    check_text(ctx, net, "method", "nuts");
    check_text(ctx, net, "status", "complete");
    check_text(ctx, net, "options", "{}");
    check_text(ctx, net, "priors",
               "[{\"site\":\"net/Dense_0.bias\",\"shape\":[3],\"prior\":\"normal:0,2\"},"
               "{\"site\":\"net/Dense_0.kernel\",\"shape\":[4,3],\"prior\":\"normal:0,1\"},"
               "{\"site\":\"net/Dense_1.bias\",\"shape\":[1],\"prior\":\"normal:0,2\"},"
               "{\"site\":\"net/Dense_1.kernel\",\"shape\":[3,1],\"prior\":\"normal:0,1\"},"
               "{\"site\":\"s\",\"shape\":[],\"prior\":\"half_cauchy:0.5\"}]");
    assert_ok(ctx, crdi_run_get_integer(net->run, "seed", &seed));
    assert_int_equal(seed, 77);
    assert_ok(ctx, crdi_network_run_model(net, &model));
    assert_int_equal(crd_model_dim(model), 3 + 12 + 1 + 3 + 1);
    crd_model_destroy(&model);
    net->network.hidden = "4"; /* not what the columns were drawn for */
    assert_int_equal(crdi_network_run_model(net, &model), CRD_EDAMAGED);
    assert_null(model);
    crd_dataset_destroy(&dataset);
    crdi_network_run_close(&net);
    testing_context_destroy(&ctx);
}

static void priors_are_grouped(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crdi_network_run *net = open_run(ctx);
    crdi_string text;
    crdi_string_init(&text, ctx);
    assert_ok(ctx, crdi_network_priors_text(ctx, &net->network, 2, &text));
    assert_string_equal(crdi_string_text(&text),
                        "normal:0,2 on net/Dense_0.bias (3,), net/Dense_1.bias (1,)\n"
                        "  normal:0,1 on net/Dense_0.kernel (4, 3), net/Dense_1.kernel (3, 1)\n"
                        "  half_cauchy:0.5 on s\n");
    crdi_string_clear(&text);
    crdi_network_run_close(&net);
    testing_context_destroy(&ctx);
}

/* ---- draws ---------------------------------------------------------------------------------------------------- */

/* The run into a file has the draws of the same run into memory, and their elements can be read one by one. */
static void elements_are_those_of_the_posterior(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crdi_network_run *net = open_run(ctx);
    crd_posterior *posterior;
    crdi_run_part part;
    double series[CHAINS * DRAWS], read[5 * CHAINS * DRAWS];
    crd_nuts_options options = {.chains = CHAINS, .warmup = 20, .draws = DRAWS, .max_depth = 5};
    crd_model *model;
    assert_ok(ctx, crdi_network_run_model(net, &model));
    assert_ok(ctx, crd_nuts_run(model, &options, crd_key_make(77), &posterior));
    assert_ok(ctx, crdi_run_part_find(ctx, net->run, &part));
    assert_int_equal(part.chains, CHAINS);
    assert_int_equal(part.draws, DRAWS);
    const crd_column *column;
    assert_ok(ctx, crd_run_find(net->run, "net/Dense_0.kernel", &column));
    assert_ok(ctx, crdi_run_read_elements(ctx, net->run, column, &part, 3, 5, read));
    for (int e = 0; e < 5; e++) {
        crd_posterior_series(posterior, crd_posterior_find(posterior, "net/Dense_0.kernel"), 3 + e, series);
        assert_memory_equal(series, read + e * CHAINS * DRAWS, sizeof series);
    }
    crdi_run_part_clear(ctx, &part);
    crd_posterior_destroy(&posterior);
    crd_model_destroy(&model);
    crdi_network_run_close(&net);
    testing_context_destroy(&ctx);
}

static void the_summary_is_that_of_the_draws(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crdi_network_run *net = open_run(ctx);
    crd_posterior *posterior;
    crdi_run_summary *summary;
    double series[CHAINS * DRAWS], worst = 0;
    assert_ok(ctx, crd_run_posterior(net->run, &posterior));
    assert_ok(ctx, crdi_run_summary_make(net, NULL, 0.8, &summary));
    assert_int_equal(summary->count, 20); /* f and the statistics are not among them */
    int64_t at = 0;
    for (int c = 0; c < posterior->column_count; c++) {
        const crd_column *column = &posterior->column[c];
        for (int64_t e = 0; e < column->size && column->kind == CRD_COLUMN_LATENT; e++, at++) {
            crd_diag_summary expected;
            char label[64];
            crd_posterior_series(posterior, column, e, series);
            assert_ok(ctx, crd_diag_summarise(ctx, series, CHAINS, DRAWS, 0.8, &expected));
            assert_string_equal(summary->row[at].label, crd_column_label(column, e, label, sizeof label));
            assert_true(summary->row[at].mean == expected.mean && summary->row[at].low == expected.low);
            assert_true(summary->row[at].n_eff == expected.n_eff && summary->row[at].r_hat == expected.r_hat);
            worst = fmax(worst, expected.r_hat);
        }
    }
    assert_true(summary->worst_r_hat->r_hat == worst);
    assert_int_equal(summary->divergences, crd_posterior_divergences(posterior));
    crdi_run_summary_destroy(&summary);
    assert_ok(ctx, crdi_run_summary_make(net, "f", 0.8, &summary));
    assert_int_equal(summary->count, ROWS);
    crdi_run_summary_destroy(&summary);
    assert_ok(ctx, crdi_run_summary_make(net, "net/Dense_?.kernel[2,*]", 0.8, &summary));
    assert_int_equal(summary->count, 3 + 1);
    crdi_run_summary_destroy(&summary);
    assert_int_equal(crdi_run_summary_make(net, "energy", 0.8, &summary), CRD_ENAME); /* a statistic is no site */
    crd_posterior_destroy(&posterior);
    crdi_network_run_close(&net);
    testing_context_destroy(&ctx);
}

static void diagnostics_are_those_of_the_draws(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crdi_network_run *net = open_run(ctx);
    crd_posterior *posterior;
    crdi_run_summary *summary;
    double x[CHAINS * DRAWS], value, interval[2];
    assert_ok(ctx, crd_run_posterior(net->run, &posterior));
    assert_ok(ctx, crdi_run_diagnostics_make(net, NULL, 0.8, &summary));
    assert_int_equal(summary->count, 20);
    const crdi_diagnostic_row *d = &summary->diagnostic[19], *first = &summary->diagnostic[0];
    assert_string_equal(d->label, "s");
    assert_string_equal(first->label, summary->row[0].label);
    crd_posterior_series(posterior, crd_posterior_find(posterior, "s"), 0, x);
    assert_true(d->mean == crd_diag_mean(x, CHAINS * DRAWS) && d->sd == crd_diag_sd(x, CHAINS * DRAWS));
    assert_ok(ctx, crd_diag_hpdi(ctx, x, CHAINS * DRAWS, 0.8, interval));
    assert_true(d->low == interval[0] && d->high == interval[1]);
    assert_ok(ctx, crd_diag_mcse_mean(ctx, x, CHAINS, DRAWS, &value));
    assert_true(d->mcse_mean == value);
    assert_ok(ctx, crd_diag_mcse_sd(ctx, x, CHAINS, DRAWS, &value));
    assert_true(d->mcse_sd == value);
    assert_ok(ctx, crd_diag_ess_bulk(ctx, x, CHAINS, DRAWS, &value));
    assert_true(d->ess_bulk == value);
    assert_ok(ctx, crd_diag_ess_tail(ctx, x, CHAINS, DRAWS, &value));
    assert_true(d->ess_tail == value);
    assert_ok(ctx, crd_diag_r_hat_rank(ctx, x, CHAINS, DRAWS, &value));
    assert_true(d->r_hat == value);
    crd_posterior_series(posterior, crd_posterior_find(posterior, "energy"), 0, x);
    for (int c = 0; c < CHAINS; c++)
        assert_true(summary->ebfmi[c] == crd_diag_ebfmi(x + c * DRAWS, DRAWS));
    crdi_run_summary_destroy(&summary);
    crd_posterior_destroy(&posterior);
    crdi_network_run_close(&net);
    testing_context_destroy(&ctx);
}

/* The JSON of a summary can be read again; what is not finite is null. */
static void json_is_read_again(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crdi_network_run *net = open_run(ctx);
    crdi_run_summary *summary;
    crdi_string text;
    crdi_json *json;
    double mean;
    crdi_string_init(&text, ctx);
    assert_ok(ctx, crdi_run_summary_make(net, "s", 0.9, &summary));
    summary->row[0].r_hat = NAN;
    assert_ok(ctx, crdi_run_summary_json(&text, summary));
    assert_ok(ctx, crdi_json_parse(ctx, "summary", crdi_string_text(&text), &json));
    const crdi_json *row = crdi_json_at(crdi_json_get(json, "rows"), 0);
    assert_ok(ctx, crdi_json_need_number(ctx, "summary", row, "mean", &mean));
    assert_true(mean == summary->row[0].mean);
    assert_int_equal(crdi_json_need_number(ctx, "summary", row, "r_hat", &mean), CRD_EDAMAGED);
    crdi_json_destroy(&json);
    crdi_string_clear(&text);
    int64_t draws[] = {5, 3};
    crdi_run_end end = {
        .path = "a \"b\"", .seed = 3, .chains = 2, .draws = draws, .interrupted = true, .summary = summary};
    end.cost = (crdi_mcmc_report){1.5, 2.5, 1000, 0.002, 4};
    assert_ok(ctx, crdi_run_end_json(&text, &end));
    assert_ok(ctx, crdi_json_parse(ctx, "end", crdi_string_text(&text), &json));
    assert_string_equal(crdi_json_string(crdi_json_get(json, "out")), "a \"b\"");
    assert_ok(ctx, crdi_json_need_number(ctx, "end", json, "microseconds_per_gradient", &mean));
    assert_close(mean, 2, 1e-12, 0);
    assert_ok(ctx, crdi_json_need_number(ctx, "end", json, "draws", &mean));
    assert_true(mean == 3);
    crdi_json_destroy(&json);
    crdi_string_clear(&text);
    crdi_run_summary_destroy(&summary);
    crdi_network_run_close(&net);
    testing_context_destroy(&ctx);
}

/* ---- predictions ---------------------------------------------------------------------------------------------- */

static const double probs[] = {0.1, 0.5, 0.9};

static crdi_prediction *predict(crd_context *ctx, const crdi_network_run *net, int threads, size_t memory)
{
    crdi_prediction *p;
    crdi_prediction_request request = {
        .x = &net->x, .prob = probs, .prob_count = 3, .key = crd_key_make(5), .threads = threads, .memory = memory};
    assert_ok(ctx, crdi_prediction_make(net, &request, &p));
    return p;
}

/* f was kept while drawing: quantiles of it, in the target's units, are what is predicted at the data. */
static void predictions_are_those_of_the_kept_site(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crdi_network_run *net = open_run(ctx);
    crdi_prediction *p = predict(ctx, net, 0, 0);
    crd_posterior *posterior;
    double f[CHAINS * DRAWS], expected[3], width = 0, noise = 0, s[CHAINS * DRAWS];
    const crd_recipe *r = net->recipe;
    assert_ok(ctx, crd_run_posterior(net->run, &posterior));
    for (int i = 0; i < ROWS; i++) {
        crd_posterior_series(posterior, crd_posterior_find(posterior, "f"), i, f);
        assert_ok(ctx, crd_diag_quantile(ctx, f, CHAINS * DRAWS, probs, 3, expected));
        for (int k = 0; k < 3; k++)
            assert_close(p->f[3 * i + k], r->target_mean + r->target_sd * expected[k], 1e-12, 0);
        assert_close(p->mean[i], r->target_mean + r->target_sd * crd_diag_mean(f, CHAINS * DRAWS), 1e-12, 0);
        assert_close(p->sd[i], r->target_sd * crd_diag_sd(f, CHAINS * DRAWS), 1e-9, 0);
        width += (p->y[3 * i + 2] - p->y[3 * i]) / ROWS;
        noise += p->sd[i] * p->sd[i] / ROWS;
    }
    /* y is about normal with the variances of f and of the noise: 80 % lie within 1.2816 standard deviations. */
    crd_posterior_series(posterior, crd_posterior_find(posterior, "s"), 0, s);
    double sd = sqrt(noise + pow(r->target_sd * crd_diag_mean(s, CHAINS * DRAWS), 2));
    assert_close(width, 2 * 1.2816 * sd, 0.1, 0);
    crd_posterior_destroy(&posterior);
    crdi_prediction_destroy(&p);
    crdi_network_run_close(&net);
    testing_context_destroy(&ctx);
}

/* Little memory: draws in pieces, groups smaller than a block. Not a bit changes. */
static void memory_and_threads_change_nothing(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crdi_network_run *net = open_run(ctx);
    crdi_prediction *all = predict(ctx, net, 1, 0);
    static const size_t memory[] = {(size_t)4 * 8 * 7 * 20, (size_t)4 * 8 * 70 * CHAINS * DRAWS,
                                    (size_t)4 * 8 * 200 * CHAINS * DRAWS};
    for (int i = 0; i < 3; i++) {
        crdi_prediction *some = predict(ctx, net, i + 1, memory[i]);
        assert_memory_equal(all->f, some->f, 3 * ROWS * sizeof(double));
        assert_memory_equal(all->y, some->y, 3 * ROWS * sizeof(double));
        assert_memory_equal(all->mean, some->mean, ROWS * sizeof(double));
        assert_memory_equal(all->sd, some->sd, ROWS * sizeof(double));
        crdi_prediction_destroy(&some);
    }
    crdi_prediction_destroy(&all);
    crdi_network_run_close(&net);
    testing_context_destroy(&ctx);
}

/* ---- figures -------------------------------------------------------------------------------------------------- */

static void bands_are_in_the_units_of_the_table(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crdi_network_run *net = open_run(ctx);
    crdi_figure *figure;
    double x[2], y[2];
    assert_ok(ctx, crdi_run_figure_make(net, "bands", &(crdi_run_figure_options){.along = "a"}, &figure));
    assert_int_equal(figure->columns, 2); /* the band, and observed against predicted */
    crdi_panel_ranges(crdi_figure_panel(figure, 0, 0), x, y);
    assert_close(x[0], -0.05 * 2.99, 1e-9, 0); /* 0 to 2.99 and the margin of a panel */
    assert_close(x[1], 1.05 * 2.99, 1e-9, 0);
    assert_true(y[0] > 200 && y[1] < 800);
    crdi_figure_destroy(&figure);
    assert_ok(ctx, crdi_run_figure_make(net, "data", &(crdi_run_figure_options){0}, &figure));
    assert_int_equal(figure->columns, 3);
    assert_string_equal(crdi_figure_panel(figure, 0, 1)->x_label, "kind");
    const crdi_layer *points = &crdi_figure_panel(figure, 0, 1)->layer[0];
    for (int i = 0; i < ROWS; i++) {
        assert_true(points->x[i] == (i % 3 ? 1 : 0));
        assert_close(points->y[i], 500 + 90 * sin(0.02 * i) + 4 * cos(11.0 * i), 1e-12, 0);
    }
    crdi_figure_destroy(&figure);
    crdi_network_run_close(&net);
    testing_context_destroy(&ctx);
}

static void traces_are_the_draws(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crdi_network_run *net = open_run(ctx);
    crd_posterior *posterior;
    crdi_figure *figure;
    double series[CHAINS * DRAWS];
    static const char *const site[] = {"net/Dense_0.kernel[2,1]", "net/Dense_0.bias"};
    assert_ok(ctx, crd_run_posterior(net->run, &posterior));
    assert_ok(ctx,
              crdi_run_figure_make(net, "trace", &(crdi_run_figure_options){.site = site, .site_count = 2}, &figure));
    assert_int_equal(figure->rows, 1 + 3);
    assert_string_equal(crdi_figure_panel(figure, 0, 0)->y_label, "net/Dense_0.kernel[2,1]");
    crd_posterior_series(posterior, crd_posterior_find(posterior, "net/Dense_0.kernel"), 2 * 3 + 1, series);
    for (int c = 0; c < CHAINS; c++)
        assert_memory_equal(crdi_figure_panel(figure, 0, 0)->layer[c].y, series + c * DRAWS, DRAWS * sizeof(double));
    crdi_figure_destroy(&figure);
    assert_ok(ctx, crdi_run_figure_make(net, "trace", &(crdi_run_figure_options){0}, &figure));
    assert_int_equal(figure->rows, 5);
    assert_string_equal(crdi_figure_panel(figure, 0, 0)->y_label, "net/Dense_1.bias[0]");
    assert_string_equal(crdi_figure_panel(figure, 4, 0)->y_label, "s");
    crdi_figure_destroy(&figure);
    crd_posterior_destroy(&posterior);
    crdi_network_run_close(&net);
    testing_context_destroy(&ctx);
}

/* ---- tables --------------------------------------------------------------------------------------------------- */

static void exported_draws_come_back_to_the_bit(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crdi_network_run *net = open_run(ctx);
    crd_posterior *posterior;
    crd_table *table;
    double series[CHAINS * DRAWS];
    char label[64];
    assert_ok(ctx, crdi_run_csv(ctx, net->run, &(crdi_csv_place){.path = table_path}));
    assert_ok(ctx, crd_csv_read(ctx, table_path, NULL, &table));
    assert_ok(ctx, crd_run_posterior(net->run, &posterior));
    assert_int_equal(table->row_count, CHAINS * DRAWS);
    int64_t at = 2;
    for (int c = 0; c < posterior->column_count; c++)
        for (int64_t e = 0; e < posterior->column[c].size; e++, at++) {
            crd_posterior_series(posterior, &posterior->column[c], e, series);
            assert_string_equal(table->column[at].name,
                                crd_column_label(&posterior->column[c], e, label, sizeof label));
            assert_memory_equal(table->column[at].number, series, sizeof series);
        }
    assert_int_equal(at, table->column_count);
    crd_posterior_destroy(&posterior);
    crd_table_destroy(&table);
    crdi_network_run_close(&net);
    testing_context_destroy(&ctx);
}

/* ---- notes ------------------------------------------------------------------------------------------------------ */

static void assert_notes(crd_context *ctx, const crdi_run_summary *s, const char *expected)
{
    crdi_string text;
    crdi_string_init(&text, ctx);
    assert_ok(ctx, crdi_run_notes(&text, s));
    assert_string_equal(crdi_string_text(&text), expected);
    crdi_string_clear(&text);
}

static void notes_say_what_speaks_against_the_draws(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crdi_summary_row row = {.label = "s", .r_hat = 1.05, .n_eff = 100};
    crdi_run_summary s = {.ctx = ctx, .row = &row, .count = 1, .worst_r_hat = &row, .smallest_n_eff = &row};
    s.part = (crdi_run_part){.chains = 2, .draws = 1000};
    s.max_depth = 10;
    s.divergences = 2;
    s.deepest = 100;
    assert_notes(ctx, &s, "");
    row.r_hat = 1.06;
    assert_notes(ctx, &s,
                 "note: r_hat of s is 1.06, above 1.05: the chains do not agree; try more --warmup and --draws\n");
    row.r_hat = 1.0504; /* rounded to two decimals it would be the bound */
    assert_notes(ctx, &s,
                 "note: r_hat of s is 1.0504, above 1.05: the chains do not agree; try more --warmup and --draws\n");
    row.r_hat = 1;
    row.n_eff = 99.7;
    assert_notes(ctx, &s, "note: n_eff of s is 99, below 100: its interval is rough; try more --draws\n");
    row.n_eff = 1000;
    s.divergences = 3;
    assert_notes(ctx, &s,
                 "note: 3 of 2000 draws diverged: they may miss a part of the posterior; try --target-accept 0.95\n");
    s.divergences = -1;
    s.deepest = 200;
    assert_notes(ctx, &s,
                 "note: 10 % of the draws ended at the largest tree depth: they move slowly; try --max-depth 12\n");
    char hmc[] = "hmc";
    s.method = hmc;
    assert_notes(ctx, &s,
                 "note: 10 % of the trajectories were cut, before their length, at 1023 steps: they move slowly; try "
                 "--max-depth 12\n");
    s.method = NULL;
    s.deepest = 0;
    row.r_hat = NAN;
    assert_notes(ctx, &s, "note: r_hat of s is no number: its draws do not vary; try more --warmup\n");
    s.part.draws = 3;
    assert_notes(ctx, &s, "note: too few draws for r_hat and n_eff; try --draws 1000\n");
    row.r_hat = 1;
    row.n_eff = -5;
    assert_notes(ctx, &s, "note: too few draws for r_hat and n_eff; try --draws 1000\n");
    testing_context_destroy(&ctx);
}

/* ---- runs of another kind ------------------------------------------------------------------------------------- */

/* A run with chains of the given lengths, as a model written in C makes it. */
static void write_foreign(crd_context *ctx, const int64_t draws[4])
{
    static char name[] = "theta";
    static const crd_column column = {.name = name, .shape = {1, {2}}, .size = 2};
    crdi_run *run;
    unlink(path); /* one without draws would leave the file before it */
    assert_ok(ctx, crdi_run_create(ctx, path, true, &run));
    assert_ok(ctx, crdi_run_set_text(run, "model", "eight schools"));
    assert_ok(ctx, crdi_run_begin(run, &column, 1, 4));
    crdi_sink sink = crdi_run_sink(run);
    for (int c = 0; c < 4; c++)
        for (int64_t d = 0; d < draws[c]; d++) {
            const double value[2] = {sin(3.0 * (double)d + c), 10.0 * c + (double)d}, *values[] = {value};
            assert_ok(ctx, sink.draws(sink.user, c, d, 1, values));
        }
    assert_ok(ctx, crdi_run_close(&run, CRD_INTERRUPTED));
}

static void models_written_in_c_are_summarised_and_not_predicted(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crdi_network_run *net;
    crdi_run_summary *summary;
    crdi_prediction *prediction = NULL;
    crdi_figure *figure;
    double x[2] = {0};
    crd_array inputs = crd_array_borrow(x, crd_shape_2(2, 1));
    write_foreign(ctx, (const int64_t[]){9, 9, 9, 9});
    assert_ok(ctx, crdi_network_run_open(ctx, path, &net));
    assert_false(net->is_network);
    assert_ok(ctx, crdi_run_summary_make(net, NULL, 0.9, &summary));
    assert_int_equal(summary->count, 2);
    assert_int_equal(summary->divergences, -1);
    crdi_run_summary_destroy(&summary);
    assert_ok(ctx, crdi_run_figure_make(net, "trace", &(crdi_run_figure_options){0}, &figure));
    crdi_figure_destroy(&figure);
    assert_int_equal(crdi_prediction_make(net, &(crdi_prediction_request){.x = &inputs}, &prediction),
                     CRD_EUNSUPPORTED);
    assert_non_null(strstr(crd_error_message(ctx), "eight schools"));
    crd_error_clear(ctx);
    assert_int_equal(crdi_run_figure_make(net, "data", &(crdi_run_figure_options){0}, &figure), CRD_EUNSUPPORTED);
    crdi_network_run_close(&net);
    testing_context_destroy(&ctx);
}

/* Of chains of different lengths the cut with most draws is taken; of equal cuts that with most chains. */
static void the_largest_part_of_a_stopped_run_is_used(void **state)
{
    (void)state;
    static const struct {
        int64_t draws[4];
        int chains, first;
        int64_t cut;
    } cases[] = {{{10, 9, 0, 0}, 2, 0, 9},  {{100, 9, 0, 3}, 1, 0, 100}, {{0, 0, 0, 0}, 0, 0, 0},
                 {{6, 3, 0, 0}, 2, 0, 3},   {{0, 8, 7, 8}, 3, 1, 7},     {{5, 5, 5, 5}, 4, 0, 5},
                 {{1, 20, 20, 1}, 2, 1, 20}};
    crd_context *ctx = testing_context();
    for (int i = 0; i < CRDI_COUNT(cases); i++) {
        crd_run *run;
        crdi_run_part part;
        double read[400];
        write_foreign(ctx, cases[i].draws);
        assert_ok(ctx, crd_run_open(ctx, path, &run));
        assert_ok(ctx, crdi_run_part_find(ctx, run, &part));
        assert_int_equal(part.chains, cases[i].chains);
        assert_int_equal(part.draws, cases[i].cut);
        assert_ok(ctx, crdi_run_read_elements(ctx, run, crd_run_column(run, 0), &part, 1, 1, read));
        for (int64_t d = 0; part.chains > 0 && d < part.draws; d++)
            assert_true(read[d] == 10.0 * cases[i].first + (double)d);
        crdi_run_part_clear(ctx, &part);
        crd_run_close(&run);
    }
    testing_context_destroy(&ctx);
}

/* ---- what is refused ------------------------------------------------------------------------------------------ */

static void a_description_that_is_wrong_is_damage(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    static const char *const network[] = {
        "{\"hidden\":\"3\",\"activation\":\"tanh\",\"prior\":\"normal:0,1\"}", /* no noise */
        "{\"hidden\":3}", "[", ""};
    for (int i = 0; i < CRDI_COUNT(network); i++) {
        static char name[] = "s";
        static const crd_column column = {.name = name, .size = 1};
        crdi_run *run;
        crdi_network_run *net = NULL;
        assert_ok(ctx, crdi_run_create(ctx, path, true, &run));
        assert_ok(ctx, crdi_run_set_text(run, "network", network[i]));
        assert_ok(ctx, crdi_run_begin(run, &column, 1, 1));
        assert_ok(ctx, crdi_run_close(&run, CRD_OK));
        assert_int_equal(crdi_network_run_open(ctx, path, &net), CRD_EDAMAGED);
        assert_null(net);
        assert_non_null(strstr(crd_error_message(ctx), path));
        crd_error_clear(ctx);
    }
    testing_context_destroy(&ctx);
}

static void a_fit_that_is_refused_leaves_nothing(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_dataset *dataset = make_dataset(ctx);
    crdi_network_fit fit = fit_of(ctx, dataset);
    fit.network.prior = "net/Dense_0.*=normal:0,1";
    assert_int_equal(crdi_network_fit_prepare(&fit), CRD_EPRIOR);
    crdi_network_fit_clear(&fit);
    crd_error_clear(ctx);
    fit = fit_of(ctx, dataset);
    assert_ok(ctx, crdi_network_fit_prepare(&fit));
    crdi_network_fit_clear(&fit); /* never run */
    assert_int_equal(access(path, F_OK), -1);
    crdi_mcmc_report report;
    fit = fit_of(ctx, dataset);
    fit.mcmc.init_radius = 1e100; /* nowhere a finite density */
    assert_ok(ctx, crdi_network_fit_prepare(&fit));
    assert_int_equal(crdi_network_fit_run(&fit, &report), CRD_ESTART);
    crdi_network_fit_clear(&fit);
    assert_int_equal(access(path, F_OK), -1);
    crd_dataset_destroy(&dataset);
    testing_context_destroy(&ctx);
}

static void quantiles_are_read(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    double prob[4];
    assert_int_equal(crdi_probabilities_read(ctx, "0,0.25,1", prob, 4), 3);
    assert_true(prob[0] == 0 && prob[1] == 0.25 && prob[2] == 1);
    static const char *const bad[] = {"", "0.5,", ",0.5", "0.5,0.5", "-0.1", "1.1", "nan", "a", "0.1,0.2,0.3,0.4,0.5"};
    for (int i = 0; i < CRDI_COUNT(bad); i++) {
        assert_int_equal(crdi_probabilities_read(ctx, bad[i], prob, 4), -1);
        assert_int_equal(crd_error_status(ctx), CRD_EINVAL);
        crd_error_clear(ctx);
    }
    testing_context_destroy(&ctx);
}

/* What a file says of trees is believed within reason: 2^max_depth is computed. */
static void depths_that_cannot_be_are_unknown(void **state)
{
    (void)state;
    static const struct {
        const char *options;
        int64_t depth;
    } files[] = {{"{}", 0}, {"{\"max_depth\": 7}", 7}, {"{\"max_depth\": -5}", 0}, {"{\"max_depth\": 4000000000}", 0}};
    static char site[] = "s";
    static const crd_column columns[] = {{.name = site, .kind = CRD_COLUMN_LATENT, .size = 1}};
    crd_context *ctx = testing_context();
    for (int i = 0; i < CRDI_COUNT(files); i++) {
        crdi_run *run;
        crdi_network_run net = {.ctx = ctx, .path = path};
        int64_t depth = 99;
        assert_ok(ctx, crdi_run_create(ctx, path, true, &run));
        assert_ok(ctx, crdi_run_set_text(run, "options", files[i].options));
        assert_ok(ctx, crdi_run_begin(run, columns, 1, 1));
        assert_ok(ctx, crdi_run_close(&run, CRD_OK));
        assert_ok(ctx, crd_run_open(ctx, path, &net.run));
        assert_ok(ctx, crdi_run_max_depth(&net, &depth));
        assert_int_equal(depth, files[i].depth);
        crd_run_close(&net.run);
    }
    testing_context_destroy(&ctx);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_described_comes_back),
        TEST(priors_are_grouped),
        TEST(elements_are_those_of_the_posterior),
        TEST(the_summary_is_that_of_the_draws),
        TEST(diagnostics_are_those_of_the_draws),
        TEST(json_is_read_again),
        TEST(predictions_are_those_of_the_kept_site),
        TEST(memory_and_threads_change_nothing),
        TEST(bands_are_in_the_units_of_the_table),
        TEST(traces_are_the_draws),
        cmocka_unit_test(notes_say_what_speaks_against_the_draws),
        TEST(exported_draws_come_back_to_the_bit),
        TEST(models_written_in_c_are_summarised_and_not_predicted),
        TEST(the_largest_part_of_a_stopped_run_is_used),
        TEST(a_description_that_is_wrong_is_damage),
        TEST(a_fit_that_is_refused_leaves_nothing),
        TEST(quantiles_are_read),
        TEST(depths_that_cannot_be_are_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
