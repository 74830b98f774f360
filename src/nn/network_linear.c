/* network_linear.c - the command line's network made linear in its weights, about given ones.
 *
 * f = f* + J (w - w*), layer by layer as a tangent: with z* and a* what layers put out and take in at w*, known numbers,
 *     dz = K*' da + (K - K*)' a* + (b - b*),   da of the next layer = activation'(z*) dz.
 * Source: Immer, Korzepa & Bauer 2021, eq. 11. */
#include "nn/network_linear.h"
#include "nn/nn.h"

#include <stdio.h>
#include <string.h>

/* The activation's derivative at known numbers: a small program, since of what is known no gradient is kept. */
static crd_status slopes_of(crd_context *ctx, const char *activation, const double *z, int64_t size, double *out)
{
    crd_trace *trace;
    crd_program *program = NULL;
    crd_exec *exec = NULL;
    CRD_TRY(crd_trace_create(&trace, ctx));
    crd_node input = crd_input(trace->graph, "z", crd_shape_1(size)), slope = crdi_nothing;
    crd_node a = crd_activation_at(trace, activation, input, (crd_where){0});
    if (crd_node_ok(a))
        crd_gradient(crd_sum(a), &input, 1, &slope);
    crd_status status = crd_graph_status(trace->graph);
    if (status == CRD_OK)
        status = crd_node_ok(slope) ? crd_compile(trace->graph, &input, 1, &slope, 1, &program) : CRD_ENAME;
    if (status == CRD_OK)
        status = crd_exec_create(&exec, program);
    if (status == CRD_OK) {
        memcpy(crd_exec_input(exec), z, sizeof *z * (size_t)size);
        crd_exec_run(exec);
        memcpy(out, crd_exec_output(exec), sizeof *out * (size_t)size);
    }
    crd_exec_destroy(&exec);
    crd_program_destroy(&program);
    crd_trace_destroy(&trace);
    return status;
}

static crd_node slope_node(crd_trace *t, const char *activation, crd_node z)
{
    const double *known;
    crd_shape shape = crd_node_shape(z);
    if (!crd_node_known(z, &known)) {
        crd_trace_fail(t, CRD_EINVAL, (crd_where){0}, "a linear network needs inputs that are data");
        return crdi_trace_bad(t);
    }
    double *slope = crdi_alloc_array(t->ctx, crd_shape_size(shape), sizeof *slope);
    crd_status status = slope ? slopes_of(t->ctx, activation, known, crd_shape_size(shape), slope) : CRD_ENOMEM;
    crd_array array = crd_array_borrow(slope, shape);
    crd_node node = status == CRD_OK ? crd_constant(t->graph, &array) : crdi_trace_bad(t);
    crdi_free(t->ctx, slope);
    if (status < 0 && t->status == CRD_OK)
        t->status = status;
    return node;
}

/* A parameter as it is in this trace, and its value at w*. */
static bool find_param(crd_trace *t, int layer, const char *what, const double **at, crd_node *value, crd_node *known)
{
    char name[64];
    snprintf(name, sizeof name, "net/Dense_%d.%s", layer, what);
    const crd_message *m = crd_trace_find(t, name);
    if (!m) {
        crd_trace_fail(t, CRD_EUNSUPPORTED, (crd_where){0}, "a linear network needs the site %s", name);
        return false;
    }
    crd_array array = crd_array_borrow((double *)(uintptr_t)*at, m->shape);
    *at += crd_shape_size(m->shape);
    *value = m->value;
    *known = crd_constant(t->graph, &array);
    return true;
}

crd_node crdi_network_linear(crd_trace *t, const crd_network *net, int layers, crd_node x)
{
    const double *at = net->linear_about;
    crd_node a = crd_transpose(x), da = crdi_nothing, z = crdi_nothing, dz = crdi_nothing;
    for (int k = 0; k < layers; k++) {
        crd_node kernel, bias, kernel_at, bias_at;
        if (!find_param(t, k, "kernel", &at, &kernel, &kernel_at) || !find_param(t, k, "bias", &at, &bias, &bias_at))
            return crdi_trace_bad(t);
        z = crd_affine(kernel_at, a, bias_at);
        dz = crd_affine(crd_sub(kernel, kernel_at), a, crd_sub(bias, bias_at));
        if (k > 0)
            dz = crd_add(dz, crd_matmul(crd_transpose(kernel_at), da));
        if (k == layers - 1)
            break;
        da = crd_mul(slope_node(t, net->activation, z), dz);
        a = crd_activation_at(t, net->activation, z, (crd_where){0});
    }
    return crd_transpose(crd_add(z, dz));
}
