/* elementwise.c - operations that work element by element: shapes, simplification, lowering.
 *
 * The builders come from ops.def. A builder first tries what algebra gives for nothing (x + 0, 1 x, exp(log x), ...):
 * log densities are written as on paper and must not pay for it. What is kept is exact: no rewrite changes a value by
 * more than a rounding, none removes an infinity or a NaN of its arguments except log(exp x) and exp(log x), which only
 * widen the range. */
#include "graph/graph.h"
#include "graph/ops/vjp.h"
#include "graph/rows.h"

#include <math.h>
#include <string.h>

/* ---- lowering ----------------------------------------------------------------------------------------------- */

static void lower_unary(crdi_emitter *emitter, const crdi_vertex *v)
{
    crdi_step *step = crdi_emit(emitter, v->op->kernel, v->arg, 1);
    if (step)
        step->call.n[0] = v->size;
}

/* A broadcast operand as at most two loops: the steps of the operand in elements. */
struct loops {
    int64_t n[2]; /* inner, outer */
    int64_t a[2], b[2]; /* strides of the operands */
    bool fits;
};

static void strides_of(crd_shape from, crd_shape to, int64_t stride[CRD_MAX_DIMS])
{
    int64_t step = 1;
    for (int d = to.ndim - 1, s = from.ndim - 1; d >= 0; d--, s--) {
        int64_t extent = s >= 0 ? from.dim[s] : 1;
        stride[d] = extent == 1 ? 0 : step;
        step *= extent;
    }
}

/* Joins dimensions that both operands walk evenly; what is left must be two loops with inner steps 0 or 1. */
static struct loops collapse(crd_shape out, crd_shape a, crd_shape b)
{
    int64_t sa[CRD_MAX_DIMS], sb[CRD_MAX_DIMS];
    struct loops loops = {.n = {1, 1}, .fits = true};
    int used = -1;
    strides_of(a, out, sa);
    strides_of(b, out, sb);
    for (int d = out.ndim - 1; d >= 0; d--) {
        if (out.dim[d] == 1)
            continue;
        if (used >= 0 && sa[d] == loops.a[used] * loops.n[used] && sb[d] == loops.b[used] * loops.n[used]) {
            loops.n[used] *= out.dim[d];
            continue;
        }
        if (++used > 1) {
            loops.fits = false;
            return loops;
        }
        loops.n[used] = out.dim[d];
        loops.a[used] = sa[d];
        loops.b[used] = sb[d];
    }
    loops.fits = used < 0 || (loops.a[0] <= 1 && loops.b[0] <= 1);
    return loops;
}

static int32_t materialise(crdi_emitter *emitter, int32_t id, crd_shape to)
{
    const crdi_vertex *v = emitter->graph->vertex[id];
    if (crdi_shape_equal(v->shape, to))
        return id;
    crdi_view view = {.ndim = to.ndim, .size = crd_shape_size(to)};
    strides_of(v->shape, to, view.stride);
    memcpy(view.dim, to.dim, sizeof view.dim);
    int32_t scratch = crdi_emit_scratch(emitter, view.size);
    crdi_step *step = crdi_emit(emitter, CRDI_K_copy_strided, &id, 1);
    if (step) {
        step->out = scratch;
        step->call.extra = crdi_emit_view(emitter, &view);
    }
    return scratch;
}

static void lower_binary(crdi_emitter *emitter, const crdi_vertex *v)
{
    crd_graph *g = emitter->graph;
    int32_t in[2] = {v->arg[0], v->arg[1]};
    struct loops loops = collapse(v->shape, g->vertex[in[0]]->shape, g->vertex[in[1]]->shape);
    if (!loops.fits) {
        in[0] = materialise(emitter, in[0], v->shape);
        in[1] = materialise(emitter, in[1], v->shape);
        loops = (struct loops){.n = {v->size, 1}, .a = {1}, .b = {1}};
    }
    int form = 0; /* _vv, _vs, _sv: the order of enum crdi_kernel */
    if (loops.n[0] > 1 && loops.b[0] == 0)
        form = 1;
    else if (loops.n[0] > 1 && loops.a[0] == 0)
        form = 2;
    crdi_step *step = crdi_emit(emitter, v->op->kernel + form, in, 2);
    if (!step)
        return;
    step->call.n[0] = loops.n[0];
    step->call.n[1] = loops.n[1];
    step->call.s[0] = loops.a[1];
    step->call.s[1] = loops.b[1];
}

/* ---- the operations, from the table -------------------------------------------------------------------------- */

#define KERNEL_1(name) CRDI_K_##name
#define KERNEL_2(name) CRDI_K_##name##_vv
#define LOWER_1 lower_unary
#define LOWER_2 lower_binary
#define OP(op, arity, what)                                                                                            \
    static const crdi_op op_##op = {.name = #op,                                                                       \
                                    .kernel = KERNEL_##arity(op),                                                      \
                                    .in_place = true,                                                                  \
                                    .pure = true,                                                                      \
                                    .single = CRDI_SINGLE_ELEMENTS,                                                    \
                                    .lower = LOWER_##arity,                                                            \
                                    .vjp = crdi_vjp_##op,                                                              \
                                    .rows = &crdi_rows_elementwise};
#include "graph/ops.def"
#undef OP

static bool is(crd_node node, const crdi_op *op)
{
    return node.graph && node.id >= 0 && crdi_vertex_of(node)->op == op;
}

static bool is_value(crd_node node, double value)
{
    double number;
    return crdi_is_number(node, &number) && number == value;
}

/* An element-wise function of numbers alone: computed at once, by the kernels that a program would use. */
static crd_node of_numbers(int kernel, const crd_node *args, int count)
{
    double out;
    crdi_call call = {.out = &out, .n = {1, 1}};
    for (int i = 0; i < count; i++)
        call.in[i] = &args[i].number;
    crdi_kernels_portable.kernel[kernel](&call);
    return crd_num(out);
}

/* Rewrites of one-argument operations; crdi_nothing when there is none. */
static crd_node simplify_unary(const crdi_op *op, crd_node x)
{
    if (op == &op_neg && is(x, &op_neg))
        return crdi_arg(x, 0);
    if (op == &op_neg && is(x, &op_sub))
        return crd_sub(crdi_arg(x, 1), crdi_arg(x, 0));
    if ((op == &op_log && is(x, &op_exp)) || (op == &op_exp && is(x, &op_log)))
        return crdi_arg(x, 0);
    if (op == &op_square && is(x, &op_neg))
        return crd_square(crdi_arg(x, 0));
    return crdi_nothing;
}

static crd_node simplify_sum(crd_node a, crd_node b)
{
    if (is_value(a, 0))
        return b;
    if (is_value(b, 0))
        return a;
    if (is(b, &op_neg))
        return crd_sub(a, crdi_arg(b, 0));
    if (is(a, &op_neg))
        return crd_sub(b, crdi_arg(a, 0));
    return crdi_nothing;
}

/* Whether p q loses nothing but a rounding: otherwise 1e200 (1e200 x) would be infinite for small x. */
static bool multiplies_well(double p, double q)
{
    return isnormal(p * q) || p == 0 || q == 0;
}

/* Numbers are drawn to the front: 2 (3 x) = 6 x. */
static crd_node simplify_product(crd_node a, crd_node b)
{
    double p, q;
    if (is_value(a, 1))
        return b;
    if (is_value(b, 1))
        return a;
    if (is_value(a, -1))
        return crd_neg(b);
    if (is_value(b, -1))
        return crd_neg(a);
    if (crdi_is_number(b, &q) && !crdi_is_number(a, &p)) /* two numbers are multiplied when the node is made */
        return crd_mul(b, a);
    if (crdi_is_number(a, &p) && is(b, &op_mul) && crdi_is_number(crdi_arg(b, 0), &q) && multiplies_well(p, q))
        return crd_mul(crd_num(p * q), crdi_arg(b, 1));
    if (crdi_is_number(a, &p) && is(b, &op_neg))
        return crd_mul(crd_num(-p), crdi_arg(b, 0));
    if (is(a, &op_neg) && is(b, &op_neg))
        return crd_mul(crdi_arg(a, 0), crdi_arg(b, 0));
    if (a.graph == b.graph && a.id == b.id)
        return crd_square(a);
    return crdi_nothing;
}

static crd_node simplify_binary(const crdi_op *op, crd_node a, crd_node b)
{
    double number;
    if (op == &op_add)
        return simplify_sum(a, b);
    if (op == &op_sub && is_value(b, 0))
        return a;
    if (op == &op_sub && is_value(a, 0))
        return crd_neg(b);
    if (op == &op_sub && is(b, &op_neg))
        return crd_add(a, crdi_arg(b, 0));
    if (op == &op_mul)
        return simplify_product(a, b);
    if (op == &op_div && is_value(b, 1))
        return a;
    if (op == &op_div && is_value(a, 1))
        return crd_reciprocal(b);
    if (op == &op_div && crdi_is_number(b, &number) && (number == 2 || number == 4 || number == 0.5))
        return crd_mul(crd_num(1 / number), a); /* exact */
    return crdi_nothing;
}

/* Whether `simple`, which stands for f of shapes a (and b), already has the shape that broadcasting gives. */
static crd_node with_shape(crd_node simple, crd_shape shape)
{
    if (crdi_is_nothing(simple) || !simple.graph || simple.id < 0)
        return simple;
    if (crdi_shape_equal(crd_node_shape(simple), shape))
        return simple;
    return crd_broadcast_to(simple, shape);
}

/* A broadcast argument is replaced by what it repeats, where the other one gives the result its shape anyway. */
static void look_through_broadcast(crd_node *args, crd_shape shape)
{
    for (int i = 0; i < 2; i++) {
        crd_shape joined;
        if (crdi_is_broadcast(args[i]) &&
            crdi_broadcast_shape(crd_node_shape(crdi_arg(args[i], 0)), crd_node_shape(args[1 - i]), &joined) &&
            crdi_shape_equal(joined, shape))
            args[i] = crdi_arg(args[i], 0);
    }
}

/* Whether a known array is one number everywhere, to the bit. */
static bool repeats_number(crd_node x, double *number)
{
    const double *element;
    if (!crd_node_known(x, &element) || crdi_vertex_of(x)->size < 2)
        return false;
    for (int64_t i = 1; i < crdi_vertex_of(x)->size; i++)
        if (memcmp(&element[i], &element[0], sizeof *element) != 0)
            return false;
    *number = element[0];
    return true;
}

/* The same for a known array that is one number everywhere, as gradients of sums are. */
static void look_through_numbers(crd_graph *g, crd_node *args, crd_shape shape)
{
    double number;
    for (int i = 0; i < 2; i++)
        if (crdi_shape_equal(crd_node_shape(args[1 - i]), shape) && !crd_node_known(args[1 - i], NULL) &&
            repeats_number(args[i], &number))
            args[i] = crdi_constant_scalar(g, number);
}

static crd_node build(const crdi_op *op, crd_node *args, int count, crd_where where)
{
    crd_node failed;
    crd_graph *g = crdi_lift(args, count, where, &failed);
    if (!g)
        return !failed.graph && failed.id >= 0 ? of_numbers(op->kernel, args, count) : failed;
    crd_shape shape = crd_node_shape(args[0]);
    if (count == 2 && !crdi_broadcast_shape(crd_node_shape(args[0]), crd_node_shape(args[1]), &shape)) {
        char left[96], right[96];
        return crdi_fail(g, CRD_ESHAPE, where, "%s: shapes %s and %s do not broadcast", op->name,
                         crdi_shape_text(crd_node_shape(args[0]), left, sizeof left),
                         crdi_shape_text(crd_node_shape(args[1]), right, sizeof right));
    }
    if (count == 2) {
        look_through_broadcast(args, shape);
        look_through_numbers(g, args, shape);
    }
    crd_node simple = count == 1 ? simplify_unary(op, args[0]) : simplify_binary(op, args[0], args[1]);
    simple = with_shape(simple, shape);
    return crdi_is_nothing(simple) ? crdi_make(g, op, args, count, shape, NULL, where) : simple;
}

#define PARAMETERS_1 crd_node x
#define PARAMETERS_2 crd_node a, crd_node b
#define VALUES_1 x
#define VALUES_2 a, b
#define OP(name, arity, what)                                                                                          \
    crd_node crd_##name##_at(PARAMETERS_##arity, crd_where where)                                                      \
    {                                                                                                                  \
        crd_node args[] = {VALUES_##arity};                                                                            \
        return build(&op_##name, args, arity, where);                                                                  \
    }
#include "graph/ops.def"
#undef OP

/* What sums look through (ops/reduce.c). */
bool crdi_is_product(crd_node x)
{
    return is(x, &op_mul);
}

bool crdi_is_quotient(crd_node x)
{
    return is(x, &op_div);
}

bool crdi_is_square(crd_node x)
{
    return is(x, &op_square);
}

bool crdi_is_negation(crd_node x)
{
    return is(x, &op_neg);
}

bool crdi_is_addition(crd_node x)
{
    return is(x, &op_add);
}

bool crdi_is_subtraction(crd_node x)
{
    return is(x, &op_sub);
}

/* ---- select ------------------------------------------------------------------------------------------------- */

static void lower_select(crdi_emitter *emitter, const crdi_vertex *v)
{
    int32_t in[3];
    for (int i = 0; i < 3; i++)
        in[i] = materialise(emitter, v->arg[i], v->shape);
    crdi_step *step = crdi_emit(emitter, CRDI_K_select, in, 3);
    if (step)
        step->call.n[0] = v->size;
}

static void vjp_select(crd_node node, const crdi_vertex *v, crd_node g, crd_node *grad)
{
    (void)v;
    crd_node c = crdi_arg(node, 0), zero = crd_num(0);
    crdi_accumulate(&grad[1], crdi_unbroadcast(crd_select(c, g, zero), crd_node_shape(crdi_arg(node, 1))));
    crdi_accumulate(&grad[2], crdi_unbroadcast(crd_select(c, zero, g), crd_node_shape(crdi_arg(node, 2))));
}

static const crdi_op op_select = {.name = "select",
                                  .pure = true,
                                  .single = CRDI_SINGLE_ELEMENTS,
                                  .lower = lower_select,
                                  .vjp = vjp_select,
                                  .rows = &crdi_rows_elementwise};

crd_node crd_select_at(crd_node condition, crd_node a, crd_node b, crd_where where)
{
    crd_node args[3] = {condition, a, b}, failed;
    crd_shape shape;
    crd_graph *g = crdi_lift(args, 3, where, &failed);
    if (!g)
        return !failed.graph && failed.id >= 0 ? (condition.number != 0 ? a : b) : failed;
    if (!crdi_broadcast_shape(crd_node_shape(args[0]), crd_node_shape(args[1]), &shape) ||
        !crdi_broadcast_shape(shape, crd_node_shape(args[2]), &shape))
        return crdi_fail(g, CRD_ESHAPE, where, "select: the shapes of condition and branches do not broadcast");
    return crdi_make(g, &op_select, args, 3, shape, NULL, where);
}

/* ---- stop_gradient ------------------------------------------------------------------------------------------ */

static const crdi_op op_stop_gradient = {
    .name = "stop_gradient", .alias = true, .pure = true, .single = CRDI_SINGLE_MOVES, .rows = &crdi_rows_same};

crd_node crd_stop_gradient_at(crd_node x, crd_where where)
{
    crd_node failed;
    crd_graph *g = crdi_lift(&x, 1, where, &failed);
    if (!g)
        return x;
    if (crd_node_known(x, NULL))
        return x;
    return crdi_make(g, &op_stop_gradient, &x, 1, crd_node_shape(x), NULL, where);
}
