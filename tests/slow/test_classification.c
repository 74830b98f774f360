/* test_classification.c - the tutorial's variational fit of the spiral, and its deterministic twin, from 8 keys against NumPyro's and
 * flax's from 8 others (tests/data/svi.json): loss at the end, and entropy over the page's square and far from the data, of
 * the classes of 100 draws and of the twin's softmax.
 *
 * One fit says little, so means over keys are compared, within three standard errors of the difference (false alarms: 2.7e-3
 * each for other keys). NumPyro's eight fits were drawn from with one key, so what is peculiar to these hundred draws does not
 * show in how the fits differ: here each fit is drawn from with the same eight keys, and how much the means over fits differ
 * between these is the error that is added (0.01 of 0.19 over the square). */
#include "report/prediction.h"
#include "store/network_fit.h"
#include "store/network_svi.h"
#include "testing.h"

#include <credence/nn.h>
#include <credence/svi.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { KEYS = 8, SETS = 8, ROWS = 300, CLASSES = 3, DRAWS = 100, MOST = 10000 };

struct mean {
    double value, error;
};

static struct mean mean_of(const double x[KEYS])
{
    double sum = 0, square = 0;
    for (int i = 0; i < KEYS; i++)
        sum += x[i];
    for (int i = 0; i < KEYS; i++)
        square += (x[i] - sum / KEYS) * (x[i] - sum / KEYS);
    return (struct mean){sum / KEYS, sqrt(square / (KEYS - 1) / KEYS)};
}

/* `draws`: an error that all their keys have in common. */
static void agree(const char *what, const double ours[KEYS], double draws, const json_t *file, const char *name)
{
    double theirs[KEYS];
    assert_int_equal(testing_numbers(json_object_get(file, name), theirs), KEYS);
    struct mean a = mean_of(ours), b = mean_of(theirs);
    b.error = hypot(b.error, draws);
    double z = (a.value - b.value) / hypot(a.error, b.error);
    printf("%s: %.4f +- %.4f, NumPyro %.4f +- %.4f, z %.2f\n", what, a.value, a.error, b.value, b.error, z);
    fflush(stdout);
    assert_true(fabs(z) <= 3);
}

/* ---- data and places ---------------------------------------------------------------------------------------- */

struct fixture {
    double x[2 * ROWS], y[ROWS];
    crd_array target;
    crd_network net;
};

static void make(struct fixture *t)
{
    char line[128];
    FILE *file = fopen(TEST_DATA "/spiral.csv", "r");
    assert_non_null(file);
    assert_non_null(fgets(line, sizeof line, file));
    for (int i = 0; i < ROWS; i++)
        assert_int_equal(fscanf(file, "%lf,%lf,%lf", &t->x[2 * i], &t->x[2 * i + 1], &t->y[i]), 3);
    fclose(file);
    t->target = crd_array_borrow(t->y, crd_shape_1(ROWS));
    t->net = (crd_network){.hidden = "100",
                           .activation = "relu",
                           .prior = "normal:0,10",
                           .likelihood = "categorical",
                           .classes = CLASSES,
                           .x = crd_array_borrow(t->x, crd_shape_2(ROWS, 2)),
                           .y = &t->target};
}

struct place {
    int64_t count;
    double x[2 * MOST];
};

/* Points of a square grid outside a circle. */
static void make_place(double low, double step, int side, double radius, struct place *out)
{
    out->count = 0;
    for (int i = 0; i < side * side; i++) {
        double a = low + step * (i % side), b = low + step * (i / side);
        if (a * a + b * b <= radius)
            continue;
        out->x[2 * out->count] = a;
        out->x[2 * out->count++ + 1] = b;
    }
}

/* ---- variational inference ---------------------------------------------------------------------------------- */

/* By set of draws and fit. */
struct entropies {
    double at[SETS][KEYS];
};

/* Means over the sets by fit, and how much the means over fits differ between sets. */
static double over_sets(const struct entropies *e, double mean[KEYS])
{
    double of_set[SETS] = {0};
    for (int k = 0; k < KEYS; k++) {
        mean[k] = 0;
        for (int r = 0; r < SETS; r++) {
            mean[k] += e->at[r][k] / SETS;
            of_set[r] += e->at[r][k] / KEYS;
        }
    }
    _Static_assert(SETS == KEYS, "mean_of takes KEYS numbers");
    return mean_of(of_set).error * sqrt(SETS);
}

/* The mean over places of the entropy of the classes of DRAWS draws. */
static double entropy_of_draws(crd_context *ctx, const struct fixture *t, const crd_model *model,
                               const crd_posterior *posterior, struct place *at)
{
    crd_array y = {0};
    crd_network test = t->net;
    double sum = 0;
    test.x = crd_array_borrow(at->x, crd_shape_2(at->count, 2));
    test.y = NULL;
    assert_ok(ctx, crd_predict(model, posterior, &test, "y", crd_key_make(1), &y));
    for (int64_t i = 0; i < at->count; i++)
        for (int k = 0; k < CLASSES; k++) {
            double share = 0;
            for (int d = 0; d < DRAWS; d++)
                share += (y.data[d * at->count + i] == k) / (double)DRAWS;
            sum -= share * log(share + 1e-10); /* as the page has it */
        }
    crd_array_clear(&y);
    return sum / (double)at->count;
}

static void keys_have_the_mean_loss_and_entropy_of_numpyro(void **state)
{
    (void)state;
    static struct fixture t;
    static struct place square, far;
    crd_context *ctx = testing_context();
    json_t *file = testing_json("svi.json"), *theirs = json_object_get(file, "spiral");
    static struct entropies near_data, far_away;
    double loss[KEYS], mean[KEYS], draws;
    crd_model *model;
    make(&t);
    make_place(-0.5, 0.01, 100, -1, &square);
    make_place(-2, 0.05, 80, 1, &far);
    assert_ok(ctx, crd_model_create(&model, ctx, crd_network_model, &t.net));
    for (int k = 0; k < KEYS; k++) {
        crd_svi *svi;
        crd_svi_options options = {.guide = "normal",
                                   .loss = "trace_mean_field",
                                   .particles = 10,
                                   .optimizer = "clip_by_global_norm:10,adam,scale:-1e-2",
                                   .steps = 10000,
                                   .init_scale = 1e-2,
                                   .threads = 2};
        assert_ok(ctx, crd_svi_fit(ctx, crd_network_model, &t.net, &options, crd_key_make((uint64_t)k), &svi));
        loss[k] = crd_svi_history_of(svi)->final_loss[0];
        for (int r = 0; r < SETS; r++) {
            crd_posterior *posterior;
            assert_ok(ctx, crd_svi_draw(svi, DRAWS, NULL, 0, crd_key_make((uint64_t)(100 + r)), &posterior));
            near_data.at[r][k] = entropy_of_draws(ctx, &t, model, posterior, &square);
            far_away.at[r][k] = entropy_of_draws(ctx, &t, model, posterior, &far);
            crd_posterior_destroy(&posterior);
        }
        crd_svi_destroy(&svi);
    }
    agree("loss at the end", loss, 0, theirs, "loss");
    draws = over_sets(&near_data, mean);
    agree("entropy over the square", mean, draws, theirs, "entropy_grid");
    draws = over_sets(&far_away, mean);
    agree("entropy far from the data", mean, draws, theirs, "entropy_far");
    assert_true(mean_of(mean).value >= 0.15);
    crd_model_destroy(&model);
    json_decref(file);
    testing_context_destroy(&ctx);
}

/* ---- the twin ----------------------------------------------------------------------------------------------- */

static crd_dataset *read_spiral(crd_context *ctx)
{
    crd_table *table;
    crd_dataset *dataset;
    assert_ok(ctx, crd_csv_read(ctx, TEST_DATA "/spiral.csv", NULL, &table));
    assert_ok(ctx, crd_dataset_make(ctx, table, &(crd_dataset_options){.target = "y", .target_kind = CRD_TARGET_CLASS},
                                    &dataset));
    crd_table_destroy(&table);
    return dataset;
}

static double mean_entropy(crd_context *ctx, const crdi_network_run *net, struct place *at)
{
    crdi_prediction *p;
    double sum = 0;
    crd_array x = crd_array_borrow(at->x, crd_shape_2(at->count, 2));
    assert_ok(ctx, crdi_prediction_make(net, &(crdi_prediction_request){.x = &x}, &p));
    for (int64_t i = 0; i < at->count; i++)
        sum += p->entropy[i];
    crdi_prediction_destroy(&p);
    return sum / (double)at->count;
}

/* As `credence fit --method map --prior none` does it. */
static void train(crd_context *ctx, crd_dataset *dataset, int64_t seed, const char *path)
{
    crdi_mcmc_report report;
    crdi_network_fit fit = {.ctx = ctx,
                            .method = "map",
                            .dataset = dataset,
                            .network = {.hidden = "100",
                                        .activation = "relu",
                                        .prior = "none",
                                        .noise = "half_cauchy:0.5",
                                        .likelihood = "categorical"},
                            .mcmc = {.start = "init"},
                            .svi = {.optimizer = "clip_by_global_norm:10,adam,scale:-1e-2", .steps = 10000},
                            .data_name = "spiral",
                            .options = "{}",
                            .path = path,
                            .seed = seed,
                            .force = true};
    assert_ok(ctx, crdi_network_fit_prepare(&fit));
    assert_ok(ctx, crdi_network_fit_run(&fit, &report));
    crdi_network_fit_clear(&fit);
}

static void twins_have_the_mean_loss_and_entropy_of_flax(void **state)
{
    (void)state;
    static struct place square, far;
    char folder[64] = "/tmp/credence-twin-XXXXXX", path[96];
    crd_context *ctx = testing_context();
    json_t *file = testing_json("svi.json"), *theirs = json_object_get(file, "twin");
    double loss[KEYS], entropy[2][KEYS];
    make_place(-0.5, 0.01, 100, -1, &square);
    make_place(-2, 0.05, 80, 1, &far);
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/twin.crd", folder);
    crd_dataset *dataset = read_spiral(ctx);
    for (int k = 0; k < KEYS; k++) {
        crdi_network_run *net;
        crdi_variational v;
        train(ctx, dataset, k, path);
        assert_ok(ctx, crdi_network_run_open(ctx, path, &net));
        assert_ok(ctx, crdi_variational_read(ctx, net->run, &v));
        loss[k] = v.loss_by_step.data[v.steps - 1];
        crdi_variational_clear(ctx, &v);
        entropy[0][k] = mean_entropy(ctx, net, &square);
        entropy[1][k] = mean_entropy(ctx, net, &far);
        crdi_network_run_close(&net);
    }
    unlink(path);
    rmdir(folder);
    agree("loss of the last step", loss, 0, theirs, "loss"); /* the file has it rounded to 1e-5 */
    agree("entropy over the square", entropy[0], 0, theirs, "entropy_grid");
    agree("entropy far from the data", entropy[1], 0, theirs, "entropy_far");
    assert_true(mean_of(entropy[1]).value < 0.02);
    crd_dataset_destroy(&dataset);
    json_decref(file);
    testing_context_destroy(&ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(twins_have_the_mean_loss_and_entropy_of_flax),
                                       cmocka_unit_test(keys_have_the_mean_loss_and_entropy_of_numpyro)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
