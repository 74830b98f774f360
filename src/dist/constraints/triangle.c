/* triangle.c - what the bijections of matrices share: rows made of pieces, and a Cholesky factor of many matrices at once. */
#include "dist/constraints/triangle.h"
#include "graph/graph.h"

#include <math.h>

int64_t crdi_triangle_rows(crd_node u, int diagonal)
{
    double root = sqrt(1 + 8.0 * (double)crdi_extent(u, -1));
    return (int64_t)floor((root + (diagonal ? -1 : 1)) / 2 + 0.5);
}

crd_node crdi_triangle_row(crd_node u, int64_t i)
{
    return crd_slice(u, -1, i * (i - 1) / 2, i, 1);
}

crd_node crdi_columns_of(crd_node x, double value, int64_t count)
{
    crd_shape shape = crd_node_shape(x);
    if (!x.graph || x.id < 0 || shape.ndim < 1)
        return x;
    shape.dim[shape.ndim - 1] = count;
    return crdi_constant_fill(x.graph, value, shape);
}

crd_node crdi_as_row(crd_node x)
{
    crd_shape shape = crd_node_shape(x);
    if (!x.graph || x.id < 0 || shape.ndim < 1)
        return x;
    if (shape.ndim == CRD_MAX_DIMS)
        return crdi_fail(x.graph, CRD_EUNSUPPORTED, CRD_HERE, "matrices: more than %d axes", CRD_MAX_DIMS - 1);
    int64_t n = shape.dim[shape.ndim - 1];
    shape.dim[shape.ndim - 1] = 1;
    shape.dim[shape.ndim++] = n;
    return crd_reshape(x, shape);
}

crd_node crdi_as_column(crd_node x)
{
    crd_shape shape = crd_node_shape(x);
    if (!x.graph || x.id < 0)
        return x;
    if (shape.ndim == CRD_MAX_DIMS)
        return crdi_fail(x.graph, CRD_EUNSUPPORTED, CRD_HERE, "matrices: more than %d axes", CRD_MAX_DIMS - 1);
    shape.dim[shape.ndim++] = 1;
    return crd_reshape(x, shape);
}

/* Right-looking: column k of the factor is that of what is left, over its root; then its outer product is taken off. */
crd_node crdi_transposed_factor(crd_node x)
{
    int64_t n = crdi_extent(x, -1);
    crd_node factor = x, rest = x;
    for (int64_t k = 0; k < n; k++) {
        crd_node first = crd_take(rest, -1, 0); /* (.., n - k) */
        crd_node column = crd_div(first, crd_sqrt(crd_slice(first, -1, 0, 1, 1)));
        crd_node padded[2] = {crdi_columns_of(column, 0, k), column};
        crd_node row = crdi_as_row(k ? crd_concat(padded, 2, -1) : column), parts[2] = {factor, row};
        factor = k ? crd_concat(parts, 2, -2) : row;
        if (k == n - 1)
            break;
        crd_node below = crd_slice(column, -1, 1, n - k - 1, 1);
        crd_node corner = crd_slice(crd_slice(rest, -1, 1, n - k - 1, 1), -2, 1, n - k - 1, 1);
        rest = crd_sub(corner, crd_mul(crdi_as_column(below), crdi_as_row(below)));
    }
    return factor;
}

crd_node crdi_is_triangle(crd_node x)
{
    crd_node good = crd_num(1);
    int64_t n = crdi_extent(x, -1);
    for (int64_t i = 0; i < n; i++) {
        crd_node row = crd_take(x, -2, i);
        good = crdi_both(good, crd_less(crd_num(0), crd_take(row, -1, i)));
        if (i < n - 1)
            good = crdi_both(good, crdi_all(crd_equal(crd_slice(row, -1, i + 1, n - 1 - i, 1), crd_num(0))));
    }
    return good;
}
