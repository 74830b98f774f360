/* random.h - random numbers from keys: a key is a value, and the same key gives the same numbers everywhere.
 *
 * There is no generator with a hidden state. A key names a sequence of numbers; crd_key_split and crd_key_fold_in make
 * new keys from one. Use a key once: to draw from, or to make others from. The bits are those of JAX's threefry keys
 * (Threefry-2x32 with 20 rounds, Salmon et al. 2011, doi:10.1145/2063384.2063405), so that a run there can be repeated
 * here. Keys, bits, uniforms, integers, permutations and categories are equal to the bit; what passes through a
 * logarithm or an inverse error function agrees to 1e-13.
 *
 * Arrays are row-major; only the number of elements matters. All functions are free of side effects, allocate nothing
 * (but for crd_random_permutation) and may be called from any thread. n below 1 draws nothing. */
#ifndef CREDENCE_RANDOM_H
#define CREDENCE_RANDOM_H

#include <credence/context.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Which counters an array is drawn from; a key hands its order on to the keys made from it. */
typedef enum crd_key_order {
    CRD_ORDER_PARTITIONABLE = 0, /**< JAX's default since 0.5: element i does not depend on the array's length */
    CRD_ORDER_ORIGINAL = 1 /**< JAX before 0.5: all elements depend on the length; below 2^32 words an array */
} crd_key_order;

/** A key: 64 bits and an order. A value: copy it freely. */
typedef struct crd_key {
    uint32_t word[2]; /**< 64 bits */
    crd_key_order order; /**< which counters */
} crd_key;

/** Makes a key from a seed, in the partitionable order; JAX's PRNGKey.
 *  @param seed  any number. */
CRD_API crd_key crd_key_make(uint64_t seed);

/** Returns the same key with another order.
 *  @param key  any. @param order  the new one. */
CRD_API crd_key crd_key_with_order(crd_key key, crd_key_order order);

/** Makes `count` independent keys. In the partitionable order out[i] does not depend on count.
 *  @param key  used up by the call. @param count  how many. @param out  [count]. */
CRD_API void crd_key_split(crd_key key, int64_t count, crd_key *out);

/** Makes the key for item `data`: for loops whose length is not known. The same in both orders.
 *  @param key  any; it may be folded with many numbers. @param data  which sub-key. */
CRD_API crd_key crd_key_fold_in(crd_key key, uint32_t data);

/** Draws random bits.
 *  @param key  used up by the call. @param n  how many. @param out  [n]. */
CRD_API void crd_random_bits_u32(crd_key key, int64_t n, uint32_t *out);
/** Draws random bits, 64 at a time.
 *  @param key  used up by the call. @param n  how many. @param out  [n]. */
CRD_API void crd_random_bits_u64(crd_key key, int64_t n, uint64_t *out);

/** Draws uniforms in [0, 1): multiples of 2^-52.
 *  @param key  used up by the call. @param n  how many. @param out  [n]. */
CRD_API void crd_random_uniform(crd_key key, int64_t n, double *out);

/** Draws uniforms in [low, high): max(low, u (high - low) + low), in this order of operations.
 *  @param key  used up by the call. @param low, high  the ends. @param n  how many. @param out  [n]. */
CRD_API void crd_random_uniform_between(crd_key key, double low, double high, int64_t n, double *out);

/** Draws standard normals: sqrt(2) erfinv(u) with u uniform between nextafter(-1, 0) and 1.
 *  @param key  used up by the call. @param n  how many. @param out  [n]. */
CRD_API void crd_random_normal(crd_key key, int64_t n, double *out);

/** Draws from the exponential distribution of rate 1: -log(1 - u).
 *  @param key  used up by the call. @param n  how many. @param out  [n]. */
CRD_API void crd_random_exponential(crd_key key, int64_t n, double *out);

/** Draws from the standard Cauchy distribution: tan(pi (u - 1/2)).
 *  @param key  used up by the call. @param n  how many. @param out  [n]. */
CRD_API void crd_random_cauchy(crd_key key, int64_t n, double *out);

/** Draws from the standard Gumbel distribution: -log(-log(u)).
 *  @param key  used up by the call. @param n  how many. @param out  [n]. */
CRD_API void crd_random_gumbel(crd_key key, int64_t n, double *out);

/** Draws 1 with probability p and 0 otherwise: u < p.
 *  @param key  used up by the call. @param p  from 0 to 1. @param n  how many. @param out  [n]. */
CRD_API void crd_random_bernoulli(crd_key key, double p, int64_t n, double *out);

/** Draws integers in [low, high); low throughout if high <= low. Two words an integer: the bias is below
 *  (high - low) / 2^64.
 *  @param key  used up by the call. @param low, high  the ends; high itself is not drawn. @param n  how many.
 *  @param out  [n]. */
CRD_API void crd_random_integers(crd_key key, int64_t low, int64_t high, int64_t n, int64_t *out);

/** Draws categories 0 to k - 1 with probabilities proportional to exp(logits[j]), by the Gumbel trick.
 *  @param key  used up by the call. @param k  classes. @param n  how many. @param out  [n].
 *  @param logits  [k], borrowed; k >= 1.
 *  Cost: n k Gumbel draws. */
CRD_API void crd_random_categorical(crd_key key, const double *logits, int64_t k, int64_t n, int64_t *out);

/** Draws Poisson counts: out[i] has mean rate[i]; NaN where rate[i] is negative or NaN. Element i has a stream of its own,
 *  under the sub-key crd_key_fold_in(key, i), and does not depend on the other elements.
 *  @param key  used up by the call. @param n  how many. @param out  [n].
 *  @param rate  [n], borrowed.
 *  Cost: about two uniforms an element, whatever the rate. Source: Hormann 1993. */
CRD_API void crd_random_poisson(crd_key key, const double *rate, int64_t n, double *out);

/** Draws binomial counts: successes in total[i] trials of probability probs[i]; NaN outside their domain. Streams as those
 *  of crd_random_poisson.
 *  @param key  used up by the call. @param n  how many. @param out  [n].
 *  @param total  [n], borrowed: whole numbers from 0.
 *  @param probs  [n], borrowed: from 0 to 1. */
CRD_API void crd_random_binomial(crd_key key, const double *total, const double *probs, int64_t n, double *out);

/** Draws n rows of k counts whose sum is total[i]; a stream a row.
 *  @param key  used up by the call. @param k  classes. @param n  rows.
 *  @param total  [n], borrowed: whole numbers from 0.
 *  @param probs  [n, k], borrowed: rows proportional to the probabilities of the classes; k >= 1.
 *  @param out    [n, k]. */
CRD_API void crd_random_multinomial(crd_key key, const double *total, const double *probs, int64_t k, int64_t n,
                                    double *out);

/** Draws a permutation of 0 to n - 1, by stable sorts on random 32-bit keys.
 *  @param ctx  for scratch memory and messages. @param key  used up by the call. @param n  how many.
 *  @param out  [n], written only on success.
 *  @return CRD_OK; CRD_EINVAL if n is negative or above 2^32; CRD_ENOMEM.
 *  Cost: a radix sort a round; one round to n = 1625, two to 2642245; n words of scratch. */
CRD_API CRD_MUST_CHECK crd_status crd_random_permutation(crd_context *ctx, crd_key key, int64_t n, int64_t *out);

/** Draws in single precision, from the 32-bit words: other numbers than the double ones of the same key.
 *  @param key  used up by the call. @param n  how many. @param out  [n]. */
CRD_API void crd_random_uniform_f32(crd_key key, int64_t n, float *out);
/** Draws uniforms in [low, high) in single precision.
 *  @param key  used up by the call. @param low, high  the ends. @param n  how many. @param out  [n]. */
CRD_API void crd_random_uniform_between_f32(crd_key key, float low, float high, int64_t n, float *out);
/** Draws standard normals in single precision, JAX's to a unit in the last place.
 *  @param key  used up by the call. @param n  how many. @param out  [n]. */
CRD_API void crd_random_normal_f32(crd_key key, int64_t n, float *out);

#ifdef __cplusplus
}
#endif
#endif
