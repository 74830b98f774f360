/* test_keys.c - the block function, the orders of counters, permutations, streams: what holds without a reference. */
#include "rng/erfinv.h"
#include "rng/stream.h"
#include "rng/erfinv.h"
#include "rng/threefry.h"
#include "testing.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Known answers of threefry2x32 with 20 rounds, as Salmon et al. publish them with Random123 (kat_vectors). */
static void the_block_function_gives_the_published_answers(void **state)
{
    (void)state;
    static const uint32_t known[3][6] = {
        {0, 0, 0, 0, 0x6b200159, 0x99ba4efe},
        {0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0x1cb996fc, 0xbb002be7},
        {0x13198a2e, 0x03707344, 0x243f6a88, 0x85a308d3, 0xc4923a9c, 0x483df7a0},
    };
    for (int i = 0; i < 3; i++) {
        uint32_t out[2];
        crdi_threefry(known[i], known[i][2], known[i][3], out);
        assert_int_equal(out[0], known[i][4]);
        assert_int_equal(out[1], known[i][5]);
    }
}

static void all_instruction_sets_give_the_same_bits(void **state)
{
    (void)state;
    const uint32_t key[2] = {0x13198a2e, 0x03707344};
    int ways = 0;
    for (crdi_lanes_fn lanes; (lanes = crdi_threefry_lanes(ways)) != NULL; ways++) {
        uint32_t high[CRDI_BLOCK], low[CRDI_BLOCK], want[2];
        for (uint32_t i = 0; i < CRDI_BLOCK; i++) {
            high[i] = 7 * i;
            low[i] = 0xfffffff0U + i;
        }
        lanes(key, high, low);
        for (uint32_t i = 0; i < CRDI_BLOCK; i++) {
            crdi_threefry(key, 7 * i, 0xfffffff0U + i, want);
            assert_int_equal(high[i], want[0]);
            assert_int_equal(low[i], want[1]);
        }
    }
    assert_true(ways >= 1);
}

static void erfinv_has_the_same_bits_on_all_instruction_sets(void **state)
{
    (void)state;
    int ways = 0;
    for (crdi_erfinv_fn lanes; (lanes = crdi_erfinv_lanes(ways)) != NULL; ways++)
        for (int block = 0; block < 200; block++) {
            double x[CRDI_ERFINV_BLOCK], want[CRDI_ERFINV_BLOCK];
            crd_random_uniform_between(crd_key_make((uint64_t)block), -1, 1, CRDI_ERFINV_BLOCK, x);
            x[0] = 1 - 1e-9 * (block + 1); /* the tails */
            x[1] = -1 + 1e-15 * (block + 1);
            for (int i = 0; i < CRDI_ERFINV_BLOCK; i++)
                want[i] = crdi_erfinv(x[i]);
            lanes(x, 1 + block % CRDI_ERFINV_BLOCK);
            assert_memory_equal(x, want, sizeof(double) * (size_t)(1 + block % CRDI_ERFINV_BLOCK));
        }
    assert_true(ways >= 1);
}

static void elements_do_not_depend_on_the_length(void **state)
{
    (void)state;
    enum { N = 100 };
    crd_key key = crd_key_make(11), split[N], fewer[N];
    double whole[N], part[N];
    float whole_single[N], part_single[N];
    crd_random_normal(key, N, whole);
    crd_random_normal_f32(key, N, whole_single);
    crd_key_split(key, N, split);
    for (int n = 0; n <= N; n++) {
        part[n % N] = part_single[n % N] = -100;
        crd_random_normal(key, n, part);
        crd_random_normal_f32(key, n, part_single);
        crd_key_split(key, n, fewer);
        for (int i = 0; i < n; i++) {
            assert_true(part[i] == whole[i] && part_single[i] == whole_single[i]);
            assert_memory_equal(fewer[i].word, split[i].word, sizeof split[i].word);
        }
        if (n < N)
            assert_true(part[n] == -100 && part_single[n] == -100);
    }
    key = crd_key_with_order(key, CRD_ORDER_ORIGINAL);
    crd_random_normal(key, N, whole);
    crd_random_normal(key, N - 1, part);
    assert_true(part[0] != whole[0]);
}

/* The original order over more than one block, against its definition: halves of the counters, a zero behind an odd
 * number of them. */
static void the_original_order_pairs_the_halves(void **state)
{
    (void)state;
    crd_key key = crd_key_with_order(crd_key_make(3), CRD_ORDER_ORIGINAL);
    for (uint32_t n = 1; n <= 131; n += 13) {
        uint32_t word[131], pair[2], half = (n + 1) / 2;
        crd_random_bits_u32(key, n, word);
        for (uint32_t i = 0; i < half; i++) {
            crdi_threefry(key.word, i, half + i < n ? half + i : 0, pair);
            assert_int_equal(word[i], pair[0]);
            if (half + i < n)
                assert_int_equal(word[half + i], pair[1]);
        }
    }
}

static void counters_go_on_above_32_bits(void **state)
{
    (void)state;
    crd_key key = crd_key_make(5);
    uint64_t element[4];
    uint32_t word[4], pair[2];
    crdi_block_u64(key, INT64_MAX, 0xfffffffe, 4, element);
    crdi_block_u32(key, INT64_MAX, 0xfffffffe, 4, word);
    for (int i = 0; i < 4; i++) {
        crdi_threefry(key.word, i >= 2, i >= 2 ? (uint32_t)i - 2 : 0xfffffffeU + (uint32_t)i, pair);
        assert_true(element[i] == ((uint64_t)pair[0] << 32 | pair[1]));
        assert_int_equal(word[i], pair[0] ^ pair[1]);
    }
}

static int compare_words(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Keys made by split and fold_in along three seeds, all of them and their seeds different: of 3 x 2001 random 64-bit
 * values two are equal with probability 1e-12. */
static void different_keys_differ(void **state)
{
    (void)state;
    enum { N = 1000, ALL = 3 * (2 * N + 1) };
    static uint64_t seen[ALL];
    static crd_key split[N];
    for (int seed = 0, count = 0; seed < 3; seed++) {
        crd_key key = crd_key_make((uint64_t)seed);
        seen[count++] = (uint64_t)key.word[0] << 32 | key.word[1];
        crd_key_split(key, N, split);
        for (uint32_t i = 0; i < N; i++) {
            crd_key folded = crd_key_fold_in(split[0], i);
            seen[count++] = (uint64_t)split[i].word[0] << 32 | split[i].word[1];
            seen[count++] = (uint64_t)folded.word[0] << 32 | folded.word[1];
        }
    }
    qsort(seen, ALL, sizeof seen[0], compare_words);
    for (int i = 1; i < ALL; i++)
        assert_true(seen[i] != seen[i - 1]);
}

/* The definition, with a comparison sort: by key, then by place. */
typedef struct sorted {
    uint32_t key;
    int32_t place;
    int64_t value;
} sorted;

static int compare_sorted(const void *a, const void *b)
{
    const sorted *x = a, *y = b;
    return x->key != y->key ? (x->key > y->key) - (x->key < y->key) : (x->place > y->place) - (x->place < y->place);
}

static void permute_plainly(crd_key key, int64_t n, int rounds, sorted *item)
{
    uint32_t bits[2000];
    for (int64_t i = 0; i < n; i++)
        item[i].value = i;
    while (rounds--) {
        crd_key next[2];
        crd_key_split(key, 2, next);
        key = next[0];
        crd_random_bits_u32(next[1], n, bits);
        for (int64_t i = 0; i < n; i++) {
            item[i].key = bits[i];
            item[i].place = (int32_t)i;
        }
        qsort(item, (size_t)n, sizeof *item, compare_sorted);
    }
}

static void permutations_follow_the_definition(void **state)
{
    (void)state;
    static const struct {
        int64_t n;
        int rounds;
    } grid[] = {{0, 0}, {1, 0}, {2, 1}, {33, 1}, {1625, 1}, {1626, 2}, {2000, 2}};
    static sorted want[2000];
    static int64_t got[2000];
    crd_context *ctx = testing_context();
    for (int order = 0; order < 2; order++) {
        crd_key key = crd_key_with_order(crd_key_make(9), order ? CRD_ORDER_ORIGINAL : CRD_ORDER_PARTITIONABLE);
        for (size_t g = 0; g < sizeof grid / sizeof grid[0]; g++) {
            permute_plainly(key, grid[g].n, grid[g].rounds, want);
            assert_ok(ctx, crd_random_permutation(ctx, key, grid[g].n, got));
            for (int64_t i = 0; i < grid[g].n; i++)
                assert_int_equal(got[i], want[i].value);
        }
    }
    testing_context_destroy(&ctx);
}

static void a_permutation_says_what_is_wrong(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    int64_t out[3] = {-7, -7, -7};
    assert_int_equal(crd_random_permutation(ctx, crd_key_make(0), -1, out), CRD_EINVAL);
    crd_error_clear(ctx);
    assert_int_equal(crd_random_permutation(ctx, crd_key_make(0), (INT64_C(1) << 32) + 1, out), CRD_EINVAL);
    assert_non_null(strstr(crd_error_message(ctx), "4294967297"));
    crd_error_clear(ctx);
    testing_fail_allocation(1);
    assert_int_equal(crd_random_permutation(ctx, crd_key_make(0), 3, out), CRD_ENOMEM);
    assert_int_equal(out[0], -7);
    testing_context_destroy(&ctx);
}

static void ranges_hold_at_their_ends(void **state)
{
    (void)state;
    enum { N = 200 };
    double value[N];
    int64_t number[N];
    crd_key key = crd_key_make(21);
    crd_random_uniform_between(key, 3, 3, N, value);
    for (int i = 0; i < N; i++)
        assert_true(value[i] == 3);
    crd_random_uniform_between(key, -1, 2, N, value);
    for (int i = 0; i < N; i++)
        assert_true(value[i] >= -1 && value[i] < 2);
    crd_random_integers(key, 5, 5, N, number);
    for (int i = 0; i < N; i++)
        assert_int_equal(number[i], 5);
    crd_random_integers(key, -3, 4, N, number);
    for (int i = 0; i < N; i++)
        assert_in_range(number[i] + 3, 0, 6);
    crd_random_integers(key, INT64_MIN, INT64_MAX, N, number);
    int negative = 0;
    for (int i = 0; i < N; i++)
        negative += number[i] < 0;
    assert_in_range(negative, N / 2 - 40, N / 2 + 40); /* 5.6 standard deviations */
}

/* Two words make a number of 128 bits; its remainder bit by bit. */
static void integers_are_remainders_of_128_bits(void **state)
{
    (void)state;
    enum { N = 70 };
    static const int64_t spans[] = {1, 2, 7, 1000003, 4294967291};
    uint64_t word[2][N];
    int64_t number[N];
    crd_key key = crd_key_make(8), part[2];
    crd_key_split(key, 2, part);
    for (int i = 0; i < 2; i++)
        crd_random_bits_u64(part[i], N, word[i]);
    for (int s = 0; s < 5; s++) {
        crd_random_integers(key, -11, spans[s] - 11, N, number);
        for (int i = 0; i < N; i++) {
            uint64_t rest = 0;
            for (int bit = 127; bit >= 0; bit--)
                rest = (2 * rest + (word[bit < 64][i] >> bit % 64 & 1)) % (uint64_t)spans[s];
            assert_true(number[i] == (int64_t)rest - 11);
        }
    }
}

/* erf(erfinv(x)) = x, from the smallest arguments to both ends of what a uniform can give. erfc for the tails: there
 * 1 - x, not x, carries the digits, and an error of y grows by d log erfc / d log y, about 2 y^2 (72 at the end). */
static void erfinv_inverts_erf(void **state)
{
    (void)state;
    for (int i = 1; i < 4000; i++) {
        double small = exp2(-60.0 * i / 4000), near_one = 1 - exp2(-53.0 * i / 4000);
        assert_close(erf(crdi_erfinv(small)), small, small < 0.9 ? 4e-16 * (1 + 4 * small) : 1e-14, 0);
        double y = crdi_erfinv(near_one);
        assert_close(erfc(y), 1 - near_one, 1e-15 * (1 + 2 * y * y), 0);
        assert_true(crdi_erfinv(-near_one) == -crdi_erfinv(near_one));
    }
    double block[CRDI_ERFINV_BLOCK];
    for (int i = 0; i < CRDI_ERFINV_BLOCK; i++)
        block[i] = 1 - exp2(-9 - 3.0 * i / CRDI_ERFINV_BLOCK); /* both sides of w = 6.25 */
    crdi_erfinv_block(block, CRDI_ERFINV_BLOCK);
    for (int i = 0; i < CRDI_ERFINV_BLOCK; i++)
        assert_true(block[i] == crdi_erfinv(1 - exp2(-9 - 3.0 * i / CRDI_ERFINV_BLOCK)));
}

static void a_stream_gives_the_elements_of_its_key(void **state)
{
    (void)state;
    enum { N = 100 };
    crd_key key = crd_key_make(77);
    double uniform[N], normal[N], exponential[N];
    crd_random_uniform(key, N, uniform);
    crd_random_normal(key, N, normal);
    crd_random_exponential(key, N, exponential);
    crdi_stream s, saved = {.position = 0};
    crdi_stream_init(&s, crd_key_with_order(key, CRD_ORDER_ORIGINAL));
    for (int i = 0; i < N; i++) {
        if (i == 45)
            memcpy(&saved, &s, sizeof s);
        double value = i % 3 == 0   ? crdi_stream_uniform(&s)
                       : i % 3 == 1 ? crdi_stream_normal(&s)
                                    : crdi_stream_exponential(&s);
        assert_true(value == (i % 3 == 0 ? uniform : i % 3 == 1 ? normal : exponential)[i]);
    }
    for (int i = 45; i < N; i++)
        assert_true(crdi_stream_uniform(&saved) == uniform[i]);
    for (int i = N - 1; i >= 0; i--) {
        crdi_stream_seek(&s, i);
        assert_true(crdi_stream_uniform(&s) == uniform[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_block_function_gives_the_published_answers),
        cmocka_unit_test(all_instruction_sets_give_the_same_bits),
        cmocka_unit_test(erfinv_has_the_same_bits_on_all_instruction_sets),
        cmocka_unit_test(elements_do_not_depend_on_the_length),
        cmocka_unit_test(the_original_order_pairs_the_halves),
        cmocka_unit_test(counters_go_on_above_32_bits),
        cmocka_unit_test(different_keys_differ),
        cmocka_unit_test(permutations_follow_the_definition),
        cmocka_unit_test(a_permutation_says_what_is_wrong),
        cmocka_unit_test(ranges_hold_at_their_ends),
        cmocka_unit_test(integers_are_remainders_of_128_bits),
        cmocka_unit_test(erfinv_inverts_erf),
        cmocka_unit_test(a_stream_gives_the_elements_of_its_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
