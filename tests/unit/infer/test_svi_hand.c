/* test_svi_hand.c - guides written by hand: beside automatic ones, and with sites whose draws carry no gradient (discrete,
 * mixtures). Their gradients are random even at given parameters; that the mean over keys is the exact one (sums
 * over values, integrals on a grid) is held to 4.5 standard errors, an error of 7e-6 a number: 4e-4 for the whole file if
 * keys were drawn anew, which they are not. */
#include "svi_models.h"

#include <math.h>
#include <string.h>

enum { MOST_PARAMS = 12 };
static const double LOG_2PI = 1.8378770664093454836;

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

static double normal_log(double x, double loc, double scale)
{
    double z = (x - loc) / scale;
    return -0.5 * z * z - log(scale) - 0.5 * LOG_2PI;
}

static crd_node param(crd_trace *t, const char *name, double initial, crd_constraint constraint)
{
    return crd_param(t, name, crd_num(initial), constraint);
}

/* ---- means over keys ------------------------------------------------------------------------------------------- */

/* Exact loss at parameters on the unconstrained scale. */
typedef double (*exact_fn)(const double *params);

struct sampled {
    double mean[MOST_PARAMS + 1], variance[MOST_PARAMS + 1]; /* of the loss, then of the gradient */
};

static void sample(struct loss_at *at, const double *params, double baseline, int draws, struct sampled *out)
{
    memset(out, 0, sizeof *out);
    for (int d = 0; d < draws; d++) {
        const double *got = loss_run(at, params, crd_key_fold_in(crd_key_make(91), (uint32_t)d), baseline);
        for (int i = 0; i <= at->params; i++) {
            double x = got[i == 0 ? CRDI_ELBO_LOSS : CRDI_ELBO_GRADIENT + i - 1], before = out->mean[i];
            out->mean[i] += (x - before) / (d + 1);
            out->variance[i] += (x - before) * (x - out->mean[i]);
        }
    }
    for (int i = 0; i <= at->params; i++)
        out->variance[i] /= draws - 1;
}

/* The loss and the gradient have the exact means, for 1 particle with two baselines and for 4. */
static void check_mean(crd_context *ctx, crd_model_fn model, crd_model_fn hand, const char *rest, const char *loss,
                       exact_fn exact, const double *params, int draws, bool scored)
{
    static const struct {
        int particles;
        double baseline;
    } cases[] = {{1, 0}, {1, 2.5}, {4, 0}};
    for (int c = 0; c < 3; c++) {
        struct loss_at at;
        struct sampled got;
        crdi_guide_request request = {.fn = model, .hand = hand, .text = rest};
        assert_ok(ctx, loss_open(ctx, &request, loss, cases[c].particles, &at));
        assert_true(at.elbo.scored == scored && at.params <= MOST_PARAMS);
        sample(&at, params, cases[c].baseline, draws, &got);
        for (int i = 0; i <= at.params; i++) {
            double want = exact(params), moved[MOST_PARAMS];
            if (i > 0) {
                memcpy(moved, params, sizeof *moved * (size_t)at.params);
                moved[i - 1] = params[i - 1] + 1e-4;
                want = exact(moved);
                moved[i - 1] = params[i - 1] - 1e-4;
                want = (want - exact(moved)) / 2e-4;
            }
            double error = sqrt(got.variance[i] / draws);
            if (!(fabs(got.mean[i] - want) <= 4.5 * error + 1e-6))
                fail_msg("%s, %d particles, baseline %g: mean %d is %g +- %g, exact %g", loss, cases[c].particles,
                         cases[c].baseline, i, got.mean[i], error, want);
        }
        loss_close(&at);
    }
}

static void check_unbiased(crd_context *ctx, crd_model_fn model, crd_model_fn hand, const char *loss, exact_fn exact,
                           const double *params, int draws)
{
    check_mean(ctx, model, hand, NULL, loss, exact, params, draws, true);
}

/* ---- z ~ Bernoulli(0.3), m ~ N(0, 1), y = 1.2 ~ N(m + 2 z, 0.5) ------------------------------------------------- */

static crd_node switch_model(crd_trace *t, void *none)
{
    static double value = 1.2;
    crd_array y = crd_array_borrow(&value, crd_shape_0());
    (void)none;
    crd_node z = crd_sample(t, "z", crd_bernoulli(crd_num(0.3)));
    crd_node m = crd_sample(t, "m", crd_normal(crd_num(0), crd_num(1)));
    crd_observe(t, "y", crd_normal(crd_add(m, crd_mul(crd_num(2), z)), crd_num(0.5)), &y);
    return z;
}

/* z ~ Bernoulli(p), m ~ N(a + b z, s); parameters in the order of their statements. */
static crd_node switch_guide(crd_trace *t, void *none)
{
    (void)none;
    crd_node p = param(t, "p", 0.5, CRD_UNIT_INTERVAL);
    crd_node a = param(t, "a", 0, CRD_REAL), b = param(t, "b", 0, CRD_REAL), s = param(t, "sd", 0.4, CRD_POSITIVE);
    crd_node z = crd_sample(t, "z", crd_bernoulli(p));
    crd_sample(t, "m", crd_normal(crd_add(a, crd_mul(b, z)), s));
    return z;
}

static double switch_loss(const double *params)
{
    double p = sigmoid(params[0]), s = exp(params[3]), loss = 0;
    for (int z = 0; z < 2; z++) {
        double m = params[1] + params[2] * z, rest = 1.2 - 2 * z - m, q = z ? p : 1 - p;
        double inner = log(q / (z ? 0.3 : 0.7)) - 0.5 - log(s) + 0.5 * (m * m + s * s);
        loss += q * (inner + 0.5 * (rest * rest + s * s) / 0.25 + log(0.5) + 0.5 * LOG_2PI);
    }
    return loss;
}

static const double switch_params[4] = {0.4, 0.3, -0.5, -0.6};

static void a_discrete_site_has_an_unbiased_gradient(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    check_unbiased(ctx, switch_model, switch_guide, "trace", switch_loss, switch_params, 12000);
    check_unbiased(ctx, switch_model, switch_guide, "trace_mean_field", switch_loss, switch_params, 12000);
    testing_context_destroy(&ctx);
}

static void the_mean_of_the_other_particles_makes_it_quieter(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    struct loss_at one, four;
    struct sampled alone, together;
    crdi_guide_request request = {.fn = switch_model, .hand = switch_guide};
    assert_ok(ctx, loss_open(ctx, &request, "trace", 1, &one));
    assert_ok(ctx, loss_open(ctx, &request, "trace", 4, &four));
    sample(&one, switch_params, 0, 4000, &alone);
    sample(&four, switch_params, 0, 4000, &together);
    /* Four draws without a baseline would have a quarter of one's variance. */
    assert_true(together.variance[1] < 0.7 * alone.variance[1] / 4);
    /* The baseline of the input counts for one particle, and for one only. */
    double own = loss_run(&one, switch_params, crd_key_make(1), 0)[CRDI_ELBO_GRADIENT];
    assert_true(own != loss_run(&one, switch_params, crd_key_make(1), 1)[CRDI_ELBO_GRADIENT]);
    own = loss_run(&four, switch_params, crd_key_make(1), 0)[CRDI_ELBO_GRADIENT];
    assert_true(own == loss_run(&four, switch_params, crd_key_make(1), 1)[CRDI_ELBO_GRADIENT]);
    loss_close(&one);
    loss_close(&four);
    testing_context_destroy(&ctx);
}

/* The family holds the exact posterior: m given z is N(0.8 (1.2 - 2 z), sqrt 0.2), and z has a weight in closed form. */
static void a_fit_finds_the_exact_posterior(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_svi *svi;
    crd_svi_options options = {
        .guide_fn = switch_guide, .particles = 8, .steps = 4000, .optimizer = "adam:cosine(0.03,4000)"};
    double one = 0.3 * exp(normal_log(1.2, 2, sqrt(1.25))), zero = 0.7 * exp(normal_log(1.2, 0, sqrt(1.25)));
    double value, mean, error;
    assert_ok(ctx, crd_svi_fit(ctx, switch_model, NULL, &options, crd_key_make(1), &svi));
    assert_int_equal(crd_svi_param(svi, "p", &value), 1);
    assert_close(value, one / (one + zero), 0, 0.01);
    crd_svi_param(svi, "a", &value);
    assert_close(value, 0.96, 0, 0.02);
    crd_svi_param(svi, "b", &value);
    assert_close(value, -1.6, 0, 0.03);
    crd_svi_param(svi, "sd", &value);
    assert_close(value, sqrt(0.2), 0.02, 0);
    assert_ok(ctx, crd_svi_elbo(svi, 4000, crd_key_make(2), &mean, &error));
    assert_close(mean, log(one + zero), 0, 0.01);
    crd_svi_destroy(&svi);
    testing_context_destroy(&ctx);
}

/* ---- discrete sites of a compound type, in a plate of which a run takes some rows ------------------------------- */

enum { ROWS = 6, TAKEN = 2 };
static double plate_y[ROWS] = {2.1, -0.4, 3.3, 0.9, 1.6, -1};
static double plate_start[ROWS] = {0.5, 0.2, 0.7, 0.4, 0.6, 0.3};

static crd_plate enter(crd_trace *t)
{
    return crd_plate_enter_with(t, "rows", ROWS, &(crd_plate_options){.subsample_size = TAKEN});
}

/* z_i ~ Bernoulli(0.4), y_i ~ N(3 z_i, 1). */
static crd_node rows_model(crd_trace *t, void *none)
{
    crd_array y = crd_array_borrow(plate_y, crd_shape_1(ROWS));
    (void)none;
    crd_plate rows = enter(t);
    crd_node z = crd_sample(t, "z", crd_bernoulli(crd_num(0.4)));
    crd_observe_value(t, "y", crd_normal(crd_mul(crd_num(3), z), crd_num(1)),
                      crd_subsample(rows, crd_data(t, "data", &y), 0));
    crd_plate_leave(rows);
    return z;
}

static crd_node rows_guide(crd_trace *t, void *masked)
{
    crd_array start = crd_array_borrow(plate_start, crd_shape_1(ROWS));
    crd_node p = crd_param(t, "p", crd_data(t, "start", &start), CRD_UNIT_INTERVAL);
    double ones[TAKEN] = {1, 1};
    crd_array mask = crd_array_borrow(ones, crd_shape_1(TAKEN));
    (void)masked;
    crd_plate rows = enter(t);
    crd_dist site = crd_bernoulli(crd_subsample(rows, p, 0));
    crd_sample(t, "z", crd_dist_mask(site, crd_constant(crd_trace_graph(t), &mask)));
    crd_plate_leave(rows);
    return p;
}

static double rows_loss(const double *params)
{
    double loss = 0;
    for (int i = 0; i < ROWS; i++) {
        double p = sigmoid(params[i]);
        loss += p * (log(p / 0.4) - normal_log(plate_y[i], 3, 1));
        loss += (1 - p) * (log((1 - p) / 0.6) - normal_log(plate_y[i], 0, 1));
    }
    return loss;
}

static void rows_that_are_taken_stand_for_all_in_scores_too(void **state)
{
    (void)state;
    static const double params[ROWS] = {0.5, -1, 0.3, 0.1, -0.4, 0.8};
    crd_context *ctx = testing_context();
    check_unbiased(ctx, rows_model, rows_guide, "trace", rows_loss, params, 12000);
    testing_context_destroy(&ctx);
}

/* ---- continuous draws without a gradient: integrals on a grid --------------------------------------------------- */

/* r ~ Gamma(2, 1), y = 3 ~ Poisson(r): the posterior is Gamma(5, 2). */
static crd_node count_model(crd_trace *t, void *none)
{
    static double value = 3;
    crd_array y = crd_array_borrow(&value, crd_shape_0());
    (void)none;
    crd_node r = crd_sample(t, "r", crd_gamma(crd_num(2), crd_num(1)));
    crd_observe(t, "y", crd_poisson(r), &y);
    return r;
}

static crd_node count_guide(crd_trace *t, void *none)
{
    (void)none;
    crd_node a = param(t, "a", 2, CRD_POSITIVE), b = param(t, "b", 2, CRD_POSITIVE);
    return crd_sample(t, "r", crd_gamma(a, b));
}

static double gamma_log(double x, double a, double b)
{
    return a * log(b) - lgamma(a) + (a - 1) * log(x) - b * x;
}

static double count_loss(const double *params)
{
    double a = exp(params[0]), b = exp(params[1]), sum = 0, step = 0.01;
    for (double t = -12; t < 5; t += step) {
        double x = exp(t), log_q = gamma_log(x, a, b);
        sum += exp(log_q) * x * step * (log_q - gamma_log(x, 2, 1) - (3 * t - x - log(6)));
    }
    return sum;
}

/* The prior N(0, 1), the guide half N(a, 0.5), half N(b, 0.5) with a weight that is fitted as well. */
static crd_node bell_model(crd_trace *t, void *none)
{
    (void)none;
    return crd_sample(t, "x", crd_normal(crd_num(0), crd_num(1)));
}

static crd_node bell_guide(crd_trace *t, void *none)
{
    double start[2] = {-1, 0.5}, half[2] = {0.5, 0.5};
    crd_array at = crd_array_borrow(start, crd_shape_1(2)), weight = crd_array_borrow(half, crd_shape_1(2));
    (void)none;
    crd_node loc = crd_param(t, "loc", crd_constant(crd_trace_graph(t), &at), CRD_REAL);
    crd_node share = crd_param(t, "share", crd_constant(crd_trace_graph(t), &weight), CRD_REAL);
    return crd_sample(t, "x", crd_mixture_logits(share, crd_normal(loc, crd_num(0.5))));
}

static double bell_loss(const double *params)
{
    double sum = 0, step = 0.01, p = sigmoid(params[2] - params[3]);
    for (double x = -8; x < 8; x += step) {
        double q = p * exp(normal_log(x, params[0], 0.5)) + (1 - p) * exp(normal_log(x, params[1], 0.5));
        sum += q > 0 ? q * step * (log(q) - normal_log(x, 0, 1)) : 0;
    }
    return sum;
}

static void draws_that_are_no_formula_have_unbiased_gradients(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    check_mean(ctx, count_model, count_guide, NULL, "trace", count_loss, (double[]){log(3), log(1.5)}, 12000,
               false); /* implicit gradients serve it */
    check_unbiased(ctx, bell_model, bell_guide, "trace", bell_loss, (double[]){-0.8, 0.9, 0.2, -0.3}, 12000);
    crd_svi *svi;
    double a, b;
    crd_svi_options options = {
        .guide_fn = count_guide, .particles = 16, .steps = 3000, .optimizer = "adam:cosine(0.03,3000)"};
    assert_ok(ctx, crd_svi_fit(ctx, count_model, NULL, &options, crd_key_make(1), &svi));
    crd_svi_param(svi, "a", &a);
    crd_svi_param(svi, "b", &b);
    assert_close(a, 5, 0.01, 0);
    assert_close(b, 2, 0.01, 0);
    crd_svi_destroy(&svi);
    testing_context_destroy(&ctx);
}

/* ---- beside automatic guides ------------------------------------------------------------------------------------ */

static crd_node hand_linear(crd_trace *t, void *user)
{
    const struct linear *l = user;
    double zero[LINEAR_MOST] = {0}, tenth[LINEAR_MOST] = {0.1, 0.1, 0.1, 0.1};
    crd_array at = crd_array_borrow(zero, crd_shape_1(l->coefs)), width = crd_array_borrow(tenth, at.shape);
    crd_node loc = crd_param(t, "loc", crd_constant(crd_trace_graph(t), &at), CRD_REAL);
    crd_node scale = crd_param(t, "scale", crd_constant(crd_trace_graph(t), &width), CRD_POSITIVE);
    return crd_sample(t, "w", crd_normal(loc, scale));
}

/* The mean-field optimum is known: the exact mean, and one over the root of the precision's diagonal. */
static void by_hand_and_automatic_find_the_same_optimum(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    struct linear l;
    struct linear_exact exact;
    double loc[LINEAR_MOST], scale[LINEAR_MOST], bound[2], error;
    linear_init(&l, LINEAR_MOST);
    linear_solve(&l, &exact);
    for (int k = 0; k < 2; k++) {
        crd_svi *svi;
        crd_svi_options options = {.guide_fn = k ? hand_linear : NULL,
                                   .guide_user = &l,
                                   .particles = 8,
                                   .steps = 4000,
                                   .loss = "trace_mean_field",
                                   .optimizer = "adam:cosine(0.05,4000)"};
        assert_ok(ctx, crd_svi_fit(ctx, linear_model, &l, &options, crd_key_make(3), &svi));
        assert_ok(ctx, crd_svi_elbo(svi, 12000, crd_key_make(4), &bound[k], &error));
        assert_true(error < 0.03);
        if (k == 1) {
            assert_int_equal(crd_svi_param(svi, "loc", loc), LINEAR_MOST);
            assert_int_equal(crd_svi_param(svi, "scale", scale), LINEAR_MOST);
        }
        crd_svi_destroy(&svi);
    }
    double best = exact.log_evidence; /* less the divergence of the optimum from the posterior */
    for (int i = 0; i < LINEAR_MOST; i++) {
        double precision = 1 / (LINEAR_PRIOR * LINEAR_PRIOR);
        for (int r = 0; r < LINEAR_ROWS; r++)
            precision += l.x[r * LINEAR_MOST + i] * l.x[r * LINEAR_MOST + i] / (LINEAR_NOISE * LINEAR_NOISE);
        assert_close(scale[i], 1 / sqrt(precision), 0.02, 0);
        assert_close(loc[i], exact.mean[i], 0, 0.02 * sqrt(exact.covariance[i * LINEAR_MOST + i]) + 0.005);
        best -= 0.5 * log(precision) + log(exact.factor[i * LINEAR_MOST + i]);
    }
    assert_close(bound[0], best, 0, 0.05);
    assert_close(bound[1], best, 0, 0.05);
    testing_context_destroy(&ctx);
}

/* Only z by hand: m is left to the automatic guide. For fixed noise the gradient of the rest is that of the loss. */
static crd_node z_only(crd_trace *t, void *none)
{
    (void)none;
    return crd_sample(t, "z", crd_bernoulli(param(t, "p", 0.5, CRD_UNIT_INTERVAL)));
}

/* q(z) q(m): params are loc, rho of m, then p. */
static double mixed_loss(const double *params)
{
    double s = log1p(exp(params[1]));
    return switch_loss((double[]){params[2], params[0], 0, log(s)});
}

static void what_the_hand_leaves_goes_to_the_automatic_guide(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    static const double params[3] = {0.3, -0.8, 0.7};
    check_mean(ctx, switch_model, z_only, "normal", "trace", mixed_loss, params, 12000, true);
    check_mean(ctx, switch_model, z_only, "normal", "trace_mean_field", mixed_loss, params, 12000, true);
    testing_context_destroy(&ctx);
}

/* Densities of sites of several elements a draw (crd_dist_to_event), by hand and left to the automatic guide. */
static crd_node joined_model(crd_trace *t, void *none)
{
    static double value[2] = {0.4, -1.1};
    crd_array y = crd_array_borrow(value, crd_shape_1(2));
    (void)none;
    crd_dist prior = crd_dist_expand(crd_normal(crd_num(0.5), crd_num(2)), crd_shape_1(2));
    crd_node v = crd_sample(t, "v", crd_dist_to_event(prior, 1));
    crd_observe(t, "y", crd_normal(v, crd_num(1)), &y);
    return v;
}

static crd_node joined_guide(crd_trace *t, void *none)
{
    double zero[2] = {0, 0};
    crd_array at = crd_array_borrow(zero, crd_shape_1(2));
    (void)none;
    crd_node loc = crd_param(t, "loc", crd_constant(crd_trace_graph(t), &at), CRD_REAL);
    return crd_sample(t, "v", crd_dist_to_event(crd_normal(loc, param(t, "sd", 1, CRD_POSITIVE)), 1));
}

static void joined_axes_have_closed_divergences(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    for (int k = 0; k < 2; k++) {
        struct loss_at at;
        crdi_guide_request request = {.fn = joined_model, .hand = k ? joined_guide : NULL};
        double by_hand[3] = {0.2, -0.3, log(0.7)}, automatic[4] = {0.2, -0.3, log(expm1(0.7)), log(expm1(0.7))};
        assert_ok(ctx, loss_open(ctx, &request, "trace_mean_field", 1, &at));
        const double *got = loss_run(&at, k ? by_hand : automatic, crd_key_make(1), 0);
        double want = 0;
        for (int i = 0; i < 2; i++) {
            double shift = (by_hand[i] - 0.5) / 2;
            want += 0.5 * (0.35 * 0.35 + shift * shift - 1) - log(0.35);
        }
        assert_close(got[CRDI_ELBO_DIVERGENCE], want, 1e-12, 1e-12);
        loss_close(&at);
    }
    testing_context_destroy(&ctx);
}

/* ---- guides that do not belong to their model ------------------------------------------------------------------- */

enum site { NONE, REAL, TWO_REALS, POSITIVE, UNIT, UP_TO_TWO, UP_TO_HALF, BIT, NUMBER, OF_THREE, TAKEN_ROWS };

static void say(crd_trace *t, const char *name, enum site site)
{
    double probability[3] = {0.2, 0.3, 0.5};
    crd_array three = crd_array_borrow(probability, crd_shape_1(3));
    crd_plate rows;
    switch (site) {
    case NONE:
        break;
    case REAL:
        crd_sample(t, name, crd_normal(crd_num(0), crd_num(1)));
        break;
    case TWO_REALS:
        crd_sample(t, name, crd_dist_expand(crd_normal(crd_num(0), crd_num(1)), crd_shape_1(2)));
        break;
    case POSITIVE:
        crd_sample(t, name, crd_log_normal(crd_num(0), crd_num(1)));
        break;
    case UNIT:
        crd_sample(t, name, crd_beta(crd_num(2), crd_num(2)));
        break;
    case UP_TO_TWO:
        crd_sample(t, name, crd_uniform(crd_num(0), crd_num(2)));
        break;
    case UP_TO_HALF:
        crd_sample(t, name, crd_uniform(crd_num(0.25), crd_num(0.5)));
        break;
    case BIT:
        crd_sample(t, name, crd_bernoulli(crd_num(0.5)));
        break;
    case NUMBER:
        crd_sample(t, name, crd_poisson(crd_num(2)));
        break;
    case OF_THREE:
        crd_sample(t, name, crd_categorical(crd_constant(crd_trace_graph(t), &three)));
        break;
    case TAKEN_ROWS:
        rows = crd_plate_enter_with(t, "rows", 6, &(crd_plate_options){.subsample_size = 2});
        crd_sample(t, name, crd_normal(crd_num(0), crd_num(1)));
        crd_plate_leave(rows);
    }
}

static crd_node site_model(crd_trace *t, void *site)
{
    static double value = 0.3;
    crd_array y = crd_array_borrow(&value, crd_shape_0());
    say(t, "x", *(enum site *)site);
    crd_observe(t, "y", crd_normal(crd_num(0), crd_num(1)), &y);
    return crd_num(0);
}

struct guide_site {
    const char *name;
    enum site site;
};

static crd_node site_guide(crd_trace *t, void *user)
{
    const struct guide_site *g = user;
    param(t, "a", 0.2, CRD_REAL);
    say(t, g->name, g->site);
    return crd_num(0);
}

static int count_polls(void *polls)
{
    ++*(int *)polls;
    return 0;
}

static void guides_that_do_not_belong_are_refused(void **state)
{
    (void)state;
    static const struct {
        enum site model;
        const char *name;
        enum site guide;
        const char *rest;
        crd_status status;
        const char *message;
    } cases[] = {
        {REAL, "x", NONE, NULL, CRD_EMISSING, "site x: the guide written by hand does not have it"},
        {REAL, "x", NONE, "normal", CRD_OK, ""},
        {REAL, "z", REAL, "normal", CRD_ENAME, "site z: the guide has it, the model has not"},
        {REAL, "y", REAL, "normal", CRD_EINVAL, "site y: the guide draws it, in the model it is observed"},
        {TWO_REALS, "x", REAL, NULL, CRD_ESHAPE, "site x"},
        {POSITIVE, "x", REAL, NULL, CRD_EDOMAIN,
         "site x: the guide's normal gives values that are finite, the model's log_normal needs ones that are "
         "positive"},
        {UP_TO_TWO, "x", POSITIVE, NULL, CRD_EDOMAIN, "positive, the model's uniform needs ones that are from 0 to 2"},
        {UNIT, "x", UP_TO_TWO, NULL, CRD_EDOMAIN, "from 0 to 2, the model's beta needs ones that are between 0 and 1"},
        {UP_TO_HALF, "x", UP_TO_TWO, NULL, CRD_EDOMAIN,
         "from 0 to 2, the model's uniform needs ones that are from 0.25"},
        {UP_TO_TWO, "x", UP_TO_HALF, NULL, CRD_OK, ""},
        {UNIT, "x", UP_TO_HALF, NULL, CRD_OK, ""},
        {POSITIVE, "x", UNIT, NULL, CRD_OK, ""},
        {REAL, "x", POSITIVE, NULL, CRD_OK, ""},
        {REAL, "x", BIT, NULL, CRD_EDOMAIN, "0 or 1"},
        {BIT, "x", REAL, NULL, CRD_EDOMAIN, "0 or 1"},
        {BIT, "x", OF_THREE, NULL, CRD_EDOMAIN, "whole numbers from 0 to 2, the model's bernoulli"},
        {OF_THREE, "x", NUMBER, NULL, CRD_EDOMAIN, "needs ones that are whole numbers from 0 to 2"},
        {OF_THREE, "x", BIT, NULL, CRD_OK, ""},
        {NUMBER, "x", OF_THREE, NULL, CRD_OK, ""},
        {BIT, "x", NONE, "normal", CRD_EUNSUPPORTED, "site x: bernoulli is discrete, and automatic guides"},
        {TAKEN_ROWS, "x", NONE, "normal", CRD_EUNSUPPORTED, "site x: plate rows takes 2 of its 6 rows in a step"},
        {TAKEN_ROWS, "x", TWO_REALS, NULL, CRD_EINVAL,
         "site x: in the model it is in plate rows, of which a run takes 2 of 6 rows, in the guide it is not"},
        {TWO_REALS, "x", TAKEN_ROWS, NULL, CRD_EINVAL, "site x: in the guide it is in plate rows"},
        {TAKEN_ROWS, "x", TAKEN_ROWS, NULL, CRD_OK, ""},
    };
    for (int i = 0; i < CRDI_COUNT(cases); i++) {
        crd_context *ctx = testing_context();
        crd_svi *svi = NULL;
        int polls = 0;
        enum site model = cases[i].model;
        struct guide_site hand = {cases[i].name, cases[i].guide};
        crd_svi_options options = {.guide = cases[i].rest,
                                   .guide_fn = site_guide,
                                   .guide_user = &hand,
                                   .steps = 3,
                                   .stop = count_polls,
                                   .stop_user = &polls};
        crd_status status = crd_svi_fit(ctx, site_model, &model, &options, crd_key_make(1), &svi);
        if (status != cases[i].status || (status < 0 && !strstr(crd_error_message(ctx), cases[i].message)))
            fail_msg("case %d: %s: %s", i, crd_status_name(status), crd_error_message(ctx));
        assert_int_equal(polls, status == CRD_OK ? 3 : 0); /* no step was even asked about */
        crd_svi_destroy(&svi);
        testing_context_destroy(&ctx);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_discrete_site_has_an_unbiased_gradient),
        cmocka_unit_test(the_mean_of_the_other_particles_makes_it_quieter),
        cmocka_unit_test(a_fit_finds_the_exact_posterior),
        cmocka_unit_test(rows_that_are_taken_stand_for_all_in_scores_too),
        cmocka_unit_test(draws_that_are_no_formula_have_unbiased_gradients),
        cmocka_unit_test(by_hand_and_automatic_find_the_same_optimum),
        cmocka_unit_test(what_the_hand_leaves_goes_to_the_automatic_guide),
        cmocka_unit_test(joined_axes_have_closed_divergences),
        cmocka_unit_test(guides_that_do_not_belong_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
