/* geometric_logits.c - Geometric(logits l): failures before the first success, which has probability sigmoid(l) each time.
 *   log p(x) = -x softplus(l) - softplus(-l)
 *   draw: floor(log u / -softplus(l)), u uniform. */
#include "dist/counts.h"

static crd_node log_prob(const crd_dist *d, crd_node x)
{
    crd_node l = d->param[0];
    return crd_neg(crd_add(crd_mul(x, crd_softplus(l)), crd_softplus(crd_neg(l))));
}

static crd_node draw(const crd_dist *d, crd_node key, crd_shape shape)
{
    crd_node waiting = crd_neg(crd_log(crdi_uniform_positive(key, shape)));
    return crd_floor(crd_div(waiting, crd_softplus(d->param[0])));
}

static crd_node mean(const crd_dist *d)
{
    return crd_exp(crd_neg(d->param[0]));
}

static crd_node variance(const crd_dist *d)
{
    return crd_mul(mean(d), crd_add(crd_num(1), mean(d)));
}

/* 1 - exp(-(floor(x) + 1) softplus(l)), 0 below 0. */
static crd_node cdf(const crd_dist *d, crd_node x)
{
    crd_node trials = crd_max(crd_add(crd_floor(x), crd_num(1)), crd_num(0));
    return crd_neg(crd_expm1(crd_neg(crd_mul(trials, crd_softplus(d->param[0])))));
}

/* The mean number of failures, and the success, each with its log probability. */
static crd_node entropy(const crd_dist *d)
{
    crd_node l = d->param[0];
    return crd_add(crd_mul(mean(d), crd_softplus(l)), crd_softplus(crd_neg(l)));
}

/* The first x with (floor(x) + 1) log(1 - p) <= log(1 - p'), p' the probability that is asked for. */
static crd_node quantile(const crd_dist *d, crd_node p)
{
    crd_node trials = crd_div(crd_log1p(crd_neg(p)), crd_neg(crd_softplus(d->param[0])));
    return crdi_count_step(d, crd_neg(crd_add(crd_floor(crd_neg(trials)), crd_num(1))), p);
}

const crd_dist_type crdi_dist_geometric_logits = {
    .name = "geometric_logits",
    .param_count = 1,
    .param = {{"logits", CRD_REAL, 0}},
    .discrete = 1,
    .support = crdi_support_count,
    .log_prob = log_prob,
    .draw = draw,
    .mean = mean,
    .variance = variance,
    .cdf = cdf,
    .entropy = entropy,
    .quantile = quantile,
};
