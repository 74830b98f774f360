/* flatten.c - all axes behind the rows made one. */
#include "nn/nn.h"

static crd_node apply(const crd_module *self, crd_scope *scope, crd_node x)
{
    (void)self;
    if (!crd_node_ok(x))
        return x;
    crd_shape shape = crd_node_shape(x);
    if (shape.ndim < 1) {
        crd_trace_fail(scope->trace, CRD_ESHAPE, scope->where, "flatten needs rows, there is a single number");
        return crdi_bad(scope);
    }
    int64_t rest = 1;
    for (int d = 1; d < shape.ndim; d++)
        rest *= shape.dim[d];
    return crd_reshape_at(x, crd_shape_2(shape.dim[0], rest), scope->where);
}

const crd_module *crd_flatten_at(crd_trace *trace, crd_where where)
{
    (void)where;
    return crdi_module_alloc(trace, sizeof(crd_module), apply);
}
