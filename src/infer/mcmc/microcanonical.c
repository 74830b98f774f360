/* microcanonical.c - see microcanonical.h. */
#include "infer/mcmc/microcanonical.h"

#include <math.h>
#include <string.h>

/* ---- batch means -------------------------------------------------------------------------------------------- */

static crd_status batches_create(crdi_batch_means *b, crd_context *ctx, int64_t dim)
{
    b->sum = crdi_alloc_array(ctx, dim, sizeof *b->sum);
    if (!b->sum)
        return CRD_ENOMEM;
    CRD_TRY(crdi_welford_create(&b->single, ctx, dim, false));
    return crdi_welford_create(&b->mean, ctx, dim, false);
}

static void batches_destroy(crdi_batch_means *b, crd_context *ctx)
{
    crdi_free(ctx, b->sum);
    if (b->single.ctx)
        crdi_welford_destroy(&b->single);
    if (b->mean.ctx)
        crdi_welford_destroy(&b->mean);
}

static void batches_restart(crdi_batch_means *b, int64_t iterations)
{
    b->batch = (int64_t)fmax(1, sqrt((double)iterations));
    b->filled = 0;
    memset(b->sum, 0, sizeof(double) * (size_t)b->single.dim);
    crdi_welford_restart(&b->single);
    crdi_welford_restart(&b->mean);
}

static void batches_add(crdi_batch_means *b, const double *q)
{
    int64_t dim = b->single.dim;
    crdi_welford_add(&b->single, q);
    for (int64_t i = 0; i < dim; i++)
        b->sum[i] += q[i] / (double)b->batch;
    if (++b->filled < b->batch)
        return;
    crdi_welford_add(&b->mean, b->sum);
    b->filled = 0;
    memset(b->sum, 0, sizeof(double) * (size_t)dim);
}

/* The mean over coordinates, at least 1; 0 where too little was seen to say. */
static double batches_time(const crdi_batch_means *b)
{
    double sum = 0;
    int64_t counted = 0;
    if (b->mean.count < 4)
        return 0;
    for (int64_t i = 0; i < b->single.dim; i++) {
        double variance = b->single.m2[i] / (double)(b->single.count - 1),
               of_means = b->mean.m2[i] / (double)(b->mean.count - 1);
        if (!(variance > 0))
            continue;
        sum += fmax(1, (double)b->batch * of_means / variance);
        counted++;
    }
    return counted > 0 ? sum / (double)counted : 0;
}

static void batches_state(crdi_batch_means *b, crdi_archive *a)
{
    crdi_archive_integer(a, &b->batch);
    crdi_archive_integer(a, &b->filled);
    crdi_archive_reals(a, b->sum, b->single.dim);
    for (int k = 0; k < 2; k++) {
        crdi_welford *w = k ? &b->mean : &b->single;
        crdi_archive_integer(a, &w->count);
        crdi_archive_reals(a, w->mean, w->dim);
        crdi_archive_reals(a, w->m2, w->dim);
    }
}

/* ---- life --------------------------------------------------------------------------------------------------- */

/* The iterations of warm-up in which the metric is learned, and those in which autocorrelations are measured. */
static int64_t metric_part(int64_t warmup)
{
    return warmup - warmup * 4 / 10;
}

static int64_t length_part(int64_t warmup)
{
    return warmup / 5;
}

static crdi_integrator integrator_of(const crdi_chain *chain)
{
    const char *name = chain->options->integrator;
    return name && strcmp(name, "leapfrog") == 0 ? CRDI_LEAPFROG : CRDI_MINIMAL_NORM;
}

crd_status crdi_microcanonical_create(crdi_chain *chain, size_t size)
{
    crd_context *ctx = chain->ctx;
    int64_t dim = chain->h.dim;
    crdi_microcanonical *m = chain->kernel_state = crdi_alloc(ctx, size);
    if (!m)
        return CRD_ENOMEM;
    if (dim < 2)
        return crdi_raise(ctx, CRD_EUNSUPPORTED,
                          "method %s needs two parameters or more: the direction of one cannot turn; nuts takes one",
                          chain->kernel->name);
    CRD_TRY(crdi_isokinetic_create(&m->motion, &chain->h, integrator_of(chain)));
    m->q = crdi_alloc_array(ctx, dim, sizeof(double));
    m->grad = crdi_alloc_array(ctx, dim, sizeof(double));
    m->u = crdi_alloc_array(ctx, dim, sizeof(double));
    CRD_TRY(batches_create(&m->batches, ctx, dim));
    batches_restart(&m->batches, length_part(chain->options->warmup));
    bool overlaps = crdi_chain_overlaps(chain->options);
    crdi_windows_start(&chain->windows, metric_part(chain->options->warmup), overlaps, overlaps ? 0 : -1);
    return m->q && m->grad && m->u ? CRD_OK : CRD_ENOMEM;
}

void crdi_microcanonical_destroy(crdi_chain *chain)
{
    crdi_microcanonical *m = chain->kernel_state;
    if (!m)
        return;
    crdi_isokinetic_destroy(&m->motion);
    batches_destroy(&m->batches, chain->ctx);
    crdi_free(chain->ctx, m->q);
    crdi_free(chain->ctx, m->grad);
    crdi_free(chain->ctx, m->u);
    crdi_free(chain->ctx, m);
}

void crdi_microcanonical_keep(crdi_microcanonical *m)
{
    const crdi_hamiltonian *h = m->motion.h;
    size_t bytes = sizeof(double) * (size_t)h->dim;
    memcpy(m->q, h->q, bytes);
    memcpy(m->grad, h->grad, bytes);
    memcpy(m->u, h->p, bytes);
    m->log_density = *h->log_density;
}

void crdi_microcanonical_go_back(crdi_microcanonical *m)
{
    crdi_hamiltonian *h = m->motion.h;
    size_t bytes = sizeof(double) * (size_t)h->dim;
    memcpy(h->q, m->q, bytes);
    memcpy(h->grad, m->grad, bytes);
    memcpy(h->p, m->u, bytes);
    *h->log_density = m->log_density;
}

int64_t crdi_microcanonical_steps(const crdi_chain *chain, double distance, bool *cut)
{
    return crdi_chain_limit_steps(chain, round(distance / chain->h.step_size), cut);
}

/* ---- warm-up ------------------------------------------------------------------------------------------------ */

void crdi_microcanonical_start(crdi_chain *chain)
{
    double root = sqrt((double)chain->h.dim);
    bool known = chain->warm && chain->length > 0; /* of a kernel of this kind */
    if (chain->options->decoherence > 0)
        chain->length = chain->options->decoherence;
    else if (!known)
        chain->length = root;
    if (chain->options->step_size > 0)
        chain->h.step_size = chain->options->step_size;
    else if (!known)
        chain->h.step_size = 0.25 * root;
}

/* With the metric comes a first length: the posterior's extent in its units, which is sqrt(dim) where the metric is the variances. */
static bool renew_metric(crdi_chain *chain, bool forget, bool tunes)
{
    if (!crdi_chain_renew_metric(chain, forget))
        return false;
    if (tunes && chain->h.metric.extent > 0)
        chain->length = chain->h.metric.extent;
    return true;
}

crdi_learned crdi_microcanonical_learn(crdi_microcanonical *m, crdi_chain *chain, double steps, double share)
{
    crdi_hamiltonian *h = &chain->h;
    int64_t warmup = chain->options->warmup, begin = metric_part(warmup), end = begin + length_part(warmup);
    bool tunes = !(chain->options->decoherence > 0);
    if (chain->iteration <= begin) {
        crdi_window_step step = crdi_windows_step(&chain->windows);
        if (step.learn)
            crdi_chain_collect(chain);
        bool renewed = step.renew && renew_metric(chain, step.forget, tunes);
        return renewed && (step.forget || chain->iteration == begin) ? CRDI_LEARNED_METRIC : CRDI_LEARNED_NOTHING;
    }
    if (chain->iteration > end || !tunes)
        return CRDI_LEARNED_NOTHING;
    batches_add(&m->batches, h->q);
    m->steps += steps;
    double time = batches_time(&m->batches);
    if (chain->iteration < end || !(time > 0))
        return CRDI_LEARNED_NOTHING;
    chain->length = share * time * h->step_size * m->steps / (double)m->batches.single.count;
    return CRDI_LEARNED_LENGTH;
}

void crdi_microcanonical_state(crdi_chain *chain, crdi_archive *archive)
{
    crdi_microcanonical *m = chain->kernel_state;
    crdi_archive_reals(archive, chain->h.p, chain->h.dim);
    crdi_archive_real(archive, &m->steps);
    batches_state(&m->batches, archive);
}
