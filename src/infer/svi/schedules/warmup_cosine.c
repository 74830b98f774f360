/* warmup_cosine.c - a line from 0 up to value over `warmup` steps, then half a cosine down to alpha times value over
 * `steps` steps more. */
#include "infer/svi/optim.h"

#include <math.h>

enum { VALUE, WARMUP, STEPS, ALPHA };
static const crdi_parameter parameters[] = {{"value", NAN, CRDI_VALUE},
                                            {"warmup", NAN, CRDI_COUNT_POSITIVE},
                                            {"steps", NAN, CRDI_COUNT_POSITIVE},
                                            {"alpha", 0, CRDI_SHARE}};

static double factor(const crdi_schedule *s, const crdi_transform_step *step, double count, double *state)
{
    double warmup = s->argument[WARMUP];
    if (count < warmup)
        return count / warmup;
    crdi_schedule rest = {.argument = {s->argument[VALUE], s->argument[STEPS], s->argument[ALPHA]}, .arguments = 3};
    return crdi_schedule_cosine.factor(&rest, step, count - warmup, state);
}

const crdi_schedule_type crdi_schedule_warmup_cosine = {
    .name = "warmup_cosine",
    .example = "warmup_cosine(0.05,20,500)",
    .parameter = parameters,
    .parameters = CRDI_COUNT(parameters),
    .factor = factor,
};
