/* dense.h - the gradient of a dense layer in one pass over its rows.
 *
 * A layer H = act(K' X + b) (units along the rows) feeds one with kernel L (units, outs), at whose output the gradient is
 * R (outs, n). With T = act'(L R, H):
 *     out      dK (inputs, units)    T's rows against X's
 *     more[0]  db (units)            sums of T's rows; may be NULL
 *     more[1]  T (units, n)          row u at u s[3]: s[3] = 0 keeps one row only; may be NULL for few inputs
 *     more[2]  dL (units, outs)      H's rows against R's; may be NULL for few outs
 * in = {L, R, H, X}; n = {n, units, inputs, outs}; L[u, o] at l + u s[0] + o s[1], R's rows s[2] apart, results without
 * gaps. To the bit what matmul, act_vjp, matmul_nt and sum_rows give. */

enum { FEW_INPUTS = 4, FEW_OUTS = 4, BACK_MOST = BACK_UNITS * (1 + FEW_INPUTS + FEW_OUTS) + 3 };

#define ACT_VJP_tanh(g, h) vr_mul(g, vr_fnma(h, h, vr_set(1)))
#define ACT_VJP_sigmoid(g, h) vr_mul(g, vr_mul(h, vr_sub(vr_set(1), h)))
#define ACT_VJP_relu(g, h) vr_if_positive(h, g)

struct dense_back {
    int64_t n, units;
    const real *r, *x;
    int64_t l_unit, l_out, r_row;
};

/* A vector of columns of `count` units, or the last `rest` of them. A tail's g is cut, because an infinite factor makes NaN of
 * what is not there. */
#define BACK_COLUMNS(act, LOAD, STORE, CUT)                                                                            \
    do {                                                                                                               \
        vr a[BACK_UNITS], g[BACK_UNITS];                                                                               \
        for (int u = 0; u < count; u++) {                                                                              \
            a[u] = LOAD(h + u * d->n + i);                                                                             \
            g[u] = vr_set(0);                                                                                          \
        }                                                                                                              \
        for (int o = 0; o < outs; o++) {                                                                               \
            vr b = LOAD(d->r + o * d->r_row + i);                                                                      \
            for (int u = 0; u < count; u++) {                                                                          \
                g[u] = vr_fma(factor[u][o], b, g[u]);                                                                  \
                pair[u][o] = vr_fma(a[u], b, pair[u][o]);                                                              \
            }                                                                                                          \
        }                                                                                                              \
        for (int u = 0; u < count; u++) {                                                                              \
            g[u] = CUT(ACT_VJP_##act(g[u], a[u]));                                                                     \
            sum[u] = vr_add(sum[u], g[u]);                                                                             \
            if (t)                                                                                                     \
                STORE(t + u * t_step + i, g[u]);                                                                       \
        }                                                                                                              \
        for (int k = 0; k < inputs; k++) {                                                                             \
            vr x = LOAD(d->x + k * d->n + i);                                                                          \
            for (int u = 0; u < count; u++)                                                                            \
                dot[u][k] = vr_fma(x, g[u], dot[u][k]);                                                                \
        }                                                                                                              \
    } while (0)
#define LOAD_REST(p) vr_load_n(p, rest)
#define STORE_REST(p, v) vr_store_n(p, v, rest)
#define CUT_REST(v) vr_first(v, rest)
#define CUT_NONE(v) v

/* Units from one on. count, inputs (0: none here) and outs are constants where it is called, so that sums stay in
 * registers; two units at once load R and X once for both. */
#define DENSE_BACK_UNITS(act)                                                                                          \
    static inline __attribute__((always_inline)) void back_units_##act(                                                \
        const struct dense_back *d, const real *l, const real *h, real *t, int64_t t_step, real *dk, real *db,         \
        real *dl, const int inputs, const int outs, const int count)                                                   \
    {                                                                                                                  \
        vr sum[BACK_UNITS], dot[BACK_UNITS][FEW_INPUTS], pair[BACK_UNITS][FEW_OUTS], factor[BACK_UNITS][FEW_OUTS];     \
        int64_t i = 0, rest = d->n % LANES;                                                                            \
        for (int u = 0; u < count; u++) {                                                                              \
            sum[u] = vr_set(0);                                                                                        \
            for (int k = 0; k < inputs; k++)                                                                           \
                dot[u][k] = vr_set(0);                                                                                 \
            for (int o = 0; o < outs; o++) {                                                                           \
                pair[u][o] = vr_set(0);                                                                                \
                factor[u][o] = vr_set(l[u * d->l_unit + o * d->l_out]);                                                \
            }                                                                                                          \
        }                                                                                                              \
        for (; i + LANES <= d->n; i += LANES)                                                                          \
            BACK_COLUMNS(act, vr_load, vr_store, CUT_NONE);                                                            \
        if (rest)                                                                                                      \
            BACK_COLUMNS(act, LOAD_REST, STORE_REST, CUT_REST);                                                        \
        vr all[BACK_MOST];                                                                                             \
        real total[BACK_MOST];                                                                                         \
        int each = 1 + inputs + outs;                                                                                  \
        for (int u = 0; u < count; u++) {                                                                              \
            all[u * each] = sum[u];                                                                                    \
            for (int k = 0; k < inputs; k++)                                                                           \
                all[u * each + 1 + k] = dot[u][k];                                                                     \
            for (int o = 0; o < outs; o++)                                                                             \
                all[u * each + 1 + inputs + o] = pair[u][o];                                                           \
        }                                                                                                              \
        for (int q = 0; q < 3; q++)                                                                                    \
            all[count * each + q] = sum[0]; /* to be four */                                                           \
        for (int q = 0; q < count * each; q += 4)                                                                      \
            vr_sum4(total + q, all[q], all[q + 1], all[q + 2], all[q + 3]);                                            \
        for (int u = 0; u < count; u++) {                                                                              \
            if (db)                                                                                                    \
                db[u] = total[u * each];                                                                               \
            for (int k = 0; k < inputs; k++)                                                                           \
                dk[k * d->units + u] = total[u * each + 1 + k];                                                        \
            for (int o = 0; o < outs && dl; o++)                                                                       \
                dl[u * outs + o] = total[u * each + 1 + inputs + o];                                                   \
        }                                                                                                              \
    }

/* Many inputs: rows of x against the row of t that has just been made. */
static inline void back_inputs(const real *t, const real *x, int64_t n, int64_t inputs, real *dk, int64_t units)
{
    int64_t k = 0;
    for (real four[4]; k + 4 <= inputs; k += 4) {
        dots_of(four, t, x + k * n, n, n);
        for (int q = 0; q < 4; q++)
            dk[(k + q) * units] = four[q];
    }
    for (; k < inputs; k++)
        dk[k * units] = dot_of(t, x + k * n, n);
}

/* What is not worth code of its own: the same with loops over inputs and outs that are no constants. */
#define BACK_OTHER(act)                                                                                                \
    static                                                                                                             \
        __attribute__((noinline)) void back_other_##act(const struct dense_back *d, const real *l, const real *h,      \
                                                        real *t, real *dk, real *db, real *dl, int inputs, int outs)   \
    {                                                                                                                  \
        back_units_##act(d, l, h, t, 0, dk, db, dl, inputs, outs, 1);                                                  \
    }

#define BACK_CASE(act, i, o, two)                                                                                      \
    case (i)*8 + (o):                                                                                                  \
        if (two && u + 2 <= units) {                                                                                   \
            back_units_##act(&d, l, h, t, call->s[3], dk, db, dl, i, o, BACK_UNITS);                                   \
            u += BACK_UNITS;                                                                                           \
        } else {                                                                                                       \
            back_units_##act(&d, l, h, t, call->s[3], dk, db, dl, i, o, 1);                                            \
            u++;                                                                                                       \
        }                                                                                                              \
        break;
#if CRDI_BACK_CASES
#define BACK_CASES(act)                                                                                                \
    BACK_CASE(act, 0, 1, 0)                                                                                            \
    BACK_CASE(act, 1, 1, BACK_UNITS == 2)                                                                              \
    BACK_CASE(act, 1, 2, BACK_UNITS == 2)                                                                              \
    BACK_CASE(act, 2, 1, BACK_UNITS == 2)                                                                              \
    BACK_CASE(act, 2, 2, BACK_UNITS == 2)                                                                              \
    BACK_CASE(act, 2, 3, BACK_UNITS == 2)
#else
#define BACK_CASES(act)
#endif

#define DENSE_BACK(act)                                                                                                \
    DENSE_BACK_UNITS(act)                                                                                              \
    BACK_OTHER(act)                                                                                                    \
    static void k_dense_back_##act(const crdi_call *call)                                                              \
    {                                                                                                                  \
        int64_t n = call->n[0], units = call->n[1], inputs = call->n[2], outs = call->n[3];                            \
        int few = inputs <= FEW_INPUTS ? (int)inputs : 0;                                                              \
        struct dense_back d = {.n = n, .units = units, .r = call->IN[1], .x = call->IN[3]};                            \
        d.l_unit = call->s[0];                                                                                         \
        d.l_out = call->s[1];                                                                                          \
        d.r_row = call->s[2];                                                                                          \
        for (int64_t u = 0, first; u < units;) {                                                                       \
            const real *l = call->IN[0] + u * d.l_unit, *h = call->IN[2] + u * n;                                      \
            real *t = call->MORE[1] ? call->MORE[1] + u * call->s[3] : NULL;                                           \
            real *dk = call->OUT + u, *db = call->MORE[0] ? call->MORE[0] + u : NULL;                                  \
            real *dl = call->MORE[2] ? call->MORE[2] + u * outs : NULL;                                                \
            first = u;                                                                                                 \
            switch (few * 8 + (int)outs) {                                                                             \
                BACK_CASES(act)                                                                                        \
            default:                                                                                                   \
                back_other_##act(&d, l, h, t, dk, db, dl, few, (int)outs);                                             \
                u++;                                                                                                   \
                break;                                                                                                 \
            }                                                                                                          \
            if (few == 0)                                                                                              \
                back_inputs(t, d.x, n, inputs, call->OUT + first, units);                                              \
        }                                                                                                              \
    }

DENSE_BACK(tanh)
DENSE_BACK(sigmoid)
DENSE_BACK(relu)
