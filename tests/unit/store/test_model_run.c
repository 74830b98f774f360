/* test_model_run.c - runs of a program's own model in a file: stopped at any transition and taken up again they end as the run in
 * memory that was never stopped; and what cannot go on is told. */
#include "../infer/line.h"
#include "store/run.h"

#include <credence/run.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char path[] = "/tmp/credence-model-run-XXXXXX";

static int set_up(void **state)
{
    (void)state;
    int file = mkstemp(path);
    close(file);
    return file < 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(path);
    return 0;
}

static int stop_after(void *user)
{
    atomic_int *left = user; /* chains on several threads ask */
    return atomic_fetch_sub(left, 1) <= 0;
}

static crd_model *line_create(crd_context *ctx, struct line *l)
{
    crd_model *m;
    assert_ok(ctx, crd_model_create(&m, ctx, line_model, l));
    return m;
}

static void assert_file_has(crd_context *ctx, const crd_posterior *p)
{
    crd_run *run;
    crd_posterior *q;
    assert_ok(ctx, crd_run_open(ctx, path, &run));
    assert_ok(ctx, crd_run_check(run));
    assert_ok(ctx, crd_run_posterior(run, &q));
    assert_int_equal(q->draws, p->draws);
    assert_int_equal(q->chains, p->chains);
    assert_int_equal(q->column_count, p->column_count);
    assert_int_equal(q->gradient_evaluations, p->gradient_evaluations);
    for (int c = 0; c < p->column_count; c++)
        assert_memory_equal(q->column[c].draws, p->column[c].draws,
                            sizeof(double) * (size_t)(p->chains * p->draws * p->column[c].size));
    crd_posterior_destroy(&q);
    crd_run_close(&run);
}

static void stopped_anywhere_it_ends_the_same(void **state)
{
    (void)state;
    static const char *const kernels[] = {"nuts", "hmc"}, *const metrics[] = {"diagonal", "dense", "unit"};
    static const char *const keep[] = {"f"};
    crd_context *ctx = testing_context();
    struct line l;
    line_init(&l);
    crd_model *m = line_create(ctx, &l);
    for (int k = 0; k < 6; k++) {
        crd_nuts_options options = {.chains = 2,
                                    .warmup = 260,
                                    .draws = 30,
                                    .thin = 1 + k % 2,
                                    .threads = 1,
                                    .kernel = kernels[k % 2],
                                    .metric = metrics[k / 2],
                                    .keep = keep,
                                    .keep_count = 1};
        crd_posterior *whole;
        assert_ok(ctx, crd_nuts_run(m, &options, crd_key_make(3), &whole));
        unlink(path);
        int stops = 0;
        crd_status status;
        options.stop = stop_after;
        do { /* in the first chain and in the second, in warm-up, behind it, and in windows of the metric */
            atomic_int left = 7 + 23 * stops++;
            options.stop_user = &left;
            options.threads = 1 + stops % 2;
            status = crd_run_nuts(m, &options, crd_key_make(3), path, &(crd_run_how){.resume = 1, .save_every = 1e-6});
            assert_true(status == CRD_OK || status == CRD_INTERRUPTED);
        } while (status == CRD_INTERRUPTED);
        assert_true(stops > 3);
        assert_file_has(ctx, whole);
        crd_posterior_destroy(&whole);
    }
    crd_model_destroy(&m);
    testing_context_destroy(&ctx);
}

static void more_draws_are_those_of_a_longer_run(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    struct line l;
    line_init(&l);
    crd_model *m = line_create(ctx, &l);
    crd_nuts_options options = {.chains = 2, .warmup = 40, .draws = 50};
    crd_posterior *whole;
    crd_run_how how = {.name = "a line", .resume = 1};
    assert_ok(ctx, crd_nuts_run(m, &options, crd_key_make(4), &whole));
    unlink(path);
    for (options.draws = 20; options.draws <= 50; options.draws += 15) {
        assert_ok(ctx, crd_run_nuts(m, &options, crd_key_make(4), path, &how));
        assert_ok(ctx, crd_run_nuts(m, &options, crd_key_make(4), path, &how)); /* complete: nothing changes */
    }
    assert_file_has(ctx, whole);
    crd_posterior_destroy(&whole);
    crd_model_destroy(&m);
    testing_context_destroy(&ctx);
}

static void another_run_is_refused(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    struct line l, other;
    line_init(&l);
    line_init(&other);
    other.y_data[3] += 1;
    crd_model *m = line_create(ctx, &l), *n = line_create(ctx, &other);
    const crd_nuts_options options = {.chains = 2, .warmup = 20, .draws = 20};
    const struct {
        const crd_model *model;
        crd_nuts_options options;
        uint64_t key;
        int resume;
        crd_status status;
        const char *says;
    } cases[] = {{m, {.chains = 2, .warmup = 20, .draws = 20}, 1, 0, CRD_EEXISTS, "exists"},
                 {m, {.chains = 2, .warmup = 20, .draws = 10}, 1, 1, CRD_EINVAL, "asked for 20 draws"},
                 {m, {.chains = 2, .warmup = 30, .draws = 30}, 1, 1, CRD_EINVAL, "warmup 20, and now it is 30"},
                 {m, {.chains = 3, .warmup = 20, .draws = 30}, 1, 1, CRD_EINVAL, "sites or chains"},
                 {m, {.chains = 2, .warmup = 20, .draws = 30, .kernel = "hmc"}, 1, 1, CRD_EINVAL, "method nuts"},
                 {m, {.chains = 2, .warmup = 20, .draws = 30}, 2, 1, CRD_EINVAL, "key"},
                 {n, {.chains = 2, .warmup = 20, .draws = 30}, 1, 1, CRD_EINVAL, "the model or its data are others"}};
    unlink(path);
    assert_ok(ctx, crd_run_nuts(m, &options, crd_key_make(1), path, NULL));
    for (int i = 0; i < CRDI_COUNT(cases); i++) {
        assert_int_equal(crd_run_nuts(cases[i].model, &cases[i].options, crd_key_make(cases[i].key), path,
                                      &(crd_run_how){.resume = cases[i].resume}),
                         cases[i].status);
        if (!strstr(crd_error_message(ctx), cases[i].says))
            fail_msg("case %d: %s", i, crd_error_message(ctx));
        crd_error_clear(ctx);
    }
    crd_posterior *p;
    assert_ok(ctx, crd_nuts_run(m, &options, crd_key_make(1), &p)); /* the file is as it was */
    assert_file_has(ctx, p);
    crd_posterior_destroy(&p);
    crd_run *run;
    char *text;
    int64_t draws;
    assert_ok(ctx, crd_run_open(ctx, path, &run));
    assert_ok(ctx, crdi_run_get_text(run, "status", &text));
    assert_ok(ctx, crdi_run_get_integer(run, "draws", &draws));
    assert_string_equal(text, "complete");
    assert_int_equal(draws, 20);
    crdi_free(ctx, text);
    crd_run_close(&run);
    crd_model_destroy(&m);
    crd_model_destroy(&n);
    testing_context_destroy(&ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stopped_anywhere_it_ends_the_same),
        cmocka_unit_test(more_draws_are_those_of_a_longer_run),
        cmocka_unit_test(another_run_is_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
