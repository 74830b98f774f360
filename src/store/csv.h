/* csv.h - cells and records of CSV text, what a cell is, and a writer. */
#ifndef CRDI_CSV_H
#define CRDI_CSV_H

#include "base/base.h"
#include <credence/table.h>

/* ---- reading (csv_scan.c, csv_cell.c) ----------------------------------------------------------------------- */

typedef struct crdi_csv_cell {
    const char *start; /* into the text; after the quote of a quoted cell */
    size_t length; /* of a quoted cell before "" is made " */
    bool quoted;
} crdi_csv_cell;

typedef struct crdi_csv_cells {
    crd_context *ctx;
    crdi_csv_cell *cell;
    int64_t count, capacity;
} crdi_csv_cells;

typedef struct crdi_csv_scan {
    const char *at, *end;
    int64_t line; /* of `at`, counted from 1 */
    char separator;
    const char *problem; /* set once: what is wrong with the quotes; NULL: nothing */
    int64_t problem_line;
} crdi_csv_scan;

crdi_csv_scan crdi_csv_scan_begin(const char *bytes, size_t length, char separator);
/* Appends the cells of the next line that is not blank; `*line` is where it starts, 0 at the end of the text or at a
 * problem. CRD_OK or CRD_ENOMEM: problems are the caller's to raise, because trying separators out meets many. */
crd_status crdi_csv_scan_record(crdi_csv_scan *scan, crdi_csv_cells *cells, int64_t *line);
/* The separator whose first lines agree best. */
crd_status crdi_csv_detect(crd_context *ctx, const char *bytes, size_t length, char *out);

typedef enum crdi_csv_kind { CRDI_CELL_TEXT, CRDI_CELL_NUMBER, CRDI_CELL_MISSING } crdi_csv_kind;

/* What a cell is; *out is NaN unless it is a (finite) number. Infinity and what overflows to it count as text. */
crdi_csv_kind crdi_csv_classify(const crdi_csv_cell *cell, double *out);
/* Copies a cell with "" made " and a zero byte at the end; `out` has room for length + 1. Returns the length. */
size_t crdi_csv_cell_copy(const crdi_csv_cell *cell, char *out);

/* A cell or name as it can stand in a message: on one line, of bearable length. Returns buffer. */
enum { CRDI_SHOWN = 64 };
const char *crdi_csv_show(char buffer[CRDI_SHOWN], const char *text);
/* For a table that lacks a column: CRD_ENAME if it has a single one whose name holds a separator. */
crd_status crdi_table_check_separator(const crd_table *table);
/* Whether a cell is a number with a decimal comma: -0,73. */
bool crdi_csv_has_decimal_comma(const char *text, size_t length);
/* crdi_raise_unknown for a column of a table, with the table's name in front. */
crd_status crdi_table_raise_unknown(const crd_table *table, const char *name);

/* ---- writing (csv_write.c) ---------------------------------------------------------------------------------- */

/* Writes a CSV file that appears under its name only when it is complete. Failures are sticky: cells return nothing,
 * ending a row and committing return the first failure. NaN is written as nan, which reads back as a missing cell. */
typedef struct crdi_csv_writer crdi_csv_writer;
crd_status crdi_csv_writer_open(crdi_csv_writer **out, crd_context *ctx, const char *path, bool force,
                                const char *const *names, int64_t count);
/* The same to a file that is open, as crdi_output_open_to. */
crd_status crdi_csv_writer_open_to(crdi_csv_writer **out, crd_context *ctx, int file, const char *name,
                                   const char *const *names, int64_t count);
void crdi_csv_writer_number(crdi_csv_writer *writer, double value);
void crdi_csv_writer_integer(crdi_csv_writer *writer, int64_t value);
void crdi_csv_writer_text(crdi_csv_writer *writer, const char *text);
crd_status crdi_csv_writer_end_row(crdi_csv_writer *writer);
crd_status crdi_csv_writer_row(crdi_csv_writer *writer,
                               const double *values); /* one a column, and the end of the row */
crd_status crdi_csv_writer_commit(crdi_csv_writer **writer); /* destroys it, failed or not */
void crdi_csv_writer_abort(crdi_csv_writer **writer); /* leaves no file; NULL is accepted */

#endif
