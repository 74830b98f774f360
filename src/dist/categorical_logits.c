/* categorical_logits.c - Categorical(logits): k with probability softmax(logits)[k], the classes along the last axis.
 *   log p(k) = logits[k] - logsumexp(logits).
 *   draw: the first class whose cumulated probability exceeds a uniform number. */
#include "dist/dist.h"

static int64_t classes(const crd_dist *d)
{
    crd_shape shape = crd_node_shape(d->param[0]);
    return shape.ndim ? shape.dim[shape.ndim - 1] : 1;
}

static crd_support support(const crd_dist *d)
{
    return (crd_support){CRD_CATEGORY, crd_num(0), crd_num((double)classes(d))};
}

/* x with an axis of length one behind its own. */
static crd_node column(crd_node x)
{
    crd_shape shape = crd_node_shape(x);
    shape.dim[shape.ndim++] = 1;
    return crd_reshape(x, shape);
}

static crd_node class_numbers(crd_graph *graph, int64_t k)
{
    crd_array array;
    if (crd_array_init(crd_graph_context(graph), &array, crd_shape_1(k)) < 0)
        return (crd_node){graph, -1, 0};
    for (int64_t i = 0; i < k; i++)
        array.data[i] = (double)i;
    crd_node node = crd_constant(graph, &array);
    crd_array_clear(&array);
    return node;
}

/* The logit of the class taken is a product with an indicator, which is a constant when the classes are data. */
static crd_node log_prob(const crd_dist *d, crd_node x)
{
    crd_node logits = d->param[0];
    if (!logits.graph || !x.graph)
        return crd_num(0);
    crd_node indicator = crd_equal(column(x), class_numbers(logits.graph, classes(d)));
    crd_node taken = crd_sum_axis(crd_mul(indicator, logits), -1);
    return crd_sub(taken, crd_logsumexp(logits, -1));
}

static crd_node draw(const crd_dist *d, crd_node key, crd_shape shape)
{
    crd_node logits = d->param[0];
    crd_shape kept = crd_node_shape(logits);
    kept.dim[kept.ndim - 1] = 1;
    crd_node p = crd_exp(crd_sub(logits, crd_reshape(crd_logsumexp(logits, -1), kept)));
    crd_node below = crd_less_equal(crd_cumsum(p, -1), column(crd_random_uniform_node(key, shape)));
    /* Rounding may leave the last cumulated probability just below a uniform number: the last class then. */
    return crd_min(crd_sum_axis(below, -1), crd_num((double)classes(d) - 1));
}

const crd_dist_type crdi_dist_categorical_logits = {
    .name = "categorical_logits",
    .param_count = 1,
    .param = {{"logits", CRD_REAL, 1}},
    .discrete = 1,
    .support = support,
    .log_prob = log_prob,
    .draw = draw,
};
