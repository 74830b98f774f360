/* product.c - matrix products and the dense layer.
 *
 * matmul takes its arguments as they are or transposed (attribute.whole = {transpose a, transpose b}), so that the
 * gradients of a product are products again without moving anything. */
#include "graph/graph.h"
#include "graph/ops/vjp.h"
#include "graph/rows.h"

static crd_shape matrix(crd_shape shape, bool transposed)
{
    crd_shape m = crd_shape_2(shape.dim[shape.ndim - 2], shape.dim[shape.ndim - 1]);
    return transposed ? crd_shape_2(m.dim[1], m.dim[0]) : m;
}

static int64_t batch_of(crd_shape shape)
{
    int64_t batch = 1;
    for (int d = 0; d < shape.ndim - 2; d++)
        batch *= shape.dim[d];
    return batch;
}

/* C = op(A) op(B). With B as it is, rows of B are combined (matmul); with B transposed, rows are multiplied with rows
 * (matmul_nt), for which A must not be transposed: then it is copied in order first. */
static void lower_matmul(crdi_emitter *emitter, const crdi_vertex *v)
{
    crd_graph *g = emitter->graph;
    bool ta = v->attribute.whole[0] != 0, tb = v->attribute.whole[1] != 0;
    crd_shape sa = g->vertex[v->arg[0]]->shape, sb = g->vertex[v->arg[1]]->shape;
    crd_shape a = matrix(sa, ta), b = matrix(sb, tb);
    int64_t columns_a = sa.dim[sa.ndim - 1], columns_b = sb.dim[sb.ndim - 1];
    int32_t in[2] = {v->arg[0], v->arg[1]};
    if (ta && tb) {
        crdi_view view = {.ndim = 3,
                          .dim = {batch_of(sa), a.dim[0], a.dim[1]},
                          .stride = {a.dim[0] * a.dim[1], 1, a.dim[0]},
                          .size = crd_shape_size(sa)};
        int32_t scratch = crdi_emit_scratch(emitter, view.size);
        crdi_step *copy = crdi_emit(emitter, CRDI_K_copy_strided, &in[0], 1);
        if (!copy)
            return;
        copy->out = scratch;
        copy->call.extra = crdi_emit_view(emitter, &view);
        in[0] = scratch;
        ta = false;
        columns_a = a.dim[1];
    }
    crdi_step *step = crdi_emit(emitter, tb ? CRDI_K_matmul_nt : CRDI_K_matmul, in, 2);
    if (!step)
        return;
    step->call.n[0] = b.dim[1];
    step->call.n[1] = a.dim[0];
    step->call.n[2] = a.dim[1];
    step->call.n[3] = batch_of(v->shape);
    step->call.s[3] = batch_of(sa) == 1 ? 0 : a.dim[0] * a.dim[1];
    step->call.s[4] = batch_of(sb) == 1 ? 0 : b.dim[0] * b.dim[1];
    step->call.s[0] = ta ? 1 : columns_a;
    if (tb) {
        step->call.s[1] = columns_b;
    } else {
        step->call.s[1] = ta ? columns_a : 1;
        step->call.s[2] = columns_b;
    }
}

static crd_node product(crd_node a, crd_node b, bool ta, bool tb, crd_where where);
static void vjp_matmul(crd_node node, const crdi_vertex *v, crd_node g, crd_node *grad);
static const crdi_op op_matmul = {.name = "matmul",
                                  .pure = true,
                                  .single = CRDI_SINGLE_FLOATS,
                                  .lower = lower_matmul,
                                  .vjp = vjp_matmul,
                                  .rows = &crdi_rows_matmul};

/* C = A B: dA = G B', dB = A' G; a transposed argument gets the transpose of that. A missing batch is summed over. */
static void vjp_matmul(crd_node node, const crdi_vertex *v, crd_node g, crd_node *grad)
{
    bool ta = v->attribute.whole[0] != 0, tb = v->attribute.whole[1] != 0;
    crd_node a = crdi_arg(node, 0), b = crdi_arg(node, 1);
    if (!crd_node_known(a, NULL)) {
        crd_node da = ta ? product(b, g, tb, true, v->where) : product(g, b, false, !tb, v->where);
        crdi_accumulate(&grad[0], crdi_unbroadcast(da, crd_node_shape(a)));
    }
    if (!crd_node_known(b, NULL)) {
        crd_node db = tb ? product(g, a, true, ta, v->where) : product(a, g, !ta, false, v->where);
        crdi_accumulate(&grad[1], crdi_unbroadcast(db, crd_node_shape(b)));
    }
}

static crd_node product(crd_node a, crd_node b, bool ta, bool tb, crd_where where)
{
    crd_node args[2] = {a, b}, failed;
    crd_graph *g = crdi_lift(args, 2, where, &failed);
    if (!g)
        return failed;
    char left[96], right[96];
    crd_shape sa = crd_node_shape(args[0]), sb = crd_node_shape(args[1]);
    crdi_shape_text(sa, left, sizeof left);
    crdi_shape_text(sb, right, sizeof right);
    if (sa.ndim < 2 || sb.ndim < 2)
        return crdi_fail(g, CRD_ESHAPE, where, "matmul: two axes are needed, there are shapes %s and %s", left, right);
    crd_shape ma = matrix(sa, ta), mb = matrix(sb, tb), shape, batch_a = sa, batch_b = sb;
    batch_a.ndim -= 2;
    batch_b.ndim -= 2;
    bool fits = ma.dim[1] == mb.dim[0] && crdi_broadcast_shape(batch_a, batch_b, &shape) &&
                (batch_of(sa) == 1 || batch_of(sa) == crd_shape_size(shape)) &&
                (batch_of(sb) == 1 || batch_of(sb) == crd_shape_size(shape));
    if (!fits)
        return crdi_fail(g, CRD_ESHAPE, where, "matmul: %s%s and %s%s do not fit", left, ta ? "'" : "", right,
                         tb ? "'" : "");
    shape.dim[shape.ndim++] = ma.dim[0];
    shape.dim[shape.ndim++] = mb.dim[1];
    crdi_attribute attribute = {.whole = {ta, tb}};
    return crdi_make(g, &op_matmul, args, 2, shape, &attribute, where);
}

crd_node crd_matmul_at(crd_node a, crd_node b, crd_where where)
{
    return product(a, b, false, false, where);
}

crd_node crdi_matmul_transposed(crd_node a, crd_node b, bool ta, bool tb)
{
    return product(a, b, ta, tb, CRD_HERE);
}

/* ---- dense layer -------------------------------------------------------------------------------------------- */

static void lower_affine(crdi_emitter *emitter, const crdi_vertex *v)
{
    crdi_step *step = crdi_emit(emitter, CRDI_K_affine, v->arg, 3);
    if (!step)
        return;
    step->call.n[0] = v->shape.dim[1];
    step->call.n[1] = v->shape.dim[0];
    step->call.n[2] = emitter->graph->vertex[v->arg[0]]->shape.dim[0];
}

/* Y = K' X + b: dK = X G', dX = K G, db = row sums of G. */
static void vjp_affine(crd_node node, const crdi_vertex *v, crd_node g, crd_node *grad)
{
    crd_node kernel = crdi_arg(node, 0), x = crdi_arg(node, 1), bias = crdi_arg(node, 2);
    if (!crd_node_known(kernel, NULL))
        crdi_accumulate(&grad[0], product(x, g, false, true, v->where));
    if (!crd_node_known(x, NULL))
        crdi_accumulate(&grad[1], product(kernel, g, false, false, v->where));
    if (!crd_node_known(bias, NULL))
        crdi_accumulate(&grad[2], crd_sum_axis(g, 1));
}

static const crdi_op op_affine = {.name = "affine",
                                  .pure = true,
                                  .single = CRDI_SINGLE_FLOATS,
                                  .lower = lower_affine,
                                  .vjp = vjp_affine,
                                  .rows = &crdi_rows_affine};

crd_node crd_affine_at(crd_node kernel, crd_node x, crd_node bias, crd_where where)
{
    crd_node args[3] = {kernel, x, bias}, failed;
    crd_graph *g = crdi_lift(args, 3, where, &failed);
    if (!g)
        return failed;
    char text[3][96];
    crd_shape k = crd_node_shape(args[0]), s = crd_node_shape(args[1]), b = crd_node_shape(args[2]);
    if (k.ndim != 2 || s.ndim != 2 || b.ndim != 1 || k.dim[0] != s.dim[0] || k.dim[1] != b.dim[0])
        return crdi_fail(g, CRD_ESHAPE, where, "affine: kernel %s, x %s and bias %s do not fit",
                         crdi_shape_text(k, text[0], sizeof text[0]), crdi_shape_text(s, text[1], sizeof text[1]),
                         crdi_shape_text(b, text[2], sizeof text[2]));
    return crdi_make(g, &op_affine, args, 3, crd_shape_2(k.dim[1], s.dim[1]), NULL, where);
}
