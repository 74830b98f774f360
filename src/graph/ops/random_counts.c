/* random_counts.c - counts drawn from a key node and parameters: Poisson, binomial, multinomial. Draws of counts have no
 * gradient in the parameters. */
#include "graph/graph.h"

static crd_key key_of(const double *words)
{
    return (crd_key){{(uint32_t)words[0], (uint32_t)words[1]}, CRD_ORDER_PARTITIONABLE};
}

static void run_poisson(const crdi_call *call)
{
    crd_random_poisson(key_of(call->in[0]), call->in[1], call->n[0], call->out);
}

static void run_binomial(const crdi_call *call)
{
    crd_random_binomial(key_of(call->in[0]), call->in[1], call->in[2], call->n[0], call->out);
}

/* n[1] classes in each of n[0] rows. */
static void run_multinomial(const crdi_call *call)
{
    crd_random_multinomial(key_of(call->in[0]), call->in[1], call->in[2], call->n[1], call->n[0], call->out);
}

static void lower_poisson(crdi_emitter *emitter, const crdi_vertex *v)
{
    crdi_step *step = crdi_emit_fn(emitter, run_poisson, v->op->name, v->arg, 2);
    if (step)
        step->call.n[0] = v->size;
}

static void lower_binomial(crdi_emitter *emitter, const crdi_vertex *v)
{
    crdi_step *step = crdi_emit_fn(emitter, run_binomial, v->op->name, v->arg, 3);
    if (step)
        step->call.n[0] = v->size;
}

static void lower_multinomial(crdi_emitter *emitter, const crdi_vertex *v)
{
    crdi_step *step = crdi_emit_fn(emitter, run_multinomial, v->op->name, v->arg, 3);
    if (!step)
        return;
    step->call.n[1] = v->shape.dim[v->shape.ndim - 1];
    step->call.n[0] = v->size / step->call.n[1];
}

static const crdi_op op_poisson = {.name = "random_poisson", .pure = true, .lower = lower_poisson};
static const crdi_op op_binomial = {.name = "random_binomial", .pure = true, .lower = lower_binomial};
static const crdi_op op_multinomial = {.name = "random_multinomial", .pure = true, .lower = lower_multinomial};

/* args[0] is the key; shape[i] is what argument i is broadcast to. */
static crd_node make(const crdi_op *op, crd_node *args, int count, const crd_shape *shape, crd_shape result)
{
    crd_node failed;
    if (!args[0].graph || args[0].id < 0)
        return args[0];
    crd_graph *g = crdi_lift(args, count, CRD_HERE, &failed);
    if (!g)
        return failed;
    if (crd_node_shape(args[0]).ndim != 1 || crd_node_shape(args[0]).dim[0] != 2)
        return crdi_fail(g, CRD_ESHAPE, CRD_HERE, "%s: a key has two words", op->name);
    for (int i = 1; i < count; i++)
        args[i] = crd_broadcast_to(args[i], shape[i]);
    return crdi_make(g, op, args, count, result, NULL, (crd_where){0});
}

crd_node crd_random_poisson_node(crd_node key, crd_node rate, crd_shape shape)
{
    return make(&op_poisson, (crd_node[]){key, rate}, 2, (crd_shape[]){{0}, shape}, shape);
}

crd_node crd_random_binomial_node(crd_node key, crd_node total, crd_node probs, crd_shape shape)
{
    return make(&op_binomial, (crd_node[]){key, total, probs}, 3, (crd_shape[]){{0}, shape, shape}, shape);
}

crd_node crd_random_multinomial_node(crd_node key, crd_node total, crd_node probs, crd_shape shape)
{
    crd_shape rows = shape;
    if (shape.ndim < 1 || shape.dim[shape.ndim - 1] < 1)
        return key.graph ? crdi_fail(key.graph, CRD_ESHAPE, CRD_HERE, "random_multinomial: no axis of classes") : key;
    rows.dim[--rows.ndim] = 0;
    return make(&op_multinomial, (crd_node[]){key, total, probs}, 3, (crd_shape[]){{0}, rows, shape}, shape);
}
