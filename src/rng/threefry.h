/* threefry.h - from a key and the place of an element to its bits, inside the rng room. */
#ifndef CRDI_THREEFRY_H
#define CRDI_THREEFRY_H

#include <credence/random.h>

/* How many elements are made at a time: enough for two registers of AVX-512, small enough for the stack. */
enum { CRDI_BLOCK = 32 };

/* How many of n elements the block that starts at `first` holds. */
static inline int crdi_block_count(int64_t n, int64_t first)
{
    return n - first < CRDI_BLOCK ? (int)(n - first) : CRDI_BLOCK;
}

/* One block of Threefry-2x32-20: encrypts the counter (high, low). */
void crdi_threefry(const uint32_t key[2], uint32_t high, uint32_t low, uint32_t out[2]);

/* The same for CRDI_BLOCK counters in place: the i-th way that this processor can run, best first; NULL after the last. */
typedef void (*crdi_lanes_fn)(const uint32_t key[2], uint32_t *restrict high, uint32_t *restrict low);
crdi_lanes_fn crdi_threefry_lanes(int i);

/* Elements first .. first + count - 1 (count <= CRDI_BLOCK) of an array of `total` elements drawn from the key. In the
 * partitionable order total does not matter. */
void crdi_block_u32(crd_key key, int64_t total, int64_t first, int count, uint32_t *out);
void crdi_block_u64(crd_key key, int64_t total, int64_t first, int count, uint64_t *out);
void crdi_block_uniform(crd_key key, int64_t total, int64_t first, int count, double *out);

/* crd_random_permutation without checks: scratch holds n words, n <= 2^32. */
void crdi_permutation_raw(crd_key key, int64_t n, uint64_t *scratch, int64_t *out);

#endif
