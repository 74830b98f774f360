/* low_rank.c - low rank plus diagonal, from draws and gradients:
 *
 *   M^-1 = S N S,   N = I + V' (L - I) V,   T = S (I + V' (sqrt(L) - I) V).
 *
 * What it is made of is in low_rank_fit.c. */
#include "infer/mcmc/metrics/low_rank.h"
#include "infer/mcmc/metrics/low_rank_fit.h"
#include "infer/mcmc/metrics/scales.h"

#include <math.h>
#include <string.h>

/* ---- life --------------------------------------------------------------------------------------------------- */

static int64_t room_of(int64_t dim)
{
    enum { ROWS = 512, LEAST = 32, NUMBERS = 1 << 21 };
    int64_t fit = NUMBERS / dim, most = CRDI_LOW_RANK_WHOLE / 2;
    return dim <= CRDI_LOW_RANK_WHOLE ? ROWS : fit > most ? most : fit < LEAST ? LEAST : fit;
}

static crd_status allocate(crdi_metric *m, struct low_rank *l)
{
    int64_t w = l->width, n = m->dim, few = w < l->room ? w : l->room;
    const struct {
        double **where;
        int64_t count;
    } all[] = {{&l->draws, l->room * n},
               {&l->slopes, l->room * n},
               {&l->vector, w * n},
               {&l->value, w},
               {&l->less, w},
               {&l->root_less, w},
               {&l->inverse_root_less, w},
               {&l->coefficient, w},
               {&l->diagonal, n},
               {&l->mean, n},
               {&l->slope_mean, n},
               {&l->row, n},
               {&l->basis, w * n},
               {&l->sums, few * n},
               {&l->matrix[0], w * w},
               {&l->matrix[1], w * w},
               {&l->matrix[2], w * w},
               {&l->matrix[3], w * w},
               {&l->part, w}};
    for (int i = 0; i < CRDI_COUNT(all); i++)
        if (all[i].count > 0 && !(*all[i].where = crdi_alloc_array(m->ctx, all[i].count, sizeof(double))))
            return CRD_ENOMEM;
    return CRD_OK;
}

static crd_status create(crdi_metric *m, bool overlapping)
{
    struct low_rank *l = crdi_alloc(m->ctx, sizeof *l);
    m->state = l;
    if (!l)
        return CRD_ENOMEM;
    l->room = room_of(m->dim);
    l->width = m->dim < 2 * l->room ? m->dim : 2 * l->room;
    l->stride = 1;
    l->overlapping = overlapping;
    CRD_TRY(crdi_scales_create(m));
    return allocate(m, l);
}

static void destroy(crdi_metric *m)
{
    struct low_rank *l = m->state;
    crdi_scales_free(m);
    if (!l)
        return;
    double *all[] = {
        l->draws,       l->slopes,    l->vector,    l->value,      l->less, l->root_less, l->inverse_root_less,
        l->coefficient, l->diagonal,  l->mean,      l->slope_mean, l->row,  l->basis,     l->sums,
        l->matrix[0],   l->matrix[1], l->matrix[2], l->matrix[3],  l->part};
    for (int i = 0; i < CRDI_COUNT(all); i++)
        crdi_free(m->ctx, all[i]);
    crdi_free(m->ctx, l);
}

/* ---- products ----------------------------------------------------------------------------------------------- */

void crdi_low_rank_correct(const crdi_metric *m, const double *less, double *x)
{
    const struct low_rank *l = m->state;
    const crdi_vector_ops *v = &m->kernels->vector;
    for (int64_t k = 0; k < l->rank; k++)
        l->coefficient[k] = less[k] * v->dot(m->dim, l->vector + k * m->dim, x);
    for (int64_t k = 0; k < l->rank; k++)
        v->axpy(m->dim, l->coefficient[k], l->vector + k * m->dim, x, x);
}

static void sharpen(const crdi_metric *m, const double *p, double *out)
{
    m->kernels->vector.mul(m->dim, m->scale, p, out);
    crdi_low_rank_correct(m, ((struct low_rank *)m->state)->less, out);
    m->kernels->vector.mul(m->dim, m->scale, out, out);
}

static void root(const crdi_metric *m, const double *u, double *out)
{
    memcpy(out, u, sizeof *out * (size_t)m->dim);
    crdi_low_rank_correct(m, ((struct low_rank *)m->state)->root_less, out);
    m->kernels->vector.mul(m->dim, m->scale, out, out);
}

static void root_transposed(const crdi_metric *m, const double *g, double *out)
{
    m->kernels->vector.mul(m->dim, m->scale, g, out);
    crdi_low_rank_correct(m, ((struct low_rank *)m->state)->root_less, out);
}

static void momentum(const crdi_metric *m, double *p)
{
    crdi_low_rank_correct(m, ((struct low_rank *)m->state)->inverse_root_less, p);
    m->kernels->vector.mul(m->dim, m->inverse_scale, p, p);
}

void crdi_low_rank_factors(crdi_metric *m)
{
    struct low_rank *l = m->state;
    crdi_scales_set(m);
    for (int64_t k = 0; k < l->rank; k++) {
        l->less[k] = l->value[k] - 1;
        l->root_less[k] = sqrt(l->value[k]) - 1;
        l->inverse_root_less[k] = 1 / sqrt(l->value[k]) - 1;
    }
}

void crdi_low_rank_metric_set(crdi_metric *m, const double *diagonal, int64_t rank, const double *values,
                              const double *vectors)
{
    struct low_rank *l = m->state;
    memcpy(m->inverse_mass, diagonal, sizeof(double) * (size_t)m->dim);
    l->rank = rank;
    memcpy(l->value, values, sizeof(double) * (size_t)rank);
    memcpy(l->vector, vectors, sizeof(double) * (size_t)(rank * m->dim));
    crdi_low_rank_factors(m);
}

int64_t crdi_low_rank_metric_rank(const crdi_metric *m)
{
    return ((const struct low_rank *)m->state)->rank;
}

/* ---- what is collected -------------------------------------------------------------------------------------- */

/* Of every two rows the first stays. */
static void thin(struct low_rank *l, int64_t dim)
{
    size_t bytes = sizeof(double) * (size_t)dim;
    for (int64_t r = 1; 2 * r < l->count; r++) {
        memcpy(l->draws + r * dim, l->draws + 2 * r * dim, bytes);
        memcpy(l->slopes + r * dim, l->slopes + 2 * r * dim, bytes);
    }
    l->count = (l->count + 1) / 2;
    l->mark = (l->mark + 1) / 2;
    l->stride *= 2;
}

static void collect(crdi_metric *m, const double *q, const double *grad)
{
    struct low_rank *l = m->state;
    size_t bytes = sizeof(double) * (size_t)m->dim;
    if (l->seen++ % l->stride != 0)
        return;
    if (l->count == l->room)
        thin(l, m->dim);
    memcpy(l->draws + l->count * m->dim, q, bytes);
    memcpy(l->slopes + l->count * m->dim, grad, bytes);
    l->count++;
}

static void forget(crdi_metric *m)
{
    struct low_rank *l = m->state;
    int64_t gone = l->overlapping ? l->mark : l->count, left = l->count - gone;
    memmove(l->draws, l->draws + gone * m->dim, sizeof(double) * (size_t)(left * m->dim));
    memmove(l->slopes, l->slopes + gone * m->dim, sizeof(double) * (size_t)(left * m->dim));
    l->count = l->mark = left;
    if (left > 0)
        return;
    l->stride = 1;
    l->seen = 0;
}

/* ---- states ------------------------------------------------------------------------------------------------- */

static void check(crdi_metric *m, crdi_archive *a, int64_t *count, int64_t most)
{
    if (a->status != CRD_OK || (*count >= 0 && *count <= most))
        return;
    *count = 0;
    a->status = crdi_raise(m->ctx, CRD_EDAMAGED, "the stored state has an impossible count");
}

static void learned(crdi_metric *m, crdi_archive *a)
{
    struct low_rank *l = m->state;
    crdi_archive_reals(a, m->inverse_mass, m->dim);
    crdi_archive_integer(a, &l->rank);
    check(m, a, &l->rank, l->width);
    crdi_archive_reals(a, l->value, l->rank);
    crdi_archive_reals(a, l->vector, l->rank * m->dim);
    if (a->loading)
        crdi_low_rank_factors(m);
}

static void collected(crdi_metric *m, crdi_archive *a)
{
    struct low_rank *l = m->state;
    crdi_archive_integer(a, &l->stride);
    crdi_archive_integer(a, &l->seen);
    crdi_archive_integer(a, &l->count);
    check(m, a, &l->count, l->room);
    crdi_archive_integer(a, &l->mark);
    check(m, a, &l->mark, l->count);
    if (a->loading && l->stride < 1)
        l->stride = 1;
    crdi_archive_reals(a, l->draws, l->count * m->dim);
    crdi_archive_reals(a, l->slopes, l->count * m->dim);
}

const crdi_metric_type crdi_metric_low_rank = {.name = "low_rank",
                                               .form = 3,
                                               .create = create,
                                               .destroy = destroy,
                                               .sharpen = sharpen,
                                               .root = root,
                                               .root_transposed = root_transposed,
                                               .momentum = momentum,
                                               .collect = collect,
                                               .renew = crdi_low_rank_fit,
                                               .forget = forget,
                                               .learned = learned,
                                               .collected = collected};
