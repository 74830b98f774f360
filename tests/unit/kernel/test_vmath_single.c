/* test_vmath_single.c - the elementary functions of floats on every usable instruction set, against those of doubles (which
 * test_vmath.c tests), on every 4099th float. The bounds are those of docs/dev/kernels.md, where all floats were tried. */
#include "kernel/kernel.h"
#include "testing.h"

#include <math.h>
#include <string.h>

enum { CHUNK = 4096 };

static const struct bound {
    const char *name;
    enum crdi_kernel kernel;
    double ulp; /* of the exact result */
} bounds[] = {
    {"exp", CRDI_K_exp, 1},
    {"expm1", CRDI_K_expm1, 2},
    {"log", CRDI_K_log, 1},
    {"log1p", CRDI_K_log1p, 1},
    {"tanh", CRDI_K_tanh, 2.5},
    {"sigmoid", CRDI_K_sigmoid, 2.5},
    {"softplus", CRDI_K_softplus, 2.5},
    {"erf", CRDI_K_erf, 2},
    {"erfinv", CRDI_K_erfinv, 0.51},
    {"sin", CRDI_K_sin, 0.51},
    {"cos", CRDI_K_cos, 0.51},
    {"atan", CRDI_K_atan, 0.51},
};

/* 1 where y is right: NaN where it should be one, infinite where rounding makes it so, with the sign of zero. */
static int is_right(const struct bound *b, float y, double exact, double *error)
{
    int power;
    *error = 0;
    if (isnan(exact) || isinf((float)exact))
        return isnan(exact) ? isnan(y) : y == (float)exact;
    if ((float)exact == 0 && !signbit(y) != !signbit(exact))
        return 0;
    (void)frexp(exact, &power);
    *error = fabs((double)y - exact) / (fabs(exact) < 0x1p-126 ? 0x1p-149 : ldexp(1, power - 24));
    return *error <= b->ulp;
}

/* Floats are bit patterns of 32 bits: every `step`th. */
static void check(const crdi_kernel_table *table, const struct bound *b, uint64_t step)
{
    static float x[CHUNK], y[CHUNK];
    static double wide[CHUNK], exact[CHUNK];
    double worst = 0, error;
    for (uint64_t first = 0; first < UINT64_C(1) << 32; first += step * CHUNK) {
        for (uint64_t i = 0; i < CHUNK; i++) {
            uint32_t bits = (uint32_t)(first + i * step);
            memcpy(&x[i], &bits, sizeof bits);
            wide[i] = (double)x[i];
        }
        crdi_call of_floats = {.out_single = y, .in_single = {x}, .n = {CHUNK}};
        crdi_call of_doubles = {.out = exact, .in = {wide}, .n = {CHUNK}};
        table->single[b->kernel](&of_floats);
        table->kernel[b->kernel](&of_doubles);
        for (int i = 0; i < CHUNK; i++) {
            if (!is_right(b, y[i], exact[i], &error))
                fail_msg("%s: %s(%a) is %a, not %a: error %g", table->name, b->name, (double)x[i], (double)y[i],
                         exact[i], error);
            worst = fmax(worst, error);
        }
    }
    print_message("%s: %-8s largest error %.3g\n", table->name, b->name, worst);
}

static void functions_of_floats_are_as_accurate_as_stated(void **state)
{
    (void)state;
    for (int t = 0; t < crdi_kernels_count(); t++)
        for (size_t i = 0; crdi_kernels_usable(crdi_kernels_get(t)) && i < sizeof bounds / sizeof *bounds; i++)
            check(crdi_kernels_get(t), &bounds[i], crdi_kernels_get(t) == &crdi_kernels_portable ? 131071 : 4099);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(functions_of_floats_are_as_accurate_as_stated)};
    return cmocka_run_group_tests_name("vmath_single", tests, NULL, NULL);
}
