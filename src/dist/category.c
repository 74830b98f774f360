/* category.c - what the distributions over classes share: their support, the value of the class taken, draws. */
#include "dist/category.h"
#include "graph/graph.h"

#include <math.h>

static int64_t classes(crd_node parameter)
{
    crd_shape shape = crd_node_shape(parameter);
    return shape.ndim ? shape.dim[shape.ndim - 1] : 1;
}

crd_support crdi_category_support(const crd_dist *d)
{
    return (crd_support){CRD_CATEGORY, crd_num(0), crd_num((double)classes(d->param[0]))};
}

/* x with an axis of length one behind its own. */
static crd_node column(crd_node x)
{
    crd_shape shape = crd_node_shape(x);
    if (shape.ndim == CRD_MAX_DIMS)
        return crdi_fail(x.graph, CRD_EUNSUPPORTED, CRD_HERE, "classes: more than %d axes", CRD_MAX_DIMS - 1);
    shape.dim[shape.ndim++] = 1;
    return crd_reshape(x, shape);
}

static crd_node class_numbers(crd_graph *graph, int64_t k)
{
    crd_array array;
    if (crd_array_init(crd_graph_context(graph), &array, crd_shape_1(k)) < 0)
        return crdi_fail(graph, CRD_ENOMEM, CRD_HERE, "no memory for %lld class numbers", (long long)k);
    for (int64_t i = 0; i < k; i++)
        array.data[i] = (double)i;
    crd_node node = crd_constant(graph, &array);
    crd_array_clear(&array);
    return node;
}

/* The value of the class taken is the only term that its indicator, a constant for data, leaves of a sum. The values must
 * be finite: an infinite one of another class would make a NaN. */
crd_node crdi_category_pick(crd_node values, crd_node x)
{
    if (!values.graph || values.id < 0)
        return values.id < 0 ? values : crd_num(NAN); /* a number has no classes: crd_dist_check refuses it */
    if (!x.graph)
        x = crdi_constant_scalar(values.graph, x.number);
    crd_node number = class_numbers(values.graph, classes(values));
    if (crdi_is_transpose(values) && crd_node_shape(values).ndim == 2 && crd_node_shape(x).ndim == 1) {
        /* what a network gives: rows are columns there, and stay so */
        crd_node line = crd_reshape(number, crd_shape_2(classes(values), 1));
        return crd_sum_axis(crd_mul(crd_equal(x, line), crd_transpose(values)), 0);
    }
    return crd_sum_axis(crd_mul(crd_equal(column(x), number), values), -1);
}

crd_node crdi_category_cdf(crd_node probabilities, crd_node x)
{
    if (!probabilities.graph || probabilities.id < 0)
        return probabilities.id < 0 ? probabilities : crd_num(NAN);
    if (!x.graph)
        x = crdi_constant_scalar(probabilities.graph, x.number);
    crd_node below = crd_less_equal(class_numbers(probabilities.graph, classes(probabilities)), column(x));
    return crd_sum_axis(crd_mul(below, probabilities), -1);
}

/* As many classes as have less than p up to them; the last is never left out for the rounding of a sum below 1. */
crd_node crdi_category_quantile(crd_node probabilities, crd_node p)
{
    if (!probabilities.graph || probabilities.id < 0)
        return probabilities.id < 0 ? probabilities : crd_num(NAN);
    if (!p.graph)
        p = crdi_constant_scalar(probabilities.graph, p.number);
    crd_node before = crd_less(crd_cumsum(probabilities, -1), column(p));
    return crd_min(crd_sum_axis(before, -1), crd_num((double)classes(probabilities) - 1));
}

crd_node crdi_category_entropy(crd_node log_probabilities)
{
    crd_node finite = crd_max(log_probabilities, crd_num(-800)); /* exp(-800) is 0 */
    return crd_neg(crd_sum_axis(crd_mul(crd_exp(log_probabilities), finite), -1));
}

crd_node crdi_category_draw(crd_node probabilities, crd_node key, crd_shape shape)
{
    crd_node below = crd_less_equal(crd_cumsum(probabilities, -1), column(crd_random_uniform_node(key, shape)));
    /* Rounding may leave the last cumulated probability just below a uniform number: the last class then. */
    return crd_min(crd_sum_axis(below, -1), crd_num((double)classes(probabilities) - 1));
}
