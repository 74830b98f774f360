/* test_laplace.c - iris with a stored split (tests/data/iris*): the log score a row of the Laplace approximation against that of
 * NUTS, without a hidden layer, where they must agree to 0.02, and with one, where both are printed. */
#include "report/prediction.h"
#include "store/dataset.h"
#include "store/network_fit.h"
#include "testing.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[64], path[96];

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "%s", "/tmp/credence-laplace-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/run.crd", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

static crd_table *read_table(crd_context *ctx)
{
    crd_table *table;
    assert_ok(ctx, crd_csv_read(ctx, TEST_DATA "/iris.csv", NULL, &table));
    return table;
}

/* One way to a posterior, and how its probabilities are averaged. */
struct way {
    const char *name, *method, *hessian, *tune;
    bool sampled, probit;
};

static void fit(crd_context *ctx, const struct way *way, const char *hidden, double *log_evidence)
{
    crdi_mcmc_report report;
    crd_dataset *dataset;
    crd_table *table = read_table(ctx);
    assert_ok(ctx, crd_dataset_make(ctx, table,
                                    &(crd_dataset_options){.target = "species",
                                                           .rows = TEST_DATA "/iris_train.txt",
                                                           .scale = CRD_SCALE_STANDARD},
                                    &dataset));
    bool nuts = strcmp(way->method, "nuts") == 0;
    crdi_network_fit fit = {
        .ctx = ctx,
        .method = way->method,
        .dataset = dataset,
        .network = {.hidden = hidden,
                    .activation = "tanh",
                    .prior = "normal:0,1",
                    .noise = "half_cauchy:0.5",
                    .likelihood = "categorical"},
        .mcmc = {.chains = 4, .warmup = 1000, .draws = nuts ? 2000 : 8000, .start = "uniform", .init_radius = 2},
        .laplace = {.hessian = way->hessian, .map_starts = 8, .tune = way->tune, .precisions = "one"},
        .data_name = "iris",
        .options = "{}",
        .path = path,
        .seed = 2026,
        .force = true};
    assert_ok(ctx, crdi_options_complete(ctx, &crdi_mcmc_option_table, &fit.mcmc));
    assert_ok(ctx, crdi_network_fit_prepare(&fit));
    assert_ok(ctx, crdi_network_fit_run(&fit, &report));
    *log_evidence = nuts ? NAN : fit.laplacian->log_evidence;
    crdi_network_fit_clear(&fit);
    crd_dataset_destroy(&dataset);
    crd_table_destroy(&table);
}

/* The mean log probability of the classes of the rows that were left out. */
static double score(crd_context *ctx, const struct way *way, const char *hidden)
{
    double log_evidence, sum = 0;
    crdi_network_run *net;
    crd_inputs *inputs;
    crdi_prediction *p;
    int hits = 0;
    fit(ctx, way, hidden, &log_evidence);
    crd_table *table = read_table(ctx);
    assert_ok(ctx, crdi_network_run_open(ctx, path, &net));
    if (way->sampled)
        assert_ok(ctx, crdi_network_run_linear(net, false));
    assert_ok(ctx, crd_dataset_apply(ctx, net->recipe, table, &(crd_apply_options){.rows = TEST_DATA "/iris_test.txt"},
                                     &inputs));
    assert_ok(ctx, crdi_prediction_make(net, &(crdi_prediction_request){.x = &inputs->x, .probit = way->probit}, &p));
    int64_t rows = inputs->x.shape.dim[0];
    assert_int_equal(rows, 50);
    for (int64_t i = 0; i < rows; i++) {
        sum += log(p->mean[i * 3 + (int64_t)inputs->y.data[i]]);
        hits += crdi_prediction_mode(p, i) == (int64_t)inputs->y.data[i];
    }
    printf("hidden %s, %s: log score %.4f, %d of %d right, log evidence %.2f\n", hidden, way->name, sum / (double)rows,
           hits, (int)rows, log_evidence);
    crdi_prediction_destroy(&p);
    crd_inputs_destroy(&inputs);
    crd_table_destroy(&table);
    crdi_network_run_close(&net);
    return sum / (double)rows;
}

static const struct way nuts = {"nuts", "nuts", "full", "none", false, false};
static const struct way ways[] = {{"laplace full", "laplace", "full", "none", false, false},
                                  {"laplace full, probit", "laplace", "full", "none", false, true},
                                  {"laplace full, sampled", "laplace", "full", "none", true, false},
                                  {"laplace full, prior tuned", "laplace", "full", "prior", false, false},
                                  {"laplace kronecker", "laplace", "kronecker", "none", false, false},
                                  {"laplace kronecker, prior tuned", "laplace", "kronecker", "prior", false, false},
                                  {"laplace last_layer", "laplace", "last_layer", "none", false, false},
                                  {"laplace diagonal", "laplace", "diagonal", "none", false, false}};

static void test_linear(void **state)
{
    crd_context *ctx = testing_context();
    (void)state;
    double reference = score(ctx, &nuts, "none");
    assert_true(reference < -0.05 && reference > -0.5);
    assert_close(score(ctx, &ways[0], "none"), reference, 0, 0.02);
    /* a linear network is what it is made linear to */
    assert_close(score(ctx, &ways[2], "none"), score(ctx, &ways[0], "none"), 0, 1e-12);
    score(ctx, &ways[1], "none");
    testing_context_destroy(&ctx);
}

/* Modes differ and NUTS sees them all: numbers for docs/laplace.md, and a bound that a wrong matrix would not keep. */
static void test_hidden(void **state)
{
    crd_context *ctx = testing_context();
    (void)state;
    double reference = score(ctx, &nuts, "10");
    for (int i = 0; i < CRDI_COUNT(ways); i++) {
        double found = score(ctx, &ways[i], "10");
        if (i == 0)
            assert_close(found, reference, 0, 0.15);
    }
    testing_context_destroy(&ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_linear), cmocka_unit_test(test_hidden)};
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
