/* dense.h - the gradient of a dense layer in one pass over its rows.
 *
 * A layer H = act(K' X + b) (units along the rows) feeds one with kernel L (units, outs), at whose output the gradient is
 * R (outs, n). With T = act'(L R, H):
 *     out      dK (inputs, units)    T's rows against X's
 *     more[0]  db (units)            sums of T's rows; may be NULL
 *     more[1]  T (units, n)          row u at u s[3]: s[3] = 0 keeps one row only; may be NULL for few inputs
 *     more[2]  dL (units, outs)      H's rows against R's; may be NULL for few outs
 * in = {L, R, H, X}; n = {n, units, inputs, outs, batch}; L[u, o] at l + u s[0] + o s[1], R's rows s[2] apart; steps of
 * a batch s[4] to s[7] of L, R, H, X, results without gaps. To the bit what matmul, act_vjp, matmul_nt and sum_rows give. */

enum { FEW_INPUTS = 4, FEW_OUTS = 4 };

#define ACT_VJP_tanh(g, h) v8_mul(g, v8_fnma(h, h, v8_set(1)))
#define ACT_VJP_sigmoid(g, h) v8_mul(g, v8_mul(h, v8_sub(v8_set(1), h)))
#define ACT_VJP_relu(g, h) v8_if_positive(h, g)

struct dense_back {
    int64_t n, units;
    const double *r, *x;
    int64_t l_out, r_row;
};

/* Eight columns of a unit, or the last `rest` of them. A tail's g is cut, because an infinite factor makes NaN of what is
 * not there. */
#define BACK_COLUMNS(act, LOAD, STORE, CUT)                                                                            \
    do {                                                                                                               \
        v8 g = v8_set(0), a = LOAD(h + i);                                                                             \
        for (int o = 0; o < outs; o++) {                                                                               \
            v8 b = LOAD(d->r + o * d->r_row + i);                                                                      \
            g = v8_fma(factor[o], b, g);                                                                               \
            pair[o] = v8_fma(a, b, pair[o]);                                                                           \
        }                                                                                                              \
        g = CUT(ACT_VJP_##act(g, a));                                                                                  \
        sum = v8_add(sum, g);                                                                                          \
        for (int k = 0; k < inputs; k++)                                                                               \
            dot[k] = v8_fma(LOAD(d->x + k * d->n + i), g, dot[k]);                                                     \
        if (t)                                                                                                         \
            STORE(t + i, g);                                                                                           \
    } while (0)
#define LOAD_REST(p) v8_load_n(p, rest)
#define STORE_REST(p, v) v8_store_n(p, v, rest)
#define CUT_REST(v) v8_first(v, rest)
#define CUT_NONE(v) v

/* One unit. inputs (0: none here) and outs are constants where it is called, so that sums stay in registers. */
#define DENSE_BACK_UNIT(act)                                                                                           \
    static inline __attribute__((always_inline)) void back_unit_##act(                                                 \
        const struct dense_back *d, const double *l, const double *h, double *t, double *dk, double *db, double *dl,   \
        const int inputs, const int outs)                                                                              \
    {                                                                                                                  \
        v8 sum = v8_set(0), dot[FEW_INPUTS], pair[FEW_OUTS], factor[FEW_OUTS];                                         \
        int64_t i = 0, rest = d->n % CRDI_LANES;                                                                       \
        for (int k = 0; k < inputs; k++)                                                                               \
            dot[k] = v8_set(0);                                                                                        \
        for (int o = 0; o < outs; o++) {                                                                               \
            pair[o] = v8_set(0);                                                                                       \
            factor[o] = v8_set(l[o * d->l_out]);                                                                       \
        }                                                                                                              \
        for (; i + CRDI_LANES <= d->n; i += CRDI_LANES)                                                                \
            BACK_COLUMNS(act, v8_load, v8_store, CUT_NONE);                                                            \
        if (rest)                                                                                                      \
            BACK_COLUMNS(act, LOAD_REST, STORE_REST, CUT_REST);                                                        \
        if (db)                                                                                                        \
            *db = v8_sum(sum);                                                                                         \
        for (int k = 0; k < inputs; k++)                                                                               \
            dk[k * d->units] = v8_sum(dot[k]);                                                                         \
        for (int o = 0; o < outs && dl; o++)                                                                           \
            dl[o] = v8_sum(pair[o]);                                                                                   \
    }

/* Many inputs: rows of x against the row of t that has just been made. */
static inline void back_inputs(const double *t, const double *x, int64_t n, int64_t inputs, double *dk, int64_t units)
{
    int64_t k = 0;
    for (double four[4]; k + 4 <= inputs; k += 4) {
        dots_of(four, t, x + k * n, n, n);
        for (int q = 0; q < 4; q++)
            dk[(k + q) * units] = four[q];
    }
    for (; k < inputs; k++)
        dk[k * units] = dot_of(t, x + k * n, n);
}

#define BACK_CASE(act, i, o)                                                                                           \
    case (i)*8 + (o):                                                                                                  \
        back_unit_##act(&d, l, h, t, dk, db, dl, i, o);                                                                \
        break;
#define BACK_CASES(act, i) BACK_CASE(act, i, 1) BACK_CASE(act, i, 2) BACK_CASE(act, i, 3) BACK_CASE(act, i, 4)

#define DENSE_BACK(act)                                                                                                \
    DENSE_BACK_UNIT(act)                                                                                               \
    static void k_dense_back_##act(const crdi_call *call)                                                              \
    {                                                                                                                  \
        int64_t n = call->n[0], units = call->n[1], inputs = call->n[2], outs = call->n[3];                            \
        int few = inputs <= FEW_INPUTS ? (int)inputs : 0;                                                              \
        for (int64_t b = 0; b < call->n[4]; b++) {                                                                     \
            struct dense_back d = {.n = n, .units = units, .l_out = call->s[1], .r_row = call->s[2]};                  \
            d.r = call->in[1] + b * call->s[5];                                                                        \
            d.x = call->in[3] + b * call->s[7];                                                                        \
            for (int64_t u = 0; u < units; u++) {                                                                      \
                const double *l = call->in[0] + b * call->s[4] + u * call->s[0];                                       \
                const double *h = call->in[2] + b * call->s[6] + u * n;                                                \
                double *t = call->more[1] ? call->more[1] + (call->s[3] ? b * units * n : 0) + u * call->s[3] : NULL;  \
                double *dk = call->out + b * inputs * units + u;                                                       \
                double *db = call->more[0] ? call->more[0] + b * units + u : NULL;                                     \
                double *dl = call->more[2] ? call->more[2] + (b * units + u) * outs : NULL;                            \
                switch (few * 8 + (int)outs) {                                                                         \
                    BACK_CASES(act, 0)                                                                                 \
                    BACK_CASES(act, 1)                                                                                 \
                    BACK_CASES(act, 2)                                                                                 \
                    BACK_CASES(act, 3)                                                                                 \
                    BACK_CASES(act, 4)                                                                                 \
                }                                                                                                      \
                if (few == 0)                                                                                          \
                    back_inputs(t, d.x, n, inputs, dk, units);                                                         \
            }                                                                                                          \
        }                                                                                                              \
    }

DENSE_BACK(tanh)
DENSE_BACK(sigmoid)
DENSE_BACK(relu)
