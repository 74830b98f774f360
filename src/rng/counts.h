/* counts.h - one random count at a time, from the uniforms of a stream; see counts.c. */
#ifndef CRDI_COUNTS_H
#define CRDI_COUNTS_H

#include "rng/stream.h"

/* A Poisson draw of mean `rate`; NaN if rate is negative or NaN. */
double crdi_poisson_raw(crdi_stream *s, double rate);
/* Successes in `total` trials of probability `probs`; NaN if these are outside their domain. */
double crdi_binomial_raw(crdi_stream *s, double total, double probs);

#endif
