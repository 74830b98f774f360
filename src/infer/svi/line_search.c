/* line_search.c - bracketing and zooming (Nocedal & Wright 2006, algorithms 3.5 and 3.6).
 *
 * Differences from the book: a point where value or gradient is not finite counts as one that is too high, and the next
 * one is halfway back; any point that satisfies both conditions is taken, also one above the lowest so far; and the
 * condition of decrease leaves room for the rounding of values, so that a search close to a minimum is decided by
 * slopes, which are more exact there (Hager & Zhang 2005, sec. 2). */
#include "infer/svi/line_search.h"

#include <float.h>
#include <math.h>

static const double C1 = 1e-4, C2 = 0.9; /* Nocedal & Wright 2006, p. 62, for quasi-Newton directions */
static const double GROWTH = 4; /* of steps that are still too short */
static const double MARGIN = 0.1; /* share of the bracket that interpolation stays away from its ends */
static const double ROUNDING = 8 * DBL_EPSILON; /* of values, relative */
enum { EVALUATIONS = 60 }; /* of one search: 2^-60 of any first step is tried where all further points are not finite */

typedef struct place {
    double step, value, slope;
    bool finite;
} place;

static crd_status evaluate(crdi_line_search *s, double step, place *out)
{
    double value;
    s->v->axpy(s->dim, step, s->direction, s->x, s->next_x);
    s->evaluations++;
    crd_status status = s->fn(s->user, s->next_x, &value, s->next_gradient);
    if (status != CRD_OK)
        return status;
    /* An element of the gradient that is not finite leaves no finite slope, even where the direction is 0. */
    double slope = s->v->dot(s->dim, s->next_gradient, s->direction);
    *out = (place){step, value, slope, isfinite(value) && isfinite(slope)};
    return CRD_OK;
}

static bool low_enough(const crdi_line_search *s, const place *p)
{
    return p->finite && p->value <= s->value + C1 * p->step * s->slope + ROUNDING * fabs(s->value);
}

static bool is_wolfe(const crdi_line_search *s, const place *p)
{
    return low_enough(s, p) && fabs(p->slope) <= -C2 * s->slope;
}

/* The minimum of the cubic through two places (3.59), away from both; halfway where there is none. */
static double interpolate(const place *a, const place *b)
{
    double width = b->step - a->step, middle = a->step + 0.5 * width;
    if (!b->finite)
        return middle;
    double d1 = a->slope + b->slope - 3 * (a->value - b->value) / (a->step - b->step);
    double square = d1 * d1 - a->slope * b->slope;
    if (!(square >= 0))
        return middle;
    double d2 = copysign(sqrt(square), width);
    double share = 1 - (b->slope + d2 - d1) / (b->slope - a->slope + 2 * d2);
    if (!isfinite(share))
        return middle;
    return a->step + fmin(fmax(share, MARGIN), 1 - MARGIN) * width;
}

/* Algorithm 3.6. `low` is the lowest place so far that is low enough; a minimum lies between it and `high`. */
static crd_status zoom(crdi_line_search *s, place low, place high, int left, bool *found, double *value)
{
    place p;
    for (; left > 0 && fabs(high.step - low.step) > DBL_EPSILON * fmax(low.step, high.step); left--) {
        crd_status status = evaluate(s, interpolate(&low, &high), &p);
        if (status != CRD_OK)
            return status;
        if (is_wolfe(s, &p)) {
            *found = true;
            *value = p.value;
            return CRD_OK;
        }
        if (!low_enough(s, &p) || p.value >= low.value) {
            high = p;
            continue;
        }
        if (p.slope * (high.step - low.step) >= 0)
            high = low;
        low = p;
    }
    if (low.step == 0)
        return CRD_OK;
    crd_status status = evaluate(s, low.step, &p); /* back to it: less than wanted, but lower */
    if (status != CRD_OK)
        return status;
    *found = p.finite;
    *value = p.value;
    return CRD_OK;
}

/* Algorithm 3.5. */
crd_status crdi_line_search_run(crdi_line_search *s, double first, bool *found, double *value)
{
    place before = {0, s->value, s->slope, true}, p;
    double step = first;
    *found = false;
    for (int i = 0; i < EVALUATIONS; i++, step *= GROWTH) {
        crd_status status = evaluate(s, step, &p);
        if (status != CRD_OK)
            return status;
        if (is_wolfe(s, &p)) {
            *found = true;
            *value = p.value;
            return CRD_OK;
        }
        if (!low_enough(s, &p) || (i > 0 && p.value >= before.value))
            return zoom(s, before, p, EVALUATIONS - i, found, value);
        if (p.slope >= 0)
            return zoom(s, p, before, EVALUATIONS - i, found, value);
        before = p;
    }
    *found = true; /* it falls as far as one looks */
    *value = p.value;
    return CRD_OK;
}
