/* kl_tails.c - divergences of waiting times, maxima and tails. */
#include "dist/kl.h"

#include <math.h>

#define EULER 0.57721566490153286061

/* log(((s + r)^2 + (m - l)^2) / (4 s r)): Chyzak and Nielsen 2019 (arXiv:1905.10965), eq. 1 */
crd_node crdi_kl_cauchy_cauchy(const crd_dist *p, const crd_dist *q)
{
    crd_node off = crd_sub(p->param[0], q->param[0]), r = p->param[1], s = q->param[1];
    crd_node wide = crd_add(crd_square(crd_add(r, s)), crd_square(off));
    return crd_sub(crd_log(wide), crd_log(crd_mul(crd_num(4), crd_mul(r, s))));
}

/* The logarithm of the ratio of widths; infinite where q does not reach over all of p. */
crd_node crdi_kl_uniform_uniform(const crd_dist *p, const crd_dist *q)
{
    crd_node width = crd_sub(p->param[1], p->param[0]), other = crd_sub(q->param[1], q->param[0]);
    crd_node inside = crd_mul(crd_less_equal(q->param[0], p->param[0]), crd_less_equal(p->param[1], q->param[1]));
    return crd_select(inside, crd_sub(crd_log(other), crd_log(width)), crd_num(INFINITY));
}

/* Gamma distributions of concentrations df / 2 and the same rate. */
crd_node crdi_kl_chi2_chi2(const crd_dist *p, const crd_dist *q)
{
    crd_node half = crd_num(0.5), a = crd_mul(half, p->param[0]), c = crd_mul(half, q->param[0]);
    return crd_add(crd_mul(crd_sub(a, c), crd_digamma(a)), crd_sub(crd_lgamma(c), crd_lgamma(a)));
}

/* -H(p) - E log q, with E log x = log s - Euler / k of Weibull(s, k) */
crd_node crdi_kl_weibull_gamma(const crd_dist *p, const crd_dist *q)
{
    crd_node a = q->param[0], b = q->param[1];
    crd_node mean_log = crd_sub(crd_log(p->param[0]), crd_div(crd_num(EULER), p->param[1]));
    crd_node constant = crd_sub(crd_lgamma(a), crd_mul(a, crd_log(b)));
    crd_node rest = crd_sub(crd_mul(b, p->type->mean(p)), crd_mul(crd_sub(a, crd_num(1)), mean_log));
    return crd_sub(crd_add(constant, rest), p->type->entropy(p));
}

/* The same with -log q = -log(l / t) - (l - 1) log(x / t) + (x / t)^l of Weibull(t, l); E x^l = s^l G(1 + l / k) */
crd_node crdi_kl_weibull_weibull(const crd_dist *p, const crd_dist *q)
{
    crd_node s = p->param[0], k = p->param[1], t = q->param[0], l = q->param[1], one = crd_num(1);
    crd_node log_ratio = crd_sub(crd_log(s), crd_log(t));
    crd_node mean_log = crd_sub(log_ratio, crd_div(crd_num(EULER), k));
    crd_node power = crd_exp(crd_add(crd_mul(l, log_ratio), crd_lgamma(crd_add(one, crd_div(l, k)))));
    crd_node rest = crd_sub(crd_sub(power, crd_mul(crd_sub(l, one), mean_log)), crd_sub(crd_log(l), crd_log(t)));
    return crd_sub(rest, p->type->entropy(p));
}

/* With z = (x - m) / s of Gumbel(m, s) below q: E z = (l - m + Euler r) / s and E exp(-z) = exp((m - l) / s) G(1 + r / s) */
crd_node crdi_kl_gumbel_gumbel(const crd_dist *p, const crd_dist *q)
{
    crd_node r = p->param[1], s = q->param[1], off = crd_div(crd_sub(p->param[0], q->param[0]), s),
             ratio = crd_div(r, s);
    crd_node mean = crd_add(off, crd_mul(crd_num(EULER), ratio));
    crd_node waiting = crd_exp(crd_sub(crd_lgamma(crd_add(crd_num(1), ratio)), off));
    return crd_sub(crd_add(crd_add(mean, waiting), crd_log(s)), p->type->entropy(p));
}

/* log(a / c) + c log(s / t) + c / a - 1 for Pareto(s, a) against Pareto(t, c); infinite where s is below t */
crd_node crdi_kl_pareto_pareto(const crd_dist *p, const crd_dist *q)
{
    crd_node s = p->param[0], a = p->param[1], t = q->param[0], c = q->param[1];
    crd_node scales = crd_mul(c, crd_sub(crd_log(s), crd_log(t)));
    crd_node powers = crd_add(crd_sub(crd_log(a), crd_log(c)), crd_sub(crd_div(c, a), crd_num(1)));
    return crd_select(crd_less_equal(t, s), crd_add(scales, powers), crd_num(INFINITY));
}
