/* progress_chain.c - what a sampler tells of a chain, as what is shown of it. */
#include "report/progress.h"

#include <math.h>

static crdi_phase phase_of(const crd_chain_progress *c, bool ended)
{
    if (c->iteration >= c->total)
        return CRDI_PHASE_DONE;
    if (ended)
        return CRDI_PHASE_STOPPED;
    if (!(c->seconds > 0))
        return CRDI_PHASE_WAITING;
    return c->iteration < c->warmup ? CRDI_PHASE_WARMUP : CRDI_PHASE_SAMPLING;
}

crdi_chain_progress crdi_progress_of(const crd_chain_progress *c, bool ended)
{
    int64_t drawn = c->iteration - c->warmup;
    double gradients = drawn > 0 ? (double)c->sampling_gradients / (double)drawn
                                 : (double)c->gradients / (double)(c->iteration > 0 ? c->iteration : 1);
    /* The time left as if all iterations took what those so far did; too long in warm-up, whose first trees are deep. */
    double made = (double)(c->iteration - c->before), each = made > 0 ? c->seconds / made : NAN;
    return (crdi_chain_progress){.iteration = c->iteration,
                                 .warmup = c->warmup,
                                 .total = c->total,
                                 .phase = phase_of(c, ended),
                                 .step_size = c->step_size,
                                 .gradients = gradients,
                                 .divergences = c->divergences,
                                 .seconds = c->seconds,
                                 .seconds_left = each * (double)(c->total - c->iteration)};
}

crdi_chain_progress crdi_progress_of_fit(const crd_svi_progress *fit)
{
    double each = fit->step > 0 ? fit->seconds / (double)fit->step : NAN;
    crdi_phase phase = fit->ended || fit->step >= fit->total ? CRDI_PHASE_DONE
                       : fit->seconds > 0                    ? CRDI_PHASE_FITTING
                                                             : CRDI_PHASE_WAITING;
    return (crdi_chain_progress){.iteration = fit->step,
                                 .total = fit->total,
                                 .phase = phase,
                                 .fit = true,
                                 .loss = fit->loss,
                                 .held_out = fit->held_out,
                                 .skipped = fit->skipped,
                                 .seconds = fit->seconds,
                                 .seconds_left = each * (double)(fit->total - fit->step)};
}
