/* test_sbc.c - simulation-based calibration of a network of one tanh unit (Talts et al. 2018, arXiv:1804.06788).
 *
 * Parameters are drawn from the prior, data from the model, draws from the posterior: then the rank of the true value
 * among thinned draws is uniform. Signs of the unit's weights can be exchanged (w1, b1, w2 with -w1, -b1, -w2), and a
 * chain need not visit both: the quantities whose ranks are taken do not change with it. The log likelihood is one of
 * them: a quantity that sees the data finds errors that parameters alone hide (Modrak et al. 2023, arXiv:2211.02383).
 *
 * Ranks are put into BINS bins and tested by chi-square, each quantity at 1e-3 / QUANTITIES: together a correct sampler
 * is rejected with probability 1e-3 at most, each kernel. The same check must reject two wrong posteriors. Keys are fixed. */
#include <credence/evidence.h>

#include "infer/mcmc/chain.h"
#include "testing.h"

#include <math.h>
#include <string.h>

enum { ROWS = 8, REPLICATES = 1200, RANKS = 99, THIN = 10, BINS = 20, QUANTITIES = 6 };

/* The upper 1e-3 / 6 quantile of chi-square with 19 degrees of freedom. */
static const double CRITICAL = 49.29;

static const char *const quantities[QUANTITIES] = {"w1 w2", "b2", "s", "f(-1)", "f(0.7)", "log likelihood"};

struct problem {
    double scale; /* of the prior of the weights */
    bool drop_jacobian; /* the wrong density that forgets |ds/du| of s = exp(u) */
    double x_data[ROWS], y_data[ROWS];
    crd_array x, y;
};

/* Latent, in alphabetical order: b1, b2, s, w1, w2. */
enum { B1, B2, S, W1, W2, PARAMETERS };

static crd_node model(crd_trace *t, void *user)
{
    const struct problem *p = user;
    crd_node x = crd_data(t, "x", &p->x);
    crd_dist weight = crd_normal(crd_num(0), crd_num(p->scale));
    crd_node w1 = crd_sample(t, "w1", weight), b1 = crd_sample(t, "b1", weight);
    crd_node w2 = crd_sample(t, "w2", weight), b2 = crd_sample(t, "b2", weight);
    crd_node s = crd_sample(t, "s", crd_half_cauchy(crd_num(0.5)));
    if (p->drop_jacobian)
        crd_factor(t, "wrong", crd_neg(crd_log(s)));
    crd_plate data = crd_plate_enter(t, "data", ROWS);
    crd_node rows = crd_subsample(data, x, 0);
    crd_node f = crd_add(crd_mul(w2, crd_tanh(crd_add(crd_mul(w1, rows), b1))), b2);
    crd_observe_value(t, "y", crd_normal(f, s), crd_subsample(data, crd_data(t, "y_data", &p->y), 0));
    crd_plate_leave(data);
    return f;
}

static double predict(const double *v, double x)
{
    return v[W2] * tanh(v[W1] * x + v[B1]) + v[B2];
}

static double log_likelihood(const struct problem *p, const double *v)
{
    double sum = 0;
    for (int i = 0; i < ROWS; i++) {
        double r = (p->y_data[i] - predict(v, p->x_data[i])) / v[S];
        sum -= 0.5 * r * r + log(v[S]);
    }
    return sum;
}

static void quantities_of(const struct problem *p, const double *v, double *out)
{
    out[0] = v[W1] * v[W2];
    out[1] = v[B2];
    out[2] = v[S];
    out[3] = predict(v, -1);
    out[4] = predict(v, 0.7);
    out[5] = log_likelihood(p, v);
}

static void problem_init(struct problem *p, double scale, bool drop_jacobian)
{
    *p = (struct problem){.scale = scale, .drop_jacobian = drop_jacobian};
    for (int i = 0; i < ROWS; i++)
        p->x_data[i] = -1 + 2.0 * i / (ROWS - 1);
    p->x = crd_array_borrow(p->x_data, crd_shape_1(ROWS));
    p->y = crd_array_borrow(p->y_data, crd_shape_1(ROWS));
}

/* ---- replicates --------------------------------------------------------------------------------------------- */

struct calibration {
    crd_context *ctx;
    crd_program *prior; /* (key) -> parameters, y */
    double scale; /* what the fit believes */
    bool drop_jacobian;
    const char *kernel;
    int rank[REPLICATES][QUANTITIES];
    int64_t divergences[REPLICATES];
};

static crd_status draw_truth(const struct calibration *c, crd_key key, double *truth, double *y)
{
    crd_exec *exec;
    CRD_TRY(crd_exec_create(&exec, c->prior));
    crd_exec_input(exec)[0] = key.word[0];
    crd_exec_input(exec)[1] = key.word[1];
    crd_exec_run(exec);
    memcpy(truth, crd_exec_output(exec), sizeof(double) * PARAMETERS);
    memcpy(y, crd_exec_output(exec) + PARAMETERS, sizeof(double) * ROWS);
    crd_exec_destroy(&exec);
    return CRD_OK;
}

static void take_ranks(const struct problem *p, const crd_posterior *posterior, const double *truth, int *rank)
{
    static const char *const names[PARAMETERS] = {"b1", "b2", "s", "w1", "w2"};
    const double *draws[PARAMETERS];
    double wanted[QUANTITIES], drawn[QUANTITIES], v[PARAMETERS];
    for (int k = 0; k < PARAMETERS; k++)
        draws[k] = crd_posterior_find(posterior, names[k])->draws;
    quantities_of(p, truth, wanted);
    for (int d = THIN - 1; d < RANKS * THIN; d += THIN) {
        for (int k = 0; k < PARAMETERS; k++)
            v[k] = draws[k][d];
        quantities_of(p, v, drawn);
        for (int q = 0; q < QUANTITIES; q++)
            rank[q] += drawn[q] < wanted[q];
    }
}

static crd_status replicate(void *user, int64_t i)
{
    struct calibration *c = user;
    struct problem p;
    crd_model *m;
    crd_posterior *posterior;
    double truth[PARAMETERS];
    crd_key keys[2];
    crd_nuts_options options = {.chains = 1,
                                .warmup = 500,
                                .draws = RANKS * THIN,
                                .threads = 1,
                                .kernel = c->kernel,
                                .path_length = 1.6,
                                .target_accept = 0.9};
    crd_tempered_options tempered = {.temperatures = 4, .pilot = 100};
    crd_key_split(crd_key_fold_in(crd_key_make(77), (uint32_t)i), 2, keys);
    problem_init(&p, c->scale, c->drop_jacobian);
    CRD_TRY(draw_truth(c, keys[0], truth, p.y_data));
    CRD_TRY(crd_model_create(&m, c->ctx, model, &p));
    crd_status status = strcmp(c->kernel, "tempering") == 0
                            ? crd_tempering_run(m, &options, &tempered, keys[1], &posterior, NULL)
                            : crd_nuts_run(m, &options, keys[1], &posterior);
    if (status == CRD_OK) {
        take_ranks(&p, posterior, truth, c->rank[i]);
        c->divergences[i] = crd_posterior_divergences(posterior);
        crd_posterior_destroy(&posterior);
    }
    crd_model_destroy(&m);
    return status;
}

/* Chi-square of each quantity's ranks against uniform bins. */
static void calibrate(const char *kernel, double scale, bool drop_jacobian, double chi_square[QUANTITIES])
{
    static struct calibration c;
    static const char *const names[] = {"y"};
    struct problem p;
    crd_model *m;
    crd_context *ctx = testing_context();
    c = (struct calibration){.ctx = ctx, .kernel = kernel, .scale = scale, .drop_jacobian = drop_jacobian};
    problem_init(&p, 1, false);
    assert_ok(ctx, crd_model_create(&m, ctx, model, &p));
    assert_ok(ctx, crd_model_compile_prior(m, names, 1, &c.prior));
    assert_ok(ctx, crdi_parallel(ctx, 0, REPLICATES, replicate, &c));
    int64_t divergences = 0;
    for (int i = 0; i < REPLICATES; i++)
        divergences += c.divergences[i];
    print_message("%s: %d fits, %lld divergences; chi-square", kernel, REPLICATES, (long long)divergences);
    for (int q = 0; q < QUANTITIES; q++) {
        int count[BINS] = {0};
        for (int i = 0; i < REPLICATES; i++)
            count[c.rank[i][q] * BINS / (RANKS + 1)]++;
        chi_square[q] = 0;
        for (int b = 0; b < BINS; b++)
            chi_square[q] += pow(count[b] - (double)REPLICATES / BINS, 2) / ((double)REPLICATES / BINS);
        print_message("  %s %.1f", quantities[q], chi_square[q]);
    }
    print_message("  (rejected above %.1f)\n", CRITICAL);
    crd_program_destroy(&c.prior);
    crd_model_destroy(&m);
    testing_context_destroy(&ctx);
}

/* By every kernel that says of itself that it is exact. */
static void the_posterior_is_calibrated(void **state)
{
    (void)state;
    double chi_square[QUANTITIES];
    for (int k = 0; crdi_mcmc_kernel_get(k); k++) {
        if (crdi_mcmc_kernel_get(k)->biased)
            continue;
        calibrate(crdi_mcmc_kernel_get(k)->name, 1, false, chi_square);
        for (int q = 0; q < QUANTITIES; q++)
            assert_true(chi_square[q] < CRITICAL);
    }
}

/* The check sees that s = exp(u) without its Jacobian is another density, in the ranks of s. */
static void a_dropped_jacobian_is_seen(void **state)
{
    (void)state;
    double chi_square[QUANTITIES];
    calibrate("nuts", 1, true, chi_square);
    assert_true(chi_square[2] > CRITICAL);
}

/* And that a prior 1.4 times too wide is another prior, in the ranks of weights or predictions. */
static void a_wrong_prior_scale_is_seen(void **state)
{
    (void)state;
    double chi_square[QUANTITIES], worst = 0;
    calibrate("nuts", 1.4, false, chi_square);
    for (int q = 0; q < QUANTITIES; q++)
        worst = fmax(worst, chi_square[q]);
    assert_true(worst > CRITICAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_posterior_is_calibrated),
        cmocka_unit_test(a_dropped_jacobian_is_seen),
        cmocka_unit_test(a_wrong_prior_scale_is_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
