/* test_tutorial.c - the tutorial's data: those of the regression against what JAX made (tests/data/regression.csv), x exactly, y
 * within 4 ulp of single precision; the spiral against numpy's (tests/data/spiral.csv), whose noise is another. */
#include "nn/tutorial.h"
#include "testing.h"

#include <math.h>
#include <stdio.h>

static void the_data_are_those_of_the_page(void **state)
{
    (void)state;
    double x[CRDI_TUTORIAL_ROWS], y[CRDI_TUTORIAL_ROWS], worst = 0;
    char line[128];
    FILE *file = fopen(TEST_DATA "/regression.csv", "r");
    assert_non_null(file);
    assert_non_null(fgets(line, sizeof line, file));
    crdi_tutorial_regression(x, y);
    for (int i = 0; i < CRDI_TUTORIAL_ROWS; i++) {
        float a, b;
        assert_int_equal(fscanf(file, "%f,%f", &a, &b), 2);
        assert_true((float)x[i] == a);
        double ulp = testing_ulp_single((float)y[i], b);
        worst = ulp > worst ? ulp : worst;
    }
    fclose(file);
    print_message("[ figure   ] y within %g ulp\n", worst);
    assert_true(worst <= 4);
}

/* How far an angle is from the one without noise, from -pi to pi. */
static double off(double angle, double without)
{
    return remainder(angle - without, 2 * acos(-1));
}

/* Radii and classes are those of the page. The noise of both is standard normal: its mean and variance over 300 points lie
 * within 4.5 standard errors (false alarm: 7e-6 each), and the two are independent. */
static void the_spiral_is_that_of_the_page_but_for_its_noise(void **state)
{
    (void)state;
    enum { EACH = 100, ROWS = 3 * EACH };
    double x[2 * ROWS], y[ROWS], sum[2] = {0}, square[2] = {0}, product = 0;
    char line[128];
    FILE *file = fopen(TEST_DATA "/spiral.csv", "r");
    assert_non_null(file);
    assert_non_null(fgets(line, sizeof line, file));
    crdi_tutorial_spiral(crd_key_make(0), EACH, x, y);
    for (int i = 0; i < ROWS; i++) {
        double a, b, label, radius = hypot(x[2 * i], x[2 * i + 1]), noise[2] = {0};
        assert_int_equal(fscanf(file, "%lf,%lf,%lf", &a, &b, &label), 3);
        assert_true(y[i] == label);
        assert_close(radius, hypot(a, b), 1e-14, 1e-15);
        if (radius == 0)
            continue;
        double without = 4 * (label + (i % EACH) / (EACH - 1.0));
        noise[0] = off(atan2(x[2 * i], x[2 * i + 1]), without) / 0.2;
        noise[1] = off(atan2(a, b), without) / 0.2;
        product += noise[0] * noise[1];
        for (int k = 0; k < 2; k++) {
            sum[k] += noise[k];
            square[k] += noise[k] * noise[k];
        }
    }
    fclose(file);
    const double n = ROWS - 3;
    for (int k = 0; k < 2; k++) {
        assert_true(fabs(sum[k]) < 4.5 * sqrt(n));
        assert_true(fabs(square[k] - n) < 4.5 * sqrt(2 * n));
    }
    assert_true(fabs(product) < 4.5 * sqrt(n));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_data_are_those_of_the_page),
                                       cmocka_unit_test(the_spiral_is_that_of_the_page_but_for_its_noise)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
