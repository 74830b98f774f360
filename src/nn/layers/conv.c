/* conv.c - convolutions over one or two axes: windows copied out, and a matrix product (graph/ops/window.c). */
#include "nn/nn.h"

struct conv {
    crd_module module;
    int64_t features;
    crd_window window;
};

static crd_node apply(const crd_module *self, crd_scope *scope, crd_node x)
{
    const struct conv *conv = (const struct conv *)self;
    int axes = conv->window.axes;
    char text[96];
    if (!crd_node_ok(x))
        return x;
    crd_shape shape = crd_node_shape(x), kernel_shape = {.ndim = axes + 2};
    if (shape.ndim != axes + 2) {
        crd_trace_fail(scope->trace, CRD_ESHAPE, scope->where,
                       "a convolution over %d ax%s needs (rows, %s, features), not %s", axes, axes == 1 ? "is" : "es",
                       axes == 1 ? "length" : "height, width", crdi_shape_text(shape, text, sizeof text));
        return crdi_bad(scope);
    }
    for (int d = 0; d < axes; d++)
        kernel_shape.dim[d] = conv->window.size[d];
    kernel_shape.dim[axes] = shape.dim[axes + 1];
    kernel_shape.dim[axes + 1] = conv->features;
    int number = crd_scope_number(scope, "Conv");
    crd_node bias = crd_scope_param_of(
        scope, "Conv", number,
        &(crd_param_spec){.name = "bias", .shape = crd_shape_1(conv->features), .initial = {.name = "zeros"}});
    crd_node kernel =
        crd_scope_param_of(scope, "Conv", number, &(crd_param_spec){.name = "kernel", .shape = kernel_shape});
    return crd_add_at(crd_convolve_at(x, kernel, &conv->window, scope->where), bias, scope->where);
}

const crd_module *crd_conv_at(crd_trace *trace, int64_t features, const crd_window *window, crd_where where)
{
    if (!crdi_window_check(trace, window, "a convolution", where))
        return NULL;
    if (features < 1) {
        crd_trace_fail(trace, CRD_EINVAL, where, "a convolution of %lld features, at least 1 is needed",
                       (long long)features);
        return NULL;
    }
    struct conv *conv = crdi_module_alloc(trace, sizeof *conv, apply);
    if (!conv)
        return NULL;
    conv->features = features;
    conv->window = *window;
    return &conv->module;
}
