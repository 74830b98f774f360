/* test_psis.c - the fit of a generalised Pareto distribution and the smoothing of weights, against ArviZ
 * (tests/data/README.md) and by what must hold for any weights. */
#include "base/base.h"
#include "testing.h"

#include <math.h>
#include <string.h>

enum { MOST = 1000 };

/* Quantiles of the distribution itself at (i + 1/2) / n. */
static void pareto_quantiles(double k, double sigma, int64_t n, double *out)
{
    for (int64_t i = 0; i < n; i++)
        out[i] = sigma * (pow(1 - ((double)i + 0.5) / (double)n, -k) - 1) / k;
}

static void fit_finds_what_was_put_in(void **state)
{
    (void)state;
    static const double shapes[] = {-0.7, -0.2, 0.1, 0.5, 0.9, 1.6};
    crd_context *ctx = testing_context();
    double x[MOST];
    crd_generalised_pareto fitted;
    for (int i = 0; i < CRDI_COUNT(shapes); i++) {
        pareto_quantiles(shapes[i], 3, MOST, x);
        assert_ok(ctx, crd_pareto_fit(ctx, x, MOST, &fitted));
        /* the prior's ten draws move k by 1 % of the way to 1/2; the outermost quantile is missing from the sample */
        assert_close(fitted.k, shapes[i], 0, 0.03);
        assert_close(fitted.sigma, 3, 0.03, 0);
    }
    testing_context_destroy(&ctx);
}

static void fit_scales_with_its_data(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    double x[60];
    crd_generalised_pareto one, other;
    pareto_quantiles(0.4, 1, 60, x);
    assert_ok(ctx, crd_pareto_fit(ctx, x, 60, &one));
    for (int i = 0; i < 60; i++)
        x[i] *= 1e-200;
    assert_ok(ctx, crd_pareto_fit(ctx, x, 60, &other));
    assert_close(other.k, one.k, 1e-12, 0);
    assert_close(other.sigma, 1e-200 * one.sigma, 1e-12, 0);
    testing_context_destroy(&ctx);
}

static void fit_of_what_cannot_be_fitted(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    const double four[] = {1, 2, 3, 4}, zeros[8] = {0}, endless[] = {1, 2, 3, 4, 5, INFINITY};
    const double below[] = {-1, 1, 2, 3, 4, 5};
    crd_generalised_pareto fitted;
    assert_ok(ctx, crd_pareto_fit(ctx, four, 4, &fitted));
    assert_true(isnan(fitted.k) && isnan(fitted.sigma));
    assert_ok(ctx, crd_pareto_fit(ctx, zeros, 8, &fitted));
    assert_true(isnan(fitted.k) && isnan(fitted.sigma));
    assert_ok(ctx, crd_pareto_fit(ctx, endless, 6, &fitted));
    assert_true(isnan(fitted.k));
    assert_ok(ctx, crd_pareto_fit(ctx, below, 6, &fitted));
    assert_true(isnan(fitted.k));
    assert_int_equal(crd_pareto_fit(ctx, four, -1, &fitted), CRD_EINVAL);
    testing_context_destroy(&ctx);
}

static void smoothed_as_by_arviz(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    json_t *root = testing_json("psis.json"), *row;
    double x[MOST], expected[MOST], smoothed[MOST], k;
    size_t i;
    json_array_foreach(json_object_get(root, "cases"), i, row)
    {
        int64_t n = testing_numbers(json_object_get(row, "log_ratio"), x);
        assert_int_equal(testing_numbers(json_object_get(row, "log_weight"), expected), n);
        assert_ok(ctx, crd_psis(ctx, x, n, testing_number(json_object_get(row, "reff")), smoothed, &k));
        assert_close(k, testing_number(json_object_get(row, "k")), 1e-9, 0);
        for (int64_t j = 0; j < n; j++)
            assert_close(smoothed[j], expected[j], 1e-9, 1e-9);
    }
    assert_int_equal(i, 6);
    json_decref(root);
    testing_context_destroy(&ctx);
}

/* Log ratios of a normal distribution over a wider one at its quantiles in scattered order. */
static void scattered(double *out, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        double u = ((double)(i * 37 % n) + 0.5) / (double)n;
        out[i] = 2 * log(u) - 0.3 * log1p(-u);
    }
}

static void weights_sum_to_one_and_keep_their_order(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    double x[MOST], smoothed[MOST], shifted[MOST], k, k_shifted, sum = 0;
    scattered(x, MOST);
    assert_ok(ctx, crd_psis(ctx, x, MOST, 1, smoothed, &k));
    assert_true(k > 0.1 && k < 0.5); /* the tail is u^-0.3 */
    int changed = 0;
    for (int i = 0; i < MOST; i++) {
        sum += exp(smoothed[i]);
        for (int j = 0; j < MOST; j++)
            assert_true(x[i] <= x[j] ? smoothed[i] <= smoothed[j] : true);
        changed += fabs((smoothed[i] - smoothed[0]) - (x[i] - x[0])) > 1e-9;
    }
    assert_close(sum, 1, 1e-12, 0);
    assert_true(changed >= 90 && changed <= 95); /* 3 sqrt(1000) */
    for (int i = 0; i < MOST; i++)
        shifted[i] = x[i] + 800;
    assert_ok(ctx, crd_psis(ctx, shifted, MOST, 1, shifted, &k_shifted)); /* in place */
    assert_close(k_shifted, k, 1e-9, 0);
    for (int i = 0; i < MOST; i++)
        assert_close(shifted[i], smoothed[i], 1e-9, 1e-9);
    assert_ok(ctx, crd_psis(ctx, x, MOST, 1, NULL, &k_shifted));
    assert_true(k_shifted == k);
    testing_context_destroy(&ctx);
}

static void smaller_efficiency_takes_a_longer_tail(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    double x[MOST], one[MOST], quarter[MOST], k;
    scattered(x, MOST);
    assert_ok(ctx, crd_psis(ctx, x, MOST, 1, one, &k));
    assert_ok(ctx, crd_psis(ctx, x, MOST, 0.25, quarter, &k));
    int of_one = 0, of_quarter = 0, last = 0;
    for (int i = 0; i < MOST; i++)
        last = x[i] < x[last] ? i : last;
    for (int i = 0; i < MOST; i++) {
        of_one += fabs((one[i] - one[last]) - (x[i] - x[last])) > 1e-9;
        of_quarter += fabs((quarter[i] - quarter[last]) - (x[i] - x[last])) > 1e-9;
    }
    assert_in_range(of_one, 90, 95);
    assert_in_range(of_quarter, 185, 190);
    testing_context_destroy(&ctx);
}

static void equal_few_and_impossible_ratios(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    double x[40], out[40], k;
    for (int i = 0; i < 40; i++)
        x[i] = -3.5;
    assert_ok(ctx, crd_psis(ctx, x, 40, 1, out, &k));
    assert_true(k == -INFINITY);
    assert_close(out[7], -log(40), 1e-14, 0);
    for (int i = 0; i < 20; i++)
        x[i] = i;
    assert_ok(ctx, crd_psis(ctx, x, 20, 1, out, &k));
    assert_true(k == INFINITY);
    assert_close(out[19] - out[0], 19, 1e-14, 0);
    for (int i = 0; i < 40; i++)
        x[i] = i % 2 ? -INFINITY : sqrt(i);
    assert_ok(ctx, crd_psis(ctx, x, 40, 1, out, &k));
    assert_true(isfinite(k) && out[1] == -INFINITY && isfinite(out[0]));
    x[3] = NAN;
    assert_ok(ctx, crd_psis(ctx, x, 40, 1, out, &k));
    assert_true(isnan(k) && isnan(out[0]) && isnan(out[39]));
    x[3] = INFINITY;
    assert_ok(ctx, crd_psis(ctx, x, 40, 1, out, &k));
    assert_true(isnan(k) && isnan(out[0]));
    assert_ok(ctx, crd_psis(ctx, NULL, 0, 1, NULL, &k));
    assert_true(isnan(k));
    assert_int_equal(crd_psis(ctx, x, 40, 0, out, &k), CRD_EINVAL);
    assert_int_equal(crd_psis(ctx, x, 40, NAN, out, &k), CRD_EINVAL);
    assert_int_equal(crd_psis(ctx, x, -1, 1, out, &k), CRD_EINVAL);
    testing_context_destroy(&ctx);
}

static void memory_that_fails_leaves_nothing(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    double x[200], out[200], k = 17;
    scattered(x, 200);
    crd_status status = CRD_ENOMEM;
    int64_t failed = 0;
    for (; status == CRD_ENOMEM && failed < 100; failed++) {
        out[0] = 5;
        testing_fail_allocation(failed + 1);
        status = crd_psis(ctx, x, 200, 1, out, &k);
        assert_true(status == CRD_OK || (out[0] == 5 && k == 17));
        crd_error_clear(ctx);
    }
    testing_fail_allocation(0);
    assert_int_equal(status, CRD_OK);
    assert_true(failed >= 4);
    testing_context_destroy(&ctx);
}

static void good_k_grows_with_the_draws(void **state)
{
    (void)state;
    assert_close(crd_psis_good_k(100), 0.5, 1e-14, 0);
    assert_close(crd_psis_good_k(1000), 2.0 / 3, 1e-14, 0);
    assert_close(crd_psis_good_k(100000), 0.7, 1e-14, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fit_finds_what_was_put_in),
        cmocka_unit_test(fit_scales_with_its_data),
        cmocka_unit_test(fit_of_what_cannot_be_fitted),
        cmocka_unit_test(smoothed_as_by_arviz),
        cmocka_unit_test(weights_sum_to_one_and_keep_their_order),
        cmocka_unit_test(smaller_efficiency_takes_a_longer_tail),
        cmocka_unit_test(equal_few_and_impossible_ratios),
        cmocka_unit_test(memory_that_fails_leaves_nothing),
        cmocka_unit_test(good_k_grows_with_the_draws),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
