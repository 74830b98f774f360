/* matrix.c - matrices: lower triangular with a positive diagonal, symmetric positive definite.
 *
 * NumPyro's LowerCholeskyTransform (Stan reference manual, "Covariance matrices"): u is the strictly lower triangle row by
 * row, then the logs of the diagonal; a positive definite matrix is L L' of that L.
 *   lower triangular: log |dL/du| = sum of log(L_kk)
 *   positive definite: log |dx/du| = n log(2) + sum over k = 1 .. n of (n - k + 2) log(L_kk). */
#include "dist/constraints/triangle.h"

#include <math.h>

static bool holds(double x, double low, double high)
{
    (void)low;
    (void)high;
    return isfinite(x);
}

static bool is_lower_cholesky(const double *event, int64_t rows, int64_t columns)
{
    bool good = rows == columns;
    for (int64_t r = 0; good && r < rows; r++) {
        good = event[r * columns + r] > 0;
        for (int64_t c = r + 1; c < columns; c++)
            good = good && event[r * columns + c] == 0;
    }
    return good;
}

/* Symmetric up to rounding, with a positive diagonal that bounds what is off it: what can be told without a factor. A
 * matrix that passes and is not positive definite has a NaN density. */
static bool is_symmetric(const double *event, int64_t rows, int64_t columns)
{
    bool good = rows == columns;
    for (int64_t r = 0; good && r < rows; r++) {
        good = event[r * columns + r] > 0;
        for (int64_t c = 0; good && c < r; c++) {
            double here = event[r * columns + c], there = event[c * columns + r];
            good = fabs(here - there) <= 1e-8 * fabs(here) &&
                   here * here < event[r * columns + r] * event[c * columns + c];
        }
    }
    return good;
}

/* ---- lower triangular ----------------------------------------------------------------------------------------- */

static crd_shape shape_of(crd_shape value)
{
    int64_t n = value.dim[value.ndim - 1];
    value.dim[--value.ndim] = 0;
    value.dim[value.ndim - 1] = n * (n + 1) / 2;
    return value;
}

static crd_node log_diagonal(crd_node u)
{
    int64_t n = crdi_triangle_rows(u, 1);
    return crd_slice(u, -1, n * (n - 1) / 2, n, 1);
}

static crd_node forward(crd_support support, crd_node u)
{
    (void)support;
    int64_t n = crdi_triangle_rows(u, 1);
    crd_node diagonal = crd_exp(log_diagonal(u)), matrix = u;
    for (int64_t i = 0; i < n; i++) {
        crd_node parts[3];
        int count = 0;
        if (i > 0)
            parts[count++] = crdi_triangle_row(u, i);
        parts[count++] = crd_slice(diagonal, -1, i, 1, 1);
        if (i < n - 1)
            parts[count++] = crdi_columns_of(u, 0, n - 1 - i);
        crd_node row = crdi_as_row(crd_concat(parts, count, -1)), both[2] = {matrix, row};
        matrix = i ? crd_concat(both, 2, -2) : row;
    }
    return matrix;
}

static crd_node log_jacobian(crd_support support, crd_node u)
{
    (void)support;
    return crd_sum(log_diagonal(u));
}

/* From rows (or columns, if the factor is transposed) of the factor. */
static crd_node u_of_factor(crd_node factor, int transposed)
{
    int64_t n = crdi_extent(factor, -1);
    crd_node lower = factor, diagonal = factor;
    for (int64_t i = 0; i < n; i++) {
        crd_node row = crd_take(factor, transposed ? -1 : -2, i), own[2] = {diagonal, crd_slice(row, -1, i, 1, 1)};
        diagonal = i ? crd_concat(own, 2, -1) : own[1];
        if (i == 0)
            continue;
        crd_node parts[2] = {lower, crd_slice(row, -1, 0, i, 1)};
        lower = i > 1 ? crd_concat(parts, 2, -1) : parts[1];
    }
    crd_node both[2] = {lower, crd_log(diagonal)};
    return n > 1 ? crd_concat(both, 2, -1) : both[1];
}

static crd_node inverse(crd_support support, crd_node x)
{
    (void)support;
    return u_of_factor(x, 0);
}

/* ---- positive definite ---------------------------------------------------------------------------------------- */

static crd_node product_forward(crd_support support, crd_node u)
{
    crd_node factor = forward(support, u);
    crd_shape shape = crd_node_shape(factor), left = shape, right = shape;
    if (shape.ndim == 2)
        return crd_matmul(factor, crd_transpose(factor));
    if (shape.ndim < 2 || shape.ndim == CRD_MAX_DIMS)
        return crdi_as_row(crdi_as_row(factor)); /* which says that there are too many axes */
    left.dim[left.ndim] = left.dim[left.ndim - 1]; /* (.., n, 1, n) times (.., 1, n, n) */
    left.dim[left.ndim++ - 1] = 1;
    right.dim[right.ndim] = right.dim[right.ndim - 1];
    right.dim[right.ndim++ - 2] = 1;
    return crd_sum_axis(crd_mul(crd_reshape(factor, left), crd_reshape(factor, right)), -1);
}

static crd_node product_jacobian(crd_support support, crd_node u)
{
    (void)support;
    int64_t n = crdi_triangle_rows(u, 1), all = crdi_extent(u, -1);
    crd_node logs = log_diagonal(u), sum = crd_num(0);
    double matrices = all ? (double)(crd_shape_size(crd_node_shape(u)) / all) : 0;
    for (int64_t k = 0; k < n; k++)
        sum = crd_add(sum, crd_mul(crd_num((double)(n - k + 1)), crd_sum(crd_take(logs, -1, k))));
    return crd_add(sum, crd_num(matrices * (double)n * 0.69314718055994530942));
}

static crd_node product_inverse(crd_support support, crd_node x)
{
    (void)support;
    return u_of_factor(crdi_transposed_factor(x), 1);
}

static crd_node inside(crd_support support, crd_node x)
{
    (void)support;
    return crdi_is_triangle(x);
}

/* Up to 1e-4 of each number. */
static crd_node symmetric(crd_node x)
{
    crd_node good = crd_num(1);
    for (int64_t i = 1; i < crdi_extent(x, -1); i++) {
        crd_node row = crd_slice(crd_take(x, -2, i), -1, 0, i, 1), column = crd_slice(crd_take(x, -1, i), -1, 0, i, 1);
        crd_node off = crd_abs(crd_sub(row, column)), most = crd_mul(crd_num(1e-4), crd_abs(row));
        good = crdi_both(good, crdi_all(crd_less_equal(off, most)));
    }
    return good;
}

/* A factor that is not there has NaN on its diagonal, which is less than nothing. */
static crd_node product_inside(crd_support support, crd_node x)
{
    (void)support;
    crd_node factor = crdi_transposed_factor(x), good = symmetric(x);
    for (int64_t i = 0; i < crdi_extent(x, -1); i++)
        good = crdi_both(good, crd_less(crd_num(0), crd_take(crd_take(factor, -1, i), -1, i)));
    return good;
}

static const crdi_bijection bijection = {shape_of, forward, log_jacobian, inverse};
static const crdi_bijection product_bijection = {shape_of, product_forward, product_jacobian, product_inverse};
const crdi_constraint crdi_constraint_lower_cholesky = {
    .event_ndim = 2, .holds = holds, .inside = inside, .whole = is_lower_cholesky, .bijection = &bijection};
const crdi_constraint crdi_constraint_positive_definite = {
    .event_ndim = 2, .holds = holds, .inside = product_inside, .whole = is_symmetric, .bijection = &product_bijection};
