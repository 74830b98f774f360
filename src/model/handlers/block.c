/* block.c - the handler that hides statements from what is outside of it. */
#include "model/model.h"

static void process(crd_handler *self, crd_trace *trace, crd_message *m)
{
    const crd_block_handler *block = self->user;
    (void)trace;
    bool hide = block->hide ? block->hide(block->user, m) : crdi_names_match(block->names, m->name) != block->expose;
    if (m->kind != CRD_MESSAGE_PLATE && hide)
        m->stop = m->hidden = m->ignored = 1;
}

void crd_block_init(crd_block_handler *handler, const char *names)
{
    *handler = (crd_block_handler){.handler = {.process = process, .user = handler}, .names = names};
}

void crd_block_init_expose(crd_block_handler *handler, const char *names)
{
    crd_block_init(handler, names);
    handler->expose = 1;
}

void crd_block_init_if(crd_block_handler *handler, int (*hide)(void *user, const crd_message *message), void *user)
{
    crd_block_init(handler, NULL);
    handler->hide = hide;
    handler->user = user;
}
