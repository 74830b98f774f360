/* max_pool.c - the largest element of each window; elements that are equal share the gradient. */
#include "nn/layers/pool.h"

#include <math.h>

static crd_node apply(const crd_module *self, crd_scope *scope, crd_node x)
{
    const crd_window *window = &((const struct crdi_pool *)self)->window;
    crd_node seen = crd_windows_at(x, window, -INFINITY, scope->where);
    return crd_node_ok(seen) ? crd_max_axis_at(seen, window->axes + 1, scope->where) : seen;
}

const crd_module *crd_max_pool_at(crd_trace *trace, const crd_window *window, crd_where where)
{
    /* A window that lies in the padding has no largest element. */
    for (int d = 0; d < 2 && d < window->axes; d++)
        if (window->padding == CRD_PADDING_EXPLICIT &&
            (window->before[d] >= window->size[d] || window->behind[d] >= window->size[d])) {
            crd_trace_fail(trace, CRD_EINVAL, where,
                           "max pooling: a padding of %lld is no smaller than the window, %lld",
                           (long long)(window->before[d] > window->behind[d] ? window->before[d] : window->behind[d]),
                           (long long)window->size[d]);
            return NULL;
        }
    return crdi_pool_make(trace, window, "max pooling", apply, where);
}
