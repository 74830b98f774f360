/* category.h - what the distributions over classes share; see category.c. */
#ifndef CRDI_CATEGORY_H
#define CRDI_CATEGORY_H

#include "dist/dist.h"

/* The support 0 .. k - 1, k the length of the last axis of the first parameter. */
crd_support crdi_category_support(const crd_dist *dist);
/* values[x] along the last axis. */
crd_node crdi_category_pick(crd_node values, crd_node x);
/* From the probabilities of the classes, (.., k): the distribution function at x; the first class where it reaches p. */
crd_node crdi_category_cdf(crd_node probabilities, crd_node x);
crd_node crdi_category_quantile(crd_node probabilities, crd_node p);
/* From the log probabilities: the sum of -p log p; 0 log 0 is 0. */
crd_node crdi_category_entropy(crd_node log_probabilities);
/* Draws classes of given probabilities: (.., k). */
crd_node crdi_category_draw(crd_node probabilities, crd_node key, crd_shape shape);

#endif
