/* dist.c - the registry of distributions and what all of them have in common. */
#include "dist/constraint.h"
#include "dist/counts.h"
#include "graph/graph.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const crd_dist_type *const types[] = {
#define DIST(name, count, params, what) &crdi_dist_##name,
#include "dist/dist.def"
#undef DIST
};

static const char *const whats[] = {
#define DIST(name, count, params, what) what,
#include "dist/dist.def"
#undef DIST
};

const crd_dist_type *crd_dist_type_get(int i)
{
    return i >= 0 && i < CRDI_COUNT(types) ? types[i] : NULL;
}

static const char *type_name(const void *list, int64_t i)
{
    (void)list;
    return types[i]->name;
}

const crd_dist_type *crd_dist_type_find(const char *name)
{
    for (int i = 0; i < CRDI_COUNT(types); i++)
        if (strcmp(types[i]->name, name) == 0)
            return types[i];
    return NULL;
}

const char *crd_dist_type_what(const crd_dist_type *type)
{
    for (int i = 0; i < CRDI_COUNT(types); i++)
        if (types[i] == type)
            return whats[i];
    return crdi_compound_what(type);
}

/* ---- constructors ------------------------------------------------------------------------------------------- */

#define PARAMETERS_0 void
#define PARAMETERS_1 crd_node a
#define PARAMETERS_2 crd_node a, crd_node b
#define PARAMETERS_3 crd_node a, crd_node b, crd_node c
#define PARAMETERS_4 crd_node a, crd_node b, crd_node c, crd_node d
#define VALUES_0                                                                                                       \
    {                                                                                                                  \
        0                                                                                                              \
    }
#define VALUES_1 a
#define VALUES_2 a, b
#define VALUES_3 a, b, c
#define VALUES_4 a, b, c, d
#define DIST(name, count, params, what)                                                                                \
    crd_dist crd_##name(PARAMETERS_##count)                                                                            \
    {                                                                                                                  \
        return (crd_dist){.type = &crdi_dist_##name, .param = {VALUES_##count}};                                       \
    }
#include "dist/dist.def"
#undef DIST

crd_dist crd_dist_expand(crd_dist dist, crd_shape shape)
{
    dist.batch = shape;
    return dist;
}

static int join(crd_shape a, crd_shape b, crd_shape *out)
{
    crd_shape shape = {.ndim = a.ndim > b.ndim ? a.ndim : b.ndim};
    for (int d = 1; d <= shape.ndim; d++) {
        int64_t p = d <= a.ndim ? a.dim[a.ndim - d] : 1, q = d <= b.ndim ? b.dim[b.ndim - d] : 1;
        if (p != q && p != 1 && q != 1)
            return 0;
        shape.dim[shape.ndim - d] = p == 1 ? q : p;
    }
    *out = shape;
    return 1;
}

/* The batch with the axes that crd_dist_to_event joined. */
static int full_batch(const crd_dist *dist, crd_shape *out)
{
    crd_shape shape = dist->batch;
    for (int i = 0; i < dist->type->param_count; i++) {
        crd_shape param = crd_node_shape(dist->param[i]);
        int event = dist->type->param[i].event_ndim;
        for (int d = 0; d < event && param.ndim > 0; d++)
            param.dim[--param.ndim] = 0;
        if (!join(shape, param, &shape))
            return 0;
    }
    if (dist->type->compound) {
        crd_shape base;
        if (!crdi_base_batch(dist, &base) || !join(shape, base, &shape))
            return 0;
    }
    *out = shape;
    return shape.ndim >= dist->joined;
}

int crd_dist_batch_shape(const crd_dist *dist, crd_shape *out)
{
    crd_shape shape;
    if (!full_batch(dist, &shape))
        return 0;
    for (int d = 0; d < dist->joined; d++)
        shape.dim[--shape.ndim] = 0;
    *out = shape;
    return 1;
}

int crd_dist_event_shape(const crd_dist *dist, crd_shape *out)
{
    crd_shape batch, own = {0}, shape = {0};
    if (!full_batch(dist, &batch))
        return 0;
    if (dist->type->event_shape)
        own = dist->type->event_shape(dist);
    if (dist->joined + own.ndim > CRD_MAX_DIMS)
        return 0;
    for (int d = 0; d < dist->joined; d++)
        shape.dim[shape.ndim++] = batch.dim[batch.ndim - dist->joined + d];
    for (int d = 0; d < own.ndim; d++)
        shape.dim[shape.ndim++] = own.dim[d];
    *out = shape;
    return 1;
}

crd_dist crd_dist_to_event(crd_dist dist, int axes)
{
    dist.joined += axes;
    return dist;
}

/* The type's log density, minus infinity where a parameter that is not known yet lies outside its domain. */
static crd_node tested_log_prob(const crd_dist *dist, crd_node x)
{
    crd_node log_prob = dist->type->log_prob(dist, x);
    for (int i = 0; i < dist->type->param_count; i++) {
        const crd_dist_param *param = &dist->type->param[i];
        const crdi_constraint *constraint = crdi_constraint_of(param->constraint);
        if (!(dist->type->tested >> i & 1) || !dist->param[i].graph || !crd_node_ok(dist->param[i]) ||
            crd_node_known(dist->param[i], NULL))
            continue;
        crd_support domain = {param->constraint, crd_num(0), crd_num(INFINITY)};
        crd_node inside = constraint->inside(domain, dist->param[i]);
        for (int d = constraint->event_ndim; d < param->event_ndim; d++)
            inside = crdi_all(inside);
        log_prob = crd_select(inside, log_prob, crd_num(-INFINITY));
    }
    return log_prob;
}

crd_node crdi_dist_log_prob_inside(const crd_dist *dist, crd_node x)
{
    if (dist->type->compound && !dist->base)
        return crd_num(NAN); /* crd_dist_check says what is wrong */
    crd_node log_prob = tested_log_prob(dist, x);
    crd_shape batch;
    if (dist->joined == 0 || !crd_node_ok(log_prob))
        return log_prob;
    /* What a formula without x or with a scalar x leaves out of its shape must be there before axes are summed. */
    if (full_batch(dist, &batch) && log_prob.graph && join(batch, crd_node_shape(log_prob), &batch))
        log_prob = crd_broadcast_to(log_prob, batch);
    for (int d = 0; d < dist->joined; d++)
        log_prob = crd_sum_axis(log_prob, -1);
    return log_prob;
}

/* Some value of the support, with the shape of x. */
crd_node crdi_harmless(crd_support support, crd_node x)
{
    if (!x.graph || !crd_bijection_exists(support))
        return crd_num(0);
    return crd_stop_gradient(crd_bijection_forward(
        support, crdi_constant_fill(x.graph, 0, crd_bijection_shape(support, crd_node_shape(x)))));
}

/* The axes of a type's own event that its support does not look at together: a normal vector has one. */
static int loose_axes(const crd_dist *dist)
{
    int own = dist->type->event_shape ? dist->type->event_shape(dist).ndim : 0;
    return own - crdi_constraint_of(dist->type->support(dist).kind)->event_ndim;
}

crd_node crd_dist_log_prob(const crd_dist *dist, crd_node x)
{
    if (dist->type->compound && !dist->base)
        return crd_num(NAN); /* crd_dist_check says what is wrong */
    crd_support support = dist->type->support(dist);
    const crdi_constraint *constraint = crdi_constraint_of(support.kind);
    if (!constraint->inside || !crd_node_ok(x))
        return crdi_dist_log_prob_inside(dist, x);
    crd_node inside = constraint->inside(support, x), spread = inside;
    for (int d = 0; d < constraint->event_ndim; d++)
        spread = crdi_column(spread);
    /* Where x is outside it is replaced, and not the density alone: the slope of a NaN would be one. */
    crd_node log_prob = crdi_dist_log_prob_inside(dist, crd_select(spread, x, crdi_harmless(support, x)));
    for (int d = 0; d < loose_axes(dist); d++)
        inside = crdi_all(inside);
    if (dist->type == &crdi_dist_masked)
        inside = crd_max(inside, crd_equal(dist->param[0], crd_num(0)));
    crd_shape batch;
    if (dist->joined && full_batch(dist, &batch) && inside.graph && join(batch, crd_node_shape(inside), &batch))
        inside = crd_broadcast_to(inside, batch);
    for (int d = 0; d < dist->joined; d++)
        inside = crdi_all(inside);
    return crd_select(inside, log_prob, crd_num(-INFINITY));
}

/* ---- parameters ---------------------------------------------------------------------------------------------- */

/* A parameter's elements if they are known now; their number, or 0. A plain number is copied to *number. */
static int64_t known_elements(crd_node node, double *number, const double **out)
{
    if (node.id < 0)
        return 0;
    *number = node.number;
    *out = number;
    if (!node.graph)
        return 1;
    return crd_node_known(node, out) ? crd_shape_size(crd_node_shape(node)) : 0;
}

/* What is wrong, where crdi_dist_defect puts it. */
struct defect {
    crd_status status;
    char *text;
    size_t size;
};

static bool outside(const crd_dist *dist, int i, double value, struct defect *defect)
{
    const crd_dist_param *param = &dist->type->param[i];
    const char *text = crd_constraint_text(param->constraint);
    defect->status = CRD_EDOMAIN;
    snprintf(defect->text, defect->size, "%s of %s is %g, it must be %s%s", param->name, dist->type->name, value, text,
             isfinite(value) || strstr(text, "finite") || strstr(text, "infinity") ? "" : " and finite");
    return true;
}

/* Elements that are good each, but not together: a simplex whose sum is not 1. */
static bool whole_defect(const crd_dist *dist, int i, struct defect *defect)
{
    const crdi_constraint *constraint = crdi_constraint_of(dist->type->param[i].constraint);
    double number;
    const double *known;
    int64_t count = known_elements(dist->param[i], &number, &known);
    crd_shape shape = crd_node_shape(dist->param[i]);
    if (!constraint->whole || shape.ndim < constraint->event_ndim)
        return false;
    int64_t columns = shape.dim[shape.ndim - 1], rows = constraint->event_ndim > 1 ? shape.dim[shape.ndim - 2] : 1;
    for (int64_t event = 0; rows * columns > 0 && event < count / (rows * columns); event++) {
        if (constraint->whole(known + event * rows * columns, rows, columns))
            continue;
        defect->status = CRD_EDOMAIN;
        snprintf(defect->text, defect->size, "row %lld of %s of %s must be %s", (long long)event,
                 dist->type->param[i].name, dist->type->name, crd_constraint_text(dist->type->param[i].constraint));
        return true;
    }
    return false;
}

/* Compares with the parameter before, both broadcast; what is not known now is not compared. */
static bool above_defect(const crd_dist *dist, int i, struct defect *defect)
{
    crd_node high = dist->param[i], low = dist->param[i - 1];
    crd_constraint kind = dist->type->param[i].constraint;
    crd_shape shape;
    double numbers[2];
    const double *p, *q;
    if (!known_elements(low, &numbers[0], &p) || !known_elements(high, &numbers[1], &q))
        return false;
    if (!join(crd_node_shape(low), crd_node_shape(high), &shape))
        return false; /* said where the batch shape is made */
    if (low.graph)
        low = crd_broadcast_to(low, shape);
    if (high.graph)
        high = crd_broadcast_to(high, shape);
    int64_t many_low = known_elements(low, &numbers[0], &p), many_high = known_elements(high, &numbers[1], &q);
    for (int64_t k = 0; k < crd_shape_size(shape) && many_low && many_high; k++)
        if (!crd_constraint_holds(kind, q[many_high > 1 ? k : 0], p[many_low > 1 ? k : 0], INFINITY))
            return outside(dist, i, q[many_high > 1 ? k : 0], defect);
    return false;
}

static bool parameter_defect(const crd_dist *dist, int i, struct defect *defect)
{
    const crd_dist_param *param = &dist->type->param[i];
    double number;
    const double *known;
    if (dist->param[i].id >= 0 && crd_node_shape(dist->param[i]).ndim < param->event_ndim) {
        defect->status = CRD_ESHAPE;
        snprintf(defect->text, defect->size,
                 param->event_ndim == 1
                     ? "%s of %s is a number, it must be an array with the classes along its last axis"
                     : "%s of %s must be a matrix",
                 param->name, dist->type->name);
        return true;
    }
    int64_t count = known_elements(dist->param[i], &number, &known);
    if (param->constraint == CRD_EXTENT && count != 1 && dist->param[i].id >= 0) {
        defect->status = CRD_ESHAPE;
        snprintf(defect->text, defect->size, "%s of %s must be %s", param->name, dist->type->name,
                 crd_constraint_text(param->constraint));
        return true;
    }
    for (int64_t k = 0; k < count; k++)
        if (!crd_constraint_holds(param->constraint, known[k], -INFINITY, INFINITY))
            return outside(dist, i, known[k], defect);
    if (whole_defect(dist, i, defect))
        return true;
    return (param->constraint == CRD_ABOVE || param->constraint == CRD_UPPER_BOUND) && i > 0 &&
           above_defect(dist, i, defect);
}

crd_status crdi_dist_defect(const crd_dist *dist, char *text, size_t size)
{
    struct defect defect = {.text = text, .size = size};
    for (int i = 0; i < dist->type->param_count; i++)
        if (parameter_defect(dist, i, &defect))
            return defect.status;
    return dist->type->compound ? crdi_compound_defect(dist, text, size) : CRD_OK;
}

crd_status crd_dist_check(crd_context *ctx, const crd_dist *dist, const char *what)
{
    char text[256];
    crd_status status = crdi_dist_defect(dist, text, sizeof text);
    return status < 0 ? crdi_raise(ctx, status, "%s: %s", what, text) : CRD_OK;
}

/* ---- from text ---------------------------------------------------------------------------------------------- */

static crd_status parse_error(crd_context *ctx, const char *text, const crd_dist_type *type)
{
    char names[128] = "";
    for (int i = 0; i < type->param_count; i++) {
        strncat(names, i ? "," : "", sizeof names - strlen(names) - 1);
        strncat(names, type->param[i].name, sizeof names - strlen(names) - 1);
    }
    return crdi_raise(ctx, CRD_EINVAL, "distribution '%s': %s takes %d number%s, as in '%s:%s'", text, type->name,
                      type->param_count, type->param_count == 1 ? "" : "s", type->name, names);
}

crd_status crd_dist_parse(crd_context *ctx, const char *text, crd_dist *out)
{
    char copy[256], what[300];
    if (strlen(text) >= sizeof copy)
        return crdi_raise(ctx, CRD_EINVAL, "distribution '%.40s...': too long", text);
    strcpy(copy, text);
    char *colon = strchr(copy, ':'), *rest = colon ? colon + 1 : NULL;
    if (colon)
        *colon = 0;
    const crd_dist_type *type = crd_dist_type_find(copy);
    if (!type)
        return crdi_raise_unknown(ctx, "distribution", copy, type_name, NULL, CRDI_COUNT(types));
    for (int i = 0; i < type->param_count; i++)
        if (type->param[i].event_ndim > 0)
            return crdi_raise(ctx, CRD_ESHAPE, "distribution '%s': %s of %s is an array, which a text cannot give",
                              text, type->param[i].name, type->name);
    crd_dist dist = {.type = type};
    for (int i = 0; i < type->param_count; i++) {
        char *comma = rest ? strchr(rest, ',') : NULL;
        if (comma)
            *comma = 0;
        if (!rest || !crdi_parse_double(rest, &dist.param[i].number))
            return parse_error(ctx, text, type);
        rest = comma ? comma + 1 : NULL;
    }
    if (rest)
        return parse_error(ctx, text, type);
    strcpy(what, "distribution '");
    strcat(strcat(what, text), "'");
    CRD_TRY(crd_dist_check(ctx, &dist, what));
    *out = dist;
    return CRD_OK;
}
