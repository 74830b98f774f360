/* test_compound.c - models with counts and with distributions that are made of another: densities by hand, draws, errors. */
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

static double y[] = {-1, 0.5, 3}, weight[] = {0.3, 0.7}, mask[] = {1, 0, 1};

/* The mixture is made in a function of its own: what it is made of must outlive that. */
static crd_dist two_normals(crd_trace *t, crd_node shift)
{
    double centre[] = {-1, 2};
    crd_array w = crd_array_borrow(weight, crd_shape_1(2)), c = crd_array_borrow(centre, crd_shape_1(2));
    crd_node loc = crd_add(shift, crd_constant(crd_trace_graph(t), &c));
    return crd_mixture(crd_constant(crd_trace_graph(t), &w), crd_normal(loc, crd_num(0.8)));
}

static crd_node mixture_model(crd_trace *t, void *user)
{
    crd_array data = crd_array_borrow(y, crd_shape_1(3)), keep = crd_array_borrow(mask, crd_shape_1(3));
    crd_node shift = crd_sample(t, "shift", crd_normal(crd_num(0), crd_num(1)));
    crd_node latent = crd_sample(t, "latent", two_normals(t, shift));
    crd_plate plate = crd_plate_enter(t, "data", 3);
    crd_dist dist = two_normals(t, shift);
    if (user)
        dist = crd_dist_mask(dist, crd_constant(crd_trace_graph(t), &keep));
    crd_observe(t, "y", dist, &data);
    crd_plate_leave(plate);
    return latent;
}

static double mixture_log_prob(double x, double shift)
{
    return log(weight[0] * exp(normal_log_prob(x, shift - 1, 0.8)) +
               weight[1] * exp(normal_log_prob(x, shift + 2, 0.8)));
}

static void a_mixture_can_be_latent_and_observed(void **state)
{
    (void)state;
    for (int masked = 0; masked < 2; masked++) {
        crd_context *ctx = testing_context();
        crd_model *model;
        double u[2], density, gradient[2], up, down;
        assert_ok(ctx, crd_model_create(&model, ctx, mixture_model, masked ? &masked : NULL));
        assert_int_equal(crd_model_dim(model), 2);
        assert_string_equal(crd_model_site(model, 0)->dist, "mixture");
        u[0] = 0.4; /* latent */
        u[1] = -0.2; /* shift */
        assert_ok(ctx, crd_model_log_density(model, u, &density, gradient));
        double expected = normal_log_prob(u[1], 0, 1) + mixture_log_prob(u[0], u[1]);
        for (int i = 0; i < 3; i++)
            expected += masked && !mask[i] ? 0 : mixture_log_prob(y[i], u[1]);
        assert_close(density, expected, 1e-13, 0);
        double slope = gradient[1];
        u[1] += 1e-6;
        assert_ok(ctx, crd_model_log_density(model, u, &up, gradient));
        u[1] -= 2e-6;
        assert_ok(ctx, crd_model_log_density(model, u, &down, gradient));
        assert_close(slope, (up - down) / 2e-6, 1e-6, 1e-7);
        crd_model_destroy(&model);
        testing_context_destroy(&ctx);
    }
}

static crd_node counts_model(crd_trace *t, void *user)
{
    double p[] = {0.2, 0.5, 0.3}, totals[] = {4, 9};
    crd_array probs = crd_array_borrow(p, crd_shape_1(3)), n = crd_array_borrow(totals, crd_shape_1(2));
    crd_node rate = crd_sample(t, "rate", crd_gamma(crd_num(2), crd_num(1)));
    crd_plate plate = crd_plate_enter(t, "rows", 2);
    crd_observe(t, "m", crd_multinomial(crd_constant(crd_trace_graph(t), &probs), crd_constant(crd_trace_graph(t), &n)),
                user);
    crd_plate_leave(plate);
    return crd_sample(t, "k", crd_zero_inflated(crd_num(0.3), crd_poisson(rate)));
}

static void counts_are_drawn_from_a_seed(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_trace *trace;
    crd_seed_handler seed;
    const double *m, *k;
    assert_ok(ctx, crd_trace_create(&trace, ctx));
    crd_seed_init(&seed, crd_key_node(crd_trace_graph(trace), crd_key_make(11)));
    assert_ok(ctx, crd_trace_push(trace, &seed.handler));
    assert_ok(ctx, crd_trace_run(trace, counts_model, NULL));
    assert_true(crd_node_known(crd_trace_find(trace, "m")->value, &m));
    assert_true(crd_node_known(crd_trace_find(trace, "k")->value, &k));
    assert_true(m[0] + m[1] + m[2] == 4 && m[3] + m[4] + m[5] == 9);
    assert_true(k[0] >= 0 && k[0] == floor(k[0]));
    crd_trace_destroy(&trace);
    testing_context_destroy(&ctx);
}

static void expect_error(void *user, crd_status status, const char *message)
{
    crd_context *ctx = testing_context();
    crd_model *model = NULL;
    assert_int_equal(crd_model_create(&model, ctx, counts_model, user), status);
    assert_ptr_equal(strstr(crd_error_message(ctx), message), crd_error_message(ctx));
    assert_null(model);
    testing_context_destroy(&ctx);
}

static void bad_counts_name_their_site(void **state)
{
    (void)state;
    double short_row[] = {1, 2, 1, 3, 3, 2}, half[] = {1, 2, 1, 3.5, 3.5, 2}, good[] = {1, 2, 1, 3, 3, 3};
    crd_array rows = crd_array_borrow(short_row, crd_shape_2(2, 3));
    expect_error(
        &rows, CRD_EDOMAIN,
        "site m: observed row 1: multinomial needs whole numbers from 0, with a sum equal to the total along the "
        "last axis (9)");
    rows.data = half;
    expect_error(&rows, CRD_EDOMAIN, "site m: observed value 3 is 3.5, multinomial needs one that is whole numbers");
    rows.data = good;
    expect_error(&rows, CRD_EUNSUPPORTED,
                 "site k: zero_inflated is discrete; a latent site must be continuous, or be observed");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mixture_can_be_latent_and_observed),
        cmocka_unit_test(counts_are_drawn_from_a_seed),
        cmocka_unit_test(bad_counts_name_their_site),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
