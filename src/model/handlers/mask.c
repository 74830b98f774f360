/* mask.c - the handler that leaves draws out of the log density. Masks inside each other all have to let a draw pass. */
#include "model/model.h"

static void process(crd_handler *self, crd_trace *trace, crd_message *m)
{
    const crd_mask_handler *mask = self->user;
    (void)trace;
    if (m->kind != CRD_MESSAGE_SAMPLE && m->kind != CRD_MESSAGE_FACTOR)
        return;
    m->mask = m->has_mask ? crd_select(mask->mask, m->mask, crd_num(0)) : mask->mask;
    m->has_mask = 1;
}

void crd_mask_init(crd_mask_handler *handler, crd_node mask)
{
    *handler = (crd_mask_handler){.handler = {.process = process, .user = handler}, .mask = mask};
}
