/* flat_below.c - an improper prior: density 1 at every number below a bound, which may be random. Nothing can be drawn from it. */
#include "dist/dist.h"

#include <math.h>

static crd_support support(const crd_dist *d)
{
    return (crd_support){CRD_BELOW, crd_num(-INFINITY), d->param[0]};
}

static crd_node log_prob(const crd_dist *d, crd_node x)
{
    return crd_select(crd_less(x, d->param[0]), crd_num(0), crd_num(-INFINITY));
}

const crd_dist_type crdi_dist_flat_below = {
    .name = "flat_below",
    .param_count = 1,
    .param = {{"high", CRD_REAL, 0}},
    .support = support,
    .log_prob = log_prob,
};
