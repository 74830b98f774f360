/* stacked.c - what crd_components makes: distributions of several families beside each other, along a last axis of the
 * batch. A mixture of it has the density sum of w[k] p_k(x) with any p_k.
 *
 * The list lies where other compound types have their base, one behind the other; its length is the parameter. */
#include "dist/compound.h"

#include <math.h>
#include <stdio.h>

static int count_of(const crd_dist *d)
{
    return d->base ? (int)d->param[0].number : 0;
}

crd_dist crd_components(const crd_dist *dists, int count)
{
    crd_dist dist = {.type = &crdi_dist_stacked, .param = {crd_num(count)}};
    crd_graph *graph = NULL;
    for (int i = 0; i < count; i++) {
        if (!dists[i].type)
            return dists[i];
        graph = graph ? graph : crdi_dist_graph(&dists[i]);
    }
    crd_dist *kept = graph && count > 0 ? crdi_arena_alloc(graph->arena, (size_t)count * sizeof *kept) : NULL;
    if (graph && count > 0 && !kept && graph->status == CRD_OK)
        graph->status = CRD_ENOMEM;
    for (int i = 0; kept && i < count; i++)
        kept[i] = dists[i];
    dist.base = kept;
    return dist;
}

crd_graph *crdi_stacked_graph(const crd_dist *d)
{
    crd_graph *graph = NULL;
    for (int i = 0; i < count_of(d) && !graph; i++)
        graph = crdi_dist_graph(&d->base[i]);
    return graph;
}

/* ---- shapes --------------------------------------------------------------------------------------------------- */

/* That of all together, without the axis of the list. */
static bool joint_batch(const crd_dist *d, crd_shape *out)
{
    crd_shape shape = {0}, one;
    for (int i = 0; i < count_of(d); i++)
        if (!crd_dist_batch_shape(&d->base[i], &one) || !crdi_broadcast_shape(shape, one, &shape))
            return false;
    *out = shape;
    return count_of(d) > 0;
}

bool crdi_stacked_batch(const crd_dist *d, crd_shape *out)
{
    crd_shape shape;
    if (!joint_batch(d, &shape) || shape.ndim == CRD_MAX_DIMS)
        return false;
    shape.dim[shape.ndim++] = count_of(d);
    *out = shape;
    return true;
}

crd_status crdi_stacked_defect(const crd_dist *d, char *text, size_t size)
{
    crd_shape first, event;
    for (int i = 0; i < count_of(d); i++) {
        const crd_dist *one = &d->base[i];
        crd_status status = crdi_dist_defect(one, text, size);
        if (status < 0)
            return status;
        if (!crd_dist_event_shape(&d->base[0], &first) || !crd_dist_event_shape(one, &event))
            continue; /* said where the batch shape is made */
        if (!crdi_shape_equal(first, event)) {
            snprintf(text, size, "components of different shapes: those of %s and %s", d->base[0].type->name,
                     one->type->name);
            return CRD_ESHAPE;
        }
        if (crd_dist_discrete(&d->base[0]) != crd_dist_discrete(one)) {
            snprintf(text, size, "components must all be discrete or all continuous, and %s and %s are not",
                     d->base[0].type->name, one->type->name);
            return CRD_EINVAL;
        }
    }
    return CRD_OK;
}

/* Values of the components, each (batch, event) or what broadcasts to it, made one array with the list's axis before the
 * event's. */
static crd_node stack(const crd_dist *d, crd_node *each, crd_shape batch, crd_shape event)
{
    crd_graph *graph = crdi_stacked_graph(d);
    crd_shape full = batch, column = batch;
    column.dim[column.ndim++] = 1;
    for (int i = 0; i < event.ndim; i++) {
        full.dim[full.ndim++] = event.dim[i];
        column.dim[column.ndim++] = event.dim[i];
    }
    if (!graph)
        return crd_num(0); /* crd_dist_check says what is wrong */
    for (int i = 0; i < count_of(d); i++) {
        if (!crd_node_ok(each[i]))
            return each[i];
        crd_node wide =
            each[i].graph ? crd_broadcast_to(each[i], full) : crdi_constant_fill(graph, each[i].number, full);
        each[i] = crd_reshape(wide, column);
    }
    return crd_concat(each, count_of(d), batch.ndim);
}

enum { MOST = 64 };

typedef crd_node (*each_fn)(const crd_dist *one, const void *user);

/* f of each component, for results of the shape (batch, list, event); `joined`: of that with the axes of x. */
static crd_node stack_of(const crd_dist *d, each_fn f, const void *user, crd_shape batch, crd_shape event)
{
    crd_node each[MOST];
    if (count_of(d) > MOST)
        return crdi_fail(crdi_stacked_graph(d), CRD_EUNSUPPORTED, CRD_HERE, "more than %d components", MOST);
    for (int i = 0; i < count_of(d); i++)
        each[i] = f(&d->base[i], user);
    return stack(d, each, batch, event);
}

/* ---- what a distribution has ---------------------------------------------------------------------------------- */

static bool same_number(crd_node a, crd_node b)
{
    return !a.graph && !b.graph && a.id >= 0 && b.id >= 0 && a.number == b.number;
}

static crd_node low_of(const crd_dist *one, const void *user)
{
    (void)user;
    return one->type->support(one).low;
}

static crd_node high_of(const crd_dist *one, const void *user)
{
    (void)user;
    return one->type->support(one).high;
}

/* Of one kind: that kind, with the bounds of all. Of several: all numbers, as no other set has them all. */
static crd_support support(const crd_dist *d)
{
    crd_shape batch;
    if (!joint_batch(d, &batch))
        return crdi_support_real(d);
    crd_support first = d->base[0].type->support(&d->base[0]);
    bool bounded = false;
    for (int i = 1; i < count_of(d); i++) {
        crd_support other = d->base[i].type->support(&d->base[i]);
        if (other.kind != first.kind)
            return crd_dist_discrete(d) ? (crd_support){CRD_COUNT, crd_num(0), crd_num(0)} : crdi_support_real(d);
        bounded = bounded || !same_number(first.low, other.low) || !same_number(first.high, other.high);
    }
    if (!bounded)
        return first;
    return (crd_support){first.kind, stack_of(d, low_of, NULL, batch, (crd_shape){0}),
                         stack_of(d, high_of, NULL, batch, (crd_shape){0})};
}

/* x of component i: x has the list's axis, of its length or of one, before those of an event. */
static crd_node x_of(crd_node x, int axis, int i)
{
    return x.graph ? crd_take(x, axis, crd_node_shape(x).dim[axis] > 1 ? i : 0) : x;
}

static crd_node log_prob(const crd_dist *d, crd_node x)
{
    crd_shape event = crdi_base_event_shape(d), batch, given = crd_node_shape(x);
    crd_node each[MOST];
    int axis = given.ndim - 1 - event.ndim;
    if (!joint_batch(d, &batch) || count_of(d) > MOST)
        return crd_num(NAN);
    if (x.graph && axis < 0)
        return crdi_fail(x.graph, CRD_ESHAPE, CRD_HERE, "components are made for a mixture");
    given.ndim = axis > 0 ? axis : 0;
    if (!crdi_broadcast_shape(batch, given, &batch))
        return crdi_fail(crdi_stacked_graph(d), CRD_ESHAPE, CRD_HERE,
                         "the value does not broadcast with the components");
    for (int i = 0; i < count_of(d); i++)
        each[i] = crd_dist_log_prob(&d->base[i], x_of(x, axis, i));
    return stack(d, each, batch, (crd_shape){0});
}

static crd_node draw(const crd_dist *d, crd_node key, crd_shape shape)
{
    crd_shape event = crdi_base_event_shape(d), batch = shape;
    crd_node each[MOST];
    int axis = shape.ndim - 1 - event.ndim;
    if (axis < 0 || count_of(d) > MOST)
        return crdi_fail(key.graph, CRD_EUNSUPPORTED, CRD_HERE, "components are made for a mixture, of %d at most",
                         MOST);
    batch.ndim = axis;
    crd_shape one = batch;
    for (int i = 0; i < event.ndim; i++)
        one.dim[one.ndim++] = event.dim[i];
    for (int i = 0; i < count_of(d); i++) {
        const crd_dist *base = &d->base[i];
        if (!base->type->draw)
            return crdi_fail(key.graph, CRD_EUNSUPPORTED, CRD_HERE, "%s has no draws", base->type->name);
        each[i] = base->type->draw(base, crd_key_fold_in_node(key, (uint32_t)i), one);
    }
    return stack(d, each, batch, event);
}

static crd_node mean_of(const crd_dist *one, const void *user)
{
    (void)user;
    return one->type->mean(one);
}

static crd_node variance_of(const crd_dist *one, const void *user)
{
    (void)user;
    return one->type->variance(one);
}

/* Those that the components have; else an error that names the first that lacks it. */
static crd_node moment(const crd_dist *d, crdi_moment which)
{
    crd_shape batch;
    for (int i = 0; i < count_of(d); i++)
        if (!(which == CRDI_MEAN ? d->base[i].type->mean : d->base[i].type->variance))
            return crdi_fail(crdi_stacked_graph(d), CRD_EUNSUPPORTED, CRD_HERE, "%s has no %s", d->base[i].type->name,
                             which == CRDI_MEAN ? "mean" : "variance");
    if (!joint_batch(d, &batch))
        return crd_num(NAN);
    return stack_of(d, which == CRDI_MEAN ? mean_of : variance_of, NULL, batch, crdi_base_event_shape(d));
}

static crd_node mean(const crd_dist *d)
{
    return moment(d, CRDI_MEAN);
}

static crd_node variance(const crd_dist *d)
{
    return moment(d, CRDI_VARIANCE);
}

static crd_node cdf(const crd_dist *d, crd_node x)
{
    crd_shape batch, given = crd_node_shape(x);
    crd_node each[MOST];
    int axis = given.ndim - 1;
    given.ndim = axis > 0 ? axis : 0;
    if (count_of(d) > MOST || !joint_batch(d, &batch) || !crdi_broadcast_shape(batch, given, &batch))
        return crd_num(NAN);
    for (int i = 0; i < count_of(d); i++) {
        if (!d->base[i].type->cdf || d->base[i].joined)
            return crdi_fail(crdi_stacked_graph(d), CRD_EUNSUPPORTED, CRD_HERE, "%s has no distribution function",
                             d->base[i].type->name);
        each[i] = d->base[i].type->cdf(&d->base[i], x_of(x, axis, i));
    }
    return stack(d, each, batch, (crd_shape){0});
}

const crd_dist_type crdi_dist_stacked = {
    .name = "components",
    .param_count = 1,
    .param = {{"count", CRD_EXTENT, 0}},
    .support = support,
    .event_shape = crdi_base_event_shape,
    .log_prob = log_prob,
    .draw = draw,
    .mean = mean,
    .variance = variance,
    .cdf = cdf,
    .compound = 1,
};
