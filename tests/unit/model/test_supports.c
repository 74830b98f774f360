/* test_supports.c - models whose sites are vectors, matrices and numbers with bounds that other sites give. */
#include "dist/dist.h"
#include "testing.h"

#include <math.h>
#include <string.h>

/* low ~ N(0, 1), above ~ N(0, 1) above low, cut ascending, shares on a simplex, a correlation factor. */
static crd_node supports(crd_trace *t, void *user)
{
    static double ones[] = {1, 2, 3};
    (void)user;
    crd_node low = crd_sample(t, "low", crd_normal(crd_num(0), crd_num(1)));
    crd_sample(t, "above", crd_truncated_normal(crd_num(0), crd_num(1), low, crd_num(INFINITY)));
    crd_sample(t, "cut", crd_flat_ordered(crd_num(3)));
    crd_array concentration = crd_array_borrow(ones, crd_shape_1(3));
    crd_sample(t, "shares", crd_dirichlet(crd_data(t, "concentration", &concentration)));
    crd_sample(t, "factor", crd_lkj_cholesky(crd_num(3), crd_num(2)));
    return low;
}

static void sites_have_the_sizes_of_their_bijections(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_model *model;
    assert_ok(ctx, crd_model_create(&model, ctx, supports, NULL));
    assert_int_equal(crd_model_dim(model), 1 + 1 + 3 + 2 + 3);
    double u[10] = {0.3, -0.4, 0.5, 0.1, -0.2, 0.3, -0.6, 0.2, -0.1, 0.4}, slope[10], none[10], value, up, down;
    assert_ok(ctx, crd_model_log_density(model, u, &value, slope));
    assert_true(isfinite(value));
    for (int i = 0; i < 10; i++) {
        double at = u[i], h = 1e-5;
        u[i] = at + h;
        assert_ok(ctx, crd_model_log_density(model, u, &up, none));
        u[i] = at - h;
        assert_ok(ctx, crd_model_log_density(model, u, &down, none));
        u[i] = at;
        assert_close(slope[i], (up - down) / (2 * h), 1e-7, 1e-8);
    }
    crd_model_destroy(&model);
    testing_context_destroy(&ctx);
}

static crd_node a_point(crd_trace *t, void *user)
{
    (void)user;
    return crd_sample(t, "here", crd_delta(crd_num(1)));
}

static void a_latent_point_is_refused(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_model *model;
    assert_int_equal(crd_model_create(&model, ctx, a_point, NULL), CRD_EUNSUPPORTED);
    assert_non_null(strstr(crd_error_message(ctx), "site here: delta is a point"));
    testing_context_destroy(&ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sites_have_the_sizes_of_their_bijections),
        cmocka_unit_test(a_latent_point_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
