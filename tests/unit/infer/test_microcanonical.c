/* test_microcanonical.c - the isokinetic integrators, and the two kernels that use them: closed forms, and what they learn. */
#include "infer/mcmc/microcanonical.h"
#include "base/archive.h"
#include "infer/mcmc/metrics/scales.h"
#include "target.h"

#include <credence/random.h>
#include <math.h>
#include <string.h>

enum { DIM = 5 };
static double precision[DIM * DIM] = {2,    0.5, 0.1, 0, 0,    0.5, 1,   -0.3, 0, 0, 0.1, -0.3, 0.7,
                                      0.05, 0,   0,   0, 0.05, 3,   0.2, 0,    0, 0, 0.2, 1.5};
static const crdi_integrator integrators[] = {CRDI_LEAPFROG, CRDI_MINIMAL_NORM};
static const char *const kernels[] = {"mclmc", "mams"};

/* ---- integrators -------------------------------------------------------------------------------------------- */

struct particle {
    crd_context *ctx;
    crd_program *program;
    crdi_hamiltonian h;
    crdi_isokinetic motion;
};

/* Somewhere, in some direction, with scales that are not 1. */
static void put(struct particle *p, crdi_integrator integrator)
{
    static const double start[DIM] = {0.7, -1.1, 0.4, 0.3, -0.8}, variance[DIM] = {0.25, 1, 4, 0.5, 2};
    p->ctx = testing_context();
    p->program = target_program(p->ctx, DIM, precision, 0.3);
    assert_ok(p->ctx, crdi_hamiltonian_create(&p->h, p->ctx, p->program, crdi_metric_find("diagonal"), false));
    memcpy(p->h.metric.inverse_mass, variance, sizeof variance);
    crdi_scales_set(&p->h.metric);
    assert_ok(p->ctx, crdi_isokinetic_create(&p->motion, &p->h, integrator));
    memcpy(p->h.q, start, sizeof start);
    crdi_hamiltonian_evaluate(&p->h);
    crdi_isokinetic_draw(&p->motion, crd_key_make(3));
}

static void take_away(struct particle *p)
{
    crdi_isokinetic_destroy(&p->motion);
    crdi_hamiltonian_destroy(&p->h);
    crd_program_destroy(&p->program);
    testing_context_destroy(&p->ctx);
}

static double length_of(const double *u)
{
    double sum = 0;
    for (int i = 0; i < DIM; i++)
        sum += u[i] * u[i];
    return sqrt(sum);
}

static void steps_are_reversible_and_keep_the_speed(void **state)
{
    (void)state;
    for (int k = 0; k < CRDI_COUNT(integrators); k++) {
        struct particle p;
        double q[DIM], u[DIM], error = 0;
        put(&p, integrators[k]);
        memcpy(q, p.h.q, sizeof q);
        memcpy(u, p.h.p, sizeof u);
        int64_t before = p.h.gradients;
        for (int way = 0; way < 2; way++) {
            for (int i = 0; i < 200; i++) {
                error += crdi_isokinetic_step(&p.motion, 0.2);
                assert_close(length_of(p.h.p), 1, 1e-14, 0);
            }
            assert_true(way == 1 || fabs(error) > 1e-6); /* it went somewhere */
            for (int i = 0; i < DIM; i++)
                p.h.p[i] = -p.h.p[i];
        }
        assert_int_equal(p.h.gradients - before, 400 * crdi_isokinetic_cost(&p.motion));
        assert_close(error, 0, 0, 1e-10);
        for (int i = 0; i < DIM; i++) {
            assert_close(p.h.q[i], q[i], 0, 1e-10);
            assert_close(p.h.p[i], u[i], 0, 1e-10);
        }
        take_away(&p);
    }
}

/* Where a time of 2 leads in `steps` steps, and the largest energy error on the way. */
static double travel(crdi_integrator integrator, int steps, double *q)
{
    struct particle p;
    double error = 0, largest = 0;
    put(&p, integrator);
    for (int i = 0; i < steps; i++) {
        error += crdi_isokinetic_step(&p.motion, 2.0 / steps);
        largest = fmax(largest, fabs(error));
    }
    memcpy(q, p.h.q, sizeof(double) * DIM);
    take_away(&p);
    return largest;
}

/* Both are of second order: half the step, a quarter of the error, in place and in energy. */
static void integrators_are_of_second_order(void **state)
{
    (void)state;
    double exact[DIM], energy[2];
    travel(CRDI_MINIMAL_NORM, 200000, exact);
    for (int k = 0; k < CRDI_COUNT(integrators); k++) {
        double last_place = 0, last_energy = 0;
        for (int steps = 100; steps <= 1600; steps *= 2) {
            double q[DIM], place = 0;
            energy[k] = travel(integrators[k], steps, q);
            for (int i = 0; i < DIM; i++)
                place = hypot(place, q[i] - exact[i]);
            if (last_place > 0) {
                assert_close(log2(last_place / place), 2, 0.03, 0);
                assert_close(log2(last_energy / energy[k]), 2, 0.03, 0);
            }
            last_place = place;
            last_energy = energy[k];
        }
    }
    assert_true(energy[1] < energy[0] / 5); /* what the second gradient of a step is for */
}

/* In two dimensions a direction is an angle: the kick adds -log(d new angle / d angle) to the energy, and the angle moves as
 * du/dt = (1 - u u') g says for as long as g stays. Without a gradient nothing happens. */
static void a_kick_changes_volume_as_it_says(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    double flat[4] = {0}, steep[4] = {1e12, 0, 0, 1e12};
    crd_program *program = target_program(ctx, 2, flat, 0);
    crdi_hamiltonian h;
    crdi_isokinetic motion;
    assert_ok(ctx, crdi_hamiltonian_create(&h, ctx, program, crdi_metric_find("unit"), false));
    assert_ok(ctx, crdi_isokinetic_create(&motion, &h, CRDI_LEAPFROG));
    /* The drift evaluates a flat density, so that of a whole step only the first kick turns. */
    for (int c = 0; c < 12; c++) {
        double angle = 0.5 * c, step = 1e-2 * (c + 1), out[3], change = 0;
        for (int k = 0; k < 3; k++) {
            h.p[0] = cos(angle + 1e-5 * (k - 1));
            h.p[1] = sin(angle + 1e-5 * (k - 1));
            h.grad[0] = 3;
            h.grad[1] = -4;
            *h.log_density = 0;
            double energy = crdi_isokinetic_step(&motion, step);
            out[k] = atan2(h.p[1], h.p[0]);
            change = k == 1 ? energy : change;
        }
        double slope = remainder(out[2] - out[0], 2 * 3.14159265358979323846) / 2e-5;
        assert_close(change, -log(slope), 0, 1e-8);
        double turned = remainder(out[1] - angle, 2 * 3.14159265358979323846), rate = -3 * sin(angle) - 4 * cos(angle);
        assert_close(turned, rate * 0.5 * step, 0, 30 * step * step);
    }
    h.p[0] = 0.6;
    h.p[1] = 0.8;
    assert_true(crdi_isokinetic_step(&motion, 0.5) == 0 && h.p[0] == 0.6 && h.p[1] == 0.8);
    crdi_isokinetic_destroy(&motion);
    crdi_hamiltonian_destroy(&h);
    crd_program_destroy(&program);
    /* A gradient as large as it gets turns at once, to numbers. */
    program = target_program(ctx, 2, steep, 0);
    assert_ok(ctx, crdi_hamiltonian_create(&h, ctx, program, crdi_metric_find("unit"), false));
    assert_ok(ctx, crdi_isokinetic_create(&motion, &h, CRDI_MINIMAL_NORM));
    h.q[0] = h.q[1] = 1;
    crdi_hamiltonian_evaluate(&h);
    crdi_isokinetic_draw(&motion, crd_key_make(1));
    crdi_isokinetic_step(&motion, 1e-3);
    assert_close(hypot(h.p[0], h.p[1]), 1, 1e-14, 0);
    crdi_isokinetic_destroy(&motion);
    crdi_hamiltonian_destroy(&h);
    crd_program_destroy(&program);
    testing_context_destroy(&ctx);
}

/* In many dimensions the direction is forgotten as exp(-distance / length): the mean of u(0) u(t) over 200 walks, whose standard
 * deviation is below 1 / sqrt(dim), within 5 of its standard errors and the 1 / dim that the formula leaves out. */
static void the_direction_is_forgotten_over_its_length(void **state)
{
    (void)state;
    enum { MANY = 100, WALKS = 200, STEPS = 30 };
    static double identity[MANY * MANY];
    crd_context *ctx = testing_context();
    crd_program *program = target_program(ctx, MANY, identity, 0);
    crdi_hamiltonian h;
    crdi_isokinetic motion;
    double sum = 0, first[MANY], strength = crdi_isokinetic_strength(MANY, 0.1, 4);
    assert_ok(ctx, crdi_hamiltonian_create(&h, ctx, program, crdi_metric_find("unit"), false));
    assert_ok(ctx, crdi_isokinetic_create(&motion, &h, CRDI_LEAPFROG));
    for (uint32_t w = 0; w < WALKS; w++) {
        crd_key key = crd_key_fold_in(crd_key_make(9), w);
        crdi_isokinetic_draw(&motion, key);
        memcpy(first, h.p, sizeof first);
        for (uint32_t i = 0; i < STEPS; i++)
            crdi_isokinetic_disturb(&motion, strength, crd_key_fold_in(key, i));
        for (int i = 0; i < MANY; i++)
            sum += first[i] * h.p[i] / WALKS;
    }
    assert_close(sum, exp(-0.1 * STEPS / 4), 0, 5 / sqrt(MANY * WALKS) + 1.0 / MANY);
    crdi_isokinetic_destroy(&motion);
    crdi_hamiltonian_destroy(&h);
    crd_program_destroy(&program);
    testing_context_destroy(&ctx);
}

/* ---- kernels ------------------------------------------------------------------------------------------------ */

static crd_nuts_options settings(const char *kernel)
{
    return (crd_nuts_options){.chains = 1,
                              .warmup = 300,
                              .draws = 100,
                              .kernel = kernel,
                              .max_depth = 10,
                              .max_energy_change = 1000,
                              .metric = "diagonal",
                              .energy_variance = 5e-4,
                              .init_radius = 2};
}

static void begin(crdi_chain *chain, crd_context *ctx, const crd_program *program, const crd_nuts_options *options)
{
    assert_ok(ctx, crdi_chain_create(chain, ctx, program, options, crd_key_make(11)));
    assert_ok(ctx, crdi_chain_start(chain, 0));
}

static void transitions_allocate_nothing_and_leave_a_whole_state(void **state)
{
    (void)state;
    static const char *const metrics[] = {"diagonal", "fisher", "unit", "low_rank", "dense"};
    crd_context *ctx = testing_context();
    crd_program *program = target_program(ctx, DIM, precision, 1);
    for (int k = 0; k < 10; k++) {
        crd_nuts_options options = settings(kernels[k % 2]);
        crdi_chain chain;
        crdi_transition t;
        options.metric = metrics[k / 2];
        options.integrator = k % 3 ? "leapfrog" : "auto";
        begin(&chain, ctx, program, &options);
        int64_t before = testing_allocations();
        for (int i = 0; i < 400; i++) {
            int64_t gradients = chain.h.gradients;
            crdi_chain_advance(&chain, &t);
            assert_true(t.accept_prob >= 0 && t.accept_prob <= 1 && isfinite(t.energy));
            assert_int_equal(chain.h.gradients - gradients, t.n_steps);
            double density = *chain.h.log_density, gradient[DIM];
            memcpy(gradient, chain.h.grad, sizeof gradient);
            crd_exec_run(chain.h.exec);
            assert_true(*chain.h.log_density == density);
            assert_memory_equal(chain.h.grad, gradient, sizeof gradient);
        }
        assert_int_equal(testing_allocations(), before);
        crdi_chain_destroy(&chain);
    }
    crd_program_destroy(&program);
    testing_context_destroy(&ctx);
}

/* Wherever in warm-up or sampling it is cut. */
static void a_state_goes_on_bit_for_bit(void **state)
{
    (void)state;
    static const int cuts[] = {1, 60, 90, 175, 200, 238, 280, 300, 350};
    crd_context *ctx = testing_context();
    crd_program *program = target_program(ctx, DIM, precision, 1);
    static const char *const metrics[] = {"diagonal", "fisher", "low_rank"};
    for (int k = 0; k < 6 * CRDI_COUNT(cuts); k++) {
        crd_nuts_options options = settings(kernels[k % 2]);
        options.metric = metrics[k % 3];
        options.adaptation = k % 6 < 3 ? "windows" : "overlapping";
        crdi_chain whole, first, second;
        crdi_transition t, other;
        crdi_archive written = {0}, read;
        begin(&whole, ctx, program, &options);
        begin(&first, ctx, program, &options);
        for (int i = 0; i < cuts[k / 6]; i++) {
            crdi_chain_advance(&whole, &t);
            crdi_chain_advance(&first, &other);
        }
        crdi_archive_write(&written, ctx);
        crdi_chain_state(&first, &written);
        assert_ok(ctx, written.status);
        assert_ok(ctx, crdi_chain_create(&second, ctx, program, &options, crd_key_make(11)));
        crdi_archive_read(&read, ctx, written.bytes, written.size);
        crdi_chain_state(&second, &read);
        assert_ok(ctx, read.status);
        for (int i = cuts[k / 6]; i < 400; i++) {
            crdi_chain_advance(&whole, &t);
            crdi_chain_advance(&second, &other);
            assert_memory_equal(whole.h.q, second.h.q, sizeof(double) * DIM);
            assert_true(t.energy == other.energy && t.n_steps == other.n_steps);
        }
        assert_true(whole.h.step_size == second.h.step_size && whole.length == second.length);
        crdi_archive_clear(&written);
        crdi_chain_destroy(&whole);
        crdi_chain_destroy(&first);
        crdi_chain_destroy(&second);
    }
    crd_program_destroy(&program);
    testing_context_destroy(&ctx);
}

/* mclmc: the mean square of a step's energy error near what was asked for; mams: the acceptance. Both: the scales, and a length
 * that is not the one it began with; after warm-up all that stays. */
static void warmup_learns(void **state)
{
    (void)state;
    enum { WARMUP = 1500, DRAWS = 1000 };
    const double sd[DIM] = {0.01, 1, 50, 3, 0.2};
    double scaled[DIM * DIM] = {0};
    crd_context *ctx = testing_context();
    for (int i = 0; i < DIM; i++)
        scaled[i * DIM + i] = 1 / (sd[i] * sd[i]);
    crd_program *program = target_program(ctx, DIM, scaled, 0);
    for (int k = 0; k < 2; k++) {
        crd_nuts_options options = settings(kernels[k]);
        crdi_chain chain;
        crdi_transition t;
        double accept = 0;
        options.warmup = WARMUP;
        begin(&chain, ctx, program, &options);
        for (int i = 0; i < WARMUP; i++)
            crdi_chain_advance(&chain, &t);
        double step = chain.h.step_size, length = chain.length;
        for (int i = 0; i < DRAWS; i++) {
            crdi_chain_advance(&chain, &t);
            assert_true(chain.h.step_size == step && chain.length == length && !t.diverging);
            accept += t.accept_prob / DRAWS;
        }
        if (k == 1)
            assert_close(accept, 0.9, 0, 0.06);
        assert_true(length > 0.5 && length < 20 && length != sqrt(DIM));
        for (int i = 0; i < DIM; i++)
            assert_close(chain.h.metric.inverse_mass[i], sd[i] * sd[i], 0.4, 2e-5);
        crdi_chain_destroy(&chain);
    }
    crd_program_destroy(&program);
    testing_context_destroy(&ctx);
}

/* The step size goes with the sixth root of the energy variance that is asked for. */
/* The same of mclmc's transitions, which are as long as the length, where noise is added after each step, and after every few: nothing
 * but noise turns where the density is flat. */
static void a_transition_forgets_the_direction_by_one_length(void **state)
{
    (void)state;
    enum { MANY = 100, WALKS = 400 };
    static const double steps[] = {0.125, 0.01, 0.002}; /* noise after every step, every third, every eighth */
    static double none[MANY * MANY];
    crd_context *ctx = testing_context();
    crd_program *program = target_program(ctx, MANY, none, 0);
    for (int k = 0; k < CRDI_COUNT(steps); k++) {
        crd_nuts_options options = settings("mclmc");
        crdi_chain chain;
        crdi_transition t;
        double before[MANY], sum = 0;
        options.warmup = 0;
        options.step_size = steps[k];
        options.decoherence = 1;
        options.integrator = "leapfrog";
        options.metric = "unit";
        begin(&chain, ctx, program, &options);
        crdi_chain_advance(&chain, &t);
        for (int w = 0; w < WALKS; w++) {
            memcpy(before, chain.h.p, sizeof before);
            crdi_chain_advance(&chain, &t);
            for (int i = 0; i < MANY; i++)
                sum += before[i] * chain.h.p[i] / WALKS;
        }
        assert_close(sum, exp(-1), 0, 5 / sqrt(MANY * WALKS) + 1.0 / MANY);
        crdi_chain_destroy(&chain);
    }
    crd_program_destroy(&program);
    testing_context_destroy(&ctx);
}

static void a_smaller_energy_variance_is_a_smaller_step(void **state)
{
    (void)state;
    static double identity[20 * 20];
    double step[3];
    for (int i = 0; i < 20; i++)
        identity[i * 21] = 1;
    crd_context *ctx = testing_context();
    crd_program *program = target_program(ctx, 20, identity, 0);
    for (int k = 0; k < 3; k++) {
        crd_nuts_options options = settings("mclmc");
        crdi_chain chain;
        crdi_transition t;
        options.warmup = 1000;
        options.metric = "unit";
        options.energy_variance = 1e-3 * pow(1e-2, k);
        begin(&chain, ctx, program, &options);
        for (int i = 0; i < 1000; i++)
            crdi_chain_advance(&chain, &t);
        step[k] = chain.h.step_size;
        crdi_chain_destroy(&chain);
    }
    for (int k = 1; k < 3; k++)
        assert_close(log(step[k] / step[k - 1]) / log(1e-2), 1.0 / 6, 0.15, 0);
    crd_program_destroy(&program);
    testing_context_destroy(&ctx);
}

static void given_lengths_and_steps_are_taken(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_program *program = target_program(ctx, DIM, precision, 0);
    for (int k = 0; k < 4; k++) { /* mclmc, mams; minimal norm, leapfrog */
        crd_nuts_options options = settings(kernels[k % 2]);
        crdi_chain chain;
        crdi_transition t;
        options.warmup = 0;
        options.step_size = 0.125;
        options.decoherence = 1.25;
        options.trajectory = "fixed";
        options.integrator = k / 2 ? "leapfrog" : "minimal_norm";
        begin(&chain, ctx, program, &options);
        for (int i = 0; i < 20; i++) {
            crdi_chain_advance(&chain, &t);
            assert_int_equal(t.n_steps, k / 2 ? 10 : 20);
            assert_true(chain.h.step_size == 0.125 && chain.length == 1.25);
        }
        crdi_chain_destroy(&chain);
    }
    crd_program_destroy(&program);
    testing_context_destroy(&ctx);
}

static void random_trajectories_have_the_mean_that_was_asked_for(void **state)
{
    (void)state;
    enum { DRAWS = 4000, MEAN = 10 };
    crd_context *ctx = testing_context();
    crd_program *program = target_program(ctx, DIM, precision, 0);
    crd_nuts_options options = settings("mams");
    crdi_chain chain;
    crdi_transition t;
    int64_t sum = 0, least = 1000, most = 0;
    options.warmup = 0;
    options.step_size = 0.1;
    options.decoherence = 1;
    options.integrator = "leapfrog";
    begin(&chain, ctx, program, &options);
    for (int i = 0; i < DRAWS; i++) {
        crdi_chain_advance(&chain, &t);
        sum += t.n_steps;
        least = t.n_steps < least ? t.n_steps : least;
        most = t.n_steps > most ? t.n_steps : most;
    }
    assert_true(least == 1 && most == 2 * MEAN - 1); /* each has probability 1/19 */
    assert_close((double)sum / DRAWS, MEAN, 0, 5 * sqrt((19.0 * 19 - 1) / 12 / DRAWS));
    crdi_chain_destroy(&chain);
    crd_program_destroy(&program);
    testing_context_destroy(&ctx);
}

/* Steps that are much too long: told, and nothing moves. */
static void a_divergence_is_told_and_moves_nothing(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_program *program = target_program(ctx, DIM, precision, 1);
    for (int k = 0; k < 2; k++) {
        crd_nuts_options options = settings(kernels[k]);
        crdi_chain chain;
        crdi_transition t;
        double q[DIM];
        options.warmup = 0;
        options.step_size = 1000;
        begin(&chain, ctx, program, &options);
        memcpy(q, chain.h.q, sizeof q);
        for (int i = 0; i < 5; i++) {
            crdi_chain_advance(&chain, &t);
            assert_true(t.diverging && t.accept_prob == 0);
            assert_memory_equal(chain.h.q, q, sizeof q);
        }
        crdi_chain_destroy(&chain);
    }
    crd_program_destroy(&program);
    testing_context_destroy(&ctx);
}

static void what_does_not_go_with_them_is_refused(void **state)
{
    (void)state;
    double one[1] = {1};
    for (int k = 0; k < 2; k++) { /* mclmc, mams */
        crd_context *ctx = testing_context();
        crd_program *program = target_program(ctx, 1, one, 0);
        crd_nuts_options options = settings(kernels[k]);
        crdi_chain chain;
        assert_int_equal(crdi_chain_create(&chain, ctx, program, &options, crd_key_make(1)), CRD_EUNSUPPORTED);
        assert_non_null(strstr(crd_error_message(ctx), "two parameters"));
        crdi_chain_destroy(&chain);
        crd_program_destroy(&program);
        testing_context_destroy(&ctx);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_are_reversible_and_keep_the_speed),
        cmocka_unit_test(integrators_are_of_second_order),
        cmocka_unit_test(a_kick_changes_volume_as_it_says),
        cmocka_unit_test(the_direction_is_forgotten_over_its_length),
        cmocka_unit_test(transitions_allocate_nothing_and_leave_a_whole_state),
        cmocka_unit_test(a_state_goes_on_bit_for_bit),
        cmocka_unit_test(warmup_learns),
        cmocka_unit_test(a_transition_forgets_the_direction_by_one_length),
        cmocka_unit_test(a_smaller_energy_variance_is_a_smaller_step),
        cmocka_unit_test(given_lengths_and_steps_are_taken),
        cmocka_unit_test(random_trajectories_have_the_mean_that_was_asked_for),
        cmocka_unit_test(a_divergence_is_told_and_moves_nothing),
        cmocka_unit_test(what_does_not_go_with_them_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
