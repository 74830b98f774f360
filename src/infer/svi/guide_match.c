/* guide_match.c - whether a site of a guide written by hand can stand for the model's: supports, shapes, plates. */
#include "infer/svi/guide.h"

#include "model/model.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- supports ----------------------------------------------------------------------------------------------- */

/* The numbers between which values lie, when that is all there is to a support. A bound that is no plain number where the
 * model says it, and may be another one in every draw, is NaN. */
struct range {
    double low, high;
};

static double bound_of(crd_node node)
{
    return node.graph || crdi_is_nothing(node) ? NAN : node.number;
}

static bool range_of(crd_support s, struct range *out)
{
    double low = bound_of(s.low), high = bound_of(s.high);
    switch (s.kind) {
    case CRD_REAL:
        *out = (struct range){-INFINITY, INFINITY};
        return true;
    case CRD_POSITIVE:
    case CRD_COUNT:
        *out = (struct range){0, INFINITY};
        return true;
    case CRD_UNIT_INTERVAL:
    case CRD_PROBABILITY:
    case CRD_BOOLEAN:
        *out = (struct range){0, 1};
        return true;
    case CRD_INTERVAL:
    case CRD_COUNT_UP_TO:
        *out = (struct range){low, high};
        return true;
    case CRD_CATEGORY: /* its high is the number of classes */
        *out = (struct range){0, high - 1};
        return true;
    case CRD_BELOW:
        *out = (struct range){-INFINITY, high};
        return true;
    case CRD_ABOVE:
        *out = (struct range){low, INFINITY};
        return true;
    default:
        return false;
    }
}

/* Whether numbers from `inner` on certainly begin below `outer`; for upper ends with both signs turned. */
static bool begins_before(double inner, double outer)
{
    return isnan(outer) ? isinf(inner) : inner < outer;
}

/* Whether every value of one support lies in the other, as far as can be known. Vectors whose elements are ordered fill a
 * part of all vectors; other sets of vectors and matrices have fewer directions than elements, and go only with
 * themselves. */
static bool within(crd_support inner, crd_support outer)
{
    struct range in, out;
    bool ordered = inner.kind == CRD_ORDERED || inner.kind == CRD_POSITIVE_ORDERED;
    if (inner.kind == CRD_POSITIVE_ORDERED && (outer.kind == CRD_ORDERED || outer.kind == CRD_POSITIVE))
        return true;
    if (ordered && outer.kind == CRD_REAL)
        return true;
    if (!range_of(inner, &in) || !range_of(outer, &out))
        return inner.kind == outer.kind;
    return !begins_before(in.low, out.low) && !begins_before(-in.high, -out.high);
}

/* "positive", "between 0 and 2". */
static const char *describe(crd_support s, char *buffer, size_t size)
{
    struct range range;
    if ((s.kind != CRD_INTERVAL && s.kind != CRD_COUNT_UP_TO && s.kind != CRD_CATEGORY) || !range_of(s, &range) ||
        isnan(range.low) || isnan(range.high))
        return crd_constraint_text(s.kind);
    snprintf(buffer, size, "%sfrom %g to %g", s.kind == CRD_INTERVAL ? "" : "whole numbers ", range.low, range.high);
    return buffer;
}

static crd_status check_support(crd_context *ctx, const crd_message *q, const crd_message *p)
{
    char in[64], out[64];
    crd_support inner = q->dist.type->support(&q->dist), outer = p->dist.type->support(&p->dist);
    if (within(inner, outer) && crd_dist_discrete(&q->dist) == crd_dist_discrete(&p->dist))
        return CRD_OK;
    return crdi_raise(ctx, CRD_EDOMAIN,
                      "site %s: the guide's %s gives values that are %s, the model's %s needs ones that are %s",
                      q->name, q->dist.type->name, describe(inner, in, sizeof in), p->dist.type->name,
                      describe(outer, out, sizeof out));
}

/* ---- plates ------------------------------------------------------------------------------------------------- */

/* The innermost plate around a site of which a run takes some rows, and that the other has not. */
static const crd_plate_info *lone_subsample(const crd_message *m, const crd_message *other)
{
    for (int i = m->plate_count - 1; i >= 0; i--) {
        bool fits = m->plate[i]->rows == m->plate[i]->size;
        for (int k = 0; other && k < other->plate_count; k++)
            fits = fits || strcmp(m->plate[i]->name, other->plate[k]->name) == 0;
        if (!fits)
            return m->plate[i];
    }
    return NULL;
}

/* Else one of the two densities would count for all rows, the other for those that were taken. */
static crd_status check_plates(crd_context *ctx, const crd_message *q, const crd_message *p)
{
    const crd_plate_info *plate = lone_subsample(p, q);
    const char *has = "model", *has_not = "guide";
    if (!plate) {
        plate = lone_subsample(q, p);
        has = "guide";
        has_not = "model";
    }
    if (!plate)
        return CRD_OK;
    return crdi_raise(
        ctx, CRD_EINVAL,
        "site %s: in the %s it is in plate %s, of which a run takes %lld of %lld rows, in the %s it is not", q->name,
        has, plate->name, (long long)plate->rows, (long long)plate->size, has_not);
}

crd_status crdi_guide_check_automatic(crd_context *ctx, const crd_message *p)
{
    const crd_plate_info *plate = lone_subsample(p, NULL);
    if (crd_dist_discrete(&p->dist))
        return crdi_raise(
            ctx, CRD_EUNSUPPORTED,
            "site %s: %s is discrete, and automatic guides are for continuous sites; a guide written by hand "
            "(guide_fn) can have it",
            p->name, p->dist.type->name);
    if (!plate)
        return CRD_OK;
    return crdi_raise(
        ctx, CRD_EUNSUPPORTED,
        "site %s: plate %s takes %lld of its %lld rows in a step, and an automatic guide would have the same "
        "parameters for whichever they are; take all rows, or write the guide of this site by hand "
        "(crd_subsample of parameters of all rows)",
        p->name, plate->name, (long long)plate->rows, (long long)plate->size);
}

/* ---- a site ------------------------------------------------------------------------------------------------- */

crd_status crdi_guide_check_site(crd_context *ctx, const crd_message *q, const crd_message *p)
{
    if (!p || p->kind != CRD_MESSAGE_SAMPLE)
        return crdi_raise(ctx, CRD_ENAME, "site %s: the guide has it, the model has not", q->name);
    if (p->observed)
        return crdi_raise(ctx, CRD_EINVAL, "site %s: the guide draws it, in the model it is observed", q->name);
    CRD_TRY(check_support(ctx, q, p));
    return check_plates(ctx, q, p);
}
