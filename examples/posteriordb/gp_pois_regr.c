/* gp_pois_regr.c - Counts whose log rate is a Gaussian process with an exponentiated quadratic covariance. */
#include "runner.h"

static crd_node model(crd_trace *t, void *user)
{
    const crd_array *x = array_of(t, user, "x");
    int64_t n = x->shape.dim[0];
    crd_node at = crd_data(t, "x", x);
    crd_node rho = crd_sample(t, "rho", crd_gamma(crd_num(25), crd_num(4)));
    crd_node alpha = crd_sample(t, "alpha", crd_half_normal(crd_num(2)));
    crd_node f_tilde = crd_sample(t, "f_tilde", crd_dist_expand(crd_normal(crd_num(0), crd_num(1)), crd_shape_1(n)));
    crd_node distance = crd_sub(crd_reshape(at, crd_shape_2(n, 1)), at);
    crd_node cov = crd_mul(crd_square(alpha), crd_exp(crd_mul(crd_num(-0.5), crd_square(crd_div(distance, rho)))));
    crd_node jitter = crd_mul(crd_num(1e-10), crd_equal(distance, crd_num(0))); /* no two x are equal */
    crd_node f = crd_matmul(crd_cholesky(crd_add(cov, jitter)), crd_reshape(f_tilde, crd_shape_2(n, 1)));
    f = crd_deterministic(t, "f", crd_take(f, 1, 0));
    return crd_observe(t, "k", crd_poisson(crd_exp(f)), array_of(t, user, "k"));
}

int main(int argc, char **argv)
{
    return example_main(argc, argv,
                        &(struct example){.model = model, .keep = {"f"}, .target_accept = 0.99, .max_depth = 15});
}
