/* place.c - where every buffer of a program stands: best fit of free stretches, which are free again as soon as a buffer has been
 * read for the last time; a result takes its first argument's place where the kernel allows it. */
#include "graph/plan.h"

#include <string.h>

int64_t crdi_width_of(bool floats)
{
    return floats ? (int64_t)sizeof(float) : (int64_t)sizeof(double);
}

int64_t crdi_room_for(int64_t size, bool floats)
{
    return ((size ? size : 1) * crdi_width_of(floats) + CRDI_ALIGN - 1) / CRDI_ALIGN * CRDI_ALIGN;
}

/* NULL: it is none. */
static struct crdi_buffer *buffer_at(const crdi_plan *p, int32_t operand)
{
    return operand == INT32_MIN ? NULL : &p->buffer[crdi_buffer_of(&p->e, operand)];
}

/* What one group of strands has read for the last time others may be reading still: it stays until all have ended. What a
 * group writes and reads alone is its own. */
static void keep_shared(crdi_plan *p)
{
    int64_t behind = 0;
    while (behind < p->e.count && p->e.step[behind].segment <= p->e.groups)
        behind++;
    for (int64_t s = 0; s < behind && p->e.step[s].segment == 0; s++) {
        const crdi_step *step = &p->e.step[s];
        for (int i = 0; i < crdi_step_writes(step); i++) {
            struct crdi_buffer *out = buffer_at(p, crdi_step_written(step, i));
            if (out && out->last < behind && p->e.step[out->last].segment > 0)
                out->last = behind; /* p->e.count: it is never freed */
        }
    }
}

crd_status crdi_size_buffers(crdi_plan *p)
{
    p->buffers = p->g->count + p->e.scratch_count;
    struct crdi_buffer *buffer =
        crdi_resize(p->g->ctx, p->buffer, sizeof *buffer * (size_t)(p->buffers ? p->buffers : 1));
    if (!buffer)
        return CRD_ENOMEM;
    p->buffer = buffer;
    for (int64_t b = 0; b < p->buffers; b++) {
        const crdi_scratch *scratch = b < p->g->count ? NULL : &p->e.scratch[b - p->g->count];
        p->buffer[b].size = scratch ? scratch->size : p->g->vertex[b]->size;
        p->buffer[b].floats = scratch ? scratch->floats : p->g->vertex[b]->floats;
        p->buffer[b].last = -1;
        p->buffer[b].fixed = p->buffer[b].place.region != CRDI_NOWHERE;
    }
    for (int64_t s = 0; s < p->e.count; s++) {
        const crdi_step *step = &p->e.step[s];
        for (int i = 0; i < crdi_step_writes(step); i++)
            if (crdi_step_written(step, i) != INT32_MIN)
                buffer_at(p, crdi_step_written(step, i))->last = s;
        for (int i = 0; i < crdi_step_reads(step); i++)
            if (crdi_step_read(step, i) != INT32_MIN)
                buffer_at(p, crdi_step_read(step, i))->last = s;
    }
    if (p->e.groups > 0)
        keep_shared(p);
    return CRD_OK;
}

static crd_status hole_insert(crdi_plan *p, int64_t offset, int64_t size)
{
    if (crdi_grow(p->g->ctx, &p->hole, &p->hole_capacity, p->holes, sizeof *p->hole) < 0)
        return CRD_ENOMEM;
    int64_t at = 0;
    while (at < p->holes && p->hole[at].offset < offset)
        at++;
    memmove(&p->hole[at + 1], &p->hole[at], sizeof *p->hole * (size_t)(p->holes - at));
    int32_t owner = p->segment > p->e.groups ? 0 : p->segment;
    p->hole[at] = (struct crdi_hole){offset, size, owner};
    p->holes++;
    for (int64_t i = at > 0 ? at - 1 : 0; i + 1 < p->holes && i <= at;) {
        if (p->hole[i].offset + p->hole[i].size == p->hole[i + 1].offset && p->hole[i].owner == p->hole[i + 1].owner) {
            p->hole[i].size += p->hole[i + 1].size;
            memmove(&p->hole[i + 1], &p->hole[i + 2], sizeof *p->hole * (size_t)(p->holes - i - 2));
            p->holes--;
        } else {
            i++;
        }
    }
    return CRD_OK;
}

/* The smallest hole that is large enough, else new memory at the end. */
static int64_t take(crdi_plan *p, int64_t size)
{
    int64_t best = -1;
    for (int64_t i = 0; i < p->holes; i++) {
        bool usable = p->hole[i].owner == 0 || p->hole[i].owner == p->segment || p->segment > p->e.groups;
        if (usable && p->hole[i].size >= size && (best < 0 || p->hole[i].size < p->hole[best].size))
            best = i;
    }
    if (best < 0) {
        int64_t offset = p->program->work_bytes;
        p->program->work_bytes += size;
        return offset;
    }
    int64_t offset = p->hole[best].offset;
    p->hole[best].offset += size;
    p->hole[best].size -= size;
    if (p->hole[best].size == 0) {
        memmove(&p->hole[best], &p->hole[best + 1], sizeof *p->hole * (size_t)(p->holes - best - 1));
        p->holes--;
    }
    return offset;
}

static crdi_place new_place(crdi_plan *p, const struct crdi_buffer *buffer)
{
    return (crdi_place){CRDI_WORK, buffer->floats, take(p, crdi_room_for(buffer->size, buffer->floats))};
}

/* Whether an operand is all of a buffer of so many elements. */
static bool is_whole(const crdi_plan *p, int32_t operand, int64_t size)
{
    return p->buffer[crdi_buffer_of(&p->e, operand)].size == size && crdi_offset_of(&p->e, operand) == 0 &&
           (operand < 0 || p->g->vertex[operand]->size == size);
}

/* An argument whose place the result of step s may take: same size, read here for the last time, element by element. A part
 * of it that is read as another argument would be overwritten before its time. */
static int64_t place_to_inherit(const crdi_plan *p, int64_t s)
{
    const crdi_step *step = &p->e.step[s];
    if (step->out < 0 || !step->in_place || p->e.base[step->out] != step->out)
        return -1;
    int64_t size = p->g->vertex[step->out]->size;
    for (int i = 0; i < 5 && step->in[i] != INT32_MIN; i++) {
        int64_t b = crdi_buffer_of(&p->e, step->in[i]);
        bool free = p->buffer[b].floats == p->g->vertex[step->out]->floats && !p->buffer[b].fixed &&
                    p->buffer[b].last == s && p->buffer[b].place.region == CRDI_WORK;
        for (int j = 0; j < 5 && step->in[j] != INT32_MIN; j++)
            free = free && (crdi_buffer_of(&p->e, step->in[j]) != b || is_whole(p, step->in[j], size));
        if (free)
            return b;
    }
    return -1;
}

/* Places for what step s writes. The buffer whose place its result takes; -1: none. */
static int64_t place_results(crdi_plan *p, int64_t s)
{
    const crdi_step *step = &p->e.step[s];
    int64_t heir = -1;
    for (int i = 0; i < crdi_step_writes(step); i++) {
        struct crdi_buffer *out = buffer_at(p, crdi_step_written(step, i));
        if (!out || out->place.region != CRDI_NOWHERE)
            continue;
        if (i == 0 && !step->chain)
            heir = place_to_inherit(p, s);
        out->place = i == 0 && heir >= 0 ? p->buffer[heir].place : new_place(p, out);
    }
    return heir;
}

crd_status crdi_place_work(crdi_plan *p)
{
    for (int64_t s = 0; s < p->e.count; s++) {
        const crdi_step *step = &p->e.step[s];
        p->segment = step->segment;
        int64_t heir = place_results(p, s);
        for (int i = 0; i < crdi_step_reads(step); i++) {
            struct crdi_buffer *in = buffer_at(p, crdi_step_read(step, i));
            if (!in || in->fixed || in->last != s)
                continue;
            in->fixed = true; /* so that it is freed once, should it be two arguments */
            if (in - p->buffer != heir)
                CRD_TRY(hole_insert(p, in->place.offset, crdi_room_for(in->size, in->floats)));
        }
    }
    return CRD_OK;
}
