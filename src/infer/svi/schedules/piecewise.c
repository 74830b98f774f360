/* piecewise.c - constant, multiplied by a factor from each of the given steps on. */
#include "infer/svi/optim.h"

#include <math.h>

static const crdi_parameter parameters[] = {
    {"value", NAN, CRDI_VALUE}, {"step", NAN, CRDI_COUNT_POSITIVE}, {"factor", NAN, CRDI_POSITIVE}};

static double factor(const crdi_schedule *s, const crdi_transform_step *step, double count, double *state)
{
    (void)step, (void)state;
    double product = 1;
    for (int i = 1; i + 1 < s->arguments; i += 2)
        if (count >= s->argument[i])
            product *= s->argument[i + 1];
    return product;
}

const crdi_schedule_type crdi_schedule_piecewise = {
    .name = "piecewise",
    .example = "piecewise(0.05,100,0.5,200,0.1)",
    .parameter = parameters,
    .parameters = CRDI_COUNT(parameters),
    .repeat = 2,
    .factor = factor,
};
