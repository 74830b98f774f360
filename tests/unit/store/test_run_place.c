/* test_run_place.c - which file stands where: runs that were killed on their way to their place, or share it with files that are
 * not theirs. */
#include "run_fixture.h"

static void feed_chains(crd_context *ctx, crdi_run *run, int64_t first, int64_t count)
{
    for (int chain = 0; chain < CHAINS; chain++) {
        assert_ok(ctx, feed(crdi_run_sink(run), chain, first, count));
        assert_ok(ctx, feed_state(crdi_run_sink(run), chain, first + count));
    }
    assert_ok(ctx, crdi_run_flush(run));
}

static void write_text(const char *name, const char *text)
{
    FILE *file = fopen(name, "wb");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static bool holds(const char *name, const char *text)
{
    char there[64] = "";
    FILE *file = fopen(name, "rb");
    assert_non_null(file);
    size_t size = fread(there, 1, sizeof there - 1, file);
    fclose(file);
    return size == strlen(text) && strcmp(there, text) == 0;
}

/* Does in a process of its own what ends in a kill -9. */
static void killed(void (*begin)(crd_context *ctx))
{
    pid_t child = fork();
    if (child == 0) {
        begin(testing_context());
        raise(SIGKILL);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* ---- a run that was killed between its draws and its place ---------------------------------------------------- */

static void leave(crd_context *ctx)
{
    crdi_run *run;
    assert_ok(ctx, crdi_run_create(ctx, path, true, &run));
    assert_ok(ctx, crdi_run_begin(run, columns, COLUMNS, CHAINS));
    feed_chains(ctx, run, 0, 7);
}

/* What a kill leaves a moment before the rename: the file and its log, beside the older one. */
static void leave_on_the_way(crd_context *ctx)
{
    static const char *const part[] = {".part", ".part-wal"}, *const suffix[] = {"", "-wal"};
    char from[4096], older[4096];
    snprintf(older, sizeof older, "%s-older", path);
    write_run(ctx, NULL, (const int64_t[CHAINS]){100, 100, 100}, false, CRD_OK);
    assert_int_equal(rename(path, older), 0);
    killed(leave);
    for (int i = 0; i < 2; i++) {
        snprintf(from, sizeof from, "%s%s", path, suffix[i]);
        assert_int_equal(rename(from, beside(part[i])), 0);
    }
    snprintf(from, sizeof from, "%s-shm", path);
    unlink(from);
    assert_int_equal(rename(older, path), 0);
}

static crd_status ask_for_more(void *user)
{
    return crdi_run_set_integer(user, "draws", 9);
}

static void one_that_goes_on_takes_its_place_first(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crdi_run *run;
    const int64_t draws[CHAINS] = {7, 7, 7};
    leave_on_the_way(ctx);
    check_run(ctx, 100);
    assert_ok(ctx, crdi_run_reopen(ctx, path, &run));
    assert_false(crdi_run_is_placed(run));
    assert_ok(ctx, crdi_run_begin_again(run, columns, COLUMNS, CHAINS, draws, ask_for_more, run));
    assert_true(crdi_run_is_placed(run)); /* who looks at its draws looks there */
    check_run(ctx, 7);
    feed_chains(ctx, run, 7, 2);
    assert_ok(ctx, crdi_run_close(&run, CRD_OK));
    check_run(ctx, 9);
    testing_context_destroy(&ctx);
}

/* Also one that is complete: there is nothing to go on with. */
static void a_complete_one_takes_its_place(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crdi_run *run = begin_run(ctx, path);
    feed_chains(ctx, run, 0, 7);
    assert_ok(ctx, crdi_run_close(&run, CRD_OK));
    assert_int_equal(rename(path, beside(".part")), 0);
    assert_ok(ctx, crdi_run_reopen(ctx, path, &run));
    assert_ok(ctx, crdi_run_close(&run, CRD_OK));
    check_run(ctx, 7);
    assert_false(exists(beside(".part")));
    testing_context_destroy(&ctx);
}

/* A run is not made over one that can be gone on with, unless that is asked for; and has no name like it. */
static void what_was_stopped_is_not_dropped_unasked(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crdi_run *run;
    char part[4096], name[4096];
    leave_on_the_way(ctx);
    unlink(path);
    for (int i = 0; i < 2; i++)
        refused(ctx, CRD_EEXISTS, crdi_run_create(ctx, path, false, &run), "a run that is to stand there was stopped");
    assert_true(crdi_run_has_newer(ctx, path, part));
    snprintf(name, sizeof name, "%s", part);
    refused(ctx, CRD_EINVAL, crdi_run_create(ctx, name, false, &run), "a run on its way to its place");
    refused(ctx, CRD_EINVAL, crdi_run_reopen(ctx, name, &run), "a run on its way to its place");
    assert_ok(ctx, crdi_run_create(ctx, path, true, &run));
    assert_ok(ctx, crdi_run_close(&run, CRD_INTERRUPTED));
    assert_false(crdi_run_has_newer(ctx, path, part));
    testing_context_destroy(&ctx);
}

static void what_one_can_go_on_from_stays_when_that_fails(void **state)
{
    (void)state;
    static const crd_status failures[] = {CRD_INTERRUPTED, CRD_EIO, CRD_EFULL, CRD_ENOMEM, CRD_EINVAL};
    crd_context *ctx = testing_context();
    crdi_run *run;
    char part[4096];
    const int64_t none[CHAINS] = {0};
    write_run(ctx, NULL, (const int64_t[CHAINS]){100, 100, 100}, false, CRD_OK);
    for (int i = 0; i < CRDI_COUNT(failures); i++) {
        assert_ok(ctx, crdi_run_create(ctx, path, true, &run)); /* stopped in its warm-up */
        assert_ok(ctx, crdi_run_begin(run, columns, COLUMNS, CHAINS));
        assert_ok(ctx, feed_state(crdi_run_sink(run), 0, 10));
        assert_ok(ctx, crdi_run_flush(run));
        (void)!crdi_run_close(&run, failures[i]);
        assert_int_equal(crdi_run_has_newer(ctx, path, part),
                         failures[i] != CRD_EINVAL); /* that is the run's own fault */
        if (failures[i] == CRD_EINVAL)
            break;
        for (int begun = 0; begun < 2; begun++)
            for (int k = 0; k < CRDI_COUNT(failures); k++) {
                assert_ok(ctx, crdi_run_reopen(ctx, path, &run));
                assert_true(crdi_run_has_state(run));
                if (begun)
                    assert_ok(ctx, crdi_run_begin_again(run, columns, COLUMNS, CHAINS, none, NULL, NULL));
                (void)!crdi_run_close(&run, failures[k]);
                assert_true(crdi_run_has_newer(ctx, path, part));
            }
        check_run(ctx, 100);
    }
    testing_context_destroy(&ctx);
}

/* A chain that is cut back needs its own count; and the sum is right although only one of the chains has written again. */
static void gradients_are_kept_by_chain(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crd_run *reader;
    double bytes[3] = {0}, sum;
    int64_t own;
    const int64_t draws[CHAINS] = {0};
    crdi_run *run = begin_run(ctx, path);
    for (int again = 0; again < 2; again++) {
        crdi_sink sink = crdi_run_sink(run);
        for (int chain = 0; chain < (again ? 1 : CHAINS); chain++)
            assert_ok(ctx, sink.state(sink.user, chain,
                                      &(crdi_sampler_state){.iteration = 1,
                                                            .bytes = bytes,
                                                            .size = sizeof bytes,
                                                            .gradient_evaluations = 100 * (chain + 1) + 7 * again}));
        assert_ok(ctx, crdi_run_close(&run, CRD_INTERRUPTED));
        assert_ok(ctx, crd_run_open(ctx, path, &reader));
        assert_ok(ctx, crdi_run_get_number(reader, "gradient_evaluations", &sum));
        assert_true(sum == 600 + 7 * again);
        crd_run_close(&reader);
        assert_ok(ctx, crdi_run_reopen(ctx, path, &run));
        assert_ok(ctx, crdi_run_begin_again(run, columns, COLUMNS, CHAINS, draws, NULL, NULL));
        for (int chain = 0; chain < CHAINS; chain++) {
            assert_true(crdi_run_gradients(run, chain, &own));
            assert_int_equal(own, 100 * (chain + 1) + (chain == 0 ? 7 * again : 0));
        }
    }
    assert_ok(ctx, crdi_run_close(&run, CRD_INTERRUPTED));
    testing_context_destroy(&ctx);
}

/* ---- together ------------------------------------------------------------------------------------------------- */

struct two {
    crdi_run *run;
    crd_status end;
};

static crd_status set_two(void *user)
{
    const struct two *two = user;
    CRD_TRY(crdi_run_set_integer(two->run, "first", 1));
    CRD_TRY(crdi_run_set_text(two->run, "second", "2"));
    return two->end;
}

static bool has(crd_context *ctx, const char *key)
{
    crd_run *reader;
    assert_ok(ctx, crd_run_open(ctx, path, &reader));
    bool there = crdi_run_has(reader, key);
    crd_run_close(&reader);
    return there;
}

static void entries_that_are_set_together_are_there_together(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crdi_run *run = begin_run(ctx, path);
    feed_chains(ctx, run, 0, 7);
    assert_int_equal(crdi_run_together(run, set_two, &(struct two){run, CRD_EINVAL}), CRD_EINVAL);
    assert_false(has(ctx, "first") || has(ctx, "second"));
    assert_ok(ctx, crdi_run_together(run, set_two, &(struct two){run, CRD_OK}));
    assert_true(has(ctx, "first") && has(ctx, "second"));
    assert_ok(ctx, crdi_run_close(&run, CRD_OK));
    /* What a run that goes on is asked for is not there either where its draws could not be cut. */
    assert_ok(ctx, crdi_run_reopen(ctx, path, &run));
    const int64_t more[CHAINS] = {8, 8, 8};
    refused(ctx, CRD_EDAMAGED, crdi_run_begin_again(run, columns, COLUMNS, CHAINS, more, ask_for_more, run),
            "has 7 draws");
    assert_ok(ctx, crdi_run_close(&run, CRD_INTERRUPTED));
    assert_false(has(ctx, "draws"));
    testing_context_destroy(&ctx);
}

/* ---- files of others ------------------------------------------------------------------------------------------ */

static bool has_data(crd_context *ctx, const char *name)
{
    crd_run *reader;
    crd_array array = {0};
    assert_ok(ctx, crd_run_open(ctx, path, &reader));
    bool there = crdi_run_get_array(reader, name, &array) == CRD_OK;
    crd_array_clear(&array);
    crd_run_close(&reader);
    crd_error_clear(ctx);
    return there;
}

/* How many states the file has, and of which iteration that of lane 0 is; -1: it has none. */
static int count_states(crd_context *ctx, int64_t *first)
{
    crd_run *reader;
    int lanes, count = 0;
    *first = -1;
    assert_ok(ctx, crd_run_open(ctx, path, &reader));
    assert_ok(ctx, crdi_run_count_states(reader, &lanes));
    for (int lane = 0; lane < lanes; lane++) {
        void *bytes;
        size_t size;
        int64_t iteration;
        if (crdi_run_read_state(reader, lane, &iteration, &bytes, &size) != CRD_OK)
            continue;
        *first = lane == 0 ? iteration : *first;
        crdi_free(ctx, bytes);
        count++;
    }
    assert_ok(ctx, crd_run_check(reader));
    crd_run_close(&reader);
    crd_error_clear(ctx);
    return count;
}

static void the_last_state_comes_with_the_end(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crdi_run *run;
    int64_t first;
    const struct {
        size_t size;
        crd_status outcome;
        int count;
        int64_t first;
    } cases[] = {
        {5, CRD_INTERRUPTED, CHAINS, 7}, {5, CRD_OK, 1, 99}, {0, CRD_INTERRUPTED, CHAINS, 7}, {0, CRD_OK, 0, -1}};
    for (int i = 0; i < CRDI_COUNT(cases); i++) {
        assert_ok(ctx, crdi_run_create(ctx, path, true, &run));
        assert_ok(ctx, crdi_run_begin(run, columns, COLUMNS, CHAINS));
        feed_chains(ctx, run, 0, 7);
        assert_ok(ctx, crdi_run_set_last_state(run, 98, "older", 5));
        assert_ok(ctx, crdi_run_set_last_state(run, 99, "state", cases[i].size));
        assert_int_equal(count_states(ctx, &first), CHAINS);
        assert_ok(ctx, crdi_run_close(&run, cases[i].outcome));
        assert_int_equal(count_states(ctx, &first), cases[i].count);
        assert_int_equal(first, cases[i].first);
    }
    testing_context_destroy(&ctx);
}

static void where_a_run_goes_on_from_is_there_until_it_is_complete(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    crdi_run *run;
    const int64_t draws[CHAINS] = {7, 7, 7};
    assert_ok(ctx, crdi_run_create(ctx, path, true, &run));
    double from[3] = {1, NAN, 3};
    crd_array array = crd_array_borrow(from, crd_shape_1(3));
    assert_ok(ctx, crdi_run_put_array(run, "continue/from", &array));
    assert_ok(ctx, crdi_run_set_integer(run, "continue/steps", 5));
    assert_ok(ctx, crdi_run_set_integer(run, "continued", 1));
    assert_ok(ctx, crdi_run_begin(run, columns, COLUMNS, CHAINS));
    feed_chains(ctx, run, 0, 7);
    assert_ok(ctx, crdi_run_close(&run, CRD_INTERRUPTED));
    assert_true(has(ctx, "continue/steps") && has_data(ctx, "continue/from"));
    assert_ok(ctx, crdi_run_reopen(ctx, path, &run));
    assert_ok(ctx, crdi_run_begin_again(run, columns, COLUMNS, CHAINS, draws, NULL, NULL));
    assert_ok(ctx, crdi_run_close(&run, CRD_OK));
    assert_false(has(ctx, "continue/steps") || has_data(ctx, "continue/from"));
    assert_true(has(ctx, "continued"));
    testing_context_destroy(&ctx);
}

static void another_file_in_its_place_is_noticed_by_the_next_write(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    char aside[160];
    snprintf(aside, sizeof aside, "%s/aside.crd", folder);
    for (int again = 0; again < 2; again++) {
        crdi_run *run = NULL;
        if (again) {
            const int64_t draws[CHAINS] = {7, 7, 7};
            run = begin_run(ctx, path);
            feed_chains(ctx, run, 0, 7);
            assert_ok(ctx, crdi_run_close(&run, CRD_INTERRUPTED));
            assert_ok(ctx, crdi_run_reopen(ctx, path, &run));
            assert_ok(ctx, crdi_run_begin_again(run, columns, COLUMNS, CHAINS, draws, NULL, NULL));
        } else {
            run = begin_run(ctx, path);
        }
        assert_int_equal(rename(path, aside), 0);
        write_text(path, "another's");
        assert_ok(ctx, feed(crdi_run_sink(run), 0, again ? 7 : 0, 3));
        refused(ctx, CRD_EIO, crdi_run_flush(run), "was moved or deleted");
        (void)!crdi_run_close(&run, CRD_EIO);
        crd_error_clear(ctx);
        assert_true(holds(path, "another's"));
        for (int i = 0; i < 3; i++) {
            static const char *const suffix[] = {"", "-wal", "-shm"};
            char name[176];
            snprintf(name, sizeof name, "%s%s", aside, suffix[i]);
            unlink(name);
            unlink(beside(suffix[i]));
        }
    }
    testing_context_destroy(&ctx);
}

/* SQLite applies a log to whatever stands beside it. */
static void the_log_of_another_file_is_refused(void **state)
{
    (void)state;
    static char log[4 << 20];
    crd_context *ctx = testing_context();
    crd_run *reader;
    crdi_run *run = begin_run(ctx, path);
    feed_chains(ctx, run, 0, 300);
    FILE *file = fopen(beside("-wal"), "rb");
    size_t size = fread(log, 1, sizeof log, file);
    fclose(file);
    assert_true(size > 100000);
    assert_ok(ctx, crd_run_open(ctx, path, &reader)); /* its own log */
    crd_run_close(&reader);
    assert_ok(ctx, crdi_run_close(&run, CRD_OK));
    file = fopen(beside("-wal"), "wb");
    assert_int_equal(fwrite(log, 1, size, file), size);
    fclose(file);
    refused(ctx, CRD_EDAMAGED, crd_run_open(ctx, path, &reader), "is not its log");
    refused(ctx, CRD_EDAMAGED, crdi_run_reopen(ctx, path, &run), "is not its log");
    unlink(beside("-wal"));
    check_run(ctx, 300);
    testing_context_destroy(&ctx);
}

static void files_of_others_beside_it_stay(void **state)
{
    (void)state;
    static const char *const suffix[] = {".part", "-lock"};
    crd_context *ctx = testing_context();
    crdi_run *run;
    for (int i = 0; i < CRDI_COUNT(suffix); i++) {
        write_text(beside(suffix[i]), "x,y\n1,2\n");
        refused(ctx, CRD_EEXISTS, crdi_run_create(ctx, path, false, &run), "is not credence's");
        assert_true(holds(beside(suffix[i]), "x,y\n1,2\n"));
        unlink(beside(suffix[i]));
    }
    killed(leave_on_the_way); /* what a run of ours has left is taken over */
    run = begin_run(ctx, path);
    assert_ok(ctx, crdi_run_close(&run, CRD_OK));
    char name[400];
    snprintf(name, sizeof name, "%s/%0250d.crd", folder, 1);
    refused(ctx, CRD_EINVAL, crdi_run_create(ctx, name, false, &run), "the name has 254 letters");
    testing_context_destroy(&ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_that_goes_on_takes_its_place_first),
        TEST(a_complete_one_takes_its_place),
        TEST(what_was_stopped_is_not_dropped_unasked),
        TEST(what_one_can_go_on_from_stays_when_that_fails),
        TEST(gradients_are_kept_by_chain),
        TEST(entries_that_are_set_together_are_there_together),
        TEST(the_last_state_comes_with_the_end),
        TEST(where_a_run_goes_on_from_is_there_until_it_is_complete),
        TEST(another_file_in_its_place_is_noticed_by_the_next_write),
        TEST(the_log_of_another_file_is_refused),
        TEST(files_of_others_beside_it_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
