/* kumaraswamy.c - Kumaraswamy(concentration1 a, concentration0 b): like a beta, with elementary functions only.
 *   log p(x) = log(a b) + (a - 1) log(x) + (b - 1) log(1 - x^a),  0 < x < 1
 *   draw: (1 - u^(1 / b))^(1 / a), u uniform. */
#include "dist/dist.h"

static crd_support unit(const crd_dist *d)
{
    (void)d;
    return (crd_support){CRD_UNIT_INTERVAL, crd_num(0), crd_num(1)};
}

/* log B(a, b) */
static crd_node log_beta(crd_node a, crd_node b)
{
    return crd_sub(crd_add(crd_lgamma(a), crd_lgamma(b)), crd_lgamma(crd_add(a, b)));
}

/* log(1 - exp(t)) for t < 0 */
static crd_node log_upper(crd_node t)
{
    return crd_log(crd_neg(crd_expm1(t)));
}

/* b B(1 + n / a, b) */
static crd_node moment(const crd_dist *d, double n)
{
    crd_node p = crd_add(crd_num(1), crd_div(crd_num(n), d->param[0]));
    return crd_exp(crd_add(crd_log(d->param[1]), log_beta(p, d->param[1])));
}

static crd_node log_prob(const crd_dist *d, crd_node x)
{
    crd_node a = d->param[0], b = d->param[1], log_x = crd_log(x);
    crd_node rest = crd_mul(crd_sub(b, crd_num(1)), log_upper(crd_mul(a, log_x)));
    return crd_add(crd_add(crd_log(a), crd_log(b)), crd_add(crd_mul(crd_sub(a, crd_num(1)), log_x), rest));
}

static crd_node draw(const crd_dist *d, crd_node key, crd_shape shape)
{
    crd_node log_v = crd_div(crd_log(crdi_uniform_positive(key, shape)), d->param[1]);
    return crdi_inside_unit(crd_exp(crd_div(log_upper(log_v), d->param[0])));
}

static crd_node mean(const crd_dist *d)
{
    return moment(d, 1);
}

static crd_node variance(const crd_dist *d)
{
    return crd_sub(moment(d, 2), crd_square(moment(d, 1)));
}

static crd_node cdf(const crd_dist *d, crd_node x)
{
    crd_node log_rest = log_upper(crd_mul(d->param[0], crd_log(x)));
    return crd_neg(crd_expm1(crd_mul(d->param[1], log_rest)));
}

static crd_node entropy(const crd_dist *d)
{
    /* 1 - 1 / b + (1 - 1 / a) (digamma(b + 1) + Euler's constant) - log(a b) */
    crd_node a = d->param[0], b = d->param[1], one = crd_num(1);
    crd_node harmonic = crd_add(crd_digamma(crd_add(b, one)), crd_num(0.57721566490153286061));
    crd_node sum = crd_add(crd_sub(one, crd_reciprocal(b)), crd_mul(crd_sub(one, crd_reciprocal(a)), harmonic));
    return crd_sub(sum, crd_add(crd_log(a), crd_log(b)));
}

static crd_node quantile(const crd_dist *d, crd_node p)
{
    crd_node log_v = crd_div(crd_log1p(crd_neg(p)), d->param[1]);
    return crd_exp(crd_div(log_upper(log_v), d->param[0]));
}

const crd_dist_type crdi_dist_kumaraswamy = {
    .name = "kumaraswamy",
    .param_count = 2,
    .param = {{"concentration1", CRD_POSITIVE, 0}, {"concentration0", CRD_POSITIVE, 0}},
    .support = unit,
    .log_prob = log_prob,
    .draw = draw,
    .mean = mean,
    .variance = variance,
    .cdf = cdf,
    .entropy = entropy,
    .quantile = quantile,
};
