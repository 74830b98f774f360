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

bool crdi_dense_cholesky(const crdi_laplace *l, const double *a, int64_t n, double *out)
{
    run(l, CRDI_K_cholesky, &(crdi_call){.out = out, .in = {a}, .n = {n, 1}});
    for (int64_t i = 0; i < n; i++)
        if (!isfinite(out[i * n + i]))
            return false;
    return true;
}

void crdi_dense_solve(const crdi_laplace *l, const double *lower, bool transposed, const double *b, int64_t n,
                      int64_t columns, double *out)
{
    run(l, CRDI_K_solve_triangular,
        &(crdi_call){.out = out, .in = {lower, b}, .n = {columns, n, 1}, .number = {transposed}});
}

/* Row r of the inverse: (e_r - sum over c < r of L[r, c] row c) / L[r, r]. */
void crdi_dense_inverse_lower(const crdi_laplace *l, const double *lower, int64_t n, double *out)
{
    const crdi_kernel_table *kernels = crdi_context_kernels(l->ctx);
    const crdi_vector_ops *v = &kernels->vector;
    memset(out, 0, sizeof *out * (size_t)(n * n));
    for (int64_t r = 0; r < n; r++) {
        double *row = out + r * n, inverse = 1 / lower[r * n + r];
        for (int64_t c = 0; c < r; c++)
            v->axpy(c + 1, -lower[r * n + c], out + c * n, row, row);
        for (int64_t c = 0; c < r; c++)
            row[c] *= inverse;
        row[r] = inverse;
    }
}
