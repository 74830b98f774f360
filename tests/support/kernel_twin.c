/* kernel_twin.c - see kernel_twin.h. Elementwise kernels are vm_NAME one number at a time (test_vmath.c tests those
 * against true values); the others are their formula, summed in long double. */
#include "kernel_twin.h"

#include "kernel/view.h"
#include "kernel/vmath_single.h"

static double dot(const double *a, int64_t sa, const double *b, int64_t sb, int64_t n)
{
    long double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += (long double)a[i * sa] * b[i * sb];
    return (double)sum;
}

/* out[j, i] = sum over m of a[j, m, i]. */
static void sums(double *out, const double *a, int64_t inner, int64_t middle, int64_t outer)
{
    for (int64_t j = 0; j < outer; j++)
        for (int64_t i = 0; i < inner; i++) {
            long double sum = 0;
            for (int64_t m = 0; m < middle; m++)
                sum += a[(j * middle + m) * inner + i];
            out[j * inner + i] = (double)sum;
        }
}

static void max_rows(const crdi_call *c)
{
    for (int64_t r = 0; r < c->n[1]; r++) {
        const double *a = c->in[0] + r * c->n[0];
        c->out[r] = a[0];
        for (int64_t i = 1; i < c->n[0]; i++)
            if (isnan(a[i]) || a[i] > c->out[r])
                c->out[r] = a[i];
            else if (isnan(c->out[r]))
                break;
    }
}

/* columns steps b along its rows' elements: 1 and s[2] for matmul, s[1] and 1 for matmul_nt. */
static void product(const crdi_call *c, int64_t a_inner, int64_t b_column, int64_t b_inner)
{
    for (int64_t t = 0; t < c->n[3]; t++)
        for (int64_t r = 0; r < c->n[1]; r++)
            for (int64_t i = 0; i < c->n[0]; i++)
                c->out[(t * c->n[1] + r) * c->n[0] + i] = dot(c->in[0] + t * c->s[3] + r * c->s[0], a_inner,
                                                              c->in[1] + t * c->s[4] + i * b_column, b_inner, c->n[2]);
}

static void affine(const crdi_call *c)
{
    for (int64_t u = 0; u < c->n[1]; u++)
        for (int64_t i = 0; i < c->n[0]; i++)
            c->out[u * c->n[0] + i] = c->in[2][u] + dot(c->in[0] + u, c->n[1], c->in[1] + i, c->n[0], c->n[2]);
}

/* The element of a view that stands at place `at` of its contiguous copy. */
static int64_t seen(const crdi_view *view, int64_t at)
{
    int64_t place = view->offset;
    for (int d = view->ndim - 1; d >= 0; d--) {
        place += at % view->dim[d] * view->stride[d];
        at /= view->dim[d];
    }
    return place;
}

static void scatter_strided(const crdi_call *c)
{
    const crdi_view *view = c->extra;
    for (int64_t i = 0; i < c->n[0]; i++)
        c->out[i] = 0;
    for (int64_t i = 0; i < view->size; i++)
        c->out[seen(view, i)] = c->in[0][i];
}

static void gather(const crdi_call *c, bool add, bool single)
{
    int64_t inner = c->n[0], picked = c->n[1], rows = c->n[3];
    for (int64_t i = 0; add && i < c->n[2] * rows * inner; i++)
        c->out[i] = 0;
    for (int64_t at = 0; at < c->n[2] * picked * inner; at++) {
        int64_t i = at % inner, m = at / inner % picked, j = at / inner / picked;
        double index = c->in[1][m];
        bool good = index >= 0 && index < (double)rows;
        int64_t row = good ? (j * rows + (int64_t)index) * inner + i : 0;
        if (!add)
            c->out[at] = good ? c->in[0][row] : NAN;
        else if (good)
            c->out[row] = single ? (double)((float)c->out[row] + (float)c->in[0][at]) : c->out[row] + c->in[0][at];
    }
}

static void cumsum(const crdi_call *c)
{
    for (int64_t m = 1; m <= c->n[1]; m++)
        for (int64_t j = 0; j < c->n[2]; j++)
            sums(c->out + (j * c->n[1] + m - 1) * c->n[0], c->in[0] + j * c->n[1] * c->n[0], c->n[0], m, 1);
}

static void cholesky(const crdi_call *c)
{
    int64_t n = c->n[0];
    for (int64_t t = 0; t < c->n[1]; t++) {
        const double *a = c->in[0] + t * n * n;
        double *l = c->out + t * n * n;
        for (int64_t i = 0; i < n * n; i++)
            l[i] = 0;
        for (int64_t column = 0; column < n; column++)
            for (int64_t r = column; r < n; r++) {
                double rest = a[r * n + column] - dot(l + r * n, 1, l + column * n, 1, column);
                l[r * n + column] = r == column ? (rest > 0 ? sqrt(rest) : NAN) : rest / l[column * n + column];
            }
    }
}

/* One unknown at a time, L or its transpose read through strides. */
static void solve_triangular(const crdi_call *c)
{
    int64_t columns = c->n[0], n = c->n[1];
    bool up = c->number[0] != 0;
    for (int64_t t = 0; t < c->n[2]; t++)
        for (int64_t i = 0; i < columns; i++)
            for (int64_t k = 0; k < n; k++) {
                int64_t r = up ? n - 1 - k : k;
                const double *l = c->in[0] + t * n * n;
                long double rest = c->in[1][(t * n + r) * columns + i];
                for (int64_t q = up ? r + 1 : 0; q < (up ? n : r); q++)
                    rest -= (long double)(up ? l[q * n + r] : l[r * n + q]) * c->out[(t * n + q) * columns + i];
                c->out[(t * n + r) * columns + i] = (double)(rest / l[r * n + r]);
            }
}

static void one_each(enum crdi_kernel kernel, const crdi_call *c, bool single)
{
    for (int64_t i = 0; i < c->n[0]; i++)
        if (kernel == CRDI_K_select)
            c->out[i] = c->in[c->in[0][i] != 0 ? 1 : 2][i];
        else if (kernel == CRDI_K_fill)
            c->out[i] = single ? (float)c->number[0] : c->number[0];
        else if (kernel == CRDI_K_narrow)
            c->out[i] = (float)c->in[0][i];
        else if (kernel == CRDI_K_axpy)
            c->out[i] = single ? fmaf((float)c->number[0], (float)c->in[0][i], (float)c->in[1][i])
                               : fma(c->number[0], c->in[0][i], c->in[1][i]);
        else
            c->out[i] = c->in[0][i];
}

static bool other(enum crdi_kernel kernel, const crdi_call *c, bool single)
{
    const crdi_view *view = c->extra;
    switch (kernel) {
    case CRDI_K_select:
    case CRDI_K_fill:
    case CRDI_K_copy:
    case CRDI_K_axpy:
    case CRDI_K_narrow:
    case CRDI_K_widen:
        return one_each(kernel, c, single), true;
    case CRDI_K_copy_strided:
        for (int64_t i = 0; i < view->size; i++)
            c->out[i] = c->in[0][seen(view, i)];
        return true;
    case CRDI_K_scatter_strided:
        return scatter_strided(c), true;
    case CRDI_K_gather:
        return gather(c, false, single), true;
    case CRDI_K_scatter_add:
        return gather(c, true, single), true;
    case CRDI_K_max_rows:
        return max_rows(c), true;
    case CRDI_K_sum:
        return sums(c->out, c->in[0], 1, c->n[0], 1), false;
    case CRDI_K_sum_rows:
        return sums(c->out, c->in[0], 1, c->n[0], c->n[1]), false;
    case CRDI_K_sum_columns:
        return sums(c->out, c->in[0], c->n[0], c->n[1], c->n[2]), false;
    case CRDI_K_sumsq:
        return c->out[0] = dot(c->in[0], 1, c->in[0], 1, c->n[0]), false;
    case CRDI_K_dot:
        return c->out[0] = dot(c->in[0], 1, c->in[1], 1, c->n[0]), false;
    case CRDI_K_matmul:
        return product(c, c->s[1], 1, c->s[2]), false;
    case CRDI_K_matmul_nt:
        return product(c, 1, c->s[1], 1), false;
    case CRDI_K_affine:
        return affine(c), false;
    case CRDI_K_cumsum:
        return cumsum(c), false;
    case CRDI_K_cholesky:
        return cholesky(c), false;
    case CRDI_K_solve_triangular:
        return solve_triangular(c), false;
    default:
        return false;
    }
}

bool kernel_twin(enum crdi_kernel kernel, const crdi_call *c, bool single)
{
#define UNARY(name)                                                                                                    \
    if (kernel == CRDI_K_##name) {                                                                                     \
        for (int64_t i = 0; i < c->n[0]; i++)                                                                          \
            c->out[i] = single ? (double)vf_##name((float)c->in[0][i]) : vm_##name(c->in[0][i]);                       \
        return true;                                                                                                   \
    }
#define BINARY(name)                                                                                                   \
    if (kernel >= CRDI_K_##name##_vv && kernel <= CRDI_K_##name##_sv) {                                                \
        for (int64_t i = 0; i < c->n[0] * c->n[1]; i++) {                                                              \
            int64_t r = i / c->n[0], at = i % c->n[0];                                                                 \
            double a = c->in[0][r * c->s[0] + (kernel == CRDI_K_##name##_sv ? 0 : at)],                                \
                   b = c->in[1][r * c->s[1] + (kernel == CRDI_K_##name##_vs ? 0 : at)];                                \
            c->out[i] = single ? (double)vf_##name((float)a, (float)b) : vm_##name(a, b);                              \
        }                                                                                                              \
        return true;                                                                                                   \
    }
#define OTHER(name)
#define FUSED(name)
#include "kernel/kernels.def"
    return other(kernel, c, single);
}
