/* bench.h - what a bench is. */
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
    crd_context *ctx;
    const crdi_bench_options *options;
    crd_network *network; /* borrowed */
    double *times; /* (options->repeat), seconds: room for the measurements */
} crdi_bench;

typedef crd_status (*crdi_bench_fn)(const crdi_bench *bench);
#define BENCH(name, help) crd_status crdi_bench_##name(const crdi_bench *bench);
#include "cli/benches.def"
#undef BENCH

/* Prints the median and the range of the measurements in microseconds; sorts them. */
void crdi_bench_print(const crdi_bench *bench, const char *what);

#endif
