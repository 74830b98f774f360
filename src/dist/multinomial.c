/* multinomial.c - Multinomial(probs, total_count n): how often each class comes in n trials, the classes along the last axis.
 *   log p(x) = log n! + sum of (x[k] log(probs[k]) - log x[k]!); 0 log 0 is 0; -infinity unless the sum of x is n
 *   draw: random_multinomial (src/rng/counts.c), without a gradient. */
#include "dist/counts.h"

#include <math.h>

static crd_shape event_shape(const crd_dist *d)
{
    crd_shape shape = crd_node_shape(d->param[0]);
    return crd_shape_1(shape.ndim ? shape.dim[shape.ndim - 1] : 1);
}

static crd_support support(const crd_dist *d)
{
    return (crd_support){CRD_COUNTS, crd_num(0), crdi_column(d->param[1])};
}

static crd_node probs(const crd_dist *d)
{
    return d->param[0];
}

static crd_node log_prob(const crd_dist *d, crd_node x)
{
    crd_node each = crd_sub(crdi_xlogy(x, probs(d)), crd_lgamma(crd_add(x, crd_num(1))));
    crd_node log_p = crd_add(crd_lgamma(crd_add(d->param[1], crd_num(1))), crd_sum_axis(each, -1));
    return crd_select(crd_equal(crd_sum_axis(x, -1), d->param[1]), log_p, crd_num(-INFINITY));
}

static crd_node draw(const crd_dist *d, crd_node key, crd_shape shape)
{
    return crd_random_multinomial_node(key, d->param[1], probs(d), shape);
}

static crd_node mean(const crd_dist *d)
{
    return crd_mul(crdi_column(d->param[1]), probs(d));
}

static crd_node variance(const crd_dist *d)
{
    return crd_mul(mean(d), crd_sub(crd_num(1), probs(d)));
}

const crd_dist_type crdi_dist_multinomial = {
    .name = "multinomial",
    .param_count = 2,
    .param = {{"probs", CRD_SIMPLEX, 1}, {"total_count", CRD_COUNT, 0}},
    .discrete = 1,
    .event_shape = event_shape,
    .support = support,
    .log_prob = log_prob,
    .draw = draw,
    .mean = mean,
    .variance = variance,
    .tested = 1u << 0,
};
