/* uncondition.c - the handler that takes observations away. */
#include "model/model.h"

static void process(crd_handler *self, crd_trace *trace, crd_message *m)
{
    const crd_uncondition_handler *uncondition = self->user;
    (void)trace;
    if (m->kind == CRD_MESSAGE_SAMPLE && m->observed && crdi_names_match(uncondition->names, m->name))
        m->has_value = m->observed = 0;
}

void crd_uncondition_init(crd_uncondition_handler *handler, const char *names)
{
    *handler = (crd_uncondition_handler){.handler = {.process = process, .user = handler}, .names = names};
}
