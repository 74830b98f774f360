/* hessian_diagonal.c - the diagonal of the matrix: a number a weight. */
#include "infer/laplace/laplace.h"

#include <math.h>
#include <string.h>

typedef struct diagonal {
    double *sum, *h; /* (count) */
} diagonal;

static crd_status create(crdi_laplace *l)
{
    diagonal *s = l->state = crdi_arena_alloc(l->arena, sizeof *s);
    if (!s)
        return CRD_ENOMEM;
    s->sum = crdi_arena_alloc(l->arena, sizeof(double) * (size_t)l->count);
    s->h = crdi_arena_alloc(l->arena, sizeof(double) * (size_t)l->count);
    return s->sum && s->h ? CRD_OK : CRD_ENOMEM;
}

static void begin(crdi_laplace *l)
{
    diagonal *s = l->state;
    memset(s->sum, 0, sizeof *s->sum * (size_t)l->count);
}

static double sum_of_squares(const double *input, const double *slope, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += input[i] * slope[i] * (input[i] * slope[i]);
    return sum;
}

static void add(crdi_laplace *l, const crdi_laplace_block *b)
{
    diagonal *s = l->state;
    int64_t m = b->capacity;
    double *at = s->sum;
    for (int k = 0; k < l->layers; k++)
        for (int64_t i = 0; i <= l->layer[k].in; i++)
            for (int64_t j = 0; j < l->layer[k].out; j++, at++)
                for (int64_t c = 0; c < l->outputs; c++)
                    *at += sum_of_squares(b->input[k] + i * m, b->slope[k] + (c * l->layer[k].out + j) * m, m);
}

static void end(crdi_laplace *l)
{
    (void)l;
}

static bool solve(crdi_laplace *l, bool traces)
{
    diagonal *s = l->state;
    (void)traces;
    l->log_det = 0;
    memset(l->trace, 0, sizeof l->trace);
    for (int k = 0; k < l->layers; k++) {
        double factor = l->factor[l->layer[k].group];
        for (int64_t i = l->layer[k].first; i < l->layer[k].first + l->layer[k].size; i++) {
            s->h[i] = l->curvature * s->sum[i] + factor * l->precision[i];
            l->log_det += log(s->h[i]);
            l->trace[l->layer[k].group] += factor * l->precision[i] / s->h[i];
        }
    }
    return isfinite(l->log_det);
}

static void draw(const crdi_laplace *l, const double *noise, double *delta)
{
    const diagonal *s = l->state;
    for (int64_t i = 0; i < l->count; i++)
        delta[i] = noise[i] / sqrt(s->h[i]);
}

/* The slopes of one weight, all outputs: input squared times slope times slope over h. */
static void add_weight(const crdi_laplace_block *b, int64_t outputs, const double *input, const double *slope,
                       int64_t apart, double h, double *out)
{
    for (int64_t i = 0; i < b->rows; i++)
        for (int64_t c = 0; c < outputs; c++)
            for (int64_t d = 0; d < outputs; d++)
                out[(i * outputs + c) * outputs + d] +=
                    input[i] * input[i] * slope[c * apart + i] * slope[d * apart + i] / h;
}

static crd_status variance(const crdi_laplace *l, crdi_laplace_block *b, double *out)
{
    const diagonal *s = l->state;
    const double *h = s->h;
    int64_t m = b->capacity;
    memset(out, 0, sizeof *out * (size_t)(m * l->outputs * l->outputs));
    for (int k = 0; k < l->layers; k++)
        for (int64_t i = 0; i <= l->layer[k].in; i++)
            for (int64_t j = 0; j < l->layer[k].out; j++)
                add_weight(b, l->outputs, b->input[k] + i * m, b->slope[k] + j * m, l->layer[k].out * m, *h++, out);
    return CRD_OK;
}

const crdi_hessian_type crdi_hessian_diagonal = {.name = "diagonal",
                                                 .create = create,
                                                 .begin = begin,
                                                 .add = add,
                                                 .end = end,
                                                 .solve = solve,
                                                 .draw = draw,
                                                 .variance = variance};
