/* counts.c - what the distributions of counts share: logarithms of zero to the power of zero, gamma functions that do not
 * cancel, the distribution function. */
#include "dist/counts.h"
#include "graph/graph.h"

#include <math.h>
#include <string.h>

crd_support crdi_support_count(const crd_dist *dist)
{
    (void)dist;
    return (crd_support){CRD_COUNT, crd_num(0), crd_num(INFINITY)};
}

/* y is replaced before the logarithm, and not the product behind it: 0 times the slope of log(0) would be NaN. Where the
 * logarithm is finite nothing is replaced, so that the slope in x is right. */
crd_node crdi_xlogy(crd_node x, crd_node y)
{
    crd_node both = crd_mul(crd_equal(x, crd_num(0)), crd_less_equal(y, crd_num(0)));
    return crd_mul(x, crd_log(crd_select(both, crd_num(1), y)));
}

crd_node crdi_xlog1py(crd_node x, crd_node y)
{
    crd_node both = crd_mul(crd_equal(x, crd_num(0)), crd_less_equal(y, crd_num(-1)));
    return crd_mul(x, crd_log1p(crd_select(both, crd_num(0), y)));
}

/* Stirling's series of log Gamma(a) beyond (a - 1/2) log a - a + log(2 pi) / 2 (DLMF 5.11.1), for a >= 16: the next term is
 * below 2e-16. */
static crd_node stirling(crd_node a)
{
    static const double c[] = {1.0 / 1188, -1.0 / 1680, 1.0 / 1260, -1.0 / 360, 1.0 / 12};
    crd_node r = crd_reciprocal(a), z = crd_square(r), sum = crd_num(c[0]);
    for (int i = 1; i < CRDI_COUNT(c); i++)
        sum = crd_add(crd_mul(sum, z), crd_num(c[i]));
    return crd_mul(r, sum);
}

/* Known counts are few numbers many times. */
struct by_value {
    double *index; /* which of the values each count is */
    double value[128]; /* ascending */
    int64_t values;
};

static int64_t find_value(const struct by_value *v, double x)
{
    int64_t low = 0, high = v->values;
    while (low < high) {
        int64_t middle = (low + high) / 2;
        if (v->value[middle] < x)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* False: the values are too many to save something. */
static bool list_values(const double *x, int64_t n, struct by_value *v)
{
    for (int64_t i = 0; i < n; i++) {
        int64_t at = find_value(v, x[i]);
        if (at < v->values && v->value[at] == x[i])
            continue;
        if (isnan(x[i]) || v->values == CRDI_COUNT(v->value) || 4 * v->values >= n)
            return false;
        memmove(&v->value[at + 1], &v->value[at], sizeof v->value[0] * (size_t)(v->values - at));
        v->value[at] = x[i];
        v->values++;
    }
    for (int64_t i = 0; i < n; i++)
        v->index[i] = (double)find_value(v, x[i]);
    return true;
}

/* A function of one number `a` and of known counts x: computed for each value that x has, and picked for each element.
 * crdi_nothing: there is no such saving. */
static crd_node once_a_value(crd_node (*f)(crd_node a, crd_node x), crd_node a, crd_node x)
{
    const double *known;
    crd_shape shape = crd_node_shape(x);
    int64_t n = crd_shape_size(shape);
    struct by_value v = {.index = NULL};
    if (!a.graph || !crd_node_ok(a) || crd_shape_size(crd_node_shape(a)) != 1 || crd_node_shape(a).ndim > shape.ndim ||
        crd_node_known(a, NULL) || !crd_node_known(x, &known) || n < 32)
        return crdi_nothing;
    crd_node picked = crdi_nothing;
    if (!(v.index = crdi_alloc_array(crd_graph_context(a.graph), n, sizeof *v.index)))
        return crdi_fail(a.graph, CRD_ENOMEM, CRD_HERE, "no memory for %lld counts", (long long)n);
    if (list_values(known, n, &v)) {
        crd_array value = crd_array_borrow(v.value, crd_shape_1(v.values));
        crd_array index = crd_array_borrow(v.index, crd_shape_1(n));
        crd_node table = f(crd_reshape(a, crd_shape_0()), crd_constant(a.graph, &value));
        picked = crd_reshape(crd_gather(table, crd_constant(a.graph, &index)), shape);
    }
    crdi_free(crd_graph_context(a.graph), v.index);
    return picked;
}

/* The two log Gamma cancel for large a. Above 16: x log a + (a + x - 1/2) log(1 + x / a) - x, and the difference of the
 * series. */
static crd_node lgamma_ratio(crd_node a, crd_node x)
{
    crd_node large = crd_max(a, crd_num(16)), top = crd_max(crd_add(large, x), crd_num(1));
    crd_node power =
        crd_mul(crd_sub(crd_add(large, x), crd_num(0.5)), crd_log1p(crd_max(crd_div(x, large), crd_num(-0.99))));
    crd_node main = crd_add(crd_mul(x, crd_log(large)), crd_sub(power, x));
    crd_node series = crd_add(main, crd_sub(stirling(top), stirling(large)));
    crd_node exact = crd_sub(crd_lgamma(crd_add(a, x)), crd_lgamma(a));
    return crd_select(crd_less(crd_num(16), a), series, exact);
}

crd_node crdi_lgamma_ratio(crd_node a, crd_node x)
{
    crd_node picked = once_a_value(lgamma_ratio, a, x);
    return crdi_is_nothing(picked) ? lgamma_ratio(a, x) : picked;
}

/* By the smaller of x and n - x, so that the large one stands in the ratio. */
crd_node crdi_log_choose(crd_node n, crd_node x)
{
    crd_node y = crd_min(x, crd_sub(n, x)), rest = crd_add(crd_sub(n, y), crd_num(1));
    return crd_sub(crdi_lgamma_ratio(rest, y), crd_lgamma(crd_add(y, crd_num(1))));
}

crd_node crdi_up_to(crd_node n, crd_node x, crd_node log_p)
{
    return crd_select(crd_less(x, crd_add(n, crd_num(0.5))), log_p, crd_num(-INFINITY));
}

crd_node crdi_column(crd_node x)
{
    crd_shape shape = crd_node_shape(x);
    if (!x.graph || x.id < 0)
        return x;
    if (shape.ndim == CRD_MAX_DIMS)
        return crdi_fail(x.graph, CRD_EUNSUPPORTED, CRD_HERE, "more than %d axes", CRD_MAX_DIMS - 1);
    shape.dim[shape.ndim++] = 1;
    return crd_reshape(x, shape);
}

/* 0, 1, .. last */
static crd_node numbers(crd_graph *graph, int64_t last)
{
    crd_array array;
    if (crd_array_init(crd_graph_context(graph), &array, crd_shape_1(last + 1)) < 0)
        return crdi_fail(graph, CRD_ENOMEM, CRD_HERE, "no memory for %lld counts", (long long)last);
    for (int64_t i = 0; i <= last; i++)
        array.data[i] = (double)i;
    crd_node node = crd_constant(graph, &array);
    crd_array_clear(&array);
    return node;
}

/* Sum over k up to the largest x of p(k), where k <= x: as many terms an element as the largest has, and gradients in the
 * parameters come for nothing. The incomplete gamma and beta functions would need none of that, and have no gradient in
 * their shapes. */
crd_node crdi_count_cdf(const crd_dist *dist, crd_node x)
{
    enum { MOST = 1000000 };
    crd_graph *graph = x.graph;
    crd_dist wide = *dist;
    const double *known;
    double largest = 0;
    for (int i = 0; i < dist->type->param_count; i++) {
        wide.param[i] = crdi_column(dist->param[i]);
        graph = graph ? graph : dist->param[i].graph;
    }
    if (!graph)
        return crd_num(NAN); /* numbers only: there is nothing to sum in */
    if (!x.graph)
        x = crdi_constant_scalar(graph, x.number);
    if (!crd_node_known(x, &known))
        return crdi_fail(graph, CRD_EUNSUPPORTED, CRD_HERE, "cdf of %s: x must be known", dist->type->name);
    for (int64_t i = 0; i < crd_shape_size(crd_node_shape(x)); i++)
        largest = fmax(largest, floor(known[i]));
    if (largest > MOST)
        return crdi_fail(graph, CRD_EUNSUPPORTED, CRD_HERE, "cdf of %s: %g is too many terms", dist->type->name,
                         largest);
    crd_node k = numbers(graph, (int64_t)largest);
    crd_node p = crd_exp(dist->type->log_prob(&wide, k));
    crd_node sum = crd_sum_axis(crd_select(crd_less_equal(k, crdi_column(x)), p, crd_num(0)), -1);
    return crd_min(sum, crd_num(1)); /* rounding may lead above it */
}

crd_node crdi_count_step(const crd_dist *dist, crd_node count, crd_node p)
{
    crd_node k = crd_max(count, crd_num(0)), one = crd_num(1);
    k = crd_add(k, crd_less(dist->type->cdf(dist, k), p));
    crd_node before = crd_sub(k, one), enough = crd_less_equal(p, dist->type->cdf(dist, before));
    return crd_sub(k, crd_mul(enough, crd_less(crd_num(0), k)));
}
crd_node crdi_count_quantile(const crd_dist *dist, crd_node count, crd_node p)
{
    enum { MOST = 100000 }; /* terms of the sum; beyond, rounding decides between neighbours */
    const double *known = &count.number;
    if (!crd_node_ok(count) || !crdi_known(p) || (count.graph && !crd_node_known(count, &known)))
        return count;
    for (int64_t i = 0; i < (count.graph ? crd_shape_size(crd_node_shape(count)) : 1); i++)
        if (!(known[i] <= MOST))
            return count;
    return crdi_count_step(dist, count, p);
}
