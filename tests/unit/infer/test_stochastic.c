/* test_stochastic.c - kernels of batches: the noise that they see, what their draws are of a normal posterior, states. */
#include "infer/mcmc/noise.h"
#include "infer/mcmc/stochastic.h"
#include "regression.h"

#include <string.h>

static const char *const kernels[] = {"sgld", "sghmc"};

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
        f.options.cyclical = k % 2 ? 7 : 0;
        begin(&f, &chain);
        int64_t before = testing_allocations();
        for (int i = 0; i < 120; i++) {
            crdi_chain_advance(&chain, &t);
            assert_true(t.n_steps >= 7 && !t.diverging && t.energy >= 0 && t.accept_prob == 1);
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
        f.options.cyclical = k % 4 == 3 ? 7 : 0;
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

/* The variance of a batch's gradient in w_k at a point, over batches of rows without replacement:
 * rows^2 / m (1 - m / rows) times the variance of the rows' own. */
static double regression_noise(const struct regression *r, const double *w, int k, int64_t m)
{
    double n = REGRESSION_ROWS, sum = 0, squares = 0;
    for (int i = 0; i < REGRESSION_ROWS; i++) {
        double g = (r->y[i] - (w[0] + w[1] * r->x[i]) / sqrt(n)) * (k ? r->x[i] : 1) / sqrt(n);
        sum += g;
        squares += g * g;
    }
    return n * n / (double)m * (1 - (double)m / n) * (squares - sum * sum / n) / (n - 1);
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
    static const int64_t batches[] = {8, 64}, apart[] = {3, 9, 33}; /* draws come from all places of an epoch */
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

/* Estimated noise and step of its own: the variance of the normal is right, for any friction, though the noise would add much: without the
 * estimate (its size is printed) the test fails. Draws are taken at all places of an epoch. */
static void sghmc_takes_the_noise_off(void **state)
{
    (void)state;
    static const double friction[] = {0.5, 2};
    for (int g = 0; g < 2; g++) {
        struct fixture f;
        crd_posterior *p;
        open(&f, "sghmc", 8);
        crd_nuts_options options = {.kernel = "sghmc",
                                    .warmup = 3000,
                                    .draws = 20000,
                                    .batch = 8,
                                    .batch_steps = 13,
                                    .friction = friction[g],
                                    .metric = "unit",
                                    .step_size = 0.2};
        assert_ok(f.ctx, crd_nuts_run(f.model, &options, crd_key_make(6), &p));
        crdi_mcmc_bias bias;
        double ratio = crd_diag_mean(crd_posterior_find(p, "energy")->draws, p->chains * p->draws);
        assert_true(crdi_mcmc_bias_of("sghmc", 0.2, ratio, friction[g], REGRESSION_ROWS / 8, &bias));
        for (int k = 0; k < 2; k++) {
            struct moments m = moments_of(f.ctx, &f.r, p, k, 0);
            print_message(
                "friction %g, w_%d: ratio %.3f, taken off %.4f; mean %+.4f (%.4f), variance %.4f (%.4f), right %.4f\n",
                friction[g], k, ratio, bias.noise, m.mean, m.mean_error, m.variance, m.variance_error, f.r.variance);
            assert_close(m.mean, 0, 0, 5 * m.mean_error);
            assert_close(m.variance, f.r.variance, 0, 5 * m.variance_error);
            assert_true(bias.noise > 6 * m.variance_error);
        }
        crd_posterior_destroy(&p);
        close(&f);
    }
}

/* ---- cycles ------------------------------------------------------------------------------------------------- */

/* y_i ~ Normal(w^2, 4): two modes, near -2 and 2, that are alike. */
static crd_node square_model(crd_trace *t, void *user)
{
    crd_array y = crd_array_borrow(user, crd_shape_1(32));
    crd_node w = crd_sample(t, "w", crd_normal(crd_num(0), crd_num(3)));
    crd_plate data = crd_plate_enter(t, "data", 32);
    crd_node ys = crd_subsample(data, crd_data(t, "y", &y), 0);
    crd_observe_value(t, "obs", crd_normal(crd_mul(w, w), crd_num(4)), ys);
    crd_plate_leave(data);
    return w;
}

/* One chain each. With cycles it is in either mode for a good part of them: of 60 that choose by coins, fewer than 15 would be in
 * one of them with probability 5e-5. Without, as many steps stay where they are. */
static void cycles_find_both_modes(void **state)
{
    (void)state;
    enum { CYCLES = 60, A_CYCLE = 10 };
    for (int k = 0; k < 2 * CRDI_COUNT(kernels); k++) {
        crd_context *ctx = testing_context();
        double y[32];
        crd_model *m;
        crd_posterior *p;
        int up = 0, cycles = k % 2 ? CYCLES : 0;
        for (int i = 0; i < 32; i++)
            y[i] = 4 + 4 * sin(7.3 * i * i);
        crd_nuts_options options = {.kernel = kernels[k / 2],
                                    .chains = 1,
                                    .warmup = 200,
                                    .draws = CYCLES * A_CYCLE,
                                    .batch = 16,
                                    .batch_steps = 10 * (cycles ? 1 : 5),
                                    .cyclical = cycles};
        assert_ok(ctx, crd_model_create(&m, ctx, square_model, y));
        assert_ok(ctx, crd_nuts_run(m, &options, crd_key_make(2), &p));
        const double *w = crd_posterior_find(p, "w")->draws, *steps = crd_posterior_find(p, "n_steps")->draws;
        double least = INFINITY;
        for (int c = 0; c < CYCLES; c++) {
            up += w[(c + 1) * A_CYCLE - 1] > 0;
            for (int d = 0; d < A_CYCLE && cycles; d++)
                assert_true(steps[c * A_CYCLE + d] == (d == 0 ? 10 * (1 + 4 * A_CYCLE) : 10));
        }
        for (int d = 0; d < CYCLES * A_CYCLE; d++)
            least = fmin(least, fabs(w[d]));
        print_message("%s, %d cycles: %d of %d in the upper mode, |w| from %.2f\n", kernels[k / 2], cycles, up, CYCLES,
                      least);
        assert_true(cycles ? up >= 15 && up <= CYCLES - 15 : up == 0 || up == CYCLES);
        assert_true(least > 0.5); /* no draw of the exploration */
        crd_posterior_destroy(&p);
        crd_model_destroy(&m);
        testing_context_destroy(&ctx);
    }
}

/* The squared step is 1 + cos(pi r) over a cycle, that which was tuned at r = 0.8; after warm-up only. */
static void steps_of_a_cycle_go_down_as_a_cosine(void **state)
{
    (void)state;
    struct fixture f;
    crdi_chain chain;
    crdi_transition t;
    open(&f, "sgld", 8);
    f.options.cyclical = 10; /* of 10 draws each */
    begin(&f, &chain);
    const crdi_stochastic *s = chain.kernel_state;
    for (int i = 0; i < 90; i++) {
        crdi_chain_advance(&chain, &t);
        int draw = i - 60;
        if (draw < 0) {
            assert_int_equal(t.n_steps, 7);
            assert_true(chain.h.step_size == s->base);
            continue;
        }
        double r = ((4 * 10 + draw % 10) * 7.0 + 6) / (5 * 10 * 7.0); /* of the last step before the draw */
        assert_int_equal(t.n_steps, draw % 10 ? 7 : 7 * 41);
        assert_close(chain.h.step_size,
                     s->base * sqrt((1 + cos(3.14159265358979323846 * r)) / (1 - 0.80901699437494745)), 1e-10, 0);
    }
    crdi_chain_destroy(&chain);
    close(&f);
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
        {{.kernel = "sghmc", .batch = 4, .draws = 10, .cyclical = 11}, CRD_EINVAL, "option cyclical: 11 cycles"},
        {{.kernel = "split_hmc", .batch = 4}, CRD_EINVAL, "option batch goes with"},
        {{.kernel = "split_hmc", .batches = 65}, CRD_EINVAL, "batches: 65 are asked for"},
        {{.kernel = "split_hmc", .start = "pathfinder"}, CRD_EINVAL, "option start: 'pathfinder'"},
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
        cmocka_unit_test(sghmc_takes_the_noise_off),
        cmocka_unit_test(cycles_find_both_modes),
        cmocka_unit_test(steps_of_a_cycle_go_down_as_a_cosine),
        cmocka_unit_test(sgld_keeps_the_bias_that_was_asked_for),
        cmocka_unit_test(threads_change_nothing),
        cmocka_unit_test(what_does_not_go_with_batches_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
