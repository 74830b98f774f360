/* density.c - what a site adds to the log density of a trace: masks, scales, and values that cannot be. */
#include "dist/constraint.h"
#include "model/model.h"

#include <math.h>

/* ---- observed values ---------------------------------------------------------------------------------------- */

/* A node as one number for each element of a shape; `otherwise` where it is not known yet. */
struct known {
    const double *element;
    double otherwise;
};

static struct known known_as(crd_node node, crd_shape shape, double otherwise)
{
    struct known known = {.otherwise = otherwise};
    crd_shape joined;
    if (!node.graph && crd_node_ok(node))
        known.otherwise = node.number;
    else if (crd_node_known(node, NULL) && crdi_broadcast_shape(crd_node_shape(node), shape, &joined) &&
             crdi_shape_equal(joined, shape))
        crd_node_known(crd_broadcast_to(node, shape), &known.element);
    return known;
}

static double known_at(const struct known *known, int64_t i)
{
    return known->element ? known->element[i] : known->otherwise;
}

/* Numbers that are good each must be good together: counts whose sum is the total, probabilities, matrices. */
static bool check_whole(crd_trace *t, const crd_message *m, const double *value, const struct known *high,
                        const struct known *mask)
{
    crd_constraint kind = m->dist.type->support(&m->dist).kind;
    const crdi_constraint *constraint = crdi_constraint_of(kind);
    if (!constraint->totals && !constraint->whole)
        return true;
    int last = m->shape.ndim - 1;
    int64_t columns = m->shape.dim[last], rows = constraint->event_ndim > 1 ? m->shape.dim[last - 1] : 1;
    for (int64_t i = 0; i < crd_shape_size(m->shape); i += rows * columns) {
        long long row = i / (rows * columns);
        if (known_at(mask, row) == 0)
            continue;
        if (constraint->totals && !constraint->totals(value + i, rows, columns, known_at(high, i))) {
            crd_trace_fail(t, CRD_EDOMAIN, m->where, "site %s: observed row %lld: %s needs %s (%g)", m->name, row,
                           m->dist.type->name, crd_constraint_text(kind), known_at(high, i));
            return false;
        }
        if (constraint->whole && !constraint->whole(value + i, rows, columns)) {
            crd_trace_fail(t, CRD_EDOMAIN, m->where, "site %s: observed %s %lld: %s needs %s", m->name,
                           rows > 1 ? "matrix" : "row", row, m->dist.type->name, crd_constraint_text(kind));
            return false;
        }
    }
    return true;
}

bool crdi_check_observed(crd_trace *t, const crd_message *m)
{
    const double *value;
    if (!crd_node_ok(m->value) || !crd_node_known(m->value, &value))
        return true;
    crd_support support = m->dist.type->support(&m->dist);
    struct known low = known_as(support.low, m->shape, -INFINITY), high = known_as(support.high, m->shape, INFINITY);
    struct known mask = {.otherwise = 1};
    if (m->has_mask)
        mask = known_as(m->mask, m->batch, 1);
    int64_t size = crd_shape_size(m->shape), draws = crd_shape_size(m->batch);
    for (int64_t i = 0; i < size; i++) {
        if (known_at(&mask, i / (size / draws)) == 0 ||
            crd_constraint_holds(support.kind, value[i], known_at(&low, i), known_at(&high, i)))
            continue;
        crd_trace_fail(t, CRD_EDOMAIN, m->where, "site %s: observed value %lld is %g, %s needs one that is %s", m->name,
                       (long long)i, value[i], m->dist.type->name, crd_constraint_text(support.kind));
        return false;
    }
    return check_whole(t, m, value, &high, &mask);
}

/* ---- density ------------------------------------------------------------------------------------------------ */

/* The mask, one number for each draw. */
static crd_node mask_of(crd_trace *t, const crd_message *m)
{
    crd_shape shape = crd_node_shape(m->mask), joined;
    char left[96], right[96];
    if (!crd_node_ok(m->mask))
        return m->mask;
    if (!crdi_broadcast_shape(shape, m->batch, &joined) || !crdi_shape_equal(joined, m->batch)) {
        crd_trace_fail(t, CRD_ESHAPE, m->where, "site %s: a mask of shape %s does not broadcast to its batch shape %s",
                       m->name, crdi_shape_text(shape, left, sizeof left),
                       crdi_shape_text(m->batch, right, sizeof right));
        return crdi_trace_bad(t);
    }
    crd_node mask = m->mask.graph ? m->mask : crdi_constant_scalar(t->graph, m->mask.number);
    return crd_broadcast_to(mask, m->batch);
}

/* The value with something harmless where the mask is 0: a log density that is no number there would make the gradient
 * of the others none either. */
static crd_node harmless_value(crd_trace *t, const crd_message *m, crd_node mask)
{
    crd_support support = m->dist.type->support(&m->dist);
    crd_shape spread = m->batch;
    while (spread.ndim < m->shape.ndim)
        spread.dim[spread.ndim++] = 1;
    crd_node harmless = crd_num(0);
    if (crd_bijection_exists(support))
        harmless = crd_stop_gradient(
            crd_bijection_forward(support, crdi_constant_fill(t->graph, 0, crd_bijection_shape(support, m->shape))));
    return crd_select(crd_reshape(mask, spread), m->value, harmless);
}

static bool is_known(crd_node node)
{
    return !node.graph || crd_node_known(node, NULL);
}

/* A latent value comes out of a bijection, and data were checked against bounds that are known: only what is computed, or
 * has bounds that are, is tested for being in the support. */
static bool is_inside(const crd_message *m)
{
    crd_support support = m->dist.type->support(&m->dist);
    return m->inside || (m->observed && is_known(m->value) && is_known(support.low) && is_known(support.high));
}

void crdi_add_density(crd_trace *t, crd_message *m)
{
    m->log_prob = m->log_density = crd_num(0);
    if (m->kind != CRD_MESSAGE_SAMPLE && m->kind != CRD_MESSAGE_FACTOR)
        return;
    crd_node mask = crd_num(1), value = m->value;
    if (m->has_mask)
        mask = mask_of(t, m);
    if (crdi_trace_failed(t))
        return;
    if (m->kind == CRD_MESSAGE_SAMPLE && m->has_mask)
        value = harmless_value(t, m, mask);
    if (m->kind == CRD_MESSAGE_SAMPLE)
        value = is_inside(m) ? crdi_dist_log_prob_inside(&m->dist, value) : crd_dist_log_prob(&m->dist, value);
    m->log_prob = crd_broadcast_to(value, m->batch);
    if (m->has_mask)
        m->log_prob = crd_select(mask, m->log_prob, crd_num(0));
    m->log_density = crd_sum(m->log_prob);
    if (m->scale != 1)
        m->log_density = crd_mul(crd_num(m->scale), m->log_density);
    if (m->ignored)
        return;
    crd_node *part = m->kind == CRD_MESSAGE_FACTOR || m->observed ? &t->log_likelihood : &t->log_prior;
    *part = crd_add(*part, m->log_density);
    t->log_density = crd_add(t->log_density, m->log_density);
}
