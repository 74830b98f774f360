/* schedule.c - the order of a program's steps.
 *
 * Steps on single numbers (scales, their logs, sums of sums) are many and short: a call for each costs more than its
 * arithmetic. They are put off until something large needs one of them, and then all that wait are done at once, in one
 * call (plan_scalars in compile.c). The order of all other steps stays, so that memory is used as it was planned for. */
#include "graph/graph.h"

#include <string.h>

struct order {
    const crdi_emitter *e;
    int32_t *writers; /* by result (vertices, then scratch areas): the steps that write it */
    bool *waiting; /* whether what stands in a buffer is computed by a step that waits */
    crdi_step *step; /* the new order */
    int64_t count;
    int64_t *queue; /* steps that wait */
    int64_t queued;
};

static int64_t buffer_of(const struct order *o, int32_t operand)
{
    return crdi_buffer_of(o->e, operand);
}

static int64_t result_of(const struct order *o, int32_t operand)
{
    return operand >= 0 ? operand : buffer_of(o, operand);
}

static bool is_single(const struct order *o, const crdi_step *step)
{
    bool element = step->kernel >= 0 && step->kernel <= CRDI_K_select && !step->floats;
    bool converts = step->kernel == CRDI_K_narrow || step->kernel == CRDI_K_widen;
    return (element || converts || (step->kernel == CRDI_K_copy && !step->floats)) && step->call.n[0] == 1 &&
           step->call.n[1] == 1 &&
           (step->out == INT32_MIN || (step->out_offset == 0 && o->writers[result_of(o, step->out)] == 1));
}

static void flush(struct order *o)
{
    for (int64_t i = 0; i < o->queued; i++) {
        const crdi_step *step = &o->e->step[o->queue[i]];
        if (step->out != INT32_MIN)
            o->waiting[buffer_of(o, step->out)] = false;
        o->step[o->count++] = *step;
    }
    o->queued = 0;
}

static bool needs_waiting(const struct order *o, const crdi_step *step)
{
    bool needs = false;
    for (int i = 0; i < crdi_step_reads(step); i++) {
        int32_t operand = crdi_step_read(step, i);
        needs = needs || (operand != INT32_MIN && o->waiting[buffer_of(o, operand)]);
    }
    return needs;
}

static void reorder(struct order *o)
{
    for (int64_t s = 0; s < o->e->count; s++)
        for (int i = 0; i < crdi_step_writes(&o->e->step[s]); i++) {
            int32_t operand = crdi_step_written(&o->e->step[s], i);
            if (operand != INT32_MIN)
                o->writers[result_of(o, operand)]++;
        }
    for (int64_t s = 0; s < o->e->count; s++) {
        crdi_step *step = &o->e->step[s];
        if (s > 0 && step->segment != o->e->step[s - 1].segment)
            flush(o);
        step->single = is_single(o, step);
        if (step->single) {
            o->queue[o->queued++] = s;
            if (step->out != INT32_MIN)
                o->waiting[buffer_of(o, step->out)] = true;
            continue;
        }
        if (needs_waiting(o, step))
            flush(o);
        o->step[o->count++] = *step;
    }
    flush(o);
}

crd_status crdi_order_steps(crdi_emitter *e)
{
    crd_context *ctx = e->graph->ctx;
    int64_t buffers = e->graph->count + e->scratch_count;
    struct order o = {.e = e};
    o.writers = crdi_alloc_array(ctx, buffers + 1, sizeof *o.writers);
    o.waiting = crdi_alloc_array(ctx, buffers + 1, sizeof *o.waiting);
    o.queue = crdi_alloc_array(ctx, e->count + 1, sizeof *o.queue);
    o.step = crdi_alloc_array(ctx, e->count + 1, sizeof *o.step);
    bool room = o.writers && o.waiting && o.queue && o.step;
    if (room) {
        reorder(&o);
        CRDI_ASSERT(o.count == e->count);
        if (e->count > 0)
            memcpy(e->step, o.step, sizeof *o.step * (size_t)e->count);
    }
    crdi_free(ctx, o.writers);
    crdi_free(ctx, o.waiting);
    crdi_free(ctx, o.queue);
    crdi_free(ctx, o.step);
    return room ? CRD_OK : CRD_ENOMEM;
}
