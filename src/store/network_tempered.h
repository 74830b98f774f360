/* network_tempered.h - what a run file says of a run over temperatures beyond its draws: entries and arrays, listed in
 * docs/dev/run_file.md. */
#ifndef CRDI_NETWORK_TEMPERED_H
#define CRDI_NETWORK_TEMPERED_H

#include "store/network_run.h"
#include <credence/evidence.h>

/* Whether a run has an evidence. */
bool crdi_run_has_evidence(crd_run *run);
/* Into the run's entries. */
crd_status crdi_run_evidence_write(crdi_run *run, const crd_evidence *evidence);
/* crd_evidence_clear frees it. */
crd_status crdi_run_evidence_read(crd_context *ctx, crd_run *run, crd_evidence *out);

#endif
