/* index.c - picking rows by an array of indices, and its transpose. Indices are whole numbers held as doubles; an index
 * outside the array gives NaN when picking and is dropped when scattering. */
#include "graph/graph.h"
#include "graph/rows.h"

static crdi_step *lower_rows(crdi_emitter *emitter, const crdi_vertex *v, int kernel, int64_t rows, int64_t inner)
{
    crdi_step *step = crdi_emit(emitter, kernel, v->arg, 2);
    if (step) {
        step->call.n[0] = inner;
        step->call.n[1] = emitter->graph->vertex[v->arg[1]]->size;
        step->call.n[2] = 1;
        step->call.n[3] = rows;
    }
    return step;
}

static int64_t row_size(crd_shape shape)
{
    int64_t size = 1;
    for (int d = 1; d < shape.ndim; d++)
        size *= shape.dim[d];
    return size;
}

static void lower_gather(crdi_emitter *emitter, const crdi_vertex *v)
{
    crd_shape from = emitter->graph->vertex[v->arg[0]]->shape;
    lower_rows(emitter, v, CRDI_K_gather, from.dim[0], row_size(from));
}

static void lower_scatter_add(crdi_emitter *emitter, const crdi_vertex *v)
{
    lower_rows(emitter, v, CRDI_K_scatter_add, v->shape.dim[0], row_size(v->shape));
}

static void vjp_gather(crd_node node, const crdi_vertex *v, crd_node g, crd_node *grad);

static void vjp_scatter_add(crd_node node, const crdi_vertex *v, crd_node g, crd_node *grad)
{
    (void)v;
    crdi_accumulate(&grad[0], crd_gather(g, crdi_arg(node, 1)));
}

static const crdi_op op_gather = {.name = "gather",
                                  .pure = true,
                                  .single = CRDI_SINGLE_FLOATS,
                                  .double_args = 2,
                                  .lower = lower_gather,
                                  .vjp = vjp_gather,
                                  .rows = &crdi_rows_gather};
static const crdi_op op_scatter_add = {.name = "scatter_add",
                                       .pure = true,
                                       .single = CRDI_SINGLE_FLOATS,
                                       .double_args = 2,
                                       .lower = lower_scatter_add,
                                       .vjp = vjp_scatter_add,
                                       .rows = &crdi_rows_scatter_add};

static void vjp_gather(crd_node node, const crdi_vertex *v, crd_node g, crd_node *grad)
{
    crd_node args[2] = {g, crdi_arg(node, 1)};
    crd_shape shape = crd_node_shape(crdi_arg(node, 0));
    crdi_accumulate(&grad[0], crdi_make(node.graph, &op_scatter_add, args, 2, shape, NULL, v->where));
}

crd_node crd_gather_at(crd_node x, crd_node index, crd_where where)
{
    crd_node args[2] = {x, index}, failed;
    crd_graph *g = crdi_lift(args, 2, where, &failed);
    if (!g)
        return failed;
    crd_shape from = crd_node_shape(args[0]), picks = crd_node_shape(args[1]);
    if (from.ndim < 1 || picks.ndim != 1)
        return crdi_fail(g, CRD_ESHAPE, where, "gather: an array with rows and a list of indices are needed");
    crd_shape shape = from;
    shape.dim[0] = picks.dim[0];
    return crdi_make(g, &op_gather, args, 2, shape, NULL, where);
}
