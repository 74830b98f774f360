/* kl.c - the registry of divergences, and those of single numbers.
 *
 * KL(p || q) = integral of p log(p / q): one number a draw, in nats. */
#include "dist/kl.h"
#include "graph/graph.h"

#include <math.h>

static const struct {
    const crd_dist_type *p, *q;
    crd_node (*kl)(const crd_dist *p, const crd_dist *q);
} pairs[] = {
#define KL(p, q) {&crdi_dist_##p, &crdi_dist_##q, crdi_kl_##p##_##q},
#include "dist/kl.def"
#undef KL
};

int crd_kl_exists(const crd_dist *p, const crd_dist *q)
{
    for (int i = 0; i < CRDI_COUNT(pairs); i++)
        if (pairs[i].p == p->type && pairs[i].q == q->type)
            return 1;
    return p->type == &crdi_dist_delta;
}

/* A delta at v has no entropy to subtract: -log q(v), NumPyro's kl_divergence(Delta, q). */
static crd_node divergence(const crd_dist *p, const crd_dist *q)
{
    if (p->type == &crdi_dist_delta)
        return crd_neg(q->type->log_prob(q, p->param[0]));
    for (int i = 0; i < CRDI_COUNT(pairs); i++)
        if (pairs[i].p == p->type && pairs[i].q == q->type)
            return pairs[i].kl(p, q);
    return crdi_nothing;
}

static crd_graph *graph_of(const crd_dist *dist)
{
    for (int i = 0; i < dist->type->param_count; i++)
        if (dist->param[i].graph)
            return dist->param[i].graph;
    return NULL;
}

crd_node crd_kl(const crd_dist *p, const crd_dist *q)
{
    crd_graph *g = graph_of(p) ? graph_of(p) : graph_of(q);
    crd_shape batch, other;
    if (!crd_kl_exists(p, q))
        return g ? crdi_fail(g, CRD_EUNSUPPORTED, (crd_where){0}, "kl: no formula for %s against %s", p->type->name,
                             q->type->name)
                 : crd_num(NAN);
    if (p->joined != q->joined)
        return g ? crdi_fail(g, CRD_ESHAPE, (crd_where){0}, "kl: %d axes of %s belong to a draw, %d of %s", p->joined,
                             p->type->name, q->joined, q->type->name)
                 : crd_num(NAN);
    crd_node kl = divergence(p, q);
    if (p->joined == 0 || !g || !crd_node_ok(kl))
        return kl;
    /* Axes that both parameters lack must be there before they are summed. */
    crd_dist whole_p = crd_dist_to_event(*p, -p->joined), whole_q = crd_dist_to_event(*q, -q->joined);
    if (crd_dist_batch_shape(&whole_p, &batch) && crd_dist_batch_shape(&whole_q, &other) &&
        crdi_broadcast_shape(batch, other, &batch))
        kl = kl.graph ? crd_broadcast_to(kl, batch) : crdi_constant_fill(g, kl.number, batch);
    for (int d = 0; d < p->joined; d++)
        kl = crd_sum_axis(kl, -1);
    return kl;
}

/* log(s / r) + (r^2 + (m - l)^2) / (2 s^2) - 1 / 2 for scales r of p and s of q and the difference of their means */
static crd_node normal_kl(crd_node off, crd_node scale, crd_node other)
{
    crd_node ratio = crd_square(crd_div(scale, other)), half = crd_num(0.5);
    crd_node spread = crd_add(crd_sub(ratio, crd_num(1)), crd_square(crd_div(off, other)));
    return crd_mul(half, crd_sub(spread, crd_log(ratio)));
}

crd_node crdi_kl_normal_normal(const crd_dist *p, const crd_dist *q)
{
    return normal_kl(crd_sub(p->param[0], q->param[0]), p->param[1], q->param[1]);
}

crd_node crdi_kl_half_normal_half_normal(const crd_dist *p, const crd_dist *q)
{
    return normal_kl(crd_num(0), p->param[0], q->param[0]);
}

/* A bijection of both changes nothing. */
crd_node crdi_kl_log_normal_log_normal(const crd_dist *p, const crd_dist *q)
{
    return crdi_kl_normal_normal(p, q);
}

crd_node crdi_kl_exponential_exponential(const crd_dist *p, const crd_dist *q)
{
    crd_node ratio = crd_div(q->param[0], p->param[0]);
    return crd_sub(crd_sub(ratio, crd_num(1)), crd_log(ratio));
}

/* |m - l| / s + r / s exp(-|m - l| / r) - 1 + log(s / r) */
crd_node crdi_kl_laplace_laplace(const crd_dist *p, const crd_dist *q)
{
    crd_node off = crd_abs(crd_sub(p->param[0], q->param[0])), r = p->param[1], s = q->param[1];
    crd_node overlap = crd_mul(crd_div(r, s), crd_exp(crd_neg(crd_div(off, r))));
    crd_node ends = crd_sub(crd_add(crd_div(off, s), overlap), crd_num(1));
    return crd_add(ends, crd_log(crd_div(s, r)));
}

/* (a - c) digamma(a) - log G(a) + log G(c) + c log(b / d) + a (d / b - 1) for Gamma(a, b) against Gamma(c, d) */
crd_node crdi_kl_gamma_gamma(const crd_dist *p, const crd_dist *q)
{
    crd_node a = p->param[0], b = p->param[1], c = q->param[0], d = q->param[1];
    crd_node slope = crd_mul(crd_sub(a, c), crd_digamma(a)), gammas = crd_sub(crd_lgamma(c), crd_lgamma(a));
    crd_node rates = crd_mul(c, crd_sub(crd_log(b), crd_log(d)));
    crd_node means = crd_mul(a, crd_sub(crd_div(d, b), crd_num(1)));
    return crd_add(crd_add(slope, gammas), crd_add(rates, means));
}

crd_node crdi_kl_inverse_gamma_inverse_gamma(const crd_dist *p, const crd_dist *q)
{
    return crdi_kl_gamma_gamma(p, q);
}

static crd_node log_beta(const crd_dist *d)
{
    crd_node a = d->param[0], b = d->param[1];
    return crd_sub(crd_add(crd_lgamma(a), crd_lgamma(b)), crd_lgamma(crd_add(a, b)));
}

crd_node crdi_kl_beta_beta(const crd_dist *p, const crd_dist *q)
{
    crd_node a = crd_sub(p->param[0], q->param[0]), b = crd_sub(p->param[1], q->param[1]);
    crd_node own = crd_add(crd_mul(a, crd_digamma(p->param[0])), crd_mul(b, crd_digamma(p->param[1])));
    crd_node both = crd_mul(crd_add(a, b), crd_digamma(crd_add(p->param[0], p->param[1])));
    return crd_add(crd_sub(log_beta(q), log_beta(p)), crd_sub(own, both));
}

/* p log(p / q), 0 where p is */
static crd_node share(crd_node p, crd_node q)
{
    crd_node none = crd_equal(p, crd_num(0)), one = crd_num(1);
    crd_node ratio = crd_sub(crd_log(crd_select(none, one, p)), crd_log(crd_select(none, one, q)));
    return crd_mul(p, ratio);
}

crd_node crdi_kl_bernoulli_bernoulli(const crd_dist *p, const crd_dist *q)
{
    crd_node one = crd_num(1), no = share(crd_sub(one, p->param[0]), crd_sub(one, q->param[0]));
    return crd_add(share(p->param[0], q->param[0]), no);
}
