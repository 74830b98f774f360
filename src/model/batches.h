/* batches.h - the log density of a model that looks at some rows of a plate at a time.
 *
 * The rows are an input of the program: nothing is compiled or copied for a batch. What the rows of a batch say counts
 * population / rows times, as in a subsampled plate, so that the expectation over batches is the density of all; and so the sum
 * over disjoint batches that make up all rows, each weighted by its share of them, is that density exactly. */
#ifndef CRDI_BATCHES_H
#define CRDI_BATCHES_H

#include "model/model.h"

typedef struct crdi_batches {
    crd_program
        *program; /* (u, rows) -> log density, gradient in u; of all rows, if a batch is all: then they are no input */
    crd_program *last; /* the same for the `left` rows that whole batches leave over; NULL: none are */
    int64_t dim, rows, population, left;
} crdi_batches;

/* Compiles them. plate NULL: the one that the model subsamples, or the only one. rows: of a batch; 0: as the model has it.
 * CRD_ENAME: there is no such plate, or several could be meant; CRD_EINVAL: more rows than it has; CRD_ESHAPE, with the user's
 * line: data inside the plate do not go through crd_subsample. The caller clears, after a failure too. */
crd_status crdi_batches_create(const crd_model *model, const char *plate, int64_t rows, crdi_batches *out);
/* The same, of as many batches as are asked for, which are of equal size, or the last one is smaller. CRD_EINVAL: more than rows. A
 * model without plates is one batch. */
crd_status crdi_batches_create_count(const crd_model *model, const char *plate, int64_t count, crdi_batches *out);
void crdi_batches_clear(crdi_batches *batches);

/* Rows of the plate that batches would be of. The same failures. */
crd_status crdi_batches_population(const crd_model *model, const char *plate, int64_t *out);
/* One of their programs: of `rows` rows of a plate that has more, by their numbers. */
crd_status crdi_batches_compile(const crd_model *model, const char *plate, int64_t rows, crd_program **out);
/* (u, rows) -> log likelihood of these rows alone, each counted once; no gradient. */
crd_status crdi_batches_compile_likelihood(const crd_model *model, const char *plate, int64_t rows, crd_program **out);

#endif
