/* table.h - tables as text, CSV and JSON, into strings: nothing is printed here.
 *
 * Whatever a name holds, no table can send a command to a terminal: control characters are made visible (text.h); in
 * JSON they are escaped as JSON does. Numbers have a decimal point in every locale. */
#ifndef CRDI_REPORT_TABLE_H
#define CRDI_REPORT_TABLE_H

#include "store/json.h"

typedef enum crdi_align { CRDI_RIGHT, CRDI_LEFT } crdi_align;

typedef struct crdi_table {
    int columns;
    const char *const *header; /* (columns); NULL: no header line */
    const crdi_align *align; /* (columns); NULL: all to the right */
    int64_t rows;
    const char *const *cell; /* (rows, columns); NULL is an empty cell */
    int least_width; /* of every column but the first; 0: as its cells need */
} crdi_table;

/* Appends a table, columns apart by one blank, without blanks at the ends of lines. */
crd_status crdi_table_text(crdi_string *out, const crdi_table *table);

/* A cell of CSV: in double quotes where RFC 4180 asks for them. */
void crdi_table_csv_cell(crdi_string *out, const char *text);

/* ---- the summary (summary.c) -------------------------------------------------------------------------------- */

typedef struct crdi_summary_row {
    const char *site; /* "net/Dense_0.kernel": rows of a site stand together and fold together */
    const char *label; /* "net/Dense_0.kernel[0,3]" */
    double mean, sd, median, low, high, n_eff, r_hat;
} crdi_summary_row;

enum { CRDI_FOLD_FROM = 50, CRDI_FOLD_SHOWN = 3 };

/* The table that NumPyro's print_summary prints, two decimals; where the standard deviation is below 0.05, as many as
 * show three digits of it. prob: mass between low and high, 0 to 1, for the heads ("5.0%", "95.0%"). With more than
 * CRDI_FOLD_FROM rows and not `full`, a site shows its first CRDI_FOLD_SHOWN rows and one line for the others: their
 * number, lowest low, highest high, least n_eff and greatest r_hat. CRD_EINVAL: prob is not between 0 and 1. */
crd_status crdi_summary_text(crdi_string *out, const crdi_summary_row *rows, int64_t count, double prob, bool full);
/* All rows, all digits. CSV writes nan and inf; JSON, which has no such numbers, writes null. JSON: a row a line. */
crd_status crdi_summary_csv(crdi_string *out, const crdi_summary_row *rows, int64_t count, double prob);
crd_status crdi_summary_json(crdi_string *out, const crdi_summary_row *rows, int64_t count, double prob);
/* The member "rows" alone, for an object that holds more. */
void crdi_summary_json_rows(crdi_json_writer *w, const crdi_summary_row *rows, int64_t count);

/* The same for draws that are independent, of a variational fit: without n_eff and r_hat. */
crd_status crdi_draws_text(crdi_string *out, const crdi_summary_row *rows, int64_t count, double prob, bool full);
crd_status crdi_draws_csv(crdi_string *out, const crdi_summary_row *rows, int64_t count, double prob);
void crdi_draws_json_rows(crdi_json_writer *w, const crdi_summary_row *rows, int64_t count);

/* The same for one point: its values alone. */
crd_status crdi_point_text(crdi_string *out, const crdi_summary_row *rows, int64_t count, bool full);
crd_status crdi_point_csv(crdi_string *out, const crdi_summary_row *rows, int64_t count);
void crdi_point_json_rows(crdi_json_writer *w, const crdi_summary_row *rows, int64_t count);

/* The same with the columns of ArviZ's summary: the rank-normalised diagnostics and Monte Carlo errors. */
typedef struct crdi_diagnostic_row {
    const char *site, *label;
    double mean, sd, low, high, mcse_mean, mcse_sd, ess_bulk, ess_tail, r_hat;
} crdi_diagnostic_row;

crd_status crdi_diagnostic_text(crdi_string *out, const crdi_diagnostic_row *rows, int64_t count, double prob,
                                bool full);
crd_status crdi_diagnostic_csv(crdi_string *out, const crdi_diagnostic_row *rows, int64_t count, double prob);
void crdi_diagnostic_json_rows(crdi_json_writer *w, const crdi_diagnostic_row *rows, int64_t count);

#endif
