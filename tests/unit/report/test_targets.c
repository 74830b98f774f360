/* test_targets.c - runs with several targets, against what the draws of f and s in the run file give by hand. */
#include "report/model_check.h"
#include "report/prediction.h"
#include "report/run_likelihood.h"
#include "report/run_loo.h"
#include "report/run_summary.h"
#include "fitted.h"

#include <credence/diag.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROWS = 150, CHAINS = 2, DRAWS = 40, TOTAL = CHAINS * DRAWS, TARGETS = 2, SAMPLES = 5 };

/* Targets far from each other and from 0 and 1, so that mixed up or forgotten units show. */
static double value(int row, int target)
{
    return target ? -1000 + 70 * cos(0.03 * row) + 20 * cos(13.0 * row) : 5 + 0.02 * row + 0.3 * cos(11.0 * row);
}

static crd_dataset *make_dataset(crd_context *ctx, bool classes)
{
    static const char *const names[] = {"first", "second"};
    crdi_string text;
    crdi_string_init(&text, ctx);
    crdi_string_append(&text, "second,x,first,kind\n");
    for (int i = 0; i < ROWS; i++)
        crdi_string_append(&text, "%.17g,%.17g,%.17g,%c\n", value(i, 1), 0.01 * i, value(i, 0), 'a' + i * 3 / ROWS);
    crd_dataset_options options = {.features = (const char *[]){"x"}, .feature_count = 1, .scale = CRD_SCALE_STANDARD};
    if (classes)
        options.target = "kind";
    else
        options.targets = names, options.target_count = TARGETS;
    return fitted_dataset(ctx, &text, &options);
}

static crdi_network_run *make_run(crd_context *ctx, const char *likelihood, const char *noise)
{
    static const char *const kept[] = {"f", "s"};
    crd_network network = {.hidden = "3", .noise = noise, .likelihood = likelihood};
    crdi_network_fit fit = fitted_settings(ctx, &network, CHAINS, 40, DRAWS);
    fit.mcmc.max_depth = 5;
    fit.mcmc.keep = kept;
    fit.mcmc.keep_count = strcmp(noise, "heteroscedastic") == 0 ? 2 : 1;
    fit.seed = 7;
    return fitted_run(&fit, make_dataset(ctx, strcmp(likelihood, "categorical") == 0));
}

/* f and s of a draw in the targets' own units. */
struct draws {
    crd_posterior *posterior;
    const crd_column *f, *s;
    const crd_recipe *recipe;
};

static struct draws open_draws(crd_context *ctx, const crdi_network_run *net)
{
    struct draws d = {.recipe = net->recipe};
    assert_ok(ctx, crd_run_posterior(net->run, &d.posterior));
    d.f = crd_posterior_find(d.posterior, "f");
    d.s = crd_posterior_find(d.posterior, "s");
    assert_int_equal(d.f->size, ROWS * TARGETS);
    return d;
}

static double f_of(const struct draws *d, int draw, int row, int target)
{
    const crd_target *t = &d->recipe->targets[target];
    return t->mean + t->sd * d->f->draws[(draw * ROWS + row) * TARGETS + target];
}

static double s_of(const struct draws *d, int draw, int row, int target)
{
    int64_t at = d->s->size == TARGETS ? draw * TARGETS + target : (draw * ROWS + row) * TARGETS + target;
    return d->recipe->targets[target].sd * d->s->draws[at];
}

static const double probs[] = {0.1, 0.5};

static crdi_prediction *predict(crd_context *ctx, const crdi_network_run *net, size_t memory)
{
    crdi_prediction *p;
    assert_ok(ctx, crdi_prediction_make(net,
                                        &(crdi_prediction_request){.x = &net->x,
                                                                   .prob = probs,
                                                                   .prob_count = 2,
                                                                   .key = crd_key_make(5),
                                                                   .samples = SAMPLES,
                                                                   .threads = 1,
                                                                   .memory = memory},
                                        &p));
    return p;
}

static void check_predictions(crd_context *ctx, const crdi_network_run *net)
{
    struct draws d = open_draws(ctx, net);
    crdi_prediction *p = predict(ctx, net, 0), *small = predict(ctx, net, 20000);
    double f[TOTAL], expected[2], z = 0;
    assert_int_equal(p->targets, TARGETS);
    for (int i = 0; i < ROWS; i++)
        for (int j = 0; j < TARGETS; j++) {
            int part = i * TARGETS + j;
            for (int k = 0; k < TOTAL; k++)
                f[k] = f_of(&d, k, i, j);
            assert_close(p->mean[part], crd_diag_mean(f, TOTAL), 1e-10, 0);
            assert_close(p->sd[part], crd_diag_sd(f, TOTAL), 1e-8, 0);
            assert_ok(ctx, crd_diag_quantile(ctx, f, TOTAL, probs, 2, expected));
            for (int q = 0; q < 2; q++)
                assert_close(p->f[2 * part + q], expected[q], 1e-10, 0);
            for (int k = 0; k < SAMPLES; k++) {
                int draw = k * TOTAL / SAMPLES;
                z += pow((p->sample[part * SAMPLES + k] - f_of(&d, draw, i, j)) / s_of(&d, draw, i, j), 2);
            }
        }
    /* 1500 squares of standard normals, five standard errors */
    enum { N = ROWS * TARGETS * SAMPLES };
    assert_close(z / N, 1, 0, 5 * sqrt(2.0 / N));
    assert_memory_equal(p->y, small->y, sizeof(double) * ROWS * TARGETS * 2);
    assert_memory_equal(p->sample, small->sample, sizeof(double) * N);
    crdi_prediction_destroy(&p);
    crdi_prediction_destroy(&small);
    crd_posterior_destroy(&d.posterior);
}

static crd_status keep_row(void *user, int64_t row, int64_t draws, double *log_likelihood)
{
    memcpy((double *)user + row * TOTAL, log_likelihood, sizeof(double) * (size_t)draws);
    return CRD_OK;
}

static void check_likelihood(crd_context *ctx, const crdi_network_run *net)
{
    static double l[ROWS * TOTAL];
    struct draws d = open_draws(ctx, net);
    assert_ok(ctx, crdi_run_log_likelihood(net, 1, 0, ROWS, keep_row, l));
    for (int i = 0; i < ROWS; i++)
        for (int k = 0; k < TOTAL; k++) {
            double expected = 0;
            for (int j = 0; j < TARGETS; j++) {
                double s = s_of(&d, k, i, j), z = (value(i, j) - f_of(&d, k, i, j)) / s;
                expected -= 0.5 * z * z + log(s) + 0.9189385332046727;
            }
            assert_close(l[i * TOTAL + k], expected, 1e-9, 1e-9);
        }
    crd_posterior_destroy(&d.posterior);
}

static void one_noise_a_target(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crdi_network_run *net = make_run(ctx, "normal", "half_cauchy:0.5");
    assert_int_equal(net->y.shape.ndim, 2);
    assert_string_equal(net->recipe->targets[1].name, "second");
    check_predictions(ctx, net);
    check_likelihood(ctx, net);
    crdi_network_run_close(&net);
    testing_context_destroy(&ctx);
}

static void one_noise_a_row_and_target(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crdi_network_run *net = make_run(ctx, "normal", "heteroscedastic");
    check_predictions(ctx, net);
    check_likelihood(ctx, net);
    crdi_network_run_close(&net);
    testing_context_destroy(&ctx);
}

static void degrees_of_freedom_a_target(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crdi_network_run *net = make_run(ctx, "student_t", "half_cauchy:0.5");
    const crd_column *df;
    assert_ok(ctx, crd_run_find(net->run, "df", &df));
    assert_int_equal(df->size, TARGETS);
    crdi_network_run_close(&net);
    testing_context_destroy(&ctx);
}

static void summary_and_rows_have_both(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crdi_network_run *net = make_run(ctx, "normal", "half_cauchy:0.5");
    crdi_run_summary *s;
    crdi_run_loo *l;
    crdi_string out;
    crdi_string_init(&out, ctx);
    assert_ok(ctx, crdi_run_summary_make(net, NULL, 0.9, &s));
    assert_ok(ctx, crdi_run_summary_csv(&out, s));
    struct draws d = open_draws(ctx, net);
    double mean = 0, found;
    for (int k = 0; k < TOTAL; k++)
        mean += s_of(&d, k, 0, 1) / TOTAL;
    const char *line = strstr(crdi_string_text(&out), "s[1] (units of second),");
    assert_non_null(line);
    found = strtod(strchr(line, ',') + 1, NULL);
    assert_close(found, mean, 1e-10, 0);
    assert_non_null(strstr(crdi_string_text(&out), "s[0] (units of first),"));
    assert_ok(ctx, crdi_run_loo_make(net, 1, 1, &l));
    for (int i = 0; i < ROWS * TARGETS; i++)
        assert_close(l->y[i], value(i / TARGETS, i % TARGETS), 1e-10, 0);
    crdi_run_loo_destroy(&l);
    crdi_run_summary_destroy(&s);
    crd_posterior_destroy(&d.posterior);
    crdi_string_clear(&out);
    crdi_network_run_close(&net);
    testing_context_destroy(&ctx);
}

static void the_check_has_a_range_for_each(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_dataset *dataset = make_dataset(ctx, false);
    crd_network network = {.hidden = "3", .activation = "tanh", .prior = "normal:0,1", .noise = "half_cauchy:0.5"};
    crdi_string out;
    crdi_string_init(&out, ctx);
    assert_ok(ctx, crdi_model_check(ctx,
                                    &(crdi_model_check_request){
                                        .network = &network, .dataset = dataset, .draws = 200, .key = crd_key_make(1)},
                                    &out));
    /* the middle of what is predicted is about the target's mean, within a sd: in its own units */
    for (int j = 0; j < TARGETS; j++) {
        char name[32];
        double q[3];
        snprintf(name, sizeof name, "f %s ", dataset->recipe->targets[j].name);
        const char *line = strstr(crdi_string_text(&out), name);
        assert_non_null(line);
        char *at = (char *)(uintptr_t)(line + strlen(name));
        for (int k = 0; k < 3; k++)
            q[k] = strtod(at, &at);
        assert_close(q[2], dataset->recipe->targets[j].mean, 0, dataset->recipe->targets[j].sd);
        assert_true(q[0] < q[1] && q[1] < q[2]);
    }
    crdi_string_clear(&out);
    crd_dataset_destroy(&dataset);
    testing_context_destroy(&ctx);
}

/* ---- what is drawn anew ------------------------------------------------------------------------------------- */

struct replications {
    int64_t width;
    double y[ROWS * TOTAL * TARGETS];
};

static crd_status keep_replications(void *user, int64_t row, int64_t draws, double *y)
{
    struct replications *r = user;
    memcpy(r->y + row * TOTAL * r->width, y, sizeof(double) * (size_t)(draws * r->width));
    return CRD_OK;
}

static void replications_of_targets(void **state)
{
    (void)state;
    static struct replications r = {.width = TARGETS};
    crd_context *ctx = testing_context();
    crdi_network_run *net = make_run(ctx, "normal", "half_cauchy:0.5");
    struct draws d = open_draws(ctx, net);
    assert_ok(ctx, crdi_run_replications(net, 1, crd_key_make(3), 0, ROWS, keep_replications, &r));
    for (int j = 0; j < TARGETS; j++) {
        double squares = 0;
        for (int i = 0; i < ROWS; i++)
            for (int k = 0; k < TOTAL; k++)
                squares += pow((r.y[(i * TOTAL + k) * TARGETS + j] - f_of(&d, k, i, j)) / s_of(&d, k, i, j), 2);
        assert_close(squares / (ROWS * TOTAL), 1, 0, 5 * sqrt(2.0 / (ROWS * TOTAL)));
    }
    crd_posterior_destroy(&d.posterior);
    crdi_network_run_close(&net);
    testing_context_destroy(&ctx);
}

/* Classes are as likely in them as in the predictions' probabilities. */
static void replications_of_classes(void **state)
{
    (void)state;
    static struct replications r = {.width = 1};
    crd_context *ctx = testing_context();
    crdi_network_run *net = make_run(ctx, "categorical", "half_cauchy:0.5");
    crdi_prediction *p = predict(ctx, net, 0);
    assert_ok(ctx, crdi_run_replications(net, 1, crd_key_make(3), 0, ROWS, keep_replications, &r));
    for (int c = 0; c < 3; c++) {
        double drawn = 0, expected = 0, variance = 0;
        for (int i = 0; i < ROWS; i++) {
            double mean = p->mean[3 * i + c];
            for (int k = 0; k < TOTAL; k++)
                drawn += r.y[i * TOTAL + k] == c;
            expected += mean * TOTAL;
            variance += mean * (1 - mean) * TOTAL;
        }
        assert_close(drawn, expected, 0, 5 * sqrt(variance));
    }
    crdi_prediction_destroy(&p);
    crdi_network_run_close(&net);
    testing_context_destroy(&ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_noise_a_target),
        cmocka_unit_test(one_noise_a_row_and_target),
        cmocka_unit_test(degrees_of_freedom_a_target),
        cmocka_unit_test(summary_and_rows_have_both),
        cmocka_unit_test(the_check_has_a_range_for_each),
        cmocka_unit_test(replications_of_targets),
        cmocka_unit_test(replications_of_classes),
    };
    return cmocka_run_group_tests(tests, fitted_begin, fitted_end);
}
