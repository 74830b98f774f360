/* test_diag.c - diagnostics against NumPyro, ArviZ, NumPy and SciPy (tests/data/README.md), and what degenerate draws
 * give. Tolerance 1e-6 as agreed; most agree to 1e-10. */
#include "base/base.h"
#include "testing.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double tolerance = 1e-6;

struct draws {
    int64_t chains, draws;
    double *x;
};

static struct draws draws_of(crd_context *ctx, const json_t *value)
{
    struct draws d = {(int64_t)json_array_size(value), (int64_t)json_array_size(json_array_get(value, 0)), NULL};
    d.x = crdi_alloc_array(ctx, d.chains * d.draws, sizeof *d.x);
    assert_int_equal(testing_numbers(value, d.x), d.chains * d.draws);
    return d;
}

/* Each scalar diagnostic that takes draws and scratch, by one signature. */
typedef crd_status (*diagnostic_fn)(crd_context *, const double *, int64_t, int64_t, double *);

static void check(crd_context *ctx, struct draws d, diagnostic_fn diagnostic, const json_t *row, const char *key)
{
    double value;
    if (!json_object_get(row, key))
        fail_msg("no reference for %s", key);
    assert_ok(ctx, diagnostic(ctx, d.x, d.chains, d.draws, &value));
    testing_close(value, testing_number(json_object_get(row, key)), tolerance, 0, key, __FILE__, __LINE__);
}

static void check_interval(crd_context *ctx, struct draws d, double prob, const json_t *row, const char *key)
{
    double interval[2], expected[2];
    assert_int_equal(testing_numbers(json_object_get(row, key), expected), 2);
    assert_ok(ctx, crd_diag_hpdi(ctx, d.x, d.chains * d.draws, prob, interval));
    assert_close(interval[0], expected[0], tolerance, 0);
    assert_close(interval[1], expected[1], tolerance, 0);
}

static void check_numpyro(crd_context *ctx, struct draws d, const json_t *row)
{
    double expected[5], *rho = crdi_alloc_array(ctx, d.draws, sizeof *rho), *gamma;
    gamma = crdi_alloc_array(ctx, d.draws, sizeof *gamma);
    check(ctx, d, crd_diag_n_eff, row, "n_eff");
    assert_close(crd_diag_split_gelman_rubin(d.x, d.chains, d.draws),
                 testing_number(json_object_get(row, "split_gelman_rubin")), tolerance, 0);
    assert_close(crd_diag_gelman_rubin(d.x, d.chains, d.draws), testing_number(json_object_get(row, "gelman_rubin")),
                 tolerance, 0);
    check_interval(ctx, d, 0.9, row, "hpdi_0.9");
    assert_int_equal(testing_numbers(json_object_get(row, "autocorrelation_5"), expected), 5);
    assert_ok(ctx, crd_diag_autocorrelation(ctx, d.x, d.draws, rho));
    assert_ok(ctx, crd_diag_autocovariance(ctx, d.x, d.draws, gamma));
    for (int k = 0; k < 5; k++) {
        assert_close(rho[k], expected[k], tolerance, 0);
        assert_close(gamma[k] / gamma[0], rho[k], 1e-15, 0);
    }
    crdi_free(ctx, rho);
    crdi_free(ctx, gamma);
}

static void numpyro_and_arviz_agree(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    json_t *reference = testing_json("diagnostics.json"), *row;
    size_t i;
    int with_arviz = 0;
    json_array_foreach(json_object_get(reference, "cases"), i, row)
    {
        struct draws d = draws_of(ctx, json_object_get(row, "draws"));
        const json_t *arviz = json_object_get(row, "arviz");
        check_numpyro(ctx, d, row);
        if (json_object_size(arviz)) {
            check(ctx, d, crd_diag_r_hat_rank, arviz, "rhat_rank");
            assert_close(crd_diag_r_hat_split(d.x, d.chains, d.draws),
                         testing_number(json_object_get(arviz, "rhat_split")), tolerance, 0);
            check(ctx, d, crd_diag_ess_bulk, arviz, "ess_bulk");
            check(ctx, d, crd_diag_ess_tail, arviz, "ess_tail");
            check(ctx, d, crd_diag_ess_mean, arviz, "ess_mean");
            check(ctx, d, crd_diag_mcse_mean, arviz, "mcse_mean");
            check(ctx, d, crd_diag_mcse_sd, arviz, "mcse_sd");
            check_interval(ctx, d, 0.94, arviz, "hdi_0.94");
            with_arviz++;
        }
        crdi_free(ctx, d.x);
    }
    assert_int_equal(i, 8);
    assert_int_equal(with_arviz, 7);
    json_decref(reference);
    testing_context_destroy(&ctx);
}

static void check_kde(crd_context *ctx, struct draws d, const json_t *row, const char *key, crd_bandwidth rule)
{
    double grid[8], expected[8], density[8];
    (void)ctx;
    int64_t points = testing_numbers(json_object_get(row, "kde_grid"), grid), n = d.chains * d.draws;
    assert_int_equal(testing_numbers(json_object_get(row, key), expected), points);
    crd_diag_kde(d.x, n, crd_diag_bandwidth(d.x, n, rule, 0.3), grid, points, density);
    for (int64_t j = 0; j < points; j++)
        assert_close(density[j], expected[j], 1e-9, 0);
}

static void check_quantiles(crd_context *ctx, struct draws d, const json_t *row)
{
    double prob[8], quantile[8], ess[8], mcse[8], value[8];
    int64_t count = testing_numbers(json_object_get(row, "quantile_prob"), prob), n = d.chains * d.draws;
    assert_int_equal(testing_numbers(json_object_get(row, "quantile"), quantile), count);
    assert_int_equal(testing_numbers(json_object_get(row, "ess_quantile"), ess), count);
    assert_int_equal(testing_numbers(json_object_get(row, "mcse_quantile"), mcse), count);
    assert_ok(ctx, crd_diag_quantile(ctx, d.x, n, prob, count, value));
    for (int64_t i = 0; i < count; i++) {
        assert_close(value[i], quantile[i], 1e-13, 1e-15);
        assert_ok(ctx, crd_diag_ess_quantile(ctx, d.x, d.chains, d.draws, prob[i], value));
        assert_close(value[0], ess[i], tolerance, 0);
        assert_ok(ctx, crd_diag_mcse_quantile(ctx, d.x, d.chains, d.draws, prob[i], value));
        assert_close(value[0], mcse[i], tolerance, 0);
        assert_ok(ctx, crd_diag_quantile(ctx, d.x, n, prob, count, value));
    }
}

static void arviz_and_scipy_agree_on_the_rest(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    json_t *reference = testing_json("diagnostics.json"), *more = testing_json("diagnostics_more.json"), *row, *with;
    size_t i, j;
    int checked = 0;
    json_array_foreach(json_object_get(more, "cases"), i, row)
        json_array_foreach(json_object_get(reference, "cases"), j, with)
    {
        const char *name = json_string_value(json_object_get(row, "name"));
        if (strcmp(name, json_string_value(json_object_get(with, "name"))))
            continue;
        struct draws d = draws_of(ctx, json_object_get(with, "draws"));
        check(ctx, d, crd_diag_r_hat_folded, row, "rhat_folded");
        check(ctx, d, crd_diag_ess_sd, row, "ess_sd");
        check_quantiles(ctx, d, row);
        assert_close(crd_diag_ebfmi(d.x, d.draws), testing_number(json_object_get(row, "bfmi_0")), 1e-11, 0);
        check_kde(ctx, d, row, "kde_scott", CRD_BANDWIDTH_SCOTT);
        check_kde(ctx, d, row, "kde_silverman", CRD_BANDWIDTH_SILVERMAN);
        check_kde(ctx, d, row, "kde_0.3", CRD_BANDWIDTH_FACTOR);
        crdi_free(ctx, d.x);
        checked++;
    }
    assert_int_equal(checked, 6);
    json_decref(reference);
    json_decref(more);
    testing_context_destroy(&ctx);
}

static void a_summary_is_its_parts(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    json_t *reference = testing_json("diagnostics.json"), *row;
    size_t i;
    json_array_foreach(json_object_get(reference, "cases"), i, row)
    {
        struct draws d = draws_of(ctx, json_object_get(row, "draws"));
        int64_t n = d.chains * d.draws;
        crd_diag_summary s;
        double median, interval[2];
        assert_ok(ctx, crd_diag_summarise(ctx, d.x, d.chains, d.draws, 0.9, &s));
        assert_ok(ctx, crd_diag_median(ctx, d.x, n, &median));
        assert_ok(ctx, crd_diag_hpdi(ctx, d.x, n, 0.9, interval));
        assert_close(s.mean, crd_diag_mean(d.x, n), 0, 0);
        assert_close(s.sd, crd_diag_sd(d.x, n), 0, 0);
        assert_close(s.median, median, 0, 0);
        assert_close(s.low, interval[0], 0, 0);
        assert_close(s.high, interval[1], 0, 0);
        assert_close(s.n_eff, testing_number(json_object_get(row, "n_eff")), tolerance, 0);
        assert_close(s.r_hat, testing_number(json_object_get(row, "split_gelman_rubin")), tolerance, 0);
        crdi_free(ctx, d.x);
    }
    json_decref(reference);
    testing_context_destroy(&ctx);
}

/* ---- degenerate draws --------------------------------------------------------------------------------------- */

static const diagnostic_fn all_of_them[] = {crd_diag_n_eff,    crd_diag_r_hat_rank, crd_diag_r_hat_folded,
                                            crd_diag_ess_mean, crd_diag_ess_sd,     crd_diag_ess_bulk,
                                            crd_diag_ess_tail, crd_diag_mcse_mean,  crd_diag_mcse_sd};

static void expect_nan(crd_context *ctx, const double *x, int64_t chains, int64_t draws)
{
    double value;
    for (int i = 0; i < CRDI_COUNT(all_of_them); i++) {
        value = 0;
        assert_ok(ctx, all_of_them[i](ctx, x, chains, draws, &value));
        assert_true(isnan(value));
    }
    assert_ok(ctx, crd_diag_ess_quantile(ctx, x, chains, draws, 0.3, &value));
    assert_true(isnan(value));
    assert_ok(ctx, crd_diag_mcse_quantile(ctx, x, chains, draws, 0.3, &value));
    assert_true(isnan(value));
    assert_true(isnan(crd_diag_gelman_rubin(x, chains, draws)));
    assert_true(isnan(crd_diag_split_gelman_rubin(x, chains, draws)));
    assert_true(isnan(crd_diag_r_hat_split(x, chains, draws)));
}

static void too_few_draws_or_none_that_are_finite_give_nan(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    const double bad[] = {NAN, INFINITY, -INFINITY};
    double x[16] = {0.3, 1, -2, 4, 0.25, 7, 1.5, -3, 2, 0.125, 5, 6, -1, -4, 8, 3}, pair[2], many[16];
    crd_diag_summary s;
    expect_nan(ctx, x, 2, 3);
    expect_nan(ctx, x, 0, 10);
    expect_nan(ctx, x, 2, 0);
    assert_ok(ctx, crd_diag_summarise(ctx, x, 2, 3, 0.9, &s));
    assert_true(isnan(s.n_eff) && isnan(s.r_hat) && isfinite(s.mean) && isfinite(s.median) && isfinite(s.low));
    assert_ok(ctx, crd_diag_summarise(ctx, x, 0, 0, 0.9, &s));
    assert_true(isnan(s.mean) && isnan(s.sd) && isnan(s.median) && isnan(s.low) && isnan(s.high));
    for (int i = 0; i < CRDI_COUNT(bad); i++) {
        x[5] = bad[i];
        expect_nan(ctx, x, 2, 8);
        assert_ok(ctx, crd_diag_summarise(ctx, x, 2, 8, 0.9, &s));
        assert_true(isnan(s.mean) && isnan(s.sd) && isnan(s.median) && isnan(s.low) && isnan(s.high));
        assert_ok(ctx, crd_diag_hpdi(ctx, x, 16, 0.5, pair));
        assert_true(isnan(pair[0]) && isnan(pair[1]));
        assert_ok(ctx, crd_diag_autocorrelation(ctx, x, 16, many));
        assert_true(isnan(many[0]) && isnan(many[15]));
        assert_true(isnan(crd_diag_ebfmi(x, 16)));
        crd_diag_kde(x, 16, 1, x, 1, pair);
        assert_true(isnan(pair[0]));
    }
    assert_true(isnan(crd_diag_sd(x, 1)));
    testing_context_destroy(&ctx);
}

/* 0.1 is no binary fraction: a plain mean of it is not 0.1, and the variance not 0. */
static void constant_draws_give_what_numpyro_and_arviz_give(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    double x[202], out[202], value;
    crd_diag_summary s;
    for (int i = 0; i < 202; i++)
        x[i] = 0.1;
    assert_ok(ctx, crd_diag_summarise(ctx, x, 2, 101, 0.9, &s));
    assert_true(s.mean == 0.1 && s.sd == 0 && s.median == 0.1 && s.low == 0.1 && s.high == 0.1);
    assert_true(isnan(s.n_eff) && isnan(s.r_hat) && isnan(crd_diag_gelman_rubin(x, 2, 101)));
    assert_true(isnan(crd_diag_gelman_rubin(x, 3, 60))); /* the mean of three means of 0.1 is not 0.1 */
    assert_true(isnan(crd_diag_ebfmi(x, 202)));
    const diagnostic_fn sizes[] = {crd_diag_ess_mean, crd_diag_ess_bulk, crd_diag_ess_tail, crd_diag_ess_sd};
    for (int i = 0; i < CRDI_COUNT(sizes); i++) {
        assert_ok(ctx, sizes[i](ctx, x, 2, 101, &value));
        assert_close(value, 200, 0, 0);
    }
    assert_ok(ctx, crd_diag_r_hat_rank(ctx, x, 2, 101, &value));
    assert_true(isnan(value));
    assert_ok(ctx, crd_diag_mcse_mean(ctx, x, 2, 101, &value));
    assert_close(value, 0, 0, 0);
    assert_ok(ctx, crd_diag_mcse_sd(ctx, x, 2, 101, &value));
    assert_true(isnan(value));
    assert_ok(ctx, crd_diag_autocovariance(ctx, x, 202, out));
    assert_true(out[0] == 0 && out[100] == 0);
    assert_close(crd_diag_bandwidth(x, 202, CRD_BANDWIDTH_SCOTT, 0), 0, 0, 0);
    crd_diag_kde(x, 202, 0, x, 1, out);
    assert_true(isnan(out[0]));
    for (int i = 101; i < 202; i++)
        x[i] = 0.2;
    assert_true(crd_diag_gelman_rubin(x, 2, 101) == INFINITY && crd_diag_split_gelman_rubin(x, 2, 101) == INFINITY);
    assert_ok(ctx, crd_diag_r_hat_rank(ctx, x, 2, 101, &value));
    assert_true(value == INFINITY);
    assert_ok(ctx, crd_diag_ess_mean(ctx, x, 2, 101, &value));
    assert_true(value > 1 && value < 3);
    testing_context_destroy(&ctx);
}

static void callers_mistakes_are_errors_and_leave_the_output_alone(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    double x[8] = {1, 2, 3, 4, 5, 6, 7, 9}, out[2] = {7, 7};
    crd_diag_summary s = {.mean = 7};
    for (int i = 0; i < CRDI_COUNT(all_of_them); i++) {
        assert_int_equal(all_of_them[i](ctx, x, -1, 8, out), CRD_EINVAL);
        assert_int_equal(all_of_them[i](ctx, x, INT64_MAX / 8, 100, out), CRD_EINVAL);
    }
    assert_int_equal(crd_diag_hpdi(ctx, x, 8, 0, out), CRD_EINVAL);
    assert_int_equal(crd_diag_hpdi(ctx, x, 8, 1.01, out), CRD_EINVAL);
    assert_int_equal(crd_diag_hpdi(ctx, x, -8, 0.9, out), CRD_EINVAL);
    assert_int_equal(crd_diag_quantile(ctx, x, 8, &(double){NAN}, 1, out), CRD_EINVAL);
    assert_int_equal(crd_diag_mcse_quantile(ctx, x, 1, 8, -0.1, out), CRD_EINVAL);
    assert_int_equal(crd_diag_autocovariance(ctx, x, -1, out), CRD_EINVAL);
    assert_int_equal(crd_diag_summarise(ctx, x, 1, 8, 2, &s), CRD_EINVAL);
    assert_non_null(strstr(crd_error_message(ctx), "-1 chains of 8 draws"));
    assert_true(out[0] == 7 && out[1] == 7 && s.mean == 7);
    testing_context_destroy(&ctx);
}

/* Fails one allocation after the other until there are no more; what was allocated must be freed. */
static void running_out_of_memory_is_an_error(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    double x[16] = {0.3, 1, -2, 4, 0.25, 7, 1.5, -3, 2, 0.125, 5, 6, -1, -4, 8, 3}, out;
    crd_diag_summary s;
    for (int i = 0; i <= CRDI_COUNT(all_of_them); i++) {
        crd_status status = CRD_ENOMEM;
        int64_t k = 1;
        for (; status == CRD_ENOMEM; k++) {
            out = 7;
            testing_fail_allocation(k);
            status = i < CRDI_COUNT(all_of_them) ? all_of_them[i](ctx, x, 2, 8, &out)
                                                 : crd_diag_summarise(ctx, x, 2, 8, 0.9, &s);
            assert_true(status == CRD_OK || out == 7);
            crd_error_clear(ctx);
        }
        testing_fail_allocation(0);
        assert_int_equal(status, CRD_OK);
        assert_true(k > 2);
    }
    testing_context_destroy(&ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numpyro_and_arviz_agree),
        cmocka_unit_test(arviz_and_scipy_agree_on_the_rest),
        cmocka_unit_test(a_summary_is_its_parts),
        cmocka_unit_test(too_few_draws_or_none_that_are_finite_give_nan),
        cmocka_unit_test(constant_draws_give_what_numpyro_and_arviz_give),
        cmocka_unit_test(callers_mistakes_are_errors_and_leave_the_output_alone),
        cmocka_unit_test(running_out_of_memory_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
