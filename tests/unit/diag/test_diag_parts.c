/* test_diag_parts.c - the pieces under the diagnostics: autocovariance, order, special functions, densities; theory. */
#include "diag/diag.h"
#include "testing.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Numbers for these tests only: splitmix64 and sums of uniforms give something near a normal. */
static uint64_t next_bits(uint64_t *seed)
{
    uint64_t z = (*seed += 0x9e3779b97f4a7c15u);
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static double uniform(uint64_t *seed)
{
    return ((double)(next_bits(seed) >> 11) + 0.5) * 0x1p-53;
}

static double normal(uint64_t *seed)
{
    return crdi_diag_normal_quantile(uniform(seed));
}

/* A stationary chain x_t = rho x_{t-1} + e_t. */
static void autoregression(uint64_t seed, double rho, int64_t chains, int64_t draws, double *out)
{
    for (int64_t c = 0; c < chains; c++) {
        double x = normal(&seed) / sqrt(1 - rho * rho);
        for (int64_t t = 0; t < draws; t++)
            out[c * draws + t] = x = rho * x + normal(&seed);
    }
}

/* ---- autocovariance ----------------------------------------------------------------------------------------- */

static double naive_covariance(const double *x, int64_t n, int64_t lag)
{
    double mean = crd_diag_mean(x, n), sum = 0;
    for (int64_t t = 0; t + lag < n; t++)
        sum += (x[t] - mean) * (x[t + lag] - mean);
    return sum / (double)n;
}

static void autocovariance_is_its_definition_at_every_length(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    double x[4 * 300], out[300];
    autoregression(1, 0.7, 4, 300, x);
    for (int64_t n = 1; n <= 300; n += n < 70 ? 1 : 23) {
        assert_ok(ctx, crd_diag_autocovariance(ctx, x, n, out));
        for (int64_t k = 0; k < n; k++)
            assert_close(out[k], naive_covariance(x, n, k), 0, 1e-14 * out[0]);
        for (int64_t chains = 2; chains <= 4; chains++) {
            assert_ok(ctx, crdi_diag_mean_autocovariance(ctx, x, chains, n, out));
            for (int64_t k = 0; k < n; k += 7) {
                double sum = 0;
                for (int64_t c = 0; c < chains; c++)
                    sum += naive_covariance(x + c * n, n, k) / (double)chains;
                assert_close(out[k], sum, 0, 1e-14 * out[0]);
            }
        }
    }
    testing_context_destroy(&ctx);
}

static void long_chains_lose_no_digits(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    int64_t n = 100003, lags[] = {0, 1, 2, 17, 999, 50000, 100002};
    double *x = crdi_alloc_array(ctx, n, sizeof *x), *out = crdi_alloc_array(ctx, n, sizeof *out);
    autoregression(2, 0.9, 1, n, x);
    assert_ok(ctx, crd_diag_autocovariance(ctx, x, n, out));
    for (int i = 0; i < CRDI_COUNT(lags); i++)
        assert_close(out[lags[i]], naive_covariance(x, n, lags[i]), 0, 1e-14 * out[0]);
    crdi_free(ctx, x);
    crdi_free(ctx, out);
    testing_context_destroy(&ctx);
}

static void a_few_lags_of_many_draws_are_those_of_all(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    static const int64_t lags[] = {1, 2, 3, 31, 299, 300, 400};
    double x[3 * 300], all[300], out[300];
    autoregression(3, 0.8, 3, 300, x);
    for (int64_t chains = 1; chains <= 3; chains++) {
        assert_ok(ctx, crdi_diag_mean_autocovariance(ctx, x, chains, 300, all));
        for (int i = 0; i < CRDI_COUNT(lags); i++) {
            assert_ok(ctx, crdi_diag_mean_autocovariance_lags(ctx, x, chains, 300, lags[i], out));
            for (int64_t k = 0; k < lags[i] && k < 300; k++)
                assert_close(out[k], all[k], 0, 1e-14 * all[0]);
        }
    }
    testing_context_destroy(&ctx);
}

/* As crd_diag_n_eff says it, of all lags at once; *needed: the lags that it looks at. */
static double n_eff_of_all(const double *covariance, int64_t chains, int64_t n, double within, double between,
                           int64_t *needed)
{
    double total = within * (double)(n - 1) / (double)n + between, lowest = INFINITY, sum = 0;
    for (*needed = 0; *needed + 1 < n && lowest > 0; *needed += 2) {
        double pair = 2 * (1 - within / total) + (covariance[*needed] + covariance[*needed + 1]) / total;
        if (*needed == 0)
            pair = 2 - (within - covariance[1]) / total;
        else
            pair = lowest = fmin(lowest, fmax(pair, 0));
        sum += pair;
    }
    return (double)(chains * n) / (2 * sum - 1);
}

/* Chains that mix slowly need more lags than are looked at first; fast ones do not. */
static void effective_sizes_of_long_chains_take_the_lags_they_need(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    int64_t n = 100000, needed[2];
    double *x = crdi_alloc_array(ctx, 2 * n, sizeof *x), *out = crdi_alloc_array(ctx, n, sizeof *out);
    for (int slow = 0; slow < 2; slow++) {
        double within, between, n_eff;
        autoregression(7, slow ? 0.9998 : 0.9, 2, n, x);
        crdi_diag_within_between(x, 2, n, false, &within, &between);
        assert_ok(ctx, crdi_diag_mean_autocovariance(ctx, x, 2, n, out));
        double expected = n_eff_of_all(out, 2, n, within, between, &needed[slow]);
        assert_ok(ctx, crd_diag_n_eff(ctx, x, 2, n, &n_eff));
        assert_close(n_eff, expected, 1e-9, 0);
        double split;
        assert_ok(ctx, crd_diag_ess_mean(ctx, x, 2, n, &split));
        assert_true(split > 0.3 * n_eff && split < 1.5 * n_eff); /* of halves of chains, by its own rule */
    }
    assert_true(needed[0] < crdi_diag_first_lags(n) && crdi_diag_first_lags(n) < n);
    assert_true(needed[1] > crdi_diag_first_lags(n));
    crdi_free(ctx, x);
    crdi_free(ctx, out);
    testing_context_destroy(&ctx);
}

/* ---- order -------------------------------------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void sorting_and_quantiles_agree_with_a_naive_sort(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    double x[257], sorted[257], expected[257], special[] = {0.0, -0.0, INFINITY, -INFINITY, 5e-324, -5e-324, 1e308};
    uint64_t seed = 3;
    for (int n = 1; n <= 257; n += 1 + n / 9) {
        for (int i = 0; i < n; i++) {
            double size = exp(600 * (uniform(&seed) - 0.5)), kind = uniform(&seed);
            x[i] = kind < 0.4   ? normal(&seed) * size
                   : kind < 0.8 ? floor(4 * normal(&seed))
                                : special[next_bits(&seed) % 7];
        }
        memcpy(expected, x, sizeof x);
        qsort(expected, (size_t)n, sizeof *expected, compare);
        assert_ok(ctx, crd_diag_sort(ctx, x, n, sorted));
        for (int i = 0; i < n; i++)
            assert_true(sorted[i] == expected[i]);
        assert_ok(ctx, crd_diag_sort(ctx, x, n, x));
        assert_memory_equal(x, sorted, (size_t)n * sizeof *x);
    }
    for (int i = 0; i < 101; i++)
        x[i] = (double)((i * 37) % 101);
    for (int i = 0; i <= 1000; i++) {
        double prob = i / 1000.0, quantile;
        assert_ok(ctx, crd_diag_quantile(ctx, x, 101, &prob, 1, &quantile));
        assert_close(quantile, prob * 100, 1e-14, 0);
    }
    assert_true(isnan(crd_diag_quantile_sorted(sorted, 5, 1.5)));
    for (int i = 0; i < 200; i++) {
        double pair[2] = {normal(&seed), normal(&seed) * 10}, median;
        assert_ok(ctx, crd_diag_median(ctx, pair, 2, &median));
        assert_true(median == (pair[0] + pair[1]) / 2);
    }
    testing_context_destroy(&ctx);
}

/* Numbers that differ in one byte only, in a scrambled order: no byte may be passed over. */
static void every_byte_counts_and_minus_zero_is_zero(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    double x[100], sorted[100];
    for (int byte = 0; byte < 8; byte++) {
        for (int i = 0; i < 100; i++) {
            uint64_t bits = (uint64_t)(1 + i * 37 % 101) << 8 * byte | (byte < 6 ? (uint64_t)0x3ff << 52 : 0);
            memcpy(&x[i], &bits, sizeof bits);
        }
        assert_ok(ctx, crd_diag_sort(ctx, x, 100, sorted));
        for (int i = 1; i < 100; i++)
            assert_true(sorted[i - 1] < sorted[i]);
    }
    assert_ok(ctx, crd_diag_sort(ctx, &(double){-0.0}, 1, sorted));
    assert_false(signbit(sorted[0]));
    testing_context_destroy(&ctx);
}

static void the_narrowest_interval_is_found_and_the_lowest_of_equals(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    double x[10] = {9, 0, 5, 5.5, 1, 5.25, 20, 30, 5.75, 6}, out[2];
    assert_ok(ctx, crd_diag_hpdi(ctx, x, 10, 0.4, out));
    assert_true(out[0] == 5 && out[1] == 6);
    assert_ok(ctx, crd_diag_hpdi(ctx, x, 10, 0.2, out));
    assert_true(out[0] == 5 && out[1] == 5.5);
    assert_ok(ctx, crd_diag_hpdi(ctx, x, 10, 1, out));
    assert_true(out[0] == 0 && out[1] == 30);
    testing_context_destroy(&ctx);
}

static void ties_share_their_mean_rank(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    double x[6] = {2, 7, 2, -1, 2, 7}, rank[6] = {3, 5.5, 3, 1, 3, 5.5};
    assert_ok(ctx, crdi_diag_rank_normalise(ctx, x, 6));
    for (int i = 0; i < 6; i++)
        assert_close(x[i], crdi_diag_normal_quantile((rank[i] - 0.375) / 6.25), 0, 0);
    testing_context_destroy(&ctx);
}

/* ---- special functions -------------------------------------------------------------------------------------- */

static void normal_and_beta_quantiles_agree_with_mpmath_and_scipy(void **state)
{
    (void)state;
    json_t *more = testing_json("diagnostics_more.json"), *row;
    double v[4];
    size_t i;
    json_array_foreach(json_object_get(more, "normal"), i, row)
    {
        assert_int_equal(testing_numbers(row, v), 2);
        assert_close(crdi_diag_normal_quantile(v[0]), v[1], 1e-15, 0);
    }
    assert_int_equal(i, 15);
    json_array_foreach(json_object_get(more, "beta"), i, row)
    {
        assert_int_equal(testing_numbers(row, v), 4);
        /* log gamma of millions cancels: 3e-11 there, less elsewhere; an index into the draws needs 1e-7 */
        assert_close(crdi_diag_beta_quantile(v[0], v[1], v[2]), v[3], 1e-9, 0);
    }
    assert_int_equal(i, 12);
    assert_true(crdi_diag_normal_quantile(0) == -INFINITY && crdi_diag_normal_quantile(1) == INFINITY);
    assert_true(isnan(crdi_diag_normal_quantile(-0.1)) && isnan(crdi_diag_normal_quantile(NAN)));
    json_decref(more);
}

/* ---- theory ------------------------------------------------------------------------------------------------- */

/* An autoregression has n (1 - rho) / (1 + rho) effective draws for its mean. */
static void effective_sizes_are_near_theory(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    int64_t chains = 4, draws = 10000;
    double *x = crdi_alloc_array(ctx, chains * draws, sizeof *x), n = (double)(chains * draws), value;
    const double rho[] = {0, 0.5, 0.9, -0.5};
    for (int i = 0; i < CRDI_COUNT(rho); i++) {
        double theory = n * (1 - rho[i]) / (1 + rho[i]);
        autoregression(5, rho[i], chains, draws, x);
        assert_ok(ctx, crd_diag_n_eff(ctx, x, chains, draws, &value));
        assert_close(value, theory, 0.1, 0);
        assert_ok(ctx, crd_diag_ess_mean(ctx, x, chains, draws, &value));
        assert_close(value, theory, 0.1, 0);
        assert_ok(ctx, crd_diag_ess_bulk(ctx, x, chains, draws, &value));
        assert_close(value, theory, 0.1, 0);
        assert_ok(ctx, crd_diag_r_hat_rank(ctx, x, chains, draws, &value));
        assert_close(value, 1, 0, 0.005);
        assert_ok(ctx, crd_diag_mcse_mean(ctx, x, chains, draws, &value));
        assert_close(value, sqrt(1 / (1 - rho[i] * rho[i]) / theory), 0.1, 0);
        /* the mean square of differences is 2 (1 - rho) times the variance */
        assert_close(crd_diag_ebfmi(x, draws), 2 * (1 - rho[i]), 0.1, 0);
    }
    autoregression(6, 0, chains, draws, x);
    assert_ok(ctx, crd_diag_mcse_sd(ctx, x, chains, draws, &value));
    assert_close(value, 1 / sqrt(2 * n), 0.1, 0);
    assert_ok(ctx, crd_diag_mcse_quantile(ctx, x, chains, draws, 0.5, &value));
    assert_close(value, sqrt(1.57079632679489662 / n), 0.15, 0);
    crdi_free(ctx, x);
    testing_context_destroy(&ctx);
}

/* What r_hat is for: a chain elsewhere, one that is wider, one that drifts, each seen by what should see it. */
static void r_hat_sees_chains_that_disagree(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    static double x[4 * 1000];
    double rank, folded;
    autoregression(7, 0, 4, 1000, x);
    for (int t = 0; t < 1000; t++)
        x[t] *= 4;
    assert_true(crd_diag_split_gelman_rubin(x, 4, 1000) < 1.01);
    assert_ok(ctx, crd_diag_r_hat_rank(ctx, x, 4, 1000, &rank));
    assert_ok(ctx, crd_diag_r_hat_folded(ctx, x, 4, 1000, &folded));
    assert_true(folded > 1.1 && rank == folded);
    autoregression(8, 0, 4, 1000, x);
    for (int t = 0; t < 4000; t++)
        x[t] += t % 1000 * 0.004;
    assert_true(crd_diag_gelman_rubin(x, 4, 1000) < 1.01 && crd_diag_split_gelman_rubin(x, 4, 1000) > 1.2);
    assert_ok(ctx, crd_diag_r_hat_rank(ctx, x, 4, 1000, &rank));
    assert_true(rank > 1.2);
    testing_context_destroy(&ctx);
}

static void a_density_integrates_to_one_and_is_the_kernel_of_one_draw(void **state)
{
    (void)state;
    double x[500], grid[2001], density[2001], sum = 0;
    autoregression(9, 0.3, 1, 500, x);
    for (int j = 0; j <= 2000; j++)
        grid[j] = -10 + j * 0.01;
    for (int rule = CRD_BANDWIDTH_SCOTT; rule <= CRD_BANDWIDTH_FACTOR; rule++) {
        crd_diag_kde(x, 500, crd_diag_bandwidth(x, 500, (crd_bandwidth)rule, 0.2), grid, 2001, density);
        sum = 0;
        for (int j = 0; j <= 2000; j++)
            sum += density[j] * 0.01;
        assert_close(sum, 1, 1e-12, 0);
    }
    crd_diag_kde(&(double){1}, 1, 2, &(double){3}, 1, density);
    assert_close(density[0], exp(-0.5) / sqrt(8 * 3.14159265358979324), 1e-15, 0);
    assert_close(crd_diag_bandwidth(x, 500, CRD_BANDWIDTH_FACTOR, 0.2), 0.2 * crd_diag_sd(x, 500), 0, 0);
}

/* A mean far from 0 costs no digits: the spread of 1e9 + x is that of x. */
static void moments_survive_a_large_mean(void **state)
{
    (void)state;
    double x[1000];
    for (int i = 0; i < 1000; i++)
        x[i] = 1e9 + (i % 5) * 0.25;
    assert_close(crd_diag_mean(x, 1000), 1e9 + 0.5, 0, 0);
    assert_close(crd_diag_sd(x, 1000), sqrt(0.125 * 1000 / 999), 1e-14, 0);
}

/* ---- disagreement and drift ----------------------------------------------------------------------------------- */

/* Halves with chosen means and a spread of exactly 1 about them: all three terms are known. */
static void variance_is_taken_apart_exactly(void **state)
{
    (void)state;
    static const double half_mean[3][2] = {{1, 3}, {-2, -2}, {0, 6}};
    double x[3 * 9], total = 0, between = 0, drift = 0, mean = 1;
    for (int c = 0; c < 3; c++) {
        for (int i = 0; i < 9; i++) /* the middle draw does not count */
            x[c * 9 + i] = i == 4 ? 1e6 : 1e3 + half_mean[c][i > 4] + (i % 2 == (i > 4) ? 1 : -1);
        double middle = (half_mean[c][0] + half_mean[c][1]) / 2;
        between += 8 * (middle - mean) * (middle - mean);
        for (int k = 0; k < 2; k++)
            drift += 4 * (half_mean[c][k] - middle) * (half_mean[c][k] - middle);
    }
    total = between + drift + 24;
    crd_diag_spread spread = crd_diag_take_apart(x, 3, 9);
    assert_close(spread.variance, total / 24, 1e-12, 0);
    assert_close(spread.between, between / total, 1e-12, 0);
    assert_close(spread.drift, drift / total, 1e-12, 0);
    spread = crd_diag_take_apart(x, 1, 9);
    assert_close(spread.between, 0, 0, 0);
    assert_close(spread.drift, 8 / 16., 1e-12, 0);
}

/* Equal chains have no between, halves that repeat no drift; what cannot be taken apart is no number. */
static void disagreement_and_drift_at_their_ends(void **state)
{
    (void)state;
    double x[4 * 100];
    for (int i = 0; i < 400; i++)
        x[i] = 0.1 + (i % 50 * 7 % 50);
    crd_diag_spread spread = crd_diag_take_apart(x, 4, 100);
    assert_true(spread.between == 0 && spread.drift == 0 && spread.variance > 0);
    for (int i = 0; i < 400; i++)
        x[i] = i / 100;
    spread = crd_diag_take_apart(x, 4, 100);
    assert_true(spread.between == 1 && spread.drift == 0);
    for (int i = 0; i < 400; i++)
        x[i] = i % 100 < 50;
    spread = crd_diag_take_apart(x, 4, 100);
    assert_true(spread.between == 0 && spread.drift == 1);
    for (int i = 0; i < 400; i++)
        x[i] = 0.1;
    assert_true(isnan(crd_diag_take_apart(x, 4, 100).between) && isnan(crd_diag_take_apart(x, 4, 100).variance));
    assert_true(isnan(crd_diag_take_apart(x, 4, 3).drift) && isnan(crd_diag_take_apart(x, 0, 100).drift));
    x[7] = NAN;
    assert_true(isnan(crd_diag_take_apart(x, 4, 100).between));
}

/* Of chains that mix both are noise of the size that the header says. The shares of 40 runs of 4 chains are sums of 3 and 4
 * squares, which gives the errors of their means; five of these are allowed. */
static void noise_is_as_large_as_it_should_be(void **state)
{
    (void)state;
    static double x[4 * 1000];
    double between = 0, drift = 0;
    for (int run = 0; run < 40; run++) {
        autoregression(100 + (uint64_t)run, 0.5, 4, 1000, x);
        crd_diag_spread spread = crd_diag_take_apart(x, 4, 1000);
        between += spread.between / 40;
        drift += spread.drift / 40;
    }
    double ess = 4000. * (1 - 0.5) / (1 + 0.5);
    assert_close(between, 3 / ess, 0, 5 * sqrt(2 / (3 * 40.)) * 3 / ess);
    assert_close(drift, 4 / ess, 0, 5 * sqrt(2 / (4 * 40.)) * 4 / ess);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(autocovariance_is_its_definition_at_every_length),
        cmocka_unit_test(long_chains_lose_no_digits),
        cmocka_unit_test(a_few_lags_of_many_draws_are_those_of_all),
        cmocka_unit_test(effective_sizes_of_long_chains_take_the_lags_they_need),
        cmocka_unit_test(sorting_and_quantiles_agree_with_a_naive_sort),
        cmocka_unit_test(every_byte_counts_and_minus_zero_is_zero),
        cmocka_unit_test(the_narrowest_interval_is_found_and_the_lowest_of_equals),
        cmocka_unit_test(ties_share_their_mean_rank),
        cmocka_unit_test(normal_and_beta_quantiles_agree_with_mpmath_and_scipy),
        cmocka_unit_test(effective_sizes_are_near_theory),
        cmocka_unit_test(r_hat_sees_chains_that_disagree),
        cmocka_unit_test(a_density_integrates_to_one_and_is_the_kernel_of_one_draw),
        cmocka_unit_test(moments_survive_a_large_mean),
        cmocka_unit_test(variance_is_taken_apart_exactly),
        cmocka_unit_test(disagreement_and_drift_at_their_ends),
        cmocka_unit_test(noise_is_as_large_as_it_should_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
