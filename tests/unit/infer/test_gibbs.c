/* test_gibbs.c - scales that are drawn from their conditionals: which sites are found to be scales, and that what is drawn has the
 * density of the model.
 *
 * The others held, the log of an element has a density that is integrated on a grid; where standard normals are multiplied by
 * the scale their products are held, so that the density of a product takes the place of the normal's. Means and mean squares are
 * within 5 Monte Carlo standard errors: 2 x 15 deviates, a false alarm in 60 000. Keys are fixed.
 *
 * Of kernels with rows in batches and of tempering, a whole run is held against quadrature: with normals given, their means integrated
 * out, the scale alone is left. */
#include <credence/evidence.h>

#include "infer/mcmc/chain.h"
#include "testing.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DRAWS = 8000 };

static double data[6] = {0.9, -1.3, 0.4, 2.1, -0.2, 0.6};

static crd_dist standard(void)
{
    return crd_normal(crd_num(0), crd_num(1));
}

static void observe(crd_trace *t, crd_node f, crd_node s)
{
    crd_array y = crd_array_borrow(data, crd_shape_1(6));
    crd_observe(t, "y", crd_dist_expand(crd_normal(f, s), crd_shape_1(6)), &y);
}

static void normals(crd_trace *t, const char *name, crd_node scale, crd_shape shape)
{
    crd_sample(t, name, crd_dist_expand(crd_normal(crd_num(0.3), scale), shape));
}

/* ---- models in which s is a scale ---------------------------------------------------------------------------- */

static crd_node half_cauchy_sd(crd_trace *t, void *user)
{
    (void)user;
    crd_node s = crd_sample(t, "s", crd_half_cauchy(crd_num(0.7)));
    normals(t, "x", s, crd_shape_1(5));
    return s;
}

static crd_node one_for_each_row(crd_trace *t, void *user)
{
    (void)user;
    crd_node s = crd_sample(t, "s", crd_dist_expand(crd_half_cauchy(crd_num(1)), crd_shape_1(3)));
    normals(t, "x", crd_mul(crd_num(0.5), crd_reshape(s, crd_shape_2(3, 1))), crd_shape_2(3, 4));
    return s;
}

static crd_node gamma_precision(crd_trace *t, void *user)
{
    (void)user;
    crd_node s = crd_sample(t, "s", crd_gamma(crd_num(2), crd_num(1.5)));
    normals(t, "x", crd_reciprocal(crd_sqrt(s)), crd_shape_1(4));
    normals(t, "z", crd_pow(s, crd_num(-0.5)), crd_shape_1(2));
    return s;
}

static crd_node inverse_gamma_variance(crd_trace *t, void *user)
{
    (void)user;
    crd_node s = crd_sample(t, "s", crd_inverse_gamma(crd_num(3), crd_num(2)));
    normals(t, "x", crd_sqrt(s), crd_shape_1(4));
    return s;
}

static crd_node gamma_sd(crd_trace *t, void *user)
{
    (void)user;
    crd_node s = crd_sample(t, "s", crd_dist_expand(crd_gamma(crd_num(2), crd_num(1.5)), crd_shape_1(2)));
    normals(t, "x", crd_reshape(s, crd_shape_2(2, 1)), crd_shape_2(2, 3));
    return s;
}

static crd_node uniform_sd(crd_trace *t, void *user)
{
    (void)user;
    crd_node s = crd_sample(t, "s", crd_uniform(crd_num(0.1), crd_num(4)));
    normals(t, "x", s, crd_shape_1(2));
    crd_sample(t, "h", crd_dist_expand(crd_half_normal(crd_mul(crd_num(2), s)), crd_shape_1(2)));
    return s;
}

static crd_node noise(crd_trace *t, void *user)
{
    (void)user;
    crd_node s = crd_sample(t, "s", crd_half_normal(crd_num(1)));
    crd_node a = crd_sample(t, "a", standard());
    observe(t, a, s);
    return s;
}

static crd_node below_another(crd_trace *t, void *user)
{
    (void)user;
    crd_node top = crd_sample(t, "top", crd_half_normal(crd_num(1)));
    crd_node s = crd_sample(t, "s", crd_half_cauchy(top));
    normals(t, "x", s, crd_shape_1(3));
    return s;
}

static crd_node noncentered_rows(crd_trace *t, void *user)
{
    (void)user;
    crd_node s = crd_sample(t, "s", crd_dist_expand(crd_half_cauchy(crd_num(1)), crd_shape_1(2)));
    crd_node raw = crd_sample(t, "raw", crd_dist_expand(standard(), crd_shape_2(2, 3)));
    crd_node x = crd_mul(raw, crd_reshape(s, crd_shape_2(2, 1)));
    observe(t, crd_sum(crd_tanh(x)), crd_num(1));
    return s;
}

static crd_node noncentered_local(crd_trace *t, void *user)
{
    (void)user;
    crd_node global = crd_sample(t, "global", crd_half_cauchy(crd_num(0.5)));
    crd_node s = crd_sample(t, "s", crd_dist_expand(crd_half_cauchy(crd_num(1)), crd_shape_1(2)));
    crd_node raw = crd_sample(t, "raw", crd_dist_expand(standard(), crd_shape_1(2)));
    observe(t, crd_sum(crd_tanh(crd_mul(raw, crd_mul(global, s)))), crd_num(1));
    return s;
}

static const struct form {
    const char *name;
    crd_model_fn fn;
    int found; /* sites that are scales */
    bool conjugate; /* s is */
    double power, count; /* of s */
} forms[] = {
    {"half-Cauchy sd", half_cauchy_sd, 1, true, 1, 5},
    {"a half-Cauchy sd for each row", one_for_each_row, 1, true, 1, 4},
    {"gamma precision", gamma_precision, 1, true, -0.5, 6},
    {"inverse-gamma variance", inverse_gamma_variance, 1, true, 0.5, 4},
    {"gamma sd", gamma_sd, 1, false, 1, 3},
    {"uniform sd", uniform_sd, 1, false, 1, 4},
    {"noise", noise, 1, false, 1, 6},
    {"half-Cauchy sd with a scale above", below_another, 1, true, 1, 3},
    {"non-centred rows", noncentered_rows, 1, true, 1, 3},
    {"non-centred horseshoe", noncentered_local, 2, true, 1, 1},
};

/* The scale site s of a model, by where it stands. */
static const crdi_scale_site *find(const crd_model *m, const crdi_scale_sites *scales)
{
    int64_t offset = crd_model_site(m, crdi_model_find(m, "s"))->offset;
    for (int i = 0; i < scales->count; i++)
        if (scales->site[i].offset == offset)
            return &scales->site[i];
    fail_msg("s was not found to be a scale");
    return NULL;
}

/* ---- the density of a conditional ---------------------------------------------------------------------------- */

struct density {
    const crd_model *model;
    crd_exec *exec, *log_sd; /* log_sd may be NULL */
    const double *u;
    int64_t at; /* coordinate of u */
};

static double log_at(const struct density *d, double v)
{
    int64_t dim = crd_model_dim(d->model);
    double *u = crd_exec_input(d->exec), sum = 0;
    memcpy(u, d->u, sizeof *u * (size_t)dim);
    u[d->at] = v;
    if (d->log_sd) {
        double *before = malloc(sizeof *before * (size_t)dim);
        memcpy(crd_exec_input(d->log_sd), d->u, sizeof *u * (size_t)dim);
        crd_exec_run(d->log_sd);
        memcpy(before, crd_exec_output(d->log_sd), sizeof *u * (size_t)dim);
        memcpy(crd_exec_input(d->log_sd), u, sizeof *u * (size_t)dim);
        crd_exec_run(d->log_sd);
        for (int64_t i = 0; i < dim; i++) {
            u[i] *= exp(before[i] - crd_exec_output(d->log_sd)[i]);
            sum -= crd_exec_output(d->log_sd)[i];
        }
        free(before);
    }
    crd_exec_run(d->exec);
    return crd_exec_output(d->exec)[0] + sum;
}

static void moments(const struct density *d, double moment[2])
{
    double most = -INFINITY, total = 0;
    moment[0] = moment[1] = 0;
    for (double v = -14; v < 14; v += 0.01)
        most = fmax(most, log_at(d, v));
    for (double v = -14; v < 14; v += 0.01) {
        double weight = exp(log_at(d, v) - most);
        total += weight;
        moment[0] += weight * v;
        moment[1] += weight * v * v;
    }
    moment[0] /= total;
    moment[1] /= total;
}

static void check_draws(crd_context *ctx, const struct form *form, const crd_model *m, crdi_scale_sites *scales)
{
    int64_t dim = crd_model_dim(m);
    const crdi_scale_site *site = find(m, scales);
    crdi_scale_sites alone = *scales; /* the others held */
    alone.site = (crdi_scale_site *)(uintptr_t)site;
    alone.count = 1;
    crdi_gibbs *gibbs;
    struct density d = {.model = m};
    double *u = malloc(sizeof *u * (size_t)dim), *series = malloc(sizeof *series * DRAWS), truth[2], *first;
    first = malloc(sizeof *u * (size_t)dim);
    crd_random_uniform_between(crd_key_make(4), -1, 1, dim, u);
    memcpy(first, u, sizeof *u * (size_t)dim);
    assert_ok(ctx, crd_exec_create(&d.exec, crd_model_density(m)));
    if (scales->log_sd)
        assert_ok(ctx, crd_exec_create(&d.log_sd, scales->log_sd));
    d.u = first;
    d.at = site->offset + site->size - 1;
    moments(&d, truth);
    assert_ok(ctx, crdi_gibbs_create(ctx, &alone, dim, &gibbs));
    for (uint32_t i = 0; i < DRAWS; i++) {
        crdi_gibbs_draw(gibbs, crd_key_fold_in(crd_key_make(5), i), u);
        series[i] = u[d.at];
    }
    for (int power = 0; power < 2; power++) {
        double error;
        for (int i = 0; i < DRAWS && power == 1; i++)
            series[i] *= series[i];
        assert_ok(ctx, crd_diag_mcse_mean(ctx, series, 1, DRAWS, &error));
        double z = (crd_diag_mean(series, DRAWS) - truth[power]) / error;
        print_message("%s: moment %d %.4f, z %.2f, %.0f effective draws of %d\n", form->name, power + 1, truth[power],
                      z, (truth[1] - truth[0] * truth[0]) / (error * error), DRAWS);
        assert_true(fabs(z) < 5);
    }
    crdi_gibbs_destroy(&gibbs);
    crd_exec_destroy(&d.exec);
    crd_exec_destroy(&d.log_sd);
    free(first);
    free(series);
    free(u);
}

static void scales_have_the_density_of_the_model(void **state)
{
    (void)state;
    for (int f = 0; f < (int)(sizeof forms / sizeof *forms); f++) {
        crd_context *ctx = testing_context();
        crd_model *m;
        crdi_scale_sites scales;
        assert_ok(ctx, crd_model_create(&m, ctx, forms[f].fn, NULL));
        assert_ok(ctx, crdi_scale_sites_create(m, true, &scales));
        assert_int_equal(scales.count, forms[f].found);
        const crdi_scale_site *s = find(m, &scales);
        assert_true((s->draw != NULL) == forms[f].conjugate && s->power == forms[f].power);
        for (int64_t i = 0; i < s->size; i++)
            assert_true(s->count[i] == forms[f].count);
        check_draws(ctx, &forms[f], m, &scales);
        crdi_scale_sites_destroy(&scales);
        crd_model_destroy(&m);
        testing_context_destroy(&ctx);
    }
}

/* ---- models in which it is none ------------------------------------------------------------------------------ */

static crd_node shifted(crd_trace *t, void *user) /* the sd is no power of s */
{
    (void)user;
    crd_node s = crd_sample(t, "s", crd_half_cauchy(crd_num(1)));
    normals(t, "x", crd_add(s, crd_num(1)), crd_shape_1(2));
    return s;
}

static crd_node in_the_location(crd_trace *t, void *user)
{
    (void)user;
    crd_node s = crd_sample(t, "s", crd_half_cauchy(crd_num(1)));
    crd_sample(t, "x", crd_normal(s, s));
    return s;
}

static crd_node of_student(crd_trace *t, void *user)
{
    (void)user;
    crd_node s = crd_sample(t, "s", crd_half_cauchy(crd_num(1)));
    crd_sample(t, "x", crd_student_t(crd_num(4), crd_num(0), s));
    return s;
}

static crd_node of_two_elements(crd_trace *t, void *user)
{
    (void)user;
    crd_node s = crd_sample(t, "s", crd_dist_expand(crd_half_cauchy(crd_num(1)), crd_shape_1(2)));
    normals(t, "x", crd_mul(crd_reshape(s, crd_shape_2(2, 1)), s), crd_shape_2(2, 2));
    return s;
}

static crd_node of_two_powers(crd_trace *t, void *user)
{
    (void)user;
    crd_node s = crd_sample(t, "s", crd_half_cauchy(crd_num(1)));
    normals(t, "x", s, crd_shape_1(2));
    normals(t, "z", crd_sqrt(s), crd_shape_1(2));
    return s;
}

static crd_node in_a_factor(crd_trace *t, void *user)
{
    (void)user;
    crd_node s = crd_sample(t, "s", crd_half_cauchy(crd_num(1)));
    normals(t, "x", s, crd_shape_1(2));
    crd_factor(t, "more", crd_neg(s));
    return s;
}

static crd_node the_bound_of_another(crd_trace *t, void *user)
{
    (void)user;
    crd_node s = crd_sample(t, "s", crd_half_cauchy(crd_num(1)));
    normals(t, "x", s, crd_shape_1(2));
    crd_sample(t, "z", crd_uniform(crd_num(0), s));
    return s;
}

static crd_node the_normal_is_seen_alone(crd_trace *t, void *user) /* not only s times it */
{
    (void)user;
    crd_node s = crd_sample(t, "s", crd_half_cauchy(crd_num(1)));
    crd_node raw = crd_sample(t, "raw", crd_dist_expand(standard(), crd_shape_1(3)));
    observe(t, crd_add(crd_sum(crd_mul(raw, s)), crd_sum(raw)), crd_num(1));
    return s;
}

static crd_node the_scale_is_seen_alone(crd_trace *t, void *user)
{
    (void)user;
    crd_node s = crd_sample(t, "s", crd_half_cauchy(crd_num(1)));
    crd_node raw = crd_sample(t, "raw", crd_dist_expand(standard(), crd_shape_1(3)));
    observe(t, crd_add(crd_sum(crd_mul(raw, s)), s), crd_num(1));
    return s;
}

static void what_is_no_scale_is_left_alone(void **state)
{
    (void)state;
    static const crd_model_fn models[] = {shifted,
                                          in_the_location,
                                          of_student,
                                          of_two_elements,
                                          of_two_powers,
                                          in_a_factor,
                                          the_bound_of_another,
                                          the_normal_is_seen_alone,
                                          the_scale_is_seen_alone};
    crd_context *ctx = testing_context();
    crdi_scale_sites scales;
    crd_model *m;
    for (int i = 0; i < (int)(sizeof models / sizeof *models); i++) {
        assert_ok(ctx, crd_model_create(&m, ctx, models[i], NULL));
        assert_ok(ctx, crdi_scale_sites_create(m, true, &scales));
        if (scales.count != 0)
            fail_msg("model %d: s was found to be a scale", i);
        crdi_scale_sites_destroy(&scales);
        crd_model_destroy(&m);
    }
    assert_ok(ctx, crd_model_create(&m, ctx, noise, NULL)); /* not unless it is asked for */
    assert_ok(ctx, crdi_scale_sites_create(m, false, &scales));
    assert_int_equal(scales.count, 0);
    crdi_scale_sites_destroy(&scales);
    crd_model_destroy(&m);
    testing_context_destroy(&ctx);
}

/* ---- chains -------------------------------------------------------------------------------------------------- */

enum { GROUPS = 5, ROWS = 20 };

static double rows[ROWS];

/* Row i belongs to group i mod 5: y ~ N(x of its group, 1), x ~ N(0.3, s). */
static crd_node groups(crd_trace *t, void *user)
{
    (void)user;
    static double group[ROWS];
    crd_array which = crd_array_borrow(group, crd_shape_1(ROWS)), y = crd_array_borrow(rows, crd_shape_1(ROWS));
    for (int i = 0; i < ROWS; i++)
        group[i] = i % GROUPS;
    crd_node s = crd_sample(t, "s", crd_half_cauchy(crd_num(0.7)));
    crd_node x = crd_sample(t, "x", crd_dist_expand(crd_normal(crd_num(0.3), s), crd_shape_1(GROUPS)));
    crd_plate plate = crd_plate_enter(t, "data", ROWS);
    crd_node mine = crd_subsample(plate, crd_data(t, "group", &which), 0);
    crd_node ys = crd_subsample(plate, crd_data(t, "y", &y), 0);
    crd_observe_value(t, "obs", crd_normal(crd_gather(x, mine), crd_num(1)), ys);
    crd_plate_leave(plate);
    return s;
}

/* Mean of log s given the rows, and the log of their density: s on a grid of its logarithm. The rows of a group, their mean m, are
 * N(0.3, s^2 + 1) each with covariances s^2: m is N(0.3, s^2 + 1 / n), and what is left of them does not know s. */
static double mean_of_log_s(double *evidence)
{
    static const double LOG_2PI = 1.8378770664093454, PI = 3.141592653589793, STEP = 0.002;
    double mean[GROUPS] = {0}, n = (double)ROWS / GROUPS, total = 0, sum = 0, rest = 0;
    for (int i = 0; i < ROWS; i++)
        mean[i % GROUPS] += rows[i] / n;
    for (int i = 0; i < ROWS; i++)
        rest -= 0.5 * pow(rows[i] - mean[i % GROUPS], 2);
    rest -= 0.5 * (ROWS - GROUPS) * LOG_2PI + 0.5 * GROUPS * log(n);
    for (double v = -14; v < 14; v += STEP) {
        double s = exp(v), variance = s * s + 1 / n, log_density = v + log(2 * 0.7 / PI) - log(0.49 + s * s);
        for (int g = 0; g < GROUPS; g++)
            log_density -= 0.5 * (LOG_2PI + log(variance) + pow(mean[g] - 0.3, 2) / variance);
        total += STEP * exp(log_density);
        sum += STEP * v * exp(log_density);
    }
    *evidence = rest + log(total);
    return sum / total;
}

static crd_posterior *run_groups(crd_context *ctx, const crd_model *m, const char *kernel, const char *blocks,
                                 int64_t draws, crd_key key)
{
    crd_posterior *p = NULL;
    crd_tempered_options tempered = {.temperatures = 3};
    crd_nuts_options options = {.kernel = kernel,
                                .warmup = 500,
                                .draws = draws,
                                .blocks = blocks,
                                .batches = 5,
                                .bias = 0.01,
                                .path_length = 1.5};
    bool batches = kernel[0] == 's' && strcmp(kernel, "split_hmc") != 0;
    if (strcmp(kernel, "tempering") == 0) {
        assert_ok(ctx, crd_tempering_run(m, &options, &tempered, key, &p, NULL));
        return p;
    }
    options.batch = batches ? 10 : 0;
    assert_ok(ctx, crd_nuts_run(m, &options, key, &p));
    return p;
}

static void make_rows(void)
{
    for (int i = 0; i < ROWS; i++)
        rows[i] = (i % GROUPS - 2) * 0.8 + 0.9 * sin(3.7 * i);
}

/* Every kernel of the table draws scales in blocks, which are not the draws without. */
static void every_kernel_keeps_the_posterior(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_model *m;
    make_rows();
    double evidence, truth = mean_of_log_s(&evidence);
    assert_ok(ctx, crd_model_create(&m, ctx, groups, NULL));
    for (int k = 0; crdi_mcmc_kernel_get(k); k++) {
        const crdi_mcmc_kernel *kernel = crdi_mcmc_kernel_get(k);
        crd_key key = crd_key_fold_in(crd_key_make(3), (uint32_t)k);
        crd_posterior *p = run_groups(ctx, m, kernel->name, "scales", 2000, key),
                      *without = run_groups(ctx, m, kernel->name, "none", 1, key);
        const double *s = crd_posterior_find(p, "s")->draws;
        double error, n = 0, *log_s = malloc(sizeof *log_s * 8000);
        for (int i = 0; i < 8000; i++)
            log_s[i] = log(s[i]);
        assert_ok(ctx, crd_diag_mcse_mean(ctx, log_s, 4, 2000, &error));
        assert_ok(ctx, crd_diag_ess_mean(ctx, log_s, 4, 2000, &n));
        double away = crd_diag_mean(log_s, 8000) - truth;
        print_message("%s: mean of log s %.4f away from %.4f, error %.4f, %.0f effective draws\n", kernel->name, away,
                      truth, error, n);
        assert_true(s[0] != crd_posterior_find(without, "s")->draws[0]);
        assert_true(fabs(away) < 5 * error + (kernel->biased ? 0.02 : 0));
        free(log_s);
        crd_posterior_destroy(&p);
        crd_posterior_destroy(&without);
    }
    crd_model_destroy(&m);
    testing_context_destroy(&ctx);
}

/* A chain with blocks goes on bit for bit from its state. */
static void a_chain_goes_on_from_its_state(void **state)
{
    (void)state;
    static const char *const methods[] = {"nuts", "mclmc"};
    crd_context *ctx = testing_context();
    crd_model *m;
    crdi_scale_sites scales;
    crdi_transition t;
    assert_ok(ctx, crd_model_create(&m, ctx, noncentered_rows, NULL));
    assert_ok(ctx, crdi_scale_sites_create(m, true, &scales));
    for (int k = 0; k < 2; k++) {
        crd_nuts_options options = {.kernel = methods[k], .warmup = 60}, full;
        assert_ok(ctx, crdi_mcmc_complete(ctx, &options, &full));
        crdi_chain chain[2];
        crdi_archive archive = {0};
        for (int c = 0; c < 2; c++) {
            assert_ok(ctx, crdi_chain_create(&chain[c], ctx, crd_model_density(m), &full, crd_key_make(7)));
            assert_ok(ctx, crdi_chain_add_blocks(&chain[c], &scales));
        }
        assert_ok(ctx, crdi_chain_start(&chain[0], 0));
        for (int i = 0; i < 80; i++) {
            if (i == 40) {
                crdi_archive_write(&archive, ctx);
                crdi_chain_state(&chain[0], &archive);
                assert_ok(ctx, archive.status);
                crdi_archive from;
                crdi_archive_read(&from, ctx, archive.bytes, archive.size);
                crdi_chain_state(&chain[1], &from);
                assert_ok(ctx, from.status);
            }
            crdi_chain_advance(&chain[0], &t);
            if (i >= 40)
                crdi_chain_advance(&chain[1], &t);
        }
        assert_memory_equal(chain[0].h.q, chain[1].h.q, sizeof(double) * (size_t)chain[0].h.dim);
        for (int c = 0; c < 2; c++)
            crdi_chain_destroy(&chain[c]);
        crdi_archive_clear(&archive);
    }
    crdi_scale_sites_destroy(&scales);
    crd_model_destroy(&m);
    testing_context_destroy(&ctx);
}

/* Evidence and draws of particles. The intervals are Student's, of 20 runs: at 5 standard errors a false alarm in 12 000. */
static void particles_keep_the_evidence(void **state)
{
    (void)state;
    static const struct {
        crd_status (*run)(const crd_model *, const crd_tempered_options *, crd_key, crd_posterior **, crd_evidence *);
        const char *name;
    } methods[] = {{crd_smc_run, "smc"}, {crd_ais_run, "ais"}};
    const int particles = testing_sanitized() ? 25 : 100;
    crd_context *ctx = testing_context();
    crd_model *m;
    make_rows();
    double log_evidence, truth = mean_of_log_s(&log_evidence);
    assert_ok(ctx, crd_model_create(&m, ctx, groups, NULL));
    for (int k = 0; k < 2; k++) {
        crd_tempered_options o = {.chains = 20, .particles = particles, .pilot = 100, .blocks = "scales"};
        crd_posterior *p;
        crd_evidence e;
        double mean[20] = {0}, all = 0, spread = 0;
        assert_ok(ctx, methods[k].run(m, &o, crd_key_make(8 + (uint64_t)k), &p, &e));
        const double *s = crd_posterior_find(p, "s")->draws;
        for (int c = 0; c < 20; c++) {
            for (int i = 0; i < particles; i++)
                mean[c] += log(s[c * particles + i]) / particles;
            all += mean[c] / 20;
        }
        for (int c = 0; c < 20; c++)
            spread += (mean[c] - all) * (mean[c] - all);
        double error = sqrt(spread / 19 / 20);
        print_message("%s: log evidence %.3f +- %.3f, %.3f it is; mean of log s %.3f +- %.3f, %.3f\n", methods[k].name,
                      e.log_evidence, e.error, log_evidence, all, error, truth);
        assert_true(fabs(e.log_evidence - log_evidence) < 5 * e.error && fabs(all - truth) < 5 * error);
        /* What stands beside a draw is of it, whether its last trajectory was taken or not. */
        for (int i = 0; i < 20 * particles; i++) {
            double u[1 + GROUPS] = {log(s[i])}, gradient[1 + GROUPS], density;
            memcpy(u + 1, crd_posterior_find(p, "x")->draws + i * GROUPS, sizeof *u * GROUPS);
            assert_ok(ctx, crd_model_log_density(m, u, &density, gradient));
            assert_close(crd_posterior_find(p, "log_density")->draws[i], density, 1e-9, 1e-9);
        }
        crd_evidence_clear(&e);
        crd_posterior_destroy(&p);
    }
    crd_model_destroy(&m);
    testing_context_destroy(&ctx);
}

/* Where a trajectory leads nowhere the chain stays at what was drawn, and knows its density. */
static void a_chain_that_stays_knows_where_it_is(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_nuts_options options = {.kernel = "hmc", .warmup = -1, .step_size = 1000}, full;
    crd_model *m;
    crdi_scale_sites scales;
    crdi_chain chain;
    crdi_transition t;
    double last;
    assert_ok(ctx, crd_model_create(&m, ctx, noncentered_rows, NULL));
    assert_ok(ctx, crdi_scale_sites_create(m, true, &scales));
    assert_ok(ctx, crdi_mcmc_complete(ctx, &options, &full));
    assert_ok(ctx, crdi_chain_create(&chain, ctx, crd_model_density(m), &full, crd_key_make(7)));
    assert_ok(ctx, crdi_chain_add_blocks(&chain, &scales));
    assert_ok(ctx, crdi_chain_start(&chain, 0));
    for (int i = 0; i < 5; i++) {
        last = chain.h.q[scales.site[0].offset];
        crdi_chain_advance(&chain, &t);
        assert_true(t.diverging && chain.h.q[scales.site[0].offset] != last);
        assert_ok(ctx, crdi_chain_check(&chain, 0));
    }
    crdi_chain_destroy(&chain);
    crdi_scale_sites_destroy(&scales);
    crd_model_destroy(&m);
    testing_context_destroy(&ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scales_have_the_density_of_the_model), cmocka_unit_test(what_is_no_scale_is_left_alone),
        cmocka_unit_test(every_kernel_keeps_the_posterior),     cmocka_unit_test(a_chain_that_stays_knows_where_it_is),
        cmocka_unit_test(particles_keep_the_evidence),          cmocka_unit_test(a_chain_goes_on_from_its_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
