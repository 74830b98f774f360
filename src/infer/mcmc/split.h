/* split.h - the symmetric step of a Hamiltonian that is split over batches of rows: split_hmc.c says what it is. */
#ifndef CRDI_SPLIT_H
#define CRDI_SPLIT_H

#include "infer/mcmc/hamiltonian.h"
#include "infer/mcmc/whole.h"

typedef struct crdi_split {
    crdi_hamiltonian *h; /* borrowed; its evaluation becomes that of all rows, in parts */
    crdi_whole whole;
    double *first; /* (dim) the gradient of part 1 where the motion is, times its weight */
    double *sum; /* (1 + dim) */
} crdi_split;

crd_status crdi_split_create(crdi_split *s, crdi_hamiltonian *h, const crdi_batches *batches);
void crdi_split_destroy(crdi_split *s);
/* Before the first step from a point. One gradient of a batch. */
void crdi_split_begin(crdi_split *s);
/* A step of q and p of the given (signed) size; log density and gradient are not those of its end. 2 M - 1 gradients of batches. */
void crdi_split_step(crdi_split *s, double step);
/* After the last: log density, gradient, sharp and energy of the point, of all rows. M gradients of batches. */
void crdi_split_end(crdi_split *s);

#endif
