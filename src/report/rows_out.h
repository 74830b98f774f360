/* rows_out.h - a table that is written row by row: as text for people, as CSV, as JSON. */
#ifndef CRDI_REPORT_ROWS_OUT_H
#define CRDI_REPORT_ROWS_OUT_H

#include "base/base.h"

typedef enum crdi_rows_form {
    CRDI_ROWS_CSV, /* every digit */
    CRDI_ROWS_TEXT, /* aligned, numbers with five significant digits; printed when it is complete */
    CRDI_ROWS_JSON /* {"rows": [{"x": 1, ...}, ...]}, every digit, a row a line; null for what is no number */
} crdi_rows_form;

/* Where a table goes. */
typedef struct crdi_csv_place {
    const char *path; /* NULL: to `file` */
    bool force;
    int file; /* an open file; `name` is what messages call it */
    const char *name;
    crdi_rows_form form;
} crdi_csv_place;

/* Failures are sticky, as those of a crdi_csv_writer. */
typedef struct crdi_rows_out crdi_rows_out;
/* names: copied. Refuses what can be refused (a file that exists). */
crd_status crdi_rows_out_open(crdi_rows_out **out, crd_context *ctx, const crdi_csv_place *place,
                              const char *const *names, int64_t count);
void crdi_rows_out_number(crdi_rows_out *rows, double value);
void crdi_rows_out_text(crdi_rows_out *rows, const char *text);
crd_status crdi_rows_out_end_row(crdi_rows_out *rows);
crd_status crdi_rows_out_commit(crdi_rows_out **rows); /* destroys it, failed or not */
void crdi_rows_out_abort(crdi_rows_out **rows); /* leaves no file; NULL is accepted */

#endif
