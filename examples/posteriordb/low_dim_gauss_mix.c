/* low_dim_gauss_mix.c - A mixture of two normal distributions, told apart by the order of their means. */
#include "flat.h"
#include "runner.h"

static crd_node model(crd_trace *t, void *user)
{
    const crd_array *y = array_of(t, user, "y");
    crd_dist prior = crd_normal(crd_num(0), crd_num(2));
    crd_node low = crd_sample(t, "low", prior);
    crd_node gap = crd_sample(t, "gap", flat_positive());
    crd_node high = crd_add(low, gap);
    crd_factor(t, "high", crd_dist_log_prob(&prior, high));
    crd_node parts[] = {crd_reshape(low, crd_shape_1(1)), crd_reshape(high, crd_shape_1(1))};
    crd_node mu = crd_deterministic(t, "mu", crd_concat(parts, 2, 0));
    crd_node sigma = crd_sample(t, "sigma", crd_dist_expand(crd_half_normal(crd_num(2)), crd_shape_1(2)));
    crd_node theta = crd_sample(t, "theta", crd_uniform(crd_num(0), crd_num(1)));
    crd_node rest = crd_sub(crd_num(1), theta);
    crd_factor(t, "beta", crd_mul(crd_num(4), crd_add(crd_log(theta), crd_log(rest))));
    crd_node share[] = {crd_reshape(theta, crd_shape_1(1)), crd_reshape(rest, crd_shape_1(1))};
    crd_node column = crd_reshape(crd_data(t, "y", y), crd_shape_2(y->shape.dim[0], 1));
    crd_dist components = crd_normal(mu, sigma);
    crd_node log_prob = crd_add(crd_log(crd_concat(share, 2, 0)), crd_dist_log_prob(&components, column));
    crd_factor(t, "mixture", crd_logsumexp(log_prob, -1));
    return mu;
}

int main(int argc, char **argv)
{
    return example_main(argc, argv, &(struct example){.model = model, .keep = {"mu"}});
}
