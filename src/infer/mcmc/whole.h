/* whole.h - the log density of all rows and its gradient as a sum over batches, in the memory of one. */
#ifndef CRDI_WHOLE_H
#define CRDI_WHOLE_H

#include "model/batches.h"

typedef struct crdi_whole {
    const crdi_batches *batches; /* borrowed, as the exec */
    crd_exec *exec; /* of batches->program; its input is (u, rows) */
    crd_exec *last; /* owned; NULL: whole batches are all rows */
    int64_t parts;
} crdi_whole;

crd_status crdi_whole_create(crdi_whole *w, const crdi_batches *batches, crd_exec *exec);
void crdi_whole_destroy(crdi_whole *w);
/* Part i of the sum at the point in exec's input: log density and gradient, to be counted `weight` times. Its rows are those
 * from i * rows on, in the order of the data. Borrowed, until the next run. */
const double *crdi_whole_part(crdi_whole *w, int64_t i, double *weight);
/* The sum into out (1 + dim). Costs `parts` gradients of a batch. Leaves other rows in exec's input. */
void crdi_whole_sum(crdi_whole *w, double *out);

#endif
