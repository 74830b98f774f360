/* linear.c - a line from value down to alpha times value, over so many steps, then constant (optax's linear_schedule). */
#include "infer/svi/optim.h"

#include <math.h>

static const crdi_parameter parameters[] = {
    {"value", NAN, CRDI_VALUE}, {"steps", NAN, CRDI_COUNT_POSITIVE}, {"alpha", 0, CRDI_SHARE}};

static double factor(const crdi_schedule *s, const crdi_transform_step *step, double count, double *state)
{
    (void)step;
    (void)state;
    double steps = s->argument[1], alpha = s->argument[2];
    double part = count < steps ? count / steps : 1;
    return (1 - alpha) * (1 - part) + alpha;
}

const crdi_schedule_type crdi_schedule_linear = {
    .name = "linear",
    .example = "linear(0.05,500)",
    .parameter = parameters,
    .parameters = CRDI_COUNT(parameters),
    .factor = factor,
};
