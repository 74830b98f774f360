/* test_special.c - distribution functions, inverses and implicit derivatives against tests/data/special.json
 * (tools/make_special_reference.py, mpmath at 50 digits). */
#include "base/base.h"
#include "kernel/special.h"
#include "testing.h"

#include <float.h>
#include <math.h>
#include <string.h>

static double value_of(const char *name, const double *a)
{
    if (strcmp(name, "log_normal_cdf") == 0)
        return crdi_log_normal_cdf(a[0]);
    if (strcmp(name, "gamma_p") == 0)
        return crdi_gamma_p(a[0], a[1]);
    if (strcmp(name, "gamma_q") == 0)
        return crdi_gamma_q(a[0], a[1]);
    if (strcmp(name, "log_gamma_slope") == 0)
        return crdi_log_gamma_slope(a[0], a[1]);
    if (strcmp(name, "beta_cdf") == 0)
        return crdi_beta_cdf(a[0], a[1], a[2]);
    if (strcmp(name, "student_t_cdf") == 0)
        return crdi_student_t_cdf(a[0], a[1]);
    if (strcmp(name, "log_bessel_i0") == 0)
        return crdi_log_bessel_i0(a[0]);
    if (strcmp(name, "bessel_ratio") == 0)
        return crdi_bessel_ratio(a[0]);
    if (strcmp(name, "von_mises_cdf") == 0)
        return crdi_von_mises_cdf(a[0], a[1]);
    fail_msg("no function %s", name);
    return NAN;
}

/* 1e-12, but for the implicit derivative above 1e4, whose expansion leaves 1e-9. */
static void values_agree_with_mpmath(void **state)
{
    (void)state;
    json_t *file = testing_json("special.json");
    const char *name;
    json_t *rows;
    int64_t count = 0;
    json_object_foreach(file, name, rows) for (size_t i = 0; i < json_array_size(rows); i++, count++)
    {
        const json_t *row = json_array_get(rows, i);
        double a[3] = {0}, expected = testing_number(json_array_get(row, 1));
        testing_numbers(json_array_get(row, 0), a);
        double ours = value_of(name, a), bound = strcmp(name, "log_gamma_slope") == 0 && a[0] > 1e4 ? 1e-9 : 1e-12;
        /* Its small values are differences: absolute. */
        double least = strcmp(name, "von_mises_cdf") == 0 ? 1e-15 : 0;
        if (!(fabs(ours - expected) <= bound * fabs(expected) + least))
            fail_msg("%s(%.17g, %.17g, %.17g) is %.17g, not %.17g", name, a[0], a[1], a[2], ours, expected);
    }
    assert_true(count > 200);
    json_decref(file);
}

static void quantiles_are_inverses(void **state)
{
    (void)state;
    static const double sizes[] = {1e-3, 0.02, 0.7, 1, 3, 50, 4000, 2e6}, p[] = {1e-10, 0.01, 0.4, 0.5, 0.6, 0.97};
    for (int k = 0; k < 6; k++)
        for (int i = 0; i < 8; i++) {
            double a = sizes[i], x = crdi_gamma_quantile(a, p[k]);
            if (x > 1e-300)
                assert_close(crdi_gamma_p(a, x), p[k], 2e-11, 0);
            assert_close(crdi_student_t_cdf(a < 0.1 ? 0.1 : a, crdi_student_t_quantile(a < 0.1 ? 0.1 : a, p[k])), p[k],
                         2e-11, 0);
            for (int j = 1; j < 7; j++) {
                double y = crdi_beta_quantile(a, sizes[j], p[k]);
                if (y > 1e-300 && y < 1 - 1e-3 && a < 1e5)
                    assert_close(crdi_beta_cdf(a, sizes[j], y), p[k], 2e-11, 0);
            }
        }
    for (int k = 0; k < 6; k++)
        assert_close(crdi_log_normal_cdf(crdi_normal_quantile_of_log(log(p[k]))), log(p[k]), 1e-13, 0);
    assert_close(crdi_normal_quantile_of_log(-1e6), -1414.2089, 1e-6, 0);
}

/* Against sums of probabilities in long double, for means from 1e-3 to 1e5 and shares from 1e-12 to nearly 1. */
struct law {
    const char *name;
    double a, b, n;
};

static double quantile_of(const struct law *l, double p)
{
    if (strcmp(l->name, "poisson") == 0)
        return crdi_poisson_quantile(l->a, p);
    if (strcmp(l->name, "binomial") == 0)
        return crdi_binomial_quantile(l->n, l->a, p);
    if (strcmp(l->name, "beta_binomial") == 0)
        return crdi_beta_binomial_quantile(l->n, l->a, l->b, p);
    return crdi_negative_binomial_quantile(l->a, l->b, p);
}

static long double log_p_of(const struct law *l, long double k)
{
    if (strcmp(l->name, "poisson") == 0)
        return k * logl(l->a) - l->a - lgammal(k + 1);
    long double ways = lgammal(l->n + 1.0L) - lgammal(k + 1) - lgammal(l->n - k + 1);
    if (strcmp(l->name, "binomial") == 0)
        return ways + k * logl(l->a) + (l->n - k) * log1pl(-l->a);
    if (strcmp(l->name, "beta_binomial") == 0)
        return ways + lgammal(k + l->a) + lgammal(l->n - k + l->b) - lgammal(l->n + l->a + l->b) +
               lgammal(l->a + l->b) - lgammal(l->a) - lgammal(l->b);
    return lgammal(k + l->b) - lgammal(l->b) - lgammal(k + 1) - l->b * log1pl(l->a / l->b) +
           k * (logl(l->a) - logl(l->a + l->b));
}

/* Valgrind computes long doubles as doubles, and sums of 100 000 of them say nothing of the last digits then. */
static bool long_doubles_are_what_they_say(void)
{
    volatile long double one = 1, next = one + LDBL_EPSILON;
    return next > one;
}

static void quantiles_of_counts_are_the_first(void **state)
{
    (void)state;
    if (!long_doubles_are_what_they_say()) {
        print_message("long doubles are computed as doubles here\n");
        skip();
    }
    static const struct law laws[] = {{"poisson", 1e-3, 0, 0},
                                      {"poisson", 0.7, 0, 0},
                                      {"poisson", 42, 0, 0},
                                      {"poisson", 1e5, 0, 0},
                                      {"binomial", 0.3, 0, 9},
                                      {"binomial", 0.999, 0, 40},
                                      {"binomial", 1e-4, 0, 1e5},
                                      {"binomial", 0.5, 0, 2e4},
                                      {"negative_binomial", 2.7, 1.9, 0},
                                      {"negative_binomial", 300, 0.2, 0},
                                      {"negative_binomial", 1e3, 1e3, 0},
                                      {"beta_binomial", 2.5, 1.3, 9},
                                      {"beta_binomial", 0.1, 0.2, 50},
                                      {"beta_binomial", 40, 900, 5000}};
    static const double shares[] = {1e-12, 1e-3, 0.2, 0.5, 0.77, 0.999, 1 - 1e-9};
    for (int i = 0; i < CRDI_COUNT(laws); i++) {
        long double sum = 0, before = 0;
        double k = -1;
        for (int s = 0; s < CRDI_COUNT(shares); s++) {
            /* within rounding of the sum's steps no neighbour is wrong */
            double ours = quantile_of(&laws[i], shares[s]), slack = 1e-9 * fmin(shares[s], 1 - shares[s]);
            for (; k < ours; before = sum, sum += expl(log_p_of(&laws[i], k)))
                k++;
            if (!(ours >= 0 && sum >= shares[s] - slack && (ours == 0 || before < shares[s] + slack)))
                fail_msg("%s(%g, %g, %g): the quantile of %.17g is %g", laws[i].name, laws[i].a, laws[i].b, laws[i].n,
                         shares[s], ours);
        }
        assert_true(quantile_of(&laws[i], 0) == 0);
        assert_true(quantile_of(&laws[i], 1) == (laws[i].n > 0 ? laws[i].n : INFINITY));
        assert_true(isnan(quantile_of(&laws[i], 1.5)) && isnan(quantile_of(&laws[i], NAN)));
    }
    assert_true(crdi_poisson_quantile(0, 0.9) == 0 && crdi_binomial_quantile(7, 1, 0.2) == 7);
    assert_true(fabs(crdi_poisson_quantile(1e12, 0.5) - 1e12) <= 1);
}

static void ends_and_domains(void **state)
{
    (void)state;
    assert_close(crdi_gamma_p(2, 0), 0, 0, 0);
    assert_close(crdi_gamma_q(2, 0), 1, 0, 0);
    assert_close(crdi_gamma_p(2, INFINITY), 1, 0, 0);
    assert_close(crdi_gamma_quantile(2, 1), INFINITY, 0, 0);
    assert_close(crdi_beta_cdf(2, 3, 1), 1, 0, 0);
    assert_close(crdi_beta_quantile(2, 3, 0), 0, 0, 0);
    assert_close(crdi_student_t_cdf(3, -INFINITY), 0, 0, 0);
    assert_close(crdi_student_t_cdf(3, INFINITY), 1, 0, 0);
    assert_close(crdi_normal_quantile_of_log(0), INFINITY, 0, 0);
    assert_close(crdi_normal_quantile_of_log(-INFINITY), -INFINITY, 0, 0);
    assert_true(isnan(crdi_normal_quantile_of_log(0.1)));
    assert_close(crdi_log_normal_cdf(-INFINITY), -INFINITY, 0, 0);
    assert_close(crdi_log_normal_cdf(INFINITY), 0, 0, 0);
    assert_true(isnan(crdi_gamma_p(-1, 1)) && isnan(crdi_gamma_p(1, -1)) && isnan(crdi_beta_cdf(1, 1, 2)));
    assert_true(isnan(crdi_gamma_quantile(1, 2)) && isnan(crdi_log_gamma_slope(0, 1)) && isnan(crdi_log_bessel_i0(-1)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_agree_with_mpmath),
        cmocka_unit_test(quantiles_are_inverses),
        cmocka_unit_test(quantiles_of_counts_are_the_first),
        cmocka_unit_test(ends_and_domains),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
