/* test_run.c - the run file: what is written comes back to the bit, whatever happens in between. */
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

static const char *beside(const char *suffix)
{
    static char text[128];
    snprintf(text, sizeof text, "%s%s", path, suffix);
    return text;
}

static bool exists(const char *name)
{
    return access(name, F_OK) == 0;
}

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "%s", "/tmp/credence-run-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/a run%%?#.crd", folder);     /* what a URI would take apart */
    return 0;
}

static int remove_folder(void **state)
{
    static const char *const suffix[] = {"", "-wal", "-shm", "-journal", "-lock", ".part", ".part-wal", ".part-shm"};
    (void)state;
    for (int i = 0; i < CRDI_COUNT(suffix); i++)
        unlink(beside(suffix[i]));
    return rmdir(folder);      /* fails if anything else was left */
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
static double number(int chain, int column, int64_t draw, int64_t element)
{
    uint64_t word = crdi_check_integer(crdi_check_integer(crdi_check_integer(0, chain), column), draw * 1000 + element);
    double value;
    memcpy(&value, &word, sizeof value);
    return value;
}

static bool same_bits(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

static crd_status feed(crdi_sink sink, int chain, int64_t first, int64_t count)
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

static crd_status feed_state(crdi_sink sink, int chain, int64_t iteration)
{
    unsigned char bytes[37];
    memset(bytes, (int)(iteration & 0xff), sizeof bytes);
    return sink.state(sink.user, chain, iteration, bytes, sizeof bytes);
}

static void *feed_all(void *argument)
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

static void feed_threads(crd_context *ctx, crdi_run *run, const int64_t draws[CHAINS])
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
static bool posterior_is_right(const crd_posterior *p, int64_t draws)
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

static void write_run(crd_context *ctx, const crdi_run_tuning *tuning, const int64_t draws[CHAINS], bool force,
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

static void check_entries(crd_context *ctx, crd_run *run)
{
    char *text;
    double value;
    int64_t whole;
    void *bytes;
    size_t size;
    crd_array x;
    assert_ok(ctx, crdi_run_get_text(run, "recipe", &text));
    assert_string_equal(text, "{\"model\": \"mlp\"}");
    crdi_free(ctx, text);
    assert_ok(ctx, crdi_run_get_integer(run, "seed", &whole));
    assert_true(whole == INT64_MIN + 1);
    assert_ok(ctx, crdi_run_get_number(run, "adapt_delta", &value));
    assert_true(value == 3);
    assert_ok(ctx, crdi_run_get_number(run, "nothing", &value));
    assert_true(isnan(value));
    assert_ok(ctx, crdi_run_get_blob(run, "empty", &bytes, &size));
    assert_int_equal(size, 0);
    crdi_free(ctx, bytes);
    assert_ok(ctx, crdi_run_get_array(run, "x", &x));
    assert_true(crdi_shape_equal(x.shape, crd_shape_2(2, 3)));
    assert_true(x.data[0] == 1.5 && signbit(x.data[1]) && isnan(x.data[2]) && isinf(x.data[3]) && x.data[4] == 5e-324);
    crd_array_clear(&x);
    assert_true(crdi_run_has(run, "version") && crdi_run_has(run, "kernels") && crdi_run_has(run, "started"));
    assert_false(crdi_run_has(run, "no such entry"));
}

static void check_status(crd_context *ctx, crd_run *run, const char *expected)
{
    char *text;
    assert_ok(ctx, crdi_run_get_text(run, "status", &text));
    assert_string_equal(text, expected);
    crdi_free(ctx, text);
}

static void check_run(crd_context *ctx, int64_t draws)
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

/* ---- tests -------------------------------------------------------------------------------------------------- */

static void what_is_written_comes_back_to_the_bit(void **state)
{
    (void)state;
    const int64_t draws[CHAINS] = {3000, 2049, 2500};
    for (int rollback = 0; rollback < 2; rollback++) {
        crd_context *ctx = testing_context();
        crdi_run_tuning tuning = {.rollback_journal = rollback, .batch_seconds = 0.02};
        write_run(ctx, &tuning, draws, rollback, CRD_OK);
        assert_false(exists(beside("-wal")) || exists(beside("-shm")) || exists(beside("-journal")));
        assert_false(exists(beside("-lock")) || exists(beside(".part")));
        crd_run *run;
        int64_t count;
        assert_ok(ctx, crd_run_open(ctx, path, &run));
        check_entries(ctx, run);
        check_status(ctx, run, "complete");
        for (int chain = 0; chain < CHAINS; chain++) {
            assert_ok(ctx, crd_run_draws(run, chain, &count));
            assert_int_equal(count, draws[chain]);
        }
        assert_ok(ctx, crd_run_draws(run, -1, &count));
        assert_int_equal(count, 2049);
        crd_posterior *posterior;
        assert_ok(ctx, crd_run_posterior(run, &posterior));
        assert_true(posterior_is_right(posterior, 2049));
        assert_int_equal(posterior->warmup, 200);
        assert_int_equal(posterior->gradient_evaluations, 31000);
        assert_true(posterior->sampling_seconds == 12.25 && posterior->warmup_seconds == 0);
        crd_posterior_destroy(&posterior);
        crd_run_close(&run);
        check_run(ctx, 2049);
        testing_context_destroy(&ctx);
    }
}

static void columns_and_ranges_are_read_alone(void **state)
{
    (void)state;
    const int64_t draws[CHAINS] = {1500, 1500, 1600};
    crd_context *ctx = testing_context();
    crdi_run_tuning tuning = {.batch_seconds = 0.01};
    write_run(ctx, &tuning, draws, false, CRD_OK);
    crd_run *run;
    crd_posterior *posterior;
    const crd_column *wide, *none = NULL;
    assert_ok(ctx, crd_run_open(ctx, path, &run));
    assert_int_equal(crd_run_chains(run), CHAINS);
    assert_int_equal(crd_run_column_count(run), COLUMNS);
    assert_string_equal(crd_run_column(run, 1)->name, "s");
    assert_null(crd_run_column(run, COLUMNS));
    const char *const names[] = {"energy", "net/Dense_0.kernel"};
    assert_ok(ctx, crd_run_posterior_of(run, names, 2, &posterior));
    assert_int_equal(posterior->column_count, 2);
    assert_string_equal(posterior->column[0].name, "energy");
    assert_true(posterior_is_right(posterior, 1500));
    crd_posterior_destroy(&posterior);
    assert_ok(ctx, crd_run_find(run, "wide", &wide));
    static double some[300 * 40];
    for (int64_t first = 0; first <= 1600; first += 123) {
        int64_t count = 1600 - first < 300 ? 1600 - first : 300;
        assert_ok(ctx, crdi_run_read_range(run, wide, 2, first, count, some));
        for (int64_t i = 0; i < count * 40; i++)
            assert_true(same_bits(some[i], number(2, 2, first + i / 40, i % 40)));
    }
    assert_int_equal(crdi_run_read_range(run, wide, 1, 1490, 11, some), CRD_EDAMAGED);
    assert_non_null(strstr(crd_error_message(ctx), "column wide, chain 1: draw 1500 is missing"));
    crd_error_clear(ctx);
    assert_int_equal(crdi_run_read_range(run, wide, 3, 0, 1, some), CRD_EINVAL);
    crd_error_clear(ctx);
    assert_int_equal(crd_run_find(run, "wid", &none), CRD_ENAME);
    assert_non_null(strstr(crd_error_message(ctx), "did you mean 'wide'"));
    crd_error_clear(ctx);
    int64_t iteration;
    unsigned char *bytes;
    size_t size;
    assert_ok(ctx, crdi_run_read_state(run, 2, &iteration, (void **)&bytes, &size));
    assert_true(iteration == 1600 && size == 37 && bytes[0] == (1600 & 0xff) && bytes[36] == bytes[0]);
    crdi_free(ctx, bytes);
    assert_int_equal(crdi_run_read_state(run, 7, &iteration, (void **)&bytes, &size), CRD_EMISSING);
    crd_run_close(&run);
    testing_context_destroy(&ctx);
}

/* Rows: as long as the rule allows and no longer, so that their number stays small. */
static void blocks_are_merged_into_long_rows(void **state)
{
    (void)state;
    const int64_t draws[CHAINS] = {2048, 2048, 2048};
    crd_context *ctx = testing_context();
    crdi_run_tuning tuning = {.batch_seconds = 100, .batch_bytes = (size_t)1 << 30};
    write_run(ctx, &tuning, draws, false, CRD_OK);
    crdi_db *db;
    int64_t rows, longest;
    assert_ok(ctx, crdi_db_open(ctx, path, NULL, CRDI_DB_READ, &db));
    assert_ok(ctx, crdi_db_integer(db, "SELECT COUNT(*) FROM block", &rows));
    assert_ok(ctx, crdi_db_integer(db, "SELECT MAX(count) FROM block", &longest));
    crdi_db_close(&db);
    assert_int_equal(rows, CHAINS * COLUMNS * 2);
    assert_int_equal(longest, CRDI_RUN_ROW_DRAWS);
    assert_int_equal(crdi_run_row_draws(1), 1024);
    assert_int_equal(crdi_run_row_draws(1024), 512);
    assert_int_equal(crdi_run_row_draws(1 << 20), 1);
    testing_context_destroy(&ctx);
}

static void an_interrupted_run_keeps_what_it_has(void **state)
{
    (void)state;
    const int64_t draws[CHAINS] = {70, 0, 10};
    crd_context *ctx = testing_context();
    crd_run *run;
    int64_t count;
    write_run(ctx, NULL, draws, false, CRD_INTERRUPTED);
    assert_ok(ctx, crd_run_open(ctx, path, &run));
    check_status(ctx, run, "interrupted");
    assert_ok(ctx, crd_run_draws(run, 0, &count));
    assert_int_equal(count, 70);
    crd_run_close(&run);
    check_run(ctx, 0);
    testing_context_destroy(&ctx);
}

static void an_older_file_is_replaced_only_by_force_and_only_at_begin(void **state)
{
    (void)state;
    const int64_t draws[CHAINS] = {100, 100, 100}, fewer[CHAINS] = {50, 50, 50};
    crd_context *ctx = testing_context();
    crdi_run *run;
    write_run(ctx, NULL, draws, false, CRD_OK);
    assert_int_equal(crdi_run_create(ctx, path, false, &run), CRD_EEXISTS);
    assert_non_null(strstr(crd_error_message(ctx), "--force"));
    crd_error_clear(ctx);
    assert_ok(ctx, crdi_run_create(ctx, path, true, &run));
    assert_ok(ctx, crdi_run_set_text(run, "recipe", "another"));
    check_run(ctx, 100);
    assert_ok(ctx, crdi_run_close(&run, CRD_OK));      /* never begun: nothing has happened */
    assert_false(exists(beside(".part")) || exists(beside("-lock")) || exists(beside(".part-wal")));
    check_run(ctx, 100);
    FILE *stale = fopen(beside("-wal"), "w");          /* a leftover that would be applied to the new file */
    fputs("not a log", stale);
    fclose(stale);
    write_run(ctx, NULL, fewer, true, CRD_OK);
    check_run(ctx, 50);
    testing_context_destroy(&ctx);
}

static void a_second_writer_is_refused(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crdi_run *first, *second;
    assert_ok(ctx, crdi_run_create(ctx, path, false, &first));
    assert_int_equal(crdi_run_create(ctx, path, true, &second), CRD_EEXISTS);
    assert_non_null(strstr(crd_error_message(ctx), "another run"));
    crd_error_clear(ctx);
    assert_ok(ctx, crdi_run_begin(first, columns, COLUMNS, CHAINS));
    assert_int_equal(crdi_run_create(ctx, path, true, &second), CRD_EEXISTS);
    crd_error_clear(ctx);
    assert_ok(ctx, feed(crdi_run_sink(first), 0, 0, 5));
    assert_ok(ctx, crdi_run_close(&first, CRD_OK));
    check_run(ctx, 0);
    assert_ok(ctx, crdi_run_create(ctx, path, true, &second));
    assert_ok(ctx, crdi_run_close(&second, CRD_OK));
    testing_context_destroy(&ctx);
}

static void places_that_cannot_be_written_are_refused_at_once(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crdi_run *run;
    char name[160];
    snprintf(name, sizeof name, "%s/no/such/folder.crd", folder);
    assert_int_equal(crdi_run_create(ctx, name, false, &run), CRD_EMISSING);
    crd_error_clear(ctx);
    assert_int_equal(crdi_run_create(ctx, folder, true, &run), CRD_EEXISTS);
    crd_error_clear(ctx);
    assert_int_equal(crdi_run_create(ctx, "/proc/run.crd", true, &run), CRD_EMISSING);
    assert_non_null(strstr(crd_error_message(ctx), "/proc/run.crd: cannot create"));
    testing_context_destroy(&ctx);
}

static void draws_out_of_order_are_refused(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crdi_run *run;
    assert_ok(ctx, crdi_run_create(ctx, path, false, &run));
    assert_ok(ctx, crdi_run_begin(run, columns, COLUMNS, CHAINS));
    assert_ok(ctx, feed(crdi_run_sink(run), 1, 0, 10));
    assert_int_equal(feed(crdi_run_sink(run), 1, 11, 10), CRD_EINTERNAL);
    crd_error_clear(ctx);
    assert_int_equal(feed(crdi_run_sink(run), CHAINS, 0, 10), CRD_EINTERNAL);
    crd_error_clear(ctx);
    assert_ok(ctx, feed(crdi_run_sink(run), 1, 10, 10));
    assert_ok(ctx, crdi_run_close(&run, CRD_OK));
    testing_context_destroy(&ctx);
}

/* ---- readers of a run that is being written ----------------------------------------------------------------- */

static void readers_see_whole_blocks_while_the_run_is_written(void **state)
{
    (void)state;
    for (int rollback = 0; rollback < 2; rollback++) {
        crd_context *ctx = testing_context();
        crdi_run *run;
        crd_run *reader;
        crd_posterior *posterior;
        crdi_run_tuning tuning = {.rollback_journal = rollback, .batch_seconds = 0.001};
        assert_ok(ctx, crdi_run_create_tuned(ctx, path, true, &tuning, &run));
        assert_ok(ctx, crdi_run_begin(run, columns, COLUMNS, CHAINS));
        assert_ok(ctx, crd_run_open(ctx, path, &reader));
        check_status(ctx, reader, "running");
        int64_t seen = 0;
        for (int64_t first = 0; first < 20 * BLOCK; first += BLOCK) {
            for (int chain = 0; chain < CHAINS; chain++)
                assert_ok(ctx, feed(crdi_run_sink(run), chain, first, BLOCK));
            assert_ok(ctx, crd_run_posterior(reader, &posterior));
            assert_true(posterior->draws % BLOCK == 0 && posterior->draws >= seen);
            seen = posterior->draws;
            assert_true(posterior_is_right(posterior, seen));
            crd_posterior_destroy(&posterior);
        }
        assert_ok(ctx, crdi_run_flush(run));
        assert_ok(ctx, crd_run_posterior(reader, &posterior));
        assert_true(posterior_is_right(posterior, 20 * BLOCK));
        crd_posterior_destroy(&posterior);
        crd_run_close(&reader);
        assert_ok(ctx, crdi_run_close(&run, CRD_OK));
        check_run(ctx, 20 * BLOCK);
        testing_context_destroy(&ctx);
    }
}

struct slow {
    struct feeder feeder;
    pthread_mutex_t lock;
    int64_t blocks;
};

static void *feed_counting(void *argument)
{
    struct slow *slow = argument;
    for (int64_t b = 0; b < 40 && slow->feeder.status == CRD_OK; b++) {
        slow->feeder.status = feed(slow->feeder.sink, 0, b * BLOCK, BLOCK);
        pthread_mutex_lock(&slow->lock);
        slow->blocks = b + 1;
        pthread_mutex_unlock(&slow->lock);
    }
    return NULL;
}

static int64_t blocks_fed(struct slow *slow)
{
    pthread_mutex_lock(&slow->lock);
    int64_t blocks = slow->blocks;
    pthread_mutex_unlock(&slow->lock);
    return blocks;
}

/* Somebody else holds the file: the chain goes on until the queue is full and then waits, and nothing is lost. */
static void a_full_queue_holds_the_chain_up(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crdi_run *run;
    crdi_db *holder;
    pthread_t thread;
    const size_t block_bytes = BLOCK * 52 * sizeof(double);
    crdi_run_tuning tuning = {.queue_bytes = 10 * block_bytes + 8, .batch_seconds = 0.001};
    assert_ok(ctx, crdi_run_create_tuned(ctx, path, false, &tuning, &run));
    assert_ok(ctx, crdi_run_begin(run, columns, COLUMNS, CHAINS));
    assert_ok(ctx, crdi_db_open(ctx, path, NULL, CRDI_DB_WRITE, &holder));
    assert_ok(ctx, crdi_db_begin(holder, true));
    struct slow slow = {.feeder = {.sink = crdi_run_sink(run)}};
    pthread_mutex_init(&slow.lock, NULL);
    assert_int_equal(pthread_create(&thread, NULL, feed_counting, &slow), 0);
    for (int wait = 0; wait < 2000 && blocks_fed(&slow) < 10; wait++)
        usleep(1000);
    usleep(30000);
    assert_int_equal(blocks_fed(&slow), 10);
    assert_ok(ctx, crdi_db_end(holder, CRD_OK));
    crdi_db_close(&holder);
    pthread_join(thread, NULL);
    assert_ok(ctx, slow.feeder.status);
    assert_int_equal(crdi_run_queue_peak(run), 10 * block_bytes);
    assert_ok(ctx, crdi_run_close(&run, CRD_OK));
    crd_run *reader;
    int64_t count;
    assert_ok(ctx, crd_run_open(ctx, path, &reader));
    assert_ok(ctx, crd_run_draws(reader, 0, &count));
    assert_int_equal(count, 40 * BLOCK);
    crd_run_close(&reader);
    pthread_mutex_destroy(&slow.lock);
    testing_context_destroy(&ctx);
}

/* ---- failures ----------------------------------------------------------------------------------------------- */

static void a_full_disk_is_an_error_and_the_draws_before_it_stay(void **state)
{
    (void)state;
    for (int rollback = 0; rollback < 2; rollback++) {
        crd_context *ctx = testing_context();
        crdi_run *run;
        struct rlimit before, small;
        crdi_run_tuning tuning = {.rollback_journal = rollback, .batch_seconds = 0.001};
        assert_ok(ctx, crdi_run_create_tuned(ctx, path, true, &tuning, &run));
        assert_ok(ctx, crdi_run_begin(run, columns, COLUMNS, CHAINS));
        for (int chain = 0; chain < CHAINS; chain++)
            assert_ok(ctx, feed(crdi_run_sink(run), chain, 0, BLOCK));
        assert_ok(ctx, crdi_run_flush(run));
        signal(SIGXFSZ, SIG_IGN);
        getrlimit(RLIMIT_FSIZE, &before);
        small = (struct rlimit){.rlim_cur = 512 * 1024, .rlim_max = before.rlim_max};
        setrlimit(RLIMIT_FSIZE, &small);
        crd_status status = CRD_OK;
        int64_t first = BLOCK;
        for (; status == CRD_OK && first < 1000 * BLOCK; first += BLOCK)
            for (int chain = 0; status == CRD_OK && chain < CHAINS; chain++)
                status = feed(crdi_run_sink(run), chain, first, BLOCK);
        setrlimit(RLIMIT_FSIZE, &before);
        assert_int_equal(status, CRD_EIO);
        assert_non_null(strstr(crd_error_message(ctx), path));
        crd_error_clear(ctx);
        assert_int_equal(crdi_run_flush(run), CRD_EIO);
        crd_error_clear(ctx);
        assert_int_equal(crdi_run_close(&run, CRD_OK), CRD_EIO);
        assert_non_null(strstr(crd_error_message(ctx), path));
        crd_error_clear(ctx);
        crd_run *reader;
        crd_posterior *posterior;
        assert_ok(ctx, crd_run_open(ctx, path, &reader));
        assert_ok(ctx, crd_run_check(reader));
        check_status(ctx, reader, "interrupted");
        assert_ok(ctx, crd_run_posterior(reader, &posterior));
        assert_true(posterior->draws >= BLOCK && posterior->draws < first && posterior->draws % BLOCK == 0);
        assert_true(posterior_is_right(posterior, posterior->draws));
        crd_posterior_destroy(&posterior);
        crd_run_close(&reader);
        testing_context_destroy(&ctx);
    }
}

static crd_status write_little(crd_context *ctx)
{
    crdi_run *run = NULL;
    double x[] = {1, 2, 3};
    crd_array array = crd_array_borrow(x, crd_shape_1(3));
    crd_status status = crdi_run_create(ctx, path, true, &run);
    if (status == CRD_OK)
        status = crdi_run_set_text(run, "recipe", "r");
    if (status == CRD_OK)
        status = crdi_run_put_array(run, "x", &array);
    if (status == CRD_OK)
        status = crdi_run_begin(run, columns, COLUMNS, CHAINS);
    for (int chain = 0; status == CRD_OK && chain < CHAINS; chain++) {
        status = feed(crdi_run_sink(run), chain, 0, 8);
        if (status == CRD_OK)
            status = feed_state(crdi_run_sink(run), chain, 8);
    }
    crd_status closed = crdi_run_close(&run, status);
    return status < 0 ? status : closed;
}

static crd_status read_little(crd_context *ctx)
{
    crd_run *run = NULL;
    crd_posterior *posterior = NULL;
    crd_array x = {0};
    char *text = NULL;
    void *bytes = NULL;
    size_t size;
    int64_t iteration;
    crd_status status = crd_run_open(ctx, path, &run);
    if (status == CRD_OK)
        status = crdi_run_get_text(run, "recipe", &text);
    if (status == CRD_OK)
        status = crdi_run_get_array(run, "x", &x);
    if (status == CRD_OK)
        status = crdi_run_read_state(run, 1, &iteration, &bytes, &size);
    if (status == CRD_OK)
        status = crd_run_posterior(run, &posterior);
    assert_true(status < 0 || posterior_is_right(posterior, 8));
    crd_posterior_destroy(&posterior);
    crd_array_clear(&x);
    crdi_free(ctx, text);
    crdi_free(ctx, bytes);
    crd_run_close(&run);
    return status;
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    crd_status (*const step[])(crd_context *) = {write_little, read_little};
    for (int i = 0; i < 2; i++) {
        crd_status status = CRD_ENOMEM;
        int64_t k = 0;
        while (status == CRD_ENOMEM) {
            crd_context *ctx = testing_context();
            testing_fail_allocation(++k);
            status = step[i](ctx);
            testing_fail_allocation(0);
            assert_true(status == CRD_OK || status == CRD_ENOMEM);
            assert_int_equal(crd_error_status(ctx), status);
            assert_false(exists(beside(".part")) || exists(beside("-lock")));
            testing_context_destroy(&ctx);
        }
        assert_true(k > 10);
    }
}

/* ---- damaged files ------------------------------------------------------------------------------------------ */

struct bytes {
    unsigned char *start;
    size_t size;
};

static struct bytes slurp(void)
{
    struct stat file;
    FILE *in = fopen(path, "rb");
    assert_non_null(in);
    assert_int_equal(fstat(fileno(in), &file), 0);
    struct bytes all = {malloc((size_t)file.st_size), (size_t)file.st_size};
    assert_int_equal(fread(all.start, 1, all.size, in), all.size);
    fclose(in);
    return all;
}

static void spit(const void *bytes, size_t size)
{
    FILE *out = fopen(path, "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(bytes, 1, size, out), size);
    assert_int_equal(fclose(out), 0);
}

static crd_status read_all(crd_context *ctx)
{
    crd_run *run = NULL;
    crd_posterior *posterior = NULL;
    crd_error_clear(ctx);
    crd_status status = crd_run_open(ctx, path, &run);
    if (status == CRD_OK)
        status = crd_run_posterior(run, &posterior);
    if (status == CRD_OK)
        status = crd_run_check(run);
    assert_int_equal(crd_error_status(ctx), status);
    if (status == CRD_OK)
        assert_true(posterior_is_right(posterior, 200));
    crd_posterior_destroy(&posterior);
    crd_run_close(&run);
    return status;
}

static void damaged_files_are_told_apart_from_good_ones(void **state)
{
    (void)state;
    const int64_t draws[CHAINS] = {200, 200, 200};
    crd_context *ctx = testing_context();
    write_run(ctx, NULL, draws, false, CRD_OK);
    assert_ok(ctx, read_all(ctx));
    struct bytes good = slurp();
    for (size_t size = 1; size < good.size; size += 1 + good.size / 50) {
        spit(good.start, size);
        assert_int_equal(read_all(ctx), CRD_EDAMAGED);
    }
    spit(good.start, good.size - 1);
    assert_int_equal(read_all(ctx), CRD_EDAMAGED);
    int harmless = 0, tried = 0;
    for (size_t at = 0; at < good.size; at += 1 + good.size / 400, tried++) {
        good.start[at] ^= (unsigned char)(1 << at % 8);
        spit(good.start, good.size);
        crd_status status = read_all(ctx);             /* which also fails if a wrong number comes out */
        assert_true(status == CRD_EDAMAGED || status == CRD_OK);
        harmless += status == CRD_OK;
        good.start[at] ^= (unsigned char)(1 << at % 8);
    }
    assert_true(tried > 300 && harmless < tried / 4);  /* bytes that nothing lives in */
    free(good.start);
    testing_context_destroy(&ctx);
}

static void files_that_are_no_run_files_are_refused(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_run *run;
    assert_int_equal(read_all(ctx), CRD_EMISSING);
    spit("", 0);
    assert_int_equal(read_all(ctx), CRD_EDAMAGED);
    spit("x,y\n1,2\n", 8);
    assert_int_equal(read_all(ctx), CRD_EDAMAGED);
    assert_non_null(strstr(crd_error_message(ctx), path));
    crd_error_clear(ctx);
    assert_int_equal(crd_run_open(ctx, folder, &run), CRD_EDAMAGED);
    unlink(path);
    crd_error_clear(ctx);
    crdi_db *db;
    assert_ok(ctx, crdi_db_open(ctx, path, NULL, CRDI_DB_CREATE, &db));
    assert_ok(ctx, crdi_db_run(db, "CREATE TABLE meta(key, value)"));
    crdi_db_close(&db);
    assert_int_equal(read_all(ctx), CRD_EDAMAGED);
    assert_non_null(strstr(crd_error_message(ctx), "no run file"));
    testing_context_destroy(&ctx);
}

static void doctor(crd_context *ctx, const char *sql)
{
    crdi_db *db;
    crd_error_clear(ctx);
    assert_ok(ctx, crdi_db_open(ctx, path, NULL, CRDI_DB_WRITE, &db));
    assert_ok(ctx, crdi_db_run(db, sql));
    crdi_db_close(&db);
}

static void files_that_were_tampered_with_are_refused(void **state)
{
    (void)state;
    const int64_t draws[CHAINS] = {200, 200, 200};
    static const char *const change[] = {
        "UPDATE block SET first = first + 1 WHERE site = 1 AND chain = 1",
        "UPDATE block SET chain = 7 WHERE site = 1 AND chain = 1",
        "UPDATE block SET draws = zeroblob(1600) WHERE site = 1 AND chain = 1",
        "DELETE FROM site WHERE id = 3",
        "UPDATE site SET name = 'other' WHERE id = 3",
        "UPDATE meta SET value = 4 WHERE key = 'chains'",
        "DELETE FROM meta WHERE key = 'chains'",
        "UPDATE meta SET value = 'x' WHERE key = 'recipe'",
        "UPDATE state SET iteration = 3 WHERE chain = 1",
        "UPDATE data SET shape = '3,2'",
        "CREATE VIEW evil AS SELECT * FROM meta",
        "DROP INDEX block_order",
        "PRAGMA user_version = 0",
    };
    crd_context *ctx = testing_context();
    write_run(ctx, NULL, draws, false, CRD_OK);
    struct bytes good = slurp();
    for (int i = 0; i < CRDI_COUNT(change); i++) {
        spit(good.start, good.size);
        assert_ok(ctx, read_all(ctx));
        doctor(ctx, change[i]);
        crd_status status = read_all(ctx);
        if (status != CRD_EDAMAGED)
            fail_msg("%s: %s", change[i], crd_status_name(status));
    }
    spit(good.start, good.size);
    doctor(ctx, "PRAGMA user_version = 2");
    assert_int_equal(read_all(ctx), CRD_EVERSION);
    assert_non_null(strstr(crd_error_message(ctx), "format 2"));
    free(good.start);
    testing_context_destroy(&ctx);
}

/* ---- kill -9 ------------------------------------------------------------------------------------------------ */

/* The child: writes until it is killed. */
static int write_for_ever(const char *where, bool rollback)
{
    crd_context *ctx = NULL;
    crdi_run *run = NULL;
    crdi_run_tuning tuning = {.rollback_journal = rollback, .batch_seconds = 0.002};
    if (crd_context_create(&ctx, NULL) < 0 || crdi_run_create_tuned(ctx, where, true, &tuning, &run) < 0 ||
        crdi_run_begin(run, columns, COLUMNS, CHAINS) < 0)
        return 1;
    for (int64_t first = 0;; first += BLOCK)
        for (int chain = 0; chain < CHAINS; chain++)
            if (feed(crdi_run_sink(run), chain, first, BLOCK) < 0 ||
                feed_state(crdi_run_sink(run), chain, first + BLOCK) < 0)
                return 1;
}

static pid_t start_child(bool rollback)
{
    pid_t child = fork();
    if (child == 0) {
        execl("/proc/self/exe", "test_run", "write", path, rollback ? "rollback" : "log", (char *)NULL);
        _exit(127);
    }
    return child;
}

static off_t size_on_disk(void)
{
    struct stat file, log = {0};
    if (stat(path, &file) != 0)
        return 0;
    if (stat(beside("-wal"), &log) != 0)
        log.st_size = 0;
    return file.st_size + log.st_size;
}

static void a_killed_run_leaves_whole_blocks(void **state)
{
    (void)state;
    for (int round = 0; round < 6; round++) {
        bool rollback = round % 2;
        crd_context *ctx = testing_context();
        unlink(path);
        unlink(beside("-wal"));
        pid_t child = start_child(rollback);
        assert_true(child > 0);
        for (int wait = 0; wait < 10000 && size_on_disk() < 300000 + 100000 * round; wait++)
            usleep(1000);
        assert_int_equal(kill(child, SIGKILL), 0);
        int how;
        assert_int_equal(waitpid(child, &how, 0), child);
        assert_true(WIFSIGNALED(how));
        crd_run *run;
        crd_posterior *posterior;
        assert_ok(ctx, crd_run_open(ctx, path, &run));
        assert_ok(ctx, crd_run_check(run));
        check_status(ctx, run, "running");
        assert_ok(ctx, crd_run_posterior(run, &posterior));
        assert_true(posterior->draws > 0 && posterior->draws % BLOCK == 0);
        assert_true(posterior_is_right(posterior, posterior->draws));
        for (int chain = 0; chain < CHAINS; chain++) {
            int64_t iteration, count;
            void *bytes;
            size_t size;
            assert_ok(ctx, crdi_run_read_state(run, chain, &iteration, &bytes, &size));
            crdi_free(ctx, bytes);
            assert_ok(ctx, crd_run_draws(run, chain, &count));
            assert_true(count >= iteration);           /* no state without the draws before it */
        }
        crd_posterior_destroy(&posterior);
        crd_run_close(&run);
        testing_context_destroy(&ctx);
    }
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "write") == 0)
        return write_for_ever(argv[2], strcmp(argv[3], "rollback") == 0);
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)
    const struct CMUnitTest tests[] = {
        TEST(what_is_written_comes_back_to_the_bit),
        TEST(columns_and_ranges_are_read_alone),
        TEST(blocks_are_merged_into_long_rows),
        TEST(an_interrupted_run_keeps_what_it_has),
        TEST(an_older_file_is_replaced_only_by_force_and_only_at_begin),
        TEST(a_second_writer_is_refused),
        TEST(places_that_cannot_be_written_are_refused_at_once),
        TEST(draws_out_of_order_are_refused),
        TEST(readers_see_whole_blocks_while_the_run_is_written),
        TEST(a_full_queue_holds_the_chain_up),
        TEST(a_full_disk_is_an_error_and_the_draws_before_it_stay),
        TEST(every_allocation_may_fail),
        TEST(damaged_files_are_told_apart_from_good_ones),
        TEST(files_that_are_no_run_files_are_refused),
        TEST(files_that_were_tampered_with_are_refused),
        TEST(a_killed_run_leaves_whole_blocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
