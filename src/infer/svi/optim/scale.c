/* scale.c - multiplied by a number or a schedule. Also what the rate of an optimiser becomes, with sign -1. */
#include "infer/svi/optim.h"

#include <math.h>

static const crdi_parameter parameters[] = {{"factor", NAN, CRDI_FACTOR}};

/* The state: steps made, then that of the schedule. */
static void init(crdi_transform *t, int64_t dim)
{
    (void)dim;
    if (t->schedule.type->init)
        t->schedule.type->init(t->state + 1);
}

static void update(crdi_transform *t, const crdi_transform_step *step, double *restrict u)
{
    const crdi_schedule *s = &t->schedule;
    double factor = t->sign * s->argument[0] * s->type->factor(s, step, t->state[0], t->state + 1);
    t->state[0] += 1;
    for (int64_t i = 0; i < step->dim; i++)
        u[i] *= factor;
}

const crdi_transform_type crdi_transform_scale = {
    .name = "scale",
    .example = "scale:-0.01",
    .parameter = parameters,
    .parameters = CRDI_COUNT(parameters),
    .scalars = 1 + CRDI_SCHEDULE_STATE,
    .init = init,
    .update = update,
};
