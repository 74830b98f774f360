/* geometric.c - Geometric(probs p): failures before the first success, x = 0, 1, 2, ...
 *   log p(x) = x log(1 - p) + log(p)
 *   draw: floor(log u / log(1 - p)), u uniform. */
#include "dist/counts.h"

static crd_node log_prob(const crd_dist *d, crd_node x)
{
    return crd_add(crdi_xlog1py(x, crd_neg(d->param[0])), crd_log(d->param[0]));
}

static crd_node draw(const crd_dist *d, crd_node key, crd_shape shape)
{
    crd_node waiting = crd_log(crdi_uniform_positive(key, shape));
    return crd_abs(crd_floor(crd_div(waiting, crd_log1p(crd_neg(d->param[0]))))); /* abs: no -0 where p is 1 */
}

static crd_node mean(const crd_dist *d)
{
    return crd_div(crd_sub(crd_num(1), d->param[0]), d->param[0]);
}

static crd_node variance(const crd_dist *d)
{
    return crd_div(mean(d), d->param[0]);
}

/* 1 - (1 - p)^(floor(x) + 1), 0 below 0. */
static crd_node cdf(const crd_dist *d, crd_node x)
{
    crd_node trials = crd_max(crd_add(crd_floor(x), crd_num(1)), crd_num(0));
    return crd_neg(crd_expm1(crdi_xlog1py(trials, crd_neg(d->param[0]))));
}

/* -((1 - p) log(1 - p) + p log p) / p */
static crd_node entropy(const crd_dist *d)
{
    crd_node p = d->param[0], q = crd_sub(crd_num(1), p);
    return crd_neg(crd_div(crd_add(crdi_xlogy(q, q), crdi_xlogy(p, p)), p));
}

/* The first x with (floor(x) + 1) log(1 - p) <= log(1 - p'), p' the probability that is asked for. */
static crd_node quantile(const crd_dist *d, crd_node p)
{
    crd_node trials = crd_div(crd_log1p(crd_neg(p)), crd_log1p(crd_neg(d->param[0])));
    return crdi_count_step(d, crd_neg(crd_add(crd_floor(crd_neg(trials)), crd_num(1))), p);
}

const crd_dist_type crdi_dist_geometric = {
    .name = "geometric",
    .param_count = 1,
    .param = {{"probs", CRD_PROBABILITY, 0}},
    .discrete = 1,
    .support = crdi_support_count,
    .log_prob = log_prob,
    .draw = draw,
    .mean = mean,
    .variance = variance,
    .cdf = cdf,
    .entropy = entropy,
    .quantile = quantile,
    .tested = 1u << 0,
};
