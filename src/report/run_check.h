/* run_check.h - what `credence check` says of a run file: whether it is whole, what it is, how far it got, whether it can
 * be gone on with. */
#ifndef CRDI_REPORT_RUN_CHECK_H
#define CRDI_REPORT_RUN_CHECK_H

#include "store/run_resumable.h"

typedef struct crdi_run_check_chain {
    int64_t draws;
    bool has_state;
    int64_t iteration; /* of the state, warm-up counted */
    size_t state_bytes;
} crdi_run_check_chain;

typedef struct crdi_run_check {
    crd_context *ctx;
    crdi_arena *arena; /* texts */
    const char *path;
    int64_t format, bytes;
    int64_t log; /* bytes of the log beside it (-wal): latest draws, of a run that is written or was killed */
    const char *version, *started, *status, *method, *model, *network, *data_name,
        *data_sha256; /* "" where not known */
    const char *ending; /* why it ended; "" where all was done */
    int64_t seed, rows, warmup, asked; /* draws asked for, a chain; -1 where not known */
    bool has_seed;
    int columns, sites; /* all columns; those that are parameters */
    int chains;
    crdi_run_check_chain *chain; /* (chains), in the arena */
    bool finished, more; /* it is complete; and its chains can have more draws */
    bool killed; /* it says that it runs, and nobody writes it */
    crdi_run_resumable resumable;
} crdi_run_check;

/* Reads every byte of the file. CRD_EDAMAGED names the first thing that is wrong, CRD_EVERSION a newer format; errors of
 * opening besides. */
crd_status crdi_run_check_make(crd_context *ctx, const char *path, crdi_run_check **out);
void crdi_run_check_destroy(crdi_run_check **check);

crd_status crdi_run_check_text(crdi_string *out, const crdi_run_check *check);
crd_status crdi_run_check_json(crdi_string *out, const crdi_run_check *check);
/* For a file that is not whole: {"run": ..., "whole": false, "error": NAME, "message": ...}. */
crd_status crdi_run_check_failed_json(crdi_string *out, const char *path, crd_status status, const char *message);

#endif
