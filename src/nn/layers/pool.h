/* pool.h - what the two kinds of pooling share. */
#ifndef CRDI_POOL_H
#define CRDI_POOL_H

#include "nn/nn.h"

struct crdi_pool {
    crd_module module;
    crd_window window;
};

typedef crd_node (*crdi_pool_apply)(const crd_module *self, crd_scope *scope, crd_node x);

/* A pooling module: a stride of 0 becomes the window's size. */
static inline const crd_module *crdi_pool_make(crd_trace *trace, const crd_window *window, const char *what,
                                               crdi_pool_apply apply, crd_where where)
{
    if (!crdi_window_check(trace, window, what, where))
        return NULL;
    struct crdi_pool *pool = crdi_module_alloc(trace, sizeof *pool, apply);
    if (!pool)
        return NULL;
    pool->window = *window;
    for (int d = 0; d < window->axes; d++)
        if (pool->window.stride[d] == 0)
            pool->window.stride[d] = window->size[d];
    return &pool->module;
}

#endif
