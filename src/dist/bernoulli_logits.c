/* bernoulli_logits.c - Bernoulli(logits): x is 1 with probability sigmoid(logits).
 *   log p(x) = x logits - softplus(logits), which neither overflows nor cancels. */
#include "dist/dist.h"

static crd_support support(const crd_dist *d)
{
    (void)d;
    return (crd_support){CRD_BOOLEAN, crd_num(0), crd_num(2)};
}

static crd_node log_prob(const crd_dist *d, crd_node x)
{
    return crd_sub(crd_mul(x, d->param[0]), crd_softplus(d->param[0]));
}

static crd_node draw(const crd_dist *d, crd_node key, crd_shape shape)
{
    return crd_less(crd_random_uniform_node(key, shape), crd_sigmoid(d->param[0]));
}

static crd_node mean(const crd_dist *d)
{
    return crd_sigmoid(d->param[0]);
}

static crd_node variance(const crd_dist *d)
{
    return crd_mul(crd_sigmoid(d->param[0]), crd_sigmoid(crd_neg(d->param[0])));
}

static crd_node entropy(const crd_dist *d)
{
    /* softplus(l) - l sigmoid(l), for |l|: nothing large cancels */
    crd_node l = crd_abs(d->param[0]);
    return crd_add(crd_softplus(crd_neg(l)), crd_mul(l, crd_sigmoid(crd_neg(l))));
}

static crd_node cdf(const crd_dist *d, crd_node x)
{
    return crdi_boolean_cdf(crd_sigmoid(crd_neg(d->param[0])), x);
}

static crd_node quantile(const crd_dist *d, crd_node p)
{
    return crd_less(crd_sigmoid(crd_neg(d->param[0])), p);
}

const crd_dist_type crdi_dist_bernoulli_logits = {
    .name = "bernoulli_logits",
    .param_count = 1,
    .param = {{"logits", CRD_REAL, 0}},
    .discrete = 1,
    .support = support,
    .log_prob = log_prob,
    .draw = draw,
    .mean = mean,
    .variance = variance,
    .cdf = cdf,
    .entropy = entropy,
    .quantile = quantile,
};
