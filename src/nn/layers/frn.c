/* frn.c - filter response normalisation and its thresholded linear unit (Singh & Krishnan 2020, arXiv:1911.09737, eq. 1,
 * 2 and 4): each row and feature by the mean square over the axes between them, so that no row sees another one. */
#include "nn/nn.h"

struct frn {
    crd_module module;
    double epsilon;
    bool thresholded;
};

static crd_node param(crd_scope *scope, int number, const char *name, int64_t features, const char *initial)
{
    return crd_scope_param_of(
        scope, "FilterResponseNorm", number,
        &(crd_param_spec){.name = name, .shape = crd_shape_1(features), .initial = {.name = initial}});
}

static crd_node apply(const crd_module *self, crd_scope *scope, crd_node x)
{
    const struct frn *frn = (const struct frn *)self;
    crd_where where = scope->where;
    int64_t features;
    char text[96];
    if (!crdi_features(scope, x, "filter response normalisation", &features))
        return crdi_bad(scope);
    crd_shape shape = crd_node_shape(x), one = shape, cube = {3, {shape.dim[0], 1, features}};
    for (int d = 1; d < shape.ndim - 1; d++) {
        cube.dim[1] *= shape.dim[d];
        one.dim[d] = 1;
    }
    if (shape.ndim < 3 || cube.dim[1] < 1) {
        crd_trace_fail(scope->trace, CRD_ESHAPE, where,
                       "filter response normalisation needs axes between rows and features, not shape %s",
                       crdi_shape_text(shape, text, sizeof text));
        return crdi_bad(scope);
    }
    int number = crd_scope_number(scope, "FilterResponseNorm");
    crd_node bias = param(scope, number, "bias", features, "zeros");
    crd_node scale = param(scope, number, "scale", features, "ones");
    crd_node sum = crd_sum_axis_at(crd_reshape_at(crd_square_at(x, where), cube, where), 1, where);
    crd_node mean = crd_div_at(sum, crd_num((double)cube.dim[1]), where);
    crd_node size = crd_sqrt_at(crd_add_at(mean, crd_num(frn->epsilon), where), where);
    crd_node y = crd_div_at(x, crd_reshape_at(size, one, where), where);
    y = crd_add_at(crd_mul_at(y, scale, where), bias, where);
    return frn->thresholded ? crd_max_at(y, param(scope, number, "threshold", features, "zeros"), where) : y;
}

const crd_module *crd_frn_at(crd_trace *trace, double epsilon, int thresholded, crd_where where)
{
    if (!(epsilon >= 0)) {
        crd_trace_fail(trace, CRD_EINVAL, where, "filter response normalisation: epsilon is %g, it must be positive",
                       epsilon);
        return NULL;
    }
    struct frn *frn = crdi_module_alloc(trace, sizeof *frn, apply);
    if (!frn)
        return NULL;
    frn->epsilon = epsilon > 0 ? epsilon : 1e-6;
    frn->thresholded = thresholded != 0;
    return &frn->module;
}
