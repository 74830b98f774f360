/* flat_interval.c - density 1 between low and high: a uniform that is not normalised, whose bounds may be random without adding
 * to the density. Draws are the uniform's. */
#include "dist/dist.h"

#include <math.h>

static crd_support support(const crd_dist *d)
{
    return (crd_support){CRD_INTERVAL, d->param[0], d->param[1]};
}

static crd_node log_prob(const crd_dist *d, crd_node x)
{
    crd_node inside = crd_mul(crd_less_equal(d->param[0], x), crd_less_equal(x, d->param[1]));
    return crd_select(inside, crd_num(0), crd_num(-INFINITY));
}

static crd_node draw(const crd_dist *d, crd_node key, crd_shape shape)
{
    crd_node width = crd_sub(d->param[1], d->param[0]);
    return crd_add(d->param[0], crd_mul(width, crd_random_uniform_node(key, shape)));
}

const crd_dist_type crdi_dist_flat_interval = {
    .name = "flat_interval",
    .param_count = 2,
    .param = {{"low", CRD_REAL, 0}, {"high", CRD_ABOVE, 0}},
    .support = support,
    .log_prob = log_prob,
    .draw = draw,
};
