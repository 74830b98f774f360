/* test_hamiltonian.c - leapfrog steps: reversible, of order 2, volume-preserving; momenta and energies of each metric. */
#include "infer/mcmc/hamiltonian.h"
#include "infer/mcmc/metrics/dense.h"
#include "infer/mcmc/metrics/low_rank.h"
#include "infer/mcmc/metrics/scales.h"
#include "target.h"

#include <math.h>
#include <string.h>

enum { DIM = 3 };
static double precision[DIM * DIM] = {2, 0.5, 0.1, 0.5, 1, -0.3, 0.1, -0.3, 0.7};
static const double start[DIM] = {0.3, -0.8, 1.1};
static const double variance[DIM] = {0.4, 1.5, 2.5};
static const double covariance[DIM * DIM] = {1, 0.4, -0.2, 0.4, 2, 0.3, -0.2, 0.3, 0.5};

/* Two directions of length one, at right angles, which the low-rank metric stretches and shortens. */
enum { RANK = 2 };
static const double value[RANK] = {2.5, 0.4}, direction[RANK * DIM] = {0.6, 0, 0.8, 0.48, 0.8, -0.36};

enum { UNIT, DIAGONAL, DENSE, LOW_RANK, METRICS };
static const char *const metrics[METRICS] = {"unit", "diagonal", "dense", "low_rank"};

static void begin(crdi_hamiltonian *h, crd_context *ctx, const crd_program *program, int metric)
{
    assert_ok(ctx, crdi_hamiltonian_create(h, ctx, program, crdi_metric_find(metrics[metric]), false));
    if (metric == DENSE) {
        assert_true(crdi_dense_metric_set(&h->metric, covariance));
    } else if (metric == LOW_RANK) {
        crdi_low_rank_metric_set(&h->metric, variance, RANK, value, direction);
    } else if (metric == DIAGONAL) {
        memcpy(h->metric.inverse_mass, variance, sizeof variance);
        crdi_scales_set(&h->metric);
    }
    memcpy(h->q, start, sizeof start);
    crdi_hamiltonian_evaluate(h);
}

/* M^-1 p by hand. */
static double sharp_of(int metric, const double *p, int i)
{
    double sum = metric == UNIT ? p[i] : metric == DENSE ? 0 : variance[i] * p[i];
    for (int j = 0; j < DIM && metric == DENSE; j++)
        sum += covariance[i * DIM + j] * p[j];
    for (int k = 0; k < RANK * DIM && metric == LOW_RANK; k++) {
        int r = k / DIM, j = k % DIM;
        sum += (value[r] - 1) * sqrt(variance[i] * variance[j]) * direction[r * DIM + i] * direction[k] * p[j];
    }
    return sum;
}

static double energy_of(int metric, const double *q, const double *p)
{
    double energy = 0;
    for (int i = 0; i < DIM; i++) {
        energy += 0.25 * pow(q[i], 4) + 0.5 * p[i] * sharp_of(metric, p, i);
        for (int j = 0; j < DIM; j++)
            energy += 0.5 * q[i] * precision[i * DIM + j] * q[j];
    }
    return energy;
}

static void energy_and_velocity_are_those_of_the_state(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_program *program = target_program(ctx, DIM, precision, 1);
    for (int m = 0; m < METRICS; m++) {
        crdi_hamiltonian h;
        double sharp[DIM];
        begin(&h, ctx, program, m);
        crdi_hamiltonian_draw_momentum(&h, crd_key_make(5));
        assert_close(h.energy, energy_of(m, h.q, h.p), 1e-14, 0);
        for (int i = 0; i < DIM; i++)
            assert_close(h.sharp[i], sharp_of(m, h.p, i), 1e-14, 1e-15);
        crdi_hamiltonian_step(&h, 0.2, sharp);
        assert_close(h.energy, energy_of(m, h.q, h.p), 1e-14, 0);
        for (int i = 0; i < DIM; i++)
            assert_close(sharp[i], sharp_of(m, h.p, i), 1e-14, 1e-15);
        assert_int_equal(h.gradients, 2);
        crdi_hamiltonian_destroy(&h);
    }
    crd_program_destroy(&program);
    testing_context_destroy(&ctx);
}

/* Steps of the negative size lead back. */
static void leapfrog_is_reversible(void **state)
{
    (void)state;
    enum { STEPS = 100 };
    crd_context *ctx = testing_context();
    crd_program *program = target_program(ctx, DIM, precision, 1);
    for (int m = 0; m < METRICS; m++) {
        crdi_hamiltonian h;
        double p[DIM];
        begin(&h, ctx, program, m);
        crdi_hamiltonian_draw_momentum(&h, crd_key_make(1));
        memcpy(p, h.p, sizeof p);
        double moved = 0;
        for (int i = 0; i < STEPS; i++) {
            crdi_hamiltonian_step(&h, 0.13, h.sharp);
            moved = fmax(moved, fabs(h.q[0] - start[0]));
        }
        assert_true(moved > 0.5);
        for (int i = 0; i < STEPS; i++)
            crdi_hamiltonian_step(&h, -0.13, h.sharp);
        for (int i = 0; i < DIM; i++) {
            assert_close(h.q[i], start[i], 0, 1e-10);
            assert_close(h.p[i], p[i], 0, 1e-10);
        }
        crdi_hamiltonian_destroy(&h);
    }
    crd_program_destroy(&program);
    testing_context_destroy(&ctx);
}

/* The largest error of the energy along a path of time 2. */
static double energy_error(crdi_hamiltonian *h, int steps)
{
    memcpy(h->q, start, sizeof start);
    crdi_hamiltonian_evaluate(h);
    crdi_hamiltonian_draw_momentum(h, crd_key_make(2));
    double before = h->energy, worst = 0;
    for (int i = 0; i < steps; i++) {
        crdi_hamiltonian_step(h, 2.0 / steps, h->sharp);
        worst = fmax(worst, fabs(h->energy - before));
    }
    return worst;
}

static void leapfrog_is_of_order_two(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_program *program = target_program(ctx, DIM, precision, 1);
    for (int m = 0; m < METRICS; m++) {
        crdi_hamiltonian h;
        begin(&h, ctx, program, m);
        for (int steps = 100; steps <= 400; steps *= 2)
            assert_close(energy_error(&h, steps) / energy_error(&h, 2 * steps), 4, 0.02, 0);
        crdi_hamiltonian_destroy(&h);
    }
    crd_program_destroy(&program);
    testing_context_destroy(&ctx);
}

static double determinant(double a[2 * DIM][2 * DIM])
{
    double product = 1;
    for (int k = 0; k < 2 * DIM; k++) { /* elimination; the matrix is near enough to the identity to need no pivots */
        product *= a[k][k];
        for (int i = k + 1; i < 2 * DIM; i++)
            for (int j = 2 * DIM - 1; j >= k; j--)
                a[i][j] -= a[i][k] / a[k][k] * a[k][j];
    }
    return product;
}

static void leapfrog_keeps_volume(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_program *program = target_program(ctx, DIM, precision, 1);
    const double p[DIM] = {0.5, -1, 0.8}, tiny = 1e-5;
    for (int m = 0; m < METRICS; m++) {
        crdi_hamiltonian h;
        double jacobian[2 * DIM][2 * DIM];
        begin(&h, ctx, program, m);
        for (int k = 0; k < 2 * DIM; k++)
            for (int side = 0; side < 2; side++) {
                memcpy(h.q, start, sizeof start);
                memcpy(h.p, p, sizeof p);
                (k < DIM ? h.q : h.p)[k % DIM] += side ? tiny : -tiny;
                crdi_hamiltonian_evaluate(&h);
                for (int i = 0; i < 3; i++)
                    crdi_hamiltonian_step(&h, 0.2, h.sharp);
                for (int i = 0; i < 2 * DIM; i++) {
                    double at = (i < DIM ? h.q : h.p)[i % DIM] / (2 * tiny);
                    jacobian[i][k] = side ? jacobian[i][k] + at : -at;
                }
            }
        assert_close(determinant(jacobian), 1, 1e-7, 0);
        crdi_hamiltonian_destroy(&h);
    }
    crd_program_destroy(&program);
    testing_context_destroy(&ctx);
}

/* p ~ Normal(0, M), so that E[(M^-1 p)(M^-1 p)'] = M^-1. With 40000 draws the standard error of an element is at most
 * sqrt(2 / 40000) = 0.0071 of its size; 5 of them. */
static void momenta_have_the_covariance_of_the_metric(void **state)
{
    (void)state;
    enum { DRAWS = 40000 };
    crd_context *ctx = testing_context();
    crd_program *program = target_program(ctx, DIM, precision, 1);
    for (int m = 0; m < METRICS; m++) {
        crdi_hamiltonian h;
        double sum[DIM * DIM] = {0}, zero[DIM] = {0};
        begin(&h, ctx, program, m);
        for (uint32_t d = 0; d < DRAWS; d++) {
            crdi_hamiltonian_draw_momentum(&h, crd_key_fold_in(crd_key_make(3), d));
            for (int i = 0; i < DIM * DIM; i++)
                sum[i] += h.sharp[i / DIM] * h.sharp[i % DIM] / DRAWS;
        }
        for (int i = 0; i < DIM * DIM; i++) {
            double unit[DIM] = {0};
            unit[i % DIM] = 1;
            double wanted = sharp_of(m, unit, i / DIM), size[2];
            for (int k = 0; k < 2; k++) {
                memcpy(unit, zero, sizeof unit);
                unit[k ? i % DIM : i / DIM] = 1;
                size[k] = sharp_of(m, unit, k ? i % DIM : i / DIM);
            }
            assert_close(sum[i], wanted, 0, 5 * 0.0071 * sqrt(size[0] * size[1]));
        }
        crdi_hamiltonian_destroy(&h);
    }
    crd_program_destroy(&program);
    testing_context_destroy(&ctx);
}

/* T T' = M^-1, and a momentum is T^-T times what it was drawn from. */
static void the_root_is_one_of_the_metric(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_program *program = target_program(ctx, DIM, precision, 1);
    for (int m = 0; m < METRICS; m++) {
        crdi_hamiltonian h;
        const double x[DIM] = {0.7, -1.2, 0.4};
        double back[DIM], there[DIM], normal[DIM];
        begin(&h, ctx, program, m);
        const crdi_metric_type *type = h.metric.type;
        type->root_transposed(&h.metric, x, back);
        type->root(&h.metric, back, there);
        for (int i = 0; i < DIM; i++)
            assert_close(there[i], sharp_of(m, x, i), 1e-13, 1e-14);
        memcpy(normal, x, sizeof x);
        type->momentum(&h.metric, normal);
        type->root_transposed(&h.metric, normal, back);
        for (int i = 0; i < DIM; i++)
            assert_close(back[i], x[i], 1e-13, 1e-14);
        crdi_hamiltonian_destroy(&h);
    }
    crd_program_destroy(&program);
    testing_context_destroy(&ctx);
}

static void a_covariance_that_is_none_is_left_aside(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_program *program = target_program(ctx, DIM, precision, 1);
    crdi_hamiltonian h;
    const double bad[DIM * DIM] = {1, 2, 0, 2, 1, 0, 0, 0, 1};
    double before[DIM], inverse[DIM * DIM];
    begin(&h, ctx, program, DENSE);
    crdi_hamiltonian_draw_momentum(&h, crd_key_make(4));
    memcpy(before, h.p, sizeof before);
    memcpy(inverse, h.metric.inverse_mass, sizeof inverse);
    assert_false(crdi_dense_metric_set(&h.metric, bad));
    assert_memory_equal(h.metric.inverse_mass, inverse, sizeof inverse);
    crdi_hamiltonian_draw_momentum(&h, crd_key_make(4));
    assert_memory_equal(h.p, before, sizeof before);
    crdi_hamiltonian_destroy(&h);
    crd_program_destroy(&program);
    testing_context_destroy(&ctx);
}

static void an_energy_that_is_no_number_is_infinite(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_program *program = target_program(ctx, DIM, precision, 1);
    crdi_hamiltonian h;
    begin(&h, ctx, program, DIAGONAL);
    h.q[1] = NAN;
    crdi_hamiltonian_evaluate(&h);
    crdi_hamiltonian_draw_momentum(&h, crd_key_make(4));
    assert_true(h.energy == INFINITY);
    crdi_hamiltonian_destroy(&h);
    crd_program_destroy(&program);
    testing_context_destroy(&ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(energy_and_velocity_are_those_of_the_state),
        cmocka_unit_test(leapfrog_is_reversible),
        cmocka_unit_test(leapfrog_is_of_order_two),
        cmocka_unit_test(leapfrog_keeps_volume),
        cmocka_unit_test(momenta_have_the_covariance_of_the_metric),
        cmocka_unit_test(the_root_is_one_of_the_metric),
        cmocka_unit_test(a_covariance_that_is_none_is_left_aside),
        cmocka_unit_test(an_energy_that_is_no_number_is_infinite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
