/* test_outcomes.c - predictions of classes and counts, against what the draws of f in the run file give by hand. */
#include "report/prediction.h"
#include "store/dataset.h"
#include "fitted.h"

#include <credence/diag.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROWS = 150, CHAINS = 2, DRAWS = 30, TOTAL = CHAINS * DRAWS, SAMPLES = 7 };

/* Two inputs; the target is one of `classes` names, or a count if there are none. */
static crd_dataset *make_dataset(crd_context *ctx, int classes)
{
    static const char *const names[] = {"oak", "elm", "ash"};
    crdi_string text;
    crdi_string_init(&text, ctx);
    crdi_string_append(&text, "a,b,y\n");
    for (int i = 0; i < ROWS; i++) {
        crdi_string_append(&text, "%.17g,%.17g,", 0.01 * i + cos(5.0 * i) / 4, cos(7.0 * i));
        if (classes > 0)
            crdi_string_append(&text, "%s\n", names[i * classes / ROWS]);
        else
            crdi_string_append(&text, "%d\n", (int)(exp(0.01 * i) + 1 + cos(3.0 * i)));
    }
    return fitted_dataset(ctx, &text,
                          &(crd_dataset_options){.target = "y",
                                                 .scale = CRD_SCALE_STANDARD,
                                                 .target_kind = classes > 0 ? CRD_TARGET_AUTO : CRD_TARGET_COUNT});
}

static crdi_network_run *make_run(crd_context *ctx, const char *likelihood, int classes)
{
    crd_network network = {.hidden = "3", .likelihood = likelihood};
    crdi_network_fit fit = fitted_settings(ctx, &network, CHAINS, 30, DRAWS);
    fit.mcmc.max_depth = 5;
    fit.seed = 77;
    return fitted_run(&fit, make_dataset(ctx, classes));
}

static const double probs[] = {0.1, 0.5};

static crdi_prediction *predict(crd_context *ctx, const crdi_network_run *net, int threads, size_t memory)
{
    crdi_prediction *p;
    assert_ok(ctx, crdi_prediction_make(net,
                                        &(crdi_prediction_request){.x = &net->x,
                                                                   .prob = probs,
                                                                   .prob_count = 2,
                                                                   .key = crd_key_make(5),
                                                                   .samples = SAMPLES,
                                                                   .threads = threads,
                                                                   .memory = memory},
                                        &p));
    return p;
}

/* Draws of a row's logits: for two classes (0, f). */
static void logits(const crd_posterior *posterior, int64_t row, int classes, double *out)
{
    const crd_column *f = crd_posterior_find(posterior, "f");
    int64_t width = f->size / ROWS;
    for (int d = 0; d < TOTAL; d++)
        for (int k = 0; k < classes; k++)
            out[d * classes + k] = width > 1 ? f->draws[(d * ROWS + row) * width + k]
                                   : k == 1  ? f->draws[d * ROWS + row]
                                             : 0;
}

static void check_row(crd_context *ctx, const crdi_prediction *p, int64_t row, int classes, double *f)
{
    double mean[3] = {0}, expected = 0, total = 0, best = -1;
    for (int d = 0; d < TOTAL; d++) {
        double sum = 0;
        for (int k = 0; k < classes; k++)
            sum += exp(f[d * classes + k]);
        for (int k = 0; k < classes; k++) {
            double each = f[d * classes + k] = exp(f[d * classes + k]) / sum;
            mean[k] += each / TOTAL;
            expected -= each * log(each) / TOTAL;
        }
    }
    for (int k = 0; k < classes; k++) {
        double draws[TOTAL], quantile[2];
        for (int d = 0; d < TOTAL; d++)
            draws[d] = f[d * classes + k];
        assert_ok(ctx, crd_diag_quantile(ctx, draws, TOTAL, probs, 2, quantile));
        assert_close(p->mean[row * classes + k], mean[k], 1e-12, 0);
        assert_close(p->sd[row * classes + k], crd_diag_sd(draws, TOTAL), 1e-9, 0);
        assert_close(p->f[(row * classes + k) * 2], quantile[0], 1e-12, 0);
        assert_close(p->f[(row * classes + k) * 2 + 1], quantile[1], 1e-12, 0);
        total -= mean[k] * log(mean[k]);
        best = fmax(best, mean[k]);
    }
    assert_close(p->entropy[row], total, 1e-12, 0);
    assert_close(p->expected_entropy[row], expected, 1e-12, 0);
    assert_true(total <= log(classes) && total > expected); /* the draws differ: there is something to learn */
    assert_close(mean[crdi_prediction_mode(p, row)], best, 0, 0);
}

/* How often each class is drawn, over all rows, within five standard errors of its probability. */
static void check_samples(const crdi_prediction *p, int classes)
{
    for (int k = 0; k < classes; k++) {
        double z = 0, variance = 0;
        for (int64_t row = 0; row < ROWS; row++) {
            double mean = p->mean[row * classes + k];
            for (int i = 0; i < SAMPLES; i++)
                z += (p->sample[row * SAMPLES + i] == k) - mean;
            variance += SAMPLES * mean * (1 - mean);
        }
        assert_true(variance > 1 && fabs(z) < 5 * sqrt(variance) * 2); /* rows share draws: a factor of two for that */
    }
}

static void check_classes(const char *likelihood, int classes)
{
    crd_context *ctx = testing_context();
    crdi_network_run *net = make_run(ctx, likelihood, classes);
    crdi_prediction *p = predict(ctx, net, 1, 0), *little = predict(ctx, net, 3, (size_t)8 * 4 * 40 * TOTAL);
    crd_posterior *posterior;
    double f[3 * TOTAL];
    assert_ok(ctx, crd_run_posterior(net->run, &posterior));
    assert_int_equal(p->classes, classes);
    for (int64_t row = 0; row < ROWS; row++) {
        logits(posterior, row, classes, f);
        check_row(ctx, p, row, classes, f);
    }
    check_samples(p, classes);
    assert_memory_equal(p->mean, little->mean, (size_t)(ROWS * classes) * sizeof(double));
    assert_memory_equal(p->f, little->f, (size_t)(ROWS * classes * 2) * sizeof(double));
    assert_memory_equal(p->sample, little->sample, (size_t)(ROWS * SAMPLES) * sizeof(double));
    assert_memory_equal(p->entropy, little->entropy, ROWS * sizeof(double));
    crd_posterior_destroy(&posterior);
    crdi_prediction_destroy(&p);
    crdi_prediction_destroy(&little);
    crdi_network_run_close(&net);
    testing_context_destroy(&ctx);
}

static void two_classes(void **state)
{
    (void)state;
    check_classes("bernoulli", 2);
    check_classes("categorical", 2);
}

static void three_classes(void **state)
{
    (void)state;
    check_classes("categorical", 3);
}

static void counts(void **state)
{
    (void)state;
    static const char *const likelihoods[] = {"poisson", "negative_binomial"};
    for (int l = 0; l < 2; l++) {
        crd_context *ctx = testing_context();
        crdi_network_run *net = make_run(ctx, likelihoods[l], 0);
        crdi_prediction *p = predict(ctx, net, 2, 0);
        crd_posterior *posterior;
        double rate[TOTAL], quantile[2], z = 0, variance = 0;
        assert_ok(ctx, crd_run_posterior(net->run, &posterior));
        for (int i = 0; i < ROWS; i++) {
            crd_posterior_series(posterior, crd_posterior_find(posterior, "f"), i, rate);
            for (int d = 0; d < TOTAL; d++)
                rate[d] = exp(rate[d]);
            assert_ok(ctx, crd_diag_quantile(ctx, rate, TOTAL, probs, 2, quantile));
            assert_close(p->mean[i], crd_diag_mean(rate, TOTAL), 1e-12, 0);
            assert_close(p->f[2 * i + 1], quantile[1], 1e-12, 0);
            for (int k = 0; k < SAMPLES; k++) {
                double y = p->sample[i * SAMPLES + k];
                assert_true(y >= 0 && y == floor(y));
                z += y - p->mean[i];
            }
            variance += SAMPLES * (p->mean[i] + p->mean[i] * p->mean[i] * l); /* at most, for the wider one */
        }
        assert_true(fabs(z) < 10 * sqrt(variance));
        crd_posterior_destroy(&posterior);
        crdi_prediction_destroy(&p);
        crdi_network_run_close(&net);
        testing_context_destroy(&ctx);
    }
}

static void more_samples_than_draws_are_refused(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crdi_network_run *net = make_run(ctx, "bernoulli", 2);
    crdi_prediction *p = NULL;
    crdi_prediction_request request = {.x = &net->x, .samples = TOTAL + 1};
    assert_int_equal(crdi_prediction_make(net, &request, &p), CRD_EINVAL);
    crd_error_clear(ctx);
    request.samples = 21;
    request.draws = 20;
    assert_int_equal(crdi_prediction_make(net, &request, &p), CRD_EINVAL);
    crd_error_clear(ctx);
    request.samples = 0;
    request.draws = TOTAL + 1;
    assert_int_equal(crdi_prediction_make(net, &request, &p), CRD_EINVAL);
    assert_null(p);
    crdi_network_run_close(&net);
    testing_context_destroy(&ctx);
}

static void draws_can_be_picked(void **state)
{
    (void)state;
    static const int64_t pick[] = {TOTAL - 1, 0, 7};
    crd_context *ctx = testing_context();
    crdi_network_run *net = make_run(ctx, "categorical", 3);
    crdi_prediction *all, *some = NULL;
    crdi_prediction_request request = {.x = &net->x, .key = crd_key_make(5), .samples = TOTAL};
    assert_ok(ctx, crdi_prediction_make(net, &request, &all));
    request.samples = CRDI_COUNT(pick);
    request.pick = pick;
    assert_ok(ctx, crdi_prediction_make(net, &request, &some));
    for (int64_t row = 0; row < ROWS; row++)
        for (int i = 0; i < CRDI_COUNT(pick); i++)
            assert_true(some->sample[row * CRDI_COUNT(pick) + i] == all->sample[row * TOTAL + pick[i]]);
    crdi_prediction_destroy(&all);
    crdi_prediction_destroy(&some);
    request.pick = (const int64_t[]){0, TOTAL, 1};
    assert_int_equal(crdi_prediction_make(net, &request, &some), CRD_EINVAL);
    assert_non_null(strstr(crd_error_message(ctx), "draw 60 is asked for, of draws 0 to 59"));
    assert_null(some);
    crdi_network_run_close(&net);
    testing_context_destroy(&ctx);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fitted_begin, fitted_end)

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(two_classes), TEST(three_classes), TEST(counts),
                                       TEST(more_samples_than_draws_are_refused), TEST(draws_can_be_picked)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
