/* ordered_logistic.c - OrderedLogistic(predictor, cutpoints c): class k of 0 .. K, where logistic noise around the predictor
 * falls between cutpoints k - 1 and k, which increase along the last axis.
 *   p(k) = sigmoid(b) - sigmoid(a),  b = c[k] - predictor (infinity for the last),  a = c[k - 1] - predictor (-infinity for 0)
 *   log p(k) = log sigmoid(b) + log sigmoid(-a) + log(1 - exp(a - b)), which does not cancel in the tails
 *   draw: the first class whose cumulated probability exceeds a uniform number. */
#include "dist/category.h"
#include "dist/counts.h"
#include "graph/graph.h"

static int64_t cuts(const crd_dist *d)
{
    crd_shape shape = crd_node_shape(d->param[1]);
    return shape.ndim ? shape.dim[shape.ndim - 1] : 0;
}

static crd_support support(const crd_dist *d)
{
    return (crd_support){CRD_CATEGORY, crd_num(0), crd_num((double)cuts(d) + 1)};
}

/* Zeros with one column, and the rows of x. */
static crd_node zeros(crd_node x)
{
    crd_shape shape = crd_node_shape(x);
    shape.dim[shape.ndim - 1] = 1;
    return crdi_constant_fill(x.graph, 0, shape);
}

/* log p of all classes: (.., K + 1). */
static crd_node log_probs(const crd_dist *d)
{
    crd_node c = d->param[1];
    if (!c.graph || c.id < 0 || cuts(d) < 1)
        return c; /* crd_dist_check refuses it */
    crd_node apart = crd_sub(c, crdi_column(d->param[0]));
    if (!crd_node_ok(apart))
        return apart;
    crd_node upper[2] = {crd_neg(crd_softplus(crd_neg(apart))), zeros(apart)};
    crd_node lower[2] = {zeros(apart), crd_neg(crd_softplus(apart))};
    crd_node sum = crd_add(crd_concat(upper, 2, -1), crd_concat(lower, 2, -1));
    if (cuts(d) == 1)
        return sum;
    crd_node step = crd_sub(crd_slice(c, -1, 0, cuts(d) - 1, 1), crd_slice(c, -1, 1, cuts(d) - 1, 1));
    crd_node gap[3] = {zeros(c), crd_log(crd_neg(crd_expm1(step))), zeros(c)};
    return crd_add(sum, crd_concat(gap, 3, -1));
}

static crd_node log_prob(const crd_dist *d, crd_node x)
{
    return crdi_category_pick(log_probs(d), x);
}

static crd_node draw(const crd_dist *d, crd_node key, crd_shape shape)
{
    return crdi_category_draw(crd_exp(log_probs(d)), key, shape);
}

static crd_node cdf(const crd_dist *d, crd_node x)
{
    return crdi_category_cdf(crd_exp(log_probs(d)), x);
}

static crd_node entropy(const crd_dist *d)
{
    return crdi_category_entropy(log_probs(d));
}

static crd_node quantile(const crd_dist *d, crd_node p)
{
    return crdi_category_quantile(crd_exp(log_probs(d)), p);
}

const crd_dist_type crdi_dist_ordered_logistic = {
    .name = "ordered_logistic",
    .param_count = 2,
    .param = {{"predictor", CRD_REAL, 0}, {"cutpoints", CRD_ORDERED, 1}},
    .discrete = 1,
    .support = support,
    .log_prob = log_prob,
    .draw = draw,
    .cdf = cdf,
    .entropy = entropy,
    .quantile = quantile,
};
