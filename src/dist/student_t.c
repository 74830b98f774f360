/* student_t.c - StudentT(df, loc, scale).
 *   log p(x) = log G((df + 1) / 2) - log G(df / 2) - log(pi df) / 2 - log(scale) - (df + 1) / 2 log(1 + z^2 / df),
 *   z = (x - loc) / scale, G the gamma function
 *   draw: loc + scale sqrt(df (u^(-2 / df) - 1)) cos(2 pi v), u and v uniform (Bailey 1994, theorem 2; for large df it
 *   becomes Box and Muller's normal), reparameterised in all three parameters.
 * The two log G cancel for large df: above df = 200 their difference is the series of log G(a + 1/2) - log G(a), which
 * is good to 1e-16 there. */
#include "dist/dist.h"

#include <math.h>

static const double PI = 3.14159265358979323846;

/* log G(a + 1/2) - log G(a) */
static crd_node gamma_ratio(crd_node a)
{
    crd_node r = crd_reciprocal(a), r2 = crd_square(r);
    crd_node inner = crd_sub(crd_num(1.0 / 192), crd_mul(r2, crd_num(1.0 / 640)));
    crd_node tail = crd_mul(r, crd_sub(crd_mul(r2, inner), crd_num(1.0 / 8)));
    crd_node series = crd_add(crd_mul(crd_num(0.5), crd_log(a)), tail);
    crd_node exact = crd_sub(crd_lgamma(crd_add(a, crd_num(0.5))), crd_lgamma(a));
    return crd_select(crd_less(crd_num(100), a), series, exact);
}

static crd_node log_prob(const crd_dist *d, crd_node x)
{
    crd_node df = d->param[0], half = crd_mul(crd_num(0.5), df);
    /* Times reciprocals, which are single numbers as a rule: a division for each element, and three more in the gradient, would be
     * most of the work. */
    crd_node z = crd_mul(crd_sub(x, d->param[1]), crd_reciprocal(d->param[2]));
    crd_node constant = crd_sub(gamma_ratio(half), crd_mul(crd_num(0.5), crd_log(crd_mul(crd_num(PI), df))));
    crd_node power = crd_mul(crd_add(half, crd_num(0.5)), crd_log1p(crd_mul(crd_square(z), crd_reciprocal(df))));
    return crd_sub(crd_sub(constant, crd_log(d->param[2])), power);
}

static crd_node draw(const crd_dist *d, crd_node key, crd_shape shape)
{
    crd_node df = d->param[0];
    crd_node u = crd_random_uniform_node(crd_key_fold_in_node(key, 0), shape);
    crd_node v = crd_random_uniform_node(crd_key_fold_in_node(key, 1), shape);
    /* 1 - u is uniform on (0, 1]; u^p - 1 = expm1(p log u). */
    crd_node excess = crd_expm1(crd_mul(crd_div(crd_num(-2), df), crd_log1p(crd_neg(u))));
    crd_node t = crd_mul(crd_sqrt(crd_mul(df, excess)), crd_cos(crd_mul(crd_num(2 * PI), v)));
    return crd_add(d->param[1], crd_mul(d->param[2], t));
}

static crd_node mean(const crd_dist *d)
{
    return crd_select(crd_less(crd_num(1), d->param[0]), d->param[1], crd_num(NAN));
}

static crd_node variance(const crd_dist *d)
{
    crd_node df = d->param[0], excess = crd_sub(df, crd_num(2));
    crd_node finite = crd_mul(crd_square(d->param[2]), crd_div(df, excess));
    crd_node heavy = crd_select(crd_less(crd_num(1), df), crd_num(INFINITY), crd_num(NAN));
    return crd_select(crd_less(crd_num(0), excess), finite, heavy);
}

static crd_node cdf(const crd_dist *d, crd_node x)
{
    return crd_student_t_cdf(d->param[0], crdi_standardise(x, d->param[1], d->param[2]));
}

static crd_node entropy(const crd_dist *d)
{
    /* (df + 1) / 2 (digamma((df + 1) / 2) - digamma(df / 2)) + log(sqrt(df) B(df / 2, 1 / 2)) + log(scale) */
    crd_node half = crd_mul(crd_num(0.5), d->param[0]), next = crd_add(half, crd_num(0.5));
    crd_node slopes = crd_mul(next, crd_sub(crd_digamma(next), crd_digamma(half)));
    crd_node peak = crd_sub(crd_mul(crd_num(0.5), crd_log(crd_mul(crd_num(PI), d->param[0]))), gamma_ratio(half));
    return crd_add(crd_add(slopes, peak), crd_log(d->param[2]));
}

static crd_node quantile(const crd_dist *d, crd_node p)
{
    return crd_add(d->param[1], crd_mul(d->param[2], crd_student_t_quantile(d->param[0], p)));
}

const crd_dist_type crdi_dist_student_t = {
    .name = "student_t",
    .param_count = 3,
    .param = {{"df", CRD_POSITIVE, 0}, {"loc", CRD_REAL, 0}, {"scale", CRD_POSITIVE, 0}},
    .support = crdi_support_real,
    .log_prob = log_prob,
    .draw = draw,
    .mean = mean,
    .variance = variance,
    .cdf = cdf,
    .entropy = entropy,
    .quantile = quantile,
};
