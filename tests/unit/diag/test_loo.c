/* test_loo.c - PSIS-LOO and WAIC against ArviZ (tests/data/README.md), comparison and stacking by what must hold. */
#include "base/base.h"
#include "testing.h"

#include <math.h>
#include <stdlib.h>

enum { DRAWS = 1000, ROWS = 12 };

static double *reference_likelihood(const json_t *root)
{
    double *x = malloc(sizeof *x * DRAWS * ROWS);
    assert_non_null(x);
    assert_int_equal(testing_numbers(json_object_get(root, "log_likelihood_4x250x12"), x), DRAWS * ROWS);
    return x;
}

static void loo_and_waic_as_by_arviz(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    json_t *root = testing_json("diagnostics.json"), *row = json_object_get(root, "loo");
    double *x = reference_likelihood(root), pointwise[ROWS], k_hat[ROWS], expected[ROWS], sum = 0;
    double reff = testing_number(json_object_get(row, "reff"));
    crd_elpd loo, waic;
    assert_ok(ctx, crd_loo(ctx, x, DRAWS, ROWS, reff, pointwise, k_hat, &loo));
    assert_close(loo.elpd, testing_number(json_object_get(row, "elpd")), 1e-9, 0);
    assert_close(loo.se, testing_number(json_object_get(row, "se")), 1e-9, 0);
    assert_close(loo.p, testing_number(json_object_get(row, "p")), 1e-9, 0);
    testing_numbers(json_object_get(row, "pointwise"), expected);
    for (int i = 0; i < ROWS; i++)
        assert_close(pointwise[i], expected[i], 1e-9, 0);
    assert_int_equal(testing_numbers(json_object_get(row, "pareto_k"), expected), ROWS);
    int bad = 0;
    for (int i = 0; i < ROWS; i++) {
        assert_close(k_hat[i], expected[i], 1e-8, 0);
        bad += expected[i] > crd_psis_good_k(DRAWS);
    }
    assert_int_equal(loo.bad, bad);
    row = json_object_get(root, "waic");
    assert_ok(ctx, crd_waic(ctx, x, DRAWS, ROWS, pointwise, &waic));
    assert_close(waic.elpd, testing_number(json_object_get(row, "elpd")), 1e-9, 0);
    assert_close(waic.se, testing_number(json_object_get(row, "se")), 1e-9, 0);
    assert_close(waic.p, testing_number(json_object_get(row, "p")), 1e-9, 0);
    for (int i = 0; i < ROWS; i++)
        sum += pointwise[i];
    assert_close(sum, waic.elpd, 1e-12, 0);
    free(x);
    json_decref(root);
    testing_context_destroy(&ctx);
}

static void draws_that_all_say_the_same(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    double x[30 * 2], pointwise[2], k_hat[2];
    crd_elpd loo, waic;
    for (int i = 0; i < 60; i++)
        x[i] = i % 2 ? -3 : -1;
    assert_ok(ctx, crd_loo(ctx, x, 30, 2, 1, pointwise, k_hat, &loo));
    assert_ok(ctx, crd_waic(ctx, x, 30, 2, NULL, &waic));
    assert_close(pointwise[0], -1, 1e-13, 0);
    assert_close(loo.elpd, -4, 1e-13, 0);
    assert_close(loo.se, sqrt(2), 1e-13, 0);
    assert_close(loo.p, 0, 0, 1e-12);
    assert_true(loo.bad == 0 && k_hat[1] == -INFINITY);
    assert_close(waic.elpd, -4, 1e-13, 0);
    assert_close(waic.p, 0, 0, 1e-12);
    testing_context_destroy(&ctx);
}

static void what_cannot_be_answered(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    double x[30 * 2], pointwise[2], k_hat[2];
    crd_elpd loo, waic;
    for (int i = 0; i < 60; i++)
        x[i] = -1 - 0.1 * sin(i);
    x[31] = -INFINITY;
    assert_ok(ctx, crd_loo(ctx, x, 30, 2, 1, pointwise, k_hat, &loo));
    assert_true(isfinite(pointwise[0]) && isnan(pointwise[1]) && isnan(k_hat[1]) && isnan(loo.elpd) && isnan(loo.p));
    assert_int_equal(loo.bad, 1);
    assert_ok(ctx, crd_waic(ctx, x, 30, 2, pointwise, &waic));
    assert_true(isfinite(pointwise[0]) && isnan(pointwise[1]) && waic.bad == 1);
    assert_ok(ctx, crd_loo(ctx, x, 0, 2, 1, pointwise, NULL, &loo));
    assert_true(isnan(pointwise[0]) && isnan(loo.elpd));
    assert_int_equal(crd_loo(ctx, x, 30, 2, 0, NULL, NULL, &loo), CRD_EINVAL);
    assert_int_equal(crd_loo(ctx, x, -1, 2, 1, NULL, NULL, &loo), CRD_EINVAL);
    assert_int_equal(crd_waic(ctx, x, 30, -2, NULL, &waic), CRD_EINVAL);
    testing_context_destroy(&ctx);
}

/* A row whose log likelihood varies by more than 0.4 is one that WAIC gets wrong. */
static void waic_counts_rows_that_vary_too_much(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    double x[100 * 2];
    crd_elpd waic;
    for (int i = 0; i < 100; i++) {
        x[2 * i] = i % 2 ? 0.7 : -0.7; /* variance 0.49 */
        x[2 * i + 1] = i % 2 ? 0.6 : -0.6; /* 0.36 */
    }
    assert_ok(ctx, crd_waic(ctx, x, 100, 2, NULL, &waic));
    assert_int_equal(waic.bad, 1);
    assert_close(waic.p, 0.49 + 0.36, 1e-12, 0);
    testing_context_destroy(&ctx);
}

/* ---- comparison ------------------------------------------------------------------------------------------------- */

static void differences_and_their_errors(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    /* differences of model 1 from model 0: 1, 3, 1, 3: sum 8, variance over n 1 */
    const double x[3 * 4] = {-4, -6, -3, -6, -3, -3, -2, -3, -5, -7, -4, -7};
    crd_comparison row[3];
    assert_ok(ctx, crd_elpd_compare(ctx, x, 3, 4, row));
    assert_int_equal(row[0].model, 1);
    assert_int_equal(row[1].model, 0);
    assert_int_equal(row[2].model, 2);
    assert_close(row[0].elpd, -11, 1e-14, 0);
    assert_close(row[0].se, sqrt(4 * 0.1875), 1e-14, 0);
    assert_true(row[0].difference == 0 && row[0].difference_se == 0);
    assert_close(row[1].difference, 8, 1e-14, 0);
    assert_close(row[1].difference_se, sqrt(4 * 1.0), 1e-14, 0);
    assert_close(row[2].difference, 12, 1e-14, 0);
    /* one model is better in every row: it takes all, exactly */
    assert_true(row[0].weight == 1 && row[1].weight == 0 && row[2].weight == 0);
    assert_int_equal(crd_elpd_compare(ctx, x, 0, 4, row), CRD_EINVAL);
    testing_context_destroy(&ctx);
}

/* Rows a fraction of which prefers one of two models by factors a and b: the maximum of
 * p log(w + (1 - w) / a) + (1 - p) log(w / b + 1 - w) is known. */
static void stacking_of_two_models(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    enum { N = 10, FIRST = 7 };
    const double a = 8, b = 5, p = (double)FIRST / N;
    double x[2 * N], weight[2];
    for (int i = 0; i < N; i++) {
        x[i] = i < FIRST ? -100 * i : -100 * i - log(b);
        x[N + i] = i < FIRST ? -100 * i - log(a) : -100 * i;
    }
    double u = 1 - 1 / a, v = 1 - 1 / b; /* p u / (1/a + u w) = (1 - p) v / (1 - v w) */
    double expected = (p * u - (1 - p) * v / a) / (u * v);
    assert_ok(ctx, crd_stacking(ctx, x, 2, N, weight));
    assert_true(expected > 0.5 && expected < 1);
    assert_close(weight[0], expected, 1e-9, 0);
    assert_close(weight[0] + weight[1], 1, 1e-14, 0);
    testing_context_destroy(&ctx);
}

/* The same maximum by expectation and maximisation, which only needs time. */
static void stack_slowly(const double *x, int models, int rows, double *weight)
{
    for (int k = 0; k < models; k++)
        weight[k] = 1.0 / models;
    for (int step = 0; step < 4000; step++) {
        double next[8] = {0};
        for (int i = 0; i < rows; i++) {
            double mixture = 0;
            for (int k = 0; k < models; k++)
                mixture += weight[k] * exp(x[k * rows + i]);
            for (int k = 0; k < models; k++)
                next[k] += weight[k] * exp(x[k * rows + i]) / mixture / rows;
        }
        for (int k = 0; k < models; k++)
            weight[k] = next[k];
    }
}

static double score(const double *x, int models, int rows, const double *weight)
{
    double sum = 0;
    for (int i = 0; i < rows; i++) {
        double mixture = 0;
        for (int k = 0; k < models; k++)
            mixture += weight[k] * exp(x[k * rows + i]);
        sum += log(mixture) / rows;
    }
    return sum;
}

static void stacking_of_many_models(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    enum { K = 6, N = 40 };
    double x[K * N], weight[K], slow[K];
    for (int k = 0; k < K; k++)
        for (int i = 0; i < N; i++)
            x[k * N + i] = 1.5 * sin(1 + i * (k + 2) + k) - 0.2 * (k == 4);
    assert_ok(ctx, crd_stacking(ctx, x, K, N, weight));
    stack_slowly(x, K, N, slow);
    double sum = 0, difference = score(x, K, N, weight) - score(x, K, N, slow);
    for (int k = 0; k < K; k++) {
        sum += weight[k];
        assert_true(weight[k] >= 0);
        assert_close(weight[k], slow[k], 0, 2e-3); /* the slow one creeps towards zeros */
    }
    assert_close(sum, 1, 1e-14, 0);
    assert_true(difference > -1e-10 && difference < 1e-5);
    testing_context_destroy(&ctx);
}

static void stacking_with_impossible_rows(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    const double apart[2 * 3] = {-INFINITY, 0, -INFINITY, 0, -INFINITY, -INFINITY}, lost[2] = {-INFINITY, -INFINITY};
    double weight[2];
    assert_ok(ctx, crd_stacking(ctx, apart, 2, 3, weight)); /* log w + log(1 - w) */
    assert_close(weight[0], 0.5, 1e-9, 0);
    assert_ok(ctx, crd_stacking(ctx, lost, 2, 1, weight));
    assert_true(isnan(weight[0]) && isnan(weight[1]));
    assert_ok(ctx, crd_stacking(ctx, &(double){NAN}, 1, 1, weight));
    assert_true(isnan(weight[0]));
    static const double unknown[2 * 2] = {-1, -2, NAN, -3}, endless[2 * 2] = {-1, -2, INFINITY, -3};
    assert_ok(ctx, crd_stacking(ctx, unknown, 2, 2, weight)); /* one row of one model spoils all */
    assert_true(isnan(weight[0]) && isnan(weight[1]));
    assert_ok(ctx, crd_stacking(ctx, endless, 2, 2, weight));
    assert_true(isnan(weight[0]) && isnan(weight[1]));
    assert_ok(ctx, crd_stacking(ctx, &(double){-7}, 1, 1, weight));
    assert_true(weight[0] == 1);
    testing_context_destroy(&ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loo_and_waic_as_by_arviz),     cmocka_unit_test(draws_that_all_say_the_same),
        cmocka_unit_test(what_cannot_be_answered),      cmocka_unit_test(waic_counts_rows_that_vary_too_much),
        cmocka_unit_test(differences_and_their_errors), cmocka_unit_test(stacking_of_two_models),
        cmocka_unit_test(stacking_of_many_models),      cmocka_unit_test(stacking_with_impossible_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
