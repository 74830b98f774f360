/* helpers.c - small things that the files of distributions share. */
#include "dist/dist.h"
#include "graph/graph.h"

bool crdi_known(crd_node node)
{
    return !node.graph || crd_node_known(node, NULL);
}

int64_t crdi_known_count(crd_node node)
{
    const double *known = &node.number;
    if (node.id < 0 || (node.graph && (!crd_node_known(node, &known) || crd_shape_size(crd_node_shape(node)) != 1)))
        return 0;
    return known[0] >= 0 && known[0] < 1e9 ? (int64_t)known[0] : 0;
}

int64_t crdi_extent(crd_node node, int axis)
{
    crd_shape shape = crd_node_shape(node);
    return -axis <= shape.ndim ? shape.dim[shape.ndim + axis] : 0;
}

crd_node crdi_repeat(crd_node value, crd_node x)
{
    crd_shape shape;
    if (!x.graph || !crdi_broadcast_shape(crd_node_shape(value), crd_node_shape(x), &shape))
        return value;
    if (!value.graph)
        return crdi_constant_fill(x.graph, value.number, shape);
    return crd_broadcast_to(value, shape);
}

crd_node crdi_boolean_cdf(crd_node zero, crd_node x)
{
    crd_node below_one = crd_select(crd_less_equal(crd_num(1), x), crd_num(1), zero);
    return crd_select(crd_less_equal(crd_num(0), x), below_one, crd_num(0));
}

crd_node crdi_inside_unit(crd_node x)
{
    return crd_min(crd_max(x, crd_num(DBL_MIN)), crd_num(1 - DBL_EPSILON / 2));
}
