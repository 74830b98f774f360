/* unconstrain.c - the handler that makes every latent site a function of unconstrained inputs, and adds log |dx/du|.
 *
 * A site without a value gets an input of the shape that its bijection wants, and the value x(u). */
#include "model/unconstrain.h"

static void process(crd_handler *self, crd_trace *trace, crd_message *m)
{
    crdi_unconstrain *u = self->user;
    if (m->kind != CRD_MESSAGE_SAMPLE || m->has_value)
        return;
    crd_support support = m->dist.type->support(&m->dist);
    if (!crd_bijection_exists(support)) {
        crd_trace_fail(trace, CRD_EUNSUPPORTED, m->where,
                       "site %s: %s is %s; a latent site must be continuous, or be observed", m->name,
                       m->dist.type->name, m->dist.type->discrete ? "discrete" : "a point");
        return;
    }
    crd_node input = crd_input(trace->graph, m->name, crd_bijection_shape(support, m->shape));
    m->value = crd_bijection_forward(support, input);
    m->has_value = m->inside = 1;
    crd_node jacobian = crd_bijection_log_jacobian(support, input);
    u->log_jacobian = crd_add(u->log_jacobian, jacobian);
    if (crdi_grow(trace->ctx, &u->input, &u->capacity, u->count, sizeof *u->input) < 0) {
        trace->status = CRD_ENOMEM;
        return;
    }
    u->input[u->count++] = input;
}

void crdi_unconstrain_init(crdi_unconstrain *handler)
{
    *handler = (crdi_unconstrain){.handler = {.process = process, .user = handler}, .log_jacobian = crd_num(0)};
}
