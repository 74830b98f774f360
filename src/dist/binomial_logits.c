/* binomial_logits.c - Binomial(logits l, total_count n): successes in n trials of probability sigmoid(l).
 *   log p(x) = log(n over x) + x l - n softplus(l), as -(x softplus(-l) + (n - x) softplus(l)) so that it does not cancel
 *   draw: random_binomial (src/rng/counts.c), without a gradient. */
#include "dist/counts.h"

static crd_support support(const crd_dist *d)
{
    return (crd_support){CRD_COUNT_UP_TO, crd_num(0), d->param[1]};
}

static crd_node log_prob(const crd_dist *d, crd_node x)
{
    crd_node l = d->param[0], n = d->param[1];
    crd_node trials = crd_add(crd_mul(x, crd_softplus(crd_neg(l))), crd_mul(crd_sub(n, x), crd_softplus(l)));
    return crdi_up_to(n, x, crd_sub(crdi_log_choose(n, x), trials));
}

static crd_node draw(const crd_dist *d, crd_node key, crd_shape shape)
{
    return crd_random_binomial_node(key, d->param[1], crd_sigmoid(d->param[0]), shape);
}

static crd_node mean(const crd_dist *d)
{
    return crd_mul(d->param[1], crd_sigmoid(d->param[0]));
}

static crd_node variance(const crd_dist *d)
{
    return crd_mul(mean(d), crd_sigmoid(crd_neg(d->param[0])));
}

static crd_node quantile(const crd_dist *d, crd_node p)
{
    return crdi_count_quantile(d, crd_binomial_quantile(d->param[1], crd_sigmoid(d->param[0]), p), p);
}

const crd_dist_type crdi_dist_binomial_logits = {
    .name = "binomial_logits",
    .param_count = 2,
    .param = {{"logits", CRD_REAL, 0}, {"total_count", CRD_COUNT, 0}},
    .discrete = 1,
    .support = support,
    .log_prob = log_prob,
    .draw = draw,
    .mean = mean,
    .variance = variance,
    .cdf = crdi_count_cdf,
    .quantile = quantile,
};
