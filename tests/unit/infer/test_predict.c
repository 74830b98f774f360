/* test_predict.c - predictions: the same numbers as those kept in the run, other data, and what cannot be predicted. */
#include "base/base.h"
#include "line.h"

#include <credence/loo.h>
#include <math.h>
#include <string.h>

enum { CHAINS = 2, DRAWS = 60 };

struct fit {
    crd_context *ctx;
    struct line line;
    crd_model *model;
    crd_posterior *posterior; /* with f kept */
};

static void fit_create(struct fit *fit)
{
    static const char *const keep[] = {"f"};
    crd_nuts_options options = {.chains = CHAINS, .warmup = 40, .draws = DRAWS, .keep = keep, .keep_count = 1};
    fit->ctx = testing_context();
    line_init(&fit->line);
    assert_ok(fit->ctx, crd_model_create(&fit->model, fit->ctx, line_model, &fit->line));
    assert_ok(fit->ctx, crd_nuts_run(fit->model, &options, crd_key_make(1), &fit->posterior));
}

static void fit_destroy(struct fit *fit)
{
    crd_posterior_destroy(&fit->posterior);
    crd_model_destroy(&fit->model);
    testing_context_destroy(&fit->ctx);
}

static void predicting_the_training_data_gives_what_was_kept(void **state)
{
    (void)state;
    struct fit fit;
    crd_array f;
    fit_create(&fit);
    assert_ok(fit.ctx, crd_predict(fit.model, fit.posterior, &fit.line, "f", crd_key_make(2), &f));
    assert_int_equal(f.shape.ndim, 3);
    assert_int_equal(f.shape.dim[0], CHAINS);
    assert_int_equal(f.shape.dim[1], DRAWS);
    assert_int_equal(f.shape.dim[2], ROWS);
    assert_memory_equal(f.data, crd_posterior_find(fit.posterior, "f")->draws, sizeof(double) * CHAINS * DRAWS * ROWS);
    crd_array_clear(&f);
    fit_destroy(&fit);
}

static void other_data_may_have_another_length(void **state)
{
    (void)state;
    struct fit fit;
    double x[3] = {-5, 0, 7};
    crd_array f;
    fit_create(&fit);
    struct line other = {.x = crd_array_borrow(x, crd_shape_1(3))};
    assert_ok(fit.ctx, crd_predict(fit.model, fit.posterior, &other, "f", crd_key_make(2), &f));
    assert_int_equal(f.shape.dim[2], 3);
    for (int d = 0; d < CHAINS * DRAWS; d++) {
        const double *w = crd_posterior_find(fit.posterior, "w")->draws + 2 * d;
        for (int i = 0; i < 3; i++)
            assert_close(f.data[3 * d + i], w[0] * x[i] + w[1], 1e-14, 1e-15);
    }
    crd_array_clear(&f);
    fit_destroy(&fit);
}

/* y = f + s noise: draws differ from one draw to the next and with the key, not from run to run, and whether the site
 * had observations is all the same. Over 960 numbers the mean square of the noise is 1 within 5 sqrt(2 / 960) = 0.23. */
static void an_observed_site_is_drawn_anew(void **state)
{
    (void)state;
    struct fit fit;
    crd_array y[3], unobserved;
    double square = 0;
    fit_create(&fit);
    struct line other = fit.line;
    other.observed = NULL;
    for (int i = 0; i < 3; i++)
        assert_ok(fit.ctx, crd_predict(fit.model, fit.posterior, &fit.line, "y", crd_key_make(i < 2 ? 2 : 3), &y[i]));
    assert_ok(fit.ctx, crd_predict(fit.model, fit.posterior, &other, "y", crd_key_make(2), &unobserved));
    size_t bytes = sizeof(double) * CHAINS * DRAWS * ROWS;
    assert_memory_equal(y[0].data, y[1].data, bytes);
    assert_memory_equal(y[0].data, unobserved.data, bytes);
    const double *f = crd_posterior_find(fit.posterior, "f")->draws, *s = crd_posterior_find(fit.posterior, "s")->draws;
    for (int i = 0; i < CHAINS * DRAWS * ROWS; i++) {
        double noise = (y[0].data[i] - f[i]) / s[i / ROWS];
        assert_true(y[0].data[i] != y[2].data[i]);
        assert_true(i < ROWS || fabs(noise - (y[0].data[i - ROWS] - f[i - ROWS]) / s[i / ROWS - 1]) > 1e-9);
        square += noise * noise / (CHAINS * DRAWS * ROWS);
    }
    assert_close(square, 1, 0, 0.23);
    for (int i = 0; i < 3; i++)
        crd_array_clear(&y[i]);
    crd_array_clear(&unobserved);
    fit_destroy(&fit);
}

static crd_node bent_model(crd_trace *t, void *user)
{
    (void)user;
    return crd_sample(t, "w", crd_dist_expand(crd_normal(crd_num(0), crd_num(1)), crd_shape_1(3)));
}

static void assert_refused(const struct fit *fit, const crd_model *model, const char *name, crd_status status,
                           const char *message)
{
    crd_array out = {.data = NULL};
    assert_int_equal(crd_predict(model, fit->posterior, (void *)(uintptr_t)&fit->line, name, crd_key_make(2), &out),
                     status);
    assert_true(strncmp(crd_error_message(fit->ctx), message, strlen(message)) == 0);
    assert_null(out.data);
    crd_error_clear(fit->ctx);
}

static crd_node other_names(crd_trace *t, void *user)
{
    (void)user;
    return crd_sample(t, "v", crd_normal(crd_num(0), crd_num(1)));
}

static void what_cannot_be_predicted_is_said(void **state)
{
    (void)state;
    struct fit fit;
    crd_model *bent, *other;
    fit_create(&fit);
    assert_ok(fit.ctx, crd_model_create(&bent, fit.ctx, bent_model, NULL));
    assert_ok(fit.ctx, crd_model_create(&other, fit.ctx, other_names, NULL));
    assert_refused(&fit, fit.model, "slop", CRD_ENAME, "unknown site 'slop'; did you mean 'slope'?");
    assert_refused(&fit, bent, "w", CRD_ESHAPE, "predict: site w has another shape in the posterior");
    assert_refused(&fit, other, "v", CRD_EMISSING, "predict: the posterior has no site v");
    fit.line.x.shape.dim[0] = ROWS - 1; /* x shorter than y */
    assert_refused(&fit, fit.model, "f", CRD_ESHAPE, "site y: plate data has 7 rows, value has 8 (line.h:");
    crd_model_destroy(&bent);
    crd_model_destroy(&other);
    fit_destroy(&fit);
}

static void a_prediction_without_memory_fails_cleanly(void **state)
{
    (void)state;
    struct fit fit;
    fit_create(&fit);
    for (int64_t k = 1;; k++) {
        crd_array out = {.data = NULL};
        testing_fail_allocation(k);
        crd_status status = crd_predict(fit.model, fit.posterior, &fit.line, "y", crd_key_make(2), &out);
        testing_fail_allocation(0);
        assert_int_equal(status, crd_error_status(fit.ctx));
        assert_true(status == CRD_OK || status == CRD_ENOMEM);
        assert_int_equal(out.data == NULL, status == CRD_ENOMEM);
        crd_array_clear(&out);
        crd_error_clear(fit.ctx);
        if (status == CRD_OK)
            break;
    }
    fit_destroy(&fit);
}

/* log p of each point by hand, and what leave-one-out makes of it. */
static void log_likelihoods_of_every_draw(void **state)
{
    (void)state;
    struct fit fit;
    crd_array l;
    crd_elpd loo;
    fit_create(&fit);
    assert_ok(fit.ctx, crd_log_likelihood(fit.model, fit.posterior, &fit.line, "y", &l));
    assert_true(crdi_shape_equal(l.shape, (crd_shape){3, {CHAINS, DRAWS, ROWS}}));
    const double *f = crd_posterior_find(fit.posterior, "f")->draws, *s = crd_posterior_find(fit.posterior, "s")->draws;
    for (int i = 0; i < CHAINS * DRAWS * ROWS; i++) {
        double sd = s[i / ROWS], z = (fit.line.y_data[i % ROWS] - f[i]) / sd;
        assert_close(l.data[i], -0.5 * z * z - log(sd) - 0.91893853320467274, 1e-12, 1e-12);
    }
    assert_ok(fit.ctx, crd_loo(fit.ctx, l.data, CHAINS * DRAWS, ROWS, 1, NULL, NULL, &loo));
    assert_true(isfinite(loo.elpd) && loo.p > 0);
    crd_array_clear(&l);
    assert_int_equal(crd_log_likelihood(fit.model, fit.posterior, &fit.line, "f", &l), CRD_ENAME);
    assert_string_equal(crd_error_message(fit.ctx), "site f is not observed");
    crd_error_clear(fit.ctx);
    fit_destroy(&fit);
}

static crd_node coin_model(crd_trace *t, void *user)
{
    (void)user;
    crd_node side = crd_sample(t, "side", crd_bernoulli(crd_num(0.3)));
    return crd_sample(t, "y", crd_normal(crd_mul(crd_num(10), side), crd_num(1)));
}

/* y = w0 x + w1 + s noise: its mean is 0; f has variance x^2 + 1, within five standard errors; a discrete site is drawn. */
static void the_prior_is_drawn(void **state)
{
    (void)state;
    enum { N = 4000 };
    crd_context *ctx = testing_context();
    struct line line;
    crd_array f, again, y, side, other;
    double heads = 0, error = 0;
    line_init(&line);
    assert_ok(ctx, crd_prior_predict(ctx, line_model, &line, "f", N, crd_key_make(4), &f));
    assert_ok(ctx, crd_prior_predict(ctx, line_model, &line, "f", N, crd_key_make(4), &again));
    assert_ok(ctx, crd_prior_predict(ctx, line_model, &line, "y", N, crd_key_make(4), &y));
    assert_true(crdi_shape_equal(f.shape, crd_shape_2(N, ROWS)) && crdi_shape_equal(y.shape, f.shape));
    assert_memory_equal(f.data, again.data, sizeof(double) * N * ROWS);
    for (int i = 0; i < ROWS; i++) {
        double square = 0, variance = line.x_data[i] * line.x_data[i] + 1;
        for (int d = 0; d < N; d++)
            square += f.data[d * ROWS + i] * f.data[d * ROWS + i] / N;
        assert_close(square, variance, 0, 5 * variance * sqrt(2.0 / N));
    }
    assert_true(y.data[0] != line.y_data[0] && y.data[0] != f.data[0]); /* drawn, not given */
    assert_ok(ctx, crd_prior_predict(ctx, coin_model, NULL, "side", N, crd_key_make(5), &side));
    assert_ok(ctx, crd_prior_predict(ctx, coin_model, NULL, "y", N, crd_key_make(5), &other));
    for (int d = 0; d < N; d++) {
        heads += side.data[d] / N;
        error += (other.data[d] - 10 * side.data[d]) / N; /* the same draws go together */
    }
    assert_close(heads, 0.3, 0, 5 * sqrt(0.21 / N));
    assert_close(error, 0, 0, 5 / sqrt(N));
    crd_array *const all[] = {&f, &again, &y, &side, &other};
    for (int i = 0; i < CRDI_COUNT(all); i++)
        crd_array_clear(all[i]);
    assert_int_equal(crd_prior_predict(ctx, coin_model, NULL, "sid", 3, crd_key_make(5), &side), CRD_ENAME);
    crd_error_clear(ctx);
    assert_int_equal(crd_prior_predict(ctx, coin_model, NULL, "side", 0, crd_key_make(5), &side), CRD_EINVAL);
    crd_error_clear(ctx);
    testing_context_destroy(&ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(predicting_the_training_data_gives_what_was_kept),
        cmocka_unit_test(other_data_may_have_another_length),
        cmocka_unit_test(an_observed_site_is_drawn_anew),
        cmocka_unit_test(what_cannot_be_predicted_is_said),
        cmocka_unit_test(a_prediction_without_memory_fails_cleanly),
        cmocka_unit_test(log_likelihoods_of_every_draw),
        cmocka_unit_test(the_prior_is_drawn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
