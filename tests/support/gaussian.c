/* gaussian.c - see gaussian.h. */
#include "gaussian.h"

#include <math.h>
#include <string.h>

void gaussian_init(struct gaussian *g, int64_t dim, double decades)
{
    memset(g, 0, sizeof *g);
    g->dim = dim;
    g->rho = 0.8;
    for (int64_t i = 0; i < dim; i++) {
        g->sd[i] = pow(10, decades * ((double)i / (double)(dim - 1) - 0.5));
        g->mean[i] = (i % 3 - 1.0) * g->sd[i] * 2;
    }
    double scale = 1 / (1 - g->rho * g->rho);
    for (int64_t i = 0; i < dim; i++) {
        bool inner = i > 0 && i < dim - 1;
        g->diagonal[i] = scale * (inner ? 1 + g->rho * g->rho : 1) / (g->sd[i] * g->sd[i]);
        if (i < dim - 1)
            g->beside[i] = -scale * g->rho / (g->sd[i] * g->sd[i + 1]);
    }
    for (int64_t i = 0; i < dim; i++) {
        g->pull[i] = g->diagonal[i] * g->mean[i] + (i > 0 ? g->beside[i - 1] * g->mean[i - 1] : 0) +
                     (i < dim - 1 ? g->beside[i] * g->mean[i + 1] : 0);
        g->diagonal[i] -= 1;
    }
}

static crd_node constant(crd_trace *t, const double *data, int64_t n)
{
    crd_array array = crd_array_borrow((double *)(uintptr_t)data, crd_shape_1(n));
    return crd_constant(crd_trace_graph(t), &array);
}

/* A standard normal prior, and a factor that turns it into the Gaussian wanted. */
crd_node gaussian_model(crd_trace *t, void *user)
{
    const struct gaussian *g = user;
    crd_dist standard = crd_normal(crd_num(0), crd_num(1));
    crd_node x = crd_sample(t, "x", crd_dist_expand(standard, crd_shape_1(g->dim)));
    crd_node left = crd_slice(x, 0, 0, g->dim - 1, 1), right = crd_slice(x, 0, 1, g->dim - 1, 1);
    crd_node square = crd_dot(constant(t, g->diagonal, g->dim), crd_square(x));
    crd_node cross = crd_dot(constant(t, g->beside, g->dim - 1), crd_mul(left, right));
    crd_node linear = crd_dot(constant(t, g->pull, g->dim), x);
    crd_factor(t, "target", crd_sub(linear, crd_add(crd_mul(crd_num(0.5), square), cross)));
    return x;
}
