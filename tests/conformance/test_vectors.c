/* test_vectors.c - distributions whose draws are vectors or matrices, points and improper priors: the reference values
 * (tests/data/distributions.json), gradients, draws, bijections; and the divergences of kl.def. */
#include "distributions.h"
#include "kernel/special.h"

enum { DRAWS = 20000, LARGE = 9 };

/* Parameters in the order of the type, their shapes; the reference calls them by the type's names. */
struct vector_fixture {
    const char *name, *reference;
    crd_shape shape[CRD_DIST_MAX_PARAMS];
    unsigned numbers; /* bit i: parameter i is a count, which is no input */
};

static const struct vector_fixture vectors[] = {
    {"dirichlet", "Dirichlet", {{1, {3}}}, 0},
    {"multivariate_normal", "MultivariateNormal", {{1, {3}}, {2, {3, 3}}}, 0},
    {"low_rank_multivariate_normal", "LowRankMultivariateNormal", {{1, {3}}, {2, {3, 1}}, {1, {3}}}, 0},
    {"lkj_cholesky", "LKJCholesky", {{0}, {0}}, 1},
};

static const json_t *row_of(const json_t *file, const char *name)
{
    const json_t *rows = json_object_get(file, "rows");
    for (size_t i = 0; i < json_array_size(rows); i++)
        if (strcmp(json_string_value(json_object_get(json_array_get(rows, i), "distribution")), name) == 0)
            return json_array_get(rows, i);
    fail_msg("no reference of %s", name);
    return NULL;
}

static crd_dist dist_of(crd_graph *g, const struct vector_fixture *f, const json_t *row)
{
    double values[LARGE];
    crd_dist dist = {.type = crd_dist_type_find(f->name)};
    assert_non_null(dist.type);
    for (int i = 0; i < dist.type->param_count; i++) {
        const json_t *theirs = json_object_get(json_object_get(row, "params"), dist.type->param[i].name);
        assert_non_null(theirs);
        if (f->shape[i].ndim == 0) {
            dist.param[i] = crd_num(testing_number(theirs));
        } else {
            assert_int_equal(testing_numbers(theirs, values), crd_shape_size(f->shape[i]));
            dist.param[i] = array_node(g, values, f->shape[i]);
        }
    }
    return dist;
}

static void same(const char *name, const char *what, const double *ours, const json_t *theirs)
{
    double expected[64];
    int64_t count = testing_numbers(theirs, expected);
    for (int64_t i = 0; i < count; i++)
        if (!(fabs(ours[i] - expected[i]) <= 1e-9 * fabs(expected[i]) + 1e-13))
            fail_msg("%s: %s %d is %.17g, the reference has %.17g", name, what, (int)i, ours[i], expected[i]);
}

static crd_shape values_shape(const crd_dist *dist, int64_t count)
{
    crd_shape event, shape = {.ndim = 1, .dim = {count}};
    assert_true(crd_dist_event_shape(dist, &event));
    for (int d = 0; d < event.ndim; d++)
        shape.dim[shape.ndim++] = event.dim[d];
    return shape;
}

static void compare_gradients(crd_context *ctx, const struct vector_fixture *f, const json_t *row, crd_dist dist,
                              const double *values, crd_shape shape)
{
    crd_graph *g;
    crd_node inputs[5], outputs[6];
    crd_program *program;
    crd_exec *exec;
    int n = 0;
    const json_t *slopes = json_object_get(row, "grad_params_of_sum");
    crd_dist open = dist;
    assert_ok(ctx, crd_graph_create(&g, ctx));
    for (int i = 0; i < dist.type->param_count; i++)
        if (!(f->numbers >> i & 1))
            inputs[n++] = open.param[i] = crd_input(g, dist.type->param[i].name, f->shape[i]);
    inputs[n++] = crd_input(g, "x", shape);
    outputs[0] = dist.type->log_prob(&open, inputs[n - 1]);
    crd_gradient(crd_sum(outputs[0]), inputs, n, outputs + 1);
    assert_ok(ctx, crd_compile(g, NULL, 0, outputs, n + 1, &program));
    assert_ok(ctx, crd_exec_create(&exec, program));
    double *in = crd_exec_input(exec);
    for (int i = 0; i < dist.type->param_count; i++)
        if (!(f->numbers >> i & 1)) {
            elements_of(dist.param[i], in, crd_shape_size(f->shape[i]));
            in += crd_shape_size(f->shape[i]);
        }
    memcpy(in, values, sizeof *values * (size_t)crd_shape_size(shape));
    crd_exec_run(exec);
    const double *out = crd_exec_output(exec);
    same(f->name, "log density", out, json_object_get(row, "log_prob"));
    out += shape.dim[0];
    for (int i = 0; i < dist.type->param_count; i++)
        if (!(f->numbers >> i & 1)) {
            if (slopes)
                same(f->name, dist.type->param[i].name, out, json_object_get(slopes, dist.type->param[i].name));
            out += crd_shape_size(f->shape[i]);
        }
    if (json_object_get(row, "grad_value"))
        same(f->name, "derivative in x", out, json_object_get(row, "grad_value"));
    crd_exec_destroy(&exec);
    crd_program_destroy(&program);
    crd_graph_destroy(&g);
}

static void compare_row(crd_context *ctx, crd_graph *g, const struct vector_fixture *f, const json_t *row)
{
    double values[64], out[64];
    crd_dist dist = dist_of(g, f, row);
    const crd_dist_type *type = dist.type;
    int64_t count = (int64_t)json_array_size(json_object_get(row, "values"));
    crd_shape shape = values_shape(&dist, count), event;
    assert_int_equal(testing_numbers(json_object_get(row, "values"), values), crd_shape_size(shape));
    assert_ok(ctx, crd_dist_check(ctx, &dist, "fixture"));
    crd_dist_event_shape(&dist, &event);
    crd_node x = array_node(g, values, shape);
    crd_node (*const functions[])(const crd_dist *) = {type->mean, type->variance, type->entropy};
    const char *const names[] = {"mean", "variance", "entropy"};
    for (int i = 0; i < 3; i++)
        if (json_object_get(row, names[i])) {
            assert_non_null(functions[i]);
            elements_of(functions[i](&dist), out, i < 2 ? crd_shape_size(event) : 1);
            same(f->name, names[i], out, json_object_get(row, names[i]));
        }
    if (json_object_get(row, "unconstrained")) {
        crd_node u = crd_bijection_inverse(type->support(&dist), x);
        elements_of(u, out, crd_shape_size(crd_bijection_shape(type->support(&dist), shape)));
        same(f->name, "unconstrained value", out, json_object_get(row, "unconstrained"));
    }
    compare_gradients(ctx, f, row, dist, values, shape);
}

static void vectors_agree_with_the_reference(void **state)
{
    (void)state;
    json_t *file = testing_json("distributions.json");
    for (int i = 0; i < CRDI_COUNT(vectors); i++) {
        crd_context *ctx = testing_context();
        crd_graph *g;
        assert_ok(ctx, crd_graph_create(&g, ctx));
        compare_row(ctx, g, &vectors[i], row_of(file, vectors[i].reference));
        crd_graph_destroy(&g);
        testing_context_destroy(&ctx);
    }
    json_decref(file);
}

/* ---- draws --------------------------------------------------------------------------------------------------- */

/* Means and variances of each element within 4.5 standard errors, draws in the support, log density finite. */
static void check_vector_draws(crd_graph *g, const crd_dist *dist, const double *mean, const double *variance)
{
    static double draws[DRAWS * LARGE], log_p[DRAWS];
    crd_shape shape = values_shape(dist, DRAWS);
    int64_t n = crd_shape_size(shape) / DRAWS;
    crd_node x = dist->type->draw(dist, crd_key_node(g, crd_key_make(42)), shape);
    assert_true(crdi_shape_equal(crd_node_shape(x), shape));
    elements_of(x, draws, DRAWS * n);
    elements_of(dist->type->log_prob(dist, x), log_p, DRAWS);
    for (int64_t i = 0; i < DRAWS; i++)
        assert_true(isfinite(log_p[i]));
    for (int64_t k = 0; k < n; k++) {
        double sum = 0, square = 0, fourth = 0;
        for (int64_t i = 0; i < DRAWS; i++)
            sum += draws[i * n + k] / DRAWS;
        for (int64_t i = 0; i < DRAWS; i++) {
            double s = pow(draws[i * n + k] - sum, 2);
            square += s / DRAWS;
            fourth += s * s / DRAWS;
        }
        if (!(fabs(sum - mean[k]) <= 4.5 * sqrt(variance[k] / DRAWS) + 1e-14))
            fail_msg("%s: mean %d of its draws is %g, not %g", dist->type->name, (int)k, sum, mean[k]);
        if (!(fabs(square - variance[k]) <= 4.5 * sqrt((fourth - square * square) / DRAWS) + 1e-14))
            fail_msg("%s: variance %d of its draws is %g, not %g", dist->type->name, (int)k, square, variance[k]);
    }
}

static void vector_draws_have_their_moments(void **state)
{
    (void)state;
    json_t *file = testing_json("distributions.json");
    crd_context *ctx = testing_context();
    crd_graph *g;
    assert_ok(ctx, crd_graph_create(&g, ctx));
    double mean[LARGE], variance[LARGE];
    for (int i = 0; i < 3; i++) {
        crd_dist dist = dist_of(g, &vectors[i], row_of(file, vectors[i].reference));
        elements_of(dist.type->mean(&dist), mean, 3);
        elements_of(dist.type->variance(&dist), variance, 3);
        check_vector_draws(g, &dist, mean, variance);
    }
    /* LKJ: each correlation is 2 Beta(c + n/2 - 1, same) - 1, variance 1 / (2 c + n - 1): that of L_10 for n = 3, c = 2
     * is 1 / 6; the diagonal by its beta law, E[L_11] = E[sqrt(1 - w)], w from Beta(1/2, 5/2). */
    crd_dist lkj = crd_lkj_cholesky(crd_num(3), crd_num(2));
    static double draws[DRAWS * LARGE];
    elements_of(lkj.type->draw(&lkj, crd_key_node(g, crd_key_make(3)), values_shape(&lkj, DRAWS)), draws,
                DRAWS * LARGE);
    double first = 0, other = 0, cross = 0;
    for (int64_t i = 0; i < DRAWS; i++) {
        const double *l = draws + i * LARGE;
        assert_close(l[6] * l[6] + l[7] * l[7] + l[8] * l[8], 1, 1e-12, 0);
        assert_true(l[1] == 0 && l[2] == 0 && l[5] == 0 && l[0] == 1);
        double r = l[3] * l[6] + l[4] * l[7]; /* the correlation of 1 and 2 has the same law as that of 0 and 1 */
        first += l[3] * l[3] / DRAWS;
        other += r * r / DRAWS;
        cross += l[3] * r / DRAWS;
    }
    assert_close(first, 1.0 / 6, 0, 4.5 * 0.2 / sqrt(DRAWS));
    assert_close(other, 1.0 / 6, 0, 4.5 * 0.2 / sqrt(DRAWS));
    assert_close(cross, 0, 0, 4.5 / 6 / sqrt(DRAWS));
    crd_graph_destroy(&g);
    testing_context_destroy(&ctx);
    json_decref(file);
}

/* E of the implicit gradients is the gradient of the mean: d/da a / (a + b) and d/db for the beta, as Dirichlet. */
static void implicit_gradients_move_the_mean(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_graph *g;
    static const double a[3] = {1.2, 0.7, 3};
    crd_program *program;
    crd_exec *exec;
    assert_ok(ctx, crd_graph_create(&g, ctx));
    crd_node in = crd_input(g, "a", crd_shape_1(3)), out[2];
    crd_dist dirichlet = crd_dirichlet(in), beta = crd_beta(crd_take(in, 0, 0), crd_take(in, 0, 1));
    crd_node key = crd_key_node(g, crd_key_make(6)), share = crd_num(1.0 / DRAWS);
    crd_node x = dirichlet.type->draw(&dirichlet, key, crd_shape_2(DRAWS, 3));
    crd_gradient(crd_mul(share, crd_sum(crd_take(x, 1, 0))), &in, 1, &out[0]);
    crd_node y = beta.type->draw(&beta, key, crd_shape_1(DRAWS));
    crd_gradient(crd_mul(share, crd_sum(y)), &in, 1, &out[1]);
    assert_ok(ctx, crd_compile(g, &in, 1, out, 2, &program));
    assert_ok(ctx, crd_exec_create(&exec, program));
    memcpy(crd_exec_input(exec), a, sizeof a);
    crd_exec_run(exec);
    const double *slope = crd_exec_output(exec);
    for (int k = 0; k < 3; k++)
        assert_close(slope[k], ((k == 0) * 4.9 - 1.2) / (4.9 * 4.9), 0, 0.003);
    assert_close(slope[3], 0.7 / (1.9 * 1.9), 0, 0.003);
    assert_close(slope[4], -1.2 / (1.9 * 1.9), 0, 0.003);
    crd_exec_destroy(&exec);
    crd_program_destroy(&program);
    crd_graph_destroy(&g);
    testing_context_destroy(&ctx);
}

/* Draws of gammas g_k whose implicit slopes are known to 50 digits (tests/unit/kernel/test_special.c) make those of ratios:
 * x_i = g_i / sum of g has dx_i / da_j = x_i ((i == j) - x_j) dlog g_j / da_j, at a fixed key, for concentrations from 1e-2 to
 * 1e3. The gammas are drawn as dirichlet.c and beta.c draw them. */
static void implicit_gradients_of_ratios(void **state)
{
    (void)state;
    static const double sets[][3] = {{0.01, 0.01, 0.02}, {0.01, 0.6, 2.5}, {0.3, 1, 40},  {1000, 700, 0.5},
                                     {0.01, 1000, 3},    {1000, 900, 500}, {5, 0.05, 0.4}};
    enum { N = 6 };
    crd_context *ctx = testing_context();
    for (int s = 0; s < CRDI_COUNT(sets); s++) {
        const double *a = sets[s];
        crd_graph *g;
        crd_program *program;
        crd_exec *exec;
        assert_ok(ctx, crd_graph_create(&g, ctx));
        crd_node in = crd_input(g, "a", crd_shape_1(3)), out[2 + N * 4];
        crd_node key = crd_key_node(g, crd_key_make(31)), first = crd_take(in, 0, 0), second = crd_take(in, 0, 1);
        crd_dist dirichlet = crd_dirichlet(in), beta = crd_beta(first, second);
        crd_node x = dirichlet.type->draw(&dirichlet, key, crd_shape_2(N, 3));
        crd_node y = beta.type->draw(&beta, key, crd_shape_1(N));
        for (int i = 0; i < N; i++) {
            for (int k = 0; k < 3; k++)
                crd_gradient(crd_take(crd_take(x, 0, i), 0, k), &in, 1, &out[4 * i + k]);
            crd_gradient(crd_take(y, 0, i), &in, 1, &out[4 * i + 3]);
        }
        out[4 * N] = crd_random_log_gamma_node(key, in, crd_shape_2(N, 3));
        crd_node pair[2] = {crd_random_log_gamma_node(crd_key_fold_in_node(key, 0), first, crd_shape_1(N)),
                            crd_random_log_gamma_node(crd_key_fold_in_node(key, 1), second, crd_shape_1(N))};
        out[4 * N + 1] = crd_concat(pair, 2, 0);
        assert_ok(ctx, crd_compile(g, &in, 1, out, 4 * N + 2, &program));
        assert_ok(ctx, crd_exec_create(&exec, program));
        memcpy(crd_exec_input(exec), a, sizeof *a * 3);
        crd_exec_run(exec);
        const double *slope = crd_exec_output(exec), *log_g = slope + 12 * N, *log_h = log_g + 3 * N;
        for (int i = 0; i < N; i++) {
            double p[3], most = fmax(log_g[3 * i], fmax(log_g[3 * i + 1], log_g[3 * i + 2])), sum = 0;
            for (int k = 0; k < 3; k++)
                sum += p[k] = exp(log_g[3 * i + k] - most);
            for (int k = 0; k < 3; k++)
                for (int j = 0; j < 3; j++) {
                    double rest = 0; /* 1 - p_j without cancellation */
                    for (int l = 0; l < 3; l++)
                        rest += l == j ? 0 : p[l] / sum;
                    double scale = p[k] / sum * crdi_log_gamma_slope(a[j], log_g[3 * i + j]);
                    double expected = scale * (k == j ? rest : -p[j] / sum);
                    /* a share that is 1 up to rounding loses 1 - x to it */
                    assert_close(slope[12 * i + 3 * k + j], expected, 1e-6, 1e-14 * fabs(scale) + 1e-280);
                }
            double d = log_h[i] - log_h[N + i], share = 1 / (1 + exp(-d)), other = 1 / (1 + exp(d));
            for (int j = 0; j < 2; j++) {
                double expected = (j ? -1 : 1) * share * other * crdi_log_gamma_slope(a[j], log_h[j * N + i]);
                assert_close(slope[12 * i + 9 + j], expected, 1e-6, 1e-280);
            }
        }
        crd_exec_destroy(&exec);
        crd_program_destroy(&program);
        crd_graph_destroy(&g);
    }
    testing_context_destroy(&ctx);
}

/* ---- bijections of vectors ----------------------------------------------------------------------------------- */

/* Which elements of a value are free: the others follow from them. */
struct bijection_case {
    crd_constraint kind;
    int64_t size; /* of u */
    crd_shape value;
    int free[6];
};

static const struct bijection_case cases[] = {
    {CRD_ORDERED, 4, {1, {4}}, {0, 1, 2, 3}},
    {CRD_POSITIVE_ORDERED, 4, {1, {4}}, {0, 1, 2, 3}},
    {CRD_SIMPLEX, 3, {1, {4}}, {0, 1, 2}},
    {CRD_CORR_CHOLESKY, 6, {2, {4, 4}}, {4, 8, 9, 12, 13, 14}},
    {CRD_LOWER_CHOLESKY, 6, {2, {3, 3}}, {0, 3, 4, 6, 7, 8}},
    {CRD_POSITIVE_DEFINITE, 6, {2, {3, 3}}, {0, 3, 4, 6, 7, 8}},
    {CRD_LOWER_CHOLESKY, 1, {2, {1, 1}}, {0}},
    {CRD_POSITIVE_DEFINITE, 1, {2, {1, 1}}, {0}},
    {CRD_SIMPLEX, 0, {1, {1}}, {0}},
    {CRD_CORR_CHOLESKY, 0, {2, {1, 1}}, {0}},
    {CRD_BELOW, 1, {1, {1}}, {0}},
    {CRD_UNIT_INTERVAL, 1, {1, {1}}, {0}},
};

/* log |det| of n numbers by n, by elimination with pivots. */
static double log_determinant(double m[6][6], int64_t n)
{
    double sum = 0;
    for (int64_t k = 0; k < n; k++) {
        int64_t best = k;
        for (int64_t r = k; r < n; r++)
            best = fabs(m[r][k]) > fabs(m[best][k]) ? r : best;
        for (int64_t c = 0; c < n; c++) {
            double swap = m[k][c];
            m[k][c] = m[best][c];
            m[best][c] = swap;
        }
        sum += log(fabs(m[k][k]));
        for (int64_t r = k + 1; r < n; r++)
            for (int64_t c = n - 1; c >= k; c--)
                m[r][c] -= m[r][k] / m[k][k] * m[k][c];
    }
    return sum;
}

static void value_at(crd_graph *g, const struct bijection_case *b, const double *u, double *out)
{
    crd_support support = {b->kind, crd_num(0), crd_num(1)};
    crd_node x = crd_bijection_forward(support, array_node(g, u, crd_shape_1(b->size)));
    assert_true(crdi_shape_equal(crd_node_shape(x), b->value));
    elements_of(x, out, crd_shape_size(b->value));
}

static void vector_bijections_go_both_ways_with_their_jacobian(void **state)
{
    (void)state;
    static const double at[] = {0.3, -0.8, 0.6, 1.1, -0.2, 0.5};
    for (int i = 0; i < CRDI_COUNT(cases); i++) {
        const struct bijection_case *b = &cases[i];
        crd_context *ctx = testing_context();
        crd_graph *g;
        assert_ok(ctx, crd_graph_create(&g, ctx));
        crd_support support = {b->kind, crd_num(0), crd_num(1)};
        double x[16], up[16], down[16], back[6], u[6], matrix[6][6], h = 1e-6;
        value_at(g, b, at, x);
        for (int64_t k = 0; k < crd_shape_size(b->value); k++)
            assert_true(crd_constraint_holds(b->kind, x[k], 0, 1));
        crd_node inverse = crd_bijection_inverse(support, array_node(g, x, b->value));
        assert_true(crdi_shape_equal(crd_node_shape(inverse), crd_bijection_shape(support, b->value)));
        elements_of(inverse, back, b->size);
        for (int64_t k = 0; k < b->size; k++) {
            assert_close(back[k], at[k], 1e-12, 1e-12);
            memcpy(u, at, sizeof u);
            u[k] = at[k] + h;
            value_at(g, b, u, up);
            u[k] = at[k] - h;
            value_at(g, b, u, down);
            for (int64_t r = 0; r < b->size; r++)
                matrix[r][k] = (up[b->free[r]] - down[b->free[r]]) / (2 * h);
        }
        double ours = number_of(crd_bijection_log_jacobian(support, array_node(g, at, crd_shape_1(b->size))));
        assert_close(ours, log_determinant(matrix, b->size), 1e-7, 1e-7);
        assert_ok(ctx, crd_graph_status(g));
        crd_graph_destroy(&g);
        testing_context_destroy(&ctx);
    }
}

/* ---- divergences --------------------------------------------------------------------------------------------- */

static void divergences_agree_with_the_reference(void **state)
{
    (void)state;
    json_t *file = testing_json("distributions.json");
    const json_t *rows = json_object_get(file, "kl");
    crd_context *ctx = testing_context();
    crd_graph *g;
    assert_ok(ctx, crd_graph_create(&g, ctx));
    static const double a[] = {1.2, 0.7, 3}, ones[] = {1, 1, 1};
    crd_shape three = crd_shape_1(3);
    const struct {
        const char *name;
        crd_dist p, q;
    } pairs[] = {
        {"Normal(0.3,1.7)||Normal(-0.2,0.6)", crd_normal(crd_num(0.3), crd_num(1.7)),
         crd_normal(crd_num(-0.2), crd_num(0.6))},
        {"Gamma(2.5,1.3)||Gamma(1.1,0.4)", crd_gamma(crd_num(2.5), crd_num(1.3)),
         crd_gamma(crd_num(1.1), crd_num(0.4))},
        {"Beta(2.5,1.3)||Beta(1.1,4)", crd_beta(crd_num(2.5), crd_num(1.3)), crd_beta(crd_num(1.1), crd_num(4))},
        {"Dirichlet(1.2,0.7,3)||Dirichlet(1,1,1)", crd_dirichlet(array_node(g, a, three)),
         crd_dirichlet(array_node(g, ones, three))},
    };
    assert_int_equal(json_array_size(rows), CRDI_COUNT(pairs));
    for (int i = 0; i < CRDI_COUNT(pairs); i++) {
        const json_t *row = json_array_get(rows, (size_t)i);
        assert_string_equal(json_string_value(json_object_get(row, "pair")), pairs[i].name);
        assert_close(number_of(crd_kl(&pairs[i].p, &pairs[i].q)), testing_number(json_object_get(row, "kl")), 1e-9, 0);
    }
    crd_graph_destroy(&g);
    testing_context_destroy(&ctx);
    json_decref(file);
}

/* The parameters of a fixture, or near them: what is positive is 0.8 of it, bounds reach further out. */
static crd_dist near(crd_graph *g, const crd_dist_type *type, bool off)
{
    const struct fixture *f = fixture_of(type);
    crd_dist dist = {.type = type};
    double shares[MAX_CLASSES];
    for (int k = 0; k < f->classes; k++)
        shares[k] = off ? f->array[f->classes - 1 - k] : f->array[k]; /* the classes in the opposite order */
    for (int i = 0; i < type->param_count; i++) {
        bool positive = type->param[i].constraint == CRD_POSITIVE || type->param[i].constraint == CRD_PROBABILITY;
        bool bound = type->param[i].constraint == CRD_ABOVE ||
                     (i + 1 < type->param_count && type->param[i + 1].constraint == CRD_ABOVE);
        double value = f->param[i];
        if (off)
            value = positive ? 0.8 * value : bound ? 1.5 * value : value + 0.3;
        dist.param[i] = type->param[i].event_ndim ? array_node(g, shares, crd_shape_1(f->classes)) : crd_num(value);
    }
    return dist;
}

/* The sum or integral of p log(p / q), over a table of p or the values that have mass. */
static double divergence_by_hand(crd_graph *g, const crd_dist *p, const crd_dist *q)
{
    enum { MOST = CELLS + 1 };
    static struct table table;
    static double x[MOST], left[MOST], right[MOST];
    bool discrete = p->type->discrete;
    int64_t n = discrete ? some_values(p, x) : MOST;
    if (discrete && p->type->support(p).kind == CRD_COUNT)
        for (n = 0; n < 300; n++)
            x[n] = (double)n;
    if (!discrete) {
        table_fill(&table, g, p);
        memcpy(x, table.x, sizeof x);
    }
    crd_node at = array_node(g, x, crd_shape_1(n));
    elements_of(p->type->log_prob(p, at), left, n);
    elements_of(q->type->log_prob(q, at), right, n);
    double sum = 0;
    for (int64_t k = 0; k < n; k++) {
        double weight = discrete ? exp(left[k]) : table.slope[k] * 8 / CELLS;
        if (weight > 0)
            sum += weight * (left[k] - right[k]);
    }
    return sum;
}

/* Every row of kl.def, but vectors, which have a test of their own. */
static void divergences_are_integrals(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
#define KL(p, q) {#p, #q},
#include "dist/kl.def"
#undef KL
    };
    int done = 0;
    for (int i = 0; i < CRDI_COUNT(rows); i++) {
        crd_context *ctx = testing_context();
        crd_graph *g;
        const crd_dist_type *types[2] = {crd_dist_type_find(rows[i][0]), crd_dist_type_find(rows[i][1])};
        assert_true(types[0] && types[1]);
        assert_ok(ctx, crd_graph_create(&g, ctx));
        if (!fixture_of(types[0])->elsewhere) {
            crd_dist p = near(g, types[0], false), q = near(g, types[1], types[0] == types[1]);
            double ours = number_of(crd_kl(&p, &q)), sum = divergence_by_hand(g, &p, &q);
            if (!(fabs(ours - sum) <= 1e-5 * fmax(sum, 1e-2)) || !(sum > 1e-4))
                fail_msg("%s against %s: the divergence is %.12g, its sum %.12g", rows[i][0], rows[i][1], ours, sum);
            done++;
        }
        crd_graph_destroy(&g);
        testing_context_destroy(&ctx);
    }
    assert_true(done >= CRDI_COUNT(rows) - 3); /* Dirichlet and two normal vectors */
}

static void divergences_at_their_ends(void **state)
{
    (void)state;
    crd_dist fair = crd_bernoulli(crd_num(0.5)), rare = crd_bernoulli(crd_num(0.1)), none = crd_bernoulli(crd_num(0));
    assert_close(number_of(crd_kl(&fair, &rare)), 0.5 * log(5) + 0.5 * log(0.5 / 0.9), 1e-14, 0);
    assert_close(number_of(crd_kl(&none, &rare)), -log(0.9), 1e-14, 0);
    crd_dist wide = crd_uniform(crd_num(0), crd_num(2)), narrow = crd_uniform(crd_num(0.5), crd_num(1));
    assert_close(number_of(crd_kl(&narrow, &wide)), log(4), 1e-14, 0);
    assert_true(number_of(crd_kl(&wide, &narrow)) == INFINITY);
    crd_dist late = crd_pareto(crd_num(2), crd_num(3)), early = crd_pareto(crd_num(1), crd_num(3));
    assert_close(number_of(crd_kl(&late, &early)), 3 * log(2), 1e-14, 0);
    assert_true(number_of(crd_kl(&early, &late)) == INFINITY);
}

static void divergences_of_vectors_events_and_strangers(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_graph *g;
    assert_ok(ctx, crd_graph_create(&g, ctx));
    static const double diagonal[] = {1.7, 0, 0, 0.5}, other[] = {0.6, 0, 0, 2}, loc[] = {0.3, 1}, off[] = {-0.2, 0.4};
    crd_shape two = crd_shape_1(2), square = crd_shape_2(2, 2);
    crd_dist p = crd_multivariate_normal(array_node(g, loc, two), array_node(g, diagonal, square));
    crd_dist q = crd_multivariate_normal(array_node(g, off, two), array_node(g, other, square));
    static const double scale[] = {1.7, 0.5}, scales[] = {0.6, 2};
    crd_dist a = crd_dist_to_event(crd_normal(array_node(g, loc, two), array_node(g, scale, two)), 1);
    crd_dist b = crd_dist_to_event(crd_normal(array_node(g, off, two), array_node(g, scales, two)), 1);
    assert_close(number_of(crd_kl(&p, &q)), number_of(crd_kl(&a, &b)), 1e-13,
                 0); /* a diagonal one is independent ones */
    static const double variance[] = {2.89, 0, 0, 0.25}, variances[] = {0.36, 0, 0, 4};
    crd_dist c = crd_multivariate_normal_covariance(array_node(g, loc, two), array_node(g, variance, square));
    crd_dist d = crd_multivariate_normal_covariance(array_node(g, off, two), array_node(g, variances, square));
    assert_close(number_of(crd_kl(&c, &d)), number_of(crd_kl(&a, &b)), 1e-13, 0);
    crd_dist here = crd_delta(crd_num(0.4)), normal = crd_normal(crd_num(0), crd_num(1));
    assert_close(number_of(crd_kl(&here, &normal)), 0.08 + 0.91893853320467274, 1e-14, 0);
    assert_false(crd_kl_exists(&p, &normal));
    assert_false(crd_node_ok(crd_kl(&p, &normal)));
    assert_string_equal(crd_error_message(ctx), "kl: no formula for multivariate_normal against normal");
    crd_graph_destroy(&g);
    testing_context_destroy(&ctx);
}

/* By covariance and by its factor: the same density, draws, moments and entropy. */
static void a_covariance_is_its_factor(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_graph *g;
    assert_ok(ctx, crd_graph_create(&g, ctx));
    static const double loc[] = {0.1, -0.2}, l[] = {1.1, 0, 0.3, 0.8}, c[] = {1.21, 0.33, 0.33, 0.73};
    static const double skew[] = {1, 0.5, 0.4, 1};
    crd_shape two = crd_shape_1(2), square = crd_shape_2(2, 2);
    crd_dist p = crd_multivariate_normal(array_node(g, loc, two), array_node(g, l, square));
    crd_dist q = crd_multivariate_normal_covariance(array_node(g, loc, two), array_node(g, c, square));
    crd_node key = crd_key_node(g, crd_key_make(2)), x = p.type->draw(&p, key, crd_shape_2(5, 2));
    double a[10], b[10];
    assert_ok(ctx, crd_dist_check(ctx, &q, "site"));
    elements_of(x, a, 10);
    elements_of(q.type->draw(&q, key, crd_shape_2(5, 2)), b, 10);
    for (int i = 0; i < 10; i++)
        assert_close(a[i], b[i], 1e-13, 1e-14);
    elements_of(p.type->log_prob(&p, x), a, 5);
    elements_of(q.type->log_prob(&q, x), b, 5);
    for (int i = 0; i < 5; i++)
        assert_close(a[i], b[i], 1e-13, 0);
    elements_of(q.type->variance(&q), b, 2);
    assert_close(b[0], 1.21, 1e-14, 0);
    assert_close(b[1], 0.73, 1e-14, 0);
    assert_close(number_of(p.type->entropy(&p)), number_of(q.type->entropy(&q)), 1e-13, 0);
    q.param[1] = array_node(g, skew, square);
    assert_int_equal(crd_dist_check(ctx, &q, "site s"), CRD_EDOMAIN);
    assert_non_null(strstr(crd_error_message(ctx), "symmetric positive definite"));
    crd_error_clear(ctx);
    p.param[1] = array_node(g, c, square);
    assert_int_equal(crd_dist_check(ctx, &p, "site s"), CRD_EDOMAIN);
    assert_non_null(strstr(crd_error_message(ctx), "lower triangular"));
    crd_error_clear(ctx);
    p.param[1] = crd_num(1);
    assert_int_equal(crd_dist_check(ctx, &p, "site s"), CRD_ESHAPE);
    crd_error_clear(ctx);
    crd_graph_destroy(&g);
    testing_context_destroy(&ctx);
}

/* ---- points and improper priors ------------------------------------------------------------------------------ */

static void improper_priors_have_density_one(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_graph *g;
    assert_ok(ctx, crd_graph_create(&g, ctx));
    static const double x[] = {0.5, 1, 2, 3, 4, 5};
    double out[6];
    const crd_dist flat[] = {crd_flat(), crd_flat_positive(), crd_flat_interval(crd_num(0), crd_num(6)),
                             crd_flat_ordered(crd_num(3)), crd_flat_positive_ordered(crd_num(3))};
    for (int i = 0; i < 5; i++) {
        assert_ok(ctx, crd_dist_check(ctx, &flat[i], "flat"));
        bool vector = flat[i].type->event_shape != NULL;
        crd_shape event, shape = vector ? crd_shape_2(2, 3) : crd_shape_1(6);
        assert_true(crd_dist_event_shape(&flat[i], &event));
        assert_int_equal(crd_shape_size(event), vector ? 3 : 1);
        elements_of(crd_dist_log_prob(&flat[i], array_node(g, x, shape)), out, vector ? 2 : 6);
        for (int k = 0; k < (vector ? 2 : 6); k++)
            assert_true(out[k] == 0);
        assert_true(crd_bijection_exists(flat[i].type->support(&flat[i])));
    }
    crd_dist computed = crd_flat_ordered(crd_input(g, "n", crd_shape_0())), half = crd_flat_ordered(crd_num(2.5));
    assert_int_equal(crd_dist_check(ctx, &computed, "site"), CRD_ESHAPE);
    crd_error_clear(ctx);
    assert_int_equal(crd_dist_check(ctx, &half, "site"), CRD_EDOMAIN);
    crd_error_clear(ctx);
    crd_dist interval = flat[2];
    elements_of(interval.type->log_prob(&interval, array_node(g, (const double[]){-1, 7}, crd_shape_1(2))), out, 2);
    assert_true(out[0] == -INFINITY && out[1] == -INFINITY);
    crd_dist point = crd_delta(crd_num(2));
    elements_of(point.type->log_prob(&point, array_node(g, x, crd_shape_1(6))), out, 6);
    assert_true(out[2] == 0 && out[1] == -INFINITY);
    assert_false(crd_bijection_exists(point.type->support(&point)));
    crd_graph_destroy(&g);
    testing_context_destroy(&ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_agree_with_the_reference),
        cmocka_unit_test(vector_draws_have_their_moments),
        cmocka_unit_test(implicit_gradients_move_the_mean),
        cmocka_unit_test(implicit_gradients_of_ratios),
        cmocka_unit_test(vector_bijections_go_both_ways_with_their_jacobian),
        cmocka_unit_test(divergences_agree_with_the_reference),
        cmocka_unit_test(divergences_are_integrals),
        cmocka_unit_test(divergences_at_their_ends),
        cmocka_unit_test(divergences_of_vectors_events_and_strangers),
        cmocka_unit_test(a_covariance_is_its_factor),
        cmocka_unit_test(improper_priors_have_density_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
