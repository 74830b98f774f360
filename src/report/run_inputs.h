/* run_inputs.h - the columns behind a run's inputs, in the units of the table that was read: the recipe is undone.
 *
 * A categorical column is one input, with its levels numbered from 0. */
#ifndef CRDI_REPORT_RUN_INPUTS_H
#define CRDI_REPORT_RUN_INPUTS_H

#include "report/figures.h"
#include "store/network_run.h"

/* A column of the table: features first .. end - 1. */
typedef struct crdi_run_input {
    int64_t first, end;
    const char *column; /* the recipe's */
    const char *name; /* the column's, with the numbers of the levels if it has some */
    int64_t levels; /* 0: numbers */
    double *values; /* by row of the fit: the number, or the level's place */
    double typical; /* the median, or the most frequent level */
} crdi_run_input;

typedef struct crdi_run_inputs {
    const crd_recipe *recipe;
    int64_t rows, count;
    crdi_run_input *input;
    crdi_named *target; /* each by row */
} crdi_run_inputs;

/* All of it in the arena. */
crd_status crdi_run_inputs_find(const crdi_network_run *net, crdi_arena *arena, crdi_run_inputs *out);

/* The inputs that texts name, each a column or columns with commas between; a column whose name has a comma is taken as it stands.
 * `out` has room for `most`. CRD_ENAME: no such column (the nearest is named); CRD_EINVAL: one twice, more than `most`. */
crd_status crdi_run_inputs_select(const crdi_network_run *net, crdi_arena *arena, const crdi_run_inputs *all,
                                  const char *const *names, int64_t count, int64_t most, int64_t *out,
                                  int64_t *out_count);

/* The name of a level. */
const char *crdi_run_inputs_level(const crdi_run_inputs *all, const crdi_run_input *in, int64_t level);

/* Writes one row of the network's inputs (features) for values of the columns (count), as `values` above has them. */
void crdi_run_inputs_row(const crdi_run_inputs *all, const double *values, double *x);

#endif
