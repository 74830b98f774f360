/* scale_by_adam.c - adam without a rate, under optax's name: the direction, for a chain that ends in a scale. */
#include "infer/svi/optim.h"

static const crdi_parameter parameters[] = {
    {"b1", 0.9, CRDI_DECAY}, {"b2", 0.999, CRDI_DECAY}, {"eps", 1e-8, CRDI_POSITIVE}};

static const crdi_transform_part parts[] = {{&crdi_transform_adam, {-1, 0, 1, 2}}};

const crdi_transform_type crdi_transform_scale_by_adam = {
    .name = "scale_by_adam",
    .example = "scale_by_adam:0.9:0.99",
    .parameter = parameters,
    .parameters = CRDI_COUNT(parameters),
    .part = parts,
    .parts = CRDI_COUNT(parts),
};
