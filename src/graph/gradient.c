/* gradient.c - reverse mode: from a graph, the graph of its gradient.
 *
 * Ids are a topological order, so one walk from y's id downwards meets every node after all that use it: by then its
 * gradient is complete. Only nodes that lead from one of the x to y are visited. */
#include "graph/graph.h"

void crdi_accumulate(crd_node *sum, crd_node term)
{
    *sum = crdi_is_nothing(*sum) ? term : crd_add(*sum, term);
}

struct walk {
    crd_graph *graph;
    crd_node *grad; /* d y / d node, by id */
    bool *relevant; /* whether the node depends on one of the x */
};

static void visit(struct walk *w, int32_t id)
{
    enum { MOST = 64 };
    crd_node grads[MOST];
    const crdi_vertex *v = w->graph->vertex[id];
    if (!w->relevant[id] || crdi_is_nothing(w->grad[id]) || !v->op->vjp)
        return;
    for (int i = 0; i < v->arg_count; i++)
        grads[i] = crdi_nothing;
    v->op->vjp((crd_node){w->graph, id, 0}, v, w->grad[id], grads);
    for (int i = 0; i < v->arg_count; i++)
        if (w->relevant[v->arg[i]] && !crdi_is_nothing(grads[i]))
            crdi_accumulate(&w->grad[v->arg[i]], grads[i]);
}

static void mark_relevant(struct walk *w, const crd_node *x, int count, int32_t last)
{
    for (int i = 0; i < count; i++)
        if (x[i].id >= 0)
            w->relevant[x[i].id] = true;
    for (int32_t id = 0; id <= last; id++) {
        const crdi_vertex *v = w->graph->vertex[id];
        for (int i = 0; i < v->arg_count && !w->relevant[id]; i++)
            w->relevant[id] = w->relevant[v->arg[i]];
    }
}

void crd_gradient_at(crd_node y, const crd_node *x, int count, crd_node *out, crd_where where)
{
    for (int i = 0; i < count; i++)
        out[i] = y.graph ? (crd_node){y.graph, -1, 0} : crd_num(0);
    if (!y.graph || y.id < 0)
        return;
    crd_graph *g = y.graph;
    if (crdi_vertex_of(y)->size != 1) {
        char text[96];
        crdi_fail(g, CRD_ESHAPE, where, "gradient: a scalar is needed, not shape %s",
                  crdi_shape_text(crd_node_shape(y), text, sizeof text));
        return;
    }
    for (int i = 0; i < count; i++)
        if (x[i].graph != g || x[i].id < 0) {
            crdi_fail(g, CRD_EINVAL, where, "gradient: argument %d is not a node of this graph", i);
            return;
        }
    int32_t last = y.id;
    int64_t nodes = g->count;
    struct walk w = {g, crdi_alloc_array(g->ctx, nodes, sizeof(crd_node)), crdi_alloc_array(g->ctx, nodes, 1)};
    if (w.grad && w.relevant) {
        for (int64_t id = 0; id < nodes; id++)
            w.grad[id] = crdi_nothing;
        mark_relevant(&w, x, count, last);
        w.grad[last] = crdi_constant_fill(g, 1, crd_node_shape(y));
        for (int32_t id = last; id >= 0; id--)
            visit(&w, id);
        for (int i = 0; i < count && g->status == CRD_OK; i++) {
            crd_node d = w.grad[x[i].id];
            out[i] = crdi_is_nothing(d) ? crdi_constant_fill(g, 0, crd_node_shape(x[i]))
                                        : crd_broadcast_to(d, crd_node_shape(x[i]));
        }
    } else if (g->status == CRD_OK) {
        g->status = CRD_ENOMEM;
    }
    crdi_free(g->ctx, w.grad);
    crdi_free(g->ctx, w.relevant);
}
