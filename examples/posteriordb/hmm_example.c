/* hmm_example.c - A hidden Markov model of two states that are seen through noise: the forward algorithm as a scan. */
#include "runner.h"

/* gamma'[k] = log sum over j of exp(gamma[j] + log theta[j, k]), and the log density of what is seen in state k. */
static void forward(crd_scan_step *s, void *user)
{
    (void)user;
    crd_node gamma = s->carry[0], log_theta = s->constant[0];
    crd_node from = crd_reshape(gamma, crd_shape_2(crd_node_shape(gamma).dim[0], 1));
    s->carry_next[0] = crd_add(crd_logsumexp(crd_add(from, log_theta), 0), s->x[0]);
}

static crd_node model(crd_trace *t, void *user)
{
    const crd_array *y = array_of(t, user, "y");
    int64_t N = y->shape.dim[0], K = 2;
    crd_array ones = crd_array_borrow((double[]){1, 1}, crd_shape_1(K));
    crd_node theta1 = crd_sample(t, "theta1", crd_dirichlet(crd_data(t, "ones", &ones)));
    crd_node theta2 = crd_sample(t, "theta2", crd_dirichlet(crd_data(t, "ones", &ones)));
    crd_node mu = crd_sample(t, "mu", crd_flat_positive_ordered(crd_num(2)));
    crd_array middle = crd_array_borrow((double[]){3, 10}, crd_shape_1(K));
    crd_dist prior = crd_normal(crd_data(t, "middle", &middle), crd_num(1));
    crd_factor(t, "prior of mu", crd_dist_log_prob(&prior, mu));
    crd_node rows[] = {crd_reshape(theta1, crd_shape_2(1, K)), crd_reshape(theta2, crd_shape_2(1, K))};
    crd_node log_theta = crd_log(crd_concat(rows, 2, 0));
    crd_dist states = crd_normal(mu, crd_num(1));
    crd_node seen = crd_dist_log_prob(&states, crd_reshape(crd_data(t, "y", y), crd_shape_2(N, 1)));
    crd_node gamma = crd_take(seen, 0, 0), rest = crd_slice(seen, 0, 1, N - 1, 1);
    crd_scan_options scan = {.body = forward, .length = N - 1, .carry_count = 1, .init = &gamma};
    scan.xs = &rest, scan.x_count = 1;
    scan.constants = &log_theta, scan.constant_count = 1;
    crd_scan(crd_trace_graph(t), &scan, &gamma, NULL);
    crd_factor(t, "y", crd_logsumexp(gamma, 0));
    return mu;
}

int main(int argc, char **argv)
{
    return example_main(argc, argv, &(struct example){.model = model});
}
