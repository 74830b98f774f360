/* test_chain.c - one chain: its start, its first step size, its transitions, what they cost. */
#include "infer/mcmc/chain.h"
#include "target.h"

#include <math.h>
#include <string.h>

enum { DIM = 3 };
static double precision[DIM * DIM] = {2, 0.5, 0.1, 0.5, 1, -0.3, 0.1, -0.3, 0.7};
static const char *const methods[] = {"nuts", "hmc"};
static const char *const metrics[] = {"diagonal", "dense", "unit", "fisher", "low_rank"};

static crd_nuts_options settings(void)
{
    return (crd_nuts_options){.chains = 1,
                              .warmup = 300,
                              .draws = 100,
                              .kernel = "nuts",
                              .target_accept = 0.8,
                              .max_depth = 10,
                              .max_energy_change = 1000,
                              .metric = "diagonal",
                              .path_length = 3,
                              .init_radius = 2};
}

static void begin_with(crdi_chain *chain, crd_context *ctx, const crd_program *program, const crd_nuts_options *options,
                       crd_key key)
{
    assert_ok(ctx, crdi_chain_create(chain, ctx, program, options, key));
    assert_ok(ctx, crdi_chain_start(chain, 0));
}

static void begin(crdi_chain *chain, crd_context *ctx, const crd_program *program, const crd_nuts_options *options)
{
    begin_with(chain, ctx, program, options, crd_key_make(11));
}

/* ---- start -------------------------------------------------------------------------------------------------- */

/* The mean over momenta of the acceptance probability of one step from the chain's place. */
static double acceptance(crdi_chain *chain, double step)
{
    enum { MOMENTA = 400 };
    crdi_hamiltonian *h = &chain->h;
    double point[DIM], sum = 0;
    memcpy(point, h->q, sizeof point);
    for (uint32_t i = 0; i < MOMENTA; i++) {
        crdi_hamiltonian_draw_momentum(h, crd_key_fold_in(crd_key_make(3), i));
        double before = h->energy;
        crdi_hamiltonian_step(h, step, h->sharp);
        sum += fmin(1, exp(before - h->energy)) / MOMENTA;
        memcpy(h->q, point, sizeof point);
        crdi_hamiltonian_evaluate(h);
    }
    return sum;
}

/* Neal's funnel in ten dimensions: v ~ Normal(0, 3), nine of x ~ Normal(0, exp(v / 2)), whose most probable point, v = -40.5, is no place for
 * draws. */
static crd_program *funnel_program(crd_context *ctx)
{
    crd_graph *graph;
    crd_program *program;
    assert_ok(ctx, crd_graph_create(&graph, ctx));
    crd_node q = crd_input(graph, "q", crd_shape_1(10)), gradient;
    crd_node v = crd_sum(crd_slice(q, 0, 0, 1, 1)), x = crd_slice(q, 0, 1, 9, 1);
    crd_node prior = crd_add(crd_mul(crd_num(1 / 18.0), crd_square(v)), crd_mul(crd_num(4.5), v));
    crd_node rest = crd_mul(crd_num(0.5), crd_mul(crd_exp(crd_neg(v)), crd_dot(x, x)));
    crd_node density = crd_neg(crd_add(prior, rest));
    crd_gradient(density, &q, 1, &gradient);
    assert_ok(ctx, crd_compile(graph, &q, 1, (crd_node[]){density, gradient}, 2, &program));
    crd_graph_destroy(&graph);
    return program;
}

static void an_approach_does_not_go_down_a_funnel(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_program *program = funnel_program(ctx);
    crd_nuts_options options = settings();
    options.adaptation = "overlapping";
    for (uint64_t key = 0; key < 20; key++) {
        crdi_chain chain;
        begin_with(&chain, ctx, program, &options, crd_key_make(key));
        assert_true(chain.h.q[0] > -9); /* three standard deviations */
        crdi_chain_destroy(&chain);
    }
    crd_program_destroy(&program);
    testing_context_destroy(&ctx);
}

/* Windows that overlap: a chain that would begin at random far away begins where draws are, which are dim / 2 = 1.5 below the top, in the
 * mean, with a metric from the way there; tens of gradients are spent on it, and counted. Windows in turn, a point that was given, and what another
 * run has learned, leave it where it is. */
static void an_overlapping_warm_up_begins_where_draws_are(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_program *program = target_program(ctx, DIM, precision, 0);
    for (int k = 0; k < CRDI_COUNT(metrics); k++)
        for (int overlapping = 0; overlapping < 2; overlapping++) {
            crdi_chain chain;
            crd_nuts_options options = settings();
            options.init_radius = 1000;
            options.metric = metrics[k];
            options.adaptation = overlapping ? "overlapping" : "windows";
            begin(&chain, ctx, program, &options);
            const crdi_metric *m = &chain.h.metric;
            double first = m->inverse_mass[0];
            if (overlapping) {
                assert_true(*chain.h.log_density > -0.5 * DIM);
                assert_true(chain.h.gradients < 60);
                if (strcmp(metrics[k], "fisher") ==
                    0) /* the standard deviation over that of the slope, were the way made of draws: 0.56 */
                    assert_true(first > 0.2 && first < 1.5);
                else if (strcmp(metrics[k], "unit") != 0)
                    assert_true(first != 1);
            } else {
                assert_true(*chain.h.log_density < -1000 && first == 1);
            }
            crdi_chain_destroy(&chain);
            double given[DIM] = {100, 200, 300};
            assert_ok(ctx, crdi_chain_create(&chain, ctx, program, &options, crd_key_make(11)));
            chain.point = given;
            assert_ok(ctx, crdi_chain_start(&chain, 0));
            assert_memory_equal(chain.h.q, given, sizeof given);
            crdi_chain_destroy(&chain);
        }
    crd_program_destroy(&program);
    testing_context_destroy(&ctx);
}

static void the_first_step_size_fits_the_scale(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    for (int power = -6; power <= 6; power += 3) {
        double scaled[DIM * DIM], scale = pow(10, power), q[DIM];
        for (int i = 0; i < DIM * DIM; i++)
            scaled[i] = precision[i] / (scale * scale);
        crd_program *program = target_program(ctx, DIM, scaled, 0);
        crd_nuts_options options = settings();
        options.init_radius = 2 * scale;
        crdi_chain chain;
        begin(&chain, ctx, program, &options);
        double step = chain.h.step_size;
        assert_true(step == exp2(round(log2(step)))); /* from 1 by doubling and halving */
        assert_true(acceptance(&chain, step / 4) > 0.8 && acceptance(&chain, step * 4) < 0.8);
        /* It starts within its radius, and the search leaves it where it was. */
        crd_random_uniform_between(crd_key_fold_in(crd_key_fold_in(crd_key_make(11), 0x80000000u), 0), -2 * scale,
                                   2 * scale, DIM, q);
        assert_memory_equal(chain.h.q, q, sizeof q);
        assert_close(chain.averaging.mu, log(10 * step), 1e-14, 0);
        crdi_chain_destroy(&chain);
        crd_program_destroy(&program);
    }
    testing_context_destroy(&ctx);
}

static void a_given_step_size_is_taken(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_program *program = target_program(ctx, DIM, precision, 0);
    crd_nuts_options options = settings();
    options.step_size = 0.017;
    options.warmup = 0;
    crdi_chain chain;
    begin(&chain, ctx, program, &options);
    for (int i = 0; i < 5; i++) {
        crdi_transition t;
        crdi_chain_advance(&chain, &t);
        assert_true(chain.h.step_size == 0.017);
    }
    crdi_chain_destroy(&chain);
    crd_program_destroy(&program);
    testing_context_destroy(&ctx);
}

/* Without curvature every step is accepted: the search must end all the same. */
static void a_flat_density_has_a_step_size(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    double none[DIM * DIM] = {0};
    crd_program *program = target_program(ctx, DIM, none, 0);
    crd_nuts_options options = settings();
    crdi_chain chain;
    crdi_transition t;
    begin(&chain, ctx, program, &options);
    assert_true(chain.h.step_size > 1e6 && chain.h.step_size < 1e8);
    crdi_chain_advance(&chain, &t);
    assert_true(t.accept_prob == 1 && t.tree_depth == 10);
    crdi_chain_destroy(&chain);
    crd_program_destroy(&program);
    testing_context_destroy(&ctx);
}

/* log density -q'q / 2 - exp(20 q_0): a cliff on one side of a hill. */
static crd_program *cliff(crd_context *ctx)
{
    crd_graph *graph;
    crd_program *program;
    assert_ok(ctx, crd_graph_create(&graph, ctx));
    crd_node q = crd_input(graph, "q", crd_shape_1(DIM)), gradient;
    crd_node fall = crd_exp(crd_mul(crd_num(20), crd_take(q, 0, 0)));
    crd_node density = crd_sub(crd_mul(crd_num(-0.5), crd_sum(crd_square(q))), fall);
    crd_gradient(density, &q, 1, &gradient);
    assert_ok(ctx, crd_compile(graph, &q, 1, (crd_node[]){density, gradient}, 2, &program));
    crd_graph_destroy(&graph);
    return program;
}

static double length(const crdi_chain *chain)
{
    double sum = 0;
    for (int i = 0; i < DIM; i++)
        sum += chain->h.grad[i] * chain->h.grad[i];
    return sqrt(sum);
}

/* A start where no step is small enough goes on to where one is; others stay where they were drawn, and so do points that are given. */
static void a_chain_does_not_begin_on_a_cliff(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_program *program = cliff(ctx);
    crd_nuts_options options = settings();
    double bound = 1000 / (1e-3 * sqrt(DIM)), first[DIM];
    int fell = 0;
    options.step_size = 0.1; /* not searched for */
    for (uint32_t seed = 0; seed < 20; seed++) {
        crdi_chain chain;
        crd_key key = crd_key_make(seed);
        begin_with(&chain, ctx, program, &options, key);
        crd_random_uniform_between(crd_key_fold_in(crd_key_fold_in(key, 0x80000000u), 0), -2, 2, DIM, first);
        bool moved = memcmp(first, chain.h.q, sizeof first) != 0;
        assert_int_equal(moved, 20 * exp(20 * first[0]) > 1e8 / sqrt(DIM));
        assert_true(length(&chain) < (moved ? bound : 1e8 / sqrt(DIM)));
        assert_true(moved == (chain.h.gradients > 1) && chain.h.gradients < 100);
        fell += moved;
        if (moved) { /* the same point, given */
            crdi_chain given;
            assert_ok(ctx, crdi_chain_create(&given, ctx, program, &options, key));
            given.point = first;
            assert_ok(ctx, crdi_chain_start(&given, 0));
            assert_memory_equal(first, given.h.q, sizeof first);
            crdi_chain_destroy(&given);
        }
        crdi_chain_destroy(&chain);
    }
    assert_true(fell > 1 && fell < 19);
    crd_program_destroy(&program);
    testing_context_destroy(&ctx);
}

/* ---- transitions -------------------------------------------------------------------------------------------- */

static void transitions_allocate_nothing_and_leave_a_whole_state(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_program *program = target_program(ctx, DIM, precision, 1);
    for (int k = 0; k < CRDI_COUNT(methods) * CRDI_COUNT(metrics); k++) {
        crd_nuts_options options = settings();
        options.kernel = methods[k % 2];
        options.metric = metrics[k / 2];
        options.adaptation = k % 3 ? "overlapping" : "windows";
        crdi_chain chain;
        crdi_transition t;
        begin(&chain, ctx, program, &options);
        int64_t before = testing_allocations();
        for (int i = 0; i < 400; i++) {
            double density, gradient[DIM];
            crdi_chain_advance(&chain, &t);
            assert_true(t.accept_prob >= 0 && t.accept_prob <= 1 && t.n_steps >= 1 && isfinite(t.energy));
            density = *chain.h.log_density;
            memcpy(gradient, chain.h.grad, sizeof gradient);
            crd_exec_run(chain.h.exec); /* what stands there is of this point */
            assert_true(*chain.h.log_density == density);
            assert_memory_equal(chain.h.grad, gradient, sizeof gradient);
            assert_true(t.energy >= -density);
        }
        assert_int_equal(testing_allocations(), before);
        crdi_chain_destroy(&chain);
    }
    crd_program_destroy(&program);
    testing_context_destroy(&ctx);
}

static void the_same_key_gives_the_same_chain(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_program *program = target_program(ctx, DIM, precision, 1);
    crd_nuts_options options = settings();
    for (int k = 0; k < CRDI_COUNT(methods); k++) {
        crdi_chain chain[3];
        options.kernel = methods[k];
        for (int c = 0; c < 3; c++) {
            assert_ok(ctx, crdi_chain_create(&chain[c], ctx, program, &options, crd_key_make(c < 2 ? 1 : 2)));
            assert_ok(ctx, crdi_chain_start(&chain[c], c));
        }
        for (int i = 0; i < 350; i++) {
            crdi_transition t;
            for (int c = 0; c < 3; c++)
                crdi_chain_advance(&chain[c], &t);
        }
        assert_memory_equal(chain[0].h.q, chain[1].h.q, sizeof(double) * DIM);
        assert_memory_not_equal(chain[0].h.q, chain[2].h.q, sizeof(double) * DIM);
        for (int c = 0; c < 3; c++)
            crdi_chain_destroy(&chain[c]);
    }
    crd_program_destroy(&program);
    testing_context_destroy(&ctx);
}

/* Acceptance after warm-up is near its target; the step stays what it is; the metric is near the variances. */
static void warmup_learns(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    const double sd[DIM] = {0.01, 1, 50};
    double scaled[DIM * DIM] = {0};
    for (int i = 0; i < DIM; i++)
        scaled[i * DIM + i] = 1 / (sd[i] * sd[i]);
    crd_program *program = target_program(ctx, DIM, scaled, 0);
    for (int k = 0; k < 2 * CRDI_COUNT(metrics); k++) { /* NUTS, HMC; each metric */
        if (strcmp(metrics[k / 2], "unit") == 0)
            continue;
        crd_nuts_options options = settings();
        options.kernel = methods[k % 2];
        options.metric = metrics[k / 2];
        options.warmup = 1000;
        options.path_length = 2; /* not half a turn, where every trajectory ends at its own energy */
        crdi_chain chain;
        crdi_transition t;
        begin(&chain, ctx, program, &options);
        for (int i = 0; i < 1000; i++)
            crdi_chain_advance(&chain, &t);
        double step = chain.h.step_size, accept = 0;
        for (int i = 0; i < 500; i++) {
            crdi_chain_advance(&chain, &t);
            accept += t.accept_prob / 500;
            assert_true(chain.h.step_size == step);
        }
        assert_true(accept > 0.7 && accept < 0.95);
        int stride = strcmp(metrics[k / 2], "dense") == 0 ? DIM + 1 : 1;
        for (int i = 0; i < DIM; i++) /* of some 500 draws: within a third is beyond doubt */
            assert_close(chain.h.metric.inverse_mass[i * stride], sd[i] * sd[i], 0.33, 2e-5);
        crdi_chain_destroy(&chain);
    }
    crd_program_destroy(&program);
    testing_context_destroy(&ctx);
}

/* A hundred iterations are enough for scales over four orders of magnitude: the draws behind them take a few steps each. Windows in
 * turn learn from one stretch alone, and need some times as many steps. */
static void a_short_warmup_learns_in_overlapping_windows(void **state)
{
    (void)state;
    static const char *const ways[] = {"windows", "overlapping"};
    enum { MANY = 30, WARMUP = 60 };
    double sd[MANY], scaled[MANY * MANY] = {0}, steps[2] = {0};
    crd_context *ctx = testing_context();
    for (int i = 0; i < MANY; i++) {
        sd[i] = pow(10, 4.0 * i / (MANY - 1) - 2);
        scaled[i * (MANY + 1)] = 1 / (sd[i] * sd[i]);
    }
    crd_program *program = target_program(ctx, MANY, scaled, 0);
    for (int k = 0; k < 2; k++)
        for (uint64_t seed = 0; seed < 4; seed++) {
            crd_nuts_options options = settings();
            crdi_chain chain;
            crdi_transition t;
            options.warmup = WARMUP;
            options.metric = "low_rank";
            options.adaptation = ways[k];
            assert_ok(ctx, crdi_chain_create(&chain, ctx, program, &options, crd_key_make(seed)));
            assert_ok(ctx, crdi_chain_start(&chain, 0));
            for (int i = 0; i < WARMUP + 50; i++) {
                crdi_chain_advance(&chain, &t);
                steps[k] += (double)t.n_steps / 4;
            }
            for (int i = 0; i < MANY && k == 1; i++)
                assert_close(log(chain.h.metric.inverse_mass[i] / (sd[i] * sd[i])), 0, 0, 0.1);
            crdi_chain_destroy(&chain);
        }
    print_message("steps of warm-up and 50 draws: windows %.0f, overlapping %.0f\n", steps[0], steps[1]);
    assert_true(steps[1] < 0.5 * steps[0]);
    crd_program_destroy(&program);
    testing_context_destroy(&ctx);
}

static void a_tree_is_no_deeper_than_asked_for(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_program *program = target_program(ctx, DIM, precision, 0);
    for (int depth = 1; depth <= 6; depth++) {
        crd_nuts_options options = settings();
        options.max_depth = depth;
        options.step_size = 1e-4; /* far too small to turn */
        options.warmup = 0;
        crdi_chain chain;
        crdi_transition t;
        begin(&chain, ctx, program, &options);
        for (int i = 0; i < 20; i++) {
            int64_t before = chain.h.gradients;
            crdi_chain_advance(&chain, &t);
            assert_int_equal(t.tree_depth, depth);
            assert_int_equal(t.n_steps, (1 << depth) - 1);
            assert_int_equal(chain.h.gradients - before, t.n_steps);
            assert_false(t.diverging);
        }
        crdi_chain_destroy(&chain);
    }
    crd_program_destroy(&program);
    testing_context_destroy(&ctx);
}

/* In many dimensions q and p of a standard normal are orthogonal and equally long, to within 1 / sqrt(dim): the motion is
 * round, and a stretch turns back when it spans more than half a turn. 2^depth points span 2^depth - 1 steps. */
static void trajectories_end_at_half_a_turn(void **state)
{
    (void)state;
    enum { MANY = 200 };
    static double identity[MANY * MANY];
    const struct {
        double step;
        int depth;
    } cases[] = {{0.5, 3}, {0.25, 4}, {0.3, 4}, {0.12, 5}, {0.08, 6}};
    crd_context *ctx = testing_context();
    for (int i = 0; i < MANY; i++)
        identity[i * MANY + i] = 1;
    crd_program *program = target_program(ctx, MANY, identity, 0);
    for (int c = 0; c < CRDI_COUNT(cases); c++) {
        crd_nuts_options options = settings();
        options.step_size = cases[c].step;
        options.warmup = 0;
        crdi_chain chain;
        crdi_transition t;
        begin(&chain, ctx, program, &options);
        for (int i = 0; i < 40; i++) {
            crdi_chain_advance(&chain, &t);
            if (i < 10) /* from a cube, which is too large, to the sphere */
                continue;
            assert_int_equal(t.tree_depth, cases[c].depth);
            assert_int_equal(t.n_steps, (1 << cases[c].depth) - 1);
        }
        crdi_chain_destroy(&chain);
    }
    crd_program_destroy(&program);
    testing_context_destroy(&ctx);
}

static void hmc_takes_steps_for_its_path(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_program *program = target_program(ctx, DIM, precision, 0);
    const struct {
        double step, path;
        int depth, steps;
    } cases[] = {{0.1, 1.05, 10, 10}, {0.25, 1, 10, 4}, {2, 1, 10, 1}, {0.001, 1, 5, 31}};
    for (int c = 0; c < CRDI_COUNT(cases); c++) {
        crd_nuts_options options = settings();
        options.kernel = "hmc";
        options.step_size = cases[c].step;
        options.path_length = cases[c].path;
        options.max_depth = cases[c].depth;
        options.warmup = 0;
        crdi_chain chain;
        crdi_transition t;
        begin(&chain, ctx, program, &options);
        crdi_chain_advance(&chain, &t);
        assert_int_equal(t.n_steps, cases[c].steps);
        crdi_chain_destroy(&chain);
    }
    crd_program_destroy(&program);
    testing_context_destroy(&ctx);
}

/* Steps that are much too long: the transition says so and the chain stays. */
static void a_divergence_is_told_and_moves_nothing(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_program *program = target_program(ctx, DIM, precision, 1);
    for (int k = 0; k < CRDI_COUNT(methods); k++) {
        crd_nuts_options options = settings();
        options.kernel = methods[k];
        options.step_size = 1000;
        options.warmup = 0;
        crdi_chain chain;
        crdi_transition t;
        begin(&chain, ctx, program, &options);
        double q[DIM];
        memcpy(q, chain.h.q, sizeof q);
        for (int i = 0; i < 5; i++) {
            crdi_chain_advance(&chain, &t);
            assert_true(t.diverging && t.n_steps == 1 && t.tree_depth == 0 && t.accept_prob == 0);
            assert_memory_equal(chain.h.q, q, sizeof q);
        }
        crdi_chain_destroy(&chain);
    }
    crd_program_destroy(&program);
    testing_context_destroy(&ctx);
}

/* The bound on the energy error is the one asked for: leaps of 0.9 are fine for 1000 and too much for 0.001. */
static void the_bound_on_the_energy_error_counts(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_program *program = target_program(ctx, DIM, precision, 0);
    for (int k = 0; k < 4; k++) {
        crd_nuts_options options = settings();
        options.kernel = methods[k % 2];
        options.step_size = 0.9;
        options.max_energy_change = k / 2 ? 0.001 : 1000;
        options.warmup = 0;
        crdi_chain chain;
        crdi_transition t;
        int divergences = 0;
        begin(&chain, ctx, program, &options);
        for (int i = 0; i < 50; i++) {
            crdi_chain_advance(&chain, &t);
            divergences += t.diverging;
        }
        assert_true(k / 2 ? divergences > 10 : divergences == 0);
        crdi_chain_destroy(&chain);
    }
    crd_program_destroy(&program);
    testing_context_destroy(&ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_overlapping_warm_up_begins_where_draws_are),
        cmocka_unit_test(an_approach_does_not_go_down_a_funnel),
        cmocka_unit_test(the_first_step_size_fits_the_scale),
        cmocka_unit_test(a_given_step_size_is_taken),
        cmocka_unit_test(a_flat_density_has_a_step_size),
        cmocka_unit_test(a_chain_does_not_begin_on_a_cliff),
        cmocka_unit_test(transitions_allocate_nothing_and_leave_a_whole_state),
        cmocka_unit_test(the_same_key_gives_the_same_chain),
        cmocka_unit_test(warmup_learns),
        cmocka_unit_test(a_short_warmup_learns_in_overlapping_windows),
        cmocka_unit_test(a_tree_is_no_deeper_than_asked_for),
        cmocka_unit_test(trajectories_end_at_half_a_turn),
        cmocka_unit_test(hmc_takes_steps_for_its_path),
        cmocka_unit_test(a_divergence_is_told_and_moves_nothing),
        cmocka_unit_test(the_bound_on_the_energy_error_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
