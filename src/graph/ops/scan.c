/* scan.c - recurrences: a body, traced once into a graph of its own, is run over the rows of arrays with a carry.
 *
 * One node computes a scan; its buffer is flat and holds, one after the other, the ys (each length rows) and then, for
 * each carry, either all length + 1 values it has had ("stacked", the default) or the final one. The parts that callers
 * get are slices of it. Row t of a stack is the carry with which row t of the xs was met, so that the stack, less one
 * end, goes along with the xs when the gradient is taken; the other end is the final carry.
 *
 * The gradient is a scan again, in the other direction, over the rows of xs, carries and cotangents. Its body is the
 * body's graph copied into a new graph and differentiated there. What the constants get is summed up in a carry; such
 * carries would be long to stack, so a gradient scan is not stacked until it is differentiated itself, which then makes
 * it a second time, stacked.
 *
 * Graphs of bodies belong to the graph in which the scan was written (crd_graph.nested) and live as long as it. */
#include "graph/graph.h"

#include <string.h>

enum { MOST_ARGS = 64 }; /* what crd_gradient has room for */

struct body {
    crd_graph *owner, *graph;
    int carries, xs, constants, ys;
    crd_node *input; /* of the body's graph: carries, xs, constants */
    crd_node *output; /* carries, ys */
    int64_t length;
    bool reverse;
    struct body *backward; /* the body of the gradient that was asked for last, and what it was asked for */
    uint64_t backward_key;
    bool backward_stacked;
};

static const struct body *body_of(const crdi_vertex *v)
{
    return v->attribute.extra;
}

static bool is_stacked(const crdi_vertex *v)
{
    return v->attribute.whole[0] != 0;
}

static int inputs_of(const struct body *b)
{
    return b->carries + b->xs + b->constants;
}

static int64_t size_of(crd_node x)
{
    return crd_shape_size(crd_node_shape(x));
}

/* (n, ...): n of these. */
static crd_shape rows_of(int64_t n, crd_shape row)
{
    crd_shape shape = {.ndim = row.ndim + 1, .dim = {n}};
    for (int d = 0; d < row.ndim && d + 1 < CRD_MAX_DIMS; d++)
        shape.dim[d + 1] = row.dim[d];
    return shape;
}

static int64_t carry_rows(const struct body *b, bool stacked)
{
    return stacked ? b->length + 1 : 1;
}

/* Where output k (carries, then ys) starts in the buffer; with k one past the last carry's block: its size. */
static int64_t offset_of(const struct body *b, bool stacked, int k)
{
    int64_t at = 0;
    for (int j = 0; j < b->ys; j++) {
        if (k == b->carries + j)
            return at;
        at += b->length * size_of(b->output[b->carries + j]);
    }
    for (int i = 0; i < b->carries && i < k; i++)
        at += carry_rows(b, stacked) * size_of(b->output[i]);
    return at;
}

static int64_t buffer_size(const struct body *b, bool stacked)
{
    int64_t size = offset_of(b, stacked, 0);
    for (int i = 0; i < b->carries; i++)
        size += carry_rows(b, stacked) * size_of(b->output[i]);
    return size;
}

/* ---- running ------------------------------------------------------------------------------------------------ */

/* Where an argument is: which operand of the call, and how far into it. */
struct source {
    int operand;
    int64_t offset, size; /* size: of a row, for xs */
};

struct target {
    int64_t offset, size;
};

/* What the kernel needs to know; lives with the program. */
struct plan {
    crd_program *program; /* of the body */
    int carries, xs, constants, ys;
    struct source *source; /* carries, xs, constants */
    struct target *target; /* carries, ys */
    int64_t carry_size, length;
    bool reverse, stacked;
};

/* A plan with an exec of its own. */
struct state {
    const struct plan *plan;
    crd_exec *exec;
};

static const void *bind(crd_context *ctx, void **shared, const void *extra)
{
    (void)shared;
    struct state *state = crdi_alloc(ctx, sizeof *state);
    if (!state)
        return NULL;
    state->plan = extra;
    if (crd_exec_create(&state->exec, state->plan->program) < 0) {
        crdi_free(ctx, state);
        return NULL;
    }
    return state;
}

static void unbind(crd_context *ctx, const void *extra)
{
    struct state state = *(const struct state *)extra;
    crd_exec_destroy(&state.exec);
    crdi_free(ctx, extra);
}

static double *put(double *to, const double *from, int64_t count)
{
    memcpy(to, from, sizeof(double) * (size_t)count);
    return to + count;
}

static void put_carries(const struct plan *p, double *out, const double *carry, int64_t row)
{
    for (int i = 0; i < p->carries; carry += p->target[i++].size)
        put(out + p->target[i].offset + row * p->target[i].size, carry, p->target[i].size);
}

static void run_scan(const crdi_call *call)
{
    const struct state *state = call->extra;
    const struct plan *p = state->plan;
    const struct source *source = p->source;
    double *carry = crd_exec_input(state->exec), *x = carry, *constant;
    const double *result = crd_exec_output(state->exec);
    for (int i = 0; i < p->carries; i++, source++)
        x = put(x, call->in[source->operand] + source->offset, source->size);
    constant = x;
    for (int i = 0; i < p->xs; i++, source++)
        constant += source->size;
    for (int i = 0; i < p->constants; i++, source++)
        constant = put(constant, call->in[source->operand] + source->offset, source->size);
    if (p->stacked)
        put_carries(p, call->out, carry, p->reverse ? p->length : 0);
    for (int64_t k = 0; k < p->length; k++) {
        int64_t t = p->reverse ? p->length - 1 - k : k;
        double *at = x;
        source = p->source + p->carries;
        for (int i = 0; i < p->xs; i++, source++)
            at = put(at, call->in[source->operand] + source->offset + t * source->size, source->size);
        crd_exec_run(state->exec);
        put(carry, result, p->carry_size);
        const double *y = result + p->carry_size;
        for (int j = p->carries; j < p->carries + p->ys; y += p->target[j++].size)
            put(call->out + p->target[j].offset + t * p->target[j].size, y, p->target[j].size);
        if (p->stacked)
            put_carries(p, call->out, carry, p->reverse ? t : t + 1);
    }
    if (!p->stacked)
        put_carries(p, call->out, carry, 0);
}

/* ---- lowering ----------------------------------------------------------------------------------------------- */

enum { OPERANDS = 5 };

/* A call has five operands: arguments from the fifth on, if they are more, are laid one after the other first. */
static void place_args(crdi_emitter *e, const crdi_vertex *v, struct plan *p, int32_t in[OPERANDS])
{
    const struct body *b = body_of(v);
    int64_t packed = 0;
    bool packs = v->arg_count > OPERANDS;
    for (int i = 0; i < v->arg_count; i++) {
        bool direct = !packs || i < OPERANDS - 1;
        int64_t size = e->graph->vertex[v->arg[i]]->size;
        p->source[i] = (struct source){direct ? i : OPERANDS - 1, direct ? 0 : packed, size_of(b->input[i])};
        if (direct)
            in[i] = v->arg[i];
        else
            packed += size;
    }
    if (!packs)
        return;
    in[OPERANDS - 1] = crdi_emit_scratch(e, packed);
    for (int i = OPERANDS - 1; i < v->arg_count; i++) {
        crdi_step *step = crdi_emit(e, CRDI_K_copy, &v->arg[i], 1);
        if (!step)
            return;
        step->out = in[OPERANDS - 1];
        step->out_offset = p->source[i].offset;
        step->call.n[0] = e->graph->vertex[v->arg[i]]->size;
    }
}

static crd_status make_plan(crdi_emitter *e, const crdi_vertex *v, struct plan **out)
{
    const struct body *b = body_of(v);
    int outputs = b->carries + b->ys;
    struct plan *p = crdi_arena_alloc(e->arena, sizeof *p);
    struct source *source = crdi_arena_alloc(e->arena, sizeof *source * (size_t)(v->arg_count + 1));
    struct target *target = crdi_arena_alloc(e->arena, sizeof *target * (size_t)(outputs + 1));
    struct crdi_nested *nested = crdi_arena_alloc(e->arena, sizeof *nested);
    if (!p || !source || !target || !nested)
        return CRD_ENOMEM;
    *p = (struct plan){.carries = b->carries, .xs = b->xs, .constants = b->constants, .ys = b->ys};
    p->source = source;
    p->target = target;
    p->length = b->length;
    p->reverse = b->reverse;
    p->stacked = is_stacked(v);
    for (int k = 0; k < outputs; k++)
        target[k] = (struct target){offset_of(b, p->stacked, k), size_of(b->output[k])};
    for (int i = 0; i < b->carries; i++)
        p->carry_size += target[i].size;
    CRD_TRY(crd_compile(b->graph, b->input, inputs_of(b), b->output, outputs, &p->program));
    *nested = (struct crdi_nested){.program = p->program, .next = e->nested};
    e->nested = nested;
    *out = p;
    return CRD_OK;
}

static void lower_scan(crdi_emitter *e, const crdi_vertex *v)
{
    struct plan *plan;
    int32_t in[OPERANDS];
    if (e->status < 0 || (e->status = make_plan(e, v, &plan)) < 0)
        return;
    place_args(e, v, plan, in);
    crdi_step *step = crdi_emit_fn(e, run_scan, "scan", in, v->arg_count < OPERANDS ? v->arg_count : OPERANDS);
    if (!step)
        return;
    step->call.n[0] = plan->length;
    step->call.n[1] = crd_program_calls(plan->program);
    step->call.extra = plan;
    step->bind = bind;
    step->unbind = unbind;
}

/* ---- bodies ------------------------------------------------------------------------------------------------- */

static struct body *body_new(crd_graph *owner, int carries, int xs, int constants, int ys)
{
    int inputs = carries + xs + constants;
    struct body *b = crdi_arena_alloc(owner->arena, sizeof *b);
    struct crdi_nested *nested = crdi_arena_alloc(owner->arena, sizeof *nested);
    if (!b || !nested)
        return NULL;
    *b = (struct body){.owner = owner, .carries = carries, .xs = xs, .constants = constants, .ys = ys};
    b->input = crdi_arena_alloc(owner->arena, sizeof *b->input * (size_t)(inputs + 1));
    b->output = crdi_arena_alloc(owner->arena, sizeof *b->output * (size_t)(carries + ys + 1));
    if (!b->input || !b->output || crd_graph_create(&b->graph, owner->ctx) < 0)
        return NULL;
    *nested = (struct crdi_nested){.graph = b->graph, .next = owner->nested};
    owner->nested = nested;
    return b;
}

static crd_node fail_memory(crd_graph *g)
{
    return crdi_fail(g, CRD_ENOMEM, (crd_where){0}, "out of memory");
}

static void vjp_scan(crd_node node, const crdi_vertex *v, crd_node g, crd_node *grad);
static const crdi_op op_scan = {.name = "scan", .pure = true, .lower = lower_scan, .vjp = vjp_scan};

static crd_node make_scan(crd_graph *g, const struct body *b, const crd_node *args, bool stacked, crd_where where)
{
    crdi_attribute attribute = {.whole = {stacked}};
    attribute.extra = b;
    crd_shape shape = crd_shape_1(buffer_size(b, stacked));
    return crdi_make(g, &op_scan, args, inputs_of(b), shape, &attribute, where);
}

/* Rows first .. first + count - 1 of what stands at output k of a scan's buffer (or of its cotangent). */
static crd_node rows(crd_node buffer, const struct body *b, bool stacked, int k, int64_t first, int64_t count)
{
    crd_shape row = crd_node_shape(b->output[k]);
    int64_t size = crd_shape_size(row), at = offset_of(b, stacked, k) + first * size;
    return crd_reshape(crd_slice(buffer, 0, at, count * size, 1), rows_of(count, row));
}

static crd_node final_carry(crd_node buffer, const struct body *b, bool stacked, int i)
{
    int64_t last = stacked && !b->reverse ? b->length : 0;
    return crd_reshape(rows(buffer, b, stacked, i, last, 1), crd_node_shape(b->output[i]));
}

/* ---- gradient ----------------------------------------------------------------------------------------------- */

/* Copies a body's graph into another, its inputs replaced: the outputs as nodes there. */
static crd_status copy_body(const struct body *b, const crd_node *inputs, crd_graph *to, crd_node *outputs)
{
    crd_node args[CRDI_MOST_ARGS];
    int64_t count = b->graph->count;
    crd_node *copy = crdi_alloc_array(to->ctx, count, sizeof *copy);
    if (!copy)
        return CRD_ENOMEM;
    for (int64_t id = 0; id < count; id++)
        copy[id] = crdi_nothing;
    for (int i = 0; i < inputs_of(b); i++)
        copy[b->input[i].id] = inputs[i];
    for (int64_t id = 0; id < count; id++) {
        const crdi_vertex *v = b->graph->vertex[id];
        if (v->known) {
            crd_array array = {v->shape, (double *)(uintptr_t)v->known, NULL};
            copy[id] = crd_constant(to, &array);
        } else if (v->op != &crdi_op_input) {
            for (int i = 0; i < v->arg_count; i++)
                args[i] = copy[v->arg[i]];
            copy[id] = crdi_make(to, v->op, args, v->arg_count, v->shape, &v->attribute, v->where);
        }
    }
    for (int k = 0; k < b->carries + b->ys; k++)
        outputs[k] = copy[b->output[k].id];
    crdi_free(to->ctx, copy);
    return crd_graph_status(to);
}

/* Which gradients are wanted: bit i of the key for argument i. */
static bool wanted(uint64_t key, int i)
{
    return key >> i & 1;
}

static int count_wanted(uint64_t key, int from, int count)
{
    int n = 0;
    for (int i = from; i < from + count; i++)
        n += wanted(key, i);
    return n;
}

static crd_node input_like(crd_graph *g, const char *name, crd_node like)
{
    return crd_input(g, name, crd_node_shape(like));
}

/* The body of the gradient. With c, x, p the carries, xs and constants of a step, f and y its results:
 *   carries  lambda, the cotangent of f (of c for the step before); sums of the cotangents of the wanted p
 *   xs       c; x; the cotangent of y; that of c as an element of the stack, if there is one
 *   ys       the cotangents of the wanted x */
static crd_status trace_backward(struct body *b, const struct body *of, uint64_t key, bool stacked)
{
    enum { ROOM = 2 * MOST_ARGS };
    crd_graph *g = b->graph;
    int n = inputs_of(of), next = 0, outputs = of->carries + of->ys;
    crd_node *lambda = b->input, *sum = lambda + of->carries, *at = b->input;
    crd_node arg[ROOM], result[ROOM], d[ROOM], loss = crdi_nothing;
    for (int i = 0; i < of->carries; i++)
        *at++ = input_like(g, "lambda", of->input[i]);
    for (int i = of->carries + of->xs; i < n; i++)
        if (wanted(key, i))
            *at++ = input_like(g, "sum", of->input[i]);
    for (int i = 0; i < of->carries + of->xs; i++)
        *at++ = arg[i] = input_like(g, "row", of->input[i]);
    crd_node *y = at, *c = y + of->ys;
    for (int j = 0; j < of->ys; j++)
        *at++ = input_like(g, "dy", of->output[of->carries + j]);
    for (int i = 0; stacked && i < of->carries; i++)
        *at++ = input_like(g, "dc", of->input[i]);
    for (int i = of->carries + of->xs; i < n; i++)
        *at++ = arg[i] = input_like(g, "constant", of->input[i]);
    CRD_TRY(crd_graph_status(g));
    CRD_TRY(copy_body(of, arg, g, result));
    for (int k = 0; k < outputs; k++)
        crdi_accumulate(&loss, crd_dot(result[k], k < of->carries ? lambda[k] : y[k - of->carries]));
    if (crdi_is_nothing(loss))
        loss = crdi_constant_scalar(g, 0);
    crd_gradient(loss, arg, n, d);
    for (int i = 0; i < of->carries; i++)
        b->output[next++] = stacked ? crd_add(d[i], c[i]) : d[i];
    for (int i = of->carries + of->xs; i < n; i++)
        if (wanted(key, i))
            b->output[next++] = crd_add(*sum++, d[i]);
    for (int i = of->carries; i < of->carries + of->xs; i++)
        if (wanted(key, i))
            b->output[next++] = d[i];
    return crd_graph_status(g);
}

static struct body *backward_of(crd_graph *g, struct body *of, uint64_t key, bool stacked)
{
    int c = of->carries;
    if (of->backward && of->backward_key == key && of->backward_stacked == stacked)
        return of->backward;
    struct body *b = body_new(of->owner, c + count_wanted(key, c + of->xs, of->constants),
                              c + of->xs + of->ys + (stacked ? c : 0), of->constants, count_wanted(key, c, of->xs));
    if (!b) {
        fail_memory(g);
        return NULL;
    }
    b->length = of->length;
    b->reverse = !of->reverse;
    crd_status status = trace_backward(b, of, key, stacked);
    if (status < 0) {
        crdi_fail(g, status, (crd_where){0}, "scan: the body cannot be differentiated");
        return NULL;
    }
    of->backward = b;
    of->backward_key = key;
    of->backward_stacked = stacked;
    return b;
}

/* The arguments of the gradient, in the order of its body's inputs. */
static void backward_args(crd_node node, const crdi_vertex *v, crd_node g, uint64_t key, crd_node *args)
{
    const struct body *b = body_of(v);
    bool stacked = is_stacked(v);
    int n = inputs_of(b), first = stacked && b->reverse ? 1 : 0;
    crd_node full = node;
    if (!stacked) {
        for (int i = 0; i < n; i++)
            args[i] = crdi_arg(node, i);
        full = make_scan(node.graph, b, args, true, v->where);
    }
    for (int i = 0; i < b->carries; i++)
        *args++ = final_carry(g, b, stacked, i);
    for (int i = b->carries + b->xs; i < n; i++)
        if (wanted(key, i))
            *args++ = crdi_constant_fill(node.graph, 0, crd_node_shape(b->input[i]));
    for (int i = 0; i < b->carries; i++)
        *args++ = rows(full, b, true, i, b->reverse ? 1 : 0, b->length);
    for (int i = b->carries; i < b->carries + b->xs; i++)
        *args++ = crdi_arg(node, i);
    for (int j = b->carries; j < b->carries + b->ys; j++)
        *args++ = rows(g, b, stacked, j, 0, b->length);
    for (int i = 0; stacked && i < b->carries; i++)
        *args++ = rows(g, b, true, i, first, b->length);
    for (int i = b->carries + b->xs; i < n; i++)
        *args++ = crdi_arg(node, i);
}

static void vjp_scan(crd_node node, const crdi_vertex *v, crd_node g, crd_node *grad)
{
    struct body *b = (struct body *)(uintptr_t)v->attribute.extra;
    crd_node args[4 * MOST_ARGS];
    uint64_t key = 0;
    int n = inputs_of(b);
    for (int i = 0; i < n; i++)
        if (!crd_node_known(crdi_arg(node, i), NULL))
            key |= (uint64_t)1 << i;
    struct body *back = backward_of(node.graph, b, key, is_stacked(v));
    if (!back)
        return;
    if (inputs_of(back) > MOST_ARGS) {
        crdi_fail(node.graph, CRD_EUNSUPPORTED, v->where, "scan: the gradient has %d arguments, %d are possible",
                  inputs_of(back), MOST_ARGS);
        return;
    }
    backward_args(node, v, g, key, args);
    crd_node result = make_scan(node.graph, back, args, false, v->where);
    if (!crd_node_ok(result))
        return;
    int sum = b->carries, y = back->carries;
    for (int i = 0; i < b->carries; i++)
        crdi_accumulate(&grad[i], final_carry(result, back, false, i));
    for (int i = b->carries; i < n; i++) {
        if (!wanted(key, i))
            continue;
        if (i < b->carries + b->xs)
            crdi_accumulate(&grad[i], rows(result, back, false, y++, 0, b->length));
        else
            crdi_accumulate(&grad[i], final_carry(result, back, false, sum++));
    }
}

/* ---- building ----------------------------------------------------------------------------------------------- */

/* Shapes of the arguments; args holds init, xs, constants. */
static bool check_args(crd_graph *g, const crd_scan_options *o, const crd_node *args, crd_where where)
{
    char text[96];
    for (int i = 0; i < o->x_count; i++) {
        crd_shape shape = crd_node_shape(args[o->carry_count + i]);
        if (shape.ndim >= 1 && shape.dim[0] == o->length)
            continue;
        crdi_fail(g, CRD_ESHAPE, where, "scan: x %d has shape %s, %lld rows are needed", i,
                  crdi_shape_text(shape, text, sizeof text), (long long)o->length);
        return false;
    }
    for (int i = 0; i < o->carry_count; i++) {
        if (crd_node_shape(args[i]).ndim < CRD_MAX_DIMS)
            continue;
        crdi_fail(g, CRD_ESHAPE, where, "scan: carry %d has %d axes, one less is possible", i, CRD_MAX_DIMS);
        return false;
    }
    return true;
}

/* The results that the body has left: nodes of its graph, the carries with the shapes that they came in with. */
static bool check_results(crd_graph *g, struct body *b, crd_where where)
{
    char in[96], out[96];
    for (int k = 0; k < b->carries + b->ys; k++) {
        crd_node *r = &b->output[k], failed;
        bool is_carry = k < b->carries;
        const char *what = is_carry ? "carry" : "y";
        int i = is_carry ? k : k - b->carries;
        if (crdi_is_nothing(*r)) {
            crdi_fail(g, CRD_EINVAL, where, "scan: the body did not set %s %d", what, i);
            return false;
        }
        if (r->graph && r->graph != b->graph) {
            crdi_fail(g, CRD_EINVAL, where, "scan: %s %d belongs to another graph than the body's", what, i);
            return false;
        }
        if (!r->graph)
            *r = crdi_constant_scalar(b->graph, r->number);
        if (!crdi_lift(r, 1, where, &failed)) {
            crdi_fail(g, crd_graph_status(b->graph), where, "scan: the body failed");
            return false;
        }
        crd_shape before = is_carry ? crd_node_shape(b->input[k]) : crd_shape_0(), after = crd_node_shape(*r);
        if (is_carry && !crdi_shape_equal(before, after)) {
            crdi_fail(g, CRD_ESHAPE, where, "scan: carry %d comes in with shape %s and leaves with shape %s", i,
                      crdi_shape_text(before, in, sizeof in), crdi_shape_text(after, out, sizeof out));
            return false;
        }
        if (after.ndim == CRD_MAX_DIMS) {
            crdi_fail(g, CRD_ESHAPE, where, "scan: y %d has %d axes, one less is possible", i, CRD_MAX_DIMS);
            return false;
        }
    }
    return true;
}

/* Calls the user's body on inputs of a graph of its own. Constants that are known now are known in there too, and no
 * arguments: `args` is closed up. */
static struct body *trace(crd_graph *g, const crd_scan_options *o, crd_node *args, crd_where where)
{
    crd_node carry[MOST_ARGS], x[MOST_ARGS], constant[MOST_ARGS];
    int kept = o->carry_count + o->x_count, unknown = 0;
    for (int i = 0; i < o->constant_count; i++)
        unknown += !crd_node_known(args[kept + i], NULL);
    struct body *b = body_new(g, o->carry_count, o->x_count, unknown, o->y_count);
    if (!b) {
        fail_memory(g);
        return NULL;
    }
    b->length = o->length;
    b->reverse = o->reverse != 0;
    crd_node *input = b->input;
    for (int i = 0; i < o->carry_count; i++)
        *input++ = carry[i] = input_like(b->graph, "carry", args[i]);
    for (int i = 0; i < o->x_count; i++) {
        crd_shape shape = crd_node_shape(args[o->carry_count + i]), row = {.ndim = shape.ndim - 1};
        memcpy(row.dim, shape.dim + 1, sizeof row.dim[0] * (size_t)row.ndim);
        *input++ = x[i] = crd_input(b->graph, "x", row);
    }
    for (int i = 0, first = kept; i < o->constant_count; i++) {
        crd_node outer = args[first + i];
        const double *known;
        if (crd_node_known(outer, &known)) {
            crd_array array = {crd_node_shape(outer), (double *)(uintptr_t)known, NULL};
            constant[i] = crd_constant(b->graph, &array);
        } else {
            *input++ = constant[i] = input_like(b->graph, "constant", outer);
            args[kept++] = outer;
        }
    }
    for (int k = 0; k < o->carry_count + o->y_count; k++)
        b->output[k] = crdi_nothing;
    crd_scan_step step = {b->graph, carry, x, constant, b->output, b->output + o->carry_count};
    if (crd_graph_status(b->graph) == CRD_OK)
        o->body(&step, o->user);
    if (crd_graph_status(b->graph) < 0) {
        crdi_fail(g, crd_graph_status(b->graph), where, "scan: the body failed");
        return NULL;
    }
    if (b->graph->input_count != inputs_of(b)) {
        crdi_fail(g, CRD_EINVAL, where, "scan: the body has an input of its own; give it as a constant of the scan");
        return NULL;
    }
    return check_results(g, b, where) ? b : NULL;
}

static crd_node build(crd_graph *g, const crd_scan_options *o, struct body **body, crd_where where)
{
    crd_node args[MOST_ARGS];
    int64_t counts[] = {o->carry_count, o->x_count, o->constant_count, o->y_count, o->length};
    for (int i = 0; i < CRDI_COUNT(counts); i++)
        if (counts[i] < 0 || (i < 4 && counts[i] > MOST_ARGS))
            return crdi_fail(g, CRD_EINVAL, where, "scan: counts are 0 to %d, the length is not negative", MOST_ARGS);
    int total = o->carry_count + o->x_count + o->constant_count;
    if (total > MOST_ARGS || o->carry_count + o->y_count > MOST_ARGS)
        return crdi_fail(g, CRD_EINVAL, where, "scan: more than %d arguments or results", MOST_ARGS);
    crd_node *at = args;
    for (int i = 0; i < o->carry_count; i++)
        *at++ = o->init[i];
    for (int i = 0; i < o->x_count; i++)
        *at++ = o->xs[i];
    for (int i = 0; i < o->constant_count; i++)
        *at++ = o->constants[i];
    for (int i = 0; i < total; i++) {
        if (!args[i].graph && args[i].id >= 0)
            args[i] = crdi_constant_scalar(g, args[i].number);
        if (args[i].graph != g || args[i].id < 0)
            return crdi_fail(g, CRD_EINVAL, where, "scan: argument %d is not a node of this graph", i);
    }
    if (!check_args(g, o, args, where) || !(*body = trace(g, o, args, where)))
        return crdi_fail(g, CRD_EINTERNAL, where, "scan: failed");
    return make_scan(g, *body, args, true, where);
}

void crd_scan_at(crd_graph *g, const crd_scan_options *o, crd_node *carry_out, crd_node *ys_out, crd_where where)
{
    struct body *b = NULL;
    crd_node buffer = build(g, o, &b, where);
    bool ok = crd_node_ok(buffer);
    for (int i = 0; i < o->carry_count && carry_out; i++)
        carry_out[i] = ok ? final_carry(buffer, b, true, i) : buffer;
    for (int j = 0; j < o->y_count && ys_out; j++)
        ys_out[j] = ok ? rows(buffer, b, true, b->carries + j, 0, b->length) : buffer;
}
