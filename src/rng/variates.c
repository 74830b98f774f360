/* variates.c - arrays of variates in double precision, each from the uniforms of its key. */
#include "rng/erfinv.h"
#include "rng/threefry.h"

#include <float.h>

static const double pi = 3.14159265358979323846, root_two = 1.41421356237309504880;

void crd_random_uniform(crd_key key, int64_t n, double *out)
{
    for (int64_t first = 0; first < n; first += CRDI_BLOCK)
        crdi_block_uniform(key, n, first, crdi_block_count(n, first), out + first);
}

/* The largest of low and the result, because rounding may put it below low. */
void crd_random_uniform_between(crd_key key, double low, double high, int64_t n, double *out)
{
    double range = high - low;
    crd_random_uniform(key, n, out);
    for (int64_t i = 0; i < n; i++)
        out[i] = vm_max(low, out[i] * range + low);
}

void crd_random_normal(crd_key key, int64_t n, double *out)
{
    crd_random_uniform_between(key, -1 + DBL_EPSILON / 2, 1, n, out);
    crdi_erfinv_block(out, n);
    for (int64_t i = 0; i < n; i++)
        out[i] *= root_two;
}

void crd_random_exponential(crd_key key, int64_t n, double *out)
{
    crd_random_uniform(key, n, out);
    for (int64_t i = 0; i < n; i++)
        out[i] = -vm_log1p(-out[i]);
}

void crd_random_cauchy(crd_key key, int64_t n, double *out)
{
    crd_random_uniform_between(key, DBL_EPSILON, 1, n, out);
    for (int64_t i = 0; i < n; i++) {
        double angle = pi * (out[i] - 0.5);
        out[i] = vm_sin(angle) / vm_cos(angle);
    }
}

static double gumbel(double uniform)
{
    return -vm_log(-vm_log(vm_max(uniform, DBL_MIN)));
}

void crd_random_gumbel(crd_key key, int64_t n, double *out)
{
    crd_random_uniform(key, n, out);
    for (int64_t i = 0; i < n; i++)
        out[i] = gumbel(out[i]);
}

void crd_random_bernoulli(crd_key key, double p, int64_t n, double *out)
{
    crd_random_uniform(key, n, out);
    for (int64_t i = 0; i < n; i++)
        out[i] = out[i] < p;
}

/* (above 2^64 + below) mod span by parts, with factor = 2^64 mod span. Above a span of 2^32 the square of 2^32 wraps to
 * 0 and the first word drops out; JAX's does so too. */
void crd_random_integers(crd_key key, int64_t low, int64_t high, int64_t n, int64_t *out)
{
    uint64_t span = high > low ? (uint64_t)high - (uint64_t)low : 1;
    uint64_t factor = (UINT64_C(1) << 32) % span, above[CRDI_BLOCK], below[CRDI_BLOCK];
    factor = factor * factor % span;
    crd_key part[2];
    crd_key_split(key, 2, part);
    for (int64_t first = 0; first < n; first += CRDI_BLOCK) {
        int count = crdi_block_count(n, first);
        crdi_block_u64(part[0], n, first, count, above);
        crdi_block_u64(part[1], n, first, count, below);
        for (int i = 0; i < count; i++) {
            uint64_t offset = (above[i] % span * factor + below[i] % span) % span;
            out[first + i] = (int64_t)((uint64_t)low + offset);
        }
    }
}

/* Row i holds elements i k .. i k + k - 1 of one array of Gumbel draws; its category is where logit + draw is largest,
 * the first of equals. */
void crd_random_categorical(crd_key key, const double *logits, int64_t k, int64_t n, int64_t *out)
{
    double uniform[CRDI_BLOCK], best = 0;
    int64_t total = n * k, row = 0, column = 0;
    for (int64_t first = 0; first < total; first += CRDI_BLOCK) {
        int count = crdi_block_count(total, first);
        crdi_block_uniform(key, total, first, count, uniform);
        for (int i = 0; i < count; i++) {
            double score = gumbel(uniform[i]) + logits[column];
            if (column == 0 || score > best) {
                best = score;
                out[row] = column;
            }
            if (++column == k) {
                column = 0;
                row++;
            }
        }
    }
}
