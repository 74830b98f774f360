/* test_split.c - Hamiltonian Monte Carlo split over batches: its integrator, and that its draws are exact. */
#include "infer/mcmc/chain.h"
#include "infer/mcmc/split.h"
#include "regression.h"

#include <string.h>

/* A network of one unit with a scale: 5 parameters, curved, with 30 rows of data. */
struct fixture {
    crd_context *ctx;
    double x[30], y[30];
    crd_network network;
    crd_array y_array;
    crd_model *model;
    crdi_batches batches;
    crdi_hamiltonian h;
    crdi_split split;
};

static void open(struct fixture *f, int64_t batches, const char *metric)
{
    f->ctx = testing_context();
    for (int i = 0; i < 30; i++) {
        f->x[i] = cos(2.1 * i);
        f->y[i] = sin(2 * f->x[i]) + 0.1 * cos(5.0 * i * i);
    }
    f->y_array = crd_array_borrow(f->y, crd_shape_1(30));
    f->network = (crd_network){.hidden = "1",
                               .activation = "tanh",
                               .prior = "normal:0,1",
                               .noise = "half_cauchy:0.5",
                               .x = crd_array_borrow(f->x, crd_shape_2(30, 1)),
                               .y = &f->y_array};
    assert_ok(f->ctx, crd_model_create(&f->model, f->ctx, crd_network_model, &f->network));
    assert_ok(f->ctx, crdi_batches_create_count(f->model, NULL, batches, &f->batches));
    assert_ok(f->ctx, crdi_hamiltonian_create(&f->h, f->ctx, f->batches.program, crdi_metric_find(metric), false));
    assert_ok(f->ctx, crdi_split_create(&f->split, &f->h, &f->batches));
    for (int i = 0; i < 5; i++)
        f->h.q[i] = 0.3 * i - 0.7;
    crdi_hamiltonian_evaluate(&f->h);
    crdi_hamiltonian_draw_momentum(&f->h, crd_key_make(3));
}

static void close(struct fixture *f)
{
    crdi_split_destroy(&f->split);
    crdi_hamiltonian_destroy(&f->h);
    crdi_batches_clear(&f->batches);
    crd_model_destroy(&f->model);
    testing_context_destroy(&f->ctx);
}

static void its_density_is_that_of_all_rows(void **state)
{
    (void)state;
    static const int64_t batches[] = {1, 3, 4, 30};
    for (int b = 0; b < CRDI_COUNT(batches); b++) {
        struct fixture f;
        double density, gradient[5];
        open(&f, batches[b], "diagonal");
        assert_int_equal(f.h.dim, 5);
        assert_ok(f.ctx, crd_model_log_density(f.model, f.h.q, &density, gradient));
        assert_close(*f.h.log_density, density, 1e-13, 0);
        for (int i = 0; i < 5; i++)
            assert_close(f.h.grad[i], gradient[i], 1e-12, 1e-12);
        close(&f);
    }
}

/* There, the momentum turned round, and back: where it began. A step costs 2 M - 1 gradients of batches. */
static void steps_are_reversible(void **state)
{
    (void)state;
    static const int64_t batches[] = {1, 3, 4, 7};
    static const char *const metrics[] = {"diagonal", "dense"};
    for (int k = 0; k < 8; k++) {
        struct fixture f;
        double q[5], p[5];
        open(&f, batches[k % 4], metrics[k / 4]);
        memcpy(q, f.h.q, sizeof q);
        memcpy(p, f.h.p, sizeof p);
        int64_t parts = f.split.whole.parts, before = f.h.gradients;
        for (int way = 0; way < 2; way++) {
            crdi_split_begin(&f.split);
            for (int i = 0; i < 60; i++)
                crdi_split_step(&f.split, 0.06);
            crdi_split_end(&f.split);
            assert_true(way == 1 || fabs(f.h.q[0] - q[0]) > 0.1); /* it went somewhere */
            for (int i = 0; i < 5; i++)
                f.h.p[i] = -f.h.p[i];
        }
        assert_int_equal(f.h.gradients - before, 2 * (1 + 60 * (2 * parts - 1) + parts));
        for (int i = 0; i < 5; i++) {
            assert_close(f.h.q[i], q[i], 0, 1e-10);
            assert_close(f.h.p[i], p[i], 0, 1e-10);
        }
        close(&f);
    }
}

/* Where a time of 1 leads, and the energy error there. */
static double travel(int64_t batches, int steps, double *q)
{
    struct fixture f;
    open(&f, batches, "diagonal");
    double before = f.h.energy;
    crdi_split_begin(&f.split);
    for (int i = 0; i < steps; i++)
        crdi_split_step(&f.split, 1.0 / steps);
    crdi_split_end(&f.split);
    memcpy(q, f.h.q, sizeof(double) * 5);
    double error = fabs(f.h.energy - before);
    close(&f);
    return error;
}

/* Half the step, a quarter of the error, in place and in energy; as many batches as there may be. */
static void steps_are_of_second_order(void **state)
{
    (void)state;
    static const int64_t batches[] = {1, 3, 4, 30};
    double exact[5];
    travel(1, 100000, exact);
    for (int b = 0; b < CRDI_COUNT(batches); b++) {
        double last_place = 0, last_energy = 0;
        for (int steps = 100; steps <= 800; steps *= 2) {
            double q[5], place = 0, energy = travel(batches[b], steps, q);
            for (int i = 0; i < 5; i++)
                place = hypot(place, q[i] - exact[i]);
            if (last_place > 0) {
                assert_close(log2(last_place / place), 2, 0.03, 0);
                assert_close(log2(last_energy / energy), 2, 0.06, 0);
            }
            last_place = place;
            last_energy = energy;
        }
    }
}

/* The regression's normal, in parts that are not equal: mean and variance within 5 standard errors, at steps so long that a third of
 * the trajectories are refused. Of 16 numbers beyond 5: 1e-5. */
static void draws_are_exact(void **state)
{
    (void)state;
    static const int64_t batches[] = {1, 5, 7, 64};
    struct regression r;
    crd_context *ctx = testing_context();
    crd_model *m;
    regression_init(&r);
    assert_ok(ctx, crd_model_create(&m, ctx, regression_model, &r));
    for (int b = 0; b < CRDI_COUNT(batches); b++) {
        crd_posterior *p;
        crd_nuts_options options = {.kernel = "split_hmc",
                                    .warmup = -1,
                                    .draws = 20000,
                                    .batches = batches[b],
                                    .metric = "unit",
                                    .step_size = b == 0 ? 1.5 : 2.4,
                                    .path_length = 3.2};
        assert_ok(ctx, crd_nuts_run(m, &options, crd_key_make(8), &p));
        double accept = crd_diag_mean(crd_posterior_find(p, "accept_prob")->draws, p->chains * p->draws);
        const double *w = crd_posterior_find(p, "w")->draws;
        int64_t n = p->chains * p->draws;
        double *series = crdi_alloc_array(ctx, n, sizeof *series);
        for (int k = 0; k < 2; k++)
            for (int square = 0; square < 2; square++) {
                double error;
                for (int64_t d = 0; d < n; d++)
                    series[d] = square ? pow(w[2 * d + k] - r.mean[k], 2) : w[2 * d + k] - r.mean[k];
                assert_ok(ctx, crd_diag_mcse_mean(ctx, series, p->chains, p->draws, &error));
                double mean = crd_diag_mean(series, n), want = square ? r.variance : 0;
                print_message("%lld batches, acceptance %.2f, %s of w_%d: %+.4f, right %.4f, error %.4f\n",
                              (long long)batches[b], accept, square ? "variance" : "mean", k, mean, want, error);
                assert_close(mean, want, 0, 5 * error);
            }
        assert_true(accept < 0.97); /* without refusals it would not be right */
        crdi_free(ctx, series);
        crd_posterior_destroy(&p);
    }
    crd_model_destroy(&m);
    testing_context_destroy(&ctx);
}

/* Warm-up tunes its step to the acceptance; a state goes on bit for bit; transitions allocate nothing, and leave density and gradient of
 * all rows. */
static void a_chain_is_one_as_others(void **state)
{
    (void)state;
    struct fixture f;
    crd_nuts_options options,
        given = {.kernel = "split_hmc", .warmup = 150, .draws = 100, .batches = 4, .path_length = 2};
    crdi_chain whole, first, second;
    crdi_transition t, other;
    crdi_archive written = {0}, read;
    double accept = 0;
    open(&f, 4, "diagonal");
    assert_ok(f.ctx, crdi_mcmc_complete(f.ctx, &given, &options));
    crdi_chain *chain[] = {&whole, &first};
    for (int c = 0; c < 2; c++) {
        assert_ok(f.ctx, crdi_chain_create_batched(chain[c], f.ctx, &f.batches, &options, crd_key_make(5)));
        assert_ok(f.ctx, crdi_chain_start(chain[c], 0));
    }
    for (int i = 0; i < 120; i++)
        crdi_chain_advance(&first, &other);
    crdi_archive_write(&written, f.ctx);
    crdi_chain_state(&first, &written);
    assert_ok(f.ctx, written.status);
    assert_ok(f.ctx, crdi_chain_create_batched(&second, f.ctx, &f.batches, &options, crd_key_make(5)));
    crdi_archive_read(&read, f.ctx, written.bytes, written.size);
    crdi_chain_state(&second, &read);
    assert_ok(f.ctx, read.status);
    assert_ok(f.ctx, crdi_chain_check(&second, 0));
    int64_t before = testing_allocations();
    for (int i = 0; i < 650; i++) {
        double density, gradient[5];
        crdi_chain_advance(&whole, &t);
        accept += i < 150 ? 0 : t.accept_prob / 500;
        if (i < 120 || i >= 250)
            continue;
        crdi_chain_advance(&second, &other);
        assert_memory_equal(whole.h.q, second.h.q, sizeof(double) * 5);
        assert_true(t.energy == other.energy);
        density = *second.h.log_density;
        memcpy(gradient, second.h.grad, sizeof gradient);
        crdi_hamiltonian_evaluate(&second.h);
        assert_true(*second.h.log_density == density);
        assert_memory_equal(second.h.grad, gradient, sizeof gradient);
    }
    assert_int_equal(testing_allocations(), before);
    assert_true(accept > 0.7 && accept < 0.99); /* 0.8 is the target; short paths have few step sizes */
    crdi_archive_clear(&written);
    crdi_chain_destroy(&whole);
    crdi_chain_destroy(&first);
    crdi_chain_destroy(&second);
    close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(its_density_is_that_of_all_rows), cmocka_unit_test(steps_are_reversible),
        cmocka_unit_test(steps_are_of_second_order),       cmocka_unit_test(draws_are_exact),
        cmocka_unit_test(a_chain_is_one_as_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
