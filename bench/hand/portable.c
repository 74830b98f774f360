/* portable.c - the loops for what every processor of the kind has. */
#include <math.h>

/* Where fma is no instruction it would be a call into libm, twenty times as slow: by hand one would round twice, and lose
 * a digit (1e-15 instead of 3e-16). */
#if defined(__x86_64__) && !defined(__FMA__)
#define fma(a, b, c) ((a) * (b) + (c))
#endif

#define ISA portable
#include "hand/loops.h"
