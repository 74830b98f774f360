/* test_stochastic.c - kernels of batches: the noise that they see, what their draws are of a normal posterior, states. */
#include "infer/mcmc/noise.h"
#include "infer/mcmc/stochastic.h"
#include "regression.h"

#include <string.h>

static const char *const kernels[] = {"sgld"};

/* ---- one chain ---------------------------------------------------------------------------------------------- */

struct fixture {
    crd_context *ctx;
    struct regression r;
    crd_model *model;
    crdi_batches batches;
    crd_nuts_options options;
};

static void open(struct fixture *f, const char *kernel, int64_t batch)
{
    f->ctx = testing_context();
    regression_init(&f->r);
    assert_ok(f->ctx, crd_model_create(&f->model, f->ctx, regression_model, &f->r));
    assert_ok(f->ctx, crdi_batches_create(f->model, NULL, batch, &f->batches));
    crd_nuts_options given = {.kernel = kernel, .warmup = 60, .draws = 100, .batch_steps = 7};
    assert_ok(f->ctx, crdi_mcmc_complete(f->ctx, &given, &f->options));
}

static void close(struct fixture *f)
{
    crdi_batches_clear(&f->batches);
    crd_model_destroy(&f->model);
    testing_context_destroy(&f->ctx);
}

static void begin(struct fixture *f, crdi_chain *chain)
{
    assert_ok(f->ctx, crdi_chain_create_batched(chain, f->ctx, &f->batches, &f->options, crd_key_make(5)));
    assert_ok(f->ctx, crdi_chain_start(chain, 0));
}

/* The gradient that a chain holds is that of the point it is at and of the batch that is pending. */
static void transitions_allocate_nothing_and_leave_a_whole_state(void **state)
{
    (void)state;
    static const int64_t batches[] = {5, 16, 64};
    for (int k = 0; k < 6 * CRDI_COUNT(kernels); k++) {
        struct fixture f;
        crdi_chain chain;
        crdi_transition t;
        open(&f, kernels[k / 6], batches[k % 3]);
        f.options.control_variates = k % 6 > 2;
        begin(&f, &chain);
        int64_t before = testing_allocations();
        for (int i = 0; i < 120; i++) {
            crdi_chain_advance(&chain, &t);
            assert_true(t.n_steps == 7 && !t.diverging && t.energy >= 0 && t.accept_prob == 1);
            double density = *chain.h.log_density, gradient[2] = {chain.h.grad[0], chain.h.grad[1]};
            crdi_hamiltonian_evaluate(&chain.h);
            assert_true(*chain.h.log_density == density);
            assert_memory_equal(chain.h.grad, gradient, sizeof gradient);
        }
        assert_int_equal(testing_allocations(), before);
        crdi_chain_destroy(&chain);
        close(&f);
    }
}

/* Wherever in warm-up or sampling it is cut. */
static void a_state_goes_on_bit_for_bit(void **state)
{
    (void)state;
    static const int cuts[] = {1, 11, 24, 30, 42, 50, 60, 75};
    for (int k = 0; k < 2 * CRDI_COUNT(cuts) * CRDI_COUNT(kernels); k++) {
        int cut = cuts[k / 2 % CRDI_COUNT(cuts)];
        struct fixture f;
        crdi_chain whole, first, second;
        crdi_transition t, other;
        crdi_archive written = {0}, read;
        open(&f, kernels[k / 2 / CRDI_COUNT(cuts)], 5);
        f.options.control_variates = k % 2;
        begin(&f, &whole);
        begin(&f, &first);
        for (int i = 0; i < cut; i++) {
            crdi_chain_advance(&whole, &t);
            crdi_chain_advance(&first, &other);
        }
        crdi_archive_write(&written, f.ctx);
        crdi_chain_state(&first, &written);
        assert_ok(f.ctx, written.status);
        assert_ok(f.ctx, crdi_chain_create_batched(&second, f.ctx, &f.batches, &f.options, crd_key_make(5)));
        crdi_archive_read(&read, f.ctx, written.bytes, written.size);
        crdi_chain_state(&second, &read);
        assert_ok(f.ctx, read.status);
        assert_ok(f.ctx, crdi_chain_check(&second, 0));
        for (int i = cut; i < 120; i++) {
            crdi_chain_advance(&whole, &t);
            crdi_chain_advance(&second, &other);
            assert_memory_equal(whole.h.q, second.h.q, sizeof(double) * 2);
            assert_true(t.energy == other.energy && whole.h.step_size == second.h.step_size);
        }
        assert_true(whole.h.gradients == second.h.gradients);
        crdi_archive_clear(&written);
        crdi_chain_destroy(&whole);
        crdi_chain_destroy(&first);
        crdi_chain_destroy(&second);
        close(&f);
    }
}

static void a_state_of_other_batches_is_refused(void **state)
{
    (void)state;
    struct fixture f;
    crdi_batches eight;
    crdi_chain chain, other;
    crdi_archive written = {0}, read;
    open(&f, "sgld", 5);
    assert_ok(f.ctx, crdi_batches_create(f.model, NULL, 8, &eight));
    begin(&f, &chain);
    crdi_archive_write(&written, f.ctx);
    crdi_chain_state(&chain, &written);
    assert_ok(f.ctx, crdi_chain_create_batched(&other, f.ctx, &eight, &f.options, crd_key_make(5)));
    crdi_archive_read(&read, f.ctx, written.bytes, written.size);
    crdi_chain_state(&other, &read);
    assert_int_equal(read.status, CRD_EDAMAGED);
    assert_non_null(strstr(crd_error_message(f.ctx), "batch"));
    crdi_archive_clear(&written);
    crdi_chain_destroy(&chain);
    crdi_chain_destroy(&other);
    crdi_batches_clear(&eight);
    close(&f);
}

/* An epoch has every row once; another epoch has another order. */
static void an_epoch_takes_every_row_once(void **state)
{
    (void)state;
    struct fixture f;
    crdi_chain chain;
    crdi_transition t;
    double order[2][REGRESSION_ROWS];
    open(&f, "sgld", 16);
    f.options.warmup = 0;
    f.options.batch_steps = 1;
    begin(&f, &chain);
    assert_int_equal(crd_program_input_size(f.batches.program), 2 + 16);
    /* 32 batches were looked at to find a step; the 33rd is pending, the first of an epoch. */
    for (int epoch = 0; epoch < 2; epoch++) {
        int seen[REGRESSION_ROWS] = {0};
        for (int b = 0; b < 4; b++) {
            for (int k = 0; k < 16; k++) {
                order[epoch][16 * b + k] = chain.h.q[2 + k];
                seen[(int)chain.h.q[2 + k]]++;
            }
            crdi_chain_advance(&chain, &t);
        }
        for (int i = 0; i < REGRESSION_ROWS; i++)
            assert_int_equal(seen[i], 1);
    }
    assert_memory_not_equal(order[0], order[1], sizeof order[0]);
    crdi_chain_destroy(&chain);
    close(&f);
}

/* Over an epoch whose batches are all rows, gradients and log densities have the mean that all rows give, with control variates and
 * without; at the centre every batch gives it. */
static void gradients_of_an_epoch_have_the_mean_of_all_rows(void **state)
{
    (void)state;
    static const double there[2] = {1.5, -0.5};
    for (int control = 0; control < 2; control++) {
        struct fixture f;
        crdi_chain chain;
        double density, gradient[2], sum[3] = {0};
        open(&f, "sgld", 16);
        f.options.warmup = 0; /* then control variates are centred where the chain starts */
        f.options.control_variates = control;
        begin(&f, &chain);
        crdi_stochastic *s = chain.kernel_state; /* it stands first */
        assert_ok(f.ctx, crd_model_log_density(f.model, chain.h.q, &density, gradient));
        if (control) {
            assert_close(*chain.h.log_density, density, 1e-12, 0);
            assert_close(chain.h.grad[0], gradient[0], 1e-11, 1e-11);
        }
        assert_ok(f.ctx, crd_model_log_density(f.model, there, &density, gradient));
        for (int b = 0; b < 4; b++) {
            memcpy(chain.h.q, there, sizeof there);
            crdi_hamiltonian_evaluate(&chain.h);
            sum[0] += *chain.h.log_density / 4;
            sum[1] += chain.h.grad[0] / 4;
            sum[2] += chain.h.grad[1] / 4;
            crdi_stochastic_keep(s, &chain);
            assert_true(crdi_stochastic_follow(s, &chain));
        }
        assert_close(sum[0], density, 1e-12, 0);
        assert_close(sum[1], gradient[0], 1e-11, 1e-11);
        assert_close(sum[2], gradient[1], 1e-11, 1e-11);
        crdi_chain_destroy(&chain);
        close(&f);
    }
}

/* ---- the noise ---------------------------------------------------------------------------------------------- */

/* The mean of many probes at one point is the variance of batches without replacement: within 5 standard errors of the mean of
 * squares of normals, sqrt(2 / probes), as the noise nearly is. With control variates, centred elsewhere, it is that of the
 * change of the rows' gradients. */
static void probes_see_the_noise_of_batches(void **state)
{
    (void)state;
    enum { PROBES = 6000 };
    static const double there[2] = {1.5, -0.5};
    for (int control = 0; control < 2; control++) {
        struct fixture f;
        crdi_chain chain;
        double mean = 0, want;
        open(&f, "sgld", 8);
        f.options.metric = "unit";
        f.options.warmup = 0; /* then control variates are centred where the chain starts */
        f.options.control_variates = control;
        begin(&f, &chain);
        double from[2] = {chain.h.q[0], chain.h.q[1]};
        crdi_stochastic *s = chain.kernel_state; /* it stands first */
        for (int i = 0; i < PROBES; i++) {
            memcpy(chain.h.q, there, sizeof there);
            crdi_stochastic_keep(s, &chain);
            assert_true(crdi_stochastic_follow(s, &chain));
            mean += crdi_stochastic_probe(s, &chain) / PROBES;
        }
        if (control == 0) {
            want = 0.5 * (regression_noise(&f.r, there, 0, 8) + regression_noise(&f.r, there, 1, 8));
        } else { /* the gradient is linear in w: y plays no part in its change */
            struct regression r = f.r;
            double d[2] = {there[0] - from[0], there[1] - from[1]};
            memset(r.y, 0, sizeof r.y);
            want = 0.5 * (regression_noise(&r, d, 0, 8) + regression_noise(&r, d, 1, 8));
        }
        print_message("control variates %d: noise %.4f, by hand %.4f\n", control, mean, want);
        assert_close(mean, want, 5 * sqrt(2.0 / PROBES), 0);
        crdi_chain_destroy(&chain);
        close(&f);
    }
}

/* ---- draws -------------------------------------------------------------------------------------------------- */

/* What the draws of a run come to: mean and variance of w_k, and their errors. */
struct moments {
    double mean, mean_error, variance, variance_error;
};

static struct moments moments_of(crd_context *ctx, const struct regression *r, const crd_posterior *p, int k,
                                 int64_t skip)
{
    int64_t n = p->draws - skip;
    const double *w = crd_posterior_find(p, "w")->draws;
    struct moments m;
    double *series = crdi_alloc_array(ctx, p->chains * n, sizeof *series);
    for (int square = 0; square < 2; square++) {
        for (int c = 0; c < p->chains; c++)
            for (int64_t d = 0; d < n; d++) {
                double x = w[2 * (c * p->draws + skip + d) + k] - r->mean[k];
                series[c * n + d] = square ? x * x : x;
            }
        *(square ? &m.variance : &m.mean) = crd_diag_mean(series, p->chains * n);
        assert_ok(ctx, crd_diag_mcse_mean(ctx, series, p->chains, n, square ? &m.variance_error : &m.mean_error));
    }
    crdi_free(ctx, series);
    return m;
}

/* The mean of the noise where draws are: their spread adds that of gradients' changes, which are linear. */
static double spread_noise(const struct regression *r, int k, int64_t batch, double variance)
{
    struct regression change = *r;
    memset(change.y, 0, sizeof change.y);
    double there = regression_noise(r, r->mean, k, batch);
    for (int j = 0; j < 2; j++)
        there += variance * regression_noise(&change, (double[]){j == 0, j == 1}, k, batch);
    return there;
}

/* Given steps, unit metric: the variance is what noise.h says, within 5 standard errors; its distance from the truth goes with the
 * square of the step. Of 24 numbers beyond 5: 1e-5. */
static void sgld_has_the_variance_that_is_computed(void **state)
{
    (void)state;
    static const double steps[] = {0.8, 0.4, 0.2};
    static const int64_t batches[] = {8, 64}, apart[] = {5, 17, 67}; /* draws come from all places of an epoch */
    for (int b = 0; b < 2; b++) {
        double last = 0;
        for (int s = 0; s < 3; s++) {
            struct fixture f;
            crd_posterior *p;
            open(&f, "sgld", batches[b]);
            /* The curvature is 1.04: in units in which it is 1 the step is longer by its root. */
            double lambda = 1 / f.r.variance;
            crdi_linear_kernel kernel = crdi_linear_sgld(steps[s] * sqrt(lambda));
            crd_nuts_options options = {.kernel = "sgld",
                                        .warmup = -1,
                                        .draws = 20000,
                                        .batch = batches[b],
                                        .batch_steps = apart[s],
                                        .metric = "unit",
                                        .step_size = steps[s]};
            assert_ok(f.ctx, crd_nuts_run(f.model, &options, crd_key_make(3), &p));
            for (int k = 0; k < 2; k++) {
                struct moments m = moments_of(f.ctx, &f.r, p, k, 100);
                double v = spread_noise(&f.r, k, batches[b], m.variance);
                double want = crdi_linear_injected(&kernel) +
                              v / lambda * crdi_linear_noise(&kernel, REGRESSION_ROWS / batches[b]);
                want /= lambda;
                print_message("batch %lld, step %g, w_%d: mean %+.4f (%.4f), variance %.4f (%.4f), computed %.4f\n",
                              (long long)batches[b], steps[s], k, m.mean, m.mean_error, m.variance, m.variance_error,
                              want);
                assert_close(m.mean, 0, 0, 5 * m.mean_error);
                assert_close(m.variance, want, 0, 5 * m.variance_error);
                double off = want - f.r.variance;
                if (k == 0 && s > 0)
                    assert_true(off < 0.4 * last);
                last = k == 0 ? off : last;
            }
            crd_posterior_destroy(&p);
            close(&f);
        }
    }
}

/* All by itself: warm-up finds metric and step; the variance is between the truth and what was allowed. */
static void sgld_keeps_the_bias_that_was_asked_for(void **state)
{
    (void)state;
    for (int control = 0; control < 2; control++) {
        struct fixture f;
        crd_posterior *p;
        open(&f, "sgld", 8);
        crd_nuts_options options = {
            .kernel = "sgld", .warmup = 500, .draws = 10000, .batch = 8, .bias = 0.1, .control_variates = control};
        assert_ok(f.ctx, crd_nuts_run(f.model, &options, crd_key_make(4), &p));
        const double *ratio = crd_posterior_find(p, "energy")->draws, *step = crd_posterior_find(p, "step_size")->draws;
        for (int k = 0; k < 2; k++) {
            struct moments m = moments_of(f.ctx, &f.r, p, k, 0);
            print_message("control variates %d: step %.3f, ratio %.4f; mean %+.4f (%.4f), variance %.4f (%.4f)\n",
                          control, step[0], crd_diag_mean(ratio, p->chains * p->draws), m.mean, m.mean_error,
                          m.variance, m.variance_error);
            assert_close(m.mean, 0, 0, 5 * m.mean_error);
            assert_true(m.variance > f.r.variance - 5 * m.variance_error);
            assert_true(m.variance < 1.1 * f.r.variance + 5 * m.variance_error);
        }
        assert_close(crd_diag_mean(ratio, p->chains * p->draws), control ? 0.02 : 0.08, 0.9, 0);
        crd_posterior_destroy(&p);
        close(&f);
    }
}

static void threads_change_nothing(void **state)
{
    (void)state;
    for (int k = 0; k < CRDI_COUNT(kernels); k++) {
        struct fixture f;
        crd_posterior *p[2];
        open(&f, kernels[k], 8);
        for (int i = 0; i < 2; i++) {
            crd_nuts_options options = {
                .kernel = kernels[k], .chains = 3, .warmup = 30, .draws = 20, .batch = 8, .threads = 1 + i};
            assert_ok(f.ctx, crd_nuts_run(f.model, &options, crd_key_make(4), &p[i]));
        }
        assert_memory_equal(crd_posterior_find(p[0], "w")->draws, crd_posterior_find(p[1], "w")->draws,
                            sizeof(double) * 3 * 20 * 2);
        crd_posterior_destroy(&p[0]);
        crd_posterior_destroy(&p[1]);
        close(&f);
    }
}

static void what_does_not_go_with_batches_is_refused(void **state)
{
    (void)state;
    static const struct {
        crd_nuts_options options;
        crd_status status;
        const char *says;
    } cases[] = {
        {{.kernel = "nuts", .batch = 4}, CRD_EINVAL, "option batch goes with"},
        {{.kernel = "hmc", .plate = "data"}, CRD_EINVAL, "option plate goes with"},
        {{.kernel = "sgld", .batch = 65}, CRD_EINVAL, "batch: 65 rows, and plate data has 64"},
        {{.kernel = "sgld", .batch = -1}, CRD_EINVAL, "option batch: -1"},
        {{.kernel = "sgld", .batch = 4, .plate = "rows"}, CRD_ENAME, "unknown plate 'rows'"},
        {{.kernel = "sgld", .batch = 4, .metric = "dense"}, CRD_EUNSUPPORTED, "metric dense"},
        {{.kernel = "sgld", .batch = 4, .metric = "fisher"}, CRD_EUNSUPPORTED, "metric fisher"},
        {{.kernel = "sgld", .batch = 4, .start = "map"}, CRD_EINVAL, "option start: 'map'"},
    };
    for (int c = 0; c < CRDI_COUNT(cases); c++) {
        struct fixture f;
        crd_posterior *p;
        open(&f, "sgld", 8);
        assert_int_equal(crd_nuts_run(f.model, &cases[c].options, crd_key_make(1), &p), cases[c].status);
        assert_non_null(strstr(crd_error_message(f.ctx), cases[c].says));
        close(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(transitions_allocate_nothing_and_leave_a_whole_state),
        cmocka_unit_test(a_state_goes_on_bit_for_bit),
        cmocka_unit_test(a_state_of_other_batches_is_refused),
        cmocka_unit_test(an_epoch_takes_every_row_once),
        cmocka_unit_test(gradients_of_an_epoch_have_the_mean_of_all_rows),
        cmocka_unit_test(probes_see_the_noise_of_batches),
        cmocka_unit_test(sgld_has_the_variance_that_is_computed),
        cmocka_unit_test(sgld_keeps_the_bias_that_was_asked_for),
        cmocka_unit_test(threads_change_nothing),
        cmocka_unit_test(what_does_not_go_with_batches_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
