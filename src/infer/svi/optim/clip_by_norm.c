/* clip_by_norm.c - the gradient of each parameter block shortened to a norm of at most limit. */
#include "infer/svi/optim.h"

#include <math.h>

static const crdi_parameter parameters[] = {{"limit", NAN, CRDI_POSITIVE}};

static void update(crdi_transform *t, const crdi_transform_step *step, double *restrict u)
{
    double limit = t->argument[0], *x = u;
    for (int64_t b = 0; b < step->blocks; x += step->block[b++]) {
        double norm = crdi_norm_raw(step->kernels, step->block[b], x);
        if (norm <= limit)
            continue;
        double factor = limit / norm;
        for (int64_t i = 0; i < step->block[b]; i++)
            x[i] *= factor;
    }
}

const crdi_transform_type crdi_transform_clip_by_norm = {
    .name = "clip_by_norm",
    .example = "clip_by_norm:10",
    .parameter = parameters,
    .parameters = CRDI_COUNT(parameters),
    .update = update,
};
