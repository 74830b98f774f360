/* graph.c - nodes and how they come to be: hash consing, constants, sticky errors. */
#include "graph/graph.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const crdi_op crdi_op_constant = {.name = "constant"};
const crdi_op crdi_op_input = {.name = "input"};
const crd_node crdi_nothing = {NULL, -1, 0};

crd_node crd_num(double number)
{
    return (crd_node){NULL, 0, number};
}

crd_status crd_graph_create(crd_graph **out, crd_context *ctx)
{
    crd_graph *graph = crdi_alloc(ctx, sizeof *graph);
    if (!graph)
        return CRD_ENOMEM;
    graph->ctx = ctx;
    crd_status status = crdi_arena_create(&graph->arena, ctx);
    if (status < 0) {
        crdi_free(ctx, graph);
        return status;
    }
    *out = graph;
    return CRD_OK;
}

void crdi_nested_destroy(struct crdi_nested *nested)
{
    for (; nested; nested = nested->next) {
        crd_graph_destroy(&nested->graph);
        crd_program_destroy(&nested->program);
    }
}

void crd_graph_destroy(crd_graph **graph)
{
    if (!graph || !*graph)
        return;
    crd_graph *g = *graph;
    crdi_nested_destroy(g->nested);
    crdi_arena_destroy(&g->arena);
    crdi_free(g->ctx, g->vertex);
    crdi_free(g->ctx, g->table);
    crdi_free(g->ctx, g->input);
    crdi_free(g->ctx, g);
    *graph = NULL;
}

crd_context *crd_graph_context(const crd_graph *graph)
{
    return graph->ctx;
}

crd_status crd_graph_status(const crd_graph *graph)
{
    return graph->status;
}

/* ---- errors ------------------------------------------------------------------------------------------------- */

static crd_node bad(crd_graph *graph)
{
    return (crd_node){graph, -1, 0};
}

bool crdi_is_nothing(crd_node node)
{
    return !node.graph && node.id < 0;
}

int crd_node_ok(crd_node node)
{
    return node.id >= 0;
}

static const char *file_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

crd_node crdi_fail(crd_graph *graph, crd_status status, crd_where where, const char *format, ...)
{
    if (graph->status < 0)
        return bad(graph);
    if (graph->where.file)
        where = graph->where;
    char message[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    /* Who had no memory to make a node gives a bad one on: the status is that of the message. */
    if (where.file)
        graph->status = crdi_raise(graph->ctx, status, "%s (%s:%d)", message, file_name(where.file), where.line);
    else
        graph->status = crdi_raise(graph->ctx, status, "%s", message);
    return bad(graph);
}

/* For a failure whose message has been recorded already. */
static crd_node fail_with(crd_graph *graph, crd_status status)
{
    if (graph->status == CRD_OK)
        graph->status = status;
    return bad(graph);
}

static crd_node fail_memory(crd_graph *graph)
{
    return fail_with(graph, CRD_ENOMEM);
}

/* ---- looking at nodes --------------------------------------------------------------------------------------- */

const crdi_vertex *crdi_vertex_of(crd_node node)
{
    CRDI_ASSERT(node.graph && node.id >= 0 && node.id < node.graph->count);
    return node.graph->vertex[node.id];
}

crd_node crdi_arg(crd_node node, int i)
{
    return (crd_node){node.graph, crdi_vertex_of(node)->arg[i], 0};
}

crd_shape crd_node_shape(crd_node node)
{
    return node.graph && node.id >= 0 ? crdi_vertex_of(node)->shape : crd_shape_0();
}

int crd_node_known(crd_node node, const double **elements)
{
    if (!node.graph || node.id < 0)
        return 0;
    const double *known = crdi_vertex_of(node)->known;
    if (known && elements)
        *elements = known;
    return known != NULL;
}

bool crdi_is_number(crd_node node, double *number)
{
    if (!node.graph) {
        *number = node.number;
        return node.id >= 0;
    }
    const double *known;
    if (!crd_node_known(node, &known) || crdi_vertex_of(node)->size != 1)
        return false;
    *number = known[0];
    return true;
}

bool crdi_shape_possible(crd_shape shape)
{
    const int64_t most = INT64_MAX / (int64_t)sizeof(double);
    if (shape.ndim < 0 || shape.ndim > CRD_MAX_DIMS)
        return false;
    int64_t size = 1;
    for (int d = 0; d < shape.ndim; d++) {
        if (shape.dim[d] < 0 || (shape.dim[d] && size > most / shape.dim[d]))
            return false;
        size *= shape.dim[d] ? shape.dim[d] : 1; /* an extent of 0 does not make the others harmless */
    }
    return true;
}

/* ---- hash consing ------------------------------------------------------------------------------------------- */

static uint64_t mix(uint64_t hash, const void *bytes, size_t size)
{
    const unsigned char *p = bytes; /* FNV-1a */
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ p[i]) * 0x100000001b3u;
    return hash;
}

static bool equal(const crdi_vertex *a, const crdi_vertex *b)
{
    if (a->hash != b->hash || a->op != b->op || a->arg_count != b->arg_count || !crdi_shape_equal(a->shape, b->shape))
        return false;
    if (memcmp(a->arg, b->arg, sizeof *a->arg * (size_t)a->arg_count) != 0)
        return false;
    if (memcmp(&a->attribute, &b->attribute, sizeof a->attribute) != 0)
        return false;
    if (a->op == &crdi_op_constant)
        return memcmp(a->known, b->known, sizeof(double) * (size_t)a->size) == 0;
    return a->op != &crdi_op_input;
}

static crd_status table_grow(crd_graph *g)
{
    int64_t size = g->table_size ? 2 * g->table_size : 256;
    int32_t *table = crdi_alloc_array(g->ctx, size, sizeof *table);
    if (!table)
        return CRD_ENOMEM;
    for (int64_t id = 0; id < g->count; id++) {
        uint64_t at = g->vertex[id]->hash % (uint64_t)size;
        while (table[at])
            at = (at + 1) % (uint64_t)size;
        table[at] = (int32_t)id + 1;
    }
    crdi_free(g->ctx, g->table);
    g->table = table;
    g->table_size = size;
    return CRD_OK;
}

/* Enters a vertex, or finds its equal. The hash covers all but the elements of large constants. */
static crd_node intern(crd_graph *g, crdi_vertex *v)
{
    v->hash = mix(0xcbf29ce484222325u, &v->op, sizeof v->op);
    v->hash = mix(v->hash, v->arg, sizeof *v->arg * (size_t)v->arg_count);
    v->hash = mix(v->hash, v->shape.dim, sizeof v->shape.dim);
    v->hash = mix(v->hash, &v->attribute, sizeof v->attribute);
    if (v->op == &crdi_op_constant)
        v->hash = mix(v->hash, v->known, sizeof(double) * (size_t)(v->size < 64 ? v->size : 64));
    if (2 * g->count >= g->table_size && table_grow(g) < 0)
        return fail_memory(g);
    uint64_t at = v->hash % (uint64_t)g->table_size;
    for (; g->table[at]; at = (at + 1) % (uint64_t)g->table_size)
        if (equal(g->vertex[g->table[at] - 1], v))
            return (crd_node){g, g->table[at] - 1, 0};
    if (crdi_grow(g->ctx, &g->vertex, &g->capacity, g->count, sizeof *g->vertex) < 0)
        return fail_memory(g);
    g->vertex[g->count] = v;
    g->table[at] = (int32_t)g->count + 1;
    return (crd_node){g, (int32_t)g->count++, 0};
}

static crdi_vertex *vertex_new(crd_graph *g, const crdi_op *op, int arg_count, crd_shape shape, crd_where where)
{
    crdi_vertex *v = crdi_arena_alloc(g->arena, sizeof *v);
    int32_t *arg = v ? crdi_arena_alloc(g->arena, sizeof *arg * (size_t)(arg_count ? arg_count : 1)) : NULL;
    if (!arg)
        return NULL;
    v->op = op;
    v->arg = arg;
    v->arg_count = arg_count;
    v->shape = shape;
    v->size = crd_shape_size(shape);
    v->where = g->where.file ? g->where : where;
    v->strand = g->strand;
    return v;
}

static crd_node constant_take(crd_graph *g, const double *elements, crd_shape shape, crd_where where)
{
    crdi_vertex *v = vertex_new(g, &crdi_op_constant, 0, shape, where);
    if (!v)
        return fail_memory(g);
    v->known = elements;
    return intern(g, v);
}

crd_node crdi_make(crd_graph *g, const crdi_op *op, const crd_node *args, int count, crd_shape shape,
                   const crdi_attribute *attribute, crd_where where)
{
    if (g->status < 0)
        return bad(g);
    if (!crdi_shape_possible(shape))
        return crdi_fail(g, CRD_ESHAPE, where, "%s: the result is too large to be counted", op->name);
    crdi_vertex *v = vertex_new(g, op, count, shape, where);
    if (!v)
        return fail_memory(g);
    bool known = op->pure;
    for (int i = 0; i < count; i++) {
        if (args[i].id < 0 || args[i].graph != g)
            return bad(g);
        v->arg[i] = args[i].id;
        known = known && crd_node_known(args[i], NULL);
    }
    if (attribute)
        v->attribute = *attribute;
    if (!known)
        return intern(g, v);
    double *elements = crdi_arena_alloc(g->arena, sizeof(double) * (size_t)(v->size ? v->size : 1));
    crd_status status = elements ? crdi_compute_now(g, v, elements) : CRD_ENOMEM;
    if (status < 0)
        return fail_with(g, status);
    return constant_take(g, elements, shape, where);
}

/* ---- leaves ------------------------------------------------------------------------------------------------- */

crd_node crd_constant(crd_graph *g, const crd_array *array)
{
    if (!crdi_shape_possible(array->shape))
        return crdi_fail(g, CRD_ESHAPE, (crd_where){0},
                         "constant: extents cannot be negative or too large to be counted");
    int64_t size = crd_shape_size(array->shape);
    double *elements = crdi_arena_alloc(g->arena, sizeof(double) * (size_t)(size ? size : 1));
    if (!elements)
        return fail_memory(g);
    if (size)
        memcpy(elements, array->data, sizeof(double) * (size_t)size);
    return constant_take(g, elements, array->shape, (crd_where){0});
}

crd_node crdi_constant_fill(crd_graph *g, double number, crd_shape shape)
{
    int64_t size = crd_shape_size(shape);
    double *elements = crdi_arena_alloc(g->arena, sizeof(double) * (size_t)(size ? size : 1));
    if (!elements)
        return fail_memory(g);
    for (int64_t i = 0; i < size; i++)
        elements[i] = number;
    return constant_take(g, elements, shape, (crd_where){0});
}

crd_node crdi_constant_scalar(crd_graph *g, double number)
{
    return crdi_constant_fill(g, number, crd_shape_0());
}

crd_node crd_input(crd_graph *g, const char *name, crd_shape shape)
{
    if (!crdi_shape_possible(shape))
        return crdi_fail(g, CRD_ESHAPE, (crd_where){0},
                         "input '%s': extents cannot be negative or too large to be counted", name);
    crdi_vertex *v = vertex_new(g, &crdi_op_input, 0, shape, (crd_where){0});
    if (!v || !(v->name = crdi_arena_strdup(g->arena, name)))
        return fail_memory(g);
    v->attribute.whole[0] = g->input_count;
    crd_node node = intern(g, v);
    if (node.id < 0 || crdi_grow(g->ctx, &g->input, &g->input_capacity, g->input_count, sizeof *g->input) < 0)
        return fail_memory(g);
    g->input[g->input_count++] = node.id;
    return node;
}

crd_graph *crdi_lift(crd_node *args, int count, crd_where where, crd_node *bad_out)
{
    crd_graph *g = NULL;
    *bad_out = crdi_nothing;
    for (int i = 0; i < count && !g; i++)
        g = args[i].graph;
    if (!g) {
        for (int i = 0; i < count; i++)
            if (args[i].id < 0)
                return NULL;
        *bad_out = crd_num(NAN);
        return NULL;
    }
    *bad_out = bad(g);
    for (int i = 0; i < count; i++) {
        if (args[i].id < 0)
            return NULL;
        if (!args[i].graph)
            args[i] = crdi_constant_scalar(g, args[i].number);
        else if (args[i].graph != g) {
            crdi_fail(g, CRD_EINVAL, where, "argument %d belongs to another graph", i);
            return NULL;
        }
    }
    return g->status < 0 ? NULL : g;
}

void crdi_graph_set_where(crd_graph *graph, crd_where where)
{
    graph->where = where;
}
