/* avg_pool.c - the mean of each window; padding counts as zeros. */
#include "nn/layers/pool.h"

static crd_node apply(const crd_module *self, crd_scope *scope, crd_node x)
{
    const crd_window *window = &((const struct crdi_pool *)self)->window;
    crd_node seen = crd_windows_at(x, window, 0, scope->where);
    if (!crd_node_ok(seen))
        return seen;
    double size = (double)crd_node_shape(seen).dim[window->axes + 1];
    return crd_div_at(crd_sum_axis_at(seen, window->axes + 1, scope->where), crd_num(size), scope->where);
}

const crd_module *crd_avg_pool_at(crd_trace *trace, const crd_window *window, crd_where where)
{
    return crdi_pool_make(trace, window, "average pooling", apply, where);
}
