/* test_reparam.c - reparametrised sites: the same distribution made of others. */
#include "dist/dist.h"
#include "testing.h"

#include <math.h>
#include <string.h>

static double normal_log_prob(double x, double loc, double scale)
{
    return -0.5 * (x - loc) * (x - loc) / (scale * scale) - log(scale) - CRDI_HALF_LOG_2PI;
}

struct family {
    crd_dist dist;
    double centered; /* below 0: by transform */
};

static crd_node one_site(crd_trace *t, void *user)
{
    struct family *f = user;
    crd_node x = crd_sample(t, "x", f->dist);
    return crd_deterministic(t, "copy", x);
}

static crd_node reparametrised(crd_trace *t, void *user)
{
    struct family *f = user;
    crd_reparam_handler reparam;
    if (f->centered < 0)
        crd_reparam_init_transform(&reparam, "x*");
    else
        crd_reparam_init_loc_scale(&reparam, "x*", f->centered);
    crd_trace_push(t, &reparam.handler);
    crd_node x = one_site(t, user);
    crd_trace_pop(t, &reparam.handler);
    return x;
}

/* The value of the site and the density of its own distribution there, from the reparametrised density by change of
 * variables: log p(x) = log p(u) - log |dx/du|, with dx/du by differences. */
static void check_family(crd_dist dist, double centered)
{
    crd_context *ctx = testing_context();
    struct family f = {dist, centered};
    crd_model *plain, *other;
    crd_program *values, *back;
    crd_exec *exec, *inverse;
    const char *const keep = "x";
    crd_shape shape;
    assert_ok(ctx, crd_model_create(&plain, ctx, one_site, &f));
    assert_ok(ctx, crd_model_create(&other, ctx, reparametrised, &f));
    assert_string_equal(crd_model_site(other, 0)->name, centered < 0 ? "x_base" : "x_decentered");
    assert_ok(ctx, crd_model_compile_values(other, &keep, 1, &shape, &values));
    assert_ok(ctx, crd_model_compile_unconstrained(plain, &back));
    assert_ok(ctx, crd_exec_create(&exec, values));
    assert_ok(ctx, crd_exec_create(&inverse, back));
    for (double u = -1.5; u < 2; u += 0.5) {
        double own[3], density, expected, h = 1e-5;
        for (int k = 0; k < 3; k++) { /* the plain model's u of the site's value, at u, u - h, u + h */
            crd_exec_input(exec)[0] = u + (k == 1 ? -h : k == 2 ? h : 0);
            crd_exec_run(exec);
            crd_exec_input(inverse)[0] = crd_exec_output(exec)[1];
            crd_exec_run(inverse);
            own[k] = crd_exec_output(inverse)[0];
        }
        assert_ok(ctx, crd_model_log_density(other, &u, &density, NULL));
        assert_ok(ctx, crd_model_log_density(plain, &own[0], &expected, NULL));
        assert_close(density - log(fabs(own[2] - own[1]) / (2 * h)), expected, 1e-8, 1e-8);
    }
    crd_exec_destroy(&exec);
    crd_exec_destroy(&inverse);
    crd_program_destroy(&values);
    crd_program_destroy(&back);
    crd_model_destroy(&plain);
    crd_model_destroy(&other);
    testing_context_destroy(&ctx);
}

static void reparametrised_sites_keep_their_density(void **state)
{
    (void)state;
    const double shares[] = {0, 0.3, 0.9};
    for (int i = 0; i < 3; i++) {
        check_family(crd_normal(crd_num(3), crd_num(4)), shares[i]);
        check_family(crd_student_t(crd_num(5), crd_num(-1), crd_num(0.3)), shares[i]);
    }
    check_family(crd_gumbel(crd_num(1), crd_num(2)), 0);
    check_family(crd_log_normal(crd_num(0.5), crd_num(2)), -1);
    check_family(crd_uniform(crd_num(-3), crd_num(4)), -1);
    check_family(crd_exponential(crd_num(4)), -1);
    check_family(crd_half_normal(crd_num(4)), -1);
    check_family(crd_half_cauchy(crd_num(4)), -1);
    check_family(crd_gamma(crd_num(1.5), crd_num(4)), -1);
    check_family(crd_inverse_gamma(crd_num(1.5), crd_num(4)), -1);
    check_family(crd_weibull(crd_num(3), crd_num(1.5)), -1);
}

/* Eight schools' hierarchy: theta in a plate, made of a location and a scale that are latent too. */
static crd_node hierarchy(crd_trace *t, void *user)
{
    (void)user;
    crd_node mu = crd_sample(t, "mu", crd_normal(crd_num(0), crd_num(5)));
    crd_node tau = crd_sample(t, "tau", crd_half_cauchy(crd_num(5)));
    crd_plate rows = crd_plate_enter(t, "rows", 3);
    crd_node theta = crd_sample(t, "theta", crd_normal(mu, tau));
    crd_plate_leave(rows);
    return theta;
}

static crd_node hierarchy_not_centred(crd_trace *t, void *user)
{
    crd_reparam_handler reparam;
    crd_reparam_init_loc_scale(&reparam, "theta", 0);
    crd_trace_push(t, &reparam.handler);
    crd_node theta = hierarchy(t, user);
    crd_trace_pop(t, &reparam.handler);
    return theta;
}

static void hierarchies_lose_their_funnel(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_model *model;
    double u[5] = {1, log(2), 0.1, -0.2, 0.3}, value;
    assert_ok(ctx, crd_model_create(&model, ctx, hierarchy_not_centred, NULL));
    assert_int_equal(crd_model_dim(model), 5);
    assert_string_equal(crd_model_site(model, 2)->name, "theta_decentered");
    assert_true(crdi_shape_equal(crd_model_site(model, 2)->shape, crd_shape_1(3)));
    assert_ok(ctx, crd_model_log_density(model, u, &value, NULL));
    double expected = normal_log_prob(1, 0, 5) + log(2 / (3.14159265358979323846 * 5 * (1 + 4.0 / 25))) + u[1];
    for (int i = 2; i < 5; i++)
        expected += normal_log_prob(u[i], 0, 1);
    assert_close(value, expected, 1e-14, 0);
    crd_model_destroy(&model);
    testing_context_destroy(&ctx);
}

/* Rows of three in a plate of two, each row one draw. */
static crd_node joined_rows(crd_trace *t, void *user)
{
    double locs[] = {1, 2, 3};
    crd_array array = crd_array_borrow(locs, crd_shape_1(3));
    crd_reparam_handler reparam;
    crd_reparam_init_loc_scale(&reparam, NULL, *(double *)user);
    crd_trace_push(t, &reparam.handler);
    crd_plate rows = crd_plate_enter(t, "rows", 2);
    crd_dist dist = crd_normal(crd_data(t, "locs", &array), crd_num(4));
    crd_node x = crd_sample(t, "x", crd_dist_to_event(dist, 1));
    crd_plate_leave(rows);
    crd_trace_pop(t, &reparam.handler);
    return x;
}

static void axes_of_one_draw_stay_together(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_model *model;
    crd_program *values;
    crd_exec *exec;
    crd_shape shape;
    const char *keep = "x";
    double u[6] = {0.1, 0.2, 0.3, 0.4, 0.5, 0.6}, value, expected = 0, centered = 0.5;
    assert_ok(ctx, crd_model_create(&model, ctx, joined_rows, &centered));
    assert_true(crdi_shape_equal(crd_model_site(model, 0)->shape, crd_shape_2(2, 3)));
    assert_ok(ctx, crd_model_log_density(model, u, &value, NULL));
    for (int i = 0; i < 6; i++)
        expected += normal_log_prob(u[i], 0.5 * (1 + i % 3), 2);
    assert_close(value, expected, 1e-14, 0);
    assert_ok(ctx, crd_model_compile_values(model, &keep, 1, &shape, &values));
    assert_true(crdi_shape_equal(shape, crd_shape_2(2, 3)));
    assert_ok(ctx, crd_exec_create(&exec, values));
    memcpy(crd_exec_input(exec), u, sizeof u);
    crd_exec_run(exec);
    for (int i = 0; i < 6; i++)
        assert_close(crd_exec_output(exec)[6 + i], 1 + i % 3 + 2 * (u[i] - 0.5 * (1 + i % 3)), 1e-14, 0);
    crd_exec_destroy(&exec);
    crd_program_destroy(&values);
    crd_model_destroy(&model);
    centered = 0; /* the locations are not there any more to say how many there are */
    assert_ok(ctx, crd_model_create(&model, ctx, joined_rows, &centered));
    assert_true(crdi_shape_equal(crd_model_site(model, 0)->shape, crd_shape_2(2, 3)));
    crd_model_destroy(&model);
    testing_context_destroy(&ctx);
}

static void sites_that_cannot_be_reparametrised_are_named(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_model *model;
    struct family f = {crd_log_normal(crd_num(0), crd_num(1)), 0};
    assert_int_equal(crd_model_create(&model, ctx, reparametrised, &f), CRD_EUNSUPPORTED);
    assert_non_null(strstr(crd_error_message(ctx), "site x: log_normal is no family of location and scale"));
    crd_error_clear(ctx);
    f = (struct family){crd_normal(crd_num(0), crd_num(1)), -1};
    assert_int_equal(crd_model_create(&model, ctx, reparametrised, &f), CRD_EUNSUPPORTED);
    assert_non_null(strstr(crd_error_message(ctx), "site x: there is no transform that makes a normal"));
    crd_error_clear(ctx);
    f.centered = 2;
    assert_int_equal(crd_model_create(&model, ctx, reparametrised, &f), CRD_EDOMAIN);
    crd_error_clear(ctx);
    f.centered = 1; /* left as it is */
    assert_ok(ctx, crd_model_create(&model, ctx, reparametrised, &f));
    assert_string_equal(crd_model_site(model, 0)->name, "x");
    crd_model_destroy(&model);
    crd_trace *t;
    crd_value given[] = {{"x", crd_num(5), 0}, {0}};
    crd_substitute_handler condition;
    crd_reparam_handler reparam;
    assert_ok(ctx, crd_trace_create(&t, ctx));
    crd_condition_init(&condition, crd_lookup_values, given);
    crd_reparam_init_loc_scale(&reparam, NULL, 0);
    crd_trace_push(t, &reparam.handler);
    crd_trace_push(t, &condition.handler);
    assert_int_equal(crd_trace_run(t, one_site, &f), CRD_EUNSUPPORTED);
    assert_non_null(strstr(crd_error_message(ctx), "site x: it is observed or has a value"));
    crd_trace_destroy(&t);
    testing_context_destroy(&ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reparametrised_sites_keep_their_density),
        cmocka_unit_test(hierarchies_lose_their_funnel),
        cmocka_unit_test(axes_of_one_draw_stay_together),
        cmocka_unit_test(sites_that_cannot_be_reparametrised_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
