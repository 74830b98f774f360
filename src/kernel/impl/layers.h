/* layers.h - a layer, its activation and a narrow layer on it, in one pass over the columns: what the first two give never leaves
 * the nearest lines of the cache.
 *
 *     out[o, i] = c[o] + sum over u of L[u, o] act(b[u] + sum over k of K[k, u] X[k, i])
 *
 * in = {K (inputs, units), X (inputs, n), b (units), L (units, outs), c (outs)}; n = {n, units, inputs, outs}, inputs and outs at
 * most CRDI_LAYERS_INPUTS and CRDI_LAYERS_OUTS. To the bit what affine, act, affine give. */

enum { LAYERS_WIDE = 4 };

/* `wide` vectors of columns from x on, whose rows are x_row apart, for `count` columns of the result. wide and outs are constants
 * where it is called, so that the sums stay in registers. */
#define LAYERS_STRIP(act)                                                                                              \
    static inline __attribute__((always_inline)) void layers_strip_##act(                                              \
        const crdi_call *call, const real *x, int64_t x_row, real *out, int64_t count, const int wide, const int outs) \
    {                                                                                                                  \
        const real *k_column = call->IN[0], *b = call->IN[2], *l = call->IN[3], *c = call->IN[4];                      \
        int64_t n = call->n[0], units = call->n[1], inputs = call->n[2];                                               \
        _Alignas(64) real h[LAYERS_WIDE * LANES];                                                                      \
        vr sum[CRDI_LAYERS_OUTS][LAYERS_WIDE];                                                                         \
        for (int o = 0; o < outs; o++)                                                                                 \
            for (int w = 0; w < wide; w++)                                                                             \
                sum[o][w] = vr_set(c[o]);                                                                              \
        for (int64_t u = 0; u < units; u++, k_column++, l += outs) {                                                   \
            vr before[LAYERS_WIDE];                                                                                    \
            for (int w = 0; w < wide; w++)                                                                             \
                before[w] = vr_set(b[u]);                                                                              \
            for (int64_t k = 0; k < inputs; k++) {                                                                     \
                vr factor = vr_set(k_column[k * units]);                                                               \
                for (int w = 0; w < wide; w++)                                                                         \
                    before[w] = vr_fma(factor, vr_load(x + k * x_row + w * LANES), before[w]);                         \
            }                                                                                                          \
            for (int w = 0; w < wide; w++)                                                                             \
                vr_store(h + w * LANES, before[w]);                                                                    \
            _Pragma("omp simd")                                                                                        \
            for (int j = 0; j < wide * LANES; j++)                                                                     \
                h[j] = VM(act)(h[j]);                                                                                  \
            for (int o = 0; o < outs; o++) {                                                                           \
                vr factor = vr_set(l[o]);                                                                              \
                for (int w = 0; w < wide; w++)                                                                         \
                    sum[o][w] = vr_fma(factor, vr_load(h + w * LANES), sum[o][w]);                                     \
            }                                                                                                          \
        }                                                                                                              \
        for (int o = 0; o < outs; o++)                                                                                 \
            for (int w = 0; w < wide; w++)                                                                             \
                if (count < wide * LANES)                                                                              \
                    vr_store_n(out + o * n, sum[o][w], count);                                                         \
                else                                                                                                   \
                    vr_store(out + o * n + w * LANES, sum[o][w]);                                                      \
    }

/* The last columns, fewer than a vector, are a vector with zeros behind them. */
#define LAYERS_COLUMNS(act)                                                                                            \
    static inline __attribute__((always_inline)) void layers_columns_##act(const crdi_call *call, const int outs)      \
    {                                                                                                                  \
        int64_t n = call->n[0], inputs = call->n[2], i = 0;                                                            \
        const real *x = call->IN[1];                                                                                   \
        real last[CRDI_LAYERS_INPUTS * LANES] = {0};                                                                   \
        for (; i + LAYERS_WIDE * LANES <= n; i += LAYERS_WIDE * LANES)                                                 \
            layers_strip_##act(call, x + i, n, call->OUT + i, LAYERS_WIDE * LANES, LAYERS_WIDE, outs);                 \
        for (; i + LANES <= n; i += LANES)                                                                             \
            layers_strip_##act(call, x + i, n, call->OUT + i, LANES, 1, outs);                                         \
        if (i == n)                                                                                                    \
            return;                                                                                                    \
        for (int64_t k = 0; k < inputs; k++)                                                                           \
            memcpy(last + k * LANES, x + k * n + i, sizeof(real) * (size_t)(n - i));                                   \
        layers_strip_##act(call, last, LANES, call->OUT + i, n - i, 1, outs);                                          \
    }

#define LAYERS(act)                                                                                                    \
    LAYERS_STRIP(act)                                                                                                  \
    LAYERS_COLUMNS(act)                                                                                                \
    static void k_layers_##act(const crdi_call *call)                                                                  \
    {                                                                                                                  \
        switch (call->n[3]) {                                                                                          \
        case 1:                                                                                                        \
            layers_columns_##act(call, 1);                                                                             \
            break;                                                                                                     \
        case 2:                                                                                                        \
            layers_columns_##act(call, 2);                                                                             \
            break;                                                                                                     \
        default:                                                                                                       \
            layers_columns_##act(call, 3);                                                                             \
            break;                                                                                                     \
        }                                                                                                              \
    }

LAYERS(tanh)
LAYERS(sigmoid)
