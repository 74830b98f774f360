/* single.c - from a graph, the graph of a program in single precision.
 *
 * It is the same graph with a precision for each node and conversions where they differ. Arrays are floats. Doubles stay:
 * inputs and outputs, so that whoever runs a program sees doubles in either precision; single numbers and sums of all
 * elements, which are what log densities are made of and cost nothing; keys and indices; what has no kernel for floats
 * (crdi_in_single, graph.h), and what is made of its results element by element. All inputs are narrowed in one call at the
 * start of a program (in that of a block of rows, whose inputs are anywhere, each on its own), and outputs that follow each
 * other are computed as one array and widened in one call at its end. */
#include "graph/graph.h"

struct single {
    const crd_graph *from;
    crd_graph *to;
    int32_t *made[2]; /* by id, as doubles and as floats: the id in `to`; -1: not there */
    bool *needed;
    bool *floats; /* by id: what the node is computed in */
    bool *of_input; /* by id: an input, or a part of one */
    int64_t *input_at; /* by id: where an input stands in the vector; -1: not in it */
    int32_t narrowed; /* in `to`: the whole input vector as floats; -1: not made yet */
    int32_t first_input; /* the first of the vector, and how long that is */
    int64_t input_size;
};

/* ---- operations that only these graphs have --------------------------------------------------------------------- */

static void lower_narrow(crdi_emitter *emitter, const crdi_vertex *v)
{
    crdi_step *step = crdi_emit(emitter, CRDI_K_narrow, v->arg, 1);
    if (step)
        step->call.n[0] = v->size;
}

static void lower_widen(crdi_emitter *emitter, const crdi_vertex *v)
{
    crdi_step *step = crdi_emit(emitter, CRDI_K_widen, v->arg, 1);
    if (step)
        step->call.n[0] = v->size;
}

static int64_t part_of_piece(const crdi_vertex *v)
{
    return v->attribute.whole[0];
}

static bool joins(const crdi_vertex *v)
{
    (void)v;
    return true;
}

/* Arguments one after the other, whatever their shapes; each is copied unless it was computed in its place. */
static void lower_join(crdi_emitter *emitter, const crdi_vertex *v)
{
    int64_t at = 0, size;
    for (int i = 0; i < v->arg_count; i++, at += size) {
        int32_t arg = v->arg[i];
        size = emitter->graph->vertex[arg]->size;
        if (emitter->base[arg] == emitter->vertex && emitter->at[arg] == at)
            continue;
        crdi_step *step = crdi_emit(emitter, CRDI_K_copy, &arg, 1);
        if (!step)
            return;
        step->call.n[0] = size;
        step->out_offset = at;
    }
}

static const crdi_op op_narrow = {.name = "narrow", .lower = lower_narrow};
static const crdi_op op_widen = {.name = "widen", .lower = lower_widen};
static const crdi_op op_piece = {.name = "piece", .part = part_of_piece};
static const crdi_op op_join = {.name = "join", .joins = joins, .lower = lower_join};

/* ---- nodes ------------------------------------------------------------------------------------------------------ */

/* Adds a vertex like `like` with these arguments; -1 if there is no memory, and then the graph says so. */
static int32_t add(struct single *s, crdi_vertex like, const int32_t *arg, int count, bool floats)
{
    crd_graph *to = s->to;
    crdi_vertex *v = crdi_arena_alloc(to->arena, sizeof *v);
    int32_t *copy = crdi_arena_alloc(to->arena, sizeof *copy * (size_t)(count + 1));
    if (!v || !copy || crdi_grow(to->ctx, &to->vertex, &to->capacity, to->count, sizeof *to->vertex) < 0) {
        to->status = CRD_ENOMEM;
        return -1;
    }
    *v = like;
    v->arg = copy;
    v->arg_count = count;
    for (int i = 0; i < count; i++)
        copy[i] = arg[i];
    v->floats = floats;
    to->vertex[to->count] = v;
    return (int32_t)to->count++;
}

static int32_t add_of(struct single *s, const crdi_op *op, crd_shape shape, int64_t at, const int32_t *arg, int count,
                      bool floats)
{
    crdi_vertex v = {.op = op, .shape = shape, .size = crd_shape_size(shape), .attribute.whole[0] = at};
    v.strand = s->to->vertex[arg[0]]->strand;
    return add(s, v, arg, count, floats);
}

static bool stands_in_argument(const crdi_vertex *v)
{
    return v->op->alias || (v->op->part && v->op->part(v) >= 0);
}

static int32_t narrowed_inputs(struct single *s)
{
    if (s->narrowed < 0)
        s->narrowed = add_of(s, &op_narrow, crd_shape_1(s->input_size), 0, &s->made[0][s->first_input], 1, true);
    return s->narrowed;
}

/* The node as doubles or floats: as it was computed, or converted. */
static int32_t get(struct single *s, int32_t id, bool floats)
{
    const crdi_vertex *v = s->from->vertex[id];
    int32_t *made = &s->made[floats][id], whole;
    if (*made >= 0 || s->to->status < 0)
        return *made;
    if (v->known)
        return *made = add(s, *v, NULL, 0, floats);
    if (floats && v->op == &crdi_op_input && s->input_at[id] >= 0 && !s->from->uncut)
        return *made = (whole = narrowed_inputs(s)) < 0
                           ? -1
                           : add_of(s, &op_piece, v->shape, s->input_at[id], &whole, 1, true);
    if (floats && s->of_input[id] && stands_in_argument(v))
        return *made = (whole = get(s, v->arg[0], true)) < 0 ? -1 : add(s, *v, &whole, 1, true);
    return *made = add_of(s, floats ? &op_narrow : &op_widen, v->shape, 0, &s->made[!floats][id], 1, floats);
}

/* ---- precisions ------------------------------------------------------------------------------------------------- */

/* Whether all arguments are doubles that have been computed: what is made of them is not worth a conversion. */
static bool all_computed_doubles(const struct single *s, const crdi_vertex *v)
{
    bool computed = false;
    for (int i = 0; i < v->arg_count; i++) {
        int32_t arg = v->arg[i];
        if (s->from->vertex[arg]->known)
            continue;
        if (s->floats[arg])
            return false;
        computed = computed || (!s->of_input[arg] && s->from->vertex[arg]->size > 1);
    }
    return computed;
}

static bool any_floats(const struct single *s, const crdi_vertex *v)
{
    for (int i = 0; i < v->arg_count; i++)
        if (!s->from->vertex[v->arg[i]]->known && s->floats[v->arg[i]])
            return true;
    return false;
}

/* Whether the result is floats, and whether arguments are (but for those that always are doubles). */
static void find_precision(const struct single *s, int32_t id, bool *result, bool *arguments)
{
    const crdi_vertex *v = s->from->vertex[id];
    bool moves = v->op->single == CRDI_SINGLE_MOVES;
    *result = *arguments = false;
    if (v->op == &crdi_op_input)
        return;
    if (moves && (stands_in_argument(v) || !s->of_input[v->arg[0]]))
        *result = *arguments = any_floats(s, v);
    else if (moves || v->op->single == CRDI_SINGLE_FLOATS)
        *result = *arguments = true;
    else if (v->op->single == CRDI_SINGLE_ELEMENTS)
        *result = *arguments = v->size != 1 && !all_computed_doubles(s, v);
    else if (v->op->single == CRDI_SINGLE_TOTAL)
        *arguments = any_floats(s, v);
}

static void rebuild(struct single *s, int32_t id)
{
    const crdi_vertex *v = s->from->vertex[id];
    int32_t arg[CRDI_MOST_ARGS];
    bool result, arguments;
    s->of_input[id] = v->op == &crdi_op_input || (stands_in_argument(v) && s->of_input[v->arg[0]]);
    find_precision(s, id, &result, &arguments);
    s->floats[id] = result;
    for (int i = 0; i < v->arg_count; i++)
        if ((arg[i] = get(s, v->arg[i], arguments && !(v->op->double_args >> i & 1u))) < 0)
            return;
    s->made[result][id] = add(s, *v, arg, v->arg_count, result);
}

/* ---- inputs and outputs ----------------------------------------------------------------------------------------- */

static crd_status place_inputs(struct single *s, const crd_node *inputs, int64_t count)
{
    crd_graph *to = s->to;
    for (int64_t i = 0; i < s->from->count; i++)
        s->input_at[i] = -1;
    s->first_input = -1;
    for (int64_t i = 0; i < count; i++) {
        int32_t id = inputs ? inputs[i].id : s->from->input[i];
        if (inputs && (inputs[i].graph != s->from || id < 0 || s->from->vertex[id]->op != &crdi_op_input))
            return crdi_raise(to->ctx, CRD_EINVAL, "compile: input %lld is not an input of this graph", (long long)i);
        s->first_input = s->first_input < 0 ? id : s->first_input;
        s->input_at[id] = s->input_size;
        s->input_size += s->from->vertex[id]->size;
        s->needed[id] = true;
    }
    return CRD_OK;
}

/* The input vector's nodes in `to`, in the same order. */
static crd_status list_inputs(struct single *s, const crd_node *inputs, int64_t count, crd_node *out)
{
    crd_graph *to = s->to;
    for (int64_t i = 0; i < count; i++)
        out[i] = (crd_node){to, s->made[0][inputs ? inputs[i].id : s->from->input[i]], 0};
    for (int64_t i = 0; i < s->from->input_count; i++) {
        int32_t id = s->made[0][s->from->input[i]];
        if (id < 0)
            continue;
        if (crdi_grow(to->ctx, &to->input, &to->input_capacity, to->input_count, sizeof *to->input) < 0)
            return CRD_ENOMEM;
        to->input[to->input_count++] = id;
    }
    return CRD_OK;
}

/* Outputs that are floats and follow each other become one. */
static crd_status list_outputs(struct single *s, const crd_node *outputs, int count, crd_node *out, int *out_count)
{
    int32_t *run = crdi_alloc_array(s->to->ctx, count + 1, sizeof *run);
    if (!run)
        return CRD_ENOMEM;
    for (int i = 0; i < count && s->to->status == CRD_OK;) {
        int32_t id = outputs[i].id, whole;
        int n = 0;
        int64_t size = 0;
        for (; i < count && !s->from->vertex[outputs[i].id]->known && s->floats[outputs[i].id]; i++) {
            size += s->from->vertex[outputs[i].id]->size;
            run[n++] = s->made[1][outputs[i].id];
        }
        if (n == 0) {
            i++;
            whole = get(s, id, false);
        } else if (n == 1) {
            whole = get(s, id, false);
        } else {
            whole = add_of(s, &op_join, crd_shape_1(size), 0, run, n, true);
            s->to->vertex[whole < 0 ? 0 : whole]->strand = 0;
            whole = whole < 0 ? -1 : add_of(s, &op_widen, crd_shape_1(size), 0, &whole, 1, false);
        }
        out[(*out_count)++] = (crd_node){s->to, whole, 0};
    }
    crdi_free(s->to->ctx, run);
    return s->to->status;
}

static void mark(struct single *s, const crd_node *outputs, int count)
{
    for (int i = 0; i < count; i++)
        s->needed[outputs[i].id] = true;
    for (int64_t id = s->from->count - 1; id >= 0; id--) {
        const crdi_vertex *v = s->from->vertex[id];
        for (int i = 0; s->needed[id] && !v->known && i < v->arg_count; i++)
            s->needed[v->arg[i]] = true;
    }
}

static crd_status build(struct single *s, const crd_node *inputs, int64_t input_count, const crd_node *outputs,
                        int output_count, crdi_single *out)
{
    CRD_TRY(place_inputs(s, inputs, input_count));
    mark(s, outputs, output_count);
    for (int32_t id = 0; id < s->from->count; id++)
        s->made[0][id] = s->made[1][id] = -1;
    s->narrowed = -1;
    for (int pass = 0; pass < 2; pass++) /* inputs first: all of them are narrowed when one is wanted */
        for (int32_t id = 0; id < s->from->count && s->to->status == CRD_OK; id++)
            if (s->needed[id] && !s->from->vertex[id]->known && (s->from->vertex[id]->op == &crdi_op_input) == !pass)
                rebuild(s, id);
    CRD_TRY(s->to->status);
    CRD_TRY(list_inputs(s, inputs, input_count, out->input));
    out->input_count = (int)input_count;
    return list_outputs(s, outputs, output_count, out->output, &out->output_count);
}

crd_status crdi_single_create(crd_graph *from, const crd_node *inputs, int input_count, const crd_node *outputs,
                              int output_count, crdi_single *out)
{
    crd_context *ctx = from->ctx;
    int64_t nodes = from->count + 1, count = inputs ? input_count : from->input_count;
    struct single s = {.from = from};
    *out = (crdi_single){.ctx = ctx};
    CRD_TRY(crd_graph_create(&out->graph, ctx));
    s.to = out->graph;
    s.to->strands = from->strands;
    s.to->groups = from->groups;
    s.to->plain = from->plain;
    out->input = crdi_alloc_array(ctx, count + 1, sizeof *out->input);
    out->output = crdi_alloc_array(ctx, output_count + 1, sizeof *out->output);
    s.made[0] = crdi_alloc_array(ctx, nodes, sizeof *s.made[0]);
    s.made[1] = crdi_alloc_array(ctx, nodes, sizeof *s.made[1]);
    s.needed = crdi_alloc_array(ctx, nodes, sizeof *s.needed);
    s.floats = crdi_alloc_array(ctx, nodes, sizeof *s.floats);
    s.of_input = crdi_alloc_array(ctx, nodes, sizeof *s.of_input);
    s.input_at = crdi_alloc_array(ctx, nodes, sizeof *s.input_at);
    bool room = out->input && out->output && s.made[0] && s.made[1] && s.needed && s.floats && s.of_input && s.input_at;
    crd_status status = room ? build(&s, inputs, count, outputs, output_count, out) : CRD_ENOMEM;
    crdi_free(ctx, s.made[0]);
    crdi_free(ctx, s.made[1]);
    crdi_free(ctx, s.needed);
    crdi_free(ctx, s.floats);
    crdi_free(ctx, s.of_input);
    crdi_free(ctx, s.input_at);
    if (status < 0)
        crdi_single_clear(out);
    return status;
}

void crdi_single_clear(crdi_single *single)
{
    if (!single->ctx)
        return;
    crdi_free(single->ctx, single->input);
    crdi_free(single->ctx, single->output);
    crd_graph_destroy(&single->graph);
    *single = (crdi_single){0};
}
