/* calibrate.h - tables that a run is held against, and the options that calibrate it. */
#ifndef CRDI_CLI_CALIBRATE_H
#define CRDI_CLI_CALIBRATE_H

#include "cli/csv.h"
#include "report/calibration.h"

typedef struct crdi_calibrate_options {
#define OPT CRDI_OPTION_FIELD
#include "cli/calibrate.def"
#undef OPT
} crdi_calibrate_options;

extern const crdi_option_table crdi_calibrate_table;

/* A table and what a run's recipe makes of it. */
typedef struct crdi_cli_rows {
    crd_table *table;
    crd_inputs *inputs;
} crdi_cli_rows;

/* Reads one. @param rows  file of row numbers; NULL: all. Columns that the fit did not use are
 * warned of. */
crd_status crdi_cli_rows_read(crdi_cli *cli, const crdi_cli_call *call, const crdi_network_run *net, const char *path,
                              crd_apply_target target, const char *rows, crdi_cli_rows *out);
void crdi_cli_rows_clear(crdi_cli_rows *rows);

/* What the options ask for; NULL if that is nothing. `request` has the run, weights, key and threads. CRD_EMISSING,
 * CRD_EINVAL: one option without the other. */
crd_status crdi_cli_calibrate(crdi_cli *cli, crdi_cli_call *call, const crdi_outlook_request *request,
                              crdi_calibration **out);

#endif
