/* test_evidence.c - runs over temperatures: the tempered log density against loops, evidences that are known, threads, what is
 * refused. */
#include "infer/tempered/tempering.h"
#include "model/model.h"
#include "svi_models.h"

#include <math.h>
#include <string.h>

static crd_model *model_of(crd_context *ctx, crd_model_fn fn, void *user)
{
    crd_model *model;
    assert_ok(ctx, crd_model_create(&model, ctx, fn, user));
    return model;
}

/* ---- the density ------------------------------------------------------------------------------------------------ */

static void parts_are_those_of_the_model(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    struct linear l;
    double u[LINEAR_MOST];
    crd_program *program;
    crd_exec *exec;
    linear_init(&l, LINEAR_MOST);
    crd_model *model = model_of(ctx, linear_model, &l);
    assert_ok(ctx, crdi_model_compile_tempered(model, &program));
    assert_int_equal(crdi_program_coordinates(program), LINEAR_MOST);
    assert_int_equal(crd_program_input_size(program), LINEAR_MOST + 1);
    assert_ok(ctx, crd_exec_create(&exec, program));
    crd_random_normal(crd_key_make(5), LINEAR_MOST, u);
    for (int b = 0; b <= 4; b++) {
        double beta = 0.25 * b, of_prior[LINEAR_MOST] = {0}, of_likelihood[LINEAR_MOST] = {0};
        double prior = linear_log_prior(&l, u, of_prior), likelihood = linear_log_likelihood(&l, u, of_likelihood);
        memcpy(crd_exec_input(exec), u, sizeof u);
        crd_exec_input(exec)[LINEAR_MOST] = beta;
        crd_exec_run(exec);
        const double *out = crd_exec_output(exec);
        assert_close(out[0], prior + beta * likelihood, 1e-12, 0);
        for (int k = 0; k < LINEAR_MOST; k++)
            assert_close(out[1 + k], of_prior[k] + beta * of_likelihood[k], 1e-12, 1e-12);
        assert_close(out[1 + LINEAR_MOST], prior, 1e-12, 0);
        assert_close(out[2 + LINEAR_MOST], likelihood, 1e-12, 0);
    }
    crd_exec_destroy(&exec);
    crd_program_destroy(&program);
    crd_model_destroy(&model);
    testing_context_destroy(&ctx);
}

/* With scales and a network: at beta 1 it is the model's density, to a rounding. */
static void at_one_it_is_the_posterior(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_model_fn fns[] = {schools_model, network_model};
    for (int i = 0; i < CRDI_COUNT(fns); i++) {
        crd_model *model = model_of(ctx, fns[i], NULL);
        int64_t dim = crd_model_dim(model);
        double u[64], gradient[64], value;
        crd_program *program;
        crd_exec *exec;
        assert_true(dim < 64);
        assert_ok(ctx, crdi_model_compile_tempered(model, &program));
        assert_ok(ctx, crd_exec_create(&exec, program));
        crd_random_normal(crd_key_make(6), dim, u);
        assert_ok(ctx, crd_model_log_density(model, u, &value, gradient));
        memcpy(crd_exec_input(exec), u, sizeof(double) * (size_t)dim);
        crd_exec_input(exec)[dim] = 1;
        crd_exec_run(exec);
        const double *out = crd_exec_output(exec);
        assert_close(out[0], value, 1e-12, 0);
        assert_close(out[1 + dim] + out[2 + dim], value, 1e-12, 0);
        for (int64_t k = 0; k < dim; k++)
            assert_close(out[1 + k], gradient[k], 1e-10, 1e-10);
        crd_exec_destroy(&exec);
        crd_program_destroy(&program);
        crd_model_destroy(&model);
    }
    testing_context_destroy(&ctx);
}

/* ---- Student's t ------------------------------------------------------------------------------------------------ */

static void intervals_are_students(void **state)
{
    (void)state;
    static const struct {
        int64_t freedom;
        double t;
    } table[] = {{1, 12.7062047362}, {2, 4.30265272975},  {3, 3.18244630528},  {4, 2.7764451052},
                 {9, 2.26215716280}, {30, 2.04227245630}, {999, 1.96234146113}};
    for (int i = 0; i < CRDI_COUNT(table); i++)
        assert_close(crdi_student_95(table[i].freedom), table[i].t, 1e-9, 0);
    double value, error, estimates[] = {0, log(3)};
    crdi_evidence_combine(estimates, 2, &value, &error); /* 1 and 3: 2 +- 1 */
    assert_close(value, log(2), 1e-14, 0);
    assert_close(error, 0.5, 1e-14, 0);
    crdi_evidence_combine(estimates, 1, &value, &error);
    assert_true(value == 0 && isnan(error));
}

/* ---- evidences that are known ----------------------------------------------------------------------------------- */

/* Means of w within five standard errors, by runs. */
static void check_means(const crd_posterior *p, const struct linear_exact *exact)
{
    const crd_column *w = crd_posterior_find(p, "w");
    for (int k = 0; k < LINEAR_MOST; k++) {
        double mean[64], all = 0, squares = 0;
        assert_true(p->chains <= 64);
        for (int c = 0; c < p->chains; c++) {
            mean[c] = 0;
            for (int64_t d = 0; d < p->draws; d++)
                mean[c] += w->draws[(c * p->draws + d) * w->size + k] / (double)p->draws;
            all += mean[c] / p->chains;
        }
        for (int c = 0; c < p->chains; c++)
            squares += (mean[c] - all) * (mean[c] - all);
        assert_close(all, exact->mean[k], 0, 5 * sqrt(squares / (p->chains * (p->chains - 1))));
    }
}

typedef crd_status (*run_fn)(const crd_model *model, const crd_tempered_options *options, crd_key key,
                             crd_posterior **out, crd_evidence *evidence);

/* Eight keys: every deviation is t of `estimates` - 1 degrees of freedom, so that of 24 their mean square is 23 / 21 with a standard
 * deviation of 0.6. False alarms: 8 x 2e-4 beyond 4.4 (and of a mean square above 4.5 or below 0.1 less). `check`: what else holds of
 * each. */
static void check_linear(run_fn run, const crd_tempered_options *o, int64_t estimates,
                         void (*check)(const crd_evidence *e))
{
    enum { KEYS = 8 };
    crd_context *ctx = testing_context();
    struct linear l;
    struct linear_exact exact;
    double squares = 0;
    linear_init(&l, LINEAR_MOST);
    linear_solve(&l, &exact);
    crd_model *model = model_of(ctx, linear_model, &l);
    for (int k = 0; k < KEYS; k++) {
        crd_posterior *posterior;
        crd_evidence e;
        assert_ok(ctx, run(model, o, crd_key_make((uint64_t)k), &posterior, &e));
        double z = (e.log_evidence - exact.log_evidence) / e.error, mean = 0;
        assert_true(fabs(z) < 4.4);
        squares += z * z / KEYS;
        assert_true(e.error < 0.1 && e.runs == o->chains && e.beta[e.temperatures - 1] == 1);
        assert_close(e.high - e.low, 2 * crdi_student_95(estimates - 1) * e.error, 1e-8, 0);
        assert_close(e.high + e.low, 2 * e.log_evidence, 1e-12, 0);
        for (int64_t r = 0; r < e.runs; r++)
            mean += exp(e.run[r]) / (double)e.runs;
        assert_close(log(mean), e.log_evidence, 1e-12, 0);
        assert_true(e.lag_error > 0 && fabs(e.lag) < 6 * e.lag_error); /* t of 7 degrees or more: 16 x 5e-4 */
        check(&e);
        check_means(posterior, &exact);
        crd_posterior_destroy(&posterior);
        crd_evidence_clear(&e);
    }
    assert_true(squares > 0.1 && squares < 4.5);
    crd_model_destroy(&model);
    testing_context_destroy(&ctx);
}

/* The error is that of the runs' spread. */
static void check_of_runs(const crd_evidence *e)
{
    double squares = 0, runs = (double)e->runs;
    for (int64_t r = 0; r < e->runs; r++)
        squares += pow(exp(e->run[r] - e->log_evidence) - 1, 2);
    assert_close(e->error, sqrt(squares / (runs * (runs - 1))), 1e-10, 0);
    assert_true(e->effective > 0.4 && e->effective < 1); /* resampled below a half */
}

static void the_evidence_of_a_linear_model_is_known(void **state)
{
    (void)state;
    check_linear(crd_smc_run, &(crd_tempered_options){.chains = 24, .particles = 40, .pilot = 100, .anneal = 1}, 24,
                 check_of_runs);
}

/* The error is one of 480 particles: (sum w)^2 / sum w^2 = n / (1 + variance of w / mean^2). */
static void check_of_particles(const crd_evidence *e)
{
    assert_close(e->effective, 1 / (1 + 479 * e->error * e->error), 1e-9, 0);
    assert_true(e->effective > 0.2 && e->effective < 0.5); /* nothing is resampled on the way */
}

static void annealing_knows_it_too(void **state)
{
    (void)state;
    check_linear(crd_ais_run, &(crd_tempered_options){.chains = 8, .particles = 60, .pilot = 100, .anneal = 2}, 480,
                 check_of_particles);
}

/* x ~ N(0, 1) with the factor exp(-a x^2 / 2): the evidence is (1 + a)^-1/2. */
static crd_node factor_model(crd_trace *t, void *user)
{
    const double *a = user;
    crd_node x = crd_sample(t, "x", crd_normal(crd_num(0), crd_num(1)));
    crd_factor(t, "pull", crd_mul(crd_num(-0.5 * *a), crd_square(x)));
    crd_deterministic(t, "twice", crd_mul(crd_num(2), x));
    return x;
}

static void factors_are_likelihood(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    double a = 99;
    crd_evidence e;
    crd_posterior *posterior;
    crd_model *model = model_of(ctx, factor_model, &a);
    crd_tempered_options o = {.chains = 16, .particles = 100, .keep = (const char *const[]){"twice"}, .keep_count = 1};
    assert_ok(ctx, crd_smc_run(model, &o, crd_key_make(3), &posterior, &e));
    assert_close(e.log_evidence, -0.5 * log(100), 0, 5 * e.error);
    const crd_column *x = crd_posterior_find(posterior, "x"), *twice = crd_posterior_find(posterior, "twice"),
                     *density = crd_posterior_find(posterior, "log_density"),
                     *likelihood = crd_posterior_find(posterior, "log_likelihood");
    for (int64_t i = 0; i < 1600; i++) {
        double q = x->draws[i];
        assert_true(twice->draws[i] == 2 * q);
        assert_close(likelihood->draws[i], -0.5 * a * q * q, 1e-12, 1e-12);
        assert_close(density->draws[i], -0.5 * (1 + a) * q * q - 0.91893853320467274, 1e-12, 1e-12);
    }
    crd_posterior_destroy(&posterior);
    crd_evidence_clear(&e);
    crd_model_destroy(&model);
    testing_context_destroy(&ctx);
}

/* Without data the evidence is 1, and all is one step. */
static crd_node prior_only(crd_trace *t, void *none)
{
    (void)none;
    return crd_sample(t, "x", crd_half_cauchy(crd_num(2)));
}

static void a_prior_alone_has_evidence_one(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_evidence e;
    crd_model *model = model_of(ctx, prior_only, NULL);
    assert_ok(ctx, crd_smc_run(model, NULL, crd_key_make(3), NULL, &e));
    assert_close(e.log_evidence, 0, 0, 1e-12);
    assert_true(e.error < 1e-12 && e.beta[e.temperatures - 1] == 1);
    crd_evidence_clear(&e);
    crd_model_destroy(&model);
    testing_context_destroy(&ctx);
}

/* ---- parallel tempering ----------------------------------------------------------------------------------------- */

/* Four chains of 400 draws: five errors of the evidence, and of the means by chains (which are but four: nine of theirs). */
static void tempering_knows_the_linear_model(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    struct linear l;
    struct linear_exact exact;
    linear_init(&l, LINEAR_MOST);
    linear_solve(&l, &exact);
    crd_model *model = model_of(ctx, linear_model, &l);
    crd_nuts_options o = {.chains = 4, .warmup = 200, .draws = 400};
    crd_tempered_options tempered = {.pilot = 60, .temperatures = 6};
    crd_posterior *posterior;
    crd_evidence e;
    assert_ok(ctx, crd_tempering_run(model, &o, &tempered, crd_key_make(2), &posterior, &e));
    assert_int_equal(e.temperatures, 6);
    assert_int_equal(e.runs, 4);
    assert_true(e.beta[0] == 0 && e.beta[5] == 1 && e.error > 0.01 && e.error < 0.2);
    assert_true(isnan(e.effective) && isnan(e.lag) && isnan(e.lag_error));
    assert_close(e.log_evidence, exact.log_evidence, 0, 5 * e.error);
    double least = 1, most = 0;
    for (int k = 0; k < 5; k++) {
        assert_true(e.beta[k] < e.beta[k + 1]);
        least = fmin(least, e.accept[k]);
        most = fmax(most, e.accept[k]);
    }
    assert_true(least > 0.2 && most - least < 0.35); /* rejections are spread evenly */
    const crd_column *w = crd_posterior_find(posterior, "w");
    for (int k = 0; k < LINEAR_MOST; k++) {
        double sum = 0;
        for (int64_t i = 0; i < 1600; i++)
            sum += w->draws[i * LINEAR_MOST + k] / 1600;
        /* 5 standard errors of 400 effective draws; NUTS has more here */
        assert_close(sum, exact.mean[k], 0, 5 * sqrt(exact.covariance[k * (LINEAR_MOST + 1)] / 400));
    }
    crd_posterior_destroy(&posterior);
    crd_evidence_clear(&e);
    crd_model_destroy(&model);
    testing_context_destroy(&ctx);
}

/* A sink that keeps the state of every chain behind `held` draws. */
struct held {
    int64_t draws;
    bool wanted[2];
    double bytes[2][4096];
    crdi_mcmc_saved state[2];
};

static crd_status no_draws(void *user, int chain, int64_t first, int64_t count, const double *const *values)
{
    (void)user, (void)chain, (void)first, (void)count, (void)values;
    return CRD_OK;
}

static bool wants_held(void *user, int chain, int64_t draws)
{
    struct held *h = user;
    return h->wanted[chain] = draws == h->draws;
}

static crd_status keep_held(void *user, int chain, const crdi_sampler_state *state)
{
    struct held *h = user;
    if (!h->wanted[chain])
        return CRD_OK;
    assert_true(state->size <= sizeof h->bytes[chain]);
    memcpy(h->bytes[chain], state->bytes, state->size);
    h->state[chain] = (crdi_mcmc_saved){h->bytes[chain], state->size};
    h->wanted[chain] = false;
    return CRD_OK;
}

/* What was seen behind the first draws of a long run is what a run of so many has seen, bit for bit: from states, and from none. The
 * numbers of draws are about those where batches are made longer. */
static void a_run_goes_back_to_what_it_had_seen(void **state)
{
    (void)state;
    static const int64_t lengths[] = {2, 39, 40, 41, 79, 80, 81, 150};
    crd_context *ctx = testing_context();
    struct linear l;
    linear_init(&l, LINEAR_MOST);
    crd_model *model = model_of(ctx, linear_model, &l);
    crd_tempered_options tempered = {.pilot = 20, .temperatures = 3};
    crdi_mcmc_report report;
    for (int i = 0; i < CRDI_COUNT(lengths); i++) {
        struct held held = {.draws = lengths[i]};
        crd_nuts_options o = {.chains = 2, .warmup = 30, .draws = 200}, few = o;
        crdi_sink sink = {.user = &held, .draws = no_draws, .state = keep_held, .wants_state = wants_held};
        crdi_tempering t = {0};
        crd_evidence long_one, short_one;
        few.draws = lengths[i];
        assert_ok(ctx, crdi_tempering_draw(&t, model, &o, &tempered, crd_key_make(5), NULL, &sink, &report));
        assert_true(held.state[0].bytes && held.state[1].bytes);
        if (i % 2)
            held.state[1] = (crdi_mcmc_saved){0};
        if (i % 4 == 2) { /* as where it was stopped before there was anything */
            crdi_tempering_destroy(&t);
            t = (crdi_tempering){0};
        }
        assert_ok(ctx, crdi_tempering_go_back(&t, model, &o, &tempered, lengths[i], crd_key_make(5), held.state));
        assert_ok(ctx, crdi_tempering_conclude(&t, &long_one));
        crdi_tempering_destroy(&t);
        sink = (crdi_sink){.draws = no_draws};
        assert_ok(ctx, crdi_tempering_run(model, &few, &tempered, crd_key_make(5), NULL, &sink, &report, &short_one));
        assert_true(isfinite(short_one.log_evidence) && short_one.error > 0);
        assert_memory_equal(&long_one.log_evidence, &short_one.log_evidence, sizeof(double));
        assert_memory_equal(&long_one.error, &short_one.error, sizeof(double));
        assert_memory_equal(long_one.accept, short_one.accept, 3 * sizeof(double));
        crd_evidence_clear(&long_one);
        crd_evidence_clear(&short_one);
    }
    crd_model_destroy(&model);
    testing_context_destroy(&ctx);
}

/* x ~ N(0, 10), likelihood 0.3 N(x; -8, 0.5) + 0.7 N(x; 9, 0.5): two modes that no trajectory leads between. */
static const double far_at[] = {-8, 9}, far_weight[] = {0.3, 0.7};

static crd_node far_model(crd_trace *t, void *none)
{
    (void)none;
    crd_node x = crd_sample(t, "x", crd_normal(crd_num(0), crd_num(10))), part[2];
    for (int i = 0; i < 2; i++) {
        crd_node z = crd_div(crd_sub(x, crd_num(far_at[i])), crd_num(0.5));
        part[i] =
            crd_sub(crd_num(log(far_weight[i] / 0.5) - 0.91893853320467274), crd_mul(crd_num(0.5), crd_square(z)));
    }
    crd_factor(t, "data", crd_add(part[0], crd_softplus(crd_sub(part[1], part[0]))));
    return x;
}

/* Draws at the second mode, by chain; how often a chain goes from one to the other. */
static int64_t count_crossings(const crd_posterior *p, double *share)
{
    const crd_column *x = crd_posterior_find(p, "x");
    int64_t crossings = 0;
    *share = 0;
    for (int64_t i = 0; i < p->chains * p->draws; i++) {
        *share += (x->draws[i] > 0) / (double)(p->chains * p->draws);
        crossings += i % p->draws > 0 && (x->draws[i] > 0) != (x->draws[i - 1] > 0);
    }
    return crossings;
}

static void tempering_comes_to_both_modes(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    double joint[2], share;
    for (int i = 0; i < 2; i++) /* the evidence of a part: N(its place; 0, 10^2 + 0.5^2) */
        joint[i] = far_weight[i] * exp(-0.5 * far_at[i] * far_at[i] / 100.25) / sqrt(2 * 3.141592653589793 * 100.25);
    crd_model *model = model_of(ctx, far_model, NULL);
    crd_nuts_options o = {.chains = 4, .warmup = 200, .draws = 1000};
    crd_tempered_options tempered = {.pilot = 100};
    crd_posterior *plain, *posterior;
    crd_evidence e;
    assert_ok(ctx, crd_nuts_run(model, &o, crd_key_make(4), &plain));
    assert_int_equal(count_crossings(plain, &share), 0); /* it needs something */
    assert_ok(ctx, crd_tempering_run(model, &o, &tempered, crd_key_make(4), &posterior, &e));
    assert_true(count_crossings(posterior, &share) > 100);
    /* 0.67; of 400 effective draws it is known to 0.023 */
    assert_close(share, joint[1] / (joint[0] + joint[1]), 0, 5 * 0.023);
    assert_close(e.log_evidence, log(joint[0] + joint[1]), 0, 5 * e.error);
    assert_true(e.error < 0.2);
    crd_posterior_destroy(&plain);
    crd_posterior_destroy(&posterior);
    crd_evidence_clear(&e);
    crd_model_destroy(&model);
    testing_context_destroy(&ctx);
}

/* ---- threads, and stopping -------------------------------------------------------------------------------------- */

static void threads_change_nothing(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_posterior *first = NULL;
    crd_evidence one = {0};
    crd_model *model = model_of(ctx, network_model, NULL);
    for (int threads = 1; threads <= 5; threads += 2) {
        crd_posterior *posterior;
        crd_evidence e;
        crd_tempered_options o = {.chains = 2, .particles = 23, .pilot = 20, .threads = threads, .anneal = 0.5};
        assert_ok(ctx, crd_smc_run(model, &o, crd_key_make(8), &posterior, &e));
        if (!first) {
            first = posterior;
            one = e;
            continue;
        }
        assert_true(e.log_evidence == one.log_evidence && e.error == one.error && e.lag == one.lag);
        assert_int_equal(e.gradient_evaluations, one.gradient_evaluations);
        for (int c = 0; c < first->column_count; c++)
            assert_memory_equal(first->column[c].draws, posterior->column[c].draws,
                                sizeof(double) * (size_t)(2 * 23 * first->column[c].size));
        crd_posterior_destroy(&posterior);
        crd_evidence_clear(&e);
    }
    crd_posterior_destroy(&first);
    crd_evidence_clear(&one);
    crd_model_destroy(&model);
    testing_context_destroy(&ctx);
}

static int after_some(void *user)
{
    int *left = user;
    return (*left)-- <= 0;
}

static void a_run_can_be_stopped(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    struct linear l;
    linear_init(&l, 2);
    crd_model *model = model_of(ctx, linear_model, &l);
    for (int after = 10; after < 5000; after *= 7) { /* in the pilot run, and behind it */
        int left = after;
        crd_posterior *posterior = NULL;
        crd_evidence e = {0};
        crd_tempered_options o = {
            .chains = 2, .particles = 200, .pilot = 20, .threads = 1, .stop = after_some, .stop_user = &left};
        assert_int_equal(crd_smc_run(model, &o, crd_key_make(1), &posterior, &e), CRD_INTERRUPTED);
        assert_null(posterior);
        assert_null(e.ctx);
    }
    crd_model_destroy(&model);
    testing_context_destroy(&ctx);
}

/* ---- states ------------------------------------------------------------------------------------------------------ */

enum { RUNS = 2, PARTICLES = 23 };

/* What a run has left: the last state of every lane, and draws. */
struct left {
    crd_context *ctx;
    crdi_sink draws;
    crdi_mcmc_saved lane[RUNS + 1];
    int kept[RUNS + 1];
};

static crd_status leave_draws(void *user, int chain, int64_t first, int64_t count, const double *const *values)
{
    const struct left *l = user;
    return l->draws.draws(l->draws.user, chain, first, count, values);
}

static crd_status leave_state(void *user, int lane, const crdi_sampler_state *state)
{
    struct left *l = user;
    assert_in_range(lane, 0, RUNS);
    free(l->lane[lane].bytes);
    l->lane[lane] = (crdi_mcmc_saved){malloc(state->size), state->size};
    memcpy(l->lane[lane].bytes, state->bytes, state->size);
    l->kept[lane]++;
    return CRD_OK;
}

static int after_so_many(void *user)
{
    atomic_int *left = user;
    return atomic_fetch_sub(left, 1) <= 0;
}

/* A run that is stopped after `polls` looks at whether it must, as often as it takes; and how often that was. */
static int run_in_parts(crdi_tempered_fn run, const crd_model *model, crd_posterior *out, crd_evidence *e, int polls)
{
    int parts = 0;
    crd_context *ctx = crd_model_context(model);
    struct left left = {.ctx = ctx, .draws = crdi_sink_to_posterior(out)};
    crdi_sink sink = {.user = &left, .draws = leave_draws, .state = leave_state, .pause = 1e-9};
    crd_status status = CRD_INTERRUPTED;
    for (; status == CRD_INTERRUPTED; parts++) {
        atomic_int counter = polls;
        crdi_mcmc_report report = {0};
        crdi_mcmc_before before = {.chain = left.lane};
        crd_tempered_options o = {.chains = RUNS,
                                  .particles = PARTICLES,
                                  .pilot = 20,
                                  .anneal = 0.5,
                                  .threads = 1 + parts % 3,
                                  .stop = after_so_many,
                                  .stop_user = &counter};
        assert_in_range(parts, 0, 2000); /* each must come further */
        status = run(model, &o, crd_key_make(8), &before, &sink, &report, e);
        assert_true(status == CRD_INTERRUPTED || status == CRD_OK);
        if (status == CRD_OK)
            assert_int_equal(report.gradient_evaluations, e->gradient_evaluations);
    }
    for (int lane = 0; lane <= RUNS; lane++) {
        assert_true(left.kept[lane] > 0); /* how often is a matter of time */
        free(left.lane[lane].bytes);
    }
    return parts;
}

/* Draws, evidence, counts: bit for bit, wherever it was stopped, in the pilot run and behind it, and by how many threads it goes on. */
static void a_run_that_was_stopped_ends_the_same(void **state)
{
    (void)state;
    const crdi_tempered_fn run[] = {crdi_smc_run, crdi_ais_run};
    static const int polls[] = {100000000, 7, 130, 500};
    crd_context *ctx = testing_context();
    crd_model *model = model_of(ctx, network_model, NULL);
    crdi_arena *arena;
    crdi_mcmc_columns columns;
    assert_ok(ctx, crdi_arena_create(&arena, ctx));
    assert_ok(ctx, crdi_tempered_columns(model, NULL, 0, arena, &columns, NULL));
    for (int method = 0; method < CRDI_COUNT(run); method++) {
        crd_posterior *posterior[CRDI_COUNT(polls)];
        crd_evidence e[CRDI_COUNT(polls)];
        for (int i = 0; i < CRDI_COUNT(polls); i++) {
            assert_ok(ctx, crd_posterior_create(&posterior[i], ctx, RUNS, PARTICLES, columns.column, columns.count));
            int parts = run_in_parts(run[method], model, posterior[i], &e[i], polls[i]);
            assert_true(i == 0 ? parts == 1 : parts > 3);
            assert_true(e[i].log_evidence == e[0].log_evidence && e[i].error == e[0].error && e[i].lag == e[0].lag);
            assert_true(e[i].effective == e[0].effective && e[i].temperatures == e[0].temperatures);
            assert_int_equal(e[i].gradient_evaluations, e[0].gradient_evaluations);
            assert_memory_equal(e[i].beta, e[0].beta, sizeof(double) * (size_t)e[0].temperatures);
            assert_memory_equal(e[i].accept, e[0].accept, sizeof(double) * (size_t)e[0].temperatures);
            for (int c = 0; c < columns.count; c++)
                assert_memory_equal(posterior[i]->column[c].draws, posterior[0]->column[c].draws,
                                    sizeof(double) * (size_t)(RUNS * PARTICLES * columns.column[c].size));
        }
        for (int i = 0; i < CRDI_COUNT(polls); i++) {
            crd_posterior_destroy(&posterior[i]);
            crd_evidence_clear(&e[i]);
        }
    }
    crdi_arena_destroy(&arena);
    crd_model_destroy(&model);
    testing_context_destroy(&ctx);
}

/* What a run leaves that is stopped behind the pilot run, in the middle of a temperature. */
static void leave_states(const crd_model *model, struct left *left)
{
    atomic_int counter = 1800;
    crd_evidence e = {0};
    crdi_mcmc_report report;
    crdi_sink sink = {.user = left, .draws = leave_draws, .state = leave_state, .pause = 1e-9};
    crd_tempered_options o = {.chains = RUNS, .particles = PARTICLES, .pilot = 20, .anneal = 0.5, .threads = 1};
    o.stop = after_so_many;
    o.stop_user = &counter;
    assert_int_equal(crdi_smc_run(model, &o, crd_key_make(8), NULL, &sink, &report, &e), CRD_INTERRUPTED);
    for (int lane = 0; lane <= RUNS; lane++)
        assert_true(left->kept[lane] > 0);
}

static void refuse_states(const crd_model *model, const struct left *left, const crd_tempered_options *o,
                          const char *says)
{
    crd_context *ctx = crd_model_context(model);
    crd_evidence e = {0};
    crdi_mcmc_report report;
    crdi_mcmc_before before = {.chain = left->lane};
    assert_int_equal(crdi_smc_run(model, o, crd_key_make(8), &before, NULL, &report, &e), CRD_EDAMAGED);
    if (!strstr(crd_error_message(ctx), says))
        fail_msg("'%s' does not say '%s'", crd_error_message(ctx), says);
    assert_null(e.ctx);
    crd_error_clear(ctx);
}

/* States of other runs, shorter ones, and numbers that cannot be. */
static void states_that_cannot_be_are_refused(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_model *model = model_of(ctx, network_model, NULL);
    struct left left = {.ctx = ctx};
    const crd_tempered_options good = {
        .chains = RUNS, .particles = PARTICLES, .pilot = 20, .anneal = 0.5, .threads = 1};
    crd_tempered_options o = good;
    leave_states(model, &left);
    o.particles = PARTICLES + 1;
    refuse_states(model, &left, &o, "is of another number of particles");
    o = good;
    o.anneal = 4;
    refuse_states(model, &left, &o, "is of another number of temperatures");
    for (int lane = 0; lane <= RUNS; lane++) {
        crdi_mcmc_saved *saved = &left.lane[lane];
        saved->size -= 8;
        refuse_states(model, &left, &good, "is too short");
        saved->size += 8;
        unsigned char *version = saved->bytes;
        version[0] ^= 64;
        refuse_states(model, &left, &good, "is of another version of credence");
        version[0] ^= 64;
    }
    crdi_mcmc_saved first = left.lane[0];
    left.lane[0] = left.lane[1];
    refuse_states(model, &left, &good, "is of another run");
    left.lane[0] = first;
    enum { AT = 4 * 8 }; /* behind version, run, method, temperatures */
    unsigned char *at = (unsigned char *)left.lane[0].bytes + AT;
    at[2] ^= 1;
    refuse_states(model, &left, &good, "has an impossible temperature");
    at[2] ^= 1;
    for (int lane = 0; lane <= RUNS; lane++)
        free(left.lane[lane].bytes);
    crd_model_destroy(&model);
    testing_context_destroy(&ctx);
}

/* ---- what is refused -------------------------------------------------------------------------------------------- */

static crd_node flat_model(crd_trace *t, void *none)
{
    (void)none;
    crd_node level = crd_sample(t, "level", crd_flat());
    double y_data[] = {1, 2, 3};
    crd_array y = crd_array_borrow(y_data, crd_shape_1(3));
    crd_plate rows = crd_plate_enter(t, "rows", 3);
    crd_observe(t, "y", crd_normal(level, crd_num(1)), &y);
    crd_plate_leave(rows);
    return level;
}

static crd_node half_masked_model(crd_trace *t, void *none)
{
    (void)none;
    double zero = 0;
    crd_array mask = crd_array_borrow(&zero, crd_shape_0());
    return crd_sample(t, "partly", crd_dist_mask(crd_normal(crd_num(0), crd_num(1)), crd_data(t, "mask", &mask)));
}

static crd_node impossible_model(crd_trace *t, void *none)
{
    (void)none;
    crd_node x = crd_sample(t, "x", crd_normal(crd_num(0), crd_num(1)));
    crd_factor(t, "never", crd_add(crd_mul(crd_num(0), x), crd_num(-INFINITY)));
    return x;
}

static void refuse(crd_model_fn fn, const crd_tempered_options *o, crd_status status, const char *says)
{
    crd_context *ctx = testing_context();
    crd_posterior *posterior = NULL;
    crd_evidence e = {0};
    crd_model *model = model_of(ctx, fn, NULL);
    assert_int_equal(crd_smc_run(model, o, crd_key_make(1), &posterior, &e), status);
    if (!strstr(crd_error_message(ctx), says))
        fail_msg("'%s' does not say '%s'", crd_error_message(ctx), says);
    assert_null(posterior);
    assert_null(e.ctx);
    crd_model_destroy(&model);
    testing_context_destroy(&ctx);
}

static void what_cannot_be_is_refused(void **state)
{
    (void)state;
    const char *unknown[] = {"nothing"};
    refuse(flat_model, NULL, CRD_EUNSUPPORTED, "site level: flat is no prior that draws are made from");
    refuse(half_masked_model, NULL, CRD_EUNSUPPORTED, "site partly: its log density is masked");
    refuse(impossible_model, NULL, CRD_ESTART, "none of 200 draws from the prior has a finite likelihood");
    refuse(prior_only, &(crd_tempered_options){.particles = 1}, CRD_EINVAL, "particles: 1; it must be from 2");
    refuse(prior_only, &(crd_tempered_options){.chains = -1}, CRD_EINVAL, "chains: -1");
    refuse(prior_only, &(crd_tempered_options){.cess = 1}, CRD_EINVAL, "cess");
    refuse(prior_only, &(crd_tempered_options){.target_accept = 2}, CRD_EINVAL, "target_accept: 2");
    refuse(prior_only, &(crd_tempered_options){.keep = unknown, .keep_count = 1}, CRD_ENAME, "nothing");
}

static void what_tempering_cannot_is_refused(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_model *model = model_of(ctx, prior_only, NULL);
    crd_posterior *posterior = NULL;
    crd_nuts_options blocks = {.blocks = "all"};
    crd_tempered_options one = {.temperatures = 1};
    assert_int_equal(crd_tempering_run(model, NULL, &one, crd_key_make(1), &posterior, NULL), CRD_EINVAL);
    assert_non_null(strstr(crd_error_message(ctx), "temperatures: 1; it must be 0, or 2 or more"));
    crd_error_clear(ctx);
    one = (crd_tempered_options){.pilot = 1000000}; /* it is not begun */
    assert_int_equal(crd_tempering_run(model, &blocks, &one, crd_key_make(1), &posterior, NULL), CRD_EINVAL);
    assert_non_null(
        strstr(crd_error_message(ctx), "of all rows at temperature 1; blocks scales goes with method tempering"));
    crd_error_clear(ctx);
    one.blocks = "foo";
    assert_int_equal(crd_smc_run(model, &one, crd_key_make(1), &posterior, NULL), CRD_ENAME);
    assert_non_null(strstr(crd_error_message(ctx), "unknown blocks 'foo'; there are: none, scales"));
    assert_null(posterior);
    crd_model_destroy(&model);
    testing_context_destroy(&ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_are_those_of_the_model),
        cmocka_unit_test(at_one_it_is_the_posterior),
        cmocka_unit_test(intervals_are_students),
        cmocka_unit_test(the_evidence_of_a_linear_model_is_known),
        cmocka_unit_test(annealing_knows_it_too),
        cmocka_unit_test(factors_are_likelihood),
        cmocka_unit_test(a_prior_alone_has_evidence_one),
        cmocka_unit_test(tempering_knows_the_linear_model),
        cmocka_unit_test(a_run_goes_back_to_what_it_had_seen),
        cmocka_unit_test(tempering_comes_to_both_modes),
        cmocka_unit_test(threads_change_nothing),
        cmocka_unit_test(a_run_can_be_stopped),
        cmocka_unit_test(a_run_that_was_stopped_ends_the_same),
        cmocka_unit_test(states_that_cannot_be_are_refused),
        cmocka_unit_test(what_cannot_be_is_refused),
        cmocka_unit_test(what_tempering_cannot_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
