/* arK.c - An autoregression of order K: a scan whose carry is the last K values, the newest first. */
#include "runner.h"

static void step(crd_scan_step *s, void *user)
{
    (void)user;
    crd_node last = s->carry[0], y = crd_reshape(s->x[0], crd_shape_1(1)), alpha = s->constant[0],
             beta = s->constant[1];
    crd_node window[] = {y, crd_slice(last, 0, 0, crd_node_shape(last).dim[0] - 1, 1)};
    s->y[0] = crd_add(alpha, crd_dot(beta, last));
    s->carry_next[0] = crd_concat(window, 2, 0);
}

static crd_node model(crd_trace *t, void *user)
{
    const crd_array *y = array_of(t, user, "y");
    int64_t T = y->shape.dim[0], K = (int64_t)number_of(t, user, "K");
    crd_node alpha = crd_sample(t, "alpha", crd_normal(crd_num(0), crd_num(10)));
    crd_node beta = crd_sample(t, "beta", crd_dist_expand(crd_normal(crd_num(0), crd_num(10)), crd_shape_1(K)));
    crd_node sigma = crd_sample(t, "sigma", crd_half_cauchy(crd_num(2.5)));
    crd_node series = crd_data(t, "series", y), constants[] = {alpha, beta}, mu;
    crd_node first = crd_slice(series, 0, K - 1, K, -1), rest = crd_slice(series, 0, K, T - K, 1);
    crd_scan_options scan = {.body = step, .length = T - K, .carry_count = 1, .init = &first, .y_count = 1};
    scan.xs = &rest, scan.x_count = 1;
    scan.constants = constants, scan.constant_count = 2;
    crd_scan(crd_trace_graph(t), &scan, NULL, &mu);
    crd_array observed = crd_array_borrow(y->data + K, crd_shape_1(T - K));
    return crd_observe(t, "y", crd_normal(mu, sigma), &observed);
}

int main(int argc, char **argv)
{
    return example_main(argc, argv, &(struct example){.model = model});
}
