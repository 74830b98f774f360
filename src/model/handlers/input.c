/* input.c - the handler that leaves values open: each is an input of the graph. */
#include "model/model.h"

static void process(crd_handler *self, crd_trace *trace, crd_message *m)
{
    (void)self;
    if (!m->has_value && (m->kind == CRD_MESSAGE_SAMPLE || m->kind == CRD_MESSAGE_PARAM))
        crd_message_give(trace, m, crd_input(crd_trace_graph(trace), m->name, m->shape));
}

void crd_input_init(crd_handler *handler)
{
    *handler = (crd_handler){.process = process, .user = handler};
}
