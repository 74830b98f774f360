/* replay.c - the handler that gives sites the values that they have in another trace. */
#include "model/model.h"

#include <string.h>

/* A value of another trace in this one's graph. */
static crd_node here(crd_trace *t, const crd_message *m, crd_node value)
{
    const double *known;
    if (value.graph == t->graph)
        return value;
    if (!crd_node_known(value, &known)) {
        crd_trace_fail(t, CRD_EINVAL, m->where,
                       "site %s: its recorded value is a formula in another graph (crd_trace_create_in shares one)",
                       m->name);
        return crdi_trace_bad(t);
    }
    crd_array array = {.shape = crd_node_shape(value), .data = (double *)known};
    return crd_constant(t->graph, &array);
}

static void process(crd_handler *self, crd_trace *trace, crd_message *m)
{
    const crd_replay_handler *replay = self->user;
    const crd_trace *recorded = replay->recorded;
    if (m->has_value)
        return;
    if (m->kind == CRD_MESSAGE_SAMPLE) {
        const crd_message *site = crd_trace_find(recorded, m->name);
        if (site && site->kind == CRD_MESSAGE_SAMPLE)
            crd_message_give(trace, m, here(trace, m, site->value));
    } else if (m->kind == CRD_MESSAGE_PLATE) {
        for (int i = 0; i < crd_trace_plate_count(recorded) && !m->has_value; i++) {
            const crd_plate_info *plate = crd_trace_plate(recorded, i);
            if (strcmp(plate->name, m->name) == 0 && plate->rows < plate->size)
                crd_message_give(trace, m, here(trace, m, plate->indices));
        }
    }
}

void crd_replay_init(crd_replay_handler *handler, const crd_trace *recorded)
{
    *handler = (crd_replay_handler){.handler = {.process = process, .user = handler}, .recorded = recorded};
}
