/* unconstrain.c - the handler that makes every latent site a function of unconstrained inputs, and adds log |dx/du|.
 *
 * A site without a value gets an input of the shape that its bijection wants, and the value x(u). */
#include "model/unconstrain.h"

#include <string.h>

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

/* ---- a whole trace ------------------------------------------------------------------------------------------ */

void crdi_unconstrained_clear(crd_context *ctx, crdi_unconstrained *u)
{
    crdi_free(ctx, u->handler.input);
    crd_trace_destroy(&u->trace);
}

crd_status crdi_unconstrained_trace(crd_context *ctx, crd_model_fn fn, void *user, crdi_plate_batch *batch,
                                    crdi_unconstrained *out)
{
    *out = (crdi_unconstrained){0};
    CRD_TRY(crd_trace_create(&out->trace, ctx));
    if (batch) {
        batch->row = crd_input(out->trace->graph, "rows", crd_shape_1(batch->rows));
        out->trace->batch = *batch;
    }
    crdi_unconstrain_init(&out->handler);
    crd_status status = crd_trace_push(out->trace, &out->handler.handler);
    return status == CRD_OK ? crd_trace_run(out->trace, fn, user) : status;
}

/* Inputs carry their site's name. */
crd_status crdi_unconstrained_inputs(const crd_model *model, const crdi_unconstrained *u, crd_node *out)
{
    for (int i = 0; i < model->site_count; i++) {
        out[i] = crdi_nothing;
        for (int64_t k = 0; k < u->handler.count; k++)
            if (strcmp(crdi_vertex_of(u->handler.input[k])->name, model->site[i].name) == 0)
                out[i] = u->handler.input[k];
        if (crdi_is_nothing(out[i]))
            return crdi_raise(model->ctx, CRD_EINVAL, "site %s: the model has it in one run and not in the next",
                              model->site[i].name);
    }
    return CRD_OK;
}
