/* program.c - running a program. A program is shared and never changes; an exec is one thread's memory for it. */
#include "graph/program.h"
#include "graph/tiny.h"

#include <stdio.h>
#include <string.h>

void crd_program_destroy(crd_program **program)
{
    if (!program || !*program)
        return;
    crd_program *p = *program;
    crdi_nested_destroy(p->nested);
    crdi_free(p->ctx, p->planned);
    crdi_free(p->ctx, p->scalar);
    crdi_free(p->ctx, p->link);
    crdi_free(p->ctx, p->segment);
    crdi_free(p->ctx, p->constants);
    crdi_arena_destroy(&p->arena);
    crdi_free(p->ctx, p);
    *program = NULL;
}

int64_t crd_program_input_size(const crd_program *program)
{
    return program->input_size;
}

int64_t crdi_program_coordinates(const crd_program *program)
{
    return program->output_size - 1 - program->parts;
}

void crdi_program_set_parts(crd_program *program, int64_t count)
{
    program->parts = count;
}

int64_t crd_program_output_size(const crd_program *program)
{
    return program->output_size;
}

int64_t crd_program_calls(const crd_program *program)
{
    return program->count;
}

int64_t crd_program_workspace(const crd_program *program)
{
    return program->work_bytes / (int64_t)sizeof(double);
}

crd_precision crd_program_precision(const crd_program *program)
{
    return program->precision;
}

void crd_graph_set_precision(crd_graph *graph, crd_precision precision)
{
    graph->precision = precision;
}

static int print_place(char *line, int used, int room, const char *before, crdi_place place)
{
    static const char *const regions[] = {"-", "const", "input", "output", "work"};
    if (used < room)
        used += snprintf(line + used, (size_t)(room - used), "%s%s+%lld", before, regions[place.region],
                         (long long)(place.offset / (int64_t)(place.floats ? sizeof(float) : sizeof(double))));
    return used;
}

static int print_operands(char *line, int used, int room, crdi_place out, const crdi_place *in, int count)
{
    used = print_place(line, used, room, "  ", out);
    for (int k = 0; k < count && in[k].region != CRDI_NOWHERE; k++)
        used = print_place(line, used, room, k ? " " : " <- ", in[k]);
    return used;
}

static bool reads_first(const crdi_place *in, int operands, int64_t count)
{
    for (int i = 0; i < operands; i++)
        if (in[i].region == CRDI_INPUT && in[i].offset < count)
            return true;
    return false;
}

bool crdi_program_reads_first(const crd_program *program, int64_t count)
{
    bool any = false;
    for (int64_t i = 0; i < program->count; i++)
        any = any || reads_first(program->planned[i].in, CRDI_COUNT(program->planned[i].in), count);
    for (int64_t i = 0; i < program->scalar_count; i++)
        any = any || reads_first(program->scalar[i].in, CRDI_COUNT(program->scalar[i].in), count);
    for (int64_t i = 0; i < program->link_count; i++)
        any = any || reads_first(program->link[i].in, CRDI_COUNT(program->link[i].in), count);
    return any;
}

int64_t crdi_program_work(const crd_program *program)
{
    int64_t work = 0;
    for (int64_t i = 0; i < program->count; i++) {
        const int64_t *n = program->planned[i].call.n;
        work += n[0] * (n[1] > 1 ? n[1] : 1) * (n[2] > 1 ? n[2] : 1);
    }
    return work;
}

/* One of the operations that a call does. */
static void print_part(const char *label, crdi_place out, const crdi_place *in, crd_log_fn print, void *user)
{
    char line[256];
    int used = snprintf(line, sizeof line, "        %-14s", label);
    print_operands(line, used, sizeof line, out, in, 3);
    print(user, line);
}

void crd_program_print(const crd_program *program, crd_log_fn print, void *user)
{
    char line[256];
    for (int64_t i = 0; i < program->count; i++) {
        const crdi_planned *planned = &program->planned[i];
        int used =
            snprintf(line, sizeof line, "%4lld  %-18s n = %lld x %lld x %lld", (long long)i, planned->label,
                     (long long)planned->call.n[0], (long long)planned->call.n[1], (long long)planned->call.n[2]);
        if (!planned->scalars && !planned->links)
            used = print_operands(line, used, sizeof line, planned->out, planned->in, 5);
        if (planned->floats && used < (int)sizeof line)
            snprintf(line + used, sizeof line - (size_t)used, "  float");
        print(user, line);
        for (int64_t k = 0; planned->scalars && k < planned->call.n[0]; k++) {
            const crdi_planned_scalar *one = &planned->scalars[k];
            print_part(one->label, one->out, one->in, print, user);
        }
        for (int64_t k = 0; planned->links && k < planned->call.n[1]; k++)
            print_part(planned->links[k].label, planned->links[k].out, planned->links[k].in, print, user);
    }
    for (const struct crdi_nested *nested = program->nested; nested; nested = nested->next) {
        if (!nested->program)
            continue;
        snprintf(line, sizeof line, "program of a block of rows, or of a step of a scan: %lld calls",
                 (long long)nested->program->count);
        print(user, line);
        crd_program_print(nested->program, print, user);
    }
}

static int64_t padded(int64_t size)
{
    int64_t unit = CRDI_ALIGN / (int64_t)sizeof(double);
    return (size + unit) / unit * unit;
}

static double *pointer(const crd_exec *exec, crdi_place place)
{
    double *region[] = {NULL, exec->program->constants, exec->input, exec->output, exec->work};
    char *start = (char *)region[place.region];
    return start ? (double *)(void *)(start + place.offset) : NULL; /* or floats: the kernel knows */
}

/* The steps of one call of `scalars`, with pointers. */
static const crdi_scalar *bind_scalars(crd_exec *exec, const crdi_planned *planned)
{
    crdi_scalar *first = exec->scalar + (planned->scalars - exec->program->scalar);
    for (int64_t i = 0; i < planned->call.n[0]; i++) {
        const crdi_planned_scalar *from = &planned->scalars[i];
        first[i] = (crdi_scalar){.kernel = from->kernel, .out = pointer(exec, from->out)};
        for (int k = 0; k < 3; k++)
            first[i].in[k] = pointer(exec, from->in[k]);
    }
    return first;
}

/* The links of one call of `chain`. */
static const crdi_link *bind_links(crd_exec *exec, const crdi_planned *planned)
{
    crdi_link *first = exec->link + (planned->links - exec->program->link);
    for (int64_t i = 0; i < planned->call.n[1]; i++) {
        const crdi_planned_link *from = &planned->links[i];
        first[i] = (crdi_link){.kernel = from->kernel, .sum = from->sum, .out = pointer(exec, from->out)};
        memcpy(first[i].moves, from->moves, sizeof first[i].moves);
        for (int k = 0; k < 3; k++)
            first[i].in[k] = pointer(exec, from->in[k]);
    }
    return first;
}

static crd_status bind(crd_exec *exec)
{
    const crd_program *program = exec->program;
    for (; exec->count < program->count; exec->count++) {
        const crdi_planned *planned = &program->planned[exec->count];
        crdi_call *call = &exec->call[exec->count];
        *call = planned->call;
        call->out = pointer(exec, planned->out);
        for (int k = 0; k < 5; k++)
            call->in[k] = pointer(exec, planned->in[k]);
        for (int k = 0; k < CRDI_COUNT(call->more); k++)
            call->more[k] = pointer(exec, planned->more[k]);
        if (planned->scalars)
            call->extra = bind_scalars(exec, planned);
        if (planned->links)
            call->extra = bind_links(exec, planned);
        if (planned->bind && !(call->extra = planned->bind(program->ctx, &exec->shared, planned->call.extra)))
            return CRD_ENOMEM;
    }
    return CRD_OK;
}

crd_status crd_exec_create(crd_exec **out, const crd_program *program)
{
    crd_context *ctx = program->ctx;
    crd_exec *exec = crdi_alloc(ctx, sizeof *exec);
    if (!exec)
        return CRD_ENOMEM;
    int64_t input = padded(program->input_size), output = padded(program->output_size);
    exec->program = program;
    exec->memory = crdi_alloc_array(ctx, input + output + padded(crd_program_workspace(program)), sizeof(double));
    exec->call = crdi_alloc_array(ctx, program->count ? program->count : 1, sizeof *exec->call);
    exec->scalar = crdi_alloc_array(ctx, program->scalar_count ? program->scalar_count : 1, sizeof *exec->scalar);
    exec->link = crdi_alloc_array(ctx, program->link_count ? program->link_count : 1, sizeof *exec->link);
    exec->input = exec->memory;
    exec->output = exec->memory ? exec->memory + input : NULL;
    exec->work = exec->memory ? exec->output + output : NULL;
    if (!exec->memory || !exec->call || !exec->scalar || !exec->link || bind(exec) < 0) {
        crd_exec_destroy(&exec);
        return CRD_ENOMEM;
    }
    *out = exec;
    return CRD_OK;
}

void crd_exec_destroy(crd_exec **exec)
{
    if (!exec || !*exec)
        return;
    crd_exec *e = *exec;
    crd_context *ctx = e->program->ctx;
    for (int64_t i = 0; i < e->count; i++)
        if (e->program->planned[i].unbind)
            e->program->planned[i].unbind(ctx, e->call[i].extra);
    crdi_team_destroy(&e->own_team);
    crdi_free(ctx, e->memory);
    crdi_free(ctx, e->call);
    crdi_free(ctx, e->scalar);
    crdi_free(ctx, e->link);
    crdi_free(ctx, e);
    *exec = NULL;
}

double *crd_exec_input(crd_exec *exec)
{
    return exec->input;
}

const double *crd_exec_output(const crd_exec *exec)
{
    return exec->output;
}

static void run_segment(const crd_exec *exec, int64_t k)
{
    const crdi_call *call = exec->call + exec->program->segment[k], *end = exec->call + exec->program->segment[k + 1];
    for (; call < end; call++)
        call->fn(call);
}

static void run_group(void *user, int64_t i)
{
    run_segment(user, i + 1);
}

/* The same on a thread of a team. */
static void run_group_single(void *user, int64_t i)
{
    crdi_tiny before = crdi_tiny_off();
    run_segment(user, i + 1);
    crdi_tiny_restore(before);
}

void crdi_exec_set_team(crd_exec *exec, crdi_team *team)
{
    exec->team = exec->program->groups > 1 ? team : NULL;
}

crd_status crdi_exec_share_threads(crd_exec *exec, int64_t threads, int64_t execs)
{
    threads = (threads < 1 ? crdi_processors() : threads) / (execs < 1 ? 1 : execs);
    if (threads < 2 || exec->program->groups < 2 || exec->own_team)
        return CRD_OK;
    CRD_TRY(crdi_team_create(exec->program->ctx, (int)threads, &exec->own_team));
    crdi_exec_set_team(exec, exec->own_team);
    return CRD_OK;
}

static void run(crd_exec *exec)
{
    if (exec->team) {
        bool single = exec->program->precision == CRD_SINGLE;
        run_segment(exec, 0);
        crdi_team_run(exec->team, exec->program->groups, single ? run_group_single : run_group, exec);
        run_segment(exec, exec->program->groups + 1);
        return;
    }
    for (const crdi_call *call = exec->call, *end = call + exec->count; call < end; call++)
        call->fn(call);
}

void crd_exec_run(crd_exec *exec)
{
    if (exec->program->precision == CRD_DOUBLE) {
        run(exec);
        return;
    }
    crdi_tiny before = crdi_tiny_off();
    run(exec);
    crdi_tiny_restore(before);
}
