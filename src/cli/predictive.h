/* predictive.h - how the draws of a Laplace approximation are used, for every command that predicts. */
#ifndef CRDI_CLI_PREDICTIVE_H
#define CRDI_CLI_PREDICTIVE_H

#include "cli/command.h"
#include "store/network_run.h"

typedef struct crdi_predictive_options {
#define OPT CRDI_OPTION_FIELD
#include "cli/predictive.def"
#undef OPT
} crdi_predictive_options;

extern const crdi_option_table crdi_predictive_table;

/* Makes the run's network linear or not, as the option says. probit: where the command has such predictions, else NULL, and the option is
 * refused. CRD_EINVAL: the run has no such predictions. */
crd_status crdi_cli_predictive(crdi_cli *cli, crdi_cli_call *call, crdi_network_run *net, bool *probit);

#endif
