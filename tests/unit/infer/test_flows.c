/* test_flows.c - families made of flows: their density against finite differences of their draws, gradients, what
 * depends on what, where they start, and posteriors that no normal fits. */
#include "graph/graph.h"
#include "infer/svi/guide.h"
#include "testing.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MOST_DIM = 5, DRAWS = 1000 };

static const double LOG_2PI = 1.8378770664093454836;

struct family {
    const char *name;
    int64_t flows;
};

static const struct family families[] = {{"iaf", 1},
                                         {"iaf", 2},
                                         {"iaf", 3},
                                         {"iaf", 16},
                                         {"block_neural_autoregressive", 1},
                                         {"block_neural_autoregressive", 2},
                                         {"block_neural_autoregressive", 12}};

static const char *const guides[] = {"iaf", "block_neural_autoregressive"};
static const int64_t dims[] = {1, 2, 3, 5};

/* ---- a part as a program -------------------------------------------------------------------------------------- */

/* (parameters, noise) -> u, log q, and the gradient of a . u + log q in both. */
struct flow {
    crd_context *ctx;
    crdi_guide_part part;
    int64_t params, noise;
    crd_program *program;
    crd_exec *exec;
    double *input, *start; /* the program's input; parameters */
};

static double weight_of(int64_t i)
{
    return 0.3 + 0.7 * (double)(i % 3);
}

static void compile(struct flow *f)
{
    int64_t dim = f->part.dim;
    crd_graph *graph;
    double a[MOST_DIM];
    crd_node value[CRDI_GUIDE_VALUES], x[2], slope[2];
    assert_ok(f->ctx, crd_graph_create(&graph, f->ctx));
    x[0] = crd_input(graph, "params", crd_shape_1(f->params));
    x[1] = crd_input(graph, "noise", crd_shape_1(f->noise));
    int count = f->part.type->values(&f->part, x[0], value);
    assert_in_range(count, 1, CRDI_GUIDE_VALUES);
    crdi_guide_draw d = f->part.type->draw(&f->part, value, x[1]);
    assert_true(crdi_is_nothing(d.scale)); /* no independent elements: trace_mean_field is refused */
    for (int64_t i = 0; i < dim; i++)
        a[i] = weight_of(i);
    crd_array weights = crd_array_borrow(a, crd_shape_1(dim));
    crd_node y = crd_add(crd_dot(crd_constant(graph, &weights), d.u), d.log_q);
    crd_gradient(y, x, 2, slope);
    assert_ok(f->ctx, crd_compile(graph, x, 2, (crd_node[]){d.u, d.log_q, slope[0], slope[1]}, 4, &f->program));
    crd_graph_destroy(&graph);
}

static void flow_create(struct flow *f, const struct family *family, int64_t dim)
{
    *f = (struct flow){.ctx = testing_context()};
    assert_ok(f->ctx, crdi_guide_type_find(f->ctx, family->name, &f->part.type));
    f->part.argument = family->flows;
    f->part.dim = dim;
    f->params = f->part.type->params(&f->part);
    f->noise = f->part.type->noise(&f->part);
    compile(f);
    assert_ok(f->ctx, crd_exec_create(&f->exec, f->program));
    f->input = crd_exec_input(f->exec);
    assert_non_null(f->start = crdi_alloc_array(f->ctx, f->params, sizeof *f->start));
}

static void flow_destroy(struct flow *f)
{
    crdi_free(f->ctx, f->start);
    crd_exec_destroy(&f->exec);
    crd_program_destroy(&f->program);
    testing_context_destroy(&f->ctx);
}

/* Parameters far from the start: every one is moved, so that all parts of the networks matter. */
static void randomise(struct flow *f, double size, uint64_t seed)
{
    double u[MOST_DIM] = {0.5, -1, 2, 0, 1};
    f->part.type->start(&f->part, u, 0.7, crd_key_make(seed), f->start);
    crd_random_normal(crd_key_make(seed + 1), f->params, f->input);
    for (int64_t i = 0; i < f->params; i++)
        f->start[i] += size * f->input[i];
    memcpy(f->input, f->start, sizeof *f->start * (size_t)f->params);
    crd_random_normal(crd_key_make(seed + 2), f->noise, f->input + f->params);
}

static const double *run_flow(struct flow *f)
{
    crd_exec_run(f->exec);
    return crd_exec_output(f->exec);
}

/* d u_i / d eps_j by central differences, extrapolated once (Richardson). */
static void jacobian(struct flow *f, double *out)
{
    int64_t n = f->part.dim;
    double *eps = f->input + f->params, by_step[2][MOST_DIM];
    for (int64_t j = 0; j < n; j++) {
        double at = eps[j];
        for (int k = 0; k < 2; k++) {
            double h = k ? 5e-4 : 1e-3, up[MOST_DIM];
            eps[j] = at + h;
            memcpy(up, run_flow(f), sizeof *up * (size_t)n);
            eps[j] = at - h;
            const double *down = run_flow(f);
            for (int64_t i = 0; i < n; i++)
                by_step[k][i] = (up[i] - down[i]) / (2 * h);
        }
        eps[j] = at;
        for (int64_t i = 0; i < n; i++)
            out[i * n + j] = (4 * by_step[1][i] - by_step[0][i]) / 3;
    }
}

/* log |det| by elimination with pivots; m is lost. */
static double log_determinant(double *m, int64_t n)
{
    double sum = 0;
    for (int64_t k = 0; k < n; k++) {
        int64_t best = k;
        for (int64_t r = k; r < n; r++)
            if (fabs(m[r * n + k]) > fabs(m[best * n + k]))
                best = r;
        for (int64_t c = 0; c < n; c++) {
            double swap = m[k * n + c];
            m[k * n + c] = m[best * n + c];
            m[best * n + c] = swap;
        }
        sum += log(fabs(m[k * n + k]));
        for (int64_t r = k + 1; r < n; r++)
            for (int64_t c = n - 1; c >= k; c--)
                m[r * n + c] -= m[r * n + k] / m[k * n + k] * m[k * n + c];
    }
    return sum;
}

/* ---- density, gradient, structure ----------------------------------------------------------------------------- */

static void log_q_is_the_density_of_the_draw(void **state)
{
    (void)state;
    for (int k = 0; k < CRDI_COUNT(families); k++)
        for (int d = 0; d < CRDI_COUNT(dims); d++) {
            struct flow f;
            int64_t n = dims[d];
            flow_create(&f, &families[k], n);
            for (uint64_t seed = 0; seed < 3; seed++) {
                double m[MOST_DIM * MOST_DIM], log_noise = -0.5 * (double)n * LOG_2PI;
                randomise(&f, 0.3 / sqrt((double)families[k].flows), 10 * seed);
                jacobian(&f, m);
                for (int64_t i = 0; i < n; i++)
                    log_noise -= 0.5 * f.input[f.params + i] * f.input[f.params + i];
                assert_close(run_flow(&f)[n], log_noise - log_determinant(m, n), 0, 1e-6);
            }
            flow_destroy(&f);
        }
}

static void gradients_agree_with_finite_differences(void **state)
{
    (void)state;
    for (int k = 0; k < CRDI_COUNT(families); k++)
        for (int64_t n = 1; n <= 3; n++) {
            struct flow f;
            flow_create(&f, &families[k], n);
            randomise(&f, 0.2, 7);
            int64_t total = f.params + f.noise, stride = total > 400 ? 37 : 1;
            double *slope = crdi_alloc_array(f.ctx, total, sizeof *slope);
            assert_non_null(slope);
            memcpy(slope, run_flow(&f) + n + 1, sizeof *slope * (size_t)total);
            for (int64_t i = 0; i < total; i += stride) {
                double at = f.input[i], h = 1e-5, y[2] = {0, 0};
                for (int side = 0; side < 2; side++) {
                    f.input[i] = side ? at + h : at - h;
                    const double *out = run_flow(&f);
                    for (int64_t c = 0; c < n; c++)
                        y[side] += weight_of(c) * out[c];
                    y[side] += out[n];
                }
                f.input[i] = at;
                assert_close(slope[i], (y[1] - y[0]) / (2 * h), 1e-5, 1e-7);
            }
            crdi_free(f.ctx, slope);
            flow_destroy(&f);
        }
}

/* Of one flow, u_i depends on noise up to i only, on all of it, and rises with its own. */
static void one_flow_is_autoregressive(void **state)
{
    (void)state;
    for (int k = 0; k < CRDI_COUNT(families); k++) {
        struct flow f;
        double m[MOST_DIM * MOST_DIM];
        if (families[k].flows != 1)
            continue;
        flow_create(&f, &families[k], MOST_DIM);
        randomise(&f, 0.5, 3);
        jacobian(&f, m);
        for (int i = 0; i < MOST_DIM; i++)
            for (int j = 0; j < MOST_DIM; j++) {
                if (j > i)
                    assert_true(m[i * MOST_DIM + j] == 0);
                else if (j == i)
                    assert_true(m[i * MOST_DIM + j] > 0);
                else
                    assert_true(fabs(m[i * MOST_DIM + j]) > 1e-4);
            }
        flow_destroy(&f);
    }
}

/* Between flows the order is reversed: with two, every element of u depends on all of the noise. */
static void two_flows_reach_all(void **state)
{
    (void)state;
    for (int k = 0; k < CRDI_COUNT(families); k++) {
        struct flow f;
        double m[MOST_DIM * MOST_DIM];
        if (families[k].flows != 2)
            continue;
        flow_create(&f, &families[k], MOST_DIM);
        randomise(&f, 0.5, 3);
        jacobian(&f, m);
        for (int i = 0; i < MOST_DIM; i++)
            for (int j = 0; j < MOST_DIM; j++)
                if (i > 0 || j == MOST_DIM - 1) /* the first of the last flow knows the last of the first alone */
                    assert_true(fabs(m[i * MOST_DIM + j]) > 1e-6);
        flow_destroy(&f);
    }
}

/* ---- the start -------------------------------------------------------------------------------------------------- */

static void check_start(const struct family *family, int64_t n, const double *u, double init_scale)
{
    struct flow f;
    double mean[MOST_DIM] = {0}, square[MOST_DIM] = {0};
    flow_create(&f, family, n);
    memcpy(f.input, u, sizeof *u * (size_t)n); /* in place, as guides start */
    f.part.type->start(&f.part, f.input, init_scale, crd_key_make(5), f.input);
    for (uint32_t d = 0; d < DRAWS; d++) {
        crd_random_normal(crd_key_fold_in(crd_key_make(6), d), f.noise, f.input + f.params);
        const double *out = run_flow(&f);
        for (int64_t i = 0; i < n; i++) {
            double z = (out[i] - u[i]) / init_scale;
            mean[i] += z / DRAWS;
            square[i] += z * z / DRAWS;
        }
        assert_true(isfinite(out[n]));
    }
    for (int64_t i = 0; i < n; i++) { /* the error of a mean is 0.032, that of a deviation 0.022 */
        assert_close(mean[i], 0, 0, 0.15);
        assert_close(sqrt(square[i]), 1, 0, 0.15);
    }
    flow_destroy(&f);
}

static void the_start_is_near_the_normal_asked_for(void **state)
{
    (void)state;
    const double near[MOST_DIM] = {0.3, -2, 1.5, 0, 7}, far[MOST_DIM] = {1e6, -1e6, 0, 1e-9, 40};
    for (int k = 0; k < CRDI_COUNT(families); k++)
        for (int d = 0; d < CRDI_COUNT(dims); d++) {
            check_start(&families[k], dims[d], near, 0.1);
            check_start(&families[k], dims[d], far, 2);
        }
}

static void weights_come_from_the_key(void **state)
{
    (void)state;
    for (int k = 0; k < CRDI_COUNT(families); k++) {
        struct flow f;
        double u[3] = {1, 2, 3};
        flow_create(&f, &families[k], 3);
        size_t bytes = sizeof *f.start * (size_t)f.params;
        f.part.type->start(&f.part, u, 0.1, crd_key_make(1), f.start);
        f.part.type->start(&f.part, u, 0.1, crd_key_make(1), f.input);
        assert_memory_equal(f.start, f.input, bytes);
        f.part.type->start(&f.part, u, 0.1, crd_key_make(2), f.input);
        assert_memory_not_equal(f.start, f.input, bytes);
        flow_destroy(&f);
    }
}

/* ---- fits ------------------------------------------------------------------------------------------------------- */

/* x ~ N(0, 1), y ~ N(x^2, 0.2): a banana. Its log evidence is 0. */
static crd_node banana(crd_trace *trace, void *user)
{
    (void)user;
    crd_node x = crd_sample(trace, "x", crd_normal(crd_num(0), crd_num(1)));
    crd_sample(trace, "y", crd_normal(crd_square(x), crd_num(0.2)));
    return x;
}

/* Neal's funnel with two elements in it. Its log evidence is 0. */
static crd_node funnel(crd_trace *trace, void *user)
{
    (void)user;
    crd_node v = crd_sample(trace, "a", crd_normal(crd_num(0), crd_num(2)));
    crd_node width = crd_exp(crd_mul(crd_num(0.5), v));
    crd_sample(trace, "b", crd_normal(crd_num(0), width));
    crd_sample(trace, "c", crd_normal(crd_num(0), width));
    return v;
}

static double elbo_of(crd_context *ctx, crd_model_fn model, const char *guide, int64_t steps)
{
    crd_svi *svi;
    double mean, error;
    crd_svi_options options = {
        .guide = guide, .steps = steps, .particles = 8, .optimizer = "clip_by_global_norm:10,adam,scale:-1e-2"};
    assert_ok(ctx, crd_svi_fit(ctx, model, NULL, &options, crd_key_make(4), &svi));
    assert_ok(ctx, crd_svi_elbo(svi, 4000, crd_key_make(9), &mean, &error));
    print_message("%s %s: %.4f (%.4f)\n", model == banana ? "banana" : "funnel", guide, mean, error);
    crd_svi_destroy(&svi);
    return mean;
}

static void curved_posteriors_are_fitted_better_than_by_a_normal(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_model_fn model[] = {banana, funnel};
    for (int m = 0; m < 2; m++) {
        double normal = elbo_of(ctx, model[m], "multivariate_normal", 1500);
        for (int k = 0; k < CRDI_COUNT(guides); k++) {
            double flow = elbo_of(ctx, model[m], guides[k], 1500);
            assert_true(flow > normal + 0.3);
            assert_true(flow < 0.05); /* a bound of 0, but for the error of its estimate */
        }
    }
    testing_context_destroy(&ctx);
}

static void bits_do_not_depend_on_threads(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    for (int k = 0; k < CRDI_COUNT(guides); k++) {
        crd_posterior *draws[2];
        for (int t = 0; t < 2; t++) {
            crd_svi *svi;
            crd_svi_options options = {
                .guide = guides[k], .steps = 50, .particles = 3, .restarts = 3, .threads = t ? 3 : 1};
            assert_ok(ctx, crd_svi_fit(ctx, banana, NULL, &options, crd_key_make(4), &svi));
            assert_ok(ctx, crd_svi_draw(svi, 20, NULL, 0, crd_key_make(5), &draws[t]));
            crd_svi_destroy(&svi);
        }
        for (const char *const *name = (const char *const[]){"x", "y", "log_guide", NULL}; *name; name++)
            assert_memory_equal(crd_posterior_find(draws[0], *name)->draws, crd_posterior_find(draws[1], *name)->draws,
                                20 * sizeof(double));
        crd_posterior_destroy(&draws[0]);
        crd_posterior_destroy(&draws[1]);
    }
    testing_context_destroy(&ctx);
}

/* ---- what is refused -------------------------------------------------------------------------------------------- */

/* "b" with as many numbers as *user says, and "x". */
static crd_node wide(crd_trace *trace, void *user)
{
    crd_sample(trace, "b", crd_dist_expand(crd_normal(crd_num(0), crd_num(1)), crd_shape_1(*(int64_t *)user)));
    return crd_sample(trace, "x", crd_normal(crd_num(0), crd_num(1)));
}

static crd_status create(crd_context *ctx, int64_t count, const char *text)
{
    crdi_guide *guide;
    crd_error_clear(ctx);
    crd_status status = crdi_guide_create(ctx, &(crdi_guide_request){.fn = wide, .user = &count, .text = text}, &guide);
    if (status == CRD_OK)
        crdi_guide_destroy(&guide);
    return status;
}

/* The counts are the largest that are taken: parameters go with the square. */
static void large_dims_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *one, *apart;
        int64_t most;
    } cases[] = {{"iaf", "b=normal;iaf", 644},
                 {"block_neural_autoregressive", "b=normal;block_neural_autoregressive", 249}};
    crd_context *ctx = testing_context();
    for (int k = 0; k < CRDI_COUNT(cases); k++) {
        assert_ok(ctx, create(ctx, cases[k].most - 1, cases[k].one));
        assert_int_equal(create(ctx, cases[k].most, cases[k].one), CRD_EUNSUPPORTED);
        assert_non_null(strstr(crd_error_message(ctx), cases[k].one));
        assert_non_null(strstr(crd_error_message(ctx), "5000000"));
        assert_int_equal(create(ctx, 6000000, cases[k].one), CRD_EUNSUPPORTED);
        assert_ok(ctx, create(ctx, cases[k].most, cases[k].apart));
    }
    testing_context_destroy(&ctx);
}

static void numbers_of_flows_and_mean_field_losses_are_checked(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    for (int k = 0; k < CRDI_COUNT(guides); k++) {
        char text[64];
        crd_svi *svi;
        for (int i = 0; i < 2; i++) {
            snprintf(text, sizeof text, "%s:%s", guides[k], i ? "17" : "0");
            assert_int_equal(create(ctx, 2, text), CRD_EINVAL);
            assert_non_null(strstr(crd_error_message(ctx), "number of flows"));
            crd_error_clear(ctx);
        }
        crd_svi_options options = {.guide = guides[k], .loss = "trace_mean_field", .steps = 1};
        assert_int_equal(crd_svi_fit(ctx, banana, NULL, &options, crd_key_make(4), &svi), CRD_EUNSUPPORTED);
        crd_error_clear(ctx);
    }
    testing_context_destroy(&ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(log_q_is_the_density_of_the_draw),
        cmocka_unit_test(gradients_agree_with_finite_differences),
        cmocka_unit_test(one_flow_is_autoregressive),
        cmocka_unit_test(two_flows_reach_all),
        cmocka_unit_test(the_start_is_near_the_normal_asked_for),
        cmocka_unit_test(weights_come_from_the_key),
        cmocka_unit_test(curved_posteriors_are_fitted_better_than_by_a_normal),
        cmocka_unit_test(bits_do_not_depend_on_threads),
        cmocka_unit_test(large_dims_are_refused),
        cmocka_unit_test(numbers_of_flows_and_mean_field_losses_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
