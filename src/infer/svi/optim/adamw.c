/* adamw.c - Adam with decoupled weight decay (Loshchilov & Hutter 2019, algorithm 2): adam, then weight_decay. */
#include "infer/svi/optim.h"

#include <math.h>

static const crdi_parameter parameters[] = {{"rate", NAN, CRDI_RATE},
                                            {"weight", 1e-4, CRDI_NON_NEGATIVE},
                                            {"b1", 0.9, CRDI_DECAY},
                                            {"b2", 0.999, CRDI_DECAY},
                                            {"eps", 1e-8, CRDI_POSITIVE}};

static const crdi_transform_part parts[] = {{&crdi_transform_adam, {-1, 2, 3, 4}}, {&crdi_transform_weight_decay, {1}}};

const crdi_transform_type crdi_transform_adamw = {
    .name = "adamw",
    .example = "adamw:0.01:1e-4",
    .parameter = parameters,
    .parameters = CRDI_COUNT(parameters),
    .part = parts,
    .parts = CRDI_COUNT(parts),
};
