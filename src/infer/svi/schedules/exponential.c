/* exponential.c - value factor^(t / steps): multiplied by factor every so many steps, smoothly.
 *
 * t / steps is rounded to single precision, as optax 0.2.8 has it (its counter is an integer of 32 bits): paths then
 * agree with optax's to 1e-10, and only to 1e-8 with an exact quotient. The rate is off by at most 6e-8 |log(factor)| of
 * itself for each `steps` steps. */
#include "infer/svi/optim.h"

#include <math.h>

static const crdi_parameter parameters[] = {
    {"value", NAN, CRDI_VALUE}, {"steps", NAN, CRDI_COUNT_POSITIVE}, {"factor", NAN, CRDI_POSITIVE}};

static double factor(const crdi_schedule *s, const crdi_transform_step *step, double count, double *state)
{
    (void)state;
    float exponent = (float)(count / s->argument[1]);
    return crdi_kernel_value(step->kernels, CRDI_K_pow_vv, s->argument[2], exponent);
}

const crdi_schedule_type crdi_schedule_exponential = {
    .name = "exponential",
    .example = "exponential(0.05,100,0.5)",
    .parameter = parameters,
    .parameters = CRDI_COUNT(parameters),
    .factor = factor,
};
