/* test_svi.c - a conjugate linear model to 1 %; the tutorial's variational fit from 20 keys against NumPyro's from 20 others
 * (tests/data/svi.json).
 *
 * One fit says little, since there are many optima, so means over keys are compared: the loss at the end within three
 * standard errors of the difference (false alarms: 2.7e-3 for other keys), mean and standard deviation of f at seven inputs
 * within four and a half (7 x 2 x 7e-6 = 1e-4). */
#include "infer/svi/svi.h"
#include "svi_models.h"

#include <credence/nn.h>
#include <credence/mcmc.h>
#include <credence/svi.h>
#include <math.h>
#include <stdio.h>

#include "nn/tutorial.h"

enum { KEYS = 20, POINTS = 7, DRAWS = 1000 };

struct mean {
    double value, error;
};

/* Of `count` numbers, each `stride` behind the last. */
static struct mean mean_of(const double *x, int count, int stride)
{
    double sum = 0, square = 0;
    for (int i = 0; i < count; i++)
        sum += x[i * stride];
    for (int i = 0; i < count; i++)
        square += (x[i * stride] - sum / count) * (x[i * stride] - sum / count);
    return (struct mean){sum / count, sqrt(square / (count - 1) / count)};
}

static void agree(const char *what, struct mean ours, struct mean theirs, double errors)
{
    double z = (ours.value - theirs.value) / hypot(ours.error, theirs.error);
    printf("%s: %.4f +- %.4f, NumPyro %.4f +- %.4f, z %.2f\n", what, ours.value, ours.error, theirs.value, theirs.error,
           z);
    assert_true(fabs(z) <= errors);
}

struct fixture {
    double x[CRDI_TUTORIAL_ROWS], y[CRDI_TUTORIAL_ROWS];
    crd_array target;
    crd_network net;
};

static void make(struct fixture *t)
{
    crdi_tutorial_regression(t->x, t->y);
    t->target = crd_array_borrow(t->y, crd_shape_1(CRDI_TUTORIAL_ROWS));
    t->net = (crd_network){.hidden = "10",
                           .activation = "tanh",
                           .prior = "normal:0,10",
                           .noise = "half_cauchy:0.5",
                           .x = crd_array_borrow(t->x, crd_shape_2(CRDI_TUTORIAL_ROWS, 1)),
                           .y = &t->target};
}

static const crd_svi_options as_on_the_page = {.guide = "normal",
                                               .loss = "trace_mean_field",
                                               .particles = 10,
                                               .optimizer = "clip_by_global_norm:10,adam,scale:-1e-2",
                                               .steps = 10000,
                                               .init_scale = 1e-3,
                                               .threads = 2};

/* Mean and standard deviation of f at the seven inputs, over draws of the guide. */
static void look_at_f(crd_context *ctx, struct fixture *t, const crd_svi *svi, double *at, double *mean, double *sd)
{
    crd_model *model;
    crd_posterior *posterior;
    crd_array f = {0};
    crd_network test = t->net;
    test.x = crd_array_borrow(at, crd_shape_2(POINTS, 1));
    test.y = NULL;
    assert_ok(ctx, crd_model_create(&model, ctx, crd_network_model, &t->net));
    assert_ok(ctx, crd_svi_draw(svi, DRAWS, NULL, 0, crd_key_make(99), &posterior));
    assert_ok(ctx, crd_predict(model, posterior, &test, "f", crd_key_make(1), &f));
    for (int i = 0; i < POINTS; i++) {
        struct mean m = mean_of(f.data + i, DRAWS, POINTS);
        mean[i] = m.value;
        sd[i] = m.error * sqrt(DRAWS);
    }
    crd_array_clear(&f);
    crd_posterior_destroy(&posterior);
    crd_model_destroy(&model);
}

static void keys_have_the_mean_loss_and_f_of_numpyro(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    json_t *file = testing_json("svi.json"), *theirs = json_object_get(file, "regression");
    double loss[KEYS], mean[KEYS * POINTS], sd[KEYS * POINTS], at[POINTS];
    double their_loss[KEYS], their_mean[KEYS * POINTS], their_sd[KEYS * POINTS];
    struct fixture t;
    make(&t);
    assert_int_equal(testing_numbers(json_object_get(theirs, "loss"), their_loss), KEYS);
    assert_int_equal(testing_numbers(json_object_get(theirs, "f_at"), at), POINTS);
    assert_int_equal(testing_numbers(json_object_get(theirs, "f_mean"), their_mean), KEYS * POINTS);
    assert_int_equal(testing_numbers(json_object_get(theirs, "f_sd"), their_sd), KEYS * POINTS);
    for (int k = 0; k < KEYS; k++) {
        crd_svi *svi;
        assert_ok(ctx, crd_svi_fit(ctx, crd_network_model, &t.net, &as_on_the_page, crd_key_make((uint64_t)k), &svi));
        loss[k] = crd_svi_history_of(svi)->final_loss[0];
        look_at_f(ctx, &t, svi, at, mean + k * POINTS, sd + k * POINTS);
        crd_svi_destroy(&svi);
    }
    agree("loss at the end", mean_of(loss, KEYS, 1), mean_of(their_loss, KEYS, 1), 3);
    for (int i = 0; i < POINTS; i++) {
        char what[64];
        snprintf(what, sizeof what, "mean of f at %g", at[i]);
        agree(what, mean_of(mean + i, KEYS, POINTS), mean_of(their_mean + i, KEYS, POINTS), 4.5);
        snprintf(what, sizeof what, "sd of f at %g", at[i]);
        agree(what, mean_of(sd + i, KEYS, POINTS), mean_of(their_sd + i, KEYS, POINTS), 4.5);
    }
    json_decref(file);
    testing_context_destroy(&ctx);
}

static void twenty_restarts_reach_the_best_key(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    json_t *file = testing_json("svi.json");
    double theirs[KEYS], least = INFINITY;
    struct fixture t;
    crd_svi *svi;
    crd_svi_options options = as_on_the_page;
    make(&t);
    testing_numbers(json_object_get(json_object_get(file, "regression"), "loss"), theirs);
    for (int k = 0; k < KEYS; k++)
        least = theirs[k] < least ? theirs[k] : least;
    options.restarts = KEYS;
    assert_ok(ctx, crd_svi_fit(ctx, crd_network_model, &t.net, &options, crd_key_make(1234), &svi));
    const crd_svi_history *h = crd_svi_history_of(svi);
    printf("best of %d restarts: %.3f, NumPyro's best key: %.3f\n", KEYS, h->final_loss[h->restart], least);
    assert_true(h->final_loss[h->restart] <= least + 1);
    crd_svi_destroy(&svi);
    json_decref(file);
    testing_context_destroy(&ctx);
}

/* Means and covariances to 1 % of posterior standard deviations, of their own values where these are larger than that, and
 * the log evidence to 0.01. What is left is the steps' noise: 0.0077 for the worst of six keys, of which three are here. */
static void a_full_normal_reaches_the_exact_posterior(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    struct linear l;
    struct linear_exact exact;
    crd_svi_options options = {.guide = "multivariate_normal",
                               .particles = 32,
                               .steps = 30000,
                               .init_scale = 0.3,
                               .optimizer = "adam:cosine(0.005,30000)"};
    linear_init(&l, LINEAR_MOST);
    linear_solve(&l, &exact);
    for (uint64_t key = 0; key < 3; key++) {
        crd_svi *svi;
        double mean, error;
        assert_ok(ctx, crd_svi_fit(ctx, linear_model, &l, &options, crd_key_make(key), &svi));
        linear_check_normal(crdi_svi_params(svi, 0), &exact, 0.01);
        for (int i = 0; i < LINEAR_MOST; i++)
            assert_close(crdi_svi_params(svi, 0)[i], exact.mean[i], 0.01, 0);
        assert_ok(ctx, crd_svi_elbo(svi, 4000, crd_key_make(100 + key), &mean, &error));
        assert_close(mean, exact.log_evidence, 0, 0.01);
        assert_true(error < 0.001);
        crd_svi_destroy(&svi);
    }
    testing_context_destroy(&ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_normal_reaches_the_exact_posterior),
        cmocka_unit_test(keys_have_the_mean_loss_and_f_of_numpyro),
        cmocka_unit_test(twenty_restarts_reach_the_best_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
