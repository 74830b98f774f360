/* kidscore_momiq.c - A child's test score by the mother's: a straight line with flat priors on its coefficients. */
#include "runner.h"

static crd_node model(crd_trace *t, void *user)
{
    crd_node mom_iq = crd_data(t, "mom_iq", array_of(t, user, "mom_iq"));
    crd_node beta = crd_sample(t, "beta", crd_dist_expand(crd_flat(), crd_shape_1(2)));
    crd_node sigma = crd_sample(t, "sigma", crd_half_cauchy(crd_num(2.5)));
    crd_node mean = crd_add(crd_take(beta, 0, 0), crd_mul(crd_take(beta, 0, 1), mom_iq));
    return crd_observe(t, "kid_score", crd_normal(mean, sigma), array_of(t, user, "kid_score"));
}

int main(int argc, char **argv)
{
    return example_main(argc, argv, &(struct example){.model = model});
}
