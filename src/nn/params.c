/* params.c - a module's parameters without a model: the module is applied to an input that stands for data, and what it
 * asks for is written down. */
#include "nn/nn.h"

#include <string.h>

struct listing {
    crd_module_params *params;
    int64_t capacity;
    crd_status status;
};

static crd_node note_param(crd_scope *scope, const crd_param_spec *spec)
{
    struct listing *l = scope->user;
    crd_context *ctx = l->params->ctx;
    if (l->status == CRD_OK)
        l->status = crdi_grow(ctx, &l->params->param, &l->capacity, l->params->count, sizeof *l->params->param);
    if (l->status < 0)
        return crdi_bad(scope);
    crd_module_param *param = &l->params->param[l->params->count];
    *param = (crd_module_param){.spec = *spec};
    if (!(param->spec.name = crdi_strdup(ctx, spec->name))) {
        l->status = CRD_ENOMEM;
        return crdi_bad(scope);
    }
    l->params->count++;
    return crd_input(crd_trace_graph(scope->trace), spec->name, spec->shape);
}

static crd_status list(const crd_module *module, crd_shape input, crd_module_params *params)
{
    crd_trace *trace;
    CRD_TRY(crd_trace_create(&trace, params->ctx));
    struct listing listing = {.params = params};
    crd_scope scope = {.trace = trace, .param = note_param, .user = &listing};
    crd_node y = module->apply(module, &scope, crd_input(crd_trace_graph(trace), "x", input));
    params->output = crd_node_shape(y);
    crd_status status = listing.status < 0 ? listing.status : trace->status;
    if (status == CRD_OK)
        status = crd_graph_status(crd_trace_graph(trace));
    crd_trace_destroy(&trace);
    return status;
}

crd_status crd_module_describe(crd_context *ctx, const crd_module *module, crd_shape input, crd_module_params **out)
{
    if (!module)
        return crdi_raise(ctx, CRD_EINVAL, "no module to describe");
    crd_module_params *params = crdi_alloc(ctx, sizeof *params);
    if (!params)
        return CRD_ENOMEM;
    params->ctx = ctx;
    crd_status status = list(module, input, params);
    if (status < 0)
        crd_module_params_destroy(&params);
    else
        *out = params;
    return status;
}

static crd_status init_all(crd_module_params *params, const crd_initializer *initializer, crd_key key)
{
    for (int i = 0; i < params->count; i++) {
        crd_module_param *p = &params->param[i];
        const crd_initializer *how = initializer && p->spec.shape.ndim > 1 ? initializer : &p->spec.initial;
        CRD_TRY(crd_array_init(params->ctx, &p->value, p->spec.shape));
        CRD_TRY(crd_initialize(params->ctx, how, &p->spec, crd_key_fold_in(key, (uint32_t)i), p->value.data));
    }
    return CRD_OK;
}

crd_status crd_module_init(crd_context *ctx, const crd_module *module, crd_shape input,
                           const crd_initializer *initializer, crd_key key, crd_module_params **out)
{
    crd_module_params *params;
    CRD_TRY(crd_module_describe(ctx, module, input, &params));
    crd_status status = init_all(params, initializer, key);
    if (status < 0)
        crd_module_params_destroy(&params);
    else
        *out = params;
    return status;
}

void crd_module_params_destroy(crd_module_params **address)
{
    if (!address || !*address)
        return;
    crd_module_params *params = *address;
    for (int i = 0; i < params->count; i++) {
        crdi_free(params->ctx, params->param[i].spec.name);
        crd_array_clear(&params->param[i].value);
    }
    crdi_free(params->ctx, params->param);
    crdi_free(params->ctx, params);
    *address = NULL;
}
