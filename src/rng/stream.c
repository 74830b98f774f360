/* stream.c - see stream.h. */
#include "rng/stream.h"

#include "rng/erfinv.h"
#include "rng/threefry.h"

#include <float.h>

void crdi_stream_init(crdi_stream *s, crd_key key)
{
    *s = (crdi_stream){.key = crd_key_with_order(key, CRD_ORDER_PARTITIONABLE)};
}

void crdi_stream_refill(crdi_stream *s)
{
    int64_t first = s->position - s->position % CRDI_STREAM_BUFFER;
    crdi_block_uniform(s->key, 0, first, CRDI_STREAM_BUFFER, s->buffer);
}

void crdi_stream_seek(crdi_stream *s, int64_t position)
{
    s->position = position;
    crdi_stream_refill(s);
}

double crdi_stream_normal(crdi_stream *s)
{
    double low = -1 + DBL_EPSILON / 2;
    return 1.41421356237309504880 * crdi_erfinv(crdi_stream_uniform(s) * (1 - low) + low);
}

double crdi_stream_exponential(crdi_stream *s)
{
    return -vm_log1p(-crdi_stream_uniform(s));
}
