/* fitted.h - networks fitted into a run file in a folder of the test program's own: what tests of run files begin with. */
#ifndef CRD_FITTED_H
#define CRD_FITTED_H

#include "store/network_fit.h"
#include "testing.h"

/* Group setup and teardown: an empty folder, and nothing of it afterwards. */
int fitted_begin(void **state);
int fitted_end(void **state);
/* The run file; it is there after the first fit, and each fit replaces it. */
extern char fitted_path[];
/* Another file of that folder. Static storage, overwritten by the next call. */
const char *fitted_beside(const char *name);

/* Reads a table that was written into a string, which is cleared, and makes a data set of it. */
crd_dataset *fitted_dataset(crd_context *ctx, crdi_string *csv, const crd_dataset_options *options);

/* Settings of a short run of NUTS that keeps f, with a seed. Change what the test is about. */
crdi_network_fit fitted_settings(crd_context *ctx, const crd_network *network, int chains, int warmup, int draws);

/* Fits, destroys the data set, and opens the file. In two steps, for who wants to look at the fit in between. */
crdi_network_run *fitted_run(crdi_network_fit *fit, crd_dataset *dataset);
void fitted_fit(crdi_network_fit *fit, const crd_dataset *dataset);
crdi_network_run *fitted_open(crdi_network_fit *fit, crd_dataset *dataset);

#endif
