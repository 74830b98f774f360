/* reduce.c - sums and maxima.
 *
 * The sum of all elements looks through what it sums, because log densities are sums of element-wise formulas: a factor
 * or divisor that is one number comes out, a constant term becomes its multiple, squares and products become sumsq and
 * dot, which need no array for their elements. Differences of two arrays are summed as differences: splitting them could
 * cancel. */
#include "graph/graph.h"
#include "graph/ops/vjp.h"
#include "graph/rows.h"

#include <math.h>

/* ---- all elements ------------------------------------------------------------------------------------------- */

static void lower_sum(crdi_emitter *emitter, const crdi_vertex *v)
{
    crdi_step *step = crdi_emit(emitter, v->op->kernel, v->arg, v->arg_count);
    if (step)
        step->call.n[0] = emitter->graph->vertex[v->arg[0]]->size;
}

static void vjp_sum(crd_node node, const crdi_vertex *v, crd_node g, crd_node *grad)
{
    (void)v;
    crdi_accumulate(&grad[0], crd_broadcast_to(g, crd_node_shape(crdi_arg(node, 0))));
}

static void vjp_sumsq(crd_node node, const crdi_vertex *v, crd_node g, crd_node *grad)
{
    (void)v;
    crdi_accumulate(&grad[0], crd_mul(crd_mul(crd_num(2), g), crdi_arg(node, 0)));
}

static void vjp_dot(crd_node node, const crdi_vertex *v, crd_node g, crd_node *grad)
{
    (void)v;
    crdi_accumulate(&grad[0], crd_mul(g, crdi_arg(node, 1)));
    crdi_accumulate(&grad[1], crd_mul(g, crdi_arg(node, 0)));
}

#define TOTAL(word)                                                                                                    \
    static const crdi_op op_##word = {.name = #word,                                                                   \
                                      .kernel = CRDI_K_##word,                                                         \
                                      .pure = true,                                                                    \
                                      .single = CRDI_SINGLE_TOTAL,                                                     \
                                      .lower = lower_sum,                                                              \
                                      .vjp = vjp_##word,                                                               \
                                      .rows = &crdi_rows_sum};
TOTAL(sum)
TOTAL(sumsq)
TOTAL(dot)

static int64_t size_of(crd_node x)
{
    return crd_shape_size(crd_node_shape(x));
}

static crd_node scalar(crd_node x)
{
    return crd_reshape(x, crd_shape_0());
}

static crd_node sum_of_square(crd_node x)
{
    if (size_of(x) == 1)
        return crd_square(scalar(x));
    if (crdi_is_quotient(x) && size_of(crdi_arg(x, 1)) == 1)
        return crd_div(sum_of_square(crdi_arg(x, 0)), crd_square(scalar(crdi_arg(x, 1))));
    if (crdi_is_product(x) && size_of(crdi_arg(x, 0)) == 1)
        return crd_mul(crd_square(scalar(crdi_arg(x, 0))), sum_of_square(crdi_arg(x, 1)));
    if (crdi_is_product(x) && size_of(crdi_arg(x, 1)) == 1)
        return crd_mul(crd_square(scalar(crdi_arg(x, 1))), sum_of_square(crdi_arg(x, 0)));
    if (crdi_is_reshape(x))
        return sum_of_square(crdi_arg(x, 0));
    return crdi_make(x.graph, &op_sumsq, &x, 1, crd_shape_0(), NULL, crdi_vertex_of(x)->where);
}

/* The sum of a product or quotient with one number in it, or of two arrays; crdi_nothing if it is neither. */
static crd_node sum_of_product(crd_node x)
{
    crd_node a = crdi_arg(x, 0), b = crdi_arg(x, 1);
    if (crdi_is_quotient(x))
        return size_of(b) == 1 ? crd_div(crd_sum(a), scalar(b)) : crdi_nothing;
    if (size_of(a) == 1)
        return crd_mul(scalar(a), crd_sum(b));
    if (size_of(b) == 1)
        return crd_mul(scalar(b), crd_sum(a));
    return crdi_shape_equal(crd_node_shape(a), crd_node_shape(b)) ? crd_dot(a, b) : crdi_nothing;
}

static crd_node sum_of_terms(crd_node x)
{
    crd_node a = crdi_arg(x, 0), b = crdi_arg(x, 1), n = crd_num((double)size_of(x));
    if (size_of(a) != 1 && size_of(b) != 1)
        return crdi_nothing;
    a = size_of(a) == 1 ? crd_mul(n, scalar(a)) : crd_sum(a);
    b = size_of(b) == 1 ? crd_mul(n, scalar(b)) : crd_sum(b);
    return crdi_is_addition(x) ? crd_add(a, b) : crd_sub(a, b);
}

crd_node crd_sum_at(crd_node x, crd_where where)
{
    crd_node failed, simple = crdi_nothing;
    crd_graph *g = crdi_lift(&x, 1, where, &failed);
    if (!g)
        return failed.graph ? failed : x;
    if (size_of(x) == 0)
        return crdi_constant_scalar(g, 0); /* before anything is taken out of the sum: infinity times no terms is 0 */
    if (size_of(x) == 1)
        return scalar(x);
    if (crdi_is_broadcast(x) && size_of(crdi_arg(x, 0)) == 1)
        return crd_mul(crd_num((double)size_of(x)), scalar(crdi_arg(x, 0)));
    if (crdi_is_reshape(x))
        return crd_sum_at(crdi_arg(x, 0), where);
    if (crdi_is_negation(x))
        return crd_neg(crd_sum_at(crdi_arg(x, 0), where));
    if (crdi_is_square(x))
        return sum_of_square(crdi_arg(x, 0));
    if (crdi_is_product(x) || crdi_is_quotient(x))
        simple = sum_of_product(x);
    else if (crdi_is_addition(x) || crdi_is_subtraction(x))
        simple = sum_of_terms(x);
    return crdi_is_nothing(simple) ? crdi_make(g, &op_sum, &x, 1, crd_shape_0(), NULL, where) : simple;
}

crd_node crd_dot_at(crd_node a, crd_node b, crd_where where)
{
    crd_node args[2] = {a, b}, failed;
    crd_graph *g = crdi_lift(args, 2, where, &failed);
    if (!g)
        return failed.graph ? failed : crd_mul(a, b);
    if (!crdi_shape_equal(crd_node_shape(args[0]), crd_node_shape(args[1])))
        return crdi_fail(g, CRD_ESHAPE, where, "dot: two arrays of one shape are needed");
    if (size_of(args[0]) == 0)
        return crdi_constant_scalar(g, 0);
    if (args[0].id == args[1].id)
        return sum_of_square(args[0]);
    return crdi_make(g, &op_dot, args, 2, crd_shape_0(), NULL, where);
}

/* ---- along an axis ------------------------------------------------------------------------------------------ */

/* The extents before, of and behind the axis; attribute.whole[0] is the axis. */
struct split {
    int64_t outer, middle, inner;
};

static struct split split_at(crd_shape shape, int axis)
{
    struct split s = {1, shape.dim[axis], 1};
    for (int d = 0; d < axis; d++)
        s.outer *= shape.dim[d];
    for (int d = axis + 1; d < shape.ndim; d++)
        s.inner *= shape.dim[d];
    return s;
}

static void lower_sum_axis(crdi_emitter *emitter, const crdi_vertex *v)
{
    struct split s = split_at(emitter->graph->vertex[v->arg[0]]->shape, (int)v->attribute.whole[0]);
    crdi_step *step = crdi_emit(emitter, s.inner == 1 ? CRDI_K_sum_rows : CRDI_K_sum_columns, v->arg, 1);
    if (!step)
        return;
    step->call.n[0] = s.inner == 1 ? s.middle : s.inner;
    step->call.n[1] = s.inner == 1 ? s.outer : s.middle;
    step->call.n[2] = s.outer;
}

static void lower_max_axis(crdi_emitter *emitter, const crdi_vertex *v)
{
    crdi_step *step = crdi_emit(emitter, CRDI_K_max_rows, v->arg, 1);
    if (!step)
        return;
    struct split s = split_at(emitter->graph->vertex[v->arg[0]]->shape, (int)v->attribute.whole[0]);
    step->call.n[0] = s.middle;
    step->call.n[1] = s.outer;
}

/* The result with the axis kept as 1, so that it broadcasts against the argument. */
static crd_node keep_axis(crd_node y, crd_node x, int axis)
{
    crd_shape shape = crd_node_shape(x);
    shape.dim[axis] = 1;
    return crd_reshape(y, shape);
}

static void vjp_sum_axis(crd_node node, const crdi_vertex *v, crd_node g, crd_node *grad)
{
    crd_node x = crdi_arg(node, 0);
    crdi_accumulate(&grad[0], crd_broadcast_to(keep_axis(g, x, (int)v->attribute.whole[0]), crd_node_shape(x)));
}

/* Equal maxima share the gradient. */
static void vjp_max_axis(crd_node node, const crdi_vertex *v, crd_node g, crd_node *grad)
{
    int axis = (int)v->attribute.whole[0];
    crd_node x = crdi_arg(node, 0), hit = crd_equal(x, keep_axis(node, x, axis));
    crd_node share = keep_axis(crd_div(g, crd_sum_axis(hit, axis)), x, axis);
    crdi_accumulate(&grad[0], crd_mul(hit, share));
}

static const crdi_op op_sum_axis = {.name = "sum_axis",
                                    .pure = true,
                                    .single = CRDI_SINGLE_FLOATS,
                                    .lower = lower_sum_axis,
                                    .vjp = vjp_sum_axis,
                                    .rows = &crdi_rows_sum_axis};
static const crdi_op op_max_axis = {.name = "max_axis",
                                    .pure = true,
                                    .single = CRDI_SINGLE_FLOATS,
                                    .lower = lower_max_axis,
                                    .vjp = vjp_max_axis,
                                    .rows = &crdi_rows_along};

static crd_node reduce(const crdi_op *op, crd_node x, int axis, crd_where where)
{
    crd_node failed;
    crd_graph *g = crdi_lift(&x, 1, where, &failed);
    if (!g)
        return failed;
    crd_shape from = crd_node_shape(x), shape = {.ndim = from.ndim - 1};
    if (axis < 0)
        axis += from.ndim;
    if (axis < 0 || axis >= from.ndim)
        return crdi_fail(g, CRD_ESHAPE, where, "%s: no such axis among %d", op->name, from.ndim);
    if (op == &op_max_axis && from.dim[axis] == 0)
        return crdi_fail(g, CRD_ESHAPE, where, "max_axis: there is no largest of no elements");
    for (int d = 0, k = 0; d < from.ndim; d++)
        if (d != axis)
            shape.dim[k++] = from.dim[d];
    if (from.dim[axis] == 1)
        return crd_reshape_at(x, shape, where);
    if (op == &op_max_axis && axis != from.ndim - 1) {
        /* The kernel takes rows: bring the axis to the end. */
        struct split s = split_at(from, axis);
        crd_node cube = crd_transpose_at(crd_reshape_at(x, (crd_shape){3, {s.outer, s.middle, s.inner}}, where), where);
        return crd_reshape_at(reduce(op, cube, 2, where), shape, where);
    }
    crdi_attribute attribute = {.whole = {axis}};
    return crdi_make(g, op, &x, 1, shape, &attribute, where);
}

crd_node crd_sum_axis_at(crd_node x, int axis, crd_where where)
{
    return reduce(&op_sum_axis, x, axis, where);
}

crd_node crd_max_axis_at(crd_node x, int axis, crd_where where)
{
    return reduce(&op_max_axis, x, axis, where);
}

/* Along the first of two axes, if it is short, line by line: no array has to be transposed for it. Of equal elements it has not the
 * gradient of crd_max_axis. */
static crd_node largest_of(crd_node x, int axis, crd_where where)
{
    enum { SHORT = 32 };
    crd_shape shape = crd_node_shape(x);
    if (!crd_node_ok(x) || shape.ndim != 2 || axis != 0 || shape.dim[0] < 1 || shape.dim[0] > SHORT)
        return crd_max_axis_at(x, axis, where);
    crd_node largest = crd_take_at(x, 0, 0, where);
    for (int64_t i = 1; i < shape.dim[0]; i++)
        largest = crd_max_at(largest, crd_take_at(x, 0, i, where), where);
    return largest;
}

crd_node crd_logsumexp_at(crd_node x, int axis, crd_where where)
{
    if (axis < 0 && axis + crd_node_shape(x).ndim >= 0)
        axis += crd_node_shape(x).ndim;
    if (crdi_is_transpose(x) && axis == 1 && crd_node_shape(x).ndim == 2) {
        x = crdi_arg(x, 0);
        axis = 0;
    }
    crd_node largest = crd_stop_gradient_at(largest_of(x, axis, where), where);
    if (!largest.graph || largest.id < 0)
        return largest;
    /* Where all are minus infinity (or one is infinite) the shift would give inf - inf: shift by 0 there. */
    crd_node finite = crd_less(crd_abs(largest), crd_num(INFINITY));
    crd_node shift = crd_select(finite, largest, crd_num(0));
    crd_node shifted = crd_sub(x, keep_axis(shift, x, axis));
    return crd_add(crd_log(crd_sum_axis_at(crd_exp(shifted), axis, where)), shift);
}

/* ---- running sum -------------------------------------------------------------------------------------------- */

static void lower_cumsum(crdi_emitter *emitter, const crdi_vertex *v)
{
    struct split s = split_at(v->shape, (int)v->attribute.whole[0]);
    crdi_step *step = crdi_emit(emitter, CRDI_K_cumsum, v->arg, 1);
    if (!step)
        return;
    step->call.n[0] = s.inner;
    step->call.n[1] = s.middle;
    step->call.n[2] = s.outer;
}

/* d loss / d x_i = sum of g_j over j >= i: the running sum from the other end. */
static void vjp_cumsum(crd_node node, const crdi_vertex *v, crd_node g, crd_node *grad)
{
    int axis = (int)v->attribute.whole[0];
    int64_t n = crd_node_shape(node).dim[axis];
    crd_node backwards = crd_cumsum(crd_slice(g, axis, n - 1, n, -1), axis);
    crdi_accumulate(&grad[0], crd_slice(backwards, axis, n - 1, n, -1));
}

static const crdi_op op_cumsum = {
    .name = "cumsum", .pure = true, .lower = lower_cumsum, .vjp = vjp_cumsum, .rows = &crdi_rows_along};

crd_node crd_cumsum_at(crd_node x, int axis, crd_where where)
{
    crd_node failed;
    crd_graph *g = crdi_lift(&x, 1, where, &failed);
    if (!g)
        return failed;
    crd_shape shape = crd_node_shape(x);
    if (axis < 0)
        axis += shape.ndim;
    if (axis < 0 || axis >= shape.ndim)
        return crdi_fail(g, CRD_ESHAPE, where, "cumsum: no such axis among %d", shape.ndim);
    crdi_attribute attribute = {.whole = {axis}};
    return crdi_make(g, &op_cumsum, &x, 1, shape, &attribute, where);
}
