/* compound.c - distributions that are made of another: their registry, where the other is kept, what they share. */
#include "dist/constraint.h"
#include "dist/compound.h"

#include <math.h>
#include <stdio.h>

static const crd_dist_type *const types[] = {
#define COMPOUND(name, count, params, what) &crdi_dist_##name,
#include "dist/compound.def"
#undef COMPOUND
};

static const char *const whats[] = {
#define COMPOUND(name, count, params, what) what,
#include "dist/compound.def"
#undef COMPOUND
};

const crd_dist_type *crd_dist_compound_get(int i)
{
    return i >= 0 && i < CRDI_COUNT(types) ? types[i] : NULL;
}

const char *crdi_compound_what(const crd_dist_type *type)
{
    for (int i = 0; i < CRDI_COUNT(types); i++)
        if (types[i] == type)
            return whats[i];
    return "";
}

/* ---- keeping the base ---------------------------------------------------------------------------------------- */

crd_graph *crdi_dist_graph(const crd_dist *dist)
{
    for (; dist; dist = dist->base) {
        if (dist->type == &crdi_dist_stacked)
            return crdi_stacked_graph(dist);
        for (int i = 0; dist->type && i < dist->type->param_count; i++)
            if (dist->param[i].graph)
                return dist->param[i].graph;
    }
    return NULL;
}

crd_dist crdi_compound(const crd_dist_type *type, const crd_node *param, crd_dist base)
{
    crd_dist dist = {.type = type};
    for (int i = 0; i < type->param_count; i++)
        dist.param[i] = param[i];
    if (!base.type)
        return base;
    crd_graph *graph = crdi_dist_graph(&dist) ? crdi_dist_graph(&dist) : crdi_dist_graph(&base);
    crd_dist *kept = graph ? crdi_arena_alloc(graph->arena, sizeof *kept) : NULL;
    if (graph && !kept && graph->status == CRD_OK)
        graph->status = CRD_ENOMEM;
    if (kept)
        *kept = base;
    dist.base = kept;
    return dist;
}

#define PARAMETERS_1 crd_node a
#define PARAMETERS_2 crd_node a, crd_node b
#define VALUES_1 a
#define VALUES_2 a, b
#define COMPOUND(name, count, params, what)                                                                            \
    crd_dist crd_##name(PARAMETERS_##count, crd_dist base)                                                             \
    {                                                                                                                  \
        return crdi_compound(&crdi_dist_##name, (const crd_node[]){VALUES_##count}, base);                             \
    }
#include "dist/compound.def"
#undef COMPOUND

crd_dist crd_dist_mask(crd_dist dist, crd_node mask)
{
    if (!mask.graph && mask.id >= 0 && mask.number == 1)
        return dist;
    return crdi_compound(&crdi_dist_masked, &mask, dist);
}

/* ---- what they share ----------------------------------------------------------------------------------------- */

int crd_dist_discrete(const crd_dist *dist)
{
    while (dist->type->compound && dist->base)
        dist = dist->base;
    return dist->type->discrete;
}

bool crdi_dist_reparameterised(const crd_dist *dist)
{
    for (; dist->type->compound && dist->base; dist = dist->base)
        if (dist->type->detached)
            return false;
    return !dist->type->detached && !dist->type->discrete;
}

bool crdi_base_batch(const crd_dist *dist, crd_shape *out)
{
    crd_shape shape;
    if (dist->type == &crdi_dist_stacked)
        return crdi_stacked_batch(dist, out);
    if (!dist->base || !crd_dist_batch_shape(dist->base, &shape) || shape.ndim < dist->type->base_axes)
        return false;
    for (int i = 0; i < dist->type->base_axes; i++)
        shape.dim[--shape.ndim] = 0;
    *out = shape;
    return true;
}

/* A mixture has as many weights as components. */
static bool components_differ(const crd_dist *dist, char *text, size_t size)
{
    crd_shape batch, weights = crd_node_shape(dist->param[0]);
    if (!dist->type->base_axes || !crd_dist_batch_shape(dist->base, &batch) || weights.ndim < 1)
        return false;
    int64_t k = weights.dim[weights.ndim - 1], components = batch.ndim ? batch.dim[batch.ndim - 1] : 0;
    if (k == components)
        return false;
    if (batch.ndim)
        snprintf(text, size, "%s has %lld %s, its components, along the last axis of %s, are %lld", dist->type->name,
                 (long long)k, dist->type->param[0].name, dist->base->type->name, (long long)components);
    else
        snprintf(text, size, "%s needs its components along an axis of the parameters of %s, which are numbers",
                 dist->type->name, dist->base->type->name);
    return true;
}

crd_status crdi_compound_defect(const crd_dist *dist, char *text, size_t size)
{
    if (!dist->base) {
        snprintf(text, size,
                 "%s is made of plain numbers only: give one of them as a node, for there must be a graph "
                 "that keeps what it is made of",
                 dist->type->name);
        return CRD_EINVAL;
    }
    if (dist->type == &crdi_dist_stacked)
        return crdi_stacked_defect(dist, text, size);
    crd_status status = crdi_dist_defect(dist->base, text, size);
    if (status < 0)
        return status;
    if (dist->type == &crdi_dist_zero_inflated && !crd_dist_discrete(dist->base)) {
        snprintf(text, size, "zero_inflated needs counts, %s is continuous", dist->base->type->name);
        return CRD_EINVAL;
    }
    return components_differ(dist, text, size) ? CRD_ESHAPE : CRD_OK;
}

crd_shape crdi_base_event_shape(const crd_dist *dist)
{
    crd_shape shape = {0};
    if (dist->base)
        crd_dist_event_shape(dist->base, &shape);
    return shape;
}

crd_support crdi_base_support(const crd_dist *dist)
{
    if (!dist->base)
        return crdi_support_real(dist);
    return dist->base->type->support(dist->base);
}

/* Without a base there may be no graph to keep an error: a NaN then, and crd_dist_check says what is wrong. */
static crd_node lacking(const crd_dist *dist, const char *what)
{
    crd_graph *graph = crdi_dist_graph(dist);
    if (!dist->base || !graph)
        return crd_num(NAN);
    return crdi_fail(graph, CRD_EUNSUPPORTED, CRD_HERE, "%s of %s has no %s", dist->type->name, dist->base->type->name,
                     what);
}

crd_node crdi_base_moment(const crd_dist *dist, crdi_moment moment)
{
    const crd_dist *base = dist->base;
    if (!base || !(moment == CRDI_MEAN ? base->type->mean : base->type->variance))
        return lacking(dist, moment == CRDI_MEAN ? "mean" : "variance");
    return moment == CRDI_MEAN ? base->type->mean(base) : base->type->variance(base);
}

crd_node crdi_base_draw(const crd_dist *dist, crd_node key, crd_shape shape)
{
    if (!dist->base || !dist->base->type->draw)
        return lacking(dist, "draws");
    return dist->base->type->draw(dist->base, key, shape);
}

crd_node crdi_base_cdf(const crd_dist *dist, crd_node x)
{
    if (!dist->base || !dist->base->type->cdf || dist->base->joined)
        return lacking(dist, "distribution function");
    return dist->base->type->cdf(dist->base, x);
}

crd_node crdi_spread_event(crd_node x, crd_shape event)
{
    crd_shape shape = crd_node_shape(x);
    if (!x.graph || x.id < 0 || event.ndim == 0)
        return x;
    if (shape.ndim + event.ndim > CRD_MAX_DIMS)
        return crdi_fail(x.graph, CRD_EUNSUPPORTED, CRD_HERE, "more than %d axes", CRD_MAX_DIMS);
    for (int d = 0; d < event.ndim; d++)
        shape.dim[shape.ndim++] = 1;
    return crd_reshape(x, shape);
}
