/* calibration.c - see calibration.h. */
#include "report/calibration.h"

#include <credence/diag.h>
#include <credence/scores.h>
#include <math.h>
#include <string.h>

enum { GRID = 33, PASSES = 4 };
static const double WIDEST = 3.4657359027997265; /* log 32 */

/* ---- the temperature -------------------------------------------------------------------------------------------- */

struct search {
    crd_context *ctx;
    const crd_array *y;
    double low, step; /* log of the first temperature, and from one to the next */
    double *by_row; /* (rows, GRID): log predictive density at each */
};

static crd_status row_at_all(void *user, const crdi_outlook *o)
{
    const struct search *s = user;
    double *work = crdi_alloc_array(s->ctx, o->draws + o->classes, sizeof *work), *probability = work + o->draws;
    if (!work)
        return CRD_ENOMEM;
    for (int g = 0; g < GRID; g++) {
        double temperature = exp(s->low + g * s->step);
        for (int64_t d = 0; d < o->draws; d++)
            work[d] =
                crdi_soften(o->logit + d * o->width, o->width, temperature, (int64_t)s->y->data[o->row], probability);
        s->by_row[o->row * GRID + g] = crd_log_mean_exp(work, o->weight, o->draws);
    }
    crdi_free(s->ctx, work);
    return CRD_OK;
}

static crd_status sums_at_all(struct search *s, const crdi_outlook_request *request, double *sum)
{
    crdi_outlook_request pass = *request;
    pass.temperature = 1;
    pass.row = row_at_all;
    pass.user = s;
    CRD_TRY(crdi_outlook_run(&pass));
    for (int g = 0; g < GRID; g++) {
        sum[g] = 0;
        for (int64_t i = 0; i < request->x->shape.dim[0]; i++)
            sum[g] += s->by_row[i * GRID + g];
    }
    return CRD_OK;
}

static int best_of(const double *sum)
{
    int best = 0;
    for (int g = 1; g < GRID; g++)
        best = sum[g] > sum[best] ? g : best;
    return best;
}

/* The top of the parabola through three points, and its curvature. */
static void finish(crdi_calibration *c, const struct search *s, const double *sum, int best)
{
    double slope = 0.5 * (sum[best + 1] - sum[best - 1]) / s->step;
    double bend = (sum[best + 1] - 2 * sum[best] + sum[best - 1]) / (s->step * s->step);
    double shift = bend < 0 ? fmin(fmax(-slope / bend, -s->step), s->step) : 0;
    c->temperature = exp(s->low + best * s->step + shift);
    c->temperature_se = bend < 0 ? c->temperature / sqrt(-bend) : NAN;
}

static crd_status search_temperature(crdi_calibration *c, struct search *s, const crdi_outlook_request *request)
{
    double sum[GRID];
    for (int pass = 0; pass < PASSES; pass++) {
        CRD_TRY(sums_at_all(s, request, sum));
        int best = best_of(sum);
        double at = s->low + best * s->step;
        if (best == 0 || best == GRID - 1) {
            bool flat = sum[0] == sum[GRID - 1]; /* all classes are equally likely */
            if (!flat)
                crdi_log(s->ctx, "%s: the calibration rows ask for a temperature of %.3g or %s; it is held there",
                         request->net->path, exp(at), best == 0 ? "less" : "more");
            c->temperature = flat ? 1 : exp(at);
            return CRD_OK;
        }
        if (pass == PASSES - 1) {
            finish(c, s, sum, best);
            return CRD_OK;
        }
        s->low = at - s->step;
        s->step = 2 * s->step / (GRID - 1);
    }
    return CRD_OK;
}

static crd_status fit_temperature(crdi_calibration *c, const crdi_outlook_request *request)
{
    struct search s = {.ctx = c->ctx, .y = request->y, .low = -WIDEST, .step = 2 * WIDEST / (GRID - 1)};
    if (request->net->recipe->class_count == 0)
        return crdi_raise(c->ctx, CRD_EUNSUPPORTED,
                          "%s: a temperature softens the probabilities of classes; predictions of "
                          "numbers are calibrated by --calibrate conformal",
                          request->net->path);
    s.by_row = crdi_alloc_array(c->ctx, c->rows * GRID, sizeof *s.by_row);
    crd_status status = s.by_row ? search_temperature(c, &s, request) : CRD_ENOMEM;
    crdi_free(c->ctx, s.by_row);
    return status;
}

/* ---- conformal limits ------------------------------------------------------------------------------------------- */

struct scoring {
    crdi_calibration *calibration;
    const crdi_outlook_request *request;
};

static crd_status score_class(const struct scoring *s, const crdi_outlook *o)
{
    crdi_calibration *c = s->calibration;
    double *mean = crdi_alloc_array(c->ctx, o->classes, sizeof *mean);
    if (!mean)
        return CRD_ENOMEM;
    crd_uncertainty_of_classes(o->probability, o->weight, o->draws, o->classes, mean);
    c->sorted[o->row] = crd_conformal_class_score(mean, o->classes, (int64_t)s->request->y->data[o->row],
                                                  c->conformal == CRDI_CONFORMAL_ADAPTIVE);
    crdi_free(c->ctx, mean);
    return CRD_OK;
}

static crd_status score_row(void *user, const crdi_outlook *o)
{
    const struct scoring *s = user;
    crdi_calibration *c = s->calibration;
    if (o->classes > 0)
        return score_class(s, o);
    for (int64_t j = 0; j < c->targets; j++) {
        double middle, y = crdi_outlook_y(s->request, o->row, j);
        crd_uncertainty u = crd_uncertainty_of_numbers(o->mean + j * o->draws, o->variance + j * o->draws, o->weight,
                                                       o->draws, &middle);
        double one = crdi_calibration_half_width(c, 1, u.total);
        c->sorted[j * c->rows + o->row] = y == middle ? 0 : fabs(y - middle) / one;
    }
    return CRD_OK;
}

static crd_status choose_score(crdi_calibration *c, const crdi_network_run *net, const char *name)
{
    static const char *const names[] = {"auto", "absolute", "normalised", "probability", "adaptive"};
    bool classes = net->recipe->class_count > 0;
    for (int i = 0; i < CRDI_COUNT(names); i++)
        if (strcmp(name, names[i]) == 0)
            c->conformal = (crdi_conformal)i;
    if (c->conformal == CRDI_CONFORMAL_NONE)
        c->conformal = classes ? CRDI_CONFORMAL_PROBABILITY : CRDI_CONFORMAL_NORMALISED;
    if (classes == (c->conformal >= CRDI_CONFORMAL_PROBABILITY))
        return CRD_OK;
    return crdi_raise(c->ctx, CRD_EUNSUPPORTED, "conformal score '%s' is for %s; the target '%s' is %s: %s", name,
                      classes ? "numbers" : "classes", net->recipe->target, classes ? "of classes" : "a number",
                      classes ? "probability or adaptive" : "absolute or normalised");
}

static crd_status fit_conformal(crdi_calibration *c, const crdi_outlook_request *request, const char *score)
{
    struct scoring scoring = {c, request};
    crdi_outlook_request pass = *request;
    CRD_TRY(choose_score(c, request->net, score));
    c->sorted = crdi_alloc_array(c->ctx, c->rows * c->targets, sizeof *c->sorted);
    if (!c->sorted)
        return CRD_ENOMEM;
    pass.row = score_row;
    pass.user = &scoring;
    CRD_TRY(crdi_outlook_run(&pass));
    for (int64_t j = 0; j < c->targets; j++)
        CRD_TRY(crd_diag_sort(c->ctx, c->sorted + j * c->rows, c->rows, c->sorted + j * c->rows));
    return CRD_OK;
}

double crdi_calibration_limit(const crdi_calibration *c, int64_t target, double coverage)
{
    return crd_conformal_limit(c->sorted + target * c->rows, c->rows, coverage);
}

double crdi_calibration_half_width(const crdi_calibration *c, double limit, double variance)
{
    return c->conformal == CRDI_CONFORMAL_ABSOLUTE || isinf(limit) ? limit : limit * sqrt(variance);
}

bool crdi_calibration_in_set(const crdi_calibration *c, double limit, const double *probability, int64_t classes,
                             int64_t k)
{
    return crd_conformal_class_score(probability, classes, k, c->conformal == CRDI_CONFORMAL_ADAPTIVE) <= limit;
}

/* ---- the whole -------------------------------------------------------------------------------------------------- */

crd_status crdi_calibration_make(const crdi_outlook_request *request, const char *method, const char *score,
                                 crdi_calibration **out)
{
    crd_context *ctx = request->net->ctx;
    crdi_calibration *c = crdi_alloc(ctx, sizeof *c);
    if (!c)
        return CRD_ENOMEM;
    *c = (crdi_calibration){.ctx = ctx, .temperature = 1, .temperature_se = NAN, .rows = request->x->shape.dim[0]};
    c->targets = crdi_outlook_targets(request->net);
    crd_status status = crdi_network_run_need(request->net, request->what);
    if (status == CRD_OK && strcmp(method, "temperature") == 0)
        status = fit_temperature(c, request);
    if (status == CRD_OK && strcmp(method, "conformal") == 0)
        status = fit_conformal(c, request, score);
    if (status < 0)
        crdi_calibration_destroy(&c);
    else
        *out = c;
    return status;
}

void crdi_calibration_destroy(crdi_calibration **calibration)
{
    if (!calibration || !*calibration)
        return;
    crd_context *ctx = (*calibration)->ctx;
    crdi_free(ctx, (*calibration)->sorted);
    crdi_free(ctx, *calibration);
    *calibration = NULL;
}
