/* substitute.c - the handlers that give sites values: substitute leaves them latent, condition makes them observed. */
#include "model/model.h"

#include <string.h>

int crd_lookup_values(void *values, const crd_message *m, crd_node *value)
{
    for (crd_value *v = values; v->name; v++) {
        if (strcmp(v->name, m->name) != 0)
            continue;
        v->used = 1;
        *value = v->value;
        return 1;
    }
    return 0;
}

static const char *site_name(const void *trace, int64_t i)
{
    return crd_trace_site(trace, (int)i)->name;
}

void crdi_check_used(crd_trace *t, const char *handler, crd_lookup_fn lookup, const void *user)
{
    if (lookup != crd_lookup_values)
        return;
    for (const crd_value *v = user; v->name; v++) {
        if (v->used)
            continue;
        const char *near = crdi_nearest(v->name, site_name, t, t->site_count);
        crd_trace_fail(t, CRD_ENAME, (crd_where){0}, "%s: the model has no site '%s' to be given a value%s%s%s",
                       handler, v->name, near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    }
}

static void process(crd_handler *self, crd_trace *trace, crd_message *m)
{
    crd_substitute_handler *substitute = self->user;
    crd_node value;
    bool other = m->kind == CRD_MESSAGE_PARAM || m->kind == CRD_MESSAGE_PLATE;
    if (m->kind != CRD_MESSAGE_SAMPLE && (!other || substitute->observe))
        return;
    if (!substitute->lookup(substitute->user, m, &value) || m->has_value)
        return;
    if (crd_message_give(trace, m, value) && m->kind == CRD_MESSAGE_SAMPLE)
        m->observed = substitute->observe;
}

static void finish(crd_handler *self, crd_trace *trace)
{
    const crd_substitute_handler *substitute = self->user;
    crdi_check_used(trace, substitute->observe ? "condition" : "substitute", substitute->lookup, substitute->user);
}

void crd_substitute_init(crd_substitute_handler *handler, crd_lookup_fn lookup, void *user)
{
    *handler = (crd_substitute_handler){
        .handler = {.process = process, .finish = finish, .user = handler}, .lookup = lookup, .user = user};
}

void crd_condition_init(crd_substitute_handler *handler, crd_lookup_fn lookup, void *user)
{
    crd_substitute_init(handler, lookup, user);
    handler->observe = 1;
}
