/* rows_rules.c - how operations take part when a graph is cut along its rows (rows.h). */
#include "graph/rows.h"

#include <string.h>

static crd_shape shape_of(const crd_graph *g, const crdi_vertex *v, int i)
{
    return g->vertex[v->arg[i]]->shape;
}

static int64_t product(crd_shape shape, int from, int to)
{
    int64_t size = 1;
    for (int d = from; d < to; d++)
        size *= shape.dim[d];
    return size;
}

int crdi_rows_axis(crd_shape shape, int64_t rows, const crdi_rows_use *use)
{
    for (int d = 0; d < shape.ndim; d++)
        if (shape.dim[d] == rows && product(shape, 0, d) == use->outer &&
            product(shape, d + 1, shape.ndim) == use->inner)
            return d;
    return -1;
}

crdi_rows_use crdi_rows_along_axis(crd_shape shape, int axis)
{
    return (crdi_rows_use){true, product(shape, 0, axis), product(shape, axis + 1, shape.ndim)};
}

/* An axis that is (outer, rows, inner) of its own, as where axes were joined by a reshape. */
struct joined {
    int axis; /* -1: there is none */
    int64_t outer, inner;
};

static struct joined find_joined(crd_shape shape, int64_t rows, const crdi_rows_use *use)
{
    for (int d = 0; d < shape.ndim; d++) {
        int64_t before = product(shape, 0, d), behind = product(shape, d + 1, shape.ndim);
        if (before == 0 || behind == 0 || use->outer % before != 0 || use->inner % behind != 0)
            continue;
        struct joined found = {d, use->outer / before, use->inner / behind};
        if (found.outer * rows * found.inner == shape.dim[d])
            return found;
    }
    return (struct joined){.axis = -1};
}

/* How an array is used whose axis `axis` is joined like that. */
static crdi_rows_use use_joined(crd_shape shape, int axis, struct joined j)
{
    crdi_rows_use use = crdi_rows_along_axis(shape, axis);
    return (crdi_rows_use){true, use.outer * j.outer, use.inner * j.inner};
}

bool crdi_rows_block_shape(crd_shape shape, const crdi_rows_use *use, int64_t rows, int64_t block, crd_shape *out)
{
    struct joined j = find_joined(shape, rows, use);
    if (j.axis < 0)
        return false;
    *out = shape;
    out->dim[j.axis] = j.outer * block * j.inner;
    return true;
}

/* Asks for an argument to be cut so; false if it is cut in another way. */
static bool ask(crdi_rows_use *use, crdi_rows_use wanted)
{
    if (use->cut && (use->outer != wanted.outer || use->inner != wanted.inner))
        return false;
    *use = wanted;
    return true;
}

static bool ask_axis(const crd_graph *g, const crdi_vertex *v, int i, int axis, int64_t rows, crdi_rows_use *use)
{
    crd_shape shape = shape_of(g, v, i);
    return axis >= 0 && axis < shape.ndim && shape.dim[axis] == rows && ask(&use[i], crdi_rows_along_axis(shape, axis));
}

static int first_cut(const crdi_vertex *v, const crdi_rows_use *use)
{
    int i = 0;
    while (i < v->arg_count && !use[i].cut)
        i++;
    return i;
}

/* ---- element by element -------------------------------------------------------------------------------------- */

/* The axis of rows is one with others in some axis: all must have the shape of the result, or be one number. */
static enum crdi_rows_kind elementwise_flat(const crd_graph *g, const crdi_vertex *v, crdi_rows_use *use,
                                            crdi_rows_use label, crdi_rows_use *result)
{
    for (int i = 0; i < v->arg_count; i++) {
        bool one = g->vertex[v->arg[i]]->size == 1 && !use[i].cut;
        if (!one && (!crdi_shape_equal(shape_of(g, v, i), v->shape) || !ask(&use[i], label)))
            return CRDI_ROWS_CANNOT;
    }
    *result = label;
    return CRDI_ROWS_CUT;
}

static enum crdi_rows_kind kind_elementwise(const crd_graph *g, const crdi_vertex *v, int64_t rows, crdi_rows_use *use,
                                            crdi_rows_use *result)
{
    int lead = first_cut(v, use);
    crd_shape shape = shape_of(g, v, lead);
    int axis = crdi_rows_axis(shape, rows, &use[lead]);
    if (axis < 0)
        return elementwise_flat(g, v, use, use[lead], result);
    axis += v->shape.ndim - shape.ndim;
    if (v->shape.dim[axis] != rows)
        return CRDI_ROWS_CANNOT;
    for (int i = 0; i < v->arg_count; i++) {
        shape = shape_of(g, v, i);
        int own = axis - (v->shape.ndim - shape.ndim);
        bool shared = own < 0 || shape.dim[own] == 1;
        if (shared ? use[i].cut : !ask_axis(g, v, i, own, rows, use))
            return CRDI_ROWS_CANNOT;
    }
    *result = crdi_rows_along_axis(v->shape, axis);
    return CRDI_ROWS_CUT;
}

const struct crdi_rows_rule crdi_rows_elementwise = {.kind = kind_elementwise, .starts = true};

/* ---- moving -------------------------------------------------------------------------------------------------- */

static enum crdi_rows_kind kind_same(const crd_graph *g, const crdi_vertex *v, int64_t rows, crdi_rows_use *use,
                                     crdi_rows_use *result)
{
    (void)g;
    (void)v;
    (void)rows;
    *result = use[0];
    return CRDI_ROWS_CUT;
}

const struct crdi_rows_rule crdi_rows_same = {.kind = kind_same};

/* A view of an array (outer, rows, inner) as one of an array (outer, block, inner): the axis of the view that walks the
 * rows, all of them and one by one, is shortened, and steps over rows become shorter. -1: there is no such axis. */
static int view_of_block(const crdi_view *view, const crdi_rows_use *of, int64_t rows, int64_t block, crdi_view *out)
{
    int64_t slab = rows * of->inner, low = view->offset % slab, high = low;
    int axis = -1;
    *out = *view;
    out->offset = view->offset / slab * block * of->inner + low;
    for (int d = 0; d < view->ndim; d++) {
        int64_t stride = view->stride[d], last = stride * (view->dim[d] - 1);
        if (view->dim[d] == 1 || stride == 0)
            continue;
        if (axis < 0 && stride == of->inner && view->dim[d] == rows) {
            axis = d;
            out->dim[d] = block;
        } else if (stride % slab == 0) {
            out->stride[d] = stride / slab * block * of->inner;
        } else {
            low += last < 0 ? last : 0;
            high += last > 0 ? last : 0;
        }
    }
    out->size = out->size / rows * block;
    return low >= 0 && high < of->inner ? axis : -1;
}

static enum crdi_rows_kind kind_view(const crd_graph *g, const crdi_vertex *v, int64_t rows, crdi_rows_use *use,
                                     crdi_rows_use *result)
{
    crdi_view block;
    (void)g;
    int axis = view_of_block(&v->attribute.view, &use[0], rows, rows, &block);
    if (axis < 0 || axis >= v->shape.ndim)
        return CRDI_ROWS_CANNOT;
    *result = crdi_rows_along_axis(v->shape, axis);
    return CRDI_ROWS_CUT;
}

static void block_view(const crdi_vertex *v, const crdi_rows_use *use, int64_t rows, int64_t block, crdi_attribute *out)
{
    view_of_block(&v->attribute.view, use, rows, block, &out->view);
}

const struct crdi_rows_rule crdi_rows_view = {.kind = kind_view, .block = block_view};

/* The array with zeros round what a view has picked: its rows are where the view's are. */
static bool whole_of_view(const crdi_vertex *v, int64_t rows, const crdi_rows_use *piece, crdi_rows_use *whole)
{
    const crdi_view *view = &v->attribute.view;
    crd_shape picked = {.ndim = view->ndim};
    crdi_view block;
    memcpy(picked.dim, view->dim, sizeof picked.dim);
    int axis = crdi_rows_axis(picked, rows, piece);
    if (axis < 0 || view->stride[axis] < 1 || v->size % (rows * view->stride[axis]) != 0)
        return false;
    *whole = (crdi_rows_use){true, v->size / (rows * view->stride[axis]), view->stride[axis]};
    return view_of_block(view, whole, rows, rows, &block) == axis;
}

static enum crdi_rows_kind kind_unview(const crd_graph *g, const crdi_vertex *v, int64_t rows, crdi_rows_use *use,
                                       crdi_rows_use *result)
{
    (void)g;
    return whole_of_view(v, rows, &use[0], result) ? CRDI_ROWS_CUT : CRDI_ROWS_CANNOT;
}

static void block_unview(const crdi_vertex *v, const crdi_rows_use *use, int64_t rows, int64_t block,
                         crdi_attribute *out)
{
    crdi_rows_use whole;
    if (whole_of_view(v, rows, use, &whole))
        view_of_block(&v->attribute.view, &whole, rows, block, &out->view);
}

const struct crdi_rows_rule crdi_rows_unview = {.kind = kind_unview, .block = block_unview};

/* Arrays that follow each other in memory: (outer, rows, inner) each, all with one `inner`. */
static enum crdi_rows_kind stack(const crd_graph *g, const crdi_vertex *v, int64_t rows, int64_t inner,
                                 crdi_rows_use *use, crdi_rows_use *result)
{
    *result = (crdi_rows_use){true, 0, inner};
    for (int i = 0; i < v->arg_count; i++) {
        int64_t size = g->vertex[v->arg[i]]->size;
        if (size % (rows * inner) != 0 || !ask(&use[i], (crdi_rows_use){true, size / (rows * inner), inner}))
            return CRDI_ROWS_CANNOT;
        result->outer += use[i].outer;
    }
    return CRDI_ROWS_CUT;
}

static enum crdi_rows_kind kind_concat(const crd_graph *g, const crdi_vertex *v, int64_t rows, crdi_rows_use *use,
                                       crdi_rows_use *result)
{
    int lead = first_cut(v, use), joined = (int)v->attribute.whole[0];
    int axis = crdi_rows_axis(shape_of(g, v, lead), rows, &use[lead]);
    if (axis < 0 || axis == joined)
        return product(v->shape, 0, joined) == 1 ? stack(g, v, rows, use[lead].inner, use, result) : CRDI_ROWS_CANNOT;
    for (int i = 0; i < v->arg_count; i++)
        if (!ask_axis(g, v, i, axis, rows, use))
            return CRDI_ROWS_CANNOT;
    *result = crdi_rows_along_axis(v->shape, axis);
    return CRDI_ROWS_CUT;
}

const struct crdi_rows_rule crdi_rows_concat = {.kind = kind_concat};

/* ---- products ------------------------------------------------------------------------------------------------ */

static enum crdi_rows_kind result_at(const crdi_vertex *v, int axis, crdi_rows_use *result)
{
    *result = crdi_rows_along_axis(v->shape, axis);
    return CRDI_ROWS_CUT;
}

/* The product over a batch, whose axes come before the matrices': an argument without it is shared. */
static enum crdi_rows_kind batch(const crd_graph *g, const crdi_vertex *v, int64_t rows, int axis, crdi_rows_use *use,
                                 crdi_rows_use *result)
{
    if (v->shape.dim[axis] != rows)
        return CRDI_ROWS_CANNOT;
    for (int i = 0; i < 2; i++) {
        crd_shape shape = shape_of(g, v, i);
        bool shared = product(shape, 0, shape.ndim - 2) == 1;
        if (shared ? use[i].cut : !ask_axis(g, v, i, axis - (v->shape.ndim - shape.ndim), rows, use))
            return CRDI_ROWS_CANNOT;
    }
    return result_at(v, axis, result);
}

static enum crdi_rows_kind kind_matmul(const crd_graph *g, const crdi_vertex *v, int64_t rows, crdi_rows_use *use,
                                       crdi_rows_use *result)
{
    bool ta = v->attribute.whole[0] != 0, tb = v->attribute.whole[1] != 0;
    int lead = first_cut(v, use), ndim[2] = {shape_of(g, v, 0).ndim, shape_of(g, v, 1).ndim};
    int summed[2] = {ndim[0] - (ta ? 2 : 1), ndim[1] - (tb ? 1 : 2)};
    struct joined j = find_joined(shape_of(g, v, lead), rows, &use[lead]);
    if (j.axis < 0)
        return CRDI_ROWS_CANNOT;
    if (j.axis < ndim[lead] - 2)
        return j.outer * j.inner == 1 ? batch(g, v, rows, j.axis + v->shape.ndim - ndim[lead], use, result)
                                      : CRDI_ROWS_CANNOT;
    if (j.axis == summed[lead])
        return ask(&use[1 - lead], use_joined(shape_of(g, v, 1 - lead), summed[1 - lead], j)) ? CRDI_ROWS_SUM
                                                                                              : CRDI_ROWS_CANNOT;
    if (use[1 - lead].cut)
        return CRDI_ROWS_CANNOT;
    *result = use_joined(v->shape, v->shape.ndim - (lead == 0 ? 2 : 1), j);
    return CRDI_ROWS_CUT;
}

const struct crdi_rows_rule crdi_rows_matmul = {.kind = kind_matmul, .starts = true};

/* Y = K' X + b: rows are columns of X. */
static enum crdi_rows_kind kind_affine(const crd_graph *g, const crdi_vertex *v, int64_t rows, crdi_rows_use *use,
                                       crdi_rows_use *result)
{
    if (use[0].cut || use[2].cut || !ask_axis(g, v, 1, 1, rows, use))
        return CRDI_ROWS_CANNOT;
    return result_at(v, 1, result);
}

const struct crdi_rows_rule crdi_rows_affine = {.kind = kind_affine, .starts = true};

/* L^-1 B: rows are columns of B. */
static enum crdi_rows_kind kind_solve(const crd_graph *g, const crdi_vertex *v, int64_t rows, crdi_rows_use *use,
                                      crdi_rows_use *result)
{
    if (use[0].cut || !ask_axis(g, v, 1, 1, rows, use))
        return CRDI_ROWS_CANNOT;
    return result_at(v, 1, result);
}

const struct crdi_rows_rule crdi_rows_solve = {.kind = kind_solve, .starts = true};

/* ---- sums and what goes along an axis ------------------------------------------------------------------------ */

static enum crdi_rows_kind kind_sum(const crd_graph *g, const crdi_vertex *v, int64_t rows, crdi_rows_use *use,
                                    crdi_rows_use *result)
{
    int lead = first_cut(v, use);
    (void)rows;
    (void)result;
    for (int i = 0; i < v->arg_count; i++)
        if (!crdi_shape_equal(shape_of(g, v, i), shape_of(g, v, lead)) || !ask(&use[i], use[lead]))
            return CRDI_ROWS_CANNOT;
    return CRDI_ROWS_SUM;
}

const struct crdi_rows_rule crdi_rows_sum = {.kind = kind_sum};

static enum crdi_rows_kind kind_sum_axis(const crd_graph *g, const crdi_vertex *v, int64_t rows, crdi_rows_use *use,
                                         crdi_rows_use *result)
{
    struct joined j = find_joined(shape_of(g, v, 0), rows, &use[0]);
    int summed = (int)v->attribute.whole[0];
    if (j.axis < 0)
        return CRDI_ROWS_CANNOT;
    if (j.axis == summed)
        return CRDI_ROWS_SUM;
    *result = use_joined(v->shape, j.axis - (summed < j.axis), j);
    return CRDI_ROWS_CUT;
}

const struct crdi_rows_rule crdi_rows_sum_axis = {.kind = kind_sum_axis};

/* What goes along an axis must not go along that of the rows. */
static enum crdi_rows_kind kind_along(const crd_graph *g, const crdi_vertex *v, int64_t rows, crdi_rows_use *use,
                                      crdi_rows_use *result)
{
    crd_shape shape = shape_of(g, v, 0);
    int axis = crdi_rows_axis(shape, rows, &use[0]), along = (int)v->attribute.whole[0];
    if (axis < 0 || axis == along)
        return CRDI_ROWS_CANNOT;
    return result_at(v, v->shape.ndim < shape.ndim && along < axis ? axis - 1 : axis, result);
}

const struct crdi_rows_rule crdi_rows_along = {.kind = kind_along};

/* ---- rows by an index ---------------------------------------------------------------------------------------- */

/* Each row picks one of a table that all share; or a table of columns, one a row, whose lines are picked for all. */
static enum crdi_rows_kind kind_gather(const crd_graph *g, const crdi_vertex *v, int64_t rows, crdi_rows_use *use,
                                       crdi_rows_use *result)
{
    if (!use[0].cut)
        return ask_axis(g, v, 1, 0, rows, use) ? result_at(v, 0, result) : CRDI_ROWS_CANNOT;
    int axis = crdi_rows_axis(shape_of(g, v, 0), rows, &use[0]);
    return use[1].cut || axis < 1 ? CRDI_ROWS_CANNOT : result_at(v, axis, result);
}

const struct crdi_rows_rule crdi_rows_gather = {.kind = kind_gather, .starts = true};

static enum crdi_rows_kind kind_scatter_add(const crd_graph *g, const crdi_vertex *v, int64_t rows, crdi_rows_use *use,
                                            crdi_rows_use *result)
{
    int axis = use[0].cut ? crdi_rows_axis(shape_of(g, v, 0), rows, &use[0]) : 0;
    if (axis > 0)
        return use[1].cut ? CRDI_ROWS_CANNOT : result_at(v, axis, result);
    return ask_axis(g, v, 0, 0, rows, use) && ask_axis(g, v, 1, 0, rows, use) ? CRDI_ROWS_SUM : CRDI_ROWS_CANNOT;
}

const struct crdi_rows_rule crdi_rows_scatter_add = {.kind = kind_scatter_add};

/* ---- windows ------------------------------------------------------------------------------------------------- */

static enum crdi_rows_kind kind_windows(const crd_graph *g, const crdi_vertex *v, int64_t rows, crdi_rows_use *use,
                                        crdi_rows_use *result)
{
    return ask_axis(g, v, 0, 0, rows, use) ? result_at(v, 0, result) : CRDI_ROWS_CANNOT;
}

const struct crdi_rows_rule crdi_rows_windows = {.kind = kind_windows, .starts = true};
