/* residual.c - the residual sum x + module(x) (He et al. 2016, arXiv:1512.03385, eq. 1). */
#include "nn/nn.h"

struct residual {
    crd_module module;
    const crd_module *inner;
};

static crd_node apply(const crd_module *self, crd_scope *scope, crd_node x)
{
    const crd_module *inner = ((const struct residual *)self)->inner;
    crd_node y = inner->apply(inner, scope, x);
    char left[96], right[96];
    if (!crd_node_ok(y))
        return y;
    if (!crdi_shape_equal(crd_node_shape(x), crd_node_shape(y))) {
        crd_trace_fail(scope->trace, CRD_ESHAPE, scope->where,
                       "a residual sum needs a module that keeps the shape: it makes %s of %s",
                       crdi_shape_text(crd_node_shape(y), left, sizeof left),
                       crdi_shape_text(crd_node_shape(x), right, sizeof right));
        return crdi_bad(scope);
    }
    return crd_add_at(x, y, scope->where);
}

const crd_module *crd_residual_at(crd_trace *trace, const crd_module *module, crd_where where)
{
    if (!module) {
        crd_trace_fail(trace, CRD_EINVAL, where, "the module of a residual sum is NULL");
        return NULL;
    }
    struct residual *residual = crdi_module_alloc(trace, sizeof *residual, apply);
    if (!residual)
        return NULL;
    residual->inner = module;
    return &residual->module;
}
