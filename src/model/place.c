/* place.c - see place.h. */
#include "model/place.h"

struct place {
    crd_handler handler;
    const crdi_place_request *request;
    crdi_placed *out;
};

/* The part of u that belongs to a site, in the shape that its bijection wants. */
static crd_node part(const crdi_place_request *request, int i, crd_shape shape)
{
    const crd_site *site = crd_model_site(request->layout, i);
    return crd_reshape(crd_slice(request->u, 0, site->offset, site->unconstrained_size, 1), shape);
}

static void process(crd_handler *self, crd_trace *trace, crd_message *m)
{
    struct place *place = self->user;
    int i = place->request->layout ? crdi_model_find(place->request->layout, m->name) : -1;
    if (m->kind != CRD_MESSAGE_SAMPLE || m->has_value || i < 0)
        return;
    crd_support support = m->dist.type->support(&m->dist);
    crd_node u = part(place->request, i, crd_bijection_shape(support, m->shape));
    crd_message_give(trace, m, crd_bijection_forward(support, u));
    m->inside = 1;
    place->out->log_jacobian[i] = crd_bijection_log_jacobian(support, u);
}

static crd_status run(crd_trace *trace, struct place *place)
{
    const crdi_place_request *request = place->request;
    crd_seed_handler seed;
    crd_replay_handler replay;
    crd_substitute_handler params;
    if (!crdi_is_nothing(request->key)) {
        crd_seed_init(&seed, request->key);
        CRD_TRY(crd_trace_push(trace, &seed.handler));
    }
    CRD_TRY(crd_trace_push(trace, &place->handler));
    if (request->params) {
        crd_substitute_init(&params, request->params, request->params_user);
        CRD_TRY(crd_trace_push(trace, &params.handler));
    }
    if (request->recorded) {
        crd_replay_init(&replay, request->recorded);
        CRD_TRY(crd_trace_push(trace, &replay.handler));
    }
    return crd_trace_run(trace, request->fn, request->user);
}

static crd_status place_all(crd_context *ctx, const crdi_place_request *request, crdi_placed *out)
{
    struct place place = {.handler = {.process = process, .user = &place}, .request = request, .out = out};
    int sites = request->layout ? crd_model_site_count(request->layout) : 0;
    out->log_jacobian = crdi_arena_alloc(out->trace->arena, sizeof *out->log_jacobian * (size_t)(sites + 1));
    out->message = crdi_arena_alloc(out->trace->arena, sizeof *out->message * (size_t)(sites + 1));
    if (!out->log_jacobian || !out->message)
        return CRD_ENOMEM;
    CRD_TRY(run(out->trace, &place));
    for (int i = 0; i < crd_trace_count(out->trace); i++) {
        const crd_message *m = crd_trace_site(out->trace, i);
        int site = request->layout && crdi_is_latent(m) ? crdi_model_find(request->layout, m->name) : -1;
        if (site >= 0)
            out->message[site] = m;
    }
    for (int i = 0; i < sites; i++)
        if (!out->message[i])
            return crdi_raise(ctx, CRD_EINVAL, "site %s: the model has it in one run and not in the next",
                              crd_model_site(request->layout, i)->name);
    return CRD_OK;
}

crd_status crdi_place(crd_context *ctx, const crdi_place_request *request, crdi_placed *out)
{
    *out = (crdi_placed){0};
    CRD_TRY(crd_trace_create_in(&out->trace, request->graph));
    crd_status status = place_all(ctx, request, out);
    if (status < 0)
        crdi_placed_clear(out);
    return status;
}

void crdi_placed_clear(crdi_placed *placed)
{
    crd_trace_destroy(&placed->trace);
}
