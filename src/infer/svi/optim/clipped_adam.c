/* clipped_adam.c - Adam of a gradient whose elements are kept within +-limit: clip_by_value, then adam. */
#include "infer/svi/optim.h"

#include <math.h>

static const crdi_parameter parameters[] = {{"rate", NAN, CRDI_RATE},
                                            {"limit", 10, CRDI_POSITIVE},
                                            {"b1", 0.9, CRDI_DECAY},
                                            {"b2", 0.999, CRDI_DECAY},
                                            {"eps", 1e-8, CRDI_POSITIVE}};

static const crdi_transform_part parts[] = {{&crdi_transform_clip_by_value, {1}},
                                            {&crdi_transform_adam, {-1, 2, 3, 4}}};

const crdi_transform_type crdi_transform_clipped_adam = {
    .name = "clipped_adam",
    .example = "clipped_adam:0.01:10",
    .parameter = parameters,
    .parameters = CRDI_COUNT(parameters),
    .part = parts,
    .parts = CRDI_COUNT(parts),
};
