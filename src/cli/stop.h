/* stop.h - the options of fit and resume that end a run before all its draws. */
#ifndef CRDI_CLI_STOP_H
#define CRDI_CLI_STOP_H

#include "cli/command.h"
#include "report/stop_rule.h"

typedef struct crdi_stop_options {
#define OPT CRDI_OPTION_FIELD
#include "cli/stop.def"
#undef OPT
} crdi_stop_options;

extern const crdi_option_table crdi_stop_table;

/* "90", "90s", "10m", "1h30m", "1.5h", "2d": seconds, more than 0. CRD_EINVAL. */
crd_status crdi_stop_seconds(crd_context *ctx, const char *text, double *out);

/* Sets the fit's time and its rule; `rule` holds the latter, and must not move. `text`: the rule, instead of the option's. NULL:
 * none. CRD_EINVAL: also a rule for a method without chains. */
crd_status crdi_stop_set(crdi_cli *cli, const crdi_stop_options *options, const char *text, crdi_network_fit *net,
                         crdi_stop_rule *rule);

#endif
