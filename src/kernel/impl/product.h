/* product.h - matrix products, small ones first: no packing, no call overhead, the last axis along the vector. */

/* What is multiplied: A[r, k] at a + r ra + k sa, B[k, i] at b + k sb + i, rows of the result n elements long, without
 * gaps. Each element is start[r] (NULL: 0) and the products in the order of k, one fma each. */
struct factors {
    const double *a, *b, *start;
    int64_t ra, sa, sb, depth, n;
};

static inline double start_of(const struct factors *f, int64_t r)
{
    return f->start ? f->start[r] : 0;
}

/* A tile of a product, `high` rows from r on by `wide` vectors from column i on: each vector of B is loaded once for all
 * rows. high, wide and relu are constants where it is called, so that the sums stay in registers. */
static inline __attribute__((always_inline)) void tile(double *out, const struct factors *f, int64_t r, int64_t i,
                                                       const int high, const int wide, const int relu)
{
    v8 sum[TILE_HIGH][TILE_WIDE];
    const double *a = f->a + r * f->ra, *b = f->b + i;
    for (int h = 0; h < high; h++)
        for (int w = 0; w < wide; w++)
            sum[h][w] = v8_set(start_of(f, r + h));
    for (int64_t k = 0; k < f->depth; k++, a += f->sa, b += f->sb) {
        v8 row[TILE_WIDE];
        for (int w = 0; w < wide; w++)
            row[w] = v8_load(b + w * CRDI_LANES);
        for (int h = 0; h < high; h++) {
            v8 factor = v8_set(a[h * f->ra]);
            for (int w = 0; w < wide; w++)
                sum[h][w] = v8_fma(factor, row[w], sum[h][w]);
        }
    }
    for (int h = 0; h < high; h++)
        for (int w = 0; w < wide; w++)
            v8_store(out + (r + h) * f->n + i + w * CRDI_LANES, relu ? v8_relu(sum[h][w]) : sum[h][w]);
}

/* The last columns, fewer than a vector, of one row. */
static inline void tile_rest(double *out, const struct factors *f, int64_t r, int64_t i, const int relu)
{
    v8 sum = v8_set(start_of(f, r));
    for (int64_t k = 0; k < f->depth; k++)
        sum = v8_fma(v8_set(f->a[r * f->ra + k * f->sa]), v8_load_n(f->b + k * f->sb + i, f->n - i), sum);
    v8_store_n(out + r * f->n + i, relu ? v8_relu(sum) : sum, f->n - i);
}

static inline __attribute__((always_inline)) void product_rows(double *out, const struct factors *f, int64_t r,
                                                               const int high, const int relu)
{
    int64_t i = 0;
    for (; i + TILE_WIDE * CRDI_LANES <= f->n; i += TILE_WIDE * CRDI_LANES)
        tile(out, f, r, i, high, TILE_WIDE, relu);
    for (; i + CRDI_LANES <= f->n; i += CRDI_LANES)
        tile(out, f, r, i, high, 1, relu);
    for (int h = 0; h < high && i < f->n; h++)
        tile_rest(out, f, r + h, i, relu);
}

static inline __attribute__((always_inline)) void product(double *out, const struct factors *f, int64_t rows,
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

/* C[r, i] = sum over k of A[r, k] B[k, i]. n = {columns, rows, depth}; A[r, k] at a + r s[0] + k s[1] (so that A may be
 * a transposed view), B[k, i] at b + k s[2] + i; C is contiguous. A batch is n[3] products with steps s[3], s[4] of A, B. */
static void k_matmul(const crdi_call *call)
{
    int64_t n = call->n[0], m = call->n[1], depth = call->n[2];
    for (int64_t t = 0; t < call->n[3]; t++) {
        struct factors f = {.a = call->in[0] + t * call->s[3], .ra = call->s[0], .sa = call->s[1]};
        f.b = call->in[1] + t * call->s[4];
        f.sb = call->s[2];
        f.depth = depth;
        f.n = n;
        product(call->out + t * m * n, &f, m, 0);
    }
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
static inline struct factors layer_of(const crdi_call *call)
{
    return (struct factors){call->in[0], call->in[1], call->in[2], 1, call->n[1], call->n[0], call->n[2], call->n[0]};
}

static void k_affine(const crdi_call *call)
{
    struct factors f = layer_of(call);
    product(call->out, &f, call->n[1], 0);
}

/* relu of that. */
static void k_affine_relu(const crdi_call *call)
{
    struct factors f = layer_of(call);
    product(call->out, &f, call->n[1], 1);
}
