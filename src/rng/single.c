/* single.c - arrays of variates in single precision, from the 32-bit words of their key. */
#include "rng/erfinv.h"
#include "rng/threefry.h"

#include <float.h>
#include <string.h>

/* The upper 23 bits become the fraction of a float in [1, 2). */
void crd_random_uniform_f32(crd_key key, int64_t n, float *out)
{
    for (int64_t first = 0; first < n; first += CRDI_BLOCK) {
        uint32_t bits[CRDI_BLOCK];
        float value[CRDI_BLOCK];
        int count = crdi_block_count(n, first);
        crdi_block_u32(key, n, first, CRDI_BLOCK, bits);
        for (int i = 0; i < CRDI_BLOCK; i++)
            bits[i] = bits[i] >> 9 | 0x3f800000U;
        memcpy(value, bits, sizeof value);
        for (int i = 0; i < count; i++)
            out[first + i] = value[i] - 1;
    }
}

void crd_random_uniform_between_f32(crd_key key, float low, float high, int64_t n, float *out)
{
    float range = high - low;
    crd_random_uniform_f32(key, n, out);
    for (int64_t i = 0; i < n; i++) {
        float value = out[i] * range + low;
        out[i] = value > low ? value : low;
    }
}

void crd_random_normal_f32(crd_key key, int64_t n, float *out)
{
    crd_random_uniform_between_f32(key, -1 + FLT_EPSILON / 2, 1, n, out);
    for (int64_t i = 0; i < n; i++)
        out[i] = 1.41421356237309504880f * crdi_erfinv_single(out[i]);
}
