/* test_optimisers.c - what holds for every transformation and schedule of the registries. */
#include "infer/svi/optim.h"
#include "testing.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { DIM = 4, TEXT = 256 };

static const double curvature[DIM] = {3, 1, 0.5, 0.1}, start[DIM] = {2, -1, 0.5, 3};

/* A convex quadratic: sum of c x^2 / 2. */
static double loss_of(const double *x, double *g)
{
    double loss = 0;
    for (int i = 0; i < DIM; i++) {
        g[i] = curvature[i] * x[i];
        loss += 0.5 * g[i] * x[i];
    }
    return loss;
}

/* Chain i of all: each transformation by its example, then each schedule as a rate of sgd. False: there are no more. */
static bool chain_text(int i, char *text)
{
    int transforms = crdi_transform_types();
    if (i >= transforms + crdi_schedule_types())
        return false;
    if (i >= transforms) {
        snprintf(text, TEXT, "sgd:%s", crdi_schedule_type_get(i - transforms)->example);
        return true;
    }
    const crdi_transform_type *type = crdi_transform_type_get(i);
    bool scaled = type->parameters && type->parameter[0].range <= CRDI_FACTOR;
    snprintf(text, TEXT, "%s%s", type->example, scaled ? "" : ",scale:-0.05");
    return true;
}

static crdi_optimiser *create(crd_context *ctx, const char *text)
{
    crdi_optimiser *o = NULL;
    assert_ok(ctx, crdi_optimiser_create(ctx, text, DIM, NULL, 0, &o));
    return o;
}

static void steps(crdi_optimiser *o, int n, double *x)
{
    double g[DIM];
    for (int t = 0; t < n; t++) {
        double loss = loss_of(x, g);
        crdi_optimiser_update(o, g, x, loss);
    }
}

/* The body of each test, once for each chain. */
static void for_each(void (*body)(crd_context *ctx, const char *text))
{
    char text[TEXT];
    for (int i = 0; chain_text(i, text); i++) {
        crd_context *ctx = testing_context();
        body(ctx, text);
        testing_context_destroy(&ctx);
    }
}

static void decrease(crd_context *ctx, const char *text)
{
    crdi_optimiser *o = create(ctx, text);
    double x[DIM], g[DIM];
    memcpy(x, start, sizeof x);
    double first = loss_of(x, g);
    steps(o, 500, x);
    double last = loss_of(x, g);
    if (!(last < 0.2 * first))
        fail_msg("%s: the loss went from %g to %g", text, first, last);
    crdi_optimiser_destroy(&o);
}

static void every_chain_decreases_a_convex_quadratic(void **state)
{
    (void)state;
    for_each(decrease);
}

static void resume(crd_context *ctx, const char *text)
{
    unsigned char bytes[1024], again[1024];
    double whole[DIM], parted[DIM];
    memcpy(whole, start, sizeof whole);
    memcpy(parted, start, sizeof parted);
    crdi_optimiser *o = create(ctx, text);
    size_t size = crdi_optimiser_state_size(o);
    assert_true(size <= sizeof bytes);
    steps(o, 140, whole);
    crdi_optimiser_reset(o);
    steps(o, 90, parted);
    crdi_optimiser_save(o, bytes);
    crdi_optimiser_destroy(&o);
    o = create(ctx, text);
    assert_ok(ctx, crdi_optimiser_load(o, bytes, size));
    crdi_optimiser_save(o, again);
    assert_memory_equal(bytes, again, size);
    steps(o, 50, parted);
    if (memcmp(whole, parted, sizeof whole) != 0)
        fail_msg("%s: a resumed path is another one", text);
    crdi_optimiser_destroy(&o);
}

static void a_saved_state_continues_bit_for_bit(void **state)
{
    (void)state;
    for_each(resume);
}

static void rest(crd_context *ctx, const char *text)
{
    const double g[DIM] = {0};
    double x[DIM] = {0}, y[DIM];
    crdi_optimiser *o = create(ctx, text);
    for (int t = 0; t < 200; t++)
        crdi_optimiser_update(o, g, x, 1);
    for (int i = 0; i < DIM; i++)
        if (x[i] != 0)
            fail_msg("%s: a gradient of 0 at 0 led to %g", text, x[i]);
    memcpy(y, start, sizeof y);
    steps(o, 20, y);
    for (int i = 0; i < DIM; i++)
        if (!isfinite(y[i]))
            fail_msg("%s: %g after gradients of 0", text, y[i]);
    crdi_optimiser_destroy(&o);
}

static void zero_gradients_leave_a_finite_state(void **state)
{
    (void)state;
    for_each(rest);
}

/* The caller skips such an update; a transformation must not make a number of it. */
static void not_a_number(crd_context *ctx, const char *text)
{
    double x[DIM];
    memcpy(x, start, sizeof x);
    const double g[DIM] = {1, NAN, 1, 1};
    crdi_optimiser *o = create(ctx, text);
    crdi_optimiser_update(o, g, x, NAN);
    if (!isnan(x[1]))
        fail_msg("%s: a gradient that is no number led to %g", text, x[1]);
    crdi_optimiser_destroy(&o);
}

static void nan_is_not_hidden(void **state)
{
    (void)state;
    for_each(not_a_number);
}

static void same_bits(crd_context *ctx, const char *text)
{
    double reference[DIM] = {0};
    (void)ctx;
    for (int i = 0, seen = 0; i < crdi_kernels_count(); i++) {
        if (!crdi_kernels_usable(crdi_kernels_get(i)))
            continue;
        crd_context_options options = {.kernels = crdi_kernels_get(i)->name};
        crd_context *other = NULL;
        double x[DIM];
        memcpy(x, start, sizeof x);
        assert_int_equal(crd_context_create(&other, &options), CRD_OK);
        crdi_optimiser *o = create(other, text);
        steps(o, 100, x);
        crdi_optimiser_destroy(&o);
        crd_context_destroy(&other);
        if (seen++ == 0)
            memcpy(reference, x, sizeof x);
        else if (memcmp(reference, x, sizeof x) != 0)
            fail_msg("%s: other bits with %s", text, options.kernels);
    }
}

static void bits_do_not_depend_on_the_instruction_set(void **state)
{
    (void)state;
    for_each(same_bits);
}

static void every_row_has_its_name_and_form(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crdi_string s;
    crdi_string_init(&s, ctx);
    for (int i = 0; i < crdi_transform_types(); i++) {
        const crdi_transform_type *type = crdi_transform_type_get(i);
        assert_ptr_equal(crdi_transform_type_find(type->name), type);
        assert_true(strncmp(type->example, type->name, strlen(type->name)) == 0);
        assert_true(type->parameters <= CRDI_TRANSFORM_ARGUMENTS && strlen(crdi_transform_type_help(i)) > 0);
        crdi_transform_form(type, &s);
    }
    for (int i = 0; i < crdi_schedule_types(); i++) {
        const crdi_schedule_type *type = crdi_schedule_type_get(i);
        assert_ptr_equal(crdi_schedule_type_find(type->name), type);
        assert_true(strncmp(type->example, type->name, strlen(type->name)) == 0);
        assert_true(type->parameter[0].range == CRDI_VALUE && strlen(crdi_schedule_type_help(i)) > 0);
        crdi_schedule_form(type, &s);
    }
    assert_non_null(strstr(crdi_string_text(&s), "momentum[:rate][:decay=0.9]"));
    assert_non_null(strstr(crdi_string_text(&s), "piecewise(value,step,factor,...)"));
    crdi_string_clear(&s);
    testing_context_destroy(&ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_has_its_name_and_form),
        cmocka_unit_test(every_chain_decreases_a_convex_quadratic),
        cmocka_unit_test(a_saved_state_continues_bit_for_bit),
        cmocka_unit_test(zero_gradients_leave_a_finite_state),
        cmocka_unit_test(nan_is_not_hidden),
        cmocka_unit_test(bits_do_not_depend_on_the_instruction_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
