/* fisher.c - the diagonal under which draws and gradients of the log density spread alike (crdi_welford_fisher). */
#include "infer/mcmc/metrics/scales.h"

static crd_status create(crdi_metric *m, bool overlapping)
{
    CRD_TRY(crdi_scales_create(m));
    return crdi_scales_collection(m, true, overlapping);
}

static bool renew(crdi_metric *m)
{
    crdi_collection *c = m->state;
    crdi_welford_fisher(&c->draws[0], &c->slopes[0], m->inverse_mass);
    crdi_scales_set(m);
    crdi_scales_measure(m);
    return true;
}

const crdi_metric_type crdi_metric_fisher = {CRDI_SCALES_TYPE("fisher"), .create = create, .renew = renew};
