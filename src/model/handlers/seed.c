/* seed.c - the handler that draws what has no value. */
#include "model/model.h"

static void process(crd_handler *self, crd_trace *trace, crd_message *m)
{
    crd_seed_handler *seed = self->user;
    if (m->kind != CRD_MESSAGE_SAMPLE && m->kind != CRD_MESSAGE_PLATE)
        return;
    uint32_t number = seed->next++; /* counted for every site, so that giving one a value leaves the others' draws */
    if (m->has_value)
        return;
    crd_node key = crd_key_fold_in_node(seed->key, number);
    if (m->kind == CRD_MESSAGE_PLATE) {
        crd_message_give(trace, m, crd_random_choice_node(key, m->population, m->shape.dim[0]));
        return;
    }
    if (!m->dist.type->draw) {
        crd_trace_fail(trace, CRD_EUNSUPPORTED, m->where, "site %s: there is no way to draw from %s", m->name,
                       m->dist.type->name);
        return;
    }
    crd_node draw = m->dist.type->draw(&m->dist, key, m->shape);
    m->value = crd_broadcast_to(draw, m->shape);
    m->has_value = 1;
}

void crd_seed_init(crd_seed_handler *handler, crd_node key)
{
    *handler = (crd_seed_handler){.handler = {.process = process, .user = handler}, .key = key};
}
