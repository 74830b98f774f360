/* embedding.c - rows of a table picked by whole numbers. */
#include "nn/nn.h"

#include <math.h>

struct embedding {
    crd_module module;
    int64_t count, features;
};

/* Indices that are known now are checked; others give NaN where they lie outside (crd_gather). */
static bool check_indices(const struct embedding *e, crd_scope *scope, crd_node x)
{
    const double *index;
    if (!crd_node_known(x, &index))
        return true;
    for (int64_t i = 0; i < crd_shape_size(crd_node_shape(x)); i++) {
        if (index[i] >= 0 && index[i] < (double)e->count && floor(index[i]) == index[i])
            continue;
        crd_trace_fail(
            scope->trace, CRD_EDOMAIN, scope->where,
            "an embedding of %lld rows: element %lld of its input is %g, it must be a whole number from 0 to %lld",
            (long long)e->count, (long long)i, index[i], (long long)e->count - 1);
        return false;
    }
    return true;
}

static crd_node apply(const crd_module *self, crd_scope *scope, crd_node x)
{
    const struct embedding *e = (const struct embedding *)self;
    if (!crd_node_ok(x) || !check_indices(e, scope, x))
        return crdi_bad(scope);
    crd_shape shape = crd_node_shape(x);
    if (shape.ndim == CRD_MAX_DIMS) {
        crd_trace_fail(scope->trace, CRD_ESHAPE, scope->where, "an embedding of an array of %d axes", shape.ndim);
        return crdi_bad(scope);
    }
    int number = crd_scope_number(scope, "Embed");
    /* An input picks one row, whatever their number: one input. Flax draws the first values with variance 1 / features. */
    crd_node table =
        crd_scope_param_of(scope, "Embed", number,
                           &(crd_param_spec){.name = "embedding",
                                             .shape = crd_shape_2(e->count, e->features),
                                             .initial = {.name = "normal", .scale = 1 / sqrt((double)e->features)},
                                             .fan_in = 1});
    crd_node rows =
        crd_gather_at(table, crd_reshape_at(x, crd_shape_1(crd_shape_size(shape)), scope->where), scope->where);
    shape.dim[shape.ndim++] = e->features;
    return crd_reshape_at(rows, shape, scope->where);
}

const crd_module *crd_embedding_at(crd_trace *trace, int64_t count, int64_t features, crd_where where)
{
    if (count < 1 || features < 1) {
        crd_trace_fail(trace, CRD_EINVAL, where, "an embedding of %lld rows and %lld features, at least 1 is needed",
                       (long long)count, (long long)features);
        return NULL;
    }
    struct embedding *embedding = crdi_module_alloc(trace, sizeof *embedding, apply);
    if (!embedding)
        return NULL;
    embedding->count = count;
    embedding->features = features;
    return &embedding->module;
}
