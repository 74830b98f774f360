/* linalg.h - small dense factorisations, by the textbook. */

/* out = L, lower triangular with L L' = A, zeros above; only A's lower triangle is read. n = {order, batch}. Where A is
 * not positive definite the rest of L is NaN: the caller sees a density that is not finite, and rejects the point.
 * Source: Golub & Van Loan 2013, algorithm 4.2.1 (row by row). */
static void k_cholesky(const crdi_call *call)
{
    int64_t n = call->n[0];
    for (int64_t t = 0; t < call->n[1]; t++) {
        const double *a = call->in[0] + t * n * n;
        double *l = call->out + t * n * n;
        for (int64_t r = 0; r < n; r++) {
            for (int64_t c = 0; c <= r; c++) {
                double rest = a[r * n + c] - dot_of(l + r * n, l + c * n, c);
                if (c == r)
                    l[r * n + r] = rest > 0 ? sqrt(rest) : NAN;
                else
                    l[r * n + c] = rest / l[c * n + c];
            }
            for (int64_t c = r + 1; c < n; c++)
                l[r * n + c] = 0;
        }
    }
}

/* Solves L X = B (number[0] == 0) or L' X = B (number[0] == 1) for lower triangular L. n = {columns of B, order, batch}.
 * in = {L, B}; out = X, which may be B. */
static void k_solve_triangular(const crdi_call *call)
{
    int64_t columns = call->n[0], n = call->n[1];
    int transposed = call->number[0] != 0;
    for (int64_t t = 0; t < call->n[2]; t++) {
        const double *l = call->in[0] + t * n * n, *b = call->in[1] + t * n * columns;
        double *x = call->out + t * n * columns;
        int64_t first = transposed ? n - 1 : 0, step = transposed ? -1 : 1;
        int64_t row = transposed ? 1 : n, column = transposed ? n : 1; /* strides of L, or of its transpose */
        for (int64_t r = first; r >= 0 && r < n; r += step) {
            for (int64_t i = 0; i < columns; i++)
                x[r * columns + i] = b[r * columns + i];
            for (int64_t c = first; c != r; c += step)
                for (int64_t i = 0; i < columns; i++)
                    x[r * columns + i] = fma(-l[r * row + c * column], x[c * columns + i], x[r * columns + i]);
            for (int64_t i = 0; i < columns; i++)
                x[r * columns + i] /= l[r * n + r];
        }
    }
}
