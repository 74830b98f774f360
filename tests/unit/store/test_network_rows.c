/* test_network_rows.c - rows that a fit holds out: which, where they are kept, and that the others are what is fitted. */
#include "store/network_fit.h"
#include "testing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROWS = 300, FEATURES = 2 };

struct fixture {
    crd_context *ctx;
    char folder[64], path[96];
    crd_dataset *dataset;
};

static void make(struct fixture *t)
{
    crd_table *table;
    *t = (struct fixture){.ctx = testing_context(), .folder = "/tmp/credence-rows-XXXXXX"};
    assert_non_null(mkdtemp(t->folder));
    snprintf(t->path, sizeof t->path, "%s/run.crd", t->folder);
    assert_ok(t->ctx, crd_csv_read(t->ctx, TEST_DATA "/spiral.csv", NULL, &table));
    assert_ok(t->ctx,
              crd_dataset_make(t->ctx, table, &(crd_dataset_options){.target = "y", .target_kind = CRD_TARGET_CLASS},
                               &t->dataset));
    crd_table_destroy(&table);
}

static void clear(struct fixture *t)
{
    unlink(t->path);
    rmdir(t->folder);
    crd_dataset_destroy(&t->dataset);
    testing_context_destroy(&t->ctx);
}

static crd_status fit(struct fixture *t, double share, int64_t seed)
{
    crdi_mcmc_report report;
    crdi_network_fit fit = {.ctx = t->ctx,
                            .method = "map",
                            .dataset = t->dataset,
                            .network = {.hidden = "none",
                                        .activation = "relu",
                                        .prior = "none",
                                        .noise = "half_cauchy:0.5",
                                        .likelihood = "categorical"},
                            .mcmc = {.start = "init"},
                            .svi = {.optimizer = "adam:0.01", .steps = 2},
                            .train = {.validation = share},
                            .data_name = "spiral",
                            .options = "{}",
                            .path = t->path,
                            .seed = seed,
                            .force = true};
    crd_status status = crdi_network_fit_prepare(&fit);
    if (status == CRD_OK)
        status = crdi_network_fit_run(&fit, &report);
    crdi_network_fit_clear(&fit);
    return status;
}

/* The rows held out; checks that both parts of the file are the data's rows, in their order. */
static int64_t read_rows(struct fixture *t, double row[ROWS])
{
    crdi_network_run *net;
    crd_array held, x, y;
    assert_ok(t->ctx, crdi_network_run_open(t->ctx, t->path, &net));
    assert_ok(t->ctx, crdi_run_get_array(net->run, "held_out_rows", &held));
    assert_ok(t->ctx, crdi_run_get_array(net->run, "x_held_out", &x));
    assert_ok(t->ctx, crdi_run_get_array(net->run, "y_held_out", &y));
    int64_t count = held.shape.dim[0], at[2] = {0, 0};
    assert_int_equal(x.shape.dim[0], count);
    assert_int_equal(net->x.shape.dim[0], ROWS - count);
    for (int64_t i = 0; i < ROWS; i++) {
        bool is_held = at[1] < count && held.data[at[1]] == (double)i;
        const crd_array *part_x = is_held ? &x : &net->x, *part_y = is_held ? &y : &net->y;
        int64_t k = at[is_held]++;
        assert_memory_equal(part_x->data + k * FEATURES, t->dataset->x.data + i * FEATURES, FEATURES * sizeof *x.data);
        assert_true(part_y->data[k] == t->dataset->y.data[i]);
    }
    assert_int_equal(at[1], count); /* each of them was met: they rise, and are rows of the data */
    memcpy(row, held.data, sizeof *row * (size_t)count);
    crd_array_clear(&held);
    crd_array_clear(&x);
    crd_array_clear(&y);
    crdi_network_run_close(&net);
    return count;
}

static void the_split_is_kept_and_comes_from_the_seed(void **state)
{
    (void)state;
    struct fixture t;
    double first[ROWS], again[ROWS], other[ROWS];
    make(&t);
    assert_ok(t.ctx, fit(&t, 0.2, 5));
    assert_int_equal(read_rows(&t, first), 60);
    assert_ok(t.ctx, fit(&t, 0.2, 5));
    assert_int_equal(read_rows(&t, again), 60);
    assert_memory_equal(first, again, 60 * sizeof *first);
    assert_ok(t.ctx, fit(&t, 0.2, 6));
    assert_int_equal(read_rows(&t, other), 60);
    assert_memory_not_equal(first, other, 60 * sizeof *first);
    clear(&t);
}

static void at_least_one_row_is_on_either_side(void **state)
{
    (void)state;
    struct fixture t;
    double row[ROWS];
    make(&t);
    assert_ok(t.ctx, fit(&t, 1e-6, 5));
    assert_int_equal(read_rows(&t, row), 1);
    /* With one row left to train on, two of the classes have none. */
    assert_int_equal(fit(&t, 0.999999, 5), CRD_EDATA);
    assert_non_null(strstr(crd_error_message(t.ctx), "validation: all rows of class"));
    clear(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_split_is_kept_and_comes_from_the_seed),
        cmocka_unit_test(at_least_one_row_is_on_either_side),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
