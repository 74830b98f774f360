/* test_domains.c - what lies outside, for every row of dist.def: parameters that are computed and leave their domain (the
 * log density is minus infinity, and never a number), and values outside the support (minus infinity, without a slope);
 * and what expand, to_event and mask make of every row. */
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

/* ---- values --------------------------------------------------------------------------------------------------- */

/* Ways out of a support, from a draw of `count` numbers. */
static bool outside_values(crd_support support, int way, int64_t count, double *x)
{
    static const double no_positive[] = {-1.3, 0, INFINITY, NAN}, no_share[] = {-0.1, 1.1, NAN, INFINITY};
    static const double no_choice[] = {0.5, -1, 1000, NAN};
    double low = number_of(support.low), high = number_of(support.high);
    int64_t last = count - 1;
    switch (support.kind) {
    case CRD_POSITIVE:
        return x[0] = no_positive[way & 3], way < 4;
    case CRD_UNIT_INTERVAL:
        return x[0] = no_share[way & 3], way < 4;
    case CRD_INTERVAL:
        return x[0] = way == 0 ? low - 0.5 : way == 1 ? high + 0.5 : NAN, way < 3;
    case CRD_ABOVE:
        return x[0] = way == 0 ? low - 0.5 : way == 1 ? INFINITY : NAN, way < 3;
    case CRD_BELOW:
        return x[0] = way == 0 ? high + 0.5 : way == 1 ? -INFINITY : NAN, way < 3;
    case CRD_BOOLEAN:
    case CRD_CATEGORY:
    case CRD_COUNT_UP_TO:
        return x[0] = no_choice[way & 3], way < 4;
    case CRD_COUNT:
        return x[0] = way == 0 ? 0.5 : way == 1 ? -1 : NAN, way < 3;
    case CRD_COUNTS:
        return x[way ? 0 : last] += way ? 0.5 : 1, way < 2;
    case CRD_POINT:
        return x[0] += way ? NAN : 1, way < 2;
    case CRD_SIMPLEX:
        x[0] += way ? 1.2 : 0.1;
        x[1] -= way ? 1.2 : 0;
        return way < 2;
    case CRD_POSITIVE_ORDERED:
    case CRD_ORDERED:
        x[last] = way == 0 ? x[0] - 0.1 : NAN;
        if (way == 2) {
            x[last] = 5;
            x[0] = -0.5; /* ascending still, not positive */
        }
        return way < (support.kind == CRD_ORDERED ? 2 : 3);
    case CRD_LOWER_CHOLESKY:
        x[way == 0 ? 0 : 1] = -0.5;
        return way < 2;
    case CRD_CORR_CHOLESKY:
        x[way == 0 ? last : 1] += way == 0 ? 0.2 : 0.1;
        return way < 2;
    case CRD_POSITIVE_DEFINITE:
        x[1] += 0.2;
        return way < 1;
    default: /* all reals */
        return false;
    }
}

/* A value of the support, drawn where that is possible. */
static void inside_value(crd_graph *g, const crd_dist *dist, crd_shape shape, double *out)
{
    static const double u[] = {0.3, -0.8, 0.6, 1.1, -0.2, 0.5};
    crd_support support = dist->type->support(dist);
    crd_node x;
    if (dist->type->draw)
        x = dist->type->draw(dist, crd_key_node(g, crd_key_make(3)), shape);
    else
        x = crd_bijection_forward(support, array_node(g, u, crd_bijection_shape(support, shape)));
    elements_of(x, out, crd_shape_size(shape));
}

static void check_outside(crd_context *ctx, const crd_dist_type *type)
{
    double x[LARGE], inside[LARGE], slope;
    crd_dist dist = {.type = type};
    crd_graph *g;
    crd_shape shape;
    crd_program *program;
    crd_exec *exec;
    assert_ok(ctx, crd_graph_create(&g, ctx));
    for (int i = 0; i < type->param_count; i++) {
        good_values(type, i, &shape, x);
        dist.param[i] = shape.ndim ? array_node(g, x, shape) : crd_num(x[0]);
    }
    assert_true(crd_dist_event_shape(&dist, &shape));
    int64_t count = crd_shape_size(shape);
    inside_value(g, &dist, shape, inside);
    crd_node in = crd_input(g, "x", shape), out[2] = {crd_dist_log_prob(&dist, in)};
    crd_gradient(out[0], &in, 1, &out[1]);
    assert_ok(ctx, crd_compile(g, &in, 1, out, 2, &program));
    assert_ok(ctx, crd_exec_create(&exec, program));
    memcpy(crd_exec_input(exec), inside, sizeof *x * (size_t)count);
    crd_exec_run(exec);
    assert_true(isfinite(crd_exec_output(exec)[0]));
    memcpy(x, inside, sizeof x);
    for (int way = 0; outside_values(type->support(&dist), way, count, x); way++, memcpy(x, inside, sizeof x)) {
        memcpy(crd_exec_input(exec), x, sizeof *x * (size_t)count);
        crd_exec_run(exec);
        if (crd_exec_output(exec)[0] != -INFINITY)
            fail_msg("%s: log density %g outside its support (%d)", type->name, crd_exec_output(exec)[0], way);
        for (int64_t i = 0; i < count; i++)
            if ((slope = crd_exec_output(exec)[1 + i]) != 0)
                fail_msg("%s: slope %g outside its support (%d)", type->name, slope, way);
    }
    crd_exec_destroy(&exec);
    crd_program_destroy(&program);
    crd_graph_destroy(&g);
}

static void values_outside_the_support_have_no_density(void **state)
{
    (void)state;
    for (int i = 0; crd_dist_type_get(i); i++) {
        crd_context *ctx = testing_context();
        check_outside(ctx, crd_dist_type_get(i));
        testing_context_destroy(&ctx);
    }
}

/* ---- copies, joined axes, masks -------------------------------------------------------------------------------- */

static crd_shape behind(crd_shape batch, crd_shape event)
{
    for (int d = 0; d < event.ndim; d++)
        batch.dim[batch.ndim++] = event.dim[d];
    return batch;
}

static void check_copies(crd_context *ctx, const crd_dist_type *type)
{
    enum { COPIES = 4 };
    static const double keep[COPIES] = {1, 0, 0, 1};
    double x[COPIES * LARGE], each[COPIES], out[COPIES];
    crd_dist dist = {.type = type};
    crd_graph *g;
    crd_shape event, shape, square = crd_shape_2(2, 2);
    assert_ok(ctx, crd_graph_create(&g, ctx));
    for (int i = 0; i < type->param_count; i++) {
        good_values(type, i, &shape, x);
        dist.param[i] = shape.ndim ? array_node(g, x, shape) : crd_num(x[0]);
    }
    assert_true(crd_dist_event_shape(&dist, &event));
    int64_t size = crd_shape_size(event);
    for (int k = 0; k < COPIES && !type->draw; k++)
        inside_value(g, &dist, event, x + k * size);
    if (type->draw)
        inside_value(g, &dist, behind(crd_shape_1(COPIES), event), x);
    double sum = 0;
    for (int k = 0; k < COPIES; k++) {
        elements_of(crd_dist_log_prob(&dist, array_node(g, x + k * size, event)), &each[k], 1);
        sum += each[k];
    }
    crd_dist copies = crd_dist_expand(dist, square), joined = crd_dist_to_event(copies, 1);
    crd_node value = array_node(g, x, behind(square, event));
    assert_true(crd_dist_batch_shape(&copies, &shape) && crdi_shape_equal(shape, square));
    elements_of(crd_dist_log_prob(&copies, value), out, COPIES);
    for (int k = 0; k < COPIES; k++)
        assert_close(out[k], each[k], 1e-14, 0);
    assert_true(crd_dist_batch_shape(&joined, &shape) && crdi_shape_equal(shape, crd_shape_1(2)));
    assert_true(crd_dist_event_shape(&joined, &shape) && crdi_shape_equal(shape, behind(crd_shape_1(2), event)));
    elements_of(crd_dist_log_prob(&joined, value), out, 2);
    assert_close(out[0], each[0] + each[1], 1e-14, 1e-14);
    assert_close(out[1], each[2] + each[3], 1e-14, 1e-14);
    joined = crd_dist_to_event(copies, 2);
    elements_of(crd_dist_log_prob(&joined, value), out, 1);
    assert_close(out[0], sum, 1e-13, 1e-13);
    crd_dist masked = crd_dist_mask(copies, array_node(g, keep, square));
    elements_of(crd_dist_log_prob(&masked, value), out, COPIES);
    for (int k = 0; k < COPIES; k++)
        assert_close(out[k], keep[k] == 1 ? each[k] : 0, 1e-14, 0);
    assert_ok(ctx, crd_graph_status(g));
    crd_graph_destroy(&g);
}

static void copies_joined_axes_and_masks(void **state)
{
    (void)state;
    for (int i = 0; crd_dist_type_get(i); i++) {
        crd_context *ctx = testing_context();
        check_copies(ctx, crd_dist_type_get(i));
        testing_context_destroy(&ctx);
    }
}

/* ---- parameters ----------------------------------------------------------------------------------------------- */

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
        cmocka_unit_test(values_outside_the_support_have_no_density),
        cmocka_unit_test(copies_joined_axes_and_masks),
        cmocka_unit_test(computed_weights_are_refused),
        cmocka_unit_test(a_model_has_no_density_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
