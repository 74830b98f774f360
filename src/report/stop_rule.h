/* stop_rule.h - a rule that ends sampling when the draws are good enough: 'ess=400,rhat=1.01' of every site, or of f. */
#ifndef CRDI_REPORT_STOP_RULE_H
#define CRDI_REPORT_STOP_RULE_H

#include "store/network_fit.h"

/* Bulk and tail ess at least `ess`, and rank-normalised r_hat at most `r_hat`, for every element of every latent site; or for the
 * network's outputs at its data (CRDI_STOP_ROWS rows at most, spread evenly): run_function.h. */
typedef struct crdi_stop_rule {
    crd_context *ctx;
    double ess, r_hat; /* 0: nothing is asked of it */
    bool function;
    /* Between looks. */
    crd_context *own; /* a look's errors are not the chains' */
    crdi_network_run *net;
    int column; /* what broke the rule last is looked at first: while it is broken a look is short */
    int64_t element;
    crdi_fit_rule rule; /* over this; its text is borrowed */
} crdi_stop_rule;

enum { CRDI_STOP_ROWS = 64 };

/* "ess=N", "rhat=R", "of=sites" or "of=f", with commas. The rule must not move afterwards. CRD_EINVAL says what is wrong. */
crd_status crdi_stop_rule_parse(crd_context *ctx, const char *text, crdi_stop_rule *out);

#endif
