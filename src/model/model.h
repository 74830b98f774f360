/* model.h - the trace from the inside. */
#ifndef CRDI_MODEL_H
#define CRDI_MODEL_H

#include <credence/model.h>
#include "base/base.h"
#include "graph/graph.h"

enum { CRDI_MAX_PLATES = CRD_MAX_DIMS };

struct crdi_plate {
    const char *name;
    int64_t size;
    crd_where where; /* it was entered */
};

struct crd_trace {
    crd_context *ctx;
    crd_graph *graph;
    crdi_arena *arena; /* names, recorded messages */
    crd_handler **handler; /* the outermost first */
    int64_t handler_count, handler_capacity;
    crd_message **site;
    int64_t site_count, site_capacity;
    struct crdi_plate plate[CRDI_MAX_PLATES];
    int plate_count;
    crd_node log_density; /* of all sites and factors so far */
    crd_status status; /* of the first failure */
};

#endif
