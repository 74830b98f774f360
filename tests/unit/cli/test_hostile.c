/* test_hostile.c - a table of bad inputs: tables, run files, options, priors, names. Each has its exit code and its message;
 * none leaves an output, leaks, or lets a control character through. */
#include "command.h"
#include "store/run_format.h"
#include "store/sqlite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum how {
    LINE, /* the words alone */
    TABLE, /* `what` is the table t.csv */
    RUN_SQL, /* `what` is done to the good run file r.crd */
    RUN_ENTRY, /* `what` is KEY=TEXT, with a right checksum */
    RUN_CUT, /* the file is cut to `what` bytes */
    RUN_BYTES, /* `what` is OFFSET=BYTES */
    RUN_IS /* the file is `what` */
};

struct bad {
    enum how how;
    const char *what;
    size_t size; /* of `what`; 0: it ends at a zero byte */
    const char *line; /* NULL: fit t.csv, or summary r.crd */
    int exit_code;
    const char *message; /* how it begins */
};

#define FIT "fit t.csv --target y --hidden 1 --chains 1 --warmup 2 --draws 2 --seed 1 --quiet --out o.crd"
#define BYTES(text) text, sizeof(text) - 1

static const struct bad table[] = {
#include "hostile.def"
};

static struct testing_bytes good;

static void change(crd_context *ctx, const char *sql, const char *key, const char *text)
{
    crdi_db *db;
    crdi_query query = {0};
    assert_ok(ctx, crdi_db_open(ctx, "r.crd", NULL, CRDI_DB_WRITE, &db));
    if (sql)
        assert_ok(ctx, crdi_db_run(db, sql));
    if (key) {
        assert_ok(ctx, crdi_query_open(db, "INSERT OR REPLACE INTO meta VALUES(?, ?, ?)", &query));
        crdi_bind_text(&query, 1, key);
        crdi_bind_text(&query, 2, text);
        crdi_bind_integer(&query, 3, (int64_t)crdi_check_meta(key, CRDI_VALUE_TEXT, text, strlen(text)));
        assert_ok(ctx, crdi_query_run(&query));
        crdi_query_close(&query);
    }
    crdi_db_close(&db);
}

static void prepare(crd_context *ctx, const struct bad *b)
{
    size_t size = b->size ? b->size : b->what ? strlen(b->what) : 0;
    char *copy = malloc(size + 1);
    testing_spit("r.crd", good.start, good.size);
    if (size)
        memcpy(copy, b->what, size);
    copy[size] = 0;
    char *equals = strchr(copy, '=');
    if (b->how == TABLE)
        testing_spit("t.csv", b->what, size);
    else if (b->how == RUN_IS)
        testing_spit("r.crd", b->what, size);
    else if (b->how == RUN_SQL)
        change(ctx, b->what, NULL, NULL);
    else if (b->how == RUN_CUT)
        testing_spit("r.crd", good.start, (size_t)atol(b->what));
    if (b->how == RUN_ENTRY) {
        *equals = 0;
        change(ctx, NULL, copy, equals + 1);
    } else if (b->how == RUN_BYTES) {
        char *bytes = malloc(good.size);
        memcpy(bytes, good.start, good.size);
        memcpy(bytes + atol(copy), equals + 1, size - (size_t)(equals + 1 - copy));
        testing_spit("r.crd", bytes, good.size);
        free(bytes);
    }
    free(copy);
}

static void every_bad_input_has_its_message(void **state)
{
    (void)state;
    static const char good_table[] = "x,y\n0,0.1\n1,0.9\n2,1.1\n3,0.2\n";
    int wrong = 0;
    good = testing_slurp(TEST_DATA "/run_format_1.crd");
    assert_non_null(good.start);
    for (int i = 0; i < CRDI_COUNT(table); i++) {
        const struct bad *b = &table[i];
        crd_context *ctx = testing_context();
        testing_spit("t.csv", good_table, sizeof good_table - 1);
        prepare(ctx, b);
        const char *line = b->line ? b->line : b->how == TABLE ? FIT : "summary r.crd";
        crd_status status = testing_command(ctx, line);
        const char *message = crd_error_message(ctx);
        int code = crd_status_exit_code(status);
        bool leftover = access("o.crd", F_OK) == 0 || access("o.csv", F_OK) == 0 || access("o.crd-lock", F_OK) == 0 ||
                        access("o.crd.part", F_OK) == 0;
        bool same = code == b->exit_code && strncmp(message, b->message, strlen(b->message)) == 0;
        if (status >= 0 || !same || leftover) {
            print_error("row %d: credence %s\n  exit %d, expected %d%s\n  message  '%s'\n  expected '%s'\n", i, line,
                        code, b->exit_code, leftover ? "; an output is left" : "", message, b->message);
            wrong++;
        }
        if (getenv("HOSTILE_SHOW"))
            print_message("%d|%d|%s\n", i, code, message);
        unlink("o.crd");
        unlink("o.csv");
        testing_context_destroy(&ctx);
    }
    free(good.start);
    assert_int_equal(wrong, 0);
    assert_true(CRDI_COUNT(table) >= 80);
}

/* Not among the cases of the command, where it would be valgrind's folder too. */
static void a_folder_for_benches_that_is_not_there_is_named(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    setenv("TMPDIR", "/nowhere", 1);
    assert_int_equal(testing_command(ctx, "bench predict --repeat 1"), CRD_EIO);
    unsetenv("TMPDIR");
    assert_string_equal(crd_error_message(ctx), "bench: cannot make a folder in /nowhere: No such file or directory");
    testing_context_destroy(&ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_bad_input_has_its_message, testing_folder, testing_folder_remove),
        cmocka_unit_test_setup_teardown(a_folder_for_benches_that_is_not_there_is_named, testing_folder,
                                        testing_folder_remove),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
