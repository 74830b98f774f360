/* do.c - the handler that intervenes: a site is said twice, once as it was, and once with the value that others see. */
#include "model/model.h"

static void process(crd_handler *self, crd_trace *trace, crd_message *m)
{
    const crd_do_handler *intervention = self->user;
    crd_node value;
    if (m->kind != CRD_MESSAGE_SAMPLE || !intervention->lookup(intervention->user, m, &value))
        return;
    crd_message original = *m;
    crd_trace_forward(trace, self, &original);
    if (!crd_message_give(trace, m, value))
        return;
    /* What goes on is a value without a density that nobody outside sees. */
    m->kind = CRD_MESSAGE_DETERMINISTIC;
    m->observed = 0;
    m->stop = m->hidden = 1;
}

static void finish(crd_handler *self, crd_trace *trace)
{
    const crd_do_handler *intervention = self->user;
    crdi_check_used(trace, "do", intervention->lookup, intervention->user);
}

void crd_do_init(crd_do_handler *handler, crd_lookup_fn lookup, void *user)
{
    *handler = (crd_do_handler){
        .handler = {.process = process, .finish = finish, .user = handler}, .lookup = lookup, .user = user};
}
