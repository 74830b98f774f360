/* dirichlet.c - Dirichlet(concentration a): probabilities along the last axis.
 *   log p(x) = sum of (a_k - 1) log(x_k) - log G(a_k), + log G(sum of a), G the gamma function
 *   draw: the softmax of log g, g_k from Gamma(a_k, 1), with their implicit gradients. */
#include "dist/dist.h"

static crd_shape event_shape(const crd_dist *d)
{
    return crd_shape_1(crdi_extent(d->param[0], -1));
}

static crd_support support(const crd_dist *d)
{
    (void)d;
    return (crd_support){CRD_SIMPLEX, crd_num(0), crd_num(1)};
}

/* x with an axis of length one where the classes were. */
static crd_node column(crd_node x, crd_node like)
{
    crd_shape shape = crd_node_shape(like);
    shape.dim[shape.ndim - 1] = 1;
    return crd_reshape(x, shape);
}

static crd_node total(const crd_dist *d)
{
    return crd_sum_axis(d->param[0], -1);
}

static crd_node log_beta(const crd_dist *d)
{
    return crd_sub(crd_sum_axis(crd_lgamma(d->param[0]), -1), crd_lgamma(total(d)));
}

/* A power of 0 of a class of probability 0 adds nothing. */
static crd_node log_prob(const crd_dist *d, crd_node x)
{
    crd_node power = crd_sub(d->param[0], crd_num(1)), flat = crd_equal(power, crd_num(0));
    crd_node terms = crd_mul(power, crd_log(crd_select(flat, crd_num(1), x)));
    return crd_sub(crd_sum_axis(terms, -1), log_beta(d));
}

static crd_node draw(const crd_dist *d, crd_node key, crd_shape shape)
{
    crd_node log_g = crd_random_log_gamma_node(key, d->param[0], shape);
    return crd_exp(crd_sub(log_g, column(crd_logsumexp(log_g, -1), log_g)));
}

static crd_node mean(const crd_dist *d)
{
    return crd_div(d->param[0], column(total(d), d->param[0]));
}

static crd_node variance(const crd_dist *d)
{
    crd_node m = mean(d), one_more = crd_add(column(total(d), d->param[0]), crd_num(1));
    return crd_div(crd_mul(m, crd_sub(crd_num(1), m)), one_more);
}

static crd_node entropy(const crd_dist *d)
{
    crd_node a = d->param[0], sum = total(d), classes = crd_num((double)crdi_extent(a, -1));
    crd_node own = crd_sum_axis(crd_mul(crd_sub(a, crd_num(1)), crd_digamma(a)), -1);
    return crd_add(log_beta(d), crd_sub(crd_mul(crd_sub(sum, classes), crd_digamma(sum)), own));
}

const crd_dist_type crdi_dist_dirichlet = {
    .name = "dirichlet",
    .param_count = 1,
    .param = {{"concentration", CRD_POSITIVE, 1}},
    .event_shape = event_shape,
    .support = support,
    .log_prob = log_prob,
    .draw = draw,
    .mean = mean,
    .variance = variance,
    .entropy = entropy,
    .tested = 1u << 0,
};
