/* test_laws.c - laws of the handlers: what composing them must give, compared with closed forms and with each other. */
#include "dist/dist.h"
#include "testing.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static double normal_log_prob(double x, double loc, double scale)
{
    return -0.5 * (x - loc) * (x - loc) / (scale * scale) - log(scale) - CRDI_HALF_LOG_2PI;
}

static double number_of(crd_node node)
{
    const double *known = NULL;
    if (!node.graph)
        return node.number;
    assert_true(crd_node_known(node, &known));
    return known[0];
}

static double value_of(const crd_trace *t, const char *name)
{
    assert_non_null(crd_trace_find(t, name));
    return number_of(crd_trace_find(t, name)->value);
}

/* A trace under a seed handler, and others in the order given (the last is the innermost). */
struct run {
    crd_trace *trace;
    crd_seed_handler seed;
};

static crd_status run_model(crd_context *ctx, struct run *run, uint64_t seed, crd_handler *const *handlers,
                            crd_model_fn model, void *user)
{
    assert_ok(ctx, crd_trace_create(&run->trace, ctx));
    crd_seed_init(&run->seed, crd_key_node(crd_trace_graph(run->trace), crd_key_make(seed)));
    assert_ok(ctx, crd_trace_push(run->trace, &run->seed.handler));
    for (int i = 0; handlers && handlers[i]; i++)
        assert_ok(ctx, crd_trace_push(run->trace, handlers[i]));
    return crd_trace_run(run->trace, model, user);
}

#define HANDLERS(...) ((crd_handler *const[]){__VA_ARGS__, NULL})

/* a -> b -> c, all normal: x ~ N(what is before it, 2). */
static crd_node chain(crd_trace *t, void *user)
{
    (void)user;
    crd_node a = crd_sample(t, "a", crd_normal(crd_num(0), crd_num(2)));
    crd_node b = crd_sample(t, "b", crd_normal(a, crd_num(2)));
    crd_node c = crd_sample(t, "c", crd_normal(b, crd_num(2)));
    return crd_deterministic(t, "sum", crd_add(a, crd_add(b, c)));
}

static double chain_density(double a, double b, double c)
{
    return normal_log_prob(a, 0, 2) + normal_log_prob(b, a, 2) + normal_log_prob(c, b, 2);
}

/* ---- values ------------------------------------------------------------------------------------------------- */

static void a_replayed_trace_has_its_values_and_density(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    struct run first, again;
    crd_replay_handler replay;
    assert_ok(ctx, run_model(ctx, &first, 1, NULL, chain, NULL));
    crd_replay_init(&replay, first.trace);
    assert_ok(ctx, run_model(ctx, &again, 2, HANDLERS(&replay.handler), chain, NULL));
    const char *const names[] = {"a", "b", "c", "sum"};
    for (int i = 0; i < 4; i++)
        assert_true(value_of(first.trace, names[i]) == value_of(again.trace, names[i]));
    assert_true(number_of(crd_trace_log_density(first.trace)) == number_of(crd_trace_log_density(again.trace)));
    assert_false(crd_trace_find(again.trace, "b")->observed);
    crd_trace_destroy(&again.trace);
    crd_trace_destroy(&first.trace);
    testing_context_destroy(&ctx);
}

static crd_node guide(crd_trace *t, void *user)
{
    return crd_sample(t, "b", crd_normal(*(crd_node *)user, crd_num(1)));
}

static void formulas_are_replayed_in_the_graph_that_they_are_in(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_trace *recorded, *t;
    crd_handler inputs;
    crd_seed_handler seed;
    crd_replay_handler replay;
    crd_input_init(&inputs);
    assert_ok(ctx, crd_trace_create(&recorded, ctx));
    crd_node zero = crd_num(0);
    assert_ok(ctx, crd_trace_push(recorded, &inputs));
    assert_ok(ctx, crd_trace_run(recorded, guide, &zero));
    assert_ok(ctx, crd_trace_create_in(&t, crd_trace_graph(recorded)));
    crd_seed_init(&seed, crd_key_node(crd_trace_graph(t), crd_key_make(3)));
    crd_replay_init(&replay, recorded);
    crd_trace_push(t, &seed.handler);
    crd_trace_push(t, &replay.handler);
    assert_ok(ctx, crd_trace_run(t, chain, NULL));
    assert_int_equal(crd_trace_find(t, "b")->value.id, crd_trace_find(recorded, "b")->value.id);
    assert_true(number_of(crd_trace_find(t, "a")->value) != 0);
    crd_trace_destroy(&t);
    struct run other;
    assert_int_equal(run_model(ctx, &other, 3, HANDLERS(&replay.handler), chain, NULL), CRD_EINVAL);
    assert_non_null(strstr(crd_error_message(ctx), "site b: its recorded value is a formula in another graph"));
    crd_trace_destroy(&other.trace);
    crd_trace_destroy(&recorded);
    testing_context_destroy(&ctx);
}

/* p(a, c | do(b)) = p(a) p(c | b); p(a, b, c) after condition. The site b itself stays, drawn from N(a, 2). */
static void intervention_cuts_what_conditioning_keeps(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    struct run plain, conditioned, intervened;
    crd_value given[] = {{"b", crd_num(5), 0}, {0}}, done[] = {{"b", crd_num(5), 0}, {0}};
    crd_substitute_handler condition;
    crd_do_handler intervention;
    crd_condition_init(&condition, crd_lookup_values, given);
    crd_do_init(&intervention, crd_lookup_values, done);
    assert_ok(ctx, run_model(ctx, &plain, 1, NULL, chain, NULL));
    assert_ok(ctx, run_model(ctx, &conditioned, 1, HANDLERS(&condition.handler), chain, NULL));
    assert_ok(ctx, run_model(ctx, &intervened, 1, HANDLERS(&intervention.handler), chain, NULL));
    double a = value_of(plain.trace, "a"), c = value_of(conditioned.trace, "c");
    assert_true(crd_trace_find(conditioned.trace, "b")->observed);
    assert_true(value_of(conditioned.trace, "b") == 5);
    assert_close(number_of(crd_trace_log_density(conditioned.trace)), chain_density(a, 5, c), 1e-14, 0);
    /* do: what follows sees 5 (with the same noise as under the condition), the site is what it was */
    const crd_message *b = crd_trace_find(intervened.trace, "b");
    assert_false(b->observed);
    assert_true(value_of(intervened.trace, "b") == value_of(plain.trace, "b"));
    assert_true(value_of(intervened.trace, "c") == c);
    assert_close(value_of(intervened.trace, "sum"), a + 5 + c, 1e-15, 0);
    assert_int_equal(crd_trace_count(intervened.trace), 4);
    assert_close(number_of(crd_trace_log_density(intervened.trace)),
                 normal_log_prob(a, 0, 2) + normal_log_prob(value_of(plain.trace, "b"), a, 2) +
                     normal_log_prob(c, 5, 2),
                 1e-14, 0);
    crd_trace_destroy(&plain.trace);
    crd_trace_destroy(&conditioned.trace);
    crd_trace_destroy(&intervened.trace);
    testing_context_destroy(&ctx);
}

/* The posterior of a given c: under do(b) it is the prior of a; under the condition it is not. */
static crd_node intervened_model(crd_trace *t, void *user)
{
    crd_do_handler intervention;
    crd_value done[] = {{"b", crd_num(5), 0}, {0}};
    crd_do_init(&intervention, crd_lookup_values, done);
    crd_trace_push(t, &intervention.handler);
    crd_node out = chain(t, user);
    crd_trace_pop(t, &intervention.handler);
    return out;
}

static void an_intervened_model_has_the_site_still(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_model *model;
    double u[3] = {0.3, -0.4, 1.7}, value, gradient[3];
    assert_ok(ctx, crd_model_create(&model, ctx, intervened_model, NULL));
    assert_int_equal(crd_model_dim(model), 3);
    assert_ok(ctx, crd_model_log_density(model, u, &value, gradient));
    assert_close(value, normal_log_prob(0.3, 0, 2) + normal_log_prob(-0.4, 0.3, 2) + normal_log_prob(1.7, 5, 2), 1e-14,
                 0);
    assert_close(gradient[2], (5 - 1.7) / 4, 1e-14, 0);
    assert_close(gradient[1], (0.3 + 0.4) / 4, 1e-14, 0); /* c does not pull at b */
    crd_model_destroy(&model);
    testing_context_destroy(&ctx);
}

static void condition_then_uncondition_is_the_model(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    struct run plain, both;
    crd_value given[] = {{"b", crd_num(5), 0}, {0}};
    crd_substitute_handler condition;
    crd_uncondition_handler uncondition;
    crd_condition_init(&condition, crd_lookup_values, given);
    crd_uncondition_init(&uncondition, "b,x*");
    assert_ok(ctx, run_model(ctx, &plain, 4, NULL, chain, NULL));
    assert_ok(ctx, run_model(ctx, &both, 4, HANDLERS(&uncondition.handler, &condition.handler), chain, NULL));
    assert_false(crd_trace_find(both.trace, "b")->observed);
    assert_true(number_of(crd_trace_log_density(plain.trace)) == number_of(crd_trace_log_density(both.trace)));
    crd_trace_destroy(&plain.trace);
    crd_trace_destroy(&both.trace);
    testing_context_destroy(&ctx);
}

static void names_that_no_site_has_are_errors(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    struct run run;
    crd_value given[] = {{"sun", crd_num(5), 0}, {0}};
    crd_substitute_handler substitute;
    crd_do_handler intervention;
    crd_substitute_init(&substitute, crd_lookup_values, given);
    assert_int_equal(run_model(ctx, &run, 4, HANDLERS(&substitute.handler), chain, NULL), CRD_ENAME);
    assert_string_equal(crd_error_message(ctx),
                        "substitute: the model has no site 'sun' to be given a value; did you mean 'sum'?");
    crd_trace_destroy(&run.trace);
    crd_error_clear(ctx);
    crd_do_init(&intervention, crd_lookup_values, given);
    assert_int_equal(run_model(ctx, &run, 4, HANDLERS(&intervention.handler), chain, NULL), CRD_ENAME);
    crd_trace_destroy(&run.trace);
    testing_context_destroy(&ctx);
}

/* ---- block, scale, mask ------------------------------------------------------------------------------------- */

static int is_b(void *user, const crd_message *m)
{
    return strcmp(m->name, user) == 0;
}

static void block_hides_sites_and_their_densities(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_block_handler block[3];
    crd_block_init(&block[0], "b,s*");
    crd_block_init_expose(&block[1], "a,c");
    crd_block_init_if(&block[2], is_b, (char[]){"b"});
    for (int i = 0; i < 3; i++) {
        struct run run;
        crd_value values[] = {{"b", crd_num(1), 0}, {0}};
        crd_substitute_handler inside;
        crd_substitute_init(&inside, crd_lookup_values, values);
        assert_ok(ctx, run_model(ctx, &run, 5, HANDLERS(&block[i].handler, &inside.handler), chain, NULL));
        assert_int_equal(crd_trace_count(run.trace), i == 2 ? 3 : 2);
        assert_null(crd_trace_find(run.trace, "b"));
        assert_close(number_of(crd_trace_log_density(run.trace)),
                     normal_log_prob(value_of(run.trace, "a"), 0, 2) + normal_log_prob(value_of(run.trace, "c"), 1, 2),
                     1e-14, 0);
        crd_trace_destroy(&run.trace);
    }
    struct run run; /* a seed outside does not reach in */
    assert_int_equal(run_model(ctx, &run, 5, HANDLERS(&block[0].handler), chain, NULL), CRD_EINVAL);
    assert_non_null(strstr(crd_error_message(ctx), "site b: nothing gives it a value"));
    crd_trace_destroy(&run.trace);
    testing_context_destroy(&ctx);
}

/* Part of a model is scaled, by two handlers of its own. */
static crd_node partly_scaled(crd_trace *t, void *user)
{
    crd_scale_handler outer, inner;
    crd_scale_init(&outer, 3);
    crd_scale_init(&inner, *(double *)user);
    crd_node a = crd_sample(t, "a", crd_normal(crd_num(0), crd_num(1)));
    crd_trace_push(t, &outer.handler);
    crd_node b = crd_sample(t, "b", crd_normal(crd_num(0), crd_num(1)));
    crd_trace_push(t, &inner.handler);
    crd_sample(t, "c", crd_normal(crd_num(0), crd_num(1)));
    crd_factor(t, "f", crd_num(7));
    crd_trace_pop(t, &inner.handler);
    crd_trace_pop(t, &outer.handler);
    return crd_add(a, b);
}

static void scales_multiply_where_they_are_pushed(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_model *model;
    double u[3] = {0.5, 1, 2}, value, half = 0.5, none = 0;
    assert_ok(ctx, crd_model_create(&model, ctx, partly_scaled, &half));
    assert_ok(ctx, crd_model_log_density(model, u, &value, NULL));
    assert_close(value,
                 normal_log_prob(0.5, 0, 1) + 3 * normal_log_prob(1, 0, 1) + 1.5 * (normal_log_prob(2, 0, 1) + 7),
                 1e-14, 0);
    crd_model_destroy(&model);
    assert_int_equal(crd_model_create(&model, ctx, partly_scaled, &none), CRD_EDOMAIN);
    assert_non_null(strstr(crd_error_message(ctx), "site c: its scale is 0, it must be positive"));
    testing_context_destroy(&ctx);
}

struct masked {
    double mask[4];
    double y[4];
};

/* Four rows, some masked out by two masks; a factor too. */
static crd_node masked_data(crd_trace *t, void *user)
{
    struct masked *d = user;
    double but_last[] = {1, 1, 1, 0};
    crd_array inside = crd_array_borrow(but_last, crd_shape_1(4));
    crd_array mask = crd_array_borrow(d->mask, crd_shape_1(4)), y = crd_array_borrow(d->y, crd_shape_1(4));
    crd_mask_handler some, last;
    crd_mask_init(&some, crd_data(t, "mask", &mask));
    crd_mask_init(&last, crd_data(t, "inside", &inside));
    crd_node s = crd_sample(t, "s", crd_half_normal(crd_num(1)));
    crd_plate rows = crd_plate_enter(t, "rows", 4);
    crd_trace_push(t, &some.handler);
    crd_trace_push(t, &last.handler);
    crd_observe(t, "y", crd_gamma(s, crd_num(2)), &y);
    crd_factor(t, "f", s);
    crd_trace_pop(t, &last.handler);
    crd_trace_pop(t, &some.handler);
    crd_plate_leave(rows);
    return s;
}

static double gamma_log_prob(double x, double a, double rate)
{
    return a * log(rate) + (a - 1) * log(x) - rate * x - lgamma(a);
}

static void masked_rows_do_not_count_whatever_they_hold(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_model *model;
    struct masked d = {{1, 0, 1, 1}, {0.7, NAN, 2, -1}};
    double u = 0.3, value, gradient, above, below;
    assert_ok(ctx, crd_model_create(&model, ctx, masked_data, &d));
    assert_ok(ctx, crd_model_log_density(model, &u, &value, &gradient));
    double s = exp(u);
    assert_close(value,
                 normal_log_prob(s, 0, 1) + log(2) + u + gamma_log_prob(0.7, s, 2) + gamma_log_prob(2, s, 2) + 2 * s,
                 1e-13, 0);
    u = 0.3 + 1e-5;
    assert_ok(ctx, crd_model_log_density(model, &u, &above, NULL));
    u = 0.3 - 1e-5;
    assert_ok(ctx, crd_model_log_density(model, &u, &below, NULL));
    assert_close(gradient, (above - below) / 2e-5, 1e-7, 0);
    crd_model_destroy(&model);
    d.mask[1] = 1;
    assert_int_equal(crd_model_create(&model, ctx, masked_data, &d), CRD_EDOMAIN);
    assert_non_null(
        strstr(crd_error_message(ctx), "site y: observed value 1 is nan, gamma needs one that is positive"));
    testing_context_destroy(&ctx);
}

static crd_node wrong_mask(crd_trace *t, void *user)
{
    (void)user;
    double two[] = {1, 1};
    crd_array array = crd_array_borrow(two, crd_shape_1(2));
    crd_mask_handler mask;
    crd_mask_init(&mask, crd_data(t, "mask", &array));
    crd_trace_push(t, &mask.handler);
    crd_node x = crd_sample(t, "x", crd_dist_expand(crd_normal(crd_num(0), crd_num(1)), crd_shape_1(3)));
    crd_trace_pop(t, &mask.handler);
    return x;
}

static crd_node unbalanced(crd_trace *t, void *user)
{
    crd_scale_init(user, 2);
    crd_trace_push(t, user);
    return crd_sample(t, "x", crd_normal(crd_num(0), crd_num(1)));
}

static crd_node crossed(crd_trace *t, void *user)
{
    crd_scale_handler *two = user;
    crd_scale_init(&two[0], 2);
    crd_scale_init(&two[1], 2);
    crd_trace_push(t, &two[0].handler);
    crd_trace_push(t, &two[1].handler);
    crd_trace_pop(t, &two[0].handler);
    crd_trace_pop(t, &two[1].handler);
    return crd_num(0);
}

static void handlers_used_wrongly_are_errors(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_model *model;
    crd_scale_handler two[2];
    assert_int_equal(crd_model_create(&model, ctx, wrong_mask, NULL), CRD_ESHAPE);
    assert_non_null(
        strstr(crd_error_message(ctx), "site x: a mask of shape (2,) does not broadcast to its batch shape (3,)"));
    crd_error_clear(ctx);
    assert_int_equal(crd_model_create(&model, ctx, unbalanced, two), CRD_EINVAL);
    assert_string_equal(crd_error_message(ctx), "the model has pushed 1 handlers more than it has popped");
    crd_error_clear(ctx);
    assert_int_equal(crd_model_create(&model, ctx, crossed, two), CRD_EINVAL);
    assert_string_equal(crd_error_message(ctx), "a handler is popped that is not the innermost");
    testing_context_destroy(&ctx);
}

/* ---- parameters --------------------------------------------------------------------------------------------- */

static crd_node with_params(crd_trace *t, void *user)
{
    double start[] = {1, 2, 3}, *y = user;
    crd_array array = crd_array_borrow(start, crd_shape_1(3));
    crd_array data = crd_array_borrow(y, crd_shape_1(3));
    crd_node loc = crd_param(t, "loc", crd_data(t, "start", &array), CRD_REAL);
    crd_node scale = crd_param(t, "scale", crd_num(0.5), CRD_POSITIVE);
    crd_sample(t, "z", crd_normal(crd_num(0), crd_num(1)));
    return crd_observe(t, "y", crd_normal(loc, scale), &data);
}

static void parameters_are_held_substituted_or_lifted(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    double y[3] = {1.5, 1, 4};
    struct run run;
    crd_value given[] = {{"scale", crd_num(2), 0}, {0}};
    crd_substitute_handler substitute;
    crd_lift_handler lift;
    crd_lift_prior priors[] = {
        {"s*", crd_half_normal(crd_num(3)), 0}, {"loc", crd_normal(crd_num(1), crd_num(4)), 0}, {0}};
    assert_ok(ctx, run_model(ctx, &run, 1, NULL, with_params, y));
    double z = value_of(run.trace, "z");
    assert_int_equal(crd_trace_find(run.trace, "scale")->kind, CRD_MESSAGE_PARAM);
    assert_close(number_of(crd_trace_log_density(run.trace)),
                 normal_log_prob(z, 0, 1) + normal_log_prob(1.5, 1, 0.5) + normal_log_prob(1, 2, 0.5) +
                     normal_log_prob(4, 3, 0.5),
                 1e-14, 0);
    crd_trace_destroy(&run.trace);
    crd_substitute_init(&substitute, crd_lookup_values, given);
    assert_ok(ctx, run_model(ctx, &run, 1, HANDLERS(&substitute.handler), with_params, y));
    assert_true(value_of(run.trace, "scale") == 2);
    crd_trace_destroy(&run.trace);
    crd_lift_init(&lift, priors);
    assert_ok(ctx, run_model(ctx, &run, 1, HANDLERS(&lift.handler), with_params, y));
    const crd_message *loc = crd_trace_find(run.trace, "loc"), *scale = crd_trace_find(run.trace, "scale");
    assert_int_equal(loc->kind, CRD_MESSAGE_SAMPLE);
    assert_true(crdi_shape_equal(loc->shape, crd_shape_1(3)));
    const double *l;
    assert_true(crd_node_known(loc->value, &l));
    double s = number_of(scale->value), expected = normal_log_prob(value_of(run.trace, "z"), 0, 1);
    expected += normal_log_prob(s, 0, 3) + log(2);
    for (int i = 0; i < 3; i++)
        expected += normal_log_prob(l[i], 1, 4) + normal_log_prob(y[i], l[i], s);
    assert_close(number_of(crd_trace_log_density(run.trace)), expected, 1e-13, 0);
    crd_trace_destroy(&run.trace);
    priors[1].names = "location";
    priors[0].used = priors[1].used = 0;
    assert_int_equal(run_model(ctx, &run, 1, HANDLERS(&lift.handler), with_params, y), CRD_EPRIOR);
    assert_string_equal(crd_error_message(ctx), "lift: no parameter of the model is named 'location'");
    crd_trace_destroy(&run.trace);
    testing_context_destroy(&ctx);
}

static crd_node bad_param(crd_trace *t, void *user)
{
    crd_node z = crd_sample(t, "z", crd_normal(crd_num(0), crd_num(1)));
    if (*(int *)user == 0)
        return crd_param(t, "p", crd_num(-1), CRD_POSITIVE);
    if (*(int *)user == 1)
        return crd_param(t, "p", crd_num(1), CRD_BOOLEAN);
    return crd_param(t, "p", z, CRD_REAL);
}

static void parameters_start_in_their_set(void **state)
{
    (void)state;
    static const char *const messages[] = {"param p: element 0 of its initial value is -1, it must be positive",
                                           "param p: no parameter can be one that is 0 or 1",
                                           "param p: its initial value must be known when the model is traced"};
    static const crd_status statuses[] = {CRD_EDOMAIN, CRD_EUNSUPPORTED, CRD_EINVAL};
    for (int i = 0; i < 3; i++) {
        crd_context *ctx = testing_context();
        crd_model *model;
        assert_int_equal(crd_model_create(&model, ctx, bad_param, &i), statuses[i]);
        assert_non_null(strstr(crd_error_message(ctx), messages[i]));
        testing_context_destroy(&ctx);
    }
}

/* ---- all at once --------------------------------------------------------------------------------------------- */

/* A model of which every handler has a part. */
static crd_node all_handlers(crd_trace *t, void *user)
{
    (void)user;
    crd_value done[] = {{"a", crd_num(1), 0}, {0}};
    crd_lift_prior priors[] = {{"w", crd_normal(crd_num(0), crd_num(1)), 0}, {0}};
    crd_do_handler intervention;
    crd_lift_handler lift;
    crd_reparam_handler reparam, transform;
    crd_mask_handler mask;
    crd_scale_handler ones[20]; /* more than the stack of handlers has room for at first */
    for (int i = 0; i < 20; i++) {
        crd_scale_init(&ones[i], 1);
        crd_trace_push(t, &ones[i].handler);
    }
    crd_do_init(&intervention, crd_lookup_values, done);
    crd_lift_init(&lift, priors);
    crd_mask_init(&mask, crd_num(1));
    crd_reparam_init_loc_scale(&reparam, "a,b", 0.5);
    crd_reparam_init_transform(&transform, "r");
    crd_trace_push(t, &reparam.handler);
    crd_trace_push(t, &intervention.handler);
    crd_trace_push(t, &lift.handler);
    crd_trace_push(t, &transform.handler);
    crd_trace_push(t, &mask.handler);
    crd_node w = crd_param(t, "w", crd_num(0), CRD_REAL);
    crd_node r = crd_sample(t, "r", crd_gamma(crd_num(2), crd_num(3)));
    crd_plate rows = crd_plate_enter_with(t, "rows", 4, &(crd_plate_options){.subsample_size = 2});
    crd_factor(t, "f", crd_mul(w, r));
    crd_plate_leave(rows);
    crd_node out = chain(t, NULL);
    crd_trace_pop(t, &mask.handler);
    crd_trace_pop(t, &transform.handler);
    crd_trace_pop(t, &lift.handler);
    crd_trace_pop(t, &intervention.handler);
    crd_trace_pop(t, &reparam.handler);
    for (int i = 19; i >= 0; i--)
        crd_trace_pop(t, &ones[i].handler);
    return out;
}

static void handlers_compose(void **state)
{
    (void)state;
    static const char *const names[] = {"a_decentered", "b_decentered", "c", "r_base", "w"};
    crd_context *ctx = testing_context();
    crd_model *model;
    double u[5] = {0.4, 2, 3, log(2), 0.7}, value;
    assert_ok(ctx, crd_model_create(&model, ctx, all_handlers, NULL));
    assert_int_equal(crd_model_site_count(model), 5);
    for (int i = 0; i < 5; i++)
        assert_string_equal(crd_model_site(model, i)->name, names[i]);
    assert_ok(ctx, crd_model_log_density(model, u, &value, NULL));
    /* a is said to the handlers outside of do as it was; b sees 1 */
    double b = 1 + sqrt(2) * (2 - 0.5);
    assert_close(value,
                 normal_log_prob(0.4, 0, sqrt(2)) + normal_log_prob(2, 0.5, sqrt(2)) + normal_log_prob(3, b, 2) +
                     gamma_log_prob(2, 2, 1) + u[3] + normal_log_prob(0.7, 0, 1) + 4 * 0.7 * 2 / 3,
                 1e-13, 0);
    crd_model_destroy(&model);
    testing_context_destroy(&ctx);
}

static void no_memory_is_a_clean_error(void **state)
{
    (void)state;
    int failures = 0;
    for (int64_t k = 1;; k++) {
        crd_context *ctx = testing_context();
        crd_model *model = NULL;
        crd_program *prior = NULL;
        testing_fail_allocation(k);
        crd_status status = crd_model_create(&model, ctx, all_handlers, NULL);
        if (status == CRD_OK)
            status = crd_model_compile_prior(model, NULL, 0, &prior);
        testing_fail_allocation(0);
        if (status != CRD_OK) {
            failures++;
            assert_int_equal(status, CRD_ENOMEM);
        }
        crd_program_destroy(&prior);
        crd_model_destroy(&model);
        testing_context_destroy(&ctx);
        if (status == CRD_OK)
            break;
    }
    assert_true(failures > 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_replayed_trace_has_its_values_and_density),
        cmocka_unit_test(formulas_are_replayed_in_the_graph_that_they_are_in),
        cmocka_unit_test(intervention_cuts_what_conditioning_keeps),
        cmocka_unit_test(an_intervened_model_has_the_site_still),
        cmocka_unit_test(condition_then_uncondition_is_the_model),
        cmocka_unit_test(names_that_no_site_has_are_errors),
        cmocka_unit_test(block_hides_sites_and_their_densities),
        cmocka_unit_test(scales_multiply_where_they_are_pushed),
        cmocka_unit_test(masked_rows_do_not_count_whatever_they_hold),
        cmocka_unit_test(handlers_used_wrongly_are_errors),
        cmocka_unit_test(parameters_are_held_substituted_or_lifted),
        cmocka_unit_test(parameters_start_in_their_set),
        cmocka_unit_test(handlers_compose),
        cmocka_unit_test(no_memory_is_a_clean_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
