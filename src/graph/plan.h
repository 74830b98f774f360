/* plan.h - a program that is being made, as the files share it that make it: compile.c, emit.c, place.c, write.c. */
#ifndef CRDI_PLAN_H
#define CRDI_PLAN_H

#include "graph/program.h"

/* A buffer is the memory of a vertex or a scratch area. Buffers 0 .. count-1 are vertices, scratch follows. */
struct crdi_buffer {
    crdi_place place;
    int64_t size; /* elements */
    bool floats;
    int64_t last; /* the last step that reads or writes it; -1: none */
    bool fixed; /* never freed: constants, inputs, outputs */
};

struct crdi_hole {
    int64_t offset, size; /* bytes */
    int32_t owner; /* the group of strands that may use it; 0: all */
};

typedef struct crdi_plan {
    crd_graph *g;
    crdi_single single; /* its graph is g, if that is one */
    crd_program *program;
    crdi_emitter e;
    bool *needed;
    struct crdi_buffer *buffer;
    int64_t buffers;
    struct crdi_hole *hole; /* free stretches of the work region, by offset */
    int64_t holes, hole_capacity;
    int32_t segment; /* of the step that is being placed */
} crdi_plan;

void crdi_emitter_clear(crdi_emitter *emitter);

/* ---- places in memory (place.c) ------------------------------------------------------------------------------- */

/* Bytes of an element. */
int64_t crdi_width_of(bool floats);
/* Bytes of a buffer's stretch of memory. */
int64_t crdi_room_for(int64_t size, bool floats);
/* Buffers of vertices and scratch areas, and when each is used for the last time. */
crd_status crdi_size_buffers(crdi_plan *plan);
/* Gives every buffer that has none a place in the work region. */
crd_status crdi_place_work(crdi_plan *plan);

/* ---- the program (write.c) ------------------------------------------------------------------------------------ */

/* Calls and constants, when everything has its place. */
crd_status crdi_write_program(crdi_plan *plan);

#endif
