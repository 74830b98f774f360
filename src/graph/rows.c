/* rows.c - what is computed row by row for many rows, cut into blocks of rows.
 *
 * A log density over many rows and its gradient are sums over rows of what each row gives. Computed array by array, every
 * array is written to memory and read back once the arrays are larger than the caches; computed block of rows by block of
 * rows, they stay in the cache, and blocks can go to threads. So before a graph is compiled, all of it is looked through,
 * gradients included:
 *
 * 1. An extent is taken for that of the rows, the largest that will do. Every node that follows from arrays with that
 *    axis is one of three (rows_label.c): it has the axis too (cut), it sums over it (a sum), or it has nothing to do with
 *    it (whole). Each operation has a rule for that (rows_rules.c). If one needs all rows at once, or needs a sum to go on
 *    row by row, the graph stays as it is.
 * 2. Cut nodes and sums are built once more, in a graph of their own and for one block, and compiled there
 *    (rows_block.c). What they take from the others are its inputs, the sums its results.
 * 3. In the graph itself a node runs that program over a stretch of the blocks, one after the other, and adds up the results
 *    (rows_run.c): a lane (rows_lanes.c). Lanes are strands (strands.c). Their sums are added in order, and what needed the
 *    sums takes the total.
 *
 * How many blocks and lanes there are, and which rows are in which, follows from sizes alone: threads change no bit.
 *
 * Where there are strands already - particles of a loss - each gets a lane of its own for all its rows. */
#include "graph/rows.h"

#include "graph/rows_cut.h"

enum {
    LEAST_DOUBLES = 1 << 18, /* of all arrays of all rows: below, nothing is cut */
    MOST_EXTENTS = 8 /* that are tried */
};

static void body_clear(struct crdi_rows_body *b)
{
    crdi_free(b->c->g->ctx, b->in);
    crdi_free(b->c->g->ctx, b->input);
}

static crd_status body_of(struct crdi_rows_cutter *c, int32_t strand, struct crdi_rows_body *b)
{
    *b = (struct crdi_rows_body){.c = c, .strand = strand};
    b->in = crdi_alloc_array(c->g->ctx, c->count, sizeof *b->in);
    return b->in ? crdi_rows_collect(b) : CRD_ENOMEM;
}

/* Cuts what the sums of a strand need; `block`: 0 if that is not worth it. */
static crd_status cut_strand(struct crdi_rows_cutter *c, int32_t strand, bool replace, int64_t *block)
{
    struct crdi_rows_body b;
    crd_status status = body_of(c, strand, &b);
    if (status == CRD_OK && !replace)
        status = crdi_rows_choose_block(&b, block);
    else if (status == CRD_OK)
        status = crdi_rows_replace_sums(&b, *block);
    body_clear(&b);
    return status;
}

/* What is known of a strand's sums before its nodes are looked for. */
struct strand {
    bool has_sum;
    double width; /* doubles a row, of its own arrays */
};

static crd_status look_at_strands(const struct crdi_rows_cutter *c, int32_t count, struct strand **out)
{
    struct strand *strand = crdi_alloc_array(c->g->ctx, count, sizeof *strand);
    if (!strand)
        return CRD_ENOMEM;
    for (int64_t id = 0; id < c->count; id++) {
        const crdi_vertex *v = c->g->vertex[id];
        struct strand *s = &strand[count > 1 ? v->strand : 0];
        s->has_sum = s->has_sum || c->kind[id] == CRDI_ROW_SUM;
        s->width += c->kind[id] == CRDI_ROW_CUT && !v->op->alias ? (double)v->size / (double)c->rows : 0;
    }
    *out = strand;
    return CRD_OK;
}

/* All strands are cut alike, as is best for the first that is worth it. */
static crd_status cut_all(struct crdi_rows_cutter *c, int64_t *block)
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
static int64_t next_extent(const struct crdi_rows_cutter *c, int64_t below)
{
    int64_t most = 0;
    for (int64_t id = 0; id < c->count; id++) {
        const crdi_vertex *v = c->g->vertex[id];
        for (int d = 0; c->needed[id] && d < v->shape.ndim; d++)
            if (v->shape.dim[d] < below && v->shape.dim[d] > most)
                most = v->shape.dim[d];
    }
    return most >= CRDI_ROWS_LEAST_BLOCKS * CRDI_ROWS_UNIT ? most : 0;
}

static crd_status cut(struct crdi_rows_cutter *c, crd_node *outputs, int count)
{
    int64_t block = 0;
    for (int64_t id = 0; id < c->count; id++)
        c->copy[id] = crdi_nothing;
    crdi_rows_mark_needed(c, outputs, count);
    c->rows = INT64_MAX;
    for (int i = 0; i < MOST_EXTENTS && block == 0 && (c->rows = next_extent(c, c->rows)) > 0; i++)
        if (crdi_rows_label(c, outputs, count))
            CRD_TRY(cut_all(c, &block));
    return block > 0 ? crdi_rows_replace_others(c, outputs, count) : CRD_OK;
}

crd_status crdi_rows_cut(crdi_emitter *e, crd_node *outputs, int count)
{
    crd_graph *g = e->graph;
    crd_context *ctx = g->ctx;
    struct crdi_rows_cutter c = {.g = g, .e = e, .count = g->count};
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
