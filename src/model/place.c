/* place.c - see place.h. */
#include "model/place.h"

struct place {
    crd_handler handler;
    const crd_model *model;
    crd_node u;
    crdi_placed_site *site;
};

/* The part of u that belongs to a site, in the shape that its bijection wants. */
static crd_node part(const struct place *place, int i, crd_shape shape)
{
    const crd_site *site = crd_model_site(place->model, i);
    return crd_reshape(crd_slice(place->u, 0, site->offset, site->unconstrained_size, 1), shape);
}

static void process(crd_handler *self, crd_trace *trace, crd_message *m)
{
    struct place *place = self->user;
    int i = crdi_model_find(place->model, m->name);
    if (m->kind != CRD_MESSAGE_SAMPLE || m->has_value || i < 0)
        return;
    crd_support support = m->dist.type->support(&m->dist);
    crd_node u = part(place, i, crd_bijection_shape(support, m->shape));
    crd_message_give(trace, m, crd_bijection_forward(support, u));
    m->inside = 1;
    place->site[i].log_jacobian = crd_bijection_log_jacobian(support, u);
}

static crd_status place_all(const crd_model *model, crd_node u, crd_node key, crdi_placed *out)
{
    crd_trace *trace = out->trace;
    crd_seed_handler seed;
    struct place place = {.handler = {.process = process, .user = &place}, .model = model, .u = u};
    place.site = out->site = crdi_arena_alloc(trace->arena, sizeof *out->site * (size_t)crd_model_site_count(model));
    if (!out->site)
        return CRD_ENOMEM;
    if (!crdi_is_nothing(key)) {
        crd_seed_init(&seed, key);
        CRD_TRY(crd_trace_push(trace, &seed.handler));
    }
    CRD_TRY(crd_trace_push(trace, &place.handler));
    CRD_TRY(crd_trace_run(trace, model->fn, model->user));
    out->log_likelihood = crd_num(0);
    for (int i = 0; i < crd_trace_count(trace); i++) {
        const crd_message *m = crd_trace_site(trace, i);
        int site = crdi_is_latent(m) ? crdi_model_find(model, m->name) : -1;
        if (site >= 0)
            out->site[site].message = m;
        else if (m->kind == CRD_MESSAGE_SAMPLE || m->kind == CRD_MESSAGE_FACTOR)
            out->log_likelihood = crd_add(out->log_likelihood, m->log_density);
    }
    for (int i = 0; i < crd_model_site_count(model); i++)
        if (!out->site[i].message)
            return crdi_raise(model->ctx, CRD_EINVAL, "site %s: the model has it in one run and not in the next",
                              crd_model_site(model, i)->name);
    return CRD_OK;
}

crd_status crdi_model_place(const crd_model *model, crd_graph *graph, crd_node u, crd_node key, crdi_placed *out)
{
    *out = (crdi_placed){0};
    CRD_TRY(crd_trace_create_in(&out->trace, graph));
    crd_status status = place_all(model, u, key, out);
    if (status < 0)
        crdi_placed_clear(out);
    return status;
}

void crdi_placed_clear(crdi_placed *placed)
{
    crd_trace_destroy(&placed->trace);
}
