/* module.c - what modules have in common: memory, names, the registry. */
#include "nn/nn.h"

#include <stdio.h>
#include <string.h>

typedef void (*any_function)(void);

static const struct {
    const char *name;
    any_function make; /* that it exists is all that is asked for here */
    const char *arguments, *params, *what;
} layers[] = {
#define LAYER(name, make, arguments, params, what) {#name, (any_function)(make), arguments, params, what},
#include "nn/layers.def"
#undef LAYER
};

static bool has_layer(int i)
{
    return i >= 0 && i < CRDI_COUNT(layers) && layers[i].make;
}

const char *crd_layer_name(int i)
{
    return has_layer(i) ? layers[i].name : NULL;
}

const char *crd_layer_what(int i)
{
    return has_layer(i) ? layers[i].what : NULL;
}

const char *crd_layer_params(int i)
{
    return has_layer(i) ? layers[i].params : NULL;
}

const char *crd_layer_arguments(int i)
{
    return has_layer(i) ? layers[i].arguments : NULL;
}

/* ---- for modules --------------------------------------------------------------------------------------------- */

void *crdi_module_alloc(crd_trace *trace, size_t size, crd_node (*apply)(const crd_module *, crd_scope *, crd_node))
{
    crd_module *module = crdi_arena_alloc(trace->arena, size);
    if (!module) {
        trace->status = CRD_ENOMEM;
        return NULL;
    }
    module->apply = apply;
    return module;
}

bool crdi_window_check(crd_trace *trace, const crd_window *window, const char *what, crd_where where)
{
    bool good = window->axes == 1 || window->axes == 2;
    for (int d = 0; good && d < window->axes; d++)
        good = window->size[d] >= 1 && window->stride[d] >= 0 && window->before[d] >= 0 && window->behind[d] >= 0;
    if (!good)
        crd_trace_fail(trace, CRD_EINVAL, where,
                       "%s: a window needs 1 or 2 axes, a size of at least 1 along each, no negative stride or padding",
                       what);
    return good;
}

bool crdi_features(crd_scope *scope, crd_node x, const char *what, int64_t *out)
{
    char text[96];
    if (!crd_node_ok(x))
        return false;
    crd_shape shape = crd_node_shape(x);
    if (shape.ndim < 2) {
        crd_trace_fail(scope->trace, CRD_ESHAPE, scope->where, "%s needs rows and features, not shape %s", what,
                       crdi_shape_text(shape, text, sizeof text));
        return false;
    }
    *out = shape.dim[shape.ndim - 1];
    return true;
}

int crd_scope_number(crd_scope *scope, const char *module_class)
{
    for (int i = 0; i < CRD_SCOPE_CLASSES; i++) {
        if (!scope->seen[i].name)
            scope->seen[i].name = module_class;
        if (strcmp(scope->seen[i].name, module_class) == 0)
            return scope->seen[i].count++;
    }
    crd_trace_fail(scope->trace, CRD_EUNSUPPORTED, scope->where, "a network of more than %d classes of modules",
                   CRD_SCOPE_CLASSES);
    return 0;
}

static crd_node ask(crd_scope *scope, crd_param_spec spec)
{
    int64_t in, out;
    crd_fans(spec.shape, &in, &out);
    spec.fan_in = spec.fan_in ? spec.fan_in : in;
    spec.fan_out = spec.fan_out ? spec.fan_out : out;
    return scope->param(scope, &spec);
}

crd_node crd_scope_param(crd_scope *scope, const char *name, crd_shape shape)
{
    return ask(scope, (crd_param_spec){.name = name, .shape = shape});
}

crd_node crd_scope_param_of(crd_scope *scope, const char *module_class, int number, const crd_param_spec *spec)
{
    char name[128];
    crd_param_spec full = *spec;
    snprintf(name, sizeof name, "%s_%d.%s", module_class, number, spec->name);
    full.name = name;
    return ask(scope, full);
}
