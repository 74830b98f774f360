/* gradient.c - reverse mode: from a graph, the graph of its gradient.
 *
 * Ids are a topological order, so one walk from y's id downwards meets every node after all that use it: by then its
 * gradient is complete. Only nodes that y needs are looked at, however many others the graph has: a loss of many particles
 * is differentiated particle by particle. */
#include "graph/graph.h"
#include "graph/ops/vjp.h"

#include <stdlib.h>

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
    int32_t *id; /* of the nodes that y needs, ascending; what follows is by place in it */
    int64_t count, capacity;
    int64_t *table; /* open hashing: places + 1, 0 is empty */
    int64_t table_size;
    crd_node *grad; /* d y / d node; what came through slices is added when all of it is there */
    struct piece **pieces;
    bool *relevant; /* whether the node depends on one of the x */
};

enum { MOST_PIECES = CRDI_MOST_ARGS / 2 - 1 }; /* with gaps between them they are arguments of one concat */

/* ---- the nodes that y needs ---------------------------------------------------------------------------------- */

/* Where a node is in the table, or would be. */
static int64_t slot_of(const struct walk *w, int32_t id)
{
    uint64_t slot = (uint64_t)id * 0x9e3779b97f4a7c15u >> 20;
    while (w->table[slot % (uint64_t)w->table_size] && w->id[w->table[slot % (uint64_t)w->table_size] - 1] != id)
        slot++;
    return (int64_t)(slot % (uint64_t)w->table_size);
}

/* The place of a node; -1: y does not need it. */
static int64_t place_of(const struct walk *w, int32_t id)
{
    return w->table[slot_of(w, id)] - 1;
}

static crd_status make_table(struct walk *w, int64_t size)
{
    int64_t *table = crdi_alloc_array(w->graph->ctx, size, sizeof *table);
    if (!table)
        return CRD_ENOMEM;
    crdi_free(w->graph->ctx, w->table);
    w->table = table;
    w->table_size = size;
    for (int64_t k = 0; k < w->count; k++)
        w->table[slot_of(w, w->id[k])] = k + 1;
    return CRD_OK;
}

static crd_status reach(struct walk *w, int32_t id)
{
    int64_t slot = slot_of(w, id);
    if (w->table[slot])
        return CRD_OK;
    CRD_TRY(crdi_grow(w->graph->ctx, &w->id, &w->capacity, w->count, sizeof *w->id));
    w->id[w->count++] = id;
    w->table[slot] = w->count;
    return 2 * w->count > w->table_size ? make_table(w, 2 * w->table_size) : CRD_OK;
}

static int by_id(const void *a, const void *b)
{
    int32_t p = *(const int32_t *)a, q = *(const int32_t *)b;
    return (p > q) - (p < q);
}

static crd_status reach_all(struct walk *w, int32_t last)
{
    CRD_TRY(make_table(w, 256));
    CRD_TRY(reach(w, last));
    for (int64_t k = 0; k < w->count; k++) {
        const crdi_vertex *v = w->graph->vertex[w->id[k]];
        for (int i = 0; i < v->arg_count; i++)
            CRD_TRY(reach(w, v->arg[i]));
    }
    qsort(w->id, (size_t)w->count, sizeof *w->id, by_id);
    return make_table(w, w->table_size);
}

/* ---- pieces -------------------------------------------------------------------------------------------------- */

static crd_status keep_piece(struct walk *w, int64_t k, crd_node whole, int64_t at)
{
    struct piece *piece, **place = &w->pieces[k];
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

static void add_gradient(struct walk *w, int64_t k, crd_node term)
{
    int64_t at;
    if (!crdi_is_piece(term, &at))
        crdi_accumulate(&w->grad[k], term);
    else if (keep_piece(w, k, term, at) < 0 && w->graph->status == CRD_OK)
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
static void complete(struct walk *w, int64_t k)
{
    struct piece *piece = w->pieces[k];
    if (can_join(piece))
        crdi_accumulate(&w->grad[k], join(w->graph, piece, w->graph->vertex[w->id[k]]->shape));
    else
        for (; piece; piece = piece->next)
            crdi_accumulate(&w->grad[k], piece->whole);
    w->pieces[k] = NULL;
}

/* ---- the walk ------------------------------------------------------------------------------------------------ */

static void visit(struct walk *w, int64_t k)
{
    crd_node grads[CRDI_MOST_ARGS];
    int32_t id = w->id[k];
    const crdi_vertex *v = w->graph->vertex[id];
    complete(w, k);
    if (!w->relevant[k] || crdi_is_nothing(w->grad[k]) || !v->op->vjp)
        return;
    for (int i = 0; i < v->arg_count; i++)
        grads[i] = crdi_nothing;
    v->op->vjp((crd_node){w->graph, id, 0}, v, w->grad[k], grads);
    for (int i = 0; i < v->arg_count; i++) {
        int64_t arg = crdi_is_nothing(grads[i]) ? -1 : place_of(w, v->arg[i]);
        if (arg >= 0 && w->relevant[arg])
            add_gradient(w, arg, grads[i]);
    }
}

static void mark_relevant(struct walk *w, const crd_node *x, int count)
{
    for (int i = 0; i < count; i++) {
        int64_t k = place_of(w, x[i].id);
        if (k >= 0)
            w->relevant[k] = true;
    }
    for (int64_t k = 0; k < w->count; k++) {
        const crdi_vertex *v = w->graph->vertex[w->id[k]];
        for (int i = 0; i < v->arg_count && !w->relevant[k]; i++)
            w->relevant[k] = w->relevant[place_of(w, v->arg[i])];
    }
}

static crd_status walk(struct walk *w, crd_node y, const crd_node *x, int count)
{
    crd_context *ctx = w->graph->ctx;
    CRD_TRY(reach_all(w, y.id));
    w->grad = crdi_alloc_array(ctx, w->count, sizeof *w->grad);
    w->pieces = crdi_alloc_array(ctx, w->count, sizeof *w->pieces);
    w->relevant = crdi_alloc_array(ctx, w->count, sizeof *w->relevant);
    if (!w->grad || !w->pieces || !w->relevant)
        return CRD_ENOMEM;
    for (int64_t k = 0; k < w->count; k++)
        w->grad[k] = crdi_nothing;
    mark_relevant(w, x, count);
    w->grad[w->count - 1] = crdi_constant_fill(w->graph, 1, crd_node_shape(y));
    for (int64_t k = w->count - 1; k >= 0; k--)
        visit(w, k);
    return crd_graph_status(w->graph);
}

static crd_node gradient_in(const struct walk *w, crd_node x)
{
    int64_t k = place_of(w, x.id);
    if (k < 0 || crdi_is_nothing(w->grad[k]))
        return crdi_constant_fill(w->graph, 0, crd_node_shape(x));
    return crd_broadcast_to(w->grad[k], crd_node_shape(x));
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
    struct walk w = {.graph = g};
    crd_status status = g->status == CRD_OK ? walk(&w, y, x, count) : g->status;
    for (int i = 0; i < count && status == CRD_OK; i++)
        out[i] = gradient_in(&w, x[i]);
    if (status < 0 && g->status == CRD_OK)
        g->status = status;
    crdi_free(g->ctx, w.id);
    crdi_free(g->ctx, w.table);
    crdi_free(g->ctx, w.grad);
    crdi_free(g->ctx, w.pieces);
    crdi_free(g->ctx, w.relevant);
}
