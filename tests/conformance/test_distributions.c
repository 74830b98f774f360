/* test_distributions.c - every row of dist.def: reference values, laws, draws.
 *
 * A fixture gives each distribution one set of parameters. The row's reference, made by NumPyro, is compared where there
 * is one (tests/data/distributions.json); the laws below are checked for all. Integrals over a support are trapezoid sums
 * in t, with the unconstrained u = sinh(pi/2 sinh t) (Takahasi and Mori 1974) and x the support's bijection of u, over
 * t in [-4, 4], u in +-1e18: exact to far below 1e-6, except 3e-7 for the kink of the Laplace density. */
#include "dist/dist.h"
#include "testing.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_CLASSES = 3, DRAWS = 20000, CELLS = 4096 };

struct fixture {
    const char *name;
    double param[CRD_DIST_MAX_PARAMS];
    double array[MAX_CLASSES]; /* instead, for the distributions over classes */
    int classes;
    unsigned reparameterised; /* bit i: draws have a gradient in parameter i */
    int light; /* tails so light that the variance of draws is nearly normal */
};

static const struct fixture fixtures[] = {
    {"normal", {0.3, 1.7}, .reparameterised = 3, .light = 1},
    {"half_normal", {1.7}, .reparameterised = 1, .light = 1},
    {"log_normal", {0.3, 0.7}, .reparameterised = 3},
    {"cauchy", {0.3, 1.7}, .reparameterised = 3},
    {"half_cauchy", {0.5}, .reparameterised = 1},
    {"student_t", {4.5, 0.3, 1.7}, .reparameterised = 7},
    {"laplace", {0.3, 1.7}, .reparameterised = 3, .light = 1},
    {"logistic", {0.3, 1.7}, .reparameterised = 3, .light = 1},
    {"gumbel", {0.3, 1.7}, .reparameterised = 3, .light = 1},
    {"uniform", {-3, 4}, .reparameterised = 3, .light = 1},
    {"exponential", {1.3}, .reparameterised = 1, .light = 1},
    {"gamma", {2.5, 1.3}, .reparameterised = 2, .light = 1},
    {"inverse_gamma", {2.5, 1.3}, .reparameterised = 2},
    {"weibull", {1.2, 1.8}, .reparameterised = 3, .light = 1},
    {"bernoulli", {0.6}, .classes = 0},
    {"bernoulli_logits", {0.6}, .classes = 0},
    {"categorical", .array = {0.2, 0.5, 0.3}, .classes = 3},
    {"categorical_logits", .array = {0.2, -1.0, 0.9}, .classes = 3},
};

static const struct fixture *fixture_of(const crd_dist_type *type)
{
    for (int i = 0; i < CRDI_COUNT(fixtures); i++)
        if (strcmp(fixtures[i].name, type->name) == 0)
            return &fixtures[i];
    fail_msg("%s has no fixture here: add one", type->name);
    return NULL;
}

/* ---- helpers ------------------------------------------------------------------------------------------------ */

static crd_node array_node(crd_graph *g, const double *values, crd_shape shape)
{
    crd_array array = crd_array_borrow((double *)values, shape);
    return crd_constant(g, &array);
}

/* The distribution of a fixture with constant parameters. */
static crd_dist constant_dist(crd_graph *g, const crd_dist_type *type)
{
    const struct fixture *f = fixture_of(type);
    crd_dist dist = {.type = type};
    for (int i = 0; i < type->param_count; i++)
        dist.param[i] = f->classes ? array_node(g, f->array, crd_shape_1(f->classes)) : crd_num(f->param[i]);
    return dist;
}

/* Copies the elements of a node that is known now. */
static void elements_of(crd_node node, double *out, int64_t count)
{
    const double *known = &node.number;
    if (node.graph) {
        assert_true(crd_node_known(node, &known));
        assert_int_equal(crd_shape_size(crd_node_shape(node)), count);
    }
    for (int64_t i = 0; i < count; i++)
        out[i] = known[node.graph ? i : 0];
}

static double number_of(crd_node node)
{
    double out;
    elements_of(node, &out, 1);
    return out;
}

static int64_t param_size(const struct fixture *f)
{
    return f->classes ? f->classes : 1;
}

/* A program (parameters, x) -> what it asks for, and its gradient in all inputs. */
struct probe {
    crd_program *program;
    crd_exec *exec;
    int64_t count; /* of x */
    int64_t params; /* numbers that the parameters have */
};

enum subject { LOG_PROB, DRAW };

static struct probe probe_create(crd_context *ctx, const crd_dist_type *type, int64_t count, enum subject subject,
                                 crd_key key)
{
    const struct fixture *f = fixture_of(type);
    struct probe p = {.count = count, .params = type->param_count * param_size(f)};
    crd_graph *g;
    crd_node inputs[CRD_DIST_MAX_PARAMS + 1], outputs[CRD_DIST_MAX_PARAMS + 2];
    crd_dist dist = {.type = type};
    assert_ok(ctx, crd_graph_create(&g, ctx));
    for (int i = 0; i < type->param_count; i++)
        inputs[i] = dist.param[i] =
            crd_input(g, type->param[i].name, f->classes ? crd_shape_1(f->classes) : crd_shape_0());
    int n = type->param_count + 1;
    crd_node x = inputs[n - 1] = crd_input(g, "x", crd_shape_1(count));
    outputs[0] =
        subject == LOG_PROB ? type->log_prob(&dist, x) : type->draw(&dist, crd_key_node(g, key), crd_shape_1(count));
    crd_gradient(crd_sum(outputs[0]), inputs, n, outputs + 1);
    assert_ok(ctx, crd_compile(g, NULL, 0, outputs, n + 1, &p.program));
    crd_graph_destroy(&g);
    assert_ok(ctx, crd_exec_create(&p.exec, p.program));
    double *in = crd_exec_input(p.exec);
    for (int64_t i = 0; i < p.params; i++)
        in[i] = f->classes ? f->array[i] : f->param[i];
    return p;
}

static void probe_destroy(struct probe *p)
{
    crd_exec_destroy(&p->exec);
    crd_program_destroy(&p->program);
}

/* Values, then gradient in the parameters, then in x. */
static const double *probe_run(struct probe *p)
{
    crd_exec_run(p->exec);
    return crd_exec_output(p->exec);
}

static double total(const struct probe *p, const double *values)
{
    double sum = 0;
    for (int64_t i = 0; i < p->count; i++)
        sum += values[i];
    return sum;
}

/* Some points of the support, by its bijection or by listing. */
static int64_t some_values(const crd_dist *dist, double *out)
{
    static const double u[] = {-2.1, -0.9, 0.05, 0.7, 1.3};
    crd_support support = dist->type->support(dist);
    if (dist->type->discrete) {
        int64_t k = (int64_t)number_of(support.high);
        for (int64_t i = 0; i < k; i++)
            out[i] = (double)i;
        return k;
    }
    for (int i = 0; i < CRDI_COUNT(u); i++)
        out[i] = number_of(crd_bijection_forward(support, crd_num(u[i])));
    return CRDI_COUNT(u);
}

typedef void (*check_fn)(crd_context *ctx, crd_graph *g, const crd_dist_type *type);

static void for_each_type(check_fn check)
{
    for (int i = 0; crd_dist_type_get(i); i++) {
        crd_context *ctx = testing_context();
        crd_graph *g;
        assert_ok(ctx, crd_graph_create(&g, ctx));
        check(ctx, g, crd_dist_type_get(i));
        assert_ok(ctx, crd_graph_status(g));
        crd_graph_destroy(&g);
        testing_context_destroy(&ctx);
    }
}

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

enum { MANY = 16 };

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
    if (type->cdf && json_object_get(row, "cdf")) {
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
    for (int i = 0; crd_dist_type_get(i); i++) {
        const crd_dist_type *type = crd_dist_type_get(i);
        const json_t *row = reference_row(file, type);
        if (!row)
            fail_msg("%s: no reference", type->name);
        crd_context *ctx = testing_context();
        crd_graph *g;
        double x[MANY];
        assert_ok(ctx, crd_graph_create(&g, ctx));
        int64_t n = testing_numbers(json_object_get(row, "values"), x);
        compare_density(ctx, type, row, x, n);
        compare_functions(g, type, row, x, n);
        crd_graph_destroy(&g);
        testing_context_destroy(&ctx);
    }
    json_decref(file);
}

/* ---- laws of the density ------------------------------------------------------------------------------------ */

/* The distribution function by integration, at the ends of the cells, and the density in t there. */
struct table {
    double cdf[CELLS + 1], slope[CELLS + 1], x[CELLS + 1];
};

static double t_at(int i)
{
    return -4 + 8.0 * i / CELLS;
}

static void table_fill(struct table *table, crd_graph *g, const crd_dist *dist)
{
    crd_support support = dist->type->support(dist);
    double *u = malloc(sizeof table->x), *log_p = malloc(sizeof table->x);
    assert_true(u && log_p);
    for (int i = 0; i <= CELLS; i++)
        u[i] = sinh(1.5707963267948966 * sinh(t_at(i)));
    crd_node node = array_node(g, u, crd_shape_1(CELLS + 1)), x = crd_bijection_forward(support, node);
    elements_of(x, table->x, CELLS + 1);
    elements_of(dist->type->log_prob(dist, x), log_p, CELLS + 1);
    for (int i = 0; i <= CELLS; i++) {
        double t = t_at(i), speed = 1.5707963267948966 * cosh(t) * cosh(1.5707963267948966 * sinh(t));
        double jacobian = support.kind == CRD_POSITIVE ? u[i] : 0;
        if (support.kind == CRD_INTERVAL) /* log(high - low) + log sigmoid(u) + log sigmoid(-u) */
            jacobian = log(number_of(support.high) - number_of(support.low)) - fabs(u[i]) - 2 * log1p(exp(-fabs(u[i])));
        /* Where x underflows to 0 or overflows there is no mass left to speak of. */
        double density = support.kind == CRD_POSITIVE && fabs(u[i]) > 700 ? 0 : exp(log_p[i] + jacobian);
        table->slope[i] = density > 0 ? density * speed : 0;
    }
    /* Trapezoid sums with Euler and Maclaurin's first correction, h^2 / 12 times the slopes at the ends. */
    double sum = 0;
    for (int i = 0; i <= CELLS; i++) {
        double before = i > 0 ? table->slope[i - 1] : 0, after = i < CELLS ? table->slope[i + 1] : 0;
        sum += (before + (i > 0 ? table->slope[i] : 0)) * 4 / CELLS;
        table->cdf[i] = sum - (after - before) / 24 * 8 / CELLS;
    }
    free(u);
    free(log_p);
}

/* The mean of f(x) over a table. */
static double table_mean(const struct table *table, double centre, int power)
{
    double sum = 0;
    for (int i = 0; i <= CELLS; i++)
        if (table->slope[i] > 0)
            sum += table->slope[i] * pow(table->x[i] - centre, power) * 8 / CELLS;
    return sum;
}

static void check_mass(crd_context *ctx, crd_graph *g, const crd_dist_type *type)
{
    (void)ctx;
    static struct table table;
    crd_dist dist = constant_dist(g, type);
    double mass = 0, values[MANY], p;
    if (type->discrete) {
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
    if (type->mean) {
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

static void moments_and_distribution_functions_are_integrals(void **state)
{
    (void)state;
    for_each_type(check_moments);
}

/* Central differences of step 6e-6: about 1e-9 of error for these functions, 1e-6 allowed. */
static void check_slopes(struct probe *p, const char *name, int64_t first, int64_t count)
{
    double *in = crd_exec_input(p->exec);
    for (int64_t i = first; i < first + count; i++) {
        double at = in[i], h = 6e-6 * fmax(1, fabs(at));
        in[i] = at + h;
        double up = total(p, probe_run(p));
        in[i] = at - h;
        double down = total(p, probe_run(p));
        in[i] = at;
        double slope = probe_run(p)[p->count + i], expected = (up - down) / (2 * h);
        if (!(fabs(slope - expected) <= 1e-6 * fmax(1, fabs(expected))))
            fail_msg("%s: derivative %d is %.12g, the difference quotient %.12g", name, (int)i, slope, expected);
    }
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
    static const double ends[] = {-20, -1, 0, 1, 20};
    const struct fixture *f = fixture_of(type);
    struct probe p = probe_create(ctx, type, 1, LOG_PROB, crd_key_make(0));
    double *in = crd_exec_input(p.exec);
    if (type->param[0].constraint == CRD_SIMPLEX || type->param[1].constraint == CRD_ABOVE) {
        probe_destroy(&p);
        return; /* their domain is no product */
    }
    for (int choice = 0; choice < 27 * 5; choice++) {
        int rest = choice;
        crd_dist dist = {.type = type};
        for (int64_t i = 0; i < p.params; i++, rest /= 3) {
            crd_constraint kind = type->param[f->classes ? 0 : i].constraint;
            in[i] = (kind == CRD_POSITIVE ? large : kind == CRD_PROBABILITY ? share : any)[rest % 3];
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
    /* The unit interval is the support of no distribution yet. */
    crd_context *ctx = testing_context();
    crd_support unit = {CRD_UNIT_INTERVAL, crd_num(0), crd_num(1)};
    double x = number_of(crd_bijection_forward(unit, crd_num(0.7)));
    assert_close(x, 1 / (1 + exp(-0.7)), 1e-15, 0);
    assert_close(number_of(crd_bijection_inverse(unit, crd_num(x))), 0.7, 1e-14, 0);
    testing_context_destroy(&ctx);
}

/* ---- draws -------------------------------------------------------------------------------------------------- */

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

/* Pearson's chi-square: its 1 - 1e-4 quantile for 1 and 2 degrees of freedom. */
static void check_discrete_draws(crd_graph *g, const crd_dist *dist, const double *draws)
{
    static const double limit[] = {0, 0, 15.137, 18.421};
    double values[MANY], sum = 0, p;
    int64_t n = some_values(dist, values);
    for (int64_t k = 0; k < n; k++) {
        double count = 0;
        for (int i = 0; i < DRAWS; i++)
            count += draws[i] == values[k];
        elements_of(dist->type->log_prob(dist, array_node(g, &values[k], crd_shape_1(1))), &p, 1);
        double expected = DRAWS * exp(p);
        sum += (count - expected) * (count - expected) / expected;
    }
    if (!(sum < limit[n]))
        fail_msg("%s: chi-square of its draws is %.4g", dist->type->name, sum);
}

/* 3.891 standard errors: 1e-4 on both sides together. That of the variance from the draws' fourth moment. */
static void check_draw_moments(const struct fixture *f, const crd_dist *dist, const double *draws)
{
    double mean = 0, square = 0, fourth = 0;
    if (!dist->type->mean)
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
    const crd_dist dists[] = {crd_gamma(crd_num(0.3), crd_num(2)), crd_gamma(crd_num(1), crd_num(1)),
                              crd_gamma(crd_num(40), crd_num(3)), crd_student_t(crd_num(1), crd_num(0), crd_num(2)),
                              crd_weibull(crd_num(2), crd_num(0.6))};
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
        if ((slope != 0) != (f->reparameterised >> i & 1))
            fail_msg("%s: the gradient of draws in parameter %d is %g", type->name, (int)i, slope);
    }
    probe_destroy(&p);
}

static void draws_have_the_gradients_they_claim(void **state)
{
    (void)state;
    for_each_type(check_reparameterisation);
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
        cmocka_unit_test(rows_agree_with_their_files),
        cmocka_unit_test(values_agree_with_the_reference),
        cmocka_unit_test(densities_integrate_to_one),
        cmocka_unit_test(moments_and_distribution_functions_are_integrals),
        cmocka_unit_test(gradients_agree_with_finite_differences),
        cmocka_unit_test(a_batch_is_a_loop),
        cmocka_unit_test(extreme_parameters_give_numbers),
        cmocka_unit_test(densities_are_right_where_they_are_hard),
        cmocka_unit_test(a_uniform_with_random_bounds_knows_its_ends),
        cmocka_unit_test(bijections_go_both_ways_with_their_jacobian),
        cmocka_unit_test(draws_have_their_distribution),
        cmocka_unit_test(draws_of_other_parameters_have_their_distribution),
        cmocka_unit_test(draws_depend_on_the_key_and_have_the_shape),
        cmocka_unit_test(draws_have_the_gradients_they_claim),
        cmocka_unit_test(draws_are_those_of_the_rng_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
