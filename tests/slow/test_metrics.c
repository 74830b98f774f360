/* test_metrics.c - what the low-rank metric is worth on a normal of 1000 dimensions whose covariance is a diagonal over two decades but
 * for 30 directions, turned at random, of variances from 10^-4 to 10^4: a transition of nuts takes some 15 steps where a diagonal takes as many
 * as it may, and the smallest effective size for a gradient, warm-up counted, is thousands of times as large (12 000 are seen). The
 * mean squares along the directions are right: within 5 standard errors (false alarms: 3e-5). */
#include "testing.h"

#include <credence/mcmc.h>
#include <credence/random.h>
#include <math.h>
#include <stdlib.h>

enum { DIM = 1000, TURNED = 30, CHAINS = 2 };

struct normal {
    double scale[DIM], inverse[DIM]; /* of the coordinates */
    double v[TURNED * DIM]; /* orthonormal rows, in units of the scales */
    double variance[TURNED], less[TURNED]; /* along them; 1 / variance - 1 */
};

/* One by one, what it has in common with those before taken off; twice. */
static void make_direction(struct normal *n, int k)
{
    double *v = n->v + (ptrdiff_t)k * DIM, square = 0;
    crd_random_normal(crd_key_fold_in(crd_key_make(5), (uint32_t)k), DIM, v);
    for (int j = 0; j < 2 * k; j++) {
        const double *other = n->v + (ptrdiff_t)(j % k) * DIM;
        double along = 0;
        for (int i = 0; i < DIM; i++)
            along += v[i] * other[i];
        for (int i = 0; i < DIM; i++)
            v[i] -= along * other[i];
    }
    for (int i = 0; i < DIM; i++)
        square += v[i] * v[i];
    for (int i = 0; i < DIM; i++)
        v[i] /= sqrt(square);
    n->variance[k] = pow(10, (k % 2 ? -1 : 1) * (1 + 3.0 * k / (TURNED - 1)));
    n->less[k] = 1 / n->variance[k] - 1;
}

/* log density -(y' y + sum of (1 / variance - 1) (v' y)^2) / 2, y = x / scale. */
static crd_node model(crd_trace *t, void *user)
{
    struct normal *n = user;
    crd_graph *g = crd_trace_graph(t);
    crd_array inverse = crd_array_borrow(n->inverse, crd_shape_1(DIM)),
              v = crd_array_borrow(n->v, crd_shape_2(TURNED, DIM)),
              less = crd_array_borrow(n->less, crd_shape_1(TURNED));
    crd_node x = crd_sample(t, "x", crd_dist_expand(crd_normal(crd_num(0), crd_num(1)), crd_shape_1(DIM)));
    crd_node y = crd_mul(x, crd_constant(g, &inverse));
    crd_node along = crd_matmul(crd_constant(g, &v), crd_reshape(y, crd_shape_2(DIM, 1)));
    crd_node sum = crd_dot(crd_constant(g, &less), crd_square(crd_reshape(along, crd_shape_1(TURNED))));
    crd_factor(t, "target", crd_mul(crd_num(0.5), crd_sub(crd_dot(x, x), crd_add(crd_dot(y, y), sum))));
    return x;
}

/* The smallest effective size along a direction for a million gradients. */
static double worth(crd_context *ctx, struct normal *n, const char *metric, int64_t draws, bool check)
{
    crd_model *m;
    crd_posterior *p;
    crd_nuts_options options = {.chains = CHAINS, .warmup = 300, .draws = draws, .metric = metric};
    double *series = malloc(sizeof *series * (size_t)(CHAINS * draws)), least = INFINITY, worst = 0;
    assert_ok(ctx, crd_model_create(&m, ctx, model, n));
    assert_ok(ctx, crd_nuts_run(m, &options, crd_key_make(1), &p));
    const double *x = crd_posterior_find(p, "x")->draws;
    for (int k = 0; k < TURNED; k++) {
        double size, error;
        for (int64_t d = 0; d < CHAINS * draws; d++) {
            series[d] = 0;
            for (int i = 0; i < DIM; i++)
                series[d] += n->v[k * DIM + i] * x[d * DIM + i] / n->scale[i];
        }
        assert_ok(ctx, crd_diag_ess_mean(ctx, series, CHAINS, draws, &size));
        least = fmin(least, size);
        for (int64_t d = 0; d < CHAINS * draws; d++)
            series[d] *= series[d] / n->variance[k];
        assert_ok(ctx, crd_diag_mcse_mean(ctx, series, CHAINS, draws, &error));
        worst = fmax(worst, fabs(crd_diag_mean(series, CHAINS * draws) - 1) / error);
    }
    double gradients = 1e-6 * (double)p->gradient_evaluations,
           steps = crd_diag_mean(crd_posterior_find(p, "n_steps")->draws, CHAINS * draws);
    print_message("%s: %.0f a million gradients, %.0f steps a draw, %.3f million, largest z %.2f\n", metric,
                  least / gradients, steps, gradients, worst);
    if (check)
        assert_true(worst < 5 && steps < 32);
    free(series);
    crd_posterior_destroy(&p);
    crd_model_destroy(&m);
    return least / gradients;
}

static void a_few_directions_of_a_thousand_are_found(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    static struct normal n;
    for (int i = 0; i < DIM; i++) {
        n.scale[i] = pow(10, sin(1.7 * i));
        n.inverse[i] = 1 / n.scale[i];
    }
    for (int k = 0; k < TURNED; k++)
        make_direction(&n, k);
    double low = worth(ctx, &n, "low_rank", 1000, true), diagonal = worth(ctx, &n, "diagonal", 200, false);
    assert_true(low > 100 * diagonal);
    testing_context_destroy(&ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_few_directions_of_a_thousand_are_found)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
