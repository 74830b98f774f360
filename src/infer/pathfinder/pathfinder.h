/* pathfinder.h - Pathfinder from the inside. */
#ifndef CRDI_PATHFINDER_H
#define CRDI_PATHFINDER_H

#include <credence/pathfinder.h>
#include "base/options.h"
#include "infer/pathfinder/normal.h"
#include "model/start.h"

#include <stdatomic.h>

/* The rows of pathfinder_options.def over crd_pathfinder_options. */
extern const crdi_option_table crdi_pathfinder_option_table;

/* One path; what it needs while it runs is in path.c. */
typedef struct crdi_path {
    crd_pathfinder_path told;
    crdi_arena *arena;
    crd_key key;
    crdi_path_normal best;
    double *log_density, *log_normal; /* (path_draws) */
} crdi_path;

struct crd_pathfinder {
    crd_context *ctx;
    crdi_arena *arena;
    const crd_model *model;
    crd_pathfinder_options options; /* completed */
    crdi_starter starter;
    crdi_path *path; /* (paths) */
    int64_t *picked; /* (draws) path * path_draws + draw */
    double k_hat;
    atomic_bool stopped;
};

/* What crd_pathfinder_draw will give: columns in the arena. `program`, if it is wanted, computes the sites' values. */
crd_status crdi_pathfinder_columns(const crd_model *model, const char *const *keep, int keep_count, crdi_arena *arena,
                                   crd_column **out, int *count, crd_program **program);

/* One path from start to draws (path.c); for crdi_parallel. A failure of the path itself stays in told.status. */
crd_status crdi_path_run(void *pathfinder, int64_t i);
/* Draw d of a path. `work`: (2 columns). Returns the log density of the normal. */
double crdi_path_draw(const crdi_path *path, int64_t d, double *u, double *work);
/* The distinct points among the draws, in their order, up to `most` of them (most, dim); returns how many. */
int64_t crdi_pathfinder_distinct(const crd_pathfinder *pathfinder, int64_t most, double *points);

#endif
