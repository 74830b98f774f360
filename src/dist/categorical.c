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

static crd_node cdf(const crd_dist *d, crd_node x)
{
    return crdi_category_cdf(d->param[0], x);
}

static crd_node quantile(const crd_dist *d, crd_node p)
{
    return crdi_category_quantile(d->param[0], p);
}

static crd_node entropy(const crd_dist *d)
{
    crd_node p = d->param[0]; /* p log(p) is 0 at 0 */
    return crd_neg(crd_sum_axis(crd_mul(p, crd_log(crd_max(p, crd_num(DBL_MIN)))), -1));
}

const crd_dist_type crdi_dist_categorical = {
    .name = "categorical",
    .param_count = 1,
    .param = {{"probs", CRD_SIMPLEX, 1}},
    .discrete = 1,
    .support = crdi_category_support,
    .log_prob = log_prob,
    .draw = draw,
    .cdf = cdf,
    .entropy = entropy,
    .quantile = quantile,
    .tested = 1u << 0,
};
