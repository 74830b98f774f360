/* test_tutorial.c - the tutorial's data against those that JAX made (tests/data/regression.csv): x exactly, y within 4 ulp
 * of single precision. */
#include "nn/tutorial.h"
#include "testing.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(the_data_are_those_of_the_page)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
