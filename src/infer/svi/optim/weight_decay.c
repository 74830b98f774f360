/* weight_decay.c - adds weight * params: before a scaling it is a ridge penalty, after one it is decoupled from it
 * (Loshchilov & Hutter 2019). */
#include "infer/svi/optim.h"

#include <math.h>

static const crdi_parameter parameters[] = {{"weight", NAN, CRDI_NON_NEGATIVE}};

static void update(crdi_transform *t, const crdi_transform_step *step, double *restrict u)
{
    double weight = t->argument[0];
    for (int64_t i = 0; i < step->dim; i++)
        u[i] += weight * step->params[i];
}

const crdi_transform_type crdi_transform_weight_decay = {
    .name = "weight_decay",
    .example = "weight_decay:1e-4",
    .parameter = parameters,
    .parameters = CRDI_COUNT(parameters),
    .update = update,
};
