/* network_stop.h - how a fit may end before all its draws: by a signal, after a time, or because a rule holds.
 *
 * The rule is looked at behind fixed numbers of draws (100, 150, 225, ... and the last), by a thread of its own that reads the
 * run file; chains do not wait for it. When it holds for the first N draws of all chains, what they have drawn beyond is removed,
 * and their states are those behind draw N: where a run ends does not depend on threads or on how fast anything was. */
#ifndef CRDI_NETWORK_STOP_H
#define CRDI_NETWORK_STOP_H

#include "infer/mcmc.h"
#include "store/network_fit.h"

typedef struct crdi_network_stop crdi_network_stop;

/* Before the draws; takes the fit's stop functions over, until end. */
crd_status crdi_network_stop_begin(crdi_network_fit *fit, const crdi_sink *to, crdi_network_stop **out);
/* The sink to draw into. Valid until end. */
crdi_sink crdi_network_stop_sink(crdi_network_stop *stop);
/* Behind the draws, whose outcome is `status`: the looks that are still to come, and the cut where the rule holds. Sets the
 * fit's end and its verdict. Returns the status of the run: CRD_OK also where the rule holds. The report's counts of gradients are
 * then those of what was kept. */
crd_status crdi_network_stop_settle(crdi_network_stop *stop, crd_status status, crdi_mcmc_report *report);
/* Behind settle: where a rule has left the chains, (chains), borrowed, and the draws a chain. NULL and 0: no rule has, or there is no
 * memory (`held` above 0). A chain without bytes begins again. */
const crdi_mcmc_saved *crdi_network_stop_held(const crdi_network_stop *stop, int64_t *held);
void crdi_network_stop_end(crdi_network_stop **stop);

#endif
