/* tiny.h - what a thread does with results that are too small for a normal number, while it computes in single precision.
 *
 * Probabilities and gradients of a trained network fall below 1e-38 by themselves, and most processors take a hundred times as
 * long for a subnormal number as for another. So programs in single precision round such results to zero, as XLA's do. */
#ifndef CRDI_TINY_H
#define CRDI_TINY_H

#if defined(__x86_64__)
#include <xmmintrin.h>

typedef unsigned crdi_tiny;

/* Makes tiny results zero from now on; gives what was before. */
static inline crdi_tiny crdi_tiny_off(void)
{
    crdi_tiny before = _mm_getcsr();
    _mm_setcsr(before | _MM_FLUSH_ZERO_ON);
    return before;
}

static inline void crdi_tiny_restore(crdi_tiny before)
{
    _mm_setcsr(before);
}
#elif defined(__aarch64__)
#include <stdint.h>

typedef uint64_t crdi_tiny;

static inline crdi_tiny crdi_tiny_off(void)
{
    crdi_tiny before;
    __asm__ volatile("mrs %0, fpcr" : "=r"(before));
    __asm__ volatile("msr fpcr, %0" ::"r"(before | UINT64_C(1) << 24));
    return before;
}

static inline void crdi_tiny_restore(crdi_tiny before)
{
    __asm__ volatile("msr fpcr, %0" ::"r"(before));
}
#else
typedef int crdi_tiny;

static inline crdi_tiny crdi_tiny_off(void)
{
    return 0;
}

static inline void crdi_tiny_restore(crdi_tiny before)
{
    (void)before;
}
#endif

#endif
