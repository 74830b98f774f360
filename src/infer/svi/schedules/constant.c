/* constant.c - always the same. What a number in place of a schedule becomes. */
#include "infer/svi/optim.h"

#include <math.h>

static const crdi_parameter parameters[] = {{"value", NAN, CRDI_VALUE}};

static double factor(const crdi_schedule *s, const crdi_transform_step *step, double count, double *state)
{
    (void)s, (void)step, (void)count, (void)state;
    return 1;
}

const crdi_schedule_type crdi_schedule_constant = {
    .name = "constant",
    .example = "constant(0.05)",
    .parameter = parameters,
    .parameters = CRDI_COUNT(parameters),
    .factor = factor,
};
