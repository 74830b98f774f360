/* path.c - one path: L-BFGS up to the log density, the normal at each of its points, the best of them, draws of that. */
#include "infer/pathfinder/pathfinder.h"
#include "infer/svi/lbfgs.h"

#include <math.h>
#include <string.h>

enum { START_TRIES = 100 };
enum { KEY_START, KEY_ELBO, KEY_DRAWS };

struct climb {
    crd_pathfinder *pf;
    crdi_path *path;
    crd_exec *exec; /* the log density */
    crdi_curvature curvature;
    crdi_path_normal here;
    double *x, *gradient; /* (dim) of the last point */
    double *s, *z, *u; /* (dim) */
    double *work;
    bool any;
};

static double log_density(struct climb *c, const double *u)
{
    memcpy(crd_exec_input(c->exec), u, sizeof *u * (size_t)c->curvature.dim);
    crd_exec_run(c->exec);
    c->path->told.evaluations++;
    return crd_exec_output(c->exec)[0];
}

static crd_status objective(void *user, const double *x, double *value, double *gradient)
{
    struct climb *c = user;
    *value = -log_density(c, x);
    for (int64_t i = 0; i < c->curvature.dim; i++)
        gradient[i] = -crd_exec_output(c->exec)[1 + i];
    return CRD_OK;
}

/* The evidence lower bound of a normal; a draw that cannot be makes it -infinity (algorithm 5). */
static double judge(struct climb *c, int64_t iteration)
{
    crd_key key = crd_key_fold_in(crd_key_fold_in(c->path->key, KEY_ELBO), (uint32_t)iteration);
    int64_t draws = c->pf->options.elbo_draws;
    double sum = 0;
    for (int64_t d = 0; d < draws; d++) {
        crd_random_normal(crd_key_fold_in(key, (uint32_t)d), c->here.dim, c->u);
        double log_q = crdi_path_normal_draw(&c->here, c->u, c->work);
        sum += log_density(c, c->u) - log_q;
    }
    return isfinite(sum) ? sum / (double)draws : -INFINITY;
}

static void consider(struct climb *c, int64_t iteration)
{
    if (!crdi_path_normal_set(&c->here, &c->curvature, c->x, c->gradient, c->work))
        return;
    double elbo = judge(c, iteration);
    if (!(elbo > c->path->told.elbo))
        return;
    c->path->told.elbo = elbo;
    c->path->told.chosen = iteration;
    crdi_path_normal_copy(&c->path->best, &c->here);
    c->any = true;
}

static crd_status visit(void *user, int64_t iteration, const double *x, double value, const double *gradient)
{
    struct climb *c = user;
    crd_pathfinder *pf = c->pf;
    size_t bytes = sizeof *x * (size_t)c->curvature.dim;
    (void)value;
    if (pf->options.stop && pf->options.stop(pf->options.stop_user))
        atomic_store(&pf->stopped, true);
    if (atomic_load(&pf->stopped))
        return CRD_INTERRUPTED;
    if (iteration > 0) {
        for (int64_t i = 0; i < c->curvature.dim; i++) {
            c->s[i] = x[i] - c->x[i];
            c->z[i] = gradient[i] - c->gradient[i];
        }
        crdi_curvature_add(&c->curvature, c->s, c->z);
    }
    memcpy(c->x, x, bytes);
    memcpy(c->gradient, gradient, bytes);
    c->path->told.iterations = iteration;
    if (iteration > 0)
        consider(c, iteration);
    return CRD_OK;
}

/* ---- start -------------------------------------------------------------------------------------------------- */

static crd_status find_start(struct climb *c, double *x)
{
    crd_key key = crd_key_fold_in(c->path->key, KEY_START);
    int tries = c->pf->starter.random ? START_TRIES : 1;
    for (int i = 0; i < tries; i++) {
        CRD_TRY(crdi_starter_run(&c->pf->starter, crd_key_fold_in(key, (uint32_t)i), x));
        double sum = log_density(c, x);
        for (int64_t k = 0; k < c->curvature.dim; k++)
            sum += 0 * crd_exec_output(c->exec)[1 + k];
        if (isfinite(sum))
            return CRD_OK;
    }
    return crdi_raise(c->pf->ctx, CRD_ESTART,
                      "pathfinder: no start point with a finite density and gradient in %d tries", tries);
}

static crd_status create(struct climb *c, int64_t dim)
{
    crdi_path *path = c->path;
    int history = (int)c->pf->options.history;
    size_t bytes = sizeof(double) * (size_t)dim, draws = sizeof(double) * (size_t)c->pf->options.path_draws;
    double **vector[] = {&c->x, &c->gradient, &c->s, &c->z, &c->u};
    CRD_TRY(crdi_arena_create(&path->arena, c->pf->ctx));
    CRD_TRY(crdi_curvature_create(c->pf->ctx, path->arena, dim, history, &c->curvature));
    CRD_TRY(crdi_path_normal_create(path->arena, dim, history, &c->here));
    CRD_TRY(crdi_path_normal_create(path->arena, dim, history, &path->best));
    for (int i = 0; i < CRDI_COUNT(vector); i++)
        if (!(*vector[i] = crdi_arena_alloc(path->arena, bytes)))
            return CRD_ENOMEM;
    c->work = crdi_arena_alloc(path->arena, sizeof(double) * (size_t)crdi_path_normal_work(dim, history));
    path->log_density = crdi_arena_alloc(path->arena, draws);
    path->log_normal = crdi_arena_alloc(path->arena, draws);
    if (!c->work || !path->log_density || !path->log_normal)
        return CRD_ENOMEM;
    CRD_TRY(crd_exec_create(&c->exec, crd_model_density(c->pf->model)));
    return crdi_exec_share_threads(c->exec, c->pf->options.threads, c->pf->options.paths);
}

double crdi_path_draw(const crdi_path *path, int64_t d, double *u, double *work)
{
    crd_random_normal(crd_key_fold_in(crd_key_fold_in(path->key, KEY_DRAWS), (uint32_t)d), path->best.dim, u);
    return crdi_path_normal_draw(&path->best, u, work);
}

static crd_status climb(struct climb *c)
{
    crdi_lbfgs_result result;
    int64_t dim = c->curvature.dim;
    double *point = crdi_alloc_array(c->pf->ctx, dim, sizeof *point);
    if (!point)
        return CRD_ENOMEM;
    crd_status status = find_start(c, point);
    if (status == CRD_OK)
        status = crdi_lbfgs_minimise(c->pf->ctx, objective, c, dim, point,
                                     &(crdi_lbfgs_options){.memory = (int)c->pf->options.history,
                                                           .max_iterations = c->pf->options.max_iterations,
                                                           .visit = visit,
                                                           .visit_user = c},
                                     &result);
    crdi_free(c->pf->ctx, point);
    if (status == CRD_OK && !c->any)
        status = crdi_raise(c->pf->ctx, CRD_EDOMAIN,
                            "pathfinder: no normal along a path of %lld iterations has a finite bound (%s)",
                            (long long)c->path->told.iterations, crdi_lbfgs_reason_text(result.reason));
    return status;
}

crd_status crdi_path_run(void *pathfinder, int64_t i)
{
    crd_pathfinder *pf = pathfinder;
    struct climb c = {.pf = pf, .path = &pf->path[i]};
    crdi_path *path = c.path;
    path->told = (crd_pathfinder_path){.elbo = -INFINITY};
    crd_status status = create(&c, crd_model_dim(pf->model));
    if (status == CRD_OK)
        status = climb(&c);
    for (int64_t d = 0; status == CRD_OK && d < pf->options.path_draws; d++) {
        path->log_normal[d] = crdi_path_draw(path, d, c.u, c.work);
        path->log_density[d] = log_density(&c, c.u);
    }
    crd_exec_destroy(&c.exec);
    path->told.status = status;
    return status == CRD_ENOMEM ? status : CRD_OK;
}
