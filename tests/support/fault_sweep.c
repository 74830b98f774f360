/* fault_sweep.c - see fault_sweep.h.
 *
 * Not among the faults: memory of the JSON reader. jansson cuts a text short without a word when it gets none (2.14,
 * strbuffer_append_bytes), and nothing outside can tell.
 *
 * A command is run in this process. Asked each time: either it succeeds, and then its output is what it is without
 * a fault, or it ends with an error that has a message; nothing is leaked, no file is left open, no scaffolding is left
 * beside the output; and what stood at the output's path before is still there, or a whole run file instead. */
#include "command.h"
#include "faults.h"
#include "report/run_diff.h"
#include "testing.h"

#include "fault_sweep.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int dense_until;
static bool every_k;

static bool same_file(const char *name, struct testing_bytes expected)
{
    struct testing_bytes there = testing_slurp(name);
    bool same = there.start && there.size == expected.size && memcmp(there.start, expected.start, there.size) == 0;
    free(there.start);
    return same;
}

static int open_files(void)
{
    int count = 0;
    DIR *all = opendir("/proc/self/fd");
    while (all && readdir(all))
        count++;
    if (all)
        closedir(all);
    return count;
}

/* ---- commands ------------------------------------------------------------------------------------------------ */

struct command {
    const char *line;
    const char *out; /* the file it writes; NULL: it prints */
    bool run_file; /* out is one */
    unsigned faults; /* bits of those that can come to pass */
    int weight; /* its faults beyond the dense ones are looked at in steps this much longer; above 8: every 17th at most */
    bool again; /* after an error the same command, without a fault, comes to the right end */
};

#define BIT(fault) (1u << TESTING_FAULT_##fault)
enum { MEMORY = BIT(ALLOCATION) | BIT(SQLITE_MEMORY), ALL = MEMORY | BIT(WRITE) | BIT(FULL) };

static const struct command commands[] = {
    {"fit data.csv --target y --hidden 1 --chains 2 --warmup 3 --draws 4 --threads 1 --seed 1 --quiet --force --out "
     "out.crd",
     "out.crd", true, ALL, 4, false},
    {"fit data.csv --target y --hidden 1 --chains 2 --warmup 3 --draws 4 --threads 1 --seed 1 --quiet --out fresh.crd",
     "fresh.crd", true, ALL, 4, false},
    {"fit data.csv --target y --hidden 1 --method svi --steps 5 --draws 4 --threads 1 --seed 1 --quiet --force --out "
     "out.crd",
     "out.crd", true, ALL, 4, false},
    {"fit data.csv --target y --hidden 1 --method laplace --map-starts 1 --draws 4 --threads 1 --seed 1 --quiet "
     "--force --out out.crd",
     "out.crd", true, ALL, 8, false},
    {"fit data.csv --target y --hidden none --chains 2 --warmup 3 --draws 120 --until ess=1 --threads 1 --seed 1 "
     "--quiet "
     "--force --out out.crd",
     "out.crd", true, ALL, 8, false},
    {"continue svi.crd --steps 5 --quiet --force --out out.crd", "out.crd", true, ALL, 4, false},
    {"resume out.crd --draws 7 --threads 1 --quiet", "out.crd", true, ALL, 4, true},
    {"predict run.crd data.csv --threads 1 --force --out out.csv", "out.csv", false, MEMORY, 4, false},
    {"export run.crd --force --out out.csv", "out.csv", false, MEMORY, 1, false},
    {"export run.crd --to cmdstan --force --out out.csv", NULL, false, MEMORY, 1, false},
    {"export run.crd --to npz --force --out out.npz", NULL, false, MEMORY, 4, false},
    {"export run.crd --to netcdf --prior-draws 2 --threads 1 --force --out out.nc", NULL, false, MEMORY, 4, false},
    {"diagnose run.crd --threads 1", NULL, false, MEMORY, 4, false},
    {"loo run.crd --threads 1", NULL, false, MEMORY, 4, false},
    {"evaluate run.crd data.csv --threads 1", NULL, false, MEMORY, 4, false},
    {"summary run.crd --diagnostics", NULL, false, MEMORY, 1, false},
    {"report run.crd --threads 1 --quiet --force --out out.html", "out.html", false, MEMORY, 16, false},
    {"check run.crd --format json", NULL, false, MEMORY, 1, false},
    {"diff run.crd run.crd", NULL, false, MEMORY, 1, false},
    {"watch run.crd --once", NULL, false, MEMORY, 1, false},
};

/* What a command leaves when nothing fails. */
static struct testing_bytes reference;

static void remove_out(const struct command *c)
{
    static const char *const suffix[] = {"",      "-wal",      "-shm",      "-journal",     "-lock",
                                         ".part", ".part-wal", ".part-shm", ".part-journal"};
    char name[200];
    for (int i = 0; c->out && i < CRDI_COUNT(suffix); i++) {
        snprintf(name, sizeof name, "%s%s", c->out, suffix[i]);
        unlink(name);
    }
}

/* Puts the older file in its place: what is to be replaced. */
static void prepare(const struct command *c, struct testing_bytes older)
{
    remove_out(c);
    if (c->out && strcmp(c->out, "fresh.crd") != 0)
        testing_spit(c->out, older.start, older.size);
}

static bool equal_runs(const char *a, const char *b)
{
    crd_context *ctx = NULL;
    crdi_run_diff *diff = NULL;
    assert_int_equal(crd_context_create(&ctx, NULL), CRD_OK);
    crd_status status = crdi_run_diff_make(ctx, a, b, &diff);
    bool equal = status == CRD_OK && diff->count == 0;
    crdi_string text;
    crdi_string_init(&text, ctx);
    if (status == CRD_OK && !equal)
        status = crdi_run_diff_text(&text, diff, 5);
    if (!equal)
        print_error("%s%s\n", crdi_string_text(&text), crd_error_message(ctx));
    crdi_string_clear(&text);
    crdi_run_diff_destroy(&diff);
    crd_context_destroy(&ctx);
    return equal;
}

static bool whole_run(const char *path)
{
    crd_context *ctx = NULL;
    crd_run *run = NULL;
    assert_int_equal(crd_context_create(&ctx, NULL), CRD_OK);
    crd_status status = crd_run_open(ctx, path, &run);
    if (status == CRD_OK)
        status = crd_run_check(run);
    if (status < 0)
        print_error("%s\n", crd_error_message(ctx));
    crd_run_close(&run);
    crd_context_destroy(&ctx);
    return status == CRD_OK;
}

/* A run that was to replace a file, and could not, stays beside it to be resumed. */
static bool leftover(const struct command *c)
{
    static const char *const suffix[] = {"-lock", ".part", ".part-wal", ".part-shm", ".part-journal"};
    char name[200];
    snprintf(name, sizeof name, "%s.part", c->out ? c->out : "");
    bool resumable = c->run_file && access(name, F_OK) == 0 && whole_run(name);
    for (int i = 0; c->out && i < CRDI_COUNT(suffix); i++) {
        snprintf(name, sizeof name, "%s%s", c->out, suffix[i]);
        if (access(name, F_OK) == 0 && !(resumable && i > 0)) {
            print_error("%s is left\n", name);
            return true;
        }
    }
    return false;
}

/* The reference as a file that is compared with. */
static const char *kept(const struct command *c)
{
    return c->run_file ? "kept.crd" : "kept";
}

static bool output_is_right(const struct command *c)
{
    if (c->run_file)
        return equal_runs(kept(c), c->out);
    bool same = same_file(c->out ? c->out : "printed", reference);
    struct testing_bytes there = testing_slurp(c->out ? c->out : "printed");
    if (!same)
        print_error("%.*s\n", (int)there.size, there.start);
    free(there.start);
    return same;
}

/* Behind an error: what stood there, or nothing where nothing stood, or a run that is whole. */
static bool older_is_good(const struct command *c, struct testing_bytes older)
{
    if (!c->out || same_file(c->out, older))
        return true;
    if (access(c->out, F_OK) != 0)
        return strcmp(c->out, "fresh.crd") == 0;
    return c->run_file && whole_run(c->out);
}

static void complain(const struct command *c, testing_fault fault, int64_t k, const char *what, const char *message)
{
    fail_msg("credence %s\n  %s %lld: %s%s%s", c->line, testing_fault_name(fault), (long long)k, what,
             message ? ": " : "", message ? message : "");
}

static bool status_fits(testing_fault fault, crd_status status)
{
    return status == (fault == TESTING_FAULT_WRITE ? CRD_EIO : fault == TESTING_FAULT_FULL ? CRD_EFULL : CRD_ENOMEM);
}

static void try_again(const struct command *c, testing_fault fault, int64_t k)
{
    crd_context *ctx = testing_context();
    if (testing_command(ctx, c->line) < 0)
        complain(c, fault, k, "and then it fails without a fault", crd_error_message(ctx));
    if (!output_is_right(c))
        complain(c, fault, k, "and then its output is another one", NULL);
    testing_context_destroy(&ctx);
}

/* One run with one fault. False: the fault did not come to pass, so that there are no more of them. */
static bool try(const struct command *c, testing_fault fault, int64_t k, struct testing_bytes older)
{
    prepare(c, older);
    crd_context *ctx = testing_context();
    int files = open_files();
    int64_t memory = testing_sqlite_memory();
    testing_fault_set(fault, k);
    crd_status status = testing_command(ctx, c->line);
    bool fired = testing_fault_fired();
    testing_fault_set(TESTING_FAULT_NONE, 0);
    if (status >= 0 && !output_is_right(c))
        complain(c, fault, k, "it succeeds, and its output is another one", NULL);
    if (status < 0 && !fired)
        complain(c, fault, k, "it fails by itself", crd_error_message(ctx));
    if (status < 0 && crd_error_status(ctx) != status)
        complain(c, fault, k, crd_status_name(status), *crd_error_message(ctx) ? crd_error_message(ctx) : "no message");
    if (status < 0 && !status_fits(fault, status))
        complain(c, fault, k, crd_status_name(status), crd_error_message(ctx));
    if (status < 0 && !older_is_good(c, older))
        complain(c, fault, k, "what stood there before is gone", crd_error_message(ctx));
    if (leftover(c))
        complain(c, fault, k, "scaffolding is left", NULL);
    if (testing_live() != 1)
        complain(c, fault, k, "memory is leaked", crd_error_message(ctx));
    if (testing_sqlite_memory() != memory)
        complain(c, fault, k, "memory of SQLite is leaked", crd_error_message(ctx));
    if (open_files() != files)
        complain(c, fault, k, "a file is left open", crd_error_message(ctx));
    testing_context_destroy(&ctx);
    if (status < 0 && c->again)
        try_again(c, fault, k);
    return fired;
}

static void sweep(const struct command *c, testing_fault fault, struct testing_bytes older)
{
    int64_t k = 1, tries = 0;
    while (try(c, fault, k, older)) {
        tries++;
        k += every_k ? (c->weight > 8 ? 17 : 1) : k < dense_until ? 1 : 1 + k * c->weight / 20;
    }
    print_message("[ faults   ] %s, %.28s...: %lld of %lld\n", testing_fault_name(fault), c->line, (long long)tries,
                  (long long)k - 1);
    assert_true(tries > 0);
}

static void every_fault_is_one_clear_error(void **state)
{
    (void)state;
    crd_context *ctx = testing_context();
    assert_ok(ctx,
              testing_command(ctx, "fit data.csv --target y --hidden 1 --chains 2 --warmup 3 --draws 4 --threads 1 "
                                   "--seed 1 --quiet --out run.crd"));
    assert_ok(ctx,
              testing_command(ctx, "fit data.csv --target y --hidden 1 --method svi --steps 5 --draws 4 --threads 1 "
                                   "--seed 1 --quiet --out svi.crd"));
    testing_context_destroy(&ctx);
    struct testing_bytes run = testing_slurp("run.crd"), table = testing_slurp("data.csv");
    for (int i = 0; i < CRDI_COUNT(commands); i++) {
        const struct command *c = &commands[i];
        struct testing_bytes older = c->run_file ? run : table;
        prepare(c, older);
        ctx = testing_context();
        assert_ok(ctx, testing_command(ctx, c->line));
        testing_context_destroy(&ctx);
        reference = testing_slurp(c->out ? c->out : "printed");
        testing_spit(kept(c), reference.start, reference.size);
        for (testing_fault fault = TESTING_FAULT_ALLOCATION; fault < TESTING_FAULT_COUNT; fault++)
            if (c->faults & (1u << fault))
                sweep(c, fault, older);
        free(reference.start);
        remove_out(c);
    }
    free(run.start);
    free(table.start);
}

static int make_folder(void **state)
{
    static const char table[] = "x,y\n0,0.1\n1,0.9\n2,1.1\n3,0.2\n4,-0.7\n";
    if (testing_folder(state) != 0)
        return -1;
    testing_spit("data.csv", table, sizeof table - 1);
    return 0;
}

int testing_fault_sweep(int dense, bool every)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_fault_is_one_clear_error, make_folder, testing_folder_remove),
    };
    dense_until = dense;
    every_k = every;
    setenv("SOURCE_DATE_EPOCH", "0", 1); /* reports say when they were made */
    testing_faults_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
