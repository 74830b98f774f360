/* test_domains.c - parameters that are computed and come to lie outside their domain: every row of dist.def refuses the
 * point, with a log density that is minus infinity, and never one that is a number. */
#include "distributions.h"

#include <credence/model.h>

enum { LARGE = 9, POINTS = 4 };

/* Parameters that are arrays, where a fixture has none. */
static const struct array {
    const char *type;
    int param;
    crd_shape shape;
    double values[LARGE];
} arrays[] = {
    {"dirichlet", 0, {1, {3}}, {1.2, 0.7, 3}},
    {"multivariate_normal", 0, {1, {2}}, {0.1, -0.2}},
    {"multivariate_normal", 1, {2, {2, 2}}, {1.1, 0, 0.3, 0.8}},
    {"multivariate_normal_covariance", 0, {1, {2}}, {0.1, -0.2}},
    {"multivariate_normal_covariance", 1, {2, {2, 2}}, {1.21, 0.33, 0.33, 0.73}},
    {"low_rank_multivariate_normal", 0, {1, {2}}, {0.1, -0.2}},
    {"low_rank_multivariate_normal", 1, {2, {2, 1}}, {0.4, 0.3}},
    {"low_rank_multivariate_normal", 2, {1, {2}}, {0.5, 0.7}},
};

static const struct array *array_of(const char *type, int param)
{
    for (int i = 0; i < CRDI_COUNT(arrays); i++)
        if (strcmp(arrays[i].type, type) == 0 && arrays[i].param == param)
            return &arrays[i];
    return NULL;
}

/* A good value of a parameter. */
static int64_t good_values(const crd_dist_type *type, int param, crd_shape *shape, double *out)
{
    const struct fixture *f = fixture_of(type);
    const struct array *array = array_of(type->name, param);
    *shape = array ? array->shape : type->param[param].event_ndim > 0 ? crd_shape_1(f->classes) : crd_shape_0();
    const double *values = array ? array->values : type->param[param].event_ndim > 0 ? f->array : &f->param[param];
    memcpy(out, values, sizeof *out * (size_t)crd_shape_size(*shape));
    return crd_shape_size(*shape);
}

/* Ways out of a domain: fills `out` (good values at first) and returns false when there are no more. `before` is the
 * parameter that a bound is compared with. */
static bool bad_values(crd_constraint kind, int way, double before, int64_t count, double *out)
{
    static const double below_zero[] = {-0.3, -1.7, -2.6, 0}, no_share[] = {-0.3, 1.3}, no_count[] = {2.5, -1};
    switch (kind) {
    case CRD_POSITIVE:
        out[count - 1] = way < 4 ? below_zero[way] : 0;
        return way < 4;
    case CRD_PROBABILITY:
        out[count - 1] = way < 2 ? no_share[way] : 0;
        return way < 2;
    case CRD_COUNT:
        out[count - 1] = way < 2 ? no_count[way] : 0;
        return way < 2;
    case CRD_ABOVE:
    case CRD_UPPER_BOUND:
        out[0] = before - 0.4 - way;
        return way < 3;
    case CRD_SIMPLEX:
        for (int64_t i = 0; i < count && way == 0; i++)
            out[i] *= 1.5;
        if (way == 1) {
            out[0] += 0.7;
            out[1] -= 0.7;
        }
        return way < 2;
    case CRD_ORDERED:
        out[0] = out[1] + 1;
        return way < 1;
    case CRD_LOWER_CHOLESKY: /* what is above the diagonal is not read */
        out[3] = -0.4;
        return way < 1;
    case CRD_POSITIVE_DEFINITE: /* the same */
        out[1] = out[2] = 3;
        return way < 1;
    default:
        return false;
    }
}

/* The log density at draws of the good parameters, with one parameter of these values, all of them inputs. */
static void log_density(crd_context *ctx, const crd_dist_type *type, int changed, const double *values, double *out)
{
    crd_graph *g;
    crd_program *program;
    crd_exec *exec;
    crd_node inputs[CRD_DIST_MAX_PARAMS];
    crd_dist good = {.type = type}, open = {.type = type};
    double at[LARGE * CRD_DIST_MAX_PARAMS];
    int64_t n = 0;
    int count = 0;
    assert_ok(ctx, crd_graph_create(&g, ctx));
    for (int i = 0; i < type->param_count; i++) {
        crd_shape shape;
        double mine[LARGE];
        int64_t size = good_values(type, i, &shape, mine);
        good.param[i] = open.param[i] = shape.ndim ? array_node(g, mine, shape) : crd_num(mine[0]);
        if (type->param[i].constraint == CRD_EXTENT)
            continue;
        open.param[i] = inputs[count++] = crd_input(g, type->param[i].name, shape);
        memcpy(at + n, i == changed ? values : mine, sizeof *at * (size_t)size);
        n += size;
    }
    crd_shape event, shape = {.ndim = 1, .dim = {POINTS}};
    assert_true(crd_dist_event_shape(&good, &event));
    for (int d = 0; d < event.ndim; d++)
        shape.dim[shape.ndim++] = event.dim[d];
    crd_node x = type->draw(&good, crd_key_node(g, crd_key_make(3)), shape), y = crd_dist_log_prob(&open, x);
    assert_int_equal(crd_shape_size(crd_node_shape(y)), POINTS);
    assert_ok(ctx, crd_compile(g, inputs, count, &y, 1, &program));
    assert_ok(ctx, crd_exec_create(&exec, program));
    memcpy(crd_exec_input(exec), at, sizeof *at * (size_t)n);
    crd_exec_run(exec);
    memcpy(out, crd_exec_output(exec), sizeof *out * POINTS);
    crd_exec_destroy(&exec);
    crd_program_destroy(&program);
    crd_graph_destroy(&g);
}

static void check_parameter(crd_context *ctx, const crd_dist_type *type, int param)
{
    crd_shape shape;
    double values[LARGE], before[LARGE], out[POINTS];
    good_values(type, param > 0 ? param - 1 : 0, &shape, before);
    int64_t count = good_values(type, param, &shape, values);
    log_density(ctx, type, param, values, out);
    for (int k = 0; k < POINTS; k++)
        if (!isfinite(out[k]))
            fail_msg("%s: log density %g at a draw of its own", type->name, out[k]);
    for (int way = 0; bad_values(type->param[param].constraint, way, before[0], count, values); way++) {
        log_density(ctx, type, param, values, out);
        for (int k = 0; k < POINTS; k++)
            if (!(isnan(out[k]) || out[k] == -INFINITY))
                fail_msg("%s: log density %g with %s outside its domain, ..., %g", type->name, out[k],
                         type->param[param].name, values[count - 1]);
        good_values(type, param, &shape, values);
    }
}

static void computed_parameters_outside_their_domain_are_refused(void **state)
{
    (void)state;
    for (int i = 0; crd_dist_type_get(i); i++) {
        const crd_dist_type *type = crd_dist_type_get(i);
        crd_context *ctx = testing_context();
        for (int p = 0; p < type->param_count && type->draw; p++)
            check_parameter(ctx, type, p);
        testing_context_destroy(&ctx);
    }
}

/* The same of distributions that are made of another: log p(1) with weights or a gate from an input. */
static void computed_weights_are_refused(void **state)
{
    (void)state;
    static const double good[] = {0.4, 0.6}, large[] = {0.6, 0.9}, negative[] = {1.3, -0.3};
    const double *const values[] = {good, large, negative};
    for (int k = 0; k < 3; k++) {
        crd_context *ctx = testing_context();
        crd_graph *g;
        crd_program *program;
        crd_exec *exec;
        assert_ok(ctx, crd_graph_create(&g, ctx));
        crd_node w = crd_input(g, "w", crd_shape_1(2)), out[2];
        crd_dist mixture = crd_mixture(w, crd_poisson(array_node(g, (const double[]){1, 4}, crd_shape_1(2))));
        crd_dist gated =
            crd_zero_inflated(crd_take(w, 0, 0), crd_poisson(array_node(g, (const double[]){3}, crd_shape_0())));
        out[0] = crd_dist_log_prob(&mixture, crd_num(1));
        out[1] = crd_dist_log_prob(&gated, crd_num(1));
        assert_ok(ctx, crd_compile(g, &w, 1, out, 2, &program));
        assert_ok(ctx, crd_exec_create(&exec, program));
        memcpy(crd_exec_input(exec), values[k], sizeof good);
        crd_exec_run(exec);
        assert_true(k == 0 ? isfinite(crd_exec_output(exec)[0]) : crd_exec_output(exec)[0] == -INFINITY);
        assert_true(k < 2 ? isfinite(crd_exec_output(exec)[1]) : crd_exec_output(exec)[1] == -INFINITY);
        crd_exec_destroy(&exec);
        crd_program_destroy(&program);
        crd_graph_destroy(&g);
        testing_context_destroy(&ctx);
    }
}

static crd_node concentration_may_be_negative(crd_trace *t, void *user)
{
    crd_node a = crd_sample(t, "a", crd_normal(crd_num(1), crd_num(3)));
    crd_observe(t, "y", crd_gamma(a, crd_num(1)), user);
    return a;
}

/* In a model it is a point that no sampler takes, and one that is told about when it is given. */
static void a_model_has_no_density_there(void **state)
{
    (void)state;
    double y = 0.7, u = -0.5, value;
    crd_array data = crd_array_borrow(&y, crd_shape_0());
    crd_context *ctx = testing_context();
    crd_model *model;
    assert_ok(ctx, crd_model_create(&model, ctx, concentration_may_be_negative, &data));
    assert_ok(ctx, crd_model_log_density(model, &u, &value, NULL));
    assert_true(value == -INFINITY);
    u = 0.5;
    assert_ok(ctx, crd_model_log_density(model, &u, &value, NULL));
    assert_true(isfinite(value));
    crd_model_destroy(&model);
    testing_context_destroy(&ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(computed_parameters_outside_their_domain_are_refused),
        cmocka_unit_test(computed_weights_are_refused),
        cmocka_unit_test(a_model_has_no_density_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
