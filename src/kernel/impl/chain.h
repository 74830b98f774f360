/* chain.h - element-wise operations and sums over the same elements, tile by tile in one call: what links hand to each other
 * stays in the first-level cache, and costs no call.
 *
 * Every link gives the bits of its own kernel: elements do not depend on each other, and a sum keeps its lanes from tile to
 * tile (a tile is a multiple of LANES), so that it is the sum over all at once (reduce.h). */

/* The lanes of a sum, of floats that are summed in doubles those of both halves; sum_rows has lanes of its own kind. */
struct chain_sum {
    v8 low;
#if CRDI_SINGLE
    v8 high;
    vr lanes;
#endif
};

/* What is more than a few instructions an element is done by the kernel of its own. */
static void chain_call(int kernel, const real *a, const real *b, const real *c, real *out, int64_t n)
{
    crdi_call call;
    call.OUT = out;
    call.IN[0] = a;
    call.IN[1] = b;
    call.IN[2] = c;
    call.n[0] = n;
    call.n[1] = 1;
    call.s[0] = call.s[1] = 0;
    switch (kernel) {
#define UNARY(name)                                                                                                    \
    case CRDI_K_##name:                                                                                                \
        k_##name(&call);                                                                                               \
        break;
#define BINARY(name)                                                                                                   \
    case CRDI_K_##name##_vv:                                                                                           \
        k_##name##_vv(&call);                                                                                          \
        break;                                                                                                         \
    case CRDI_K_##name##_vs:                                                                                           \
        k_##name##_vs(&call);                                                                                          \
        break;                                                                                                         \
    case CRDI_K_##name##_sv:                                                                                           \
        k_##name##_sv(&call);                                                                                          \
        break;
#define OTHER(name)
#define FUSED(name)
#include "kernel/kernels.def"
    default:
        k_select(&call);
    }
}

#define CHAIN_LOOP(expression)                                                                                         \
    _Pragma("omp simd")                                                                                                \
    for (int64_t i = 0; i < n; i++)                                                                                    \
        out[i] = expression;                                                                                           \
    break;
#define CHAIN_UNARY(name)                                                                                              \
    case CRDI_K_##name:                                                                                                \
        CHAIN_LOOP(VM(name)(a[i]))
#define CHAIN_BINARY(name)                                                                                             \
    case CRDI_K_##name##_vv:                                                                                           \
        CHAIN_LOOP(VM(name)(a[i], b[i]))                                                                               \
    case CRDI_K_##name##_vs:                                                                                           \
        CHAIN_LOOP(VM(name)(a[i], b[0]))                                                                               \
    case CRDI_K_##name##_sv:                                                                                           \
        CHAIN_LOOP(VM(name)(a[0], b[i]))

/* ---- sums ------------------------------------------------------------------------------------------------------- */

#if CRDI_SINGLE
static inline void chain_dot(struct chain_sum *sum, const real *a, const real *b, int64_t n)
{
    for (int64_t i = 0; i < n; i += LANES) {
        sum->low = v8_fma(wide_low(a + i, n - i), wide_low(b + i, n - i), sum->low);
        sum->high = v8_fma(wide_high(a + i, n - i), wide_high(b + i, n - i), sum->high);
    }
}

static inline void chain_total(struct chain_sum *sum, const real *a, int64_t n)
{
    for (int64_t i = 0; i < n; i += LANES) {
        sum->low = v8_add(sum->low, wide_low(a + i, n - i));
        sum->high = v8_add(sum->high, wide_high(a + i, n - i));
    }
}

static inline void chain_row(struct chain_sum *sum, const real *a, int64_t n)
{
    for (int64_t i = 0; i < n; i += LANES)
        sum->lanes = vr_add(sum->lanes, i + LANES <= n ? vr_load(a + i) : vr_load_n(a + i, n - i));
}

static inline void chain_finish(const crdi_link *link, const struct chain_sum *sum)
{
    if (link->kernel == CRDI_K_sum_rows)
        link->out_single[0] = vr_sum(sum->lanes);
    else
        link->out[0] = v8_sum(v8_add(sum->low, sum->high));
}
#else
static inline void chain_dot(struct chain_sum *sum, const real *a, const real *b, int64_t n)
{
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES)
        sum->low = vr_fma(vr_load(a + i), vr_load(b + i), sum->low);
    if (i < n)
        sum->low = vr_fma(vr_load_n(a + i, n - i), vr_load_n(b + i, n - i), sum->low);
}

static inline void chain_total(struct chain_sum *sum, const real *a, int64_t n)
{
    int64_t i = 0;
    for (; i + LANES <= n; i += LANES)
        sum->low = vr_add(sum->low, vr_load(a + i));
    if (i < n)
        sum->low = vr_add(sum->low, vr_load_n(a + i, n - i));
}

#define chain_row chain_total

static inline void chain_finish(const crdi_link *link, const struct chain_sum *sum)
{
    link->out[0] = vr_sum(sum->low);
}
#endif

/* ---- the kernel ------------------------------------------------------------------------------------------------- */

/* Where an operand has its element number `at`: further on, if it moves. One that a link lacks is NULL, to which C adds nothing, not
 * even 0. */
#define CHAIN_AT(operand, moving) (all || !(moving) ? (operand) : (operand) + at)

/* n elements from number `at` on. What log densities and their gradients are made of is written out, the rest called. `all`, which
 * the compiler knows: n is all there are, so that sums need no lanes that stay. */
static inline __attribute__((always_inline)) void chain_link(const crdi_link *link, int64_t at, int64_t n,
                                                             struct chain_sum *sum, int all)
{
    const real *a = CHAIN_AT(link->IN[0], link->moves[0]);
    const real *b = CHAIN_AT(link->IN[1], link->moves[1]);
    real *out = CHAIN_AT(link->OUT, link->moves[3]);
    switch (link->kernel) {
        CHAIN_UNARY(neg)
        CHAIN_UNARY(square)
        CHAIN_UNARY(reciprocal)
        CHAIN_BINARY(add)
        CHAIN_BINARY(sub)
        CHAIN_BINARY(mul)
        CHAIN_BINARY(div)
        CHAIN_BINARY(tanh_vjp)
        CHAIN_BINARY(sigmoid_vjp)
    case CRDI_K_sum:
        if (all)
            link->out[0] = wide_sum_of(a, n);
        else
            chain_total(sum, a, n);
        break;
    case CRDI_K_sum_rows:
        if (all)
            link->OUT[0] = sum_of(a, n);
        else
            chain_row(sum, a, n);
        break;
    case CRDI_K_sumsq:
        if (all)
            link->out[0] = wide_dot_of(a, a, n);
        else
            chain_dot(sum, a, a, n);
        break;
    case CRDI_K_dot:
        if (all)
            link->out[0] = wide_dot_of(a, b, n);
        else
            chain_dot(sum, a, b, n);
        break;
    default:
        chain_call(link->kernel, a, b, CHAIN_AT(link->IN[2], link->moves[2]), out, n);
    }
}

static void chain_tiles(const crdi_link *first, const crdi_link *end, int64_t n, int64_t sums)
{
    struct chain_sum sum[CRDI_CHAIN_SUMS + 1]; /* the last one is of links that are none */
    memset(sum, 0, sizeof *sum * (size_t)sums);
    for (int64_t at = 0; at < n; at += CRDI_CHAIN_TILE) {
        int64_t tile = n - at < CRDI_CHAIN_TILE ? n - at : CRDI_CHAIN_TILE;
        for (const crdi_link *link = first; link < end; link++)
            chain_link(link, at, tile, &sum[link->sum], 0);
    }
    for (const crdi_link *link = first; link < end; link++)
        if (link->sum < CRDI_CHAIN_SUMS)
            chain_finish(link, &sum[link->sum]);
}

/* n[1] links in order, in extra (crdi_link), over n[0] elements, n[3] of them sums; each computes what its kernel computes for
 * them. */
static void k_chain(const crdi_call *call)
{
    const crdi_link *first = call->extra, *end = first + call->n[1];
    if (call->n[0] > CRDI_CHAIN_TILE) {
        chain_tiles(first, end, call->n[0], call->n[3]);
        return;
    }
    for (const crdi_link *link = first; link < end; link++)
        chain_link(link, 0, call->n[0], NULL, 1);
}
