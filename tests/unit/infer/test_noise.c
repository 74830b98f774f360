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

/* The same for two numbers: sghmc without its estimate. Its q has variance 1 at any stable step (Leimkuhler & Matthews 2013), and
 * what independent batches of small steps add is h^2 over 1 - c^2. */
static void a_momentum_is_a_second_number(void **state)
{
    (void)state;
    enum { BATCHES = 3, EPOCHS = 80, STEPS = BATCHES * EPOCHS };
    for (int s = 0; s < 3; s++) {
        double step = 0.2 + 0.5 * s, mean = 0, reach[STEPS + BATCHES + 1];
        crdi_linear_kernel k = crdi_linear_sghmc(step, 0.8);
        double z[2] = {k.c[0], k.c[1]};
        for (int j = 0; j <= STEPS + BATCHES; j++) { /* what the noise of j steps ago is to q */
            reach[j] = z[0];
            double q = k.a[0][0] * z[0] + k.a[0][1] * z[1];
            z[1] = k.a[1][0] * z[0] + k.a[1][1] * z[1];
            z[0] = q;
        }
        for (int last = 1; last <= BATCHES; last++)
            for (int i = 0; i < STEPS + last; i++)
                for (int j = 0; j < STEPS + last; j++) {
                    double together = i == j ? 1 : i / BATCHES == j / BATCHES ? -1.0 / (BATCHES - 1) : 0;
                    mean += reach[STEPS + last - 1 - i] * reach[STEPS + last - 1 - j] * together / BATCHES;
                }
        assert_close(crdi_linear_noise(&k, BATCHES), mean, 1e-9, 0);
        assert_close(crdi_linear_injected(&k), 1, 1e-12, 0);
    }
    crdi_linear_kernel small = crdi_linear_sghmc(1e-3, 1);
    assert_close(crdi_linear_noise(&small, 0), 1e-6 / -expm1(-2e-3), 2e-3, 0);
}

static void a_bias_is_of_kernels_that_have_one(void **state)
{
    (void)state;
    crdi_mcmc_bias bias;
    assert_false(crdi_mcmc_bias_of("nuts", 0.1, 0.1, 1, 10, &bias));
    assert_true(crdi_mcmc_bias_of("sgld", 0.2, 0.05, 1, 0, &bias));
    assert_close(bias.noise, 0.05 / 0.99, 1e-9, 0); /* the ratio, for independent batches */
    assert_close(bias.step, 1 / 0.99 - 1, 1e-9, 0);
    assert_true(crdi_mcmc_bias_of("sgld", 0.2, 0, 1, 10, &bias) && bias.noise == 0 && !bias.corrected);
    assert_true(crdi_mcmc_bias_of("sghmc", 1e-3, 0.05, 2, 0, &bias) && bias.corrected);
    assert_close(bias.noise, 0.05, 2e-3, 0);
    assert_close(bias.step, 0, 0, 1e-12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(noise_of_epochs_is_that_of_its_sum),
        cmocka_unit_test(limits_are_known),
        cmocka_unit_test(a_momentum_is_a_second_number),
        cmocka_unit_test(a_bias_is_of_kernels_that_have_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
