/* write.c - the calls and constants of a program whose buffers have their places. */
#include "graph/plan.h"

#include <string.h>

/* `offset` elements into an operand. */
static crdi_place place_of(const crdi_plan *p, int32_t operand, int64_t offset)
{
    crdi_place place = p->buffer[crdi_buffer_of(&p->e, operand)].place;
    place.offset += (crdi_offset_of(&p->e, operand) + offset) * crdi_width_of(place.floats);
    return place;
}

static crdi_place place_of_result(const crdi_plan *p, const crdi_step *step)
{
    if (step->out == INT32_MIN)
        return (crdi_place){.region = CRDI_OUTPUT, .offset = step->out_offset * crdi_width_of(false)};
    return place_of(p, step->out, step->out_offset);
}

static void plan_links(const crdi_plan *p, const crdi_step *step, crdi_planned *planned)
{
    crd_program *program = p->program;
    planned->links = program->link + program->link_count;
    for (int i = 0; i < step->chain->count; i++) {
        const crdi_step_link *from = &step->chain->link[i];
        crdi_planned_link *link = &program->link[program->link_count++];
        *link = (crdi_planned_link){.kernel = from->kernel, .sum = from->sum, .label = from->label};
        memcpy(link->moves, from->moves, sizeof link->moves);
        link->out = place_of(p, from->out, from->out_offset);
        for (int k = 0; k < 3; k++)
            if (from->in[k] != INT32_MIN)
                link->in[k] = place_of(p, from->in[k], from->in_offset[k]);
    }
}

static void plan_step(const crdi_plan *p, const crdi_step *step, crdi_planned *planned)
{
    *planned = (crdi_planned){.call = step->call,
                              .label = step->label,
                              .floats = step->floats,
                              .bind = step->bind,
                              .unbind = step->unbind,
                              .out = place_of_result(p, step)};
    for (int i = 0; i < 5 && step->in[i] != INT32_MIN; i++)
        planned->in[i] = place_of(p, step->in[i], 0);
    for (int i = 0; i < CRDI_COUNT(step->more); i++)
        if (step->more[i] != INT32_MIN)
            planned->more[i] = place_of(p, step->more[i], 0);
    if (step->chain)
        plan_links(p, step, planned);
}

/* Steps first .. end - 1, each of single numbers, as one call. */
static void plan_scalars(crdi_plan *p, int64_t first, int64_t end, crdi_planned *planned)
{
    const crdi_kernel_table *table = crdi_context_kernels(p->g->ctx);
    crd_program *program = p->program;
    *planned = (crdi_planned){.label = "scalars", .scalars = program->scalar + program->scalar_count};
    planned->call.fn = table->kernel[CRDI_K_scalars];
    planned->call.n[0] = end - first;
    for (int64_t s = first; s < end; s++) {
        crdi_planned one;
        plan_step(p, &p->e.step[s], &one);
        crdi_planned_scalar *scalar = &program->scalar[program->scalar_count++];
        *scalar = (crdi_planned_scalar){.kernel = p->e.step[s].kernel, .label = one.label, .out = one.out};
        memcpy(scalar->in, one.in, sizeof scalar->in);
    }
}

static void write_constant(crd_program *program, const crdi_vertex *v, int64_t offset)
{
    char *at = (char *)program->constants + offset;
    if (v->size > 0 && !v->floats)
        memcpy(at, v->known, sizeof(double) * (size_t)v->size);
    for (int64_t i = 0; v->floats && i < v->size; i++) {
        float one = (float)v->known[i];
        memcpy(at + i * (int64_t)sizeof one, &one, sizeof one);
    }
}

static int64_t count_links(const crdi_emitter *e)
{
    int64_t count = 0;
    for (int64_t s = 0; s < e->count; s++)
        count += e->step[s].chain ? e->step[s].chain->count : 0;
    return count;
}

crd_status crdi_write_program(crdi_plan *p)
{
    crd_program *program = p->program;
    crd_context *ctx = p->g->ctx;
    program->planned = crdi_alloc_array(ctx, p->e.count ? p->e.count : 1, sizeof *program->planned);
    program->scalar = crdi_alloc_array(ctx, p->e.count ? p->e.count : 1, sizeof *program->scalar);
    program->link = crdi_alloc_array(ctx, count_links(&p->e) + 1, sizeof *program->link);
    program->constants = crdi_alloc_array(ctx, program->constant_bytes + CRDI_ALIGN, 1);
    if (!program->planned || !program->scalar || !program->link || !program->constants)
        return CRD_ENOMEM;
    for (int64_t id = 0; id < p->g->count; id++)
        if (p->needed[id] && p->g->vertex[id]->known)
            write_constant(program, p->g->vertex[id], p->buffer[id].place.offset);
    program->groups = p->e.groups;
    program->segment = crdi_alloc_array(ctx, p->e.groups + 3, sizeof *program->segment);
    if (!program->segment)
        return CRD_ENOMEM;
    for (int64_t s = 0; s < p->e.count;) {
        int64_t end = s + 1;
        int32_t segment = p->e.step[s].segment;
        while (p->e.step[s].single && end < p->e.count && p->e.step[end].single && p->e.step[end].segment == segment)
            end++;
        crdi_planned *planned = &program->planned[program->count++];
        if (end - s > 1)
            plan_scalars(p, s, end, planned);
        else
            plan_step(p, &p->e.step[s], planned);
        s = end;
        for (int k = segment + 1; k <= p->e.groups + 2; k++)
            program->segment[k] = program->count;
    }
    return CRD_OK;
}
