/* test_run_damage.c - the run file: full disks, missing memory, kill -9, damaged and foreign files. */
#include "run_fixture.h"

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
        assert_int_equal(status, CRD_EFULL);
        assert_non_null(strstr(crd_error_message(ctx), path));
        crd_error_clear(ctx);
        assert_int_equal(crdi_run_flush(run), CRD_EFULL);
        crd_error_clear(ctx);
        assert_int_equal(crdi_run_close(&run, CRD_OK), CRD_EFULL);
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
    for (size_t at = 0; at < good.size; at += 1 + good.size / 300, tried++) {
        good.start[at] ^= (unsigned char)(1 << at % 8);
        spit(good.start, good.size);
        crd_status status = read_all(ctx); /* which also fails if a wrong number comes out */
        assert_true(status == CRD_EDAMAGED || status == CRD_OK);
        harmless += status == CRD_OK;
        good.start[at] ^= (unsigned char)(1 << at % 8);
    }
    assert_true(tried > 200 && harmless < tried / 4); /* bytes that nothing lives in */
    free(good.start);
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

/* Whatever a command reads of a file, it opens it: a single bit of an entry is noticed there, also in those that few ask for. */
static void a_damaged_entry_is_noticed_by_whoever_opens_the_file(void **state)
{
    (void)state;
    static const char options[] = "{\"draws\": 1000, \"prior\": [\"normal:0,1\"], \"hidden\": \"10\"}";
    crd_context *ctx = testing_context();
    crdi_run *run;
    crd_run *reader;
    assert_ok(ctx, crdi_run_create(ctx, path, true, &run));
    assert_ok(ctx, crdi_run_set_text(run, "options", options));
    assert_ok(ctx, crdi_run_begin(run, columns, COLUMNS, CHAINS));
    assert_ok(ctx, crdi_run_close(&run, CRD_OK));
    struct bytes good = slurp();
    unsigned char *row = memmem(good.start, good.size, options, strlen(options));
    assert_non_null(row);
    for (size_t at = 0; at < strlen(options); at++) {
        row[at] ^= (unsigned char)(1 << at % 8);
        spit(good.start, good.size);
        assert_int_equal(crd_run_open(ctx, path, &reader), CRD_EDAMAGED);
        if (at % 8 < 7) /* else it may be no text */
            assert_non_null(strstr(crd_error_message(ctx), "'options' does not match its checksum"));
        crd_error_clear(ctx);
        row[at] ^= (unsigned char)(1 << at % 8);
    }
    spit(good.start, good.size);
    doctor(ctx, "UPDATE meta SET check_sum = check_sum + 1 WHERE key = 'options'");
    assert_int_equal(crd_run_open(ctx, path, &reader), CRD_EDAMAGED);
    spit(good.start, good.size);
    doctor(ctx, "UPDATE meta SET key = 'option' WHERE key = 'options'");
    assert_int_equal(crd_run_open(ctx, path, &reader), CRD_EDAMAGED);
    crd_error_clear(ctx);
    spit(good.start, good.size);
    assert_ok(ctx, crd_run_open(ctx, path, &reader));
    crd_run_close(&reader);
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
    crd_run *run;
    int64_t count;
    spit(good.start, good.size);
    doctor(ctx, "DELETE FROM block WHERE site = 1 AND chain = 1");
    assert_ok(ctx, crd_run_open(ctx, path, &run));
    assert_int_equal(crd_run_draws(run, 1, &count), CRD_EDAMAGED);
    crd_run_close(&run);
    spit(good.start, good.size);
    doctor(ctx, "PRAGMA user_version = 2");
    assert_int_equal(read_all(ctx), CRD_EVERSION);
    assert_non_null(strstr(crd_error_message(ctx), "format 2"));
    free(good.start);
    testing_context_destroy(&ctx);
}

/* As a user who may only read: in a process of its own, because tests often run as root. */
static int read_as_nobody(void)
{
    crd_context *ctx = NULL;
    crd_run *run = NULL;
    int64_t draws = 0;
    if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
        return 2;
    if (access(folder, W_OK) == 0 || crd_context_create(&ctx, NULL) < 0)
        return 3;
    crd_status status = crd_run_open(ctx, path, &run);
    if (status == CRD_OK)
        status = crd_run_draws(run, -1, &draws);
    crd_run_close(&run);
    crd_context_destroy(&ctx);
    return status == CRD_OK && draws != 200 ? 4 : crd_status_exit_code(status);
}

static int exit_code_as_nobody(void)
{
    int how;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0)
        _exit(read_as_nobody());
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFEXITED(how));
    return WEXITSTATUS(how);
}

static void a_file_is_read_where_nothing_can_be_written(void **state)
{
    (void)state;
    const int64_t draws[CHAINS] = {200, 200, 200};
    crd_context *ctx = testing_context();
    write_run(ctx, NULL, draws, false, CRD_OK);
    assert_int_equal(chmod(folder, 0555), 0);
    assert_int_equal(exit_code_as_nobody(), 0);
    chmod(folder, 0755);
    doctor(ctx, "PRAGMA journal_mode = WAL"); /* marked for a log that is gone, as a reader may leave it */
    chmod(folder, 0555);
    assert_int_equal(exit_code_as_nobody(), 0);
    chmod(folder, 0755);
    FILE *log = fopen(beside("-wal"), "w"); /* draws may be in there: no answer is better than a wrong one */
    fputs("log", log);
    fclose(log);
    chmod(folder, 0555);
    assert_int_equal(exit_code_as_nobody(), crd_status_exit_code(CRD_EIO));
    chmod(folder, 0755);
    testing_context_destroy(&ctx);
}

/* ---- kill -9 ------------------------------------------------------------------------------------------------ */

/* The child: writes until it is killed. */
static int write_for_ever(const char *where, bool rollback)
{
    crd_context *ctx = NULL;
    crdi_run *run = NULL;
    crdi_run_tuning tuning = {
        .rollback_journal = rollback, .batch_seconds = rollback ? 0.03 : 0.002, .queue_bytes = 1 << 20};
    if (crd_context_create(&ctx, NULL) < 0 || crdi_run_create_tuned(ctx, where, true, &tuning, &run) < 0 ||
        crdi_run_begin(run, columns, COLUMNS, CHAINS) < 0)
        return 1;
    for (int64_t first = 0;; first += BLOCK) {
        usleep(500); /* without a pause in its commits a rollback journal would keep the reader out */
        for (int chain = 0; chain < CHAINS; chain++)
            if (feed(crdi_run_sink(run), chain, first, BLOCK) < 0 ||
                feed_state(crdi_run_sink(run), chain, first + BLOCK) < 0)
                return 1;
    }
}

static pid_t start_child(bool rollback)
{
    pid_t child = fork();
    if (child == 0) {
        execl(program_invocation_name, "test_run", "write", path, rollback ? "rollback" : "log", (char *)NULL);
        _exit(127);
    }
    return child;
}

/* Waits until the run in the child has that many draws. */
static void wait_for_draws(crd_context *ctx, int64_t wanted)
{
    crd_run *run;
    int64_t draws = 0;
    for (int wait = 0; wait < 10000 && !exists(path); wait++)
        usleep(1000);
    assert_ok(ctx, crd_run_open(ctx, path, &run));
    for (int wait = 0; wait < 10000 && draws < wanted; wait++) {
        assert_ok(ctx, crd_run_draws(run, -1, &draws));
        usleep(5000);
    }
    crd_run_close(&run);
    assert_true(draws >= wanted);
}

static void a_killed_run_leaves_whole_blocks(void **state)
{
    (void)state;
    for (int round = 0; round < 4; round++) {
        bool rollback = round % 2;
        crd_context *ctx = testing_context();
        unlink(path);
        unlink(beside("-wal"));
        unlink(beside("-journal"));
        pid_t child = start_child(rollback);
        assert_true(child > 0);
        wait_for_draws(ctx, 1 + 300 * round);
        usleep((useconds_t)(1700 * round));
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
        assert_true(posterior->draws > 300 * round && posterior->draws % BLOCK == 0);
        assert_true(posterior_is_right(posterior, posterior->draws));
        for (int chain = 0; chain < CHAINS; chain++) {
            int64_t iteration, count;
            void *bytes;
            size_t size;
            assert_ok(ctx, crdi_run_read_state(run, chain, &iteration, &bytes, &size));
            crdi_free(ctx, bytes);
            assert_ok(ctx, crd_run_draws(run, chain, &count));
            assert_true(count >= iteration); /* no state without the draws before it */
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
    const struct CMUnitTest tests[] = {
        TEST(a_full_disk_is_an_error_and_the_draws_before_it_stay),
        TEST(every_allocation_may_fail),
        TEST(damaged_files_are_told_apart_from_good_ones),
        TEST(a_damaged_entry_is_noticed_by_whoever_opens_the_file),
        TEST(files_that_are_no_run_files_are_refused),
        TEST(files_that_were_tampered_with_are_refused),
        TEST(a_file_is_read_where_nothing_can_be_written),
        TEST(a_killed_run_leaves_whole_blocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
