/* test_hand.c - the loops of bench/ compute what the library computes: value and gradient, every width and build. */
#include "hand/hand.h"
#include "kernel/kernel.h"
#include "nn/tutorial.h"
#include "testing.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static hand_work work;

/* A loop that computes something else would be no limit. 1e-10 of the largest number around. */
static void check(const hand_model *hand, const crd_model *model, const double *u)
{
    double value, gradient[HAND_DIM], by_hand[HAND_DIM], largest = 1;
    int64_t dim = crd_model_dim(model);
    assert_ok(crd_model_context(model), crd_model_log_density(model, u, &value, gradient));
    assert_close(hand->gradient(&work, u, by_hand), value, 1e-10, 0);
    for (int64_t i = 0; i < dim; i++)
        largest = fmax(largest, fabs(gradient[i]));
    for (int64_t i = 0; i < dim; i++)
        assert_close(by_hand[i], gradient[i], 1e-10, 1e-10 * largest);
}

/* Two steps back and forth end where they began: the leapfrog is reversible. */
static void check_leapfrog(const hand_model *hand, const double *start, int64_t dim)
{
    double u[HAND_DIM], p[HAND_DIM], gradient[HAND_DIM], metric[HAND_DIM];
    memcpy(u, start, sizeof *u * (size_t)dim);
    for (int64_t i = 0; i < dim; i++) {
        p[i] = 0.1 * (double)(i % 7) - 0.3;
        metric[i] = 0.5 + 0.1 * (double)(i % 3);
    }
    double value = hand->gradient(&work, u, gradient);
    assert_true(hand->leapfrog(&work, 1e-3, metric, 2, u, p, gradient) != value);
    assert_true(fabs(u[0] - start[0]) > 1e-6);
    for (int64_t i = 0; i < dim; i++)
        p[i] = -p[i];
    assert_close(hand->leapfrog(&work, 1e-3, metric, 2, u, p, gradient), value, 1e-11, 0);
    for (int64_t i = 0; i < dim; i++)
        assert_close(u[i], start[i], 1e-11, 1e-11);
}

static void check_width(crd_context *ctx, int units)
{
    double x[CRDI_TUTORIAL_ROWS], y[CRDI_TUTORIAL_ROWS], u[HAND_DIM];
    char hidden[16];
    crdi_tutorial_regression(x, y);
    memcpy(work.x, x, sizeof x);
    memcpy(work.y, y, sizeof y);
    crd_array observed = crd_array_borrow(y, crd_shape_1(HAND_ROWS));
    snprintf(hidden, sizeof hidden, "%d", units);
    crd_network network = {.hidden = hidden,
                           .activation = "tanh",
                           .prior = "normal:0,1",
                           .noise = "half_cauchy:0.5",
                           .x = crd_array_borrow(x, crd_shape_2(HAND_ROWS, 1)),
                           .y = &observed};
    crd_model *model;
    assert_ok(ctx, crd_model_create(&model, ctx, crd_network_model, &network));
    const hand_model *hand = hand_find(crd_context_kernels(ctx), units);
    assert_non_null(hand);
    assert_int_equal(crd_model_dim(model), 3 * units + 2);
    for (uint64_t k = 0; k < 20; k++) {
        crd_random_normal(crd_key_make(k), 3 * units + 2, u);
        check(hand, model, u);
    }
    check_leapfrog(hand, u, 3 * units + 2);
    crd_model_destroy(&model);
}

static void test_same_numbers(void **state)
{
    (void)state;
    for (int i = 0; i < crdi_kernels_count(); i++) {
        if (!crdi_kernels_usable(crdi_kernels_get(i)))
            continue;
        crd_context *ctx;
        assert_int_equal(crd_context_create(&ctx, &(crd_context_options){.kernels = crdi_kernels_get(i)->name}),
                         CRD_OK);
        check_width(ctx, 10);
        check_width(ctx, 100);
        crd_context_destroy(&ctx);
    }
    assert_null(hand_find("none", 10));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_same_numbers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
