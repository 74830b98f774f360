/* table.h - a table with named columns, read from CSV as it is found in the wild. */
#ifndef CREDENCE_TABLE_H
#define CREDENCE_TABLE_H

#include <credence/context.h>
#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** How to read a file. Zero means the default everywhere. */
typedef struct crd_csv_options {
    bool no_header; /**< the first line is data; columns are called "0", "1", ... */
    char
        separator; /**< comma, semicolon, tab, blank (runs of blanks and tabs), or 0: the one that suits the first lines */
} crd_csv_options;

/** One column. A cell is a number, missing, or text. */
typedef struct crd_table_column {
    char *name; /**< from the header, or its number */
    double *number; /**< by row; NaN where the cell is missing or text */
    char **text; /**< by row, NULL where missing; NULL altogether when every cell is a number or missing */
    int64_t missing; /**< how many cells are missing */
    int64_t first_text; /**< row of the first cell that is neither a finite number nor missing; -1: none */
} crd_table_column;

/** A table. The struct is open for reading; crd_csv_read and crd_table_destroy manage it. */
typedef struct crd_table {
    crd_context *ctx; /**< it was made in */
    char *name; /**< the file's path, for messages */
    int64_t row_count; /**< of every column */
    int64_t column_count; /**< of column */
    crd_table_column *column; /**< [column_count] */
    int64_t *line; /**< by row: the line of the file on which it starts, counted from 1 */
    char separator; /**< the one that was used */
} crd_table;

/** Reads a CSV file.
 *
 *  Understood: `,` `;` tab or runs of white space between cells; quotes with "" and line ends inside (RFC 4180); LF,
 *  CRLF and CR line ends; a byte-order mark; blank lines (ignored); separators at the ends of lines; blanks around
 *  cells. An empty cell, NA, NaN, null and ? (upper or lower case) are missing. Numbers are read in the C locale's
 *  notation whatever the locale is. A line end in a name is read as a blank; a column
 *  without a name in the header is called by its number, counted from 0.
 *  A column that is text somewhere is kept as text; crd_dataset_make decides whether that is an error.
 *  @param ctx  memory and messages come from it. @param path  borrowed.
 *  @param options  borrowed; NULL means the defaults.
 *  @param out      returns owned; written only on success.
 *  @return CRD_OK; CRD_EMISSING: no such file; CRD_EIO: cannot be read; CRD_EDATA: empty, no rows, ragged, not UTF-8 text,
 *          quotes that do not match, two columns of one name; CRD_EINVAL: a separator that cannot be one; CRD_ENOMEM.
 *  Cost: 80 to 180 ns a cell (6 to 17 digits); at its height the file's bytes, 24 bytes a cell for their places and 8 for the numbers. */
CRD_API CRD_MUST_CHECK crd_status crd_csv_read(crd_context *ctx, const char *path, const crd_csv_options *options,
                                               crd_table **out);

/** Reads CSV from memory.
 *  @param ctx  memory and messages come from it. @param length  of bytes.
 *  @param options  borrowed; NULL means the defaults. @param out  returns owned, written only on success.
 *  @param name    what messages call it.
 *  @param bytes   borrowed during the call; need not end in a zero byte.
 *  @return as crd_csv_read. */
CRD_API CRD_MUST_CHECK crd_status crd_csv_parse(crd_context *ctx, const char *name, const char *bytes, size_t length,
                                                const crd_csv_options *options, crd_table **out);

/** Reads the name of a separator: "auto", ",", ";", "tab" or "space".
 *  @param ctx  memory and messages come from it. @param name  borrowed.
 *  @param out  for crd_csv_options.separator.
 *  @return CRD_OK; CRD_EINVAL. */
CRD_API CRD_MUST_CHECK crd_status crd_csv_separator(crd_context *ctx, const char *name, char *out);

/** Destroys a table and nulls the pointer; NULL is accepted.
 *  @param table  the pointer to set to NULL. */
CRD_API void crd_table_destroy(crd_table **table);

/** Returns the number of the column of that name, -1 if there is none.
 *  @param table  borrowed. @param name  of a column, exactly. */
CRD_API int64_t crd_table_find(const crd_table *table, const char *name);

#ifdef __cplusplus
}
#endif
#endif
