/* archive.c - see archive.h. */
#include "base/archive.h"

#include <string.h>

enum { FIELD = 8, FIRST_ROOM = 1024 };

void crdi_archive_write(crdi_archive *a, crd_context *ctx)
{
    a->ctx = ctx;
    a->loading = false;
    a->size = a->at = 0;
    a->status = CRD_OK;
}

void crdi_archive_read(crdi_archive *a, crd_context *ctx, const void *bytes, size_t size)
{
    *a = (crdi_archive){.ctx = ctx, .loading = true, .bytes = (unsigned char *)bytes, .size = size};
}

static void fail(crdi_archive *a, const char *why, const char *what)
{
    if (a->status == CRD_OK)
        a->status = crdi_raise(a->ctx, CRD_EDAMAGED, "the stored state %s%s", why, what);
}

crd_status crdi_archive_end(crdi_archive *a)
{
    if (a->loading && a->status == CRD_OK && a->at != a->size)
        fail(a, "is longer than it should be", "");
    return a->status;
}

void crdi_archive_clear(crdi_archive *a)
{
    if (a->ctx && !a->loading)
        crdi_free(a->ctx, a->bytes);
    *a = (crdi_archive){0};
}

/* Room for so many more fields; NULL after a failure. */
static unsigned char *extend(crdi_archive *a, int64_t fields)
{
    size_t need = a->size + (size_t)fields * FIELD;
    if (a->status < 0)
        return NULL;
    if (need > a->capacity) {
        size_t room = need > 2 * a->capacity ? need : 2 * a->capacity;
        room = room < FIRST_ROOM ? FIRST_ROOM : room;
        unsigned char *bytes = crdi_resize(a->ctx, a->bytes, room);
        if (!bytes) {
            a->status = CRD_ENOMEM;
            return NULL;
        }
        a->bytes = bytes;
        a->capacity = room;
    }
    unsigned char *at = a->bytes + a->size;
    a->size = need;
    return at;
}

static const unsigned char *next(crdi_archive *a, int64_t fields)
{
    if (a->status == CRD_OK && (uint64_t)fields > (a->size - a->at) / FIELD)
        fail(a, "is too short", "");
    if (a->status < 0)
        return NULL;
    const unsigned char *at = a->bytes + a->at;
    a->at += (size_t)fields * FIELD;
    return at;
}

static void put(unsigned char *bytes, uint64_t word)
{
    for (int k = 0; k < FIELD; k++)
        bytes[k] = (unsigned char)(word >> (8 * k));
}

static uint64_t get(const unsigned char *bytes)
{
    uint64_t word = 0;
    for (int k = 0; k < FIELD; k++)
        word |= (uint64_t)bytes[k] << (8 * k);
    return word;
}

void crdi_archive_integer(crdi_archive *a, int64_t *value)
{
    if (a->loading) {
        const unsigned char *from = next(a, 1);
        if (from)
            *value = (int64_t)get(from);
        return;
    }
    unsigned char *to = extend(a, 1);
    if (to)
        put(to, (uint64_t)*value);
}

void crdi_archive_flag(crdi_archive *a, bool *value)
{
    int64_t number = *value;
    crdi_archive_integer(a, &number);
    *value = number != 0;
}

void crdi_archive_reals(crdi_archive *a, double *values, int64_t count)
{
    uint64_t word;
    if (a->loading) {
        const unsigned char *from = next(a, count);
        for (int64_t i = 0; from && i < count; i++) {
            word = get(from + i * FIELD);
            memcpy(&values[i], &word, sizeof word);
        }
        return;
    }
    unsigned char *to = extend(a, count);
    for (int64_t i = 0; to && i < count; i++) {
        memcpy(&word, &values[i], sizeof word);
        put(to + i * FIELD, word);
    }
}

void crdi_archive_real(crdi_archive *a, double *value)
{
    crdi_archive_reals(a, value, 1);
}

void crdi_archive_same(crdi_archive *a, int64_t value, const char *what)
{
    int64_t stored = value;
    crdi_archive_integer(a, &stored);
    if (a->status == CRD_OK && stored != value)
        fail(a, "is of another ", what);
}

void crdi_archive_same_text(crdi_archive *a, const char *text, const char *what)
{
    uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a */
    for (const char *c = text; *c; c++)
        hash = (hash ^ (unsigned char)*c) * 0x100000001b3u;
    crdi_archive_same(a, (int64_t)hash, what);
}

void crdi_archive_count(crdi_archive *a, int64_t *count, size_t size)
{
    crdi_archive_integer(a, count);
    if (a->loading && a->status == CRD_OK && (*count < 0 || (uint64_t)*count > (a->size - a->at) / size))
        fail(a, "has an impossible count", "");
}
