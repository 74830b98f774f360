/* delta.c - Delta(value): all mass at one point.
 *   log p(x) = 0 at value, -infinity elsewhere. */
#include "dist/dist.h"

#include <math.h>

static crd_support support(const crd_dist *d)
{
    return (crd_support){CRD_POINT, d->param[0], d->param[0]};
}

static crd_node log_prob(const crd_dist *d, crd_node x)
{
    return crd_select(crd_equal(x, d->param[0]), crd_num(0), crd_num(-INFINITY));
}

static crd_node draw(const crd_dist *d, crd_node key, crd_shape shape)
{
    return crd_add(d->param[0], crd_mul(crd_num(0), crd_random_uniform_node(key, shape)));
}

static crd_node mean(const crd_dist *d)
{
    return d->param[0];
}

static crd_node variance(const crd_dist *d)
{
    return crd_mul(crd_num(0), d->param[0]);
}

static crd_node cdf(const crd_dist *d, crd_node x)
{
    return crd_less_equal(d->param[0], x);
}

static crd_node entropy(const crd_dist *d)
{
    return crd_mul(crd_num(0), d->param[0]);
}

static crd_node quantile(const crd_dist *d, crd_node p)
{
    return crd_add(d->param[0], crd_mul(crd_num(0), p));
}

const crd_dist_type crdi_dist_delta = {
    .name = "delta",
    .param_count = 1,
    .param = {{"value", CRD_REAL, 0}},
    .support = support,
    .log_prob = log_prob,
    .draw = draw,
    .mean = mean,
    .variance = variance,
    .cdf = cdf,
    .entropy = entropy,
    .quantile = quantile,
};
