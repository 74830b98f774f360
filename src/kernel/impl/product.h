/* product.h - matrix products, small ones first: no packing, no call overhead, the last axis along the vector. */

/* What is multiplied: A[r, k] at a + r ra + k sa, B[k, i] at b + k sb + i, rows of the result n elements long, without
 * gaps. Each element is start[r] (NULL: 0) and the products in the order of k, one fma each. */
struct factors {
    const real *a, *b, *start;
    int64_t ra, sa, sb, depth, n;
};

static inline real start_of(const struct factors *f, int64_t r)
{
    return f->start ? f->start[r] : 0;
}

/* A tile of a product, `high` rows from r on by `wide` vectors from column i on: each vector of B is loaded once for all
 * rows. high, wide and relu are constants where it is called, so that the sums stay in registers. */
static inline __attribute__((always_inline)) void tile(real *out, const struct factors *f, int64_t r, int64_t i,
                                                       const int high, const int wide, const int relu)
{
    vr sum[TILE_HIGH][TILE_WIDE];
    const real *a = f->a + r * f->ra, *b = f->b + i;
    for (int h = 0; h < high; h++)
        for (int w = 0; w < wide; w++)
            sum[h][w] = vr_set(start_of(f, r + h));
    for (int64_t k = 0; k < f->depth; k++, a += f->sa, b += f->sb) {
        vr row[TILE_WIDE];
        for (int w = 0; w < wide; w++)
            row[w] = vr_load(b + w * LANES);
        for (int h = 0; h < high; h++) {
            vr factor = vr_set(a[h * f->ra]);
            for (int w = 0; w < wide; w++)
                sum[h][w] = vr_fma(factor, row[w], sum[h][w]);
        }
    }
    for (int h = 0; h < high; h++)
        for (int w = 0; w < wide; w++)
            vr_store(out + (r + h) * f->n + i + w * LANES, relu ? vr_relu(sum[h][w]) : sum[h][w]);
}

/* The last columns: the same, of the last vector only `last` elements. */
static inline __attribute__((always_inline)) void tile_rest(real *out, const struct factors *f, int64_t r, int64_t i,
                                                            const int high, const int wide, const int relu)
{
    vr sum[TILE_HIGH][TILE_WIDE];
    const real *a = f->a + r * f->ra, *b = f->b + i;
    int64_t last = f->n - i - (wide - 1) * LANES;
    for (int h = 0; h < high; h++)
        for (int w = 0; w < wide; w++)
            sum[h][w] = vr_set(start_of(f, r + h));
    for (int64_t k = 0; k < f->depth; k++, a += f->sa, b += f->sb) {
        vr row[TILE_WIDE];
        for (int w = 0; w < wide - 1; w++)
            row[w] = vr_load(b + w * LANES);
        row[wide - 1] = vr_load_n(b + (wide - 1) * LANES, last);
        for (int h = 0; h < high; h++) {
            vr factor = vr_set(a[h * f->ra]);
            for (int w = 0; w < wide; w++)
                sum[h][w] = vr_fma(factor, row[w], sum[h][w]);
        }
    }
    for (int h = 0; h < high; h++) {
        real *to = out + (r + h) * f->n + i;
        for (int w = 0; w < wide - 1; w++)
            vr_store(to + w * LANES, relu ? vr_relu(sum[h][w]) : sum[h][w]);
        vr_store_n(to + (wide - 1) * LANES, relu ? vr_relu(sum[h][wide - 1]) : sum[h][wide - 1], last);
    }
}

static inline __attribute__((always_inline)) void product_rows(real *out, const struct factors *f, int64_t r,
                                                               const int high, const int relu)
{
    int64_t i = 0;
    for (; i + TILE_WIDE * LANES <= f->n; i += TILE_WIDE * LANES)
        tile(out, f, r, i, high, TILE_WIDE, relu);
    switch ((f->n - i + LANES - 1) / LANES) {
#if CRDI_TILE_WIDE == 4
    case 4:
        tile_rest(out, f, r, i, high, 4, relu);
        break;
    case 3:
        tile_rest(out, f, r, i, high, 3, relu);
        break;
    case 2:
        tile_rest(out, f, r, i, high, 2, relu);
        break;
#endif
    case 1:
        tile_rest(out, f, r, i, high, 1, relu);
        break;
    default:
        break;
    }
}

static inline __attribute__((always_inline)) void product(real *out, const struct factors *f, int64_t rows,
                                                          const int relu)
{
    int64_t r = 0;
    for (; r + TILE_HIGH <= rows; r += TILE_HIGH)
        product_rows(out, f, r, TILE_HIGH, relu);
    switch (rows - r) {
    case 3:
        product_rows(out, f, r, 3, relu);
        break;
    case 2:
        product_rows(out, f, r, 2, relu);
        break;
    case 1:
        product_rows(out, f, r, 1, relu);
        break;
    default:
        break;
    }
}

/* ---- large products --------------------------------------------------------------------------------------------
 *
 * A block of B, DEEP rows by ACROSS columns, is packed so that tiles read it from one end to the other out of the
 * second-level cache; the sums of a tile go on from what the block before has left in the result, so that every element is
 * still the products in the order of k. Goto & van de Geijn 2008 (doi:10.1145/1356052.1356053) say why this order. */

enum { DEEP = 192, ACROSS = 32 * LANES, LARGE = 64 * 64 * 64 };

/* `high` rows from row r on, columns i .. i + width - 1 (width a multiple of the lanes), terms k .. k + deep - 1. */
static inline __attribute__((always_inline)) void block_tile(real *out, const struct factors *f, int64_t r, int64_t i,
                                                             int64_t k, int64_t deep, const real *packed,
                                                             const int high, const int wide, const int relu)
{
    vr sum[TILE_HIGH][TILE_WIDE];
    const real *a = f->a + r * f->ra + k * f->sa;
    real *c = out + r * f->n + i;
    int last = relu && k + deep == f->depth;
    for (int h = 0; h < high; h++)
        for (int w = 0; w < wide; w++)
            sum[h][w] = k == 0 ? vr_set(start_of(f, r + h)) : vr_load(c + h * f->n + w * LANES);
    for (int64_t j = 0; j < deep; j++, a += f->sa, packed += wide * LANES) {
        vr row[TILE_WIDE];
        for (int w = 0; w < wide; w++)
            row[w] = vr_load(packed + w * LANES);
        for (int h = 0; h < high; h++) {
            vr factor = vr_set(a[h * f->ra]);
            for (int w = 0; w < wide; w++)
                sum[h][w] = vr_fma(factor, row[w], sum[h][w]);
        }
    }
    for (int h = 0; h < high; h++)
        for (int w = 0; w < wide; w++)
            vr_store(c + h * f->n + w * LANES, last ? vr_relu(sum[h][w]) : sum[h][w]);
}

/* Columns of B in strips as wide as a tile, each strip row after row. */
static void pack(real *packed, const struct factors *f, int64_t i, int64_t width, int64_t k, int64_t deep)
{
    for (int64_t strip = 0; strip < width; strip += TILE_WIDE * LANES)
        for (int64_t j = 0; j < deep; j++, packed += TILE_WIDE * LANES)
            memcpy(packed, f->b + (k + j) * f->sb + i + strip, TILE_WIDE * LANES * sizeof(real));
}

static void product_large(real *out, const struct factors *f, int64_t rows, const int relu)
{
    enum { STRIP = TILE_WIDE * LANES };
    _Alignas(64) real packed[DEEP * ACROSS];
    int64_t whole = f->n / STRIP * STRIP;
    for (int64_t i = 0; i < whole; i += ACROSS) {
        int64_t width = whole - i < ACROSS ? whole - i : ACROSS;
        for (int64_t k = 0; k < f->depth; k += DEEP) {
            int64_t deep = f->depth - k < DEEP ? f->depth - k : DEEP;
            pack(packed, f, i, width, k, deep);
            int64_t r = 0;
            for (; r + TILE_HIGH <= rows; r += TILE_HIGH)
                for (int64_t s = 0; s < width; s += STRIP)
                    block_tile(out, f, r, i + s, k, deep, packed + s * deep, TILE_HIGH, TILE_WIDE, relu);
            for (; r < rows; r++)
                for (int64_t s = 0; s < width; s += STRIP)
                    block_tile(out, f, r, i + s, k, deep, packed + s * deep, 1, TILE_WIDE, relu);
        }
    }
    for (int64_t r = 0; r < rows && whole < f->n; r++) {
        int64_t i = whole;
        for (; i + LANES <= f->n; i += LANES)
            tile(out, f, r, i, 1, 1, relu);
        if (i < f->n)
            tile_rest(out, f, r, i, 1, 1, relu);
    }
}

static inline void product_any(real *out, const struct factors *f, int64_t rows, const int relu)
{
    if (f->depth > 0 && rows >= TILE_HIGH && f->depth * f->n * rows >= LARGE)
        product_large(out, f, rows, relu);
    else
        product(out, f, rows, relu);
}

/* C[r, i] = sum over k of A[r, k] B[k, i]. n = {columns, rows, depth}; A[r, k] at a + r s[0] + k s[1] (so that A may be
 * a transposed view), B[k, i] at b + k s[2] + i; C is contiguous. A batch is n[3] products with steps s[3], s[4] of A, B. */
static void k_matmul(const crdi_call *call)
{
    int64_t n = call->n[0], m = call->n[1], depth = call->n[2];
    for (int64_t t = 0; t < call->n[3]; t++) {
        struct factors f = {.a = call->IN[0] + t * call->s[3], .ra = call->s[0], .sa = call->s[1]};
        f.b = call->IN[1] + t * call->s[4];
        f.sb = call->s[2];
        f.depth = depth;
        f.n = n;
        product_any(call->OUT + t * m * n, &f, m, 0);
    }
}

/* DOT_HIGH rows of A against as many of B, terms k .. end - 1 (k a multiple of the lanes): each vector is loaded once for
 * all. The lanes go on from what `kept` holds, and are left there. */
static inline void dot_tile(vr kept[DOT_HIGH * DOT_HIGH], const real *a, int64_t sa, const real *b, int64_t sb,
                            int64_t k, int64_t end)
{
    vr sum[DOT_HIGH][DOT_HIGH], row[DOT_HIGH];
    for (int h = 0; h < DOT_HIGH; h++)
        for (int w = 0; w < DOT_HIGH; w++)
            sum[h][w] = kept[h * DOT_HIGH + w];
    for (; k + LANES <= end; k += LANES) {
        for (int w = 0; w < DOT_HIGH; w++)
            row[w] = vr_load(b + w * sb + k);
        for (int h = 0; h < DOT_HIGH; h++) {
            vr x = vr_load(a + h * sa + k);
            for (int w = 0; w < DOT_HIGH; w++)
                sum[h][w] = vr_fma(x, row[w], sum[h][w]);
        }
    }
    for (int h = 0; h < DOT_HIGH && k < end; h++) {
        vr x = vr_load_n(a + h * sa + k, end - k);
        for (int w = 0; w < DOT_HIGH; w++)
            sum[h][w] = vr_fma(x, vr_load_n(b + w * sb + k, end - k), sum[h][w]);
    }
    for (int h = 0; h < DOT_HIGH; h++)
        for (int w = 0; w < DOT_HIGH; w++)
            kept[h * DOT_HIGH + w] = sum[h][w];
}

/* The sums of a tile's lanes, rows of the result n apart. */
static inline void store_dots(real *out, const vr *kept, int64_t n)
{
#if CRDI_DOT_HIGH == 4
    for (int h = 0; h < 4; h++)
        vr_sum4(out + h * n, kept[4 * h], kept[4 * h + 1], kept[4 * h + 2], kept[4 * h + 3]);
#else
    for (int q = 0; q < DOT_HIGH * DOT_HIGH; q++)
        out[q / DOT_HIGH * n + q % DOT_HIGH] = vr_sum(kept[q]);
#endif
}

static inline void dots_of_row(real *out, const real *row, const real *b, int64_t sb, int64_t depth, int64_t n)
{
    int64_t i = 0;
    for (; i + 4 <= n; i += 4)
        dots_of(out + i, row, b + i * sb, sb, depth);
    for (; i < n; i++)
        out[i] = dot_of(row, b + i * sb, depth);
}

enum { DOT_ROWS = 64, DOT_DEEP = 64 * LANES };

/* Up to DOT_ROWS rows of A, which stay in the second-level cache while B goes by; terms in stretches, so that those of some
 * rows of B stay in the first while A's go by. */
static void dots_block(real *out, const real *a, int64_t sa, const real *b, int64_t sb, int64_t depth, int64_t n,
                       int64_t high)
{
    vr kept[DOT_ROWS / DOT_HIGH][DOT_HIGH * DOT_HIGH];
    int64_t tiles = high / DOT_HIGH, i = 0;
    for (; i + DOT_HIGH <= n && tiles > 0; i += DOT_HIGH) {
        for (int64_t t = 0; t < tiles; t++)
            for (int q = 0; q < DOT_HIGH * DOT_HIGH; q++)
                kept[t][q] = vr_set(0);
        for (int64_t k = 0; k < depth; k += DOT_DEEP)
            for (int64_t t = 0; t < tiles; t++)
                dot_tile(kept[t], a + t * DOT_HIGH * sa, sa, b + i * sb, sb, k,
                         depth - k < DOT_DEEP ? depth : k + DOT_DEEP);
        for (int64_t t = 0; t < tiles; t++)
            store_dots(out + t * DOT_HIGH * n + i, kept[t], n);
    }
    for (int64_t r = 0; r < high; r++) { /* what the tiles have left out */
        int64_t from = r < tiles * DOT_HIGH ? i : 0;
        dots_of_row(out + r * n + from, a + r * sa, b + from * sb, sb, depth, n - from);
    }
}

/* C[r, i] = sum over k of A[r, k] B[i, k]: rows against rows, summed in lanes. n = {columns, rows, depth, batch}; row r
 * of A at a + r s[0], row i of B at b + i s[1]; batch steps s[3], s[4]. */
static void k_matmul_nt(const crdi_call *call)
{
    int64_t n = call->n[0], m = call->n[1], depth = call->n[2];
    for (int64_t t = 0; t < call->n[3]; t++) {
        const real *a = call->IN[0] + t * call->s[3], *b = call->IN[1] + t * call->s[4];
        for (int64_t r = 0; r < m; r += DOT_ROWS)
            dots_block(call->OUT + (t * m + r) * n, a + r * call->s[0], call->s[0], b, call->s[1], depth, n,
                       m - r < DOT_ROWS ? m - r : DOT_ROWS);
    }
}

/* A dense layer with the units along the rows: out[u, i] = bias[u] + sum over k of K[k, u] X[k, i].
 * in = {K (inputs, units), X (inputs, n), bias (units)}; n = {n, units, inputs}. */
static inline struct factors layer_of(const crdi_call *call)
{
    return (struct factors){call->IN[0], call->IN[1], call->IN[2], 1, call->n[1], call->n[0], call->n[2], call->n[0]};
}

static void k_affine(const crdi_call *call)
{
    struct factors f = layer_of(call);
    product_any(call->OUT, &f, call->n[1], 0);
}

/* relu of that. */
static void k_affine_relu(const crdi_call *call)
{
    struct factors f = layer_of(call);
    product_any(call->OUT, &f, call->n[1], 1);
}
