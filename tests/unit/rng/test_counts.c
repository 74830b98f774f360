/* test_counts.c - draws of counts against their probabilities, for small and large parameters: Pearson's chi-square with
 * fixed keys, which would fail for one key in 10^4 by chance. */
#include "rng/counts.h"
#include "testing.h"

#include <math.h>
#include <stdlib.h>

enum { N = 20000, LARGE = 300000 };

/* Cells of `width` numbers around the mean, of at least 10 expected draws; log_p(k) is log P(k) by the C library. */
static void check(const double *draws, int n, double mean, double sd, double (*log_p)(double k, const double *),
                  const double *with)
{
    double width = fmax(1, floor(sd / 4)), start = floor(fmax(mean - 9 * sd - 2 * width, 0)), sum = 0, cells = 0;
    double left = n, unseen = n, expected = 0, seen = 0;
    for (double low = start; left >= 10; low += width) {
        double here = 0;
        for (double k = low; k < low + width; k++)
            here += n * exp(log_p(k, with));
        for (int i = 0; i < n; i++)
            seen += draws[i] >= low && draws[i] < low + width;
        expected += here;
        left -= here;
        if (left < 10) {
            expected += left;
            seen = unseen;
        } else if (expected < 10) {
            continue;
        }
        sum += (seen - expected) * (seen - expected) / expected;
        unseen -= seen;
        expected = seen = 0;
        cells++;
    }
    double v = 2 / (9 * (cells - 1)), limit = (cells - 1) * pow(1 - v + 3.719 * sqrt(v), 3);
    if (cells < 2 || !(sum < limit))
        fail_msg("mean %g, sd %g: chi-square is %.4g in %g cells, the limit %.4g", mean, sd, sum, cells, limit);
}

/* 3.891 standard errors of the mean; 1e-4 on both sides together. */
static void check_mean(const double *draws, double mean, double sd)
{
    double sum = 0, square = 0;
    for (int i = 0; i < N; i++) {
        sum += (draws[i] - mean) / N;
        square += (draws[i] - mean) * (draws[i] - mean) / N;
    }
    if (!(fabs(sum) < 3.891 * sd / sqrt(N)))
        fail_msg("mean %g: the draws' is off by %g", mean, sum);
    /* That of the variance of nearly normal draws is sd^2 sqrt(2 / N). */
    if (mean > 50 && !(fabs(square / (sd * sd) - 1) < 3.891 * sqrt(2.0 / N)))
        fail_msg("mean %g: the draws' variance is %g of its own", mean, square / (sd * sd));
}

static double log_poisson(double k, const double *rate)
{
    return k * log(*rate) - *rate - lgamma(k + 1);
}

static double log_binomial(double k, const double *with)
{
    double n = with[0], p = with[1];
    return k > n ? -INFINITY : lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) + k * log(p) + (n - k) * log1p(-p);
}

static void poisson_draws_have_their_distribution(void **state)
{
    (void)state;
    static double draws[N], rates[N];
    static const double rate[] = {0.01, 0.7, 5, 9.99, 10, 13.3, 40, 500};
    for (int i = 0; i < (int)(sizeof rate / sizeof *rate); i++) {
        for (int k = 0; k < N; k++)
            rates[k] = rate[i];
        crd_random_poisson(crd_key_make(1000 + (uint64_t)i), rates, N, draws);
        check(draws, N, rate[i], sqrt(rate[i]), log_poisson, &rate[i]);
        check_mean(draws, rate[i], sqrt(rate[i]));
    }
}

/* Where a formula with log k! would have lost its digits, draws are still normal to first order. */
static void huge_means_have_their_moments(void **state)
{
    (void)state;
    static double draws[N], rates[N], half[N];
    static const double rate[] = {1e6, 1e10, 1e15};
    for (int i = 0; i < 3; i++) {
        for (int k = 0; k < N; k++) {
            rates[k] = rate[i];
            half[k] = 0.3;
        }
        crd_random_poisson(crd_key_make(2000 + (uint64_t)i), rates, N, draws);
        check_mean(draws, rate[i], sqrt(rate[i]));
        crd_random_binomial(crd_key_make(2100 + (uint64_t)i), rates, half, N, draws);
        check_mean(draws, 0.3 * rate[i], sqrt(0.21 * rate[i]));
    }
}

static void binomial_draws_have_their_distribution(void **state)
{
    (void)state;
    static double draws[N], total[N], probs[N];
    static const double with[][2] = {{1, 0.3},   {9, 0.6},    {40, 0.01}, {20, 0.5},     {33, 0.7},
                                     {100, 0.1}, {500, 0.98}, {500, 0.4}, {100000, 0.05}};
    for (int i = 0; i < (int)(sizeof with / sizeof *with); i++) {
        for (int k = 0; k < N; k++) {
            total[k] = with[i][0];
            probs[k] = with[i][1];
        }
        double mean = with[i][0] * with[i][1], sd = sqrt(mean * (1 - with[i][1]));
        crd_random_binomial(crd_key_make(3000 + (uint64_t)i), total, probs, N, draws);
        check(draws, N, mean, sd, log_binomial, with[i]);
        check_mean(draws, mean, sd);
        for (int k = 0; k < N; k++)
            assert_true(draws[k] >= 0 && draws[k] <= total[k] && draws[k] == floor(draws[k]));
    }
}

/* Many draws where rejection begins: a constant of its that is a little off shows here only. */
static void many_draws_have_their_distribution(void **state)
{
    (void)state;
    static double draws[LARGE], first[LARGE], second[LARGE];
    const double rate = 12, with[] = {60, 0.4};
    for (int k = 0; k < LARGE; k++)
        first[k] = rate;
    crd_random_poisson(crd_key_make(4000), first, LARGE, draws);
    check(draws, LARGE, rate, sqrt(rate), log_poisson, &rate);
    for (int k = 0; k < LARGE; k++) {
        first[k] = with[0];
        second[k] = with[1];
    }
    crd_random_binomial(crd_key_make(4001), first, second, LARGE, draws);
    check(draws, LARGE, 24, sqrt(14.4), log_binomial, with);
}

static void ends_of_the_domain_are_exact(void **state)
{
    (void)state;
    static const double rate[] = {0, 1e-300, -1, NAN, INFINITY};
    static const double total[] = {0, 7, 1e9, 1e9, 5, -1, 2.5, 3, 3}, probs[] = {0.5, 1, 0, 1, 0, 0.5, 0.5, -0.1, NAN};
    static const double zero[] = {0, 0.5, 0.5, 0, 0, 0};
    double out[9];
    crd_random_poisson(crd_key_make(1), rate, 5, out);
    assert_true(out[0] == 0 && out[1] == 0 && isnan(out[2]) && isnan(out[3]) && out[4] == INFINITY);
    crd_random_binomial(crd_key_make(1), total, probs, 9, out);
    assert_true(out[0] == 0 && out[1] == 7 && out[2] == 0 && out[3] == 1e9 && out[4] == 0);
    for (int i = 5; i < 9; i++)
        assert_true(isnan(out[i]));
    crd_random_multinomial(crd_key_make(1), (const double[]){11, 0}, zero, 3, 2, out);
    assert_true(out[0] == 0 && out[1] + out[2] == 11 && out[3] == 0 && out[4] == 0 && out[5] == 0);
}

/* An element's stream is its own: not moved by the others' parameters, nor by the length. */
static void an_element_does_not_depend_on_the_others(void **state)
{
    (void)state;
    double rate[] = {3, 80, 0.5, 2000}, out[4], again[4];
    crd_random_poisson(crd_key_make(8), rate, 4, out);
    rate[0] = 50000;
    rate[2] = 17;
    crd_random_poisson(crd_key_make(8), rate, 4, again);
    assert_true(out[1] == again[1] && out[3] == again[3]);
    assert_true(out[0] != again[0]);
    crd_random_poisson(crd_key_make(8), rate, 2, out);
    assert_true(out[1] == again[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(poisson_draws_have_their_distribution),
        cmocka_unit_test(huge_means_have_their_moments),
        cmocka_unit_test(binomial_draws_have_their_distribution),
        cmocka_unit_test(many_draws_have_their_distribution),
        cmocka_unit_test(ends_of_the_domain_are_exact),
        cmocka_unit_test(an_element_does_not_depend_on_the_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
