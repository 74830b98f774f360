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

crd_status crd_trace_create(crd_trace **out, crd_context *ctx)
{
    crd_trace *t = crdi_alloc(ctx, sizeof *t);
    if (!t)
        return CRD_ENOMEM;
    t->ctx = ctx;
    t->log_density = crd_num(0);
    crd_status status = crdi_arena_create(&t->arena, ctx);
    if (status == CRD_OK)
        status = crd_graph_create(&t->graph, ctx);
    if (status < 0) {
        crd_trace_destroy(&t);
        return status;
    }
    *out = t;
    return CRD_OK;
}

void crd_trace_destroy(crd_trace **trace)
{
    if (!trace || !*trace)
        return;
    crd_trace *t = *trace;
    crd_graph_destroy(&t->graph);
    crdi_arena_destroy(&t->arena);
    crdi_free(t->ctx, t->handler);
    crdi_free(t->ctx, t->site);
    crdi_free(t->ctx, t);
    *trace = NULL;
}

crd_graph *crd_trace_graph(crd_trace *trace)
{
    return trace->graph;
}

crd_status crd_trace_push(crd_trace *t, crd_handler *handler)
{
    CRD_TRY(crdi_grow(t->ctx, &t->handler, &t->handler_capacity, t->handler_count, sizeof *t->handler));
    t->handler[t->handler_count++] = handler;
    return CRD_OK;
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

static bool failed(const crd_trace *t)
{
    return t->status < 0 || crd_graph_status(t->graph) < 0;
}

static crd_node bad(const crd_trace *t)
{
    return (crd_node){t->graph, -1, 0};
}

/* ---- one message -------------------------------------------------------------------------------------------- */

const crd_message *crd_trace_find(const crd_trace *t, const char *name)
{
    for (int64_t i = 0; i < t->site_count; i++)
        if (strcmp(t->site[i]->name, name) == 0)
            return t->site[i];
    return NULL;
}

static void add_log_density(crd_trace *t, crd_message *m)
{
    crd_node term = crd_num(0);
    if (m->kind == CRD_MESSAGE_SAMPLE)
        term = crd_sum(crd_broadcast_to(crd_dist_log_prob(&m->dist, m->value), m->batch));
    else if (m->kind == CRD_MESSAGE_FACTOR)
        term = crd_sum(m->value);
    if (m->scale != 1)
        term = crd_mul(crd_num(m->scale), term);
    m->log_density = term;
    if (m->kind != CRD_MESSAGE_DETERMINISTIC)
        t->log_density = crd_add(t->log_density, term);
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

static crd_node apply(crd_trace *t, crd_message *m)
{
    if (failed(t))
        return bad(t);
    if (crd_trace_find(t, m->name)) {
        crd_trace_fail(t, CRD_ENAME, m->where, "site %s: there is a site of this name already", m->name);
        return bad(t);
    }
    crdi_graph_set_where(t->graph, m->where);
    int64_t reached = t->handler_count;
    while (reached > 0 && !m->stop) {
        crd_handler *handler = t->handler[--reached];
        if (handler->process)
            handler->process(handler, t, m);
    }
    if (!m->has_value)
        crd_trace_fail(t, CRD_EINVAL, m->where, "site %s: nothing gives it a value (a seed handler would draw one)",
                       m->name);
    if (m->has_value && !m->value.graph && crd_node_ok(m->value))
        m->value = crdi_constant_scalar(t->graph, m->value.number);
    if (!failed(t)) {
        add_log_density(t, m);
        if (!m->hidden)
            record(t, m);
    }
    for (; reached < t->handler_count && !failed(t); reached++)
        if (t->handler[reached]->postprocess)
            t->handler[reached]->postprocess(t->handler[reached], t, m);
    crdi_graph_set_where(t->graph, (crd_where){0});
    return failed(t) ? bad(t) : m->value;
}

/* ---- statements --------------------------------------------------------------------------------------------- */

/* The shape that plates give a site: their sizes against the batch shape, the innermost plate at the last axis. */
static bool plated_shape(crd_trace *t, const char *name, crd_shape batch, crd_shape *out, crd_where where)
{
    crd_shape shape = batch;
    if (t->plate_count > shape.ndim) {
        int more = t->plate_count - shape.ndim;
        memmove(&shape.dim[more], &shape.dim[0], sizeof shape.dim[0] * (size_t)shape.ndim);
        for (int d = 0; d < more; d++)
            shape.dim[d] = 1;
        shape.ndim = t->plate_count;
    }
    for (int i = 0; i < t->plate_count; i++) {
        int64_t *extent = &shape.dim[shape.ndim - t->plate_count + i];
        if (*extent != 1 && *extent != t->plate[i].size) {
            crd_trace_fail(t, CRD_ESHAPE, where, "site %s: plate %s has %lld rows, the distribution has %lld", name,
                           t->plate[i].name, (long long)t->plate[i].size, (long long)*extent);
            return false;
        }
        *extent = t->plate[i].size;
    }
    *out = shape;
    return true;
}

/* Checks a distribution and finds the batch shape that plates make of it, and the shape of its value. */
static bool check_dist(crd_trace *t, const char *name, const crd_dist *dist, crd_message *m, crd_where where)
{
    crd_shape event;
    char text[256];
    if (failed(t))
        return false;
    for (const crd_dist *d = dist; d; d = d->base)
        for (int i = 0; d->type && i < d->type->param_count; i++)
            if (!crd_node_ok(d->param[i]))
                return false;
    if (!dist->type) {
        crd_trace_fail(t, CRD_EINVAL, where, "site %s: no distribution", name);
        return false;
    }
    crd_status status = crdi_dist_defect(dist, text, sizeof text);
    if (status < 0) {
        crd_trace_fail(t, status, where, "site %s: %s", name, text);
        return false;
    }
    if (!crd_dist_batch_shape(dist, &m->batch) || !crd_dist_event_shape(dist, &event)) {
        crd_trace_fail(t, CRD_ESHAPE, where, "site %s: the parameters of %s do not broadcast", name, dist->type->name);
        return false;
    }
    if (!plated_shape(t, name, m->batch, &m->batch, where))
        return false;
    m->shape = m->batch;
    if (m->shape.ndim + event.ndim > CRD_MAX_DIMS) {
        crd_trace_fail(t, CRD_ESHAPE, where, "site %s: more than %d axes", name, CRD_MAX_DIMS);
        return false;
    }
    for (int d = 0; d < event.ndim; d++)
        m->shape.dim[m->shape.ndim++] = event.dim[d];
    return true;
}

crd_node crd_sample_at(crd_trace *t, const char *name, crd_dist dist, crd_where where)
{
    crd_message m = {.kind = CRD_MESSAGE_SAMPLE, .name = name, .where = where, .dist = dist, .scale = 1};
    return check_dist(t, name, &dist, &m, where) ? apply(t, &m) : bad(t);
}

/* One bound of a support as one number for each element of a value; `otherwise` where it is not known yet. */
struct bound {
    const double *element;
    double otherwise;
};

static struct bound bound_of(crd_node node, crd_shape shape, double otherwise)
{
    struct bound bound = {.otherwise = otherwise};
    crd_shape joined;
    if (!node.graph && crd_node_ok(node))
        bound.otherwise = node.number;
    else if (crd_node_known(node, NULL) && crdi_broadcast_shape(crd_node_shape(node), shape, &joined) &&
             crdi_shape_equal(joined, shape))
        crd_node_known(crd_broadcast_to(node, shape), &bound.element);
    return bound;
}

static double bound_at(const struct bound *bound, int64_t i)
{
    return bound->element ? bound->element[i] : bound->otherwise;
}

/* Numbers that are good each must be good together: counts whose sum is the total. */
static bool check_totals(crd_trace *t, const char *name, const crd_dist *dist, const crd_array *value,
                         const struct bound *high, crd_where where)
{
    crd_constraint kind = dist->type->support(dist).kind;
    const crdi_constraint *constraint = crdi_constraint_of(kind);
    if (!constraint->totals)
        return true;
    int64_t columns = value->shape.dim[value->shape.ndim - 1], size = crd_shape_size(value->shape);
    for (int64_t i = 0; i < size; i += columns) {
        if (constraint->totals(value->data + i, 1, columns, bound_at(high, i)))
            continue;
        crd_trace_fail(t, CRD_EDOMAIN, where, "site %s: observed row %lld: %s needs %s (%g)", name,
                       (long long)(i / columns), dist->type->name, crd_constraint_text(kind), bound_at(high, i));
        return false;
    }
    return true;
}

/* Each observed number must be one that the distribution can give. */
static bool check_values(crd_trace *t, const char *name, const crd_dist *dist, const crd_array *value, crd_where where)
{
    crd_support support = dist->type->support(dist);
    struct bound low = bound_of(support.low, value->shape, -INFINITY),
                 high = bound_of(support.high, value->shape, INFINITY);
    int64_t size = crd_shape_size(value->shape);
    for (int64_t i = 0; i < size; i++) {
        if (crd_constraint_holds(support.kind, value->data[i], bound_at(&low, i), bound_at(&high, i)))
            continue;
        crd_trace_fail(t, CRD_EDOMAIN, where, "site %s: observed value %lld is %g, %s needs one that is %s", name,
                       (long long)i, value->data[i], dist->type->name, crd_constraint_text(support.kind));
        return false;
    }
    return check_totals(t, name, dist, value, &high, where);
}

crd_node crd_observe_at(crd_trace *t, const char *name, crd_dist dist, const crd_array *value, crd_where where)
{
    crd_message m = {.kind = CRD_MESSAGE_SAMPLE, .name = name, .where = where, .dist = dist, .scale = 1};
    char left[96], right[96];
    if (!value)
        return crd_sample_at(t, name, dist, where);
    if (!check_dist(t, name, &dist, &m, where))
        return bad(t);
    if (!crdi_shape_equal(value->shape, m.shape)) {
        if (t->plate_count == 1 && value->shape.ndim == 1)
            crd_trace_fail(t, CRD_ESHAPE, where, "site %s: plate %s has %lld rows, value has %lld", name,
                           t->plate[0].name, (long long)t->plate[0].size, (long long)value->shape.dim[0]);
        else
            crd_trace_fail(t, CRD_ESHAPE, where, "site %s: its shape is %s, that of the observed value %s", name,
                           crdi_shape_text(m.shape, left, sizeof left),
                           crdi_shape_text(value->shape, right, sizeof right));
        return bad(t);
    }
    if (!check_values(t, name, &dist, value, where))
        return bad(t);
    m.value = crd_constant(t->graph, value);
    m.has_value = m.observed = 1;
    return apply(t, &m);
}

crd_node crd_deterministic_at(crd_trace *t, const char *name, crd_node value, crd_where where)
{
    crd_message m = {.kind = CRD_MESSAGE_DETERMINISTIC, .name = name, .where = where, .value = value, .scale = 1};
    m.shape = crd_node_shape(value);
    m.has_value = 1;
    return crd_node_ok(value) ? apply(t, &m) : bad(t);
}

void crd_factor_at(crd_trace *t, const char *name, crd_node log_factor, crd_where where)
{
    crd_message m = {.kind = CRD_MESSAGE_FACTOR, .name = name, .where = where, .value = log_factor, .scale = 1};
    m.shape = crd_node_shape(log_factor);
    m.has_value = 1;
    if (crd_node_ok(log_factor))
        apply(t, &m);
}

crd_node crd_data_at(crd_trace *t, const char *name, const crd_array *array, crd_where where)
{
    int64_t size = crd_shape_size(array->shape);
    for (int64_t i = 0; i < size; i++)
        if (!isfinite(array->data[i])) {
            crd_trace_fail(t, CRD_EDOMAIN, where, "data %s: element %lld is %g", name, (long long)i, array->data[i]);
            return bad(t);
        }
    return crd_constant(t->graph, array);
}

crd_plate crd_plate_enter_at(crd_trace *t, const char *name, int64_t size, crd_where where)
{
    crd_plate plate = {t, t->plate_count};
    if (size < 0)
        crd_trace_fail(t, CRD_EINVAL, where, "plate %s: its size is %lld", name, (long long)size);
    else if (t->plate_count == CRDI_MAX_PLATES)
        crd_trace_fail(t, CRD_EUNSUPPORTED, where, "plate %s: more than %d plates are nested", name, CRDI_MAX_PLATES);
    else
        t->plate[t->plate_count++] = (struct crdi_plate){name, size, where};
    return plate;
}

void crd_plate_leave(crd_plate plate)
{
    if (plate.trace->plate_count > plate.depth)
        plate.trace->plate_count = plate.depth;
}

/* ---- a whole model ------------------------------------------------------------------------------------------ */

crd_status crd_trace_run(crd_trace *t, crd_model_fn model, void *user)
{
    model(t, user);
    if (t->plate_count > 0) /* said unless something failed before */
        crd_trace_fail(t, CRD_EINVAL, t->plate[0].where, "plate %s: entered, but not left", t->plate[0].name);
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
