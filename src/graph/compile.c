/* compile.c - from a graph to a program.
 *
 * Stages: mark what the outputs need; lower each needed node to kernel calls (steps); join and order the steps; give every
 * buffer a place (place.c); write calls and constants (write.c). An output is computed where it is wanted. */
#include "graph/plan.h"
#include "graph/rows.h"

#include <string.h>

int64_t crdi_buffer_of(const crdi_emitter *e, int32_t operand)
{
    return operand >= 0 ? e->base[operand] : e->graph->count - 1 - operand;
}

int64_t crdi_offset_of(const crdi_emitter *e, int32_t operand)
{
    return operand >= 0 ? e->at[operand] : 0;
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
static void claim_arguments(crdi_plan *p, int32_t id)
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
static crd_status find_bases(crdi_plan *p)
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

static void mark(crdi_plan *p, const crd_node *outputs, int count)
{
    for (int i = 0; i < count; i++)
        p->needed[outputs[i].id] = true;
    for (int64_t id = p->g->count - 1; id >= 0; id--) {
        const crdi_vertex *v = p->g->vertex[id];
        for (int i = 0; p->needed[id] && !v->known && i < v->arg_count; i++)
            p->needed[v->arg[i]] = true;
    }
}

static crd_status place_inputs(crdi_plan *p, const crd_node *inputs, int count)
{
    crd_graph *g = p->g;
    int64_t total = inputs ? count : g->input_count;
    for (int64_t i = 0; i < total; i++) {
        if (inputs && (inputs[i].graph != g || inputs[i].id < 0 || crdi_vertex_of(inputs[i])->op != &crdi_op_input))
            return crdi_raise(g->ctx, CRD_EINVAL, "compile: input %lld is not an input of this graph", (long long)i);
        int32_t id = inputs ? inputs[i].id : g->input[i];
        if (p->buffer[id].place.region != CRDI_NOWHERE)
            return crdi_raise(g->ctx, CRD_EINVAL, "compile: input '%s' is listed twice", g->vertex[id]->name);
        p->buffer[id].place =
            (crdi_place){.region = CRDI_INPUT, .offset = p->program->input_size * crdi_width_of(false)};
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

static void lower(crdi_emitter *e, int32_t id)
{
    e->vertex = id;
    e->graph->vertex[id]->op->lower(e, e->graph->vertex[id]);
}

static crd_status lower_all(crdi_plan *p)
{
    crd_graph *g = p->g;
    for (int32_t id = 0; id < g->count; id++) {
        const crdi_vertex *v = g->vertex[id];
        if (p->needed[id] && v->known) {
            p->buffer[id].place = (crdi_place){CRDI_CONST, v->floats, p->program->constant_bytes};
            p->program->constant_bytes += crdi_room_for(v->size, v->floats);
        } else if (p->needed[id] && v->op->lower && part_of(v) < 0) {
            lower(&p->e, id);
        }
    }
    return p->e.status;
}

/* An output that is a computed buffer and has no place yet is computed in the output region; others are copied there. */
static crd_status place_outputs(crdi_plan *p, const crd_node *outputs, int count)
{
    for (int i = 0; i < count && p->e.status == CRD_OK; i++) {
        int64_t base = crdi_buffer_of(&p->e, outputs[i].id);
        struct crdi_buffer *buffer = &p->buffer[base];
        int64_t size = p->g->vertex[outputs[i].id]->size, at = p->program->output_size;
        p->program->output_size += size;
        if (buffer->place.region == CRDI_NOWHERE && p->g->vertex[base]->size == size) {
            buffer->place = (crdi_place){.region = CRDI_OUTPUT, .offset = at * crdi_width_of(false)};
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

static crd_status fuse(crdi_plan *p)
{
    int64_t buffers = p->g->count + p->e.scratch_count;
    bool *kept = crdi_alloc_array(p->g->ctx, buffers + 1, sizeof *kept);
    if (!kept)
        return CRD_ENOMEM;
    for (int64_t id = 0; id < p->g->count; id++)
        kept[id] = p->buffer[id].place.region != CRDI_NOWHERE;
    crd_status status = crdi_fuse(&p->e, kept);
    if (status == CRD_OK)
        status = crdi_chain_steps(&p->e, kept);
    crdi_free(p->g->ctx, kept);
    return status;
}

/* From here on it is the graph in single precision that is compiled, if that is wanted. */
static crd_status turn_single(crdi_plan *p, const crd_node **inputs, int *input_count, const crd_node **outputs,
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

static crd_status compile(crdi_plan *p, const crd_node *inputs, int input_count, crd_node *wanted, int output_count)
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
    CRD_TRY(crdi_size_buffers(p));
    CRD_TRY(crdi_place_work(p));
    return crdi_write_program(p);
}

crd_status crd_compile(crd_graph *g, const crd_node *inputs, int input_count, const crd_node *outputs, int output_count,
                       crd_program **out)
{
    if (g->status < 0)
        return g->status;
    for (int i = 0; i < output_count; i++)
        if (outputs[i].graph != g || outputs[i].id < 0)
            return crdi_raise(g->ctx, CRD_EINVAL, "compile: output %d is not a node of this graph", i);
    crdi_plan p = {.g = g};
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
    crdi_emitter_clear(&p.e);
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
