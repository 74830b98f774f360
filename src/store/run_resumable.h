/* run_resumable.h - whether a run that stands in a file can be gone on with, and in words why not. */
#ifndef CRDI_RUN_RESUMABLE_H
#define CRDI_RUN_RESUMABLE_H

#include "store/network_run.h"

typedef struct crdi_run_resumable {
    bool can;
    bool is_written; /* another process writes the file at this moment */
    bool beside; /* what is written stands beside the file, and is to replace it */
    bool lost; /* a run that was to replace it stands beside it, and has no state to go on from */
    bool newer; /* that is said of the run of crdi_run_has_newer, not of the file's */
    char why[240]; /* a sentence without an end: what stands in the way; "" if it can */
} crdi_run_resumable;

/* What is needed: that nobody writes the file; that the model is a network of the command line, so that it is in the
 * file; the entries method, options, seed, warmup and draws; and of every chain that has draws the state of its sampler.
 * A chain without draws and without a state begins anew, from its key. Errors are those of reading the file. */
crd_status crdi_run_resumable_find(const crdi_network_run *net, crdi_run_resumable *out);

/* Whether somebody holds the lock of this run file. Never waits, creates nothing. */
bool crdi_run_is_written(const char *path);

#endif
