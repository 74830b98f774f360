/* hessian_kronecker.c - a layer by itself, as a product of two small matrices (Martens & Grosse 2015, sec. 3; Ritter, Botev &
 * Barber 2018).
 *
 * With a row's input a (a 1 behind it, for the bias) and b = R df/dz, the layer's part of the sum over n rows is taken as
 *     sum of (a a') x (b b')  ~  (1/n) (sum of a a') x (sum of b b'),
 * which is exact for one row. The prior's precision is the same for all weights of one input, say q_i: with weights in units
 * of 1 / sqrt(q), a_i / sqrt(q_i) takes the place of a_i and the prior becomes a multiple of the identity, which the
 * eigenvectors U x V of the product leave as it is. H then has the eigenvalues
 *     (curvature / n) alpha_k beta_m + factor      (Immer et al. 2021, sec. 4). */
#include "infer/eigen.h"
#include "infer/laplace/laplace.h"

#include <math.h>
#include <string.h>

typedef struct part {
    double *inputs, *outputs; /* (in + 1, in + 1), (out, out) sums, overwritten by eigenvectors' making */
    double *alpha, *beta, *u, *v; /* eigenvalues, eigenvectors as columns */
    double *root; /* (in + 1) sqrt(q) */
    double *work; /* (in + 1, out), (in + 1, in + 1) or (out, out): the largest; and (outputs, out, capacity) */
} part;

enum { MOST_SIDE = 1500 };

static crd_status create_part(crdi_laplace *l, const crdi_laplace_layer *layer, part *p)
{
    int64_t in = layer->in + 1, out = layer->out;
    const struct {
        double **array;
        int64_t size;
    } array[] = {
        {&p->inputs, in * in}, {&p->outputs, out * out}, {&p->alpha, in}, {&p->beta, out},
        {&p->u, in * in},      {&p->v, out * out},       {&p->root, in},  {&p->work, in * (in + out) + out * out}};
    if (in > MOST_SIDE || out > MOST_SIDE)
        return crdi_raise(
            l->ctx, CRD_EINVAL,
            "hessian kronecker: a layer with %lld inputs and %lld units; up to %d of each are taken, --hessian "
            "diagonal goes further",
            (long long)layer->in, (long long)out, MOST_SIDE);
    for (int i = 0; i < CRDI_COUNT(array); i++)
        if (!(*array[i].array = crdi_arena_alloc(l->arena, sizeof(double) * (size_t)array[i].size)))
            return CRD_ENOMEM;
    return CRD_OK;
}

static crd_status create(crdi_laplace *l)
{
    part *parts = l->state = crdi_arena_alloc(l->arena, sizeof *parts * (size_t)l->layers);
    if (!parts)
        return CRD_ENOMEM;
    if (!l->normal_priors)
        return crdi_raise(
            l->ctx, CRD_EUNSUPPORTED,
            "hessian kronecker needs normal priors: the curvature of others differs from weight to weight");
    for (int k = 0; k < l->layers; k++)
        CRD_TRY(create_part(l, &l->layer[k], &parts[k]));
    return CRD_OK;
}

/* ---- the sum over rows -------------------------------------------------------------------------------------- */

static void begin(crdi_laplace *l)
{
    part *parts = l->state;
    for (int k = 0; k < l->layers; k++) {
        int64_t in = l->layer[k].in + 1, out = l->layer[k].out;
        memset(parts[k].inputs, 0, sizeof(double) * (size_t)(in * in));
        memset(parts[k].outputs, 0, sizeof(double) * (size_t)(out * out));
    }
}

/* sum += x x' over the block's rows: x (n, capacity), of which `rows` count. */
static void add_products(const double *x, int64_t n, int64_t capacity, int64_t rows, double *sum)
{
    for (int64_t r = 0; r < n; r++)
        for (int64_t c = 0; c <= r; c++) {
            double dot = 0;
            for (int64_t i = 0; i < rows; i++)
                dot += x[r * capacity + i] * x[c * capacity + i];
            sum[r * n + c] += dot;
            if (c < r)
                sum[c * n + r] += dot;
        }
}

static void add(crdi_laplace *l, const crdi_laplace_block *b)
{
    part *parts = l->state;
    for (int k = 0; k < l->layers; k++) {
        int64_t in = l->layer[k].in + 1, out = l->layer[k].out;
        add_products(b->input[k], in, b->capacity, b->rows, parts[k].inputs);
        for (int64_t c = 0; c < l->outputs; c++)
            add_products(b->slope[k] + c * out * b->capacity, out, b->capacity, b->rows, parts[k].outputs);
    }
}

static void end(crdi_laplace *l)
{
    part *parts = l->state;
    for (int k = 0; k < l->layers; k++) {
        part *p = &parts[k];
        int64_t in = l->layer[k].in + 1, out = l->layer[k].out;
        for (int64_t i = 0; i < in; i++)
            p->root[i] = sqrt(l->precision[l->layer[k].first + i * out]);
        for (int64_t i = 0; i < in; i++)
            for (int64_t j = 0; j < in; j++)
                p->inputs[i * in + j] /= p->root[i] * p->root[j];
        crdi_eigen(p->inputs, in, p->alpha, p->u);
        crdi_eigen(p->outputs, out, p->beta, p->v);
        for (int64_t i = 0; i < in; i++)
            p->alpha[i] = fmax(p->alpha[i], 0) / (double)l->rows; /* below 0 by rounding only */
        for (int64_t j = 0; j < out; j++)
            p->beta[j] = fmax(p->beta[j], 0);
    }
}

/* ---- H ------------------------------------------------------------------------------------------------------ */

static double eigenvalue(const crdi_laplace *l, int k, int64_t i, int64_t j)
{
    const part *p = (const part *)l->state + k;
    return l->curvature * p->alpha[i] * p->beta[j] + l->factor[l->layer[k].group];
}

static bool solve(crdi_laplace *l, bool traces)
{
    const part *parts = l->state;
    (void)traces;
    l->log_det = 0;
    memset(l->trace, 0, sizeof l->trace);
    for (int k = 0; k < l->layers; k++)
        for (int64_t i = 0; i <= l->layer[k].in; i++) {
            l->log_det += 2 * (double)l->layer[k].out * log(parts[k].root[i]);
            for (int64_t j = 0; j < l->layer[k].out; j++) {
                double value = eigenvalue(l, k, i, j);
                l->log_det += log(value);
                l->trace[l->layer[k].group] += l->factor[l->layer[k].group] / value;
            }
        }
    return isfinite(l->log_det);
}

/* U (noise / sqrt(eigenvalues)) V', back in the weights' own units. */
static void draw(const crdi_laplace *l, const double *noise, double *delta)
{
    const part *parts = l->state;
    for (int k = 0; k < l->layers; k++) {
        const part *p = &parts[k];
        int64_t in = l->layer[k].in + 1, out = l->layer[k].out, first = l->layer[k].first;
        double *scaled = delta + first, *half = p->work;
        for (int64_t i = 0; i < in; i++)
            for (int64_t j = 0; j < out; j++)
                scaled[i * out + j] = noise[first + i * out + j] / sqrt(eigenvalue(l, k, i, j));
        crdi_dense_multiply(l, p->u, false, scaled, in, out, in, half);
        crdi_dense_multiply_nt(l, half, p->v, in, out, out, scaled);
        for (int64_t i = 0; i < in; i++)
            for (int64_t j = 0; j < out; j++)
                scaled[i * out + j] /= p->root[i];
    }
}

/* ---- predictions -------------------------------------------------------------------------------------------- */

/* The part of one layer in one row: sum over i, j of (U'a)_i^2 (V'b_c)_j (V'b_d)_j / eigenvalue. */
static void add_row(const crdi_laplace *l, int k, const double *a, const double *b, int64_t apart, int64_t capacity,
                    double *out)
{
    int64_t units = l->layer[k].out, q = l->outputs;
    for (int64_t j = 0; j < units; j++) {
        double sum = 0;
        for (int64_t i = 0; i <= l->layer[k].in; i++)
            sum += a[i * capacity] * a[i * capacity] / eigenvalue(l, k, i, j);
        for (int64_t c = 0; c < q; c++)
            for (int64_t d = 0; d < q; d++)
                out[c * q + d] += sum * b[c * apart + j * capacity] * b[d * apart + j * capacity];
    }
}

static crd_status turn(const crdi_laplace *l, int k, crdi_laplace_block *b)
{
    const part *p = (const part *)l->state + k;
    int64_t in = l->layer[k].in + 1, out = l->layer[k].out, m = b->capacity, most = in > out ? in : out;
    double *work = crdi_alloc_array(l->ctx, most * m, sizeof *work);
    if (!work)
        return CRD_ENOMEM;
    for (int64_t i = 0; i < in; i++)
        for (int64_t n = 0; n < m; n++)
            b->input[k][i * m + n] /= p->root[i];
    crdi_dense_multiply(l, p->u, true, b->input[k], in, m, in, work);
    memcpy(b->input[k], work, sizeof *work * (size_t)(in * m));
    for (int64_t c = 0; c < l->outputs; c++) {
        crdi_dense_multiply(l, p->v, true, b->slope[k] + c * out * m, out, m, out, work);
        memcpy(b->slope[k] + c * out * m, work, sizeof *work * (size_t)(out * m));
    }
    crdi_free(l->ctx, work);
    return CRD_OK;
}

static crd_status variance(const crdi_laplace *l, crdi_laplace_block *b, double *out)
{
    int64_t m = b->capacity, square = l->outputs * l->outputs;
    crd_status status = CRD_OK;
    memset(out, 0, sizeof *out * (size_t)(m * square));
    for (int k = 0; k < l->layers && status == CRD_OK; k++) {
        status = turn(l, k, b);
        for (int64_t n = 0; n < b->rows && status == CRD_OK; n++)
            add_row(l, k, b->input[k] + n, b->slope[k] + n, l->layer[k].out * m, m, out + n * square);
        for (int64_t n = 0; n < m; n++) /* the next block finds its 1 again */
            b->input[k][l->layer[k].in * m + n] = 1;
    }
    return status;
}

const crdi_hessian_type crdi_hessian_kronecker = {.name = "kronecker",
                                                  .create = create,
                                                  .begin = begin,
                                                  .add = add,
                                                  .end = end,
                                                  .solve = solve,
                                                  .draw = draw,
                                                  .variance = variance};
