/* test_select.c - quantiles without sorting are those of the sorted numbers, to the bit, whatever the numbers are like. */
#include "diag/diag.h"
#include "testing.h"

#include <string.h>

enum { MOST = 5000, PROBS = 9 };

static const double prob[PROBS] = {0, 1e-9, 0.025, 0.05, 0.31, 0.5, 0.5003, 0.95, 1};

/* Numbers of a kind: spread evenly, with ties, crowded about an outlier, in order, ... */
static void fill(int kind, int64_t n, double *x)
{
    crd_random_normal(crd_key_make((uint32_t)(100 * kind + n)), n, x);
    for (int64_t i = 0; i < n; i++)
        switch (kind) {
        case 1:
            x[i] = floor(3 * x[i]);
            break;
        case 2:
            x[i] = i == n / 3 ? 1e12 : x[i];
            break;
        case 3:
            x[i] = (double)i * 0.5 - 100;
            break;
        case 4:
            x[i] = exp(30 * x[i]);
            break;
        case 5:
            x[i] = x[i] > 0 ? 0.0 : -0.0;
            break;
        case 6:
            x[i] = x[i] > 0.1 ? x[i] : -0.0;
            break;
        case 7:
            x[i] *= 1e-320;
            break;
        case 8:
            x[i] *= 4e307;
            break;
        case 9:
            x[i] = i == n / 2 ? INFINITY : x[i];
            break;
        case 10:
            x[i] = i == n / 2 ? NAN : x[i];
            break;
        default:
            break;
        }
}

static void quantiles_are_those_of_sorted_numbers(void **state)
{
    (void)state;
    static double x[MOST], sorted[MOST];
    static const int64_t sizes[] = {1, 2, 3, 255, 256, 257, 1000, 4000, MOST};
    crd_context *ctx = testing_context();
    for (int kind = 0; kind <= 10; kind++)
        for (int s = 0; s < CRDI_COUNT(sizes); s++) {
            double got[PROBS], expected[PROBS];
            int64_t n = sizes[s];
            fill(kind, n, x);
            assert_ok(ctx, crd_diag_sort(ctx, x, n, sorted));
            for (int k = 0; k < PROBS; k++)
                expected[k] = crd_diag_quantile_sorted(sorted, n, prob[k]);
            assert_ok(ctx, crd_diag_quantile(ctx, x, n, prob, PROBS, got));
            for (int k = 0; k < PROBS; k++)
                if (memcmp(&got[k], &expected[k], sizeof got[k]) != 0 && !(isnan(got[k]) && isnan(expected[k])))
                    fail_msg("kind %d, %lld numbers: quantile %g is %.17g, not %.17g", kind, (long long)n, prob[k],
                             got[k], expected[k]);
        }
    testing_context_destroy(&ctx);
}

/* More than have a place, and numbers that are left as they were. */
static void many_quantiles(void **state)
{
    (void)state;
    static double x[MOST], before[MOST], sorted[MOST], many[101], got[101];
    crd_context *ctx = testing_context();
    fill(0, MOST, x);
    memcpy(before, x, sizeof x);
    for (int k = 0; k <= 100; k++)
        many[k] = 0.01 * k > 1 ? 1 : 0.01 * k;
    for (int count = 20; count <= 100; count += 40) {
        assert_ok(ctx, crd_diag_quantile(ctx, x, MOST, many, count, got));
        assert_ok(ctx, crd_diag_sort(ctx, x, MOST, sorted));
        for (int k = 0; k < count; k++)
            assert_true(got[k] == crd_diag_quantile_sorted(sorted, MOST, many[k]));
    }
    assert_memory_equal(x, before, sizeof x);
    testing_context_destroy(&ctx);
}

/* The same moments by fewer passes. */
static void moments_are_those_of_each(void **state)
{
    (void)state;
    static double x[MOST];
    double mean, variance;
    for (int64_t n = 2; n < MOST; n = 3 * n + 1) {
        fill(0, n, x);
        crdi_diag_moments(x, n, &mean, &variance);
        assert_true(mean == crd_diag_mean(x, n) && sqrt(variance) == crd_diag_sd(x, n));
    }
    crdi_diag_moments(x, 1, &mean, &variance);
    assert_true(mean == x[0] && isnan(variance));
    x[0] = NAN;
    crdi_diag_moments(x, 10, &mean, &variance);
    assert_true(isnan(mean) && isnan(variance));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantiles_are_those_of_sorted_numbers),
        cmocka_unit_test(many_quantiles),
        cmocka_unit_test(moments_are_those_of_each),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
