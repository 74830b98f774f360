/* pathfinder.c - all paths, and draws resampled among theirs. See <credence/pathfinder.h>. */
#include "infer/pathfinder/pathfinder.h"

#include <credence/loo.h>
#include <math.h>
#include <string.h>

static const crdi_option rows[] = {
#define OPT(...) CRDI_OPTION_ROW(crd_pathfinder_options, __VA_ARGS__)
#include "infer/pathfinder_options.def"
#undef OPT
};
const crdi_option_table crdi_pathfinder_option_table = CRDI_OPTION_TABLE("pathfinder", crd_pathfinder_options, rows);

static const char *const starts[] = {"uniform", "prior", "median", "value", "point"}; /* as crd_start_kind */
enum { DRAWS = 1000 };
static const uint32_t KEY_RESAMPLE = UINT32_MAX;

static crd_status complete(crd_pathfinder *pf, const crd_pathfinder_options *given)
{
    crd_pathfinder_options *o = &pf->options;
    crd_start start = {0};
    if (given)
        *o = *given;
    o->start = o->start ? o->start : "uniform";
    o->draws = o->draws ? o->draws : DRAWS;
    CRD_TRY(crdi_options_complete(pf->ctx, &crdi_pathfinder_option_table, o));
    if (o->draws < 1)
        return crdi_raise(pf->ctx, CRD_EINVAL, "draws: %lld; at least 1", (long long)o->draws);
    if (!(o->init_radius >= 0) || o->init_radius > 1e100)
        return crdi_raise(pf->ctx, CRD_EINVAL, "init_radius: %g; it must be above 0", o->init_radius);
    int kind = 0;
    while (kind < CRDI_COUNT(starts) && strcmp(starts[kind], o->start) != 0)
        kind++;
    if (kind == CRDI_COUNT(starts))
        return crdi_raise(pf->ctx, CRD_ENAME, "unknown start '%s'; there are: uniform, prior, median, value, point",
                          o->start);
    start = (crd_start){.kind = (crd_start_kind)kind, .values = o->start_values, .radius = o->init_radius};
    return crdi_starter_create(&pf->starter, pf->model, &start);
}

/* ---- resampling --------------------------------------------------------------------------------------------- */

/* Paths that came to a normal. */
static int64_t good_paths(const crd_pathfinder *pf)
{
    int64_t good = 0;
    for (int64_t i = 0; i < pf->options.paths; i++)
        good += pf->path[i].told.status == CRD_OK;
    return good;
}

/* Log ratios of all good paths' draws, path after path, and where each comes from. */
static void pool(const crd_pathfinder *pf, double *ratio, int64_t *from)
{
    int64_t m = pf->options.path_draws, n = 0;
    for (int64_t i = 0; i < pf->options.paths; i++)
        for (int64_t d = 0; pf->path[i].told.status == CRD_OK && d < m; d++) {
            double difference = pf->path[i].log_density[d] - pf->path[i].log_normal[d];
            ratio[n] = isfinite(difference) ? difference : -INFINITY;
            from[n++] = i * m + d;
        }
}

/* Draws with replacement, each with its weight; one uniform a draw. `weight` becomes its running sum. */
static void resample(const crd_pathfinder *pf, crd_key key, int64_t total, double *weight, const int64_t *from,
                     double *uniform)
{
    for (int64_t k = 0; k < total; k++)
        weight[k] = exp(weight[k]) + (k > 0 ? weight[k - 1] : 0);
    crd_random_uniform(crd_key_fold_in(key, KEY_RESAMPLE), pf->options.draws, uniform);
    for (int64_t d = 0; d < pf->options.draws; d++) {
        double at = uniform[d] * weight[total - 1];
        int64_t low = 0, high = total - 1;
        while (low < high) {
            int64_t middle = (low + high) / 2;
            if (weight[middle] > at)
                high = middle;
            else
                low = middle + 1;
        }
        pf->picked[d] = from[low];
    }
}

/* The paths in turn: draw 0 of each, draw 1 of each, ... */
static void take_in_turn(const crd_pathfinder *pf, int64_t paths, const int64_t *from)
{
    int64_t m = pf->options.path_draws;
    for (int64_t d = 0; d < pf->options.draws; d++)
        pf->picked[d] = from[d % paths * m + d / paths % m];
}

static crd_status pick(crd_pathfinder *pf, crd_key key)
{
    int64_t paths = good_paths(pf), total = paths * pf->options.path_draws;
    double *weight = crdi_alloc_array(pf->ctx, total, sizeof *weight);
    int64_t *from = crdi_alloc_array(pf->ctx, total, sizeof *from);
    double *uniform = crdi_alloc_array(pf->ctx, pf->options.draws, sizeof *uniform);
    crd_status status = weight && from && uniform ? CRD_OK : CRD_ENOMEM;
    if (status == CRD_OK) {
        pool(pf, weight, from);
        status = crd_psis(pf->ctx, weight, total, 1, weight, &pf->k_hat);
    }
    if (status == CRD_OK && (pf->options.plain || isnan(pf->k_hat)))
        take_in_turn(pf, paths, from);
    else if (status == CRD_OK)
        resample(pf, key, total, weight, from, uniform);
    crdi_free(pf->ctx, weight);
    crdi_free(pf->ctx, from);
    crdi_free(pf->ctx, uniform);
    return status;
}

/* ---- the whole ---------------------------------------------------------------------------------------------- */

static crd_status run(crd_pathfinder *pf, const crd_pathfinder_options *options, crd_key key)
{
    CRD_TRY(crdi_arena_create(&pf->arena, pf->ctx));
    CRD_TRY(complete(pf, options));
    const crd_pathfinder_options *o = &pf->options;
    pf->path = crdi_arena_alloc(pf->arena, sizeof *pf->path * (size_t)o->paths);
    pf->picked = crdi_arena_alloc(pf->arena, sizeof *pf->picked * (size_t)o->draws);
    if (!pf->path || !pf->picked)
        return CRD_ENOMEM;
    for (int64_t i = 0; i < o->paths; i++)
        pf->path[i].key = crd_key_fold_in(key, (uint32_t)i);
    bool clear = crd_error_status(pf->ctx) == CRD_OK;
    CRD_TRY(crdi_parallel(pf->ctx, (int)o->threads, o->paths, crdi_path_run, pf));
    if (atomic_load(&pf->stopped))
        return CRD_INTERRUPTED;
    if (good_paths(pf) == 0)
        return pf->path[0].told.status;
    if (clear)
        crd_error_clear(pf->ctx); /* what failed paths have said: others did not */
    return pick(pf, key);
}

crd_status crd_pathfinder_run(const crd_model *model, const crd_pathfinder_options *options, crd_key key,
                              crd_pathfinder **out)
{
    crd_context *ctx = crd_model_context(model);
    crd_pathfinder *pf = crdi_alloc(ctx, sizeof *pf);
    if (!pf)
        return CRD_ENOMEM;
    *pf = (crd_pathfinder){.ctx = ctx, .model = model};
    crd_status status = run(pf, options, key);
    pf->options.stop = NULL;
    if (status == CRD_OK)
        *out = pf;
    else
        crd_pathfinder_destroy(&pf);
    return status;
}

void crd_pathfinder_destroy(crd_pathfinder **pathfinder)
{
    if (!pathfinder || !*pathfinder)
        return;
    crd_pathfinder *pf = *pathfinder;
    for (int64_t i = 0; pf->path && i < pf->options.paths; i++)
        crdi_arena_destroy(&pf->path[i].arena);
    crdi_starter_destroy(&pf->starter);
    crdi_arena_destroy(&pf->arena);
    crdi_free(pf->ctx, pf);
    *pathfinder = NULL;
}

const crd_pathfinder_path *crd_pathfinder_path_of(const crd_pathfinder *pf, int64_t i)
{
    return i >= 0 && i < pf->options.paths ? &pf->path[i].told : NULL;
}

double crd_pathfinder_k_hat(const crd_pathfinder *pf)
{
    return pf->k_hat;
}
