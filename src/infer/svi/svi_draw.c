/* svi_draw.c - what a fitted guide gives: parameters, draws, the bound. */
#include "infer/svi/svi.h"

#include "graph/graph.h"

#include <math.h>
#include <string.h>

/* ---- draws -------------------------------------------------------------------------------------------------- */

struct drawing {
    crdi_arena *arena;
    crdi_elbo_site *site;
    int sites;
    crd_program *program;
    crd_exec *exec;
    int64_t params;
};

static crd_status drawing_begin(const crd_svi *svi, void *user, const char *const *keep, int keep_count,
                                struct drawing *d)
{
    *d = (struct drawing){.params = svi->guide->params};
    CRD_TRY(crdi_arena_create(&d->arena, svi->ctx));
    CRD_TRY(crdi_elbo_compile_draw(svi->guide, user ? user : svi->options.whole, keep, keep_count, d->arena, &d->site,
                                   &d->sites, &d->program));
    return crd_exec_create(&d->exec, d->program);
}

static void drawing_end(struct drawing *d)
{
    crd_exec_destroy(&d->exec);
    crd_program_destroy(&d->program);
    crdi_arena_destroy(&d->arena);
}

/* Members take turns. */
static const double *draw_once(const crd_svi *svi, struct drawing *d, int64_t draw, crd_key key)
{
    double *input = crd_exec_input(d->exec);
    key = crd_key_fold_in(key, (uint32_t)draw);
    memcpy(input, crdi_svi_params(svi, draw), sizeof *input * (size_t)d->params);
    input[d->params] = key.word[0];
    input[d->params + 1] = key.word[1];
    crd_exec_run(d->exec);
    return crd_exec_output(d->exec);
}

static void fill(const crd_svi *svi, struct drawing *d, int64_t draws, crd_key key, crd_posterior *out)
{
    for (int64_t i = 0; i < draws; i++) {
        const double *value = draw_once(svi, d, i, key) + 2;
        for (int c = 0; c < d->sites; c++) {
            memcpy(out->column[c].draws + i * d->site[c].size, value, sizeof *value * (size_t)d->site[c].size);
            value += d->site[c].size;
        }
        out->column[d->sites].draws[i] = crd_exec_output(d->exec)[0];
        out->column[d->sites + 1].draws[i] = crd_exec_output(d->exec)[1];
    }
}

static crd_status make_posterior(const crd_svi *svi, struct drawing *d, int64_t draws, crd_key key, crd_posterior **out)
{
    crd_column *column = crdi_arena_alloc(d->arena, sizeof *column * (size_t)(d->sites + 2));
    if (!column)
        return CRD_ENOMEM;
    for (int c = 0; c < d->sites; c++)
        column[c] = (crd_column){.name = (char *)d->site[c].name,
                                 .kind = d->site[c].deterministic ? CRD_COLUMN_DETERMINISTIC : CRD_COLUMN_LATENT,
                                 .shape = d->site[c].shape,
                                 .size = d->site[c].size};
    column[d->sites] = (crd_column){.name = (char[]){"log_density"}, .kind = CRD_COLUMN_STATISTIC, .size = 1};
    column[d->sites + 1] = (crd_column){.name = (char[]){"log_guide"}, .kind = CRD_COLUMN_STATISTIC, .size = 1};
    CRD_TRY(crd_posterior_create(out, svi->ctx, 1, draws, column, d->sites + 2));
    fill(svi, d, draws, key, *out);
    (*out)->sampling_seconds = svi->all_seconds;
    (*out)->gradient_evaluations = svi->all_steps * svi->options.particles;
    return CRD_OK;
}

crd_status crdi_svi_draw_with(const crd_svi *svi, void *user, int64_t draws, const char *const *keep, int keep_count,
                              crd_key key, crd_posterior **out)
{
    struct drawing d;
    if (draws < 1)
        return crdi_raise(svi->ctx, CRD_EINVAL, "draws: %lld; at least 1", (long long)draws);
    crd_status status = drawing_begin(svi, user, keep, keep_count, &d);
    if (status == CRD_OK)
        status = make_posterior(svi, &d, draws, key, out);
    drawing_end(&d);
    return status;
}

crd_status crd_svi_draw(const crd_svi *svi, int64_t draws, const char *const *keep, int keep_count, crd_key key,
                        crd_posterior **out)
{
    return crdi_svi_draw_with(svi, NULL, draws, keep, keep_count, key, out);
}

/* ---- numbers ------------------------------------------------------------------------------------------------ */

crd_status crd_svi_elbo(const crd_svi *svi, int64_t draws, crd_key key, double *mean, double *standard_error)
{
    struct drawing d;
    double sum = 0, square = 0;
    if (draws < 2)
        return crdi_raise(svi->ctx, CRD_EINVAL, "draws: %lld; at least 2 for a standard error", (long long)draws);
    if (!crdi_guide_has_density(svi->guide))
        return crdi_raise(svi->ctx, CRD_EUNSUPPORTED,
                          "guide %s: a point has no density, and so no bound of the evidence", svi->options.guide);
    if (svi->members > 1)
        return crdi_raise(svi->ctx, CRD_EUNSUPPORTED, "the bound of an ensemble of guides is not known");
    crd_status status = drawing_begin(svi, NULL, NULL, 0, &d);
    for (int64_t i = 0; i < draws && status == CRD_OK; i++) {
        const double *out = draw_once(svi, &d, i, key);
        double x = out[0] - out[1], before = sum / (double)(i > 0 ? i : 1);
        sum += x;
        square += (x - before) * (x - sum / (double)(i + 1)) * (i > 0); /* Welford 1962 */
    }
    drawing_end(&d);
    CRD_TRY(status);
    *mean = sum / (double)draws;
    *standard_error = sqrt(square / (double)(draws - 1) / (double)draws);
    return CRD_OK;
}

crd_status crd_svi_log_evidence(const crd_svi *svi, double *out)
{
    if (!svi->fitted)
        return crdi_raise(svi->ctx, CRD_EUNSUPPORTED, "guide %s: only laplace estimates the evidence by the curvature",
                          svi->options.guide);
    *out = svi->log_evidence;
    return CRD_OK;
}

/* ---- parameters --------------------------------------------------------------------------------------------- */

static crd_status param_value(const crd_svi *svi, const crdi_guide_param *p, double *values)
{
    crd_graph *graph;
    const double *known;
    CRD_TRY(crd_graph_create(&graph, svi->ctx));
    crd_array u = {.shape = p->unconstrained, .data = (double *)crdi_svi_params(svi, 0) + p->at};
    crd_node value = crd_bijection_forward(p->support, crd_constant(graph, &u));
    crd_status status = crd_node_known(value, &known) ? CRD_OK : CRD_ENOMEM;
    if (status == CRD_OK)
        memcpy(values, known, sizeof *values * (size_t)crd_shape_size(p->shape));
    crd_graph_destroy(&graph);
    return status;
}

int64_t crd_svi_param(const crd_svi *svi, const char *name, double *values)
{
    for (int i = 0; i < svi->guide->param_count; i++) {
        const crdi_guide_param *p = &svi->guide->param[i];
        if (strcmp(p->name, name) != 0)
            continue;
        if (values && param_value(svi, p, values) < 0)
            return -1;
        return crd_shape_size(p->shape);
    }
    return -1;
}
