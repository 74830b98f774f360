/* predictive.c - see predictive.h. */
#include "cli/predictive.h"

#include <string.h>

static const crdi_option rows[] = {
#define OPT(...) CRDI_OPTION_ROW(crdi_predictive_options, __VA_ARGS__)
#include "cli/predictive.def"
#undef OPT
};

const crdi_option_table crdi_predictive_table = CRDI_OPTION_TABLE("predictive", crdi_predictive_options, rows);

crd_status crdi_cli_predictive(crdi_cli *cli, crdi_cli_call *call, crdi_network_run *net, bool *probit)
{
    const crdi_predictive_options *o = crdi_cli_values(call, &crdi_predictive_table);
    if (strcmp(o->predictive, "auto") == 0)
        return CRD_OK;
    CRD_TRY(crdi_network_run_linear(net, strcmp(o->predictive, "sampled") != 0));
    if (strcmp(o->predictive, "probit") != 0)
        return CRD_OK;
    if (!probit)
        return crdi_raise(
            cli->ctx, CRD_EINVAL,
            "option --predictive probit goes with predict; linearised averages the probabilities of draws "
            "instead");
    if (net->recipe->target_kind != CRD_TARGET_CLASS)
        return crdi_raise(cli->ctx, CRD_EINVAL,
                          "option --predictive probit goes with classes; for numbers linearised is in closed form");
    *probit = true;
    return CRD_OK;
}
