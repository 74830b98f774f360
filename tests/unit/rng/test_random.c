/* test_random.c - keys and arrays of variates against JAX (tests/data/random_bits.json), both orders, four seeds. */
#include "testing.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { LONGEST = 16 };

/* Calls check(key, case) for every seed of every order. */
static void for_each_case(void (*check)(crd_key key, const json_t *row))
{
    static const char *const name[] = {"partitionable", "original"};
    json_t *file = testing_json("random_bits.json");
    for (int order = 0; order < 2; order++) {
        const json_t *rows = json_object_get(file, name[order]);
        assert_int_equal(json_array_size(rows), 4);
        for (size_t i = 0; i < json_array_size(rows); i++) {
            const json_t *row = json_array_get(rows, i);
            crd_key key = crd_key_make((uint64_t)json_integer_value(json_object_get(row, "seed")));
            check(crd_key_with_order(key, order ? CRD_ORDER_ORIGINAL : CRD_ORDER_PARTITIONABLE), row);
        }
    }
    json_decref(file);
}

static int64_t expected(const json_t *row, const char *name, double *out)
{
    const json_t *value = json_object_get(row, name);
    assert_non_null(value);
    assert_true(testing_numbers(value, NULL) <= LONGEST);
    return testing_numbers(value, out);
}

static void check_equal(const json_t *row, const char *name, const double *got, int64_t n)
{
    double want[LONGEST];
    assert_int_equal(expected(row, name, want), n);
    for (int64_t i = 0; i < n; i++)
        if (got[i] != want[i])
            fail_msg("%s[%d] is %.17g, expected %.17g", name, (int)i, got[i], want[i]);
}

static void check_close(const json_t *row, const char *name, const double *got, int64_t n)
{
    double want[LONGEST];
    assert_int_equal(expected(row, name, want), n);
    for (int64_t i = 0; i < n; i++)
        testing_close(got[i], want[i], 1e-13, 0, name, __FILE__, __LINE__);
}

static void check_keys(crd_key key, const json_t *row)
{
    crd_key split[3], folded = crd_key_fold_in(key, 5);
    crd_key_split(key, 3, split);
    double words[6];
    for (int i = 0; i < 6; i++)
        words[i] = split[i / 2].word[i % 2];
    check_equal(row, "key", (double[]){key.word[0], key.word[1]}, 2);
    check_equal(row, "split3", words, 6);
    check_equal(row, "fold_in_5", (double[]){folded.word[0], folded.word[1]}, 2);
    assert_int_equal(split[2].order, key.order);
    assert_int_equal(folded.order, key.order);
}

static void check_bits(crd_key key, const json_t *row)
{
    uint32_t small[7];
    uint64_t large[5];
    double values[7];
    crd_random_bits_u32(key, 7, small);
    crd_random_bits_u64(key, 5, large);
    for (int i = 0; i < 7; i++)
        values[i] = small[i];
    check_equal(row, "bits_u32_7", values, 7);
    const json_t *want = json_object_get(row, "bits_u64_5");
    for (size_t i = 0; i < 5; i++)
        assert_true(large[i] == strtoull(json_string_value(json_array_get(want, i)), NULL, 10));
}

static void check_uniforms(crd_key key, const json_t *row)
{
    double value[8];
    float single[7];
    crd_random_uniform(key, 7, value);
    check_equal(row, "uniform_f64_7", value, 7);
    crd_random_uniform_f32(key, 7, single);
    for (int i = 0; i < 7; i++)
        value[i] = single[i];
    check_equal(row, "uniform_f32_7", value, 7);
    crd_random_bernoulli(key, 0.3, 8, value);
    check_equal(row, "bernoulli_0.3_8", value, 8);
}

static void check_transformed(crd_key key, const json_t *row)
{
    double value[7];
    crd_random_normal(key, 7, value);
    check_close(row, "normal_f64_7", value, 7);
    crd_random_normal(key, 6, value);
    check_close(row, "normal_f64_2x3", value, 6);
    crd_random_exponential(key, 5, value);
    check_close(row, "exponential_f64_5", value, 5);
    crd_random_cauchy(key, 5, value);
    check_close(row, "cauchy_f64_5", value, 5);
    crd_random_gumbel(key, 5, value);
    check_close(row, "gumbel_f64_5", value, 5);
}

/* 54 of the 56 are equal and two are off by one unit, where JAX's own log1p is not the nearest single. */
static void check_single_normals(crd_key key, const json_t *row)
{
    double want[LONGEST];
    float value[7];
    crd_random_normal_f32(key, 7, value);
    assert_int_equal(expected(row, "normal_f32_7", want), 7);
    for (int i = 0; i < 7; i++)
        assert_true(testing_ulp_single(value[i], (float)want[i]) <= 1);
}

static void check_integers(crd_key key, const json_t *row)
{
    static const double probability[3] = {0.2, 0.5, 0.3};
    double value[10], logits[3];
    int64_t number[10];
    crd_random_integers(key, 0, 10, 8, number);
    for (int i = 0; i < 8; i++)
        value[i] = (double)number[i];
    check_equal(row, "randint_0_10_8", value, 8);
    for (int i = 0; i < 3; i++)
        logits[i] = log(probability[i]);
    crd_random_categorical(key, logits, 3, 8, number);
    for (int i = 0; i < 8; i++)
        value[i] = (double)number[i];
    check_equal(row, "categorical_logits", value, 8);
    crd_context *ctx = testing_context();
    assert_ok(ctx, crd_random_permutation(ctx, key, 10, number));
    testing_context_destroy(&ctx);
    for (int i = 0; i < 10; i++)
        value[i] = (double)number[i];
    check_equal(row, "permutation_10", value, 10);
}

#define CASES(test, check)                                                                                             \
    static void test(void **state)                                                                                     \
    {                                                                                                                  \
        (void)state;                                                                                                   \
        for_each_case(check);                                                                                          \
    }
CASES(keys_are_those_of_jax, check_keys)
CASES(bits_are_those_of_jax, check_bits)
CASES(uniforms_are_those_of_jax, check_uniforms)
CASES(transformed_variates_are_those_of_jax, check_transformed)
CASES(single_normals_are_those_of_jax, check_single_normals)
CASES(integers_categories_and_permutations_are_those_of_jax, check_integers)

/* The tutorial's data, as its program draws them: in single precision and the original order. Its sort runs along an
 * axis of length 1 and moves nothing. */
static void draw_tutorial(float *x, float *y, int n)
{
    crd_key key = crd_key_with_order(crd_key_make(0), CRD_ORDER_ORIGINAL), part[2];
    float noise[64];
    crd_random_uniform_between_f32(key, -1, 1, n, x);
    crd_key_split(key, 2, part);
    crd_random_normal_f32(part[0], n, noise);
    for (int i = 0; i < n; i++)
        y[i] = x[i] * sinf(5 * x[i]) + 0.1f * noise[i];
}

static void the_tutorial_s_data_come_out(void **state)
{
    (void)state;
    float x[40], y[40], want_x, want_y;
    draw_tutorial(x, y, 40);
    FILE *file = fopen(TEST_DATA "/regression.csv", "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "x,y "), 0);
    double furthest = 0;
    for (int i = 0; i < 40; i++) {
        assert_int_equal(fscanf(file, "%f,%f ", &want_x, &want_y), 2);
        assert_true(x[i] == want_x);
        furthest = fmax(furthest, testing_ulp_single(y[i], want_y));
    }
    fclose(file);
    print_message("the tutorial's y: %g ulp at most\n", furthest);
    assert_true(furthest <= 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_those_of_jax),
        cmocka_unit_test(bits_are_those_of_jax),
        cmocka_unit_test(uniforms_are_those_of_jax),
        cmocka_unit_test(transformed_variates_are_those_of_jax),
        cmocka_unit_test(single_normals_are_those_of_jax),
        cmocka_unit_test(integers_categories_and_permutations_are_those_of_jax),
        cmocka_unit_test(the_tutorial_s_data_come_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
