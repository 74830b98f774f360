/* ascent.c - see ascent.h. */
#include "infer/mcmc/ascent.h"

#include <math.h>

crd_status crdi_ascent_create(crdi_ascent *a, crd_context *ctx, int64_t dim, double bound)
{
    *a = (crdi_ascent){.ctx = ctx, .dim = dim, .bound = bound};
    a->mean = crdi_alloc_array(ctx, dim, sizeof *a->mean);
    a->square = crdi_alloc_array(ctx, dim, sizeof *a->square);
    return a->mean && a->square ? CRD_OK : CRD_ENOMEM;
}

void crdi_ascent_destroy(crdi_ascent *a)
{
    if (a->ctx) {
        crdi_free(a->ctx, a->mean);
        crdi_free(a->ctx, a->square);
    }
    *a = (crdi_ascent){0};
}

double crdi_ascent_length(const double *x, int64_t dim)
{
    double largest = 0, sum = 0;
    for (int64_t i = 0; i < dim; i++)
        largest = fmax(largest, fabs(x[i]));
    for (int64_t i = 0; i < dim && largest > 0; i++)
        sum += (x[i] / largest) * (x[i] / largest); /* squares of 1e200 are no number */
    return largest * sqrt(sum);
}

void crdi_ascent_step(crdi_ascent *a, const double *gradient, double scale, double rate, double *q)
{
    static const double BETA1 = 0.9, BETA2 = 0.999, EPSILON = 1e-8;
    double length = scale * crdi_ascent_length(gradient, a->dim);
    double factor = length > a->bound ? scale * (a->bound / length) : scale;
    a->steps++;
    double bias1 = 1 - pow(BETA1, (double)a->steps), bias2 = 1 - pow(BETA2, (double)a->steps);
    for (int64_t i = 0; i < a->dim; i++) {
        double g = factor * gradient[i];
        a->mean[i] = BETA1 * a->mean[i] + (1 - BETA1) * g;
        a->square[i] = BETA2 * a->square[i] + (1 - BETA2) * g * g;
        q[i] += rate * (a->mean[i] / bias1) / (sqrt(a->square[i] / bias2) + EPSILON);
    }
}
