/* run_format.h - what writer and reader of a run file agree on: tables, checksums, bytes. docs/dev/run_file.md */
#ifndef CRDI_RUN_FORMAT_H
#define CRDI_RUN_FORMAT_H

#include "base/base.h"

enum {
    CRDI_RUN_APPLICATION = 0x43524452, /* "CRDR" */
    CRDI_RUN_VERSION = 1, /* of the format; a reader refuses a greater one */
    CRDI_RUN_SCHEMA_COUNT = 6,
    CRDI_RUN_ROW_DRAWS = 1024, /* draws that one row of `block` holds at most ... */
    CRDI_RUN_ROW_BYTES = 4 << 20, /* ... and bytes, but at least one draw */
    CRDI_RUN_DRAW_BYTES = 1 << 29, /* of one column: SQLite's blobs end at 10^9 */
    CRDI_SHAPE_TEXT = 160
};

/* The statements that make the tables, word for word as SQLite keeps them: a reader compares. */
extern const char *const crdi_run_schema[CRDI_RUN_SCHEMA_COUNT];

/* A checksum of 64 bits. Every step is a bijection of the state, so two inputs of one length that differ in a single
 * word never agree. crdi_check_start takes the table, so that a row cannot pass for one of another. */
uint64_t crdi_check_start(const char *table);
uint64_t crdi_check_integer(uint64_t check, int64_t value);
uint64_t crdi_check_bytes(uint64_t check, const void *bytes, size_t size);
uint64_t crdi_check_text(uint64_t check, const char *text);

/* Draws that one row of a column holds at most. */
int64_t crdi_run_row_draws(int64_t column_size);

/* Checksums of whole rows. */
uint64_t crdi_check_block(int64_t column, int64_t chain, int64_t first, int64_t count, const void *bytes, size_t size);
uint64_t crdi_check_column(int64_t id, const char *name, int64_t kind, const char *shape, int64_t size);
uint64_t crdi_check_data(const char *name, const char *shape, const void *bytes, size_t size);
uint64_t crdi_check_state(int64_t chain, int64_t iteration, const void *bytes, size_t size);
uint64_t crdi_check_meta(const char *key, int64_t type, const void *bytes, size_t size);

/* Doubles to little-endian bytes and back; a copy on a little-endian machine. */
void crdi_encode(void *bytes, const double *values, int64_t count);
void crdi_decode(double *values, const void *bytes, int64_t count);

/* "40,1"; "" for a scalar. Reading fails on anything else, on too many extents and on more than 2^56 elements. */
void crdi_shape_write(crd_shape shape, char text[CRDI_SHAPE_TEXT]);
bool crdi_shape_read(const char *text, crd_shape *out);

#endif
