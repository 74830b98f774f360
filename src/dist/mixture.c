/* mixture.c - Mixture(probs, base): component k of the base with probability probs[k]. The formulas are in components.c. */
#include "dist/components.h"
#include "dist/counts.h"

static crd_node weights(const crd_dist *d)
{
    return d->param[0];
}

static crd_node log_weights(const crd_dist *d)
{
    return crd_log(d->param[0]);
}

static crd_node log_prob(const crd_dist *d, crd_node x)
{
    return crdi_mixture_log_prob(d, log_weights(d), x);
}

static crd_node draw(const crd_dist *d, crd_node key, crd_shape shape)
{
    return crdi_mixture_draw(d, weights(d), key, shape);
}

static crd_node mean(const crd_dist *d)
{
    return crdi_mixture_mean(d, weights(d));
}

static crd_node variance(const crd_dist *d)
{
    return crdi_mixture_variance(d, weights(d));
}

static crd_node cdf(const crd_dist *d, crd_node x)
{
    return crd_sum_axis(crd_mul(weights(d), crdi_base_cdf(d, crdi_column(x))), -1);
}

const crd_dist_type crdi_dist_mixture = {
    .name = "mixture",
    .param_count = 1,
    .param = {{"probs", CRD_SIMPLEX, 1}},
    .support = crdi_mixture_support,
    .event_shape = crdi_base_event_shape,
    .log_prob = log_prob,
    .draw = draw,
    .detached = 1,
    .mean = mean,
    .variance = variance,
    .cdf = cdf,
    .compound = 1,
    .base_axes = 1,
    .tested = 1u << 0,
};
