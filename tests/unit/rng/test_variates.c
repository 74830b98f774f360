/* test_variates.c - the variates have their distributions: Kolmogorov-Smirnov, moments, counts, for fixed keys.
 *
 * Each limit is passed by a correct generator with probability 1 - 1e-4 for a key chosen at random; the keys are fixed,
 * so a test that passes once passes always until the draws change. There are 47 such comparisons: after a change
 * of the draws one of them fails by chance in one case of 200. */
#include "testing.h"

#include <math.h>
#include <stdlib.h>

enum { N = 20000 };

static double value[N];

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* sup |F_n - F| sqrt(n) > 2.2253 has probability 2 exp(-2 * 2.2253^2) = 1e-4. Sorts the values. */
static void check_distribution(double (*cdf)(double x))
{
    qsort(value, N, sizeof value[0], compare);
    double furthest = 0;
    for (int i = 0; i < N; i++) {
        double f = cdf(value[i]);
        furthest = fmax(furthest, fmax(f - (double)i / N, (double)(i + 1) / N - f));
    }
    if (furthest * sqrt(N) > 2.2253)
        fail_msg("Kolmogorov-Smirnov: %g", furthest * sqrt(N));
}

/* |z| > 3.8906 has probability 1e-4. */
static void check_mean(double (*f)(double x), double mean, double sd)
{
    double sum = 0;
    for (int i = 0; i < N; i++)
        sum += f(value[i]) - mean;
    if (fabs(sum / sd / sqrt(N)) > 3.8906)
        fail_msg("mean off by %g standard errors", sum / sd / sqrt(N));
}

/* Neighbours are independent: the mean of their products of unit-variance terms has standard error 1 / sqrt(n). */
static void check_neighbours(double mean, double sd)
{
    double sum = 0;
    for (int i = 1; i < N; i++)
        sum += (value[i] - mean) * (value[i - 1] - mean) / (sd * sd);
    assert_true(fabs(sum / sqrt(N - 1)) < 3.8906);
}

static double itself(double x)
{
    return x;
}

static double square(double x)
{
    return x * x;
}

static double cube(double x)
{
    return x * x * x;
}

static double fourth_power(double x)
{
    return x * x * x * x;
}

static double normal_cdf(double x)
{
    return 0.5 * erfc(-x / sqrt(2));
}

static double exponential_cdf(double x)
{
    return -expm1(-x);
}

static double cauchy_cdf(double x)
{
    return 0.5 + atan(x) / acos(-1);
}

static double gumbel_cdf(double x)
{
    return exp(-exp(-x));
}

static crd_key key_of(int i)
{
    crd_key key = crd_key_fold_in(crd_key_make(2024), (uint32_t)i);
    return crd_key_with_order(key, i % 2 ? CRD_ORDER_ORIGINAL : CRD_ORDER_PARTITIONABLE);
}

static void uniforms_are_uniform(void **state)
{
    (void)state;
    float single[N];
    for (int i = 0; i < 4; i++) {
        if (i < 2) {
            crd_random_uniform(key_of(i), N, value);
        } else {
            crd_random_uniform_f32(key_of(i), N, single);
            for (int j = 0; j < N; j++)
                value[j] = single[j];
        }
        check_mean(itself, 0.5, sqrt(1 / 12.0));
        check_mean(square, 1 / 3.0, sqrt(4 / 45.0));
        check_neighbours(0.5, sqrt(1 / 12.0));
        check_distribution(itself);
        assert_true(value[0] >= 0 && value[N - 1] < 1);
    }
}

static void normals_are_normal(void **state)
{
    (void)state;
    float single[N];
    for (int i = 0; i < 4; i++) {
        if (i < 2) {
            crd_random_normal(key_of(i), N, value);
        } else {
            crd_random_normal_f32(key_of(i), N, single);
            for (int j = 0; j < N; j++)
                value[j] = single[j];
        }
        check_mean(itself, 0, 1);
        check_mean(square, 1, sqrt(2));
        check_mean(cube, 0, sqrt(15));
        check_mean(fourth_power, 3, sqrt(96));
        check_neighbours(0, 1);
        check_distribution(normal_cdf);
    }
}

static void the_others_have_their_distributions(void **state)
{
    (void)state;
    static const struct {
        void (*draw)(crd_key key, int64_t n, double *out);
        double (*cdf)(double x);
    } grid[] = {
        {crd_random_exponential, exponential_cdf}, {crd_random_cauchy, cauchy_cdf}, {crd_random_gumbel, gumbel_cdf}};
    for (int i = 0; i < 3; i++) {
        grid[i].draw(key_of(10 + i), N, value);
        check_distribution(grid[i].cdf);
    }
    crd_random_bernoulli(key_of(20), 0.3, N, value);
    check_mean(itself, 0.3, sqrt(0.21));
}

/* Pearson's statistic of counts against n p. */
static double chi_square(const int64_t *count, const double *p, int cells, int64_t n)
{
    double sum = 0;
    for (int i = 0; i < cells; i++) {
        double expected = (double)n * p[i], difference = (double)count[i] - expected;
        sum += difference * difference / expected;
    }
    return sum;
}

/* Limits: the upper 1e-4 quantiles of chi-square with 6, 3 and 5 degrees of freedom. */
static void counts_fit_their_probabilities(void **state)
{
    (void)state;
    static int64_t number[N];
    static const double seventh[7] = {1 / 7., 1 / 7., 1 / 7., 1 / 7., 1 / 7., 1 / 7., 1 / 7.};
    static const double sixth[6] = {1 / 6., 1 / 6., 1 / 6., 1 / 6., 1 / 6., 1 / 6.};
    static const double p[4] = {0.1, 0.2, 0.3, 0.4};
    int64_t count[7] = {0}, category[4] = {0}, place[6] = {0};
    crd_random_integers(key_of(30), -2, 5, N, number);
    for (int i = 0; i < N; i++)
        count[number[i] + 2]++;
    assert_true(chi_square(count, seventh, 7, N) < 27.86);
    double logits[4];
    for (int i = 0; i < 4; i++)
        logits[i] = log(p[i]) + 5;
    crd_random_categorical(key_of(31), logits, 4, N, number);
    for (int i = 0; i < N; i++)
        category[number[i]]++;
    assert_true(chi_square(category, p, 4, N) < 21.11);
    crd_context *ctx = testing_context();
    for (uint32_t i = 0; i < 2000; i++) {
        assert_ok(ctx, crd_random_permutation(ctx, crd_key_fold_in(key_of(32), i), 6, number));
        place[number[2]]++;
    }
    testing_context_destroy(&ctx);
    assert_true(chi_square(place, sixth, 6, 2000) < 25.74);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(uniforms_are_uniform),
        cmocka_unit_test(normals_are_normal),
        cmocka_unit_test(the_others_have_their_distributions),
        cmocka_unit_test(counts_fit_their_probabilities),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
