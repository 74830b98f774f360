/* test_kernels.c - every kernel of every usable instruction set and either precision: against its plain twin, at lengths 0 to 67 and from
 * pointers that are not aligned, without a write beside the result, and with the same bits on all instruction sets.
 *
 * A NaN equals any NaN: which one it is, is no part of the contract (vmath.h). */
#include "kernel/kernel.h"
#include "kernel/view.h"
#include "kernel_twin.h"
#include "testing.h"

#include <math.h>
#include <string.h>

enum { LONGEST = 67, ROOM = 4096, GUARD = 16, VARIANTS = 3 };

/* Buffers of one call, and the call. */
typedef struct trial {
    bool single; /* kernels of floats: numbers below are floats */
    crdi_call call;
    crdi_view view;
    int64_t size; /* elements of the result */
    double in[3][ROOM];
    double out[ROOM], twin[ROOM], first[ROOM];
} trial;

static uint64_t random_state;

/* SplitMix64 (Steele et al. 2014), good enough for inputs. */
static double draw(double low, double high)
{
    uint64_t z = random_state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return low + (high - low) * (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

static double draw_any(void)
{
    static const double special[] = {0.0,    -0.0, 1,    -1, 0.5, INFINITY, -INFINITY, NAN,  5e-324, -1e-310, 1e300,
                                     -1e300, 710,  -746, 3,  -2,  1e-45,    -3e-39,    1e38, -1e38,  88.9,    -104.2};
    double choice = draw(0, 1);
    if (choice < 0.2)
        return special[(int)draw(0, sizeof special / sizeof *special)];
    return choice < 0.6 ? draw(-3, 3) : choice < 0.8 ? draw(0, 1) : draw(-800, 800);
}

static void set(crdi_call *c, int64_t n0, int64_t n1, int64_t n2, int64_t n3)
{
    memcpy(c->n, (int64_t[4]){n0, n1, n2, n3}, 4 * sizeof c->n[0]);
}

static int is_elementwise(enum crdi_kernel kernel)
{
    return kernel < CRDI_K_select;
}

/* Extents of an elementwise kernel; in variant 2 one row of a matrix serves all rows. */
static void prepare_elementwise(trial *t, enum crdi_kernel kernel, int64_t n, int variant)
{
    const char *name = crdi_kernel_name(kernel);
    size_t length = strlen(name);
    const char *form = length > 3 ? name + length - 3 : name;
    int binary = strcmp(form, "_vv") == 0 || strcmp(form, "_vs") == 0 || strcmp(form, "_sv") == 0;
    for (int k = 0; k < 2; k++)
        for (int64_t i = 0; i < ROOM; i++)
            t->in[k][i] = draw_any();
    set(&t->call, n, binary ? 3 : 1, 0, 0);
    t->call.s[0] = strcmp(form, "_sv") == 0 ? 1 : variant == 2 ? 0 : n;
    t->call.s[1] = strcmp(form, "_vs") == 0 ? 1 : n;
    t->size = n * t->call.n[1];
}

static void prepare_view(trial *t, enum crdi_kernel kernel, int64_t n, int variant)
{
    crdi_view *v = &t->view;
    t->call.extra = v;
    if (variant == 0) /* transpose of (3, n) */
        *v = (crdi_view){.ndim = 2, .dim = {n, 3}, .stride = {1, n}, .size = 3 * n};
    else if (variant == 1) /* every second element, backwards */
        *v = (crdi_view){.ndim = 1, .dim = {n}, .stride = {-2}, .offset = n ? 2 * (n - 1) + 1 : 0, .size = n};
    else /* a slice of (2, 4, n) with its axes in another order */
        *v = (crdi_view){.ndim = 3, .dim = {3, 2, n}, .stride = {n, 4 * n, 1}, .offset = n, .size = 6 * n};
    set(&t->call, 8 * n, 0, 0, 0);
    t->size = kernel == CRDI_K_copy_strided ? v->size : 8 * n;
}

static void prepare_product(trial *t, enum crdi_kernel kernel, int64_t n, int variant)
{
    crdi_call *c = &t->call;
    int64_t depth = variant == 2 ? n : 5, columns = variant == 2 ? 5 : n, rows = variant == 1 ? 1 : 3;
    if (kernel == CRDI_K_affine) {
        set(c, columns, rows, depth, 0);
        t->size = columns * rows;
        return;
    }
    set(c, columns, rows, depth, 2);
    t->size = 2 * rows * columns;
    c->s[0] = depth;
    c->s[1] = kernel == CRDI_K_matmul_nt ? depth : 1;
    c->s[2] = columns;
    if (kernel == CRDI_K_matmul && variant == 0) { /* A as the transpose of (depth, rows) */
        c->s[0] = 1;
        c->s[1] = rows;
    }
    c->s[3] = rows * depth;
    c->s[4] = depth * columns;
}

static void prepare_index(trial *t, enum crdi_kernel kernel, int64_t n, int variant)
{
    int64_t inner = variant == 0 ? n : 3, picked = variant == 0 ? 5 : n, rows = 4;
    set(&t->call, inner, picked, 2, rows);
    for (int64_t i = 0; i < picked; i++)
        t->in[1][i] = variant == 2 && i % 7 == 3 ? (i % 2 ? NAN : 4) : floor(draw(0, 4));
    t->size = 2 * inner * (kernel == CRDI_K_gather ? picked : rows);
}

/* Matrices that are positive definite; in variant 2 the second is not. */
static void prepare_factor(trial *t, enum crdi_kernel kernel, int64_t n, int variant)
{
    int64_t order = kernel == CRDI_K_cholesky ? n % 20 : 6;
    for (int64_t b = 0; b < 2; b++)
        for (int64_t i = 0; i < order; i++)
            t->in[0][b * order * order + i * order + i] = 2.5 * (double)order + 1;
    if (kernel == CRDI_K_cholesky && variant == 2 && order > 1)
        t->in[0][order * order + (order - 2) * (order + 1)] = -1;
    if (kernel == CRDI_K_cholesky)
        set(&t->call, order, 2, 0, 0);
    else
        set(&t->call, n, order, 2, 0);
    t->call.number[0] = kernel == CRDI_K_solve_triangular && variant == 1;
    t->size = 2 * order * (kernel == CRDI_K_cholesky ? order : n);
}

static void prepare_other(trial *t, enum crdi_kernel kernel, int64_t n, int variant)
{
    crdi_call *c = &t->call;
    for (int k = 0; k < 3; k++)
        for (int64_t i = 0; i < ROOM; i++)
            t->in[k][i] = draw(-2, 2);
    c->number[0] = 0.7;
    set(c, n, 3, 2, 0);
    t->size = n;
    switch (kernel) {
    case CRDI_K_select:
        for (int64_t i = 0; i < n; i++)
            t->in[0][i] = floor(t->in[0][i]);
        break;
    case CRDI_K_copy_strided:
    case CRDI_K_scatter_strided:
        prepare_view(t, kernel, n, variant);
        break;
    case CRDI_K_sum:
    case CRDI_K_sumsq:
    case CRDI_K_dot:
        t->size = 1;
        break;
    case CRDI_K_max_rows:
        c->n[0] = n ? n : 1;
        if (variant == 2)
            t->in[0][n + n / 2] = NAN;
        t->size = 3;
        break;
    case CRDI_K_sum_rows:
        t->size = 3;
        break;
    case CRDI_K_sum_columns:
        t->size = 2 * n;
        break;
    case CRDI_K_cumsum:
        if (variant)
            set(c, 3, n, 2, 0);
        t->size = 6 * n;
        break;
    case CRDI_K_matmul:
    case CRDI_K_matmul_nt:
    case CRDI_K_affine:
        prepare_product(t, kernel, n, variant);
        break;
    case CRDI_K_gather:
    case CRDI_K_scatter_add:
        prepare_index(t, kernel, n, variant);
        break;
    case CRDI_K_cholesky:
    case CRDI_K_solve_triangular:
        prepare_factor(t, kernel, n, variant);
        break;
    default:
        break;
    }
}

static int same(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0 || (isnan(a) && isnan(b));
}

static bool gives_doubles(enum crdi_kernel kernel)
{
    return kernel == CRDI_K_sum || kernel == CRDI_K_sumsq || kernel == CRDI_K_dot || kernel == CRDI_K_widen;
}

static bool takes_doubles(enum crdi_kernel kernel, int operand)
{
    return kernel == CRDI_K_narrow || ((kernel == CRDI_K_gather || kernel == CRDI_K_scatter_add) && operand == 1);
}

/* As run, with the kernel of floats. */
static void run_single(trial *t, const crdi_kernel_table *table, enum crdi_kernel kernel, int shift)
{
    static _Alignas(64) float in[3][ROOM + 8], out[ROOM + 2 * GUARD + 8];
    static double wide[ROOM];
    crdi_call call = t->call;
    for (int k = 0; k < 3; k++) {
        float *to = in[k] + (shift + k * (shift != 0)) % 8;
        for (int64_t i = 0; i < ROOM; i++)
            to[i] = (float)t->in[k][i];
        if (takes_doubles(kernel, k))
            call.in[k] = t->in[k];
        else
            call.in_single[k] = to;
    }
    for (int64_t i = 0; i < ROOM + 2 * GUARD + 8; i++)
        out[i] = 12345.5f;
    call.out_single = out + GUARD + shift;
    if (gives_doubles(kernel))
        call.out = wide;
    table->single[kernel](&call);
    for (int64_t i = 0; i < ROOM + 2 * GUARD + 8; i++)
        if ((i < GUARD + shift || i >= GUARD + shift + t->size) && out[i] != 12345.5f)
            fail_msg("%s of floats, %s: wrote beside its result", table->name, crdi_kernel_name(kernel));
    for (int64_t i = 0; i < t->size; i++)
        t->out[i] = gives_doubles(kernel) ? wide[i] : (double)out[GUARD + shift + i];
}

/* Runs the call on one table: the inputs at `shift` elements from a cache line, guards on both sides of the result. */
static void run(trial *t, const crdi_kernel_table *table, enum crdi_kernel kernel, int shift)
{
    static _Alignas(64) double in[3][ROOM + 8], out[ROOM + 2 * GUARD + 8];
    crdi_call call = t->call;
    for (int k = 0; k < 3; k++) {
        memcpy(in[k] + (shift + k * (shift != 0)) % 8, t->in[k], sizeof t->in[k]);
        call.in[k] = in[k] + (shift + k * (shift != 0)) % 8;
    }
    for (int64_t i = 0; i < ROOM + 2 * GUARD + 8; i++)
        out[i] = 12345.5;
    call.out = out + GUARD + shift;
    table->kernel[kernel](&call);
    for (int64_t i = 0; i < ROOM + 2 * GUARD + 8; i++)
        if ((i < GUARD + shift || i >= GUARD + shift + t->size) && out[i] != 12345.5)
            fail_msg("%s, %s: wrote %lld elements beside its result", table->name, crdi_kernel_name(kernel),
                     (long long)(i < GUARD + shift ? i - GUARD - shift : i - GUARD - shift - t->size + 1));
    memcpy(t->out, call.out, (size_t)t->size * sizeof(double));
}

/* One call on every table, against the twin and against each other. */
static void try_all(trial *t, enum crdi_kernel kernel, int64_t n, int shift)
{
    const char *name = crdi_kernel_name(kernel), *first = NULL;
    crdi_call call = t->call;
    for (int k = 0; k < 3; k++)
        call.in[k] = t->in[k];
    call.out = t->twin;
    assert_true(t->size <= ROOM);
    bool exact = kernel_twin(kernel, &call, t->single);
    for (int i = 0; i < crdi_kernels_count(); i++) {
        const crdi_kernel_table *table = crdi_kernels_get(i);
        if (!crdi_kernels_usable(table))
            continue;
        if (t->single)
            run_single(t, table, kernel, shift);
        else
            run(t, table, kernel, shift);
        for (int64_t k = 0; k < t->size; k++) {
            double error = fabs(t->out[k] - t->twin[k]), unit = t->single && !gives_doubles(kernel) ? 1e-6 : 1e-13;
            double allowed = unit * (10 + fabs(t->twin[k]));
            if (!same(t->out[k], t->twin[k]) && (exact || !(error <= allowed)))
                fail_msg("%s, %s%s, length %lld: element %lld is %a, plainly %a", table->name, name,
                         t->single ? " of floats" : "", (long long)n, (long long)k, t->out[k], t->twin[k]);
            if (first && !same(t->out[k], t->first[k]))
                fail_msg("%s, length %lld: element %lld is %a on %s, %a on %s", name, (long long)n, (long long)k,
                         t->out[k], table->name, t->first[k], first);
        }
        if (!first)
            memcpy(t->first, t->out, sizeof t->out);
        first = first ? first : table->name;
    }
}

static void narrow_inputs(trial *t, enum crdi_kernel kernel)
{
    for (int k = 0; k < 3; k++)
        for (int64_t i = 0; i < ROOM; i++)
            t->in[k][i] = takes_doubles(kernel, k) ? t->in[k][i] : (double)(float)t->in[k][i];
}

static void try_lengths(int from, int to, bool single)
{
    static trial t;
    const crdi_kernel_table *table = &crdi_kernels_portable;
    random_state = 20240229;
    t.single = single;
    for (int kernel = from; kernel < to; kernel++)
        for (int64_t n = 0; n <= LONGEST; n++)
            for (int variant = 0; variant < VARIANTS; variant++) {
                if (!(single ? table->single[kernel] : table->kernel[kernel]))
                    continue;
                memset(&t.call, 0, sizeof t.call);
                if (is_elementwise((enum crdi_kernel)kernel))
                    prepare_elementwise(&t, (enum crdi_kernel)kernel, n, variant);
                else
                    prepare_other(&t, (enum crdi_kernel)kernel, n, variant);
                if (single)
                    narrow_inputs(&t, (enum crdi_kernel)kernel);
                try_all(&t, (enum crdi_kernel)kernel, n, (int)(n + variant) % 3 * 3 % 8);
            }
}

static void elementwise_kernels_equal_their_twins(void **state)
{
    (void)state;
    try_lengths(0, CRDI_K_select, false);
}

static void other_kernels_equal_their_twins(void **state)
{
    (void)state;
    try_lengths(CRDI_K_select, CRDI_K_scalars, false); /* fused ones: tests/unit/graph/test_fuse.c */
}

static void kernels_of_floats_equal_their_twins(void **state)
{
    (void)state;
    try_lengths(0, CRDI_K_scalars, true);
    for (int t = 0; t < crdi_kernels_count(); t++) /* each has all but those of doubles only */
        for (int k = 0; k < CRDI_KERNEL_COUNT; k++)
            assert_int_equal(crdi_kernels_get(t)->single[k] == NULL, k == CRDI_K_cumsum || k == CRDI_K_cholesky ||
                                                                         k == CRDI_K_solve_triangular ||
                                                                         k == CRDI_K_scalars);
}

/* The order in which eight lanes are added is a promise: here it is once more, in scalars. */
static void sums_run_over_eight_lanes_and_one_tree(void **state)
{
    (void)state;
    double a[LONGEST], b[LONGEST], lane[2][CRDI_LANES] = {{0}}, out;
    random_state = 7;
    for (int i = 0; i < LONGEST; i++) {
        a[i] = draw(-1, 1);
        b[i] = draw(-1, 1);
        lane[0][i % CRDI_LANES] += a[i];
        lane[1][i % CRDI_LANES] = fma(a[i], b[i], lane[1][i % CRDI_LANES]);
    }
    for (int i = 0; i < crdi_kernels_count(); i++) {
        const crdi_kernel_table *table = crdi_kernels_get(i);
        crdi_call call = {.out = &out, .in = {a, b}, .n = {LONGEST}};
        for (int k = 0; crdi_kernels_usable(table) && k < 2; k++) {
            const double *x = lane[k];
            table->kernel[k ? CRDI_K_dot : CRDI_K_sum](&call);
            assert_true(out == ((x[0] + x[4]) + (x[2] + x[6])) + ((x[1] + x[5]) + (x[3] + x[7])));
        }
    }
}

/* The same of floats: sixteen lanes; of all elements in double precision, of rows in single. */
static double tree(double *lane, int lanes, bool single)
{
    for (; lanes > 1; lanes /= 2)
        for (int i = 0; i < lanes / 2; i++)
            lane[i] = single ? (double)((float)lane[i] + (float)lane[i + lanes / 2]) : lane[i] + lane[i + lanes / 2];
    return lane[0];
}

static void sums_of_floats_run_over_sixteen_lanes(void **state)
{
    (void)state;
    enum { LANES = CRDI_LANES_SINGLE };
    float a[LONGEST], b[LONGEST], row;
    double lane[3][LANES] = {{0}}, out;
    random_state = 8;
    for (int i = 0; i < LONGEST; i++) {
        a[i] = (float)draw(-1, 1);
        b[i] = (float)draw(-1, 1);
        lane[0][i % LANES] += (double)a[i];
        lane[1][i % LANES] += (double)a[i] * (double)b[i]; /* the product is exact */
        lane[2][i % LANES] = (double)((float)lane[2][i % LANES] + a[i]);
    }
    double sum = tree(lane[0], LANES, false), dot = tree(lane[1], LANES, false), rows = tree(lane[2], LANES, true);
    for (int i = 0; i < crdi_kernels_count(); i++) {
        const crdi_kernel_table *table = crdi_kernels_get(i);
        crdi_call call = {.out = &out, .in_single = {a, b}, .n = {LONGEST, 1}};
        if (!crdi_kernels_usable(table))
            continue;
        table->single[CRDI_K_sum](&call);
        assert_true(out == sum);
        table->single[CRDI_K_dot](&call);
        assert_true(out == dot);
        call.out_single = &row;
        table->single[CRDI_K_sum_rows](&call);
        assert_true((double)row == rows);
    }
}

/* Products that are computed in blocks are still one fma a term in the order of the terms, and rows against rows still lanes
 * and tree: against loops that say just that. */
enum { TALL = 13, DEEP = 421, ACROSS = 305 };

static double in_lanes(const double *a, const double *b, int n)
{
    double lane[CRDI_LANES] = {0};
    for (int i = 0; i < n; i++)
        lane[i % CRDI_LANES] = fma(a[i], b[i], lane[i % CRDI_LANES]);
    return ((lane[0] + lane[4]) + (lane[2] + lane[6])) + ((lane[1] + lane[5]) + (lane[3] + lane[7]));
}

static void large_products_keep_their_order(void **state)
{
    (void)state;
    static double a[TALL * DEEP], b[DEEP * ACROSS], start[TALL], want[2][TALL * ACROSS], out[TALL * ACROSS];
    random_state = 11;
    for (int i = 0; i < TALL * DEEP; i++)
        a[i] = draw(-1, 1);
    for (int i = 0; i < DEEP * ACROSS; i++)
        b[i] = draw(-1, 1);
    for (int r = 0; r < TALL; r++) {
        start[r] = draw(-1, 1);
        for (int i = 0; i < ACROSS; i++) {
            double sum = start[r];
            for (int k = 0; k < DEEP; k++)
                sum = fma(a[k * TALL + r], b[k * ACROSS + i], sum);
            want[0][r * ACROSS + i] = sum; /* of A as (depth, rows) */
            want[1][r * ACROSS + i] = in_lanes(a + r * DEEP, b + i * DEEP, DEEP); /* of both as rows */
        }
    }
    for (int t = 0; t < crdi_kernels_count(); t++) {
        const crdi_kernel_table *table = crdi_kernels_get(t);
        if (!crdi_kernels_usable(table))
            continue;
        crdi_call layer = {.out = out, .in = {a, b, start}, .n = {ACROSS, TALL, DEEP}};
        crdi_call rows = {.out = out, .in = {a, b}, .n = {ACROSS, TALL, DEEP, 1}, .s = {DEEP, DEEP}};
        table->kernel[CRDI_K_affine](&layer);
        assert_memory_equal(out, want[0], sizeof out);
        table->kernel[CRDI_K_affine_relu](&layer);
        for (int i = 0; i < TALL * ACROSS; i++)
            assert_true(out[i] == (want[0][i] > 0 ? want[0][i] : 0));
        table->kernel[CRDI_K_matmul_nt](&rows);
        assert_memory_equal(out, want[1], sizeof out);
    }
}

static float in_lanes_single(const float *a, const float *b, int n)
{
    float lane[CRDI_LANES_SINGLE] = {0};
    for (int i = 0; i < n; i++)
        lane[i % CRDI_LANES_SINGLE] = fmaf(a[i], b[i], lane[i % CRDI_LANES_SINGLE]);
    for (int lanes = CRDI_LANES_SINGLE / 2; lanes > 0; lanes /= 2)
        for (int i = 0; i < lanes; i++)
            lane[i] += lane[i + lanes];
    return lane[0];
}

static void large_products_of_floats_keep_their_order(void **state)
{
    (void)state;
    static float a[TALL * DEEP], b[DEEP * ACROSS], start[TALL], want[2][TALL * ACROSS], out[TALL * ACROSS];
    random_state = 12;
    for (int i = 0; i < TALL * DEEP; i++)
        a[i] = (float)draw(-1, 1);
    for (int i = 0; i < DEEP * ACROSS; i++)
        b[i] = (float)draw(-1, 1);
    for (int r = 0; r < TALL; r++) {
        start[r] = (float)draw(-1, 1);
        for (int i = 0; i < ACROSS; i++) {
            float sum = start[r];
            for (int k = 0; k < DEEP; k++)
                sum = fmaf(a[k * TALL + r], b[k * ACROSS + i], sum);
            want[0][r * ACROSS + i] = sum;
            want[1][r * ACROSS + i] = in_lanes_single(a + r * DEEP, b + i * DEEP, DEEP);
        }
    }
    for (int t = 0; t < crdi_kernels_count(); t++) {
        const crdi_kernel_table *table = crdi_kernels_get(t);
        if (!crdi_kernels_usable(table))
            continue;
        crdi_call layer = {.out_single = out, .in_single = {a, b, start}, .n = {ACROSS, TALL, DEEP}};
        crdi_call rows = {.out_single = out, .in_single = {a, b}, .n = {ACROSS, TALL, DEEP, 1}, .s = {DEEP, DEEP}};
        table->single[CRDI_K_affine](&layer);
        assert_memory_equal(out, want[0], sizeof out);
        table->single[CRDI_K_affine_relu](&layer);
        for (int i = 0; i < TALL * ACROSS; i++)
            assert_true(out[i] == (want[0][i] > 0 ? want[0][i] : 0));
        table->single[CRDI_K_matmul_nt](&rows);
        assert_memory_equal(out, want[1], sizeof out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elementwise_kernels_equal_their_twins),
        cmocka_unit_test(other_kernels_equal_their_twins),
        cmocka_unit_test(kernels_of_floats_equal_their_twins),
        cmocka_unit_test(sums_run_over_eight_lanes_and_one_tree),
        cmocka_unit_test(sums_of_floats_run_over_sixteen_lanes),
        cmocka_unit_test(large_products_keep_their_order),
        cmocka_unit_test(large_products_of_floats_keep_their_order),
    };
    return cmocka_run_group_tests_name("kernels", tests, NULL, NULL);
}
