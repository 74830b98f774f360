/* progress.h - how a run is coming along, as text: what a chain reports becomes lines. Nothing is printed here. */
#ifndef CRDI_REPORT_PROGRESS_H
#define CRDI_REPORT_PROGRESS_H

#include "base/base.h"
#include <credence/mcmc.h>
#include <credence/svi.h>

typedef enum crdi_phase {
    CRDI_PHASE_WAITING, /* not begun */
    CRDI_PHASE_WARMUP,
    CRDI_PHASE_SAMPLING,
    CRDI_PHASE_FITTING, /* of a variational fit */
    CRDI_PHASE_DONE,
    CRDI_PHASE_STOPPED /* by the user or by an error */
} crdi_phase;

typedef struct crdi_chain_progress {
    int64_t iteration, warmup, total; /* done; of these warm-up; to be done, warm-up included */
    crdi_phase phase;
    double step_size; /* not shown unless > 0 and finite */
    double gradients; /* mean gradient evaluations a draw; not shown unless > 0 and finite */
    int64_t divergences; /* after warm-up */
    double seconds, seconds_left; /* since the start; to go: NaN or negative when not known */
    bool fit; /* no chain: a variational fit */
    double loss; /* of a fit; not shown unless it is finite */
    int64_t skipped; /* steps of a fit that were not finite */
    double held_out; /* of a fit: loss of rows held out; NaN: there are none */
} crdi_chain_progress;

/* From what the sampler reports. `ended`: the run is over, so a chain that is not at its end was stopped. */
crdi_chain_progress crdi_progress_of(const crd_chain_progress *chain, bool ended);
crdi_chain_progress crdi_progress_of_fit(const crd_svi_progress *fit);

/* A block of one line a chain, each shorter than `width` columns (what does not fit is left out from the right), at
 * most `height` lines (0: no limit): chains beyond it share the last line. `before`: lines of the block that stands
 * above the cursor and is to be drawn over (0 the first time). Returns the lines of this block, negative: a status.
 * The cursor ends below the block. */
int crdi_progress_block(crdi_string *out, const crdi_chain_progress *chains, int count, int width, int height,
                        int before);

/* The rows that such a block takes on a terminal of `width` columns, which breaks lines that are longer. */
int crdi_progress_rows(const char *block, int width);

/* Plain lines for files and pipes: one for each chain that has come further, or into another phase, than `before` says
 * (all zero: nothing was said yet); of many chains one for all together. */
crd_status crdi_progress_lines(crdi_string *out, const crdi_chain_progress *chains, const crdi_chain_progress *before,
                               int count);

/* "0:07", "12:05", "3:02:59", "5d 01h"; "?" for what is not a time. buffer >= 24. */
const char *crdi_progress_time(char *buffer, double seconds);

#endif
