/* rows_block.c - the graph of one block of rows, and how many rows it has (rows.c, 2). */
#include "graph/rows_cut.h"

#include "graph/ops/vjp.h"

#include <string.h>

enum {
    BLOCK_DOUBLES = 1 << 15, /* of all arrays of a block */
    LEAST_WORK = 1536, /* of a block, for each of its results, which have to be added up */
    FEW = 64 /* elements of a known array that goes into a block's program as it is */
};

bool crdi_rows_is_own_sum(const struct crdi_rows_body *b, int32_t id)
{
    return b->c->kind[id] == CRDI_ROW_SUM && (b->strand < 0 || b->c->g->vertex[id]->strand == b->strand);
}

static bool same_use(const crdi_rows_use *a, const crdi_rows_use *b)
{
    return a->cut == b->cut && (!a->cut || (a->outer == b->outer && a->inner == b->inner));
}

static int64_t find_input(const struct crdi_rows_body *b, int32_t id, const crdi_rows_use *use)
{
    int64_t k = 0;
    while (k < b->inputs && (b->input[k].id != id || !same_use(&b->input[k].use, use)))
        k++;
    return k;
}

static crd_status add_input(struct crdi_rows_body *b, int32_t id, const crdi_rows_use *use)
{
    const crdi_vertex *v = b->c->g->vertex[id];
    if ((v->known && v->size <= FEW && !use->cut) || find_input(b, id, use) < b->inputs)
        return CRD_OK;
    CRD_TRY(crdi_grow(b->c->g->ctx, &b->input, &b->input_capacity, b->inputs, sizeof *b->input));
    b->input[b->inputs++] = (struct crdi_rows_input){.id = id, .use = *use};
    return CRD_OK;
}

/* Whether an array repeats the same along its axis of rows, so that a block can repeat it itself. */
static bool repeats(const struct crdi_rows_cutter *c, int32_t id, const crdi_rows_use *use)
{
    const crdi_vertex *v = c->g->vertex[id];
    int axis = use->cut ? crdi_rows_axis(v->shape, c->rows, use) : -1;
    return axis >= 0 && crdi_is_broadcast((crd_node){c->g, id, 0}) && v->attribute.view.stride[axis] == 0;
}

crd_status crdi_rows_collect(struct crdi_rows_body *b)
{
    static const crdi_rows_use whole = {0};
    crdi_rows_use use[CRDI_MOST_ARGS];
    const struct crdi_rows_cutter *c = b->c;
    b->width = 0;
    for (int64_t id = c->count - 1; id >= 0; id--) {
        const crdi_vertex *v = c->g->vertex[id];
        bool sum = crdi_rows_is_own_sum(b, (int32_t)id);
        if (!sum && !b->in[id])
            continue;
        b->in[id] = true;
        b->size += sum ? v->size : 0;
        b->width += sum || v->op->alias ? 0 : (double)v->size / (double)c->rows;
        crdi_rows_uses(c, v, use);
        for (int i = 0; i < v->arg_count; i++) {
            int32_t arg = v->arg[i];
            if (c->kind[arg] == CRDI_ROW_CUT)
                b->in[arg] = true;
            else if (repeats(c, arg, &use[i]))
                CRD_TRY(add_input(b, c->g->vertex[arg]->arg[0], &whole));
            else
                CRD_TRY(add_input(b, arg, &use[i]));
        }
    }
    return CRD_OK;
}

static crd_node constant_like(crd_graph *graph, const crdi_vertex *v)
{
    crd_array array = {v->shape, (double *)(uintptr_t)v->known, NULL};
    return crd_constant(graph, &array);
}

/* What a block sees of an argument that it does not compute. */
static crd_node given(struct crdi_rows_body *b, int32_t id, const crdi_rows_use *use)
{
    static const crdi_rows_use whole = {0};
    const struct crdi_rows_cutter *c = b->c;
    const crdi_vertex *v = c->g->vertex[id];
    if (repeats(c, id, use)) {
        crdi_attribute attribute = v->attribute;
        crd_node arg = given(b, v->arg[0], &whole);
        crd_shape shape = v->shape;
        shape.dim[crdi_rows_axis(v->shape, c->rows, use)] = b->block;
        memcpy(attribute.view.dim, shape.dim, sizeof attribute.view.dim);
        attribute.view.size = crd_shape_size(shape);
        return crdi_make(b->graph, v->op, &arg, 1, shape, &attribute, v->where);
    }
    int64_t k = find_input(b, id, use);
    return k < b->inputs ? b->given[k] : constant_like(b->graph, v);
}

static void copy_node(struct crdi_rows_body *b, int32_t id)
{
    crdi_rows_use use[CRDI_MOST_ARGS];
    crd_node arg[CRDI_MOST_ARGS];
    const struct crdi_rows_cutter *c = b->c;
    const crdi_vertex *v = c->g->vertex[id];
    crdi_attribute attribute = v->attribute;
    crd_shape shape = v->shape;
    crdi_rows_uses(c, v, use);
    for (int i = 0; i < v->arg_count; i++)
        arg[i] = c->kind[v->arg[i]] == CRDI_ROW_CUT ? b->copy[v->arg[i]] : given(b, v->arg[i], &use[i]);
    if (c->kind[id] == CRDI_ROW_CUT)
        crdi_rows_block_shape(v->shape, &c->use[id], c->rows, b->block, &shape);
    if (v->op->rows->block)
        v->op->rows->block(v, &use[0], c->rows, b->block, &attribute);
    b->copy[id] = crdi_make(b->graph, v->op, arg, v->arg_count, shape, &attribute, v->where);
}

/* Builds and compiles the graph of a block of so many rows. */
static crd_status build_block(struct crdi_rows_body *b, crd_node *sum)
{
    struct crdi_rows_cutter *c = b->c;
    int count = 0;
    b->graph->uncut = true;
    b->graph->precision = c->g->precision;
    for (int64_t k = 0; k < b->inputs; k++) {
        crd_shape shape = c->g->vertex[b->input[k].id]->shape;
        if (b->input[k].use.cut)
            crdi_rows_block_shape(shape, &b->input[k].use, c->rows, b->block, &shape);
        b->given[k] = crd_input(b->graph, "given", shape);
    }
    for (int32_t id = 0; id < c->count; id++) {
        if (!b->in[id])
            continue;
        copy_node(b, id);
        if (c->kind[id] == CRDI_ROW_SUM)
            sum[count++] = b->copy[id];
    }
    return crd_graph_status(b->graph);
}

crd_status crdi_rows_compile_block(struct crdi_rows_body *b, int64_t block, crd_program **out)
{
    struct crdi_rows_cutter *c = b->c;
    crd_context *ctx = c->g->ctx;
    int sums = 0;
    b->block = block;
    for (int32_t id = 0; id < c->count; id++)
        sums += b->in[id] && c->kind[id] == CRDI_ROW_SUM;
    crd_node *sum = crdi_alloc_array(ctx, sums + 1, sizeof *sum);
    b->copy = crdi_alloc_array(ctx, c->count, sizeof *b->copy);
    b->given = crdi_alloc_array(ctx, b->inputs + 1, sizeof *b->given);
    crd_status status = sum && b->copy && b->given ? crd_graph_create(&b->graph, ctx) : CRD_ENOMEM;
    if (status == CRD_OK)
        status = build_block(b, sum);
    if (status == CRD_OK)
        status = crd_compile(b->graph, b->given, (int)b->inputs, sum, sums, out);
    crd_graph_destroy(&b->graph);
    crdi_free(ctx, sum);
    crdi_free(ctx, b->copy);
    crdi_free(ctx, b->given);
    return status;
}

/* ---- sizes --------------------------------------------------------------------------------------------------- */

static int64_t rounded(double rows)
{
    return rows < CRDI_ROWS_UNIT ? CRDI_ROWS_UNIT : (int64_t)(rows / CRDI_ROWS_UNIT) * CRDI_ROWS_UNIT;
}

/* Rows of a block: as many as the cache has room for, and more if its results are many for the work that is done. */
crd_status crdi_rows_choose_block(struct crdi_rows_body *b, int64_t *out)
{
    crd_program *program;
    int64_t block = rounded(BLOCK_DOUBLES / b->width), most = b->c->rows / CRDI_ROWS_LEAST_BLOCKS;
    CRD_TRY(crdi_rows_compile_block(b, 8 * CRDI_ROWS_UNIT, &program));
    double work = (double)crdi_program_work(program) / (8 * CRDI_ROWS_UNIT);
    crd_program_destroy(&program);
    double wanted = LEAST_WORK * (double)b->size / (work + 1);
    if (wanted > (double)block)
        block = rounded(wanted + CRDI_ROWS_UNIT - 1);
    *out = block <= most ? block : 0;
    return CRD_OK;
}
