/* bench_start.c - from process start to the first kept draw, and the memory of the tutorial's run.
 *
 * A process of this program is started that reads the tutorial's table, fits without warm-up and keeps one draw of each of
 * two chains; its time counts from before it is started to after it has ended, with the run file written and closed and the
 * summary made. So it is an upper bound, and the gradients in it are those of one transition a chain; what is not processor
 * time is mostly the disk, which SQLite asks to be done some fifteen times. */
#include "cli/bench.h"

#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

/* What a process took. */
typedef struct cost {
    double wall, processor; /* seconds */
    double peak; /* MB */
} cost;

static double seconds_of(struct timeval t)
{
    return (double)t.tv_sec + 1e-6 * (double)t.tv_usec;
}

/* Starts this program with the words of `line` (@: the folder), and waits. */
static crd_status spawn(const crdi_bench *bench, const crdi_bench_folder *folder, const char *line, cost *out)
{
    enum { WORDS = 32 };
    char text[1024], program[] = "credence", *word[WORDS + 1] = {program}, *rest = NULL;
    size_t at = 0;
    int count = 1, code = 0;
    for (const char *c = line; *c; c++)
        at += (size_t)snprintf(text + at, sizeof text - at, *c == '@' ? "%s" : "%.1s", *c == '@' ? folder->path : c);
    for (char *w = strtok_r(text, " ", &rest); w && count < WORDS; w = strtok_r(NULL, " ", &rest))
        word[count++] = w;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    pid_t pid;
    double start = crdi_seconds();
    int failed = posix_spawn(&pid, "/proc/self/exe", &actions, NULL, word, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (failed)
        return crdi_raise(bench->ctx, CRD_EIO, "bench start: cannot start a process: %s", strerror(failed));
    struct rusage usage = {0};
    *out = (cost){0};
    while (wait4(pid, &code, WNOHANG, &usage) == 0) {
        double now = crdi_bench_peak(pid); /* its memory so far; the last look before its end counts */
        out->peak = now > out->peak ? now : out->peak;
        nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
    }
    out->wall = crdi_seconds() - start;
    out->processor = seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
    return code == 0 ? CRD_OK : crdi_raise(bench->ctx, CRD_EIO, "bench start: 'credence %s' ended with %d", line, code);
}

/* Medians, and the largest memory. */
static crd_status repeat(const crdi_bench *bench, const crdi_bench_folder *folder, const char *line, const char *what,
                         double *processor)
{
    int64_t count = bench->options->repeat;
    double most = 0;
    for (int64_t r = -1; r < count; r++) { /* the first fills the system's caches */
        cost one;
        CRD_TRY(spawn(bench, folder, line, &one));
        most = one.peak > most ? one.peak : most;
        if (r < 0)
            continue;
        bench->times[r] = 1e3 * one.wall;
        processor[r] = 1e3 * one.processor;
    }
    crdi_bench_values(bench, what, "ms", bench->times, count);
    crdi_bench_values(bench, "... of it processor time", "ms", processor, count);
    crdi_bench_number(bench, "... its peak memory", "MB", most);
    return CRD_OK;
}

#define FIT                                                                                                            \
    "fit @/regression.csv --target y --scale none --hidden 10 --seed 1234 --chains 2 --quiet --force --out @/run.crd"

static crd_status measure(const crdi_bench *bench, const crdi_bench_folder *folder, double *processor)
{
    cost whole;
    CRD_TRY(repeat(bench, folder, "version", "a process that does nothing", processor));
    CRD_TRY(repeat(bench, folder, FIT " --warmup 0 --draws 1", "process start to the first kept draw", processor));
    CRD_TRY(spawn(bench, folder, FIT " --warmup 200 --draws 2000", &whole));
    crdi_bench_number(bench, "the tutorial's run, 2 x (200 + 2000)", "s", whole.wall);
    crdi_bench_number(bench, "... of it processor time", "s", whole.processor);
    crdi_bench_number(bench, "the tutorial's run: peak memory", "MB", whole.peak);
    return CRD_OK;
}

crd_status crdi_bench_start(const crdi_bench *bench)
{
    crdi_bench_folder folder;
    double *processor = crdi_alloc_array(bench->ctx, bench->options->repeat, sizeof *processor);
    if (!processor)
        return CRD_ENOMEM;
    crd_status status = crdi_bench_folder_make(bench, &folder);
    if (status == CRD_OK) {
        status = measure(bench, &folder, processor);
        crdi_bench_folder_remove(&folder);
    }
    crdi_free(bench->ctx, processor);
    return status;
}
