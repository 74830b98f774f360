/* test_rows.c - networks with every likelihood on many rows: the density and its gradient, which are computed in blocks of
 * rows, are what small parts of the rows, each computed as a whole, add up to; and no method's result depends on threads. */
#include "testing.h"

#include <math.h>
#include <string.h>

enum { ROWS = 40003, INPUTS = 3, PART = 800, MOST = 512 };

static double x[ROWS * INPUTS], y[ROWS * 2];

static void make_data(crd_context *ctx, const char *likelihood, int64_t targets)
{
    (void)ctx;
    crd_random_normal(crd_key_make(1), ROWS * INPUTS, x);
    crd_random_normal(crd_key_make(2), ROWS * targets, y);
    for (int64_t i = 0; i < ROWS * targets; i++)
        if (strcmp(likelihood, "bernoulli") == 0)
            y[i] = y[i] > 0.3;
        else if (strcmp(likelihood, "categorical") == 0)
            y[i] = y[i] > 0.5 ? 2 : y[i] > -0.5;
        else if (strcmp(likelihood, "poisson") == 0 || strcmp(likelihood, "negative_binomial") == 0)
            y[i] = floor(fabs(2 * y[i]));
}

static void find_rows(void *user, const char *line)
{
    *(bool *)user = *(bool *)user || strstr(line, "  rows ");
}

/* The density at a fixed point and its gradient behind it, of `count` rows from `first` on. */
static int64_t density(crd_context *ctx, crd_network network, int64_t first, int64_t count, bool *in_blocks,
                       double *out)
{
    double u[MOST];
    crd_model *model;
    int64_t targets = network.targets ? network.targets : 1;
    crd_array some =
        crd_array_borrow(y + first * targets, network.targets ? crd_shape_2(count, targets) : crd_shape_1(count));
    network.x = crd_array_borrow(x + first * INPUTS, crd_shape_2(count, INPUTS));
    network.y = &some;
    assert_ok(ctx, crd_model_create(&model, ctx, crd_network_model, &network));
    int64_t dim = crd_model_dim(model);
    assert_true(dim < MOST);
    crd_random_normal(crd_key_make(3), dim, u);
    for (int64_t i = 0; i < dim; i++)
        u[i] *= 0.5;
    *in_blocks = false;
    crd_program_print(crd_model_density(model), find_rows, in_blocks);
    assert_ok(ctx, crd_model_log_density(model, u, out, out + 1));
    crd_model_destroy(&model);
    return dim + 1;
}

static void check(crd_context *ctx, const char *name, crd_network network)
{
    double whole[MOST], sum[MOST] = {0}, part[MOST], two[MOST], first[MOST] = {0};
    bool in_blocks;
    int64_t parts = 0, size = 0;
    make_data(ctx, network.likelihood, network.targets ? network.targets : 1);
    size = density(ctx, network, 0, ROWS, &in_blocks, whole);
    if (!in_blocks)
        fail_msg("%s is not computed in blocks", name);
    for (int64_t at = 0; at < ROWS; at += PART, parts++) {
        density(ctx, network, at, ROWS - at < PART ? ROWS - at : PART, &in_blocks, part);
        assert_false(in_blocks);
        for (int64_t i = 0; i < size; i++) {
            sum[i] += part[i];
            first[i] += at <= PART ? part[i] : 0;
        }
    }
    density(ctx, network, 0, 2 * PART, &in_blocks, two);
    for (int64_t i = 0; i < size; i++) { /* each part has counted the prior, which is first - two */
        double expected = sum[i] - (double)(parts - 1) * (first[i] - two[i]);
        if (fabs(whole[i] - expected) > 1e-9 * (1 + fabs(whole[i])))
            fail_msg("%s: element %lld is %.15g, %.15g is right", name, (long long)i, whole[i], expected);
    }
}

static void blocks_add_up(void **state)
{
    (void)state;
    static const double weight[] = {1, 2.5, 0.5};
    crd_context *ctx = testing_context();
    const char *likelihood;
    for (int k = 0; (likelihood = crd_likelihood_name(k)); k++) {
        bool noisy = strcmp(likelihood, "normal") == 0 || strcmp(likelihood, "student_t") == 0;
        crd_network network = {.hidden = "10",
                               .activation = "tanh",
                               .prior = "normal:0,1",
                               .noise = "half_cauchy:0.5",
                               .likelihood = likelihood,
                               .classes = 3};
        check(ctx, likelihood, network);
        network.hidden = "8,6";
        network.activation = "relu";
        check(ctx, likelihood, network);
        if (noisy) {
            network.targets = 2;
            check(ctx, likelihood, network);
            network.targets = 0;
            network.noise = "heteroscedastic";
            check(ctx, likelihood, network);
        }
        if (strcmp(likelihood, "categorical") == 0) {
            network.class_weight = weight;
            check(ctx, likelihood, network);
        }
    }
    testing_context_destroy(&ctx);
}

static void activations_can_be_cut(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    for (int k = 0; crd_activation_name(k); k++) {
        crd_network network = {.hidden = "10",
                               .activation = crd_activation_name(k),
                               .prior = "normal:0,1",
                               .noise = "half_cauchy:0.5",
                               .likelihood = "normal"};
        check(ctx, crd_activation_name(k), network);
    }
    testing_context_destroy(&ctx);
}

/* ---- threads ------------------------------------------------------------------------------------------------- */

static const int64_t thread_counts[] = {1, 2, 8};

static crd_network many_rows(crd_array *target)
{
    static crd_network network = {.hidden = "10",
                                  .activation = "tanh",
                                  .prior = "normal:0,1",
                                  .noise = "half_cauchy:0.5",
                                  .likelihood = "normal"};
    *target = crd_array_borrow(y, crd_shape_1(ROWS));
    network.x = crd_array_borrow(x, crd_shape_2(ROWS, INPUTS));
    network.y = target;
    return network;
}

static void threads_change_no_draw(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_model *model;
    crd_array target;
    crd_posterior *posterior[3];
    make_data(ctx, "normal", 1);
    crd_network network = many_rows(&target);
    assert_ok(ctx, crd_model_create(&model, ctx, crd_network_model, &network));
    for (int k = 0; k < 3; k++) {
        crd_nuts_options options = {
            .chains = 2, .warmup = 4, .draws = 4, .max_depth = 3, .threads = 2 * thread_counts[k]};
        assert_ok(ctx, crd_nuts_run(model, &options, crd_key_make(5), &posterior[k]));
    }
    for (int k = 1; k < 3; k++)
        for (int c = 0; c < posterior[0]->column_count; c++)
            assert_memory_equal(posterior[k]->column[c].draws, posterior[0]->column[c].draws,
                                sizeof(double) * 2 * 4 * (size_t)posterior[0]->column[c].size);
    for (int k = 0; k < 3; k++)
        crd_posterior_destroy(&posterior[k]);
    crd_model_destroy(&model);
    testing_context_destroy(&ctx);
}

static void threads_change_no_loss(void **state)
{
    (void)state;
    enum { STEPS = 6 };
    double loss[3][STEPS];
    crd_context *ctx = testing_context();
    crd_array target;
    make_data(ctx, "normal", 1);
    for (int batch = 0; batch < 2; batch++)
        for (int64_t particles = 1; particles <= 4; particles += 3) {
            for (int k = 0; k < 3; k++) {
                crd_svi *svi;
                crd_network network = many_rows(&target);
                crd_svi_options options = {.particles = particles, .steps = STEPS, .threads = thread_counts[k]};
                network.batch = batch ? ROWS / 2 : 0;
                assert_ok(ctx, crd_svi_fit(ctx, crd_network_model, &network, &options, crd_key_make(6), &svi));
                memcpy(loss[k], crd_svi_history_of(svi)->loss, sizeof loss[k]);
                crd_svi_destroy(&svi);
            }
            assert_true(isfinite(loss[0][STEPS - 1]) && loss[0][0] != loss[0][1]);
            assert_memory_equal(loss[1], loss[0], sizeof loss[0]);
            assert_memory_equal(loss[2], loss[0], sizeof loss[0]);
        }
    testing_context_destroy(&ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_add_up),
        cmocka_unit_test(activations_can_be_cut),
        cmocka_unit_test(threads_change_no_draw),
        cmocka_unit_test(threads_change_no_loss),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
