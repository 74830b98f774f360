/* kilpisjarvi.c - Summer temperatures by year, with priors that are part of the data. The years are far from 0, so that
 * intercept and slope are all but one number: the trees get deep. */
#include "runner.h"

static crd_node model(crd_trace *t, void *user)
{
    crd_node x = crd_data(t, "x", array_of(t, user, "x"));
    crd_node pmualpha = crd_num(number_of(t, user, "pmualpha")), psalpha = crd_num(number_of(t, user, "psalpha"));
    crd_node pmubeta = crd_num(number_of(t, user, "pmubeta")), psbeta = crd_num(number_of(t, user, "psbeta"));
    crd_node alpha = crd_sample(t, "alpha", crd_normal(pmualpha, psalpha));
    crd_node beta = crd_sample(t, "beta", crd_normal(pmubeta, psbeta));
    crd_node sigma = crd_sample(t, "sigma", crd_flat_positive());
    return crd_observe(t, "y", crd_normal(crd_add(alpha, crd_mul(beta, x)), sigma), array_of(t, user, "y"));
}

int main(int argc, char **argv)
{
    return example_main(argc, argv, &(struct example){.model = model, .max_depth = 15});
}
