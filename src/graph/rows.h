/* rows.h - cutting a graph along the axis of its rows (rows.c), and how each operation takes part (rows_rules.c).
 *
 * An array that has the axis of rows is, in memory, (outer, rows, inner), whatever its shape says: `outer` counts what
 * stands before the axis, `inner` what stands behind. A block has some of the rows of it. */
#ifndef CRDI_ROWS_H
#define CRDI_ROWS_H

#include "graph/graph.h"

/* How an operation uses an argument, or what its result is: in blocks, or as a whole that all blocks share. */
typedef struct crdi_rows_use {
    bool cut;
    int64_t outer, inner; /* of an array that is cut */
} crdi_rows_use;

enum crdi_rows_kind {
    CRDI_ROWS_CANNOT, /* the operation needs all rows at once */
    CRDI_ROWS_CUT, /* a block of the result comes from blocks of arguments */
    CRDI_ROWS_SUM /* the result is the sum of what blocks give */
};

/* What an operation has to say about being cut; a row of crdi_op. */
struct crdi_rows_rule {
    /* `use` comes with the arguments that are in blocks, at least one, and leaves with those that have to be; `result` is
     * set if it is in blocks. */
    enum crdi_rows_kind (*kind)(const crd_graph *g, const crdi_vertex *v, int64_t rows, crdi_rows_use *use,
                                crdi_rows_use *result);
    bool starts; /* computes, so that data with rows are reason enough to cut it; the others move what is there */
    /* Makes the attribute of the operation on a block; NULL: it is the same. `use`: of the first argument. */
    void (*block)(const crdi_vertex *v, const crdi_rows_use *use, int64_t rows, int64_t block, crdi_attribute *out);
};

extern const struct crdi_rows_rule crdi_rows_elementwise, crdi_rows_same, crdi_rows_view, crdi_rows_unview,
    crdi_rows_concat, crdi_rows_matmul, crdi_rows_affine, crdi_rows_sum, crdi_rows_sum_axis, crdi_rows_along,
    crdi_rows_gather, crdi_rows_scatter_add, crdi_rows_windows, crdi_rows_solve;

/* The axis that is all of (outer, rows, inner)'s rows and nothing else; -1: there is none. */
int crdi_rows_axis(crd_shape shape, int64_t rows, const crdi_rows_use *use);
/* How an array is used that is cut along an axis of its own. */
crdi_rows_use crdi_rows_along_axis(crd_shape shape, int axis);
/* The shape of a block; false if no axis has the rows. */
bool crdi_rows_block_shape(crd_shape shape, const crdi_rows_use *use, int64_t rows, int64_t block, crd_shape *out);

/* Puts one node for each lane (a stretch of blocks) in the place of all that is computed row by row for these outputs, if
 * that is much. `outputs` are replaced; lanes are strands, and the graph's groups are set so that threads can share them. */
crd_status crdi_rows_cut(crdi_emitter *emitter, crd_node *outputs, int count);

/* ---- running (rows_run.c) ------------------------------------------------------------------------------------ */

/* An input of the program of a block: where it is, in an operand of the call. */
typedef struct crdi_rows_source {
    int operand;
    int64_t offset; /* of the first block */
    bool cut; /* else all blocks read the same `inner` elements */
    int64_t step; /* from block to block */
    int64_t outer, stride, inner; /* strips, so many elements apart, of `inner` elements a row; several are copied */
} crdi_rows_source;

/* Blocks of rows, `block` each, the last with what is left; what lanes share. In the program's arena. */
typedef struct crdi_rows_plan {
    const crd_program *program[2]; /* of a block; of the last, if it is shorter */
    crdi_rows_source *source; /* in the order of the programs' inputs; those that are copied come first */
    int64_t sources;
    int64_t rows, block, blocks, lanes;
    int64_t size; /* of the results of a block */
} crdi_rows_plan;

enum { CRDI_ROWS_OPERANDS = 5 };

/* The sum of the results of blocks first .. first + count - 1. */
crd_node crdi_rows_lane(crd_graph *g, const crdi_rows_plan *plan, const crd_node *args, int arg_count, int64_t first,
                        int64_t count);

#endif
