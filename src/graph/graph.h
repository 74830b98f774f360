/* graph.h - nodes, operations and plans from the inside.
 *
 * Nodes are made by crdi_make, which gives an equal node back if there is one (so that common subexpressions are found
 * while the graph grows) and computes a node whose arguments are all known at once. A node's id is larger than those of
 * its arguments: ids are a topological order, which the gradient walks downwards and the compiler upwards. */
#ifndef CRDI_GRAPH_H
#define CRDI_GRAPH_H

#include <credence/graph.h>
#include "base/base.h"
#include "kernel/kernel.h"
#include "kernel/view.h"

typedef struct crdi_op crdi_op;
typedef struct crdi_vertex crdi_vertex;
typedef struct crdi_emitter crdi_emitter;

/* Arguments of one node, at most. */
enum { CRDI_MOST_ARGS = 512 };

/* What distinguishes two nodes of one operation and equal arguments. All bytes are compared: fill with zeros first. */
typedef struct crdi_attribute {
    int64_t whole[6];
    double number;
    crdi_view view;
    const void *extra;
} crdi_attribute;

/* Graphs and programs of bodies of loops, owned by the graph or program (or, until then, the emitter) they are in. */
struct crdi_nested {
    crd_graph *graph;
    crd_program *program;
    struct crdi_nested *next;
};

struct crdi_vertex {
    const crdi_op *op;
    int arg_count;
    int32_t *arg; /* ids */
    crd_shape shape;
    int64_t size;
    crdi_attribute attribute;
    const double *known; /* the elements of a constant, else NULL */
    const char *name; /* of an input */
    crd_where where;
    uint64_t hash;
    int32_t strand; /* strands.c; 0: none */
    bool floats; /* single.c: the elements are computed as floats; `known` are doubles all the same */
};

/* What an operation is computed in where the program is in single precision (single.c). */
enum crdi_in_single {
    CRDI_SINGLE_DOUBLES, /* doubles: its kernels know no floats */
    CRDI_SINGLE_FLOATS,
    CRDI_SINGLE_ELEMENTS, /* floats; a single number is a double */
    CRDI_SINGLE_TOTAL, /* a double from either */
    CRDI_SINGLE_MOVES, /* what its arguments are */
};

/* An operation. Every family file ends in one or more of these. */
struct crdi_op {
    const char *name;
    int kernel; /* for element-wise families */
    bool in_place; /* the result may take the first argument's place */
    bool alias; /* the result is the first argument's memory */
    int64_t (*part)(const crdi_vertex *v); /* where in the first argument's memory the result stands; -1: it does not */
    bool (*joins)(const crdi_vertex *v); /* whether the result is its arguments one after the other */
    bool pure; /* may be computed while the graph is built */
    enum crdi_in_single single;
    unsigned double_args; /* a bit for each argument that is doubles in either precision: indices */
    /* Emits the calls that compute the node. */
    void (*lower)(crdi_emitter *emitter, const crdi_vertex *v);
    /* Given g = d y / d node, adds to grad[i] for each argument i (crdi_accumulate). NULL: no gradient flows. */
    void (*vjp)(crd_node node, const crdi_vertex *v, crd_node g, crd_node *grad);
    const struct crdi_rows_rule *rows; /* how it is cut along an axis of rows (rows.h); NULL: it needs all of them */
};

struct crd_graph {
    crd_context *ctx;
    crdi_arena *arena;
    crdi_vertex **vertex;
    int64_t count, capacity;
    int32_t *table; /* open hashing: ids + 1, 0 is empty */
    int64_t table_size;
    crd_status status; /* of the first failure */
    crd_where where; /* when set (file not NULL), the place that new nodes get: the user's line, not ours */
    int32_t *input; /* ids of inputs in order of addition */
    int64_t input_count, input_capacity;
    struct crdi_nested *nested;
    int32_t strand, strands; /* of new nodes; how many there are (strands.c) */
    crd_precision precision; /* of programs */
    int groups; /* of strands that can run side by side in a program; below 2: all is one after the other */
    bool uncut; /* leave rows together (rows.c) */
    bool plain; /* compile each step as it is: nothing joined, nothing moved. For tests of what joins and moves them */
};

/* ---- building (graph.c) ------------------------------------------------------------------------------------- */

extern const crdi_op crdi_op_constant, crdi_op_input;

/* Sets the place that nodes made from now on are given in messages; file NULL: each node's own. */
void crdi_graph_set_where(crd_graph *graph, crd_where where);
/* Nodes made from now on belong to this strand (1, 2, ...; 0: to none). */
void crdi_graph_set_strand(crd_graph *graph, int32_t strand);
const crdi_vertex *crdi_vertex_of(crd_node node);
crd_node crdi_arg(crd_node node, int i);
/* Finds the graph of some arguments and makes their numbers constants of it. NULL if all are numbers, or if one is bad
 * or from another graph (then *bad is a bad node, to be returned). */
crd_graph *crdi_lift(crd_node *args, int count, crd_where where, crd_node *bad);
crd_node crdi_make(crd_graph *graph, const crdi_op *op, const crd_node *args, int count, crd_shape shape,
                   const crdi_attribute *attribute, crd_where where);
crd_node crdi_fail(crd_graph *graph, crd_status status, crd_where where, const char *format, ...) CRD_PRINTF(4, 5);
crd_node crdi_constant_scalar(crd_graph *graph, double number);
crd_node crdi_constant_fill(crd_graph *graph, double number, crd_shape shape);
/* Whether a node is one known number (of size one, or the same number everywhere is not looked for). */
bool crdi_is_number(crd_node node, double *number);
/* Whether an array can have this shape: 0 to CRD_MAX_DIMS extents, none negative, a size that can be counted. */
bool crdi_shape_possible(crd_shape shape);
void crdi_accumulate(crd_node *sum, crd_node term); /* sum may be bad-with-graph-NULL: "nothing yet" */
extern const crd_node crdi_nothing;
bool crdi_is_nothing(crd_node node);

/* ---- shapes (ops/shape.c) ----------------------------------------------------------------------------------- */

bool crdi_broadcast_shape(crd_shape a, crd_shape b, crd_shape *out);
/* Whether a node is another one with its last two axes exchanged: its argument. */
bool crdi_is_transpose(crd_node x);
/* Sums g over what broadcasting repeated, so that it has the given shape. */
crd_node crdi_unbroadcast(crd_node g, crd_shape shape);

/* ---- lowering (compile.c) ----------------------------------------------------------------------------------- */

/* Elements of a buffer. */
typedef struct crdi_scratch {
    int64_t size;
    bool floats;
} crdi_scratch;

/* A link of the kernel `chain` whose operands are nodes still (kernel.h, crdi_link). */
typedef struct crdi_step_link {
    int kernel, sum;
    int64_t moves[4];
    int32_t out, in[3];
    int64_t out_offset, in_offset[3]; /* elements into them */
    const char *label;
} crdi_step_link;

typedef struct crdi_step_chain {
    crdi_step_link *link;
    int32_t *read, *written; /* all buffers that others see, each once */
    int count, reads, writes;
} crdi_step_chain;

/* One call whose operands are nodes still. out -1 - k is scratch number k. */
typedef struct crdi_step {
    crdi_call call;
    int kernel; /* enum crdi_kernel; -1: another function */
    bool in_place; /* the result may take the place of an operand of its size */
    bool single; /* works on single numbers: joined with its neighbours of that kind */
    bool floats; /* the kernel is one of floats, and so is the result unless the operation gives doubles */
    int32_t out, in[5];
    int32_t more[3]; /* further results, whole buffers; INT32_MIN: none */
    int64_t out_offset; /* elements into the result (for operations that write it in pieces) */
    const crdi_step_chain *chain; /* of the kernel `chain`, in the arena: its operands, in place of those above */
    const char *label;
    int32_t vertex;
    int32_t segment; /* 0: before the strands; a group of them; groups + 1: behind them */
    /* Optional: makes call.extra for one exec, and takes it back. `shared`: NULL at first, for what the calls of an exec have
     * in common. */
    const void *(*bind)(crd_context *ctx, void **shared, const void *extra);
    void (*unbind)(crd_context *ctx, const void *extra);
} crdi_step;

struct crdi_emitter {
    crd_graph *graph;
    crdi_arena *arena; /* of the program: what call.extra points at must live there */
    crdi_step *step;
    int64_t count, capacity;
    crdi_scratch *scratch;
    int64_t scratch_count, scratch_capacity;
    int32_t vertex;
    struct crdi_nested *nested; /* in the arena */
    crd_status status;
    /* By vertex: whose memory it is a part of (itself, if it has its own), and where in it. NULL: not known yet. */
    int32_t *base;
    int64_t *at;
    int groups; /* of strands; 0: none */
};

/* What a step reads and writes: numbers 0 to crdi_step_reads - 1, and so on; INT32_MIN: nothing, or the output region. */
int crdi_step_reads(const crdi_step *step);
int32_t crdi_step_read(const crdi_step *step, int i);
int crdi_step_writes(const crdi_step *step);
int32_t crdi_step_written(const crdi_step *step, int i);

/* Joins steps into fused ones (fuse.c). `kept` says of each buffer (vertices, then scratch areas) that it is an output. */
crd_status crdi_fuse(crdi_emitter *emitter, const bool *kept);
/* Joins element-wise steps and sums over the same elements into chains (chain.c). */
crd_status crdi_chain_steps(crdi_emitter *emitter, const bool *kept);
int64_t crdi_buffer_of(const crdi_emitter *emitter, int32_t operand);
int64_t crdi_offset_of(const crdi_emitter *emitter, int32_t operand);
/* Sorts steps by what can run side by side (strands.c). */
crd_status crdi_find_strands(crdi_emitter *emitter);
/* Puts steps that work on single numbers next to each other, so that they become one call (schedule.c). */
crd_status crdi_order_steps(crdi_emitter *emitter);

void crdi_nested_destroy(struct crdi_nested *nested);

/* A graph in single precision with its inputs and outputs (single.c): compiled in place of the one that it is made from. */
typedef struct crdi_single {
    crd_context *ctx;
    crd_graph *graph;
    crd_node *input, *output;
    int input_count, output_count;
} crdi_single;

/* `inputs` NULL: all of the graph. */
crd_status crdi_single_create(crd_graph *from, const crd_node *inputs, int input_count, const crd_node *outputs,
                              int output_count, crdi_single *out);
void crdi_single_clear(crdi_single *single);

/* Adds a step that computes `v` with a kernel; operands beyond `count` are unused. The caller fills extents after. */
crdi_step *crdi_emit(crdi_emitter *emitter, int kernel, const int32_t *in, int count);
crdi_step *crdi_emit_fn(crdi_emitter *emitter, crdi_kernel_fn fn, const char *label, const int32_t *in, int count);
/* Elements as the vertex that is being lowered has them. */
int32_t crdi_emit_scratch(crdi_emitter *emitter, int64_t size);
/* Gives a step another kernel, of the precision that it has. */
void crdi_step_set_kernel(const crdi_emitter *emitter, crdi_step *step, int kernel);
const crdi_view *crdi_emit_view(crdi_emitter *emitter, const crdi_view *view);
/* Threads that share the groups of strands of a program; borrowed. NULL: none. */
void crdi_exec_set_team(crd_exec *exec, crdi_team *team);
/* Of the program of a log density: how many coordinates its gradient has. They are its first inputs; others may follow. The second call
 * says how many outputs stand behind the gradient. */
int64_t crdi_program_coordinates(const crd_program *program);
void crdi_program_set_parts(crd_program *program, int64_t count);
/* The exec's part of `threads` (below 1: as many as processors) that so many execs share which run at once: a team of its own,
 * if more than one thread is left for each and its program has groups of strands. */
crd_status crdi_exec_share_threads(crd_exec *exec, int64_t threads, int64_t execs);
/* Whether a run reads any of the first `count` elements of its input, which are an input of their own. */
bool crdi_program_reads_first(const crd_program *program, int64_t count);
/* About how many elements a run computes, terms of sums counted. */
int64_t crdi_program_work(const crd_program *program);
/* Computes one node of known arguments into `out`. */
crd_status crdi_compute_now(crd_graph *graph, const crdi_vertex *v, double *out);

#endif
