/* emit.c - the steps that an operation is lowered to, and those of one node carried out at once. */
#include "graph/plan.h"

#include <string.h>

crdi_step *crdi_emit_fn(crdi_emitter *e, crdi_kernel_fn fn, const char *label, const int32_t *in, int count)
{
    crd_context *ctx = e->graph->ctx;
    if (e->status < 0 || (e->status = crdi_grow(ctx, &e->step, &e->capacity, e->count, sizeof *e->step)) < 0)
        return NULL;
    crdi_step *step = &e->step[e->count++];
    memset(step, 0, sizeof *step);
    step->call.fn = fn;
    step->kernel = -1;
    step->label = label;
    step->out = step->vertex = e->vertex;
    step->in_place = e->graph->vertex[e->vertex]->op->in_place;
    for (int i = 0; i < 5; i++)
        step->in[i] = i < count ? in[i] : INT32_MIN;
    for (int i = 0; i < CRDI_COUNT(step->more); i++)
        step->more[i] = INT32_MIN;
    return step;
}

void crdi_step_set_kernel(const crdi_emitter *e, crdi_step *step, int kernel)
{
    const crdi_kernel_table *table = crdi_context_kernels(e->graph->ctx);
    step->kernel = kernel;
    step->label = crdi_kernel_name((enum crdi_kernel)kernel);
    step->call.fn = step->floats ? table->single[kernel] : table->kernel[kernel];
    CRDI_ASSERT(step->call.fn);
}

static bool is_floats(const crdi_emitter *e, int32_t operand)
{
    return operand < 0 ? e->scratch[-1 - operand].floats : e->graph->vertex[operand]->floats;
}

crdi_step *crdi_emit(crdi_emitter *e, int kernel, const int32_t *in, int count)
{
    crdi_step *step = crdi_emit_fn(e, NULL, NULL, in, count);
    if (step) {
        step->floats = kernel == CRDI_K_narrow || is_floats(e, count > 0 ? in[0] : e->vertex);
        step->call.n[1] = 1;
        crdi_step_set_kernel(e, step, kernel);
    }
    return step;
}

int32_t crdi_emit_scratch(crdi_emitter *e, int64_t size)
{
    if (e->status < 0 || (e->status = crdi_grow(e->graph->ctx, &e->scratch, &e->scratch_capacity, e->scratch_count,
                                                sizeof *e->scratch)) < 0)
        return -1;
    e->scratch[e->scratch_count++] = (crdi_scratch){size, e->graph->vertex[e->vertex]->floats};
    return (int32_t)-e->scratch_count; /* -1 - k */
}

const crdi_view *crdi_emit_view(crdi_emitter *e, const crdi_view *view)
{
    crdi_view *copy = crdi_arena_alloc(e->arena, sizeof *copy);
    if (!copy) {
        e->status = CRD_ENOMEM;
        return view;
    }
    *copy = *view;
    return copy;
}

int crdi_step_reads(const crdi_step *step)
{
    return step->chain ? step->chain->reads : CRDI_COUNT(step->in);
}

int32_t crdi_step_read(const crdi_step *step, int i)
{
    return step->chain ? step->chain->read[i] : step->in[i];
}

int crdi_step_writes(const crdi_step *step)
{
    return step->chain ? step->chain->writes : 1 + CRDI_COUNT(step->more);
}

int32_t crdi_step_written(const crdi_step *step, int i)
{
    return step->chain ? step->chain->written[i] : i == 0 ? step->out : step->more[i - 1];
}

void crdi_emitter_clear(crdi_emitter *e)
{
    crdi_free(e->graph->ctx, e->step);
    crdi_free(e->graph->ctx, e->scratch);
    crdi_free(e->graph->ctx, e->base);
    crdi_free(e->graph->ctx, e->at);
}

/* ---- one node at once --------------------------------------------------------------------------------------- */

static crd_status run_step(crdi_emitter *e, crdi_step *step, double *out, double **scratch)
{
    crdi_call call = step->call;
    call.out = (step->out < 0 ? scratch[-1 - step->out] : out) + step->out_offset;
    for (int i = 0; i < 5 && step->in[i] != INT32_MIN; i++)
        call.in[i] = step->in[i] < 0 ? scratch[-1 - step->in[i]] : e->graph->vertex[step->in[i]]->known;
    void *shared = NULL;
    if (step->bind && !(call.extra = step->bind(e->graph->ctx, &shared, call.extra)))
        return CRD_ENOMEM;
    call.fn(&call);
    if (step->bind)
        step->unbind(e->graph->ctx, call.extra);
    return CRD_OK;
}

crd_status crdi_compute_now(crd_graph *g, const crdi_vertex *v, double *out)
{
    enum { MOST_SCRATCH = 8 };
    double *scratch[MOST_SCRATCH] = {0};
    if (v->op->alias) {
        memcpy(out, g->vertex[v->arg[0]]->known, sizeof(double) * (size_t)v->size);
        return CRD_OK;
    }
    crdi_emitter e = {.graph = g, .arena = g->arena};
    v->op->lower(&e, v);
    CRDI_ASSERT(e.scratch_count <= MOST_SCRATCH);
    for (int64_t i = 0; i < e.scratch_count && e.status == CRD_OK; i++)
        if (!(scratch[i] = crdi_alloc_array(g->ctx, e.scratch[i].size, sizeof(double))))
            e.status = CRD_ENOMEM;
    for (int64_t i = 0; i < e.count && e.status == CRD_OK; i++)
        e.status = run_step(&e, &e.step[i], out, scratch);
    for (int i = 0; i < MOST_SCRATCH; i++)
        crdi_free(g->ctx, scratch[i]);
    crdi_nested_destroy(e.nested);
    crdi_emitter_clear(&e);
    return e.status;
}
