/* chi2.c - Chi-square with df degrees of freedom: Gamma(df / 2, 1 / 2); see gamma.c. */
#include "dist/dist.h"

static const double LOG_2 = 0.69314718055994530942;

static crd_node half(const crd_dist *d)
{
    return crd_mul(crd_num(0.5), d->param[0]);
}

static crd_node log_prob(const crd_dist *d, crd_node x)
{
    crd_node a = half(d), constant = crd_add(crd_mul(a, crd_num(LOG_2)), crd_lgamma(a));
    crd_node power = crd_mul(crd_sub(a, crd_num(1)), crd_log(x));
    return crd_sub(crd_sub(power, crd_mul(crd_num(0.5), x)), constant);
}

static crd_node draw(const crd_dist *d, crd_node key, crd_shape shape)
{
    return crd_mul(crd_num(2), crdi_draw_gamma(half(d), key, shape));
}

static crd_node mean(const crd_dist *d)
{
    return d->param[0];
}

static crd_node variance(const crd_dist *d)
{
    return crd_mul(crd_num(2), d->param[0]);
}

static crd_node cdf(const crd_dist *d, crd_node x)
{
    return crd_gamma_p(half(d), crd_mul(crd_num(0.5), x));
}

static crd_node entropy(const crd_dist *d)
{
    return crd_add(crdi_gamma_entropy(half(d)), crd_num(LOG_2));
}

static crd_node quantile(const crd_dist *d, crd_node p)
{
    return crd_mul(crd_num(2), crd_gamma_quantile(half(d), p));
}

const crd_dist_type crdi_dist_chi2 = {
    .name = "chi2",
    .param_count = 1,
    .param = {{"df", CRD_POSITIVE, 0}},
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
