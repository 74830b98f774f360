/* mlp.c - the multi-layer perceptron: dense layers with an activation between them. */
#include "nn/nn.h"

struct mlp {
    crd_module module;
    int64_t *width; /* of the hidden layers */
    int hidden_count;
    int64_t outputs;
    const char *activation;
};

static crd_node apply(const crd_module *self, crd_scope *scope, crd_node x)
{
    const struct mlp *mlp = (const struct mlp *)self;
    char text[96];
    if (crd_node_ok(x) && crd_node_shape(x).ndim != 2) {
        crd_trace_fail(scope->trace, CRD_ESHAPE, scope->where, "a network needs inputs (rows, columns), not %s",
                       crdi_shape_text(crd_node_shape(x), text, sizeof text));
        return crdi_bad(scope);
    }
    for (int i = 0; i < mlp->hidden_count && crd_node_ok(x); i++)
        x = crdi_activate(scope, mlp->activation, crdi_dense(scope, x, mlp->width[i]));
    return crd_node_ok(x) ? crdi_dense(scope, x, mlp->outputs) : x;
}

const crd_module *crd_mlp_at(crd_trace *trace, const int64_t *hidden, int hidden_count, int64_t outputs,
                             const char *activation, crd_where where)
{
    struct mlp *mlp = crdi_module_alloc(trace, sizeof *mlp, apply);
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
    if (outputs < 1) {
        crd_trace_fail(trace, CRD_EINVAL, where, "a network with %lld outputs, at least 1 is needed",
                       (long long)outputs);
        return NULL;
    }
    mlp->width = width;
    mlp->hidden_count = hidden_count;
    mlp->outputs = outputs;
    mlp->activation = name;
    /* An unknown name fails here, where the user wrote it, even if there is no hidden layer to apply it to. */
    return crd_node_ok(crd_activation_at(trace, activation, crd_num(0), where)) ? &mlp->module : NULL;
}
