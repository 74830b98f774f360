/* rows_cut.h - the parts of rows.c: what they share while a graph is cut. */
#ifndef CRDI_ROWS_CUT_H
#define CRDI_ROWS_CUT_H

#include "graph/rows.h"

enum {
    CRDI_ROWS_UNIT = 8, /* a block's rows are a multiple of it */
    CRDI_ROWS_LEAST_BLOCKS = 4
};

enum crdi_rows_part { CRDI_ROW_WHOLE, CRDI_ROW_CUT, CRDI_ROW_SUM };

struct crdi_rows_cutter {
    crd_graph *g;
    crdi_emitter *e;
    int64_t count; /* of vertices, before any is added */
    int64_t rows;
    bool *needed, *after; /* after: needs a sum over the rows */
    enum crdi_rows_part *kind;
    crdi_rows_use *use; /* of CRDI_ROW_CUT vertices */
    crd_node *copy; /* what a vertex is replaced by; nothing: it stays */
};

/* What blocks take from outside. */
struct crdi_rows_input {
    int32_t id;
    crdi_rows_use use;
    crdi_rows_source source;
};

/* All that is cut for the sums of one strand. */
struct crdi_rows_body {
    struct crdi_rows_cutter *c;
    int32_t strand; /* -1: for all sums */
    bool *in; /* by id: computed in the block */
    struct crdi_rows_input *input;
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

/* ---- rows_label.c ---------------------------------------------------------------------------------------------- */

/* Marks what the outputs need. */
void crdi_rows_mark_needed(struct crdi_rows_cutter *c, const crd_node *outputs, int count);
/* Says of every node what it is, for c->rows rows. False: the graph cannot be cut, or has no sum over so many. */
bool crdi_rows_label(struct crdi_rows_cutter *c, const crd_node *outputs, int count);
/* How a node that is cut uses its arguments. */
void crdi_rows_uses(const struct crdi_rows_cutter *c, const crdi_vertex *v, crdi_rows_use *use);

/* ---- rows_block.c ---------------------------------------------------------------------------------------------- */

/* Whether a node is a sum that the body is made for. */
bool crdi_rows_is_own_sum(const struct crdi_rows_body *b, int32_t id);
/* Finds what the sums of a body need: nodes of the block, and inputs from outside. */
crd_status crdi_rows_collect(struct crdi_rows_body *b);
/* Builds and compiles the graph of a block of so many rows. */
crd_status crdi_rows_compile_block(struct crdi_rows_body *b, int64_t block, crd_program **out);
/* Rows of a block: as many as the cache has room for, and more if its results are many for the work that is done; 0: too few
 * blocks would be left. */
crd_status crdi_rows_choose_block(struct crdi_rows_body *b, int64_t *out);

/* ---- rows_lanes.c ---------------------------------------------------------------------------------------------- */

/* Puts lanes in the place of a body's sums. */
crd_status crdi_rows_replace_sums(struct crdi_rows_body *b, int64_t block);
/* What needs sums, built once more with the totals. */
crd_status crdi_rows_replace_others(struct crdi_rows_cutter *c, crd_node *outputs, int count);

#endif
