/* lift.c - the handler that gives parameters priors. */
#include "model/model.h"

/* The prior as one of the parameter's shape: its batch axes are those that are not of one draw. */
static crd_dist spread(const crd_dist *prior, crd_shape shape)
{
    crd_shape event;
    crd_dist dist = *prior;
    if (!dist.type || !crd_dist_event_shape(prior, &event))
        return dist; /* said where distributions are checked */
    int own = event.ndim - prior->joined;
    while (own-- > 0 && shape.ndim > 0)
        shape.dim[--shape.ndim] = 0;
    return crd_dist_expand(dist, shape);
}

static void process(crd_handler *self, crd_trace *trace, crd_message *m)
{
    const crd_lift_handler *lift = self->user;
    crd_lift_prior *prior = lift->prior;
    char left[96], right[96];
    if (m->kind != CRD_MESSAGE_PARAM)
        return;
    while (prior->names && !crdi_names_match(prior->names, m->name))
        prior++;
    if (!prior->names)
        return;
    prior->used = 1;
    if (m->has_value)
        return;
    crd_shape shape = m->shape;
    m->kind = CRD_MESSAGE_SAMPLE;
    m->dist = spread(&prior->dist, shape);
    if (crdi_check_dist(trace, m, false) && !crdi_shape_equal(m->shape, shape))
        crd_trace_fail(trace, CRD_ESHAPE, m->where, "param %s: its shape is %s, that of its prior %s", m->name,
                       crdi_shape_text(shape, left, sizeof left), crdi_shape_text(m->shape, right, sizeof right));
}

static void finish(crd_handler *self, crd_trace *trace)
{
    const crd_lift_handler *lift = self->user;
    for (const crd_lift_prior *prior = lift->prior; prior->names; prior++)
        if (!prior->used)
            crd_trace_fail(trace, CRD_EPRIOR, (crd_where){0}, "lift: no parameter of the model is named '%s'",
                           prior->names);
}

void crd_lift_init(crd_lift_handler *handler, crd_lift_prior *priors)
{
    *handler = (crd_lift_handler){.handler = {.process = process, .finish = finish, .user = handler}, .prior = priors};
}
