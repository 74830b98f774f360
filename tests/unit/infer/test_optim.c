/* test_optim.c - chains of gradient transformations: optax's paths, the grammar, blocks, schedules, state. */
#include "infer/svi/optim.h"
#include "testing.h"

#include <math.h>
#include <string.h>

enum { DIM = 3, STEPS = 25 };

/* ---- optax -------------------------------------------------------------------------------------------------- */

struct problem {
    double a[DIM * DIM], b[DIM];
};

static void gradient_of(const struct problem *p, const double *w, double *g)
{
    for (int i = 0; i < DIM; i++) {
        g[i] = 0.4 * w[i] * w[i] * w[i] - p->b[i];
        for (int j = 0; j < DIM; j++)
            g[i] += p->a[i * DIM + j] * w[j];
    }
}

/* Follows a path from (5, -4, 3) and compares each step. */
static void follow(const char *text, const struct problem *p, const double *path)
{
    crd_context *ctx = testing_context();
    crdi_optimiser *o;
    double w[DIM] = {5, -4, 3}, g[DIM];
    assert_ok(ctx, crdi_optimiser_create(ctx, text, DIM, NULL, 0, &o));
    int64_t before = testing_allocations();
    for (int t = 0; t < STEPS; t++) {
        gradient_of(p, w, g);
        crdi_optimiser_update(o, g, w, NAN);
        for (int i = 0; i < DIM; i++)
            testing_close(w[i], path[t * DIM + i], 1e-10, 1e-10, text, __FILE__, __LINE__);
    }
    assert_int_equal(testing_allocations(), before);
    crdi_optimiser_destroy(&o);
    testing_context_destroy(&ctx);
}

static void paths_are_those_of_optax(void **state)
{
    static const struct {
        const char *key, *text;
    } cases[] = {
        {"sgd(0.05)", "sgd:0.05"},
        {"momentum(0.05,0.9)", "momentum:0.05:0.9"},
        {"nesterov(0.05,0.9)", "nesterov:0.05:decay=0.9"},
        {"adam(0.1)", "adam:0.1"},
        {"adam(0.1)", "adam,scale:-0.1"},
        {"adam(0.1)", " adam : constant( 0.1 ) "},
        {"adam(0.1)", "clipped_adam:0.1:1e6"},
        {"adamw(0.1,wd=0.01)", "adamw:0.1:0.01"},
        {"adamw(0.1,wd=0.01)", "adam,weight_decay:0.01,scale:-0.1"},
        {"rmsprop(0.05)", "rmsprop:0.05"},
        {"adagrad(0.5)", "adagrad:0.5"},
        {"chain(clip_by_global_norm(10),scale_by_adam,scale(-1e-2))", "clip_by_global_norm:10,adam,scale:-1e-2"},
        {"chain(clip_by_global_norm(10),scale_by_adam,scale(-1e-2))",
         "clip_by_global_norm:10,scale_by_adam,scale:-1e-2"},
        {"adam(cosine_decay(0.1,25))", "adam:cosine(0.1,25)"},
        {"adam(cosine_decay(0.1,25))", "adam,scale:cosine(-0.1,25)"},
        {"adam(exponential_decay(0.1,10,0.5))", "adam:rate=exponential(0.1,10,0.5)"},
    };
    (void)state;
    json_t *json = testing_json("optimisers.json"), *paths = json_object_get(json, "paths");
    struct problem p;
    double path[STEPS * DIM];
    assert_int_equal(testing_numbers(json_object_get(json, "A"), p.a), DIM * DIM);
    assert_int_equal(testing_numbers(json_object_get(json, "b"), p.b), DIM);
    assert_int_equal(json_object_size(paths), 10);
    for (int i = 0; i < CRDI_COUNT(cases); i++) {
        assert_int_equal(testing_numbers(json_object_get(paths, cases[i].key), path), STEPS * DIM);
        follow(cases[i].text, &p, path);
    }
    json_decref(json);
}

/* ---- single updates ----------------------------------------------------------------------------------------- */

/* The update that a chain makes of a gradient, at params 0; the chain's last factor is -1. */
static void update_of(const char *text, int64_t dim, const int64_t *block, int64_t blocks, const double *g, double *out)
{
    crd_context *ctx = testing_context();
    crdi_optimiser *o;
    memset(out, 0, sizeof(double) * (size_t)dim);
    assert_ok(ctx, crdi_optimiser_create(ctx, text, dim, block, blocks, &o));
    crdi_optimiser_update(o, g, out, NAN);
    crdi_optimiser_destroy(&o);
    testing_context_destroy(&ctx);
}

static void gradients_are_clipped(void **state)
{
    (void)state;
    const double g[] = {3, -4, 0.5, 12, 5};
    const int64_t block[] = {2, 1, 0, 2};
    double u[5];
    update_of("clip_by_value:3.5,scale:-1", 5, NULL, 0, g, u);
    const double by_value[] = {-3, 3.5, -0.5, -3.5, -3.5};
    assert_memory_equal(u, by_value, sizeof u);
    update_of("clip_by_norm:1,scale:-1", 5, block, 4, g, u);
    const double by_norm[] = {-0.6, 0.8, -0.5, -12.0 / 13, -5.0 / 13};
    for (int i = 0; i < 5; i++)
        assert_close(u[i], by_norm[i], 1e-15, 0);
    update_of("clip_by_norm:1,scale:-1", 5, NULL, 0, g, u);
    double norm = sqrt(9 + 16 + 0.25 + 144 + 25);
    for (int i = 0; i < 5; i++)
        assert_close(u[i], -g[i] / norm, 1e-15, 0);
    update_of("clip_by_global_norm:2,scale:-1", 5, block, 4, g, u);
    for (int i = 0; i < 5; i++)
        assert_close(u[i], -2 * g[i] / norm, 1e-15, 0);
    update_of("clip_by_global_norm:14,scale:-1", 5, block, 4, g, u);
    for (int i = 0; i < 5; i++)
        assert_true(u[i] == -g[i]);
}

static void norms_neither_overflow_nor_vanish(void **state)
{
    (void)state;
    const double huge[] = {3e200, -4e200}, tiny[] = {3e-200, -4e-200}, none[] = {0, 0};
    double u[2];
    update_of("clip_by_global_norm:5,scale:-1", 2, NULL, 0, huge, u);
    assert_close(u[0], -3, 1e-14, 0);
    assert_close(u[1], 4, 1e-14, 0);
    update_of("clip_by_global_norm:5e-210,scale:-1", 2, NULL, 0, tiny, u);
    assert_close(u[0], -3e-210, 1e-14, 0);
    assert_close(u[1], 4e-210, 1e-14, 0);
    update_of("clip_by_norm:1,scale:-1", 2, NULL, 0, none, u);
    assert_true(u[0] == 0 && u[1] == 0);
}

/* Two steps of AdaBelief by hand: g = 2, then g = 1, b1 = 0.5, b2 = 0.75, eps = 2^-4. m = 1, then 1; the surprises
 * are 1 and 0; s = 0.25 + eps, then 0.75 s + eps. */
static void adabelief_is_that_of_the_paper(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crdi_optimiser *o;
    const double eps = 0.0625;
    double x = 0, g = 2, s = 0.25 + eps, expected = 2 / (sqrt(s / 0.25) + eps);
    assert_ok(ctx, crdi_optimiser_create(ctx, "adabelief:1:0.5:0.75:0.0625", 1, NULL, 0, &o));
    crdi_optimiser_update(o, &g, &x, NAN);
    assert_close(-x, expected, 1e-15, 0);
    g = 1;
    s = 0.75 * s + eps;
    expected += 1 / 0.75 / (sqrt(s / (1 - 0.5625)) + eps);
    crdi_optimiser_update(o, &g, &x, NAN);
    assert_close(-x, expected, 1e-15, 0);
    crdi_optimiser_destroy(&o);
    testing_context_destroy(&ctx);
}

/* ---- schedules ---------------------------------------------------------------------------------------------- */

/* The rates of the first n steps, by a gradient of -1; losses NULL: none are known. */
static void rates_of(const char *text, int n, const double *losses, double *out)
{
    crd_context *ctx = testing_context();
    crdi_optimiser *o;
    const double g = -1;
    assert_ok(ctx, crdi_optimiser_create(ctx, text, 1, NULL, 0, &o));
    for (int t = 0; t < n; t++) {
        out[t] = 0;
        crdi_optimiser_update(o, &g, &out[t], losses ? losses[t] : NAN);
    }
    crdi_optimiser_destroy(&o);
    testing_context_destroy(&ctx);
}

static void schedules_have_their_values(void **state)
{
    (void)state;
    const double pi = acos(-1.0);
    double rate[12];
    rates_of("sgd:exponential(2,4,0.25)", 12, NULL, rate);
    for (int t = 0; t < 12; t++)
        assert_close(rate[t], 2 * pow(0.5, t / 2.0), 1e-14, 0);
    rates_of("sgd:exponential(2,10,0.25)", 12, NULL, rate);
    for (int t = 0; t < 12; t++)
        assert_close(rate[t], 2 * pow(0.25, t / 10.0), 1e-7, 0); /* the exponent is in single precision */
    rates_of("sgd:cosine(3,8,0.1)", 12, NULL, rate);
    for (int t = 0; t < 12; t++)
        assert_close(rate[t], 3 * (0.1 + 0.9 * 0.5 * (1 + cos(pi * fmin(t, 8) / 8))), 1e-14, 0);
    rates_of("sgd:linear(3,8,0.1)", 12, NULL, rate);
    for (int t = 0; t < 12; t++)
        assert_close(rate[t], 3 * (1 - 0.9 * fmin(t, 8) / 8), 1e-15, 0);
    rates_of("sgd:warmup(2,4)", 12, NULL, rate);
    for (int t = 0; t < 12; t++)
        assert_close(rate[t], fmin(0.5 * t, 2), 1e-15, 0);
    rates_of("sgd:warmup_cosine(2,4,6)", 12, NULL, rate);
    for (int t = 0; t < 12; t++)
        assert_close(rate[t], t < 4 ? 0.5 * t : 1 + cos(pi * fmin(t - 4, 6) / 6), 1e-14, 1e-15);
    rates_of("sgd:piecewise(8,3,0.5,5,0.25)", 12, NULL, rate);
    for (int t = 0; t < 12; t++)
        assert_true(rate[t] == (t < 3 ? 8 : t < 5 ? 4 : 1));
}

static void plateau_reduces_when_the_loss_stays(void **state)
{
    (void)state;
    double rate[12];
    /* Patience 2, windows of 1: better, better, worse, worse -> halved, cooling, worse, worse -> halved; and so on to
     * the least. The loss is negative: an improvement is relative to its size. */
    const double losses[] = {-1, -2, -2, -2.0001, -1, -1, -1, -1, -1, -1, -3, -3};
    const double expected[] = {8, 8, 8, 4, 4, 4, 2, 2, 2, 2, 2, 2};
    rates_of("sgd:plateau(8,0.5,2,1,1e-3,1,0.25)", 12, losses, rate);
    assert_memory_equal(rate, expected, sizeof rate);
    /* Windows of 3, patience 1: the means are 2, 1, 1, 0.5. */
    const double means[] = {1, 2, 3, 0, 0, 3, 2, 1, 0, 0.5, 0.5, 0.5};
    const double halved[] = {8, 8, 8, 8, 8, 8, 8, 8, 4, 4, 4, 4};
    rates_of("sgd:plateau(8,0.5,1,3)", 12, means, rate);
    assert_memory_equal(rate, halved, sizeof rate);
    rates_of("sgd:plateau(8,0.5,1)", 12, NULL, rate); /* no loss: nothing to watch */
    assert_true(rate[11] == 8);
}

/* ---- errors ------------------------------------------------------------------------------------------------- */

static void wrong_text_is_refused_with_the_right_form(void **state)
{
    static const struct {
        const char *text;
        crd_status status;
        const char *message; /* a part of it */
    } cases[] = {
        {"addam:0.1", CRD_ENAME, "unknown optimiser 'addam'; did you mean 'adam'?"},
        {"adam:cosin(0.1,5)", CRD_ENAME, "unknown schedule 'cosin'; did you mean 'cosine'?"},
        {"adam:0.1:b3=0.9", CRD_ENAME, "unknown parameter 'b3'"},
        {"", CRD_EINVAL, "an optimiser is missing at the end"},
        {"adam:0.1,", CRD_EINVAL, "an optimiser is missing at the end"},
        {",adam:0.1", CRD_EINVAL, "an optimiser is missing before ',adam:0.1'"},
        {"adam:", CRD_EINVAL, "an argument is missing"},
        {"adam:x", CRD_EINVAL, "adam: 'x' is not a number"},
        {"adam:-0.1", CRD_EINVAL,
         "rate is -0.1; it must be above 0; write adam[:rate][:b1=0.9][:b2=0.999][:eps=1e-08]"},
        {"adam:inf", CRD_EINVAL, "rate is inf"},
        {"adam:0.1:1", CRD_EINVAL, "b1 is 1; it must be 0 or more and below 1"},
        {"adam:0.1:b1=0.5:0.9", CRD_EINVAL, "without a name follows"},
        {"adam:0.1:rate=0.5", CRD_EINVAL, "rate is given twice"},
        {"adam:0.1:0.9:0.9:1:1", CRD_EINVAL, "more than 4 arguments are given"},
        {"sgd:0.1:0.9", CRD_EINVAL, "more than 1 argument is given"},
        {"adam:0.1:cosine(0.9,3)", CRD_EINVAL, "b1 must be a number, no schedule"},
        {"adam:0.1)", CRD_EINVAL, "unexpected ')'"},
        {"clip_by_value,adam:0.1", CRD_EINVAL, "clip_by_value: limit is missing; write clip_by_value:limit"},
        {"clip_by_norm:cosine(1,2),adam:0.1", CRD_EINVAL, "limit must be a number"},
        {"weight_decay:-1,adam:0.1", CRD_EINVAL, "weight is -1; it must be 0 or more"},
        {"adam:cosine", CRD_EINVAL, "cosine: its arguments are missing; write cosine(value,steps[,alpha=0])"},
        {"adam:cosine()", CRD_EINVAL, "value is missing"},
        {"adam:cosine(0.1)", CRD_EINVAL, "steps is missing"},
        {"adam:cosine(0.1,25", CRD_EINVAL, "')' is missing"},
        {"adam:cosine(0.1,2.5)", CRD_EINVAL, "steps is 2.5; it must be a whole number"},
        {"adam:cosine(-0.1,25)", CRD_EINVAL, "value is -0.1; it must be above 0"},
        {"adam:cosine(0.1,25,0,1)", CRD_EINVAL, "4 arguments are given"},
        {"sgd:piecewise(0.1,5)", CRD_EINVAL, "factor is missing"},
        {"sgd:piecewise(0.1,5,0.1,6)", CRD_EINVAL, "4 arguments are given"},
        {"sgd:piecewise(0.1,5,0.1,6,-1)", CRD_EINVAL, "factor is -1"},
        {"adam", CRD_EINVAL, "no rate is given; give one optimiser a rate ('adam:0.01')"},
        {"adam,scale:0.1", CRD_EINVAL, "uphill"},
        {"adam:0.1,scale:-1", CRD_EINVAL, "uphill"},
        {"sgd:0.1,sgd:0.1", CRD_EINVAL, "uphill"},
        {"scale:0", CRD_EINVAL, "factor is 0; it must be other than 0"},
        {"sgd,sgd,sgd,sgd,sgd,sgd:0.1", CRD_OK, ""},
        {"adam,adam,adam,adam,adam,adam,adam,adam,adam,adam,adam,adam,adam,adam,adam,adam:0.1", CRD_EINVAL,
         "a chain of more than 16"},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", CRD_EINVAL, "too long"},
    };
    (void)state;
    crd_context *ctx = testing_context();
    for (int i = 0; i < CRDI_COUNT(cases); i++) {
        crdi_optimiser *o = NULL;
        crd_status status = crdi_optimiser_create(ctx, cases[i].text, 2, NULL, 0, &o);
        if (status != cases[i].status || !strstr(crd_error_message(ctx), cases[i].message))
            fail_msg("%s: %s: %s; expected: %s", cases[i].text, crd_status_name(status), crd_error_message(ctx),
                     cases[i].message);
        if (status != CRD_OK) {
            assert_non_null(strstr(crd_error_message(ctx), "optimiser '"));
            assert_null(o);
        }
        crd_error_clear(ctx);
        assert_int_equal(crdi_optimiser_check(ctx, cases[i].text), status);
        crd_error_clear(ctx);
        crdi_optimiser_destroy(&o);
    }
    testing_context_destroy(&ctx);
}

static void blocks_must_add_up(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crdi_optimiser *o = NULL;
    const int64_t few[] = {2, 1}, many[] = {2, 3}, negative[] = {5, -1};
    assert_int_equal(crdi_optimiser_create(ctx, "sgd:1", 4, few, 2, &o), CRD_ESHAPE);
    assert_int_equal(crdi_optimiser_create(ctx, "sgd:1", 4, many, 2, &o), CRD_ESHAPE);
    assert_int_equal(crdi_optimiser_create(ctx, "sgd:1", 4, negative, 2, &o), CRD_ESHAPE);
    assert_int_equal(crdi_optimiser_create(ctx, "sgd:1", 0, NULL, 0, &o), CRD_ESHAPE);
    assert_null(o);
    testing_context_destroy(&ctx);
}

/* ---- state -------------------------------------------------------------------------------------------------- */

static void a_state_of_another_chain_is_refused(void **state)
{
    (void)state;
    static const char *const others[] = {"adabelief:0.1", "adam:cosine(0.1,5)", "sgd:0.1", "adam,adam:0.1"};
    crd_context *ctx = testing_context();
    crdi_optimiser *o, *other;
    unsigned char bytes[512];
    const double g[2] = {1, 2};
    double x[2] = {0, 0}, y[2] = {0, 0};
    assert_ok(ctx, crdi_optimiser_create(ctx, "adam:0.1", 2, NULL, 0, &o));
    size_t size = crdi_optimiser_state_size(o);
    assert_true(size <= sizeof bytes);
    crdi_optimiser_update(o, g, x, NAN);
    crdi_optimiser_save(o, bytes);
    for (int i = 0; i < CRDI_COUNT(others); i++) {
        assert_ok(ctx, crdi_optimiser_create(ctx, others[i], 2, NULL, 0, &other));
        assert_int_equal(crdi_optimiser_load(other, bytes, size), CRD_EDAMAGED);
        crd_error_clear(ctx);
        crdi_optimiser_destroy(&other);
    }
    assert_int_equal(crdi_optimiser_load(o, bytes, size - 1), CRD_EDAMAGED);
    crd_error_clear(ctx);
    /* A smaller rate continues: the second step is that of the first chain, scaled. */
    assert_ok(ctx, crdi_optimiser_create(ctx, "adam:0.05", 2, NULL, 0, &other));
    assert_ok(ctx, crdi_optimiser_load(other, bytes, size));
    x[0] = x[1] = 0;
    crdi_optimiser_update(o, g, x, NAN);
    crdi_optimiser_update(other, g, y, NAN);
    assert_close(y[0], x[0] / 2, 1e-15, 0);
    crdi_optimiser_destroy(&other);
    crdi_optimiser_destroy(&o);
    testing_context_destroy(&ctx);
}

static void failed_allocations_leave_nothing_behind(void **state)
{
    (void)state;
    for (int k = 1;; k++) {
        crd_context *ctx = testing_context();
        crdi_optimiser *o = NULL;
        testing_fail_allocation(k);
        crd_status status = crdi_optimiser_create(ctx, "clipped_adam:cosine(0.1,5)", 3, NULL, 0, &o);
        testing_fail_allocation(0);
        assert_true((status == CRD_OK) == (o != NULL));
        if (status != CRD_OK)
            assert_int_equal(status, CRD_ENOMEM);
        crdi_optimiser_destroy(&o);
        testing_context_destroy(&ctx);
        if (status == CRD_OK)
            break;
        assert_true(k < 20);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_are_those_of_optax),
        cmocka_unit_test(gradients_are_clipped),
        cmocka_unit_test(norms_neither_overflow_nor_vanish),
        cmocka_unit_test(adabelief_is_that_of_the_paper),
        cmocka_unit_test(schedules_have_their_values),
        cmocka_unit_test(plateau_reduces_when_the_loss_stays),
        cmocka_unit_test(wrong_text_is_refused_with_the_right_form),
        cmocka_unit_test(blocks_must_add_up),
        cmocka_unit_test(a_state_of_another_chain_is_refused),
        cmocka_unit_test(failed_allocations_leave_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
