/* adagrad.c - the gradient over the root of the sum of its squares so far (Duchi, Hazan & Singer 2011, sec. 1.1): the
 * sum starts at `start`, u = g / sqrt(sum + eps). */
#include "infer/svi/optim.h"

#include <math.h>

enum { RATE, START, EPS };
static const crdi_parameter parameters[] = {
    {"rate", NAN, CRDI_RATE}, {"start", 0.1, CRDI_NON_NEGATIVE}, {"eps", 1e-7, CRDI_POSITIVE}};

static void init(crdi_transform *t, int64_t dim)
{
    for (int64_t i = 0; i < dim; i++)
        t->state[i] = t->argument[START];
}

static void update(crdi_transform *t, const crdi_transform_step *step, double *restrict u)
{
    double eps = t->argument[EPS], *restrict sum = crdi_transform_vector(t, step, 0);
    for (int64_t i = 0; i < step->dim; i++) {
        sum[i] += u[i] * u[i];
        u[i] /= sqrt(sum[i] + eps);
    }
}

const crdi_transform_type crdi_transform_adagrad = {
    .name = "adagrad",
    .example = "adagrad:0.5",
    .parameter = parameters,
    .parameters = CRDI_COUNT(parameters),
    .vectors = 1,
    .init = init,
    .update = update,
};
