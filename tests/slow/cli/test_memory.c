/* test_memory.c - what reading commands take of memory does not grow with the draws: a run of the tutorial's model (32 parameters)
 * with 10^4 draws and one with 10^6, each command in a process of its own, the peaks of both compared. Memory is no noise:
 * limits are real. */
#include "command.h"
#include "store/network_run.h"
#include "store/run_list.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PIECE = 1000 };
static int chains; /* of the runs */

static void copy_entries(crd_context *ctx, crd_run *from, crdi_run *to)
{
    crdi_run_names names;
    assert_ok(ctx, crdi_run_list(ctx, from, false, &names));
    for (int64_t i = 0; i < names.count; i++) {
        crdi_run_entry entry;
        const char *key = names.name[i];
        if (strcmp(key, "chains") == 0 || strcmp(key, "columns") == 0)
            continue;
        assert_ok(ctx, crdi_run_get_entry(ctx, from, key, &entry));
        if (entry.type == CRDI_ENTRY_TEXT)
            assert_ok(ctx, crdi_run_set_text(to, key, entry.bytes));
        else if (entry.type == CRDI_ENTRY_INTEGER)
            assert_ok(ctx, crdi_run_set_integer(to, key, entry.integer));
        else
            assert_ok(ctx, crdi_run_set_number(to, key, entry.type == CRDI_ENTRY_REAL ? entry.real : NAN));
        crdi_run_entry_clear(ctx, &entry);
    }
    crdi_run_names_clear(ctx, &names);
    assert_ok(ctx, crdi_run_list(ctx, from, true, &names));
    for (int64_t i = 0; i < names.count; i++) {
        crd_array array;
        assert_ok(ctx, crdi_run_get_array(from, names.name[i], &array));
        assert_ok(ctx, crdi_run_put_array(to, names.name[i], &array));
        crd_array_clear(&array);
    }
    crdi_run_names_clear(ctx, &names);
}

/* Draws that look like draws: all different, positive where s and the statistics need it. */
static void fill(double *out, int64_t count, int chain, int column, int64_t first)
{
    for (int64_t i = 0; i < count; i++) {
        uint64_t x = (uint64_t)(first + i) * 0x9e3779b97f4a7c15u + (uint64_t)(1000 * chain + column);
        x ^= x >> 31;
        x *= 0xbf58476d1ce4e5b9u;
        x ^= x >> 29;
        out[i] = 0.01 + (double)(x >> 11) * 0x1p-53;
    }
}

static void write_draws(crd_context *ctx, crd_run *from, crdi_run *to, int64_t draws)
{
    int count = crd_run_column_count(from);
    crd_column *columns = calloc((size_t)count, sizeof *columns);
    double **values = calloc((size_t)count, sizeof *values);
    for (int c = 0; c < count; c++) {
        columns[c] = *crd_run_column(from, c);
        values[c] = malloc((size_t)(PIECE * columns[c].size) * sizeof(double));
    }
    assert_ok(ctx, crdi_run_begin(to, columns, count, chains));
    crdi_sink sink = crdi_run_sink(to);
    for (int64_t first = 0; first < draws; first += PIECE)
        for (int chain = 0; chain < chains; chain++) {
            for (int c = 0; c < count; c++)
                fill(values[c], PIECE * columns[c].size, chain, c, first * columns[c].size);
            assert_ok(ctx, sink.draws(sink.user, chain, first, PIECE, (const double *const *)values));
        }
    for (int c = 0; c < count; c++)
        free(values[c]);
    free(values);
    free(columns);
}

/* `draws` a chain. */
static int write_run(const char *path, int64_t draws)
{
    crd_context *ctx = NULL;
    crd_run *from;
    crdi_run *to;
    assert_int_equal(crd_context_create(&ctx, NULL), CRD_OK);
    assert_ok(ctx, crd_run_open(ctx, "small.crd", &from));
    assert_ok(ctx, crdi_run_create(ctx, path, true, &to));
    copy_entries(ctx, from, to);
    write_draws(ctx, from, to, draws);
    assert_ok(ctx, crdi_run_close(&to, CRD_OK));
    crd_run_close(&from);
    crd_context_destroy(&ctx);
    return 0;
}

static int run_command(const char *line)
{
    crd_context *ctx = NULL;
    if (crd_context_create(&ctx, NULL) < 0)
        return 1;
    crd_status status = testing_command(ctx, line);
    if (status < 0)
        print_error("%s\n", crd_error_message(ctx));
    crd_context_destroy(&ctx);
    return crd_status_exit_code(status);
}

/* The child's peak in MB. */
static double peak_of(int (*task)(const char *, int64_t), const char *text, int64_t number)
{
    struct rusage usage;
    int how;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0)
        _exit(task ? task(text, number) : run_command(text));
    assert_int_equal(wait4(child, &how, 0, &usage), child);
    if (!WIFEXITED(how) || WEXITSTATUS(how) != 0)
        fail_msg("%s: status %d", text, how);
    return (double)usage.ru_maxrss / 1024;
}

static const struct {
    const char *name, *options; /* between them stands the run file */
    double most; /* MB more for a hundred times the draws */
} commands[] = {
#include "memory.def"
};

/* How many commands take too much; `only`: of this name. */
static int compare_peaks(int of_chains, const char *only)
{
    int wrong = 0;
    chains = of_chains;
    double low = peak_of(write_run, "few.crd", 10000 / chains), high = peak_of(write_run, "many.crd", 1000000 / chains);
    print_message("[ memory   ] writing %d chains: %.0f and %.0f MB\n", chains, low, high);
    for (int i = 0; i < CRDI_COUNT(commands); i++) {
        char few[200], many[200];
        if (only && strcmp(commands[i].name, only) != 0)
            continue;
        snprintf(few, sizeof few, "%s few.crd %s", commands[i].name, commands[i].options);
        snprintf(many, sizeof many, "%s many.crd %s", commands[i].name, commands[i].options);
        low = peak_of(NULL, few, 0);
        high = peak_of(NULL, many, 0);
        print_message("[ memory   ] %s: %.0f and %.0f MB\n", many, low, high);
        if (high - low > commands[i].most) {
            print_error("credence %s: %.0f MB more, %.0f allowed\n", many, high - low, commands[i].most);
            wrong++;
        }
    }
    return wrong;
}

static void peaks_do_not_grow_with_the_draws(void **state)
{
    (void)state;
    struct statvfs system;
    if (statvfs(".", &system) != 0 || (double)system.f_bavail * (double)system.f_frsize < 1.5e9)
        testing_skip("there are no 1.5 GB free here\n");
    (void)peak_of(NULL,
                  "fit data.csv --target y --hidden 10 --method nuts --chains 4 --warmup 20 --draws 20 --seed 1 "
                  "--quiet --out small.crd",
                  0);
    assert_int_equal(compare_peaks(4, NULL), 0);
    assert_int_equal(compare_peaks(1, "summary"),
                     0); /* a million draws of one chain are the most that it looks at at once */
}

/* Not in memory: the files would count. */
static int make_folder(void **state)
{
    static char folder[] = "/tmp/credence-memory-XXXXXX";
    (void)state;
    if (!mkdtemp(folder) || chdir(folder) != 0)
        return -1;
    FILE *table = fopen("data.csv", "w");
    fputs("x,y\n", table);
    for (int i = 0; i < 40; i++)
        fprintf(table, "%g,%g\n", i / 20.0, sin(i / 4.0));
    return fclose(table);
}

static int remove_folder(void **state)
{
    char here[200];
    (void)state;
    if (!getcwd(here, sizeof here))
        return -1;
    DIR *all = opendir(here);
    for (struct dirent *entry = readdir(all); entry; entry = readdir(all))
        unlink(entry->d_name);
    closedir(all);
    return chdir("/") == 0 ? rmdir(here) : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(peaks_do_not_grow_with_the_draws, make_folder, remove_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
