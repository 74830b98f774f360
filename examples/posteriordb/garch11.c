/* garch11.c - A series whose variance has a memory, GARCH(1,1): a scan whose carry is the variance. */
#include "runner.h"

static void step(crd_scan_step *s, void *user)
{
    (void)user;
    const crd_node *c = s->constant; /* alpha0, alpha1, beta1 */
    s->y[0] = s->carry[0];
    s->carry_next[0] = crd_add(c[0], crd_add(crd_mul(c[1], crd_square(s->x[0])), crd_mul(c[2], s->carry[0])));
}

static crd_node model(crd_trace *t, void *user)
{
    const crd_array *y = array_of(t, user, "y");
    double sigma1 = number_of(t, user, "sigma1");
    crd_node mu = crd_sample(t, "mu", crd_flat());
    crd_node alpha0 = crd_sample(t, "alpha0", crd_flat_positive());
    crd_node alpha1 = crd_sample(t, "alpha1", crd_flat_interval(crd_num(0), crd_num(1)));
    crd_node beta1 = crd_sample(t, "beta1", crd_flat_interval(crd_num(0), crd_sub(crd_num(1), alpha1)));
    crd_node first = crd_num(sigma1 * sigma1), constants[] = {alpha0, alpha1, beta1};
    crd_node residual = crd_sub(crd_data(t, "series", y), mu), variance;
    crd_scan_options scan = {.body = step, .length = y->shape.dim[0], .carry_count = 1, .init = &first, .y_count = 1};
    scan.xs = &residual, scan.x_count = 1;
    scan.constants = constants, scan.constant_count = 3;
    crd_scan(crd_trace_graph(t), &scan, NULL, &variance);
    return crd_observe(t, "y", crd_normal(mu, crd_sqrt(variance)), y);
}

int main(int argc, char **argv)
{
    return example_main(argc, argv, &(struct example){.model = model});
}
