/* test_lbfgs.c - L-BFGS on Rosenbrock's valley, ill-conditioned quadratics and functions that are not finite everywhere. */
#include "infer/svi/lbfgs.h"
#include "infer/svi/line_search.h"
#include "testing.h"

#include <math.h>
#include <string.h>

enum { MOST = 100 };
static const crdi_lbfgs_options tight = {.gradient_tolerance = 1e-9};

/* A function with what is known of it and of its calls. */
struct objective {
    int64_t dim, calls, rejected;
    double condition; /* of the quadratic */
    int64_t stop_at; /* the call that returns `status`; 0: none */
    crd_status status;
};

static crd_status begin(struct objective *o)
{
    o->calls++;
    return o->calls == o->stop_at ? o->status : CRD_OK;
}

/* Rosenbrock's function, chained. */
static crd_status rosenbrock(void *user, const double *x, double *value, double *g)
{
    struct objective *o = user;
    double sum = 0;
    memset(g, 0, sizeof *g * (size_t)o->dim);
    for (int64_t i = 0; i + 1 < o->dim; i++) {
        double bend = x[i + 1] - x[i] * x[i], rest = 1 - x[i];
        sum += 100 * bend * bend + rest * rest;
        g[i] += -400 * bend * x[i] - 2 * rest;
        g[i + 1] += 200 * bend;
    }
    *value = sum;
    return begin(o);
}

/* sum of c_i (x_i - 1)^2 / 2, where c goes from 1 to its condition number. */
static crd_status quadratic(void *user, const double *x, double *value, double *g)
{
    struct objective *o = user;
    *value = 0;
    for (int64_t i = 0; i < o->dim; i++) {
        double c = pow(o->condition, (double)i / (double)(o->dim - 1));
        g[i] = c * (x[i] - 1);
        *value += 0.5 * g[i] * (x[i] - 1);
    }
    return begin(o);
}

/* sum of x_i - log x_i: NaN where an x is below 0; the minimum is at 1. */
static crd_status barrier(void *user, const double *x, double *value, double *g)
{
    struct objective *o = user;
    *value = 0;
    for (int64_t i = 0; i < o->dim; i++) {
        *value += x[i] - log(x[i]);
        g[i] = 1 - 1 / x[i];
    }
    o->rejected += !isfinite(*value);
    return begin(o);
}

/* 4 (x - 3)^2, but with an infinite gradient (and a tempting value) beyond 3.5. */
static crd_status trap(void *user, const double *x, double *value, double *g)
{
    struct objective *o = user;
    *value = 4 * (x[0] - 3) * (x[0] - 3);
    g[0] = 8 * (x[0] - 3);
    if (x[0] > 3.5) {
        *value = -1e6;
        g[0] = INFINITY;
        o->rejected++;
    }
    return begin(o);
}

/* Falls with slope -1, turns sharply at 1, rises with slope 3, and is not a number beyond 1.3. */
static crd_status kink(void *user, const double *x, double *value, double *g)
{
    const double sharp = 50;
    double turned = exp(sharp * (x[0] - 1));
    *value = x[0] > 1.3 ? NAN : -x[0] + 4 * log1p(turned) / sharp;
    g[0] = -1 + 4 * turned / (1 + turned);
    return begin(user);
}

/* A slope without an end. */
static crd_status plane(void *user, const double *x, double *value, double *g)
{
    *value = x[0];
    g[0] = 1;
    return begin(user);
}

/* A gradient with the wrong sign. */
static crd_status wrong(void *user, const double *x, double *value, double *g)
{
    *value = x[0] * x[0];
    g[0] = -2 * x[0];
    return begin(user);
}

static void fill(double *x, int64_t n, double even, double odd)
{
    for (int64_t i = 0; i < n; i++)
        x[i] = i % 2 ? odd : even;
}

/* Minimises until the gradient is within its tolerance; the minimum is at 1 everywhere. */
static crdi_lbfgs_result reach(crdi_objective_fn fn, struct objective *o, double *x, const crdi_lbfgs_options *options,
                               double tolerance)
{
    crd_context *ctx = testing_context();
    crdi_lbfgs_result r = {0};
    assert_ok(ctx, crdi_lbfgs_minimise(ctx, fn, o, o->dim, x, options, &r));
    if (r.reason != CRDI_LBFGS_GRADIENT)
        fail_msg("%s after %lld iterations, gradient %g", crdi_lbfgs_reason_text(r.reason), (long long)r.iterations,
                 r.gradient);
    assert_true(r.gradient <= options->gradient_tolerance);
    assert_int_equal(r.evaluations, o->calls);
    for (int64_t i = 0; i < o->dim; i++)
        assert_close(x[i], 1, 0, tolerance);
    testing_context_destroy(&ctx);
    return r;
}

static void rosenbrocks_valley_is_followed(void **state)
{
    (void)state;
    double x[MOST];
    struct objective small = {.dim = 2}, large = {.dim = 100};
    fill(x, 2, -1.2, 1);
    crdi_lbfgs_result r = reach(rosenbrock, &small, x, &tight, 1e-8);
    assert_true(r.iterations < 60 && r.evaluations < 100);
    fill(x, 100, -1.2, 1);
    /* From here the chained function of more than 3 variables may end in its other minimum, where x[0] is near -1. */
    x[0] = 1.2;
    r = reach(rosenbrock, &large, x, &tight, 1e-8);
    assert_true(r.evaluations < 1000);
}

static void ill_conditioned_quadratics_are_solved(void **state)
{
    (void)state;
    double x[MOST];
    struct objective large = {.dim = 100, .condition = 1e4}, small = {.dim = 20, .condition = 1e6};
    /* L-BFGS-B of SciPy 1.17 needs 1203 iterations and 1249 evaluations from here, with the same memory and tolerance. */
    const crdi_lbfgs_options many = {.gradient_tolerance = 1e-8, .max_iterations = 2000};
    fill(x, 100, 3, -2);
    crdi_lbfgs_result r = reach(quadratic, &large, x, &many, 1e-7);
    assert_true(r.iterations < 1300 && r.evaluations < 1400);
    assert_close(r.value, 0, 0, 1e-14);
    /* With a memory of all directions it is BFGS. */
    const crdi_lbfgs_options all = {.gradient_tolerance = 1e-8, .memory = 100};
    fill(x, 20, 3, -2);
    r = reach(quadratic, &small, x, &all, 1e-7);
    assert_true(r.iterations < 160 && r.evaluations < 170);
}

static void points_that_are_not_finite_are_stepped_back_from(void **state)
{
    (void)state;
    double x[MOST];
    struct objective o = {.dim = 20}, one = {.dim = 1};
    fill(x, 20, 1e-3, 40);
    reach(barrier, &o, x, &tight, 1e-8);
    assert_true(o.rejected > 0);

    crd_context *ctx = testing_context();
    crdi_lbfgs_result r;
    x[0] = 2.88; /* the gradient is -0.96: the first step ends at 3.84 */
    assert_ok(ctx, crdi_lbfgs_minimise(ctx, trap, &one, 1, x, NULL, &r));
    assert_int_equal(r.reason, CRDI_LBFGS_GRADIENT);
    assert_close(x[0], 3, 0, 1e-6);
    assert_true(one.rejected > 0);
    testing_context_destroy(&ctx);
}

/* Both strong Wolfe conditions, for first steps that are far too short and far too long. */
static void steps_satisfy_the_wolfe_conditions(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    const crdi_kernel_table *kernels = crdi_context_kernels(ctx);
    const double x[2] = {-1.2, 1};
    double g[2], d[2], next[2], next_g[2], value;
    struct objective o = {.dim = 2};
    assert_int_equal(rosenbrock(&o, x, &value, g), CRD_OK);
    d[0] = -g[0];
    d[1] = -g[1];
    double slope = -(g[0] * g[0] + g[1] * g[1]);
    for (double first = 1e-12; first < 1e6; first *= 7) {
        bool found = false;
        double lower = NAN;
        crdi_line_search s = {rosenbrock, &o, &kernels->vector, 2, x, d, value, slope, next, next_g, 0};
        assert_int_equal(crdi_line_search_run(&s, first, &found, &lower), CRD_OK);
        assert_true(found);
        double step = (next[0] - x[0]) / d[0], at, there[2];
        assert_int_equal(rosenbrock(&o, next, &at, there), CRD_OK);
        assert_true(at == lower);
        assert_memory_equal(there, next_g, sizeof there);
        assert_true(at <= value + 1e-4 * step * slope);
        assert_true(fabs(there[0] * d[0] + there[1] * d[1]) <= 0.9 * fabs(slope));
    }
    testing_context_destroy(&ctx);
}

/* The first step, 2.4, ends where nothing is; half of it is low enough but past the minimum, which lies before it. */
static void a_step_past_the_minimum_turns_the_bracket(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    const crdi_kernel_table *kernels = crdi_context_kernels(ctx);
    struct objective o = {.dim = 1};
    const double x = 0, d = 1;
    double next, next_g, value, slope;
    bool found = false;
    assert_int_equal(kink(&o, &x, &value, &slope), CRD_OK);
    crdi_line_search s = {kink, &o, &kernels->vector, 1, &x, &d, value, slope, &next, &next_g, 0};
    assert_int_equal(crdi_line_search_run(&s, 2.4, &found, &value), CRD_OK);
    assert_true(found && next < 1.2 && fabs(next_g) <= 0.9 * fabs(slope));
    assert_true(s.evaluations < 20);
    testing_context_destroy(&ctx);
}

struct visits {
    int64_t count;
    double last;
    crd_status status;
};

static crd_status count_visits(void *user, int64_t iteration, const double *x, double value, const double *gradient)
{
    struct visits *v = user;
    double again, g[2];
    struct objective o = {.dim = 2};
    assert_int_equal(iteration, v->count);
    assert_int_equal(rosenbrock(&o, x, &again, g), CRD_OK);
    assert_true(again == value && value <= v->last);
    assert_memory_equal(g, gradient, sizeof g);
    v->last = value;
    return ++v->count == 5 ? v->status : CRD_OK;
}

static void each_iteration_is_shown_and_may_be_the_last(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crdi_lbfgs_result r;
    struct objective o = {.dim = 2};
    struct visits v = {.last = INFINITY};
    crdi_lbfgs_options options = {.visit = count_visits, .visit_user = &v};
    double x[2] = {-1.2, 1};
    assert_ok(ctx, crdi_lbfgs_minimise(ctx, rosenbrock, &o, 2, x, &options, &r));
    assert_int_equal(v.count, r.iterations + 1);
    assert_true(v.last == r.value);
    v = (struct visits){.last = INFINITY, .status = CRD_INTERRUPTED};
    x[0] = -1.2;
    x[1] = 1;
    assert_int_equal(crdi_lbfgs_minimise(ctx, rosenbrock, &o, 2, x, &options, &r), CRD_INTERRUPTED);
    assert_int_equal(r.reason, CRDI_LBFGS_STOPPED);
    assert_int_equal(r.iterations, 4);
    assert_true(r.value == v.last);
    testing_context_destroy(&ctx);
}

static void the_reason_for_the_end_is_told(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crdi_lbfgs_result r;
    struct objective o = {.dim = 2};
    double x[2] = {-1.2, 1};
    crdi_lbfgs_options few = {.max_iterations = 3}, loose = {.value_tolerance = 0.5, .gradient_tolerance = 1e-12};
    assert_ok(ctx, crdi_lbfgs_minimise(ctx, rosenbrock, &o, 2, x, &few, &r));
    assert_int_equal(r.reason, CRDI_LBFGS_ITERATIONS);
    assert_int_equal(r.iterations, 3);
    assert_ok(ctx, crdi_lbfgs_minimise(ctx, rosenbrock, &o, 2, x, &loose, &r));
    assert_int_equal(r.reason, CRDI_LBFGS_VALUE);
    struct objective other = {.dim = 1};
    x[0] = 2;
    assert_ok(ctx, crdi_lbfgs_minimise(ctx, wrong, &other, 1, x, NULL, &r));
    assert_int_equal(r.reason, CRDI_LBFGS_STALLED);
    assert_true(x[0] == 2);
    crdi_lbfgs_options one = {.max_iterations = 1};
    assert_ok(ctx, crdi_lbfgs_minimise(ctx, plane, &other, 1, x, &one, &r)); /* ends although the function does not */
    assert_int_equal(r.reason, CRDI_LBFGS_ITERATIONS);
    assert_true(r.value < -1e6 && isfinite(r.value));
    testing_context_destroy(&ctx);
}

static void wrong_input_is_refused(void **state)
{
    (void)state;
    static const crdi_lbfgs_options wrongs[] = {
        {.memory = -1}, {.max_iterations = -1}, {.gradient_tolerance = -1}, {.value_tolerance = NAN}};
    crd_context *ctx = testing_context();
    crdi_lbfgs_result r = {.iterations = -7};
    struct objective o = {.dim = 1};
    double x[1] = {-1};
    for (int i = 0; i < CRDI_COUNT(wrongs); i++) {
        assert_int_equal(crdi_lbfgs_minimise(ctx, barrier, &o, 1, x, &wrongs[i], &r), CRD_EINVAL);
        crd_error_clear(ctx);
    }
    assert_int_equal(crdi_lbfgs_minimise(ctx, barrier, &o, 0, x, NULL, &r), CRD_EINVAL);
    crd_error_clear(ctx);
    assert_int_equal(o.calls, 0);
    assert_int_equal(crdi_lbfgs_minimise(ctx, barrier, &o, 1, x, NULL, &r), CRD_ESTART);
    crd_error_clear(ctx);
    for (int64_t k = 1; k < 4; k++) {
        struct objective failing = {.dim = 1, .stop_at = k, .status = CRD_EDOMAIN};
        x[0] = 30;
        assert_int_equal(crdi_lbfgs_minimise(ctx, barrier, &failing, 1, x, NULL, &r), CRD_EDOMAIN);
        assert_int_equal(failing.calls, k);
    }
    testing_fail_allocation(1);
    assert_int_equal(crdi_lbfgs_minimise(ctx, barrier, &o, 1, x, NULL, &r), CRD_ENOMEM);
    assert_int_equal(r.iterations, -7);
    testing_context_destroy(&ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rosenbrocks_valley_is_followed),
        cmocka_unit_test(ill_conditioned_quadratics_are_solved),
        cmocka_unit_test(points_that_are_not_finite_are_stepped_back_from),
        cmocka_unit_test(steps_satisfy_the_wolfe_conditions),
        cmocka_unit_test(a_step_past_the_minimum_turns_the_bracket),
        cmocka_unit_test(each_iteration_is_shown_and_may_be_the_last),
        cmocka_unit_test(the_reason_for_the_end_is_told),
        cmocka_unit_test(wrong_input_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
