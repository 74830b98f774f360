/* normal.c - see normal.h. */
#include "infer/pathfinder/normal.h"

#include <float.h>
#include <math.h>
#include <string.h>

static const double HALF_LOG_2PI = 0.91893853320467274178;

static double dot(int64_t n, const double *a, const double *b)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

/* ---- curvature ---------------------------------------------------------------------------------------------- */

crd_status crdi_curvature_create(crd_context *ctx, crdi_arena *arena, int64_t dim, int history, crdi_curvature *out)
{
    (void)ctx;
    *out = (crdi_curvature){.dim = dim, .history = history, .newest = -1};
    out->alpha = crdi_arena_alloc(arena, sizeof(double) * (size_t)dim);
    out->s = crdi_arena_alloc(arena, sizeof(double) * (size_t)(dim * history));
    out->z = crdi_arena_alloc(arena, sizeof(double) * (size_t)(dim * history));
    if (!out->alpha || !out->s || !out->z)
        return CRD_ENOMEM;
    for (int64_t i = 0; i < dim; i++)
        out->alpha[i] = 1;
    return CRD_OK;
}

bool crdi_curvature_add(crdi_curvature *c, const double *s, const double *z)
{
    static const double MOST = 1e12; /* of z'z / s'z: Zhang et al. 2022, sec. 2.2 */
    int64_t n = c->dim;
    double sz = dot(n, s, z), zz = dot(n, z, z), a = 0, ss = 0;
    if (!(sz > 0) || !(zz <= MOST * sz))
        return false;
    for (int64_t i = 0; i < n; i++) {
        a += z[i] * z[i] * c->alpha[i];
        ss += s[i] * s[i] / c->alpha[i];
    }
    if (!isfinite(a) || !isfinite(ss))
        return false;
    for (int64_t i = 0; i < n; i++) { /* algorithm 3 (Gilbert & Lemarechal 1989) */
        double alpha = c->alpha[i];
        c->alpha[i] = 1 / (a / (sz * alpha) + z[i] * z[i] / sz - a * s[i] * s[i] / (sz * ss * alpha * alpha));
    }
    c->newest = (c->newest + 1) % c->history;
    memcpy(c->s + c->newest * n, s, sizeof(double) * (size_t)n);
    memcpy(c->z + c->newest * n, z, sizeof(double) * (size_t)n);
    c->kept += c->kept < c->history;
    return true;
}

/* ---- small matrices, row by row ----------------------------------------------------------------------------- */

/* Makes a (n, n) its lower Cholesky factor; false if it is not positive definite. */
static bool cholesky(double *a, int n)
{
    for (int r = 0; r < n; r++)
        for (int k = 0; k <= r; k++) {
            double sum = a[r * n + k];
            for (int j = 0; j < k; j++)
                sum -= a[r * n + j] * a[k * n + j];
            if (r == k && !(sum > 0))
                return false;
            a[r * n + k] = r == k ? sqrt(sum) : sum / a[k * n + k];
        }
    for (int r = 0; r < n; r++)
        for (int k = r + 1; k < n; k++)
            a[r * n + k] = 0;
    return true;
}

/* out = a b or, transposed, a' b; all (n, n). */
static void multiply(int n, const double *a, bool transposed, const double *b, double *out)
{
    for (int r = 0; r < n; r++)
        for (int k = 0; k < n; k++) {
            double sum = 0;
            for (int j = 0; j < n; j++)
                sum += (transposed ? a[j * n + r] : a[r * n + j]) * b[j * n + k];
            out[r * n + k] = sum;
        }
}

/* The inverse of an upper triangular matrix. */
static void invert_upper(int n, const double *a, double *out)
{
    memset(out, 0, sizeof *out * (size_t)(n * n));
    for (int k = 0; k < n; k++)
        for (int r = k; r >= 0; r--) {
            double sum = r == k ? 1 : 0;
            for (int j = r + 1; j <= k; j++)
                sum -= a[r * n + j] * out[j * n + k];
            out[r * n + k] = sum / a[r * n + r];
        }
}

/* ---- the normal --------------------------------------------------------------------------------------------- */

crd_status crdi_path_normal_create(crdi_arena *arena, int64_t dim, int history, crdi_path_normal *out)
{
    size_t columns = 2 * (size_t)history;
    *out = (crdi_path_normal){.dim = dim};
    out->mean = crdi_arena_alloc(arena, sizeof(double) * (size_t)dim);
    out->root = crdi_arena_alloc(arena, sizeof(double) * (size_t)dim);
    out->q = crdi_arena_alloc(arena, sizeof(double) * columns * (size_t)dim);
    out->factor = crdi_arena_alloc(arena, sizeof(double) * columns * columns);
    return out->mean && out->root && out->q && out->factor ? CRD_OK : CRD_ENOMEM;
}

void crdi_path_normal_copy(crdi_path_normal *to, const crdi_path_normal *from)
{
    size_t dim = (size_t)from->dim, columns = (size_t)from->columns;
    to->dim = from->dim;
    to->columns = from->columns;
    to->log_det = from->log_det;
    memcpy(to->mean, from->mean, sizeof(double) * dim);
    memcpy(to->root, from->root, sizeof(double) * dim);
    memcpy(to->q, from->q, sizeof(double) * dim * columns);
    memcpy(to->factor, from->factor, sizeof(double) * columns * columns);
}

int64_t crdi_path_normal_work(int64_t dim, int history)
{
    int64_t j = history, m = 2 * j;
    return dim + 6 * j * j + 4 * m * m;
}

/* Pair number j from the oldest. */
static const double *pair(const crdi_curvature *c, const double *ring, int j)
{
    int first = c->kept < c->history ? 0 : (c->newest + 1) % c->history;
    return ring + (int64_t)((first + j) % c->history) * c->dim;
}

/* gamma (2 kept, 2 kept). `work`: 6 kept^2. */
static void find_gamma(const crdi_curvature *c, double *gamma, double *work)
{
    int k = c->kept, m = 2 * k;
    double *r = work, *inverse = r + k * k, *middle = inverse + k * k, *half = middle + k * k, *corner = half + k * k;
    memset(r, 0, sizeof *r * (size_t)(k * k));
    for (int i = 0; i < k; i++)
        for (int j = 0; j < k; j++) {
            const double *zi = pair(c, c->z, i), *zj = pair(c, c->z, j);
            double sum = 0;
            for (int64_t d = 0; d < c->dim; d++)
                sum += zi[d] * c->alpha[d] * zj[d];
            if (i <= j)
                r[i * k + j] = dot(c->dim, pair(c, c->s, i), zj);
            middle[i * k + j] = sum;
        }
    for (int i = 0; i < k; i++)
        middle[i * k + i] += r[i * k + i];
    invert_upper(k, r, inverse);
    multiply(k, middle, false, inverse, half);
    multiply(k, inverse, true, half, corner);
    memset(gamma, 0, sizeof *gamma * (size_t)(m * m));
    for (int i = 0; i < k; i++)
        for (int j = 0; j < k; j++) {
            gamma[i * m + k + j] = gamma[(k + j) * m + i] = -inverse[i * k + j];
            gamma[(k + i) * m + k + j] = corner[i * k + j];
        }
}

/* Columns of diag(alpha)^-1/2 beta into q, then made orthonormal (Gram & Schmidt, twice); what depends on the others
 * becomes zero. t (columns, columns) is upper triangular. */
static void decompose(const crdi_curvature *c, crdi_path_normal *out, double *t)
{
    int k = c->kept, m = 2 * k;
    int64_t n = c->dim;
    memset(t, 0, sizeof *t * (size_t)(m * m));
    for (int j = 0; j < m; j++) {
        double *column = out->q + j * n;
        const double *from = j < k ? pair(c, c->z, j) : pair(c, c->s, j - k);
        for (int64_t i = 0; i < n; i++)
            column[i] = j < k ? out->root[i] * from[i] : from[i] / out->root[i];
        double size = sqrt(dot(n, column, column));
        for (int round = 0; round < 2; round++)
            for (int i = 0; i < j; i++) {
                double share = dot(n, out->q + i * n, column);
                t[i * m + j] += share;
                for (int64_t d = 0; d < n; d++)
                    column[d] -= share * out->q[i * n + d];
            }
        double left = sqrt(dot(n, column, column));
        bool depends = !(left > 1e-11 * size);
        t[j * m + j] = depends ? 0 : left;
        for (int64_t i = 0; i < n; i++)
            column[i] = depends ? 0 : column[i] / left;
    }
}

/* factor = chol(I + t gamma t'). `work`: 2 columns^2. */
static bool find_factor(int m, const double *t, const double *gamma, double *factor, double *work)
{
    double *half = work, *transposed = half + m * m;
    multiply(m, t, false, gamma, half);
    for (int r = 0; r < m; r++)
        for (int k = 0; k < m; k++)
            transposed[r * m + k] = t[k * m + r];
    multiply(m, half, false, transposed, factor);
    for (int r = 0; r < m; r++)
        factor[r * m + r] += 1;
    return cholesky(factor, m);
}

/* y += Q (L L' - I) Q' y, for the mean. */
static void apply_covariance(const crdi_path_normal *p, double *y, double *w)
{
    int m = p->columns;
    double *v = w + m;
    for (int k = 0; k < m; k++)
        w[k] = dot(p->dim, p->q + k * p->dim, y);
    for (int k = 0; k < m; k++) { /* v = L' w */
        v[k] = 0;
        for (int j = k; j < m; j++)
            v[k] += p->factor[j * m + k] * w[j];
    }
    for (int k = 0; k < m; k++) {
        double sum = -w[k];
        for (int j = 0; j <= k; j++)
            sum += p->factor[k * m + j] * v[j];
        for (int64_t i = 0; i < p->dim; i++)
            y[i] += sum * p->q[k * p->dim + i];
    }
}

bool crdi_path_normal_set(crdi_path_normal *p, const crdi_curvature *c, const double *x, const double *gradient,
                          double *work)
{
    int m = 2 * c->kept;
    int64_t n = c->dim;
    double *y = work, *gamma = y + n, *t = gamma + m * m, *rest = t + m * m;
    p->dim = n;
    p->columns = m;
    p->log_det = 0;
    for (int64_t i = 0; i < n; i++) {
        if (!(c->alpha[i] > 0) || !isfinite(c->alpha[i]))
            return false;
        p->root[i] = sqrt(c->alpha[i]);
        p->log_det += log(p->root[i]);
        y[i] = p->root[i] * gradient[i];
    }
    find_gamma(c, gamma, rest);
    decompose(c, p, t);
    if (!find_factor(m, t, gamma, p->factor, rest))
        return false;
    for (int k = 0; k < m; k++)
        p->log_det += log(p->factor[k * m + k]);
    apply_covariance(p, y, rest);
    for (int64_t i = 0; i < n; i++)
        p->mean[i] = x[i] - p->root[i] * y[i];
    return isfinite(p->log_det);
}

double crdi_path_normal_draw(const crdi_path_normal *p, double *u, double *work)
{
    int m = p->columns;
    double *w = work, square = dot(p->dim, u, u);
    for (int k = 0; k < m; k++)
        w[k] = dot(p->dim, p->q + k * p->dim, u);
    for (int k = 0; k < m; k++) {
        double sum = -w[k];
        for (int j = 0; j <= k; j++)
            sum += p->factor[k * m + j] * w[j];
        for (int64_t i = 0; i < p->dim; i++)
            u[i] += sum * p->q[k * p->dim + i];
    }
    for (int64_t i = 0; i < p->dim; i++)
        u[i] = p->mean[i] + p->root[i] * u[i];
    return -0.5 * square - p->log_det - (double)p->dim * HALF_LOG_2PI;
}
