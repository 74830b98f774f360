/* vector.c - what the normal vectors share. Matrices are one for all of a batch: the solver takes one factor and many
 * right-hand sides. */
#include "dist/vector.h"

crd_shape crdi_vector_shape(const crd_dist *d)
{
    return crd_shape_1(crdi_extent(d->param[0], -1));
}

crd_node crdi_as_rows(crd_node x)
{
    int64_t n = crdi_extent(x, -1);
    return crd_reshape(x, crd_shape_2(n ? crd_shape_size(crd_node_shape(x)) / n : 0, n));
}

crd_node crdi_of_rows(crd_node x, crd_node like)
{
    crd_shape shape = crd_node_shape(like);
    shape.dim[--shape.ndim] = 0;
    return crd_reshape(x, shape);
}

static crd_node half_log_det(crd_node factor)
{
    return crd_sum(crd_log(crd_diagonal(factor)));
}

crd_node crdi_factor_log_prob(crd_node loc, crd_node factor, crd_node x)
{
    crd_node off = crd_sub(x, loc), rows = crdi_as_rows(off);
    crd_node z = crd_solve_triangular(factor, crd_transpose(rows), 0);
    crd_node square = crd_mul(crd_num(-0.5), crd_sum_axis(crd_square(z), 0));
    crd_node constant = crd_num((double)crdi_extent(off, -1) * CRDI_HALF_LOG_2PI);
    return crd_sub(crdi_of_rows(square, off), crd_add(constant, half_log_det(factor)));
}

crd_node crdi_factor_draw(crd_node loc, crd_node factor, crd_node key, crd_shape shape)
{
    crd_node z = crd_matmul(crdi_as_rows(crd_random_normal_node(key, shape)), crd_transpose(factor));
    return crd_add(loc, crd_reshape(z, shape));
}

crd_node crdi_factor_entropy(crd_node factor)
{
    double n = (double)crdi_extent(factor, -1);
    return crd_add(crd_num(n * (CRDI_HALF_LOG_2PI + 0.5)), half_log_det(factor));
}
