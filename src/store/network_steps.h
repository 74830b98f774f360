/* network_steps.h - what methods share that fit a network in steps: variational inference and training. */
#ifndef CRDI_NETWORK_STEPS_H
#define CRDI_NETWORK_STEPS_H

#include "store/network_fit.h"

/* Compiles the fit from svi, train, and start and threads of mcmc: all that can be refused. `mean`: the loss is that of
 * training, a mean over rows. */
crd_status crdi_network_svi_create(crdi_network_fit *fit, bool mean);
/* The columns: sites, kept ones, then more: "s", a latent site, or statistics. */
crd_status crdi_network_svi_columns(crdi_network_fit *fit, const char *const *more, int more_count);
/* "10000 steps of adam:0.01, ..." */
void crdi_network_svi_plan(const crdi_network_fit *fit, crdi_string *out);
/* Makes the steps, or the rest of them, and keeps the restarts' states in the sink. CRD_INTERRUPTED: stopped; the history says
 * whether any step was made. */
crd_status crdi_network_svi_fit(crdi_network_fit *fit, const crdi_sink *sink, crdi_mcmc_report *report);
/* The entries and arrays that say how it went. */
crd_status crdi_network_svi_describe(crdi_network_fit *fit);
void crdi_network_svi_clear(crdi_network_fit *fit);

#endif
