/* mlp.c - the multi-layer perceptron.
 *
 * Inside, arrays are (units, rows): rows of the data run along the contiguous axis, so that vectors are full whatever the
 * width, and a layer is one crd_affine. The transposition of constant inputs is computed while the graph is built, that
 * of a single output is a change of shape. */
#include "model/model.h"

#include <credence/nn.h>
#include <stdio.h>
#include <string.h>

struct mlp {
    crd_module module;
    int64_t *width; /* of the hidden layers */
    int hidden_count;
    int64_t outputs;
    const char *activation;
};

static crd_node dense(crd_scope *scope, int layer, crd_node x, int64_t units)
{
    char name[32];
    int64_t inputs = crd_node_shape(x).dim[0];
    snprintf(name, sizeof name, "Dense_%d.bias", layer);
    crd_node bias = crd_scope_param(scope, name, crd_shape_1(units));
    snprintf(name, sizeof name, "Dense_%d.kernel", layer);
    crd_node kernel = crd_scope_param(scope, name, crd_shape_2(inputs, units));
    return crd_affine_at(kernel, x, bias, scope->where);
}

static crd_node apply(const crd_module *self, crd_scope *scope, crd_node x)
{
    const struct mlp *mlp = (const struct mlp *)self;
    char text[96];
    if (crd_node_ok(x) && crd_node_shape(x).ndim != 2) {
        crd_trace_fail(scope->trace, CRD_ESHAPE, scope->where, "a network needs inputs (rows, columns), not %s",
                       crdi_shape_text(crd_node_shape(x), text, sizeof text));
        return (crd_node){scope->trace->graph, -1, 0};
    }
    crd_node h = crd_transpose_at(x, scope->where);
    for (int i = 0; i < mlp->hidden_count && crd_node_ok(h); i++)
        h = crd_activation_at(scope->trace, mlp->activation, dense(scope, i, h, mlp->width[i]), scope->where);
    if (!crd_node_ok(h))
        return h;
    return crd_transpose_at(dense(scope, mlp->hidden_count, h, mlp->outputs), scope->where);
}

const crd_module *crd_mlp_at(crd_trace *trace, const int64_t *hidden, int hidden_count, int64_t outputs,
                             const char *activation, crd_where where)
{
    struct mlp *mlp = crdi_arena_alloc(trace->arena, sizeof *mlp);
    int64_t *width = crdi_arena_alloc(trace->arena, sizeof *width * (size_t)(hidden_count + 1));
    const char *name = crdi_arena_strdup(trace->arena, activation);
    if (!mlp || !width || !name) {
        trace->status = CRD_ENOMEM;
        return NULL;
    }
    for (int i = 0; i < hidden_count; i++) {
        width[i] = hidden[i];
        if (hidden[i] < 1) {
            crd_trace_fail(trace, CRD_EINVAL, where, "hidden layer %d has %lld units, at least 1 is needed", i,
                           (long long)hidden[i]);
            return NULL;
        }
    }
    if (outputs < 1)
        crd_trace_fail(trace, CRD_EINVAL, where, "a network with %lld outputs, at least 1 is needed",
                       (long long)outputs);
    *mlp = (struct mlp){{apply}, width, hidden_count, outputs, name};
    /* An unknown name fails here, where the user wrote it, even if there is no hidden layer to apply it to. */
    if (!crd_node_ok(crd_activation_at(trace, activation, crd_num(0), where)))
        return NULL;
    return &mlp->module;
}

int crd_widths_parse(crd_context *ctx, const char *text, int64_t *out, int most)
{
    char copy[256];
    int count = 0;
    if (strcmp(text, "none") == 0)
        return 0;
    snprintf(copy, sizeof copy, "%s", text);
    for (char *piece = copy, *next; piece; piece = next) {
        next = strchr(piece, ',');
        if (next)
            *next++ = 0;
        if (count == most || !crdi_parse_int(piece, &out[count]) || out[count] < 1 || out[count] > 1 << 20) {
            crdi_raise(ctx, CRD_EINVAL, "hidden '%s': widths between 1 and %d are needed, as in '16,16', or 'none'",
                       text, 1 << 20);
            return -1;
        }
        count++;
    }
    return count;
}
