/* csv.h - the options of every command that reads a table. */
#ifndef CRDI_CLI_CSV_H
#define CRDI_CLI_CSV_H

#include "cli/command.h"
#include <credence/dataset.h>

typedef struct crdi_csv_options {
#define OPT CRDI_OPTION_FIELD
#include "cli/csv.def"
#undef OPT
} crdi_csv_options;

extern const crdi_option_table crdi_csv_table;

/* Reads a table as the command's options say. */
crd_status crdi_cli_read_table(crdi_cli *cli, const crdi_cli_call *call, const char *path, crd_table **out);
crd_na crdi_cli_na(const crdi_cli_call *call);

#endif
