/* product.h - matrix products, small ones first: no packing, no call overhead, the last axis along the vector. */

/* One strip of a product: `wide` vectors of row `out` from column 0 on, out[i] = sum over k of a[k sa] b[k sb + i] in
 * the order of k, one fma each, starting from `start`. Written for constant `wide`, so that the sums stay in registers. */
static inline void strip(double *out, const double *a, int64_t sa, const double *b, int64_t sb, int64_t depth,
                         double start, const int wide)
{
    v8 sum[4];
    for (int w = 0; w < wide; w++)
        sum[w] = v8_set(start);
    for (int64_t k = 0; k < depth; k++) {
        v8 factor = v8_set(a[k * sa]);
        for (int w = 0; w < wide; w++)
            sum[w] = v8_fma(factor, v8_load(b + k * sb + w * CRDI_LANES), sum[w]);
    }
    for (int w = 0; w < wide; w++)
        v8_store(out + w * CRDI_LANES, sum[w]);
}

static inline void strip_rest(double *out, const double *a, int64_t sa, const double *b, int64_t sb, int64_t depth,
                              double start, int64_t n)
{
    v8 sum = v8_set(start);
    for (int64_t k = 0; k < depth; k++)
        sum = v8_fma(v8_set(a[k * sa]), v8_load_n(b + k * sb, n), sum);
    v8_store_n(out, sum, n);
}

static inline void product_row(double *out, const double *a, int64_t sa, const double *b, int64_t sb, int64_t depth,
                               double start, int64_t n)
{
    int64_t i = 0;
    for (; i + 4 * CRDI_LANES <= n; i += 4 * CRDI_LANES)
        strip(out + i, a, sa, b + i, sb, depth, start, 4);
    for (; i + CRDI_LANES <= n; i += CRDI_LANES)
        strip(out + i, a, sa, b + i, sb, depth, start, 1);
    if (i < n)
        strip_rest(out + i, a, sa, b + i, sb, depth, start, n - i);
}

/* A tile of a product, `high` rows (ra apart in A) by `wide` vectors: each vector of B is loaded once for all rows. */
static inline __attribute__((always_inline)) void tile(double *out, int64_t so, const double *a, int64_t ra, int64_t sa,
                                                       const double *b, int64_t sb, int64_t depth, const double *start,
                                                       const int high, const int wide)
{
    v8 sum[TILE_HIGH][TILE_WIDE];
    for (int r = 0; r < high; r++)
        for (int w = 0; w < wide; w++)
            sum[r][w] = v8_set(start ? start[r] : 0);
    for (int64_t k = 0; k < depth; k++) {
        v8 row[TILE_WIDE];
        for (int w = 0; w < wide; w++)
            row[w] = v8_load(b + k * sb + w * CRDI_LANES);
        for (int r = 0; r < high; r++) {
            v8 factor = v8_set(a[r * ra + k * sa]);
            for (int w = 0; w < wide; w++)
                sum[r][w] = v8_fma(factor, row[w], sum[r][w]);
        }
    }
    for (int r = 0; r < high; r++)
        for (int w = 0; w < wide; w++)
            v8_store(out + r * so + w * CRDI_LANES, sum[r][w]);
}

/* `high` rows of a product. */
static inline __attribute__((always_inline)) void product_rows(double *out, const double *a, int64_t ra, int64_t sa,
                                                               const double *b, int64_t sb, int64_t depth,
                                                               const double *start, int64_t n, const int high)
{
    int64_t i = 0;
    for (; i + TILE_WIDE * CRDI_LANES <= n; i += TILE_WIDE * CRDI_LANES)
        tile(out + i, n, a, ra, sa, b + i, sb, depth, start, high, TILE_WIDE);
    for (; i + CRDI_LANES <= n; i += CRDI_LANES)
        tile(out + i, n, a, ra, sa, b + i, sb, depth, start, high, 1);
    for (int r = 0; r < high && i < n; r++)
        strip_rest(out + r * n + i, a + r * ra, sa, b + i, sb, depth, start ? start[r] : 0, n - i);
}

/* out[r, i] = start[r] + sum over k of A[r, k] B[k, i], rows of out without gaps; start NULL: zeros. */
static inline void product(double *out, const double *a, int64_t ra, int64_t sa, const double *b, int64_t sb,
                           int64_t depth, const double *start, int64_t n, int64_t rows)
{
    int64_t r = 0;
    for (; r + TILE_HIGH <= rows; r += TILE_HIGH)
        product_rows(out + r * n, a + r * ra, ra, sa, b, sb, depth, start ? start + r : NULL, n, TILE_HIGH);
    if (r + 3 == rows) {
        product_rows(out + r * n, a + r * ra, ra, sa, b, sb, depth, start ? start + r : NULL, n, 3);
        return;
    }
    if (r + 2 <= rows) {
        product_rows(out + r * n, a + r * ra, ra, sa, b, sb, depth, start ? start + r : NULL, n, 2);
        r += 2;
    }
    for (; r < rows; r++)
        product_row(out + r * n, a + r * ra, sa, b, sb, depth, start ? start[r] : 0, n);
}

/* C[r, i] = sum over k of A[r, k] B[k, i]. n = {columns, rows, depth}; A[r, k] at a + r s[0] + k s[1] (so that A may be
 * a transposed view), B[k, i] at b + k s[2] + i; C is contiguous. A batch is n[3] products with steps s[3], s[4] of A, B. */
static void k_matmul(const crdi_call *call)
{
    int64_t n = call->n[0], m = call->n[1], depth = call->n[2];
    for (int64_t t = 0; t < call->n[3]; t++)
        product(call->out + t * m * n, call->in[0] + t * call->s[3], call->s[0], call->s[1],
                call->in[1] + t * call->s[4], call->s[2], depth, NULL, n, m);
}

/* C[r, i] = sum over k of A[r, k] B[i, k]: rows against rows, summed in lanes. n = {columns, rows, depth, batch}; row r
 * of A at a + r s[0], row i of B at b + i s[1]; batch steps s[3], s[4]. */
static void k_matmul_nt(const crdi_call *call)
{
    int64_t n = call->n[0], m = call->n[1], depth = call->n[2];
    for (int64_t t = 0; t < call->n[3]; t++) {
        const double *a = call->in[0] + t * call->s[3], *b = call->in[1] + t * call->s[4];
        for (int64_t r = 0; r < m; r++) {
            const double *row = a + r * call->s[0];
            double *out = call->out + (t * m + r) * n;
            int64_t i = 0;
            for (; i + 4 <= n; i += 4)
                dots_of(out + i, row, b + i * call->s[1], call->s[1], depth);
            for (; i < n; i++)
                out[i] = dot_of(row, b + i * call->s[1], depth);
        }
    }
}

/* A dense layer with the units along the rows: out[u, i] = bias[u] + sum over k of K[k, u] X[k, i].
 * in = {K (inputs, units), X (inputs, n), bias (units)}; n = {n, units, inputs}. */
static void k_affine(const crdi_call *call)
{
    int64_t n = call->n[0], units = call->n[1], inputs = call->n[2];
    product(call->out, call->in[0], 1, units, call->in[1], n, inputs, call->in[2], n, units);
}
