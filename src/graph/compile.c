/* compile.c - from a graph to a program.
 *
 * Stages: mark what the outputs need; lower each needed node to kernel calls (steps); find where each buffer is last
 * used; give every buffer a place, so that places are used again as soon as they are free and a result takes its first
 * argument's place where the kernel allows it; copy constants. An output is computed where it is wanted. */
#include "graph/program.h"
#include "graph/rows.h"

#include <string.h>

/* ---- emitting ----------------------------------------------------------------------------------------------- */

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

static void emitter_clear(crdi_emitter *e)
{
    crdi_free(e->graph->ctx, e->step);
    crdi_free(e->graph->ctx, e->scratch);
    crdi_free(e->graph->ctx, e->base);
    crdi_free(e->graph->ctx, e->at);
}

static void lower(crdi_emitter *e, int32_t id)
{
    e->vertex = id;
    e->graph->vertex[id]->op->lower(e, e->graph->vertex[id]);
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
    emitter_clear(&e);
    return e.status;
}

/* ---- planning ----------------------------------------------------------------------------------------------- */

/* A buffer is the memory of a vertex or a scratch area. Buffers 0 .. count-1 are vertices, scratch follows. */
struct buffer {
    crdi_place place;
    int64_t size; /* elements */
    bool floats;
    int64_t last; /* the last step that reads or writes it; -1: none */
    bool fixed; /* never freed: constants, inputs, outputs */
};

struct hole {
    int64_t offset, size; /* bytes */
    int32_t owner; /* the group of strands that may use it; 0: all */
};

struct plan {
    crd_graph *g;
    crdi_single single; /* its graph is g, if that is one */
    crd_program *program;
    crdi_emitter e;
    bool *needed;
    struct buffer *buffer;
    int64_t buffers;
    struct hole *hole; /* free stretches of the work region, by offset */
    int64_t holes, hole_capacity;
    int32_t segment; /* of the step that is being placed */
};

int64_t crdi_buffer_of(const crdi_emitter *e, int32_t operand)
{
    return operand >= 0 ? e->base[operand] : e->graph->count - 1 - operand;
}

int64_t crdi_offset_of(const crdi_emitter *e, int32_t operand)
{
    return operand >= 0 ? e->at[operand] : 0;
}

static int64_t buffer_of(const struct plan *p, int32_t operand)
{
    return crdi_buffer_of(&p->e, operand);
}

/* Where in its first argument's memory a vertex stands; -1 if it has memory of its own. */
static int64_t part_of(const crdi_vertex *v)
{
    if (v->known)
        return -1;
    return v->op->alias ? 0 : v->op->part ? v->op->part(v) : -1;
}

static bool joins(const crdi_vertex *v)
{
    return !v->known && v->op->joins && v->op->joins(v);
}

/* Arguments of a joining vertex that nothing else has claimed are computed where they will stand in it. */
static void claim_arguments(struct plan *p, int32_t id)
{
    const crdi_vertex *v = p->g->vertex[id], *a;
    int64_t at = 0;
    for (int i = 0; i < v->arg_count; at += p->g->vertex[v->arg[i]]->size, i++) {
        int32_t arg = v->arg[i];
        for (a = p->g->vertex[arg]; part_of(a) == 0 && p->g->vertex[a->arg[0]]->size == a->size;)
            a = p->g->vertex[arg = a->arg[0]];
        if (a->known || a->op == &crdi_op_input || p->e.base[arg] != arg || part_of(a) >= 0 || joins(a))
            continue;
        p->e.base[arg] = id;
        p->e.at[arg] = at;
    }
}

/* Whose memory each vertex has. What joins comes first, downwards, because it takes its arguments in; then what is a part
 * of its argument, upwards. */
static crd_status find_bases(struct plan *p)
{
    crd_graph *g = p->g;
    int64_t count = g->count ? g->count : 1;
    p->e.base = crdi_alloc_array(g->ctx, count, sizeof *p->e.base);
    p->e.at = crdi_alloc_array(g->ctx, count, sizeof *p->e.at);
    if (!p->e.base || !p->e.at)
        return CRD_ENOMEM;
    for (int32_t id = 0; id < g->count; id++)
        p->e.base[id] = id;
    for (int32_t id = (int32_t)g->count - 1; id >= 0 && !g->plain; id--)
        if (p->needed[id] && joins(g->vertex[id]))
            claim_arguments(p, id);
    for (int32_t id = 0; id < g->count; id++) {
        const crdi_vertex *v = g->vertex[id];
        int64_t at = part_of(v);
        if (at < 0)
            continue;
        p->e.base[id] = p->e.base[v->arg[0]];
        p->e.at[id] = p->e.at[v->arg[0]] + at;
    }
    return CRD_OK;
}

static int64_t width_of(bool floats)
{
    return floats ? (int64_t)sizeof(float) : (int64_t)sizeof(double);
}

/* Bytes of a buffer's stretch of memory. */
static int64_t room_for(int64_t size, bool floats)
{
    return ((size ? size : 1) * width_of(floats) + CRDI_ALIGN - 1) / CRDI_ALIGN * CRDI_ALIGN;
}

static void mark(struct plan *p, const crd_node *outputs, int count)
{
    for (int i = 0; i < count; i++)
        p->needed[outputs[i].id] = true;
    for (int64_t id = p->g->count - 1; id >= 0; id--) {
        const crdi_vertex *v = p->g->vertex[id];
        for (int i = 0; p->needed[id] && !v->known && i < v->arg_count; i++)
            p->needed[v->arg[i]] = true;
    }
}

static crd_status place_inputs(struct plan *p, const crd_node *inputs, int count)
{
    crd_graph *g = p->g;
    int64_t total = inputs ? count : g->input_count;
    for (int64_t i = 0; i < total; i++) {
        if (inputs && (inputs[i].graph != g || inputs[i].id < 0 || crdi_vertex_of(inputs[i])->op != &crdi_op_input))
            return crdi_raise(g->ctx, CRD_EINVAL, "compile: input %lld is not an input of this graph", (long long)i);
        int32_t id = inputs ? inputs[i].id : g->input[i];
        if (p->buffer[id].place.region != CRDI_NOWHERE)
            return crdi_raise(g->ctx, CRD_EINVAL, "compile: input '%s' is listed twice", g->vertex[id]->name);
        p->buffer[id].place = (crdi_place){.region = CRDI_INPUT, .offset = p->program->input_size * width_of(false)};
        p->program->input_size += g->vertex[id]->size;
    }
    for (int64_t i = 0; i < g->input_count; i++) {
        const crdi_vertex *v = g->vertex[g->input[i]];
        if (p->needed[g->input[i]] && p->buffer[g->input[i]].place.region == CRDI_NOWHERE)
            return crdi_raise(g->ctx, CRD_EINVAL,
                              "compile: the outputs need input '%s', which is not in the input vector", v->name);
    }
    return CRD_OK;
}

static crd_status lower_all(struct plan *p)
{
    crd_graph *g = p->g;
    for (int32_t id = 0; id < g->count; id++) {
        const crdi_vertex *v = g->vertex[id];
        if (p->needed[id] && v->known) {
            p->buffer[id].place = (crdi_place){CRDI_CONST, v->floats, p->program->constant_bytes};
            p->program->constant_bytes += room_for(v->size, v->floats);
        } else if (p->needed[id] && v->op->lower && part_of(v) < 0) {
            lower(&p->e, id);
        }
    }
    return p->e.status;
}

/* An output that is a computed buffer and has no place yet is computed in the output region; others are copied there. */
static crd_status place_outputs(struct plan *p, const crd_node *outputs, int count)
{
    for (int i = 0; i < count && p->e.status == CRD_OK; i++) {
        int64_t base = buffer_of(p, outputs[i].id);
        struct buffer *buffer = &p->buffer[base];
        int64_t size = p->g->vertex[outputs[i].id]->size, at = p->program->output_size;
        p->program->output_size += size;
        if (buffer->place.region == CRDI_NOWHERE && p->g->vertex[base]->size == size) {
            buffer->place = (crdi_place){.region = CRDI_OUTPUT, .offset = at * width_of(false)};
            continue;
        }
        crdi_step *step = crdi_emit(&p->e, CRDI_K_copy, &outputs[i].id, 1);
        if (!step)
            break;
        step->out = INT32_MIN;
        step->out_offset = at;
        step->call.n[0] = size;
    }
    return p->e.status;
}

/* What one group of strands has read for the last time others may be reading still: it stays until all have ended. What a
 * group writes and reads alone is its own. */
static void keep_shared(struct plan *p)
{
    int64_t behind = 0;
    while (behind < p->e.count && p->e.step[behind].segment <= p->e.groups)
        behind++;
    for (int64_t s = 0; s < behind && p->e.step[s].segment == 0; s++) {
        const crdi_step *step = &p->e.step[s];
        const int32_t result[] = {step->out, step->more[0], step->more[1], step->more[2]};
        for (int i = 0; i < CRDI_COUNT(result); i++) {
            struct buffer *out = result[i] == INT32_MIN ? NULL : &p->buffer[buffer_of(p, result[i])];
            if (out && out->last < behind && p->e.step[out->last].segment > 0)
                out->last = behind; /* p->e.count: it is never freed */
        }
    }
}

static crd_status size_buffers(struct plan *p)
{
    p->buffers = p->g->count + p->e.scratch_count;
    struct buffer *buffer = crdi_resize(p->g->ctx, p->buffer, sizeof *buffer * (size_t)(p->buffers ? p->buffers : 1));
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
        if (step->out != INT32_MIN)
            p->buffer[buffer_of(p, step->out)].last = s;
        for (int i = 0; i < CRDI_COUNT(step->more); i++)
            if (step->more[i] != INT32_MIN)
                p->buffer[buffer_of(p, step->more[i])].last = s;
        for (int i = 0; i < 5 && step->in[i] != INT32_MIN; i++)
            p->buffer[buffer_of(p, step->in[i])].last = s;
    }
    if (p->e.groups > 0)
        keep_shared(p);
    return CRD_OK;
}

static crd_status hole_insert(struct plan *p, int64_t offset, int64_t size)
{
    if (crdi_grow(p->g->ctx, &p->hole, &p->hole_capacity, p->holes, sizeof *p->hole) < 0)
        return CRD_ENOMEM;
    int64_t at = 0;
    while (at < p->holes && p->hole[at].offset < offset)
        at++;
    memmove(&p->hole[at + 1], &p->hole[at], sizeof *p->hole * (size_t)(p->holes - at));
    int32_t owner = p->segment > p->e.groups ? 0 : p->segment;
    p->hole[at] = (struct hole){offset, size, owner};
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
static int64_t take(struct plan *p, int64_t size)
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

static crdi_place new_place(struct plan *p, const struct buffer *buffer)
{
    return (crdi_place){CRDI_WORK, buffer->floats, take(p, room_for(buffer->size, buffer->floats))};
}

/* Whether an operand is all of a buffer of so many elements. */
static bool is_whole(const struct plan *p, int32_t operand, int64_t size)
{
    return p->buffer[buffer_of(p, operand)].size == size && crdi_offset_of(&p->e, operand) == 0 &&
           (operand < 0 || p->g->vertex[operand]->size == size);
}

/* An argument whose place the result of step s may take: same size, read here for the last time, element by element. A part
 * of it that is read as another argument would be overwritten before its time. */
static int64_t place_to_inherit(const struct plan *p, int64_t s)
{
    const crdi_step *step = &p->e.step[s];
    if (step->out < 0 || !step->in_place || p->e.base[step->out] != step->out)
        return -1;
    int64_t size = p->g->vertex[step->out]->size;
    for (int i = 0; i < 5 && step->in[i] != INT32_MIN; i++) {
        int64_t b = buffer_of(p, step->in[i]);
        bool free = p->buffer[b].floats == p->g->vertex[step->out]->floats && !p->buffer[b].fixed &&
                    p->buffer[b].last == s && p->buffer[b].place.region == CRDI_WORK;
        for (int j = 0; j < 5 && step->in[j] != INT32_MIN; j++)
            free = free && (buffer_of(p, step->in[j]) != b || is_whole(p, step->in[j], size));
        if (free)
            return b;
    }
    return -1;
}

static crd_status place_work(struct plan *p)
{
    for (int64_t s = 0; s < p->e.count; s++) {
        const crdi_step *step = &p->e.step[s];
        int64_t heir = -1;
        p->segment = step->segment;
        if (step->out != INT32_MIN) {
            struct buffer *out = &p->buffer[buffer_of(p, step->out)];
            if (out->place.region == CRDI_NOWHERE) {
                heir = place_to_inherit(p, s);
                out->place = heir >= 0 ? p->buffer[heir].place : new_place(p, out);
            }
        }
        for (int i = 0; i < CRDI_COUNT(step->more); i++)
            if (step->more[i] != INT32_MIN && p->buffer[buffer_of(p, step->more[i])].place.region == CRDI_NOWHERE) {
                struct buffer *more = &p->buffer[buffer_of(p, step->more[i])];
                more->place = new_place(p, more);
            }
        for (int i = 0; i < 5 && step->in[i] != INT32_MIN; i++) {
            int64_t b = buffer_of(p, step->in[i]);
            if (p->buffer[b].fixed || p->buffer[b].last != s)
                continue;
            p->buffer[b].fixed = true; /* so that it is freed once, should it be two arguments */
            if (b != heir)
                CRD_TRY(hole_insert(p, p->buffer[b].place.offset, room_for(p->buffer[b].size, p->buffer[b].floats)));
        }
    }
    return CRD_OK;
}

static crdi_place place_of(const struct plan *p, int32_t operand)
{
    crdi_place place = p->buffer[buffer_of(p, operand)].place;
    place.offset += crdi_offset_of(&p->e, operand) * width_of(place.floats);
    return place;
}

static crdi_place place_of_result(const struct plan *p, const crdi_step *step)
{
    crdi_place place = {.region = CRDI_OUTPUT};
    if (step->out != INT32_MIN)
        place = place_of(p, step->out);
    place.offset += step->out_offset * width_of(place.floats);
    return place;
}

static void plan_step(const struct plan *p, const crdi_step *step, crdi_planned *planned)
{
    *planned = (crdi_planned){.call = step->call,
                              .label = step->label,
                              .floats = step->floats,
                              .bind = step->bind,
                              .unbind = step->unbind,
                              .out = place_of_result(p, step)};
    for (int i = 0; i < 5 && step->in[i] != INT32_MIN; i++)
        planned->in[i] = place_of(p, step->in[i]);
    for (int i = 0; i < CRDI_COUNT(step->more); i++)
        if (step->more[i] != INT32_MIN)
            planned->more[i] = place_of(p, step->more[i]);
}

/* Steps first .. end - 1, each of single numbers, as one call. */
static void plan_scalars(struct plan *p, int64_t first, int64_t end, crdi_planned *planned)
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

static crd_status write_program(struct plan *p)
{
    crd_program *program = p->program;
    crd_context *ctx = p->g->ctx;
    program->planned = crdi_alloc_array(ctx, p->e.count ? p->e.count : 1, sizeof *program->planned);
    program->scalar = crdi_alloc_array(ctx, p->e.count ? p->e.count : 1, sizeof *program->scalar);
    program->constants = crdi_alloc_array(ctx, program->constant_bytes + CRDI_ALIGN, 1);
    if (!program->planned || !program->scalar || !program->constants)
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

static crd_status fuse(struct plan *p)
{
    int64_t buffers = p->g->count + p->e.scratch_count;
    bool *kept = crdi_alloc_array(p->g->ctx, buffers + 1, sizeof *kept);
    if (!kept)
        return CRD_ENOMEM;
    for (int64_t id = 0; id < p->g->count; id++)
        kept[id] = p->buffer[id].place.region != CRDI_NOWHERE;
    crd_status status = crdi_fuse(&p->e, kept);
    crdi_free(p->g->ctx, kept);
    return status;
}

/* From here on it is the graph in single precision that is compiled, if that is wanted. */
static crd_status turn_single(struct plan *p, const crd_node **inputs, int *input_count, const crd_node **outputs,
                              int *output_count)
{
    if (p->g->precision == CRD_DOUBLE)
        return CRD_OK;
    CRD_TRY(crdi_single_create(p->g, *inputs, *input_count, *outputs, *output_count, &p->single));
    p->g = p->e.graph = p->single.graph;
    *inputs = p->single.input;
    *input_count = p->single.input_count;
    *outputs = p->single.output;
    *output_count = p->single.output_count;
    return CRD_OK;
}

static crd_status compile(struct plan *p, const crd_node *inputs, int input_count, crd_node *wanted, int output_count)
{
    const crd_node *outputs = wanted;
    CRD_TRY(crdi_rows_cut(&p->e, wanted, output_count));
    CRD_TRY(turn_single(p, &inputs, &input_count, &outputs, &output_count));
    crd_graph *g = p->g;
    p->needed = crdi_alloc_array(g->ctx, g->count ? g->count : 1, sizeof *p->needed);
    p->buffer = crdi_alloc_array(g->ctx, g->count ? g->count : 1, sizeof *p->buffer);
    if (!p->needed || !p->buffer)
        return CRD_ENOMEM;
    mark(p, outputs, output_count);
    CRD_TRY(find_bases(p));
    CRD_TRY(place_inputs(p, inputs, input_count));
    CRD_TRY(lower_all(p));
    CRD_TRY(place_outputs(p, outputs, output_count));
    CRD_TRY(crdi_find_strands(&p->e));
    if (!g->plain) {
        CRD_TRY(fuse(p));
        CRD_TRY(crdi_order_steps(&p->e));
    }
    CRD_TRY(size_buffers(p));
    CRD_TRY(place_work(p));
    return write_program(p);
}

crd_status crd_compile(crd_graph *g, const crd_node *inputs, int input_count, const crd_node *outputs, int output_count,
                       crd_program **out)
{
    if (g->status < 0)
        return g->status;
    for (int i = 0; i < output_count; i++)
        if (outputs[i].graph != g || outputs[i].id < 0)
            return crdi_raise(g->ctx, CRD_EINVAL, "compile: output %d is not a node of this graph", i);
    struct plan p = {.g = g};
    int groups = g->groups;
    int32_t strands = g->strands;
    crd_node *wanted = crdi_alloc_array(g->ctx, output_count + 1, sizeof *wanted);
    p.program = wanted ? crdi_alloc(g->ctx, sizeof *p.program) : NULL;
    if (!p.program) {
        crdi_free(g->ctx, wanted);
        return CRD_ENOMEM;
    }
    for (int i = 0; i < output_count; i++)
        wanted[i] = outputs[i];
    p.program->ctx = g->ctx;
    p.program->precision = g->precision;
    crd_status status = crdi_arena_create(&p.program->arena, g->ctx);
    p.e = (crdi_emitter){.graph = g, .arena = p.program->arena};
    if (status == CRD_OK)
        status = compile(&p, inputs, input_count, wanted, output_count);
    g->groups = groups;
    g->strands = strands;
    crdi_free(g->ctx, wanted);
    p.program->nested = p.e.nested;
    emitter_clear(&p.e);
    crdi_single_clear(&p.single);
    crdi_free(g->ctx, p.needed);
    crdi_free(g->ctx, p.buffer);
    crdi_free(g->ctx, p.hole);
    if (status < 0) {
        crd_program_destroy(&p.program);
        return status;
    }
    *out = p.program;
    return CRD_OK;
}
