/* flat_above.c - an improper prior: density 1 at every number above a bound, which may be random. Nothing can be drawn from it. */
#include "dist/dist.h"

#include <math.h>

static crd_support support(const crd_dist *d)
{
    return (crd_support){CRD_ABOVE, d->param[0], crd_num(INFINITY)};
}

static crd_node log_prob(const crd_dist *d, crd_node x)
{
    return crd_select(crd_less(d->param[0], x), crd_num(0), crd_num(-INFINITY));
}

const crd_dist_type crdi_dist_flat_above = {
    .name = "flat_above",
    .param_count = 1,
    .param = {{"low", CRD_REAL, 0}},
    .support = support,
    .log_prob = log_prob,
};
