/* test_pathfinder.c - Pathfinder: its covariance against BFGS written out, its draws against a dense normal, posteriors that are
 * known, threads, failures. */
#include "infer/map.h"
#include "infer/pathfinder/pathfinder.h"
#include "svi_models.h"

#include <math.h>
#include <string.h>

enum { MOST_DIM = 9, MOST_HISTORY = 4 };

/* ---- the normal ------------------------------------------------------------------------------------------------- */

/* H = (I - s z'/s'z) H (I - z s'/s'z) + s s'/s'z, dense. */
static void bfgs_update(int n, const double *s, const double *z, double *h)
{
    double left[MOST_DIM * MOST_DIM], half[MOST_DIM * MOST_DIM], sz = 0;
    for (int i = 0; i < n; i++)
        sz += s[i] * z[i];
    for (int r = 0; r < n; r++)
        for (int c = 0; c < n; c++)
            left[r * n + c] = (r == c) - s[r] * z[c] / sz;
    for (int r = 0; r < n; r++)
        for (int c = 0; c < n; c++) {
            half[r * n + c] = 0;
            for (int k = 0; k < n; k++)
                half[r * n + c] += left[r * n + k] * h[k * n + c];
        }
    for (int r = 0; r < n; r++)
        for (int c = 0; c < n; c++) {
            h[r * n + c] = s[r] * s[c] / sz;
            for (int k = 0; k < n; k++)
                h[r * n + c] += half[r * n + k] * left[c * n + k];
        }
}

/* What is known of a curvature made of `pairs` random pairs: itself, and the dense H of those it remembers. */
struct known {
    crdi_arena *arena;
    crdi_curvature curvature;
    crdi_path_normal normal;
    double h[MOST_DIM * MOST_DIM], x[MOST_DIM], gradient[MOST_DIM], mean[MOST_DIM];
};

static void make(crd_context *ctx, int n, int history, int pairs, uint64_t seed, struct known *out)
{
    double s[16][MOST_DIM], z[16][MOST_DIM], scale[MOST_DIM], work[2000];
    assert_true(crdi_path_normal_work(n, history) < 2000);
    assert_ok(ctx, crdi_arena_create(&out->arena, ctx));
    assert_ok(ctx, crdi_curvature_create(ctx, out->arena, n, history, &out->curvature));
    assert_ok(ctx, crdi_path_normal_create(out->arena, n, history, &out->normal));
    crd_random_uniform_between(crd_key_make(seed), 0.3, 5, n, scale);
    for (int k = 0; k < pairs; k++) { /* z = D s with a positive D that is not diagonal */
        double sum = 0;
        crd_random_normal(crd_key_fold_in(crd_key_make(seed + 1), (uint32_t)k), n, s[k]);
        for (int i = 0; i < n; i++)
            sum += s[k][i];
        for (int i = 0; i < n; i++)
            z[k][i] = scale[i] * s[k][i] + 0.4 * sum;
        assert_true(crdi_curvature_add(&out->curvature, s[k], z[k]));
    }
    memset(out->h, 0, sizeof out->h);
    for (int i = 0; i < n; i++)
        out->h[i * n + i] = out->curvature.alpha[i];
    for (int k = pairs > history ? pairs - history : 0; k < pairs; k++)
        bfgs_update(n, s[k], z[k], out->h);
    crd_random_normal(crd_key_make(seed + 2), n, out->x);
    crd_random_normal(crd_key_make(seed + 3), n, out->gradient);
    for (int i = 0; i < n; i++) {
        out->mean[i] = out->x[i];
        for (int k = 0; k < n; k++)
            out->mean[i] -= out->h[i * n + k] * out->gradient[k];
    }
    assert_true(crdi_path_normal_set(&out->normal, &out->curvature, out->x, out->gradient, work));
}

static const struct {
    int n, history, pairs;
} shapes[] = {{1, 2, 1}, {3, 4, 0}, {3, 2, 2}, {3, 4, 7}, {8, 3, 2}, {9, 4, 4}, {9, 4, 11}, {9, 1, 3}};

static void the_covariance_is_that_of_bfgs(void **state)
{
    (void)state;
    for (int i = 0; i < CRDI_COUNT(shapes); i++) {
        crd_context *ctx = testing_context();
        struct known k;
        int n = shapes[i].n;
        double column[MOST_DIM * MOST_DIM], zero[MOST_DIM] = {0}, center[MOST_DIM], work[4 * MOST_HISTORY];
        make(ctx, n, shapes[i].history, shapes[i].pairs, 40 + (uint64_t)i, &k);
        for (int d = 0; d < n; d++)
            assert_close(k.normal.mean[d], k.mean[d], 1e-10, 1e-10);
        memcpy(center, zero, sizeof center);
        crdi_path_normal_draw(&k.normal, center, work);
        for (int d = 0; d < n; d++)
            assert_close(center[d], k.mean[d], 1e-10, 1e-10);
        for (int c = 0; c < n; c++) { /* the columns of A are the images of unit vectors */
            double u[MOST_DIM] = {0};
            u[c] = 1;
            crdi_path_normal_draw(&k.normal, u, work);
            for (int r = 0; r < n; r++)
                column[r * n + c] = u[r] - k.normal.mean[r];
        }
        for (int r = 0; r < n; r++)
            for (int c = 0; c < n; c++) {
                double sum = 0;
                for (int j = 0; j < n; j++)
                    sum += column[r * n + j] * column[c * n + j];
                assert_close(sum, k.h[r * n + c], 1e-9, 1e-9);
            }
        crdi_arena_destroy(&k.arena);
        testing_context_destroy(&ctx);
    }
}

static void draws_know_their_density(void **state)
{
    (void)state;
    for (int i = 0; i < CRDI_COUNT(shapes); i++) {
        crd_context *ctx = testing_context();
        struct known k;
        int n = shapes[i].n;
        double u[MOST_DIM], work[4 * MOST_HISTORY], factor[MOST_DIM * MOST_DIM], y[MOST_DIM], expected = 0;
        make(ctx, n, shapes[i].history, shapes[i].pairs, 40 + (uint64_t)i, &k);
        crd_random_normal(crd_key_make(9), n, u);
        double log_q = crdi_path_normal_draw(&k.normal, u, work);
        /* Against the dense covariance: L y = u - mean. */
        for (int r = 0; r < n; r++)
            for (int c = 0; c <= r; c++) {
                double sum = k.h[r * n + c];
                for (int j = 0; j < c; j++)
                    sum -= factor[r * n + j] * factor[c * n + j];
                factor[r * n + c] = r == c ? sqrt(sum) : sum / factor[c * n + c];
            }
        for (int r = 0; r < n; r++) {
            y[r] = u[r] - k.mean[r];
            for (int j = 0; j < r; j++)
                y[r] -= factor[r * n + j] * y[j];
            y[r] /= factor[r * n + r];
            expected -= 0.5 * y[r] * y[r] + log(factor[r * n + r]) + 0.91893853320467274178;
        }
        assert_close(log_q, expected, 1e-9, 1e-9);
        crdi_arena_destroy(&k.arena);
        testing_context_destroy(&ctx);
    }
}

/* 1 / alpha is the diagonal of BFGS of the Hessian from z'Az / s'z times 1 / alpha (Gilbert & Lemarechal 1989). */
static void the_diagonal_is_that_of_an_update(void **state)
{
    (void)state;
    enum { DIM = 5, PAIRS = 3 };
    crd_context *ctx = testing_context();
    crdi_arena *arena;
    crdi_curvature c;
    double alpha[DIM] = {1, 1, 1, 1, 1};
    assert_ok(ctx, crdi_arena_create(&arena, ctx));
    assert_ok(ctx, crdi_curvature_create(ctx, arena, DIM, 2, &c));
    for (uint32_t k = 0; k < PAIRS; k++) {
        double s[DIM], z[DIM], b[DIM], bs[DIM], sz = 0, za = 0, sbs = 0;
        crd_random_normal(crd_key_fold_in(crd_key_make(5), k), DIM, s);
        for (int i = 0; i < DIM; i++) {
            z[i] = (1 + i) * s[i];
            sz += s[i] * z[i];
            za += z[i] * alpha[i] * z[i];
        }
        for (int i = 0; i < DIM; i++) {
            b[i] = za / sz / alpha[i];
            bs[i] = b[i] * s[i];
            sbs += s[i] * bs[i];
        }
        assert_true(crdi_curvature_add(&c, s, z));
        for (int i = 0; i < DIM; i++) {
            alpha[i] = 1 / (b[i] - bs[i] * bs[i] / sbs + z[i] * z[i] / sz);
            assert_close(c.alpha[i], alpha[i], 1e-12, 0);
        }
    }
    crdi_arena_destroy(&arena);
    testing_context_destroy(&ctx);
}

static void steps_without_curvature_are_left_out(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crdi_arena *arena;
    crdi_curvature c;
    const double s[2] = {1, 0}, down[2] = {-1, 0}, none[2] = {0, 1}, lost[2] = {1e-14, 10};
    assert_ok(ctx, crdi_arena_create(&arena, ctx));
    assert_ok(ctx, crdi_curvature_create(ctx, arena, 2, 3, &c));
    assert_false(crdi_curvature_add(&c, s, down));
    assert_false(crdi_curvature_add(&c, s, none));
    assert_false(crdi_curvature_add(&c, s, lost));
    assert_true(c.kept == 0 && c.alpha[0] == 1 && c.alpha[1] == 1);
    crdi_arena_destroy(&arena);
    testing_context_destroy(&ctx);
}

/* ---- posteriors --------------------------------------------------------------------------------------------------- */

static crd_pathfinder *run(crd_context *ctx, crd_model_fn fn, void *user, const crd_pathfinder_options *options,
                           crd_model **model)
{
    crd_pathfinder *pf;
    assert_ok(ctx, crd_model_create(model, ctx, fn, user));
    assert_ok(ctx, crd_pathfinder_run(*model, options, crd_key_make(3), &pf));
    return pf;
}

/* Means of 4000 draws within five standard errors of independent draws, k_hat good. What L-BFGS has not learned of the
 * curvature is mended by the weights. */
static void a_normal_posterior_is_found(void **state)
{
    (void)state;
    enum { DRAWS = 4000 };
    crd_context *ctx = testing_context();
    struct linear line;
    struct linear_exact exact;
    crd_model *model;
    crd_posterior *draws;
    linear_init(&line, LINEAR_MOST);
    linear_solve(&line, &exact);
    crd_pathfinder_options options = {.draws = DRAWS, .path_draws = 4000};
    crd_pathfinder *pf = run(ctx, linear_model, &line, &options, &model);
    static const char *const keep[] = {"sum"};
    assert_true(crd_pathfinder_k_hat(pf) < 0.5);
    for (int i = 0; i < 4; i++) {
        const crd_pathfinder_path *path = crd_pathfinder_path_of(pf, i);
        assert_int_equal(path->status, CRD_OK);
        assert_true(path->chosen >= 1 && path->chosen <= path->iterations);
        assert_true(path->elbo < exact.log_evidence + 1e-6 + 3 && path->elbo > exact.log_evidence - 3);
    }
    assert_null(crd_pathfinder_path_of(pf, 4));
    assert_ok(ctx, crd_pathfinder_draw(pf, keep, 1, &draws));
    const crd_column *w = crd_posterior_find(draws, "w"), *sum = crd_posterior_find(draws, "sum");
    const crd_column *log_p = crd_posterior_find(draws, "log_density");
    double total[LINEAR_MOST] = {0}, square[LINEAR_MOST] = {0}, unused[LINEAR_MOST];
    for (int d = 0; d < DRAWS; d++) {
        const double *at = w->draws + d * LINEAR_MOST;
        double s = 0;
        for (int k = 0; k < LINEAR_MOST; k++) {
            s += at[k];
            total[k] += at[k] - exact.mean[k];
            square[k] += (at[k] - exact.mean[k]) * (at[k] - exact.mean[k]);
        }
        assert_close(sum->draws[d], s, 1e-12, 1e-12);
        assert_close(log_p->draws[d], linear_log_prior(&line, at, unused) + linear_log_likelihood(&line, at, unused),
                     1e-9, 1e-9);
    }
    /* Resampled among 16000 with weights: twice the error of independent draws is counted. 8 numbers: 1e-5. */
    for (int k = 0; k < LINEAR_MOST; k++) {
        double variance = exact.covariance[k * LINEAR_MOST + k];
        assert_true(fabs(total[k]) < 5 * 2 * sqrt(DRAWS * variance));
        assert_true(fabs(square[k] / variance - DRAWS) < 5 * 2 * sqrt(2.0 * DRAWS));
    }
    crd_posterior_destroy(&draws);
    crd_pathfinder_destroy(&pf);
    crd_model_destroy(&model);
    testing_context_destroy(&ctx);
}

/* With the curvature of every direction remembered and a path that is long enough, the plain normal is nearly exact. */
static void a_long_memory_finds_the_covariance(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    struct linear line;
    struct linear_exact exact;
    crd_model *model;
    linear_init(&line, 3);
    linear_solve(&line, &exact);
    crd_pathfinder_options options = {.paths = 6, .history = 12, .elbo_draws = 200, .plain = 1};
    crd_pathfinder *pf = run(ctx, linear_model, &line, &options, &model);
    for (int i = 0; i < 6; i++) /* the bound's gap is the divergence from the posterior */
        assert_close(crd_pathfinder_path_of(pf, i)->elbo, exact.log_evidence, 0, 0.3);
    crd_pathfinder_destroy(&pf);
    crd_model_destroy(&model);
    testing_context_destroy(&ctx);
}

/* log tau ~ N(0, 3), x ~ N(0, exp(log tau / 2)): no normal is near it, and k_hat says so. */
static crd_node funnel_model(crd_trace *t, void *none)
{
    (void)none;
    crd_node v = crd_sample(t, "v", crd_normal(crd_num(0), crd_num(3)));
    return crd_sample(t, "x",
                      crd_dist_expand(crd_normal(crd_num(0), crd_exp(crd_mul(crd_num(0.5), v))), crd_shape_1(9)));
}

static void a_funnel_is_not_trusted(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_model *model;
    crd_pathfinder *pf = run(ctx, funnel_model, NULL, NULL, &model);
    assert_true(crd_pathfinder_k_hat(pf) > 0.7);
    crd_pathfinder_destroy(&pf);
    crd_model_destroy(&model);
    testing_context_destroy(&ctx);
}

/* The density is highest deep in the neck, at v = -40.5, where there is no mass (v is N(0, 3)). The climbs go there; normals are
 * taken from where they pass the mass (Zhang et al. 2022, sec. 2 and their funnels). */
static void on_the_way_into_a_funnel_the_mass_is_found(void **state)
{
    (void)state;
    enum { PATHS = 10, EACH = 500 };
    crd_context *ctx = testing_context();
    crd_model *model;
    crd_exec *exec;
    crd_pathfinder_options options = {.paths = PATHS, .plain = 1, .draws = PATHS * EACH};
    crd_pathfinder *pf = run(ctx, funnel_model, NULL, &options, &model);
    double v[PATHS] = {0}, u[10] = {0};
    int best = 0;
    for (int d = 0; d < PATHS * EACH; d++) { /* the paths in turn */
        crd_pathfinder_point(pf, d, u, NULL, NULL);
        v[d % PATHS] += u[0] / EACH;
    }
    for (int i = 0; i < PATHS; i++) {
        const crd_pathfinder_path *path = crd_pathfinder_path_of(pf, i);
        assert_true(2 * path->chosen < path->iterations);
        assert_true(v[i] > -25);
        best = path->elbo > crd_pathfinder_path_of(pf, best)->elbo ? i : best;
    }
    assert_true(fabs(v[best]) < 6);
    assert_true(crd_pathfinder_path_of(pf, best)->elbo > -4); /* the evidence is 1: the bound's best is 0 */
    for (int i = 0; i < 10; i++)
        u[i] = 0.5;
    assert_ok(ctx, crd_exec_create(&exec, crd_model_density(model)));
    assert_ok(ctx, crdi_find_map(ctx, exec, 10, u, NULL));
    assert_true(u[0] < -35);
    crd_exec_destroy(&exec);
    crd_pathfinder_destroy(&pf);
    crd_model_destroy(&model);
    testing_context_destroy(&ctx);
}

/* x is from a normal round -4 or from one round 4, with probabilities *left and 1 - *left. */
static crd_node two_model(crd_trace *t, void *left)
{
    double w = *(double *)left, logits[2] = {log(w), log1p(-w)}, at[2] = {-4, 4}, width[2] = {0.5, 1};
    crd_array share = crd_array_borrow(logits, crd_shape_1(2)), loc = crd_array_borrow(at, crd_shape_1(2));
    crd_array scale = crd_array_borrow(width, crd_shape_1(2));
    crd_graph *g = crd_trace_graph(t);
    crd_sample(t, "z", crd_normal(crd_num(0), crd_num(1)));
    return crd_sample(
        t, "x",
        crd_mixture_logits(crd_constant(g, &share), crd_normal(crd_constant(g, &loc), crd_constant(g, &scale))));
}

/* A path ends at one mode, and its bound is the logarithm of the mass there. Weights are those of each draw under its own
 * path's normal (their algorithm 2), so that a mode's share of the draws goes with its mass times the paths that found it: a
 * minor mode fades, however many starts lead to it. Shares to 5 standard errors of the resampling, 6e-7 each. */
static void several_paths_weigh_modes(void **state)
{
    (void)state;
    enum { PATHS = 20, DRAWS = 10000 };
    static const double masses[] = {0.5, 0.125, 1e-6};
    for (int k = 0; k < CRDI_COUNT(masses); k++) {
        crd_context *ctx = testing_context();
        crd_model *model;
        double w = masses[k], mass = 0, left = 0, u[2];
        crd_pathfinder_options options = {.paths = PATHS, .draws = DRAWS, .init_radius = 6, .elbo_draws = 500};
        crd_pathfinder *pf = run(ctx, two_model, &w, &options, &model);
        int paths = 0;
        for (int i = 0; i < PATHS; i++) {
            double start[2], elbo = crd_pathfinder_path_of(pf, i)->elbo;
            crdi_path_draw(&pf->path[i], 0, start, (double[64]){0});
            bool here = start[0] < -1;
            paths += here;
            mass += here ? w : 1 - w;
            assert_close(elbo, log(here ? w : 1 - w), 0, 0.15);
        }
        assert_true(paths >= 5 && paths <= 15);
        for (int d = 0; d < DRAWS; d++) {
            crd_pathfinder_point(pf, d, u, NULL, NULL);
            left += u[0] < -1;
        }
        double want = paths * w / mass;
        assert_close(left / DRAWS, want, 0, 5 * 1.2 * sqrt(want * (1 - want) / DRAWS) + 1e-9);
        crd_pathfinder_destroy(&pf);
        crd_model_destroy(&model);
        testing_context_destroy(&ctx);
    }
}

/* ---- threads, starts, failures ------------------------------------------------------------------------------------ */

static void threads_change_nothing(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_posterior *one = NULL;
    for (int threads = 1; threads <= 4; threads *= 2) {
        crd_model *model;
        crd_posterior *draws;
        crd_pathfinder_options options = {.threads = threads, .paths = 5, .draws = 300, .path_draws = 200};
        crd_pathfinder *pf = run(ctx, schools_model, NULL, &options, &model);
        assert_ok(ctx, crd_pathfinder_draw(pf, NULL, 0, &draws));
        for (int c = 0; one && c < one->column_count; c++)
            assert_memory_equal(one->column[c].draws, draws->column[c].draws,
                                sizeof(double) * 300 * (size_t)one->column[c].size);
        if (one)
            crd_posterior_destroy(&draws);
        else
            one = draws;
        crd_pathfinder_destroy(&pf);
        crd_model_destroy(&model);
    }
    crd_posterior_destroy(&one);
    testing_context_destroy(&ctx);
}

/* Chains that do not move show where they start. */
static void chains_start_where_they_are_told(void **state)
{
    (void)state;
    enum { CHAINS = 3 };
    crd_context *ctx = testing_context();
    struct linear line;
    struct linear_exact exact;
    crd_model *model;
    crd_posterior *draws;
    crd_pathfinder *pf;
    double points[CHAINS * LINEAR_MOST];
    linear_init(&line, LINEAR_MOST);
    linear_solve(&line, &exact);
    assert_ok(ctx, crd_model_create(&model, ctx, linear_model, &line));
    crd_nuts_options options = {
        .chains = CHAINS, .warmup = -1, .draws = 1, .max_depth = 1, .step_size = 1e-12, .start = "map"};
    assert_ok(ctx, crd_nuts_run(model, &options, crd_key_make(8), &draws));
    const double *w = crd_posterior_find(draws, "w")->draws;
    for (int i = 0; i < CHAINS * LINEAR_MOST; i++)
        assert_close(w[i], exact.mean[i % LINEAR_MOST], 1e-6, 1e-6);
    crd_posterior_destroy(&draws);
    options.start = "pathfinder";
    assert_ok(ctx, crd_nuts_run(model, &options, crd_key_make(8), &draws));
    crd_pathfinder_options same = {.path_draws = 100};
    assert_ok(ctx, crd_pathfinder_run(model, &same, crd_key_fold_in(crd_key_make(8), 0xfffffffe), &pf));
    assert_int_equal(crdi_pathfinder_distinct(pf, CHAINS, points), CHAINS);
    w = crd_posterior_find(draws, "w")->draws;
    for (int i = 0; i < CHAINS * LINEAR_MOST; i++)
        assert_close(w[i], points[i], 1e-9, 1e-9);
    assert_true(points[0] != points[LINEAR_MOST] && points[LINEAR_MOST] != points[2 * LINEAR_MOST]);
    assert_true(draws->gradient_evaluations > crd_pathfinder_path_of(pf, 0)->evaluations);
    crd_pathfinder_destroy(&pf);
    crd_posterior_destroy(&draws);
    crd_model_destroy(&model);
    testing_context_destroy(&ctx);
}

static int stop_at_once(void *none)
{
    (void)none;
    return 1;
}

static void what_is_wrong_is_named(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_model *model;
    crd_pathfinder *pf = NULL;
    const double here[LINEAR_MOST] = {NAN, 0, 0, 0};
    static struct linear line;
    linear_init(&line, LINEAR_MOST);
    const struct {
        crd_pathfinder_options options;
        crd_status status;
        const char *message;
    } cases[] = {
        {{.paths = -1}, CRD_EINVAL, "paths"},
        {{.draws = -1}, CRD_EINVAL, "draws"},
        {{.history = 101}, CRD_EINVAL, "history"},
        {{.elbo_draws = -3}, CRD_EINVAL, "elbo-draws"},
        {{.init_radius = -1}, CRD_EINVAL, "init_radius"},
        {{.start = "here"}, CRD_ENAME, "unknown start 'here'"},
        {{.start = "point"}, CRD_EINVAL, "values"},
        {{.stop = stop_at_once}, CRD_INTERRUPTED, ""},
        {{.start = "point", .start_values = here, .threads = 1}, CRD_ESTART, "no start point"},
    };
    assert_ok(ctx, crd_model_create(&model, ctx, linear_model, &line));
    for (int i = 0; i < CRDI_COUNT(cases); i++) {
        crd_status status = crd_pathfinder_run(model, &cases[i].options, crd_key_make(1), &pf);
        if (status != cases[i].status || !strstr(crd_error_message(ctx), cases[i].message))
            fail_msg("case %d: %s: %s", i, crd_status_name(status), crd_error_message(ctx));
        assert_null(pf);
        crd_error_clear(ctx);
    }
    static const char *const wrong[] = {"sun"};
    crd_posterior *draws = NULL;
    assert_ok(ctx, crd_pathfinder_run(model, NULL, crd_key_make(1), &pf));
    assert_int_equal(crd_pathfinder_draw(pf, wrong, 1, &draws), CRD_ENAME);
    assert_null(draws);
    crd_pathfinder_destroy(&pf);
    crd_model_destroy(&model);
    testing_context_destroy(&ctx);
}

static void memory_that_fails_is_said(void **state)
{
    (void)state;
    static struct linear line;
    linear_init(&line, 2);
    crd_status status = CRD_ENOMEM;
    for (int64_t k = 1; status != CRD_OK; k++) {
        crd_context *ctx = testing_context();
        crd_model *model;
        crd_pathfinder *pf = NULL;
        crd_posterior *draws = NULL;
        crd_pathfinder_options options = {.paths = 2, .threads = 1, .draws = 5, .path_draws = 5};
        assert_ok(ctx, crd_model_create(&model, ctx, linear_model, &line));
        testing_fail_allocation(k);
        status = crd_pathfinder_run(model, &options, crd_key_make(3), &pf);
        if (status == CRD_OK)
            status = crd_pathfinder_draw(pf, NULL, 0, &draws);
        testing_fail_allocation(0);
        assert_true(status == CRD_OK || status == CRD_ENOMEM);
        assert_true(k < 2000);
        crd_posterior_destroy(&draws);
        crd_pathfinder_destroy(&pf);
        crd_model_destroy(&model);
        testing_context_destroy(&ctx); /* fails the test if anything is left */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_covariance_is_that_of_bfgs),
        cmocka_unit_test(draws_know_their_density),
        cmocka_unit_test(the_diagonal_is_that_of_an_update),
        cmocka_unit_test(steps_without_curvature_are_left_out),
        cmocka_unit_test(a_normal_posterior_is_found),
        cmocka_unit_test(a_long_memory_finds_the_covariance),
        cmocka_unit_test(a_funnel_is_not_trusted),
        cmocka_unit_test(on_the_way_into_a_funnel_the_mass_is_found),
        cmocka_unit_test(several_paths_weigh_modes),
        cmocka_unit_test(threads_change_nothing),
        cmocka_unit_test(chains_start_where_they_are_told),
        cmocka_unit_test(what_is_wrong_is_named),
        cmocka_unit_test(memory_that_fails_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
