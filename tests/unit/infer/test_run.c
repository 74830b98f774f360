/* test_run.c - runs of several chains: what does not change the draws, stopping, progress, options, failures. */
#include "infer/mcmc.h"
#include "line.h"

#include <math.h>
#include <stdatomic.h>
#include <string.h>

static const crd_nuts_options short_run = {.chains = 4, .warmup = 40, .draws = 150};

static crd_model *line_create(crd_context *ctx, struct line *l)
{
    crd_model *m;
    line_init(l);
    assert_ok(ctx, crd_model_create(&m, ctx, line_model, l));
    return m;
}

/* The first `chains` chains of two posteriors are equal to the bit. */
static void assert_same_draws(const crd_posterior *a, const crd_posterior *b, int chains)
{
    assert_int_equal(a->draws, b->draws);
    assert_int_equal(a->column_count, b->column_count);
    for (int c = 0; c < a->column_count; c++) {
        assert_string_equal(a->column[c].name, b->column[c].name);
        assert_memory_equal(a->column[c].draws, b->column[c].draws,
                            sizeof(double) * (size_t)(chains * a->draws * a->column[c].size));
    }
}

/* ---- what the draws depend on ------------------------------------------------------------------------------- */

static void threads_and_other_chains_change_nothing(void **state)
{
    (void)state;
    static const char *const methods[] = {"nuts", "hmc", "mclmc", "mams"}, *const metrics[] = {"diagonal", "fisher",
                                                                                               "unit", "dense",
                                                                                               "low_rank"};
    crd_context *ctx = testing_context();
    struct line l;
    crd_model *m = line_create(ctx, &l);
    for (int k = 0; k < 4 * CRDI_COUNT(metrics); k++) {
        crd_posterior *p[5];
        const struct {
            int64_t threads, chains;
        } cases[5] = {{1, 4}, {2, 4}, {4, 4}, {2, 1}, {3, 6}};
        for (int i = 0; i < 5; i++) {
            crd_nuts_options options = short_run;
            options.kernel = methods[k % 4];
            options.metric = metrics[k / 4];
            options.threads = cases[i].threads;
            options.chains = cases[i].chains;
            assert_ok(ctx, crd_nuts_run(m, &options, crd_key_make(7), &p[i]));
            assert_same_draws(p[0], p[i], cases[i].chains < 4 ? 1 : 4);
        }
        const crd_column *w = crd_posterior_find(p[0], "w"); /* each chain draws its own */
        assert_memory_not_equal(w->draws, w->draws + w->size * p[0]->draws, sizeof(double) * 2);
        for (int i = 0; i < 5; i++)
            crd_posterior_destroy(&p[i]);
    }
    crd_model_destroy(&m);
    testing_context_destroy(&ctx);
}

static void the_key_counts(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    struct line l;
    crd_model *m = line_create(ctx, &l);
    crd_posterior *p[3];
    for (int i = 0; i < 3; i++)
        assert_ok(ctx, crd_nuts_run(m, &short_run, crd_key_make(i < 2 ? 1 : 2), &p[i]));
    assert_same_draws(p[0], p[1], 4);
    assert_true(crd_posterior_find(p[0], "s")->draws[9] != crd_posterior_find(p[2], "s")->draws[9]);
    for (int i = 0; i < 3; i++)
        crd_posterior_destroy(&p[i]);
    crd_model_destroy(&m);
    testing_context_destroy(&ctx);
}

/* ---- what comes out ----------------------------------------------------------------------------------------- */

static void columns_and_statistics_are_whole(void **state)
{
    (void)state;
    static const char *const keep[] = {"slope", "f"};
    static const char *const names[] = {"f",      "s",           "slope",   "w",         "accept_prob", "diverging",
                                        "energy", "log_density", "n_steps", "step_size", "tree_depth"};
    crd_context *ctx = testing_context();
    struct line l;
    crd_model *m = line_create(ctx, &l);
    crd_posterior *p;
    crd_nuts_options options = short_run;
    options.keep = keep;
    options.keep_count = 2;
    assert_ok(ctx, crd_nuts_run(m, &options, crd_key_make(1), &p));
    assert_int_equal(p->chains, 4);
    assert_int_equal(p->draws, 150);
    assert_int_equal(p->warmup, 40);
    assert_int_equal(p->column_count, CRDI_COUNT(names));
    double steps = 0;
    for (int c = 0; c < p->column_count; c++)
        assert_string_equal(p->column[c].name, names[c]);
    for (int64_t d = 0; d < 4 * 150; d++) {
        const double *w = crd_posterior_find(p, "w")->draws + 2 * d, *f = crd_posterior_find(p, "f")->draws + ROWS * d;
        double s = crd_posterior_find(p, "s")->draws[d], value, u[3] = {log(s), w[0], w[1]};
        assert_true(s > 0 && crd_posterior_find(p, "slope")->draws[d] == w[0]);
        for (int i = 0; i < ROWS; i++)
            assert_close(f[i], w[0] * l.x_data[i] + w[1], 1e-14, 1e-15);
        assert_ok(ctx, crd_model_log_density(m, u, &value, NULL));
        assert_close(crd_posterior_find(p, "log_density")->draws[d], value, 1e-12, 1e-12);
        assert_true(crd_posterior_find(p, "energy")->draws[d] >= -value - 1e-9);
        steps += crd_posterior_find(p, "n_steps")->draws[d];
    }
    assert_true((double)p->gradient_evaluations > steps + 4 * 40);
    assert_true(p->gradient_seconds > 0 && p->sampling_seconds > 0 && p->warmup_seconds > 0);
    crd_posterior_destroy(&p);
    crd_model_destroy(&m);
    testing_context_destroy(&ctx);
}

/* ---- stopping ----------------------------------------------------------------------------------------------- */

struct brake {
    atomic_int polls;
    int most;
};

static int stop_after(void *user)
{
    struct brake *brake = user;
    return atomic_fetch_add(&brake->polls, 1) >= brake->most;
}

/* One chain after the other on one thread: the first stop ends all; the posterior is as long as the shortest chain. */
static void a_stopped_run_keeps_what_all_chains_have(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    struct line l;
    crd_model *m = line_create(ctx, &l);
    crd_posterior *whole, *p;
    crd_nuts_options options = {.chains = 2, .warmup = 30, .draws = 200, .threads = 1};
    assert_ok(ctx, crd_nuts_run(m, &options, crd_key_make(3), &whole));
    const struct {
        int64_t polls, draws;
    } cases[] = {{0, 0}, {10, 0}, {230, 0}, {260, 0}, {261, 1}, {300, 40}, {459, 199}};
    for (int c = 0; c < CRDI_COUNT(cases); c++) {
        struct brake brake = {.most = (int)cases[c].polls};
        options.stop = stop_after;
        options.stop_user = &brake;
        assert_int_equal(crd_nuts_run(m, &options, crd_key_make(3), &p), CRD_INTERRUPTED);
        assert_string_equal(crd_error_message(ctx), "");
        assert_int_equal(p->draws, cases[c].draws);
        for (int k = 0; k < p->column_count; k++)
            for (int chain = 0; chain < 2; chain++) {
                int64_t size = p->column[k].size;
                assert_memory_equal(p->column[k].draws + chain * p->draws * size,
                                    whole->column[k].draws + chain * 200 * size,
                                    sizeof(double) * (size_t)(p->draws * size));
            }
        crd_posterior_destroy(&p);
    }
    struct brake late = {.most = 460}; /* polled before each transition: never after the last one */
    options.stop_user = &late;
    assert_int_equal(crd_nuts_run(m, &options, crd_key_make(3), &p), CRD_OK);
    assert_int_equal(atomic_load(&late.polls), 460);
    crd_posterior_destroy(&p);
    crd_posterior_destroy(&whole);
    crd_model_destroy(&m);
    testing_context_destroy(&ctx);
}

static void chains_side_by_side_stop_together(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    struct line l;
    crd_model *m = line_create(ctx, &l);
    crd_posterior *p;
    struct brake brake = {.most = 2000};
    crd_nuts_options options = {
        .chains = 3, .warmup = 20, .draws = 1000000, .threads = 3, .stop = stop_after, .stop_user = &brake};
    assert_int_equal(crd_nuts_run(m, &options, crd_key_make(3), &p), CRD_INTERRUPTED);
    assert_true(p->draws < 2000);
    for (int64_t d = 0; d < 3 * p->draws; d++)
        assert_true(crd_posterior_find(p, "n_steps")->draws[d] >= 1 && crd_posterior_find(p, "s")->draws[d] > 0);
    crd_posterior_destroy(&p);
    crd_model_destroy(&m);
    testing_context_destroy(&ctx);
}

/* ---- progress ----------------------------------------------------------------------------------------------- */

struct watcher {
    int calls, count;
    crd_chain_progress last[4];
};

static void watch(void *user, const crd_chain_progress *chains, int count)
{
    struct watcher *w = user;
    for (int c = 0; c < count; c++) { /* nothing goes back, and parts are no larger than their whole */
        assert_true(chains[c].iteration >= w->last[c].iteration && chains[c].iteration <= chains[c].total);
        assert_true(chains[c].sampling_gradients >= 0 && chains[c].sampling_gradients <= chains[c].gradients);
        w->last[c] = chains[c];
    }
    w->calls++;
    w->count = count;
}

/* However short the run: the last call shows its end. */
static void progress_is_told_to_the_end(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    struct line l;
    crd_model *m = line_create(ctx, &l);
    for (int i = 0; i < 30; i++) {
        crd_posterior *p;
        struct watcher w = {0};
        crd_nuts_options options = {
            .chains = 3, .warmup = 20, .draws = 1 + 10 * i, .threads = 1, .progress = watch, .progress_user = &w};
        assert_ok(ctx, crd_nuts_run(m, &options, crd_key_make(3), &p));
        assert_true(w.calls >= 1);
        assert_int_equal(w.count, 3);
        int64_t gradients = 0;
        for (int c = 0; c < 3; c++) {
            assert_int_equal(w.last[c].iteration, 21 + 10 * i);
            assert_int_equal(w.last[c].total, 21 + 10 * i);
            assert_int_equal(w.last[c].warmup, 20);
            assert_true(w.last[c].sampling_gradients > 0 && w.last[c].step_size > 0 && w.last[c].seconds > 0);
            gradients += w.last[c].gradients;
        }
        assert_int_equal(gradients, p->gradient_evaluations);
        crd_posterior_destroy(&p);
    }
    crd_model_destroy(&m);
    testing_context_destroy(&ctx);
}

/* ---- options ------------------------------------------------------------------------------------------------ */

static void zero_means_the_default(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    struct line l;
    crd_model *m = line_create(ctx, &l);
    crd_posterior *p[3];
    crd_nuts_options zeros = {0}, defaults = {.chains = 4,
                                              .warmup = 1000,
                                              .draws = 1000,
                                              .threads = 2,
                                              .kernel = "nuts",
                                              .target_accept = 0.8,
                                              .max_depth = 10,
                                              .max_energy_change = 1000,
                                              .metric = "diagonal",
                                              .path_length = 6.283185307179586,
                                              .init_radius = 2};
    assert_ok(ctx, crd_nuts_run(m, NULL, crd_key_make(5), &p[0]));
    assert_ok(ctx, crd_nuts_run(m, &zeros, crd_key_make(5), &p[1]));
    assert_ok(ctx, crd_nuts_run(m, &defaults, crd_key_make(5), &p[2]));
    assert_int_equal(p[0]->draws, 1000);
    assert_same_draws(p[0], p[1], 4);
    assert_same_draws(p[0], p[2], 4);
    for (int i = 0; i < 3; i++)
        crd_posterior_destroy(&p[i]);
    crd_model_destroy(&m);
    testing_context_destroy(&ctx);
}

static void no_warmup_is_no_warmup(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    struct line l;
    crd_model *m = line_create(ctx, &l);
    crd_posterior *p;
    crd_nuts_options options = {.chains = 1, .warmup = -1, .draws = 30, .step_size = 0.125};
    assert_ok(ctx, crd_nuts_run(m, &options, crd_key_make(5), &p));
    assert_int_equal(p->warmup, 0);
    for (int d = 0; d < 30; d++)
        assert_true(crd_posterior_find(p, "step_size")->draws[d] == 0.125);
    crd_posterior_destroy(&p);
    crd_model_destroy(&m);
    testing_context_destroy(&ctx);
}

static void options_out_of_range_are_refused(void **state)
{
    (void)state;
    static const char *const twice[] = {"f", "f"}, *const unknown[] = {"slop"}, *const latent[] = {"w"};
    const struct {
        crd_nuts_options options;
        crd_status status;
        const char *says;
    } cases[] = {
        {{.chains = -1}, CRD_EINVAL, "chains"},
        {{.chains = 1001}, CRD_EINVAL, "chains"},
        {{.warmup = -2}, CRD_EINVAL, "warmup"},
        {{.warmup = 100000001}, CRD_EINVAL, "warmup"},
        {{.draws = -1}, CRD_EINVAL, "draws"},
        {{.threads = -1}, CRD_EINVAL, "threads"},
        {{.threads = 257}, CRD_EINVAL, "threads"},
        {{.kernel = "nut"}, CRD_ENAME, "did you mean 'nuts'"},
        {{.target_accept = 1}, CRD_EINVAL, "target-accept"},
        {{.target_accept = -0.1}, CRD_EINVAL, "target-accept"},
        {{.target_accept = NAN}, CRD_EINVAL, "target-accept"},
        {{.max_depth = 21}, CRD_EINVAL, "max-depth"},
        {{.max_depth = -1}, CRD_EINVAL, "max-depth"},
        {{.max_energy_change = -1}, CRD_EINVAL, "max-energy-change"},
        {{.metric = "sparse"}, CRD_ENAME, "metric"},
        {{.step_size = -1}, CRD_EINVAL, "step-size"},
        {{.step_size = INFINITY}, CRD_EINVAL, "step-size"},
        {{.path_length = -1}, CRD_EINVAL, "path-length"},
        {{.init_radius = -1}, CRD_EINVAL, "init-radius"},
        {{.init_radius = INFINITY}, CRD_EINVAL, "init-radius"},
        {{.keep = unknown, .keep_count = 1}, CRD_ENAME, "did you mean 'slope'"},
        {{.keep = latent, .keep_count = 1}, CRD_ENAME, "site w is no deterministic site"},
        {{.keep = twice, .keep_count = 2}, CRD_EINVAL, "f"},
        {{.keep = NULL, .keep_count = 1}, CRD_EINVAL, "keep"},
        {{.keep = twice, .keep_count = -1}, CRD_EINVAL, "keep"},
    };
    crd_context *ctx = testing_context();
    struct line l;
    crd_model *m = line_create(ctx, &l);
    for (int c = 0; c < CRDI_COUNT(cases); c++) {
        crd_posterior *p = NULL;
        crd_status status = crd_nuts_run(m, &cases[c].options, crd_key_make(1), &p);
        if (status != cases[c].status || !strstr(crd_error_message(ctx), cases[c].says))
            fail_msg("case %d: %s: %s", c, crd_status_name(status), crd_error_message(ctx));
        assert_null(p);
        crd_error_clear(ctx);
    }
    crd_model_destroy(&m);
    testing_context_destroy(&ctx);
}

/* ---- failures ----------------------------------------------------------------------------------------------- */

static crd_node nowhere_finite(crd_trace *t, void *user)
{
    (void)user;
    crd_node w = crd_sample(t, "w", crd_normal(crd_num(0), crd_num(1)));
    crd_factor(t, "hole", crd_log(crd_sub(crd_num(-1), crd_square(w))));
    return w;
}

/* Finite beyond 4 only, where the first start points do not reach. */
static crd_node finite_far_away(crd_trace *t, void *user)
{
    (void)user;
    crd_node w = crd_sample(t, "w", crd_normal(crd_num(0), crd_num(1)));
    crd_factor(t, "edge", crd_log(crd_sub(w, crd_num(4))));
    return w;
}

static void without_a_start_point_there_is_no_run(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_model *m;
    crd_posterior *p = NULL;
    assert_ok(ctx, crd_model_create(&m, ctx, nowhere_finite, NULL));
    crd_nuts_options options = short_run;
    options.threads = 1;
    assert_int_equal(crd_nuts_run(m, &options, crd_key_make(1), &p), CRD_ESTART);
    assert_null(p);
    assert_string_equal(
        crd_error_message(ctx),
        "chain 0: log density or gradient is not finite at 100 start points uniform in (-2, 2); a smaller "
        "--init-radius, or a look at the priors and the data's scale, may help");
    crd_error_clear(ctx);
    crd_model_destroy(&m);

    assert_ok(ctx, crd_model_create(&m, ctx, finite_far_away, NULL));
    assert_int_equal(crd_nuts_run(m, &options, crd_key_make(1), &p), CRD_ESTART);
    crd_error_clear(ctx);
    options.init_radius = 6; /* a sixth of the points will do: the first of up to 100 is taken */
    assert_ok(ctx, crd_nuts_run(m, &options, crd_key_make(1), &p));
    for (int64_t d = 0; d < 4 * p->draws; d++)
        assert_true(crd_posterior_find(p, "w")->draws[d] > 4);
    crd_posterior_destroy(&p);
    crd_model_destroy(&m);
    testing_context_destroy(&ctx);
}

/* Has room for 200 draws of chain 0; counts all. */
static crd_status full_disk(void *user, int chain, int64_t first, int64_t count, const double *const *values)
{
    atomic_llong *draws = user;
    (void)values;
    if (chain == 0 && first + count > 200)
        return CRD_EIO;
    atomic_fetch_add(draws, count);
    return CRD_OK;
}

/* The other chain, which has no trouble of its own, stops too. */
static void what_the_sink_says_ends_the_run(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    struct line l;
    crd_model *m = line_create(ctx, &l);
    for (int threads = 1; threads <= 2; threads++) {
        atomic_llong draws = 0;
        crdi_sink sink = {.user = &draws, .draws = full_disk};
        crdi_mcmc_report report;
        crd_nuts_options options = {.chains = 2, .warmup = 20, .draws = 1000000, .threads = threads};
        assert_int_equal(crdi_mcmc_run(m, &options, crd_key_make(1), NULL, &sink, &report), CRD_EIO);
        assert_true(threads == 1 ? atomic_load(&draws) <= 200 : atomic_load(&draws) < 900000);
    }
    crd_model_destroy(&m);
    testing_context_destroy(&ctx);
}

/* A model whose names are those of statistics: the run must not mistake them. */
static crd_node confusing(crd_trace *t, void *user)
{
    (void)user;
    crd_sample(t, "step_size", crd_dist_expand(crd_normal(crd_num(0), crd_num(1)), crd_shape_1(3)));
    return crd_sample(t, "energy", crd_normal(crd_num(0), crd_num(1)));
}

static void sites_named_as_statistics_are_refused(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_model *m;
    crd_posterior *p = NULL;
    assert_ok(ctx, crd_model_create(&m, ctx, confusing, NULL));
    assert_int_equal(crd_nuts_run(m, &short_run, crd_key_make(1), &p), CRD_ENAME);
    assert_non_null(strstr(crd_error_message(ctx), "energy"));
    assert_null(p);
    crd_model_destroy(&m);
    testing_context_destroy(&ctx);
}

/* Each allocation of a run fails once: a clean status, no posterior, nothing left behind. */
static void a_run_without_memory_fails_cleanly(void **state)
{
    (void)state;
    static const char *const keep[] = {"f"}, *const methods[] = {"nuts", "hmc", "mclmc", "mams"},
                             *const metrics[] = {"dense", "low_rank", "fisher", "low_rank"};
    for (int run = 0; run < 4; run++)
        for (int64_t k = 1;; k++) {
            crd_context *ctx = testing_context();
            struct line l;
            crd_model *m = line_create(ctx, &l);
            crd_posterior *p = NULL;
            struct watcher w = {0};
            crd_nuts_options options = {.chains = 2,
                                        .warmup = 2,
                                        .draws = 2,
                                        .threads = 1 + run % 2,
                                        .kernel = methods[run],
                                        .metric = metrics[run],
                                        .keep = keep,
                                        .keep_count = 1,
                                        .progress = watch,
                                        .progress_user = &w};
            testing_fail_allocation(k);
            crd_status status = crd_nuts_run(m, &options, crd_key_make(1), &p);
            testing_fail_allocation(0);
            assert_int_equal(status, crd_error_status(ctx));
            assert_true(status == CRD_OK || status == CRD_ENOMEM);
            assert_int_equal(p == NULL, status == CRD_ENOMEM);
            crd_posterior_destroy(&p);
            crd_model_destroy(&m);
            testing_context_destroy(&ctx);
            if (status == CRD_OK)
                break;
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_and_other_chains_change_nothing),
        cmocka_unit_test(the_key_counts),
        cmocka_unit_test(columns_and_statistics_are_whole),
        cmocka_unit_test(a_stopped_run_keeps_what_all_chains_have),
        cmocka_unit_test(chains_side_by_side_stop_together),
        cmocka_unit_test(progress_is_told_to_the_end),
        cmocka_unit_test(zero_means_the_default),
        cmocka_unit_test(no_warmup_is_no_warmup),
        cmocka_unit_test(options_out_of_range_are_refused),
        cmocka_unit_test(without_a_start_point_there_is_no_run),
        cmocka_unit_test(what_the_sink_says_ends_the_run),
        cmocka_unit_test(sites_named_as_statistics_are_refused),
        cmocka_unit_test(a_run_without_memory_fails_cleanly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
