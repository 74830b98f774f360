/* test_handlers.c - what handlers do to statements: seed, substitute, condition, and handlers of one's own. */
#include "dist/dist.h"
#include "testing.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const double HALF_LOG_2PI = 0.91893853320467274;

static double normal_log_prob(double x, double loc, double scale)
{
    return -0.5 * (x - loc) * (x - loc) / (scale * scale) - log(scale) - HALF_LOG_2PI;
}

/* What the models below are given. They set `line` to that of the statement to blame. */
struct data {
    crd_array *y;
    int64_t n;
    int line;
};

static crd_array vector(double *values, int64_t n)
{
    return crd_array_borrow(values, crd_shape_1(n));
}

#define BLAME(data) ((data)->line = __LINE__)

/* ---- handlers ----------------------------------------------------------------------------------------------- */

static crd_node three_sites(crd_trace *t, void *user)
{
    (void)user;
    crd_node a = crd_sample(t, "a", crd_normal(crd_num(0), crd_num(1)));
    crd_node b = crd_sample(t, "b", crd_normal(a, crd_num(2)));
    crd_factor(t, "f", crd_mul(crd_num(-0.5), crd_square(b)));
    crd_deterministic(t, "sum", crd_add(a, b));
    return crd_sample(t, "c", crd_half_normal(crd_num(1)));
}

static double number_of(crd_node node)
{
    const double *known = NULL;
    assert_true(node.graph && crd_node_known(node, &known));
    return known[0];
}

static double value_of(const crd_trace *t, const char *name)
{
    return number_of(crd_trace_find(t, name)->value);
}

/* Gives one site the value 0.25. */
static int only(void *user, const crd_message *m, crd_node *value)
{
    *value = crd_num(0.25);
    return strcmp(m->name, user) == 0;
}

struct run {
    crd_trace *trace;
    crd_seed_handler seed;
    crd_substitute_handler give;
};

/* Runs three_sites with a key, one site's value given or (observe) observed. */
static void run_sites(crd_context *ctx, struct run *run, uint64_t seed, const char *given, int observe)
{
    assert_ok(ctx, crd_trace_create(&run->trace, ctx));
    crd_seed_init(&run->seed, crd_key_node(crd_trace_graph(run->trace), crd_key_make(seed)));
    (observe ? crd_condition_init : crd_substitute_init)(&run->give, only, (void *)given);
    assert_ok(ctx, crd_trace_push(run->trace, &run->seed.handler));
    assert_ok(ctx, crd_trace_push(run->trace, &run->give.handler));
    assert_ok(ctx, crd_trace_run(run->trace, three_sites, NULL));
}

static void seeds_draw_and_substituted_sites_leave_the_others(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    struct run first, again, other, given;
    run_sites(ctx, &first, 1, "", 0);
    run_sites(ctx, &again, 1, "", 0);
    run_sites(ctx, &other, 2, "", 0);
    run_sites(ctx, &given, 1, "a", 0);
    const char *const names[] = {"a", "b", "c"};
    for (int i = 0; i < 3; i++) {
        assert_true(value_of(first.trace, names[i]) == value_of(again.trace, names[i]));
        assert_true(value_of(first.trace, names[i]) != value_of(other.trace, names[i]));
    }
    assert_true(value_of(given.trace, "a") == 0.25);
    assert_true(value_of(given.trace, "c") == value_of(first.trace, "c"));
    /* b is a + 2 z with the same z. */
    assert_close(value_of(given.trace, "b") - 0.25, value_of(first.trace, "b") - value_of(first.trace, "a"), 1e-14, 0);
    crd_trace_destroy(&first.trace);
    crd_trace_destroy(&again.trace);
    crd_trace_destroy(&other.trace);
    crd_trace_destroy(&given.trace);
    testing_context_destroy(&ctx);
}

static void log_densities_add_up(void **state)
{
    (void)state;
    for (int observe = 0; observe < 2; observe++) {
        crd_context *ctx = testing_context();
        struct run run;
        run_sites(ctx, &run, 3, "b", observe);
        double a = value_of(run.trace, "a"), c = value_of(run.trace, "c"), sum = 0;
        assert_int_equal(crd_trace_count(run.trace), 5);
        for (int i = 0; i < 5; i++) {
            const crd_message *m = crd_trace_site(run.trace, i);
            if (m->kind != CRD_MESSAGE_DETERMINISTIC)
                sum += number_of(m->log_density);
            assert_int_equal(m->observed, observe && strcmp(m->name, "b") == 0);
        }
        double expected = normal_log_prob(a, 0, 1) + normal_log_prob(0.25, a, 2) - 0.5 * 0.25 * 0.25 +
                          normal_log_prob(c, 0, 1) + log(2);
        assert_close(number_of(crd_trace_log_density(run.trace)), expected, 1e-14, 0);
        assert_close(sum, expected, 1e-14, 0);
        assert_close(value_of(run.trace, "sum"), a + 0.25, 1e-15, 0);
        assert_null(crd_trace_find(run.trace, "no such"));
        crd_trace_destroy(&run.trace);
        testing_context_destroy(&ctx);
    }
}

static void hide_factor(crd_handler *self, crd_trace *trace, crd_message *m)
{
    (void)self;
    (void)trace;
    if (m->kind == CRD_MESSAGE_FACTOR) {
        m->hidden = 1;
        m->scale = 10;
    }
    if (strcmp(m->name, "a") == 0) {
        m->value = crd_num(1);
        m->has_value = m->stop = 1;
    }
}

static void count_back(crd_handler *self, crd_trace *trace, crd_message *m)
{
    (void)trace;
    assert_true(m->has_value);
    ++*(int *)self->user;
}

static void handlers_stop_hide_scale_and_see_messages_again(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_trace *t;
    crd_seed_handler seed;
    int outer_count = 0, inner_count = 0;
    crd_handler outer = {.postprocess = count_back, .user = &outer_count};
    crd_handler inner = {.process = hide_factor, .postprocess = count_back, .user = &inner_count};
    assert_ok(ctx, crd_trace_create(&t, ctx));
    crd_seed_init(&seed, crd_key_node(crd_trace_graph(t), crd_key_make(3)));
    assert_ok(ctx, crd_trace_push(t, &outer));
    assert_ok(ctx, crd_trace_push(t, &seed.handler));
    assert_ok(ctx, crd_trace_push(t, &inner));
    assert_ok(ctx, crd_trace_run(t, three_sites, NULL));
    assert_int_equal(outer_count, 4); /* not a, which was stopped */
    assert_int_equal(inner_count, 5);
    assert_int_equal(crd_trace_count(t), 4); /* not f, which is hidden */
    double b = value_of(t, "b"), c = value_of(t, "c");
    assert_close(number_of(crd_trace_log_density(t)),
                 normal_log_prob(1, 0, 1) + normal_log_prob(b, 1, 2) - 5 * b * b + normal_log_prob(c, 0, 1) + log(2),
                 1e-14, 0);
    crd_trace_destroy(&t);
    testing_context_destroy(&ctx);
}

static crd_support real_support(const crd_dist *dist)
{
    (void)dist;
    return (crd_support){CRD_REAL, crd_num(0), crd_num(0)};
}

static crd_node flat(const crd_dist *dist, crd_node x)
{
    (void)dist;
    return crd_mul(crd_num(0), x);
}

static const crd_dist_type undrawable = {.name = "flat", .support = real_support, .log_prob = flat};

static crd_node without_draws(crd_trace *t, void *user)
{
    struct data *d = user;
    return crd_sample(t, "m", (crd_dist){.type = &undrawable}), BLAME(d), crd_num(0);
}

static void sites_that_no_handler_serves_are_errors(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    struct data d = {0};
    crd_trace *t;
    crd_seed_handler seed;
    char message[256];
    assert_ok(ctx, crd_trace_create(&t, ctx));
    assert_int_equal(crd_trace_run(t, without_draws, &d), CRD_EINVAL);
    snprintf(message, sizeof message,
             "site m: nothing gives it a value (a seed handler would draw one) (test_handlers.c:%d)", d.line);
    assert_string_equal(crd_error_message(ctx), message);
    crd_trace_destroy(&t);
    crd_error_clear(ctx);
    assert_ok(ctx, crd_trace_create(&t, ctx));
    crd_seed_init(&seed, crd_key_node(crd_trace_graph(t), crd_key_make(3)));
    assert_ok(ctx, crd_trace_push(t, &seed.handler));
    assert_int_equal(crd_trace_run(t, without_draws, &d), CRD_EUNSUPPORTED);
    snprintf(message, sizeof message, "site m: there is no way to draw from flat (test_handlers.c:%d)", d.line);
    assert_string_equal(crd_error_message(ctx), message);
    crd_trace_destroy(&t);
    testing_context_destroy(&ctx);
}

static int wrong_shape(void *user, const crd_message *m, crd_node *value)
{
    double two[] = {1, 2};
    crd_array array = vector(two, 2);
    *value = crd_constant(user, &array);
    return strcmp(m->name, "a") == 0;
}

static void substituted_values_must_have_the_shape(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_trace *t;
    crd_substitute_handler give;
    assert_ok(ctx, crd_trace_create(&t, ctx));
    crd_substitute_init(&give, wrong_shape, crd_trace_graph(t));
    assert_ok(ctx, crd_trace_push(t, &give.handler));
    assert_int_equal(crd_trace_run(t, three_sites, NULL), CRD_ESHAPE);
    const char *start = "site a: its shape is (), that of the value given to it (2,) (test_handlers.c:";
    assert_memory_equal(crd_error_message(ctx), start, strlen(start));
    crd_trace_destroy(&t);
    testing_context_destroy(&ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seeds_draw_and_substituted_sites_leave_the_others),
        cmocka_unit_test(log_densities_add_up),
        cmocka_unit_test(handlers_stop_hide_scale_and_see_messages_again),
        cmocka_unit_test(sites_that_no_handler_serves_are_errors),
        cmocka_unit_test(substituted_values_must_have_the_shape),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
