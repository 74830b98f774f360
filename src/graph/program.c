/* program.c - running a program. A program is shared and never changes; an exec is one thread's memory for it. */
#include "graph/program.h"

#include <stdio.h>
#include <string.h>

void crd_program_destroy(crd_program **program)
{
    if (!program || !*program)
        return;
    crd_program *p = *program;
    crdi_nested_destroy(p->nested);
    crdi_free(p->ctx, p->planned);
    crdi_free(p->ctx, p->constants);
    crdi_arena_destroy(&p->arena);
    crdi_free(p->ctx, p);
    *program = NULL;
}

int64_t crd_program_input_size(const crd_program *program)
{
    return program->input_size;
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
    return program->work_size;
}

void crd_program_print(const crd_program *program, crd_log_fn print, void *user)
{
    static const char *const regions[] = {"-", "const", "input", "output", "work"};
    for (int64_t i = 0; i < program->count; i++) {
        const crdi_planned *planned = &program->planned[i];
        char line[256];
        int used =
            snprintf(line, sizeof line, "%4lld  %-18s n = %lld x %lld x %lld  %s+%lld <-", (long long)i, planned->label,
                     (long long)planned->call.n[0], (long long)planned->call.n[1], (long long)planned->call.n[2],
                     regions[planned->out.region], (long long)planned->out.offset);
        for (int k = 0; k < 5 && planned->in[k].region != CRDI_NOWHERE && used < (int)sizeof line; k++)
            used += snprintf(line + used, sizeof line - (size_t)used, " %s+%lld", regions[planned->in[k].region],
                             (long long)planned->in[k].offset);
        print(user, line);
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
    return region[place.region] ? region[place.region] + place.offset : NULL;
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
        if (planned->bind && !(call->extra = planned->bind(program->ctx, planned->call.extra)))
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
    exec->memory = crdi_alloc_array(ctx, input + output + padded(program->work_size), sizeof(double));
    exec->call = crdi_alloc_array(ctx, program->count ? program->count : 1, sizeof *exec->call);
    exec->input = exec->memory;
    exec->output = exec->memory ? exec->memory + input : NULL;
    exec->work = exec->memory ? exec->output + output : NULL;
    if (!exec->memory || !exec->call || bind(exec) < 0) {
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
    crdi_free(ctx, e->memory);
    crdi_free(ctx, e->call);
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

void crd_exec_run(crd_exec *exec)
{
    for (const crdi_call *call = exec->call, *end = call + exec->count; call < end; call++)
        call->fn(call);
}
