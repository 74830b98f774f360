/* dense.c - matrices by rows: products, Cholesky factor and solves through the kernels. */
#include "infer/laplace/laplace.h"
#include "kernel/kernel.h"

#include <math.h>
#include <string.h>

static void run(const crdi_laplace *l, int kernel, const crdi_call *call)
{
    const crdi_kernel_table *kernels = crdi_context_kernels(l->ctx);
    kernels->kernel[kernel](call);
}

void crdi_dense_multiply_nt(const crdi_laplace *l, const double *a, const double *b, int64_t rows, int64_t columns,
                            int64_t depth, double *out)
{
    run(l, CRDI_K_matmul_nt,
        &(crdi_call){.out = out, .in = {a, b}, .n = {columns, rows, depth, 1}, .s = {depth, depth}});
}

void crdi_dense_multiply(const crdi_laplace *l, const double *a, bool transposed, const double *b, int64_t rows,
                         int64_t columns, int64_t depth, double *out)
{
    run(l, CRDI_K_matmul,
        &(crdi_call){.out = out,
                     .in = {a, b},
                     .n = {columns, rows, depth, 1},
                     .s = {transposed ? 1 : depth, transposed ? rows : 1, columns}});
}

enum { BLOCK = 64 }; /* rows and columns that go through the products together */

/* out (rows, columns) = a b' with rows of a and b apart from each other. */
static void multiply_nt_apart(const crdi_laplace *l, const double *a, const double *b, int64_t apart, int64_t rows,
                              int64_t columns, int64_t depth, double *out)
{
    run(l, CRDI_K_matmul_nt,
        &(crdi_call){.out = out, .in = {a, b}, .n = {columns, rows, depth, 1}, .s = {apart, apart}});
}

/* Columns `from` to `to` of the factor, rows from `from` on, what is left of a in them: Golub & Van Loan 2013, algorithm 4.2.1. */
static bool factor_columns(const crdi_laplace *l, int64_t n, int64_t from, int64_t to, double *out)
{
    const crdi_kernel_table *kernels = crdi_context_kernels(l->ctx);
    for (int64_t r = from; r < n; r++) {
        double *row = out + r * n;
        for (int64_t c = from; c < to && c <= r; c++) {
            double rest = row[c] - kernels->vector.dot(c - from, row + from, out + c * n + from);
            if (c == r && !(rest > 0 && isfinite(rest)))
                return false;
            row[c] = c == r ? sqrt(rest) : rest / out[c * n + c];
        }
    }
    return true;
}

/* Block of columns by block (their section 4.2.9), so that most of it is products. */
bool crdi_dense_cholesky(const crdi_laplace *l, double *a, int64_t n)
{
    double before[BLOCK * BLOCK];
    for (int64_t from = 0; from < n; from += BLOCK) {
        int64_t to = from + BLOCK < n ? from + BLOCK : n, wide = to - from;
        for (int64_t r = from; r < n; r += BLOCK) {
            int64_t high = r + BLOCK < n ? BLOCK : n - r;
            multiply_nt_apart(l, a + r * n, a + from * n, n, high, wide, from, before);
            for (int64_t i = 0; i < high; i++)
                for (int64_t j = 0; j < wide && from + j <= r + i; j++)
                    a[(r + i) * n + from + j] -= before[i * wide + j];
        }
        if (!factor_columns(l, n, from, to, a))
            return false;
    }
    return true;
}

void crdi_dense_solve(const crdi_laplace *l, const double *lower, bool transposed, const double *b, int64_t n,
                      int64_t columns, double *out)
{
    run(l, CRDI_K_solve_triangular,
        &(crdi_call){.out = out, .in = {lower, b}, .n = {columns, n, 1}, .number = {transposed}});
}

/* Rows and columns `from` to `to` of the inverse. Row r: (e_r - sum over c < r of L[r, c] row c) / L[r, r]. */
static void invert_block(const double *lower, int64_t n, int64_t from, int64_t to, double *out)
{
    for (int64_t r = from; r < to; r++) {
        double *row = out + r * n, inverse = 1 / lower[r * n + r];
        for (int64_t c = from; c < r; c++)
            for (int64_t k = from; k <= c; k++)
                row[k] -= lower[r * n + c] * out[c * n + k];
        for (int64_t c = from; c < r; c++)
            row[c] *= inverse;
        row[r] = inverse;
    }
}

/* Block of rows by block: X[R, C] = -X[R, R] (L[R, C..] X[C.., C]). */
void crdi_dense_inverse_lower(const crdi_laplace *l, const double *lower, int64_t n, double *out)
{
    double sum[BLOCK * BLOCK], block[BLOCK * BLOCK];
    memset(out, 0, sizeof *out * (size_t)(n * n));
    for (int64_t from = 0; from < n; from += BLOCK) {
        int64_t high = from + BLOCK < n ? BLOCK : n - from;
        invert_block(lower, n, from, from + high, out);
        for (int64_t c = 0; c < from; c += BLOCK) {
            run(l, CRDI_K_matmul,
                &(crdi_call){.out = sum,
                             .in = {lower + from * n + c, out + c * n + c},
                             .n = {BLOCK, high, from - c, 1},
                             .s = {n, 1, n}});
            run(l, CRDI_K_matmul,
                &(crdi_call){
                    .out = block, .in = {out + from * n + from, sum}, .n = {BLOCK, high, high, 1}, .s = {n, 1, BLOCK}});
            for (int64_t r = 0; r < high; r++)
                for (int64_t k = 0; k < BLOCK; k++)
                    out[(from + r) * n + c + k] = -block[r * BLOCK + k];
        }
    }
}
