/* linalg.c - Cholesky factor and triangular solves, with their gradients. */
#include "graph/graph.h"
#include "graph/ops/vjp.h"
#include "graph/rows.h"

/* ---- triangular solve --------------------------------------------------------------------------------------- */

static void lower_solve(crdi_emitter *emitter, const crdi_vertex *v)
{
    crdi_step *step = crdi_emit(emitter, CRDI_K_solve_triangular, v->arg, 2);
    if (!step)
        return;
    step->call.n[0] = v->shape.dim[1];
    step->call.n[1] = v->shape.dim[0];
    step->call.n[2] = 1;
    step->call.number[0] = (double)v->attribute.whole[0];
}

/* 1 on and below the diagonal (weight on it: `diagonal`), 0 above. */
static crd_node lower_mask(crd_graph *g, int64_t n, double diagonal)
{
    double *mask = crdi_arena_alloc(g->arena, sizeof(double) * (size_t)(n * n + 1));
    if (!mask)
        return crdi_fail(g, CRD_ENOMEM, CRD_HERE, "out of memory");
    for (int64_t r = 0; r < n; r++)
        for (int64_t c = 0; c < n; c++)
            mask[r * n + c] = r > c ? 1 : r == c ? diagonal : 0;
    crd_array array = crd_array_borrow(mask, crd_shape_2(n, n));
    return crd_constant(g, &array);
}

/* X = L^-1 B: dB = L^-T G, dL = -tril(dB X'). X = L^-T B: dB = L^-1 G, dL = -tril(X dB'). */
static void vjp_solve(crd_node node, const crdi_vertex *v, crd_node g, crd_node *grad)
{
    int transposed = v->attribute.whole[0] != 0;
    crd_node l = crdi_arg(node, 0), db = crd_solve_triangular(l, g, !transposed);
    crd_node outer =
        transposed ? crdi_matmul_transposed(node, db, false, true) : crdi_matmul_transposed(db, node, false, true);
    crd_node mask = lower_mask(node.graph, crd_node_shape(l).dim[0], 1);
    crdi_accumulate(&grad[0], crd_neg(crd_mul(mask, outer)));
    crdi_accumulate(&grad[1], db);
}

static const crdi_op op_solve = {
    .name = "solve_triangular", .pure = true, .lower = lower_solve, .vjp = vjp_solve, .rows = &crdi_rows_solve};

crd_node crd_solve_triangular_at(crd_node l, crd_node b, int transposed, crd_where where)
{
    crd_node args[2] = {l, b}, failed;
    crd_graph *g = crdi_lift(args, 2, where, &failed);
    if (!g)
        return failed;
    crd_shape sl = crd_node_shape(args[0]), sb = crd_node_shape(args[1]);
    char left[96], right[96];
    if (sl.ndim != 2 || sb.ndim != 2 || sl.dim[0] != sl.dim[1] || sl.dim[0] != sb.dim[0])
        return crdi_fail(g, CRD_ESHAPE, where, "solve_triangular: a factor (n, n) and a matrix (n, m), not %s and %s",
                         crdi_shape_text(sl, left, sizeof left), crdi_shape_text(sb, right, sizeof right));
    crdi_attribute attribute = {.whole = {transposed != 0}};
    return crdi_make(g, &op_solve, args, 2, sb, &attribute, where);
}

/* ---- Cholesky ----------------------------------------------------------------------------------------------- */

static void lower_cholesky(crdi_emitter *emitter, const crdi_vertex *v)
{
    crdi_step *step = crdi_emit(emitter, CRDI_K_cholesky, v->arg, 1);
    if (!step)
        return;
    step->call.n[0] = v->shape.dim[1];
    step->call.n[1] = 1;
}

/* dA = L^-T P L^-1 made symmetric, with P the lower triangle of L' G, its diagonal halved.
 * Source: Murray 2016, "Differentiation of the Cholesky decomposition", eq. 9 and 10 (arXiv:1602.07527). */
static void vjp_cholesky(crd_node node, const crdi_vertex *v, crd_node g, crd_node *grad)
{
    (void)v;
    int64_t n = crd_node_shape(node).dim[1];
    crd_node masked = crd_mul(lower_mask(node.graph, n, 1), g);
    crd_node p = crd_mul(lower_mask(node.graph, n, 0.5), crdi_matmul_transposed(node, masked, true, false));
    crd_node left = crd_solve_triangular(node, p, 1); /* L^-T P */
    crd_node s = crd_transpose(crd_solve_triangular(node, crd_transpose(left), 1)); /* (L^-T P) L^-1 */
    crdi_accumulate(&grad[0], crd_mul(crd_num(0.5), crd_add(s, crd_transpose(s))));
}

static const crdi_op op_cholesky = {.name = "cholesky", .pure = true, .lower = lower_cholesky, .vjp = vjp_cholesky};

crd_node crd_cholesky_at(crd_node a, crd_where where)
{
    crd_node failed;
    crd_graph *g = crdi_lift(&a, 1, where, &failed);
    if (!g)
        return failed;
    crd_shape shape = crd_node_shape(a);
    char text[96];
    if (shape.ndim != 2 || shape.dim[0] != shape.dim[1])
        return crdi_fail(g, CRD_ESHAPE, where, "cholesky: a square matrix is needed, not %s",
                         crdi_shape_text(shape, text, sizeof text));
    return crdi_make(g, &op_cholesky, &a, 1, shape, NULL, where);
}
