/* kernel.h - numeric loops over raw arrays: no shapes, no checks, no allocation.
 *
 * Every kernel has one signature, so that a compiled program is a flat list of calls and so that the tests can run any
 * kernel against its plain twin. The loops are written once (impl/), compiled once for each instruction set (isa/) and
 * chosen when a context is created.
 *
 * Bits. All instruction sets give the same bits: sums run over CRDI_LANES virtual lanes that are added in one fixed
 * tree, elementary functions are our own polynomials (vmath.h), fused multiply-add stands exactly where the source says
 * fma, and the compiler may not contract or reorder (-ffp-contract=off).
 *
 * Precision. Every loop is there for doubles and for floats, but for a few of doubles only (kernels.def): the same source,
 * compiled once for each (impl/real.h). */
#ifndef CRDI_KERNEL_H
#define CRDI_KERNEL_H

#include "kernel/vector.h"

#include <stdint.h>

/* Elements that the kernel `chain` takes at a time, sums that it takes at most (impl/chain.h). */
enum { CRDI_CHAIN_TILE = 512, CRDI_CHAIN_SUMS = 8 };

/* What the kernels of two layers in one take at most (impl/layers.h). */
enum { CRDI_LAYERS_INPUTS = 16, CRDI_LAYERS_OUTS = 3 };

enum { CRDI_LANES = 8, CRDI_LANES_SINGLE = 16 };

typedef struct crdi_call crdi_call;
typedef void (*crdi_kernel_fn)(const crdi_call *call);

/* One call: the kernel, its result, its operands, extents and strides. What each means is said at the kernel. */
struct crdi_call {
    crdi_kernel_fn fn;
    /* Doubles or floats, as the kernel has it. */
    union {
        double *out;
        float *out_single;
    };
    union {
        const double *in[5];
        const float *in_single[5];
    };
    union { /* further results */
        double *more[3];
        float *more_single[3];
    };
    int64_t n[4]; /* extents */
    int64_t s[8]; /* strides, in elements */
    double number[2];
    const void *extra; /* what a kernel needs beyond that, described at the kernel */
};

/* One step of the kernel `scalars`: out[0] = kernel(in[0][0], ...) for an element-wise kernel, whatever its form. */
typedef struct crdi_scalar {
    int kernel;
    union {
        double *out;
        float *out_single;
    };
    union {
        const double *in[3];
        const float *in_single[3];
    };
} crdi_scalar;

/* One link of the kernel `chain`: an element-wise kernel, or a sum (sum, sumsq, dot, sum_rows). */
typedef struct crdi_link {
    int kernel;
    int sum; /* which of the chain's sums; CRDI_CHAIN_SUMS: it is none */
    int64_t moves[4]; /* of the operands, and of the result: -1: it is an array; 0: one number, or room for a tile */
    union {
        double *out;
        float *out_single;
    };
    union {
        const double *in[3];
        const float *in_single[3];
    };
} crdi_link;

enum crdi_kernel {
#define UNARY(name) CRDI_K_##name,
#define BINARY(name) CRDI_K_##name##_vv, CRDI_K_##name##_vs, CRDI_K_##name##_sv,
#define OTHER(name) CRDI_K_##name,
#define FUSED(name) CRDI_K_##name,
#include "kernel/kernels.def"
    CRDI_KERNEL_COUNT
};

/* The kernels of one instruction set. */
typedef struct crdi_kernel_table {
    const char *name; /* "avx512", "avx2", "portable" */
    crdi_kernel_fn kernel[CRDI_KERNEL_COUNT];
    crdi_vector_ops vector;
    const crdi_kernel_fn *single; /* (CRDI_KERNEL_COUNT) those of floats; NULL for kernels of doubles only */
} crdi_kernel_table;

extern const crdi_kernel_table crdi_kernels_portable;
extern const crdi_kernel_fn crdi_kernels_single_portable[CRDI_KERNEL_COUNT];
#if defined(__x86_64__)
extern const crdi_kernel_fn crdi_kernels_single_avx2[CRDI_KERNEL_COUNT], crdi_kernels_single_avx512[CRDI_KERNEL_COUNT];
extern const crdi_kernel_table crdi_kernels_avx2;
extern const crdi_kernel_table crdi_kernels_avx512;
#endif

/* The tables of this build, best first, whether this processor can run each or not. */
int crdi_kernels_count(void);
const crdi_kernel_table *crdi_kernels_get(int i);
int crdi_kernels_usable(const crdi_kernel_table *table);

/* The name of a kernel ("tanh", "add_vs"), for plans and tests. */
const char *crdi_kernel_name(enum crdi_kernel kernel);

#endif
