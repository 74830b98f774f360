/* test_special.c - distribution functions, inverses and implicit derivatives against tests/data/special.json
 * (tools/make_special_reference.py, mpmath at 50 digits). */
#include "kernel/special.h"
#include "testing.h"

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
        cmocka_unit_test(ends_and_domains),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
