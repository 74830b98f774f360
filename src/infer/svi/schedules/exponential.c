/* exponential.c - value factor^(t / steps): multiplied by factor every so many steps, smoothly. */
#include "infer/svi/optim.h"

#include <math.h>

static const crdi_parameter parameters[] = {
    {"value", NAN, CRDI_VALUE}, {"steps", NAN, CRDI_COUNT_POSITIVE}, {"factor", NAN, CRDI_POSITIVE}};

static double factor(const crdi_schedule *s, const crdi_transform_step *step, double count, double *state)
{
    (void)state;
    return crdi_kernel_value(step->kernels, CRDI_K_pow_vv, s->argument[2], count / s->argument[1]);
}

const crdi_schedule_type crdi_schedule_exponential = {
    .name = "exponential",
    .example = "exponential(0.05,100,0.5)",
    .parameter = parameters,
    .parameters = CRDI_COUNT(parameters),
    .factor = factor,
};
