/* test_linearised.c - runs of the Laplace approximation in their file: the same again, closed forms against the draws, probit
 * probabilities against sums. */
#include "report/linearised.h"
#include "store/dataset.h"
#include "store/network_laplace.h"
#include "fitted.h"

#include <credence/diag.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROWS = 60, DRAWS = 3000 };

static crd_dataset *make_dataset(crd_context *ctx, bool classes)
{
    static const char *const names[] = {"oak", "elm", "ash"};
    crdi_string text;
    crdi_string_init(&text, ctx);
    crdi_string_append(&text, "a,b,y\n");
    for (int i = 0; i < ROWS; i++) {
        crdi_string_append(&text, "%.17g,%.17g,", 0.03 * i + cos(5.0 * i) / 4, cos(7.0 * i));
        if (classes)
            crdi_string_append(&text, "%s\n", names[(i * 3 / ROWS + (i % 7 == 0)) % 3]);
        else
            crdi_string_append(&text, "%.17g\n", 100 + 20 * sin(0.1 * i) + 4 * cos(11.0 * i));
    }
    return fitted_dataset(ctx, &text, &(crd_dataset_options){.target = "y", .scale = CRD_SCALE_STANDARD});
}

/* The run, and its evidence as the fit had it. */
static crdi_network_run *make_run(crd_context *ctx, bool classes, const char *hessian, const char *tune,
                                  double *log_evidence)
{
    crd_network network = {.hidden = "3",
                           .prior = "*.kernel=normal:0,1;*.bias=normal:0,0.7",
                           .likelihood = classes ? "categorical" : "normal"};
    crdi_network_fit fit = fitted_settings(ctx, &network, 0, 0, DRAWS);
    fit.method = "laplace";
    fit.mcmc.kernel = NULL;
    fit.mcmc.max_depth = 0;
    fit.mcmc.start = "uniform";
    fit.mcmc.init_radius = 2;
    fit.laplace = (crdi_laplace_options){.hessian = hessian, .map_starts = 3, .tune = tune, .precisions = "layer"};
    fit.seed = 77;
    crd_dataset *dataset = make_dataset(ctx, classes);
    fitted_fit(&fit, dataset);
    *log_evidence = fit.laplacian->log_evidence;
    return fitted_open(&fit, dataset);
}

/* ---- the file ------------------------------------------------------------------------------------------------- */

static void test_made_again(void **state)
{
    static const char *const forms[] = {"full", "diagonal", "kronecker", "last_layer"};
    crd_context *ctx = testing_context();
    (void)state;
    for (int i = 0; i < CRDI_COUNT(forms); i++)
        for (int classes = 0; classes < 2; classes++) {
            double log_evidence;
            crdi_laplace_record record;
            crdi_laplace *l;
            crdi_network_run *net = make_run(ctx, classes, forms[i], "all", &log_evidence);
            assert_ok(ctx, crdi_network_run_laplace(net, &l));
            assert_close(l->log_evidence, log_evidence, 1e-10, 0);
            assert_ok(ctx, crdi_laplace_record_read(ctx, net->run, &record));
            assert_string_equal(record.hessian, forms[i]);
            assert_true(record.log_evidence == log_evidence);
            assert_close(record.effective, crdi_laplace_effective(l), 1e-9, 0);
            assert_true(classes ? isnan(record.noise) : record.noise == l->noise);
            assert_int_equal(record.weights, l->count);
            assert_int_equal(record.random, l->random);
            crdi_laplace_record_clear(ctx, &record);
            crdi_laplace_destroy(&l);
            crdi_network_run_close(&net);
        }
    testing_context_destroy(&ctx);
}

/* ---- numbers -------------------------------------------------------------------------------------------------- */

static const double probs[] = {0.02, 0.5, 0.9};
static const double normal_quantiles[] = {-2.0537489106318225, 0, 1.2815515655446004};

static crdi_prediction *predict(crd_context *ctx, const crdi_network_run *net, bool probit)
{
    crdi_prediction *p;
    assert_ok(ctx, crdi_prediction_make(
                       net,
                       &(crdi_prediction_request){
                           .x = &net->x, .prob = probs, .prob_count = 3, .key = crd_key_make(5), .probit = probit},
                       &p));
    return p;
}

/* Means and deviations of the kept draws of f agree within 5 standard errors (120 looks: a false alarm in 1e4 tests); quantiles
 * are those of the normal. Sampled predictions are others. */
static void test_numbers(void **state)
{
    double log_evidence, noise, draws[DRAWS];
    crd_context *ctx = testing_context();
    crd_posterior *posterior;
    (void)state;
    crdi_network_run *net = make_run(ctx, false, "full", "none", &log_evidence);
    crdi_prediction *p = predict(ctx, net, false);
    assert_ok(ctx, crd_run_posterior(net->run, &posterior));
    assert_ok(ctx, crdi_run_get_number(net->run, "laplace_noise", &noise));
    const crd_column *f = crd_posterior_find(posterior, "f");
    for (int i = 0; i < ROWS; i++) {
        for (int d = 0; d < DRAWS; d++)
            draws[d] = crdi_recipe_own_units(net->recipe, 0, f->draws[d * ROWS + i]);
        double with = sqrt(p->sd[i] * p->sd[i] + pow(noise * net->recipe->target_sd, 2));
        assert_close(crd_diag_mean(draws, DRAWS), p->mean[i], 0, 5 * p->sd[i] / sqrt(DRAWS));
        assert_close(crd_diag_sd(draws, DRAWS), p->sd[i], 0, 5 * p->sd[i] / sqrt(2.0 * DRAWS));
        for (int k = 0; k < 3; k++) {
            assert_close(p->f[i * 3 + k], p->mean[i] + normal_quantiles[k] * p->sd[i], 1e-13, 0);
            assert_close(p->y[i * 3 + k], p->mean[i] + normal_quantiles[k] * with, 1e-13, 0);
        }
    }
    assert_ok(ctx, crdi_network_run_linear(net, false));
    crdi_prediction *sampled = predict(ctx, net, false);
    double most = 0;
    for (int i = 0; i < ROWS; i++)
        most = fmax(most, fabs(sampled->sd[i] / p->sd[i] - 1));
    assert_true(most > 0.2);
    crdi_prediction_destroy(&sampled);
    crdi_prediction_destroy(&p);
    crd_posterior_destroy(&posterior);
    crdi_network_run_close(&net);
    testing_context_destroy(&ctx);
}

/* ---- classes -------------------------------------------------------------------------------------------------- */

/* The linear network's probabilities averaged over draws, and in closed form: near each other. */
static void test_classes(void **state)
{
    double log_evidence, apart = 0;
    crd_context *ctx = testing_context();
    (void)state;
    crdi_network_run *net = make_run(ctx, true, "full", "none", &log_evidence);
    crdi_prediction *draws = predict(ctx, net, false), *closed = predict(ctx, net, true);
    for (int i = 0; i < ROWS; i++) {
        double sum = 0, entropy = 0;
        for (int k = 0; k < 3; k++) {
            double p = closed->mean[i * 3 + k];
            apart = fmax(apart, fabs(p - draws->mean[i * 3 + k]));
            entropy -= p * log(p);
            sum += p;
        }
        assert_close(sum, 1, 1e-14, 0);
        assert_close(closed->entropy[i], entropy, 1e-13, 0);
        assert_true(closed->expected_entropy[i] == draws->expected_entropy[i]);
    }
    assert_true(apart > 1e-4 && apart < 0.06);
    crdi_prediction_destroy(&closed);
    crdi_prediction_destroy(&draws);
    crdi_network_run_close(&net);
    testing_context_destroy(&ctx);
}

/* Against the integral by the trapezoid rule; two logits as one; a shift of all logits. */
static void test_probit(void **state)
{
    (void)state;
    for (double f = -4; f <= 4; f += 0.5)
        for (double v = 0; v <= 9; v += 1.5) {
            double p[2], two[2], integral = 0, h = 0.01;
            for (double z = -8; z < 8; z += h)
                integral += h * exp(-0.5 * z * z) / sqrt(2 * M_PI) / (1 + exp(-f - sqrt(v) * z));
            crdi_probit_probabilities(&f, &v, 1, p);
            assert_close(p[1], integral, 0, 0.02);
            assert_close(p[0] + p[1], 1, 1e-15, 0);
            if (v == 0)
                assert_close(p[1], 1 / (1 + exp(-f)), 1e-14, 0);
            const double logits[] = {7, 7 + f}, variance[] = {5 + v, 5, 5, 5}; /* f = second - first has variance v */
            crdi_probit_probabilities(logits, variance, 2, two);
            assert_close(two[1], p[1], 1e-12, 0);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_made_again), cmocka_unit_test(test_numbers),
                                       cmocka_unit_test(test_classes), cmocka_unit_test(test_probit)};
    return cmocka_run_group_tests(tests, fitted_begin, fitted_end);
}
