/* eigen.c - see eigen.h. */
#include "infer/eigen.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* Rotates rows p and q of x (n) by cosine c and sine s. */
static void rotate(double *p, double *q, int64_t n, double c, double s)
{
    for (int64_t i = 0; i < n; i++) {
        double x = p[i], y = q[i];
        p[i] = c * x - s * y;
        q[i] = s * x + c * y;
    }
}

/* Makes a[p, q] zero. The matrix is symmetric: its columns are rotated element by element, its rows as rows. */
static void annihilate(double *a, double *rows, int64_t n, int64_t p, int64_t q)
{
    double tau = (a[q * n + q] - a[p * n + p]) / (2 * a[p * n + q]);
    double t = (tau >= 0 ? 1 : -1) / (fabs(tau) + sqrt(1 + tau * tau)), c = 1 / sqrt(1 + t * t), s = t * c;
    rotate(a + p * n, a + q * n, n, c, s);
    for (int64_t i = 0; i < n; i++) {
        double x = a[i * n + p], y = a[i * n + q];
        a[i * n + p] = c * x - s * y;
        a[i * n + q] = s * x + c * y;
    }
    a[p * n + q] = a[q * n + p] = 0;
    rotate(rows + p * n, rows + q * n, n, c, s);
}

static void transpose(double *a, int64_t n)
{
    for (int64_t r = 0; r < n; r++)
        for (int64_t c = 0; c < r; c++) {
            double x = a[r * n + c];
            a[r * n + c] = a[c * n + r];
            a[c * n + r] = x;
        }
}

void crdi_eigen(double *a, int64_t n, double *values, double *vectors)
{
    enum { SWEEPS = 60 };
    memset(vectors, 0, sizeof *vectors * (size_t)(n * n));
    for (int64_t i = 0; i < n; i++)
        vectors[i * n + i] = 1;
    for (int sweep = 0; sweep < SWEEPS; sweep++) {
        double off = 0, all = 0;
        for (int64_t r = 0; r < n; r++)
            for (int64_t c = 0; c < n; c++) {
                all += a[r * n + c] * a[r * n + c];
                off += r == c ? 0 : a[r * n + c] * a[r * n + c];
            }
        if (!(off > DBL_EPSILON * DBL_EPSILON * all))
            break;
        double least = 1e-2 * DBL_EPSILON * sqrt(all) / (double)n; /* what cannot be seen in the sum is let be */
        for (int64_t p = 0; p < n; p++)
            for (int64_t q = p + 1; q < n; q++)
                if (fabs(a[p * n + q]) > least)
                    annihilate(a, vectors, n, p, q);
    }
    for (int64_t i = 0; i < n; i++)
        values[i] = a[i * n + i];
    transpose(vectors, n);
}
