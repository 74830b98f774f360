/* inverse_gamma.c - InverseGamma(concentration a, rate b): 1 / x for x from Gamma(a, b).
 *   log p(x) = a log(b) - log G(a) - (a + 1) log(x) - b / x,  x > 0, G the gamma function
 *   draw: b / Gamma(a, 1), with implicit gradients as in gamma.c.
 *   distribution function Q(a, b / x), the upper incomplete gamma function. */
#include "dist/dist.h"

#include <math.h>

static crd_node log_prob(const crd_dist *d, crd_node x)
{
    crd_node a = d->param[0], b = d->param[1];
    crd_node constant = crd_sub(crd_mul(a, crd_log(b)), crd_lgamma(a));
    return crd_sub(crd_sub(constant, crd_mul(crd_add(a, crd_num(1)), crd_log(x))), crd_div(b, x));
}

static crd_node draw(const crd_dist *d, crd_node key, crd_shape shape)
{
    return crd_div(d->param[1], crdi_draw_gamma(d->param[0], key, shape));
}

static crd_node mean(const crd_dist *d)
{
    crd_node less_one = crd_sub(d->param[0], crd_num(1));
    return crd_select(crd_less(crd_num(0), less_one), crd_div(d->param[1], less_one), crd_num(INFINITY));
}

static crd_node variance(const crd_dist *d)
{
    crd_node less_two = crd_sub(d->param[0], crd_num(2));
    return crd_select(crd_less(crd_num(0), less_two), crd_div(crd_square(mean(d)), less_two), crd_num(INFINITY));
}

static crd_node cdf(const crd_dist *d, crd_node x)
{
    return crd_gamma_q(d->param[0], crd_div(d->param[1], x));
}

static crd_node entropy(const crd_dist *d)
{
    /* a + log(b G(a)) - (1 + a) digamma(a): that of the gamma less 2 digamma(a), with log b the other way round */
    crd_node a = d->param[0];
    return crd_add(crd_sub(crdi_gamma_entropy(a), crd_mul(crd_num(2), crd_digamma(a))), crd_log(d->param[1]));
}

static crd_node quantile(const crd_dist *d, crd_node p)
{
    return crd_div(d->param[1], crd_gamma_quantile(d->param[0], crd_sub(crd_num(1), p)));
}

const crd_dist_type crdi_dist_inverse_gamma = {
    .name = "inverse_gamma",
    .param_count = 2,
    .param = {{"concentration", CRD_POSITIVE, 0}, {"rate", CRD_POSITIVE, 0}},
    .support = crdi_support_positive,
    .log_prob = log_prob,
    .draw = draw,
    .mean = mean,
    .variance = variance,
    .cdf = cdf,
    .entropy = entropy,
    .quantile = quantile,
    .tested = 1u << 0,
};
