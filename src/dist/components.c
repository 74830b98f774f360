/* components.c - finite mixtures: the components are the last axis k of the base's batch, before the axes of an event.
 *   log p(x) = logsumexp over k of (log weight[k] + log p_k(x))
 *   mean m = sum w[k] m_k,  variance = sum w[k] (v_k + (m_k - m)^2)
 *   draw: one draw of each component, of which a drawn class is taken; reparameterised in the components' parameters, not
 *   in the weights. */
#include "dist/components.h"
#include "dist/category.h"
#include "dist/counts.h"

#include <math.h>

/* Bounds that differ between components: the widest. */
static crd_node widest(crd_node bound, int sign)
{
    if (crd_node_shape(bound).ndim == 0)
        return bound;
    crd_node end = crd_max_axis(crd_mul(crd_num(sign), bound), -1);
    return crd_mul(crd_num(sign), end);
}

crd_support crdi_mixture_support(const crd_dist *d)
{
    crd_support support = crdi_base_support(d);
    if (crdi_base_event_shape(d).ndim == 0)
        support = (crd_support){support.kind, widest(support.low, -1), widest(support.high, 1)};
    return support;
}

/* x with an axis of length one before those of the event. */
static crd_node beside_components(crd_node x, crd_shape event)
{
    crd_shape shape = crd_node_shape(x);
    if (!x.graph || x.id < 0 || shape.ndim < event.ndim)
        return x;
    if (shape.ndim == CRD_MAX_DIMS)
        return crdi_fail(x.graph, CRD_EUNSUPPORTED, CRD_HERE, "mixture: more than %d axes", CRD_MAX_DIMS - 1);
    for (int d = shape.ndim++; d > shape.ndim - 1 - event.ndim; d--)
        shape.dim[d] = shape.dim[d - 1];
    shape.dim[shape.ndim - 1 - event.ndim] = 1;
    return crd_reshape(x, shape);
}

crd_node crdi_mixture_log_prob(const crd_dist *d, crd_node log_weights, crd_node x)
{
    crd_node beside = beside_components(x, crdi_base_event_shape(d));
    crd_support support = crdi_base_support(d);
    /* With bounds of their own for the components, x may be in those of another. */
    bool differ = support.low.graph || support.high.graph;
    crd_node each = differ ? crd_dist_log_prob(d->base, beside) : crdi_dist_log_prob_inside(d->base, beside);
    return crd_logsumexp(crd_add(log_weights, each), -1);
}

crd_node crdi_mixture_draw(const crd_dist *d, crd_node weights, crd_node key, crd_shape shape)
{
    crd_shape event = crdi_base_event_shape(d), rows = shape, all = shape, indicator;
    crd_shape given = crd_node_shape(weights);
    int axis = shape.ndim - event.ndim;
    if (given.ndim < 1 || axis < 0 || shape.ndim == CRD_MAX_DIMS)
        return crdi_fail(weights.graph, CRD_EUNSUPPORTED, CRD_HERE, "mixture: more than %d axes", CRD_MAX_DIMS - 1);
    for (rows.ndim = axis, all.ndim++, indicator = all; indicator.ndim > axis + 1; indicator.ndim--)
        all.dim[indicator.ndim - 1] = shape.dim[indicator.ndim - 2];
    for (int i = axis; i < CRD_MAX_DIMS; i++)
        rows.dim[i] = 0;
    all.dim[axis] = given.dim[given.ndim - 1];
    crd_node each = crdi_base_draw(d, crd_key_fold_in_node(key, 0), all);
    crd_node taken = crdi_category_draw(weights, crd_key_fold_in_node(key, 1), rows);
    each = crd_broadcast_to(each, all);
    crd_node draw = crd_take(each, axis, 0);
    for (int64_t k = 1; k < all.dim[axis]; k++)
        draw =
            crd_select(crdi_spread_event(crd_equal(taken, crd_num((double)k)), event), crd_take(each, axis, k), draw);
    return draw;
}

/* Weights against what the components have: (.., k, event). */
static crd_node mean_of(const crd_dist *d, crd_node weights, crd_node each)
{
    crd_shape event = crdi_base_event_shape(d);
    return crd_sum_axis(crd_mul(crdi_spread_event(weights, event), each), -1 - event.ndim);
}

crd_node crdi_mixture_mean(const crd_dist *d, crd_node weights)
{
    return mean_of(d, weights, crdi_base_moment(d, CRDI_MEAN));
}

crd_node crdi_mixture_variance(const crd_dist *d, crd_node weights)
{
    crd_node mean = beside_components(crdi_mixture_mean(d, weights), crdi_base_event_shape(d));
    crd_node apart = crd_square(crd_sub(crdi_base_moment(d, CRDI_MEAN), mean));
    return mean_of(d, weights, crd_add(crdi_base_moment(d, CRDI_VARIANCE), apart));
}
