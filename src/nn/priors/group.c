/* group.c - one scale for all parameters of a named group. The first of them draws it. */
#include "nn/nn.h"

static crd_node draw(const crdi_prior_term *term, crdi_prior_request *request)
{
    char *path = crdi_arena_printf(request->trace->arena, "%s/%s.scale", request->module, term->name);
    if (!path) {
        request->trace->status = CRD_ENOMEM;
        return (crd_node){request->trace->graph, -1, 0};
    }
    const crd_message *drawn = crd_trace_find(request->trace, path);
    return crdi_prior_normal(request,
                             drawn ? drawn->value : crd_sample_at(request->trace, path, term->dist, request->where));
}

const crdi_prior_form crdi_prior_group = {.name = "group", .scales = true, .named = true, .draw = draw};
