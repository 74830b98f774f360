/* run_fixture.h - for the tests of the run file: a folder of their own and a run whose every number is known. */
#ifndef RUN_FIXTURE_H
#define RUN_FIXTURE_H

#include "store/run.h"
#include "store/run_format.h"
#include "store/sqlite.h"
#include "testing.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CHAINS = 3, COLUMNS = 4, BLOCK = 64 };

static char folder[64], path[96];

static inline const char *beside(const char *suffix)
{
    static char text[128];
    snprintf(text, sizeof text, "%s%s", path, suffix);
    return text;
}

static inline bool exists(const char *name)
{
    return access(name, F_OK) == 0;
}

static inline int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "%s", "/tmp/credence-run-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/a run%%?#.crd", folder); /* what a URI would take apart */
    return 0;
}

static inline int remove_folder(void **state)
{
    static const char *const suffix[] = {"", "-wal", "-shm", "-journal", "-lock", ".part", ".part-wal", ".part-shm"};
    (void)state;
    for (int i = 0; i < CRDI_COUNT(suffix); i++)
        unlink(beside(suffix[i]));
    return rmdir(folder); /* fails if anything else was left */
}

/* ---- a run whose every number is known ---------------------------------------------------------------------- */

static char net_name[] = "net/Dense_0.kernel", s_name[] = "s", wide_name[] = "wide", energy_name[] = "energy";
static const crd_column columns[COLUMNS] = {
    {.name = net_name, .kind = CRD_COLUMN_LATENT, .shape = {.ndim = 2, .dim = {1, 10}}, .size = 10},
    {.name = s_name, .kind = CRD_COLUMN_LATENT, .shape = {.ndim = 0}, .size = 1},
    {.name = wide_name, .kind = CRD_COLUMN_DETERMINISTIC, .shape = {.ndim = 1, .dim = {40}}, .size = 40},
    {.name = energy_name, .kind = CRD_COLUMN_STATISTIC, .shape = {.ndim = 0}, .size = 1},
};

/* Any bits, NaNs with payloads and denormals among them. */
static inline double number(int chain, int column, int64_t draw, int64_t element)
{
    uint64_t word = crdi_check_integer(crdi_check_integer(crdi_check_integer(0, chain), column), draw * 1000 + element);
    double value;
    memcpy(&value, &word, sizeof value);
    return value;
}

static inline bool same_bits(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

static inline crd_status feed(crdi_sink sink, int chain, int64_t first, int64_t count)
{
    double *values[COLUMNS];
    for (int c = 0; c < COLUMNS; c++) {
        values[c] = malloc((size_t)(count * columns[c].size) * sizeof(double));
        for (int64_t i = 0; i < count * columns[c].size; i++)
            values[c][i] = number(chain, c, first + i / columns[c].size, i % columns[c].size);
    }
    crd_status status = sink.draws(sink.user, chain, first, count, (const double *const *)values);
    for (int c = 0; c < COLUMNS; c++)
        free(values[c]);
    return status;
}

struct feeder {
    crdi_sink sink;
    int chain;
    int64_t draws;
    crd_status status;
};

static inline crd_status feed_state(crdi_sink sink, int chain, int64_t iteration)
{
    unsigned char bytes[37];
    memset(bytes, (int)(iteration & 0xff), sizeof bytes);
    return sink.state(sink.user, chain,
                      &(crdi_sampler_state){.iteration = iteration, .bytes = bytes, .size = sizeof bytes});
}

static inline void *feed_all(void *argument)
{
    struct feeder *f = argument;
    for (int64_t first = 0; f->status == CRD_OK && first < f->draws; first += BLOCK) {
        int64_t count = f->draws - first < BLOCK ? f->draws - first : BLOCK;
        f->status = feed(f->sink, f->chain, first, count);
        if (f->status == CRD_OK)
            f->status = feed_state(f->sink, f->chain, first + count);
    }
    return NULL;
}

static inline void feed_threads(crd_context *ctx, crdi_run *run, const int64_t draws[CHAINS])
{
    struct feeder feeder[CHAINS];
    pthread_t thread[CHAINS];
    for (int chain = 0; chain < CHAINS; chain++) {
        feeder[chain] = (struct feeder){crdi_run_sink(run), chain, draws[chain], CRD_OK};
        assert_int_equal(pthread_create(&thread[chain], NULL, feed_all, &feeder[chain]), 0);
    }
    for (int chain = 0; chain < CHAINS; chain++) {
        pthread_join(thread[chain], NULL);
        assert_ok(ctx, feeder[chain].status);
    }
}

/* The draws 0 .. draws - 1 of every chain and column are those of `number`. */
static inline bool posterior_is_right(const crd_posterior *p, int64_t draws)
{
    bool right = p->chains == CHAINS && p->draws == draws;
    for (int c = 0; right && c < p->column_count; c++) {
        const crd_column *column = &p->column[c];
        int which = 0;
        while (which < COLUMNS - 1 && strcmp(columns[which].name, column->name) != 0)
            which++;
        right = column->kind == columns[which].kind && crdi_shape_equal(column->shape, columns[which].shape) &&
                column->size == columns[which].size;
        for (int64_t i = 0; right && i < CHAINS * draws * column->size; i++) {
            int64_t element = i % column->size, draw = i / column->size % draws, chain = i / column->size / draws;
            right = same_bits(column->draws[i], number((int)chain, which, draw, element));
        }
    }
    return right;
}

static inline void write_run(crd_context *ctx, const crdi_run_tuning *tuning, const int64_t draws[CHAINS], bool force,
                             crd_status outcome)
{
    crdi_run *run;
    double x[] = {1.5, -0.0, NAN, INFINITY, 5e-324, 6};
    crd_array array = crd_array_borrow(x, crd_shape_2(2, 3));
    assert_ok(ctx, crdi_run_create_tuned(ctx, path, force, tuning, &run));
    assert_ok(ctx, crdi_run_set_text(run, "recipe", "{\"model\": \"mlp\"}"));
    assert_ok(ctx, crdi_run_set_integer(run, "seed", INT64_MIN + 1));
    assert_ok(ctx, crdi_run_set_integer(run, "warmup", 200));
    assert_ok(ctx, crdi_run_set_number(run, "adapt_delta", 0.8));
    assert_ok(ctx, crdi_run_set_number(run, "adapt_delta", 3));
    assert_ok(ctx, crdi_run_set_number(run, "nothing", NAN));
    assert_ok(ctx, crdi_run_set_blob(run, "empty", "", 0));
    assert_ok(ctx, crdi_run_put_array(run, "x", &array));
    assert_ok(ctx, crdi_run_begin(run, columns, COLUMNS, CHAINS));
    feed_threads(ctx, run, draws);
    assert_ok(ctx, crdi_run_set_number(run, "sampling_seconds", 12.25));
    assert_ok(ctx, crdi_run_set_number(run, "gradient_evaluations", 31000));
    assert_ok(ctx, crdi_run_close(&run, outcome));
    assert_null(run);
}

static inline void check_status(crd_context *ctx, crd_run *run, const char *expected)
{
    char *text;
    assert_ok(ctx, crdi_run_get_text(run, "status", &text));
    assert_string_equal(text, expected);
    crdi_free(ctx, text);
}

static inline void check_run(crd_context *ctx, int64_t draws)
{
    crd_run *run;
    crd_posterior *posterior;
    assert_ok(ctx, crd_run_open(ctx, path, &run));
    assert_ok(ctx, crd_run_check(run));
    assert_ok(ctx, crd_run_posterior(run, &posterior));
    assert_true(posterior_is_right(posterior, draws));
    assert_int_equal(posterior->column_count, COLUMNS);
    crd_posterior_destroy(&posterior);
    crd_run_close(&run);
}

/* A run that is being written. */
static inline crdi_run *begin_run(crd_context *ctx, const char *at)
{
    crdi_run *run;
    assert_ok(ctx, crdi_run_create(ctx, at, true, &run));
    assert_ok(ctx, crdi_run_begin(run, columns, COLUMNS, CHAINS));
    return run;
}

static inline void refused(crd_context *ctx, crd_status wanted, crd_status status, const char *words)
{
    assert_int_equal(status, wanted);
    if (!strstr(crd_error_message(ctx), words))
        fail_msg("%s", crd_error_message(ctx));
    crd_error_clear(ctx);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

#endif
