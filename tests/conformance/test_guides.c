/* test_guides.c - every registered guide with every loss on three models: the gradient is that of the loss at a fixed key,
 * a fit ends with a higher evidence lower bound than it began with, and pairs that make no sense are refused, saying why. */
#include "infer/svi/svi.h"
#include "svi_models.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { PARTICLES = 3, EVALUATIONS = 100, CHECKED = 60 }; /* CHECKED: parameters at most, evenly among all */

static struct linear line;

static const struct {
    const char *name;
    crd_model_fn fn;
    void *user;
} models[] = {{"linear regression", linear_model, &line},
              {"eight schools", schools_model, NULL},
              {"network", network_model, NULL}};

typedef void (*pair_fn)(crd_context *ctx, int model, const crdi_guide_type *guide, const crdi_loss_type *loss);

/* Calls fn with all pairs that are valid; the others must be refused. Returns how many were valid. */
static int each_valid_pair(crd_context *ctx, int model, pair_fn fn)
{
    int valid = 0;
    for (int g = 0; crdi_guide_type_get(g); g++)
        for (int i = 0; crdi_loss_get(i); i++) {
            const crdi_guide_type *guide = crdi_guide_type_get(g);
            const crdi_loss_type *loss = crdi_loss_get(i);
            struct loss_at at;
            crdi_guide_request request = {.fn = models[model].fn, .user = models[model].user, .text = guide->name};
            crd_status status = loss_open(ctx, &request, loss->name, PARTICLES, &at);
            if (status == CRD_EUNSUPPORTED) {
                /* The message names the loss and what serves instead; a fit says the same before any step. */
                crd_svi *svi = NULL;
                char message[512];
                snprintf(message, sizeof message, "%s", crd_error_message(ctx));
                crd_error_clear(ctx);
                assert_non_null(strstr(message, loss->name));
                assert_non_null(strstr(message, "'trace'"));
                assert_true(strcmp(loss->name, "trace") != 0 && (guide->point || loss->mean_field));
                assert_int_equal(crd_svi_fit(ctx, models[model].fn, models[model].user,
                                             &(crd_svi_options){.guide = guide->name, .loss = loss->name},
                                             crd_key_make(0), &svi),
                                 CRD_EUNSUPPORTED);
                assert_null(svi);
                assert_string_equal(message, crd_error_message(ctx));
                crd_error_clear(ctx);
                continue;
            }
            assert_ok(ctx, status);
            loss_close(&at);
            fn(ctx, model, guide, loss);
            valid++;
        }
    return valid;
}

/* ---- gradients --------------------------------------------------------------------------------------------------- */

/* Central differences with a step h: an error of about h^2 of the loss's third derivative. */
static void check_gradient(crd_context *ctx, int model, const crdi_guide_type *guide, const crdi_loss_type *loss)
{
    struct loss_at at;
    const double h = 1e-5;
    crd_key key = crd_key_make(12);
    crdi_guide_request request = {.fn = models[model].fn, .user = models[model].user, .text = guide->name};
    assert_ok(ctx, loss_open(ctx, &request, loss->name, PARTICLES, &at));
    size_t bytes = sizeof(double) * (size_t)at.params;
    int64_t dim = crd_model_dim(at.guide->model);
    double *params = test_malloc(bytes), *gradient = test_malloc(bytes), *u = test_malloc(sizeof *u * (size_t)dim);
    crd_random_normal(crd_key_make(8), dim, u);
    crdi_guide_start(at.guide, u, 0.3, crd_key_make(9), params);
    double *moved = test_malloc(bytes), largest = 0;
    crd_random_normal(crd_key_make(10), at.params, moved); /* off the start, where much is 0 */
    for (int64_t i = 0; i < at.params; i++)
        params[i] += 0.2 * moved[i];
    memcpy(gradient, loss_run(&at, params, key, 0) + CRDI_ELBO_GRADIENT, bytes);
    for (int64_t i = 0; i < at.params; i++)
        largest = fmax(largest, fabs(gradient[i]));
    assert_true(largest > 1e-3);
    for (int64_t i = 0; i < at.params; i += 1 + at.params / CHECKED) {
        memcpy(moved, params, bytes);
        moved[i] = params[i] + h;
        double above = loss_run(&at, moved, key, 0)[CRDI_ELBO_LOSS];
        moved[i] = params[i] - h;
        double below = loss_run(&at, moved, key, 0)[CRDI_ELBO_LOSS];
        if (!(fabs((above - below) / (2 * h) - gradient[i]) <= 1e-6 * fmax(largest, 1)))
            fail_msg("%s, guide %s, loss %s: slope %lld is %g, by differences %g", models[model].name, guide->name,
                     loss->name, (long long)i, gradient[i], (above - below) / (2 * h));
    }
    test_free(params);
    test_free(gradient);
    test_free(u);
    test_free(moved);
    loss_close(&at);
}

static void gradients_are_those_of_the_loss(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    linear_init(&line, LINEAR_MOST);
    for (int m = 0; m < CRDI_COUNT(models); m++)
        assert_true(each_valid_pair(ctx, m, check_gradient) >= 15);
    testing_context_destroy(&ctx);
}

/* ---- fits ---------------------------------------------------------------------------------------------------------- */

/* The mean loss "trace" of many draws, always the same ones. */
static double evaluate(struct loss_at *at, const double *params)
{
    double sum = 0;
    for (uint32_t i = 0; i < EVALUATIONS; i++)
        sum += loss_run(at, params, crd_key_fold_in(crd_key_make(2024), i), 0)[CRDI_ELBO_LOSS];
    return sum / EVALUATIONS;
}

static void check_fit(crd_context *ctx, int model, const crdi_guide_type *guide, const crdi_loss_type *loss)
{
    crd_svi *svi;
    struct loss_at at;
    crd_key key = crd_key_make(4), start = crd_key_fold_in(crd_key_fold_in(key, 0), 0);
    crdi_guide_request request = {.fn = models[model].fn, .user = models[model].user, .text = guide->name};
    crd_svi_options options = {
        .guide = guide->name, .loss = loss->name, .particles = PARTICLES, .steps = 1500, .optimizer = "adam:0.02"};
    assert_ok(ctx, loss_open(ctx, &request, "trace", 1, &at));
    double *params = test_malloc(sizeof *params * (size_t)at.params);
    double *u = test_malloc(sizeof *u * (size_t)crd_model_dim(at.guide->model));
    assert_ok(ctx, crd_model_start(at.guide->model, NULL, crd_key_fold_in(start, 0), u));
    crdi_guide_start(at.guide, u, 0.1, start, params);
    double before = evaluate(&at, params);
    assert_ok(ctx, crd_svi_fit(ctx, models[model].fn, models[model].user, &options, key, &svi));
    const crd_svi_history *h = crd_svi_history_of(svi);
    double after = evaluate(&at, svi->run[0].params);
    assert_int_equal(h->steps, 1500);
    assert_int_equal(h->skipped, 0);
    assert_true(isfinite(h->final_loss[0]));
    if (!(after < before))
        fail_msg("%s, guide %s, loss %s: the bound fell from %g to %g", models[model].name, guide->name, loss->name,
                 -before, -after);
    if (guide->point && loss->alpha == 1 &&
        !loss->mean_field) { /* such losses have no noise: L-BFGS ends lower still */
        crd_svi *exact;
        options.optimizer = "lbfgs";
        assert_ok(ctx, crd_svi_fit(ctx, models[model].fn, models[model].user, &options, key, &exact));
        assert_true(crd_svi_history_of(exact)->final_loss[0] < before);
        assert_true(evaluate(&at, exact->run[0].params) < before);
        crd_svi_destroy(&exact);
    }
    crd_svi_destroy(&svi);
    test_free(params);
    test_free(u);
    loss_close(&at);
}

static void fits_end_with_a_higher_bound(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    linear_init(&line, LINEAR_MOST);
    for (int m = 0; m < CRDI_COUNT(models); m++)
        each_valid_pair(ctx, m, check_fit);
    testing_context_destroy(&ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_are_those_of_the_loss),
        cmocka_unit_test(fits_end_with_a_higher_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
