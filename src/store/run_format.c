/* run_format.c - see run_format.h.
 *
 * `block` is a table by rowid with an index beside it, and not WITHOUT ROWID: SQLite keeps rows of the latter in index
 * pages, at least four to a page, so that blobs of some kilobytes make a deep tree; and the index, which holds no
 * blobs, answers how many draws there are without touching one. */
#include "store/run_format.h"

#include <stdio.h>
#include <string.h>

const char *const crdi_run_schema[CRDI_RUN_SCHEMA_COUNT] = {
    "CREATE TABLE meta(key TEXT NOT NULL PRIMARY KEY, value, check_sum INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE TABLE data(name TEXT NOT NULL UNIQUE, shape TEXT NOT NULL, numbers BLOB NOT NULL, "
    "check_sum INTEGER NOT NULL)",
    "CREATE TABLE site(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, kind INTEGER NOT NULL, shape TEXT NOT NULL, "
    "size INTEGER NOT NULL, check_sum INTEGER NOT NULL)",
    "CREATE TABLE block(site INTEGER NOT NULL, chain INTEGER NOT NULL, first INTEGER NOT NULL, "
    "count INTEGER NOT NULL, draws BLOB NOT NULL, check_sum INTEGER NOT NULL)",
    "CREATE UNIQUE INDEX block_order ON block(site, chain, first, count)",
    "CREATE TABLE state(chain INTEGER PRIMARY KEY, iteration INTEGER NOT NULL, bytes BLOB NOT NULL, "
    "check_sum INTEGER NOT NULL)",
};

/* ---- checksums ---------------------------------------------------------------------------------------------- */

/* Odd constants: 2^64 over the golden ratio, and the first multiplier of the finaliser in Steele, Lea & Flood 2014
 * (SplitMix). */
static const uint64_t GOLDEN = 0x9e3779b97f4a7c15u, MIX = 0xbf58476d1ce4e5b9u;

static uint64_t mix(uint64_t check, uint64_t word)
{
    check = (check ^ word) * MIX;
    return (check ^ (check >> 29)) + GOLDEN;
}

static uint64_t word_at(const unsigned char *bytes, size_t size)
{
    uint64_t word = 0;
    for (size_t i = 0; i < size; i++)
        word |= (uint64_t)bytes[i] << (8 * i);
    return word;
}

uint64_t crdi_check_bytes(uint64_t check, const void *bytes, size_t size)
{
    const unsigned char *b = bytes;
    check = mix(check, size);
    for (; size >= 8; size -= 8, b += 8)
        check = mix(check, word_at(b, 8));
    return size ? mix(check, word_at(b, size)) : check;
}

uint64_t crdi_check_integer(uint64_t check, int64_t value)
{
    return mix(check, (uint64_t)value);
}

uint64_t crdi_check_text(uint64_t check, const char *text)
{
    return crdi_check_bytes(check, text, strlen(text));
}

uint64_t crdi_check_start(const char *table)
{
    return crdi_check_text(GOLDEN, table);
}

uint64_t crdi_check_block(int64_t column, int64_t chain, int64_t first, int64_t count, const void *bytes, size_t size)
{
    uint64_t check = crdi_check_integer(crdi_check_start("block"), column);
    check = crdi_check_integer(crdi_check_integer(check, chain), first);
    return crdi_check_bytes(crdi_check_integer(check, count), bytes, size);
}

uint64_t crdi_check_column(int64_t id, const char *name, int64_t kind, const char *shape, int64_t size)
{
    uint64_t check = crdi_check_text(crdi_check_integer(crdi_check_start("site"), id), name);
    check = crdi_check_text(crdi_check_integer(check, kind), shape);
    return crdi_check_integer(check, size);
}

uint64_t crdi_check_data(const char *name, const char *shape, const void *bytes, size_t size)
{
    uint64_t check = crdi_check_text(crdi_check_text(crdi_check_start("data"), name), shape);
    return crdi_check_bytes(check, bytes, size);
}

uint64_t crdi_check_state(int64_t chain, int64_t iteration, const void *bytes, size_t size)
{
    uint64_t check = crdi_check_integer(crdi_check_integer(crdi_check_start("state"), chain), iteration);
    return crdi_check_bytes(check, bytes, size);
}

uint64_t crdi_check_meta(const char *key, int64_t type, const void *bytes, size_t size)
{
    uint64_t check = crdi_check_integer(crdi_check_text(crdi_check_start("meta"), key), type);
    return crdi_check_bytes(check, bytes, size);
}

int64_t crdi_run_row_draws(int64_t column_size)
{
    int64_t draws = column_size ? CRDI_RUN_ROW_BYTES / (column_size * (int64_t)sizeof(double)) : CRDI_RUN_ROW_DRAWS;
    if (draws > CRDI_RUN_ROW_DRAWS)
        return CRDI_RUN_ROW_DRAWS;
    return draws > 0 ? draws : 1;
}

/* ---- bytes -------------------------------------------------------------------------------------------------- */

void crdi_encode(void *bytes, const double *values, int64_t count)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    if (count)
        memcpy(bytes, values, (size_t)count * sizeof *values);
#else
    unsigned char *b = bytes;
    for (int64_t i = 0; i < count; i++) {
        uint64_t word;
        memcpy(&word, &values[i], sizeof word);
        for (int k = 0; k < 8; k++)
            b[8 * i + k] = (unsigned char)(word >> (8 * k));
    }
#endif
}

void crdi_decode(double *values, const void *bytes, int64_t count)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    if (count)
        memcpy(values, bytes, (size_t)count * sizeof *values);
#else
    for (int64_t i = 0; i < count; i++) {
        uint64_t word = word_at((const unsigned char *)bytes + 8 * i, 8);
        memcpy(&values[i], &word, sizeof word);
    }
#endif
}

/* ---- shapes ------------------------------------------------------------------------------------------------- */

void crdi_shape_write(crd_shape shape, char text[CRDI_SHAPE_TEXT])
{
    size_t used = 0;
    text[0] = 0;
    for (int d = 0; d < shape.ndim; d++)
        used += (size_t)snprintf(text + used, CRDI_SHAPE_TEXT - used, "%s%lld", d ? "," : "", (long long)shape.dim[d]);
}

bool crdi_shape_read(const char *text, crd_shape *out)
{
    crd_shape shape = {0};
    int64_t size = 1;
    while (*text) {
        int64_t extent = 0;
        int digits = 0;
        for (; *text >= '0' && *text <= '9' && digits < 18; text++, digits++)
            extent = 10 * extent + (*text - '0');
        if (digits == 0 || shape.ndim == CRD_MAX_DIMS || (*text && (*text != ',' || !text[1])))
            return false;
        if (extent && size > ((int64_t)1 << 56) / extent)
            return false;
        size *= extent;
        shape.dim[shape.ndim++] = extent;
        text += *text == ',';
    }
    *out = shape;
    return true;
}
