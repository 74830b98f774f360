/* categorical_logits.c - Categorical(logits): k with probability softmax(logits)[k], the classes along the last axis.
 *   log p(k) = logits[k] - logsumexp(logits).
 *   draw: the first class whose cumulated probability exceeds a uniform number. */
#include "dist/category.h"

static crd_node log_prob(const crd_dist *d, crd_node x)
{
    return crd_sub(crdi_category_pick(d->param[0], x), crd_logsumexp(d->param[0], -1));
}

static crd_node log_probs(const crd_dist *d)
{
    crd_node logits = d->param[0];
    crd_shape kept = crd_node_shape(logits);
    if (kept.ndim == 0) /* a number has no classes: crd_dist_check refuses it */
        return crd_num(0);
    kept.dim[kept.ndim - 1] = 1;
    return crd_sub(logits, crd_reshape(crd_logsumexp(logits, -1), kept));
}

static crd_node draw(const crd_dist *d, crd_node key, crd_shape shape)
{
    crd_node log_p = log_probs(d);
    return log_p.graph ? crdi_category_draw(crd_exp(log_p), key, shape) : crd_num(0);
}

static crd_node cdf(const crd_dist *d, crd_node x)
{
    return crdi_category_cdf(crd_exp(log_probs(d)), x);
}

static crd_node quantile(const crd_dist *d, crd_node p)
{
    return crdi_category_quantile(crd_exp(log_probs(d)), p);
}

static crd_node entropy(const crd_dist *d)
{
    return crdi_category_entropy(log_probs(d));
}

const crd_dist_type crdi_dist_categorical_logits = {
    .name = "categorical_logits",
    .param_count = 1,
    .param = {{"logits", CRD_REAL, 1}},
    .discrete = 1,
    .support = crdi_category_support,
    .log_prob = log_prob,
    .draw = draw,
    .cdf = cdf,
    .entropy = entropy,
    .quantile = quantile,
};
