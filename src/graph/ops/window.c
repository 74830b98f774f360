/* window.c - windows that move over an array, the sum that is their transpose, and the convolution made of them.
 *
 * Windows are copied out (im2col), so that a convolution is one matrix product and its gradients are products and a sum
 * of windows. The two operations are each other's gradient; both can be differentiated any number of times. */
#include "graph/graph.h"
#include "graph/rows.h"

#include <string.h>

/* n rows of (extent[0], extent[1], features), seen by windows at places[0] x places[1] each; one axis: extent[1] is 1. */
struct plan {
    int64_t rows, features, extent[2], size[2], stride[2], before[2], places[2];
    double fill;
};

enum { SIZE, STRIDE = 2, BEFORE = 4 }; /* places in attribute.whole, two each */

/* Elements of one line of a window, as a range of the array's second axis: `from` to `to` of size[1] are inside. */
static void inside(const struct plan *p, int64_t column, int64_t *from, int64_t *to)
{
    *from = column < 0 ? -column : 0;
    *to = p->extent[1] - column < p->size[1] ? p->extent[1] - column : p->size[1];
    *from = *from < p->size[1] ? *from : p->size[1];
    *to = *to > *from ? *to : *from;
}

#define REAL double
#define NAME(name) name
#define IN in
#define OUT out
#include "graph/ops/window_loops.h"

#define REAL float
#define NAME(name) name##_floats
#define IN in_single
#define OUT out_single
#include "graph/ops/window_loops.h"

/* The plan of windows `picked` of an array `whole`. */
static const struct plan *plan_of(crdi_emitter *emitter, const crdi_vertex *v, crd_shape whole, crd_shape picked)
{
    struct plan *p = crdi_arena_alloc(emitter->arena, sizeof *p);
    if (!p) {
        emitter->status = CRD_ENOMEM;
        return NULL;
    }
    bool two = whole.ndim == 4;
    *p = (struct plan){.rows = whole.dim[0], .features = whole.dim[whole.ndim - 1], .fill = v->attribute.number};
    for (int d = 0; d < 2; d++) {
        p->extent[d] = d == 0 || two ? whole.dim[d + 1] : 1;
        p->places[d] = d == 0 || two ? picked.dim[d + 1] : 1;
        p->size[d] = v->attribute.whole[SIZE + d];
        p->stride[d] = v->attribute.whole[STRIDE + d];
        p->before[d] = v->attribute.whole[BEFORE + d];
    }
    return p;
}

static void lower_windows(crdi_emitter *emitter, const crdi_vertex *v)
{
    const struct plan *p = plan_of(emitter, v, emitter->graph->vertex[v->arg[0]]->shape, v->shape);
    crdi_kernel_fn fn = v->floats ? run_windows_floats : run_windows;
    crdi_step *step = p ? crdi_emit_fn(emitter, fn, "windows", v->arg, 1) : NULL;
    if (!step)
        return;
    step->call.extra = p;
    step->floats = v->floats;
}

static void lower_windows_sum(crdi_emitter *emitter, const crdi_vertex *v)
{
    const struct plan *p = plan_of(emitter, v, v->shape, emitter->graph->vertex[v->arg[0]]->shape);
    crdi_kernel_fn fn = v->floats ? run_windows_sum_floats : run_windows_sum;
    crdi_step *step = p ? crdi_emit_fn(emitter, fn, "windows_sum", v->arg, 1) : NULL;
    if (!step)
        return;
    step->call.extra = p;
    step->floats = v->floats;
}

static void vjp_windows(crd_node node, const crdi_vertex *v, crd_node g, crd_node *grad);
static void vjp_windows_sum(crd_node node, const crdi_vertex *v, crd_node g, crd_node *grad);
static const crdi_op op_windows = {.name = "windows",
                                   .pure = true,
                                   .single = CRDI_SINGLE_FLOATS,
                                   .lower = lower_windows,
                                   .vjp = vjp_windows,
                                   .rows = &crdi_rows_windows};
static const crdi_op op_windows_sum = {.name = "windows_sum",
                                       .pure = true,
                                       .single = CRDI_SINGLE_FLOATS,
                                       .lower = lower_windows_sum,
                                       .vjp = vjp_windows_sum,
                                       .rows = &crdi_rows_windows};

/* The other operation on g; nothing flows from padding, whatever its value. */
static void vjp_by(const crdi_op *op, crd_node node, const crdi_vertex *v, crd_node g, crd_node *grad)
{
    crdi_attribute attribute = v->attribute;
    attribute.number = 0;
    crd_shape shape = crd_node_shape(crdi_arg(node, 0));
    crdi_accumulate(&grad[0], crdi_make(node.graph, op, &g, 1, shape, &attribute, v->where));
}

static void vjp_windows(crd_node node, const crdi_vertex *v, crd_node g, crd_node *grad)
{
    vjp_by(&op_windows_sum, node, v, g, grad);
}

static void vjp_windows_sum(crd_node node, const crdi_vertex *v, crd_node g, crd_node *grad)
{
    vjp_by(&op_windows, node, v, g, grad);
}

/* ---- building ----------------------------------------------------------------------------------------------- */

enum { MOST = 1 << 30 }; /* of sizes, strides, paddings: nothing below overflows */

/* Padding and places along one axis; false if the window cannot be. */
static bool place(const crd_window *w, int axis, int64_t extent, int64_t *stride, int64_t *before, int64_t *places)
{
    int64_t size = w->size[axis], step = w->stride[axis] ? w->stride[axis] : 1, behind = 0;
    if (size < 1 || size > MOST || step < 1 || step > MOST)
        return false;
    *before = 0;
    if (w->padding == CRD_PADDING_EXPLICIT) {
        *before = w->before[axis];
        behind = w->behind[axis];
        if (*before < 0 || *before > MOST || behind < 0 || behind > MOST)
            return false;
    } else if (w->padding == CRD_PADDING_SAME) {
        int64_t wanted = (extent + step - 1) / step, more = (wanted - 1) * step + size - extent;
        more = more > 0 ? more : 0;
        *before = more / 2;
        behind = more - more / 2;
    }
    *stride = step;
    int64_t room = extent + *before + behind - size;
    *places = room < 0 ? 0 : room / step + 1;
    return *places > 0;
}

crd_node crd_windows_at(crd_node x, const crd_window *window, double fill_value, crd_where where)
{
    crd_node failed;
    crd_graph *g = crdi_lift(&x, 1, where, &failed);
    char text[96];
    if (!g)
        return failed;
    crd_shape from = crd_node_shape(x), shape = from;
    if (window->axes < 1 || window->axes > 2 || from.ndim != window->axes + 2)
        return crdi_fail(g, CRD_ESHAPE, where, "windows over %d ax%s need an array (rows, %s, features), not %s",
                         window->axes, window->axes == 1 ? "is" : "es", window->axes == 1 ? "length" : "height, width",
                         crdi_shape_text(from, text, sizeof text));
    crdi_attribute attribute = {.whole = {1, 1, 1, 1, 0, 0}, .number = fill_value};
    for (int d = 0; d < window->axes; d++) {
        attribute.whole[SIZE + d] = window->size[d];
        if (!place(window, d, from.dim[d + 1], &attribute.whole[STRIDE + d], &attribute.whole[BEFORE + d],
                   &shape.dim[d + 1]))
            return crdi_fail(g, CRD_ESHAPE, where,
                             "a window of %lld with stride %lld has no place along axis %d of %s, padded as asked for",
                             (long long)window->size[d], (long long)(window->stride[d] ? window->stride[d] : 1), d + 1,
                             crdi_shape_text(from, text, sizeof text));
    }
    shape.dim[from.ndim - 1] = attribute.whole[SIZE] * attribute.whole[SIZE + 1];
    shape.dim[from.ndim] = from.dim[from.ndim - 1];
    shape.ndim = from.ndim + 1;
    if (!crdi_shape_possible(shape))
        return crdi_fail(g, CRD_ESHAPE, where, "windows: their elements are too many to be counted");
    return crdi_make(g, &op_windows, &x, 1, shape, &attribute, where);
}

crd_node crd_convolve_at(crd_node x, crd_node kernel, const crd_window *window, crd_where where)
{
    crd_node args[2] = {x, kernel}, failed;
    crd_graph *g = crdi_lift(args, 2, where, &failed);
    char left[96], right[96];
    if (!g)
        return failed;
    crd_shape from = crd_node_shape(args[0]), k = crd_node_shape(args[1]);
    int axes = window->axes;
    if (axes < 1 || axes > 2 || from.ndim != axes + 2 || k.ndim != axes + 2 || k.dim[axes] != from.dim[axes + 1])
        return crdi_fail(g, CRD_ESHAPE, where, "convolve: x %s and kernel %s do not fit over %d axes",
                         crdi_shape_text(from, left, sizeof left), crdi_shape_text(k, right, sizeof right), axes);
    crd_window sized = *window;
    for (int d = 0; d < axes; d++)
        sized.size[d] = k.dim[d];
    crd_node seen = crd_windows_at(args[0], &sized, 0, where);
    if (!crd_node_ok(seen))
        return seen;
    crd_shape shape = crd_node_shape(seen);
    int64_t taps = shape.dim[axes + 1] * shape.dim[axes + 2], features = k.dim[axes + 1];
    int64_t places = taps ? crd_shape_size(shape) / taps : 0;
    seen = crd_reshape_at(seen, crd_shape_2(places, taps), where);
    crd_node out = crd_matmul_at(seen, crd_reshape_at(args[1], crd_shape_2(taps, features), where), where);
    shape.ndim = axes + 2;
    shape.dim[axes + 1] = features;
    shape.dim[axes + 2] = 0;
    return crd_reshape_at(out, shape, where);
}
