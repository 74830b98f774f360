/* flat_ordered.c - an improper prior: density 1 at every vector of `count` numbers in ascending order. Nothing can be drawn from it. */
#include "dist/dist.h"

static crd_shape event_shape(const crd_dist *d)
{
    return crd_shape_1(crdi_known_count(d->param[0]));
}

static crd_support support(const crd_dist *d)
{
    (void)d;
    return (crd_support){CRD_ORDERED, crd_num(0), crd_num(0)};
}

static crd_node log_prob(const crd_dist *d, crd_node x)
{
    (void)d;
    return crd_sum_axis(crdi_repeat(crd_num(0), x), -1);
}

const crd_dist_type crdi_dist_flat_ordered = {
    .name = "flat_ordered",
    .param_count = 1,
    .param = {{"count", CRD_EXTENT, 0}},
    .event_shape = event_shape,
    .support = support,
    .log_prob = log_prob,
};
