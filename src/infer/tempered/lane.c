/* lane.c - see tempered.h: states on their way out, and back. */
#include "infer/tempered/tempered.h"

enum { STATE_VERSION = 1 };

bool crdi_lane_is_kept(const crdi_lane *lane)
{
    return lane->t->sink && lane->t->sink->state;
}

static void whole_state(crdi_lane *lane, crdi_archive *a)
{
    crdi_archive_same(a, STATE_VERSION, "version of credence");
    crdi_archive_same(a, lane->number, "run");
    lane->state(lane->user, a);
}

crd_status crdi_lane_keep(crdi_lane *lane, crdi_sampler_state cost)
{
    const crdi_tempered *t = lane->t;
    double now = crdi_seconds() - t->begun;
    if (!crdi_lane_is_kept(lane))
        return CRD_OK;
    crdi_archive_write(&lane->archive, t->ctx);
    whole_state(lane, &lane->archive);
    CRD_TRY(lane->archive.status);
    cost.bytes = lane->archive.bytes;
    cost.size = lane->archive.size;
    if (lane->number == t->options.chains)
        cost.warmup_seconds = now + (t->before ? t->before->warmup_seconds : 0);
    else
        cost.sampling_seconds = now + (t->before ? t->before->sampling_seconds : 0);
    return t->sink->state(t->sink->user, (int)lane->number, &cost);
}

crd_status crdi_lane_load(crdi_lane *lane, bool *found)
{
    const crdi_mcmc_before *before = lane->t->before;
    const crdi_mcmc_saved *saved = before && before->chain ? &before->chain[lane->number] : NULL;
    crdi_archive archive;
    *found = saved && saved->bytes;
    if (!*found)
        return CRD_OK;
    crdi_archive_read(&archive, lane->t->ctx, saved->bytes, saved->size);
    whole_state(lane, &archive);
    return crdi_archive_end(&archive);
}

void crdi_lane_clear(crdi_lane *lane)
{
    crdi_archive_clear(&lane->archive);
}
