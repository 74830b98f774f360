/* test_run_function.c - diagnostics of f against those of its kept draws; canonical form leaves what a run predicts. */
#include "diag/diag.h"
#include "report/run_canonical.h"
#include "report/run_function.h"
#include "report/run_likelihood.h"
#include "store/dataset.h"
#include "fitted.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROWS = 140, CHAINS = 3, DRAWS = 40, TOTAL = CHAINS * DRAWS, CLASSES = 3 }; /* more rows than a block has */

/* Two inputs and a category; a target far from 0 and 1, or one of three classes. */
static crd_dataset *make_dataset(crd_context *ctx, bool classes)
{
    static const char *const categorical[] = {"g"};
    crdi_string text;
    crdi_string_init(&text, ctx);
    crdi_string_append(&text, "a,b,g,y\n");
    for (int i = 0; i < ROWS; i++) {
        crdi_string_append(&text, "%.17g,%.17g,%s,", 100 + 0.5 * i, cos(3.0 * i), i % 2 ? "u" : "v");
        if (classes)
            crdi_string_append(&text, "%c\n", "pqr"[i * 7 % 13 % 3]);
        else
            crdi_string_append(&text, "%.17g\n", 50 + 9 * sin(0.05 * i) + 2 * cos(11.0 * i));
    }
    return fitted_dataset(
        ctx, &text,
        &(crd_dataset_options){
            .target = "y", .categorical = categorical, .categorical_count = 1, .scale = CRD_SCALE_STANDARD});
}

struct setting {
    const char *hidden, *activation, *prior, *likelihood;
};

static crdi_network_run *open_run(crd_context *ctx, const struct setting *s)
{
    crd_network network = {
        .hidden = s->hidden, .activation = s->activation, .prior = s->prior, .likelihood = s->likelihood};
    crdi_network_fit fit = fitted_settings(ctx, &network, CHAINS, 20, DRAWS);
    return fitted_run(&fit, make_dataset(ctx, s->likelihood && strcmp(s->likelihood, "categorical") == 0));
}

/* ---- against kept draws ------------------------------------------------------------------------------------------- */

/* `ranks`: how far what rests on ranks may be off, because the last bits of draws that are close decide on them. */
static void check_number(crd_context *ctx, const crdi_function_number *n, const double *x, double unit, double ranks)
{
    double r_hat, bulk, tail;
    crd_diag_spread spread = crd_diag_take_apart(x, CHAINS, DRAWS);
    assert_ok(ctx, crd_diag_r_hat_rank(ctx, x, CHAINS, DRAWS, &r_hat));
    assert_ok(ctx, crd_diag_ess_bulk(ctx, x, CHAINS, DRAWS, &bulk));
    assert_ok(ctx, crd_diag_ess_tail(ctx, x, CHAINS, DRAWS, &tail));
    assert_close(n->r_hat, r_hat, ranks / 10, 0);
    assert_close(n->ess_bulk, bulk, ranks, 0);
    assert_close(n->ess_tail, tail, ranks, 0);
    assert_close(n->between, spread.between, 1e-7, 1e-10);
    assert_close(n->drift, spread.drift, 1e-7, 1e-10);
    assert_close(n->sd, unit * crd_diag_sd(x, TOTAL), 1e-8, 0);
}

static void f_is_judged_as_its_kept_draws(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crdi_network_run *net = open_run(ctx, &(struct setting){"3", "tanh", "normal:0,1", NULL});
    crdi_function_space *s;
    crd_posterior *posterior;
    double x[TOTAL], mean = 0;
    assert_ok(ctx, crd_run_posterior(net->run, &posterior));
    assert_ok(ctx, crdi_run_function_space(net, &(crdi_function_request){.threads = 2}, &s));
    const crdi_function_part *p = &s->part[CRDI_F_AT_DATA];
    assert_int_equal(p->count, ROWS);
    assert_int_equal(s->rows_used, ROWS);
    for (int i = 0; i < ROWS; i++) {
        crd_posterior_series(posterior, crd_posterior_find(posterior, "f"), i, x);
        check_number(ctx, &p->number[i], x, net->recipe->target_sd, 1e-7);
        assert_int_equal(p->number[i].row, i);
        assert_true(p->worst->r_hat >= p->number[i].r_hat);
        assert_true(p->ess_bulk <= p->number[i].ess_bulk && p->between[1] >= p->number[i].between);
        mean = net->recipe->target_mean + net->recipe->target_sd * crd_diag_mean(x + DRAWS, DRAWS);
        assert_close(p->chain_mean[i * CHAINS + 1], mean, 1e-9, 0);
    }
    crdi_function_space_destroy(&s);
    assert_ok(ctx, crdi_run_function_space(net, &(crdi_function_request){.rows = 7, .threads = 1}, &s));
    assert_int_equal(s->rows_used, 7);
    for (int i = 0; i < 7; i++) { /* spread evenly; the same numbers */
        assert_int_equal(s->part[CRDI_F_AT_DATA].number[i].row, i * ROWS / 7);
        crd_posterior_series(posterior, crd_posterior_find(posterior, "f"), i * ROWS / 7, x);
        check_number(ctx, &s->part[CRDI_F_AT_DATA].number[i], x, net->recipe->target_sd, 1e-7);
    }
    crdi_function_space_destroy(&s);
    crd_posterior_destroy(&posterior);
    crdi_network_run_close(&net);
    testing_context_destroy(&ctx);
}

static crd_status keep_row(void *user, int64_t row, int64_t draws, double *values)
{
    memcpy((double *)user + row * TOTAL, values, (size_t)draws * sizeof *values);
    return CRD_OK;
}

static void the_log_likelihood_is_judged_as_that_of_loo(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crdi_network_run *net = open_run(ctx, &(struct setting){"3", "tanh", "normal:0,1", NULL});
    crdi_function_space *s;
    double *density = malloc(sizeof *density * ROWS * TOTAL);
    assert_non_null(density);
    assert_ok(ctx, crdi_run_log_likelihood(net, 2, 0, ROWS, keep_row, density));
    assert_ok(ctx, crdi_run_function_space(net, &(crdi_function_request){.rows = 50}, &s));
    for (int i = 0; i < 50; i++) {
        const crdi_function_number *n = &s->part[CRDI_LIKELIHOOD].number[i];
        check_number(ctx, n, density + n->row * TOTAL, 1, 1e-7);
    }
    free(density);
    crdi_function_space_destroy(&s);
    crdi_network_run_close(&net);
    testing_context_destroy(&ctx);
}

/* Of classes the logarithms of probabilities count: a shift of all outputs changes nothing. */
static void classes_are_judged_by_their_probabilities(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crdi_network_run *net = open_run(ctx, &(struct setting){"3", "tanh", "normal:0,1", "categorical"});
    crdi_function_space *s;
    crd_posterior *posterior;
    double x[CLASSES][TOTAL];
    assert_ok(ctx, crd_run_posterior(net->run, &posterior));
    assert_ok(ctx, crdi_run_function_space(net, &(crdi_function_request){.rows = 20}, &s));
    assert_int_equal(s->outputs, CLASSES);
    assert_int_equal(s->part[CRDI_F_AT_DATA].count, 20 * CLASSES);
    for (int i = 0; i < 20; i++) {
        for (int k = 0; k < CLASSES; k++)
            crd_posterior_series(posterior, crd_posterior_find(posterior, "f"), i * ROWS / 20 * CLASSES + k, x[k]);
        for (int d = 0; d < TOTAL; d++) {
            double most = fmax(x[0][d], fmax(x[1][d], x[2][d])); /* ranks of near draws hang on the last bit */
            double sum = most + log(exp(x[0][d] - most) + exp(x[1][d] - most) + exp(x[2][d] - most));
            for (int k = 0; k < CLASSES; k++)
                x[k][d] -= sum;
        }
        for (int k = 0; k < CLASSES; k++) {
            assert_int_equal(s->part[CRDI_F_AT_DATA].number[i * CLASSES + k].output, k);
            check_number(ctx, &s->part[CRDI_F_AT_DATA].number[i * CLASSES + k], x[k], 1, 0.03);
        }
    }
    crdi_function_space_destroy(&s);
    crd_posterior_destroy(&posterior);
    crdi_network_run_close(&net);
    testing_context_destroy(&ctx);
}

/* Every probe is a row of the data but for one numerical input, which is outside what the data have. */
static void probes_are_outside_the_data(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crdi_network_run *net = open_run(ctx, &(struct setting){"2", "tanh", "normal:0,1", NULL});
    crdi_function_space *s;
    crdi_string where;
    int64_t features = net->x.shape.dim[1];
    assert_ok(ctx, crdi_run_function_space(net, &(crdi_function_request){.rows = 5}, &s));
    assert_int_equal(s->probes.shape.dim[0], 2 * CRDI_PROBES_EACH);
    assert_int_equal(s->part[CRDI_F_OUTSIDE].count, 2 * CRDI_PROBES_EACH);
    for (int i = 0; i < 2 * CRDI_PROBES_EACH; i++) {
        const double *probe = s->probes.data + i * features;
        int moved = i / CRDI_PROBES_EACH, same = 0;
        double low = INFINITY, high = -INFINITY;
        for (int r = 0; r < ROWS; r++) {
            bool equal = true;
            low = fmin(low, net->x.data[r * features + moved]);
            high = fmax(high, net->x.data[r * features + moved]);
            for (int64_t j = 0; j < features; j++)
                equal = equal && (j == moved || net->x.data[r * features + j] == probe[j]);
            same += equal;
        }
        assert_true(same > 0);
        static const double how_far[] = {-1, -0.5, -0.25, 1.25, 1.5, 2};
        assert_close(probe[moved], low + (high - low) * how_far[i % CRDI_PROBES_EACH], 1e-12, 1e-12);
    }
    crdi_string_init(&where, ctx);
    crdi_function_where(&where, net, s, CRDI_F_OUTSIDE, &s->part[CRDI_F_OUTSIDE].number[0], 1);
    assert_string_equal(crdi_string_text(&where), "a = 30.5, ..."); /* 100 to 169.5, once the range below */
    crdi_string_clear(&where);
    crdi_function_space_destroy(&s);
    crdi_network_run_close(&net);
    testing_context_destroy(&ctx);
}

/* ---- canonical form ------------------------------------------------------------------------------------------------ */

static double *likelihoods(crd_context *ctx, crdi_network_run *net)
{
    double *out = malloc(sizeof *out * ROWS * TOTAL);
    assert_non_null(out);
    assert_ok(ctx, crdi_run_log_likelihood(net, 2, 0, ROWS, keep_row, out));
    return out;
}

static void canonical_form_predicts_the_same(void **state)
{
    (void)state;
    static const struct setting settings[] = {
        {"5", "tanh", "normal:0,1", NULL},
        {"4,3", "relu", "normal:0,1", NULL},
        {"4,3", "sigmoid", "net/*.kernel=ard(half_cauchy:1);net/*.bias=normal:0,1", NULL},
        {"3,4", "silu", "net/*.kernel=horseshoe(1);net/*.bias=normal:0,1", "categorical"},
        {"none", "tanh", "normal:0,1", NULL}};
    crd_context *ctx = testing_context();
    for (int i = 0; i < CRDI_COUNT(settings); i++) {
        crdi_network_run *net = open_run(ctx, &settings[i]);
        const crd_column *bias;
        double *before = likelihoods(ctx, net), drawn[TOTAL * 8], formed[TOTAL * 8];
        assert_ok(ctx, crd_run_find(net->run, "net/Dense_0.bias", &bias));
        assert_ok(ctx, crdi_run_read_column(net->run, bias, DRAWS, drawn));
        assert_ok(ctx, crdi_run_make_canonical(net, 2));
        double *after = likelihoods(ctx, net);
        for (int k = 0; k < ROWS * TOTAL; k++)
            assert_close(after[k], before[k], 1e-10, 1e-10);
        assert_ok(ctx, crdi_run_read_column(net->run, bias, DRAWS, formed));
        bool changed = memcmp(drawn, formed, sizeof(double) * TOTAL * (size_t)bias->size) != 0;
        assert_true(changed == (strcmp(settings[i].hidden, "none") != 0));
        free(before);
        free(after);
        crdi_network_run_close(&net);
    }
    testing_context_destroy(&ctx);
}

/* Local scales and scales of inputs go with their units: the prior's density of each draw stays, where only places change. */
static void scales_follow_their_units(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crdi_network_run *net = open_run(
        ctx, &(struct setting){
                 "4", "silu", "net/Dense_0.kernel=horseshoe(1);net/Dense_1.kernel=ard(half_cauchy:1);*.bias=normal:0,1",
                 NULL});
    crd_posterior *before, *after;
    assert_ok(ctx, crd_run_posterior(net->run, &before));
    assert_ok(ctx, crdi_run_make_canonical(net, 1));
    assert_ok(ctx, crd_run_posterior(net->run, &after));
    static const char *const pair[][2] = {{"net/Dense_0.kernel", "net/Dense_0.kernel.local"},
                                          {"net/Dense_1.kernel", "net/Dense_1.kernel.scale"}};
    for (int k = 0; k < 2; k++)
        for (int d = 0; d < TOTAL; d++) {
            double sum[2] = {0, 0};
            for (int which = 0; which < 2; which++) {
                const crd_posterior *p = which ? after : before;
                const crd_column *w = crd_posterior_find(p, pair[k][0]), *s = crd_posterior_find(p, pair[k][1]);
                assert_int_equal(w->size, s->size);
                for (int64_t e = 0; e < w->size; e++) {
                    double z = w->draws[d * w->size + e] / s->draws[d * s->size + e];
                    sum[which] += z * z;
                }
            }
            assert_close(sum[1], sum[0], 1e-12, 0);
        }
    crd_posterior_destroy(&before);
    crd_posterior_destroy(&after);
    crdi_network_run_close(&net);
    testing_context_destroy(&ctx);
}

static void weights_that_are_not_there(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crdi_network_run *net = open_run(
        ctx, &(struct setting){"2", "tanh", "*.kernel=noncentered(scale(half_cauchy:1));*.bias=normal:0,1", NULL});
    assert_int_equal(crdi_run_make_canonical(net, 1), CRD_EUNSUPPORTED);
    assert_non_null(strstr(crd_error_message(ctx), "net/Dense_0.kernel"));
    crd_error_clear(ctx);
    crdi_network_run_close(&net);
    testing_context_destroy(&ctx);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fitted_begin, fitted_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(f_is_judged_as_its_kept_draws),
        TEST(the_log_likelihood_is_judged_as_that_of_loo),
        TEST(classes_are_judged_by_their_probabilities),
        TEST(probes_are_outside_the_data),
        TEST(canonical_form_predicts_the_same),
        TEST(scales_follow_their_units),
        TEST(weights_that_are_not_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
