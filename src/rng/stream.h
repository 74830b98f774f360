/* stream.h - numbers one after the other, for samplers that do not know how many they need.
 *
 * The i-th uniform of a stream is element i of crd_random_uniform(key, n, ..) in the partitionable order (the original
 * order knows no arrays without a length, so the key's order is not looked at). The struct is plain data without
 * pointers: a checkpoint may store it as it is, or store key and position and go on with crdi_stream_seek. */
#ifndef CRDI_STREAM_H
#define CRDI_STREAM_H

#include <credence/random.h>

enum { CRDI_STREAM_BUFFER = 32 };

typedef struct crdi_stream {
    crd_key key;
    int64_t position; /* of the next uniform; the buffer holds those of its block of 32 */
    double buffer[CRDI_STREAM_BUFFER];
} crdi_stream;

void crdi_stream_init(crdi_stream *s, crd_key key);
void crdi_stream_seek(crdi_stream *s, int64_t position);
void crdi_stream_refill(crdi_stream *s);

/* The next uniform in [0, 1). */
static inline double crdi_stream_uniform(crdi_stream *s)
{
    int64_t place = s->position % CRDI_STREAM_BUFFER;
    if (place == 0)
        crdi_stream_refill(s);
    s->position++;
    return s->buffer[place];
}

/* A standard normal and an exponential of rate 1, from one uniform each: as crd_random_normal and
 * crd_random_exponential make them of theirs. */
double crdi_stream_normal(crdi_stream *s);
double crdi_stream_exponential(crdi_stream *s);

#endif
