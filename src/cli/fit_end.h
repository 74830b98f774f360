/* fit_end.h - what stands at the end of a run: what it took and what its file holds, or why it was stopped. */
#ifndef CRDI_CLI_FIT_END_H
#define CRDI_CLI_FIT_END_H

#include "cli/command.h"
#include "store/network_fit.h"

typedef struct crdi_fit_end {
    crdi_cli *cli;
    const crdi_network_fit *net; /* after it was run */
    crdi_mcmc_report cost;
    bool interrupted, json, quiet;
} crdi_fit_end;

/* Reads the run's file and prints: results on standard output, the line of a run that was stopped on standard error. */
crd_status crdi_fit_end_print(const crdi_fit_end *end);
/* The outcome of the command: a run that ended because its time was over did what it was told. */
crd_status crdi_fit_end_status(const crdi_network_fit *net, crd_status status);

#endif
