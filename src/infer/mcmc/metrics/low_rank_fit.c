/* low_rank_fit.c - of all metrics S (I + V' (L - I) V) S the one whose Fisher divergence from a standard normal is least on the draws
 * (Seyboldt, Carlson & Carpenter 2026), and what to do with fewer draws than dimensions.
 *
 * In units of S, and in a space of some of the directions, the covariances C of the draws and G of the gradients have one positive definite
 * solution of N G N = C, their geometric mean: with G = K K' and K' C K = E W E' it is A A', A = K^-T E W^(1/4). For a normal it is
 * the covariance itself, as soon as the draws are more than the dimensions; where C and G say nothing it is what both are drawn to, by
 * PRIOR draws. V are its eigenvectors whose eigenvalues are CUTOFF times from 1: the others would cost more than they mend.
 *
 * With more draws than dimensions S is sqrt(var(draws) / var(gradients)), coordinate by coordinate, as in the metric fisher, the space
 * is whole, and C and G are drawn to the identity. With fewer, most of what the draws span is chance. There the divergence itself says
 * where to look: in units that are right it is the mean square of draw plus gradient, which cancel in every direction that is as the
 * units have it. The directions are the first principal ones of these sums. Where they were taken out S is fitted again, and so in
 * turn. A normal whose covariance is a diagonal but for k directions is found from little more than k draws, in any number of
 * dimensions. If the sums have no end, the estimate is what C and G are drawn to in a second one, in the space of all draws and
 * gradients, or there is only that one: what does better on draws that are held out. */
#include "infer/mcmc/metrics/low_rank_fit.h"
#include "infer/eigen.h"
#include "infer/mcmc/metrics/scales.h"

#include <math.h>
#include <string.h>

static const double PRIOR = 1e-3, CUTOFF = 2;
static const double LEAST_RATIO = 1e-20, MOST_RATIO = 1e20; /* of a diagonal */

/* ---- the diagonal ------------------------------------------------------------------------------------------- */

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
    struct low_rank *l = m->state;
    for (int64_t i = 0; i < m->dim; i++) {
        double of_draws = moments(l->draws, l->count, m->dim, i, &l->mean[i]);
        double of_slopes = moments(l->slopes, l->count, m->dim, i, &l->slope_mean[i]);
        double ratio = sqrt(of_draws / of_slopes);
        l->diagonal[i] = ratio > LEAST_RATIO && ratio < MOST_RATIO ? ratio : m->inverse_mass[i];
    }
}

/* Row r of draws or gradients, from their mean and in units of the new diagonal: l->row, until the next. */
static double *standard_row(const crdi_metric *m, int64_t r, bool slope)
{
    const struct low_rank *l = m->state;
    const double *x = (slope ? l->slopes : l->draws) + r * m->dim, *mean = slope ? l->slope_mean : l->mean;
    for (int64_t i = 0; i < m->dim; i++) {
        double scale = sqrt(l->diagonal[i]);
        l->row[i] = slope ? (x[i] - mean[i]) * scale : (x[i] - mean[i]) / scale;
    }
    return l->row;
}

/* ---- spaces ------------------------------------------------------------------------------------------------- */

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

/* All that draws and gradients span; its dimensions. */
static int64_t find_span(const crdi_metric *m)
{
    const struct low_rank *l = m->state;
    int64_t width = 0;
    for (int64_t r = 0; r < l->count; r++)
        for (int slope = 0; slope < 2; slope++)
            width = extend_basis(m, standard_row(m, r, slope), width);
    return width;
}

/* The sums of draws and gradients, and matrix[0] (count, count), the products of any two; false: they are no numbers. */
static bool multiply_sums(const crdi_metric *m)
{
    const struct low_rank *l = m->state;
    const crdi_vector_ops *v = &m->kernels->vector;
    int64_t n = l->count;
    double trace = 0;
    for (int64_t r = 0; r < n; r++) {
        double *sum = l->sums + r * m->dim;
        memcpy(sum, standard_row(m, r, false), sizeof *sum * (size_t)m->dim);
        v->axpy(m->dim, 1, standard_row(m, r, true), sum, sum);
        for (int64_t k = 0; k <= r; k++)
            l->matrix[0][r * n + k] = l->matrix[0][k * n + r] = v->dot(m->dim, sum, l->sums + k * m->dim) / (double)n;
        trace += l->matrix[0][r * n + r];
    }
    return isfinite(trace);
}

static int64_t largest(const double *value, int64_t count)
{
    int64_t best = 0;
    for (int64_t i = 1; i < count; i++)
        if (value[i] > value[best])
            best = i;
    return best;
}

/* As the basis the first principal directions of the sums, up to two thirds as many as there are draws. Returns their number, or -1 where
 * they are no numbers. *end: what is left of the sums is less than the CUTOFF would make. In matrix[1], as columns, the combinations
 * of draws; `part` is below 0 for those that became directions. */
static int64_t find_directions(const crdi_metric *m, bool *end)
{
    static const double LEAST = 0.25; /* the cutoff makes (sqrt(2) - sqrt(1 / 2))^2 = 1/2 */
    const struct low_rank *l = m->state;
    int64_t n = l->count, width = 0;
    double *vectors = l->matrix[1];
    if (!multiply_sums(m))
        return -1;
    crdi_eigen(l->matrix[0], n, l->part, vectors);
    for (int64_t k = 0; k < 2 * n / 3; k++) {
        int64_t best = largest(l->part, n);
        *end = !(l->part[best] > LEAST);
        if (*end)
            return width;
        l->part[best] = -1;
        memset(l->row, 0, sizeof *l->row * (size_t)m->dim);
        for (int64_t r = 0; r < n; r++)
            m->kernels->vector.axpy(m->dim, vectors[r * n + best], l->sums + r * m->dim, l->row, l->row);
        width = extend_basis(m, l->row, width);
    }
    *end = !(l->part[largest(l->part, n)] > LEAST);
    return width;
}

/* The diagonal of what the directions leave. They are taken out among the draws, not among the parameters: how far each draw is along a
 * direction is known much better than the direction, as there are more parameters than draws. */
static void refit_diagonal(crdi_metric *m)
{
    struct low_rank *l = m->state;
    const crdi_vector_ops *v = &m->kernels->vector;
    int64_t n = l->count;
    double *square[2] = {l->sums, l->sums + m->dim}; /* n is 2 or more */
    memset(l->sums, 0, sizeof *l->sums * (size_t)(2 * m->dim));
    for (int64_t k = 0; k < n; k++)
        for (int slope = 0; slope < 2 && l->part[k] >= 0; slope++) {
            double all = 0;
            memset(l->row, 0, sizeof *l->row * (size_t)m->dim);
            for (int64_t r = 0; r < n; r++) {
                double share = l->matrix[1][r * n + k];
                v->axpy(m->dim, share, (slope ? l->slopes : l->draws) + r * m->dim, l->row, l->row);
                all += share;
            }
            v->axpy(m->dim, -all, slope ? l->slope_mean : l->mean, l->row, l->row);
            for (int64_t i = 0; i < m->dim; i++)
                square[slope][i] += l->row[i] * l->row[i];
        }
    for (int64_t i = 0; i < m->dim; i++) {
        double ratio = sqrt(square[0][i] / square[1][i]);
        if (ratio > LEAST_RATIO && ratio < MOST_RATIO)
            l->diagonal[i] = ratio;
    }
}

/* ---- the metric --------------------------------------------------------------------------------------------- */

/* Row k of V with respect to the basis, or the axes where there is none. */
static const double *in_basis(const crdi_metric *m, const double *basis, int64_t width, const double *row)
{
    const struct low_rank *l = m->state;
    for (int64_t k = 0; k < width && basis; k++)
        l->part[k] = m->kernels->vector.dot(m->dim, basis + k * m->dim, row);
    return basis ? l->part : row;
}

/* The covariance in the space, drawn to what is known: I + V' (L - I) V of the first `known` directions, or the inverse of that. */
static void fit_covariance(const crdi_metric *m, const double *basis, int64_t width, bool slope, int64_t known,
                           double *out)
{
    const struct low_rank *l = m->state;
    const crdi_vector_ops *v = &m->kernels->vector;
    double all = (double)l->count + PRIOR;
    memset(out, 0, sizeof *out * (size_t)(width * width));
    for (int64_t r = 0; r < l->count + known; r++) {
        bool prior = r >= l->count;
        const double *row = prior ? l->vector + (r - l->count) * m->dim : standard_row(m, r, slope);
        const double *part = in_basis(m, basis, width, row);
        double value = prior ? l->value[r - l->count] : 0,
               weight = prior ? PRIOR * ((slope ? 1 / value : value) - 1) : 1;
        for (int64_t k = 0; k < width; k++)
            v->axpy(width, weight * part[k] / all, part, out + k * width, out + k * width);
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
static void take_directions(crdi_metric *m, const double *basis, int64_t width, const double *vectors)
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
            if (basis)
                m->kernels->vector.axpy(m->dim, vectors[i * width + k], basis + i * m->dim, row, row);
            else
                row[i] = vectors[i * width + k];
        l->value[l->rank++] = value;
    }
}

/* The metric from the space of the basis, or the whole one; the first `known` directions are what covariances are drawn to. */
static bool fit_in(crdi_metric *m, const double *basis, int64_t width, int64_t known)
{
    struct low_rank *l = m->state;
    double *c = l->matrix[0], *g = l->matrix[1], *vectors = l->matrix[3];
    fit_covariance(m, basis, width, false, known, c);
    fit_covariance(m, basis, width, true, known, g);
    if (width > 0 && !geometric_mean(m, width, c, g, l->matrix[2], vectors))
        return false;
    crdi_eigen(c, width, l->part, vectors);
    take_directions(m, basis, width, vectors);
    memcpy(m->inverse_mass, l->diagonal, sizeof(double) * (size_t)m->dim);
    crdi_low_rank_factors(m);
    return true;
}

/* In the whole space, or the span of draws and gradients. */
static bool fit_span(crdi_metric *m, int64_t known)
{
    const struct low_rank *l = m->state;
    bool whole = m->dim <= CRDI_LOW_RANK_WHOLE;
    return fit_in(m, whole ? NULL : l->basis, whole ? m->dim : find_span(m), known);
}

/* From the directions of the sums; where they have no end, from the span too. */
static bool fit_directions(crdi_metric *m, bool *end)
{
    enum { PASSES = 4 };
    fit_diagonal(m);
    int64_t width = find_directions(m, end);
    for (int pass = 1; pass < PASSES && width > 0; pass++) {
        refit_diagonal(m);
        width = find_directions(m, end);
    }
    if (width < 0 || !fit_in(m, ((struct low_rank *)m->state)->basis, width, 0))
        return false;
    return *end || fit_span(m, ((struct low_rank *)m->state)->rank);
}

static bool fit_plainly(crdi_metric *m)
{
    fit_diagonal(m);
    return fit_span(m, 0);
}

/* The divergence on the draws from `first` to `last`: the mean square of draw plus gradient in the metric's units. */
static double divergence(const crdi_metric *m, int64_t first, int64_t last)
{
    const struct low_rank *l = m->state;
    const crdi_vector_ops *v = &m->kernels->vector;
    double sum = 0;
    for (int64_t r = first; r < last; r++) {
        double *row = standard_row(m, r, false);
        crdi_low_rank_correct(m, l->inverse_root_less, row);
        memcpy(l->sums, row, sizeof *row * (size_t)m->dim);
        row = standard_row(m, r, true);
        crdi_low_rank_correct(m, l->root_less, row);
        v->axpy(m->dim, 1, row, l->sums, row);
        sum += v->dot(m->dim, row, row) / (double)(last - first);
    }
    return sum;
}

/* Whether directions should come first, where they have no end: a few that stick out of many make it so, and where every direction is to be
 * corrected alike it is better not. The last quarter of the draws, held out, says which. */
static bool directions_are_better(crdi_metric *m)
{
    struct low_rank *l = m->state;
    int64_t all = l->count, held_out = all / 4;
    bool end;
    if (held_out < 2)
        return true;
    l->count = all - held_out;
    double with = fit_directions(m, &end) ? divergence(m, l->count, all) : INFINITY;
    double without = fit_plainly(m) ? divergence(m, l->count, all) : INFINITY;
    l->count = all;
    return !(without < with);
}

/* From fewer draws than dimensions. */
static bool fit_few(crdi_metric *m)
{
    bool end;
    if (!fit_directions(m, &end))
        return false;
    if (end)
        return true;
    return directions_are_better(m) ? fit_directions(m, &end) : fit_plainly(m);
}

/* The root of the sum of the variances of T^-1 q: what is left of them when the metric has done what it can. */
static double extent_of(const crdi_metric *m)
{
    const struct low_rank *l = m->state;
    double sum = 0;
    for (int64_t r = 0; r < l->count; r++) {
        double *row = standard_row(m, r, false);
        crdi_low_rank_correct(m, l->inverse_root_less, row);
        sum += m->kernels->vector.dot(m->dim, row, row) / (double)l->count;
    }
    return sum > 0 && isfinite(sum) ? sqrt(sum) : 0;
}

bool crdi_low_rank_fit(crdi_metric *m)
{
    struct low_rank *l = m->state;
    if (l->count < 2)
        return false;
    if (l->count < m->dim ? !fit_few(m) : !fit_plainly(m))
        return false;
    m->extent = extent_of(m);
    return true;
}
