/* points.c - start points of chains that Pathfinder finds. */
#include "infer/mcmc/run.h"
#include "infer/pathfinder/pathfinder.h"

#include <string.h>

crd_status crdi_mcmc_find_points(crdi_mcmc_run_state *run, crdi_arena *arena)
{
    static const uint32_t KEY_POINTS = 0xfffffffe; /* no chain has this number */
    const crd_nuts_options *o = &run->options;
    int64_t dim = crd_model_dim(run->model), paths = o->chains > 4 ? o->chains : 4;
    crd_pathfinder_options options = {.paths = paths,
                                      .path_draws = 100,
                                      .init_radius = o->init_radius,
                                      .threads = o->threads,
                                      .stop = o->stop,
                                      .stop_user = o->stop_user};
    crd_pathfinder *pf;
    run->point = crdi_arena_alloc(arena, sizeof *run->point * (size_t)(o->chains * dim));
    if (!run->point)
        return CRD_ENOMEM;
    crd_status status = crd_pathfinder_run(run->model, &options, crd_key_fold_in(run->key, KEY_POINTS), &pf);
    if (status != CRD_OK)
        return status;
    int64_t found = crdi_pathfinder_distinct(pf, o->chains, run->point);
    for (int64_t c = found; c < o->chains; c++)
        memcpy(run->point + c * dim, run->point + c % found * dim, sizeof *run->point * (size_t)dim);
    for (int64_t i = 0; i < paths; i++)
        run->point_gradients += crd_pathfinder_path_of(pf, i)->evaluations;
    crd_pathfinder_destroy(&pf);
    return CRD_OK;
}
