/* rows.c - what is computed row by row for many rows, cut into blocks of rows.
 *
 * A log density over many rows and its gradient are sums over rows of what each row gives. Computed array by array, every
 * array is written to memory and read back once the arrays are larger than the caches; computed block of rows by block of
 * rows, they stay in the cache, and blocks can go to threads. So before a graph is compiled, all of it is looked through,
 * gradients included:
 *
 * 1. An extent is taken for that of the rows, the largest that will do. Every node that follows from arrays with that
 *    axis is one of three: it has the axis too (CUT), it sums over it (SUM), or it has nothing to do with it (WHOLE). Each
 *    operation has a rule for that (rows_rules.c). If one needs all rows at once, or needs a sum to go on row by row, the
 *    graph stays as it is.
 * 2. CUT and SUM nodes are built once more, in a graph of their own and for one block (struct body), and compiled there. What
 *    they take from the others are its inputs, the sums its results.
 * 3. In the graph itself a node runs that program over a stretch of the blocks, one after the other, and adds up the results
 *    (rows_run.c): a lane. Lanes are strands (strands.c). Their sums are added in order, and what needed the SUM nodes takes
 *    the total.
 *
 * How many blocks and lanes there are, and which rows are in which, follows from sizes alone: threads change no bit.
 *
 * Where there are strands already - particles of a loss - each gets a lane of its own for all its rows. */
#include "graph/rows.h"

#include "graph/ops/vjp.h"

#include <string.h>

enum {
    BLOCK_DOUBLES = 1 << 15, /* of all arrays of a block */
    LEAST_DOUBLES = 1 << 18, /* of all arrays of all rows: below, nothing is cut */
    LEAST_BLOCKS = 4,
    LEAST_WORK = 1536, /* of a block, for each of its results, which have to be added up */
    MOST_LANES = 32,
    UNIT = 8, /* a block's rows are a multiple of it */
    FEW = 64, /* elements of a known array that goes into a block's program as it is */
    MOST_EXTENTS = 8 /* that are tried */
};

enum kind { WHOLE, CUT, SUM };

struct cutter {
    crd_graph *g;
    crdi_emitter *e;
    int64_t count; /* of vertices, before any is added */
    int64_t rows;
    bool *needed, *after; /* after: needs a sum over the rows */
    enum kind *kind;
    crdi_rows_use *use; /* of CUT vertices */
    crd_node *copy; /* what a vertex is replaced by; nothing: it stays */
};

/* ---- 1: what has rows ---------------------------------------------------------------------------------------- */

static void mark_needed(struct cutter *c, const crd_node *outputs, int count)
{
    for (int i = 0; i < count; i++)
        c->needed[outputs[i].id] = true;
    for (int64_t id = c->count - 1; id >= 0; id--) {
        const crdi_vertex *v = c->g->vertex[id];
        for (int i = 0; c->needed[id] && !v->known && i < v->arg_count; i++)
            c->needed[v->arg[i]] = true;
    }
}

static bool is_leaf(const crdi_vertex *v)
{
    return v->known || v->op == &crdi_op_input;
}

/* Whether the arguments can be used as the rule asks for. */
static bool fits(const struct cutter *c, const crdi_vertex *v, const crdi_rows_use *use)
{
    crd_shape shape;
    for (int i = 0; i < v->arg_count; i++) {
        int32_t arg = v->arg[i];
        if (c->after[arg])
            return false;
        if (c->kind[arg] == CUT && !use[i].cut)
            return false;
        if (use[i].cut && !crdi_rows_block_shape(c->g->vertex[arg]->shape, &use[i], c->rows, UNIT, &shape))
            return false;
    }
    return true;
}

static enum crdi_rows_kind ask_rule(const struct cutter *c, const crdi_vertex *v, crdi_rows_use *use,
                                    crdi_rows_use *result)
{
    crd_shape shape;
    enum crdi_rows_kind kind = v->op->rows->kind(c->g, v, c->rows, use, result);
    if (kind == CRDI_ROWS_CANNOT || !fits(c, v, use))
        return CRDI_ROWS_CANNOT;
    if (kind == CRDI_ROWS_CUT && !crdi_rows_block_shape(v->shape, result, c->rows, UNIT, &shape))
        return CRDI_ROWS_CANNOT;
    return kind;
}

/* How a node uses its arguments that are cut already; whether there are any. */
static bool uses_of(const struct cutter *c, const crdi_vertex *v, crdi_rows_use *use)
{
    bool any = false;
    for (int i = 0; i < v->arg_count; i++) {
        bool cut = c->kind[v->arg[i]] == CUT;
        use[i] = cut ? c->use[v->arg[i]] : (crdi_rows_use){0};
        any = any || cut;
    }
    return any;
}

/* What the shape of an array says of its rows: the one axis with so many elements, or data's first axis, joined with others
 * (what windows show of a row, for one). False: nothing, or several things. */
static bool guess_use(const crdi_vertex *v, int64_t rows, crdi_rows_use *use)
{
    int axis = -1, found = 0;
    for (int d = 0; d < v->shape.ndim; d++)
        if (v->shape.dim[d] == rows) {
            axis = d;
            found++;
        }
    if (found == 1)
        *use = crdi_rows_along_axis(v->shape, axis);
    else if (found == 0 && v->known && v->shape.ndim > 0 && v->shape.dim[0] > 0 && v->shape.dim[0] % rows == 0)
        *use = (crdi_rows_use){true, 1, v->size / rows};
    else
        return false;
    return true;
}

/* Cuts an operation whose arguments are all whole, if one of them has rows that the result has too. */
static bool start(const struct cutter *c, const crdi_vertex *v, crdi_rows_use *use, crdi_rows_use *result)
{
    for (int i = 0; i < v->arg_count; i++) {
        crdi_rows_use guess;
        if (!guess_use(c->g->vertex[v->arg[i]], c->rows, &guess))
            continue;
        memset(use, 0, sizeof *use * (size_t)v->arg_count);
        use[i] = guess;
        if (ask_rule(c, v, use, result) == CRDI_ROWS_CUT)
            return true;
    }
    return false;
}

/* False: the graph cannot be cut. */
static bool label(struct cutter *c, int32_t id, crdi_rows_use *use)
{
    const crdi_vertex *v = c->g->vertex[id];
    bool after = false;
    for (int i = 0; i < v->arg_count; i++)
        after = after || c->after[v->arg[i]];
    if (!uses_of(c, v, use)) {
        if (!after && v->op->rows && v->op->rows->starts && start(c, v, use, &c->use[id]))
            c->kind[id] = CUT;
        c->after[id] = after;
        return true;
    }
    enum crdi_rows_kind kind = v->op->rows ? ask_rule(c, v, use, &c->use[id]) : CRDI_ROWS_CANNOT;
    c->kind[id] = kind == CRDI_ROWS_CUT ? CUT : SUM;
    c->after[id] = kind == CRDI_ROWS_SUM;
    return kind != CRDI_ROWS_CANNOT;
}

static bool label_all(struct cutter *c, const crd_node *outputs, int count)
{
    crdi_rows_use use[CRDI_MOST_ARGS];
    bool any = false;
    memset(c->kind, 0, sizeof *c->kind * (size_t)c->count);
    memset(c->after, 0, sizeof *c->after * (size_t)c->count);
    for (int32_t id = 0; id < c->count; id++) {
        if (!c->needed[id] || is_leaf(c->g->vertex[id]))
            continue;
        if (!label(c, id, use))
            return false;
        any = any || c->kind[id] == SUM;
    }
    for (int i = 0; i < count; i++)
        if (c->kind[outputs[i].id] == CUT)
            return false;
    return any;
}

/* ---- 2: one block -------------------------------------------------------------------------------------------- */

/* What blocks take from outside. */
struct input {
    int32_t id;
    crdi_rows_use use;
    crdi_rows_source source;
};

/* All that is cut for the sums of one strand. */
struct body {
    struct cutter *c;
    int32_t strand; /* -1: for all sums */
    bool *in; /* by id: computed in the block */
    struct input *input;
    int64_t inputs, input_capacity;
    double width; /* doubles a row, of all arrays */
    int64_t size; /* of the sums */
    crdi_rows_plan *plan;
    /* While the graph of a block is built: */
    crd_graph *graph;
    crd_node *copy; /* by id */
    crd_node *given; /* by input */
    int64_t block;
};

static bool is_own_sum(const struct body *b, int32_t id)
{
    return b->c->kind[id] == SUM && (b->strand < 0 || b->c->g->vertex[id]->strand == b->strand);
}

static bool same_use(const crdi_rows_use *a, const crdi_rows_use *b)
{
    return a->cut == b->cut && (!a->cut || (a->outer == b->outer && a->inner == b->inner));
}

static int64_t find_input(const struct body *b, int32_t id, const crdi_rows_use *use)
{
    int64_t k = 0;
    while (k < b->inputs && (b->input[k].id != id || !same_use(&b->input[k].use, use)))
        k++;
    return k;
}

static crd_status add_input(struct body *b, int32_t id, const crdi_rows_use *use)
{
    const crdi_vertex *v = b->c->g->vertex[id];
    if ((v->known && v->size <= FEW && !use->cut) || find_input(b, id, use) < b->inputs)
        return CRD_OK;
    CRD_TRY(crdi_grow(b->c->g->ctx, &b->input, &b->input_capacity, b->inputs, sizeof *b->input));
    b->input[b->inputs++] = (struct input){.id = id, .use = *use};
    return CRD_OK;
}

/* Whether an array repeats the same along its axis of rows, so that a block can repeat it itself. */
static bool repeats(const struct cutter *c, int32_t id, const crdi_rows_use *use)
{
    const crdi_vertex *v = c->g->vertex[id];
    int axis = use->cut ? crdi_rows_axis(v->shape, c->rows, use) : -1;
    return axis >= 0 && crdi_is_broadcast((crd_node){c->g, id, 0}) && v->attribute.view.stride[axis] == 0;
}

/* How a node that is cut uses its arguments. */
static void uses_as_cut(const struct cutter *c, const crdi_vertex *v, crdi_rows_use *use)
{
    crdi_rows_use result;
    if (uses_of(c, v, use))
        ask_rule(c, v, use, &result);
    else
        start(c, v, use, &result);
}

static crd_status collect(struct body *b)
{
    static const crdi_rows_use whole = {0};
    crdi_rows_use use[CRDI_MOST_ARGS];
    const struct cutter *c = b->c;
    b->width = 0;
    for (int64_t id = c->count - 1; id >= 0; id--) {
        const crdi_vertex *v = c->g->vertex[id];
        bool sum = is_own_sum(b, (int32_t)id);
        if (!sum && !b->in[id])
            continue;
        b->in[id] = true;
        b->size += sum ? v->size : 0;
        b->width += sum || v->op->alias ? 0 : (double)v->size / (double)c->rows;
        uses_as_cut(c, v, use);
        for (int i = 0; i < v->arg_count; i++) {
            int32_t arg = v->arg[i];
            if (c->kind[arg] == CUT)
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
static crd_node given(struct body *b, int32_t id, const crdi_rows_use *use)
{
    static const crdi_rows_use whole = {0};
    const struct cutter *c = b->c;
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

static void copy_node(struct body *b, int32_t id)
{
    crdi_rows_use use[CRDI_MOST_ARGS];
    crd_node arg[CRDI_MOST_ARGS];
    const struct cutter *c = b->c;
    const crdi_vertex *v = c->g->vertex[id];
    crdi_attribute attribute = v->attribute;
    crd_shape shape = v->shape;
    uses_as_cut(c, v, use);
    for (int i = 0; i < v->arg_count; i++)
        arg[i] = c->kind[v->arg[i]] == CUT ? b->copy[v->arg[i]] : given(b, v->arg[i], &use[i]);
    if (c->kind[id] == CUT)
        crdi_rows_block_shape(v->shape, &c->use[id], c->rows, b->block, &shape);
    if (v->op->rows->block)
        v->op->rows->block(v, &use[0], c->rows, b->block, &attribute);
    b->copy[id] = crdi_make(b->graph, v->op, arg, v->arg_count, shape, &attribute, v->where);
}

/* Builds and compiles the graph of a block of so many rows. */
static crd_status build_block(struct body *b, crd_node *sum)
{
    struct cutter *c = b->c;
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
        if (c->kind[id] == SUM)
            sum[count++] = b->copy[id];
    }
    return crd_graph_status(b->graph);
}

static crd_status compile_block(struct body *b, int64_t block, crd_program **out)
{
    struct cutter *c = b->c;
    crd_context *ctx = c->g->ctx;
    int sums = 0;
    b->block = block;
    for (int32_t id = 0; id < c->count; id++)
        sums += b->in[id] && c->kind[id] == SUM;
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
    return rows < UNIT ? UNIT : (int64_t)(rows / UNIT) * UNIT;
}

/* Rows of a block: as many as the cache has room for, and more if its results are many for the work that is done. */
static crd_status choose_block(struct body *b, int64_t *out)
{
    crd_program *program;
    int64_t block = rounded(BLOCK_DOUBLES / b->width), most = b->c->rows / LEAST_BLOCKS;
    CRD_TRY(compile_block(b, 8 * UNIT, &program));
    double work = (double)crdi_program_work(program) / (8 * UNIT);
    crd_program_destroy(&program);
    double wanted = LEAST_WORK * (double)b->size / (work + 1);
    if (wanted > (double)block)
        block = rounded(wanted + UNIT - 1);
    *out = block <= most ? block : 0;
    return CRD_OK;
}

static int64_t choose_lanes(const struct body *b, int64_t blocks)
{
    const struct cutter *c = b->c;
    int64_t size = b->size + 1;
    if (b->strand >= 0)
        return 1;
    for (int64_t k = 0; k < b->inputs; k++)
        size += c->g->vertex[b->input[k].id]->known ? 0 : c->g->vertex[b->input[k].id]->size;
    double most = b->width * (double)c->rows / (8 * (double)size); /* each lane has memory for these */
    int64_t lanes = most < 2 ? 2 : most < MOST_LANES ? (int64_t)most : MOST_LANES;
    return lanes < blocks ? lanes : blocks;
}

/* ---- 3: the graph with lanes --------------------------------------------------------------------------------- */

static crd_status keep_program(struct cutter *c, crd_program *program)
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
static void sort_inputs(struct body *b)
{
    int64_t first = 0;
    for (int64_t k = 0; k < b->inputs; k++) {
        struct input input = b->input[k];
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
static void pack_blocks(const struct body *b, const struct input *input, const double *from, double *to)
{
    int64_t rows = b->c->rows, inner = input->use.inner;
    for (int64_t first = 0; first < rows; first += b->plan->block) {
        int64_t strip = (rows - first < b->plan->block ? rows - first : b->plan->block) * inner;
        for (int64_t i = 0; i < input->use.outer; i++, to += strip)
            memcpy(to, from + (i * rows + first) * inner, sizeof *to * (size_t)strip);
    }
}

/* All known inputs in one array. */
static crd_node pack_data(struct body *b)
{
    struct cutter *c = b->c;
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
        struct input *input = &b->input[k];
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

static void set_source(struct body *b, struct input *input, int operand, int64_t offset)
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
static int64_t largest_input(const struct body *b, const bool *placed)
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
static int make_operands(struct body *b, bool *placed, crd_node *operand)
{
    struct cutter *c = b->c;
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
static crd_node add_lanes(struct body *b, const crd_node *operand, int operands)
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

static crd_status compile_blocks(struct body *b)
{
    crdi_rows_plan *plan = b->plan;
    crd_program *program;
    int64_t last = plan->rows % plan->block;
    CRD_TRY(compile_block(b, plan->block, &program));
    plan->program[0] = program;
    CRD_TRY(keep_program(b->c, program));
    if (last == 0)
        return CRD_OK;
    CRD_TRY(compile_block(b, last, &program));
    plan->program[1] = program;
    return keep_program(b->c, program);
}

static crd_status make_plan(struct body *b, int64_t block)
{
    struct cutter *c = b->c;
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
static crd_status replace_sums(struct body *b, int64_t block)
{
    struct cutter *c = b->c;
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
        if (!is_own_sum(b, id))
            continue;
        const crdi_vertex *v = c->g->vertex[id];
        c->copy[id] = crd_reshape(crd_slice(total, 0, at, v->size, 1), v->shape);
        at += v->size;
    }
    c->g->strand = 0;
    return crd_graph_status(c->g);
}

/* What needs sums, built once more with the totals. */
static crd_status replace_others(struct cutter *c, crd_node *outputs, int count)
{
    crd_node arg[CRDI_MOST_ARGS];
    for (int32_t id = 0; id < c->count; id++) {
        const crdi_vertex *v = c->g->vertex[id];
        if (!c->needed[id] || !c->after[id] || c->kind[id] != WHOLE)
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

/* ---- all ----------------------------------------------------------------------------------------------------- */

static void body_clear(struct body *b)
{
    crdi_free(b->c->g->ctx, b->in);
    crdi_free(b->c->g->ctx, b->input);
}

static crd_status body_of(struct cutter *c, int32_t strand, struct body *b)
{
    *b = (struct body){.c = c, .strand = strand};
    b->in = crdi_alloc_array(c->g->ctx, c->count, sizeof *b->in);
    return b->in ? collect(b) : CRD_ENOMEM;
}

/* Cuts what the sums of a strand need; `block`: 0 if that is not worth it. */
static crd_status cut_strand(struct cutter *c, int32_t strand, bool replace, int64_t *block)
{
    struct body b;
    crd_status status = body_of(c, strand, &b);
    if (status == CRD_OK && !replace)
        status = choose_block(&b, block);
    else if (status == CRD_OK)
        status = replace_sums(&b, *block);
    body_clear(&b);
    return status;
}

/* What is known of a strand's sums before its nodes are looked for. */
struct strand {
    bool has_sum;
    double width; /* doubles a row, of its own arrays */
};

static crd_status look_at_strands(const struct cutter *c, int32_t count, struct strand **out)
{
    struct strand *strand = crdi_alloc_array(c->g->ctx, count, sizeof *strand);
    if (!strand)
        return CRD_ENOMEM;
    for (int64_t id = 0; id < c->count; id++) {
        const crdi_vertex *v = c->g->vertex[id];
        struct strand *s = &strand[count > 1 ? v->strand : 0];
        s->has_sum = s->has_sum || c->kind[id] == SUM;
        s->width += c->kind[id] == CUT && !v->op->alias ? (double)v->size / (double)c->rows : 0;
    }
    *out = strand;
    return CRD_OK;
}

/* All strands are cut alike, as is best for the first that is worth it. */
static crd_status cut_all(struct cutter *c, int64_t *block)
{
    int32_t count = c->g->strands > 1 ? c->g->strands + 1 : 1;
    double least = (double)LEAST_DOUBLES / (double)c->rows;
    struct strand *strand = NULL;
    crd_status status = look_at_strands(c, count, &strand);
    *block = 0;
    for (int32_t s = 0; s < count && *block == 0 && status == CRD_OK; s++)
        if (strand[s].has_sum && strand[s].width + (s > 0 ? strand[0].width : 0) >= least)
            status = cut_strand(c, count > 1 ? s : -1, false, block);
    for (int32_t s = 0; s<count && * block> 0 && status == CRD_OK; s++)
        if (strand[s].has_sum)
            status = cut_strand(c, count > 1 ? s : -1, true, block);
    crdi_free(c->g->ctx, strand);
    return status;
}

/* The largest extent below `below` that has room for blocks; 0: there is none. */
static int64_t next_extent(const struct cutter *c, int64_t below)
{
    int64_t most = 0;
    for (int64_t id = 0; id < c->count; id++) {
        const crdi_vertex *v = c->g->vertex[id];
        for (int d = 0; c->needed[id] && d < v->shape.ndim; d++)
            if (v->shape.dim[d] < below && v->shape.dim[d] > most)
                most = v->shape.dim[d];
    }
    return most >= LEAST_BLOCKS * UNIT ? most : 0;
}

static crd_status cut(struct cutter *c, crd_node *outputs, int count)
{
    int64_t block = 0;
    for (int64_t id = 0; id < c->count; id++)
        c->copy[id] = crdi_nothing;
    mark_needed(c, outputs, count);
    c->rows = INT64_MAX;
    for (int i = 0; i < MOST_EXTENTS && block == 0 && (c->rows = next_extent(c, c->rows)) > 0; i++)
        if (label_all(c, outputs, count))
            CRD_TRY(cut_all(c, &block));
    return block > 0 ? replace_others(c, outputs, count) : CRD_OK;
}

crd_status crdi_rows_cut(crdi_emitter *e, crd_node *outputs, int count)
{
    crd_graph *g = e->graph;
    crd_context *ctx = g->ctx;
    struct cutter c = {.g = g, .e = e, .count = g->count};
    if (g->plain || g->uncut || g->count == 0)
        return CRD_OK;
    c.needed = crdi_alloc_array(ctx, c.count, sizeof *c.needed);
    c.after = crdi_alloc_array(ctx, c.count, sizeof *c.after);
    c.kind = crdi_alloc_array(ctx, c.count, sizeof *c.kind);
    c.use = crdi_alloc_array(ctx, c.count, sizeof *c.use);
    c.copy = crdi_alloc_array(ctx, c.count, sizeof *c.copy);
    bool room = c.needed && c.after && c.kind && c.use && c.copy;
    int32_t strand = g->strand;
    crd_status status = room ? cut(&c, outputs, count) : CRD_ENOMEM;
    g->strand = strand;
    crdi_free(ctx, c.needed);
    crdi_free(ctx, c.after);
    crdi_free(ctx, c.kind);
    crdi_free(ctx, c.use);
    crdi_free(ctx, c.copy);
    return status;
}
