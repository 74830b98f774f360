/* threefry.c - the block function and the two orders of counters.
 *
 * Threefry-2x32 with 20 rounds: Salmon, Moraes, Dror, Shaw 2011 (doi:10.1145/2063384.2063405), section 3.3 and table 2.
 * The block function runs over CRDI_BLOCK counters in arrays, so that the compiler vectorises it; a block is always
 * made whole, and what is not asked for is dropped. It is built for each instruction set: on a processor with AVX-512
 * a word costs 1.2 ns, 4.1 ns without (gcc 12). All of it is integer arithmetic: the bits do not depend on the set.
 *
 * Orders. Partitionable: element i encrypts the counter i (its high and low 32 bits); 64-bit elements join the two
 * words, 32-bit elements xor them. Original: the counters 0, 1, .. of all words asked for, a zero behind them if their
 * number is odd, are cut in two halves, whose j-th entries are encrypted together; the first words fill the first half
 * of the result, the second words the second. A 64-bit element joins word i with word total + i, which one encryption
 * of (i, total + i) gives. */
#include "rng/threefry.h"

#include <string.h>

/* Four rounds with their rotations, and the key that is added after them. */
static inline __attribute__((always_inline)) void four_rounds(uint32_t *a, uint32_t *b, const int rotation[4],
                                                              uint32_t add_a, uint32_t add_b)
{
    for (int r = 0; r < 4; r++) {
        *a += *b;
        *b = (*b << rotation[r] | *b >> (32 - rotation[r])) ^ *a;
    }
    *a += add_a;
    *b += add_b;
}

static inline __attribute__((always_inline)) void encrypt(const uint32_t key[2], uint32_t *high, uint32_t *low)
{
    static const int even[4] = {13, 15, 26, 6}, odd[4] = {17, 29, 16, 24};
    uint32_t k0 = key[0], k1 = key[1], k2 = k0 ^ k1 ^ 0x1bd11bdaU, a = *high + k0, b = *low + k1;
    four_rounds(&a, &b, even, k1, k2 + 1);
    four_rounds(&a, &b, odd, k2, k0 + 2);
    four_rounds(&a, &b, even, k0, k1 + 3);
    four_rounds(&a, &b, odd, k1, k2 + 4);
    four_rounds(&a, &b, even, k2, k0 + 5);
    *high = a;
    *low = b;
}

void crdi_threefry(const uint32_t key[2], uint32_t high, uint32_t low, uint32_t out[2])
{
    encrypt(key, &high, &low);
    out[0] = high;
    out[1] = low;
}

/* The whole block; inlined into one function for each instruction set below. */
static inline __attribute__((always_inline)) void encrypt_lanes(const uint32_t key[2], uint32_t *restrict high,
                                                                uint32_t *restrict low)
{
    const uint32_t k[2] = {key[0], key[1]};
#pragma omp simd
    for (int i = 0; i < CRDI_BLOCK; i++) {
        uint32_t a = high[i], b = low[i];
        encrypt(k, &a, &b);
        high[i] = a;
        low[i] = b;
    }
}

static void encrypt_portable(const uint32_t key[2], uint32_t *restrict high, uint32_t *restrict low)
{
    encrypt_lanes(key, high, low);
}

#if defined(__x86_64__)
__attribute__((target("avx512f,avx512vl"))) static void encrypt_avx512(const uint32_t key[2], uint32_t *restrict high,
                                                                       uint32_t *restrict low)
{
    encrypt_lanes(key, high, low);
}

__attribute__((target("avx2"))) static void encrypt_avx2(const uint32_t key[2], uint32_t *restrict high,
                                                         uint32_t *restrict low)
{
    encrypt_lanes(key, high, low);
}
#endif

crdi_lanes_fn crdi_threefry_lanes(int i)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512vl") && i-- == 0)
        return encrypt_avx512;
    if (__builtin_cpu_supports("avx2") && i-- == 0)
        return encrypt_avx2;
#endif
    return i == 0 ? encrypt_portable : NULL;
}

static void encrypt_block(const uint32_t key[2], uint32_t *high, uint32_t *low)
{
    crdi_threefry_lanes(0)(key, high, low);
}

/* The counters first, first + 1, .. as high and low words. */
static void count_64(int64_t first, uint32_t *high, uint32_t *low)
{
    for (int i = 0; i < CRDI_BLOCK; i++) {
        uint64_t counter = (uint64_t)first + (uint64_t)i;
        high[i] = (uint32_t)(counter >> 32);
        low[i] = (uint32_t)counter;
    }
}

/* Pairs of the original order, for words first, first + 1, .. of `total`. */
static void count_original(int64_t total, int64_t first, uint32_t *high, uint32_t *low)
{
    int64_t half = (total + 1) / 2;
    for (int i = 0; i < CRDI_BLOCK; i++) {
        int64_t word = first + i, pair = word < half ? word : word - half;
        high[i] = (uint32_t)pair;
        low[i] = pair + half == total ? 0 : (uint32_t)(pair + half);
    }
}

void crdi_block_u32(crd_key key, int64_t total, int64_t first, int count, uint32_t *out)
{
    uint32_t high[CRDI_BLOCK], low[CRDI_BLOCK];
    if (key.order == CRD_ORDER_ORIGINAL) {
        count_original(total, first, high, low);
        encrypt_block(key.word, high, low);
        int64_t half = (total + 1) / 2;
        for (int i = 0; i < count; i++)
            out[i] = first + i < half ? high[i] : low[i];
        return;
    }
    count_64(first, high, low);
    encrypt_block(key.word, high, low);
    for (int i = 0; i < count; i++)
        out[i] = high[i] ^ low[i];
}

void crdi_block_u64(crd_key key, int64_t total, int64_t first, int count, uint64_t *out)
{
    uint32_t high[CRDI_BLOCK], low[CRDI_BLOCK];
    if (key.order == CRD_ORDER_ORIGINAL)
        count_original(2 * total, first, high, low);
    else
        count_64(first, high, low);
    encrypt_block(key.word, high, low);
    for (int i = 0; i < count; i++)
        out[i] = (uint64_t)high[i] << 32 | low[i];
}

/* The upper 52 bits become the fraction of a double in [1, 2). */
void crdi_block_uniform(crd_key key, int64_t total, int64_t first, int count, double *out)
{
    uint64_t bits[CRDI_BLOCK];
    crdi_block_u64(key, total, first, CRDI_BLOCK, bits);
    double value[CRDI_BLOCK];
    for (int i = 0; i < CRDI_BLOCK; i++)
        bits[i] = bits[i] >> 12 | 0x3ff0000000000000U;
    memcpy(value, bits, sizeof value);
    for (int i = 0; i < count; i++)
        out[i] = value[i] - 1;
}
