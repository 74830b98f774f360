/* activate.c - an activation as a module. */
#include "nn/nn.h"

struct activate {
    crd_module module;
    const char *activation;
};

crd_node crdi_activate(crd_scope *scope, const char *activation, crd_node x)
{
    if (!crd_node_ok(x) || crd_node_shape(x).ndim != 2)
        return crd_activation_at(scope->trace, activation, x, scope->where);
    /* The transpose of a transposition is what it was made of: then that is older than x, and nothing is moved. */
    crd_node inner = crd_transpose_at(x, scope->where);
    if (!crd_node_ok(inner) || inner.id >= x.id)
        return crd_activation_at(scope->trace, activation, x, scope->where);
    return crd_transpose_at(crd_activation_at(scope->trace, activation, inner, scope->where), scope->where);
}

static crd_node apply(const crd_module *self, crd_scope *scope, crd_node x)
{
    return crdi_activate(scope, ((const struct activate *)self)->activation, x);
}

const crd_module *crd_activate_at(crd_trace *trace, const char *activation, crd_where where)
{
    struct activate *module = crdi_module_alloc(trace, sizeof *module, apply);
    if (!module || !crd_node_ok(crd_activation_at(trace, activation, crd_num(0), where)))
        return NULL;
    module->activation = crdi_arena_strdup(trace->arena, activation);
    if (!module->activation)
        trace->status = CRD_ENOMEM;
    return module->activation ? &module->module : NULL;
}
