/* simplex.c - probabilities along the last axis: k numbers from 0 to 1 whose sum is 1.
 *
 * Stick breaking (Stan reference manual, "unit simplex"; NumPyro's StickBreakingTransform): with k - 1 numbers u,
 *   z_i = sigmoid(u_i - log(k - 1 - i)),  x_i = z_i prod over j < i of (1 - z_j),  x_last = what is left.
 * The products are sums of logs: log(1 - z) = -softplus(u - offset). u = 0 is the middle of the simplex.
 *   log |dx/du| = sum over i of log z_i + (cumulated log of what is left before i) + log(1 - z_i). */
#include "dist/constraints/triangle.h"

#include <math.h>

static bool holds(double x, double low, double high)
{
    (void)low;
    (void)high;
    return x >= 0 && x <= 1;
}

/* Up to the rounding of what made the probabilities. */
static bool whole(const double *event, int64_t rows, int64_t columns)
{
    double sum = 0;
    (void)rows;
    for (int64_t i = 0; i < columns; i++)
        sum += event[i];
    return fabs(sum - 1) <= 1e-6;
}

static crd_shape shape_of(crd_shape value)
{
    value.dim[value.ndim - 1]--;
    return value;
}

static int64_t columns_of(crd_node x)
{
    crd_shape shape = crd_node_shape(x);
    return shape.ndim ? shape.dim[shape.ndim - 1] : 0;
}

/* u_i - log(k - 1 - i), for k - 1 columns. */
static crd_node shifted(crd_node u, int sign)
{
    crd_array array;
    int64_t n = columns_of(u);
    if (!u.graph || crd_array_init(crd_graph_context(u.graph), &array, crd_shape_1(n)) < 0)
        return (crd_node){u.graph, -1, 0};
    for (int64_t i = 0; i < n; i++)
        array.data[i] = -sign * log((double)(n - i));
    crd_node offset = crd_constant(u.graph, &array);
    crd_array_clear(&array);
    return crd_add(u, offset);
}

static crd_node zero_column(crd_node x)
{
    return crd_mul(crd_num(0), crd_stop_gradient(crd_slice(x, -1, 0, 1, 1)));
}

/* log of what is left of the stick before each of the k pieces, the last included: (..., k). */
static crd_node log_left(crd_node t)
{
    crd_node parts[2] = {zero_column(t), crd_cumsum(crd_neg(crd_softplus(t)), -1)};
    return crd_concat(parts, 2, -1);
}

static crd_node forward(crd_support support, crd_node u)
{
    (void)support;
    if (u.graph && columns_of(u) == 0) /* of one class */
        return crdi_columns_of(u, 1, 1);
    crd_node t = shifted(u, 1), log_z = crd_neg(crd_softplus(crd_neg(t)));
    crd_node parts[2] = {log_z, zero_column(t)};
    return crd_exp(crd_add(log_left(t), crd_concat(parts, 2, -1)));
}

static crd_node log_jacobian(crd_support support, crd_node u)
{
    (void)support;
    if (columns_of(u) == 0)
        return crd_num(0);
    crd_node t = shifted(u, 1);
    crd_node before = crd_slice(log_left(t), -1, 0, columns_of(u), 1);
    return crd_sum(crd_sub(before, crd_add(crd_softplus(t), crd_softplus(crd_neg(t)))));
}

/* z_i = x_i / (1 - sum of x before i). */
static crd_node inverse(crd_support support, crd_node x)
{
    (void)support;
    int64_t n = columns_of(x) - 1;
    if (n == 0)
        return crdi_columns_of(x, 0, 0);
    crd_node taken = crd_slice(x, -1, 0, n, 1);
    crd_node left = crd_sub(crd_num(1), crd_cumsum(taken, -1)); /* behind each piece */
    return shifted(crd_sub(crd_log(taken), crd_log(left)), -1);
}

static crd_node inside(crd_support support, crd_node x)
{
    (void)support;
    crd_node off = crd_abs(crd_sub(crd_sum_axis(x, -1), crd_num(1)));
    return crdi_both(crdi_all(crd_less_equal(crd_num(0), x)), crd_less_equal(off, crd_num(1e-4)));
}

static const crdi_bijection bijection = {shape_of, forward, log_jacobian, inverse};
const crdi_constraint crdi_constraint_simplex = {
    .event_ndim = 1, .holds = holds, .inside = inside, .whole = whole, .bijection = &bijection};
