/* zero_inflated.c - ZeroInflated(gate, base): 0 with probability gate, else a count drawn from the base.
 *   log p(0) = log(gate + (1 - gate) p_base(0)),  log p(x) = log(1 - gate) + log p_base(x) for x > 0
 * log p(0) is taken as log1p((1 - gate) expm1(log p_base(0))) unless that argument is near -1: either form alone loses the
 * digits of the other's end. With a gate of exactly 0 it is -infinity where p_base(0) underflows. */
#include "dist/compound.h"
#include "dist/zero_inflated.h"

crd_node crdi_zero_inflated_log_prob(crd_node gate, crd_node base_log_prob, crd_node x)
{
    crd_node open = crd_sub(crd_num(1), gate), zero = crd_equal(x, crd_num(0));
    crd_node at_zero = crd_select(zero, base_log_prob, crd_num(0)), taken = crd_mul(open, crd_expm1(at_zero));
    crd_node near = crd_log1p(crd_max(taken, crd_num(-0.5)));
    crd_node far = crd_log(crd_add(gate, crd_mul(open, crd_exp(at_zero))));
    crd_node inflated = crd_select(crd_less(crd_num(-0.5), taken), near, far);
    return crd_select(zero, inflated, crd_add(crd_log1p(crd_neg(crd_select(zero, crd_num(0), gate))), base_log_prob));
}

static crd_node log_prob(const crd_dist *d, crd_node x)
{
    return crdi_zero_inflated_log_prob(d->param[0], crdi_dist_log_prob_inside(d->base, x), x);
}

static crd_node draw(const crd_dist *d, crd_node key, crd_shape shape)
{
    crd_node gate = crd_less(crd_random_uniform_node(crd_key_fold_in_node(key, 0), shape), d->param[0]);
    return crd_select(gate, crd_num(0), crdi_base_draw(d, crd_key_fold_in_node(key, 1), shape));
}

static crd_node mean(const crd_dist *d)
{
    return crd_mul(crd_sub(crd_num(1), d->param[0]), crdi_base_moment(d, CRDI_MEAN));
}

/* (1 - gate) (v + gate m^2) */
static crd_node variance(const crd_dist *d)
{
    crd_node more = crd_mul(d->param[0], crd_square(crdi_base_moment(d, CRDI_MEAN)));
    return crd_mul(crd_sub(crd_num(1), d->param[0]), crd_add(crdi_base_moment(d, CRDI_VARIANCE), more));
}

static crd_node cdf(const crd_dist *d, crd_node x)
{
    crd_node zero = crd_mul(d->param[0], crd_less_equal(crd_num(0), x));
    return crd_add(zero, crd_mul(crd_sub(crd_num(1), d->param[0]), crdi_base_cdf(d, x)));
}

const crd_dist_type crdi_dist_zero_inflated = {
    .name = "zero_inflated",
    .param_count = 1,
    .param = {{"gate", CRD_PROBABILITY, 0}},
    .discrete = 1,
    .support = crdi_base_support,
    .event_shape = crdi_base_event_shape,
    .log_prob = log_prob,
    .draw = draw,
    .mean = mean,
    .variance = variance,
    .cdf = cdf,
    .compound = 1,
    .tested = 1u << 0,
};
