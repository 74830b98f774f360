/* bench.c - what benches share: clocks, memory, printing, a folder. */
#include "cli/bench.h"
#include "cli/demo.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* ---- measuring -------------------------------------------------------------------------------------------------- */

double crdi_bench_clock(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double crdi_bench_run(crd_exec *exec)
{
    for (int64_t count = 1;; count *= 4) {
        double start = crdi_bench_clock();
        for (int64_t i = 0; i < count; i++)
            crd_exec_run(exec);
        double seconds = crdi_bench_clock() - start;
        if (seconds > 4e-3)
            return seconds / (double)count;
    }
}

double crdi_bench_peak(int64_t pid)
{
    char path[64], line[128];
    double kilobytes = 0;
    snprintf(path, sizeof path, "/proc/%lld/status", (long long)(pid ? pid : getpid()));
    FILE *f = fopen(path, "r");
    while (f && fgets(line, sizeof line, f))
        if (strncmp(line, "VmHWM:", 6) == 0)
            kilobytes = strtod(line + 6, NULL);
    if (f)
        fclose(f);
    return kilobytes / 1024;
}

void crdi_bench_peak_reset(void)
{
    FILE *f = fopen("/proc/self/clear_refs", "w");
    if (!f)
        return;
    fputs("5", f);
    fclose(f);
}

/* ---- printing --------------------------------------------------------------------------------------------------- */

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double crdi_bench_median(double *values, int64_t count)
{
    qsort(values, (size_t)count, sizeof *values, ascending);
    return values[count / 2];
}

bool crdi_bench_json(const crdi_bench *bench)
{
    return strcmp(bench->options->format, "json") == 0;
}

void crdi_bench_values(const crdi_bench *bench, const char *what, const char *unit, double *values, int64_t count)
{
    double median = crdi_bench_median(values, count), least = values[0], most = values[count - 1];
    if (crdi_bench_json(bench))
        printf("{\"bench\": \"%s\", \"what\": \"%s\", \"unit\": \"%s\", \"median\": %.6g, \"least\": %.6g, "
               "\"most\": %.6g}\n",
               bench->name, what, unit, median, least, most);
    else
        printf("%-44s %8.3f %s   (%.3f to %.3f)\n", what, median, unit, least, most);
    fflush(stdout);
}

void crdi_bench_number(const crdi_bench *bench, const char *what, const char *unit, double value)
{
    if (crdi_bench_json(bench))
        printf("{\"bench\": \"%s\", \"what\": \"%s\", \"unit\": \"%s\", \"median\": %.6g}\n", bench->name, what, unit,
               value);
    else
        printf("%-44s %8.3f %s\n", what, value, unit);
    fflush(stdout);
}

void crdi_bench_print(const crdi_bench *bench, const char *what)
{
    for (int64_t r = 0; r < bench->options->repeat; r++)
        bench->times[r] *= 1e6;
    crdi_bench_values(bench, what, "us", bench->times, bench->options->repeat);
}

/* ---- files ------------------------------------------------------------------------------------------------------ */

crd_status crdi_bench_folder_make(const crdi_bench *bench, crdi_bench_folder *out)
{
    const char *base = getenv("TMPDIR");
    if (!base || strlen(base) > sizeof out->path - 24)
        base = "/tmp";
    snprintf(out->path, sizeof out->path, "%s/credence-XXXXXX", base);
    if (!mkdtemp(out->path))
        return crdi_raise(bench->ctx, CRD_EIO, "bench: cannot make a folder in %s: %s", base, strerror(errno));
    crd_status status = crdi_demo_write_data(bench->cli, out->path);
    if (status < 0)
        crdi_bench_folder_remove(out);
    return status;
}

void crdi_bench_folder_remove(crdi_bench_folder *folder)
{
    char path[512];
    DIR *dir = opendir(folder->path);
    for (const struct dirent *entry; dir && (entry = readdir(dir));) {
        snprintf(path, sizeof path, "%s/%s", folder->path, entry->d_name);
        unlink(path); /* not "." and "..": those are no files */
    }
    if (dir)
        closedir(dir);
    rmdir(folder->path);
}

crd_status crdi_bench_type(const crdi_bench *bench, const crdi_bench_folder *folder, const char *line)
{
    enum { WORDS = 48 };
    crdi_string text;
    char program[] = "credence", *word[WORDS] = {program}, *rest = NULL;
    int count = 1;
    crdi_string_init(&text, bench->ctx);
    for (const char *c = line; *c; c++)
        if (*c == '@')
            crdi_string_append(&text, "%s", folder->path);
        else
            crdi_string_add(&text, c, 1);
    crd_status status = text.status;
    if (status == CRD_OK) {
        for (char *w = strtok_r(text.text, " ", &rest); w && count < WORDS; w = strtok_r(NULL, " ", &rest))
            word[count++] = w;
        status = crdi_cli_run(bench->cli, count, word);
    }
    crdi_string_clear(&text);
    return status;
}
