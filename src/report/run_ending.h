/* run_ending.h - why a run ended, in words. */
#ifndef CRDI_REPORT_RUN_ENDING_H
#define CRDI_REPORT_RUN_ENDING_H

#include "store/network_fit.h"

/* Appends what a rule came to: "ess=400 holds at 675 draws a chain: ess 412.3, r_hat 1.004 (s)". */
void crdi_rule_outcome(crdi_string *out, const char *rule, const crdi_fit_verdict *verdict);
/* What is appended behind that where a plan gave up. */
extern const char crdi_modes_advice[];
/* Appends why a run that stands in a file ended, from its entries; nothing where it made what it was asked for, or does not say,
 * or still runs. */
crd_status crdi_run_ending(crdi_string *out, crd_run *run);

#endif
