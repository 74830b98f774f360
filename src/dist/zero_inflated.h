/* zero_inflated.h - the density of zero-inflated counts; see zero_inflated.c. */
#ifndef CRDI_ZERO_INFLATED_H
#define CRDI_ZERO_INFLATED_H

#include "dist/dist.h"

/* From the log probability that the base gives to x. */
crd_node crdi_zero_inflated_log_prob(crd_node gate, crd_node base_log_prob, crd_node x);

#endif
