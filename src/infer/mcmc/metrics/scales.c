/* scales.c - see scales.h. */
#include "infer/mcmc/metrics/scales.h"

#include <math.h>

crd_status crdi_scales_create(crdi_metric *m)
{
    m->inverse_mass = crdi_alloc_array(m->ctx, m->dim, sizeof(double));
    m->scale = crdi_alloc_array(m->ctx, m->dim, sizeof(double));
    m->inverse_scale = crdi_alloc_array(m->ctx, m->dim, sizeof(double));
    if (!m->inverse_mass || !m->scale || !m->inverse_scale)
        return CRD_ENOMEM;
    for (int64_t i = 0; i < m->dim; i++)
        m->inverse_mass[i] = m->scale[i] = m->inverse_scale[i] = 1;
    return CRD_OK;
}

void crdi_scales_free(crdi_metric *m)
{
    crdi_free(m->ctx, m->inverse_mass);
    crdi_free(m->ctx, m->scale);
    crdi_free(m->ctx, m->inverse_scale);
}

void crdi_scales_destroy(crdi_metric *m)
{
    crdi_scales_free(m);
    if (m->state)
        crdi_collection_destroy(m->state);
    crdi_free(m->ctx, m->state);
}

void crdi_scales_sharpen(const crdi_metric *m, const double *p, double *out)
{
    m->kernels->vector.mul(m->dim, m->inverse_mass, p, out);
}

void crdi_scales_root(const crdi_metric *m, const double *u, double *out)
{
    m->kernels->vector.mul(m->dim, m->scale, u, out);
}

void crdi_scales_momentum(const crdi_metric *m, double *p)
{
    m->kernels->vector.mul(m->dim, m->inverse_scale, p, p);
}

void crdi_scales_set(crdi_metric *m)
{
    for (int64_t i = 0; i < m->dim; i++) {
        m->scale[i] = sqrt(m->inverse_mass[i]);
        m->inverse_scale[i] = 1 / m->scale[i];
    }
}

void crdi_scales_learned(crdi_metric *m, crdi_archive *archive)
{
    crdi_archive_reals(archive, m->inverse_mass, m->dim);
    if (archive->loading)
        crdi_scales_set(m);
}

/* ---- what is collected -------------------------------------------------------------------------------------- */

crd_status crdi_scales_collection(crdi_metric *m, bool slopes, bool overlapping)
{
    crdi_collection *c = crdi_alloc(m->ctx, sizeof *c);
    m->state = c;
    if (!c)
        return CRD_ENOMEM;
    *c = (crdi_collection){0};
    return crdi_collection_create(c, m->ctx, m->dim, false, slopes, overlapping);
}

void crdi_scales_collect(crdi_metric *m, const double *q, const double *grad)
{
    crdi_collection_add(m->state, q, grad);
}

void crdi_scales_forget(crdi_metric *m)
{
    crdi_collection_forget(m->state);
}

void crdi_scales_collected(crdi_metric *m, crdi_archive *archive)
{
    crdi_collection_state(m->state, archive);
}

void crdi_scales_measure(crdi_metric *m)
{
    const crdi_welford *draws = &((crdi_collection *)m->state)->draws[0];
    double sum = 0;
    for (int64_t i = 0; i < m->dim; i++)
        sum += draws->m2[i] / (double)(draws->count - 1) / m->inverse_mass[i];
    m->extent = sum > 0 && isfinite(sum) ? sqrt(sum) : 0;
}
