/* trace.c - statements, and their way through the handlers.
 *
 * A statement becomes a message. The handlers see it from the innermost to the outermost until one says stop; then a
 * sample site must have a value; then its log density is added and it is recorded; then the handlers that saw it see it
 * again, in the opposite order. */
#include "dist/constraint.h"
#include "model/model.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static crd_status create(crd_trace **out, crd_context *ctx, crd_graph *graph)
{
    crd_trace *t = crdi_alloc(ctx, sizeof *t);
    if (!t)
        return CRD_ENOMEM;
    t->ctx = ctx;
    t->graph = graph;
    t->borrowed_graph = graph != NULL;
    t->log_density = t->log_prior = t->log_likelihood = crd_num(0);
    crd_status status = crdi_arena_create(&t->arena, ctx);
    if (status == CRD_OK && !graph)
        status = crd_graph_create(&t->graph, ctx);
    if (status < 0) {
        crd_trace_destroy(&t);
        return status;
    }
    *out = t;
    return CRD_OK;
}

crd_status crd_trace_create(crd_trace **out, crd_context *ctx)
{
    return create(out, ctx, NULL);
}

crd_status crd_trace_create_in(crd_trace **out, crd_graph *graph)
{
    return create(out, crd_graph_context(graph), graph);
}

void crd_trace_destroy(crd_trace **trace)
{
    if (!trace || !*trace)
        return;
    crd_trace *t = *trace;
    if (!t->borrowed_graph)
        crd_graph_destroy(&t->graph);
    crdi_arena_destroy(&t->arena);
    crdi_free(t->ctx, t->handler);
    crdi_free(t->ctx, t->known_plate);
    crdi_free(t->ctx, t->site);
    crdi_free(t->ctx, t);
    *trace = NULL;
}

crd_graph *crd_trace_graph(crd_trace *trace)
{
    return trace->graph;
}

static const char *file_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

void crd_trace_fail(crd_trace *t, crd_status status, crd_where where, const char *format, ...)
{
    char message[512];
    if (t->status < 0 || crd_graph_status(t->graph) < 0)
        return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    if (where.file)
        t->status = crdi_raise(t->ctx, status, "%s (%s:%d)", message, file_name(where.file), where.line);
    else /* a model of ours: the user wrote no line of it */
        t->status = crdi_raise(t->ctx, status, "%s", message);
}

bool crdi_trace_failed(const crd_trace *t)
{
    return t->status < 0 || crd_graph_status(t->graph) < 0;
}

crd_node crdi_trace_bad(const crd_trace *t)
{
    return (crd_node){t->graph, -1, 0};
}

/* ---- handlers ----------------------------------------------------------------------------------------------- */

crd_status crd_trace_push(crd_trace *t, crd_handler *handler)
{
    crd_status status = crdi_grow(t->ctx, &t->handler, &t->handler_capacity, t->handler_count, sizeof *t->handler);
    if (status < 0)
        return t->status = status;
    t->handler[t->handler_count++] = handler;
    return CRD_OK;
}

void crd_trace_pop(crd_trace *t, crd_handler *handler)
{
    if (crdi_trace_failed(t)) { /* a push may have failed */
        while (t->handler_count > 0 && t->handler[t->handler_count - 1] == handler)
            t->handler_count--;
        return;
    }
    if (t->handler_count == 0 || t->handler[t->handler_count - 1] != handler) {
        crd_trace_fail(t, CRD_EINVAL, (crd_where){0}, "a handler is popped that is not the innermost");
        return;
    }
    if (handler->finish)
        handler->finish(handler, t);
    t->handler_count--;
}

/* ---- one message -------------------------------------------------------------------------------------------- */

const crd_message *crd_trace_find(const crd_trace *t, const char *name)
{
    for (int64_t i = 0; i < t->site_count; i++)
        if (strcmp(t->site[i]->name, name) == 0)
            return t->site[i];
    return NULL;
}

static void record(crd_trace *t, const crd_message *m)
{
    crd_message *copy = crdi_arena_alloc(t->arena, sizeof *copy);
    const char *name = crdi_arena_strdup(t->arena, m->name);
    if (!copy || !name || crdi_grow(t->ctx, &t->site, &t->site_capacity, t->site_count, sizeof *t->site) < 0) {
        t->status = CRD_ENOMEM;
        return;
    }
    *copy = *m;
    copy->name = name;
    t->site[t->site_count++] = copy;
}

/* The value of a statement that no handler has given one. */
static void give_standard(crd_trace *t, crd_message *m)
{
    if (m->kind == CRD_MESSAGE_PARAM)
        m->value = m->initial;
    else if (m->kind == CRD_MESSAGE_PLATE)
        m->value = crdi_first_rows(t, m->shape.dim[0]);
    else
        crd_trace_fail(t, CRD_EINVAL, m->where, "site %s: nothing gives it a value (a seed handler would draw one)",
                       m->name);
    m->has_value = 1;
}

crd_node crdi_trace_send(crd_trace *t, crd_message *m, int64_t level)
{
    if (crdi_trace_failed(t))
        return crdi_trace_bad(t);
    if (m->kind != CRD_MESSAGE_PLATE && crd_trace_find(t, m->name)) {
        crd_trace_fail(t, CRD_ENAME, m->where, "site %s: there is a site of this name already", m->name);
        return crdi_trace_bad(t);
    }
    crd_where before = t->graph->where;
    crdi_graph_set_where(t->graph, m->where);
    int64_t reached = level;
    while (reached > 0 && !m->stop && !crdi_trace_failed(t)) {
        crd_handler *handler = t->handler[--reached];
        if (handler->process)
            handler->process(handler, t, m);
    }
    if (!m->has_value)
        give_standard(t, m);
    if (m->has_value && !m->value.graph && crd_node_ok(m->value))
        m->value = crdi_constant_scalar(t->graph, m->value.number);
    if (!crdi_trace_failed(t) && m->kind == CRD_MESSAGE_SAMPLE && m->observed)
        crdi_check_observed(t, m);
    if (!crdi_trace_failed(t)) {
        crdi_add_density(t, m);
        if (!m->hidden)
            record(t, m);
    }
    for (; reached < level && !crdi_trace_failed(t); reached++)
        if (t->handler[reached]->postprocess)
            t->handler[reached]->postprocess(t->handler[reached], t, m);
    crdi_graph_set_where(t->graph, before);
    return crdi_trace_failed(t) ? crdi_trace_bad(t) : m->value;
}

crd_node crd_trace_forward(crd_trace *t, const crd_handler *self, crd_message *m)
{
    int64_t level = t->handler_count;
    while (level > 0 && t->handler[level - 1] != self)
        level--;
    return crdi_trace_send(t, m, level > 0 ? level - 1 : t->handler_count);
}

int crd_message_give(crd_trace *t, crd_message *m, crd_node value)
{
    crd_shape shape = crd_node_shape(value);
    char left[96], right[96];
    if (!crd_node_ok(value)) {
        if (!value.graph)
            crd_trace_fail(t, CRD_EINVAL, m->where, "site %s: the value given to it is none", m->name);
        return 0;
    }
    if (!crdi_shape_equal(shape, m->shape)) {
        crd_trace_fail(t, CRD_ESHAPE, m->where, "site %s: its shape is %s, that of the value given to it %s", m->name,
                       crdi_shape_text(m->shape, left, sizeof left), crdi_shape_text(shape, right, sizeof right));
        return 0;
    }
    m->value = value;
    return m->has_value = 1;
}

/* ---- statements --------------------------------------------------------------------------------------------- */

static crd_node apply(crd_trace *t, crd_message *m)
{
    crdi_plate_message(t, m);
    return crdi_trace_send(t, m, t->handler_count);
}

bool crdi_check_dist(crd_trace *t, crd_message *m, bool plates)
{
    const crd_dist *dist = &m->dist;
    crd_shape event;
    char text[256];
    if (crdi_trace_failed(t))
        return false;
    for (const crd_dist *d = dist; d; d = d->base)
        for (int i = 0; d->type && i < d->type->param_count; i++)
            if (!crd_node_ok(d->param[i]))
                return false;
    if (!dist->type) {
        crd_trace_fail(t, CRD_EINVAL, m->where, "site %s: no distribution", m->name);
        return false;
    }
    crd_status status = crdi_dist_defect(dist, text, sizeof text);
    if (status < 0) {
        crd_trace_fail(t, status, m->where, "site %s: %s", m->name, text);
        return false;
    }
    if (!crd_dist_batch_shape(dist, &m->batch) || !crd_dist_event_shape(dist, &event)) {
        crd_trace_fail(t, CRD_ESHAPE, m->where, "site %s: the parameters of %s do not broadcast", m->name,
                       dist->type->name);
        return false;
    }
    if (plates && !crdi_plated_shape(t, m->name, m->batch, &m->batch, m->where))
        return false;
    m->shape = m->batch;
    if (m->shape.ndim + event.ndim > CRD_MAX_DIMS) {
        crd_trace_fail(t, CRD_ESHAPE, m->where, "site %s: more than %d axes", m->name, CRD_MAX_DIMS);
        return false;
    }
    for (int d = 0; d < event.ndim; d++)
        m->shape.dim[m->shape.ndim++] = event.dim[d];
    return true;
}

crd_node crd_sample_at(crd_trace *t, const char *name, crd_dist dist, crd_where where)
{
    crd_message m = {.kind = CRD_MESSAGE_SAMPLE, .name = name, .where = where, .dist = dist, .scale = 1};
    return crdi_check_dist(t, &m, true) ? apply(t, &m) : crdi_trace_bad(t);
}

/* Compares an observed value's shape with its site's; a plate that it does not fit is named. */
static bool check_shape(crd_trace *t, const crd_message *m, crd_shape shape)
{
    char left[96], right[96];
    if (crdi_shape_equal(shape, m->shape))
        return true;
    int different = 0, axis = 0;
    for (int d = 0; d < shape.ndim && shape.ndim == m->shape.ndim; d++)
        if (shape.dim[d] != m->shape.dim[d]) {
            axis = d;
            different++;
        }
    const crd_plate_info *plate = different == 1 && axis < m->batch.ndim ? crdi_plate_of_axis(t, m->batch, axis) : NULL;
    if (plate && plate->rows < plate->size && shape.dim[axis] == plate->size)
        crd_trace_fail(t, CRD_ESHAPE, m->where,
                       "site %s: plate %s takes %lld of its %lld rows, value has all (crd_subsample takes the same)",
                       m->name, plate->name, (long long)plate->rows, (long long)plate->size);
    else if (plate)
        crd_trace_fail(t, CRD_ESHAPE, m->where, "site %s: plate %s has %lld rows, value has %lld", m->name, plate->name,
                       (long long)plate->rows, (long long)shape.dim[axis]);
    else
        crd_trace_fail(t, CRD_ESHAPE, m->where, "site %s: its shape is %s, that of the observed value %s", m->name,
                       crdi_shape_text(m->shape, left, sizeof left), crdi_shape_text(shape, right, sizeof right));
    return false;
}

crd_node crd_observe_value_at(crd_trace *t, const char *name, crd_dist dist, crd_node value, crd_where where)
{
    crd_message m = {.kind = CRD_MESSAGE_SAMPLE, .name = name, .where = where, .dist = dist, .scale = 1};
    if (!crdi_check_dist(t, &m, true) || !crd_node_ok(value) || !check_shape(t, &m, crd_node_shape(value)))
        return crdi_trace_bad(t);
    m.value = value;
    m.has_value = m.observed = 1;
    return apply(t, &m);
}

crd_node crd_observe_at(crd_trace *t, const char *name, crd_dist dist, const crd_array *value, crd_where where)
{
    if (!value)
        return crd_sample_at(t, name, dist, where);
    return crd_observe_value_at(t, name, dist, crd_constant(t->graph, value), where);
}

crd_node crd_deterministic_at(crd_trace *t, const char *name, crd_node value, crd_where where)
{
    crd_message m = {.kind = CRD_MESSAGE_DETERMINISTIC, .name = name, .where = where, .value = value, .scale = 1};
    m.shape = crd_node_shape(value);
    m.has_value = 1;
    return crd_node_ok(value) ? apply(t, &m) : crdi_trace_bad(t);
}

void crd_factor_at(crd_trace *t, const char *name, crd_node log_factor, crd_where where)
{
    crd_message m = {.kind = CRD_MESSAGE_FACTOR, .name = name, .where = where, .value = log_factor, .scale = 1};
    m.shape = crd_node_shape(log_factor);
    m.has_value = 1;
    if (!crdi_trace_failed(t) && crd_node_ok(log_factor) && crdi_plated_shape(t, name, m.shape, &m.batch, where))
        apply(t, &m);
}

/* Whether each number that a parameter starts from is in its set. */
static bool check_param(crd_trace *t, const crd_message *m)
{
    static const char *const NOT_KNOWN = "param %s: its initial value must be known when the model is traced";
    crd_support support = {m->constraint, crd_num(0), crd_num(0)};
    const double *initial = &m->initial.number;
    if (m->constraint == CRD_INTERVAL || m->constraint == CRD_ABOVE || !crd_bijection_exists(support)) {
        crd_trace_fail(t, CRD_EUNSUPPORTED, m->where, "param %s: no parameter can be one that is %s", m->name,
                       crd_constraint_text(m->constraint));
        return false;
    }
    if (m->initial.graph && !crd_node_known(m->initial, &initial)) {
        crd_trace_fail(t, CRD_EINVAL, m->where, NOT_KNOWN, m->name);
        return false;
    }
    for (int64_t i = 0; i < crd_shape_size(m->shape); i++)
        if (!crd_constraint_holds(m->constraint, initial[i], -INFINITY, INFINITY)) {
            crd_trace_fail(t, CRD_EDOMAIN, m->where, "param %s: element %lld of its initial value is %g, it must be %s",
                           m->name, (long long)i, initial[i], crd_constraint_text(m->constraint));
            return false;
        }
    return true;
}

crd_node crd_param_at(crd_trace *t, const char *name, crd_node initial, crd_constraint constraint, crd_where where)
{
    crd_message m = {.kind = CRD_MESSAGE_PARAM, .name = name, .where = where, .initial = initial, .scale = 1};
    m.shape = crd_node_shape(initial);
    m.constraint = constraint;
    if (crdi_trace_failed(t) || !crd_node_ok(initial) || !check_param(t, &m))
        return crdi_trace_bad(t);
    return crdi_trace_send(t, &m, t->handler_count);
}

crd_node crd_data_at(crd_trace *t, const char *name, const crd_array *array, crd_where where)
{
    int64_t size = crd_shape_size(array->shape);
    for (int64_t i = 0; i < size; i++)
        if (!isfinite(array->data[i])) {
            crd_trace_fail(t, CRD_EDOMAIN, where, "data %s: element %lld is %g", name, (long long)i, array->data[i]);
            return crdi_trace_bad(t);
        }
    return crd_constant(t->graph, array);
}

/* ---- a whole model ------------------------------------------------------------------------------------------ */

crd_status crd_trace_run(crd_trace *t, crd_model_fn model, void *user)
{
    int64_t around = t->handler_count;
    model(t, user);
    if (t->plate_count > 0) /* said unless something failed before */
        crd_trace_fail(t, CRD_EINVAL, t->plate[0].where, "plate %s: entered, but not left", t->plate[0].info->name);
    if (t->handler_count != around)
        crd_trace_fail(t, CRD_EINVAL, (crd_where){0}, "the model has pushed %lld handlers more than it has popped",
                       (long long)(t->handler_count - around));
    for (int64_t i = around; i > 0 && !crdi_trace_failed(t); i--)
        if (t->handler[i - 1]->finish)
            t->handler[i - 1]->finish(t->handler[i - 1], t);
    if (t->handler_count > around)
        t->handler_count = around; /* the others may be gone */
    /* The trace's own failure first: after one the graph may fail too, but not the other way round. */
    return t->status < 0 ? t->status : crd_graph_status(t->graph);
}

int crd_trace_count(const crd_trace *trace)
{
    return (int)trace->site_count;
}

const crd_message *crd_trace_site(const crd_trace *trace, int i)
{
    return trace->site[i];
}

crd_node crd_trace_log_density(const crd_trace *trace)
{
    return trace->log_density;
}

int crd_trace_plate_count(const crd_trace *trace)
{
    return (int)trace->known_plate_count;
}

const crd_plate_info *crd_trace_plate(const crd_trace *trace, int i)
{
    return trace->known_plate[i];
}
