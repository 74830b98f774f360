/* gradient.c - reverse mode: from a graph, the graph of its gradient.
 *
 * Ids are a topological order, so one walk from y's id downwards meets every node after all that use it: by then its
 * gradient is complete. Only nodes that lead from one of the x to y are visited. */
#include "graph/graph.h"
#include "graph/ops/vjp.h"

void crdi_accumulate(crd_node *sum, crd_node term)
{
    *sum = crdi_is_nothing(*sum) ? term : crd_add(*sum, term);
}

/* A stretch of a gradient that came through a slice. */
struct piece {
    crd_node whole; /* with zeros round it */
    int64_t at, size;
    struct piece *next; /* by place */
};

struct walk {
    crd_graph *graph;
    crd_node *grad; /* d y / d node, by id; what came through slices is added when all of it is there */
    struct piece **pieces; /* by id */
    bool *relevant; /* whether the node depends on one of the x */
};

enum { MOST_PIECES = CRDI_MOST_ARGS / 2 - 1 }; /* with gaps between them they are arguments of one concat */

static crd_status keep_piece(struct walk *w, int32_t id, crd_node whole, int64_t at)
{
    struct piece *piece, **place = &w->pieces[id];
    crd_node inner = crdi_arg(whole, 0);
    int64_t size = crdi_vertex_of(inner)->size;
    while (*place && (*place)->at < at)
        place = &(*place)->next;
    if (*place && (*place)->at == at && (*place)->size == size) { /* the same slice once more */
        crd_node flat = crd_reshape(inner, crd_shape_1(size)), other = crdi_arg((*place)->whole, 0);
        (*place)->whole = crdi_piece_like(crd_add(crd_reshape(other, crd_shape_1(size)), flat), whole);
        return crd_graph_status(w->graph);
    }
    piece = crdi_arena_alloc(w->graph->arena, sizeof *piece);
    if (!piece)
        return CRD_ENOMEM;
    *piece = (struct piece){whole, at, size, *place};
    *place = piece;
    return CRD_OK;
}

static void add_gradient(struct walk *w, int32_t id, crd_node term)
{
    int64_t at;
    if (!crdi_is_piece(term, &at))
        crdi_accumulate(&w->grad[id], term);
    else if (keep_piece(w, id, term, at) < 0 && w->graph->status == CRD_OK)
        w->graph->status = CRD_ENOMEM;
}

/* Whether the pieces lie beside each other, and are few enough. */
static bool can_join(const struct piece *piece)
{
    int count = 0;
    for (; piece; piece = piece->next)
        if (++count > MOST_PIECES || (piece->next && piece->at + piece->size > piece->next->at))
            return false;
    return count > 1;
}

/* The pieces one after the other, zeros in the gaps: sums of arrays that are zero elsewhere would cost more. */
static crd_node join(crd_graph *g, const struct piece *piece, crd_shape shape)
{
    crd_node part[2 * MOST_PIECES + 1];
    int64_t at = 0, size = crd_shape_size(shape);
    int count = 0;
    for (; piece; piece = piece->next) {
        if (piece->at > at)
            part[count++] = crdi_constant_fill(g, 0, crd_shape_1(piece->at - at));
        part[count++] = crd_reshape(crdi_arg(piece->whole, 0), crd_shape_1(piece->size));
        at = piece->at + piece->size;
    }
    if (at < size)
        part[count++] = crdi_constant_fill(g, 0, crd_shape_1(size - at));
    return crd_reshape(crd_concat(part, count, 0), shape);
}

/* Adds what came through slices. */
static void complete(struct walk *w, int32_t id)
{
    struct piece *piece = w->pieces[id];
    if (can_join(piece))
        crdi_accumulate(&w->grad[id], join(w->graph, piece, w->graph->vertex[id]->shape));
    else
        for (; piece; piece = piece->next)
            crdi_accumulate(&w->grad[id], piece->whole);
    w->pieces[id] = NULL;
}

static void visit(struct walk *w, int32_t id)
{
    crd_node grads[CRDI_MOST_ARGS];
    const crdi_vertex *v = w->graph->vertex[id];
    complete(w, id);
    if (!w->relevant[id] || crdi_is_nothing(w->grad[id]) || !v->op->vjp)
        return;
    for (int i = 0; i < v->arg_count; i++)
        grads[i] = crdi_nothing;
    v->op->vjp((crd_node){w->graph, id, 0}, v, w->grad[id], grads);
    for (int i = 0; i < v->arg_count; i++)
        if (w->relevant[v->arg[i]] && !crdi_is_nothing(grads[i]))
            add_gradient(w, v->arg[i], grads[i]);
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
    struct walk w = {.graph = g};
    w.grad = crdi_alloc_array(g->ctx, nodes, sizeof *w.grad);
    w.pieces = crdi_alloc_array(g->ctx, nodes, sizeof *w.pieces);
    w.relevant = crdi_alloc_array(g->ctx, nodes, sizeof *w.relevant);
    if (w.grad && w.pieces && w.relevant) {
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
    crdi_free(g->ctx, w.pieces);
    crdi_free(g->ctx, w.relevant);
}
