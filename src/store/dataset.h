/* dataset.h - what the files of the data set share, and the recipe as JSON for the run file. */
#ifndef CRDI_DATASET_H
#define CRDI_DATASET_H

#include "store/csv.h"
#include <credence/dataset.h>

/* ---- the recipe as text (dataset_json.c); reading it back gives the same bits -------------------------------- */

crd_status crdi_recipe_write(const crd_recipe *recipe, crdi_string *out);
crd_status crdi_recipe_read(crd_context *ctx, const char *text, crd_recipe **out);

/* ---- rows (dataset_rows.c) ----------------------------------------------------------------------------------- */

typedef struct crdi_rows {
    int64_t *row; /* numbers of the table's rows, owned */
    int64_t count;
    int64_t left_out;
} crdi_rows;

/* The rows that a file names, or all of them when path is NULL. */
crd_status crdi_rows_select(const crd_table *table, const char *path, crdi_rows *out);
/* How a column is used: decides which cells are good and what is advised where one is not. */
typedef enum crdi_column_role {
    CRDI_ROLE_FEATURE,
    CRDI_ROLE_TARGET,
    CRDI_ROLE_NEW_FEATURE, /* of data for a recipe: what it is was settled by the fit */
    CRDI_ROLE_NEW_TARGET /* the same; and one of several of a fit */
} crdi_column_role;
typedef struct crdi_use {
    int64_t column; /* of the table */
    bool levels; /* any text will do */
    crdi_column_role role;
} crdi_use;
/* Refuses text where numbers are needed; then refuses missing cells or takes their rows out. */
crd_status crdi_rows_check(const crd_table *table, const crdi_use *use, int64_t count, crd_na na, crdi_rows *rows);

/* How many cells of a column are missing in the rows. */
int64_t crdi_rows_missing(const crd_table *table, int64_t column, const crdi_rows *rows);

/* ---- levels (dataset_levels.c) -------------------------------------------------------------------------------- */

enum { CRDI_LEVEL = 32 };

/* The level of a cell: its text, or its number in its shortest form; `buffer` is used for the latter. */
const char *crdi_level(const crd_table_column *column, int64_t row, char buffer[CRDI_LEVEL]);
/* The levels that occur, sorted: numbers by value, then texts by byte. Owned: crdi_names_free. */
crd_status crdi_levels(const crd_table *table, int64_t column, const crdi_rows *rows, char ***out, int64_t *out_count);
void crdi_names_free(crd_context *ctx, char **names, int64_t count);

/* ---- for people (dataset_describe.c) --------------------------------------------------------------------------- */

/* Appends three lines or four: rows, inputs and what was left out, and how the target is read. */
crd_status crdi_dataset_describe(const crd_dataset *dataset, crdi_string *out);

/* ---- values (dataset_apply.c) ---------------------------------------------------------------------------------- */

/* Features j to the one returned (excluded) come from one column: the levels of a categorical one, or a number alone. */
int64_t crdi_recipe_group(const crd_recipe *recipe, int64_t j);
/* Writes x (rows, features) as the recipe says; `column[j]` is the table's column of feature j. */
crd_status crdi_recipe_inputs(const crd_recipe *recipe, const crd_table *table, const int64_t *column,
                              const crdi_rows *rows, double *x);
/* Writes target i, found in the table's column, into y of the shape crdi_recipe_shape. */
crd_status crdi_recipe_target(const crd_recipe *recipe, int64_t i, const crd_table *table, int64_t column,
                              const crdi_rows *rows, double *y);
/* Of y: (rows), or (rows, targets) if there are several. */
crd_shape crdi_recipe_shape(const crd_recipe *recipe, int64_t rows);
/* y in its own units: element i of an array whose last axis is the targets. */
double crdi_recipe_own_units(const crd_recipe *recipe, int64_t i, double y);
/* Copies the first target to the members for one. */
void crdi_recipe_first_target(crd_recipe *recipe);

#endif
