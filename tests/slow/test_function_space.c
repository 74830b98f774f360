/* test_function_space.c - weights that disagree between chains while what they compute agrees: on a problem with two modes that
 * predict alike at the data and differ outside, and on the tutorial's model with priors of sd 10.
 *
 * Keys are fixed and draws do not depend on the machine; the bounds leave room for another key. What is measured is printed;
 * docs/diagnostics.md has the numbers. */
#include "fitted.h"
#include "report/diagnosis.h"

#include "nn/tutorial.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static crd_dataset *make_dataset(crd_context *ctx, const double *x, const double *y, int rows, crd_scale scale)
{
    crdi_string text;
    crdi_string_init(&text, ctx);
    crdi_string_append(&text, "x,y\n");
    for (int i = 0; i < rows; i++)
        crdi_string_append(&text, "%.17g,%.17g\n", x[i], y[i]);
    return fitted_dataset(ctx, &text, &(crd_dataset_options){.target = "y", .scale = scale});
}

static crdi_network_run *run_of(crd_context *ctx, crd_dataset *dataset, const crd_network *network, int chains,
                                int draws)
{
    crdi_network_fit fit = fitted_settings(ctx, network, chains, 1000, draws);
    fit.mcmc.keep_count = 0;
    fit.mcmc.target_accept = 0.8;
    fit.mcmc.max_depth = 10;
    fit.mcmc.max_energy_change = 1000;
    fit.mcmc.metric = "diagonal";
    fit.mcmc.init_radius = 2;
    fit.options = "{\"max_depth\": 10}";
    fit.seed = 1;
    return fitted_run(&fit, dataset);
}

static crdi_diagnosis *diagnose(crd_context *ctx, crdi_network_run *net)
{
    static const char *const name[] = {"f at the data", "f outside", "log likelihood"};
    crdi_diagnosis *d;
    int64_t weights = 0;
    assert_ok(ctx, crdi_diagnose(net, &(crdi_function_request){.rows = 0}, &d));
    for (int64_t i = 0; i < d->element_count; i++)
        weights += d->element[i].weight;
    printf("verdict %s\nweights: r_hat up to %.3f, above 1.05 in %lld of %lld; in canonical form up to %.3f, in %lld\n",
           d->verdict, d->weights_r_hat[0], (long long)d->weights_above[0], (long long)weights, d->weights_r_hat[1],
           (long long)d->weights_above[1]);
    for (int k = 0; k < CRDI_FUNCTION_PLACES; k++) {
        const crdi_function_part *p = &d->space->part[k];
        printf("%s: r_hat up to %.3f, between %.4f (largest %.4f), drift %.4f (%.4f)\n", name[k], p->worst->r_hat,
               p->between[0], p->between[1], p->drift[0], p->drift[1]);
    }
    return d;
}

/* A line under one relu unit. Its kink lies to the left of all data or to the right of them: at the data both are the line, beyond
 * their kink they are flat. The prior of the bias keeps the kink clear of the data, and to cross them costs the likelihood,
 * so that a chain stays in its mode. The bias is the same in both; the three other weights change their signs. */
static void modes_that_predict_alike(void **state)
{
    enum { ROWS = 30 };
    (void)state;
    crd_context *ctx = testing_context();
    double x[ROWS], y[ROWS];
    for (int i = 0; i < ROWS; i++) {
        x[i] = i / (ROWS - 1.);
        y[i] = 1 + 2 * x[i] + (i % 2 ? 0.03 : -0.03);
    }
    crdi_network_run *net = run_of(
        ctx, make_dataset(ctx, x, y, ROWS, CRD_SCALE_STANDARD),
        &(crd_network){.hidden = "1",
                       .activation = "relu",
                       .prior = "net/Dense_0.bias=normal:3,0.3;net/Dense_0.kernel=normal:0,1;net/Dense_1.*=normal:0,3",
                       .noise = "half_cauchy:0.1"},
        8, 1000);
    crdi_diagnosis *d = diagnose(ctx, net);
    const crdi_function_part *at = &d->space->part[CRDI_F_AT_DATA], *outside = &d->space->part[CRDI_F_OUTSIDE];
    for (int64_t i = 0; i < d->element_count; i++)
        if (d->element[i].weight && strcmp(d->element[i].label, "net/Dense_0.bias[0]") != 0)
            assert_true(d->element[i].r_hat > 1.2);
    assert_true(at->worst->r_hat < 1.05);
    assert_true(outside->worst->r_hat > 1.2);
    assert_true(at->between[1] < 0.1 && outside->between[1] > 0.5);
    assert_true(outside->between[1] > 10 * outside->drift[1]); /* modes, not drift */
    assert_true(d->space->part[CRDI_LIKELIHOOD].worst->r_hat < 1.05);
    assert_string_equal(d->verdict, "modes_outside");
    crdi_diagnosis_destroy(&d);
    crdi_network_run_close(&net);
    testing_context_destroy(&ctx);
}

/* The largest standard deviation between chains, in units of y. */
static double apart(const crdi_function_part *p)
{
    double most = 0;
    for (int64_t i = 0; i < p->count; i++)
        most = fmax(most, p->number[i].sd * sqrt(p->number[i].between));
    return most;
}

static void the_tutorials_model_with_wide_priors(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    double x[CRDI_TUTORIAL_ROWS], y[CRDI_TUTORIAL_ROWS];
    crdi_tutorial_regression(x, y);
    crdi_network_run *net =
        run_of(ctx, make_dataset(ctx, x, y, CRDI_TUTORIAL_ROWS, CRD_SCALE_NONE),
               &(crd_network){.hidden = "10", .activation = "tanh", .prior = "normal:0,10", .noise = "half_cauchy:0.5"},
               4, 5000);
    crdi_diagnosis *d = diagnose(ctx, net);
    assert_true(d->weights_r_hat[0] > 1.3 && d->weights_above[0] >= 20); /* of 31 */
    assert_true(d->weights_above[1] <= 5);
    assert_true(d->weights_r_hat[1] - 1 < (d->weights_r_hat[0] - 1) / 3);
    /* Outside the data the chains' means move apart by much more than at the data, and so does each chain within itself: it finds its
     * way between what others find, and the share between chains stays small. See docs/diagnostics.md. */
    double at_data = apart(&d->space->part[CRDI_F_AT_DATA]), outside = apart(&d->space->part[CRDI_F_OUTSIDE]);
    printf("sd of the chains' means of f: up to %.3f at the data, %.3f outside\n", at_data, outside);
    assert_true(outside > 10 * at_data);
    assert_true(d->space->part[CRDI_F_OUTSIDE].between[1] < 0.1);
    double f = fmax(d->space->part[CRDI_F_AT_DATA].worst->r_hat, d->space->part[CRDI_F_OUTSIDE].worst->r_hat);
    assert_true(f - 1 < (d->weights_r_hat[0] - 1) / 3);
    crdi_diagnosis_destroy(&d);
    crdi_network_run_close(&net);
    testing_context_destroy(&ctx);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fitted_begin, fitted_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(modes_that_predict_alike),
        TEST(the_tutorials_model_with_wide_priors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
