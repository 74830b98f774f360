/* bernoulli.c - Bernoulli(probs): x is 1 with probability probs.
 *   log p(1) = log(probs), log p(0) = log(1 - probs); probabilities of exactly 0 and 1 give -infinity, never NaN. Where
 *   probs is the sigmoid of something, bernoulli_logits does not lose its tails. */
#include "dist/dist.h"

static crd_support support(const crd_dist *d)
{
    (void)d;
    return (crd_support){CRD_BOOLEAN, crd_num(0), crd_num(2)};
}

static crd_node log_prob(const crd_dist *d, crd_node x)
{
    return crd_select(x, crd_log(d->param[0]), crd_log1p(crd_neg(d->param[0])));
}

static crd_node draw(const crd_dist *d, crd_node key, crd_shape shape)
{
    return crd_less(crd_random_uniform_node(key, shape), d->param[0]);
}

static crd_node mean(const crd_dist *d)
{
    return d->param[0];
}

static crd_node variance(const crd_dist *d)
{
    return crd_mul(d->param[0], crd_sub(crd_num(1), d->param[0]));
}

static crd_node entropy(const crd_dist *d)
{
    crd_node p = d->param[0], q = crd_sub(crd_num(1), p), tiny = crd_num(DBL_MIN);
    crd_node own = crd_mul(p, crd_log(crd_max(p, tiny)));
    return crd_neg(crd_add(own, crd_mul(q, crd_log(crd_max(q, tiny)))));
}

static crd_node cdf(const crd_dist *d, crd_node x)
{
    return crdi_boolean_cdf(crd_sub(crd_num(1), d->param[0]), x);
}

static crd_node quantile(const crd_dist *d, crd_node p)
{
    return crd_less(crd_sub(crd_num(1), d->param[0]), p);
}

const crd_dist_type crdi_dist_bernoulli = {
    .name = "bernoulli",
    .param_count = 1,
    .param = {{"probs", CRD_PROBABILITY, 0}},
    .discrete = 1,
    .support = support,
    .log_prob = log_prob,
    .draw = draw,
    .mean = mean,
    .variance = variance,
    .cdf = cdf,
    .entropy = entropy,
    .quantile = quantile,
    .tested = 1u << 0,
};
