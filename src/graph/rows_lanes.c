/* rows_lanes.c - a graph whose sums over rows are lanes: nodes that run a block's program over a stretch of blocks (rows.c, 3). */
#include "graph/rows_cut.h"

#include "graph/ops/vjp.h"

#include <string.h>

enum { MOST_LANES = 32 };

static int64_t choose_lanes(const struct crdi_rows_body *b, int64_t blocks)
{
    const struct crdi_rows_cutter *c = b->c;
    int64_t size = b->size + 1;
    if (b->strand >= 0)
        return 1;
    for (int64_t k = 0; k < b->inputs; k++)
        size += c->g->vertex[b->input[k].id]->known ? 0 : c->g->vertex[b->input[k].id]->size;
    double most = b->width * (double)c->rows / (8 * (double)size); /* each lane has memory for these */
    int64_t lanes = most < 2 ? 2 : most < MOST_LANES ? (int64_t)most : MOST_LANES;
    return lanes < blocks ? lanes : blocks;
}

static crd_status keep_program(struct crdi_rows_cutter *c, crd_program *program)
{
    struct crdi_nested *nested = crdi_arena_alloc(c->e->arena, sizeof *nested);
    if (!nested) {
        crd_program_destroy(&program);
        return CRD_ENOMEM;
    }
    *nested = (struct crdi_nested){.program = program, .next = c->e->nested};
    c->e->nested = nested;
    return CRD_OK;
}

/* Inputs whose strips are copied come first (rows_run.c). */
static void sort_inputs(struct crdi_rows_body *b)
{
    int64_t first = 0;
    for (int64_t k = 0; k < b->inputs; k++) {
        struct crdi_rows_input input = b->input[k];
        if (input.use.cut && input.use.outer > 1 && !b->c->g->vertex[input.id]->known) {
            b->input[k] = b->input[first];
            b->input[first++] = input;
        }
    }
}

static crd_node flat(crd_node x)
{
    return crd_reshape(x, crd_shape_1(crd_shape_size(crd_node_shape(x))));
}

/* A known array with the blocks one after the other. */
static void pack_blocks(const struct crdi_rows_body *b, const struct crdi_rows_input *input, const double *from,
                        double *to)
{
    int64_t rows = b->c->rows, inner = input->use.inner;
    for (int64_t first = 0; first < rows; first += b->plan->block) {
        int64_t strip = (rows - first < b->plan->block ? rows - first : b->plan->block) * inner;
        for (int64_t i = 0; i < input->use.outer; i++, to += strip)
            memcpy(to, from + (i * rows + first) * inner, sizeof *to * (size_t)strip);
    }
}

/* All known inputs in one array. */
static crd_node pack_data(struct crdi_rows_body *b)
{
    struct crdi_rows_cutter *c = b->c;
    int64_t size = 0;
    for (int64_t k = 0; k < b->inputs; k++)
        size += c->g->vertex[b->input[k].id]->known ? c->g->vertex[b->input[k].id]->size : 0;
    if (size == 0)
        return crdi_nothing;
    double *data = crdi_alloc_array(c->g->ctx, size, sizeof *data);
    if (!data)
        return crdi_fail(c->g, CRD_ENOMEM, (crd_where){0}, "out of memory");
    int64_t at = 0;
    for (int64_t k = 0; k < b->inputs; k++) {
        struct crdi_rows_input *input = &b->input[k];
        const crdi_vertex *v = c->g->vertex[input->id];
        if (!v->known)
            continue;
        input->source = (crdi_rows_source){.offset = at, .cut = input->use.cut, .outer = 1, .inner = v->size};
        if (input->use.cut) {
            input->source.inner = input->use.outer * input->use.inner;
            input->source.step = b->plan->block * input->source.inner;
            pack_blocks(b, input, v->known, data + at);
        } else {
            memcpy(data + at, v->known, sizeof *data * (size_t)v->size);
        }
        at += v->size;
    }
    crd_array array = crd_array_borrow(data, crd_shape_1(size));
    crd_node node = crd_constant(c->g, &array);
    crdi_free(c->g->ctx, data);
    return node;
}

static void set_source(struct crdi_rows_body *b, struct crdi_rows_input *input, int operand, int64_t offset)
{
    const crdi_vertex *v = b->c->g->vertex[input->id];
    const crdi_rows_use *use = &input->use;
    input->source = (crdi_rows_source){.operand = operand, .offset = offset, .cut = use->cut, .outer = 1};
    input->source.inner = use->cut ? use->inner : v->size;
    if (!use->cut)
        return;
    input->source.outer = use->outer;
    input->source.stride = b->c->rows * use->inner;
    input->source.step = b->plan->block * use->inner;
}

/* The largest array that is computed and has no operand yet. */
static int64_t largest_input(const struct crdi_rows_body *b, const bool *placed)
{
    int64_t largest = -1;
    for (int64_t k = 0; k < b->inputs; k++) {
        const crdi_vertex *v = b->c->g->vertex[b->input[k].id];
        if (!v->known && !placed[k] && (largest < 0 || v->size > b->c->g->vertex[b->input[largest].id]->size))
            largest = k;
    }
    return largest;
}

/* The operands of the lanes: what is known, the largest of what is computed, and the others joined. -1: too many. */
static int make_operands(struct crdi_rows_body *b, bool *placed, crd_node *operand)
{
    struct crdi_rows_cutter *c = b->c;
    crd_node part[CRDI_MOST_ARGS];
    int count = 0, parts = 0;
    int64_t at = 0;
    crd_node data = pack_data(b);
    if (!crdi_is_nothing(data))
        operand[count++] = data;
    for (int64_t k; count < CRDI_ROWS_OPERANDS - 1 && (k = largest_input(b, placed)) >= 0; count++) {
        operand[count] = (crd_node){c->g, b->input[k].id, 0};
        for (int64_t other = 0; other < b->inputs; other++)
            if (b->input[other].id == b->input[k].id) {
                set_source(b, &b->input[other], count, 0);
                placed[other] = true;
            }
    }
    for (int64_t k = 0; k < b->inputs; k++) {
        if (c->g->vertex[b->input[k].id]->known || placed[k])
            continue;
        if (parts == CRDI_MOST_ARGS)
            return -1;
        part[parts] = flat((crd_node){c->g, b->input[k].id, 0});
        set_source(b, &b->input[k], count, at);
        at += crd_shape_size(crd_node_shape(part[parts++]));
    }
    if (parts > 0)
        operand[count++] = crd_concat(part, parts, 0);
    return count;
}

/* The sums of all lanes, added up. */
static crd_node add_lanes(struct crdi_rows_body *b, const crd_node *operand, int operands)
{
    crd_graph *g = b->c->g;
    int64_t lanes = b->plan->lanes;
    crd_node total = crdi_nothing;
    for (int64_t l = 0; l < lanes; l++) {
        int64_t first = l * b->plan->blocks / lanes, end = (l + 1) * b->plan->blocks / lanes;
        if (lanes > 1)
            crdi_graph_set_strand(g, (int32_t)l + 1);
        crd_node lane = crdi_rows_lane(g, b->plan, operand, operands, first, end - first);
        if (lanes > 1)
            crdi_graph_set_strand(g, 0);
        crdi_accumulate(&total, lane);
    }
    if (lanes > 1)
        g->groups = (int)lanes;
    return total;
}

static crd_status compile_blocks(struct crdi_rows_body *b)
{
    crdi_rows_plan *plan = b->plan;
    crd_program *program;
    int64_t last = plan->rows % plan->block;
    CRD_TRY(crdi_rows_compile_block(b, plan->block, &program));
    plan->program[0] = program;
    CRD_TRY(keep_program(b->c, program));
    if (last == 0)
        return CRD_OK;
    CRD_TRY(crdi_rows_compile_block(b, last, &program));
    plan->program[1] = program;
    return keep_program(b->c, program);
}

static crd_status make_plan(struct crdi_rows_body *b, int64_t block)
{
    struct crdi_rows_cutter *c = b->c;
    b->plan = crdi_arena_alloc(c->e->arena, sizeof *b->plan);
    crdi_rows_source *source = crdi_arena_alloc(c->e->arena, sizeof *source * (size_t)(b->inputs + 1));
    if (!b->plan || !source)
        return CRD_ENOMEM;
    *b->plan = (crdi_rows_plan){.source = source,
                                .sources = b->inputs,
                                .rows = c->rows,
                                .block = block,
                                .blocks = (c->rows + block - 1) / block,
                                .size = b->size};
    b->plan->lanes = choose_lanes(b, b->plan->blocks);
    return compile_blocks(b);
}

/* Puts lanes in the place of a body's sums. */
crd_status crdi_rows_replace_sums(struct crdi_rows_body *b, int64_t block)
{
    struct crdi_rows_cutter *c = b->c;
    crd_node operand[CRDI_ROWS_OPERANDS];
    sort_inputs(b);
    CRD_TRY(make_plan(b, block));
    bool *placed = crdi_alloc_array(c->g->ctx, b->inputs + 1, sizeof *placed);
    if (!placed)
        return CRD_ENOMEM;
    c->g->strand = b->strand < 0 ? 0 : b->strand;
    int operands = make_operands(b, placed, operand);
    crdi_free(c->g->ctx, placed);
    if (operands < 0)
        return crdi_raise(c->g->ctx, CRD_EUNSUPPORTED, "rows: more than %d arrays go into a block", CRDI_MOST_ARGS);
    for (int64_t k = 0; k < b->inputs; k++)
        b->plan->source[k] = b->input[k].source;
    crd_node total = add_lanes(b, operand, operands);
    int64_t at = 0;
    for (int32_t id = 0; id < c->count; id++) {
        if (!crdi_rows_is_own_sum(b, id))
            continue;
        const crdi_vertex *v = c->g->vertex[id];
        c->copy[id] = crd_reshape(crd_slice(total, 0, at, v->size, 1), v->shape);
        at += v->size;
    }
    c->g->strand = 0;
    return crd_graph_status(c->g);
}

/* What needs sums, built once more with the totals. */
crd_status crdi_rows_replace_others(struct crdi_rows_cutter *c, crd_node *outputs, int count)
{
    crd_node arg[CRDI_MOST_ARGS];
    for (int32_t id = 0; id < c->count; id++) {
        const crdi_vertex *v = c->g->vertex[id];
        if (!c->needed[id] || !c->after[id] || c->kind[id] != CRDI_ROW_WHOLE)
            continue;
        for (int i = 0; i < v->arg_count; i++) {
            crd_node copy = c->copy[v->arg[i]];
            arg[i] = crdi_is_nothing(copy) ? (crd_node){c->g, v->arg[i], 0} : copy;
        }
        c->g->strand = v->strand;
        c->copy[id] = crdi_make(c->g, v->op, arg, v->arg_count, v->shape, &v->attribute, v->where);
    }
    c->g->strand = 0;
    for (int i = 0; i < count; i++)
        if (!crdi_is_nothing(c->copy[outputs[i].id]))
            outputs[i] = c->copy[outputs[i].id];
    return crd_graph_status(c->g);
}
