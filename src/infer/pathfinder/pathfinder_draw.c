/* pathfinder_draw.c - what a run of Pathfinder gives: points, and draws of the model's sites. */
#include "infer/pathfinder/pathfinder.h"

#include <string.h>

/* ---- points ------------------------------------------------------------------------------------------------- */

void crd_pathfinder_point(const crd_pathfinder *pf, int64_t i, double *u, double *log_density, double *log_normal)
{
    enum { MOST_COLUMNS = 200 }; /* twice the longest history */
    double work[2 * MOST_COLUMNS];
    int64_t m = pf->options.path_draws, d = pf->picked[i] % m;
    const crdi_path *path = &pf->path[pf->picked[i] / m];
    crdi_path_draw(path, d, u, work);
    if (log_density)
        *log_density = path->log_density[d];
    if (log_normal)
        *log_normal = path->log_normal[d];
}

int64_t crdi_pathfinder_distinct(const crd_pathfinder *pf, int64_t most, double *points)
{
    int64_t count = 0, dim = crd_model_dim(pf->model);
    for (int64_t d = 0; d < pf->options.draws && count < most; d++) {
        bool seen = false;
        for (int64_t k = 0; k < d && !seen; k++)
            seen = pf->picked[k] == pf->picked[d];
        if (!seen)
            crd_pathfinder_point(pf, d, points + count++ * dim, NULL, NULL);
    }
    return count;
}

/* ---- sites -------------------------------------------------------------------------------------------------- */

crd_status crdi_pathfinder_columns(const crd_model *model, const char *const *keep, int keep_count, crdi_arena *arena,
                                   crd_column **out, int *out_count, crd_program **program)
{
    static const char *const statistics[] = {"log_density", "log_guide"};
    int sites = crd_model_site_count(model), count = 0;
    bool named = true;
    crd_program *values;
    crd_shape *shapes = crdi_arena_alloc(arena, sizeof *shapes * (size_t)(keep_count + 1));
    crd_column *column = crdi_arena_alloc(arena, sizeof *column * (size_t)(sites + keep_count + 2));
    if (!shapes || !column)
        return CRD_ENOMEM;
    CRD_TRY(crd_model_compile_values(model, keep, keep_count, shapes, &values));
    for (int i = 0; i < sites; i++) {
        const crd_site *site = crd_model_site(model, i);
        column[count++] =
            (crd_column){.name = crdi_arena_strdup(arena, site->name), .kind = CRD_COLUMN_LATENT, .shape = site->shape};
    }
    for (int i = 0; i < keep_count; i++)
        column[count++] = (crd_column){
            .name = crdi_arena_strdup(arena, keep[i]), .kind = CRD_COLUMN_DETERMINISTIC, .shape = shapes[i]};
    for (int i = 0; i < 2; i++)
        column[count++] = (crd_column){.name = crdi_arena_strdup(arena, statistics[i]), .kind = CRD_COLUMN_STATISTIC};
    for (int i = 0; i < count; i++) {
        column[i].size = crd_shape_size(column[i].shape);
        named = named && column[i].name;
    }
    if (named && program) {
        *program = values;
        values = NULL;
    }
    crd_program_destroy(&values);
    *out = column;
    *out_count = count;
    return named ? CRD_OK : CRD_ENOMEM;
}

static crd_status fill(const crd_pathfinder *pf, const crd_program *program, crd_posterior *out)
{
    crd_exec *exec;
    int last = out->column_count - 2;
    CRD_TRY(crd_exec_create(&exec, program));
    for (int64_t d = 0; d < pf->options.draws; d++) {
        crd_pathfinder_point(pf, d, crd_exec_input(exec), &out->column[last].draws[d], &out->column[last + 1].draws[d]);
        crd_exec_run(exec);
        const double *value = crd_exec_output(exec);
        for (int c = 0; c < last; c++) {
            memcpy(out->column[c].draws + d * out->column[c].size, value, sizeof *value * (size_t)out->column[c].size);
            value += out->column[c].size;
        }
    }
    crd_exec_destroy(&exec);
    return CRD_OK;
}

crd_status crd_pathfinder_draw(const crd_pathfinder *pf, const char *const *keep, int keep_count, crd_posterior **out)
{
    crdi_arena *arena;
    crd_program *program = NULL;
    crd_posterior *posterior = NULL;
    crd_column *column;
    int count;
    CRD_TRY(crdi_arena_create(&arena, pf->ctx));
    crd_status status = crdi_pathfinder_columns(pf->model, keep, keep_count, arena, &column, &count, &program);
    if (status == CRD_OK)
        status = crd_posterior_create(&posterior, pf->ctx, 1, pf->options.draws, column, count);
    if (status == CRD_OK)
        status = fill(pf, program, posterior);
    if (status == CRD_OK)
        *out = posterior;
    else
        crd_posterior_destroy(&posterior);
    crd_program_destroy(&program);
    crdi_arena_destroy(&arena);
    return status;
}
