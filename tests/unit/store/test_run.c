/* test_run.c - the run file: what is written comes back to the bit, whoever reads meanwhile. */
#include "run_fixture.h"
#include "store/run_resumable.h"

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

/* ---- tests -------------------------------------------------------------------------------------------------- */

/* Bytes 18 and 19 of a database say whether it is read with a log beside it (2) or without (1). */
static bool is_marked_for_a_log(void)
{
    unsigned char header[20];
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fread(header, 1, sizeof header, file), sizeof header);
    fclose(file);
    return header[18] != 1 || header[19] != 1;
}

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
        assert_false(is_marked_for_a_log());
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
    int64_t iteration, first, second, common; /* a chain is held at what was seen of it, whatever comes */
    assert_ok(ctx, crd_run_draws(run, 1, &second));
    assert_ok(ctx, crdi_run_hold(run, 0, 60));
    assert_ok(ctx, crd_run_draws(run, 0, &first));
    assert_ok(ctx, crd_run_draws(run, -1, &common));
    assert_true(first == 60 && common == 60 && second > 60);
    assert_ok(ctx, crd_run_draws(run, 1, &common));
    assert_int_equal(common, second);
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
    crdi_run_tuning tuning = {.batch_seconds = 100, .batch_bytes = (size_t)1 << 30, .queue_bytes = (size_t)1 << 30};
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

/* The log of a run, left beside the file where it would be applied to a new one. */
static void leave_a_stale_log(crd_context *ctx)
{
    static char log[4 << 20];
    crdi_run *run;
    assert_ok(ctx, crdi_run_create(ctx, path, true, &run));
    assert_ok(ctx, crdi_run_begin(run, columns, COLUMNS, CHAINS));
    for (int chain = 0; chain < CHAINS; chain++)
        assert_ok(ctx, feed(crdi_run_sink(run), chain, 0, 1));
    assert_ok(ctx, crdi_run_flush(run)); /* from here on it stands in its place */
    for (int chain = 0; chain < CHAINS; chain++)
        assert_ok(ctx, feed(crdi_run_sink(run), chain, 1, 300));
    assert_ok(ctx, crdi_run_flush(run));
    FILE *file = fopen(beside("-wal"), "rb");
    assert_non_null(file);
    size_t size = fread(log, 1, sizeof log, file);
    fclose(file);
    assert_true(size > 100000);
    assert_ok(ctx, crdi_run_close(&run, CRD_OK));
    file = fopen(beside("-wal"), "wb");
    assert_int_equal(fwrite(log, 1, size, file), size);
    fclose(file);
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
    assert_ok(ctx, crdi_run_close(&run, CRD_OK)); /* never begun: nothing has happened */
    assert_false(exists(beside(".part")) || exists(beside("-lock")) || exists(beside(".part-wal")));
    check_run(ctx, 100);
    leave_a_stale_log(ctx);
    write_run(ctx, NULL, fewer, true, CRD_OK);
    check_run(ctx, 50);
    testing_context_destroy(&ctx);
}

static void an_older_file_stays_until_there_are_draws(void **state)
{
    (void)state;
    const int64_t draws[CHAINS] = {100, 100, 100};
    for (int rollback = 0; rollback < 2; rollback++) {
        crd_context *ctx = testing_context();
        crdi_run *run;
        crdi_run_tuning tuning = {.rollback_journal = rollback, .batch_seconds = 0.001};
        write_run(ctx, &tuning, draws, true, CRD_OK);
        for (int stop = 0; stop < 2; stop++) { /* stopped before the first draw, by the user and by an error */
            assert_ok(ctx, crdi_run_create_tuned(ctx, path, true, &tuning, &run));
            assert_ok(ctx, crdi_run_begin(run, columns, COLUMNS, CHAINS));
            assert_ok(ctx, feed_state(crdi_run_sink(run), 0, 10));
            assert_ok(ctx, crdi_run_set_number(run, "warmup_seconds", 1));
            assert_ok(ctx, crdi_run_flush(run));
            assert_false(crdi_run_is_placed(run));
            check_run(ctx, 100);
            assert_ok(ctx, crdi_run_close(&run, stop ? CRD_EIO : CRD_INTERRUPTED));
            check_run(ctx, 100);
            assert_true(exists(beside(".part"))); /* it can be resumed */
            assert_false(exists(beside(".part-wal")) || exists(beside("-lock")));
        }
        assert_ok(ctx, crdi_run_create_tuned(ctx, path, true, &tuning, &run));
        assert_ok(ctx, crdi_run_begin(run, columns, COLUMNS, CHAINS));
        for (int chain = 0; chain < CHAINS; chain++)
            assert_ok(ctx, feed(crdi_run_sink(run), chain, 0, 7));
        assert_ok(ctx, crdi_run_flush(run));
        assert_true(crdi_run_is_placed(run));
        check_run(ctx, 7);
        assert_ok(ctx, crdi_run_set_number(run, "warmup_seconds", 1));
        for (int chain = 0; chain < CHAINS; chain++)
            assert_ok(ctx, feed(crdi_run_sink(run), chain, 7, 20));
        assert_ok(ctx, crdi_run_close(&run, CRD_INTERRUPTED));
        check_run(ctx, 27);
        assert_ok(ctx, crdi_run_create_tuned(ctx, path, true, &tuning, &run));
        assert_ok(ctx, crdi_run_begin(run, columns, COLUMNS, CHAINS));
        assert_ok(ctx, crdi_run_close(&run, CRD_OK)); /* complete, and of no draws */
        check_run(ctx, 0);
        testing_context_destroy(&ctx);
        unlink(path);
    }
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
    assert_non_null(strstr(crd_error_message(ctx), "/proc/run.crd: its lock (-lock) cannot be made beside it"));
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
        assert_ok(ctx, crdi_run_close(&run, CRD_OK)); /* with the reader still there */
        check_status(ctx, reader, "complete");
        crd_run_close(&reader);
        check_run(ctx, 20 * BLOCK);
        testing_context_destroy(&ctx);
        unlink(path); /* a reader of the next run is to see that one at once */
    }
}

struct slow {
    struct feeder feeder;
    pthread_mutex_t lock;
    int64_t blocks;
};

/* Draws first .. first + count - 1 of every chain, in the file. */
static void feed_chains(crd_context *ctx, crdi_run *run, int64_t first, int64_t count)
{
    for (int chain = 0; chain < CHAINS; chain++)
        assert_ok(ctx, feed(crdi_run_sink(run), chain, first, count));
    assert_ok(ctx, crdi_run_flush(run));
}

/* What a command says is of one moment: that in which it first counted. */
static void a_moment_has_the_draws_that_were_counted_first(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crdi_run *run = begin_run(ctx, path);
    crd_run *reader;
    crd_posterior *posterior;
    double value;
    int64_t draws;
    feed_chains(ctx, run, 0, BLOCK);
    assert_ok(ctx, crd_run_open(ctx, path, &reader));
    crdi_run_moment(reader);
    assert_ok(ctx, crd_run_draws(reader, 1, &draws));
    feed_chains(ctx, run, BLOCK, BLOCK);
    for (int chain = -1; chain < CHAINS; chain++) {
        assert_ok(ctx, crd_run_draws(reader, chain, &draws));
        assert_int_equal(draws, BLOCK);
    }
    assert_ok(ctx, crd_run_posterior(reader, &posterior));
    assert_true(posterior_is_right(posterior, BLOCK));
    crd_posterior_destroy(&posterior);
    /* Draws that are taken away after that are told from those that are damaged. */
    for (int chain = 0; chain < CHAINS; chain++)
        assert_ok(ctx, crdi_run_sink(run).state(crdi_run_sink(run).user, chain, &(crdi_sampler_state){0}));
    assert_ok(ctx, crdi_run_flush(run));
    assert_ok(ctx, crdi_run_cut(run, 10));
    refused(ctx, CRD_EIO, crdi_run_read_range(reader, crd_run_column(reader, 1), 1, 20, 1, &value),
            "the run was cut to 10 draws a chain while it was read");
    crd_run_close(&reader);
    assert_ok(ctx, crdi_run_close(&run, CRD_OK));
    testing_context_destroy(&ctx);
}

/* SQLite would apply the log of the new file to the old one. */
static void a_reader_notices_that_another_run_took_the_place(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_run *reader;
    int64_t draws;
    write_run(ctx, NULL, (const int64_t[CHAINS]){BLOCK, BLOCK, BLOCK}, false, CRD_OK);
    assert_ok(ctx, crd_run_open(ctx, path, &reader));
    assert_ok(ctx, crd_run_draws(reader, 0, &draws));
    crdi_run *run = begin_run(ctx, path);
    assert_ok(ctx, crd_run_draws(reader, 0, &draws)); /* the older file is still in its place */
    feed_chains(ctx, run, 0, 2 * BLOCK);
    refused(ctx, CRD_EIO, crd_run_draws(reader, 0, &draws), "another run has taken its place while it was read");
    crd_run_close(&reader);
    assert_ok(ctx, crdi_run_close(&run, CRD_OK));
    testing_context_destroy(&ctx);
}

/* By whatever name: a link leads to the lock of its file, and a file of two names is not written on. */
static void links_lead_to_one_lock(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crdi_run *second;
    char link[160], other[160];
    snprintf(link, sizeof link, "%s/link.crd", folder);
    snprintf(other, sizeof other, "%s/other.crd", folder);
    assert_int_equal(symlink(strrchr(path, '/') + 1, link), 0); /* to a file that is not there yet */
    crdi_run *run = begin_run(ctx, link);
    assert_true(exists(path) && exists(beside("-lock")));
    assert_true(crdi_run_is_written(link) && crdi_run_is_written(path));
    refused(ctx, CRD_EEXISTS, crdi_run_create(ctx, path, true, &second), "is being written by another run");
    refused(ctx, CRD_EEXISTS, crdi_run_reopen(ctx, link, &second), "is being written by another run");
    assert_ok(ctx, feed(crdi_run_sink(run), 0, 0, BLOCK));
    assert_ok(ctx, crdi_run_close(&run, CRD_OK));
    struct stat file;
    assert_int_equal(lstat(link, &file), 0);
    assert_true(S_ISLNK(file.st_mode));
    assert_int_equal(rename(path, other), 0);
    assert_int_equal(linkat(AT_FDCWD, other, AT_FDCWD, path, 0), 0);
    refused(ctx, CRD_EUNSUPPORTED, crdi_run_reopen(ctx, path, &second), "hard links");
    unlink(other);
    assert_ok(ctx, crdi_run_reopen(ctx, link, &run));
    assert_ok(ctx, crdi_run_close(&run, CRD_INTERRUPTED));
    unlink(link);
    assert_int_equal(symlink("link.crd", link), 0);
    refused(ctx, CRD_EIO, crdi_run_create(ctx, link, false, &run), "its links go round");
    unlink(link);
    testing_context_destroy(&ctx);
}

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_written_comes_back_to_the_bit),
        TEST(columns_and_ranges_are_read_alone),
        TEST(blocks_are_merged_into_long_rows),
        TEST(an_interrupted_run_keeps_what_it_has),
        TEST(an_older_file_is_replaced_only_by_force_and_only_at_begin),
        TEST(an_older_file_stays_until_there_are_draws),
        TEST(a_second_writer_is_refused),
        TEST(places_that_cannot_be_written_are_refused_at_once),
        TEST(draws_out_of_order_are_refused),
        TEST(readers_see_whole_blocks_while_the_run_is_written),
        TEST(a_moment_has_the_draws_that_were_counted_first),
        TEST(a_reader_notices_that_another_run_took_the_place),
        TEST(links_lead_to_one_lock),
        TEST(a_full_queue_holds_the_chain_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
