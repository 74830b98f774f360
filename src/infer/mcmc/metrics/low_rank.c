/* low_rank.c - low rank plus diagonal, from draws and gradients: of all metrics of this form the one whose Fisher divergence from a
 * standard normal is least on the draws (Seyboldt, Carlson & Carpenter 2026).
 *
 *   M^-1 = S N S,   N = I + V' (L - I) V,   T = S (I + V' (sqrt(L) - I) V).
 *
 * S comes first, coordinate by coordinate, as in the metric fisher. In its units, and in the space that the draws and gradients span,
 * the covariances C of the draws and G of the gradients have one positive definite solution of N G N = C, their geometric mean:
 * with G = K K' and K' C K = E W E' it is A A', A = K^-T E W^(1/4). For a normal it is the covariance itself, as soon as the draws
 * are more than the dimensions; where C and G say nothing it is the identity, as both are drawn to it by PRIOR draws. V are its
 * eigenvectors whose eigenvalues are CUTOFF times from 1: the others would cost more than they mend. */
#include "infer/mcmc/metrics/low_rank.h"
#include "infer/eigen.h"
#include "infer/mcmc/metrics/scales.h"

#include <math.h>
#include <string.h>

enum { WHOLE = 256 }; /* dimensions up to which the space need not be found, and of the space else */
static const double PRIOR = 1e-3, CUTOFF = 2;

struct low_rank {
    /* draws and gradients: when the room is full every second is let go, and from then on only every `stride`-th is taken */
    int64_t room, count, stride, seen;
    int64_t mark; /* overlapping: those before are forgotten next; else count */
    bool overlapping;
    double *draws, *slopes; /* (room, dim) */
    /* the metric */
    int64_t width, rank; /* dimensions of the space; rows of V */
    double *vector, *value; /* (width, dim), (width) */
    double *less, *root_less, *inverse_root_less; /* (width) L - 1, sqrt(L) - 1, 1 / sqrt(L) - 1 */
    double *coefficient; /* (width) scratch of products */
    /* scratch of the fit */
    double *diagonal, *mean, *slope_mean, *row; /* (dim) */
    double *basis; /* (width, dim) orthonormal rows; NULL: the axes */
    double *matrix[4], *part; /* (width, width); (width) */
};

/* ---- life --------------------------------------------------------------------------------------------------- */

static int64_t room_of(int64_t dim)
{
    enum { ROWS = 512, LEAST = 16, NUMBERS = 1 << 21 };
    int64_t fit = NUMBERS / dim;
    return dim <= WHOLE ? ROWS : fit > WHOLE / 2 ? WHOLE / 2 : fit < LEAST ? LEAST : fit;
}

static crd_status allocate(crdi_metric *m, struct low_rank *l)
{
    int64_t w = l->width, n = m->dim;
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
               {&l->basis, w < n ? w * n : 0},
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
        l->coefficient, l->diagonal,  l->mean,      l->slope_mean, l->row,  l->basis,     l->matrix[0],
        l->matrix[1],   l->matrix[2], l->matrix[3], l->part};
    for (int i = 0; i < CRDI_COUNT(all); i++)
        crdi_free(m->ctx, all[i]);
    crdi_free(m->ctx, l);
}

/* ---- products ----------------------------------------------------------------------------------------------- */

/* x += V' less V x. */
static void correct(const crdi_metric *m, const double *less, double *x)
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
    correct(m, ((struct low_rank *)m->state)->less, out);
    m->kernels->vector.mul(m->dim, m->scale, out, out);
}

static void root(const crdi_metric *m, const double *u, double *out)
{
    memcpy(out, u, sizeof *out * (size_t)m->dim);
    correct(m, ((struct low_rank *)m->state)->root_less, out);
    m->kernels->vector.mul(m->dim, m->scale, out, out);
}

static void root_transposed(const crdi_metric *m, const double *g, double *out)
{
    m->kernels->vector.mul(m->dim, m->scale, g, out);
    correct(m, ((struct low_rank *)m->state)->root_less, out);
}

static void momentum(const crdi_metric *m, double *p)
{
    correct(m, ((struct low_rank *)m->state)->inverse_root_less, p);
    m->kernels->vector.mul(m->dim, m->inverse_scale, p, p);
}

static void set_factors(crdi_metric *m)
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
    set_factors(m);
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

/* ---- the fit ------------------------------------------------------------------------------------------------ */

/* Mean, and the mean square from it, of column i. */
static double moments(const double *rows, int64_t count, int64_t dim, int64_t i, double *mean)
{
    double sum = 0, square = 0;
    for (int64_t r = 0; r < count; r++)
        sum += rows[r * dim + i];
    *mean = sum / (double)count;
    for (int64_t r = 0; r < count; r++)
        square += (rows[r * dim + i] - *mean) * (rows[r * dim + i] - *mean);
    return square / (double)count;
}

/* The diagonal: sqrt(var(draws) / var(gradients)); a coordinate without the one or the other keeps what it has. */
static void fit_diagonal(crdi_metric *m)
{
    static const double LEAST = 1e-20, MOST = 1e20;
    struct low_rank *l = m->state;
    for (int64_t i = 0; i < m->dim; i++) {
        double of_draws = moments(l->draws, l->count, m->dim, i, &l->mean[i]);
        double of_slopes = moments(l->slopes, l->count, m->dim, i, &l->slope_mean[i]);
        double ratio = sqrt(of_draws / of_slopes);
        l->diagonal[i] = ratio > LEAST && ratio < MOST ? ratio : m->inverse_mass[i];
    }
}

/* Row r of draws or gradients, from their mean and in units of the new diagonal. */
static const double *standard_row(const crdi_metric *m, int64_t r, bool slope)
{
    const struct low_rank *l = m->state;
    const double *x = (slope ? l->slopes : l->draws) + r * m->dim, *mean = slope ? l->slope_mean : l->mean;
    for (int64_t i = 0; i < m->dim; i++) {
        double scale = sqrt(l->diagonal[i]);
        l->row[i] = slope ? (x[i] - mean[i]) * scale : (x[i] - mean[i]) / scale;
    }
    return l->row;
}

/* Adds what the row has that the basis has not; by Gram and Schmidt, twice. */
static int64_t extend_basis(const crdi_metric *m, const double *row, int64_t width)
{
    static const double NEW = 1e-7;
    const struct low_rank *l = m->state;
    const crdi_vector_ops *v = &m->kernels->vector;
    if (width == l->width)
        return width;
    double *last = l->basis + width * m->dim, before = v->dot(m->dim, row, row);
    memcpy(last, row, sizeof(double) * (size_t)m->dim);
    for (int again = 0; again < 2; again++)
        for (int64_t k = 0; k < width; k++)
            v->axpy(m->dim, -v->dot(m->dim, l->basis + k * m->dim, last), l->basis + k * m->dim, last, last);
    double left = v->dot(m->dim, last, last), factor = 1 / sqrt(left);
    if (!(left > NEW * NEW * before))
        return width;
    for (int64_t i = 0; i < m->dim; i++)
        last[i] *= factor;
    return width + 1;
}

/* The dimensions of the space. */
static int64_t find_basis(const crdi_metric *m)
{
    const struct low_rank *l = m->state;
    int64_t width = 0;
    if (!l->basis)
        return m->dim;
    for (int64_t r = 0; r < l->count; r++)
        for (int slope = 0; slope < 2; slope++)
            width = extend_basis(m, standard_row(m, r, slope), width);
    return width;
}

/* The covariance in the space, drawn to the identity. */
static void fit_covariance(const crdi_metric *m, int64_t width, bool slope, double *out)
{
    const struct low_rank *l = m->state;
    const crdi_vector_ops *v = &m->kernels->vector;
    double all = (double)l->count + PRIOR;
    memset(out, 0, sizeof *out * (size_t)(width * width));
    for (int64_t r = 0; r < l->count; r++) {
        const double *row = standard_row(m, r, slope), *part = row;
        for (int64_t k = 0; k < width && l->basis; k++)
            l->part[k] = v->dot(m->dim, l->basis + k * m->dim, row);
        part = l->basis ? l->part : row;
        for (int64_t k = 0; k < width; k++)
            v->axpy(width, part[k] / all, part, out + k * width, out + k * width);
    }
    for (int64_t k = 0; k < width; k++)
        out[k * width + k] += PRIOR / all;
}

/* c = the geometric mean of c and the inverse of g (width, width); false where it is no number. All four matrices are overwritten. */
static bool geometric_mean(const crdi_metric *m, int64_t n, double *c, double *g, double *work, double *vectors)
{
    const struct low_rank *l = m->state;
    const crdi_kernel_fn *kernel = m->kernels->kernel;
    double *lower = work;
    kernel[CRDI_K_cholesky](&(crdi_call){.out = lower, .in = {g}, .n = {n, 1}});
    for (int64_t i = 0; i < n; i++) {
        if (!(lower[i * n + i] > 0))
            return false;
        memset(lower + i * n + i + 1, 0, sizeof *lower * (size_t)(n - i - 1));
    }
    /* K' C K */
    kernel[CRDI_K_matmul](&(crdi_call){.out = g, .in = {c, lower}, .n = {n, n, n, 1}, .s = {n, 1, n}});
    kernel[CRDI_K_matmul](&(crdi_call){.out = c, .in = {lower, g}, .n = {n, n, n, 1}, .s = {1, n, n}});
    crdi_eigen(c, n, l->part, vectors);
    for (int64_t k = 0; k < n; k++) {
        double factor = sqrt(sqrt(l->part[k]));
        if (!isfinite(factor))
            return false;
        for (int64_t i = 0; i < n; i++)
            vectors[i * n + k] *= factor;
    }
    kernel[CRDI_K_solve_triangular](&(crdi_call){.out = g, .in = {lower, vectors}, .n = {n, n, 1}, .number = {1}});
    kernel[CRDI_K_matmul_nt](&(crdi_call){.out = c, .in = {g, g}, .n = {n, n, n, 1}, .s = {n, n}});
    return true;
}

/* V and L from the eigenvectors (columns, in the space) and eigenvalues in `part`. */
static void take_directions(crdi_metric *m, int64_t width, const double *vectors)
{
    static const double LEAST = 1e-10, MOST = 1e10;
    struct low_rank *l = m->state;
    l->rank = 0;
    for (int64_t k = 0; k < width; k++) {
        double value = l->part[k];
        if (!(value > LEAST && value < MOST) || (value < CUTOFF && value > 1 / CUTOFF))
            continue;
        double *row = l->vector + l->rank * m->dim;
        memset(row, 0, sizeof *row * (size_t)m->dim);
        for (int64_t i = 0; i < width; i++)
            if (l->basis)
                m->kernels->vector.axpy(m->dim, vectors[i * width + k], l->basis + i * m->dim, row, row);
            else
                row[i] = vectors[i * width + k];
        l->value[l->rank++] = value;
    }
}

/* The root of the sum of the variances of T^-1 q: what is left of them when the metric has done what it can. */
static double extent_of(const crdi_metric *m)
{
    const struct low_rank *l = m->state;
    double sum = 0;
    for (int64_t r = 0; r < l->count; r++) {
        double *row = (double *)(uintptr_t)standard_row(m, r, false);
        correct(m, l->inverse_root_less, row);
        sum += m->kernels->vector.dot(m->dim, row, row) / (double)l->count;
    }
    return sum > 0 && isfinite(sum) ? sqrt(sum) : 0;
}

static bool renew(crdi_metric *m)
{
    struct low_rank *l = m->state;
    if (l->count < 2)
        return false;
    fit_diagonal(m);
    int64_t width = find_basis(m);
    double *c = l->matrix[0], *g = l->matrix[1], *vectors = l->matrix[3];
    fit_covariance(m, width, false, c);
    fit_covariance(m, width, true, g);
    if (width == 0 || !geometric_mean(m, width, c, g, l->matrix[2], vectors))
        return false;
    crdi_eigen(c, width, l->part, vectors);
    take_directions(m, width, vectors);
    memcpy(m->inverse_mass, l->diagonal, sizeof(double) * (size_t)m->dim);
    set_factors(m);
    m->extent = extent_of(m);
    return true;
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
        set_factors(m);
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
                                               .renew = renew,
                                               .forget = forget,
                                               .learned = learned,
                                               .collected = collected};
