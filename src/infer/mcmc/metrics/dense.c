/* dense.c - covariances of the draws, shrunk as in Stan (crdi_welford_estimate); T is the Cholesky factor. */
#include "infer/mcmc/metrics/dense.h"
#include "infer/mcmc/metrics/collection.h"

#include <math.h>
#include <string.h>

struct dense {
    crdi_collection collection;
    double *estimate; /* (dim, dim) */
};

static crd_status create(crdi_metric *m, bool overlapping)
{
    struct dense *d = crdi_alloc(m->ctx, sizeof *d);
    int64_t size = m->dim * m->dim;
    m->state = d;
    if (!d)
        return CRD_ENOMEM;
    *d = (struct dense){0};
    m->inverse_mass = crdi_alloc_array(m->ctx, size, sizeof(double));
    m->scale = crdi_alloc_array(m->ctx, size, sizeof(double));
    d->estimate = crdi_alloc_array(m->ctx, size, sizeof(double));
    if (!m->inverse_mass || !m->scale || !d->estimate)
        return CRD_ENOMEM;
    for (int64_t i = 0; i < m->dim; i++)
        m->inverse_mass[i * (m->dim + 1)] = m->scale[i * (m->dim + 1)] = 1;
    return crdi_collection_create(&d->collection, m->ctx, m->dim, true, false, overlapping);
}

static void destroy(crdi_metric *m)
{
    struct dense *d = m->state;
    if (d) {
        crdi_collection_destroy(&d->collection);
        crdi_free(m->ctx, d->estimate);
    }
    crdi_free(m->ctx, d);
    crdi_free(m->ctx, m->inverse_mass);
    crdi_free(m->ctx, m->scale);
}

static void sharpen(const crdi_metric *m, const double *p, double *out)
{
    crdi_call call = {.out = out, .in = {p, m->inverse_mass}, .n = {m->dim, 1, m->dim, 1}, .s = {0, 1, m->dim}};
    m->kernels->kernel[CRDI_K_matmul](&call);
}

static void root(const crdi_metric *m, const double *u, double *out)
{
    for (int64_t i = 0; i < m->dim; i++)
        out[i] = m->kernels->vector.dot(i + 1, m->scale + i * m->dim, u);
}

static void root_transposed(const crdi_metric *m, const double *g, double *out)
{
    memset(out, 0, sizeof *out * (size_t)m->dim);
    for (int64_t i = 0; i < m->dim; i++)
        m->kernels->vector.axpy(i + 1, g[i], m->scale + i * m->dim, out, out);
}

static void momentum(const crdi_metric *m, double *p)
{
    crdi_call call = {.out = p, .in = {m->scale, p}, .n = {1, m->dim, 1}, .number = {1}};
    m->kernels->kernel[CRDI_K_solve_triangular](&call);
}

bool crdi_dense_metric_set(crdi_metric *m, const double *inverse_mass)
{
    crdi_call call = {.out = m->scale, .in = {inverse_mass}, .n = {m->dim, 1}};
    m->kernels->kernel[CRDI_K_cholesky](&call);
    for (int64_t i = 0; i < m->dim; i++)
        if (isnan(m->scale[i * m->dim + i])) { /* back to the old factor */
            call.in[0] = m->inverse_mass;
            m->kernels->kernel[CRDI_K_cholesky](&call);
            return false;
        }
    memcpy(m->inverse_mass, inverse_mass, sizeof(double) * (size_t)(m->dim * m->dim));
    return true;
}

static void collect(crdi_metric *m, const double *q, const double *grad)
{
    crdi_collection_add(&((struct dense *)m->state)->collection, q, grad);
}

static bool renew(crdi_metric *m)
{
    struct dense *d = m->state;
    crdi_welford_estimate(&d->collection.draws[0], d->estimate);
    m->extent = sqrt((double)m->dim); /* the estimate is the covariance, but for its shrinkage */
    return crdi_dense_metric_set(m, d->estimate);
}

static void forget(crdi_metric *m)
{
    crdi_collection_forget(&((struct dense *)m->state)->collection);
}

static void learned(crdi_metric *m, crdi_archive *archive)
{
    struct dense *d = m->state;
    crdi_archive_reals(archive, archive->loading ? d->estimate : m->inverse_mass, m->dim * m->dim);
    if (archive->loading && archive->status == CRD_OK)
        crdi_dense_metric_set(m, d->estimate); /* what was set once can be set again */
}

static void collected(crdi_metric *m, crdi_archive *archive)
{
    crdi_collection_state(&((struct dense *)m->state)->collection, archive);
}

const crdi_metric_type crdi_metric_dense = {.name = "dense",
                                            .form = 2,
                                            .create = create,
                                            .destroy = destroy,
                                            .sharpen = sharpen,
                                            .root = root,
                                            .root_transposed = root_transposed,
                                            .momentum = momentum,
                                            .collect = collect,
                                            .renew = renew,
                                            .forget = forget,
                                            .learned = learned,
                                            .collected = collected};
