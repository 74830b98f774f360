/* hessian_full.c - the whole matrix: random^2 numbers, random^3 / 3 operations for its factor. */
#include "infer/laplace/full.h"

#include "kernel/kernel.h"

#include <math.h>
#include <string.h>

enum { TOGETHER = 64 }; /* rows of the sum */

typedef struct full {
    double *sum; /* (random, random) lower triangle of the sum over rows */
    double *lower; /* (random, random) the Cholesky factor L of H */
    double *
        inverse; /* (random, random) L^-1 of the last solve with traces: a product with it is much quicker than a solve with L */
    bool inverted; /* it is of this L */
    double *jacobian; /* (random, outputs capacity) of a block, the rows of each output together */
    double *strip; /* (TOGETHER, random) */
} full;

crd_status crdi_full_create(crdi_laplace *l)
{
    enum { MOST = 5000 };
    int64_t n = l->random;
    if (n > MOST)
        return crdi_raise(
            l->ctx, CRD_EINVAL,
            "hessian %s: a matrix of %lld weights with each other takes %.2g GB and long; up to %d are taken. "
            "--hessian %skronecker and diagonal go further",
            l->type->name, (long long)n, 3e-9 * 8 * (double)n * (double)n, MOST,
            l->type->last_layer ? "" : "last_layer, ");
    full *s = l->state = crdi_arena_alloc(l->arena, sizeof *s);
    if (!s)
        return CRD_ENOMEM;
    s->sum = crdi_arena_alloc(l->arena, sizeof(double) * (size_t)(n * n));
    s->inverse = crdi_arena_alloc(l->arena, sizeof(double) * (size_t)(n * n));
    s->lower = crdi_arena_alloc(l->arena, sizeof(double) * (size_t)(n * n));
    s->strip = crdi_arena_alloc(l->arena, sizeof(double) * (size_t)(TOGETHER * n));
    return s->sum && s->inverse && s->lower && s->strip ? CRD_OK : CRD_ENOMEM;
}

void crdi_full_begin(crdi_laplace *l)
{
    full *s = l->state;
    memset(s->sum, 0, sizeof(double) * (size_t)(l->random * l->random));
}

/* Rows of the Jacobian, weight by weight: input times slope. */
static void read_jacobian(const crdi_laplace *l, const crdi_laplace_block *b, double *out)
{
    const crdi_kernel_table *kernels = crdi_context_kernels(l->ctx);
    int64_t m = b->capacity;
    for (int k = 0; k < l->layers; k++) {
        const crdi_laplace_layer *layer = &l->layer[k];
        if (layer->first < l->first)
            continue;
        for (int64_t i = 0; i <= layer->in; i++)
            for (int64_t j = 0; j < layer->out; j++)
                for (int64_t c = 0; c < l->outputs; c++, out += m)
                    kernels->vector.mul(m, b->input[k] + i * m, b->slope[k] + (c * layer->out + j) * m, out);
    }
}

/* The Jacobian's place is made with the first block, whose capacity is known then. */
static double *jacobian_of(const crdi_laplace *l)
{
    full *s = l->state;
    if (!s->jacobian)
        s->jacobian = crdi_arena_alloc(l->arena, sizeof(double) * (size_t)(l->random * l->outputs * l->block.capacity));
    return s->jacobian;
}

void crdi_full_add(crdi_laplace *l, const crdi_laplace_block *b)
{
    const crdi_kernel_table *kernels = crdi_context_kernels(l->ctx);
    full *s = l->state;
    int64_t n = l->random, depth = l->outputs * b->capacity;
    double *jacobian = jacobian_of(l);
    if (!jacobian)
        return;
    read_jacobian(l, b, jacobian);
    for (int64_t r = 0; r < n; r += TOGETHER) {
        int64_t high = r + TOGETHER < n ? TOGETHER : n - r, wide = r + high;
        crdi_dense_multiply_nt(l, jacobian + r * depth, jacobian, high, wide, depth, s->strip);
        for (int64_t i = 0; i < high; i++)
            kernels->vector.add(r + i + 1, s->strip + i * wide, s->sum + (r + i) * n, s->sum + (r + i) * n);
    }
}

void crdi_full_end(crdi_laplace *l)
{
    (void)l;
}

/* trace of H^-1 P = sum of precision times the squared columns of L^-1. */
static void find_traces(crdi_laplace *l)
{
    full *s = l->state;
    int64_t n = l->random;
    crdi_dense_inverse_lower(l, s->lower, n, s->inverse);
    s->inverted = true;
    memset(s->strip, 0, sizeof *s->strip * (size_t)n);
    for (int64_t r = 0; r < n; r++)
        for (int64_t c = 0; c <= r; c++)
            s->strip[c] += s->inverse[r * n + c] * s->inverse[r * n + c];
    for (int g = 0; g < l->groups; g++)
        l->trace[g] = 0;
    for (int k = 0; k < l->layers; k++)
        for (int64_t i = l->layer[k].first; i < l->layer[k].first + l->layer[k].size; i++)
            if (i >= l->first)
                l->trace[l->layer[k].group] += l->factor[l->layer[k].group] * l->precision[i] * s->strip[i - l->first];
}

bool crdi_full_solve(crdi_laplace *l, bool traces)
{
    full *s = l->state;
    int64_t n = l->random;
    s->inverted = false;
    for (int64_t r = 0; r < n; r++)
        for (int64_t c = 0; c <= r; c++)
            s->lower[r * n + c] = l->curvature * s->sum[r * n + c];
    for (int k = 0; k < l->layers; k++)
        for (int64_t i = l->layer[k].first; i < l->layer[k].first + l->layer[k].size; i++)
            if (i >= l->first)
                s->lower[(i - l->first) * (n + 1)] += l->factor[l->layer[k].group] * l->precision[i];
    if (!crdi_dense_cholesky(l, s->lower, n))
        return false;
    l->log_det = 0;
    for (int64_t i = 0; i < n; i++)
        l->log_det += 2 * log(s->lower[i * n + i]);
    if (traces)
        find_traces(l);
    return true;
}

/* out = L^-1 g. */
void crdi_full_whiten(const crdi_laplace *l, const double *g, double *out)
{
    const full *s = l->state;
    const crdi_kernel_table *kernels = crdi_context_kernels(l->ctx);
    for (int64_t r = 0; r < l->random; r++)
        out[r] = kernels->vector.dot(r + 1, s->inverse + r * l->random, g);
}

/* out = L'^-1 z. */
void crdi_full_unwhiten(const crdi_laplace *l, const double *z, double *out)
{
    const full *s = l->state;
    const crdi_kernel_table *kernels = crdi_context_kernels(l->ctx);
    memset(out, 0, sizeof *out * (size_t)l->random);
    for (int64_t r = 0; r < l->random; r++)
        kernels->vector.axpy(r + 1, z[r], s->inverse + r * l->random, out, out);
}

void crdi_full_draw(const crdi_laplace *l, const double *noise, double *delta)
{
    const full *s = l->state;
    if (s->inverted)
        crdi_full_unwhiten(l, noise, delta);
    else
        crdi_dense_solve(l, s->lower, true, noise, l->random, 1, delta);
}

/* With V = L^-1 J', the variance is V'V, row by row. */
crd_status crdi_full_variance(const crdi_laplace *l, crdi_laplace_block *b, double *out)
{
    const full *s = l->state;
    int64_t n = l->random, m = b->capacity, q = l->outputs;
    double *v = jacobian_of(l);
    if (!v)
        return CRD_ENOMEM;
    read_jacobian(l, b, v);
    crdi_dense_solve(l, s->lower, false, v, n, q * m, v);
    memset(out, 0, sizeof *out * (size_t)(m * q * q));
    for (int64_t p = 0; p < n; p++)
        for (int64_t c = 0; c < q; c++)
            for (int64_t d = 0; d < q; d++)
                for (int64_t i = 0; i < b->rows; i++)
                    out[(i * q + c) * q + d] += v[(p * q + c) * m + i] * v[(p * q + d) * m + i];
    return CRD_OK;
}

const crdi_hessian_type crdi_hessian_full = {.name = "full",
                                             .create = crdi_full_create,
                                             .begin = crdi_full_begin,
                                             .add = crdi_full_add,
                                             .end = crdi_full_end,
                                             .solve = crdi_full_solve,
                                             .draw = crdi_full_draw,
                                             .whiten = crdi_full_whiten,
                                             .unwhiten = crdi_full_unwhiten,
                                             .variance = crdi_full_variance};
