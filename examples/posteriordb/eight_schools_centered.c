/* eight_schools_centered.c - What coaching does in eight schools (Rubin 1981), the effects drawn as they are: where tau
 * is small the effects are all but equal, a funnel that takes small steps. */
#include "runner.h"

static crd_node model(crd_trace *t, void *user)
{
    const crd_array *y = array_of(t, user, "y");
    crd_node sigma = crd_data(t, "sigma", array_of(t, user, "sigma"));
    crd_node mu = crd_sample(t, "mu", crd_normal(crd_num(0), crd_num(5)));
    crd_node tau = crd_sample(t, "tau", crd_half_cauchy(crd_num(5)));
    crd_plate schools = crd_plate_enter(t, "schools", y->shape.dim[0]);
    crd_node theta = crd_sample(t, "theta", crd_normal(mu, tau));
    crd_observe(t, "y", crd_normal(theta, sigma), y);
    crd_plate_leave(schools);
    return theta;
}

int main(int argc, char **argv)
{
    return example_main(argc, argv, &(struct example){.model = model, .target_accept = 0.99});
}
