/* shape.c - operations that only move: reshape, transpose, slice, broadcast, concat. All but reshape are views of their
 * argument (crdi_view) and are copied when computed, or are the argument's own memory when the order does not change. */
#include "graph/graph.h"
#include "graph/ops/vjp.h"
#include "graph/rows.h"

#include <string.h>

bool crdi_broadcast_shape(crd_shape a, crd_shape b, crd_shape *out)
{
    crd_shape shape = {.ndim = a.ndim > b.ndim ? a.ndim : b.ndim};
    for (int d = 1; d <= shape.ndim; d++) {
        int64_t p = d <= a.ndim ? a.dim[a.ndim - d] : 1, q = d <= b.ndim ? b.dim[b.ndim - d] : 1;
        if (p != q && p != 1 && q != 1)
            return false;
        shape.dim[shape.ndim - d] = p == 1 ? q : p;
    }
    *out = shape;
    return true;
}

/* ---- reshape ------------------------------------------------------------------------------------------------ */

static void vjp_reshape(crd_node node, const crdi_vertex *v, crd_node g, crd_node *grad)
{
    (void)v;
    crdi_accumulate(&grad[0], crd_reshape(g, crd_node_shape(crdi_arg(node, 0))));
}

static const crdi_op op_reshape = {.name = "reshape",
                                   .alias = true,
                                   .pure = true,
                                   .single = CRDI_SINGLE_MOVES,
                                   .vjp = vjp_reshape,
                                   .rows = &crdi_rows_same};

crd_node crd_reshape_at(crd_node x, crd_shape shape, crd_where where)
{
    crd_node failed;
    crd_graph *g = crdi_lift(&x, 1, where, &failed);
    if (!g)
        return failed.graph || shape.ndim ? failed : x;
    crd_shape from = crd_node_shape(x);
    if (!crdi_shape_possible(shape))
        return crdi_fail(g, CRD_ESHAPE, where, "reshape: extents cannot be negative or too large to be counted");
    if (crd_shape_size(from) != crd_shape_size(shape)) {
        char left[96], right[96];
        return crdi_fail(g, CRD_ESHAPE, where, "reshape: %s has another number of elements than %s",
                         crdi_shape_text(from, left, sizeof left), crdi_shape_text(shape, right, sizeof right));
    }
    if (crdi_shape_equal(from, shape))
        return x;
    if (crdi_vertex_of(x)->op == &op_reshape)
        return crd_reshape_at(crdi_arg(x, 0), shape, where);
    return crdi_make(g, &op_reshape, &x, 1, shape, NULL, where);
}

/* ---- views -------------------------------------------------------------------------------------------------- */

static void lower_view(crdi_emitter *emitter, const crdi_vertex *v)
{
    crdi_step *step = crdi_emit(emitter, CRDI_K_copy_strided, v->arg, 1);
    if (step)
        step->call.extra = crdi_emit_view(emitter, &v->attribute.view);
}

static void lower_unview(crdi_emitter *emitter, const crdi_vertex *v)
{
    crdi_step *step = crdi_emit(emitter, CRDI_K_scatter_strided, v->arg, 1);
    if (step) {
        step->call.extra = crdi_emit_view(emitter, &v->attribute.view);
        step->call.n[0] = v->size;
    }
}

static void vjp_view(crd_node node, const crdi_vertex *v, crd_node g, crd_node *grad);
static void vjp_unview(crd_node node, const crdi_vertex *v, crd_node g, crd_node *grad);

/* A view whose elements lie one after the other in its argument. */
static int64_t part_of_view(const crdi_vertex *v)
{
    const crdi_view *view = &v->attribute.view;
    int64_t step = 1;
    for (int d = view->ndim - 1; d >= 0; d--) {
        if (view->dim[d] != 1 && view->stride[d] != step)
            return -1;
        step *= view->dim[d];
    }
    return view->offset;
}

static const crdi_op op_view = {.name = "view",
                                .pure = true,
                                .single = CRDI_SINGLE_MOVES,
                                .part = part_of_view,
                                .lower = lower_view,
                                .vjp = vjp_view,
                                .rows = &crdi_rows_view};
static const crdi_op op_unview = {.name = "unview",
                                  .pure = true,
                                  .single = CRDI_SINGLE_FLOATS,
                                  .lower = lower_unview,
                                  .vjp = vjp_unview,
                                  .rows = &crdi_rows_unview};

bool crdi_is_piece(crd_node x, int64_t *at)
{
    if (!x.graph || x.id < 0 || crdi_vertex_of(x)->op != &op_unview)
        return false;
    *at = part_of_view(crdi_vertex_of(x));
    return *at >= 0;
}

crd_node crdi_piece_like(crd_node inner, crd_node whole)
{
    const crdi_vertex *v = crdi_vertex_of(whole);
    inner = crd_reshape(inner, crd_node_shape(crdi_arg(whole, 0)));
    return crdi_make(whole.graph, &op_unview, &inner, 1, v->shape, &v->attribute, v->where);
}

static void vjp_view(crd_node node, const crdi_vertex *v, crd_node g, crd_node *grad)
{
    crd_shape shape = crd_node_shape(crdi_arg(node, 0));
    crdi_accumulate(&grad[0], crdi_make(node.graph, &op_unview, &g, 1, shape, &v->attribute, v->where));
}

static void vjp_unview(crd_node node, const crdi_vertex *v, crd_node g, crd_node *grad)
{
    crd_shape shape = crd_node_shape(crdi_arg(node, 0));
    crdi_accumulate(&grad[0], crdi_make(node.graph, &op_view, &g, 1, shape, &v->attribute, v->where));
}

/* The view of a whole array in its own order. */
static crdi_attribute view_of(crd_shape shape)
{
    crdi_attribute attribute = {0};
    crdi_view *view = &attribute.view;
    view->ndim = shape.ndim ? shape.ndim : 1;
    view->dim[0] = 1;
    int64_t step = 1;
    for (int d = shape.ndim - 1; d >= 0; d--) {
        view->dim[d] = shape.dim[d];
        view->stride[d] = step;
        step *= shape.dim[d];
    }
    view->size = step;
    return attribute;
}

static crd_node make_view(crd_graph *g, crd_node x, crdi_attribute *attribute, crd_where where)
{
    crdi_view *view = &attribute->view;
    crd_shape shape = {.ndim = view->ndim};
    memcpy(shape.dim, view->dim, sizeof shape.dim);
    view->size = crd_shape_size(shape);
    int64_t step = 1;
    bool plain = view->offset == 0 && view->size == crdi_vertex_of(x)->size;
    for (int d = view->ndim - 1; d >= 0; d--) {
        plain = plain && (view->dim[d] == 1 || view->stride[d] == step);
        step *= view->dim[d];
    }
    return plain ? crd_reshape_at(x, shape, where) : crdi_make(g, &op_view, &x, 1, shape, attribute, where);
}

static bool axis_of(crd_graph *g, const char *what, crd_node x, int *axis, crd_where where)
{
    int ndim = crd_node_shape(x).ndim;
    char text[96];
    if (*axis < 0)
        *axis += ndim;
    if (*axis >= 0 && *axis < ndim)
        return true;
    crdi_fail(g, CRD_ESHAPE, where, "%s: shape %s has no axis %d", what,
              crdi_shape_text(crd_node_shape(x), text, sizeof text), *axis);
    return false;
}

static void exchange(crdi_view *view, int a, int b)
{
    int64_t dim = view->dim[a], stride = view->stride[a];
    view->dim[a] = view->dim[b];
    view->stride[a] = view->stride[b];
    view->dim[b] = dim;
    view->stride[b] = stride;
}

bool crdi_is_transpose(crd_node x)
{
    if (!x.graph || x.id < 0 || crdi_vertex_of(x)->op != &op_view)
        return false;
    crd_shape shape = crd_node_shape(crdi_arg(x, 0));
    if (shape.ndim < 2 || shape.ndim != crd_node_shape(x).ndim)
        return false;
    crdi_attribute forth = view_of(shape);
    exchange(&forth.view, shape.ndim - 2, shape.ndim - 1);
    return memcmp(&forth, &crdi_vertex_of(x)->attribute, sizeof forth) == 0;
}

crd_node crd_transpose_at(crd_node x, crd_where where)
{
    crd_node failed;
    crd_graph *g = crdi_lift(&x, 1, where, &failed);
    if (!g)
        return failed;
    crd_shape shape = crd_node_shape(x);
    if (shape.ndim < 2)
        return crdi_fail(g, CRD_ESHAPE, where, "transpose: two axes are needed, there are %d", shape.ndim);
    if (crdi_is_transpose(x)) /* its transpose is what was there before */
        return crdi_arg(x, 0);
    crdi_attribute attribute = view_of(shape);
    exchange(&attribute.view, shape.ndim - 2, shape.ndim - 1);
    return make_view(g, x, &attribute, where);
}

crd_node crd_slice_at(crd_node x, int axis, int64_t start, int64_t count, int64_t step, crd_where where)
{
    crd_node failed;
    crd_graph *g = crdi_lift(&x, 1, where, &failed);
    if (!g || !axis_of(g, "slice", x, &axis, where))
        return failed;
    crd_shape shape = crd_node_shape(x);
    int64_t extent = shape.dim[axis];
    bool fits = count >= 0 && count <= extent && step != 0;
    if (fits && count > 0)
        fits = start >= 0 && start < extent;
    if (fits && count > 1) /* then a longer step would leave at once, and nothing below overflows */
        fits = step > -extent && step < extent;
    if (fits && count > 1)
        fits = start + (count - 1) * step >= 0 && start + (count - 1) * step < extent;
    if (!fits)
        return crdi_fail(g, CRD_ESHAPE, where, "slice: %lld elements from %lld in steps of %lld leave axis %d of %lld",
                         (long long)count, (long long)start, (long long)step, axis, (long long)shape.dim[axis]);
    crdi_attribute attribute = view_of(shape);
    attribute.view.offset = count ? start * attribute.view.stride[axis] : 0;
    attribute.view.dim[axis] = count;
    attribute.view.stride[axis] *= count > 1 ? step : 1;
    return make_view(g, x, &attribute, where);
}

crd_node crd_take_at(crd_node x, int axis, int64_t index, crd_where where)
{
    crd_node one = crd_slice_at(x, axis, index, 1, 1, where);
    if (!one.graph || one.id < 0)
        return one;
    crd_shape from = crd_node_shape(one), shape = {.ndim = from.ndim - 1};
    if (axis < 0)
        axis += from.ndim;
    for (int d = 0, k = 0; d < from.ndim; d++)
        if (d != axis)
            shape.dim[k++] = from.dim[d];
    return crd_reshape_at(one, shape, where);
}

crd_node crd_diagonal_at(crd_node x, crd_where where)
{
    crd_node failed;
    crd_graph *g = crdi_lift(&x, 1, where, &failed);
    if (!g)
        return failed;
    crd_shape shape = crd_node_shape(x);
    if (shape.ndim != 2 || shape.dim[0] != shape.dim[1])
        return crdi_fail(g, CRD_ESHAPE, where, "diagonal: a square matrix is needed");
    crdi_attribute attribute = {.view = {.ndim = 1, .dim = {shape.dim[0]}, .stride = {shape.dim[0] + 1}}};
    return make_view(g, x, &attribute, where);
}

/* ---- broadcast ---------------------------------------------------------------------------------------------- */

static void vjp_broadcast(crd_node node, const crdi_vertex *v, crd_node g, crd_node *grad)
{
    (void)v;
    crdi_accumulate(&grad[0], crdi_unbroadcast(g, crd_node_shape(crdi_arg(node, 0))));
}

static const crdi_op op_broadcast = {.name = "broadcast_to",
                                     .pure = true,
                                     .single = CRDI_SINGLE_FLOATS,
                                     .lower = lower_view,
                                     .vjp = vjp_broadcast,
                                     .rows = &crdi_rows_view};

crd_node crd_broadcast_to_at(crd_node x, crd_shape shape, crd_where where)
{
    crd_node failed;
    crd_graph *g = crdi_lift(&x, 1, where, &failed);
    if (!g)
        return failed.graph || shape.ndim ? failed : x;
    crd_shape from = crd_node_shape(x), joined;
    char left[96], right[96];
    if (!crdi_shape_possible(shape))
        return crdi_fail(g, CRD_ESHAPE, where, "broadcast_to: extents cannot be negative or too large to be counted");
    if (!crdi_broadcast_shape(from, shape, &joined) || !crdi_shape_equal(joined, shape))
        return crdi_fail(g, CRD_ESHAPE, where, "broadcast_to: %s does not broadcast to %s",
                         crdi_shape_text(from, left, sizeof left), crdi_shape_text(shape, right, sizeof right));
    if (crdi_shape_equal(from, shape))
        return x;
    if (crd_shape_size(from) == crd_shape_size(shape))
        return crd_reshape_at(x, shape, where);
    crdi_attribute attribute = view_of(shape), own = view_of(from);
    for (int d = 0; d < shape.ndim; d++) {
        int s = d - (shape.ndim - from.ndim);
        attribute.view.stride[d] = s >= 0 && from.dim[s] != 1 ? own.view.stride[s] : 0;
    }
    return crdi_make(g, &op_broadcast, &x, 1, shape, &attribute, where);
}

bool crdi_is_broadcast(crd_node x)
{
    return x.graph && x.id >= 0 && crdi_vertex_of(x)->op == &op_broadcast;
}

bool crdi_is_reshape(crd_node x)
{
    return x.graph && x.id >= 0 && crdi_vertex_of(x)->op == &op_reshape;
}

crd_node crdi_unbroadcast(crd_node g, crd_shape shape)
{
    crd_shape from = crd_node_shape(g);
    if (!crd_node_ok(g) || crdi_shape_equal(from, shape))
        return g;
    if (crd_shape_size(shape) == 1)
        return crd_reshape(crd_sum(g), shape);
    while (from.ndim > shape.ndim) {
        g = crd_sum_axis(g, 0);
        from = crd_node_shape(g);
    }
    for (int d = 0; d < shape.ndim; d++) {
        if (shape.dim[d] != 1 || from.dim[d] == 1)
            continue;
        from.dim[d] = 1;
        g = crd_reshape(crd_sum_axis(g, d), from);
    }
    return g;
}

/* ---- concat ------------------------------------------------------------------------------------------------- */

/* Rows of n[0] elements go into rows of n[2], n[1] of them. */
static void run_concat(const crdi_call *call)
{
    for (int64_t j = 0; j < call->n[1]; j++)
        memcpy(call->out + j * call->n[2], call->in[0] + j * call->n[0], sizeof(double) * (size_t)call->n[0]);
}

static void run_concat_floats(const crdi_call *call)
{
    for (int64_t j = 0; j < call->n[1]; j++)
        memcpy(call->out_single + j * call->n[2], call->in_single[0] + j * call->n[0],
               sizeof(float) * (size_t)call->n[0]);
}

static bool joins(const crdi_vertex *v)
{
    for (int d = 0; d < (int)v->attribute.whole[0]; d++)
        if (v->shape.dim[d] != 1)
            return false;
    return true;
}

/* Each part is copied into its strip, unless it was computed there; attribute.whole[0] is the axis. */
static void lower_concat(crdi_emitter *emitter, const crdi_vertex *v)
{
    int axis = (int)v->attribute.whole[0];
    int64_t outer = 1, inner = 1, at = 0;
    for (int d = 0; d < axis; d++)
        outer *= v->shape.dim[d];
    for (int d = axis + 1; d < v->shape.ndim; d++)
        inner *= v->shape.dim[d];
    for (int i = 0; i < v->arg_count; i++) {
        int32_t arg = v->arg[i];
        if (joins(v) && emitter->base && emitter->base[arg] == emitter->vertex && emitter->at[arg] == at) {
            at += emitter->graph->vertex[arg]->size;
            continue;
        }
        crdi_step *step = crdi_emit_fn(emitter, v->floats ? run_concat_floats : run_concat, "concat", &v->arg[i], 1);
        if (!step)
            return;
        step->floats = v->floats;
        step->call.n[0] = emitter->graph->vertex[v->arg[i]]->shape.dim[axis] * inner;
        step->call.n[1] = outer;
        step->call.n[2] = v->shape.dim[axis] * inner;
        step->out_offset = at;
        at += step->call.n[0];
    }
}

static void vjp_concat(crd_node node, const crdi_vertex *v, crd_node g, crd_node *grad)
{
    int axis = (int)v->attribute.whole[0];
    int64_t at = 0;
    for (int i = 0; i < v->arg_count; i++) {
        int64_t extent = crd_node_shape(crdi_arg(node, i)).dim[axis];
        crdi_accumulate(&grad[i], crd_slice(g, axis, at, extent, 1));
        at += extent;
    }
}

static const crdi_op op_concat = {.name = "concat",
                                  .pure = true,
                                  .single = CRDI_SINGLE_MOVES,
                                  .joins = joins,
                                  .lower = lower_concat,
                                  .vjp = vjp_concat,
                                  .rows = &crdi_rows_concat};

crd_node crd_concat_at(const crd_node *parts, int count, int axis, crd_where where)
{
    enum { MOST = CRDI_MOST_ARGS };
    crd_node args[MOST], failed;
    if (count < 1 || count > MOST) {
        for (int i = 0; i < count; i++)
            if (parts[i].graph)
                return crdi_fail(parts[i].graph, CRD_EINVAL, where, "concat: 1 to %d parts, not %d", MOST, count);
        return crdi_nothing;
    }
    memcpy(args, parts, sizeof *args * (size_t)count);
    crd_graph *g = crdi_lift(args, count, where, &failed);
    if (!g || !axis_of(g, "concat", args[0], &axis, where))
        return failed;
    crd_shape shape = crd_node_shape(args[0]);
    for (int i = 1; i < count; i++) {
        crd_shape part = crd_node_shape(args[i]);
        bool fits = part.ndim == shape.ndim;
        for (int d = 0; fits && d < shape.ndim; d++)
            fits = d == axis || part.dim[d] == shape.dim[d];
        if (!fits)
            return crdi_fail(g, CRD_ESHAPE, where, "concat: part %d differs from part 0 outside axis %d", i, axis);
        shape.dim[axis] += part.dim[axis];
    }
    crdi_attribute attribute = {.whole = {axis}};
    return crdi_make(g, &op_concat, args, count, shape, &attribute, where);
}
