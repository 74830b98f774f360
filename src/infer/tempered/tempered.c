/* tempered.c - see tempered.h. */
#include "infer/tempered/tempered.h"
#include "graph/graph.h"
#include "infer/mcmc/metrics/scales.h"

#include <math.h>
#include <string.h>

static const crdi_option rows[] = {
#define OPT(...) CRDI_OPTION_ROW(crd_tempered_options, __VA_ARGS__)
#include "infer/tempered_options.def"
#undef OPT
};
const crdi_option_table crdi_tempered_option_table = CRDI_OPTION_TABLE("tempered", crd_tempered_options, rows);

static crd_status check_range(crd_context *ctx, const char *name, int64_t value, int64_t least, int64_t most)
{
    if (value >= least && value <= most)
        return CRD_OK;
    return crdi_raise(ctx, CRD_EINVAL, "%s: %lld; it must be from %lld to %lld", name, (long long)value,
                      (long long)least, (long long)most);
}

crd_status crdi_tempered_complete(crd_context *ctx, const crd_tempered_options *given, crd_tempered_options *out)
{
    static const crd_tempered_options none = {0};
    static const char *const known[] = {"none", "scales"};
    crd_tempered_options o = given ? *given : none;
    o.chains = o.chains ? o.chains : 4;
    o.particles = o.particles ? o.particles : 250;
    o.target_accept = o.target_accept != 0 ? o.target_accept : 0.8;
    CRD_TRY(crdi_options_complete(ctx, &crdi_tempered_option_table, &o));
    CRD_TRY(check_range(ctx, "chains", o.chains, 1, 1000));
    CRD_TRY(check_range(ctx, "particles", o.particles, 2, 1000000000));
    if (!(o.target_accept > 0 && o.target_accept < 1))
        return crdi_raise(ctx, CRD_EINVAL, "target_accept: %g; it must be above 0 and below 1", o.target_accept);
    o.blocks = o.blocks ? o.blocks : "none";
    if (strcmp(o.blocks, "all") == 0)
        return crdi_raise(ctx, CRD_EINVAL,
                          "blocks all: particles at temperatures have none or scales; the conditional distribution "
                          "of a noise is of all rows at temperature 1");
    if (strcmp(o.blocks, "none") != 0 && strcmp(o.blocks, "scales") != 0)
        return crdi_raise_unknown(ctx, "blocks", o.blocks, NULL, known, CRDI_COUNT(known));
    if (o.threads < 1)
        o.threads = crdi_processors();
    *out = o;
    return CRD_OK;
}

crd_status crdi_tempered_create(crdi_tempered *t, const crd_model *model, const crd_tempered_options *options)
{
    static const crd_start prior = {.kind = CRD_START_PRIOR};
    t->ctx = crd_model_context(model);
    t->begun = crdi_seconds();
    t->model = model;
    t->dim = crd_model_dim(model);
    CRD_TRY(crdi_tempered_complete(t->ctx, options, &t->options));
    CRD_TRY(crdi_model_compile_tempered(model, &t->density));
    if (strcmp(t->options.blocks, "scales") == 0)
        CRD_TRY(crdi_scale_sites_need(model, "scales", &t->scales));
    return crdi_starter_create(&t->prior, model, &prior);
}

void crdi_tempered_destroy(crdi_tempered *t)
{
    crdi_scale_sites_destroy(&t->scales);
    crdi_starter_destroy(&t->prior);
    crd_program_destroy(&t->density);
}

bool crdi_tempered_stopped(crdi_tempered *t)
{
    if (t->options.stop && t->options.stop(t->options.stop_user))
        atomic_store(&t->stopped, true);
    return atomic_load_explicit(&t->stopped, memory_order_relaxed);
}

/* ---- walkers ------------------------------------------------------------------------------------------------ */

crd_status crdi_walker_create(crdi_walker *w, crdi_tempered *t)
{
    *w = (crdi_walker){.t = t};
    w->back = crdi_alloc_array(t->ctx, 2 * t->dim, sizeof *w->back);
    if (!w->back)
        return CRD_ENOMEM;
    CRD_TRY(crd_exec_create(&w->prior, t->prior.program));
    if (t->scales.count > 0)
        CRD_TRY(crdi_gibbs_create(t->ctx, &t->scales, t->dim, &w->gibbs));
    return crdi_hamiltonian_create(&w->h, t->ctx, t->density, crdi_metric_find("diagonal"), false);
}

void crdi_walker_destroy(crdi_walker *w)
{
    if (!w->t)
        return;
    atomic_fetch_add(&w->t->gradients, w->h.gradients);
    atomic_fetch_add(&w->t->nanoseconds, (long long)(1e9 * w->seconds));
    if (w->h.ctx)
        crdi_hamiltonian_destroy(&w->h);
    crdi_gibbs_destroy(&w->gibbs);
    crd_exec_destroy(&w->prior);
    crdi_free(w->t->ctx, w->back);
}

/* The parts of the density at the point evaluated last. */
static void read_parts(const crdi_walker *w, crdi_particle *out)
{
    const double *part = w->h.log_density + 1 + w->h.dim;
    out->log_prior = isnan(part[0]) ? -INFINITY : part[0];
    out->log_likelihood = isnan(part[1]) ? -INFINITY : part[1];
}

static void place(crdi_walker *w, double beta, const crdi_particle *particle)
{
    crdi_hamiltonian *h = &w->h;
    memcpy(h->q, particle->u, sizeof(double) * (size_t)h->dim);
    h->q[h->dim] = beta; /* the setting behind the coordinates */
    crdi_hamiltonian_evaluate(h);
}

void crdi_walker_draw(crdi_walker *w, crd_key key, crdi_particle *out)
{
    crd_exec_input(w->prior)[0] = key.word[0];
    crd_exec_input(w->prior)[1] = key.word[1];
    crd_exec_run(w->prior);
    memcpy(out->u, crd_exec_output(w->prior), sizeof(double) * (size_t)w->h.dim);
    place(w, 0, out);
    read_parts(w, out);
}

static int64_t steps_of(const crdi_walker *w, double step, double share)
{
    static const double PI = 3.141592653589793;
    double most = ceil(PI / step), limit = (double)w->t->options.max_steps;
    double steps = ceil(share * (most < limit ? most : limit));
    return steps < 1 ? 1 : (int64_t)steps;
}

/* One trajectory from where the walker is; whether it was accepted. */
static bool move_once(crdi_walker *w, double step, crd_key key, double *accept)
{
    static const double TOO_MUCH = 1000; /* Stan: max_deltaH */
    crdi_hamiltonian *h = &w->h;
    size_t bytes = sizeof(double) * (size_t)h->dim;
    double uniform[3], log_density = *h->log_density;
    crd_random_uniform(crd_key_fold_in(key, 1), 3, uniform);
    memcpy(w->back, h->q, bytes);
    memcpy(w->back + h->dim, h->grad, bytes);
    crdi_hamiltonian_draw_momentum(h, crd_key_fold_in(key, 0));
    double h0 = h->energy;
    bool diverging = false;
    step *= 0.9 + 0.2 * uniform[0];
    for (int64_t left = steps_of(w, step, uniform[1]); left > 0 && !diverging; left--) {
        crdi_hamiltonian_step(h, step, h->sharp);
        diverging = h->energy - h0 > TOO_MUCH;
    }
    double gain = h0 - h->energy, probability = gain > 0 ? 1 : h->v->exp(gain);
    probability = diverging || isnan(probability) ? 0 : probability;
    *accept += probability;
    if (uniform[2] < probability)
        return true;
    memcpy(h->q, w->back, bytes);
    memcpy(h->grad, w->back + h->dim, bytes);
    *h->log_density = log_density;
    return false;
}

/* The conditionals of scales of latent sites are the same at any temperature. */
static void draw_blocks(crdi_walker *w, crd_key key, crdi_particle *particle)
{
    crdi_gibbs_draw(w->gibbs, key, w->h.q);
    crdi_hamiltonian_evaluate(&w->h);
    read_parts(w, particle);
}

double crdi_walker_move(crdi_walker *w, const crdi_move *move, crd_key key, int64_t first, int64_t count,
                        crdi_particle *particle)
{
    double accept = 0;
    bool moved = false;
    memcpy(w->h.metric.inverse_mass, move->variance, sizeof(double) * (size_t)w->h.dim);
    crdi_scales_set(&w->h.metric);
    place(w, move->beta, particle);
    for (int64_t j = 0; j < count; j++) {
        crd_key own = crd_key_fold_in(key, (uint32_t)(first + j));
        if (w->gibbs)
            draw_blocks(w, crd_key_fold_in(own, 2), particle);
        bool accepted = move_once(w, move->step, own, &accept);
        if (accepted)
            read_parts(w, particle);
        moved = moved || accepted || w->gibbs;
    }
    if (moved)
        memcpy(particle->u, w->h.q, sizeof(double) * (size_t)w->h.dim);
    return accept / (double)count;
}
