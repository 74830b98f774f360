/* evaluation.h - how good a run's predictions of a table's rows are: scores of every row, then of all with their errors. */
#ifndef CRDI_REPORT_EVALUATION_H
#define CRDI_REPORT_EVALUATION_H

#include "report/calibration.h"
#include "report/figures.h"
#include "report/table.h"

#include <credence/scores.h>

enum { CRDI_LEVELS = 4 };
extern const double crdi_interval_levels[CRDI_LEVELS]; /* of intervals: 0.5, 0.8, 0.9, 0.95 */

/* What is kept of a row and target; NaN where it does not apply. */
typedef enum crdi_cell {
    CRDI_CELL_Y, /* in own units; a class's number */
    CRDI_CELL_LOG_DENSITY,
    CRDI_CELL_TOTAL, /* this and the following, but F(y), also without y */
    CRDI_CELL_ALEATORIC,
    CRDI_CELL_EPISTEMIC,
    CRDI_CELL_MIDDLE, /* numbers and counts: mean of the predictions */
    CRDI_CELL_CONFIDENCE, /* classes: probability of the likeliest; numbers: F(y) */
    CRDI_CELL_RIGHT, /* classes: 0 or 1 */
    CRDI_CELL_SECOND, /* classes: probability of the second */
    CRDI_CELL_BRIER,
    CRDI_CELL_GAUSSIAN, /* numbers and counts from here */
    CRDI_CELL_CRPS,
    CRDI_CELL_SQUARED,
    CRDI_CELL_COVERED_50, /* as many as there are levels, here and below */
    CRDI_CELL_COVERED_80,
    CRDI_CELL_COVERED_90,
    CRDI_CELL_COVERED_95,
    CRDI_CELL_WIDTH_50,
    CRDI_CELL_WIDTH_80,
    CRDI_CELL_WIDTH_90,
    CRDI_CELL_WIDTH_95,
    CRDI_CELL_CONFORMAL_50, /* all, if there are conformal limits */
    CRDI_CELL_CONFORMAL_80,
    CRDI_CELL_CONFORMAL_90,
    CRDI_CELL_CONFORMAL_95,
    CRDI_CELL_SIZE_50,
    CRDI_CELL_SIZE_80,
    CRDI_CELL_SIZE_90,
    CRDI_CELL_SIZE_95,
    CRDI_CELLS
} crdi_cell;

typedef struct crdi_evaluation {
    crd_context *ctx;
    const crdi_network_run *net; /* borrowed */
    const crdi_calibration *calibration; /* borrowed; NULL: none */
    crdi_outcome outcome;
    bool known; /* y is */
    int64_t rows, targets, classes;
    double *cell; /* (targets, CRDI_CELLS, rows) */
    double *joint; /* (rows) log density of all targets together; NULL for one */
} crdi_evaluation;

/* Scores the rows of the request (its `row` and `user` are not read); without y uncertainties alone. Intervals of numbers are between
 * quantiles of the predictions: of the mixture of normals where the noise is normal, else of draws of y. */
crd_status crdi_evaluation_make(const crdi_outlook_request *request, const crdi_calibration *calibration,
                                crdi_evaluation **out);
void crdi_evaluation_destroy(crdi_evaluation **evaluation);
/* One kind of cell of all rows. */
const double *crdi_evaluation_cell(const crdi_evaluation *evaluation, int64_t target, crdi_cell cell);

/* ---- over rows (evaluation_scores.c) ---------------------------------------------------------------------------- */

typedef struct crdi_score_options {
    int bins; /* of calibration errors and reliability; levels for numbers */
    crd_binning binning;
} crdi_score_options;

typedef struct crdi_scored {
    int64_t target; /* -1: all targets together */
    const char *name, *what;
    crd_score score;
    int64_t rows; /* that it is made of: those of the table, or of both */
    double *influence; /* (rows) */
} crdi_scored;

typedef struct crdi_scores {
    crd_context *ctx;
    int64_t count, capacity;
    crdi_scored *score;
} crdi_scores;

/* All scores that apply. @param other  an evaluation without y of rows that should be told apart; NULL: none. */
crd_status crdi_scores_make(const crdi_evaluation *evaluation, const crdi_evaluation *other,
                            const crdi_score_options *options, crdi_scores **out);
void crdi_scores_destroy(crdi_scores **scores);

/* The reliability table of a target: bins of confidence for classes; for numbers one row a level p, its confidence p, its
 * frequency the share of rows with F(y) <= p. Returns how many rows `out` [options->bins] got; 0 for counts. */
crd_status crdi_reliability_make(const crdi_evaluation *evaluation, int64_t target, const crdi_score_options *options,
                                 crd_reliability_bin *out, int *count);

/* The figure "reliability", a row of panels a target (evaluation_figure.c). CRD_EUNSUPPORTED: counts. */
crd_status crdi_evaluation_figure(const crdi_evaluation *evaluation, const crdi_scores *scores,
                                  const crdi_score_options *options, crdi_figure **out);

/* ---- tables (evaluation_text.c) --------------------------------------------------------------------------------- */

/* A number of a table: four digits, "-" for one that is none. */
const char *crdi_score_cell(crdi_arena *arena, double value);
/* A table without empty cells: one that is NULL is memory that was not there, CRD_ENOMEM. */
crd_status crdi_score_table(crdi_string *out, const crdi_table *table);
/* Lines on what was calibrated, and what coverage is to be expected of that many rows; nothing for NULL. */
void crdi_calibration_text(crdi_string *out, const crdi_calibration *calibration, int64_t rows);

crd_status crdi_evaluation_text(crdi_string *out, const crdi_evaluation *evaluation, const crdi_scores *scores,
                                const crdi_score_options *options);
/* The scores of each row as a file (evaluation_rows.c). @param row  the table's number of each. */
crd_status crdi_evaluation_rows(const crdi_evaluation *evaluation, const int64_t *row, const char *path, bool force);
crd_status crdi_evaluation_csv(crdi_string *out, const crdi_evaluation *evaluation, const crdi_scores *scores);
crd_status crdi_evaluation_json(crdi_string *out, const crdi_evaluation *evaluation, const crdi_scores *scores,
                                const crdi_score_options *options);

#endif
