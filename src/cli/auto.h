/* auto.h - --method auto: what the user gave stays, a plan fills in the rest (store/network_plan.h). */
#ifndef CRDI_CLI_AUTO_H
#define CRDI_CLI_AUTO_H

#include "cli/command.h"
#include "cli/stop.h"
#include "store/network_plan.h"

typedef struct crdi_auto {
    crdi_cli *cli;
    crdi_cli_call *call; /* of fit */
    crdi_network_fit *net;
    crdi_stop_rule *rule; /* where the plan's goes, unless the user gave one */
    /* The caller sets, before it settles: */
    const crd_dataset *dataset;
    bool chains; /* the user asked for what only Markov chains have, beside options of theirs */
    bool keeps_kernel; /* for what was asked for, the first kernel must be the last */
    /* Found. */
    const crdi_plan_rule *plan; /* NULL: the user said how */
    crdi_plan_facts facts;
    bool fixed; /* the user gave the draws: that many are made */
    crdi_string line; /* the plan and its reason in words */
} crdi_auto;

void crdi_auto_init(crdi_auto *a, crdi_cli *cli, crdi_cli_call *call, crdi_network_fit *net, crdi_stop_rule *rule);
/* Finds the plan and sets method, options and rule of the fit; the options are then those of the run, also in its record. What
 * the fit knows of the plan is borrowed from `a`, which must not move. */
crd_status crdi_auto_settle(crdi_auto *a);
/* Appends the lines "plan:" and "why:" of what is printed before the run, or of --check; nothing without a plan. */
void crdi_auto_lines(crdi_string *out, const crdi_auto *a);
void crdi_auto_clear(crdi_auto *a);

#endif
