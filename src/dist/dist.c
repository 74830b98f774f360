/* dist.c - the registry of distributions and what all of them have in common. */
#include "dist/dist.h"

#include <math.h>
#include <string.h>

static const crd_dist_type *const types[] = {
#define DIST(name, count, params, what) &crdi_dist_##name,
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

/* ---- constructors ------------------------------------------------------------------------------------------- */

#define PARAMETERS_1 crd_node a
#define PARAMETERS_2 crd_node a, crd_node b
#define PARAMETERS_3 crd_node a, crd_node b, crd_node c
#define PARAMETERS_4 crd_node a, crd_node b, crd_node c, crd_node d
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

int crd_dist_batch_shape(const crd_dist *dist, crd_shape *out)
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
    *out = shape;
    return 1;
}

/* ---- constraints -------------------------------------------------------------------------------------------- */

int crd_constraint_holds(crd_constraint kind, double x, double low, double high)
{
    switch (kind) {
    case CRD_REAL:
        return isfinite(x);
    case CRD_POSITIVE:
        return x > 0 && isfinite(x);
    case CRD_UNIT_INTERVAL:
        return x > 0 && x < 1;
    case CRD_INTERVAL:
        return x >= low && x <= high;
    case CRD_BOOLEAN:
        return x == 0 || x == 1;
    case CRD_CATEGORY:
        return x >= 0 && x < high && floor(x) == x;
    }
    return 0;
}

const char *crd_constraint_text(crd_constraint kind)
{
    switch (kind) {
    case CRD_REAL:
        return "finite";
    case CRD_POSITIVE:
        return "positive";
    case CRD_UNIT_INTERVAL:
        return "between 0 and 1";
    case CRD_INTERVAL:
        return "between its bounds";
    case CRD_BOOLEAN:
        return "0 or 1";
    case CRD_CATEGORY:
        return "a class number";
    }
    return "?";
}

crd_status crd_dist_check(crd_context *ctx, const crd_dist *dist, const char *what)
{
    for (int i = 0; i < dist->type->param_count; i++) {
        const crd_dist_param *param = &dist->type->param[i];
        const double *known = &dist->param[i].number;
        int64_t size = 1;
        if (dist->param[i].graph) {
            if (!crd_node_known(dist->param[i], &known))
                continue;
            size = crd_shape_size(crd_node_shape(dist->param[i]));
        }
        for (int64_t k = 0; k < size; k++)
            if (!crd_constraint_holds(param->constraint, known[k], -INFINITY, INFINITY))
                return crdi_raise(ctx, CRD_EDOMAIN, "%s: %s of %s is %g, it must be %s", what, param->name,
                                  dist->type->name, known[k], crd_constraint_text(param->constraint));
    }
    return CRD_OK;
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
