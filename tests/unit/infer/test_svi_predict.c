/* test_svi_predict.c - predictions from a fitted guide: those of crd_predict where that serves too; fitted parameters;
 * discrete sites; what cannot be predicted. */
#include "line.h"

#include <credence/svi.h>
#include <math.h>
#include <string.h>

enum { DRAWS = 2000 };

static void without_parameters_it_is_crd_predict(void **state)
{
    (void)state;
    static const char *const names[] = {"f", "y"};
    crd_context *ctx = testing_context();
    struct line line;
    double x[3] = {-5, 0, 7};
    struct line other = {.x = crd_array_borrow(x, crd_shape_1(3))};
    crd_model *model;
    crd_svi *svi;
    crd_posterior *draws;
    line_init(&line);
    assert_ok(ctx, crd_model_create(&model, ctx, line_model, &line));
    assert_ok(ctx, crd_svi_fit(ctx, line_model, &line, &(crd_svi_options){.steps = 200}, crd_key_make(1), &svi));
    assert_ok(ctx, crd_svi_draw(svi, 50, NULL, 0, crd_key_make(2), &draws));
    for (int i = 0; i < 2; i++) {
        crd_array ours = {0}, theirs = {0};
        assert_ok(ctx, crd_svi_predict(svi, draws, &other, names[i], crd_key_make(3), &ours));
        assert_ok(ctx, crd_predict(model, draws, &other, names[i], crd_key_make(3), &theirs));
        assert_int_equal(ours.shape.ndim, 3);
        assert_int_equal(ours.shape.dim[0], 1);
        assert_int_equal(ours.shape.dim[1], 50);
        assert_int_equal(ours.shape.dim[2], 3);
        assert_memory_equal(ours.data, theirs.data, sizeof(double) * 150);
        crd_array_clear(&ours);
        crd_array_clear(&theirs);
    }
    crd_posterior_destroy(&draws);
    crd_svi_destroy(&svi);
    crd_model_destroy(&model);
    testing_context_destroy(&ctx);
}

/* ---- z ~ Bernoulli(0.4), m ~ N(z, 1), y_i ~ N(m, sd), sd a parameter --------------------------------------------- */

enum { ROWS_HERE = 4 };
static double rows_y[ROWS_HERE] = {1.9, 0.7, 1.4, -0.2};

struct table {
    int64_t rows;
    crd_array *y; /* NULL: to predict */
};

static crd_node mixed_model(crd_trace *t, void *user)
{
    const struct table *d = user;
    crd_node sd = crd_param(t, "sd", crd_num(5), CRD_POSITIVE);
    crd_node z = crd_sample(t, "z", crd_bernoulli(crd_num(0.4)));
    crd_node m = crd_sample(t, "m", crd_normal(z, crd_num(1)));
    crd_plate plate = crd_plate_enter(t, "rows", d->rows);
    crd_observe(t, "y", crd_normal(m, sd), d->y);
    crd_plate_leave(plate);
    return m;
}

static crd_node z_guide(crd_trace *t, void *none)
{
    (void)none;
    return crd_sample(t, "z", crd_bernoulli(crd_param(t, "p", crd_num(0.5), CRD_UNIT_INTERVAL)));
}

/* (y - m) / sd is standard normal if the fitted sd is used: two sums at 4.5 standard errors, 1.4e-5 for other keys. */
static void parameters_have_their_fitted_values(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_array y = crd_array_borrow(rows_y, crd_shape_1(ROWS_HERE)), out = {0}, again = {0};
    struct table train = {ROWS_HERE, &y}, test = {3, NULL};
    crd_svi *svi;
    crd_posterior *draws;
    double sd, sum = 0, square = 0;
    crd_svi_options options = {.guide_fn = z_guide, .guide = "normal", .particles = 4, .steps = 2000};
    assert_ok(ctx, crd_svi_fit(ctx, mixed_model, &train, &options, crd_key_make(1), &svi));
    assert_ok(ctx, crd_svi_draw(svi, DRAWS, NULL, 0, crd_key_make(2), &draws));
    assert_int_equal(crd_svi_param(svi, "sd", &sd), 1);
    assert_true(sd > 0.3 && sd < 2); /* it began at 5; the data's is 0.8 */
    assert_ok(ctx, crd_svi_predict(svi, draws, &test, "y", crd_key_make(3), &out));
    assert_int_equal(out.shape.dim[2], 3);
    const crd_column *m = crd_posterior_find(draws, "m"), *z = crd_posterior_find(draws, "z");
    int ones = 0;
    for (int d = 0; d < DRAWS; d++) {
        ones += z->draws[d] == 1;
        for (int i = 0; i < 3; i++) {
            double noise = (out.data[d * 3 + i] - m->draws[d]) / sd;
            sum += noise;
            square += noise * noise;
        }
    }
    assert_true(ones > 0 && ones < DRAWS);
    assert_true(fabs(sum) < 4.5 * sqrt(3 * DRAWS));
    assert_true(fabs(square - 3 * DRAWS) < 4.5 * sqrt(2.0 * 3 * DRAWS));
    assert_ok(ctx,
              crd_svi_predict(svi, draws, &test, "m", crd_key_make(3), &again)); /* a latent site is what was drawn */
    assert_memory_equal(again.data, m->draws, sizeof(double) * DRAWS);
    crd_array_clear(&out);
    crd_array_clear(&again);

    assert_int_equal(crd_svi_predict(svi, draws, &test, "x", crd_key_make(3), &out), CRD_ENAME);
    crd_error_clear(ctx);
    crd_posterior *less;
    crd_column only = {.name = (char[]){"m"}, .kind = CRD_COLUMN_LATENT, .size = 1};
    assert_ok(ctx, crd_posterior_create(&less, ctx, 1, 5, &only, 1));
    assert_int_equal(crd_svi_predict(svi, less, &test, "y", crd_key_make(3), &out), CRD_EMISSING);
    assert_non_null(strstr(crd_error_message(ctx), "no site z"));
    assert_null(out.data);
    crd_posterior_destroy(&less);
    crd_posterior_destroy(&draws);
    crd_svi_destroy(&svi);
    testing_context_destroy(&ctx);
}

static void memory_that_fails_is_said(void **state)
{
    (void)state;
    crd_array y = crd_array_borrow(rows_y, crd_shape_1(ROWS_HERE));
    struct table train = {ROWS_HERE, &y}, test = {3, NULL};
    crd_svi_options options = {.guide_fn = z_guide, .guide = "normal", .steps = 3};
    crd_status status = CRD_ENOMEM;
    for (int64_t k = 1; status != CRD_OK; k++) {
        crd_context *ctx = testing_context();
        crd_svi *svi;
        crd_posterior *draws;
        crd_array out = {0};
        assert_ok(ctx, crd_svi_fit(ctx, mixed_model, &train, &options, crd_key_make(1), &svi));
        assert_ok(ctx, crd_svi_draw(svi, 3, NULL, 0, crd_key_make(2), &draws));
        testing_fail_allocation(k);
        status = crd_svi_predict(svi, draws, &test, "y", crd_key_make(3), &out);
        testing_fail_allocation(0);
        assert_true(status == CRD_OK || status == CRD_ENOMEM);
        assert_true(k < 1000);
        crd_array_clear(&out);
        crd_posterior_destroy(&draws);
        crd_svi_destroy(&svi);
        testing_context_destroy(&ctx); /* fails the test if anything is left */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_parameters_it_is_crd_predict),
        cmocka_unit_test(parameters_have_their_fitted_values),
        cmocka_unit_test(memory_that_fails_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
