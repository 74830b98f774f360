/* categorical.c - Categorical(probs): k with probability probs[k], the classes along the last axis.
 *   log p(k) = log(probs[k]), -infinity for a class of probability 0.
 *   draw: the first class whose cumulated probability exceeds a uniform number. */
#include "dist/category.h"

static crd_node log_prob(const crd_dist *d, crd_node x)
{
    return crd_log(crdi_category_pick(d->param[0], x));
}

static crd_node draw(const crd_dist *d, crd_node key, crd_shape shape)
{
    return crdi_category_draw(d->param[0], key, shape);
}

const crd_dist_type crdi_dist_categorical = {
    .name = "categorical",
    .param_count = 1,
    .param = {{"probs", CRD_SIMPLEX, 1}},
    .discrete = 1,
    .support = crdi_category_support,
    .log_prob = log_prob,
    .draw = draw,
};
