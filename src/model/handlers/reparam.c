/* reparam.c - the handler that says other statements in place of one: the site becomes deterministic.
 *
 * Which ones is up to a function; loc_scale and transform are two. */
#include "dist/dist.h"
#include "model/model.h"

#include <string.h>

static void process(crd_handler *self, crd_trace *trace, crd_message *m)
{
    crd_reparam_handler *reparam = self->user;
    crd_node value;
    if (m->kind != CRD_MESSAGE_SAMPLE || reparam->busy || !crdi_names_match(reparam->names, m->name))
        return;
    if (m->has_value) {
        crd_trace_fail(trace, CRD_EUNSUPPORTED, m->where,
                       "site %s: it is observed or has a value, it cannot be reparametrised", m->name);
        return;
    }
    reparam->busy = 1;
    int done = reparam->fn(reparam->user ? reparam->user : reparam, trace, m, &value);
    reparam->busy = 0;
    if (!done || !crd_message_give(trace, m, value))
        return;
    m->kind = CRD_MESSAGE_DETERMINISTIC;
    m->dist = (crd_dist){0};
    m->scale = 1;
    m->has_mask = 0;
}

void crd_reparam_init(crd_reparam_handler *handler, const char *names, crd_reparam_fn fn, void *user)
{
    *handler =
        (crd_reparam_handler){.handler = {.process = process, .user = handler}, .names = names, .fn = fn, .user = user};
}

/* Says the statement that a site is made of: NAME_SUFFIX, as many draws as the site has. */
static crd_node say(crd_trace *t, const crd_message *m, const char *suffix, crd_dist dist)
{
    crd_shape shape, event;
    const char *name = crdi_arena_printf(t->arena, "%s_%s", m->name, suffix);
    if (!name) {
        t->status = CRD_ENOMEM;
        return crdi_trace_bad(t);
    }
    crd_dist_batch_shape(&m->dist, &shape);
    crd_dist_event_shape(&m->dist, &event);
    for (int d = 0; d < m->dist.joined; d++)
        shape.dim[shape.ndim++] = event.dim[d];
    return crd_sample_at(t, name, crd_dist_to_event(crd_dist_expand(dist, shape), m->dist.joined), m->where);
}

/* ---- location and scale ------------------------------------------------------------------------------------- */

static int find_param(const crd_dist_type *type, const char *name)
{
    for (int i = 0; i < type->param_count; i++)
        if (strcmp(type->param[i].name, name) == 0 && type->param[i].event_ndim == 0)
            return i;
    return -1;
}

static int loc_scale(void *user, crd_trace *t, const crd_message *m, crd_node *value)
{
    double c = ((const crd_reparam_handler *)user)->centered;
    const crd_dist_type *type = m->dist.type;
    int loc = find_param(type, "loc"), scale = find_param(type, "scale");
    crd_dist moved = m->dist;
    if (!(c >= 0 && c <= 1)) {
        crd_trace_fail(t, CRD_EDOMAIN, m->where, "site %s: centered is %g, it must be from 0 to 1", m->name, c);
        return 0;
    }
    if (loc < 0 || scale < 0 || type->event_shape || type->support(&m->dist).kind != CRD_REAL) {
        crd_trace_fail(t, CRD_EUNSUPPORTED, m->where, "site %s: %s is no family of location and scale on all reals",
                       m->name, type->name);
        return 0;
    }
    if (c == 1)
        return 0;
    moved.param[loc] = c == 0 ? crd_num(0) : crd_mul(crd_num(c), m->dist.param[loc]);
    moved.param[scale] = c == 0 ? crd_num(1) : crd_pow(m->dist.param[scale], crd_num(c));
    moved.joined = 0;
    crd_node z = say(t, m, "decentered", moved);
    if (!crd_node_ok(z))
        return 0;
    crd_node spread = c == 0 ? m->dist.param[scale] : crd_pow(m->dist.param[scale], crd_num(1 - c));
    *value = crd_add(m->dist.param[loc], crd_mul(spread, crd_sub(z, moved.param[loc])));
    return 1;
}

void crd_reparam_init_loc_scale(crd_reparam_handler *handler, const char *names, double centered)
{
    crd_reparam_init(handler, names, loc_scale, NULL);
    handler->centered = centered;
}

/* ---- transforms ---------------------------------------------------------------------------------------------- */

/* How a distribution is made of one of its own family (or, exp, of a normal one). */
enum made { MADE_EXP, MADE_BETWEEN, MADE_TIMES, MADE_DIVIDED };

static const struct {
    const char *name;
    enum made made;
    const char *param; /* times, divided: which one moves out */
} families[] = {
    {"log_normal", MADE_EXP, NULL},        {"uniform", MADE_BETWEEN, NULL},      {"exponential", MADE_DIVIDED, "rate"},
    {"half_normal", MADE_TIMES, "scale"},  {"half_cauchy", MADE_TIMES, "scale"}, {"gamma", MADE_DIVIDED, "rate"},
    {"inverse_gamma", MADE_TIMES, "rate"}, /* the reciprocal of a gamma: its rate is a scale */
    {"weibull", MADE_TIMES, "scale"},
};

static int transform(void *user, crd_trace *t, const crd_message *m, crd_node *value)
{
    const crd_node *param = m->dist.param;
    crd_dist base = m->dist;
    int f = 0, moving = -1;
    (void)user;
    while (f < CRDI_COUNT(families) && strcmp(families[f].name, m->dist.type->name) != 0)
        f++;
    if (f < CRDI_COUNT(families) && families[f].param)
        moving = find_param(m->dist.type, families[f].param);
    if (f == CRDI_COUNT(families) || (families[f].param && moving < 0)) {
        crd_trace_fail(t, CRD_EUNSUPPORTED, m->where, "site %s: there is no transform that makes a %s", m->name,
                       m->dist.type->name);
        return 0;
    }
    if (families[f].made == MADE_EXP)
        base = crd_normal(param[0], param[1]);
    else if (families[f].made == MADE_BETWEEN)
        base = crd_uniform(crd_num(0), crd_num(1));
    else
        base.param[moving] = crd_num(1);
    base.joined = 0;
    crd_node z = say(t, m, "base", base);
    if (!crd_node_ok(z))
        return 0;
    if (families[f].made == MADE_EXP)
        *value = crd_exp(z);
    else if (families[f].made == MADE_BETWEEN)
        *value = crd_add(param[0], crd_mul(crd_sub(param[1], param[0]), z));
    else
        *value = families[f].made == MADE_TIMES ? crd_mul(param[moving], z) : crd_div(z, param[moving]);
    return 1;
}

void crd_reparam_init_transform(crd_reparam_handler *handler, const char *names)
{
    crd_reparam_init(handler, names, transform, NULL);
}
