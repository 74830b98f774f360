/* flat_positive.c - an improper prior: density 1 at every positive number. Nothing can be drawn from it. */
#include "dist/dist.h"

static crd_node log_prob(const crd_dist *d, crd_node x)
{
    (void)d;
    return crdi_repeat(crd_num(0), x);
}

const crd_dist_type crdi_dist_flat_positive = {
    .name = "flat_positive",
    .param_count = 0,
    .support = crdi_support_positive,
    .log_prob = log_prob,
};
