/* svi_state.c - a fit as bytes, and on from there. The bytes are those of this machine: a head, the parameters, the state of
 * the optimiser. The history of the losses is no part of them. */
#include "infer/svi/svi.h"

#include <math.h>
#include <string.h>

enum { VERSION = 1 };

struct head {
    int64_t version, restart, restarts, params;
    int64_t steps, skipped, bad;
    double baseline, final_loss, seconds;
    int64_t all_steps;
    double all_seconds;
    int64_t optimiser; /* bytes */
};

/* What a fit cannot go on from; NULL: it can. */
static const char *obstacle(const crd_svi *svi)
{
    if (svi->guide->part_count == 1 && (svi->fitted || svi->guide->part[0].type->fitted))
        return "guide laplace";
    if (svi->watch)
        return "rows held out";
    if (svi->options.members > 1)
        return "an ensemble";
    return crdi_svi_is_lbfgs(&svi->options) ? "optimizer lbfgs" : NULL;
}

crd_status crdi_svi_can_continue(const crd_svi *svi)
{
    const char *what = obstacle(svi);
    if (!what)
        return CRD_OK;
    return crdi_raise(svi->ctx, CRD_EUNSUPPORTED, "%s: a finished fit of it cannot go on; fit again with more steps",
                      what);
}

/* ---- out ---------------------------------------------------------------------------------------------------- */

size_t crdi_svi_state_size(const crd_svi *svi)
{
    const crdi_svi_run *run = &svi->run[svi->best];
    if (obstacle(svi) || !run->optimiser)
        return 0;
    return sizeof(struct head) + sizeof(double) * (size_t)svi->guide->params +
           crdi_optimiser_state_size(run->optimiser);
}

void crdi_svi_state_save(const crd_svi *svi, void *out)
{
    const crdi_svi_run *run = &svi->run[svi->best];
    size_t params = sizeof(double) * (size_t)svi->guide->params;
    struct head head = {.version = VERSION,
                        .restart = svi->best,
                        .restarts = svi->options.restarts,
                        .params = svi->guide->params,
                        .steps = run->steps,
                        .skipped = run->skipped,
                        .bad = run->bad,
                        .baseline = run->baseline,
                        .final_loss = run->final_loss,
                        .seconds = run->seconds,
                        .all_steps = svi->all_steps,
                        .all_seconds = svi->all_seconds,
                        .optimiser = (int64_t)crdi_optimiser_state_size(run->optimiser)};
    memcpy(out, &head, sizeof head);
    memcpy((char *)out + sizeof head, run->params, params);
    crdi_optimiser_save(run->optimiser, (char *)out + sizeof head + params);
}

/* ---- in ----------------------------------------------------------------------------------------------------- */

static crd_status damaged(const crd_svi *svi, const char *why)
{
    return crdi_raise(svi->ctx, CRD_EDAMAGED, "the state of the fit: %s", why);
}

/* Counts are bytes of a file: each is checked before it is used. */
static crd_status check(const crd_svi *svi, const crdi_svi_saved *saved, struct head *head)
{
    if (saved->size < sizeof *head)
        return damaged(svi, "it is too short");
    memcpy(head, saved->bytes, sizeof *head);
    if (head->version != VERSION)
        return damaged(svi, "it is of another version of credence");
    if (head->params != svi->guide->params || head->optimiser < 0 ||
        saved->size - sizeof *head != sizeof(double) * (size_t)head->params + (size_t)head->optimiser)
        return damaged(svi, "it is of another guide");
    if (head->steps != saved->steps || head->steps < 1)
        return damaged(svi, "it has another number of steps than the losses");
    if (head->restarts != saved->restarts || head->restarts != svi->options.restarts || head->restart < 0 ||
        head->restart >= head->restarts)
        return damaged(svi, "it has another number of restarts than the losses");
    return CRD_OK;
}

static crd_status copy_history(const crd_svi *svi, crdi_svi_run *run, const crdi_svi_saved *saved)
{
    const double *from[] = {saved->loss, saved->divergence, saved->likelihood};
    double **to[] = {&run->loss, &run->divergence, &run->likelihood};
    for (int k = 0; k < 3; k++) {
        *to[k] = crdi_alloc_array(svi->ctx, saved->steps, sizeof(double));
        if (!*to[k])
            return CRD_ENOMEM;
        memcpy(*to[k], from[k], sizeof(double) * (size_t)saved->steps);
    }
    run->steps = run->capacity = saved->steps;
    return CRD_OK;
}

crd_status crdi_svi_state_load(crd_svi *svi, const crdi_svi_saved *saved)
{
    struct head head;
    CRD_TRY(crdi_svi_can_continue(svi));
    CRD_TRY(check(svi, saved, &head));
    crdi_svi_run *run = &svi->run[head.restart];
    const char *state = (const char *)saved->bytes + sizeof head;
    size_t params = sizeof(double) * (size_t)head.params;
    CRD_TRY(crdi_svi_run_open(svi, head.restart));
    memcpy(run->params, state, params);
    if (!saved->new_optimiser)
        CRD_TRY(crdi_optimiser_load(run->optimiser, state + params, (size_t)head.optimiser));
    CRD_TRY(copy_history(svi, run, saved));
    memcpy(svi->final_loss, saved->final_loss, sizeof(double) * (size_t)saved->restarts);
    run->skipped = head.skipped;
    run->bad = head.bad;
    run->baseline = head.baseline;
    run->final_loss = head.final_loss;
    run->seconds = head.seconds;
    svi->best = svi->member[0] = head.restart;
    svi->members = 1;
    svi->all_steps = head.all_steps;
    svi->all_seconds = head.all_seconds;
    return CRD_OK;
}
