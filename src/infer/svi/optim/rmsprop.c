/* rmsprop.c - the gradient over its running root mean square (Tieleman & Hinton 2012): v = (1 - decay) g^2 + decay v,
 * u = g / sqrt(v + eps); v starts at 0 and is not corrected for that. */
#include "infer/svi/optim.h"

#include <math.h>

enum { RATE, DECAY, EPS };
static const crdi_parameter parameters[] = {
    {"rate", NAN, CRDI_RATE}, {"decay", 0.9, CRDI_DECAY}, {"eps", 1e-8, CRDI_POSITIVE}};

static void update(crdi_transform *t, const crdi_transform_step *step, double *restrict u)
{
    double decay = t->argument[DECAY], eps = t->argument[EPS], *restrict v = crdi_transform_vector(t, step, 0);
    for (int64_t i = 0; i < step->dim; i++) {
        v[i] = (1 - decay) * (u[i] * u[i]) + decay * v[i];
        u[i] /= sqrt(v[i] + eps);
    }
}

const crdi_transform_type crdi_transform_rmsprop = {
    .name = "rmsprop",
    .example = "rmsprop:0.01:0.9",
    .parameter = parameters,
    .parameters = CRDI_COUNT(parameters),
    .vectors = 1,
    .update = update,
};
