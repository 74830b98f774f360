/* test_values.c - the value of every operation against loops written here, over many shapes: scalars, empty axes, axes of
 * one, up to six axes. Operations that only move, compare or add two numbers must give the same bits; others are allowed
 * a few units in the last place, or the rounding of a sum. */
#include "graph/ops/vjp.h"
#include "testing.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { MOST = 5000 };

/* ---- running one node ------------------------------------------------------------------------------------------- */

struct run {
    crd_context *ctx;
    crd_graph *g;
    double input[3 * MOST], out[MOST];
    int64_t used;
};

static struct run *start(void)
{
    static struct run r;
    r.ctx = testing_context();
    r.used = 0;
    assert_ok(r.ctx, crd_graph_create(&r.g, r.ctx));
    return &r;
}

/* An input filled with numbers that differ from each other; *values points at them. */
static crd_node input(struct run *r, crd_shape shape, const double **values)
{
    int64_t size = crd_shape_size(shape);
    double *at = r->input + r->used;
    assert_true(r->used + size <= 3 * MOST);
    for (int64_t i = 0; i < size; i++)
        at[i] = 2.3 * sin(1.37 * (double)(r->used + i) + 0.21) + 0.01 * (double)(i % 7);
    r->used += size;
    *values = at;
    return crd_input(r->g, "x", shape);
}

static const double *evaluate(struct run *r, crd_node node, crd_shape expected)
{
    crd_program *program;
    crd_exec *exec;
    assert_ok(r->ctx, crd_graph_status(r->g));
    crd_shape shape = crd_node_shape(node);
    assert_int_equal(shape.ndim, expected.ndim);
    for (int d = 0; d < shape.ndim; d++)
        assert_int_equal(shape.dim[d], expected.dim[d]);
    assert_ok(r->ctx, crd_compile(r->g, NULL, 0, &node, 1, &program));
    assert_ok(r->ctx, crd_exec_create(&exec, program));
    assert_int_equal(crd_program_output_size(program), crd_shape_size(expected));
    memcpy(crd_exec_input(exec), r->input, sizeof(double) * (size_t)r->used);
    crd_exec_run(exec);
    memcpy(r->out, crd_exec_output(exec), sizeof(double) * (size_t)crd_shape_size(expected));
    crd_exec_destroy(&exec);
    crd_program_destroy(&program);
    return r->out;
}

static void finish(struct run *r)
{
    crd_graph_destroy(&r->g);
    testing_context_destroy(&r->ctx);
}

/* ---- indices ---------------------------------------------------------------------------------------------------- */

/* Index of flat element i of an array. */
static void unravel(int64_t i, crd_shape shape, int64_t index[CRD_MAX_DIMS])
{
    memset(index, 0, CRD_MAX_DIMS * sizeof *index);
    for (int d = shape.ndim - 1; d >= 0; d--) {
        index[d] = i % shape.dim[d];
        i /= shape.dim[d];
    }
}

static int64_t ravel(const int64_t *index, crd_shape shape)
{
    int64_t at = 0;
    for (int d = 0; d < shape.ndim; d++)
        at = at * shape.dim[d] + index[d];
    return at;
}

/* The element of an array of shape `from` that stands at an index of the shape `to` that it broadcasts to. */
static int64_t source(const int64_t *index, crd_shape to, crd_shape from)
{
    int64_t own[CRD_MAX_DIMS];
    for (int d = 0; d < from.ndim; d++)
        own[d] = from.dim[d] == 1 ? 0 : index[d + to.ndim - from.ndim];
    return ravel(own, from);
}

static crd_shape shape_of(int ndim, const int64_t *dim)
{
    crd_shape s = {.ndim = ndim};
    for (int d = 0; d < ndim; d++)
        s.dim[d] = dim[d];
    return s;
}

static crd_shape without(crd_shape shape, int axis)
{
    crd_shape s = {.ndim = shape.ndim - 1};
    for (int d = 0, k = 0; d < shape.ndim; d++)
        if (d != axis)
            s.dim[k++] = shape.dim[d];
    return s;
}

static const crd_shape shapes[] = {
    {0, {0}},
    {1, {0}},
    {1, {1}},
    {1, {7}},
    {1, {33}},
    {2, {1, 1}},
    {2, {3, 0}},
    {2, {0, 3}},
    {2, {5, 1}},
    {2, {1, 5}},
    {2, {4, 9}},
    {2, {17, 3}},
    {3, {2, 3, 4}},
    {3, {1, 6, 1}},
    {3, {3, 0, 2}},
    {3, {4, 1, 1}},
    {4, {2, 1, 3, 2}},
    {5, {2, 2, 1, 3, 2}},
    {6, {2, 1, 2, 3, 1, 2}},
};
enum { SHAPES = sizeof shapes / sizeof shapes[0] };

/* ---- element by element ------------------------------------------------------------------------------------------ */

static double ref_sign(double x)
{
    return (x > 0) - (x < 0);
}
static double ref_relu(double x)
{
    return x > 0 ? x : 0;
}
static double ref_sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}
static double ref_softplus(double x)
{
    return log1p(exp(x));
}
static double ref_heaviside(double x)
{
    return x > 0;
}
static double ref_square(double x)
{
    return x * x;
}
static double ref_neg(double x)
{
    return -x;
}
static double ref_reciprocal(double x)
{
    return 1 / x;
}

static const struct {
    const char *name;
    crd_node (*build)(crd_node x, crd_where where);
    double (*value)(double x);
} unaries[] = {
    {"neg", crd_neg_at, ref_neg},
    {"abs", crd_abs_at, fabs},
    {"sign", crd_sign_at, ref_sign},
    {"floor", crd_floor_at, floor},
    {"heaviside", crd_heaviside_at, ref_heaviside},
    {"square", crd_square_at, ref_square},
    {"sqrt", crd_sqrt_at, sqrt},
    {"reciprocal", crd_reciprocal_at, ref_reciprocal},
    {"exp", crd_exp_at, exp},
    {"expm1", crd_expm1_at, expm1},
    {"log", crd_log_at, log},
    {"log1p", crd_log1p_at, log1p},
    {"tanh", crd_tanh_at, tanh},
    {"sigmoid", crd_sigmoid_at, ref_sigmoid},
    {"softplus", crd_softplus_at, ref_softplus},
    {"relu", crd_relu_at, ref_relu},
    {"erf", crd_erf_at, erf},
    {"sin", crd_sin_at, sin},
    {"cos", crd_cos_at, cos},
    {"atan", crd_atan_at, atan},
    {"lgamma", crd_lgamma_at, lgamma},
};

static void unary_values(void **state)
{
    (void)state;
    for (size_t k = 0; k < sizeof unaries / sizeof unaries[0]; k++)
        for (int s = 0; s < SHAPES; s++) {
            struct run *r = start();
            const double *x;
            crd_node node = input(r, shapes[s], &x);
            const double *out = evaluate(r, unaries[k].build(node, CRD_HERE), shapes[s]);
            for (int64_t i = 0; i < crd_shape_size(shapes[s]); i++) {
                double expected = unaries[k].value(x[i]);
                if (!(isnan(expected) && isnan(out[i])) && fabs(out[i] - expected) > 4e-15 * fmax(1, fabs(expected)))
                    fail_msg("%s(%.17g) is %.17g, not %.17g", unaries[k].name, x[i], out[i], expected);
            }
            finish(r);
        }
}

static double ref_add(double a, double b)
{
    return a + b;
}
static double ref_sub(double a, double b)
{
    return a - b;
}
static double ref_mul(double a, double b)
{
    return a * b;
}
static double ref_div(double a, double b)
{
    return a / b;
}
static double ref_max(double a, double b)
{
    return a > b ? a : b;
}
static double ref_min(double a, double b)
{
    return a < b ? a : b;
}
static double ref_less(double a, double b)
{
    return a < b;
}
static double ref_less_equal(double a, double b)
{
    return a <= b;
}
static double ref_equal(double a, double b)
{
    return a == b;
}

static const struct {
    const char *name;
    crd_node (*build)(crd_node a, crd_node b, crd_where where);
    double (*value)(double a, double b);
} binaries[] = {
    {"add", crd_add_at, ref_add},       {"sub", crd_sub_at, ref_sub},
    {"mul", crd_mul_at, ref_mul},       {"div", crd_div_at, ref_div},
    {"max", crd_max_at, ref_max},       {"min", crd_min_at, ref_min},
    {"less", crd_less_at, ref_less},    {"less_equal", crd_less_equal_at, ref_less_equal},
    {"equal", crd_equal_at, ref_equal},
};
enum { BINARIES = sizeof binaries / sizeof binaries[0] };

static void check_binary(int k, crd_shape sa, crd_shape sb, crd_shape to)
{
    struct run *r = start();
    const double *a, *b;
    crd_node x = input(r, sa, &a), y = input(r, sb, &b);
    const double *out = evaluate(r, binaries[k].build(x, y, CRD_HERE), to);
    for (int64_t i = 0; i < crd_shape_size(to); i++) {
        int64_t index[CRD_MAX_DIMS];
        unravel(i, to, index);
        double expected = binaries[k].value(a[source(index, to, sa)], b[source(index, to, sb)]);
        if (memcmp(&out[i], &expected, sizeof expected) != 0)
            fail_msg("%s, element %d: %.17g, not %.17g", binaries[k].name, (int)i, out[i], expected);
    }
    finish(r);
}

/* Every way two arrays can broadcast: each axis whole in both, or one in either, or missing in front. The extents of the
 * axes are given; with some of them 0 or 1. */
static void all_patterns(int ndim, const int64_t *dim, int *k)
{
    crd_shape to = shape_of(ndim, dim);
    int64_t patterns = 1;
    for (int d = 0; d < ndim; d++)
        patterns *= 3;
    for (int64_t p = 0; p < patterns; p++) {
        crd_shape a = to, b = to, short_b = {0};
        int64_t rest = p;
        for (int d = 0; d < ndim; d++, rest /= 3) {
            a.dim[d] = rest % 3 == 1 ? 1 : dim[d];
            b.dim[d] = rest % 3 == 2 ? 1 : dim[d];
        }
        check_binary((*k)++ % BINARIES, a, b, to);
        int lead = 0; /* axes of one in front may be missing */
        while (lead < ndim && b.dim[lead] == 1)
            lead++;
        short_b = shape_of(ndim - lead, b.dim + lead);
        if (lead) {
            check_binary((*k)++ % BINARIES, a, short_b, to);
            check_binary((*k)++ % BINARIES, short_b, a, to);
        }
    }
}

static void binary_values_in_all_broadcasts(void **state)
{
    (void)state;
    int k = 0;
    for (int i = 0; i < BINARIES; i++)
        all_patterns(1, (int64_t[]){9}, &k);
    all_patterns(0, NULL, &k);
    all_patterns(1, (int64_t[]){0}, &k);
    all_patterns(2, (int64_t[]){3, 9}, &k);
    all_patterns(2, (int64_t[]){0, 3}, &k);
    all_patterns(2, (int64_t[]){3, 0}, &k);
    all_patterns(3, (int64_t[]){2, 3, 5}, &k);
    all_patterns(3, (int64_t[]){2, 0, 5}, &k);
    all_patterns(3, (int64_t[]){2, 1, 5}, &k);
    all_patterns(4, (int64_t[]){2, 3, 2, 3}, &k);
    all_patterns(5, (int64_t[]){2, 3, 1, 2, 2}, &k);
    all_patterns(6, (int64_t[]){2, 1, 2, 2, 1, 3}, &k);
}

static void select_values_in_all_broadcasts(void **state)
{
    (void)state;
    static const crd_shape s[] = {{0, {0}}, {1, {1}}, {1, {4}}, {2, {3, 1}}, {2, {1, 4}}, {2, {3, 4}}, {3, {2, 1, 1}}};
    for (int p = 0; p < 7 * 7 * 7; p++) {
        struct run *r = start();
        crd_shape sc = s[p % 7], sa = s[p / 7 % 7], sb = s[p / 49], to = {0};
        for (int i = 0; i < 3; i++) {
            crd_shape one = i == 0 ? sc : i == 1 ? sa : sb;
            to.ndim = one.ndim > to.ndim ? one.ndim : to.ndim;
        }
        for (int d = 0; d < to.ndim; d++)
            to.dim[d] = 1;
        for (int i = 0; i < 3; i++) {
            crd_shape one = i == 0 ? sc : i == 1 ? sa : sb;
            for (int d = 0; d < one.ndim; d++)
                if (one.dim[d] != 1)
                    to.dim[to.ndim - one.ndim + d] = one.dim[d];
        }
        const double *c, *a, *b;
        crd_node nc = input(r, sc, &c), na = input(r, sa, &a), nb = input(r, sb, &b);
        const double *out = evaluate(r, crd_select(crd_heaviside(nc), na, nb), to);
        for (int64_t i = 0; i < crd_shape_size(to); i++) {
            int64_t index[CRD_MAX_DIMS];
            unravel(i, to, index);
            double expected = c[source(index, to, sc)] > 0 ? a[source(index, to, sa)] : b[source(index, to, sb)];
            assert_true(out[i] == expected);
        }
        finish(r);
    }
}

/* ---- moving ----------------------------------------------------------------------------------------------------- */

static void moved_values(void **state)
{
    (void)state;
    for (int s = 0; s < SHAPES; s++) {
        crd_shape from = shapes[s];
        int64_t size = crd_shape_size(from), index[CRD_MAX_DIMS];
        const double *x;
        struct run *r = start();
        const double *out = evaluate(r, crd_reshape(input(r, from, &x), crd_shape_1(size)), crd_shape_1(size));
        assert_memory_equal(out, x, sizeof *x * (size_t)size);
        finish(r);
        if (from.ndim < 2)
            continue;
        crd_shape to = from;
        to.dim[to.ndim - 1] = from.dim[from.ndim - 2];
        to.dim[to.ndim - 2] = from.dim[from.ndim - 1];
        r = start();
        out = evaluate(r, crd_transpose(input(r, from, &x)), to);
        for (int64_t i = 0; i < size; i++) {
            unravel(i, to, index);
            int64_t last = index[to.ndim - 1];
            index[to.ndim - 1] = index[to.ndim - 2];
            index[to.ndim - 2] = last;
            assert_true(out[i] == x[ravel(index, from)]);
        }
        finish(r);
        /* The transpose of a slice, and the slice of a transpose, along each axis. */
        for (int axis = 0; axis < from.ndim; axis++) {
            if (from.dim[axis] < 2)
                continue;
            crd_shape sliced = from;
            sliced.dim[axis] = 2;
            to = sliced;
            to.dim[to.ndim - 1] = sliced.dim[to.ndim - 2];
            to.dim[to.ndim - 2] = sliced.dim[to.ndim - 1];
            r = start();
            out = evaluate(r, crd_transpose(crd_slice(input(r, from, &x), axis, from.dim[axis] - 1, 2, -1)), to);
            for (int64_t i = 0; i < crd_shape_size(to); i++) {
                unravel(i, to, index);
                int64_t last = index[to.ndim - 1];
                index[to.ndim - 1] = index[to.ndim - 2];
                index[to.ndim - 2] = last;
                index[axis] = from.dim[axis] - 1 - index[axis];
                assert_true(out[i] == x[ravel(index, from)]);
            }
            finish(r);
        }
    }
}

static void slice_values(void **state)
{
    (void)state;
    for (int s = 0; s < SHAPES; s++)
        for (int axis = 0; axis < shapes[s].ndim; axis++) {
            crd_shape from = shapes[s];
            int64_t n = from.dim[axis];
            for (int64_t first = 0; first<n; first += n> 5 ? 3 : 1)
                for (int64_t step = -3; step <= 3; step++)
                    for (int64_t count = 0; step && count <= n; count += n > 5 ? 4 : 1) {
                        int64_t last = first + (count - 1) * step;
                        if (count && (last < 0 || last >= n))
                            continue;
                        crd_shape to = from;
                        to.dim[axis] = count;
                        const double *x;
                        struct run *r = start();
                        crd_node node = crd_slice(input(r, from, &x), axis - from.ndim, first, count, step);
                        const double *out = evaluate(r, node, to);
                        for (int64_t i = 0; i < crd_shape_size(to); i++) {
                            int64_t index[CRD_MAX_DIMS];
                            unravel(i, to, index);
                            index[axis] = first + index[axis] * step;
                            assert_true(out[i] == x[ravel(index, from)]);
                        }
                        finish(r);
                    }
        }
}

static void take_broadcast_and_diagonal_values(void **state)
{
    (void)state;
    for (int s = 0; s < SHAPES; s++) {
        crd_shape from = shapes[s];
        int64_t index[CRD_MAX_DIMS];
        for (int axis = 0; axis < from.ndim; axis++)
            for (int64_t pick = 0; pick < from.dim[axis]; pick++) {
                const double *x;
                struct run *r = start();
                crd_shape to = without(from, axis);
                const double *out = evaluate(r, crd_take(input(r, from, &x), axis, pick), to);
                for (int64_t i = 0; i < crd_shape_size(to); i++) {
                    unravel(i, to, index);
                    memmove(index + axis + 1, index + axis, sizeof *index * (size_t)(CRD_MAX_DIMS - 1 - axis));
                    index[axis] = pick;
                    assert_true(out[i] == x[ravel(index, from)]);
                }
                finish(r);
            }
        for (int64_t wide = 0; wide < 4; wide++) { /* axes of one become `wide`, and there is one more in front */
            crd_shape to = from;
            for (int d = 0; d < to.ndim; d++)
                to.dim[d] = to.dim[d] == 1 ? wide : to.dim[d];
            if (to.ndim < CRD_MAX_DIMS) {
                memmove(to.dim + 1, to.dim, sizeof *to.dim * (CRD_MAX_DIMS - 1));
                to.dim[0] = wide;
                to.ndim++;
            }
            const double *x;
            struct run *r = start();
            const double *out = evaluate(r, crd_broadcast_to(input(r, from, &x), to), to);
            for (int64_t i = 0; i < crd_shape_size(to); i++) {
                unravel(i, to, index);
                assert_true(out[i] == x[source(index, to, from)]);
            }
            finish(r);
        }
    }
    for (int64_t n = 0; n < 6; n++) {
        const double *x;
        struct run *r = start();
        const double *out = evaluate(r, crd_diagonal(input(r, crd_shape_2(n, n), &x)), crd_shape_1(n));
        for (int64_t i = 0; i < n; i++)
            assert_true(out[i] == x[i * n + i]);
        finish(r);
    }
}

static void concat_values(void **state)
{
    (void)state;
    static const int64_t extents[][3] = {{1, 2, 3}, {0, 2, 0}, {0, 0, 0}, {4, 1, 1}, {2, 0, 5}};
    for (int s = 0; s < SHAPES; s++)
        for (int axis = 0; axis < shapes[s].ndim; axis++)
            for (int e = 0; e < 5; e++) {
                struct run *r = start();
                const double *x[3];
                crd_node parts[3];
                crd_shape part[3], to = shapes[s];
                to.dim[axis] = 0;
                for (int k = 0; k < 3; k++) {
                    part[k] = shapes[s];
                    part[k].dim[axis] = extents[e][k];
                    to.dim[axis] += extents[e][k];
                    parts[k] = input(r, part[k], &x[k]);
                }
                const double *out = evaluate(r, crd_concat(parts, 3, axis), to);
                for (int64_t i = 0; i < crd_shape_size(to); i++) {
                    int64_t index[CRD_MAX_DIMS];
                    int k = 0;
                    unravel(i, to, index);
                    while (index[axis] >= part[k].dim[axis])
                        index[axis] -= part[k++].dim[axis];
                    assert_true(out[i] == x[k][ravel(index, part[k])]);
                }
                finish(r);
            }
}

static void gather_values(void **state)
{
    (void)state;
    static const double rows[] = {2, 0, -1, 3, 2, 1e30, NAN, -INFINITY, 1, 4};
    enum { PICKS = sizeof rows / sizeof rows[0] };
    for (int s = 0; s < SHAPES; s++) {
        crd_shape from = shapes[s], to = from;
        if (from.ndim == 0)
            continue;
        to.dim[0] = PICKS;
        struct run *r = start();
        const double *x, *unused;
        crd_node node = input(r, from, &x), index = input(r, crd_shape_1(PICKS), &unused);
        memcpy(r->input + r->used - PICKS, rows, sizeof rows);
        int64_t inner = crd_shape_size(without(from, 0));
        const double *out = evaluate(r, crd_gather(node, index), to);
        for (int64_t m = 0; m < PICKS; m++)
            for (int64_t i = 0; i < inner; i++)
                if (rows[m] >= 0 && rows[m] < (double)from.dim[0])
                    assert_true(out[m * inner + i] == x[(int64_t)rows[m] * inner + i]);
                else
                    assert_true(isnan(out[m * inner + i]));
        finish(r);
    }
}

/* ---- sums ------------------------------------------------------------------------------------------------------- */

/* Calls check for each axis of each shape with the extents before, of and behind it. */
static void each_axis(void (*check)(crd_shape shape, int axis, int64_t outer, int64_t n, int64_t inner))
{
    for (int s = 0; s < SHAPES; s++)
        for (int axis = 0; axis < shapes[s].ndim; axis++) {
            int64_t outer = 1, inner = 1;
            for (int d = 0; d < axis; d++)
                outer *= shapes[s].dim[d];
            for (int d = axis + 1; d < shapes[s].ndim; d++)
                inner *= shapes[s].dim[d];
            check(shapes[s], axis, outer, shapes[s].dim[axis], inner);
        }
}

static void check_sum_axis(crd_shape shape, int axis, int64_t outer, int64_t n, int64_t inner)
{
    struct run *r = start();
    const double *x;
    const double *out = evaluate(r, crd_sum_axis(input(r, shape, &x), axis - shape.ndim), without(shape, axis));
    for (int64_t j = 0; j < outer; j++)
        for (int64_t i = 0; i < inner; i++) {
            double sum = 0;
            for (int64_t m = 0; m < n; m++)
                sum += x[(j * n + m) * inner + i];
            assert_close(out[j * inner + i], sum, 0, 1e-13);
        }
    finish(r);
}

static void check_max_axis(crd_shape shape, int axis, int64_t outer, int64_t n, int64_t inner)
{
    if (n == 0)
        return;
    struct run *r = start();
    const double *x;
    const double *out = evaluate(r, crd_max_axis(input(r, shape, &x), axis), without(shape, axis));
    for (int64_t j = 0; j < outer; j++)
        for (int64_t i = 0; i < inner; i++) {
            double most = -INFINITY;
            for (int64_t m = 0; m < n; m++)
                most = fmax(most, x[(j * n + m) * inner + i]);
            assert_true(out[j * inner + i] == most);
        }
    finish(r);
}

static void check_logsumexp(crd_shape shape, int axis, int64_t outer, int64_t n, int64_t inner)
{
    if (n == 0)
        return;
    struct run *r = start();
    const double *x;
    const double *out = evaluate(r, crd_logsumexp(input(r, shape, &x), axis - shape.ndim), without(shape, axis));
    for (int64_t j = 0; j < outer; j++)
        for (int64_t i = 0; i < inner; i++) {
            double sum = 0;
            for (int64_t m = 0; m < n; m++)
                sum += exp(x[(j * n + m) * inner + i]);
            assert_close(out[j * inner + i], log(sum), 1e-14, 1e-14);
        }
    finish(r);
}

static void check_cumsum(crd_shape shape, int axis, int64_t outer, int64_t n, int64_t inner)
{
    struct run *r = start();
    const double *x;
    const double *out = evaluate(r, crd_cumsum(input(r, shape, &x), axis), shape);
    for (int64_t j = 0; j < outer; j++)
        for (int64_t i = 0; i < inner; i++) {
            double sum = 0;
            for (int64_t m = 0; m < n; m++) {
                sum += x[(j * n + m) * inner + i];
                assert_close(out[(j * n + m) * inner + i], sum, 0, 1e-13);
            }
        }
    finish(r);
}

static void values_along_each_axis(void **state)
{
    (void)state;
    each_axis(check_sum_axis);
    each_axis(check_max_axis);
    each_axis(check_logsumexp);
    each_axis(check_cumsum);
}

static void sums_and_dots_of_any_length(void **state)
{
    (void)state;
    for (int64_t n = 0; n < 40; n++) {
        struct run *r = start();
        const double *x, *y;
        double sum = 0, squares = 0, products = 0;
        crd_node a = input(r, crd_shape_1(n), &x), b = input(r, crd_shape_1(n), &y);
        for (int64_t i = 0; i < n; i++) {
            sum += x[i];
            squares += x[i] * x[i];
            products += x[i] * y[i];
        }
        assert_close(evaluate(r, crd_sum(a), crd_shape_0())[0], sum, 0, 1e-13);
        assert_close(evaluate(r, crd_dot(a, b), crd_shape_0())[0], products, 0, 1e-12);
        assert_close(evaluate(r, crd_dot(a, a), crd_shape_0())[0], squares, 1e-14, 0);
        finish(r);
    }
}

static void logsumexp_keeps_the_extremes(void **state)
{
    (void)state;
    static const struct {
        double x[3], expected;
    } rows[] = {
        {{-INFINITY, -INFINITY, -INFINITY}, -INFINITY},
        {{-INFINITY, 2.5, -INFINITY}, 2.5},
        {{INFINITY, 1, 2}, INFINITY},
        {{INFINITY, INFINITY, -INFINITY}, INFINITY},
        {{NAN, 1, 2}, NAN},
        {{NAN, INFINITY, 2}, NAN},
        {{1000, 1000, 0}, 1000.6931471805599453},
        {{-1000, -1000, -5000}, -999.3068528194400547},
        {{1.5e308, 1e308, 0}, 1.5e308},
        {{-1.5e308, -1e308, -1.7e308}, -1e308},
        {{0, 0, -800}, 0.69314718055994531},
    };
    enum { ROWS = sizeof rows / sizeof rows[0] };
    for (int axis = 0; axis < 2; axis++) {
        struct run *r = start();
        const double *unused;
        crd_node x = input(r, axis ? crd_shape_2(ROWS, 3) : crd_shape_2(3, ROWS), &unused);
        for (int i = 0; i < ROWS; i++)
            for (int k = 0; k < 3; k++)
                r->input[axis ? i * 3 + k : k * ROWS + i] = rows[i].x[k];
        const double *out = evaluate(r, crd_logsumexp(x, axis), crd_shape_1(ROWS));
        for (int i = 0; i < ROWS; i++)
            assert_close(out[i], rows[i].expected, 1e-15, 0);
        finish(r);
    }
}

/* ---- products --------------------------------------------------------------------------------------------------- */

static void check_matmul(crd_shape sa, crd_shape sb, crd_shape batch)
{
    struct run *r = start();
    const double *a, *b;
    crd_shape to = batch;
    int64_t m = sa.dim[sa.ndim - 2], k = sa.dim[sa.ndim - 1], n = sb.dim[sb.ndim - 1];
    to.dim[to.ndim++] = m;
    to.dim[to.ndim++] = n;
    crd_node x = input(r, sa, &a), y = input(r, sb, &b);
    const double *out = evaluate(r, crd_matmul(x, y), to);
    bool many_a = crd_shape_size(sa) != m * k, many_b = crd_shape_size(sb) != k * n;
    for (int64_t t = 0; t < crd_shape_size(batch); t++)
        for (int64_t i = 0; i < m; i++)
            for (int64_t j = 0; j < n; j++) {
                double sum = 0;
                for (int64_t l = 0; l < k; l++)
                    sum += a[((many_a ? t * m : 0) + i) * k + l] * b[((many_b ? t * k : 0) + l) * n + j];
                assert_close(out[(t * m + i) * n + j], sum, 0, 1e-12);
            }
    finish(r);
}

static void matmul_values(void **state)
{
    (void)state;
    static const int64_t sizes[] = {0, 1, 2, 5, 8, 9, 33};
    for (int i = 0; i < 7; i++)
        for (int j = 0; j < 7; j++)
            for (int k = 0; k < 7; k++)
                check_matmul(crd_shape_2(sizes[i], sizes[k]), crd_shape_2(sizes[k], sizes[j]), crd_shape_0());
    check_matmul((crd_shape){3, {4, 2, 3}}, (crd_shape){3, {4, 3, 5}}, crd_shape_1(4));
    check_matmul((crd_shape){3, {4, 2, 3}}, crd_shape_2(3, 5), crd_shape_1(4));
    check_matmul(crd_shape_2(2, 3), (crd_shape){3, {4, 3, 5}}, crd_shape_1(4));
    check_matmul((crd_shape){3, {1, 2, 3}}, (crd_shape){3, {4, 3, 5}}, crd_shape_1(4));
    check_matmul((crd_shape){4, {1, 1, 2, 3}}, (crd_shape){3, {4, 3, 5}}, crd_shape_2(1, 4));
    check_matmul((crd_shape){4, {2, 3, 2, 3}}, (crd_shape){4, {2, 3, 3, 5}}, crd_shape_2(2, 3));
    check_matmul((crd_shape){3, {1, 2, 3}}, (crd_shape){3, {0, 3, 5}}, crd_shape_1(0));
    check_matmul((crd_shape){3, {0, 2, 3}}, crd_shape_2(3, 5), crd_shape_1(0));
}

/* Products of arguments that stand transposed in memory, which gradients are made of. */
static void products_of_transposes(void **state)
{
    (void)state;
    enum { M = 3, K = 5, N = 9, BATCH = 2 };
    for (int p = 0; p < 16; p++) {
        int ta = p & 1, tb = p >> 1 & 1, many_a = p >> 2 & 1, many_b = p >> 3 & 1;
        crd_shape sa = {3, {many_a ? BATCH : 1, ta ? K : M, ta ? M : K}},
                  sb = {3, {many_b ? BATCH : 1, tb ? N : K, tb ? K : N}};
        struct run *r = start();
        const double *a, *b;
        crd_node x = input(r, sa, &a), y = input(r, sb, &b);
        crd_shape to = {3, {many_a || many_b ? BATCH : 1, M, N}};
        const double *out = evaluate(r, crdi_matmul_transposed(x, y, ta, tb), to);
        for (int64_t t = 0; t < to.dim[0]; t++)
            for (int64_t i = 0; i < M; i++)
                for (int64_t j = 0; j < N; j++) {
                    double sum = 0;
                    for (int64_t l = 0; l < K; l++)
                        sum += a[(many_a ? t * M * K : 0) + (ta ? l * M + i : i * K + l)] *
                               b[(many_b ? t * K * N : 0) + (tb ? j * K + l : l * N + j)];
                    assert_close(out[(t * M + i) * N + j], sum, 0, 1e-12);
                }
        finish(r);
    }
}

/* The gradients of batched products, whose arguments had axes of one, against differences. */
static void check_matmul_gradient(crd_shape sa, crd_shape sb)
{
    struct run *r = start();
    const double *a, *b;
    crd_node x[2] = {input(r, sa, &a), input(r, sb, &b)}, d[2];
    crd_node y = crd_sum(crd_square(crd_matmul(x[0], x[1])));
    int64_t na = crd_shape_size(sa), nb = crd_shape_size(sb);
    double gradient[200];
    crd_gradient(y, x, 2, d);
    memcpy(gradient, evaluate(r, d[0], sa), sizeof(double) * (size_t)na);
    memcpy(gradient + na, evaluate(r, d[1], sb), sizeof(double) * (size_t)nb);
    for (int64_t i = 0; i < na + nb; i++) {
        double at = r->input[i];
        r->input[i] = at + 1e-4; /* of a quadratic in each: exact but for rounding */
        double up = evaluate(r, y, crd_shape_0())[0];
        r->input[i] = at - 1e-4;
        double down = evaluate(r, y, crd_shape_0())[0];
        r->input[i] = at;
        assert_close(gradient[i], (up - down) / 2e-4, 1e-7, 1e-7);
    }
    finish(r);
}

static void matmul_gradients_sum_over_missing_batches(void **state)
{
    (void)state;
    check_matmul_gradient((crd_shape){4, {1, 1, 2, 3}}, (crd_shape){3, {4, 3, 2}});
    check_matmul_gradient((crd_shape){3, {1, 2, 3}}, (crd_shape){3, {4, 3, 2}});
    check_matmul_gradient((crd_shape){4, {2, 2, 2, 3}}, (crd_shape){4, {1, 1, 3, 2}});
    check_matmul_gradient((crd_shape){4, {2, 2, 1, 3}}, crd_shape_2(3, 2));
    check_matmul_gradient(crd_shape_2(2, 3), (crd_shape){4, {2, 2, 3, 1}});
}

static void affine_values(void **state)
{
    (void)state;
    static const int64_t sizes[] = {0, 1, 3, 8, 10, 33};
    for (int i = 0; i < 6; i++)
        for (int j = 0; j < 6; j++)
            for (int k = 0; k < 6; k++) {
                int64_t in = sizes[i], units = sizes[j], n = sizes[k];
                struct run *r = start();
                const double *w, *x, *bias;
                crd_node nw = input(r, crd_shape_2(in, units), &w), nx = input(r, crd_shape_2(in, n), &x);
                crd_node nb = input(r, crd_shape_1(units), &bias);
                const double *out = evaluate(r, crd_affine(nw, nx, nb), crd_shape_2(units, n));
                for (int64_t u = 0; u < units; u++)
                    for (int64_t c = 0; c < n; c++) {
                        double sum = bias[u];
                        for (int64_t l = 0; l < in; l++)
                            sum += w[l * units + u] * x[l * n + c];
                        assert_close(out[u * n + c], sum, 0, 1e-12);
                    }
                finish(r);
            }
}

/* ---- factors ---------------------------------------------------------------------------------------------------- */

static void cholesky_values(void **state)
{
    (void)state;
    for (int64_t n = 0; n < 12; n++) {
        struct run *r = start();
        const double *b;
        crd_node m = input(r, crd_shape_2(n, n), &b), shift = crd_num(0.5);
        double eye[144] = {0};
        for (int64_t i = 0; i < n; i++)
            eye[i * n + i] = 1;
        crd_array array = crd_array_borrow(eye, crd_shape_2(n, n));
        crd_node a = crd_add(crd_matmul(m, crd_transpose(m)), crd_mul(shift, crd_constant(r->g, &array)));
        const double *l = evaluate(r, crd_cholesky(a), crd_shape_2(n, n));
        for (int64_t i = 0; i < n; i++)
            for (int64_t j = 0; j < n; j++) {
                double sum = 0, expected = i == j ? 0.5 : 0;
                for (int64_t k = 0; k < n; k++) {
                    sum += l[i * n + k] * l[j * n + k];
                    expected += b[i * n + k] * b[j * n + k];
                }
                assert_close(sum, expected, 1e-13, 1e-13);
                assert_true(j <= i || l[i * n + j] == 0);
                assert_true(j != i || l[i * n + j] > 0);
            }
        finish(r);
    }
}

static void a_matrix_that_is_not_definite_has_a_factor_of_nan(void **state)
{
    (void)state;
    static const double wrong[][9] = {
        {-1, 0, 0, 0, 1, 0, 0, 0, 1},    {0, 0, 0, 0, 0, 0, 0, 0, 0},   {1, 0, 0, 2, 1, 0, 0, 0, 1},
        {1, 0, 0, 0, 1, 0, 0, 0, -1e-9}, {NAN, 0, 0, 0, 1, 0, 0, 0, 1}, {1, 0, 0, NAN, 1, 0, 0, 0, 1},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct run *r = start();
        const double *unused;
        crd_node a = input(r, crd_shape_2(3, 3), &unused);
        memcpy(r->input, wrong[i], sizeof wrong[i]);
        const double *l = evaluate(r, crd_cholesky(a), crd_shape_2(3, 3));
        assert_true(isnan(l[8])); /* the last of the diagonal: the sum of its log is NaN */
        finish(r);
    }
}

static void triangular_solves(void **state)
{
    (void)state;
    for (int64_t n = 0; n < 9; n++)
        for (int64_t m = 0; m < 10; m += 3)
            for (int transposed = 0; transposed < 2; transposed++) {
                struct run *r = start();
                const double *l, *b;
                crd_node nl = input(r, crd_shape_2(n, n), &l), nb = input(r, crd_shape_2(n, m), &b);
                for (int64_t i = 0; i < n; i++)
                    r->input[i * n + i] = 2.5 + 0.1 * (double)i; /* what stands above the diagonal is not read */
                const double *x = evaluate(r, crd_solve_triangular(nl, nb, transposed), crd_shape_2(n, m));
                for (int64_t i = 0; i < n; i++)
                    for (int64_t j = 0; j < m; j++) {
                        double sum = 0;
                        for (int64_t k = 0; k < n; k++)
                            if (transposed ? k >= i : k <= i)
                                sum += (transposed ? l[k * n + i] : l[i * n + k]) * x[k * m + j];
                        assert_close(sum, b[i * m + j], 1e-11, 1e-11);
                    }
                finish(r);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unary_values),
        cmocka_unit_test(binary_values_in_all_broadcasts),
        cmocka_unit_test(select_values_in_all_broadcasts),
        cmocka_unit_test(moved_values),
        cmocka_unit_test(slice_values),
        cmocka_unit_test(take_broadcast_and_diagonal_values),
        cmocka_unit_test(concat_values),
        cmocka_unit_test(gather_values),
        cmocka_unit_test(values_along_each_axis),
        cmocka_unit_test(sums_and_dots_of_any_length),
        cmocka_unit_test(logsumexp_keeps_the_extremes),
        cmocka_unit_test(matmul_values),
        cmocka_unit_test(products_of_transposes),
        cmocka_unit_test(matmul_gradients_sum_over_missing_batches),
        cmocka_unit_test(affine_values),
        cmocka_unit_test(cholesky_values),
        cmocka_unit_test(a_matrix_that_is_not_definite_has_a_factor_of_nan),
        cmocka_unit_test(triangular_solves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
