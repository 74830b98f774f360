/* clip_by_value.c - each element kept within +-limit. NaN stays NaN. */
#include "infer/svi/optim.h"

#include <math.h>

static const crdi_parameter parameters[] = {{"limit", NAN, CRDI_POSITIVE}};

static void update(crdi_transform *t, const crdi_transform_step *step, double *restrict u)
{
    double limit = t->argument[0];
    for (int64_t i = 0; i < step->dim; i++) {
        double x = u[i] > limit ? limit : u[i];
        u[i] = x < -limit ? -limit : x;
    }
}

const crdi_transform_type crdi_transform_clip_by_value = {
    .name = "clip_by_value",
    .example = "clip_by_value:10",
    .parameter = parameters,
    .parameters = CRDI_COUNT(parameters),
    .update = update,
};
