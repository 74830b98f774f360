/* run_outputs.h - what the network of a run says of inputs, for every draw: functions drawn from the posterior. */
#ifndef CRDI_REPORT_RUN_OUTPUTS_H
#define CRDI_REPORT_RUN_OUTPUTS_H

#include "store/network_run.h"

/* Gets f of one row for all draws of crdi_run_part_find, (draws, outputs), chains one after the other, which it may overwrite. Called
 * from several threads. */
typedef crd_status (*crdi_output_row_fn)(void *user, int64_t row, int64_t draws, double *f);

/* f as the model has it: scaled targets, logits, logarithms of rates. x: (rows, features), prepared by the run's recipe.
 * CRD_EMISSING: no draws; CRD_EUNSUPPORTED: a model written in C. */
crd_status crdi_run_outputs(const crdi_network_run *net, const crd_array *x, int threads, crdi_output_row_fn row,
                            void *user);

#endif
