/* kl_vector.c - divergences of vectors: Dirichlet, multivariate normal. */
#include "dist/kl.h"
#include "dist/vector.h"

static crd_node log_beta(crd_node a)
{
    return crd_sub(crd_sum_axis(crd_lgamma(a), -1), crd_lgamma(crd_sum_axis(a, -1)));
}

crd_node crdi_kl_dirichlet_dirichlet(const crd_dist *p, const crd_dist *q)
{
    crd_node a = p->param[0], more = crd_sub(a, q->param[0]);
    crd_node own = crd_sum_axis(crd_mul(more, crd_digamma(a)), -1);
    crd_node both = crd_mul(crd_sum_axis(more, -1), crd_digamma(crd_sum_axis(a, -1)));
    return crd_add(crd_sub(log_beta(q->param[0]), log_beta(a)), crd_sub(own, both));
}

/* With factors L of p and M of q: (|M^-1 L|^2 + |M^-1 (l - m)|^2 - n) / 2 + sum of log(M_kk) - log(L_kk) */
crd_node crdi_kl_multivariate_normal_multivariate_normal(const crd_dist *p, const crd_dist *q)
{
    crd_node off = crd_sub(p->param[0], q->param[0]), l = p->param[1], m = q->param[1];
    crd_node z = crd_solve_triangular(m, crd_transpose(crdi_as_rows(off)), 0);
    crd_node spread = crd_sum(crd_square(crd_solve_triangular(m, l, 0)));
    crd_node square = crdi_of_rows(crd_sum_axis(crd_square(z), 0), off);
    crd_node logs = crd_sum(crd_sub(crd_log(crd_diagonal(m)), crd_log(crd_diagonal(l))));
    crd_node excess = crd_sub(spread, crd_num((double)crdi_extent(off, -1)));
    return crd_add(crd_mul(crd_num(0.5), crd_add(excess, square)), logs);
}

crd_node crdi_kl_multivariate_normal_covariance_multivariate_normal_covariance(const crd_dist *p, const crd_dist *q)
{
    crd_dist by_factor[2] = {*p, *q};
    for (int i = 0; i < 2; i++)
        by_factor[i].param[1] = crd_cholesky(by_factor[i].param[1]);
    return crdi_kl_multivariate_normal_multivariate_normal(&by_factor[0], &by_factor[1]);
}
