/* permute.c - permutations by sorting on random keys, as JAX draws them.
 *
 * Each round gives every element a random 32-bit key and sorts stably by it. Equal keys would leave the old order, so
 * there are as many rounds r as make ties unlikely: the smallest with n^3 <= (2^32 - 1)^r. Key and element share a word,
 * and a radix sort over the key's four bytes moves the words between `out` and the scratch: four passes, back in `out`. */
#include "base/base.h"
#include "rng/threefry.h"

#include <string.h>

static int rounds(int64_t n)
{
    return n <= 1 ? 0 : n <= 1625 ? 1 : n <= 2642245 ? 2 : n <= 4294967295 ? 3 : 4;
}

/* One stable counting sort by eight bits of the words; the words lie as int64_t in `from` and `to`. */
static void sort_by_byte(const uint64_t *from, uint64_t *to, int64_t n, int shift)
{
    int64_t place[256] = {0}, sum = 0;
    for (int64_t i = 0; i < n; i++)
        place[from[i] >> shift & 255]++;
    for (int byte = 0; byte < 256; byte++) {
        int64_t count = place[byte];
        place[byte] = sum;
        sum += count;
    }
    for (int64_t i = 0; i < n; i++)
        to[place[from[i] >> shift & 255]++] = from[i];
}

void crdi_permutation_raw(crd_key key, int64_t n, uint64_t *scratch, int64_t *out)
{
    uint64_t *word = (uint64_t *)out;
    for (int64_t i = 0; i < n; i++)
        word[i] = (uint64_t)i;
    for (int round = 0; round < rounds(n); round++) {
        crd_key next[2];
        crd_key_split(key, 2, next);
        key = next[0];
        for (int64_t first = 0; first < n; first += CRDI_BLOCK) {
            uint32_t bits[CRDI_BLOCK];
            int count = crdi_block_count(n, first);
            crdi_block_u32(next[1], n, first, count, bits);
            for (int i = 0; i < count; i++)
                word[first + i] |= (uint64_t)bits[i] << 32;
        }
        for (int shift = 32; shift < 64; shift += 16) {
            sort_by_byte(word, scratch, n, shift);
            sort_by_byte(scratch, word, n, shift + 8);
        }
        for (int64_t i = 0; i < n; i++)
            word[i] &= 0xffffffffU;
    }
}

crd_status crd_random_permutation(crd_context *ctx, crd_key key, int64_t n, int64_t *out)
{
    if (n < 0 || n > INT64_C(4294967296))
        return crdi_raise(ctx, CRD_EINVAL, "permutation: %lld elements; there may be 0 to 2^32", (long long)n);
    uint64_t *scratch = crdi_alloc_array(ctx, n, sizeof *scratch);
    if (!scratch)
        return CRD_ENOMEM;
    crdi_permutation_raw(key, n, scratch, out);
    crdi_free(ctx, scratch);
    return CRD_OK;
}
