/* kl_discrete.c - divergences of counts and classes. */
#include "dist/counts.h"
#include "dist/kl.h"

/* s (a - b) - softplus(a) + softplus(b), s = sigmoid(a), for logits a and b */
crd_node crdi_kl_bernoulli_logits_bernoulli_logits(const crd_dist *p, const crd_dist *q)
{
    crd_node a = p->param[0], b = q->param[0];
    return crd_add(crd_mul(crd_sigmoid(a), crd_sub(a, b)), crd_sub(crd_softplus(b), crd_softplus(a)));
}

/* sum of p log(p / q), 0 where p is */
crd_node crdi_kl_categorical_categorical(const crd_dist *p, const crd_dist *q)
{
    crd_node none = crd_equal(p->param[0], crd_num(0)), one = crd_num(1);
    crd_node ratio = crd_sub(crd_log(crd_select(none, one, p->param[0])), crd_log(crd_select(none, one, q->param[0])));
    return crd_sum_axis(crd_mul(p->param[0], ratio), -1);
}

static crd_node log_softmax(const crd_dist *d)
{
    return crd_sub(d->param[0], crdi_column(crd_logsumexp(d->param[0], -1)));
}

crd_node crdi_kl_categorical_logits_categorical_logits(const crd_dist *p, const crd_dist *q)
{
    crd_node log_p = log_softmax(p);
    return crd_sum_axis(crd_mul(crd_exp(log_p), crd_sub(log_p, log_softmax(q))), -1);
}

/* a log(a / b) - a + b for rates a and b */
crd_node crdi_kl_poisson_poisson(const crd_dist *p, const crd_dist *q)
{
    crd_node a = p->param[0], b = q->param[0];
    return crd_add(crd_mul(a, crd_sub(crd_log(a), crd_log(b))), crd_sub(b, a));
}

/* That of the single trials times their mean number, 1 / p. */
crd_node crdi_kl_geometric_geometric(const crd_dist *p, const crd_dist *q)
{
    return crd_div(crdi_kl_bernoulli_bernoulli(p, q), p->param[0]);
}
