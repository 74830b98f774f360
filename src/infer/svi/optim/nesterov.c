/* nesterov.c - momentum that looks one step ahead (Nesterov 1983, in the form of Sutskever et al. 2013):
 * v = g + decay v, u = g + decay v. */
#include "infer/svi/optim.h"

#include <math.h>

static const crdi_parameter parameters[] = {{"rate", NAN, CRDI_RATE}, {"decay", 0.9, CRDI_DECAY}};

static void update(crdi_transform *t, const crdi_transform_step *step, double *restrict u)
{
    double decay = t->argument[1], *restrict v = crdi_transform_vector(t, step, 0);
    for (int64_t i = 0; i < step->dim; i++) {
        v[i] = u[i] + decay * v[i];
        u[i] = u[i] + decay * v[i];
    }
}

const crdi_transform_type crdi_transform_nesterov = {
    .name = "nesterov",
    .example = "nesterov:0.05:0.9",
    .parameter = parameters,
    .parameters = CRDI_COUNT(parameters),
    .vectors = 1,
    .update = update,
};
