/* unit.c - the identity. */
#include "infer/mcmc/metrics/scales.h"

static crd_status create(crdi_metric *m, bool overlapping)
{
    (void)overlapping;
    return crdi_scales_create(m);
}

static void nothing(crdi_metric *m, crdi_archive *archive)
{
    (void)m;
    (void)archive;
}

const crdi_metric_type crdi_metric_unit = {.name = "unit",
                                           .form = 0,
                                           .diagonal = true,
                                           .create = create,
                                           .destroy = crdi_scales_destroy,
                                           .sharpen = crdi_scales_sharpen,
                                           .root = crdi_scales_root,
                                           .root_transposed = crdi_scales_root,
                                           .momentum = crdi_scales_momentum,
                                           .learned = nothing,
                                           .collected = nothing};
