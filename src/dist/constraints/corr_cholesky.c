/* corr_cholesky.c - Cholesky factors of correlation matrices: lower triangular, rows of length one, a positive diagonal.
 *
 * NumPyro's CorrCholeskyTransform (Stan reference manual, "Cholesky factors of correlation matrices"): u fills the strictly
 * lower triangle row by row, z = tanh(u), and each row breaks a stick of length one:
 *   L_ij = z_ij sqrt(prod over k < j of (1 - z_ik^2)), the diagonal is what is left.
 *   log |dL/du| = sum over i > j of log(1 - z_ij^2) + sum over k < j of log(1 - z_ik^2) / 2. */
#include "dist/constraints/triangle.h"
#include "graph/graph.h"

#include <math.h>

static bool holds(double x, double low, double high)
{
    (void)low;
    (void)high;
    return x >= -1 && x <= 1;
}

static bool whole(const double *event, int64_t rows, int64_t columns)
{
    bool good = rows == columns;
    for (int64_t r = 0; good && r < rows; r++) {
        double length = 0;
        for (int64_t c = 0; c < columns; c++) {
            good = good && (c <= r || event[r * columns + c] == 0);
            length += event[r * columns + c] * event[r * columns + c];
        }
        good = good && event[r * columns + r] > 0 && fabs(length - 1) <= 1e-6;
    }
    return good;
}

static crd_shape shape_of(crd_shape value)
{
    int64_t n = value.dim[value.ndim - 1];
    value.dim[--value.ndim] = 0;
    value.dim[value.ndim - 1] = n * (n - 1) / 2;
    return value;
}

/* log(1 - tanh(u)^2) = 2 (log 2 - u - softplus(-2 u)), which is even in u. */
static crd_node log_rest(crd_node u)
{
    crd_node size = crd_abs(u), falling = crd_softplus(crd_mul(crd_num(-2), size));
    return crd_mul(crd_num(2), crd_sub(crd_num(0.69314718055994530942), crd_add(size, falling)));
}

static crd_node matrix_row(crd_node u, int64_t i, int64_t n)
{
    if (i == 0) {
        crd_node one[2] = {crdi_columns_of(u, 1, 1), crdi_columns_of(u, 0, n - 1)};
        return crdi_as_row(n > 1 ? crd_concat(one, 2, -1) : one[0]);
    }
    crd_node t = crdi_triangle_row(u, i), zero = crdi_columns_of(u, 0, 1), taken = crd_cumsum(log_rest(t), -1);
    crd_node before[2] = {zero, taken},
             share[3] = {crd_tanh(t), crdi_columns_of(u, 1, 1), crdi_columns_of(u, 0, n - 1 - i)};
    crd_node lengths[2] = {crd_exp(crd_mul(crd_num(0.5), crd_concat(before, 2, -1))), crdi_columns_of(u, 0, n - 1 - i)};
    bool last = i == n - 1; /* nothing above the diagonal */
    return crdi_as_row(crd_mul(crd_concat(lengths, last ? 1 : 2, -1), crd_concat(share, last ? 2 : 3, -1)));
}

static crd_node forward(crd_support support, crd_node u)
{
    (void)support;
    int64_t n = crdi_triangle_rows(u, 0);
    crd_node matrix = matrix_row(u, 0, n);
    for (int64_t i = 1; i < n; i++) {
        crd_node parts[2] = {matrix, matrix_row(u, i, n)};
        matrix = crd_concat(parts, 2, -2);
    }
    return matrix;
}

static crd_node log_jacobian(crd_support support, crd_node u)
{
    (void)support;
    crd_node sum = crd_num(0);
    for (int64_t i = 1; i < crdi_triangle_rows(u, 0); i++) {
        crd_node rest = log_rest(crdi_triangle_row(u, i)), before = crd_sub(crd_cumsum(rest, -1), rest);
        sum = crd_add(sum, crd_sum(crd_add(rest, crd_mul(crd_num(0.5), before))));
    }
    return sum;
}

/* z_ij = L_ij / sqrt(1 - sum over k < j of L_ik^2), u = artanh(z). */
static crd_node inverse(crd_support support, crd_node x)
{
    (void)support;
    if (crdi_extent(x, -1) == 1) /* the matrix (1) has no free number */
        return crdi_columns_of(crd_take(x, -1, 0), 0, 0);
    crd_node u = crd_num(0);
    for (int64_t i = 1; i < crdi_extent(x, -1); i++) {
        crd_node row = crd_slice(crd_take(x, -2, i), -1, 0, i, 1), square = crd_square(row);
        crd_node left = crd_sub(crd_num(1), crd_sub(crd_cumsum(square, -1), square));
        crd_node z = crd_div(row, crd_sqrt(left));
        crd_node parts[2] = {u, crd_mul(crd_num(0.5), crd_sub(crd_log1p(z), crd_log1p(crd_neg(z))))};
        u = i == 1 ? parts[1] : crd_concat(parts, 2, -1);
    }
    return u;
}

/* Rows of length one, too. */
static crd_node inside(crd_support support, crd_node x)
{
    (void)support;
    crd_node off = crd_abs(crd_sub(crd_sum_axis(crd_square(x), -1), crd_num(1)));
    return crdi_both(crdi_is_triangle(x), crdi_all(crd_less_equal(off, crd_num(1e-4))));
}

static const crdi_bijection bijection = {shape_of, forward, log_jacobian, inverse};
const crdi_constraint crdi_constraint_corr_cholesky = {
    .event_ndim = 2, .holds = holds, .inside = inside, .whole = whole, .bijection = &bijection};
