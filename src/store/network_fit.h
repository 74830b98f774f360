/* network_fit.h - a network fitted into a run file: everything that can be refused first, then the draws. */
#ifndef CRDI_NETWORK_FIT_H
#define CRDI_NETWORK_FIT_H

#include "infer/mcmc.h"
#include "store/network_run.h"

typedef struct crdi_network_fit {
    crd_context *ctx;
    /* What the caller fills; borrowed until clear. */
    const crd_dataset *dataset;
    crd_network network; /* the settings; x and y come from the data set */
    crd_nuts_options mcmc; /* complete, as the options' table gives it: warmup 0 means none */
    const char *data_name, *options, *path; /* options: JSON for the record */
    int64_t seed; /* 0 or more */
    bool force;
    /* Ours. */
    crd_model *model;
    crdi_arena *arena;
    crdi_mcmc_columns columns;
    crdi_run *run;
    bool kept_older; /* after the run: it came to no draws, and the file that it was to replace still stands */
} crdi_network_fit;

/* Compiles the model and creates the run file beside its place: CRD_EPRIOR, CRD_ENAME, CRD_EINVAL, CRD_EEXISTS, CRD_EIO and
 * whatever else can be wrong. Nothing stands at the path yet, and an older file there is untouched. */
crd_status crdi_network_fit_prepare(crdi_network_fit *fit);
/* Draws. CRD_INTERRUPTED: stopped by mcmc.stop; what was drawn is in the file. After an error without any draw no file is
 * left; a file that was to be replaced stays as it was until there are draws. */
crd_status crdi_network_fit_run(crdi_network_fit *fit, crdi_mcmc_report *report);
void crdi_network_fit_clear(crdi_network_fit *fit);

#endif
