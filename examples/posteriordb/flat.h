/* flat.h - improper priors: what a Stan program says by declaring a parameter and giving it no distribution. */
#ifndef EXAMPLES_FLAT_H
#define EXAMPLES_FLAT_H

#include <credence/dist.h>

/** Density 1 on all reals, on the positive ones, between two bounds (which may be sites), on the simplex of k. */
crd_dist flat(void);
crd_dist flat_positive(void);
crd_dist flat_interval(crd_node low, crd_node high);
crd_dist flat_simplex(int64_t k);

#endif
