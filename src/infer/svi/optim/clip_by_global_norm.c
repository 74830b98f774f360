/* clip_by_global_norm.c - the whole gradient shortened to a norm of at most limit (Pascanu, Mikolov & Bengio 2013,
 * algorithm 1). */
#include "infer/svi/optim.h"

#include <math.h>

static const crdi_parameter parameters[] = {{"limit", NAN, CRDI_POSITIVE}};

static void update(crdi_transform *t, const crdi_transform_step *step, double *restrict u)
{
    double limit = t->argument[0], norm = crdi_norm_raw(step->kernels, step->dim, u);
    if (norm <= limit)
        return;
    double factor = limit / norm;
    for (int64_t i = 0; i < step->dim; i++)
        u[i] *= factor;
}

const crdi_transform_type crdi_transform_clip_by_global_norm = {
    .name = "clip_by_global_norm",
    .example = "clip_by_global_norm:10",
    .parameter = parameters,
    .parameters = CRDI_COUNT(parameters),
    .update = update,
};
