/* eight_schools_noncentered.c - The eight schools, drawn as standard numbers that are moved and scaled. */
#include "runner.h"

static crd_node model(crd_trace *t, void *user)
{
    const crd_array *y = array_of(t, user, "y");
    crd_node sigma = crd_data(t, "sigma", array_of(t, user, "sigma"));
    crd_node mu = crd_sample(t, "mu", crd_normal(crd_num(0), crd_num(5)));
    crd_node tau = crd_sample(t, "tau", crd_half_cauchy(crd_num(5)));
    crd_plate schools = crd_plate_enter(t, "schools", y->shape.dim[0]);
    crd_node theta_trans = crd_sample(t, "theta_trans", crd_normal(crd_num(0), crd_num(1)));
    crd_node theta = crd_deterministic(t, "theta", crd_add(mu, crd_mul(tau, theta_trans)));
    crd_observe(t, "y", crd_normal(theta, sigma), y);
    crd_plate_leave(schools);
    return theta;
}

int main(int argc, char **argv)
{
    return example_main(argc, argv, &(struct example){.model = model, .keep = {"theta"}, .target_accept = 0.95});
}
