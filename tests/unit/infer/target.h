/* target.h - a density for tests of samplers, made without a model: log p(q) = -q' P q / 2 - c sum q^4 / 4. */
#ifndef TARGET_H
#define TARGET_H

#include "testing.h"

/* `precision` is (dim, dim), symmetric. */
static crd_program *target_program(crd_context *ctx, int64_t dim, double *precision, double quartic)
{
    crd_graph *graph;
    crd_program *program;
    assert_ok(ctx, crd_graph_create(&graph, ctx));
    crd_array p = crd_array_borrow(precision, crd_shape_2(dim, dim));
    crd_node q = crd_input(graph, "q", crd_shape_1(dim)), gradient;
    crd_node column = crd_reshape(q, crd_shape_2(dim, 1));
    crd_node half = crd_mul(crd_num(-0.5), crd_dot(column, crd_matmul(crd_constant(graph, &p), column)));
    crd_node density = crd_sub(half, crd_mul(crd_num(0.25 * quartic), crd_sum(crd_square(crd_square(q)))));
    crd_gradient(density, &q, 1, &gradient);
    assert_ok(ctx, crd_compile(graph, &q, 1, (crd_node[]){density, gradient}, 2, &program));
    crd_graph_destroy(&graph);
    return program;
}

#endif
