/* test_run_loo.c - leave-one-out of a run file: against densities written out by hand from its draws and its kept f. */
#include "report/run_likelihood.h"
#include "report/run_chains.h"
#include "report/run_loo.h"
#include "store/dataset.h"
#include "fitted.h"

#include <credence/diag.h>
#include <credence/mcmc.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROWS = 150, CHAINS = 2, DRAWS = 40, TOTAL = CHAINS * DRAWS }; /* more rows than a block has */

/* A target far from 0 and 1: forgotten units show. */
static crd_dataset *make_dataset(crd_context *ctx, crd_scale scale)
{
    crdi_string text;
    crdi_string_init(&text, ctx);
    crdi_string_append(&text, "x,y\n");
    for (int i = 0; i < ROWS; i++)
        crdi_string_append(&text, "%.17g,%.17g\n", 0.01 * i, 50 + 9 * sin(0.05 * i) + 2 * cos(11.0 * i));
    return fitted_dataset(ctx, &text, &(crd_dataset_options){.target = "y", .scale = scale});
}

static crdi_network_run *open_run(crd_context *ctx, crd_scale scale, int chains, int draws, const char *likelihood)
{
    crd_network network = {.hidden = "2", .likelihood = likelihood};
    crdi_network_fit fit = fitted_settings(ctx, &network, chains, 20, draws);
    return fitted_run(&fit, make_dataset(ctx, scale));
}

/* log p(y_i | draw) in the target's own units, (draws, rows). */
static double *densities(crdi_network_run *net, const crd_posterior *posterior)
{
    const crd_column *f = crd_posterior_find(posterior, "f"), *s = crd_posterior_find(posterior, "s");
    double sd = net->recipe->target_sd, *out = malloc(sizeof *out * TOTAL * ROWS);
    assert_non_null(out);
    for (int d = 0; d < TOTAL; d++)
        for (int i = 0; i < ROWS; i++) {
            double own_s = sd * s->draws[d];
            double y = 50 + 9 * sin(0.05 * i) + 2 * cos(11.0 * i), mean = net->recipe->target_mean;
            double z = (y - mean - sd * f->draws[d * ROWS + i]) / own_s;
            out[d * ROWS + i] = -z * z / 2 - log(own_s) - 0.91893853320467274178;
        }
    return out;
}

/* The mean over all elements, the kept site's too. */
static double efficiency(crd_context *ctx, const crd_posterior *posterior)
{
    double sum = 0, x[TOTAL], ess;
    int64_t elements = 0;
    for (int c = 0; c < posterior->column_count; c++) {
        const crd_column *column = &posterior->column[c];
        for (int64_t e = 0; e < column->size && column->kind != CRD_COLUMN_STATISTIC; e++, elements++) {
            crd_posterior_series(posterior, column, e, x);
            assert_ok(ctx, crd_diag_ess_mean(ctx, x, CHAINS, DRAWS, &ess));
            sum += ess;
        }
    }
    return sum / (double)elements / TOTAL;
}

static void the_same_as_from_the_densities(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crdi_network_run *net = open_run(ctx, CRD_SCALE_STANDARD, CHAINS, DRAWS, NULL);
    crd_posterior *posterior;
    crdi_run_loo *l;
    crd_elpd loo, waic;
    double pointwise[ROWS], waic_pointwise[ROWS], k_hat[ROWS];
    assert_ok(ctx, crd_run_posterior(net->run, &posterior));
    assert_ok(ctx, crdi_run_loo_make(net, 0, 2, &l));
    double reff = efficiency(ctx, posterior), *density = densities(net, posterior);
    assert_close(l->reff, reff, 1e-12, 0);
    assert_ok(ctx, crd_loo(ctx, density, TOTAL, ROWS, reff, pointwise, k_hat, &loo));
    assert_ok(ctx, crd_waic(ctx, density, TOTAL, ROWS, waic_pointwise, &waic));
    assert_int_equal(l->rows, ROWS);
    assert_int_equal(l->draws, TOTAL);
    for (int i = 0; i < ROWS; i++) {
        assert_close(l->elpd[i], pointwise[i], 1e-8, 0);
        assert_close(l->waic_elpd[i], waic_pointwise[i], 1e-8, 0);
        assert_close(l->k_hat[i], k_hat[i], 1e-6, 1e-8);
        assert_close(l->y[i], 50 + 9 * sin(0.05 * i) + 2 * cos(11.0 * i), 1e-12, 0);
    }
    assert_close(l->loo.elpd, loo.elpd, 1e-9, 0);
    assert_close(l->loo.se, loo.se, 1e-9, 0);
    assert_close(l->loo.p, loo.p, 1e-7, 0);
    assert_close(l->waic.elpd, waic.elpd, 1e-9, 0);
    assert_close(l->waic.se, waic.se, 1e-9, 0);
    assert_close(l->waic.p, waic.p, 1e-7, 0);
    assert_true(l->loo.bad == loo.bad && l->waic.bad == waic.bad);
    free(density);
    crdi_run_loo_destroy(&l);
    assert_ok(ctx, crdi_run_loo_make(net, 0.25, 1, &l));
    assert_true(l->reff == 0.25);
    crdi_run_loo_destroy(&l);
    crd_posterior_destroy(&posterior);
    crdi_network_run_close(&net);
    testing_context_destroy(&ctx);
}

static void one_chain_counts_in_full(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crdi_network_run *net = open_run(ctx, CRD_SCALE_STANDARD, 1, DRAWS, NULL);
    crdi_run_loo *l;
    assert_ok(ctx, crdi_run_loo_make(net, 0, 1, &l));
    assert_true(l->reff == 1 && l->draws == DRAWS);
    crdi_run_loo_destroy(&l);
    crdi_network_run_close(&net);
    testing_context_destroy(&ctx);
}

static void too_few_draws_are_said(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crdi_network_run *net = open_run(ctx, CRD_SCALE_STANDARD, 2, 3, NULL);
    crdi_run_loo *l = NULL;
    assert_int_equal(crdi_run_loo_make(net, 0, 1, &l), CRD_EMISSING);
    assert_non_null(strstr(crd_error_message(ctx), "3 draws a chain are too few"));
    assert_null(l);
    crdi_network_run_close(&net);
    testing_context_destroy(&ctx);
}

static void runs_of_the_same_data_are_compared(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crdi_network_run *net = open_run(ctx, CRD_SCALE_STANDARD, CHAINS, DRAWS, NULL);
    crdi_run_loo *loo[2];
    crdi_string out;
    crd_comparison row[2];
    crdi_string_init(&out, ctx);
    assert_ok(ctx, crdi_run_loo_make(net, 0, 1, &loo[0]));
    crdi_network_run_close(&net);
    net = open_run(ctx, CRD_SCALE_NONE, CHAINS, DRAWS, "student_t"); /* unscaled: a bad prior, but the same data */
    assert_ok(ctx, crdi_run_loo_make(net, 0, 1, &loo[1]));
    crdi_network_run_close(&net);
    assert_ok(ctx, crdi_run_loo_same_data(loo[0], loo[1]));
    double pointwise[2 * ROWS];
    memcpy(pointwise, loo[0]->elpd, ROWS * sizeof *pointwise);
    memcpy(pointwise + ROWS, loo[1]->elpd, ROWS * sizeof *pointwise);
    assert_ok(ctx, crd_elpd_compare(ctx, pointwise, 2, ROWS, row));
    assert_int_equal(row[0].model, 0);
    assert_ok(ctx, crdi_run_compare_json(&out, (const crdi_run_loo *const *)loo, 2));
    json_t *json = json_loads(crdi_string_text(&out), 0, NULL), *second;
    assert_non_null(json);
    second = json_array_get(json_object_get(json, "runs"), 1);
    assert_true(json_number_value(json_object_get(second, "elpd_diff")) == row[1].difference);
    assert_true(json_number_value(json_object_get(second, "diff_se")) == row[1].difference_se);
    assert_true(json_number_value(json_object_get(second, "weight")) == row[1].weight);
    json_decref(json);
    crdi_string_clear(&out);
    loo[1]->y[77] *= 1 + 1e-7;
    assert_int_equal(crdi_run_compare_text(&out, (const crdi_run_loo *const *)loo, 2), CRD_EDATA);
    assert_non_null(strstr(crd_error_message(ctx), "in row 77 y is "));
    crdi_string_clear(&out);
    crdi_run_loo_destroy(&loo[0]);
    crdi_run_loo_destroy(&loo[1]);
    testing_context_destroy(&ctx);
}

/* Rows that cannot be judged come first among the worst; in JSON they are null. */
static void the_worst_rows_are_shown(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    double y[8] = {0}, elpd[8], p[8] = {0}, waic[8] = {0}, k[8] = {0.1, NAN, 0.3, 1.2, 0.2, INFINITY, 0.4, 0.9};
    for (int i = 0; i < 8; i++)
        elpd[i] = -i;
    crdi_run_loo l = {.ctx = ctx,
                      .path = (char[]){"a"},
                      .targets = 1,
                      .target = (char *[]){(char[]){"y"}},
                      .chains = 1,
                      .draws = 1000,
                      .reff = 1,
                      .loo = {.elpd = -28, .bad = 4},
                      .rows = 8,
                      .y = y,
                      .elpd = elpd,
                      .p = p,
                      .k_hat = k,
                      .waic_elpd = waic};
    crdi_string out;
    crdi_string_init(&out, ctx);
    assert_ok(ctx, crdi_run_loo_text(&out, &l));
    assert_non_null(strstr(crdi_string_text(&out), "up to 0.67   good             4   50.0 %\n"
                                                   "  up to 1      bad              1   12.5 %\n"
                                                   "  above 1      very bad         3   37.5 %\n"));
    assert_non_null(strstr(crdi_string_text(&out), "  1         0       nan     -1.00\n"
                                                   "  5         0       inf     -5.00\n"
                                                   "  3         0      1.20     -3.00\n"
                                                   "  7         0      0.90     -7.00\n"
                                                   "  6         0      0.40     -6.00\n\n"));
    assert_non_null(strstr(crdi_string_text(&out), "note: k_hat is above 0.67 in 4 of 8 rows"));
    crdi_string_clear(&out);
    assert_ok(ctx, crdi_run_loo_json(&out, &l));
    json_t *json = json_loads(crdi_string_text(&out), 0, NULL);
    assert_non_null(json);
    assert_true(json_is_null(json_object_get(json_array_get(json_object_get(json, "rows"), 5), "k_hat")));
    json_decref(json);
    crdi_string_clear(&out);
    testing_context_destroy(&ctx);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fitted_begin, fitted_end)

/* Each chain as if it were the whole run, and the weights of these. */
static void chains_are_weighed_as_models(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crdi_network_run *net = open_run(ctx, CRD_SCALE_STANDARD, CHAINS, DRAWS, NULL);
    crd_posterior *posterior;
    crdi_run_chains *s;
    double pointwise[CHAINS * ROWS], k_hat[CHAINS * ROWS], weight[CHAINS], stacked = 0, equal = 0;
    crd_elpd loo;
    assert_ok(ctx, crd_run_posterior(net->run, &posterior));
    assert_ok(ctx, crdi_run_chains_make(net, 0, 2, &s));
    double *density = densities(net, posterior);
    for (int c = 0; c < CHAINS; c++)
        assert_ok(ctx, crd_loo(ctx, density + c * DRAWS * ROWS, DRAWS, ROWS, 1, pointwise + c * ROWS, k_hat + c * ROWS,
                               &loo));
    assert_ok(ctx, crd_stacking(ctx, pointwise, CHAINS, ROWS, weight));
    for (int i = 0; i < CHAINS * ROWS; i++) {
        assert_close(s->elpd[i], pointwise[i], 1e-8, 0);
        assert_close(s->k_hat[i], k_hat[i], 1e-6, 1e-8);
    }
    for (int c = 0; c < CHAINS; c++)
        assert_close(s->row[c].weight, weight[s->row[c].model], 1e-5, 1e-5);
    for (int i = 0; i < ROWS; i++) {
        stacked += log(weight[0] * exp(pointwise[i]) + weight[1] * exp(pointwise[ROWS + i]));
        equal += log(exp(pointwise[i]) / 2 + exp(pointwise[ROWS + i]) / 2);
    }
    assert_close(s->stacked, stacked, 1e-7, 0);
    assert_close(s->equal, equal, 1e-8, 0);
    assert_true(s->stacked >= s->equal);
    free(density);
    crd_posterior_destroy(&posterior);
    crdi_run_chains_destroy(&s);
    crdi_network_run_close(&net);
    net = open_run(ctx, CRD_SCALE_STANDARD, 1, DRAWS, NULL);
    assert_int_equal(crdi_run_chains_make(net, 0, 1, &s), CRD_EMISSING);
    crd_error_clear(ctx);
    crdi_network_run_close(&net);
    testing_context_destroy(&ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(chains_are_weighed_as_models), TEST(the_same_as_from_the_densities),     TEST(one_chain_counts_in_full),
        TEST(too_few_draws_are_said),       TEST(runs_of_the_same_data_are_compared), TEST(the_worst_rows_are_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
