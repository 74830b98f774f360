/* likelihood.c - the likelihoods that the Gauss-Newton matrix is known for: their log densities, and how they curve in f.
 *
 * Lambda = R'R is minus the second derivative of log p(y | f) in f. It does not depend on y here:
 *     normal, for s = 1     R = 1
 *     bernoulli of a logit  R = sqrt(p (1 - p))
 *     categorical           R = diag(sqrt(p)) (I - 1 p'), for R'R = diag(p) - p p' (Murphy 2012, eq. 8.38)
 * and the weight of a class is a factor of both. */
#include "infer/laplace/laplace.h"

#include <math.h>
#include <string.h>

static const double HALF_LOG_2PI = 0.91893853320467274178;

/* log p(y | f) of one row, for a normal the squared residual; and R (outputs, outputs). */
typedef struct curve {
    const char *likelihood;
    double (*value)(const double *f, int64_t outputs, double y);
    void (*root)(const double *f, int64_t outputs, double *root);
} curve;

static double square(const double *f, int64_t outputs, double y)
{
    (void)outputs;
    return (y - f[0]) * (y - f[0]);
}

static void one(const double *f, int64_t outputs, double *root)
{
    (void)f;
    (void)outputs;
    root[0] = 1;
}

static double log_sigmoid(double z)
{
    return z < 0 ? z - log1p(exp(z)) : -log1p(exp(-z));
}

static double of_two(const double *f, int64_t outputs, double y)
{
    (void)outputs;
    return log_sigmoid(y > 0.5 ? f[0] : -f[0]);
}

static void root_of_two(const double *f, int64_t outputs, double *root)
{
    (void)outputs;
    root[0] = exp(0.5 * (log_sigmoid(f[0]) + log_sigmoid(-f[0])));
}

static double log_sum(const double *f, int64_t outputs)
{
    double most = f[0], sum = 0;
    for (int64_t c = 1; c < outputs; c++)
        most = fmax(most, f[c]);
    for (int64_t c = 0; c < outputs; c++)
        sum += exp(f[c] - most);
    return most + log(sum);
}

static double of_classes(const double *f, int64_t outputs, double y)
{
    return f[(int64_t)y] - log_sum(f, outputs);
}

static void root_of_classes(const double *f, int64_t outputs, double *root)
{
    double log_all = log_sum(f, outputs);
    for (int64_t r = 0; r < outputs; r++) {
        double part = exp(0.5 * (f[r] - log_all));
        for (int64_t c = 0; c < outputs; c++)
            root[r * outputs + c] = part * ((r == c) - exp(f[c] - log_all));
    }
}

static const curve curves[] = {
    {"normal", square, one}, {"bernoulli", of_two, root_of_two}, {"categorical", of_classes, root_of_classes}};

static const curve *find(const char *likelihood)
{
    for (int i = 0; i < CRDI_COUNT(curves); i++)
        if (strcmp(curves[i].likelihood, likelihood) == 0)
            return &curves[i];
    return NULL;
}

bool crdi_laplace_supports(const char *likelihood)
{
    return find(likelihood) != NULL;
}

static void row_of(const crdi_laplace *l, int64_t row, double *f)
{
    for (int64_t c = 0; c < l->outputs; c++)
        f[c] = l->block.f[c * l->block.capacity + row];
}

/* What the row counts: 1, or the weight of its class. */
static double weight_of(const crdi_laplace *l, double y)
{
    return l->network.class_weight ? l->network.class_weight[(int64_t)y] : 1;
}

void crdi_laplace_likelihood(crdi_laplace *l, const double *y)
{
    const curve *kind = find(l->likelihood->name);
    double f[CRDI_LAPLACE_OUTPUTS], sum = 0;
    for (int64_t i = 0; i < l->block.rows; i++) {
        row_of(l, i, f);
        sum += weight_of(l, y[i]) * kind->value(f, l->outputs, y[i]);
    }
    if (l->likelihood->noisy)
        l->squares += sum;
    else
        l->log_likelihood += sum;
}

double crdi_laplace_log_likelihood(const crdi_laplace *l)
{
    if (!l->likelihood->noisy)
        return l->log_likelihood;
    return -(double)l->rows * (HALF_LOG_2PI + log(l->noise)) - 0.5 * l->curvature * l->squares;
}

/* The slopes of one unit in one row, by output, times R. */
static void weigh_unit(const crdi_laplace *l, const double *root, double *slope, int64_t apart)
{
    double before[CRDI_LAPLACE_OUTPUTS];
    for (int64_t c = 0; c < l->outputs; c++)
        before[c] = slope[c * apart];
    for (int64_t r = 0; r < l->outputs; r++) {
        double sum = 0;
        for (int64_t c = 0; c < l->outputs; c++)
            sum += root[r * l->outputs + c] * before[c];
        slope[r * apart] = sum;
    }
}

void crdi_laplace_weigh(crdi_laplace *l, const double *y)
{
    const curve *kind = find(l->likelihood->name);
    crdi_laplace_block *b = &l->block;
    double f[CRDI_LAPLACE_OUTPUTS];
    if (l->likelihood->noisy)
        return; /* R is 1 */
    for (int64_t i = 0; i < b->rows; i++) {
        row_of(l, i, f);
        kind->root(f, l->outputs, l->root);
        for (int64_t k = 0; k < l->outputs * l->outputs; k++)
            l->root[k] *= sqrt(weight_of(l, y[i]));
        for (int k = 0; k < l->layers; k++)
            for (int64_t j = 0; j < l->layer[k].out; j++)
                weigh_unit(l, l->root, b->slope[k] + j * b->capacity + i, l->layer[k].out * b->capacity);
    }
}
