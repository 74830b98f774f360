/* cosine.c - half a cosine from value down to alpha times value, over so many steps, then constant (Loshchilov &
 * Hutter 2017, equation 5, without restarts). */
#include "infer/svi/optim.h"

#include <math.h>

static const crdi_parameter parameters[] = {
    {"value", NAN, CRDI_VALUE}, {"steps", NAN, CRDI_COUNT_POSITIVE}, {"alpha", 0, CRDI_SHARE}};

static double factor(const crdi_schedule *s, const crdi_transform_step *step, double count, double *state)
{
    (void)state;
    double steps = s->argument[1], alpha = s->argument[2];
    double part = count < steps ? count / steps : 1;
    double cosine = crdi_kernel_value(step->kernels, CRDI_K_cos, 3.14159265358979323846 * part, 0);
    return (1 - alpha) * (0.5 * (1 + cosine)) + alpha;
}

const crdi_schedule_type crdi_schedule_cosine = {
    .name = "cosine",
    .example = "cosine(0.05,500)",
    .parameter = parameters,
    .parameters = CRDI_COUNT(parameters),
    .factor = factor,
};
