/* program.h - a compiled program: kernel calls whose operands are places in memory. */
#ifndef CRDI_PROGRAM_H
#define CRDI_PROGRAM_H

#include "graph/graph.h"

enum crdi_region { CRDI_NOWHERE, CRDI_CONST, CRDI_INPUT, CRDI_OUTPUT, CRDI_WORK };

typedef struct crdi_place {
    enum crdi_region region;
    bool floats; /* what stands there */
    int64_t offset; /* bytes from the start of the region */
} crdi_place;

/* A step of the kernel `scalars` before its places become pointers. */
typedef struct crdi_planned_scalar {
    int kernel;
    crdi_place out, in[3];
    const char *label;
} crdi_planned_scalar;

/* A link of the kernel `chain`, the same. */
typedef struct crdi_planned_link {
    int kernel, sum;
    int64_t moves[4];
    crdi_place out, in[3];
    const char *label;
} crdi_planned_link;

/* A call before its places become pointers. */
typedef struct crdi_planned {
    crdi_call call;
    crdi_place out, in[5], more[3];
    const char *label;
    bool floats; /* the kernel is one of floats */
    const crdi_planned_scalar *scalars; /* of the kernel `scalars`: (call.n[0]) of them, in the program */
    const crdi_planned_link *links; /* of the kernel `chain`: (call.n[1]) of them, in the program */
    const void *(*bind)(crd_context *ctx, void **shared, const void *extra);
    void (*unbind)(crd_context *ctx, const void *extra);
} crdi_planned;

struct crd_program {
    crd_context *ctx;
    crdi_arena *arena; /* views, nested programs */
    struct crdi_nested *nested;
    crdi_planned *planned;
    int64_t count;
    int groups; /* of strands (strands.c): calls segment[k] .. segment[k + 1] - 1 are those of group k, from 1 on */
    int64_t
        *segment; /* (groups + 3); segment[0] = 0; what is before the strands is segment 0, what is behind groups + 1 */
    crdi_planned_scalar *scalar; /* of all calls, one after the other */
    int64_t scalar_count;
    crdi_planned_link *link; /* the same of chains */
    int64_t link_count;
    crd_precision precision;
    double *constants; /* doubles and floats */
    int64_t input_size, output_size; /* elements, which are doubles */
    int64_t parts; /* of a log density: outputs behind its gradient */
    int64_t constant_bytes, work_bytes;
};

struct crd_exec {
    const crd_program *program;
    double *memory; /* input, output, work, each at a multiple of CRDI_ALIGN bytes */
    double *input, *output, *work;
    crdi_call *call;
    int64_t count;
    crdi_scalar *scalar;
    crdi_link *link;
    void *shared; /* of calls that bind (crdi_step.bind) */
    crdi_team *team; /* NULL: one thread does all */
    crdi_team *own_team; /* that, unless it is borrowed */
};

#endif
