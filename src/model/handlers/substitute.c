/* substitute.c - the handlers that give sites values: substitute leaves them latent, condition makes them observed. */
#include "model/model.h"

static void process(crd_handler *self, crd_trace *trace, crd_message *m)
{
    crd_substitute_handler *substitute = self->user;
    crd_node value;
    char left[96], right[96];
    if (m->kind != CRD_MESSAGE_SAMPLE || m->has_value || !substitute->lookup(substitute->user, m, &value))
        return;
    crd_shape shape = crd_node_shape(value);
    if (!crdi_shape_equal(shape, m->shape) && crd_node_ok(value)) {
        crd_trace_fail(trace, CRD_ESHAPE, m->where, "site %s: its shape is %s, that of the value given to it %s",
                       m->name, crdi_shape_text(m->shape, left, sizeof left),
                       crdi_shape_text(shape, right, sizeof right));
        return;
    }
    m->value = value;
    m->has_value = 1;
    m->observed = m->observed || substitute->observe;
}

void crd_substitute_init(crd_substitute_handler *handler, crd_lookup_fn lookup, void *user)
{
    *handler =
        (crd_substitute_handler){.handler = {.process = process, .user = handler}, .lookup = lookup, .user = user};
}

void crd_condition_init(crd_substitute_handler *handler, crd_lookup_fn lookup, void *user)
{
    crd_substitute_init(handler, lookup, user);
    handler->observe = 1;
}
