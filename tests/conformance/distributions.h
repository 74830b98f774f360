/* distributions.h - what the tests that loop over dist.def share: one set of parameters for each distribution, programs of
 * its density and draws, integrals over its support.
 *
 * Integrals are trapezoid sums in t, with the unconstrained u = sinh(pi/2 sinh t) (Takahasi and Mori 1974) and x the
 * support's bijection of u, over t in [-4, 4], u in +-1e18: exact to far below 1e-6, except 3e-7 for the kink of the
 * Laplace density. */
#ifndef CRD_TESTING_DISTRIBUTIONS_H
#define CRD_TESTING_DISTRIBUTIONS_H

#include "dist/dist.h"
#include "testing.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_CLASSES = 3, CELLS = 4096, MANY = 16 };

struct fixture {
    const char *name;
    double param[CRD_DIST_MAX_PARAMS];
    double array[MAX_CLASSES]; /* instead, for the distributions over classes */
    int classes;
    unsigned reparameterised; /* bit i: draws have a gradient in parameter i */
    int light; /* tails so light that the variance of draws is nearly normal */
    unsigned implicit; /* bit i: they have the implicit one, which no difference quotient of draws gives */
    int circular; /* mean and variance are those of the circle */
    int elsewhere; /* vectors, improper priors and points: test_vectors.c */
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
    {"gamma", {2.5, 1.3}, .reparameterised = 2, .implicit = 1, .light = 1},
    {"inverse_gamma", {2.5, 1.3}, .reparameterised = 2, .implicit = 1},
    {"weibull", {1.2, 1.8}, .reparameterised = 3, .light = 1},
    {"bernoulli", {0.6}, .classes = 0},
    {"bernoulli_logits", {0.6}, .classes = 0},
    {"categorical", .array = {0.2, 0.5, 0.3}, .classes = 3},
    {"categorical_logits", .array = {0.2, -1.0, 0.9}, .classes = 3},
    {"truncated_normal", {0.3, 1.7, -2.5, 4}, .reparameterised = 15, .light = 1},
    {"asymmetric_laplace", {0.3, 1.7, 1.4}, .reparameterised = 7, .light = 1},
    {"soft_laplace", {0.3, 1.7}, .reparameterised = 3, .light = 1},
    {"chi2", {3}, .implicit = 1, .light = 1},
    {"pareto", {0.01, 2.2}, .reparameterised = 3},
    {"beta", {2.5, 1.3}, .implicit = 3, .light = 1},
    {"kumaraswamy", {2.5, 1.3}, .reparameterised = 3, .light = 1},
    {"von_mises", {0.3, 1.7}, .reparameterised = 1, .circular = 1},
    {"delta", {0.3}, .elsewhere = 1},
    {"flat", .elsewhere = 1},
    {"flat_positive", .elsewhere = 1},
    {"flat_interval", {-3, 4}, .elsewhere = 1},
    {"flat_above", {-3}, .elsewhere = 1},
    {"flat_below", {4}, .elsewhere = 1},
    {"flat_ordered", {3}, .elsewhere = 1},
    {"flat_positive_ordered", {3}, .elsewhere = 1},
    {"flat_simplex", {3}, .elsewhere = 1},
    {"flat_lower_cholesky", {3}, .elsewhere = 1},
    {"flat_positive_definite", {3}, .elsewhere = 1},
    {"dirichlet", .elsewhere = 1},
    {"multivariate_normal", .elsewhere = 1},
    {"multivariate_normal_covariance", .elsewhere = 1},
    {"low_rank_multivariate_normal", .elsewhere = 1},
    {"lkj_cholesky", {3, 2}, .elsewhere = 1},
    {"poisson", {2.7}, .light = 1},
    {"negative_binomial2", {2.7, 1.9}, .light = 1},
    {"geometric", {0.3}, .light = 1},
    {"geometric_logits", {-0.84729786038720367}, .light = 1}, /* log(0.3 / 0.7) */
    {"binomial", {0.6, 9}, .light = 1},
    {"binomial_logits", {0.6, 9}, .light = 1},
    {"beta_binomial", {2.5, 1.3, 9}, .light = 1},
    {"zero_inflated_poisson", {0.2, 2.7}, .light = 1},
    {"multinomial", {0, 6}, .array = {0.2, 0.5, 0.3}, .classes = 3},
    {"multinomial_logits", {0, 6}, .array = {0.2, -1.0, 0.9}, .classes = 3},
    {"ordered_logistic", {0.4}, .array = {-1.0, 0.3, 1.9}, .classes = 3},
};

/* Types whose parameters are arrays and numbers together, or whose draws are vectors of counts: test_discrete.c. */
static inline int has_own_test(const crd_dist_type *type)
{
    static const char *const names[] = {"multinomial", "multinomial_logits", "ordered_logistic"};
    for (int i = 0; i < CRDI_COUNT(names); i++)
        if (strcmp(names[i], type->name) == 0)
            return 1;
    return 0;
}

static inline const struct fixture *fixture_of(const crd_dist_type *type)
{
    for (int i = 0; i < CRDI_COUNT(fixtures); i++)
        if (strcmp(fixtures[i].name, type->name) == 0)
            return &fixtures[i];
    fail_msg("%s has no fixture here: add one", type->name);
    return NULL;
}

/* ---- helpers ------------------------------------------------------------------------------------------------ */

static inline crd_node array_node(crd_graph *g, const double *values, crd_shape shape)
{
    crd_array array = crd_array_borrow((double *)values, shape);
    return crd_constant(g, &array);
}

/* The distribution of a fixture with constant parameters. */
static inline crd_dist constant_dist(crd_graph *g, const crd_dist_type *type)
{
    const struct fixture *f = fixture_of(type);
    crd_dist dist = {.type = type};
    for (int i = 0; i < type->param_count; i++) {
        bool array = type->param[i].event_ndim > 0;
        dist.param[i] = array ? array_node(g, f->array, crd_shape_1(f->classes)) : crd_num(f->param[i]);
    }
    return dist;
}

/* Copies the elements of a node that is known now. */
static inline void elements_of(crd_node node, double *out, int64_t count)
{
    const double *known = &node.number;
    if (node.graph) {
        assert_true(crd_node_known(node, &known));
        assert_int_equal(crd_shape_size(crd_node_shape(node)), count);
    }
    for (int64_t i = 0; i < count; i++)
        out[i] = known[node.graph ? i : 0];
}

static inline double number_of(crd_node node)
{
    double out;
    elements_of(node, &out, 1);
    return out;
}

static inline int64_t param_size(const struct fixture *f)
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

static inline struct probe probe_create(crd_context *ctx, const crd_dist_type *type, int64_t count,
                                        enum subject subject, crd_key key)
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

static inline void probe_destroy(struct probe *p)
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

static inline double total(const struct probe *p, const double *values)
{
    double sum = 0;
    for (int64_t i = 0; i < p->count; i++)
        sum += values[i];
    return sum;
}

/* Some points of the support, by its bijection or by listing. */
static inline int64_t some_values(const crd_dist *dist, double *out)
{
    static const double u[] = {-2.1, -0.9, 0.05, 0.7, 1.3};
    crd_support support = dist->type->support(dist);
    if (dist->type->discrete) {
        int64_t k = MANY;
        if (support.kind != CRD_COUNT)
            k = (int64_t)number_of(support.high) + (support.kind == CRD_COUNT_UP_TO);
        k = support.kind == CRD_BOOLEAN ? 2 : k;
        for (int64_t i = 0; i < k; i++)
            out[i] = (double)i;
        return k;
    }
    for (int i = 0; i < CRDI_COUNT(u); i++)
        out[i] = number_of(crd_bijection_forward(support, crd_num(u[i])));
    return CRDI_COUNT(u);
}

/* Central differences of step 6e-6: about 1e-9 of error for these functions, 1e-6 allowed. */
static inline void check_slopes(struct probe *p, const char *name, int64_t first, int64_t count)
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

/* Pearson's chi-square of draws of the counts 0, 1, .. n - 1 against their log probabilities, in cells of at least 10
 * expected draws; what is left belongs to the last. It is compared with its 1 - 1e-4 quantile, by Wilson and Hilferty
 * 1931 (within 1 % for one degree of freedom, closer for more). */
static inline void check_counts(const char *name, const double *draws, int64_t count, const double *log_p, int64_t n)
{
    double sum = 0, left = (double)count, unseen = (double)count, expected = 0, seen = 0;
    int cells = 0;
    for (int64_t k = 0; k < n; k++) {
        double here = (double)count * exp(log_p[k]);
        expected += here;
        left -= here;
        for (int64_t i = 0; i < count; i++)
            seen += draws[i] == (double)k;
        bool last = k == n - 1 || left < 10;
        if (!last && expected < 10)
            continue;
        if (last) {
            expected += left;
            seen = unseen;
        }
        sum += (seen - expected) * (seen - expected) / expected;
        unseen -= seen;
        expected = seen = 0;
        cells++;
        if (last)
            break;
    }
    double v = 2.0 / (9.0 * (cells - 1)), limit = (cells - 1) * pow(1 - v + 3.719 * sqrt(v), 3);
    if (!(sum < limit))
        fail_msg("%s: chi-square of its draws is %.4g in %d cells", name, sum, cells);
}

typedef void (*check_fn)(crd_context *ctx, crd_graph *g, const crd_dist_type *type);

static inline void for_each_type(check_fn check)
{
    for (int i = 0; crd_dist_type_get(i); i++) {
        if (fixture_of(crd_dist_type_get(i))->elsewhere || has_own_test(crd_dist_type_get(i)))
            continue;
        crd_context *ctx = testing_context();
        crd_graph *g;
        assert_ok(ctx, crd_graph_create(&g, ctx));
        check(ctx, g, crd_dist_type_get(i));
        assert_ok(ctx, crd_graph_status(g));
        crd_graph_destroy(&g);
        testing_context_destroy(&ctx);
    }
}

/* ---- integrals ---------------------------------------------------------------------------------------------- */

/* The distribution function by integration, at the ends of the cells, and the density in t there. */
struct table {
    double cdf[CELLS + 1], slope[CELLS + 1], x[CELLS + 1];
};

static inline double t_at(int i)
{
    return -4 + 8.0 * i / CELLS;
}

static inline void table_fill(struct table *table, crd_graph *g, const crd_dist *dist)
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
        bool interval = support.kind == CRD_INTERVAL || support.kind == CRD_UNIT_INTERVAL;
        bool half_line = support.kind == CRD_POSITIVE || support.kind == CRD_ABOVE;
        double jacobian = half_line ? u[i] : 0;
        if (interval) /* log(high - low) + log sigmoid(u) + log sigmoid(-u) */
            jacobian = log(number_of(support.high) - number_of(support.low)) - fabs(u[i]) - 2 * log1p(exp(-fabs(u[i])));
        /* Where x underflows to 0 or overflows there is no mass left to speak of. */
        double density =
            support.kind != CRD_REAL && support.kind != CRD_INTERVAL && fabs(u[i]) > 700 ? 0 : exp(log_p[i] + jacobian);
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

#endif
