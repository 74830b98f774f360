/* dense.c - the dense layer.
 *
 * Two axes: the array inside is (units, rows): rows of the data run along the contiguous axis, so that vectors are full
 * whatever the width, and a layer is one crd_affine between two transpositions. Between layers they meet and vanish
 * (crdi_activate goes through them); that of constant inputs is computed while the graph is built, that of a single
 * output is a change of shape. More axes: the first ones are rows. */
#include "nn/nn.h"

struct dense {
    crd_module module;
    int64_t units;
};

crd_node crdi_dense(crd_scope *scope, crd_node x, int64_t units)
{
    int64_t inputs;
    if (!crdi_features(scope, x, "a dense layer", &inputs))
        return crdi_bad(scope);
    int number = crd_scope_number(scope, "Dense");
    crd_node bias = crd_scope_param_of(
        scope, "Dense", number,
        &(crd_param_spec){.name = "bias", .shape = crd_shape_1(units), .initial = {.name = "zeros"}});
    crd_node kernel = crd_scope_param_of(scope, "Dense", number,
                                         &(crd_param_spec){.name = "kernel", .shape = crd_shape_2(inputs, units)});
    crd_shape shape = crd_node_shape(x);
    if (shape.ndim > 2 && inputs > 0)
        x = crd_reshape_at(x, crd_shape_2(crd_shape_size(shape) / inputs, inputs), scope->where);
    crd_node y = crd_affine_at(kernel, crd_transpose_at(x, scope->where), bias, scope->where);
    y = crd_transpose_at(y, scope->where);
    if (shape.ndim == 2)
        return y;
    shape.dim[shape.ndim - 1] = units;
    return crd_reshape_at(y, shape, scope->where);
}

static crd_node apply(const crd_module *self, crd_scope *scope, crd_node x)
{
    return crdi_dense(scope, x, ((const struct dense *)self)->units);
}

const crd_module *crd_dense_at(crd_trace *trace, int64_t units, crd_where where)
{
    if (units < 1) {
        crd_trace_fail(trace, CRD_EINVAL, where, "a dense layer of %lld units, at least 1 is needed", (long long)units);
        return NULL;
    }
    struct dense *dense = crdi_module_alloc(trace, sizeof *dense, apply);
    if (!dense)
        return NULL;
    dense->units = units;
    return &dense->module;
}
