/* run_diff.h - whether two runs are equal, bit for bit, and where they first differ. */
#ifndef CRDI_REPORT_RUN_DIFF_H
#define CRDI_REPORT_RUN_DIFF_H

#include "base/base.h"

/* One place where they differ. Of a column's draws: the first number in the order of chains, draws and elements. */
typedef struct crdi_run_difference {
    const char *kind; /* "chains", "column", "draws", "entry", "option", "data", "state": static */
    const char *what; /* a site with its element, a key, a name */
    int chain; /* -1: of none */
    int64_t draw; /* -1: of none */
    const char *a, *b; /* what stands in either, in words; "" for what is not there */
    int64_t differing, compared; /* numbers of the column or array; 0: not counted */
} crdi_run_difference;

typedef struct crdi_run_diff {
    crd_context *ctx;
    crdi_arena *arena; /* texts */
    const char *a, *b; /* paths */
    crdi_run_difference *difference;
    int64_t count, capacity;
    int64_t numbers, entries, arrays, states, columns; /* compared */
} crdi_run_diff;

/* Compares columns, draws, entries, arrays and states; diff_ignored.def names what is left out. Reads both files piece by
 * piece: 256 KiB at most, or one draw of each. Any two run files can be compared. Errors are those of reading them. */
crd_status crdi_run_diff_make(crd_context *ctx, const char *a, const char *b, crdi_run_diff **out);
void crdi_run_diff_destroy(crdi_run_diff **diff);

/* At most `most` places; 0: all. */
crd_status crdi_run_diff_text(crdi_string *out, const crdi_run_diff *diff, int64_t most);
crd_status crdi_run_diff_json(crdi_string *out, const crdi_run_diff *diff, int64_t most);

/* What is not compared, one by one; NULL behind the last. */
const char *crdi_run_diff_ignored(bool options, int i);

#endif
