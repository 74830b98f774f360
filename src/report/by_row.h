/* by_row.h - what a network's run says about rows of data, for every draw: predictions, log likelihoods. */
#ifndef CRDI_REPORT_BY_ROW_H
#define CRDI_REPORT_BY_ROW_H

#include "store/network_run.h"

/* Rows go through the model in blocks of this many, each with a compiled program of its own. */
enum { CRDI_BLOCK_ROWS = 128, CRDI_BY_ROW_OUTPUTS = 3 };

/* What is asked for: rows first .. first + rows - 1. `compile` makes the program of some of them; its outputs are `outputs`
 * arrays of rows times `width` numbers; its input is the values of the model's latent sites, with a key (2 words) in front
 * if `keyed`. `row` then gets all draws of one row, chains one after the other, an array (draws, width) an output, which it
 * may overwrite. Both are called from several threads. */
typedef struct crdi_by_row {
    const crdi_network_run *net;
    const char *what; /* for messages: "predictions" */
    int64_t first, rows; /* first: a multiple of CRDI_BLOCK_ROWS */
    int outputs; /* 1 to CRDI_BY_ROW_OUTPUTS */
    int64_t width[CRDI_BY_ROW_OUTPUTS]; /* numbers a row of each output; 0: 1 */
    /* How often a draw is run, with other keys: the second output then has (draws, repeats, width) numbers a row, the others
     * those of the first time. 0: once. */
    int64_t repeats;
    bool keyed;
    crd_key
        key; /* draw d of block b uses crd_key_fold_in(crd_key_fold_in(key, b), d), its repetition r > 0 sub-key r of that */
    int64_t
        draws; /* of all chains together, rounded up to as many of each: its first; 0: all. CRD_EINVAL: more than there are */
    int threads; /* 0: as many as processors */
    size_t
        memory; /* bytes for draws and results at a time; 0: 32 MiB and 16 more a thread. Results do not depend on it */
    crd_status (*compile)(void *user, const crd_model *model, int64_t first, int64_t rows, crd_program **out);
    crd_status (*row)(void *user, int64_t row, int64_t draws, double *const *values);
    void *user;
} crdi_by_row;

/* Over the draws of crdi_run_part_find. CRD_EMISSING: no draws; CRD_EUNSUPPORTED: a model written in C; what compile and
 * row return. */
crd_status crdi_by_row_run(const crdi_by_row *request);

#endif
