/* test_vmath.c - the elementary functions on every usable instruction set, against tests/data/vmath.json.
 *
 * The table (tools/make_vmath_reference.py, mpmath at 50 digits, seed 20240229) holds each value as a double and what is
 * left of it, so that errors of a fraction of an ulp count. The bounds are those of docs/dev/kernels.md. */
#include "kernel/kernel.h"
#include "testing.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct bound {
    const char *name;
    enum crdi_kernel kernel;
    double ulp; /* largest error in ulp; 0: by the next two */
    double relative;
    double absolute; /* near a root */
} bound;

static const bound bounds[] = {
    {"exp", CRDI_K_exp, 1, 0, 0},
    {"expm1", CRDI_K_expm1, 2, 0, 0},
    {"log", CRDI_K_log, 1, 0, 0},
    {"log1p", CRDI_K_log1p, 1, 0, 0},
    {"tanh", CRDI_K_tanh, 2, 0, 0},
    {"sigmoid", CRDI_K_sigmoid, 2, 0, 0},
    {"softplus", CRDI_K_softplus, 2, 0, 0},
    {"erf", CRDI_K_erf, 1.5, 0, 0},
    {"erfinv", CRDI_K_erfinv, 3, 0, 0},
    {"sin", CRDI_K_sin, 2, 0, 0},
    {"cos", CRDI_K_cos, 2, 0, 0},
    {"atan", CRDI_K_atan, 1.5, 0, 0},
    {"pow", CRDI_K_pow_vv, 1.5, 0, 0},
    {"lgamma", CRDI_K_lgamma, 0, 1e-15, 2e-15},
    {"digamma", CRDI_K_digamma, 0, 1e-15, 4e-15},
    {"trigamma", CRDI_K_trigamma, 0, 2e-15, 0},
};

/* 1 where y is right: the error of y against high + low is within b. A zero at 0 keeps its sign. */
static int is_right(const bound *b, double x, double y, double high, double low, double *error)
{
    *error = 0;
    if (isnan(high) || isinf(high))
        return isnan(high) ? isnan(y) : y == high;
    if (high == 0 && x == 0)
        return y == 0 && signbit(y) == signbit(high);
    *error = fabs((y - high) - low);
    if (b->ulp == 0) {
        int right = *error <= b->relative * fabs(high) + b->absolute;
        *error /= fmax(1, fabs(high));
        return right;
    }
    *error /= nextafter(fabs(high), INFINITY) - fabs(high);
    return *error <= b->ulp;
}

static void check(const crdi_kernel_table *table, const bound *b, const json_t *rows)
{
    int64_t n = (int64_t)json_array_size(rows), arguments = b->kernel == CRDI_K_pow_vv ? 2 : 1;
    double *x = malloc((size_t)n * 5 * sizeof *x), *other = x + n, *y = x + 2 * n, *high = x + 3 * n, *low = x + 4 * n;
    double worst = 0;
    assert_non_null(x);
    for (int64_t i = 0; i < n; i++) {
        const json_t *row = json_array_get(rows, (size_t)i);
        assert_int_equal(json_array_size(row), arguments + 2);
        x[i] = testing_number(json_array_get(row, 0));
        other[i] = testing_number(json_array_get(row, (size_t)arguments - 1));
        high[i] = testing_number(json_array_get(row, (size_t)arguments));
        low[i] = testing_number(json_array_get(row, (size_t)arguments + 1));
    }
    crdi_call call = {.out = y, .in = {x, other}, .n = {n, 1}};
    table->kernel[b->kernel](&call);
    for (int64_t i = 0; i < n; i++) {
        double error;
        if (!is_right(b, x[i], y[i], high[i], low[i], &error))
            fail_msg("%s: %s(%a, %a) is %.17g (%a), not %.17g: error %g", table->name, b->name, x[i], other[i], y[i],
                     y[i], high[i], error);
        worst = fmax(worst, error);
    }
    print_message("%s: %-8s %4lld points, largest error %.3g\n", table->name, b->name, (long long)n, worst);
    free(x);
}

static void functions_are_as_accurate_as_stated(void **state)
{
    (void)state;
    json_t *reference = testing_json("vmath.json");
    assert_int_equal(json_object_size(reference), sizeof bounds / sizeof *bounds);
    for (int t = 0; t < crdi_kernels_count(); t++)
        for (size_t i = 0; crdi_kernels_usable(crdi_kernels_get(t)) && i < sizeof bounds / sizeof *bounds; i++) {
            const json_t *rows = json_object_get(reference, bounds[i].name);
            assert_true(json_array_size(rows) > 100);
            check(crdi_kernels_get(t), &bounds[i], rows);
        }
    json_decref(reference);
}

/* Runs a kernel of the best table on one pair of numbers. */
static double one(enum crdi_kernel kernel, double a, double b)
{
    double y = 0;
    crdi_call call = {.out = &y, .in = {&a, &b}, .n = {1, 1}};
    for (int t = 0; t < crdi_kernels_count(); t++)
        if (crdi_kernels_usable(crdi_kernels_get(t))) {
            crdi_kernels_get(t)->kernel[kernel](&call);
            break;
        }
    return y;
}

static void maxima_signs_and_relu_keep_nan(void **state)
{
    (void)state;
    assert_true(isnan(one(CRDI_K_max_vv, NAN, 1)) && isnan(one(CRDI_K_max_vv, 1, NAN)));
    assert_true(isnan(one(CRDI_K_min_vv, NAN, 1)) && isnan(one(CRDI_K_min_vv, 1, NAN)));
    assert_true(one(CRDI_K_max_vv, -INFINITY, 3) == 3 && one(CRDI_K_min_vv, -INFINITY, 3) == -INFINITY);
    assert_true(one(CRDI_K_max_vv, 2, 3) == 3 && one(CRDI_K_max_vv, 3, 2) == 3);
    assert_true(one(CRDI_K_min_vv, 2, 3) == 2 && one(CRDI_K_min_vv, 3, 2) == 2);
    assert_true(isnan(one(CRDI_K_relu, NAN, 0)) && one(CRDI_K_relu, -2, 0) == 0 && one(CRDI_K_relu, 2.5, 0) == 2.5);
    assert_true(isnan(one(CRDI_K_sign, NAN, 0)) && one(CRDI_K_sign, -1e-320, 0) == -1 && one(CRDI_K_sign, 7, 0) == 1);
    assert_true(one(CRDI_K_sign, 0, 0) == 0 && isnan(one(CRDI_K_heaviside, NAN, 0)));
    assert_true(one(CRDI_K_heaviside, 0, 0) == 0 && one(CRDI_K_heaviside, 1e-320, 0) == 1);
    assert_true(one(CRDI_K_heaviside, -1, 0) == 0 && one(CRDI_K_less_vv, NAN, 1) == 0 &&
                one(CRDI_K_less_vv, 0, 1) == 1);
    assert_true(one(CRDI_K_tanh_vjp_vv, 3, 0.5) == 3 * 0.75 && one(CRDI_K_sigmoid_vjp_vv, 3, 0.25) == 3 * 0.1875);
    assert_true(one(CRDI_K_relu_vjp_vv, 3, 2) == 3 && one(CRDI_K_relu_vjp_vv, 3, 0) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_are_as_accurate_as_stated),
        cmocka_unit_test(maxima_signs_and_relu_keep_nan),
    };
    return cmocka_run_group_tests_name("vmath", tests, NULL, NULL);
}
