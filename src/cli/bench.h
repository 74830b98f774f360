/* bench.h - what a bench is, and what benches share. */
#ifndef CRDI_BENCH_H
#define CRDI_BENCH_H

#include "cli/command.h"

#include <credence/nn.h>

typedef struct crdi_bench_options {
#define OPT CRDI_OPTION_FIELD
#include "cli/bench.def"
#undef OPT
} crdi_bench_options;

/* What there is to measure: the tutorial's data with a network of the given size. */
typedef struct crdi_bench {
    crdi_cli *cli;
    crd_context *ctx;
    const char *name; /* of the bench that runs */
    const crdi_bench_options *options;
    crd_network *network; /* borrowed */
    double *times; /* (options->repeat), seconds: room for the measurements */
} crdi_bench;

typedef crd_status (*crdi_bench_fn)(const crdi_bench *bench);
#define BENCH(name, help) crd_status crdi_bench_##name(const crdi_bench *bench);
#define LONG_BENCH(name, help) BENCH(name, help)
#include "cli/benches.def"
#undef BENCH
#undef LONG_BENCH

/* Processor time of this thread in seconds: what other programs take away does not count. */
double crdi_bench_clock(void);
/* Processor time of one run of a program whose input is set: the mean of enough runs for some milliseconds. */
double crdi_bench_run(crd_exec *exec);

/* Prints the median and the range of the measurements in microseconds; sorts them. */
void crdi_bench_print(const crdi_bench *bench, const char *what);
/* The same for any values: (count), sorted by this. */
void crdi_bench_values(const crdi_bench *bench, const char *what, const char *unit, double *values, int64_t count);
/* A number that has no spread. */
void crdi_bench_number(const crdi_bench *bench, const char *what, const char *unit, double value);
double crdi_bench_median(double *values, int64_t count);
bool crdi_bench_json(const crdi_bench *bench);

/* Largest memory that a process (0: this one) had in use so far, in MB; 0 where that is not known. */
double crdi_bench_peak(int64_t pid);
/* Starts counting anew, for this process. */
void crdi_bench_peak_reset(void);

/* A folder for files of a bench, with the tutorial's data as regression.csv; removed with all that is in it. */
typedef struct crdi_bench_folder {
    char path[64];
} crdi_bench_folder;
crd_status crdi_bench_folder_make(const crdi_bench *bench, crdi_bench_folder *out);
void crdi_bench_folder_remove(crdi_bench_folder *folder);
/* Runs a command of this program; words are separated by blanks, @ stands for the folder. */
crd_status crdi_bench_type(const crdi_bench *bench, const crdi_bench_folder *folder, const char *line);

#endif
