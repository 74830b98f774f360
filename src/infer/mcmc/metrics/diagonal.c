/* diagonal.c - variances of the draws, shrunk as in Stan (crdi_welford_estimate). */
#include "infer/mcmc/metrics/scales.h"

static crd_status create(crdi_metric *m, bool overlapping)
{
    CRD_TRY(crdi_scales_create(m));
    return crdi_scales_collection(m, false, overlapping);
}

static bool renew(crdi_metric *m)
{
    crdi_collection *c = m->state;
    crdi_welford_estimate(&c->draws[0], m->inverse_mass);
    crdi_scales_set(m);
    crdi_scales_measure(m);
    return true;
}

const crdi_metric_type crdi_metric_diagonal = {CRDI_SCALES_TYPE("diagonal"), .create = create, .renew = renew};
