/* gamma.c - Gamma(concentration a, rate b).
 *   log p(x) = a log(b) - log G(a) + (a - 1) log(x) - b x,  x > 0, G the gamma function
 *   draw: Marsaglia and Tsang 2000 (doi:10.1145/358407.358414): d (1 + c z)^3 with d = a - 1/3, c = 1 / sqrt(9 d), taken if
 *   log u < z^2 / 2 + d - d v + d log v; for a < 1 a draw for a + 1 times u^(1 / a).
 * A formula cannot loop until a proposal is taken, so it makes a fixed number and takes the first good one. A proposal is
 * refused with probability 0.049 at most (a = 1, falling with a): that all PROPOSALS = 10 are is 8e-14, and the last one
 * stands then. Gradients flow to the rate only: those of a rejection sampler in a would be wrong. The distribution
 * function would need the incomplete gamma function. */
#include "dist/dist.h"

enum { PROPOSALS = 10 };

struct proposal {
    crd_node value, taken;
};

static struct proposal propose(crd_node d, crd_node c, crd_node key, crd_shape shape)
{
    crd_node z = crd_random_normal_node(crd_key_fold_in_node(key, 0), shape);
    crd_node u = crdi_uniform_positive(crd_key_fold_in_node(key, 1), shape);
    crd_node root = crd_add(crd_num(1), crd_mul(c, z)), v = crd_mul(crd_square(root), root);
    crd_node log_v = crd_log(crd_max(v, crd_num(DBL_MIN))); /* v <= 0 is refused below */
    crd_node bound = crd_add(crd_mul(crd_num(0.5), crd_square(z)), crd_mul(d, crd_add(crd_sub(crd_num(1), v), log_v)));
    crd_node taken = crd_mul(crd_less(crd_num(0), v), crd_less(crd_log(u), bound));
    return (struct proposal){crd_mul(d, crd_max(v, crd_num(DBL_MIN))), taken};
}

crd_node crdi_draw_gamma(crd_node concentration, crd_node key, crd_shape shape)
{
    crd_node a = crd_stop_gradient(concentration), small = crd_less(a, crd_num(1));
    crd_node d = crd_sub(crd_add(a, small), crd_num(1.0 / 3));
    crd_node c = crd_reciprocal(crd_sqrt(crd_mul(crd_num(9), d)));
    crd_node value = propose(d, c, crd_key_fold_in_node(key, PROPOSALS - 1), shape).value;
    for (uint32_t i = PROPOSALS - 1; i-- > 0;) {
        struct proposal p = propose(d, c, crd_key_fold_in_node(key, i), shape);
        value = crd_select(p.taken, p.value, value);
    }
    /* The boost in logarithms, because u^(1 / a) alone underflows for a < 1e-3 while the product may not. */
    crd_node u = crdi_uniform_positive(crd_key_fold_in_node(key, PROPOSALS), shape);
    crd_node boost = crd_mul(small, crd_div(crd_log(u), a));
    return crd_max(crd_exp(crd_add(crd_log(value), boost)), crd_num(DBL_MIN));
}

static crd_node log_prob(const crd_dist *d, crd_node x)
{
    crd_node a = d->param[0], b = d->param[1];
    crd_node constant = crd_sub(crd_mul(a, crd_log(b)), crd_lgamma(a));
    return crd_sub(crd_add(constant, crd_mul(crd_sub(a, crd_num(1)), crd_log(x))), crd_mul(b, x));
}

static crd_node draw(const crd_dist *d, crd_node key, crd_shape shape)
{
    return crd_div(crdi_draw_gamma(d->param[0], key, shape), d->param[1]);
}

static crd_node mean(const crd_dist *d)
{
    return crd_div(d->param[0], d->param[1]);
}

static crd_node variance(const crd_dist *d)
{
    return crd_div(d->param[0], crd_square(d->param[1]));
}

const crd_dist_type crdi_dist_gamma = {
    .name = "gamma",
    .param_count = 2,
    .param = {{"concentration", CRD_POSITIVE, 0}, {"rate", CRD_POSITIVE, 0}},
    .support = crdi_support_positive,
    .log_prob = log_prob,
    .draw = draw,
    .detached = 1,
    .mean = mean,
    .variance = variance,
};
