/* zero_inflated_poisson.c - ZeroInflatedPoisson(gate, rate): 0 with probability gate, else Poisson(rate). The formulas are
 * those of zero_inflated.c. */
#include "dist/counts.h"
#include "dist/zero_inflated.h"

static crd_dist poisson(const crd_dist *d)
{
    return crd_poisson(d->param[1]);
}

static crd_node log_prob(const crd_dist *d, crd_node x)
{
    crd_dist base = poisson(d);
    return crdi_zero_inflated_log_prob(d->param[0], base.type->log_prob(&base, x), x);
}

static crd_node draw(const crd_dist *d, crd_node key, crd_shape shape)
{
    crd_dist base = poisson(d);
    crd_node gate = crd_less(crd_random_uniform_node(crd_key_fold_in_node(key, 0), shape), d->param[0]);
    return crd_select(gate, crd_num(0), base.type->draw(&base, crd_key_fold_in_node(key, 1), shape));
}

static crd_node mean(const crd_dist *d)
{
    return crd_mul(crd_sub(crd_num(1), d->param[0]), d->param[1]);
}

static crd_node variance(const crd_dist *d)
{
    return crd_mul(mean(d), crd_add(crd_num(1), crd_mul(d->param[0], d->param[1])));
}

/* 0 up to its probability g + (1 - g) exp(-rate), then the Poisson's quantile of (p - g) / (1 - g). */
static crd_node quantile(const crd_dist *d, crd_node p)
{
    crd_node g = d->param[0], rest = crd_sub(crd_num(1), g);
    crd_node none = crd_less_equal(p, crd_add(g, crd_mul(rest, crd_exp(crd_neg(d->param[1])))));
    crd_node share = crd_select(none, crd_num(0), crd_div(crd_sub(p, g), rest));
    return crdi_count_quantile(d, crd_poisson_quantile(d->param[1], share), p);
}

const crd_dist_type crdi_dist_zero_inflated_poisson = {
    .name = "zero_inflated_poisson",
    .param_count = 2,
    .param = {{"gate", CRD_PROBABILITY, 0}, {"rate", CRD_POSITIVE, 0}},
    .discrete = 1,
    .support = crdi_support_count,
    .log_prob = log_prob,
    .draw = draw,
    .mean = mean,
    .variance = variance,
    .cdf = crdi_count_cdf,
    .quantile = quantile,
    .tested = 1u << 0,
};
