/* bench_start.c - from process start to the first kept draw, and the memory of the tutorial's run.
 *
 * A process of this program is started that reads the tutorial's table, fits without warm-up and keeps one draw of each of
 * two chains; its time counts from before it is started to after it has ended, with the run file written and closed and the
 * summary made. So it is an upper bound, and the gradients in it are those of one transition a chain. */
#include "cli/bench.h"

#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

/* Starts this program with the words of `line` (@: the folder), and waits. */
static crd_status spawn(const crdi_bench *bench, const crdi_bench_folder *folder, const char *line, double *seconds,
                        double *peak)
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
    *peak = 0;
    while (waitpid(pid, &code, WNOHANG) == 0) {
        double now = crdi_bench_peak(pid); /* its memory so far; the last look before its end counts */
        *peak = now > *peak ? now : *peak;
        nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
    }
    *seconds = crdi_seconds() - start;
    return code == 0 ? CRD_OK : crdi_raise(bench->ctx, CRD_EIO, "bench start: 'credence %s' ended with %d", line, code);
}

static crd_status repeat(const crdi_bench *bench, const crdi_bench_folder *folder, const char *line, double *peak)
{
    double most = 0;
    for (int64_t r = -1; r < bench->options->repeat; r++) { /* the first fills the system's caches */
        double seconds;
        CRD_TRY(spawn(bench, folder, line, &seconds, peak));
        most = *peak > most ? *peak : most;
        if (r >= 0)
            bench->times[r] = 1e3 * seconds;
    }
    *peak = most;
    return CRD_OK;
}

#define FIT                                                                                                            \
    "fit @/regression.csv --target y --scale none --hidden 10 --seed 1234 --chains 2 --quiet --force --out @/run.crd"

static crd_status measure(const crdi_bench *bench, const crdi_bench_folder *folder)
{
    double peak, seconds;
    CRD_TRY(repeat(bench, folder, "version", &peak));
    crdi_bench_values(bench, "a process that does nothing", "ms", bench->times, bench->options->repeat);
    CRD_TRY(repeat(bench, folder, FIT " --warmup 0 --draws 1", &peak));
    crdi_bench_values(bench, "process start to the first kept draw", "ms", bench->times, bench->options->repeat);
    crdi_bench_number(bench, "... its peak memory", "MB", peak);
    CRD_TRY(spawn(bench, folder, FIT " --warmup 200 --draws 2000", &seconds, &peak));
    crdi_bench_number(bench, "the tutorial's run, 2 x (200 + 2000)", "s", seconds);
    crdi_bench_number(bench, "... its peak memory", "MB", peak);
    return CRD_OK;
}

crd_status crdi_bench_start(const crdi_bench *bench)
{
    crdi_bench_folder folder;
    CRD_TRY(crdi_bench_folder_make(bench, &folder));
    crd_status status = measure(bench, &folder);
    crdi_bench_folder_remove(&folder);
    return status;
}
