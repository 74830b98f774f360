/* sgd.c - the gradient itself, so that only its rate is at work. */
#include "infer/svi/optim.h"

#include <math.h>

static const crdi_parameter parameters[] = {{"rate", NAN, CRDI_RATE}};

const crdi_transform_type crdi_transform_sgd = {
    .name = "sgd",
    .example = "sgd:0.05",
    .parameter = parameters,
    .parameters = CRDI_COUNT(parameters),
};
