/* scale.c - the handler that multiplies log densities. */
#include "model/model.h"

#include <math.h>

static void process(crd_handler *self, crd_trace *trace, crd_message *m)
{
    const crd_scale_handler *scale = self->user;
    if (!(scale->scale > 0 && isfinite(scale->scale)))
        crd_trace_fail(trace, CRD_EDOMAIN, m->where, "site %s: its scale is %g, it must be positive", m->name,
                       scale->scale);
    m->scale *= scale->scale;
}

void crd_scale_init(crd_scale_handler *handler, double scale)
{
    *handler = (crd_scale_handler){.handler = {.process = process, .user = handler}, .scale = scale};
}
