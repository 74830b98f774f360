/* asymmetric_laplace.c - AsymmetricLaplace(loc, scale s, asymmetry k): exponential of scale l = s k to the left of loc, of r = s / k
 * to the right, as one density.
 *   log p(x) = -|x - loc| / (l or r) - log(l + r)
 *   draw: loc + r e - l f, e and f exponential of mean 1. */
#include "dist/dist.h"

static crd_node left_of(const crd_dist *d)
{
    return crd_mul(d->param[1], d->param[2]);
}

static crd_node right_of(const crd_dist *d)
{
    return crd_div(d->param[1], d->param[2]);
}

static crd_node log_prob(const crd_dist *d, crd_node x)
{
    crd_node z = crd_sub(x, d->param[0]), l = left_of(d), r = right_of(d);
    crd_node scale = crd_select(crd_less(z, crd_num(0)), l, r);
    return crd_neg(crd_add(crd_div(crd_abs(z), scale), crd_log(crd_add(l, r))));
}

static crd_node draw(const crd_dist *d, crd_node key, crd_shape shape)
{
    crd_node e = crd_log1p(crd_neg(crd_random_uniform_node(crd_key_fold_in_node(key, 0), shape)));
    crd_node f = crd_log1p(crd_neg(crd_random_uniform_node(crd_key_fold_in_node(key, 1), shape)));
    return crd_add(d->param[0], crd_sub(crd_mul(left_of(d), f), crd_mul(right_of(d), e)));
}

static crd_node mean(const crd_dist *d)
{
    return crd_add(d->param[0], crd_sub(right_of(d), left_of(d)));
}

static crd_node variance(const crd_dist *d)
{
    return crd_add(crd_square(left_of(d)), crd_square(right_of(d)));
}

static crd_node cdf(const crd_dist *d, crd_node x)
{
    crd_node z = crd_sub(x, d->param[0]), l = left_of(d), r = right_of(d), sum = crd_add(l, r), zero = crd_num(0);
    crd_node below = crd_mul(crd_div(l, sum), crd_exp(crd_div(crd_min(z, zero), l)));
    crd_node above = crd_mul(crd_div(r, sum), crd_exp(crd_neg(crd_div(crd_max(z, zero), r))));
    return crd_select(crd_less(z, zero), below, crd_sub(crd_num(1), above));
}

static crd_node entropy(const crd_dist *d)
{
    return crd_add(crd_num(1), crd_log(crd_add(left_of(d), right_of(d))));
}

static crd_node quantile(const crd_dist *d, crd_node p)
{
    crd_node l = left_of(d), r = right_of(d), sum = crd_add(l, r);
    crd_node below = crd_mul(l, crd_log(crd_mul(p, crd_div(sum, l))));
    crd_node above = crd_neg(crd_mul(r, crd_log(crd_mul(crd_sub(crd_num(1), p), crd_div(sum, r)))));
    return crd_add(d->param[0], crd_select(crd_less(crd_mul(p, sum), l), below, above));
}

const crd_dist_type crdi_dist_asymmetric_laplace = {
    .name = "asymmetric_laplace",
    .param_count = 3,
    .param = {{"loc", CRD_REAL, 0}, {"scale", CRD_POSITIVE, 0}, {"asymmetry", CRD_POSITIVE, 0}},
    .support = crdi_support_real,
    .log_prob = log_prob,
    .draw = draw,
    .mean = mean,
    .variance = variance,
    .cdf = cdf,
    .entropy = entropy,
    .quantile = quantile,
};
