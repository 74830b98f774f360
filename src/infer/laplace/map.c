/* map.c - the most probable weights, by L-BFGS from several starts.
 *
 * Weights and, at first, s go together, each on its own scale: what is largest is log p(theta, s, y) and not the density of log s.
 * Where s is given or is set by the evidence, weights go alone. */
#include "graph/graph.h"
#include "infer/laplace/laplace.h"
#include "infer/svi/lbfgs.h"

#include <math.h>
#include <stdatomic.h>
#include <string.h>

/* One search. x: (count + joint), theta and then log s. */
struct hill {
    crdi_laplace *l;
    crd_exec *exec; /* u -> log density, gradient */
    bool joint;
    double *theta, *gradient, *origin, *delta, *z; /* (count) of a climb */
};

static int64_t noise_place(const crdi_laplace *l)
{
    return crd_model_site(l->model, l->noise_site)->offset;
}

void crdi_laplace_unconstrained(const crdi_laplace *l, const double *theta, double *u)
{
    for (int k = 0; k < l->layers; k++) {
        const crdi_laplace_layer *layer = &l->layer[k];
        memcpy(u + layer->kernel, theta + layer->first, sizeof *u * (size_t)(layer->in * layer->out));
        memcpy(u + layer->bias, theta + layer->first + layer->in * layer->out, sizeof *u * (size_t)layer->out);
    }
    if (l->noise_site >= 0)
        u[noise_place(l)] = log(l->noise);
}

/* theta and log s -> u, and a gradient in u back. */
static void scatter(const struct hill *h, const double *x, double *u)
{
    crdi_laplace_unconstrained(h->l, x, u);
    if (h->joint)
        u[noise_place(h->l)] = x[h->l->count];
}

static void gather(const struct hill *h, const double *u, double *x)
{
    const crdi_laplace *l = h->l;
    for (int k = 0; k < l->layers; k++) {
        const crdi_laplace_layer *layer = &l->layer[k];
        memcpy(x + layer->first, u + layer->kernel, sizeof *u * (size_t)(layer->in * layer->out));
        memcpy(x + layer->first + layer->in * layer->out, u + layer->bias, sizeof *u * (size_t)layer->out);
    }
    if (h->joint)
        x[l->count] = u[noise_place(l)];
}

/* Minus the log density on the values' own scale: that in u, less log ds/du = log s. */
static crd_status objective(void *user, const double *x, double *value, double *gradient)
{
    struct hill *h = user;
    const crdi_laplace *l = h->l;
    double *u = crd_exec_input(h->exec);
    scatter(h, x, u);
    double log_s = l->noise_site >= 0 ? u[noise_place(l)] : 0;
    crd_exec_run(h->exec);
    const double *out = crd_exec_output(h->exec);
    gather(h, out + 1, gradient);
    double pull = crdi_laplace_pull(l, x, gradient);
    *value = -(out[0] - log_s + pull);
    if (h->joint)
        gradient[l->count] -= 1;
    for (int64_t i = 0; i < l->count + h->joint; i++)
        gradient[i] = l->held && i < l->first ? 0 : -gradient[i];
    return CRD_OK;
}

static crd_status minimise(struct hill *h, double *x, bool close, int64_t most, crdi_lbfgs_result *result)
{
    return crdi_lbfgs_minimise(
        h->l->ctx, objective, h, h->l->count + h->joint, x,
        &(crdi_lbfgs_options){
            .memory = 20, .max_iterations = most, .gradient_tolerance = 1e-8, .value_tolerance = close ? 1e-15 : 1e-12},
        result);
}

/* Whether the matrix is of all weights that move, and so leads to the maximum. */
static bool has_whole_matrix(const crdi_laplace *l)
{
    return l->type->whiten && l->normal_priors && (l->held || l->first == 0);
}

/* ---- several starts ----------------------------------------------------------------------------------------- */

struct search {
    crdi_laplace *l;
    crd_key key;
    bool joint, rough; /* rough: nearly, as a climb will follow */
    atomic_bool stopped;
    double *x; /* (starts, count + joint) */
    crdi_lbfgs_result *result; /* (starts) */
    bool *good;
};

static const char *const starts[] = {"uniform", "prior", "median"}; /* as crd_start_kind */

static int find_start(const crdi_laplace *l)
{
    int kind = 0;
    while (l->options.start && kind < CRDI_COUNT(starts) && strcmp(starts[kind], l->options.start) != 0)
        kind++;
    return kind;
}

crd_status crdi_laplace_check_start(const crdi_laplace *l)
{
    if (find_start(l) < CRDI_COUNT(starts))
        return CRD_OK;
    return crdi_raise(l->ctx, CRD_EINVAL, "method laplace starts at uniform, prior or median, not at '%s'",
                      l->options.start);
}

static crd_status start_point(const crdi_laplace *l, const struct hill *h, crd_key key, double *x)
{
    crd_start start = {.kind = (crd_start_kind)find_start(l), .radius = l->options.init_radius};
    double *u = crdi_alloc_array(l->ctx, crd_model_dim(l->model), sizeof *u);
    crd_status status = u ? crd_model_start(l->model, &start, key, u) : CRD_ENOMEM;
    if (status == CRD_OK)
        gather(h, u, x);
    crdi_free(l->ctx, u);
    return status;
}

static crd_status search_from(void *user, int64_t i)
{
    struct search *s = user;
    crdi_laplace *l = s->l;
    struct hill hill = {.l = l, .joint = s->joint};
    double *x = s->x + i * (l->count + s->joint);
    if (l->options.stop && l->options.stop(l->options.stop_user))
        atomic_store(&s->stopped, true);
    if (atomic_load(&s->stopped))
        return CRD_OK;
    CRD_TRY(crd_exec_create(&hill.exec, crd_model_density(l->model)));
    crd_status status = crdi_exec_share_threads(hill.exec, l->options.threads, l->options.map_starts);
    if (status == CRD_OK)
        status = start_point(l, &hill, crd_key_fold_in(s->key, (uint32_t)i), x);
    if (status == CRD_OK) {
        status = minimise(&hill, x, true, s->rough ? 400 : 5000, &s->result[i]);
        s->good[i] = status == CRD_OK && isfinite(s->result[i].value);
        status = status == CRD_ESTART ? CRD_OK : status; /* others may come to a maximum */
    }
    crd_exec_destroy(&hill.exec);
    return status;
}

static crd_status take_best(struct search *s)
{
    crdi_laplace *l = s->l;
    int64_t best = -1;
    l->failed_starts = 0;
    for (int64_t i = 0; i < l->options.map_starts; i++) {
        l->failed_starts += !s->good[i];
        l->evaluations += s->result[i].evaluations;
        if (s->good[i] && (best < 0 || s->result[i].value < s->result[best].value))
            best = i;
    }
    if (best < 0)
        return crdi_raise(l->ctx, CRD_ESTART, "method laplace: at none of %lld starts is the log density finite",
                          (long long)l->options.map_starts);
    const double *x = s->x + best * (l->count + s->joint);
    memcpy(l->theta, x, sizeof *x * (size_t)l->count);
    if (s->joint)
        l->noise = exp(x[l->count]);
    l->whitens = false;
    l->best_start = best;
    l->gradient = s->result[best].gradient;
    l->log_density = -s->result[best].value;
    return CRD_OK;
}

static crd_status search(struct search *s)
{
    crdi_laplace *l = s->l;
    bool clear = crd_error_status(l->ctx) == CRD_OK;
    s->x = crdi_alloc_array(l->ctx, l->options.map_starts * (l->count + 1), sizeof *s->x);
    s->result = crdi_alloc_array(l->ctx, l->options.map_starts, sizeof *s->result);
    s->good = crdi_alloc_array(l->ctx, l->options.map_starts, sizeof *s->good);
    if (!s->x || !s->result || !s->good)
        return CRD_ENOMEM;
    crd_status status = crdi_parallel(l->ctx, l->options.threads, l->options.map_starts, search_from, s);
    if (status == CRD_OK && atomic_load(&s->stopped))
        status = CRD_INTERRUPTED;
    if (status != CRD_OK)
        return status;
    if (clear)
        crd_error_clear(l->ctx); /* what failed starts have said */
    return take_best(s);
}

crd_status crdi_laplace_search(crdi_laplace *l, crd_key key, bool joint)
{
    struct search s = {
        .l = l, .key = key, .joint = joint && l->noise_site >= 0, .rough = !joint && has_whole_matrix(l)};
    crd_status status = search(&s);
    crdi_free(l->ctx, s.x);
    crdi_free(l->ctx, s.result);
    crdi_free(l->ctx, s.good);
    return status;
}

/* ---- from where it is --------------------------------------------------------------------------------------- */

static double largest(const double *x, int64_t n)
{
    double most = 0;
    for (int64_t i = 0; i < n; i++)
        most = fabs(x[i]) > most || isnan(x[i]) ? fabs(x[i]) : most;
    return most;
}

/* L-BFGS is slow where directions differ much in curvature. Where the whole matrix is at hand, it goes over z in
 *     theta = origin + S z,   S S' = H^-1 near by,
 * where the Gauss-Newton step is the first step of steepest descent, and what L-BFGS learns is the residuals' part of the
 * curvature, which H leaves out: tens of gradients instead of a thousand. */

static void unwhiten(const struct hill *h, const double *z, double *theta)
{
    const crdi_laplace *l = h->l;
    memcpy(theta, h->origin, sizeof *theta * (size_t)l->count);
    l->type->unwhiten(l, z, h->delta);
    for (int64_t k = 0; k < l->random; k++)
        theta[l->first + k] += h->delta[k];
}

/* The objective in z, where its curvature is nearly 1 in every direction. */
static crd_status whitened(void *user, const double *z, double *value, double *gradient)
{
    struct hill *h = user;
    unwhiten(h, z, h->theta);
    CRD_TRY(objective(h, h->theta, value, h->gradient));
    h->l->type->whiten(h->l, h->gradient + h->l->first, gradient);
    return CRD_OK;
}

static crd_status minimise_whitened(struct hill *h, bool close, crdi_lbfgs_result *result)
{
    crdi_laplace *l = h->l;
    double value;
    memcpy(h->origin, l->theta, sizeof *l->theta * (size_t)l->count);
    memset(h->z, 0, sizeof *h->z * (size_t)l->random);
    CRD_TRY(crdi_lbfgs_minimise(l->ctx, whitened, h, l->random, h->z,
                                &(crdi_lbfgs_options){.memory = 60,
                                                      .max_iterations = 100,
                                                      .gradient_tolerance = close ? 1e-7 : 2e-3,
                                                      .value_tolerance = close ? 1e-15 : 1e-10},
                                result));
    unwhiten(h, h->z, l->theta);
    CRD_TRY(objective(h, l->theta, &value, h->gradient));
    l->evaluations += result->evaluations + 1;
    l->gradient = largest(h->gradient, l->count);
    l->log_density = -value;
    return CRD_OK;
}

/* H is made anew after some steps: as it costs as much as about a hundred of them, whatever the sizes. */
static crd_status climb_whitened(struct hill *h, bool close)
{
    enum { TIMES = 40, FEW = 60 };
    crdi_laplace *l = h->l;
    crdi_lbfgs_result result;
    l->finished = false;
    if (!l->whitens)
        CRD_TRY(crdi_laplace_expand(l));
    for (int i = 0; i < TIMES && !l->finished; i++) {
        CRD_TRY(minimise_whitened(h, close, &result));
        l->finished = result.reason != CRDI_LBFGS_ITERATIONS;
        CRD_TRY(l->brief && l->finished && result.iterations < FEW ? crdi_laplace_expand_briefly(l)
                                                                   : crdi_laplace_expand(l));
    }
    return CRD_OK;
}

static crd_status climb(struct hill *h, bool close)
{
    crdi_laplace *l = h->l;
    crdi_lbfgs_result result;
    if (has_whole_matrix(l))
        return climb_whitened(h, close);
    CRD_TRY(minimise(h, l->theta, close, close ? 5000 : 1000, &result));
    l->evaluations += result.evaluations;
    l->gradient = result.gradient;
    l->log_density = -result.value;
    l->finished = result.reason != CRDI_LBFGS_ITERATIONS;
    return crdi_laplace_expand(l);
}

crd_status crdi_laplace_climb(crdi_laplace *l, bool close)
{
    double *work = crdi_alloc_array(l->ctx, 5 * l->count, sizeof *work);
    struct hill hill = {.l = l,
                        .theta = work,
                        .gradient = work + l->count,
                        .origin = work + 2 * l->count,
                        .delta = work + 3 * l->count,
                        .z = work + 4 * l->count};
    crd_status status = work ? crd_exec_create(&hill.exec, crd_model_density(l->model)) : CRD_ENOMEM;
    if (status == CRD_OK)
        status = crdi_exec_share_threads(hill.exec, l->options.threads, 1);
    if (status == CRD_OK)
        status = climb(&hill, close);
    crd_exec_destroy(&hill.exec);
    crdi_free(l->ctx, work);
    return status;
}
