/* warmup.c - a line from 0 at the first step up to value, over so many steps, then constant. */
#include "infer/svi/optim.h"

#include <math.h>

static const crdi_parameter parameters[] = {{"value", NAN, CRDI_VALUE}, {"steps", NAN, CRDI_COUNT_POSITIVE}};

static double factor(const crdi_schedule *s, const crdi_transform_step *step, double count, double *state)
{
    (void)step, (void)state;
    return count < s->argument[1] ? count / s->argument[1] : 1;
}

const crdi_schedule_type crdi_schedule_warmup = {
    .name = "warmup",
    .example = "warmup(0.05,20)",
    .parameter = parameters,
    .parameters = CRDI_COUNT(parameters),
    .factor = factor,
};
