/* run_csv.h - tables out of a run: its predictions and its draws. */
#ifndef CRDI_REPORT_RUN_CSV_H
#define CRDI_REPORT_RUN_CSV_H

#include "report/prediction.h"
#include "report/rows_out.h"

/* Reads "0.025,0.5,0.975". Returns how many, or -1 with the reason raised: text, outside 0 to 1, the same twice. */
int crdi_probabilities_read(crd_context *ctx, const char *text, double *out, int most);

/* What a table of predictions has besides the inputs. */
typedef struct crdi_prediction_columns {
    crdi_outcome outcome;
    const double *prob;
    int prob_count;
    int64_t samples;
    bool conformal; /* intervals or sets (prediction_sets.h) */
} crdi_prediction_columns;

/* A table of predictions: the input columns of the recipe as `table` has them, then
 *   numbers  f_mean, f_sd, f_q.., y_q.., y_variance, aleatoric, epistemic, conformal_low, conformal_high
 *   counts   rate_mean, rate_sd, rate_q.., and the same
 *   several  the numbers of each target in turn: f_NAME_mean, f_NAME_sd, f_NAME_q.., y_NAME_q..
 *   classes  mode, p_NAME of each class, entropy, expected_entropy, mutual_information, p_NAME_q.., set
 * and sample_0, ... (sample_NAME_0, ... of each of several targets). Opening refuses what can be refused (an output that exists) before anything is computed. */
crd_status crdi_prediction_rows_open(crd_context *ctx, const crd_recipe *recipe, const crdi_prediction_columns *columns,
                                     const crdi_csv_place *place, crdi_rows_out **out);
/* row: the table's row of each prediction. */
crd_status crdi_prediction_rows_write(crdi_rows_out *rows, const crd_recipe *recipe, const crd_table *table,
                                      const int64_t *row, const crdi_prediction *prediction);

/* All draws: chain, draw (both from 0), then every element of every column by its label. Chains of a run that was stopped
 * may have different numbers of draws; all are written, as CSV whatever the place says. Memory: 32 MiB, or one draw. */
crd_status crdi_run_csv(crd_context *ctx, crd_run *run, const crdi_csv_place *place);

#endif
