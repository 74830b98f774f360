/* sequential.c - modules one after the other. */
#include "nn/nn.h"

struct sequential {
    crd_module module;
    const crd_module **part;
    int count;
};

static crd_node apply(const crd_module *self, crd_scope *scope, crd_node x)
{
    const struct sequential *sequential = (const struct sequential *)self;
    for (int i = 0; i < sequential->count && crd_node_ok(x); i++)
        x = sequential->part[i]->apply(sequential->part[i], scope, x);
    return x;
}

const crd_module *crd_sequential_at(crd_trace *trace, const crd_module *const *modules, int count, crd_where where)
{
    if (count < 0) {
        crd_trace_fail(trace, CRD_EINVAL, where, "a sequence of %d modules", count);
        return NULL;
    }
    struct sequential *sequential = crdi_module_alloc(trace, sizeof *sequential, apply);
    const crd_module **part = crdi_arena_alloc(trace->arena, sizeof *part * (size_t)(count + 1));
    if (!sequential || !part) {
        trace->status = CRD_ENOMEM;
        return NULL;
    }
    for (int i = 0; i < count; i++) {
        part[i] = modules[i];
        if (!part[i]) {
            crd_trace_fail(trace, CRD_EINVAL, where, "module %d of a sequence is NULL", i);
            return NULL;
        }
    }
    sequential->part = part;
    sequential->count = count;
    return &sequential->module;
}
