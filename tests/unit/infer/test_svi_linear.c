/* test_svi_linear.c - fits of linear regression, whose posterior and evidence are known: a full normal, Laplace, and
 * minibatches. */
#include "infer/svi/svi.h"
#include "svi_models.h"

#include <math.h>
#include <string.h>

enum { N = LINEAR_MOST };

static void a_full_normal_reaches_the_exact_posterior(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    struct linear l;
    struct linear_exact exact;
    crd_svi *svi;
    double mean, error;
    crd_svi_options options = {.guide = "multivariate_normal",
                               .particles = 16,
                               .steps = 15000,
                               .init_scale = 0.3,
                               .optimizer = "adam:cosine(0.02,15000)"};
    linear_init(&l, N);
    linear_solve(&l, &exact);
    assert_true(fabs(exact.covariance[1]) > 0.1 * exact.covariance[0]); /* there are correlations to find */
    assert_ok(ctx, crd_svi_fit(ctx, linear_model, &l, &options, crd_key_make(6), &svi));
    linear_check_normal(crdi_svi_params(svi, 0), &exact,
                        0.03); /* 0.021 for the worst of eight keys; test_svi.c: 0.01 */
    assert_ok(ctx, crd_svi_elbo(svi, 1000, crd_key_make(7), &mean, &error));
    assert_close(mean, exact.log_evidence, 0, 0.01);
    assert_true(error < 0.01);
    assert_close(-crd_svi_history_of(svi)->final_loss[0], exact.log_evidence, 0, 0.01);
    crd_svi_destroy(&svi);
    testing_context_destroy(&ctx);
}

static void laplace_is_exact_for_a_normal(void **state)
{
    (void)state;
    static const char *const starts[] = {"uniform", "map"}; /* from the maximum itself there is no step to make */
    crd_context *ctx = testing_context();
    struct linear l;
    struct linear_exact exact;
    linear_init(&l, N);
    linear_solve(&l, &exact);
    for (int k = 0; k < 2; k++) {
        crd_svi *svi;
        double evidence, mean, error;
        crd_svi_options options = {
            .guide = "laplace", .optimizer = "lbfgs", .start = starts[k], .restarts = 2, .threads = 2};
        assert_ok(ctx, crd_svi_fit(ctx, linear_model, &l, &options, crd_key_make(6), &svi));
        linear_check_normal(crdi_svi_params(svi, 0), &exact, 1e-6);
        assert_ok(ctx, crd_svi_log_evidence(svi, &evidence));
        assert_close(evidence, exact.log_evidence, 0, 1e-6);
        assert_ok(ctx, crd_svi_elbo(svi, 10, crd_key_make(7), &mean, &error));
        assert_close(mean, exact.log_evidence, 0, 1e-6); /* now it is a normal with a density */
        const crd_svi_history *h = crd_svi_history_of(svi);
        double peak = -exact.log_evidence; /* the loss is -log p at the maximum */
        for (int i = 0; i < N; i++)
            peak += 0.91893853320467274178 + log(exact.factor[i * N + i]);
        assert_true(h->steps == 0 || k == 0);
        assert_close(h->final_loss[h->restart], k == 1 ? peak : h->final_loss[h->restart], 1e-8, 0);
        assert_close(h->steps > 0 ? h->loss[h->steps - 1] : peak, peak, 1e-8, 0);
        crd_svi_destroy(&svi);
    }
    testing_context_destroy(&ctx);
}

/* ---- minibatches ------------------------------------------------------------------------------------------------ */

/* With the same key both draw the same noise, and differ by their rows only: what differs has mean 0, held to 4.5
 * standard errors (7e-6 a number, 13 numbers: 1e-4 for other keys). */
static void minibatches_have_the_loss_of_all_rows_in_the_mean(void **state)
{
    (void)state;
    enum { DRAWS = 6000 };
    static const char *const guides[] = {"delta", "normal"};
    crd_context *ctx = testing_context();
    struct linear all, few;
    linear_init(&all, N);
    few = all;
    few.subsample = 5;
    for (int k = 0; k < 2; k++) {
        struct loss_at a, b;
        double params[2 * N] = {0.3, -0.2, 0.8, 0.1, -2, -1.5, -2.5, -1}, sum[2 * N + 1] = {0}, square[2 * N + 1] = {0};
        assert_ok(ctx, loss_open(ctx, &(crdi_guide_request){.fn = linear_model, .user = &all, .text = guides[k]},
                                 "trace", 1, &a));
        assert_ok(ctx, loss_open(ctx, &(crdi_guide_request){.fn = linear_model, .user = &few, .text = guides[k]},
                                 "trace", 1, &b));
        for (uint32_t d = 0; d < DRAWS; d++) {
            crd_key key = crd_key_fold_in(crd_key_make(55), d);
            const double *want = loss_run(&a, params, key, 0), *got = loss_run(&b, params, key, 0);
            for (int64_t i = 0; i <= a.params; i++) {
                int64_t at = i == 0 ? CRDI_ELBO_LOSS : CRDI_ELBO_GRADIENT + i - 1;
                sum[i] += got[at] - want[at];
                square[i] += (got[at] - want[at]) * (got[at] - want[at]);
            }
        }
        for (int64_t i = 0; i <= a.params; i++) {
            double error = sqrt(square[i] / DRAWS / DRAWS);
            assert_true(error > 1e-6); /* rows do differ */
            assert_close(sum[i] / DRAWS, 0, 0, 4.5 * error);
        }
        loss_close(&a);
        loss_close(&b);
    }
    testing_context_destroy(&ctx);
}

static void a_fit_by_minibatches_finds_the_posterior(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    struct linear l;
    struct linear_exact exact;
    crd_svi *svi;
    crd_svi_options options = {.guide = "multivariate_normal",
                               .particles = 8,
                               .steps = 8000,
                               .init_scale = 0.3,
                               .optimizer = "adam:cosine(0.02,8000)"};
    linear_init(&l, N);
    linear_solve(&l, &exact);
    l.subsample = 4;
    assert_ok(ctx, crd_svi_fit(ctx, linear_model, &l, &options, crd_key_make(6), &svi));
    linear_check_normal(crdi_svi_params(svi, 0), &exact, 0.15); /* rows are noise that does not end at the posterior */
    crd_svi_destroy(&svi);
    testing_context_destroy(&ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_normal_reaches_the_exact_posterior),
        cmocka_unit_test(laplace_is_exact_for_a_normal),
        cmocka_unit_test(minibatches_have_the_loss_of_all_rows_in_the_mean),
        cmocka_unit_test(a_fit_by_minibatches_finds_the_posterior),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
