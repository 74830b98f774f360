/* layer_norm.c - layer normalisation (Ba, Kiros & Hinton 2016, arXiv:1607.06450, eq. 4).
 *
 * The variance is the mean of the squared deviations from the mean, not E x^2 - (E x)^2, which cancels. */
#include "nn/nn.h"

struct layer_norm {
    crd_module module;
    double epsilon;
};

static crd_node apply(const crd_module *self, crd_scope *scope, crd_node x)
{
    int64_t features;
    if (!crdi_features(scope, x, "layer normalisation", &features))
        return crdi_bad(scope);
    crd_where where = scope->where;
    int number = crd_scope_number(scope, "LayerNorm");
    crd_shape shape = crd_shape_1(features), one = crd_node_shape(x);
    crd_node bias = crd_scope_param_of(scope, "LayerNorm", number,
                                       &(crd_param_spec){.name = "bias", .shape = shape, .initial = {.name = "zeros"}});
    crd_node scale = crd_scope_param_of(
        scope, "LayerNorm", number, &(crd_param_spec){.name = "scale", .shape = shape, .initial = {.name = "ones"}});
    one.dim[one.ndim - 1] = 1;
    crd_node count = crd_num((double)features);
    crd_node mean = crd_reshape_at(crd_div_at(crd_sum_axis_at(x, -1, where), count, where), one, where);
    crd_node centred = crd_sub_at(x, mean, where);
    crd_node variance = crd_div_at(crd_sum_axis_at(crd_square_at(centred, where), -1, where), count, where);
    crd_node epsilon = crd_num(((const struct layer_norm *)self)->epsilon);
    crd_node sd = crd_reshape_at(crd_sqrt_at(crd_add_at(variance, epsilon, where), where), one, where);
    return crd_add_at(crd_mul_at(crd_div_at(centred, sd, where), scale, where), bias, where);
}

const crd_module *crd_layer_norm_at(crd_trace *trace, double epsilon, crd_where where)
{
    if (!(epsilon >= 0)) {
        crd_trace_fail(trace, CRD_EINVAL, where, "layer normalisation: epsilon is %g, it must be positive", epsilon);
        return NULL;
    }
    struct layer_norm *norm = crdi_module_alloc(trace, sizeof *norm, apply);
    if (!norm)
        return NULL;
    norm->epsilon = epsilon > 0 ? epsilon : 1e-6;
    return &norm->module;
}
