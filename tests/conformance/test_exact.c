/* test_exact.c - one suite for every kernel that is exact: whatever is in kernels.def and does not say that it is biased, against
 * targets whose moments are known.
 *
 *   Gaussians in 2, 10, 100 and 1000 dimensions, scales over three decades, correlation 0.8 between neighbours
 *   a banana and a mild funnel, centred, in closed form; Neal's funnel in its non-centred form
 *   a mixture of two normals in the plane, unlike in weight and shape, by quadrature
 *   a lopsided density by steps so long that half of them are refused, by quadrature
 *
 * split_hmc divides the rows of a plate, which these targets lack: it gets one whose rows pull to and fro and cancel, so that parts of
 * the density differ and their sum is the target. Tempering goes from the sites' priors to the rest.
 *
 * Means are within 5 Monte Carlo standard errors (crd_diag_mcse_mean of 4 chains). False alarms: a kernel has some 3400 nearly normal
 * deviates, beyond five with probability 2e-3 together. Keys are fixed. Calibration of a network: tests/slow/test_sbc.c;
 * reference posteriors: tests/slow/test_posterior.c; those ask the table too. */
#include <credence/evidence.h>

#include "gaussian.h"
#include "kernels.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CHAINS = 4, SITES = 4 };

/* A model, and functions of its draws with known means. */
struct target {
    const char *name;
    crd_model_fn fn;
    void *user;
    const char *site[SITES];
    int64_t dim;
    int values;
    double (*value)(const double *const site[SITES], int64_t d, int which); /* of draw d */
    double (*truth)(int which);
    int64_t draws;
    double target_accept; /* 0: the kernel's */
};

/* ---- Gaussians ----------------------------------------------------------------------------------------------- */

static struct gaussian gaussian; /* the one at hand */

static double gaussian_value(const double *const site[SITES], int64_t d, int which)
{
    const double *x = site[0] + d * gaussian.dim;
    int64_t i = which / 3, j = which % 3 == 2 && i + 1 < gaussian.dim ? i + 1 : i;
    return (x[i] - gaussian.mean[i]) * (which % 3 ? x[j] - gaussian.mean[j] : 1);
}

static double gaussian_truth(int which)
{
    int64_t i = which / 3, j = which % 3 == 2 && i + 1 < gaussian.dim ? i + 1 : i;
    return which % 3 ? gaussian.sd[i] * gaussian.sd[j] * (i == j ? 1 : gaussian.rho) : 0;
}

/* ---- a banana, funnels --------------------------------------------------------------------------------------- */

/* x standard normal, y | x ~ Normal(x^2 - 1, 0.5), so that E y = 0, E y^2 = 2.25, E x^2 y = 2; v standard normal, five of z | v ~
 * Normal(0, exp(v / 2)), so that the mean of z^2 exp(-v) is 1. */
static crd_node bent_model(crd_trace *t, void *user)
{
    (void)user;
    crd_node x = crd_sample(t, "x", crd_normal(crd_num(0), crd_num(1)));
    crd_node v = crd_sample(t, "v", crd_normal(crd_num(0), crd_num(1)));
    crd_sample(t, "y", crd_normal(crd_sub(crd_square(x), crd_num(1)), crd_num(0.5)));
    crd_dist slice = crd_normal(crd_num(0), crd_exp(crd_mul(crd_num(0.5), v)));
    return crd_sample(t, "z", crd_dist_expand(slice, crd_shape_1(5)));
}

static double bent_value(const double *const site[SITES], int64_t d, int which)
{
    double x = site[0][d], y = site[1][d], v = site[2][d], z = site[3][5 * d];
    const double value[] = {x, x * x, y, y * y, x * x * y, v, v * v, z * z * exp(-v)};
    return value[which];
}

static double bent_truth(int which)
{
    static const double truth[] = {0, 1, 0, 2.25, 2, 0, 1, 1};
    return truth[which];
}

/* Neal 2003, section 8: v ~ Normal(0, 3), nine of x | v ~ Normal(0, exp(v / 2)), drawn as v = 3 a, x = exp(v / 2) b. */
static crd_node funnel_model(crd_trace *t, void *user)
{
    (void)user;
    crd_dist standard = crd_normal(crd_num(0), crd_num(1));
    crd_node v = crd_mul(crd_num(3), crd_sample(t, "a", standard));
    crd_node b = crd_sample(t, "b", crd_dist_expand(standard, crd_shape_1(9)));
    return crd_mul(crd_exp(crd_mul(crd_num(0.5), v)), b);
}

static double funnel_value(const double *const site[SITES], int64_t d, int which)
{
    double v = 3 * site[0][d], b = site[1][9 * d + 4], x = exp(0.5 * v) * b;
    const double value[] = {v, v * v, fabs(x) < 1, fabs(x) < 0.01};
    return value[which];
}

/* E P(|x| < c | v) by quadrature over v. */
static double funnel_truth(int which)
{
    double sum = 0, total = 0, c = which == 2 ? 1 : 0.01;
    if (which < 2)
        return which ? 9 : 0;
    for (double a = -9; a < 9; a += 1e-3) {
        double weight = exp(-0.5 * a * a);
        total += weight;
        sum += weight * erf(c * exp(-1.5 * a) / sqrt(2));
    }
    return sum / total;
}

/* ---- two modes ----------------------------------------------------------------------------------------------- */

/* 0.7 N((-1.2, 0), sd (0.5, 1)) + 0.3 N((1.3, 1), sd (0.6, 0.4)): a valley lies between, of a tenth of the greater height. */
static const double mode_weight[2] = {0.7, 0.3}, mode_x[2] = {-1.2, 1.3}, mode_y[2] = {0, 1}, mode_sx[2] = {0.5, 0.6},
                    mode_sy[2] = {1, 0.4};

static crd_node mixture_model(crd_trace *t, void *user)
{
    (void)user;
    crd_dist standard = crd_normal(crd_num(0), crd_num(1));
    crd_node x = crd_sample(t, "x", standard), y = crd_sample(t, "y", standard), part[2];
    for (int k = 0; k < 2; k++) {
        crd_dist dx = crd_normal(crd_num(mode_x[k]), crd_num(mode_sx[k])),
                 dy = crd_normal(crd_num(mode_y[k]), crd_num(mode_sy[k]));
        crd_node both = crd_add(crd_dist_log_prob(&dx, x), crd_dist_log_prob(&dy, y));
        part[k] = crd_reshape(crd_add(both, crd_num(log(mode_weight[k]))), crd_shape_1(1));
    }
    crd_node prior = crd_add(crd_dist_log_prob(&standard, x), crd_dist_log_prob(&standard, y));
    crd_factor(t, "target", crd_sub(crd_logsumexp(crd_concat(part, 2, 0), 0), prior));
    return x;
}

static double mixture_of(double x, double y, int which)
{
    const double value[] = {x, y, x * x, y * y, x * y, x > 0.2};
    return value[which];
}

static double mixture_value(const double *const site[SITES], int64_t d, int which)
{
    return mixture_of(site[0][d], site[1][d], which);
}

static double mixture_truth(int which)
{
    double sum = 0, total = 0;
    for (double x = -6.005; x < 6; x += 0.01)
        for (double y = -6.005; y < 6; y += 0.01) {
            double density = 0;
            for (int k = 0; k < 2; k++) {
                double a = (x - mode_x[k]) / mode_sx[k], b = (y - mode_y[k]) / mode_sy[k];
                density += mode_weight[k] / (mode_sx[k] * mode_sy[k]) * exp(-0.5 * (a * a + b * b));
            }
            total += density;
            sum += density * mixture_of(x, y, which);
        }
    return sum / total;
}

/* ---- lopsided ------------------------------------------------------------------------------------------------ */

/* Three times exp(-x^4 / 4 - x), for steps so long that half of them are refused: what is wrong with an acceptance shows only then. */
static crd_node lopsided_model(crd_trace *t, void *user)
{
    (void)user;
    crd_node x = crd_sample(t, "x", crd_dist_expand(crd_normal(crd_num(0), crd_num(1)), crd_shape_1(3)));
    crd_node square = crd_square(x), fourth = crd_mul(crd_num(0.25), crd_square(square));
    crd_factor(t, "target", crd_sub(crd_mul(crd_num(0.5), square), crd_add(fourth, x)));
    return x;
}

static double lopsided_value(const double *const site[SITES], int64_t d, int which)
{
    return pow(site[0][3 * d + which / 4], which % 4 + 1);
}

static double lopsided_truth(int which)
{
    double sum = 0, total = 0;
    for (int i = -8000; i <= 8000; i++) {
        double x = 1e-3 * i, weight = exp(-0.25 * pow(x, 4) - x);
        sum += weight * pow(x, which % 4 + 1);
        total += weight;
    }
    return sum / total;
}

/* ---- the suite ----------------------------------------------------------------------------------------------- */

/* A kernel with settings of its own. */
struct way {
    const char *name;
    int64_t
        most; /* dimensions; 0: any. Heat multiplies energy errors by the dimension: chains hardly move in a hundred */
    crd_nuts_options options;
};

enum { ROWS = 8 };

/* The target, and rows whose factors sum to nothing, though those of a part do not. */
static crd_node rows_model(crd_trace *t, void *user)
{
    const struct target *target = user;
    static double pull[ROWS] = {1, 0.6, -0.9, -0.3, 0.4, -1.2, 0.7, -0.3};
    crd_array array = crd_array_borrow(pull, crd_shape_1(ROWS));
    crd_node out = target->fn(t, target->user), all = crd_data(t, "pull", &array);
    crd_plate rows = crd_plate_enter(t, "rows", ROWS);
    crd_factor(t, "to and fro", crd_mul(crd_subsample(rows, all, 0), crd_sum(crd_tanh(out))));
    crd_plate_leave(rows);
    return out;
}

/* Options that change what a kernel does. A path of a quarter of a period of what is standard: near half a period static trajectories
 * would only mirror. */
static const struct way variants[] = {
    {"hmc, windows", 0, {.kernel = "hmc", .path_length = 1.6, .window = 4}},
    {"hmc, persistent", 0, {.kernel = "hmc", .path_length = 0.5, .persistence = 0.7}},
    {"hmc, tempered", 10, {.kernel = "hmc", .path_length = 1.6, .temper = 1.5}},
    {"hmc, heated windows", 2, {.kernel = "hmc", .path_length = 1.6, .window = 1000, .temper = 2}},
    {"split_hmc", 0, {.kernel = "split_hmc", .path_length = 1.6, .batches = 4}},
    {"tempering", 0, {.kernel = "tempering"}},
    {"hmc, all three", 10, {.kernel = "hmc", .path_length = 1, .window = 3, .persistence = 0.5, .temper = 1.2}},
};

static void check(const struct way *way, const struct target *target)
{
    crd_context *ctx = testing_context();
    crd_model *m;
    crd_posterior *p;
    const double *site[SITES] = {NULL};
    double *series = malloc(sizeof *series * (size_t)(CHAINS * target->draws)), worst = 0;
    crd_nuts_options options = way->options;
    options.chains = CHAINS;
    options.draws = target->draws;
    options.target_accept = target->target_accept;
    bool split = strcmp(options.kernel, "split_hmc") == 0, tempering = strcmp(options.kernel, "tempering") == 0;
    crd_tempered_options tempered = {.temperatures = 3, .pilot = 50};
    assert_ok(ctx, crd_model_create(&m, ctx, split ? rows_model : target->fn,
                                    split ? (void *)(uintptr_t)target : target->user));
    assert_ok(ctx, tempering ? crd_tempering_run(m, &options, &tempered, crd_key_make(2), &p, NULL)
                             : crd_nuts_run(m, &options, crd_key_make(2), &p));
    for (int i = 0; i < SITES && target->site[i]; i++)
        site[i] = crd_posterior_find(p, target->site[i])->draws;
    for (int which = 0; which < target->values; which++) {
        double error, truth = target->truth(which);
        for (int64_t d = 0; d < CHAINS * target->draws; d++)
            series[d] = target->value(site, d, which);
        assert_ok(ctx, crd_diag_mcse_mean(ctx, series, CHAINS, target->draws, &error));
        double z = fabs(crd_diag_mean(series, CHAINS * target->draws) - truth) / error;
        worst = fmax(worst, z);
        if (!(z < 5))
            fail_msg("%s, %s: value %d is %.6g and should be %.6g: z = %.2f", way->name, target->name, which,
                     crd_diag_mean(series, CHAINS * target->draws), truth, z);
    }
    print_message("%s, %s: largest z of %d %.2f, %lld gradients\n", way->name, target->name, target->values, worst,
                  (long long)p->gradient_evaluations);
    free(series);
    crd_posterior_destroy(&p);
    crd_model_destroy(&m);
    testing_context_destroy(&ctx);
}

/* All kernels that are exact, and the variants; returns how many kernels. */
static int check_all(const struct target *target)
{
    int count = 0;
    for (int k = 0; crdi_mcmc_kernel_get(k); k++)
        if (kernel_is_exact(crdi_mcmc_kernel_get(k))) {
            const char *name = crdi_mcmc_kernel_get(k)->name;
            check(&(struct way){name, 0, {.kernel = name, .path_length = 1.6}}, target);
            count++;
        }
    for (int k = 0; k < (int)(sizeof variants / sizeof *variants); k++) {
        int64_t most = variants[k].most;
        /* Heat takes millions of gradients in more than two dimensions: a quarter of an hour under sanitizers. */
        bool fits = target->values <= 3 * most && (target->dim <= 2 || !testing_sanitized());
        if (most == 0 || fits)
            check(&variants[k], target);
    }
    return count;
}

static void check_gaussian(int64_t dim, int64_t draws)
{
    struct target target = {.name = "Gaussian",
                            .fn = gaussian_model,
                            .user = &gaussian,
                            .site = {"x"},
                            .dim = dim,
                            .values = 3 * (int)dim,
                            .value = gaussian_value,
                            .truth = gaussian_truth,
                            .draws = draws};
    gaussian_init(&gaussian, dim, 3);
    print_message("%lld dimensions\n", (long long)dim);
    assert_true(check_all(&target) >= 3); /* nuts, hmc, mams */
}

static void gaussians_to_a_hundred_dimensions(void **state)
{
    (void)state;
    check_gaussian(2, 4000);
    check_gaussian(10, 2000);
    check_gaussian(100, 1000);
}

static void a_gaussian_in_a_thousand_dimensions(void **state)
{
    (void)state;
    if (testing_sanitized())
        testing_skip("a thousand dimensions meet no other code than a hundred, and take minutes under sanitizers\n");
    check_gaussian(1000, 1000);
}

static void banana_and_funnels(void **state)
{
    (void)state;
    check_all(&(struct target){.name = "banana and mild funnel",
                               .fn = bent_model,
                               .site = {"x", "y", "v", "z"},
                               .dim = 8,
                               .values = 8,
                               .value = bent_value,
                               .truth = bent_truth,
                               .draws = 8000,
                               .target_accept = 0.95});
    check_all(&(struct target){.name = "Neal's funnel, non-centred",
                               .fn = funnel_model,
                               .site = {"a", "b"},
                               .dim = 10,
                               .values = 4,
                               .value = funnel_value,
                               .truth = funnel_truth,
                               .draws = 4000});
}

static void two_modes(void **state)
{
    (void)state;
    check_all(&(struct target){.name = "two modes",
                               .fn = mixture_model,
                               .site = {"x", "y"},
                               .dim = 2,
                               .values = 6,
                               .value = mixture_value,
                               .truth = mixture_truth,
                               .draws = 20000,
                               .target_accept = 0.6});
}

static void long_steps(void **state)
{
    (void)state;
    check_all(&(struct target){.name = "lopsided, long steps",
                               .fn = lopsided_model,
                               .site = {"x"},
                               .dim = 3,
                               .values = 12,
                               .value = lopsided_value,
                               .truth = lopsided_truth,
                               .draws = 20000,
                               .target_accept = 0.5});
}

/* ---- modes far apart ----------------------------------------------------------------------------------------- */

/* Two normals in the plane, 9 standard deviations apart, weights 0.7 and 0.3: a path between them goes through e^-10 of their height.
 * Trajectories of one length pass it once in thousands at their own temperature, and tempered ones often enough for the weights. */
static crd_node far_model(crd_trace *t, void *user)
{
    (void)user;
    crd_dist standard = crd_normal(crd_num(0), crd_num(1)), left = crd_normal(crd_num(-4.5), crd_num(1)),
             right = crd_normal(crd_num(4.5), crd_num(1));
    crd_node x = crd_sample(t, "x", standard), part[2];
    crd_sample(t, "y", standard);
    part[0] = crd_reshape(crd_add(crd_dist_log_prob(&left, x), crd_num(log(0.7))), crd_shape_1(1));
    part[1] = crd_reshape(crd_add(crd_dist_log_prob(&right, x), crd_num(log(0.3))), crd_shape_1(1));
    crd_factor(t, "target", crd_sub(crd_logsumexp(crd_concat(part, 2, 0), 0), crd_dist_log_prob(&standard, x)));
    return x;
}

static int64_t jumps(crd_context *ctx, double temper, int64_t draws, bool weigh)
{
    crd_model *m;
    crd_posterior *p;
    crd_nuts_options options = {.chains = CHAINS,
                                .warmup = -1,
                                .draws = draws,
                                .kernel = "hmc",
                                .metric = "unit",
                                .step_size = 0.3,
                                .path_length = 6.1,
                                .temper = temper};
    int64_t count = 0;
    assert_ok(ctx, crd_model_create(&m, ctx, far_model, NULL));
    assert_ok(ctx, crd_nuts_run(m, &options, crd_key_make(9), &p));
    double *x = crd_posterior_find(p, "x")->draws, error;
    for (int64_t d = 1; d < CHAINS * draws; d++)
        count += d % draws != 0 && (x[d] > 0) != (x[d - 1] > 0);
    if (weigh) {
        const double truth[] = {-0.9, 21.25}; /* of x, of x^2 */
        for (int power = 1; power <= 2; power++) {
            assert_ok(ctx, crd_diag_mcse_mean(ctx, x, CHAINS, draws, &error));
            double z = (crd_diag_mean(x, CHAINS * draws) - truth[power - 1]) / error;
            print_message("moment %d: %.3f, z %.2f\n", power, crd_diag_mean(x, CHAINS * draws), z);
            assert_true(fabs(z) < 5);
            for (int64_t d = 0; d < CHAINS * draws; d++)
                x[d] *= x[d];
        }
    }
    crd_posterior_destroy(&p);
    crd_model_destroy(&m);
    return count;
}

static void tempered_trajectories_go_from_mode_to_mode(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    int64_t draws = testing_draws(20000), cold = jumps(ctx, 1, draws, false), hot = jumps(ctx, 3, draws, true);
    print_message("of %lld transitions to the other mode: %lld, tempered %lld\n", (long long)(CHAINS * draws),
                  (long long)cold, (long long)hot);
    assert_true(hot > draws / 100 && hot > 20 * cold);
    testing_context_destroy(&ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gaussians_to_a_hundred_dimensions),
        cmocka_unit_test(a_gaussian_in_a_thousand_dimensions),
        cmocka_unit_test(banana_and_funnels),
        cmocka_unit_test(two_modes),
        cmocka_unit_test(long_steps),
        cmocka_unit_test(tempered_trajectories_go_from_mode_to_mode),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
