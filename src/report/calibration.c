/* calibration.c - see calibration.h. */
#include "report/calibration.h"

#include <credence/diag.h>
#include <credence/scores.h>
#include <math.h>
#include <string.h>

static const double WIDEST = 32; /* temperatures between 1 / this and this */

/* ---- the temperature -------------------------------------------------------------------------------------------- */

/* The calibration rows: logs of their mean probabilities, and their classes. */
struct pooled {
    crd_context *ctx;
    const crd_array *y;
    int64_t rows, classes;
    double *log_p; /* (rows, classes) */
};

static crd_status pool_row(void *user, const crdi_outlook *o)
{
    const struct pooled *p = user;
    return crdi_outlook_pool(p->ctx, o, p->log_p + o->row * p->classes);
}

static void soften(double *log_p, int64_t classes, double inverse)
{
    double most = -INFINITY, sum = 0;
    for (int64_t k = 0; k < classes; k++) {
        log_p[k] *= inverse;
        most = log_p[k] > most ? log_p[k] : most;
    }
    for (int64_t k = 0; k < classes; k++)
        sum += exp(log_p[k] - most);
    for (int64_t k = 0; k < classes; k++)
        log_p[k] -= most + log(sum);
}

void crdi_calibration_soften(const crdi_calibration *c, double *log_p, int64_t classes)
{
    if (c && c->temperature != 1)
        soften(log_p, classes, 1 / c->temperature);
}

/* The slope of the rows' log density in 1 / T, and minus its curvature: sums of log p of what happened less its mean, and of its
 * variance, under the softened probabilities. A probability of 0 counts for nothing. */
static double slope(const struct pooled *p, double inverse, double *work, double *curvature)
{
    double sum = 0;
    *curvature = 0;
    for (int64_t i = 0; i < p->rows; i++) {
        const double *log_p = p->log_p + i * p->classes;
        double mean = 0, square = 0;
        memcpy(work, log_p, (size_t)p->classes * sizeof *work);
        soften(work, p->classes, inverse);
        for (int64_t k = 0; k < p->classes; k++) {
            double share = exp(work[k]);
            mean += share > 0 ? share * log_p[k] : 0;
            square += share > 0 ? share * log_p[k] * log_p[k] : 0;
        }
        sum += log_p[(int64_t)p->y->data[i]] - mean;
        *curvature += fmax(square - mean * mean, 0);
    }
    return sum;
}

/* The slope falls: the root by halving on a logarithmic scale. */
static void find_temperature(crdi_calibration *c, const struct pooled *p, const char *path, double *work)
{
    enum { STEPS = 60 };
    double low = 1 / WIDEST, high = WIDEST, curvature;
    double at_low = slope(p, low, work, &curvature), at_high = slope(p, high, work, &curvature);
    if (at_low == 0 && at_high == 0)
        return; /* all classes are equally likely: any temperature will do */
    if (!(at_low > 0) || !(at_high < 0)) {
        c->temperature = at_low > 0 ? 1 / WIDEST : WIDEST;
        crdi_log(c->ctx, "%s: the calibration rows ask for a temperature of %.3g or %s; it is held there", path,
                 c->temperature, at_low > 0 ? "less" : "more");
        return;
    }
    for (int i = 0; i < STEPS; i++) {
        double middle = sqrt(low * high);
        *(slope(p, middle, work, &curvature) > 0 ? &low : &high) = middle;
    }
    c->temperature = 1 / sqrt(low * high);
    c->temperature_se = c->temperature * c->temperature / sqrt(curvature);
}

static crd_status fit_temperature(crdi_calibration *c, const crdi_outlook_request *request)
{
    struct pooled p = {c->ctx, request->y, c->rows, request->net->recipe->class_count, NULL};
    if (p.classes == 0)
        return crdi_raise(c->ctx, CRD_EUNSUPPORTED,
                          "%s: a temperature softens the probabilities of classes; predictions of "
                          "numbers are calibrated by --calibrate conformal",
                          request->net->path);
    crdi_outlook_request pass = *request;
    pass.row = pool_row;
    pass.user = &p;
    p.log_p = crdi_alloc_array(c->ctx, (p.rows + 1) * p.classes, sizeof *p.log_p);
    crd_status status = p.log_p ? crdi_outlook_run(&pass) : CRD_ENOMEM;
    if (status == CRD_OK)
        find_temperature(c, &p, request->net->path, p.log_p + p.rows * p.classes);
    crdi_free(c->ctx, p.log_p);
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
