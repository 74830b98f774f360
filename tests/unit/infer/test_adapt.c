/* test_adapt.c - what warm-up learns: step size, windows, metric, each against a formula that shares no code with it. */
#include "infer/mcmc/adapt.h"
#include "testing.h"

#include <credence/random.h>
#include <math.h>

/* ---- step size ---------------------------------------------------------------------------------------------- */

/* Hoffman & Gelman 2014, eq. 6, is not a recursion: x_{t+1} = mu - sqrt(t) / gamma / (t + t0) sum_i (delta - a_i), and
 * the average weighs x_{t+1} by t^-kappa and what was before by the rest. */
static void the_step_size_follows_the_paper(void **state)
{
    (void)state;
    enum { STEPS = 400 };
    crdi_dual_averaging d = {.target = 0.8};
    double sum = 0, x[STEPS], first = 0.37;
    crdi_dual_averaging_restart(&d, first);
    for (int t = 1; t <= STEPS; t++) {
        double accept = 0.5 + 0.5 * sin(0.7 * t), average = 0, left = 1;
        sum += 0.8 - accept;
        x[t - 1] = log(10 * first) - sqrt(t) / 0.05 / (t + 10) * sum;
        assert_close(crdi_dual_averaging_learn(&d, accept), exp(x[t - 1]), 1e-11, 0);
        for (int i = t; i >= 1; i--) {
            average += left * pow(i, -0.75) * x[i - 1];
            left *= 1 - pow(i, -0.75);
        }
        assert_close(crdi_dual_averaging_final(&d), exp(average), 1e-11, 0);
    }
}

static void a_restart_forgets_all_but_the_target(void **state)
{
    (void)state;
    crdi_dual_averaging d = {.target = 0.65}, fresh = {.target = 0.65};
    crdi_dual_averaging_restart(&d, 3);
    crdi_dual_averaging_learn(&d, 0.1);
    crdi_dual_averaging_restart(&d, 0.5);
    crdi_dual_averaging_restart(&fresh, 0.5);
    for (int t = 0; t < 10; t++)
        assert_true(crdi_dual_averaging_learn(&d, 0.1 * t) == crdi_dual_averaging_learn(&fresh, 0.1 * t));
    assert_true(d.target == 0.65);
}

/* An acceptance statistic above 1 counts as 1; below the target the step shrinks, above it grows. */
static void the_step_size_goes_the_right_way(void **state)
{
    (void)state;
    crdi_dual_averaging much = {.target = 0.8}, one = {.target = 0.8}, low = {.target = 0.8};
    crdi_dual_averaging_restart(&much, 1);
    crdi_dual_averaging_restart(&one, 1);
    crdi_dual_averaging_restart(&low, 1);
    double up = 10, down = 10; /* the first goal is ten times the first step size */
    for (int t = 0; t < 5; t++) {
        double a = crdi_dual_averaging_learn(&much, 7), b = crdi_dual_averaging_learn(&one, 1);
        double c = crdi_dual_averaging_learn(&low, 0.2);
        assert_true(a == b && a > up && c < down);
        up = a;
        down = c;
    }
}

/* Acceptance that falls with the step size as exp(-step): the average settles where it is the target. */
static void the_average_settles_at_the_target(void **state)
{
    (void)state;
    crdi_dual_averaging d = {.target = 0.8};
    crdi_dual_averaging_restart(&d, 1);
    double step = 1;
    for (int t = 0; t < 5000; t++)
        step = crdi_dual_averaging_learn(&d, exp(-step));
    assert_close(crdi_dual_averaging_final(&d), -log(0.8), 0.02, 0);
}

/* ---- windows ------------------------------------------------------------------------------------------------ */

/* The iterations (from 0) after which the metric is renewed, and those that it learns from, counted by hand after the
 * Stan reference manual: 75 for the step size, windows of 25, 50, 100, ... (the last one stretched to the end of the
 * middle), 50 for the step size; below 150 iterations 15 %, one window, 10 %; below 20 none. */
static void windows_are_those_of_stan(void **state)
{
    (void)state;
    const struct {
        int64_t warmup, first, behind; /* learns from first .. behind - 1 */
        int64_t renewals[8]; /* -1 behind the last */
    } cases[] = {
        {1000, 75, 950, {99, 149, 249, 449, 949, -1}}, /* after 449 one of 400 would leave 100, less than 800 */
        {2000, 75, 1950, {99, 149, 249, 449, 849, 1949, -1}},
        {500, 75, 450, {99, 149, 249, 449, -1}}, /* after 249 one of 200 ends just where the middle ends */
        {300, 75, 250, {99, 149, 249, -1}},
        {299, 75, 249, {99, 248, -1}}, /* after 149 one of 100 would end one iteration late */
        {280, 75, 230, {99, 229, -1}},
        {200, 75, 150, {99, 149, -1}},
        {199, 75, 149, {99, 148, -1}},
        {151, 75, 101, {99, 100, -1}}, /* one iteration is left: a window of its own */
        {150, 75, 100, {99, -1}},
        {149, 22, 135, {134, -1}}, /* 22.35, 14.9 */
        {30, 4, 27, {26, -1}}, /* 4.5, 3 */
        {20, 3, 18, {17, -1}},
        {19, 19, 19, {-1}},
        {1, 1, 1, {-1}},
        {0, 0, 0, {-1}},
    };
    for (int c = 0; c < CRDI_COUNT(cases); c++) {
        crdi_windows w;
        int seen = 0;
        crdi_windows_start(&w, cases[c].warmup, false, -1);
        for (int64_t i = 0; i < cases[c].warmup + 300; i++) {
            crdi_window_step step = crdi_windows_step(&w);
            assert_int_equal(step.learn, i >= cases[c].first && i < cases[c].behind);
            assert_int_equal(step.renew, i == cases[c].renewals[seen]);
            assert_int_equal(step.forget, step.renew);
            seen += step.renew;
        }
        assert_int_equal(cases[c].renewals[seen], -1);
    }
}

/* Windows end after 10, 30, 90, ... iterations; a renewal every fifth of one, and at the end of what is learned from, which a tenth
 * of the warm-up is behind of. What is remembered reaches back to the end of the window before the last. */
static void overlapping_windows_begin_at_once(void **state)
{
    (void)state;
    static const int64_t warmups[] = {0, 1, 5, 20, 50, 100, 200, 1000};
    for (int c = 0; c < CRDI_COUNT(warmups); c++) {
        crdi_windows w;
        int64_t warmup = warmups[c], behind = warmup - (warmup + 9) / 10, begin = 0, window = 10, renewals = 0;
        crdi_windows_start(&w, warmup, true, -1);
        for (int64_t i = 0; i < warmup + 50; i++) {
            crdi_window_step step = crdi_windows_step(&w);
            bool ends = i + 1 == begin + window;
            assert_int_equal(step.learn, i < behind);
            assert_int_equal(step.forget, ends && i + 1 < behind);
            assert_int_equal(step.renew, i < behind && ((i + 1 - begin) % (window / 5) == 0 || i + 1 == behind));
            renewals += step.renew;
            if (ends) {
                begin += window;
                window = 2 * begin;
            }
        }
        assert_true(warmup < 2 || renewals > 0);
        crdi_windows_start(&w, warmup, true, 0); /* none left for the step size */
        for (int64_t i = 0; i < warmup + 5; i++)
            assert_int_equal(crdi_windows_step(&w).learn, i < warmup);
    }
}

/* ---- metric ------------------------------------------------------------------------------------------------- */

enum { DIM = 5, ROWS = 40 };

/* Far from 0 and badly scaled, so that sums of squares would lose all digits. */
static double sample(int row, int i)
{
    double common = sin(1.3 * row);
    return 1e6 + pow(10, i - 2) * (common + cos(0.9 * row * (i + 1)));
}

static double covariance(int i, int j, int rows)
{
    long double mean_i = 0, mean_j = 0, sum = 0;
    for (int r = 0; r < rows; r++) {
        mean_i += (long double)sample(r, i) / rows;
        mean_j += (long double)sample(r, j) / rows;
    }
    for (int r = 0; r < rows; r++)
        sum += (sample(r, i) - mean_i) * (sample(r, j) - mean_j);
    return (double)(sum / (rows - 1));
}

static void one_pass_agrees_with_two(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    for (int dense = 0; dense < 2; dense++) {
        crdi_welford w;
        double row[DIM], out[DIM * DIM];
        assert_ok(ctx, crdi_welford_create(&w, ctx, DIM, dense));
        for (int again = 0; again < 2; again++) { /* the second time after a restart */
            for (int r = 0; r < ROWS; r++) {
                for (int i = 0; i < DIM; i++)
                    row[i] = sample(r, i);
                crdi_welford_add(&w, row);
            }
            crdi_welford_estimate(&w, out);
            for (int i = 0; i < DIM; i++)
                for (int j = dense ? 0 : i; j <= (dense ? DIM - 1 : i); j++) {
                    double shrunk = 40.0 / 45 * covariance(i, j, ROWS) + (i == j ? 1e-3 * 5 / 45 : 0);
                    double size = sqrt(covariance(i, i, ROWS) * covariance(j, j, ROWS));
                    assert_close(out[dense ? i * DIM + j : i], shrunk, 1e-9, 1e-7 * size);
                    if (dense)
                        assert_true(out[i * DIM + j] == out[j * DIM + i]);
                }
            crdi_welford_restart(&w);
        }
        crdi_welford_destroy(&w);
    }
    testing_context_destroy(&ctx);
}

/* With few draws the estimate is what it is drawn to: 1e-3 with none, nearly so with one. */
static void the_metric_is_drawn_to_a_small_number(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    const double row[2] = {3, -4};
    for (int dense = 0; dense < 2; dense++) {
        crdi_welford w;
        double out[4];
        assert_ok(ctx, crdi_welford_create(&w, ctx, 2, dense));
        for (int n = 0; n < 4; n++) { /* the same point each time: no variance */
            crdi_welford_estimate(&w, out);
            assert_close(out[0], 1e-3 * 5 / (n + 5), 1e-14, 0);
            assert_close(out[dense ? 3 : 1], 1e-3 * 5 / (n + 5), 1e-14, 0);
            if (dense)
                assert_true(out[1] == 0 && out[2] == 0);
            crdi_welford_add(&w, row);
        }
        crdi_welford_destroy(&w);
    }
    testing_context_destroy(&ctx);
}

/* Of a normal density the gradient is -(x - mean) / variance: the ratio is the variance, to roundings, however few the draws
 * are. A coordinate without a gradient has its regularised variance. */
static void the_fisher_metric_of_a_normal_is_its_variance(void **state)
{
    (void)state;
    enum { SITES = 3, DRAWS = 4 };
    static const double sd[SITES] = {1e-3, 1, 70};
    crd_context *ctx = testing_context();
    crdi_welford draws, slopes;
    double x[SITES], g[SITES], metric[SITES], plain[SITES];
    assert_ok(ctx, crdi_welford_create(&draws, ctx, SITES, false));
    assert_ok(ctx, crdi_welford_create(&slopes, ctx, SITES, false));
    for (int flat = 0; flat < 2; flat++) {
        crdi_welford_restart(&draws);
        crdi_welford_restart(&slopes);
        for (uint32_t d = 0; d < DRAWS; d++) {
            crd_random_normal(crd_key_fold_in(crd_key_make(2), d), SITES, x);
            for (int i = 0; i < SITES; i++) {
                x[i] = 5 + sd[i] * x[i];
                g[i] = flat && i == 1 ? 0 : -(x[i] - 5) / (sd[i] * sd[i]);
            }
            crdi_welford_add(&draws, x);
            crdi_welford_add(&slopes, g);
        }
        crdi_welford_fisher(&draws, &slopes, metric);
        crdi_welford_estimate(&draws, plain);
        for (int i = 0; i < SITES; i++)
            assert_close(metric[i], flat && i == 1 ? plain[i] : sd[i] * sd[i], 1e-9, 0);
    }
    crdi_welford_destroy(&draws);
    crdi_welford_destroy(&slopes);
    testing_context_destroy(&ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_step_size_follows_the_paper),
        cmocka_unit_test(a_restart_forgets_all_but_the_target),
        cmocka_unit_test(the_step_size_goes_the_right_way),
        cmocka_unit_test(the_average_settles_at_the_target),
        cmocka_unit_test(windows_are_those_of_stan),
        cmocka_unit_test(overlapping_windows_begin_at_once),
        cmocka_unit_test(one_pass_agrees_with_two),
        cmocka_unit_test(the_fisher_metric_of_a_normal_is_its_variance),
        cmocka_unit_test(the_metric_is_drawn_to_a_small_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
