/* test_draws.c - the draws of every row of dist.def: their distribution, shape, dependence on the key, gradients.
 * Statistical tests have fixed keys; each would fail for one key in 10^4 by chance. */
#include "distributions.h"

enum { DRAWS = 20000 };

static void draw_into(crd_graph *g, const crd_dist *dist, crd_key key, double *out, int64_t n)
{
    crd_node draws = dist->type->draw(dist, crd_key_node(g, key), crd_shape_1(n));
    elements_of(draws, out, n);
}

static int ascending(const void *a, const void *b)
{
    double p = *(const double *)a, q = *(const double *)b;
    return (p > q) - (p < q);
}

/* The distribution function at x from a table: cubic between the ends of the cells. */
static double table_cdf(const struct table *table, crd_support support, double x)
{
    double u = number_of(crd_bijection_inverse(support, crd_num(x)));
    double position = (asinh(asinh(u) / 1.5707963267948966) + 4) * CELLS / 8;
    int i = (int)fmin(fmax(position, 0), CELLS - 1);
    double s = fmin(fmax(position - i, 0), 1), h = 8.0 / CELLS;
    double a = table->cdf[i], b = table->cdf[i + 1], p = table->slope[i] * h, q = table->slope[i + 1] * h;
    return a + s * (p + s * (3 * (b - a) - 2 * p - q + s * (p + q - 2 * (b - a))));
}

/* Kolmogorov-Smirnov: with probability 1e-4 the largest difference is above 2.2253 / sqrt(n). */
static void check_continuous_draws(crd_graph *g, const crd_dist *dist, const double *draws)
{
    static struct table table;
    static double sorted[DRAWS];
    double worst = 0;
    crd_support support = dist->type->support(dist);
    table_fill(&table, g, dist);
    assert_close(table.cdf[CELLS], 1, 0, 1e-6);
    memcpy(sorted, draws, sizeof sorted);
    qsort(sorted, DRAWS, sizeof *sorted, ascending);
    for (int i = 0; i < DRAWS; i++) {
        double p = table_cdf(&table, support, sorted[i]);
        assert_true(isfinite(p));
        worst = fmax(worst, fmax(p - (double)i / DRAWS, (i + 1.0) / DRAWS - p));
    }
    if (!(worst < 2.2253 / sqrt(DRAWS)))
        fail_msg("%s: draws are %.4g away from their distribution function", dist->type->name, worst);
}

static void check_discrete_draws(crd_graph *g, const crd_dist *dist, const double *draws)
{
    double values[MANY], log_p[MANY];
    int64_t n = some_values(dist, values);
    elements_of(dist->type->log_prob(dist, array_node(g, values, crd_shape_1(n))), log_p, n);
    check_counts(dist->type->name, draws, DRAWS, log_p, n);
}

/* 3.891 standard errors: 1e-4 on both sides together. That of the variance from the draws' fourth moment. */
static void check_draw_moments(const struct fixture *f, const crd_dist *dist, const double *draws)
{
    double mean = 0, square = 0, fourth = 0;
    if (!dist->type->mean || f->circular)
        return;
    for (int i = 0; i < DRAWS; i++)
        mean += draws[i] / DRAWS;
    for (int i = 0; i < DRAWS; i++) {
        double s = (draws[i] - mean) * (draws[i] - mean);
        square += s / DRAWS;
        fourth += s * s / DRAWS;
    }
    double variance = number_of(dist->type->variance(dist)), error = mean - number_of(dist->type->mean(dist));
    if (!(fabs(error) < 3.891 * sqrt(variance / DRAWS)))
        fail_msg("%s: the mean of its draws is off by %.4g", f->name, error);
    if (f->light && !(fabs(square - variance) < 3.891 * sqrt((fourth - square * square) / DRAWS)))
        fail_msg("%s: the variance of its draws is %.6g, its own %.6g", f->name, square, variance);
}

static void check_draws(crd_context *ctx, crd_graph *g, const crd_dist_type *type)
{
    (void)ctx;
    static double draws[DRAWS];
    crd_dist dist = constant_dist(g, type);
    assert_non_null(type->draw);
    draw_into(g, &dist, crd_key_make(1234), draws, DRAWS);
    if (type->discrete)
        check_discrete_draws(g, &dist, draws);
    else
        check_continuous_draws(g, &dist, draws);
    check_draw_moments(fixture_of(type), &dist, draws);
}

static void draws_have_their_distribution(void **state)
{
    (void)state;
    for_each_type(check_draws);
}

/* A concentration below one takes another way, and so do tails. */
static void draws_of_other_parameters_have_their_distribution(void **state)
{
    (void)state;
    static double draws[DRAWS];
    crd_context *ctx = testing_context();
    crd_graph *g;
    assert_ok(ctx, crd_graph_create(&g, ctx));
    const crd_dist dists[] = {crd_gamma(crd_num(0.3), crd_num(2)),
                              crd_gamma(crd_num(1), crd_num(1)),
                              crd_gamma(crd_num(40), crd_num(3)),
                              crd_student_t(crd_num(1), crd_num(0), crd_num(2)),
                              crd_weibull(crd_num(2), crd_num(0.6)),
                              crd_beta(crd_num(0.4), crd_num(1.7)),
                              crd_von_mises(crd_num(3), crd_num(0.004)),
                              crd_von_mises(crd_num(1), crd_num(60)),
                              crd_truncated_normal(crd_num(0), crd_num(1), crd_num(5), crd_num(INFINITY)),
                              crd_truncated_normal(crd_num(0), crd_num(1), crd_num(4), crd_num(6))};
    for (int i = 0; i < CRDI_COUNT(dists); i++) {
        draw_into(g, &dists[i], crd_key_make(77), draws, DRAWS);
        check_continuous_draws(g, &dists[i], draws);
    }
    /* So small a concentration that most draws underflow: they stay in the support. */
    crd_dist tiny = crd_gamma(crd_num(1e-4), crd_num(1));
    draw_into(g, &tiny, crd_key_make(77), draws, DRAWS);
    for (int i = 0; i < DRAWS; i++)
        assert_true(draws[i] > 0);
    crd_graph_destroy(&g);
    testing_context_destroy(&ctx);
}

static void check_keys_and_shapes(crd_context *ctx, crd_graph *g, const crd_dist_type *type)
{
    (void)ctx;
    enum { N = 60 };
    double first[N], again[N], other[N];
    crd_dist dist = constant_dist(g, type);
    crd_support support = type->support(&dist);
    draw_into(g, &dist, crd_key_make(1), first, N);
    draw_into(g, &dist, crd_key_make(1), again, N);
    draw_into(g, &dist, crd_key_make(2), other, N);
    assert_memory_equal(first, again, sizeof first);
    assert_memory_not_equal(first, other, sizeof first);
    for (int i = 0; i < N; i++)
        assert_true(crd_constraint_holds(support.kind, first[i], number_of(support.low), number_of(support.high)));
    crd_shape shape = {3, {3, 4, 5}};
    crd_node block = type->draw(&dist, crd_key_node(g, crd_key_make(1)), shape);
    assert_true(crdi_shape_equal(crd_node_shape(block), shape));
    elements_of(block, again, N);
    assert_memory_equal(first, again, sizeof first);
}

static void draws_depend_on_the_key_and_have_the_shape(void **state)
{
    (void)state;
    for_each_type(check_keys_and_shapes);
}

static void check_reparameterisation(crd_context *ctx, crd_graph *g, const crd_dist_type *type)
{
    (void)g;
    const struct fixture *f = fixture_of(type);
    struct probe p = probe_create(ctx, type, 7, DRAW, crd_key_make(5));
    memset(crd_exec_input(p.exec) + p.params, 0, 7 * sizeof(double));
    for (int64_t i = 0; i < p.params; i++) {
        if (f->reparameterised >> i & 1)
            check_slopes(&p, type->name, i, 1);
        double slope = probe_run(&p)[7 + i];
        if ((slope != 0) != ((f->reparameterised | f->implicit) >> i & 1))
            fail_msg("%s: the gradient of draws in parameter %d is %g", type->name, (int)i, slope);
    }
    probe_destroy(&p);
}

static void draws_have_the_gradients_they_claim(void **state)
{
    (void)state;
    for_each_type(check_reparameterisation);
}

/* The implicit gradient is -(dF/dparameter) / p at each draw: by difference quotients of the distribution function. */
static void check_implicit(crd_context *ctx, crd_graph *g, const crd_dist_type *type)
{
    (void)ctx;
    const struct fixture *f = fixture_of(type);
    if (f->implicit != 1 || !type->cdf)
        return;
    static const double sizes[] = {0.02, 0.6, 2.5, 40, 1000};
    for (int k = 0; k < CRDI_COUNT(sizes); k++) {
        double x[2], slope[2], up[2], down[2], log_p[2], a = sizes[k], h = 1e-5 * a;
        crd_node concentration = crd_input(g, "a", crd_shape_0()), draws[3];
        crd_program *program;
        crd_exec *exec;
        crd_dist dist = constant_dist(g, type);
        dist.param[0] = concentration;
        draws[0] = type->draw(&dist, crd_key_node(g, crd_key_make(8)), crd_shape_1(2));
        crd_gradient(crd_take(draws[0], 0, 0), &concentration, 1, &draws[1]);
        crd_gradient(crd_take(draws[0], 0, 1), &concentration, 1, &draws[2]);
        assert_ok(ctx, crd_compile(g, &concentration, 1, draws, 3, &program));
        assert_ok(ctx, crd_exec_create(&exec, program));
        crd_exec_input(exec)[0] = a;
        crd_exec_run(exec);
        memcpy(x, crd_exec_output(exec), sizeof x);
        memcpy(slope, crd_exec_output(exec) + 2, sizeof slope);
        crd_exec_destroy(&exec);
        crd_program_destroy(&program);
        crd_node at = array_node(g, x, crd_shape_1(2));
        dist.param[0] = crd_num(a + h);
        elements_of(type->cdf(&dist, at), up, 2);
        dist.param[0] = crd_num(a - h);
        elements_of(type->cdf(&dist, at), down, 2);
        dist.param[0] = crd_num(a);
        elements_of(type->log_prob(&dist, at), log_p, 2);
        for (int i = 0; i < 2; i++) {
            double expected = -(up[i] - down[i]) / (2 * h) / exp(log_p[i]);
            if (!(fabs(slope[i] - expected) <= 1e-6 * fabs(expected)))
                fail_msg("%s: d draw / d concentration at %g is %.12g, not %.12g", type->name, a, slope[i], expected);
        }
    }
}

static void implicit_gradients_keep_the_probability_below(void **state)
{
    (void)state;
    for_each_type(check_implicit);
}

static void draws_are_those_of_the_rng_room(void **state)
{
    (void)state;
    enum { N = 64 };
    crd_context *ctx = testing_context();
    crd_graph *g;
    crd_key key = crd_key_make(9);
    double ours[N], theirs[N];
    assert_ok(ctx, crd_graph_create(&g, ctx));
    const struct {
        crd_dist dist;
        void (*draw)(crd_key key, int64_t n, double *out);
    } pairs[] = {{crd_normal(crd_num(0), crd_num(1)), crd_random_normal},
                 {crd_cauchy(crd_num(0), crd_num(1)), crd_random_cauchy},
                 {crd_exponential(crd_num(1)), crd_random_exponential},
                 {crd_gumbel(crd_num(0), crd_num(1)), crd_random_gumbel}};
    for (int i = 0; i < CRDI_COUNT(pairs); i++) {
        draw_into(g, &pairs[i].dist, key, ours, N);
        pairs[i].draw(key, N, theirs);
        for (int k = 0; k < N; k++)
            assert_close(ours[k], theirs[k], 1e-14, 0);
    }
    crd_graph_destroy(&g);
    testing_context_destroy(&ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(draws_have_their_distribution),
        cmocka_unit_test(draws_of_other_parameters_have_their_distribution),
        cmocka_unit_test(draws_depend_on_the_key_and_have_the_shape),
        cmocka_unit_test(draws_have_the_gradients_they_claim),
        cmocka_unit_test(implicit_gradients_keep_the_probability_below),
        cmocka_unit_test(draws_are_those_of_the_rng_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
