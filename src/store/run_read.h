/* run_read.h - the struct behind a run file that is being read, for run_reader.c and run_draws.c only. */
#ifndef CRDI_RUN_READ_H
#define CRDI_RUN_READ_H

#include "store/run.h"
#include "store/run_format.h"
#include "store/sqlite.h"

struct crd_run {
    crd_context *ctx;
    crdi_db *db;
    int chains, column_count;
    crd_column *column; /* without draws */
    bool moment; /* the draws that are counted first are all that there are, whatever a writer adds */
    int64_t limit; /* draws a chain that there are at most; 0: no limit */
    int64_t
        *shown; /* (chains) draws that count from now on, whatever a writer adds; -1: all; NULL: all of all chains */
    double **instead; /* (columns, chains): draws that stand in for those of the file; NULL: there are none at all */
};

/* Opens a query that stands on an entry's row (value, check_sum), verified; found says whether there is one. */
crd_status crdi_run_find_entry(crd_run *run, const char *key, crdi_query *query, bool *found);
/* Leaves *out as it is if there is no such number. */
crd_status crdi_run_optional_number(crd_run *run, const char *key, double *out);
/* What a row says is verified by: (value, check_sum) of meta at columns i and i + 1 of the query; (name, shape,
 * numbers, check_sum) of data; (chain, iteration, bytes, check_sum) of state. */
crd_status crdi_run_check_entry(crd_run *run, const crdi_query *query, const char *key, int i);
crd_status crdi_run_check_data(crd_run *run, const crdi_query *query, crd_shape *shape);
crd_status crdi_run_check_state(crd_run *run, const crdi_query *query);
crd_status crdi_run_check_rows(crd_run *run, const char *sql, crd_status (*check)(crd_run *, const crdi_query *));
crd_status crdi_run_check_entries(crd_run *run); /* all of meta */
/* SQLite's own check, as one of its two pragmas makes it. */
crd_status crdi_run_check_structure(crd_run *run, const char *pragma);
crd_status crdi_run_file_size(crd_run *run, int64_t *out);

#endif
