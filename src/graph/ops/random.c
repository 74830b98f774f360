/* random.c - random numbers as operations on a key node (two 32-bit words, held exactly by two doubles). */
#include "graph/graph.h"

static crd_key key_of(const double *words)
{
    crd_key key = {{(uint32_t)words[0], (uint32_t)words[1]}, CRD_ORDER_PARTITIONABLE};
    return key;
}

static void run_fold_in(const crdi_call *call)
{
    crd_key key = crd_key_fold_in(key_of(call->in[0]), (uint32_t)call->number[0]);
    call->out[0] = key.word[0];
    call->out[1] = key.word[1];
}

static void run_uniform(const crdi_call *call)
{
    crd_random_uniform(key_of(call->in[0]), call->n[0], call->out);
}

static void run_normal(const crdi_call *call)
{
    crd_random_normal(key_of(call->in[0]), call->n[0], call->out);
}

static void lower_with(crdi_emitter *emitter, const crdi_vertex *v, crdi_kernel_fn fn)
{
    crdi_step *step = crdi_emit_fn(emitter, fn, v->op->name, v->arg, 1);
    if (!step)
        return;
    step->call.n[0] = v->size;
    step->call.number[0] = v->attribute.number;
}

static void lower_fold_in(crdi_emitter *emitter, const crdi_vertex *v)
{
    lower_with(emitter, v, run_fold_in);
}

static void lower_uniform(crdi_emitter *emitter, const crdi_vertex *v)
{
    lower_with(emitter, v, run_uniform);
}

static void lower_normal(crdi_emitter *emitter, const crdi_vertex *v)
{
    lower_with(emitter, v, run_normal);
}

static const crdi_op op_fold_in = {.name = "key_fold_in", .pure = true, .lower = lower_fold_in};
static const crdi_op op_uniform = {.name = "random_uniform", .pure = true, .lower = lower_uniform};
static const crdi_op op_normal = {.name = "random_normal", .pure = true, .lower = lower_normal};

crd_node crd_key_node(crd_graph *graph, crd_key key)
{
    if (key.order != CRD_ORDER_PARTITIONABLE) /* two words have no room for it, and other numbers would come out */
        return crdi_fail(graph, CRD_EUNSUPPORTED, (crd_where){0}, "key: a node is a key in the partitionable order");
    double words[2] = {key.word[0], key.word[1]};
    crd_array array = crd_array_borrow(words, crd_shape_1(2));
    return crd_constant(graph, &array);
}

static crd_node from_key(const crdi_op *op, crd_node key, crd_shape shape, double number)
{
    if (!key.graph || key.id < 0)
        return key;
    if (crd_node_shape(key).ndim != 1 || crd_node_shape(key).dim[0] != 2)
        return crdi_fail(key.graph, CRD_ESHAPE, CRD_HERE, "%s: a key has two words", op->name);
    crdi_attribute attribute = {.number = number};
    return crdi_make(key.graph, op, &key, 1, shape, &attribute, (crd_where){0});
}

crd_node crd_key_fold_in_node(crd_node key, uint32_t data)
{
    return from_key(&op_fold_in, key, crd_shape_1(2), data);
}

crd_node crd_random_uniform_node(crd_node key, crd_shape shape)
{
    return from_key(&op_uniform, key, shape, 0);
}

crd_node crd_random_normal_node(crd_node key, crd_shape shape)
{
    return from_key(&op_normal, key, shape, 0);
}

/* ---- choosing rows ------------------------------------------------------------------------------------------- */

/* The first number[0] steps of a shuffle (Fisher & Yates; Knuth, algorithm P) of 0 .. n - 1, each with a key of its own:
 * what stands first is drawn without replacement. */
static void run_shuffle(const crdi_call *call)
{
    crd_key key = key_of(call->in[0]);
    int64_t n = call->n[0], count = (int64_t)call->number[0];
    for (int64_t i = 0; i < n; i++)
        call->out[i] = (double)i;
    for (int64_t i = 0; i < count; i++) {
        int64_t other;
        crd_random_integers(crd_key_fold_in(key, (uint32_t)i), i, n, 1, &other);
        double swapped = call->out[i];
        call->out[i] = call->out[other];
        call->out[other] = swapped;
    }
}

static void lower_shuffle(crdi_emitter *emitter, const crdi_vertex *v)
{
    lower_with(emitter, v, run_shuffle);
}

static const crdi_op op_shuffle = {.name = "random_choice", .pure = true, .lower = lower_shuffle};

crd_node crd_random_choice_node(crd_node key, int64_t n, int64_t count)
{
    if (key.graph && (count < 0 || count > n || n > UINT32_MAX))
        return crdi_fail(key.graph, CRD_EINVAL, CRD_HERE, "random_choice: %lld of %lld cannot be chosen",
                         (long long)count, (long long)n);
    return crd_slice(from_key(&op_shuffle, key, crd_shape_1(n), (double)count), 0, 0, count, 1);
}
