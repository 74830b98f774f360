/* test_noise.c - what the noise of batches adds to the variance of a standard normal: the closed form against sums by hand. */
#include "infer/mcmc/noise.h"
#include "infer/mcmc.h"
#include "testing.h"

#include <math.h>

/* A chain of one number, x' = a x + c n: the variance behind `epochs` epochs and k batches more, by the covariance of every two of
 * its noises. */
static double by_hand(double a, double c, int batches, int epochs, int k)
{
    int steps = epochs * batches + k;
    double sum = 0;
    for (int i = 0; i < steps; i++)
        for (int j = 0; j < steps; j++) {
            double together = i == j ? 1 : i / batches == j / batches ? -1.0 / (batches - 1) : 0;
            sum += c * c * pow(a, 2 * steps - 2 - i - j) * together;
        }
    return sum;
}

static void noise_of_epochs_is_that_of_its_sum(void **state)
{
    (void)state;
    static const int batches[] = {2, 3, 7, 20};
    for (int b = 0; b < 4; b++)
        for (int s = 0; s < 3; s++) {
            double step = 0.3 + 0.4 * s, mean = 0;
            crdi_linear_kernel kernel = crdi_linear_sgld(step);
            for (int k = 1; k <= batches[b]; k++)
                mean += by_hand(kernel.a[0][0], kernel.c[0], batches[b], 600 / batches[b], k) / batches[b];
            assert_close(crdi_linear_noise(&kernel, batches[b]), mean, 1e-9, 0);
        }
}

/* Independent batches: a geometric series. Epochs that are long beside 2 / step^2 come to the same, short ones to little: the mean of a
 * bridge, c^2 v k (1 - k / K), over k, is c^2 v K / 6. */
static void limits_are_known(void **state)
{
    (void)state;
    crdi_linear_kernel kernel = crdi_linear_sgld(0.2);
    double half = 0.02, plain = half * half / (1 - (1 - half) * (1 - half));
    assert_close(crdi_linear_injected(&kernel), 1 / (1 - 0.01), 1e-12, 0);
    assert_close(crdi_linear_noise(&kernel, 0), plain, 1e-12, 0);
    assert_close(crdi_linear_noise(&kernel, 100000), plain, 1e-3, 0);
    assert_true(crdi_linear_noise(&kernel, 1) == 0);
    crdi_linear_kernel slow = crdi_linear_sgld(1e-3);
    assert_close(crdi_linear_noise(&slow, 40), 0.25e-12 * 40 / 6, 0.03, 0);
    crdi_linear_kernel unstable = crdi_linear_sgld(2.1);
    assert_true(isinf(crdi_linear_injected(&unstable)));
}

static void a_bias_is_of_kernels_that_have_one(void **state)
{
    (void)state;
    crdi_mcmc_bias bias;
    assert_false(crdi_mcmc_bias_of("nuts", 0.1, 0.1, 10, &bias));
    assert_true(crdi_mcmc_bias_of("sgld", 0.2, 0.05, 0, &bias));
    assert_close(bias.noise, 0.05 / 0.99, 1e-9, 0); /* the ratio, for independent batches */
    assert_close(bias.step, 1 / 0.99 - 1, 1e-9, 0);
    assert_true(crdi_mcmc_bias_of("sgld", 0.2, 0, 10, &bias) && bias.noise == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(noise_of_epochs_is_that_of_its_sum),
        cmocka_unit_test(limits_are_known),
        cmocka_unit_test(a_bias_is_of_kernels_that_have_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
