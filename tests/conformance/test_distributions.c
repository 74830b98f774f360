/* test_distributions.c - every row of dist.def: the reference values that NumPyro gives (tests/data/distributions.json),
 * and the laws that densities, moments, gradients and bijections keep. Draws: test_draws.c. */
#include "distributions.h"

/* ---- the registry ------------------------------------------------------------------------------------------- */

static void rows_agree_with_their_files(void **state)
{
    (void)state;
#define DIST(row, count, parameters, text)                                                                             \
    {                                                                                                                  \
        const crd_dist_type *type = crd_dist_type_find(#row);                                                          \
        assert_non_null(type);                                                                                         \
        char names[128] = "";                                                                                          \
        for (int i = 0; i < type->param_count; i++)                                                                    \
            strcat(strcat(names, i ? "," : ""), type->param[i].name);                                                  \
        assert_string_equal(type->name, #row);                                                                         \
        assert_string_equal(names, parameters);                                                                        \
        assert_int_equal(type->param_count, count);                                                                    \
        assert_string_equal(crd_dist_type_what(type), text);                                                           \
    }
#include "dist/dist.def"
#undef DIST
    assert_null(crd_dist_type_find("no_such"));
    assert_null(crd_dist_type_get(-1));
    assert_null(crd_dist_type_get(1000));
    assert_string_equal(crd_dist_type_what(&(crd_dist_type){.name = "mine"}), "");
}

/* ---- the reference ------------------------------------------------------------------------------------------ */

/* BernoulliLogits -> bernoulli_logits; the plain names are those with probabilities here. */
static void our_name(const char *theirs, char *out)
{
    for (const char *c = theirs; *c; c++) {
        if (*c >= 'A' && *c <= 'Z' && c != theirs)
            *out++ = '_';
        *out++ = (char)(*c >= 'A' && *c <= 'Z' ? *c - 'A' + 'a' : *c);
        *out = 0;
    }
    char *probs = out - 6;
    if (strlen(theirs) > 6 && strcmp(probs, "_probs") == 0)
        *probs = 0;
}

static const json_t *reference_row(const json_t *file, const crd_dist_type *type)
{
    const json_t *rows = json_object_get(file, "rows");
    for (size_t i = 0; i < json_array_size(rows); i++) {
        char name[64];
        our_name(json_string_value(json_object_get(json_array_get(rows, i), "distribution")), name);
        if (strcmp(name, type->name) == 0)
            return json_array_get(rows, i);
    }
    return NULL;
}

static void compare(const char *name, const char *what, const double *ours, const json_t *theirs, int64_t count)
{
    double expected[MANY];
    if (!theirs)
        return;
    assert_int_equal(testing_numbers(theirs, expected), count);
    for (int64_t i = 0; i < count; i++)
        if (fabs(ours[i] - expected[i]) > 1e-9 * fabs(expected[i]) + 1e-13)
            fail_msg("%s: %s %d is %.17g, the reference has %.17g", name, what, (int)i, ours[i], expected[i]);
}

static void compare_density(crd_context *ctx, const crd_dist_type *type, const json_t *row, const double *x, int64_t n)
{
    const struct fixture *f = fixture_of(type);
    const json_t *params = json_object_get(row, "params"), *slopes = json_object_get(row, "grad_params_of_sum");
    struct probe p = probe_create(ctx, type, n, LOG_PROB, crd_key_make(0));
    for (int i = 0; i < type->param_count; i++) {
        const json_t *theirs = json_object_get(params, type->param[i].name);
        assert_non_null(theirs);
        compare(type->name, "parameter", f->classes ? f->array : &f->param[i], theirs, param_size(f));
    }
    memcpy(crd_exec_input(p.exec) + p.params, x, sizeof *x * (size_t)n);
    const double *out = probe_run(&p);
    compare(type->name, "log density", out, json_object_get(row, "log_prob"), n);
    for (int i = 0; i < type->param_count; i++)
        compare(type->name, type->param[i].name, out + n + i * param_size(f),
                json_object_get(slopes, type->param[i].name), param_size(f));
    assert_non_null(json_object_get(row, "log_prob"));
    compare(type->name, "derivative in x", out + n + p.params, json_object_get(row, "grad_value"), n);
    probe_destroy(&p);
}

static void compare_functions(crd_graph *g, const crd_dist_type *type, const json_t *row, const double *values,
                              int64_t n)
{
    crd_dist dist = constant_dist(g, type);
    crd_node x = array_node(g, values, crd_shape_1(n));
    double out[MANY];
    const char *const moments[] = {"mean", "variance"};
    crd_node (*const functions[])(const crd_dist *) = {type->mean, type->variance};
    for (int i = 0; i < 2; i++) {
        double expected = testing_number(json_object_get(row, moments[i]));
        if (functions[i]) {
            out[0] = number_of(functions[i](&dist));
            compare(type->name, moments[i], out, json_object_get(row, moments[i]), 1);
        } else if (isfinite(expected)) {
            fail_msg("%s: its %s is %g, and not offered", type->name, moments[i], expected);
        }
    }
    if (json_object_get(row, "entropy")) {
        if (!type->entropy)
            fail_msg("%s: the reference has its entropy, which is not offered", type->name);
        out[0] = number_of(type->entropy(&dist));
        compare(type->name, "entropy", out, json_object_get(row, "entropy"), 1);
    }
    if (json_object_get(row, "cdf")) {
        if (!type->cdf)
            fail_msg("%s: the reference has its distribution function, which is not offered", type->name);
        elements_of(type->cdf(&dist, x), out, n);
        compare(type->name, "cdf", out, json_object_get(row, "cdf"), n);
    }
    if (type->discrete)
        return;
    crd_node u = crd_bijection_inverse(type->support(&dist), x);
    elements_of(u, out, n);
    compare(type->name, "unconstrained value", out, json_object_get(row, "unconstrained"), n);
    for (int64_t i = 0; i < n; i++)
        out[i] = number_of(crd_bijection_log_jacobian(type->support(&dist), crd_take(u, 0, i)));
    compare(type->name, "log Jacobian", out, json_object_get(row, "log_abs_det_jacobian"), n);
}

static void values_agree_with_the_reference(void **state)
{
    (void)state;
    json_t *file = testing_json("distributions.json");
    /* Rows that test_vectors.c and test_discrete.c compare. */
    static const char *const elsewhere[] = {"OrderedLogistic", "MultinomialProbs",   "Mixture(Normal, Normal)",
                                            "Dirichlet",       "MultivariateNormal", "LowRankMultivariateNormal",
                                            "LKJCholesky"};
    size_t compared = CRDI_COUNT(elsewhere);
    for (int i = 0; crd_dist_type_get(i); i++) {
        const crd_dist_type *type = crd_dist_type_get(i);
        const json_t *row = reference_row(file, type);
        if (fixture_of(type)->elsewhere || has_own_test(type) || strcmp(type->name, "geometric_logits") == 0)
            continue; /* test_vectors.c and test_discrete.c compare them */
        if (!row)
            fail_msg("%s: no reference", type->name);
        crd_context *ctx = testing_context();
        crd_graph *g;
        double x[MANY];
        assert_ok(ctx, crd_graph_create(&g, ctx));
        int64_t n = testing_numbers(json_object_get(row, "values"), x);
        compare_density(ctx, type, row, x, n);
        compare_functions(g, type, row, x, n);
        compared++;
        crd_graph_destroy(&g);
        testing_context_destroy(&ctx);
    }
    assert_int_equal(compared, json_array_size(json_object_get(file, "rows")));
    json_decref(file);
}

/* ---- laws of the density ------------------------------------------------------------------------------------ */

/* The mean of f(x) over a table. */
static double table_mean(const struct table *table, double centre, int power)
{
    double sum = 0;
    for (int i = 0; i <= CELLS; i++)
        if (table->slope[i] > 0)
            sum += table->slope[i] * pow(table->x[i] - centre, power) * 8 / CELLS;
    return sum;
}

/* log p of 0 .. CELLS - 1, which is all that has mass here. */
static void all_counts(crd_graph *g, const crd_dist *dist, double *log_p)
{
    static double many[CELLS];
    for (int i = 0; i < CELLS; i++)
        many[i] = i;
    elements_of(dist->type->log_prob(dist, array_node(g, many, crd_shape_1(CELLS))), log_p, CELLS);
}

static void check_mass(crd_context *ctx, crd_graph *g, const crd_dist_type *type)
{
    (void)ctx;
    static struct table table;
    crd_dist dist = constant_dist(g, type);
    double mass = 0, values[MANY], p;
    if (type->support(&dist).kind == CRD_COUNT) {
        static double log_p[CELLS];
        all_counts(g, &dist, log_p);
        for (int i = 0; i < CELLS; i++)
            mass += exp(log_p[i]);
    } else if (type->discrete) {
        int64_t n = some_values(&dist, values);
        for (int64_t i = 0; i < n; i++) {
            elements_of(type->log_prob(&dist, array_node(g, &values[i], crd_shape_1(1))), &p, 1);
            mass += exp(p);
        }
    } else {
        table_fill(&table, g, &dist);
        mass = table.cdf[CELLS];
    }
    if (fabs(mass - 1) > 1e-6)
        fail_msg("%s: its density integrates to %.12g", type->name, mass);
}

static void densities_integrate_to_one(void **state)
{
    (void)state;
    for_each_type(check_mass);
}

static void check_moments(crd_context *ctx, crd_graph *g, const crd_dist_type *type)
{
    (void)ctx;
    static struct table table;
    crd_dist dist = constant_dist(g, type);
    if (type->discrete)
        return;
    table_fill(&table, g, &dist);
    if (type->mean && !fixture_of(type)->circular) {
        double mean = number_of(type->mean(&dist)), integral = table_mean(&table, 0, 1);
        if (fabs(mean - integral) > 1e-5)
            fail_msg("%s: mean %.12g, the integral is %.12g", type->name, mean, integral);
        double variance = number_of(type->variance(&dist));
        integral = table_mean(&table, mean, 2);
        if (fabs(variance - integral) > 1e-5 * variance)
            fail_msg("%s: variance %.12g, the integral is %.12g", type->name, variance, integral);
    }
    if (!type->cdf)
        return;
    for (int i = 0; i <= CELLS; i += 16) {
        double ours = number_of(type->cdf(&dist, crd_num(table.x[i])));
        if (!(fabs(ours - table.cdf[i]) < 1e-6))
            fail_msg("%s: cdf(%g) is %.12g, the integral is %.12g", type->name, table.x[i], ours, table.cdf[i]);
    }
}

/* The entropy is the mean of -log p. */
static void check_entropy(crd_context *ctx, crd_graph *g, const crd_dist_type *type)
{
    (void)ctx;
    static struct table table;
    static double log_p[CELLS + 1];
    double values[MANY], sum = 0;
    crd_dist dist = constant_dist(g, type);
    if (!type->entropy)
        return;
    if (type->support(&dist).kind == CRD_COUNT) {
        all_counts(g, &dist, log_p);
        for (int i = 0; i < CELLS; i++)
            sum -= log_p[i] > -700 ? exp(log_p[i]) * log_p[i] : 0;
    } else if (type->discrete) {
        int64_t n = some_values(&dist, values);
        for (int64_t i = 0; i < n; i++) {
            elements_of(type->log_prob(&dist, array_node(g, &values[i], crd_shape_1(1))), &log_p[i], 1);
            sum -= exp(log_p[i]) * log_p[i];
        }
    } else {
        table_fill(&table, g, &dist);
        elements_of(type->log_prob(&dist, array_node(g, table.x, crd_shape_1(CELLS + 1))), log_p, CELLS + 1);
        for (int i = 0; i <= CELLS; i++)
            if (table.slope[i] > 0)
                sum -= table.slope[i] * log_p[i] * 8 / CELLS;
    }
    double entropy = number_of(type->entropy(&dist));
    if (!(fabs(entropy - sum) <= 1e-5))
        fail_msg("%s: entropy %.12g, the integral is %.12g", type->name, entropy, sum);
}

static void entropies_are_integrals(void **state)
{
    (void)state;
    for_each_type(check_entropy);
}

/* The quantile of p is the first value whose distribution function reaches p, also where p is just what it is there. */
static void check_steps(crd_graph *g, const crd_dist *dist, const double *p, int64_t n)
{
    double x[MANY], up[MANY], down[MANY], values[MANY];
    const crd_dist_type *type = dist->type;
    elements_of(type->quantile(dist, array_node(g, p, crd_shape_1(n))), x, n);
    for (int64_t i = 0; i < n; i++)
        values[i] = x[i] - 1;
    elements_of(type->cdf(dist, array_node(g, x, crd_shape_1(n))), up, n);
    elements_of(type->cdf(dist, array_node(g, values, crd_shape_1(n))), down, n);
    for (int64_t i = 0; i < n; i++)
        if (!(up[i] >= p[i] && (x[i] == 0 || down[i] < p[i])))
            fail_msg("%s: the quantile of %g is %g", type->name, p[i], x[i]);
}

static void check_discrete_quantile(crd_graph *g, const crd_dist *dist, const double *p, int64_t n)
{
    double values[MANY], exact[MANY], back[MANY];
    check_steps(g, dist, p, n);
    int64_t count = some_values(dist, values);
    elements_of(dist->type->cdf(dist, array_node(g, values, crd_shape_1(count))), exact, count);
    elements_of(dist->type->quantile(dist, array_node(g, exact, crd_shape_1(count))), back, count);
    for (int64_t i = 0; i < count; i++)
        if (back[i] != values[i])
            fail_msg("%s: the quantile of cdf(%g) is %g", dist->type->name, values[i], back[i]);
}

static void check_quantile(crd_context *ctx, crd_graph *g, const crd_dist_type *type)
{
    (void)ctx;
    static const double p[] = {1e-6, 0.01, 0.3, 0.5, 0.7, 0.99, 1 - 1e-6};
    crd_dist dist = constant_dist(g, type);
    double back[7];
    if (!type->quantile)
        return;
    assert_non_null(type->cdf);
    if (type->discrete) {
        check_discrete_quantile(g, &dist, p, 7);
        return;
    }
    crd_node x = type->quantile(&dist, array_node(g, p, crd_shape_1(7)));
    elements_of(type->cdf(&dist, x), back, 7);
    for (int i = 0; i < 7; i++)
        if (!(fabs(back[i] - p[i]) <= 1e-9 * p[i]))
            fail_msg("%s: the distribution function at the quantile of %g is %.12g", type->name, p[i], back[i]);
}

static void quantiles_invert_distribution_functions(void **state)
{
    (void)state;
    for_each_type(check_quantile);
}

static void moments_and_distribution_functions_are_integrals(void **state)
{
    (void)state;
    for_each_type(check_moments);
}

static void check_gradient(crd_context *ctx, crd_graph *g, const crd_dist_type *type)
{
    crd_dist dist = constant_dist(g, type);
    double values[MANY];
    int64_t n = some_values(&dist, values);
    struct probe p = probe_create(ctx, type, n, LOG_PROB, crd_key_make(0));
    memcpy(crd_exec_input(p.exec) + p.params, values, sizeof *values * (size_t)n);
    check_slopes(&p, type->name, 0, type->discrete ? p.params : p.params + n);
    probe_destroy(&p);
}

static void gradients_agree_with_finite_differences(void **state)
{
    (void)state;
    for_each_type(check_gradient);
}

/* A batch of two parameter sets and three values gives what each pair gives alone. */
static void check_batch(crd_context *ctx, crd_graph *g, const crd_dist_type *type)
{
    (void)ctx;
    const struct fixture *f = fixture_of(type);
    double values[MANY], both[2], alone;
    crd_dist one = constant_dist(g, type), two = one, other = one;
    some_values(&one, values);
    if (f->classes)
        return; /* the batch of class distributions is tested by the reference: one row, many values */
    for (int i = 0; i < type->param_count; i++) {
        double pair[2] = {f->param[i], f->param[i] * 0.75};
        two.param[i] = array_node(g, pair, crd_shape_1(2));
        other.param[i] = crd_num(pair[1]);
    }
    for (int k = 0; k < 2; k++) {
        double column[2] = {values[k], values[k]};
        crd_shape batch;
        elements_of(type->log_prob(&two, array_node(g, column, crd_shape_1(2))), both, 2);
        assert_true(crd_dist_batch_shape(&two, &batch) && batch.ndim == 1 && batch.dim[0] == 2);
        elements_of(type->log_prob(&one, array_node(g, column, crd_shape_1(1))), &alone, 1);
        assert_close(both[0], alone, 1e-14, 0);
        elements_of(type->log_prob(&other, array_node(g, column, crd_shape_1(1))), &alone, 1);
        assert_close(both[1], alone, 1e-14, 0);
    }
}

static void a_batch_is_a_loop(void **state)
{
    (void)state;
    for_each_type(check_batch);
}

/* Parameters of 1e-10 and 1e10, values at both ends: a number or -infinity, with finite slopes where it is a number. */
static void check_extremes(crd_context *ctx, crd_graph *g, const crd_dist_type *type)
{
    (void)g;
    static const double large[] = {1e-10, 1, 1e10}, any[] = {-1e10, 0, 1e10}, share[] = {1e-10, 0.5, 1 - 1e-10};
    static const double ends[] = {-20, -1, 0, 1, 20}, counts[] = {0, 1, 1e10};
    const struct fixture *f = fixture_of(type);
    struct probe p = probe_create(ctx, type, 1, LOG_PROB, crd_key_make(0));
    double *in = crd_exec_input(p.exec);
    if (type->param[0].constraint == CRD_SIMPLEX || type->param[1].constraint == CRD_ABOVE ||
        type->param[3].constraint == CRD_UPPER_BOUND) {
        probe_destroy(&p);
        return; /* their domain is no product */
    }
    for (int choice = 0; choice < 27 * 5; choice++) {
        int rest = choice;
        crd_dist dist = {.type = type};
        for (int64_t i = 0; i < p.params; i++, rest /= 3) {
            crd_constraint kind = type->param[f->classes ? 0 : i].constraint;
            in[i] = (kind == CRD_POSITIVE      ? large
                     : kind == CRD_PROBABILITY ? share
                     : kind == CRD_COUNT       ? counts
                                               : any)[rest % 3];
            dist.param[f->classes ? 0 : i] = crd_num(in[i]);
        }
        double end = ends[choice / 27];
        in[p.params] = type->discrete ? end > 0 : number_of(crd_bijection_forward(type->support(&dist), crd_num(end)));
        const double *out = probe_run(&p);
        if (isnan(out[0]) || out[0] == INFINITY)
            fail_msg("%s: log density %g for parameters %g %g %g, x %g", type->name, out[0], in[0], in[1], in[2],
                     in[p.params]);
        for (int64_t i = 0; isfinite(out[0]) && i < p.params + !type->discrete; i++)
            if (!isfinite(out[1 + i]))
                fail_msg("%s: derivative %d is %g for parameters %g %g %g, x %g", type->name, (int)i, out[1 + i], in[0],
                         in[1], in[2], in[p.params]);
    }
    probe_destroy(&p);
}

static void extreme_parameters_give_numbers(void **state)
{
    (void)state;
    for_each_type(check_extremes);
}

static double log_prob_at(crd_graph *g, crd_dist dist, double x)
{
    double out;
    elements_of(dist.type->log_prob(&dist, array_node(g, &x, crd_shape_1(1))), &out, 1);
    return out;
}

static void densities_are_right_where_they_are_hard(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_graph *g;
    assert_ok(ctx, crd_graph_create(&g, ctx));
    crd_node zero = crd_num(0), one = crd_num(1);
    /* log Phi'(30) etc. by hand */
    assert_close(log_prob_at(g, crd_normal(zero, one), 30), -450 - 0.91893853320467274, 1e-15, 0);
    assert_close(log_prob_at(g, crd_logistic(zero, one), -800), -800, 1e-15, 0);
    assert_close(log_prob_at(g, crd_logistic(zero, one), 800), -800, 1e-15, 0);
    assert_close(log_prob_at(g, crd_gumbel(zero, one), -1000), -INFINITY, 0, 0);
    assert_close(log_prob_at(g, crd_normal(zero, one), 1e200), -INFINITY, 0, 0);
    assert_close(log_prob_at(g, crd_bernoulli(zero), 1), -INFINITY, 0, 0);
    assert_close(log_prob_at(g, crd_bernoulli(zero), 0), 0, 0, 0);
    assert_close(log_prob_at(g, crd_bernoulli(one), 0), -INFINITY, 0, 0);
    assert_close(log_prob_at(g, crd_bernoulli(one), 1), 0, 0, 0);
    assert_close(log_prob_at(g, crd_bernoulli_logits(crd_num(-1000)), 1), -1000, 1e-15, 0);
    double shares[] = {0, 1};
    crd_dist certain = crd_categorical(array_node(g, shares, crd_shape_1(2)));
    assert_close(log_prob_at(g, certain, 0), -INFINITY, 0, 0);
    assert_close(log_prob_at(g, certain, 1), 0, 0, 0);
    /* Student's t: on both sides of where its formula changes, and the normal's density in the limit. */
    double below = log_prob_at(g, crd_student_t(crd_num(200), zero, one), 1.5);
    double above = log_prob_at(g, crd_student_t(crd_num(200 * (1 + 1e-13)), zero, one), 1.5);
    assert_close(below, above, 0, 1e-13);
    assert_close(log_prob_at(g, crd_student_t(crd_num(1e15), zero, one), 1.5),
                 log_prob_at(g, crd_normal(zero, one), 1.5), 1e-13, 0);
    crd_graph_destroy(&g);
    testing_context_destroy(&ctx);
}

/* Bounds that are nodes: outside them the density is 0, and says so. */
static void a_uniform_with_random_bounds_knows_its_ends(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    const crd_dist_type *type = crd_dist_type_find("uniform");
    static const double x[] = {-3.5, -3, 0, 4, 4.5};
    struct probe p = probe_create(ctx, type, 5, LOG_PROB, crd_key_make(0));
    memcpy(crd_exec_input(p.exec) + p.params, x, sizeof x);
    const double *out = probe_run(&p);
    for (int i = 0; i < 5; i++)
        assert_close(out[i], i == 0 || i == 4 ? -INFINITY : -log(7), 1e-15, 0);
    assert_close(out[5], 3.0 / 7, 1e-15, 0); /* of the three inside */
    assert_close(out[6], -3.0 / 7, 1e-15, 0);
    probe_destroy(&p);
    testing_context_destroy(&ctx);
}

/* An infinite bound is no bound: with none it is the normal, with one its density is that over one tail, and the gradient
 * in loc and scale is finite. */
static void a_truncated_normal_may_be_open(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_graph *g;
    assert_ok(ctx, crd_graph_create(&g, ctx));
    crd_node zero = crd_num(0), one = crd_num(1), inf = crd_num(INFINITY), minus = crd_num(-INFINITY);
    const crd_dist dists[] = {crd_truncated_normal(zero, one, minus, inf), crd_truncated_normal(zero, one, zero, inf),
                              crd_truncated_normal(zero, one, minus, crd_num(-30))};
    const crd_constraint kinds[] = {CRD_REAL, CRD_ABOVE, CRD_BELOW};
    const double x[] = {1.5, 1.5, -31};
    double whole = log_prob_at(g, crd_normal(zero, one), 1.5);
    /* log Phi(-30) = -454.32124395634319 (mpmath) */
    const double expected[] = {whole, whole + log(2), -480.5 - 0.91893853320467274 + 454.32124395634319};
    for (int i = 0; i < 3; i++) {
        assert_ok(ctx, crd_dist_check(ctx, &dists[i], "site"));
        assert_int_equal(dists[i].type->support(&dists[i]).kind, kinds[i]);
        assert_close(log_prob_at(g, dists[i], x[i]), expected[i], 1e-13, 0);
        crd_node in[2] = {crd_input(g, "loc", crd_shape_0()), crd_input(g, "scale", crd_shape_0())}, out[2];
        crd_dist open = crd_truncated_normal(in[0], in[1], dists[i].param[2], dists[i].param[3]);
        crd_gradient(open.type->log_prob(&open, crd_num(x[i])), in, 2, out);
        crd_program *program;
        crd_exec *exec;
        assert_ok(ctx, crd_compile(g, in, 2, out, 2, &program));
        assert_ok(ctx, crd_exec_create(&exec, program));
        crd_exec_input(exec)[0] = 0;
        crd_exec_input(exec)[1] = 1;
        crd_exec_run(exec);
        double h = 1e-5, slope = crd_exec_output(exec)[0];
        crd_dist up = crd_truncated_normal(crd_num(h), one, dists[i].param[2], dists[i].param[3]);
        crd_dist down = crd_truncated_normal(crd_num(-h), one, dists[i].param[2], dists[i].param[3]);
        assert_close(slope, (log_prob_at(g, up, x[i]) - log_prob_at(g, down, x[i])) / (2 * h), 1e-6, 1e-8);
        assert_true(isfinite(crd_exec_output(exec)[1]));
        crd_exec_destroy(&exec);
        crd_program_destroy(&program);
    }
    crd_dist crossed = crd_truncated_normal(zero, one, one, zero);
    assert_int_equal(crd_dist_check(ctx, &crossed, "site s"), CRD_EDOMAIN);
    crd_error_clear(ctx);
    crd_graph_destroy(&g);
    testing_context_destroy(&ctx);
}

/* ---- bijections --------------------------------------------------------------------------------------------- */

static void check_bijection(crd_context *ctx, crd_graph *g, const crd_dist_type *type)
{
    (void)ctx;
    static const double u[] = {-8, -1.5, -0.2, 0, 0.3, 2, 8};
    crd_dist dist = constant_dist(g, type);
    crd_support support = type->support(&dist);
    assert_int_equal(crd_bijection_exists(support), !type->discrete);
    for (int i = 0; i < CRDI_COUNT(u) && !type->discrete; i++) {
        crd_node at = array_node(g, &u[i], crd_shape_1(1)), x = crd_bijection_forward(support, at);
        double h = 1e-6, value = number_of(x);
        assert_true(crd_constraint_holds(support.kind, value, number_of(support.low), number_of(support.high)));
        assert_close(number_of(crd_bijection_inverse(support, x)), u[i], 1e-11, 1e-12);
        double up = number_of(crd_bijection_forward(support, crd_num(u[i] + h)));
        double down = number_of(crd_bijection_forward(support, crd_num(u[i] - h)));
        assert_close(exp(number_of(crd_bijection_log_jacobian(support, at))), (up - down) / (2 * h), 1e-5, 0);
    }
}

static void bijections_go_both_ways_with_their_jacobian(void **state)
{
    (void)state;
    for_each_type(check_bijection);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_agree_with_their_files),
        cmocka_unit_test(values_agree_with_the_reference),
        cmocka_unit_test(densities_integrate_to_one),
        cmocka_unit_test(moments_and_distribution_functions_are_integrals),
        cmocka_unit_test(entropies_are_integrals),
        cmocka_unit_test(quantiles_invert_distribution_functions),
        cmocka_unit_test(gradients_agree_with_finite_differences),
        cmocka_unit_test(a_batch_is_a_loop),
        cmocka_unit_test(extreme_parameters_give_numbers),
        cmocka_unit_test(densities_are_right_where_they_are_hard),
        cmocka_unit_test(a_uniform_with_random_bounds_knows_its_ends),
        cmocka_unit_test(a_truncated_normal_may_be_open),
        cmocka_unit_test(bijections_go_both_ways_with_their_jacobian),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
