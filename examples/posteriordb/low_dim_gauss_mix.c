/* low_dim_gauss_mix.c - A mixture of two normal distributions, told apart by the order of their means. */
#include "runner.h"

static crd_node model(crd_trace *t, void *user)
{
    const crd_array *y = array_of(t, user, "y");
    crd_dist prior = crd_normal(crd_num(0), crd_num(2));
    crd_node mu = crd_sample(t, "mu", crd_flat_ordered(crd_num(2)));
    crd_factor(t, "prior of mu", crd_dist_log_prob(&prior, mu));
    crd_node sigma = crd_sample(t, "sigma", crd_dist_expand(crd_half_normal(crd_num(2)), crd_shape_1(2)));
    crd_node theta = crd_sample(t, "theta", crd_beta(crd_num(5), crd_num(5)));
    crd_node shares[] = {crd_reshape(theta, crd_shape_1(1)), crd_reshape(crd_sub(crd_num(1), theta), crd_shape_1(1))};
    crd_plate data = crd_plate_enter(t, "data", y->shape.dim[0]);
    crd_observe(t, "y", crd_mixture(crd_concat(shares, 2, 0), crd_normal(mu, sigma)), y);
    crd_plate_leave(data);
    return mu;
}

int main(int argc, char **argv)
{
    return example_main(argc, argv, &(struct example){.model = model});
}
