/* beta_binomial.c - BetaBinomial(concentration1 a, concentration0 b, total_count n): a binomial whose probability is
 * Beta(a, b).
 *   log p(x) = log(n over x) + log B(x + a, n - x + b) - log B(a, b),  B the beta function,
 * with the beta functions as ratios of gamma functions: G(a + x) / G(a), G(b + n - x) / G(b), G(a + b + n) / G(a + b).
 *   draw: the probability as a share of two gammas, then random_binomial; without a gradient. */
#include "dist/counts.h"

static crd_support support(const crd_dist *d)
{
    return (crd_support){CRD_COUNT_UP_TO, crd_num(0), d->param[2]};
}

static crd_node log_prob(const crd_dist *d, crd_node x)
{
    crd_node a = d->param[0], b = d->param[1], n = d->param[2];
    crd_node hits = crdi_lgamma_ratio(a, x), misses = crdi_lgamma_ratio(b, crd_sub(n, x));
    crd_node shares = crd_sub(crd_add(hits, misses), crdi_lgamma_ratio(crd_add(a, b), n));
    return crdi_up_to(n, x, crd_add(crdi_log_choose(n, x), shares));
}

static crd_node draw(const crd_dist *d, crd_node key, crd_shape shape)
{
    crd_node first = crdi_draw_gamma(d->param[0], crd_key_fold_in_node(key, 0), shape);
    crd_node second = crdi_draw_gamma(d->param[1], crd_key_fold_in_node(key, 1), shape);
    crd_node p = crd_div(first, crd_add(first, second));
    return crd_random_binomial_node(crd_key_fold_in_node(key, 2), d->param[2], p, shape);
}

static crd_node share(const crd_dist *d)
{
    return crd_div(d->param[0], crd_add(d->param[0], d->param[1]));
}

static crd_node mean(const crd_dist *d)
{
    return crd_mul(d->param[2], share(d));
}

/* n p (1 - p) (a + b + n) / (a + b + 1) */
static crd_node variance(const crd_dist *d)
{
    crd_node sum = crd_add(d->param[0], d->param[1]);
    crd_node excess = crd_div(crd_add(sum, d->param[2]), crd_add(sum, crd_num(1)));
    return crd_mul(crd_mul(mean(d), crd_div(d->param[1], sum)), excess);
}

static crd_node quantile(const crd_dist *d, crd_node p)
{
    return crdi_count_quantile(d, crd_beta_binomial_quantile(d->param[2], d->param[0], d->param[1], p), p);
}

const crd_dist_type crdi_dist_beta_binomial = {
    .name = "beta_binomial",
    .param_count = 3,
    .param = {{"concentration1", CRD_POSITIVE, 0}, {"concentration0", CRD_POSITIVE, 0}, {"total_count", CRD_COUNT, 0}},
    .discrete = 1,
    .support = support,
    .log_prob = log_prob,
    .draw = draw,
    .mean = mean,
    .variance = variance,
    .cdf = crdi_count_cdf,
    .quantile = quantile,
    .tested = 1u << 0 | 1u << 1,
};
