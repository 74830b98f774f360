/* blr.c - Linear regression on a matrix of inputs. */
#include "runner.h"

static crd_node model(crd_trace *t, void *user)
{
    const crd_array *x = array_of(t, user, "X");
    int64_t d = x->shape.dim[1];
    crd_node ten = crd_num(10);
    crd_node beta = crd_sample(t, "beta", crd_dist_expand(crd_normal(crd_num(0), ten), crd_shape_1(d)));
    crd_node sigma = crd_sample(t, "sigma", crd_half_normal(ten));
    crd_node mean = crd_matmul(crd_data(t, "X", x), crd_reshape(beta, crd_shape_2(d, 1)));
    return crd_observe(t, "y", crd_normal(crd_take(mean, 1, 0), sigma), array_of(t, user, "y"));
}

int main(int argc, char **argv)
{
    return example_main(argc, argv, &(struct example){.model = model});
}
