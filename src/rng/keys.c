/* keys.c - keys from seeds and keys from keys, and arrays of bits. */
#include "rng/threefry.h"

crd_key crd_key_make(uint64_t seed)
{
    return (crd_key){{(uint32_t)(seed >> 32), (uint32_t)seed}, CRD_ORDER_PARTITIONABLE};
}

crd_key crd_key_with_order(crd_key key, crd_key_order order)
{
    key.order = order;
    return key;
}

/* Original order: the 2 count words of an array, two a key. */
void crd_key_split(crd_key key, int64_t count, crd_key *out)
{
    for (int64_t i = 0; i < count; i++) {
        crd_key made = {.order = key.order};
        if (key.order == CRD_ORDER_ORIGINAL) {
            crdi_block_u32(key, 2 * count, 2 * i, 2, made.word);
        } else {
            uint64_t counter = (uint64_t)i;
            crdi_threefry(key.word, (uint32_t)(counter >> 32), (uint32_t)counter, made.word);
        }
        out[i] = made;
    }
}

/* The counter is the key that crd_key_make would make of `data`. */
crd_key crd_key_fold_in(crd_key key, uint32_t data)
{
    crd_key made = {.order = key.order};
    crdi_threefry(key.word, 0, data, made.word);
    return made;
}

void crd_random_bits_u32(crd_key key, int64_t n, uint32_t *out)
{
    for (int64_t first = 0; first < n; first += CRDI_BLOCK)
        crdi_block_u32(key, n, first, crdi_block_count(n, first), out + first);
}

void crd_random_bits_u64(crd_key key, int64_t n, uint64_t *out)
{
    for (int64_t first = 0; first < n; first += CRDI_BLOCK)
        crdi_block_u64(key, n, first, crdi_block_count(n, first), out + first);
}
